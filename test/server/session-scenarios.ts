import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BackendMessage,
  bind,
  close,
  copyData,
  describe,
  execute,
  flush,
  message,
  parse,
  query,
  readFields,
  sync,
  type WireClient,
} from '../support/wire-client.ts';

/** A conversation with a server, in a fresh database; session-answers.json has what PostgreSQL 15
 * says in it. */
export interface Scenario {
  readonly name: string;
  run(connect: () => Promise<WireClient>): Promise<string[]>;
}

/** Messages as words: rows with their values, tags, errors by SQLSTATE and text. */
export function words(messages: readonly BackendMessage[]): string {
  return messages.map(word).join(' | ');
}

function word({ type, body }: BackendMessage): string {
  switch (type) {
    case 'C':
      return text(body);
    case 'D': {
      const values: string[] = [];
      for (let i = 0, at = 2; i < body.readInt16BE(0); i++) {
        const length = body.readInt32BE(at);
        at += 4;
        values.push(length < 0 ? 'null' : body.toString('utf8', at, at + length));
        at += Math.max(0, length);
      }
      return `(${values.join(',')})`;
    }
    case 'E':
    case 'N': {
      const fields = readFields(body);
      return `${fields.S} ${fields.C} ${fields.M}`;
    }
    case 'Z':
      return `ready ${String.fromCharCode(body[0]!)}`;
    case 'S':
      return `status ${body.toString('utf8').replaceAll('\0', ' ').trim()}`;
    case 'd':
      return `data ${JSON.stringify(body.toString('latin1'))}`;
    default:
      return NAMES[type] ?? type;
  }
}

const NAMES: Readonly<Record<string, string>> = {
  1: 'parsed',
  2: 'bound',
  3: 'closed',
  T: 'row',
  t: 'parameters',
  n: 'no data',
  s: 'suspended',
  I: 'empty',
  H: 'copy out',
  G: 'copy in',
  c: 'copy done',
};

function text(body: Buffer): string {
  return body.toString('utf8', 0, body.length - 1);
}

/** Simple queries, one after the other; each answer is a line. */
async function simple(client: WireClient, ...texts: string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const each of texts) {
    client.send(query(each));
    answers.push(words(await client.until('Z')));
  }
  return answers;
}

async function extended(client: WireClient, ...parts: Buffer[]): Promise<string> {
  client.send(...parts);
  return words(await client.until('Z'));
}

/** One statement by the extended protocol, without Sync. */
function statement(sql: string, values: string[] = []): Buffer {
  return Buffer.concat([parse('', sql), bind('', '', values), execute('')]);
}

function simpleScenario(name: string, texts: readonly string[]): Scenario {
  return {
    name,
    async run(connect) {
      const client = await connect();
      const answers = await simple(client, ...texts);
      await client.end();
      return answers;
    },
  };
}

