import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import pg from 'pg';
import type { Piscina } from 'piscina';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineServer } from '../../src/runtime/index.ts';
import { PgServer } from '../../src/wire/index.ts';

/** The threads of a running engine, which nothing but a test has reason to reach. */
interface Threads {
  readonly generation: { readonly writer: Worker; readonly readerPools: readonly Piscina[] };
}

const WORKERS = join(import.meta.dirname, '../../dist/workers/');

describe('the death of a thread', () => {
  let data: string;
  let engine: EngineServer;
  let server: PgServer;
  let port: number;
  const log: string[] = [];

  beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'heddle-death-'));
    engine = await EngineServer.start({
      dataDirectory: data,
      // One reader: statements show that it is up.
      settings: new Map([
        ['shared_buffers', '2048'],
        ['read_workers', '1'],
      ]),
      workerDirectory: WORKERS,
      log: (message) => log.push(message),
    });
    server = new PgServer(engine.sessions, {
      connectionCountMax: 100,
      authenticationTimeoutMs: 10_000,
      onInternalError: (error) => log.push(String(error)),
      pollSource: engine.pollSource,
    });
    engine.onRequest = () => server.expectSoon();
    port = await server.listen({ host: '127.0.0.1', port: 0 });
  });

  afterEach(async () => {
    await server.close();
    await engine.close();
    rmSync(data, { recursive: true });
  });

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'postgres',
      database: 'postgres',
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  const threads = (): Threads => engine as unknown as Threads;
  const endReaders = async (): Promise<void> => {
    const readers = threads().generation.readerPools.flatMap((pool) => pool.threads);
    for (const thread of readers) await thread.terminate();
  };

  it('of a reader fails what it ran, and another takes its place', async () => {
    const client = await connect();
    const bystander = await connect();
    await client.query('create table t (a int primary key, b text)');
    await client.query("insert into t select g, 'row ' || g from generate_series(1, 1000) g");
    // The reader is up once it has answered.
    await client.query('select count(*) from t');
    const endless = client.query('select count(*) from generate_series(1, 100000000000)');
    const failed = expect(endless).rejects.toMatchObject({ code: '57P02' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await endReaders();
    await failed;
    for (const survivor of [client, bystander]) {
      const { rows } = await survivor.query('select count(*)::int as n, sum(a)::int as s from t');
      expect(rows).toEqual([{ n: 1000, s: 500500 }]);
    }
    await client.query("update t set b = 'after' where a = 1");
    await client.end();
    await bystander.end();
  });

  it('of a reader that is not up yet does not leave statements without one', async () => {
    const client = await connect();
    // Each of them may be anywhere between its start and its first statement.
    for (const delayMs of [0, 0, 5, 20, 40]) {
      await endReaders();
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
    const count = () => client.query('select count(*)::int as n from generate_series(1, 1000) g');
    const { rows } = await count().catch(count);
    expect(rows).toEqual([{ n: 1000 }]);
    await client.end();
  });

  it('of a reader is told to who goes on with a cursor, and the cursor reads again', async () => {
    const client = await connect();
    await client.query('create table t (a int primary key)');
    await client.query('insert into t select g from generate_series(1, 5000) g');
    await client.query('declare c cursor with hold for select a from t order by a');
    expect((await client.query('fetch 2 from c')).rows).toEqual([{ a: 1 }, { a: 2 }]);
    await endReaders();
    await new Promise((resolve) => setTimeout(resolve, 100));
    // Nothing comes unasked, and other statements are not concerned.
    expect((await client.query('select count(*)::int as n from t')).rows).toEqual([{ n: 5000 }]);
    await expect(client.query('fetch 2 from c')).rejects.toMatchObject({ code: '57P02' });
    expect((await client.query('fetch 2 from c')).rows).toEqual([{ a: 3 }, { a: 4 }]);
    await client.end();
  });

  it('of the writer loses no commit: sessions end, and new ones find everything', async () => {
    const client = await connect();
    await client.query('create table t (a int primary key)');
    await client.query('insert into t select g from generate_series(1, 500) g');
    const open = await connect();
    await open.query('begin');
    await open.query('insert into t values (501)');
    const ended = new Promise<Error>((resolve) => client.once('error', resolve));
    await threads().generation.writer.terminate();
    expect(await ended).toMatchObject({ code: '57P02' });
    const after = await connect();
    expect((await after.query('select count(*)::int as n from t')).rows).toEqual([{ n: 500 }]);
    await after.query('insert into t values (501)');
    await after.end();
  });
});
