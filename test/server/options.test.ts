/** Options of statements that other layers cannot show to work. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testServer } from './server.ts';

const server = testServer();
let client: pg.Client;

beforeAll(async () => {
  client = await server.driver();
});
afterAll(() => client.end());

async function lines(sql: string): Promise<string[]> {
  const { rows } = await client.query({ text: sql, rowMode: 'array' });
  return rows.map((row) => String(row[0]));
}

test('EXPLAIN (BUFFERS) counts the pages that a run asked for', async () => {
  await client.query('create table bufs (a int primary key, b text)');
  await client.query("insert into bufs select g, repeat('x', 500) from generate_series(1, 1000) g");
  const plan = await lines(
    'explain (analyze, buffers, costs off, timing off, summary off) select count(*) from bufs',
  );
  const [total, scan] = plan.filter((line) => line.includes('Buffers: shared'));
  const pages = Number(/hit=(\d+)/.exec(total ?? '')?.[1]);
  expect(pages).toBeGreaterThan(60);
  expect(pages).toBeLessThan(1000);
  expect(scan?.trim()).toBe(total?.trim());
  const one = await lines(
    'explain (analyze, buffers, costs off, timing off, summary off) select b from bufs where a = 7',
  );
  expect(one.at(-1)).toMatch(/^ {2}Buffers: shared hit=[1-3]$/);
});

test('EXPLAIN (SETTINGS) tells of changed settings, and WAL is refused', async () => {
  await client.query("set work_mem = '1MB'");
  expect(await lines('explain (costs off, settings) select 1')).toEqual([
    'Result',
    "Settings: work_mem = '1MB'",
  ]);
  await client.query('reset work_mem');
  expect(await lines('explain (costs off, settings) select 1')).toEqual(['Result']);
  await expect(client.query('explain (analyze, wal) select 1')).rejects.toMatchObject({
    code: '0A000',
  });
});

test('COPY FREEZE is for tables that the subtransaction has made or emptied', async () => {
  const wire = await server.wire();
  const freeze = async (): Promise<string> => {
    const { error, tags } = await wire.copyIn('copy frozen from stdin (freeze)', ['1\n']);
    return error === null ? tags.join(' ') : `${error.C} ${error.M}`;
  };
  const refused =
    '55000 cannot perform COPY FREEZE because the table was not created or truncated in the current subtransaction';
  await wire.query('create table frozen (a int)');
  expect(await freeze()).toBe(refused);
  await wire.query('begin; truncate frozen');
  expect(await freeze()).toBe('COPY 1');
  await wire.query('savepoint s');
  expect(await freeze()).toBe(refused);
  await wire.query('rollback; begin; savepoint s; truncate frozen; release s');
  expect(await freeze()).toBe('COPY 1');
  await wire.query('declare c cursor for select 1');
  expect(await freeze()).toBe(
    '25000 cannot perform COPY FREEZE because of prior transaction activity',
  );
  await wire.end();
});

test('READ ONLY transactions run what changes no data', async () => {
  const wire = await server.wire();
  const codes: (string | undefined)[] = [];
  await wire.query('create table ro (a int)');
  for (const statement of ['lock ro', 'reindex table ro', 'analyze ro', 'checkpoint']) {
    const { error } = await wire.query(`begin read only; ${statement}; rollback`);
    codes.push(error?.C);
    await wire.query('rollback');
  }
  expect(codes).toEqual([undefined, undefined, undefined, undefined]);
  await wire.query('begin read only');
  const { error } = await wire.copyIn('copy ro from stdin', ['1\n']);
  expect(error?.M).toBe('cannot execute COPY FROM in a read-only transaction');
  await wire.end();
});

test('DISCARD ALL lets go of advisory locks', async () => {
  const wire = await server.wire();
  const other = await server.wire();
  const isFree = async (): Promise<string | null | undefined> => {
    const { rows } = await other.query('select pg_try_advisory_lock(7), pg_advisory_unlock_all()');
    return rows[0]?.[0];
  };
  await wire.query('select pg_advisory_lock(7), pg_advisory_lock_shared(8)');
  expect(await isFree()).toBe('f');
  await wire.query('discard sequences; discard plans; discard temp');
  expect(await isFree()).toBe('f');
  expect((await wire.query('discard all')).tags).toEqual(['DISCARD ALL']);
  expect(await isFree()).toBe('t');
  await wire.end();
  await other.end();
});

test('arguments of EXECUTE are computed once, as those of a query', async () => {
  const [wire, other] = [await server.wire(), await server.wire()];
  const rows = async (text: string) => (await wire.query(text)).rows;
  await wire.query('create sequence drawn; create table taken (a bigint primary key)');
  await wire.query('prepare p(bigint) as select $1; prepare t(timestamptz) as select $1 = now()');
  expect(await rows("execute p(nextval('drawn'))")).toEqual([['1']]);
  expect(await rows("execute p(nextval('drawn') + 10 * nextval('drawn'))")).toEqual([['32']]);
  expect((await wire.execute("execute p(nextval('drawn'))")).rows).toEqual([['4']]);
  expect(await rows("explain (costs off) execute p(nextval('drawn'))")).toEqual([['Result']]);
  expect(await rows("select currval('drawn'); execute p(nextval('drawn')); select 7")).toEqual([
    ['5'],
    ['6'],
    ['7'],
  ]);
  const readOnly = await wire.query("begin read only; execute p(nextval('drawn'))");
  expect(readOnly.error?.C).toBe('25006');
  await wire.query('rollback; begin');
  expect(await rows('execute t(now())')).toEqual([['t']]);
  await wire.query('rollback');
  expect(await rows('prepare i(int) as select $1; execute i(pg_backend_pid())')).toEqual([
    [`${wire.processId}`],
  ]);
  expect(
    await rows("prepare c(text) as select $1; execute c(set_config('a.b', 'c', false))"),
  ).toEqual([['c']]);
  // The statement that waits for a table which changes meanwhile is run again with the same number.
  await wire.query('prepare f(bigint) as insert into taken values ($1) returning a');
  await other.query('begin; alter table taken add b int');
  const waiting = rows("execute f(nextval('drawn'))");
  await new Promise((resolve) => setTimeout(resolve, 50));
  await other.query('commit');
  expect(await waiting).toEqual([['7']]);
  expect((await wire.query("execute p(nextval('drawn') / 0)")).error?.C).toBe('22012');
  await wire.end();
  await other.end();
});

test('an insert that fails has drawn numbers up to the row that failed', async () => {
  const wire = await server.wire();
  const drawn = async (text: string) => {
    const { error } = await wire.query(text);
    const { rows } = await wire.query(
      "select currval('numbered_id_seq'), last_value from numbered_id_seq",
    );
    return [error?.C, ...rows];
  };
  await wire.query('create table numbered (id serial, a int unique, b int check (b > 0))');
  expect(
    await drawn('insert into numbered (a, b) select g, 5 - g from generate_series(1, 9) g'),
  ).toEqual(['23514', ['5', '5']]);
  expect(await drawn('insert into numbered (a, b) values (1, 1), (2, 1), (1, 1), (4, 1)')).toEqual([
    '23505',
    ['8', '8'],
  ]);
  expect(
    await drawn('insert into numbered (a, b) select g, 1 from generate_series(1, 2000) g'),
  ).toEqual([undefined, ['2008', '2008']]);
  expect(
    await drawn('insert into numbered (a, b) select g, 1 from generate_series(5000, 1, -1) g'),
  ).toEqual(['23505', ['5009', '5009']]);
  expect(
    await drawn(`insert into numbered (a, b) values (6001, 1), (6001, 1), (6002, 1)
      on conflict do nothing`),
  ).toEqual([undefined, ['5012', '5012']]);
  const next = `nextval('numbered_id_seq')`;
  expect(
    await drawn(
      `insert into numbered values (${next}, 7001, 1), (${next}, 7002, 0), (${next}, 7003, 1)`,
    ),
  ).toEqual(['23514', ['5014', '5014']]);
  expect(
    await drawn(
      `insert into numbered values (${next}, 7001, 1), (${next}, 7002, 1 / 0), (${next}, 7003, 1)`,
    ),
  ).toEqual(['22012', ['5016', '5016']]);
  expect(
    await drawn(
      `insert into numbered select ${next}, 7000 + g, 5 - g from generate_series(1, 9) g`,
    ),
  ).toEqual(['23514', ['5021', '5021']]);
  await wire.end();
});
