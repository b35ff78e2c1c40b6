/** Random bytes and random SQL: whatever comes, the server answers the next client. */
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import {
  bind,
  close,
  copyData,
  copyDone,
  copyFail,
  describe,
  execute,
  flush,
  int32,
  message,
  parse,
  query,
  startupMessage,
  sync,
  terminate,
  WireClient,
} from '../support/wire-client.ts';
import { testServer } from './server.ts';

const server = testServer();
const RUNS = Number(process.env.RANDOM_RUNS ?? 60);

afterEach(async () => {
  const client = await server.wire();
  expect((await client.query('select 1')).rows).toEqual([['1']]);
  // Neither worker has died and been replaced meanwhile.
  expect(server.running.log).not.toMatch(/thread/);
  await client.end();
});

test('random bytes instead of a start-up packet', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
      const client = await WireClient.open(server.port);
      client.send(bytes);
      client.socket.end();
      await client.untilClosed();
      client.destroy();
    }),
    { numRuns: RUNS },
  );
});

test('random messages after the start-up', async () => {
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.string({ maxLength: 40 }).map((text) => Buffer.from(`${text}\0`)),
  );
  const types = fc.constantFrom(...'QPBDECSHFdcfXpqx', '\0', '\xff');
  const messages = fc.array(fc.tuple(types, body), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(messages, async (parts) => {
      const client = await WireClient.open(server.port);
      client.send(startupMessage({ user: 'postgres', database: 'postgres' }));
      client.send(...parts.map(([type, bytes]) => message(type, bytes)));
      client.send(message('S'), message('X'));
      client.socket.end();
      await client.untilClosed();
      client.destroy();
    }),
    { numRuns: RUNS },
  );
});

/** Where a connection can stand when a message comes. */
const STATES: Readonly<Record<string, readonly Buffer[]>> = {
  idle: [],
  block: [query('begin')],
  failed: [query('begin'), query('nonsense')],
  parsed: [parse('s', 'select $1::int, $2::text', [23, 25])],
  bound: [parse('', 'select generate_series(1, 9)'), bind('', '', [])],
  suspended: [parse('', 'select generate_series(1, 9)'), bind('', '', []), execute('', 2)],
  rejected: [parse('', 'nonsense')],
  busy: [query('select pg_sleep(0.02)')],
  copying: [query('create table if not exists rc (a int)'), query('copy rc from stdin')],
};

/** Bodies that a message of the kind cannot have, or can only just have. */
function bodies(whole: Buffer): Buffer[] {
  const body = whole.subarray(5);
  return [
    Buffer.alloc(0),
    body.subarray(0, Math.max(0, body.length - 1)),
    body.subarray(0, body.length >> 1),
    Buffer.concat([body, Buffer.of(0)]),
    Buffer.concat([body, body]),
    Buffer.from(body.toString('latin1').replaceAll('\0', 'x'), 'latin1'),
    Buffer.alloc(body.length + 4, 0xff),
    Buffer.alloc(body.length + 4, 0x7f),
    Buffer.alloc(body.length + 4),
  ];
}

const KINDS = [
  query('select 1'),
  parse('s2', 'select $1', [23]),
  bind('', 's', ['1', null]),
  describe('S', 's'),
  describe('P', ''),
  execute('', 1),
  close('S', 's'),
  sync(),
  flush(),
  copyData('1\n'),
  copyDone(),
  copyFail('no'),
  terminate(),
  message('F', Buffer.alloc(14)),
  message('p', Buffer.from('secret\0')),
  message('~', Buffer.from('what\0')),
];

test.each(Object.keys(STATES))('malformed messages of each kind: %s', async (state) => {
  const before = STATES[state] ?? [];
  const attacks: Buffer[] = [];
  for (const kind of KINDS) {
    const type = kind.toString('latin1', 0, 1);
    for (const body of bodies(kind)) attacks.push(message(type, body));
    // A length that is too small, one that is negative, one that never comes.
    for (const length of [0, 3, -1, 0x7fffffff]) {
      attacks.push(Buffer.concat([kind.subarray(0, 1), int32(length), kind.subarray(5)]));
    }
  }
  const attack = async (bytes: Buffer): Promise<void> => {
    const client = await WireClient.open(server.port);
    client.send(
      startupMessage({ user: 'postgres', database: 'postgres' }),
      ...before,
      bytes,
      sync(),
    );
    client.socket.end();
    await client.untilClosed(10_000);
    client.destroy();
  };
  for (let at = 0; at < attacks.length; at += 20) {
    await Promise.all(attacks.slice(at, at + 20).map(attack));
  }
});

