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
