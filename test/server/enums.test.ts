/** Enums: what PostgreSQL answers, what other sessions see of them, and what is left after a crash. */
import type pg from 'pg';
import { expect, test } from 'vitest';
import {
  bind,
  execute,
  parse,
  query,
  readFields,
  sync,
  type WireClient,
} from '../support/wire-client.ts';
import { expectAnswers } from './answers.ts';
import { testServer } from './server.ts';

const server = testServer();

test('statements about enums answer as in PostgreSQL', async () => {
  await expectAnswers(server, 'enums.txt');
});

/** The first column of what a query answers, or the SQLSTATE of its error. */
async function column(client: pg.Client, text: string, values: unknown[] = []): Promise<unknown> {
  try {
    const { rows } = await client.query({ text, values, rowMode: 'array' });
    return rows.map((row) => (row as unknown[])[0]);
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

test('what a transaction does to types is its own until it commits', async () => {
  const [a, b] = [await server.driver(), await server.driver()];
  await a.query("create type mood as enum ('sad', 'ok'); create table own (m mood)");
  await a.query("insert into own values ('ok')");
  await a.query(
    "begin; create type young as enum ('x'); alter type mood rename value 'ok' to 'fine'",
  );
  expect(await column(a, 'select m from own')).toEqual(['fine']);
  expect(await column(b, 'select m from own')).toEqual(['ok']);
  expect(await column(a, "select 'fine'::mood")).toEqual(['fine']);
  expect(await column(b, "select 'fine'::mood")).toBe('22P02');
  expect(await column(b, "select 'x'::young")).toBe('42704');
  expect(await column(b, "select count(*)::int from pg_type where typname = 'young'")).toEqual([0]);
  expect(await column(a, "select array['x'::young]::text")).toEqual(['{x}']);
  await a.query('rollback');
  expect(await column(a, 'select m from own')).toEqual(['ok']);
  expect(await column(a, "select 'x'::young")).toBe('42704');
  await a.query("begin; alter type mood add value 'glad' before 'ok'; commit");
  expect(await column(b, "insert into own values ('glad') returning m")).toEqual(['glad']);
  expect(await column(a, 'select m from own order by m')).toEqual(['glad', 'ok']);
  expect(await column(a, "select m from own where m < 'ok'")).toEqual(['glad']);
  await Promise.all([a.end(), b.end()]);
});

test('a type waits to be dropped for those who make something of it', async () => {
  const [a, b] = [await server.driver(), await server.driver()];
  await a.query("create type held as enum ('x')");
  await a.query('begin; create table holder (h held)');
  const dropped = column(b, 'drop type held');
  const isWaiting = async () =>
    (await column(a, 'select count(*)::int from pg_locks where not granted')) as number[];
  await expect.poll(isWaiting).toEqual([1]);
  await a.query('commit');
  expect(await dropped).toBe('2BP01');
  await b.query('begin; drop type held cascade');
  const made = column(a, 'create table late (h held)');
  await expect
    .poll(async () => column(b, 'select count(*)::int from pg_locks where not granted'))
    .toEqual([1]);
  await b.query('commit');
  expect(await made).toBe('42704');
  await Promise.all([a.end(), b.end()]);
});

test('prepared statements live through changes of a type', async () => {
  const client = await server.driver();
  await client.query("create type level as enum ('low', 'high'); create table lv (l level, n int)");
  await client.query("insert into lv values ('low', 1), ('high', 2)");
  const named = (value: string) =>
    client
      .query({ name: 'by', text: 'select n from lv where l >= $1 order by l', values: [value] })
      .then(({ rows }) => rows.map(({ n }) => n));
  expect(await named('low')).toEqual([1, 2]);
  await client.query("alter type level add value 'middle' before 'high'");
  expect(await named('middle')).toEqual([2]);
  await client.query("insert into lv values ('middle', 3)");
  expect(await named('middle')).toEqual([3, 2]);
  await client.query("alter type level rename value 'high' to 'top'");
  await expect(named('high')).rejects.toThrow('invalid input value for enum level: "high"');
  expect(await named('top')).toEqual([2]);
  await client.query('alter type level rename to grade');
  expect(await named('top')).toEqual([2]);
  await client.end();
});

test('the binary form of a value is its label', async () => {
  const wire = await server.wire();
  wire.send(query("create type bin as enum ('é', 'b')"));
  await wire.untilReady();
  const ask = async (label: string) => {
    wire.send(
      parse('', 'select $1::bin, array[$1::bin, null]'),
      bind('', '', [Buffer.from(label)], [1]),
      execute(''),
      sync(),
    );
    return await wire.untilReady();
  };
  const row = (await ask('é')).find(({ type }) => type === 'D')!.body;
  expect(row.subarray(2, 8)).toEqual(Buffer.from([0, 0, 0, 2, 0xc3, 0xa9]));
  expect(row.subarray(-10)).toEqual(Buffer.from([0, 0, 0, 2, 0xc3, 0xa9, 0xff, 0xff, 0xff, 0xff]));
  const error = (await ask('x')).find(({ type }) => type === 'E')!;
  expect(readFields(error.body).M).toBe('invalid input value for enum bin: "x"');
  await wire.end();
});

test('types, their new labels and keys outlive SIGKILL; what was not committed does not', async () => {
  const client = await server.driver();
  await client.query("create type kept as enum ('b', 'd')");
  await client.query('create table keys (k kept primary key, a kept[])');
  await client.query("insert into keys values ('d', '{d,b}'), ('b', null)");
  await client.query("alter type kept add value 'c' after 'b'");
  await client.query("alter type kept add value 'a' before 'b'");
  await client.query("insert into keys values ('c', '{c}'), ('a', '{}')");
  await client.query("alter type kept rename value 'd' to 'z'");
  const other = await server.driver();
  await other.query("begin; create type lost as enum ('x'); alter type kept add value 'lost'");
  await server.running.kill();
  await server.start();

  const after = await server.driver();
  expect(await column(after, 'select k from keys order by k')).toEqual(['a', 'b', 'c', 'z']);
  expect(await column(after, "select k from keys where k > 'b' order by k desc")).toEqual([
    'z',
    'c',
  ]);
  expect(await column(after, "select a::text from keys where k = 'z'")).toEqual(['{z,b}']);
  expect(await column(after, 'select enum_range(null::kept)::text')).toEqual(['{a,b,c,z}']);
  expect(await column(after, "select 'x'::lost")).toBe('42704');
  await after.query("create type later as enum ('one'); create table more (x later)");
  expect(await column(after, "insert into more values ('one') returning x")).toEqual(['one']);
  expect(
    await column(
      after,
      'select count(distinct oid) = count(*) from (select oid from pg_type union all select oid from pg_enum) o',
    ),
  ).toEqual([true]);
  await after.end();
});

test('the rows of a table outlive the type of a column', async () => {
  const client = await server.driver();
  await client.query("create type gone as enum ('a', 'b')");
  await client.query('create table outlived (i int primary key, m gone, ms gone[], t text)');
  await client.query("insert into outlived values (1, 'a', '{b}', 'x'), (2, null, null, 'y')");
  await client.query('drop type gone cascade');
  await client.query("insert into outlived values (3, 'z')");
  await client.query("update outlived set t = 'w' where i = 1");
  await client.end();
  await server.running.kill();
  await server.start();

  const after = await server.driver();
  const { rows } = await after.query({
    text: 'select * from outlived order by i',
    rowMode: 'array',
  });
  expect(rows).toEqual([
    [1, 'w'],
    [2, 'y'],
    [3, 'z'],
  ]);
  await after.end();
});

test('labels go between two others until a double can tell no more apart', async () => {
  const client = await server.driver();
  await client.query("create type narrow as enum ('first', 'last')");
  const added = Array.from({ length: 52 }, (_, i) => `n${i}`);
  await client.query(
    added.map((label) => `alter type narrow add value '${label}' before 'last'`).join(';'),
  );
  expect(await column(client, "alter type narrow add value 'n52' before 'last'")).toBe('54000');
  await client.query("alter type narrow add value 'n52' after 'first'");
  const order = ['first', 'n52', ...added, 'last'];
  expect(await column(client, 'select unnest(enum_range(null::narrow))')).toEqual(order);
  expect(
    await column(
      client,
      "select enumlabel from pg_enum where enumtypid = 'narrow'::regtype order by enumsortorder",
    ),
  ).toEqual(order);
  await client.end();
});

async function errorOf(wire: WireClient, text: string) {
  wire.send(query(text));
  const error = (await wire.untilReady()).find(({ type }) => type === 'E');
  return error && readFields(error.body);
}

test('a label that is given twice violates the index of pg_enum', async () => {
  const wire = await server.wire();
  const error = await errorOf(wire, "create type twice as enum ('a', 'b', 'a')");
  expect(error).toMatchObject({ C: '23505', s: 'pg_catalog', t: 'pg_enum' });
  expect(error).toMatchObject({ n: 'pg_enum_typid_label_index' });
  await wire.end();
});
