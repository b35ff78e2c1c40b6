/** Generated columns: what PostgreSQL answers, in blocks, from drivers, and after a crash. */
import { expect, test } from 'vitest';
import { expectAnswers } from './answers.ts';
import { testServer } from './server.ts';

const server = testServer();

test('statements about generated columns answer as in PostgreSQL', async () => {
  await expectAnswers(server, 'generated-columns.txt');
});

test('changes of single rows compute them, wherever they are made', async () => {
  const client = await server.driver();
  await client.query(
    'create table points (id int primary key, n int, g int generated always as (n * 2) stored, k int unique generated always as (n + 1000) stored)',
  );
  const run = async (name: string, text: string, values: unknown[]) =>
    (await client.query({ name, text, values, rowMode: 'array' })).rows;
  const add = 'insert into points (id, n) values ($1, $2) returning g';
  for (let id = 0; id < 4; id++) expect(await run('add', add, [id, id * 10])).toEqual([[id * 20]]);
  const set = 'update points set n = $2 where id = $1';
  for (const isBlock of [false, true]) {
    if (isBlock) await client.query('begin');
    for (let n = 1; n < 8; n++) await run('set', set, [2, n]);
    expect(await run('get', 'select n, g, k from points where id = $1', [2])).toEqual([
      [7, 14, 1007],
    ]);
    if (isBlock) await client.query('commit');
  }
  await expect(run('set', set, [2, 30])).rejects.toThrow('points_k_key');
  await client.end();
});

test('a row that another session changed is computed anew', async () => {
  const [a, b] = [await server.driver(), await server.driver()];
  await a.query(
    'create table pair (id int primary key, n int, m int, s int generated always as (n + m) stored)',
  );
  await a.query('insert into pair values (1, 1, 1)');
  await a.query('begin; update pair set n = 10 where id = 1');
  const second = b.query('update pair set m = 20 where id = 1 returning s');
  const isWaiting = async () =>
    (await a.query('select count(*)::int as n from pg_locks where not granted')).rows[0].n;
  await expect.poll(isWaiting).toBe(1);
  await a.query('commit');
  expect((await second).rows).toEqual([{ s: 30 }]);
  await Promise.all([a.end(), b.end()]);
});

test('they outlive SIGKILL, and so do their definitions', async () => {
  const client = await server.driver();
  await client.query('create table kept (a int, b int generated always as (a * 3) stored)');
  await client.query('create index on kept (b)');
  await client.query('insert into kept select generate_series(1, 100)');
  await client.query('alter table kept add column c text generated always as (a::text) stored');
  await server.running.kill();
  await server.start();

  const after = await server.driver();
  await after.query('insert into kept values (101)');
  const { rows } = await after.query('select a, c from kept where b in (300, 303) order by a');
  expect(rows).toEqual([
    { a: 100, c: '100' },
    { a: 101, c: '101' },
  ]);
  await after.end();
});
