/** Temporary tables: PostgreSQL 15's answers, and how long they live and who sees them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { query } from '../support/wire-client.ts';
import { expectAnswers } from './answers.ts';
import { testServer } from './server.ts';

const server = testServer();

async function rows(client: pg.Client, text: string): Promise<unknown[][]> {
  return (await client.query({ text, rowMode: 'array' })).rows;
}

const LEFTOVERS = `
  select relname from pg_class where relpersistence = 't'
  union all select nspname from pg_namespace where nspname ~ '^pg_temp'`;

/** Waits until no session but the open ones has temporary objects. */
async function untilNone(client: pg.Client): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if ((await rows(client, LEFTOVERS)).length === 0) return;
    await sleep(20);
  }
  throw new Error(`left: ${JSON.stringify(await rows(client, LEFTOVERS))}`);
}

test('statements about temporary tables answer as in PostgreSQL', async () => {
  await expectAnswers(server, 'temporary.txt');
});

test('each session has its own table of a name, with the same texts and prepared statements', async () => {
  const [a, b, other] = [await server.driver(), await server.driver(), await server.driver()];
  await other.query("create table shared (x text); insert into shared values ('shared')");
  const read = { name: 'read', text: 'select * from shared' };
  const answers = async (client: pg.Client) => [
    (await client.query('select * from shared')).rows,
    (await client.query(read)).rows,
  ];
  const twice = (row: object) => [[row], [row]];
  expect(await answers(a)).toEqual(twice({ x: 'shared' }));
  await a.query("create temp table shared (x text); insert into shared values ('a')");
  await b.query("create temp table shared (x text); insert into shared values ('b')");
  for (let i = 0; i < 2; i++) {
    expect(await answers(a)).toEqual(twice({ x: 'a' }));
    expect(await answers(b)).toEqual(twice({ x: 'b' }));
    expect(await answers(other)).toEqual(twice({ x: 'shared' }));
  }
  await b.query('begin; drop table shared');
  expect(await answers(b)).toEqual(twice({ x: 'shared' }));
  await b.query('rollback');
  expect(await answers(b)).toEqual(twice({ x: 'b' }));
  await a.query('discard temp');
  expect(await answers(a)).toEqual(twice({ x: 'shared' }));
  await a.query('drop table shared');
  await Promise.all([a, b, other].map((client) => client.end()));
});

test('a table is its session’s alone', async () => {
  const [owner, other] = [await server.driver(), await server.driver()];
  await owner.query(
    'create temp table mine (a serial primary key); insert into mine default values',
  );
  const [[schema] = []] = await rows(
    owner,
    'select nspname from pg_namespace where oid = pg_my_temp_schema()',
  );
  const refused = async (text: string, what: string) =>
    expect(other.query(text.replaceAll('S.', `${schema}.`))).rejects.toMatchObject({
      code: '0A000',
      message: `cannot ${what} of other sessions`,
    });
  await refused('select * from S.mine', 'access temporary tables');
  await refused('insert into S.mine default values', 'access temporary tables');
  await refused("select nextval('S.mine_a_seq')", 'access temporary tables');
  await refused('copy S.mine from stdin', 'access temporary tables');
  await refused('truncate S.mine', 'truncate temporary tables');
  await refused('alter table S.mine add b int', 'alter temporary tables');
  await refused('create index on S.mine (a)', 'create indexes on temporary tables');
  await refused('reindex table S.mine', 'reindex temporary tables');
  expect(
    await rows(
      other,
      `select relpersistence, pg_is_other_temp_schema(relnamespace), pg_table_is_visible(oid)
       from pg_class where relname = 'mine'`,
    ),
  ).toEqual([['t', true, false]]);
  expect(
    await rows(other, "select * from information_schema.tables where table_name = 'mine'"),
  ).toEqual([]);
  await other.query(`drop table ${schema}.mine`);
  await expect(owner.query('select * from mine')).rejects.toMatchObject({ code: '42P01' });
  await owner.end();
  await other.end();
});

