/** Random bytes and random SQL: whatever comes, the server answers the next client. */
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { message, startupMessage, WireClient } from '../support/wire-client.ts';
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
});
