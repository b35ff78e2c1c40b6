/** A disk that runs full: what needs room fails with 53100 or waits for it, and reads go on. The data
 * directory is a small file system in memory, in a mount namespace of the server's own. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { ServerProcess } from '../support/server-process.ts';
import { query, WireClient } from '../support/wire-client.ts';

const MB = 1 << 20;
/** The machine may have other things to do. */
const WAIT_MS = 20_000;
const folder = mkdtempSync(join(tmpdir(), 'heddle-full-'));
const namespace = ['unshare', '--user', '--map-root-user', '--mount'];
const canMount =
  spawnSync(namespace[0]!, [...namespace.slice(1), 'mount', '-t', 'tmpfs', 'tmpfs', folder])
    .status === 0;
let server: ServerProcess | null = null;

afterEach(async () => {
  await server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** The file system as the server sees it. */
function inside(...names: readonly string[]): string {
  return join(`/proc/${server?.pid}/root${folder}`, ...names);
}

/** Fills the disk but for so many bytes. */
function fill(left: number): void {
  const { bavail, bsize } = statfsSync(inside());
  const piece = new Uint8Array(MB);
  for (let rest = bavail * bsize - left; rest > 0; rest -= MB) {
    appendFileSync(inside('filler'), piece.subarray(0, Math.min(rest, MB)));
  }
}

/** Transactions one after another that add to one row; returns what became of each. */
async function addOnes(client: WireClient, count: number): Promise<string[]> {
  const outcomes: string[] = [];
  for (let i = 0; i < count; i++) {
    await client.query('begin');
    const update = await client.query('update hot set n = n + 1 where id = 1', WAIT_MS);
    const end = await client.query('commit', WAIT_MS);
    outcomes.push((update.error ?? end.error)?.C ?? 'added');
  }
  return outcomes;
}

test.skipIf(!canMount)(
  'a full disk',
  async () => {
    server = await ServerProcess.start({
      data: join(folder, 'data'),
      settings: { shared_buffers: '8MB', max_wal_size: '32MB' },
      wrapper: [
        ...namespace,
        'sh',
        '-c',
        `mount -t tmpfs -o size=${64 * MB} tmpfs ${folder} && exec "$@"`,
        'sh',
      ],
    });
    const client = await WireClient.start(server.port);
    const other = await WireClient.start(server.port);
    const rows = (from: number, to: number): string =>
      `insert into t select g, repeat(md5(g::text), 8) from generate_series(${from}, ${to}) g`;
    await client.query(`create table t (a int primary key, b text); ${rows(1, 20_000)}`, WAIT_MS);
    await client.query(
      'create table hot (id int primary key, n int); insert into hot values (1, 0)',
    );
    // By then the log has its next segment, which is made ahead of need.
    await sleep(1000);
    fill(MB);

    // A sort that spills: the statement fails, and its files are gone.
    await client.query("set work_mem = '256kB'");
    const sort = await client.query(
      'select count(*) from (select repeat(md5(g::text), 8) b from generate_series(1, 300000) g order by 1) s',
      WAIT_MS,
    );
    expect(sort.error).toMatchObject({ C: '53100' });
    expect(sort.error?.M).toMatch(/could not write to file ".*spill-.*": No space left on device/);
    expect(readdirSync(inside('data', 'temporary'))).toEqual([]);

    // A commit that is in the log and finds no room for its pages: it waits, others fail, reads go on.
    client.send(query(rows(20_001, 60_000)));
    const touch = 'update t set b = b where a = 1';
    let failed = await other.query(touch, WAIT_MS);
    for (let i = 0; failed.error === null && i < 50; i++) {
      await sleep(100);
      failed = await other.query(touch, WAIT_MS);
    }
    expect(failed.error).toMatchObject({ C: '53100' });
    expect((await other.query('select count(*) from t')).rows).toEqual([['20000']]);
    expect((await other.query('begin; select b from t where a = 7 for update')).rows).toHaveLength(
      1,
    );
    expect((await other.query('rollback; checkpoint')).error).toMatchObject({ C: '53100' });
    // Transactions of the main thread that build upon one another fail together.
    const clients = await Promise.all(
      Array.from({ length: 6 }, () => WireClient.start(server!.port)),
    );
    const refused = (await Promise.all(clients.map((each) => addOnes(each, 20)))).flat();
    expect(refused).toHaveLength(120);
    expect(refused).toContain('53100');
    expect(refused.filter((state) => state !== '53100' && state !== '40001')).toEqual([]);
    expect((await other.query('select n from hot')).rows).toEqual([['0']]);
    expect(server.log).toContain('commits wait for room on the disk: could not write');

    // Room: the commit ends, and so does the next one.
    truncateSync(inside('filler'), 0);
    const waited = await client.until('Z', WAIT_MS);
    expect(waited.map(({ type }) => type).join('')).toBe('CZ');
    expect((await other.query("insert into t values (-1, 'x')")).tags).toEqual(['INSERT 0 1']);
    expect((await other.query('select count(*) from t')).rows).toEqual([['60001']]);
    expect(server.log).not.toMatch(/thread/);
    const added = (await Promise.all(clients.map((each) => addOnes(each, 20)))).flat();
    expect(added).toEqual(Array.from({ length: 120 }, () => 'added'));
    expect((await other.query('select n from hot')).rows).toEqual([['120']]);
    for (const each of [client, other, ...clients]) await each.end();
    expect(await server.stop()).toBe(0);
  },
  60_000,
);
