/** Computations that take long: they hear of a timeout in the middle, and hold nobody up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { query, summarize, type WireClient } from '../support/wire-client.ts';
import { testServer } from './server.ts';

// A computation holds up the reader that makes it, so there is another.
const server = testServer({ read_workers: '2' });

beforeAll(async () => {
  const client = await server.wire();
  await client.query(
    `create table numbered (id int primary key, v text);
     insert into numbered select g, 'text ' || g from generate_series(1, 100) g;
     create table keyless (v text)`,
  );
  // The thread that answers queries is there.
  await client.query('select count(*) from generate_series(1, 1000)', 20_000);
  await client.end();
});

/** Far more than a statement should go on after its time, and far less than it would take. */
const PATIENCE_MS = 5000;

describe('statement_timeout ends, in the middle of one value,', () => {
  const computations = [
    "select length(translate(repeat('abc', 100000000), 'ab', 'xy'))",
    "select length(replace(repeat('abc', 100000000), 'b', 'xyz'))",
    "select length(initcap(repeat('one ', 60000000))) + length(reverse(repeat('one ', 60000000)))",
    "select sum(length(encode(sha256(convert_to(repeat('x', 50000000), 'UTF8')), 'hex'))) from generate_series(1, 100)",
    'select cardinality(array_fill(1, array[100000000]))',
    "select length(array_to_string(array_fill(1, array[30000000]), ','))",
    "select count(*) from string_to_table(repeat('a,', 60000000), ',')",
    `select array_agg(g) && array_agg(-g) from generate_series(1, 3000000) g`,
    "select count(*) from generate_series(1, 200000) g where repeat('ab', 10000) like '%a%b%c' || g",
    "select length(('[' || repeat('[1, \"a\\n\"],', 10000000) || '1]')::jsonb::text)",
    "select jsonb_path_exists(('[' || repeat('1,', 3000) || '1]')::jsonb, 'strict $[*] ? ($[*] == $[*] + 1)')",
    "select sum(gcd(('1' || repeat('7', 130000))::numeric + g, ('3' || repeat('1', 130000))::numeric)) from generate_series(1, 1000) g",
    'select sum(ln(g::numeric(1000, 900))) from generate_series(1, 100000) g',
  ];

  test.each(computations)('%s', async (sql) => {
    const client = await server.wire();
    await client.query('set statement_timeout = 100');
    const started = performance.now();
    const { error } = await client.query(sql, 20_000);
    expect(error).toMatchObject({ C: '57014' });
    expect(performance.now() - started).toBeLessThan(100 + PATIENCE_MS);
    await client.end();
  });
});

/** Milliseconds of the slowest of some statements that the main thread, or a reader, answers. */
async function slowestRead(client: WireClient): Promise<number> {
  let slowest = 0;
  for (let i = 0; i < 20; i++) {
    const started = performance.now();
    await client.query('select v from numbered where id = 7');
    await client.query('select count(*) from generate_series(1, 10)');
    slowest = Math.max(slowest, performance.now() - started);
    await sleep(20);
  }
  return slowest;
}

describe('a computation that takes seconds does not hold up other sessions when it is', () => {
  const slow = "(regexp_match(repeat('a', 100000) || 'b', '(?:a+)+c|b'))[1]";
  const statements = [
    `begin; update numbered set v = ${slow} where id = 1`,
    `begin; insert into keyless values (${slow})`,
    `begin; update numbered set v = 'x' where id = 2 returning ${slow}`,
    `select ${slow} || relname from pg_class`,
    `select ${slow}`,
  ];

  test.each(statements)('%s', async (sql) => {
    const slowly = await server.wire();
    const other = await server.wire();
    await slowly.query('set statement_timeout = 1000');
    slowly.send(query(sql));
    await sleep(50);
    expect(await slowestRead(other)).toBeLessThan(800);
    expect(summarize(await slowly.until('Z', 20_000)).error).toMatchObject({ C: '57014' });
    await slowly.query('rollback');
    await slowly.end();
    await other.end();
  });
});

test('a change that takes long after the row was changed is made once', async () => {
  const client = await server.wire();
  await client.query('begin');
  const added = await client.query(
    "insert into keyless values ('once') returning length(translate(repeat('ab', 1500000), 'b', 'c'))",
  );
  expect(added.rows).toEqual([['3000000']]);
  const changed = await client.query(
    "update numbered set v = v || '!' where id = 3 returning length(translate(repeat('ab', 1500000), 'b', 'c')), v",
  );
  expect(changed.rows).toEqual([['3000000', 'text 3!']]);
  await client.query('commit');
  expect((await client.query("select count(*) from keyless where v = 'once'")).rows).toEqual([
    ['1'],
  ]);
  expect((await client.query('select v from numbered where id = 3')).rows).toEqual([['text 3!']]);
  await client.end();
});

test('what asks for its session stays with it, however long it takes', async () => {
  const client = await server.wire();
  const name = await client.query(
    "select length(set_config('my.value', repeat('ab', 5000000), false))",
  );
  expect(name.rows).toEqual([['10000000']]);
  expect((await client.query("select length(current_setting('my.value'))")).rows).toEqual([
    ['10000000'],
  ]);
  await client.end();
});

test('a query of the catalog waits for a client that reads slowly', async () => {
  const client = await server.wire();
  const other = await server.wire();
  client.send(
    query('select a.attname, b.attname from pg_attribute a, pg_attribute b limit 300000'),
  );
  client.socket.pause();
  expect(await slowestRead(other)).toBeLessThan(500);
  client.socket.resume();
  expect(summarize(await client.until('Z', 30_000)).tags).toEqual(['SELECT 300000']);
  await client.end();
  await other.end();
});

describe('what is beyond the limits is refused', () => {
  const ones = (count: number) => Array.from({ length: count }, (_, i) => `1 as c${i}`).join(', ');
  const targets = 'target lists can have at most 1664 entries';
  const columns = 'tables can have at most 1600 columns';
  const refused: [sql: string, sqlstate: string, message: string][] = [
    [`select ${ones(1665)}`, '54011', targets],
    [`select count(*) from (select ${ones(1665)}) s`, '54011', targets],
    [`select ${ones(1664)} order by 1 + 1`, '54011', targets],
    [`values (${Array(1665).fill(1).join()})`, '54011', targets],
    [
      `select row(${Array(1665).fill(1).join()})`,
      '54011',
      'ROW expressions can have at most 1664 entries',
    ],
    [`create view wide as select ${ones(1601)}`, '54011', columns],
    [`create table wide as select ${ones(1601)}`, '54011', columns],
    [
      'select array_fill(1, array[200000000])',
      '54000',
      'array size exceeds the maximum allowed (100000000)',
    ],
    ["select repeat('abc', 400000000)", '54000', 'requested length too large'],
    ["select lpad('abc', 400000000)", '54000', 'requested length too large'],
    [`select repeat('9', 1000000)::numeric`, '22003', 'value overflows numeric format'],
  ];

  test.each(refused.map(([sql, ...error]) => [sql.slice(0, 60), sql, ...error] as const))(
    '%s',
    async (_beginning, sql, sqlstate, message) => {
      const client = await server.wire();
      expect((await client.query(sql)).error).toMatchObject({ C: sqlstate, M: message });
      await client.end();
    },
  );

  test('and what is within them is not', async () => {
    const client = await server.wire();
    expect((await client.query(`select ${ones(1664)}`)).error).toBeNull();
    expect((await client.query(`create view wide as select ${ones(1600)}`)).error).toBeNull();
    await client.end();
  });
});
