/** Definitions: what depends on what, and what is left of it when something is altered or dropped. */
import { expect, test } from 'vitest';
import { expectAnswers } from './answers.ts';
import { testServer } from './server.ts';

const server = testServer();

test('statements about definitions answer as in PostgreSQL', async () => {
  await expectAnswers(server, 'definitions.txt');
});

test("temporary views of other sessions are in nobody's way", async () => {
  const [a, b] = [await server.driver(), await server.driver()];
  await a.query('create temp table hidden (a int); create temp view shown as select a from hidden');
  await b.query("create type free as enum ('x', 'y'); create table uses (f free, g int)");
  await b.query('create view over as select f from uses');
  await b.query("alter type free rename value 'x' to 'z'");
  await b.query('alter table uses drop column g');
  await expect(b.query('drop type free')).rejects.toMatchObject({
    detail:
      'column f of table uses depends on type free\nview over depends on column f of table uses',
  });
  await b.query('drop type free cascade');
  expect((await a.query('select * from shown')).rows).toEqual([]);
  await Promise.all([a.end(), b.end()]);
});

test('a prepared statement fails when the type of a parameter is gone', async () => {
  const client = await server.driver();
  const prepared = { name: 'p', text: 'select f from filed where f = $1', values: ['x'] };
  await client.query("create type gone as enum ('x'); create table filed (f gone)");
  await client.query(prepared);
  await client.query('drop type gone cascade; alter table filed add f int');
  await expect(client.query(prepared)).rejects.toMatchObject({ code: '42704' });
  expect((await client.query('select f from filed')).rows).toEqual([]);
  await client.end();
});