export const scenarios: readonly Scenario[] = [
  simpleScenario('several statements are one transaction', [
    'create table s1 (a int primary key)',
    'insert into s1 values (1); select nope; insert into s1 values (2)',
    'select count(*) from s1',
    'insert into s1 values (3); begin; insert into s1 values (4)',
    'rollback; select count(*) from s1',
    'begin; insert into s1 values (5); commit; insert into s1 values (6); select nope',
    'select a from s1',
    'commit; rollback',
    'savepoint x',
    "set application_name = 'one'; select nope",
    'show application_name',
  ]),
  simpleScenario('blocks, warnings and the failed state', [
    'begin; begin',
    'select nope',
    'select 1',
    'savepoint x',
    'commit',
    'commit',
    'rollback and chain',
    'begin read only',
    'create table nope (a int)',
    'rollback',
    'begin isolation level repeatable read',
    'show transaction_isolation',
    'select 1',
    'set transaction isolation level read committed',
    'rollback',
    'set local work_mem = 4096',
    'set transaction read only',
    'begin; set transaction read only; show transaction_read_only; commit',
    'set session characteristics as transaction isolation level repeatable read',
    'show transaction_isolation',
    'prepare transaction $$x$$',
    'discard all',
    'show transaction_isolation',
  ]),
  simpleScenario('cursors', [
    'create table s2 (a int primary key)',
    'insert into s2 select generate_series(1, 10)',
    'declare c cursor for select 1',
    'begin; declare c scroll cursor for select a from s2 order by a',
    'fetch 3 from c; fetch prior from c; fetch relative 2 from c; move 2 in c; fetch 0 from c',
    'fetch absolute -1 from c; fetch next from c; fetch prior from c; fetch first from c',
    'fetch backward all in c; fetch last from c; move backward 3 in c; fetch all from c',
    'declare c cursor for select 1',
    'rollback',
    'begin; declare d no scroll cursor for select a from s2 order by a; fetch 2 from d',
    'savepoint x; declare e cursor for select 1; rollback to x',
    'update s2 set a = a + 100; fetch 2 from d',
    'savepoint y; fetch from e',
    'rollback to y; fetch backward from d',
    'rollback',
    'begin; declare f cursor for select a from s2; close f; close f',
    'rollback; close all',
  ]),
  simpleScenario('prepared statements of SQL', [
    'prepare p (int) as select $1 + 1',
    'execute p (41)',
    'execute p (1, 2)',
    "execute p ('x')",
    'prepare p as select 1',
    'deallocate p; execute p (1)',
    'deallocate nothing',
    'prepare q (int) as insert into pg_temp.nowhere values ($1)',
    'deallocate all',
  ]),
  simpleScenario('settings', [
    "select set_config('my.own', 'v', false), current_setting('my.own')",
    'show my.own',
    "begin; select set_config('application_name', 'inside', true); commit",
    'show application_name',
    "set application_name = 'outside'",
    'set nonsense = 1',
    'show nonsense',
    "set statement_timeout = '1 fortnight'",
    "set statement_timeout = '2s'; show statement_timeout; reset statement_timeout",
    "begin; set application_name = 'undone'; rollback",
    'show application_name',
    'set server_version = 1',
    'select pg_cancel_backend(-1)',
  ]),
  simpleScenario('COPY to the client', [
    'create table s3 (a int, b text)',
    "insert into s3 values (1, 'one'), (2, null), (3, E'tab\\there')",
    'copy s3 to stdout',
    'copy s3 (b, a) to stdout (format csv, header)',
    'copy (select 1) to stdout (format binary)',
    'copy (select 1 where false) to stdout (format binary)',
    'copy (delete from s3 where a = 1 returning b) to stdout',
    'copy (select 1/(a-a) from s3) to stdout',
    'copy s3 (nope) to stdout',
    'copy nowhere to stdout',
    'begin; insert into s3 values (9, $$x$$); copy s3 (a) to stdout; rollback',
  ]),
  {
    name: 'a pipeline is one transaction up to its Sync',
    async run(connect) {
      const client = await connect();
      const answers = await simple(client, 'create table s4 (a int primary key)');
      const one = statement('insert into s4 values (1)');
      const two = statement('insert into s4 values (2)');
      const bad = statement('select nope');
      answers.push(await extended(client, one, two, sync()));
      answers.push(
        await extended(client, statement('insert into s4 values (3)'), bad, two, sync()),
      );
      answers.push(await extended(client, statement('select count(*) from s4'), sync()));
      answers.push(
        await extended(client, statement('begin'), statement('insert into s4 values (4)'), sync()),
      );
      answers.push(await extended(client, one, sync()));
      answers.push(await extended(client, statement('select 1'), sync()));
      answers.push(await extended(client, statement('rollback'), sync()));
      answers.push(await extended(client, statement('select count(*) from s4'), sync()));
      answers.push(
        await extended(
          client,
          statement('insert into s4 values (5)'),
          statement('commit'),
          bad,
          sync(),
        ),
      );
      answers.push(await extended(client, statement('select count(*) from s4'), sync()));
      await client.end();
      return answers;
    },
  },
  {
    name: 'portals go on where they were suspended',
    async run(connect) {
      const client = await connect();
      const answers = await simple(
        client,
        'create table s5 (a int primary key)',
        'insert into s5 select generate_series(1, 5)',
      );
      const open = [parse('s', 'select a from s5 order by a'), bind('p', 's')];
      answers.push(
        await extended(
          client,
          ...open,
          execute('p', 2),
          execute('p', 2),
          execute('p', 2),
          execute('p', 2),
          sync(),
        ),
      );
      answers.push(await extended(client, execute('p', 1), sync()));
      answers.push(...(await simple(client, 'begin; insert into s5 values (6)')));
      answers.push(
        await extended(client, bind('p', 's'), describe('P', 'p'), execute('p', 4), sync()),
      );
      answers.push(...(await simple(client, 'update s5 set a = a + 10')));
      answers.push(await extended(client, execute('p', 0), close('P', 'p'), sync()));
      answers.push(await extended(client, execute('p', 0), sync()));
      answers.push(...(await simple(client, 'rollback')));
      answers.push(await extended(client, parse('s', 'select 1'), sync()));
      answers.push(await extended(client, close('S', 's'), bind('', 's'), sync()));
      await client.end();
      return answers;
    },
  },
  {
    name: 'portals of session commands keep row limits',
    async run(connect) {
      const client = await connect();
      const answers = await simple(
        client,
        'create table s30 (a int primary key)',
        'insert into s30 select generate_series(1, 5)',
        'prepare q(int) as select a from s30 where a > $1 order by a',
        'prepare i(int) as insert into s30 values ($1), ($1 + 1) returning a',
        'prepare d(int) as delete from s30 where a > $1',
      );
      const limited = async (sql: string, ...limits: number[]): Promise<void> => {
        const executes = limits.map((limit) => execute('p', limit));
        answers.push(
          await extended(
            client,
            parse('', sql),
            bind('p', ''),
            ...executes,
            close('P', 'p'),
            sync(),
          ),
        );
      };
      await limited('show application_name', 1, 1, 1);
      await limited('show application_name', 0, 1);
      await limited('explain (costs off) select 1', 2, 2);
      await limited('explain (costs off) values (1), (2)', 1, 0, 0);
      await limited('explain (costs off, analyze, timing off, summary off) select 1', 1, 1, 1);
      await limited('execute q(1)', 2, 2, 2, 2);
      await limited('execute q(1)', 3, 0, 0);
      await limited('execute q(9)', 1, 1);
      await limited('insert into s30 values (20), (21), (22) returning a', 2, 2, 2);
      await limited('delete from s30 where a >= 20 returning a', 2, 0);
      await limited('execute i(10)', 1, 1, 1, 1);
      await limited('execute d(10)', 1, 1);
      await limited('execute i(1)', 1, 1);
      answers.push(...(await simple(client, 'select a from s30', 'begin')));
      answers.push(...(await simple(client, 'declare c cursor for select a from s30 order by a')));
      await limited('fetch 3 from c', 2, 2, 2);
      await limited('fetch backward 2 from c', 1, 1, 1);
      await limited('fetch all from c', 1);
      await limited('fetch backward all from c', 2, 0);
      await limited('move 2 from c', 1);
      await limited('fetch 1 from c', 1, 0);
      await limited('fetch 9 from c', 9, 0);
      await simple(client, 'rollback', 'begin');
      answers.push(
        await extended(client, parse('', 'execute q(0)'), bind('p', ''), execute('p', 2), sync()),
      );
      answers.push(await extended(client, describe('P', 'p'), execute('p', 1), sync()));
      answers.push(await extended(client, execute('p', 0), sync()));
      answers.push(...(await simple(client, 'commit')));
      answers.push(await extended(client, execute('p', 0), sync()));
      await client.end();
      return answers;
    },
  },
  {
    name: 'statements of the session by the extended protocol',
    async run(connect) {
      const client = await connect();
      const answers: string[] = [];
      const described = (sql: string): Buffer[] => [
        parse('', sql),
        describe('S', ''),
        bind('', ''),
        describe('P', ''),
        execute(''),
        sync(),
      ];
      for (const sql of [
        'show DateStyle',
        'begin',
        'declare c cursor for select 1 as one union all select 2',
        'fetch 1 from c',
        'move 1 in c',
        'close c',
        'copy (select 7) to stdout',
        'rollback',
        'prepare x as select 5 as five',
        'execute x',
        '',
        'vacuum nothing_here',
      ]) {
        answers.push(await extended(client, ...described(sql)));
      }
      answers.push(
        await extended(
          client,
          statement('begin'),
          statement('declare c cursor for select generate_series(1, $1)', ['5']),
          statement('fetch all from c'),
          statement('commit'),
          sync(),
        ),
      );
      await client.end();
      return answers;
    },
  },
  {
    name: 'a plan follows the tables that others change',
    async run(connect) {
      const client = await connect();
      const other = await connect();
      const answers = await simple(
        client,
        'create table s6 (a int primary key, b int)',
        'insert into s6 values (1, 2)',
      );
      answers.push(await extended(client, parse('i', 'insert into s6 (a) values ($1)'), sync()));
      answers.push(await extended(client, parse('s', 'select * from s6'), sync()));
      answers.push(...(await simple(other, 'alter table s6 add column c int default 7')));
      answers.push(await extended(client, bind('', 'i', ['2']), execute(''), sync()));
      answers.push(await extended(client, bind('', 's'), execute(''), sync()));
      answers.push(...(await simple(client, 'select * from s6 order by a')));
      // The insert waits for the lock, and the table is another one when it gets it.
      answers.push(...(await simple(other, 'begin; alter table s6 drop column b; lock table s6')));
      client.send(query('insert into s6 values (3, 4)'));
      await sleep(150);
      answers.push(...(await simple(other, 'commit')));
      answers.push(words(await client.until('Z')));
      answers.push(...(await simple(client, 'select * from s6 order by a')));
      await client.end();
      await other.end();
      return answers;
    },
  },
  {
    name: 'sessions are cancelled and ended by others',
    async run(connect) {
      const client = await connect();
      const other = await connect();
      const answers: string[] = [];
      client.send(query('select pg_sleep(20)'));
      await sleep(100);
      answers.push(...(await simple(other, `select pg_cancel_backend(${client.processId})`)));
      answers.push(words(await client.until('Z')));
      await simple(
        client,
        'create table s7 (a int); insert into s7 values (1)',
        'begin; update s7 set a = 2; lock table s7 in share row exclusive mode',
      );
      other.send(query('select * from s7 for update'));
      await sleep(100);
      const third = await connect();
      answers.push(...(await simple(third, `select pg_cancel_backend(${other.processId})`)));
      answers.push(words(await other.until('Z')));
      answers.push(...(await simple(third, `set lock_timeout = 50; lock table s7 in share mode`)));
      answers.push(...(await simple(third, `select pg_terminate_backend(${client.processId})`)));
      answers.push(words(await client.until('Z')));
      answers.push(...(await simple(third, 'set statement_timeout = 50', 'select pg_sleep(10)')));
      await third.end();
      await other.end();
      return answers;
    },
  },
  {
    name: 'answers up to a Flush come without a Sync',
    async run(connect) {
      const client = await connect();
      client.send(statement('select 1'), flush());
      const answers = [words(await client.until('C'))];
      answers.push(await extended(client, statement('select 2'), sync()));
      await client.end();
      return answers;
    },
  },
  {
    name: 'after an error all is skipped up to Sync, a query too',
    async run(connect) {
      const client = await connect();
      client.send(parse('', 'selec'), query('create table s8 (a int)'), sync());
      const answers = [words(await client.until('Z'))];
      answers.push(...(await simple(client, 'select 8', 'drop table if exists s8')));
      await client.end();
      return answers;
    },
  },
  {
    name: 'what cannot run in a block begins none, though no Sync is in sight',
    async run(connect) {
      const client = await connect();
      const answers = await simple(client, 'create table s9 (a int primary key)');
      for (const text of [
        'vacuum s9',
        'create index concurrently s9i on s9 (a)',
        'reindex index concurrently s9i',
        'drop index concurrently s9i',
        'lock table s9',
        'set constraints all immediate',
      ]) {
        answers.push(await extended(client, statement(text), flush(), sync()));
      }
      answers.push(...(await simple(client, 'drop table s9')));
      await client.end();
      return answers;
    },
  },
  {
    name: 'a BEGIN that fails begins nothing, and what a block set goes with it',
    async run(connect) {
      const client = await connect();
      const answers = [
        await extended(
          client,
          statement('create table s10 (a int)'),
          statement('insert into s10 values (1)'),
          statement('begin isolation level repeatable read'),
          sync(),
        ),
      ];
      answers.push(
        ...(await simple(
          client,
          'select * from s10',
          'select 1; set transaction read only; select nothing',
          'create table s10 (a int); drop table s10',
          'show transaction_read_only',
        )),
      );
      await client.end();
      return answers;
    },
  },
  {
    name: 'Parse, Bind and Describe find their errors in order',
    async run(connect) {
      const client = await connect();
      const answers: string[] = [];
      const send = async (...parts: Buffer[]) =>
        answers.push(await extended(client, ...parts, sync()));
      await send(parse('a', 'select $1::int'), parse('b', 'fetch 1 from nowhere'));
      await send(parse('a', 'selec'));
      await send(parse('a', 'select 1'));
      await simple(client, 'begin');
      await send(bind('p', 'a', ['1']));
      await send(bind('p', 'nothing'));
      await simple(client, 'rollback');
      await send(describe('S', 'b'), bind('', 'b', [], [1, 0]), describe('P', ''), execute(''));
      await send(parse('', 'set application_name = s11'), bind('', '', [], [1, 0]), execute(''));
      await send(parse('', 'select 1'));
      await simple(client, 'select 2');
      await send(bind('', ''));
      await send(parse('', 'select 1'));
      await send(parse('', 'selec'));
      await send(bind('', ''));
      const where: string[] = [];
      for (const message of [
        bind('', 'a', ['x']),
        bind('q', 'a', ['x']),
        bind('', 'a', [Buffer.of(1)]),
        bind('', 'a', [Buffer.alloc(5)]),
      ]) {
        client.send(message, sync());
        const [error] = await client.until('Z');
        const { M, W } = readFields(error!.body);
        where.push(`${M}: ${W}`);
      }
      await send(parse('', 'prepare s11 as select 1'), bind('', ''), execute(''));
      await simple(client, 'prepare s12 as select 12');
      answers.push(...(await simple(client, 'execute s12 (1)')));
      await client.end();
      return [...answers, ...where];
    },
  },
  {
    name: 'rows of commands are described in the formats that they are bound to',
    async run(connect) {
      const client = await connect();
      const answers: string[] = [];
      await simple(client, 'prepare s13 as select 13', 'begin', 'declare c cursor for select 14');
      for (const text of ['show datestyle', 'explain select 1', 'execute s13', 'fetch 1 from c']) {
        client.send(parse('', text), bind('', '', [], [1]), describe('P', ''), execute(''), sync());
        const messages = await client.until('Z');
        const { body } = messages.find(({ type }) => type === 'T')!;
        answers.push(`${text}: ${body.readInt16BE(body.length - 2)} ${messages.at(-2)!.type}`);
      }
      await client.end();
      return answers;
    },
  },
  simpleScenario('what SET does goes with its statement, or back to its savepoint', [
    "begin; savepoint a; set work_mem = '3MB'; rollback to a",
    'show work_mem',
    'rollback',
    "select set_config('work_mem', '2MB', false), 1 / (g - 1) from generate_series(1, 2) g",
    'show work_mem',
    "set application_name = 'kept'; select nothing",
    'show application_name',
    'set default_transaction_read_only = on',
    'set local default_transaction_read_only = off',
    'show transaction_read_only',
    'reset default_transaction_read_only',
    'select 1; discard all',
    'begin; discard all',
    'rollback',
    "begin; prepare transaction 'x'",
    "begin; commit prepared 'x'",
    'rollback',
  ]),
  simpleScenario('EXPLAIN ANALYZE writes no more than its transaction may', [
    'create table s14 (a int)',
    'begin read only; explain analyze insert into s14 values (1)',
    'rollback',
    'select count(*) from s14',
  ]),
  simpleScenario('a cursor over the catalog is fetched from in any direction', [
    "begin; declare c scroll cursor for select typname from pg_type where typname in ('bool', 'int4', 'text', 'int8') order by 1",
    'fetch absolute 3 from c',
    'fetch last from c',
    'fetch prior from c',
    'move 1 in c',
    'fetch backward all from c',
    'rollback',
  ]),
  simpleScenario('a session cancels itself', [
    'select pg_cancel_backend(pg_backend_pid()); select 2',
    'select 3',
  ]),
  {
    name: 'a failed block describes no result, and binds nothing but its end',
    async run(connect) {
      const client = await connect();
      const answers: string[] = [];
      const send = async (...parts: Buffer[]) =>
        answers.push(await extended(client, ...parts, sync()));
      await send(parse('query', 'select 1'), parse('empty', ''), parse('end', 'rollback'));
      await simple(client, 'begin');
      await send(bind('p', 'query'));
      await simple(client, 'savepoint a', 'select nothing');
      await send(describe('S', 'query'));
      await send(describe('S', 'empty'));
      await send(describe('P', 'p'));
      await send(bind('', 'query'));
      await send(bind('', 'empty'));
      await send(execute('p'));
      await simple(client, 'rollback to a');
      await send(execute('p'));
      await simple(client, 'select nothing');
      await send(bind('', 'end'), describe('P', ''), execute(''));
      await client.end();
      return answers;
    },
  },
  {
    name: 'a portal that has failed cannot be executed again',
    async run(connect) {
      const client = await connect();
      await simple(client, 'begin');
      await extended(
        client,
        parse('', 'select 1 / (1 - g) from generate_series(1, 5) g'),
        bind('p', ''),
        sync(),
      );
      await simple(client, 'savepoint a');
      const answers = [await extended(client, execute('p', 5), sync())];
      await simple(client, 'rollback to a');
      answers.push(await extended(client, execute('p', 1), sync()));
      await client.end();
      return answers;
    },
  },
  {
    name: 'CLOSE takes portals of the protocol, but not the one that runs it',
    async run(connect) {
      const client = await connect();
      const rows = parse('rows', 'select g from generate_series(1, 5) g');
      await simple(client, 'begin', 'declare c cursor for select 1');
      const answers = [
        await extended(client, rows, bind('p', 'rows'), execute('p', 1), bind('q', 'rows'), sync()),
      ];
      answers.push(...(await simple(client, 'close p', 'savepoint a')));
      answers.push(await extended(client, execute('p', 1), sync()));
      answers.push(...(await simple(client, 'rollback to a')));
      answers.push(
        await extended(client, parse('', 'close all'), bind('own', ''), execute('own'), sync()),
      );
      answers.push(await extended(client, execute('q', 1), sync()));
      answers.push(...(await simple(client, 'rollback to a', 'fetch 1 from c', 'rollback to a')));
      answers.push(
        await extended(client, parse('', 'close own'), bind('own', ''), execute('own'), sync()),
      );
      await client.end();
      return answers;
    },
  },
  {
    name: 'Execute goes on with a cursor of DECLARE',
    async run(connect) {
      const client = await connect();
      const answers = await simple(
        client,
        'begin; declare c scroll cursor for select g from generate_series(1, 6) g',
      );
      answers.push(await extended(client, describe('P', 'c'), execute('c', 2), sync()));
      answers.push(...(await simple(client, 'fetch 1 from c')));
      answers.push(await extended(client, execute('c', 1), execute('c', 1), sync()));
      answers.push(...(await simple(client, 'fetch backward 2 from c')));
      answers.push(await extended(client, execute('c'), execute('c'), sync()));
      answers.push(...(await simple(client, 'fetch prior from c')));
      answers.push(await extended(client, close('P', 'c'), execute('c'), sync()));
      await client.end();
      return answers;
    },
  },
  {
    name: 'an empty query leaves the unnamed portal, another takes its place',
    async run(connect) {
      const client = await connect();
      await simple(client, 'begin');
      const rows = parse('', 'select g from generate_series(1, 5) g');
      const answers = [await extended(client, rows, bind('', ''), execute('', 1), sync())];
      answers.push(...(await simple(client, '')));
      answers.push(await extended(client, execute('', 1), sync()));
      answers.push(...(await simple(client, 'select 1')));
      answers.push(await extended(client, execute('', 1), sync()));
      await client.end();
      return answers;
    },
  },
  {
    name: 'a message that cannot be read ends the COPY that it comes in',
    async run(connect) {
      const client = await connect();
      const other = await connect();
      const answers = await simple(client, 'create table s15 (a int)');
      const unreadable = message('f', Buffer.of(0xff, 0));
      client.send(query('copy s15 from stdin; select 1'), copyData('1\n'), unreadable);
      answers.push(words(await client.until('Z')));
      client.send(
        statement('copy s15 from stdin'),
        copyData('1\n'),
        unreadable,
        query('select 1'),
        sync(),
      );
      answers.push(words(await client.until('Z')));
      // It holds no lock.
      answers.push(...(await simple(other, 'drop table s15')));
      answers.push(...(await simple(client, 'select 2')));
      await client.end();
      await other.end();
      return answers;
    },
  },
  {
    name: 'COPY and EXPLAIN wait for who changes their table, and follow',
    async run(connect) {
      const client = await connect();
      const other = await connect();
      const answers = await simple(
        client,
        'create table s16 (a int)',
        'insert into s16 values (1)',
      );
      const explain = 'explain (analyze, costs off, timing off, summary off) select * from s16';
      for (const [i, message] of [
        Buffer.concat([statement('copy s16 to stdout'), sync()]),
        query('copy s16 to stdout'),
        Buffer.concat([statement(explain), sync()]),
        query(explain),
      ].entries()) {
        await simple(other, `begin; alter table s16 add column b${i} int default ${i}`);
        client.send(message);
        await sleep(150);
        await simple(other, 'commit');
        answers.push(words(await client.until('Z')));
      }
      await client.end();
      await other.end();
      return answers;
    },
  },
  {
    name: 'each FETCH and each Execute has the time of a statement',
    async run(connect) {
      const client = await connect();
      await simple(client, "set statement_timeout = '300ms'", 'begin');
      const rows = 'select g from generate_series(1, 9) g';
      const answers = await simple(client, `declare c cursor for ${rows}`, 'fetch 1 from c');
      answers.push(await extended(client, parse('', rows), bind('p', ''), execute('p', 1), sync()));
      await sleep(400);
      answers.push(...(await simple(client, 'fetch 1 from c')));
      answers.push(await extended(client, execute('p', 1), sync()));
      await simple(client, 'declare slow cursor for select pg_sleep(5), 1');
      await simple(client, 'savepoint a');
      answers.push((await simple(client, 'move 1 in slow')).join());
      await simple(client, 'rollback to a');
      answers.push(await extended(client, execute('p', 1), sync()));
      await client.end();
      return answers;
    },
  },
];