const column = fc.constantFrom('a', 'b', 'c', 'd', 'r.a', 'r.c', 'nope');
const literal = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom(
    'null',
    'true',
    "'x'",
    "''",
    "'2024-02-30'",
    "'1 day'",
    '1e400',
    "'\\x00'",
    '9223372036854775807',
  ),
  fc.string({ maxLength: 8 }).map((text) => `'${text.replaceAll("'", "''").replaceAll('\0', '')}'`),
);
const type = fc.constantFrom(
  'int',
  'int8',
  'text',
  'numeric',
  'date',
  'interval',
  'bool',
  'bytea',
  'uuid',
  'float4',
  'varchar(3)',
);
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    column,
    literal,
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom(
          '+',
          '-',
          '*',
          '/',
          '%',
          '=',
          '<',
          '<>',
          '||',
          'and',
          'or',
          'like',
          'is distinct from',
          '~',
        ),
        tie('expression'),
      )
      .map(([l, o, r]) => `(${l} ${o} ${r})`),
    fc.tuple(tie('expression'), type).map(([e, t]) => `${e}::${t}`),
    fc
      .tuple(
        fc.constantFrom(
          'abs',
          'length',
          'upper',
          'coalesce',
          'count',
          'sum',
          'max',
          'round',
          'now',
          'string_agg',
          'no_such',
        ),
        fc.array(tie('expression'), { maxLength: 3 }),
      )
      .map(([f, a]) => `${f}(${a.join(', ')})`),
    fc
      .tuple(tie('expression'), tie('expression'), tie('expression'))
      .map(([a, b, c]) => `case when ${a} then ${b} else ${c} end`),
    fc
      .tuple(tie('expression'), fc.array(literal, { minLength: 1, maxLength: 3 }))
      .map(([e, l]) => `${e} in (${l.join(', ')})`),
    tie('expression').map((e) => `(select ${e} from r limit 1)`),
  ),
}));
const statement = fc.oneof(
  fc
    .record({
      list: fc.array(expression, { minLength: 1, maxLength: 3 }),
      where: fc.option(expression),
      group: fc.option(column),
      order: fc.option(expression),
      limit: fc.option(literal),
      join: fc.constantFrom(
        '',
        'join r s on s.a = r.a',
        'left join r s on true',
        ', generate_series(1, 3) g',
      ),
    })
    .map((q) =>
      [
        `select ${q.list.join(', ')} from r ${q.join}`,
        q.where && `where ${q.where}`,
        q.group && `group by ${q.group}`,
        q.order && `order by ${q.order}`,
        q.limit && `limit ${q.limit}`,
      ]
        .filter(Boolean)
        .join(' '),
    ),
  fc
    .array(expression, { minLength: 1, maxLength: 4 })
    .map((l) => `insert into r values (${l.join(', ')})`),
  fc
    .tuple(column, expression, expression)
    .map(([c, e, w]) => `update r set ${c} = ${e} where ${w}`),
  expression.map((w) => `delete from r where ${w}`),
  fc.tuple(fc.string({ maxLength: 3 }), expression).map(([s, e]) => `select ${s} ${e}`),
  fc.constantFrom(
    'begin',
    'commit',
    'rollback',
    'savepoint s',
    'rollback to s',
    'explain select * from r',
    'explain analyze select * from r',
    'truncate r',
    'create index on r (b)',
    'alter table r add column e int',
    ';',
    'select',
    'copy r to stdout',
    'declare c cursor for select 1',
    'declare h scroll cursor with hold for select a, b from r',
    'fetch 1 from h',
    'fetch backward all h',
    'fetch absolute -1 c',
    'move last in h',
    'close all',
    'discard all',
    'vacuum (verbose, analyze) r',
    'reindex (verbose) table r',
    'lock r',
    'checkpoint',
    'prepare p (int[]) as select $1, * from r',
    "execute p ('{1,2}')",
    'explain (analyze, buffers, settings, format json) update r set a = a',
    'create or replace recursive view v (n) as select 1 union all select n + 1 from v where n < 4',
    'select * from v, r',
    'begin isolation level repeatable read',
    'begin read only',
  ),
);

test('random SQL', async () => {
  const client = await server.wire();
  await client.query('create table r (a int, b text, c numeric, d timestamptz)');
  await client.query("insert into r values (1, 'x', 1.5, now()), (2, null, null, null)");
  await client.query("set statement_timeout = '2s'");
  await fc.assert(
    fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 6 }), async (statements) => {
      for (const text of statements) {
        const { error } = await client.query(text.replaceAll('\0', ''));
        // An internal error is a bug, whatever was asked.
        if (error !== null) expect(error, text).not.toMatchObject({ C: 'XX000' });
      }
      await client.query('rollback');
      const back = await client.query('select 1');
      expect(back.rows, statements.join(';\n')).toEqual([['1']]);
    }),
    { numRuns: RUNS * 5 },
  );
  await client.end();
}, 120_000);