test('a view of another session is read as it is now, unless it leads to a table', async () => {
  const [owner, other] = [await server.driver(), await server.driver()];
  await owner.query(`create table everyones (a text); insert into everyones values ('shared');
    create temp table mine (a int); create temp view over_mine as select * from mine;
    create temp view plain as select a from everyones`);
  const [[schema] = []] = await rows(
    owner,
    'select nspname from pg_namespace where oid = pg_my_temp_schema()',
  );
  const read = async () => [
    await rows(other, `select * from ${schema}.plain`),
    await rows(other, 'execute p'),
  ];
  await other.query(`prepare p as select * from ${schema}.plain`);
  expect(await read()).toEqual([[['shared']], [['shared']]]);
  await owner.query("create or replace temp view plain as select 'new' || a as a from everyones");
  expect(await read()).toEqual([[['newshared']], [['newshared']]]);
  await expect(rows(other, `select * from ${schema}.over_mine`)).rejects.toMatchObject({
    code: '0A000',
    message: 'cannot access temporary tables of other sessions',
  });
  await owner.query('drop view plain; drop table everyones');
  await expect(read()).rejects.toMatchObject({ code: '42P01' });
  await owner.end();
  await other.end();
});

test('nothing is left of a session that ends, vanishes or is terminated', async () => {
  const watcher = await server.driver();
  const fill = `
    create temp table t (a serial primary key, b text unique);
    insert into t (b) select g from generate_series(1, 500) g;
    create temp view v as select * from t;
    create temp sequence s;
    create temp table p (a int) partition by list (a);
    create temp table p1 partition of p for values in (1)`;
  const ended = await server.driver();
  await ended.query(fill);
  await ended.end();
  const vanished = await server.wire();
  vanished.send(query(fill));
  await vanished.untilReady();
  const terminated = await server.driver();
  await terminated.query(`${fill}; create table permanent (a int default nextval('s'), b int)`);
  await terminated.query('begin; create temp table open (a int)');
  vanished.socket.destroy();
  await watcher.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction'",
  );
  await untilNone(watcher);
  await watcher.query('insert into permanent (b) values (1)');
  expect(await rows(watcher, 'select * from permanent')).toEqual([[null, 1]]);
  await watcher.query('drop table permanent');
  await watcher.end();
});

test('a crash leaves nothing behind', async () => {
  const client = await server.driver();
  await client.query('create table permanent (a int); insert into permanent values (1)');
  await client.query(`
    create temp table t (a serial primary key);
    insert into t select from generate_series(1, 2000);
    create temp table emptied (a int) on commit delete rows;
    insert into emptied values (1)`);
  await client.query('insert into permanent values (2)');
  await server.running.kill();
  await server.start();
  const after = await server.driver();
  expect(await rows(after, LEFTOVERS)).toEqual([]);
  expect(await rows(after, 'select a from permanent order by a')).toEqual([[1], [2]]);
  await after.query('create temp table t (b text); drop table permanent');
  expect(await rows(after, 'select * from t')).toEqual([]);
  await after.end();
});

test('many sessions make and drop tables at once', async () => {
  const clients = await Promise.all(Array.from({ length: 6 }, () => server.driver()));
  const loop = async (client: pg.Client, id: number) => {
    for (let i = 0; i < 15; i++) {
      await client.query('create temp table w (a int primary key, b int)');
      await client.query(`insert into w values (${id}, ${i})`);
      expect(await rows(client, 'select * from w')).toEqual([[id, i]]);
      if (i % 2 === 0) await client.query('drop table w');
      else await client.query('discard temp');
    }
  };
  await Promise.all(clients.map(loop));
  const [first] = clients;
  expect(await rows(first!, "select relname from pg_class where relname like 'w%'")).toEqual([]);
  await Promise.all(clients.map((client) => client.end()));
});
