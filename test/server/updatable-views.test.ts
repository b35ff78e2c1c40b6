/** Changes of rows through views: what PostgreSQL answers, and what other sessions do meanwhile. */
import { expect, test } from 'vitest';
import { expectAnswers } from './answers.ts';
import { testServer } from './server.ts';

const server = testServer();

test('changes through views answer as in PostgreSQL', async () => {
  await expectAnswers(server, 'updatable-views.txt');
});

test('a row that another session has changed is shown no more', async () => {
  const [a, b] = [await server.driver(), await server.driver()];
  await a.query('create table shared (id int primary key, state text)');
  await a.query("create view open as select * from shared where state = 'open'");
  await a.query("insert into shared values (1, 'open'), (2, 'open')");
  await a.query("begin; update shared set state = 'closed' where id = 1");
  const change = b.query({ name: 'close', text: 'update open set state = $1', values: ['done'] });
  const isWaiting = async () =>
    (await a.query('select count(*)::int as n from pg_locks where not granted')).rows[0].n;
  await expect.poll(isWaiting).toBe(1);
  await a.query('commit');
  expect((await change).rowCount).toBe(1);
  await a.query("create or replace view open as select * from shared where state <> 'open'");
  const again = await b.query({ name: 'close', text: 'update open set state = $1', values: ['x'] });
  expect(again.rowCount).toBe(2);
  await Promise.all([a.end(), b.end()]);
});
