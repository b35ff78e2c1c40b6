/** Sessions and statements that are ended from outside while they wait for their client. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  CANCEL_REQUEST,
  copyData,
  copyDone,
  int32,
  packet,
  query,
  readFields,
  summarize,
  type WireClient,
} from '../support/wire-client.ts';
import { testServer } from './server.ts';

const server = testServer();

function cancel(client: WireClient): void {
  const socket = connect({ port: server.port, host: '127.0.0.1' });
  socket.end(packet(CANCEL_REQUEST, int32(client.processId), int32(client.secretKey)));
}

test('idle_in_transaction_session_timeout ends the session and frees its locks', async () => {
  const idle = await server.wire();
  const other = await server.wire();
  await other.query('create table held (a int)');
  await idle.query("set idle_in_transaction_session_timeout = '300ms'");
  // Outside of a transaction, and while a statement runs, it means nothing.
  await sleep(400);
  await idle.query('begin; select pg_sleep(0.4); lock held');
  const ended = await idle.until('E');
  expect(readFields(ended[0]!.body)).toMatchObject({
    S: 'FATAL',
    C: '25P03',
    M: 'terminating connection due to idle-in-transaction timeout',
  });
  await idle.untilClosed();
  expect((await other.query('begin; lock held nowait; rollback')).error).toBeNull();
  await other.end();
});

test('idle_session_timeout ends a session that waits for nothing', async () => {
  const idle = await server.wire();
  await idle.query("set idle_session_timeout = '200ms'");
  const ended = await idle.until('E');
  expect(readFields(ended[0]!.body)).toMatchObject({ S: 'FATAL', C: '57P05' });
  await idle.untilClosed();
});

test('CancelRequest ends a COPY that waits for data, and one that takes it', async () => {
  const client = await server.wire();
  await client.query('create table copied (a int, b text)');
  for (const isBusy of [false, true]) {
    client.send(query('copy copied from stdin'));
    await client.until('G');
    const rows = copyData('1\tone\n'.repeat(isBusy ? 5000 : 1));
    for (let i = 0; i < (isBusy ? 50 : 1); i++) client.send(rows);
    await sleep(isBusy ? 20 : 100);
    cancel(client);
    await sleep(300);
    // What the client sends before it hears of the error is passed over.
    client.send(copyData('3\tthree\n'), copyDone());
    const result = summarize(await client.until('Z', 20_000));
    expect(result).toMatchObject({ error: { C: '57014' }, status: 'I' });
    expect(result.error?.M).toBe('canceling statement due to user request');
    expect((await client.query('select count(*) from copied')).rows).toEqual([['0']]);
  }
  expect((await client.copyIn('copy copied from stdin', ['4\tfour\n'])).tags).toEqual(['COPY 1']);
  await client.end();
});

test('CancelRequest and statement_timeout end one long computation', async () => {
  const client = await server.wire();
  const compute = "select regexp_match(repeat('a', 100000) || 'b', '(?:a+)+c|b')";
  client.send(query(compute));
  await sleep(200);
  const asked = performance.now();
  cancel(client);
  const result = summarize(await client.until('Z', 20_000));
  expect(result.error).toMatchObject({ C: '57014' });
  expect(result.error?.M).toBe('canceling statement due to user request');
  expect(performance.now() - asked).toBeLessThan(3000);
  const timed = await client.query(`set statement_timeout = 200; ${compute}`, 20_000);
  expect(timed.error?.M).toBe('canceling statement due to statement timeout');
  expect((await client.query('select 1')).rows).toEqual([['1']]);
  await client.end();
});

test('a client that goes away in the middle of a COPY leaves nothing behind', async () => {
  const client = await server.wire();
  const other = await server.wire();
  await other.query('create table left_behind (a int primary key)');
  client.send(query('copy left_behind from stdin'));
  await client.until('G');
  client.send(copyData('1\n2\n'));
  await sleep(100);
  client.destroy();
  expect((await other.query('begin; lock left_behind; rollback', 10_000)).error).toBeNull();
  expect((await other.query('select count(*) from left_behind')).rows).toEqual([['0']]);
  await other.end();
});

/** How many other sessions there are, and locks that others have or wait for. */
async function left(asking: WireClient): Promise<number[]> {
  const counts: number[] = [];
  for (const view of ['pg_stat_activity', 'pg_locks']) {
    const { rows } = await asking.query(
      `select count(*) from ${view} where pid <> pg_backend_pid()`,
    );
    counts.push(Number(rows[0]?.[0]));
  }
  return counts;
}

test('clients that go away while they wait, or in the middle of a change, leave nothing behind', async () => {
  const other = await server.wire();
  await other.query(
    'create table waited (a int primary key, b int); insert into waited select g, 0 from generate_series(1, 40000) g',
  );
  // Autocommit and blocks, on the main thread and in the writer, plans and utilities, rows and tables.
  const statements = [
    'update waited set b = 2 where a = 1',
    'delete from waited where a = 1',
    'begin; update waited set b = 2 where a = 1',
    'begin; select * from waited where a = 1 for update',
    'begin isolation level repeatable read; select count(*) from waited; update waited set b = 2',
    'create index waited_b on waited (b)',
    'truncate waited',
    'begin; lock waited',
  ];
  const holder = await server.wire();
  await holder.query('begin; update waited set b = 1');
  const waiting: WireClient[] = [];
  for (const statement of statements) {
    const client = await server.wire();
    client.send(query(statement));
    waiting.push(client);
  }
  await expect
    .poll(async () => (await other.query('select from pg_locks where not granted')).tags, {
      timeout: 10_000,
    })
    .toEqual([`SELECT ${statements.length}`]);
  for (const client of waiting) client.socket.resetAndDestroy();
  await expect.poll(async () => (await left(other))[0], { timeout: 10_000 }).toBe(1);
  await holder.query('commit');
  await holder.end();
  await expect.poll(() => left(other), { timeout: 10_000 }).toEqual([0, 0]);
  expect((await other.query('select max(b), count(*) from waited')).rows).toEqual([['1', '40000']]);

  // Not waiting, but at work for longer than a slice.
  for (const work of ['update waited set b = b + 5', 'create index on waited (b, a)']) {
    const busy = await server.wire();
    busy.send(query(work));
    await sleep(10);
    busy.socket.resetAndDestroy();
  }
  await expect.poll(() => left(other), { timeout: 10_000 }).toEqual([0, 0]);
  const values = await other.query('select count(distinct b) from waited');
  expect(values.rows).toEqual([['1']]);
  expect((await other.query("set lock_timeout = '1s'; drop table waited")).tags[1]).toBe(
    'DROP TABLE',
  );
  await other.end();
});
