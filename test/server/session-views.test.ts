/** Views of sessions show the same wherever the statement that reads them runs. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testServer } from './server.ts';

const server = testServer();
let idle: pg.Client;
let asking: pg.Client;

async function rows(text: string): Promise<unknown[][]> {
  return (await asking.query({ text, rowMode: 'array' })).rows;
}

const SESSIONS = "select state, query from pg_stat_activity where application_name = 'waiting'";
const IDLE_ROW = ['idle in transaction', 'select 1 as waited'];

beforeAll(async () => {
  [idle, asking] = [await server.driver(), await server.driver()];
  await idle.query("set application_name = 'waiting'");
  await idle.query('begin');
  await idle.query('select 1 as waited');
  await asking.query('create table marks (a int primary key)');
});

afterAll(async () => {
  await Promise.all([idle.end(), asking.end()]);
});

test('in a block that has changed a table', async () => {
  await asking.query('begin');
  await asking.query('insert into marks values (1)');
  expect(await rows(SESSIONS)).toEqual([IDLE_ROW]);
  // The table has this row for this transaction alone.
  expect(await rows(`select s.* from (${SESSIONS}) s, marks`)).toEqual([IDLE_ROW]);
  await asking.query('rollback');
});

test('with locks, which the writer knows', async () => {
  await idle.query('lock table marks in share mode');
  const locked = `select state, mode from pg_locks l join pg_stat_activity a using (pid)
    where relation = 'marks'::regclass`;
  expect(await rows(locked)).toEqual([['idle in transaction', 'ShareLock']]);
  await idle.query('rollback');
});

test.each([
  ['create table held as select', ''],
  ['select', 'into held'],
])(
  'with locks of changes by the key, which the main thread knows: %s mode %s',
  async (select, into) => {
    await asking.query('create table keyed (a int primary key, b int)');
    await asking.query('insert into keyed select generate_series(1, 100)');
    await idle.query('begin');
    await idle.query({ text: 'update keyed set b = 1 where a = $1', values: [1] });
    await asking.query(
      `${select} mode ${into} from pg_locks
      where relation = 'keyed'::regclass and pid <> pg_backend_pid()`,
    );
    expect(await rows('table held')).toEqual([['RowExclusiveLock']]);
    await idle.query('rollback');
    await asking.query('drop table held, keyed');
  },
);

test('in statements that write', async () => {
  await idle.query('begin; select 1 as waited');
  await asking.query('create table seen (state text, query text)');
  await asking.query(`insert into seen ${SESSIONS}`);
  await asking.query(`create table seen_again as ${SESSIONS}`);
  await asking.query(SESSIONS.replace('from', 'into seen_too from'));
  const waited = ['idle in transaction', 'begin; select 1 as waited'];
  expect(await rows('table seen')).toEqual([waited]);
  expect(await rows('table seen_again')).toEqual([waited]);
  expect(await rows('table seen_too')).toEqual([waited]);
  await asking.query('create table counts as select numbackends from pg_stat_database');
  expect(await rows('select max(numbackends) from counts')).toEqual([[2]]);
});

test('prepared statements and cursors of the session', async () => {
  await asking.query('prepare known as select 1');
  await asking.query('begin');
  await asking.query('insert into marks values (2)');
  await asking.query('declare some_cursor cursor for select * from marks');
  const named = `select s.name, c.name from pg_prepared_statements s, pg_cursors c, marks
    where c.name = 'some_cursor'`;
  expect(await rows(named)).toEqual([['known', 'some_cursor']]);
  await asking.query('rollback');
});
