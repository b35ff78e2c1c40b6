/** Data directories that are damaged, or of another version, through the command line: one line that
 * names file and reason, never a crash. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { crc32, SeededRandom } from '../../src/base/index.ts';
import { REPOSITORY, ServerProcess } from '../support/server-process.ts';
import { WireClient } from '../support/wire-client.ts';
import { testServer } from './server.ts';

const PAGE_SIZE = 8192;
const RUNS = Number(process.env.RANDOM_RUNS ?? 12);
const server = testServer();
let stopped: string;
let killed: string;

/** A store that was stopped cleanly, and one whose last rows are in the log alone. */
beforeAll(async () => {
  const client = await server.wire();
  await client.query('create table t (a int primary key, b text, c int unique)');
  await client.query(
    "insert into t select g, repeat(md5(g::text), 4), g from generate_series(1, 3000) g; insert into t values (0, repeat('long', 20000))",
  );
  await client.query('checkpoint; create table u (a int); insert into u values (1), (2)');
  killed = join(server.folder, 'killed');
  await server.running.kill();
  cpSync(join(server.folder, 'data'), killed, { recursive: true });
  await server.start();
  await server.running.stop();
  stopped = join(server.folder, 'data');
});

let copies = 0;
function copyOf(data: string): string {
  const copy = join(server.folder, `copy${copies++}`);
  cpSync(data, copy, { recursive: true });
  return copy;
}

function overwrite(path: string, position: number, bytes: Uint8Array): void {
  writeSync(openSync(path, 'r+'), bytes, 0, bytes.length, position);
}

function heddle(...args: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`${REPOSITORY}/dist/src/cli/main.js`, ...args],
    { encoding: 'utf8', timeout: 20_000 },
  );
  return { code: status, out: stdout, err: stderr };
}

/** Both commands refuse the directory with this one line. */
function expectRefused(data: string, line: RegExp): void {
  const commands = [['check'], ['serve', '--listen', '127.0.0.1:0']];
  for (const command of commands) {
    const { code, err } = heddle(...command, '--data', data);
    expect(err).toMatch(line);
    expect(err).toMatch(/^heddle: [^\n]+\n$/);
    expect(code).toBe(1);
  }
}

test('a data directory of another version', () => {
  const data = copyOf(stopped);
  const control = join(data, 'control');
  for (const offset of [0, 4096]) {
    const slot = readFileSync(control).subarray(offset, offset + 128);
    slot.writeUInt32LE(99, 8);
    slot.writeUInt32LE(crc32(slot, 0, 124), 124);
    overwrite(control, offset, slot);
  }
  expectRefused(
    data,
    /database files are incompatible with server \(The data directory ".*" was initialized with format version 99, but the server uses format version 1\.\)/,
  );
});

test('a control file without a valid slot, and one that is missing', () => {
  const data = copyOf(stopped);
  overwrite(join(data, 'control'), 0, new Uint8Array(PAGE_SIZE));
  expectRefused(data, /control file ".*\/control" is damaged \(Neither of its two slots/);
});

test('a log record that was damaged after it was synced', () => {
  const data = copyOf(killed);
  const wal = join(data, 'wal');
  const [name = ''] = readdirSync(wal).filter((file) => /^[0-9a-f]{16}$/.test(file));
  // The log begins with the catalog, long before its end.
  overwrite(join(wal, name), 600, new Uint8Array(200).fill(0xaa));
  const { code, out, err } = heddle('check', '--data', data);
  expect(`${out}${err}`).toMatch(/wal|no defects/);
  expect(code === 0 || code === 1).toBe(true);
});

test('files of the log that are missing or cut off', () => {
  const found = readdirSync(join(killed, 'wal')).filter((name) => /^[0-9a-f]{16}$/.test(name));
  const cases = [
    { damage: (path: string) => rmSync(path), what: 'is missing' },
    { damage: (path: string) => truncateSync(path, 1000), what: 'is too short' },
  ];
  for (const { damage, what } of cases) {
    const data = copyOf(killed);
    for (const name of found) damage(join(data, 'wal', name));
    expectRefused(data, new RegExp(`log file ".*/wal/[0-9a-f]{16}" ${what} `));
  }
});

test('a data file that is missing or cut off', () => {
  const missing = copyOf(killed);
  rmSync(join(missing, 'heddle.db'));
  expectRefused(missing, /could not open file ".*heddle\.db": No such file or directory/);
  expect(existsSync(join(missing, 'heddle.db'))).toBe(false);
  const short = copyOf(killed);
  truncateSync(join(short, 'heddle.db'), 5000);
  const reason = /could not read page 0 of file ".*heddle\.db": read only 5000 of 8192 bytes/;
  expectRefused(short, reason);
});

test('a damaged page: check names it, and what does not need it goes on', async () => {
  const data = copyOf(stopped);
  const path = join(data, 'heddle.db');
  const pages = statSync(path).size / PAGE_SIZE;
  const file = readFileSync(path);
  // A leaf in the middle of t has many of its rows.
  const page = Array.from({ length: pages }, (_, i) => i).find(
    (i) => file.indexOf('c4ca4238a0b923820dcc509a6f75849b', i * PAGE_SIZE) < (i + 1) * PAGE_SIZE,
  );
  expect(page).toBeDefined();
  overwrite(path, page! * PAGE_SIZE + 4000, new Uint8Array(64).fill(0x55));
  const checked = heddle('check', '--data', data);
  expect(checked.code).toBe(1);
  expect(checked.out).toMatch(new RegExp(`page ${page}\\b`));
  const running = await ServerProcess.start({ data });
  const client = await WireClient.start(running.port);
  const { error } = await client.query('select sum(length(b)) from t');
  expect(error).toMatchObject({ C: 'XX001' });
  expect(error?.M).toMatch(new RegExp(`page ${page} .*heddle\\.db`));
  expect((await client.query('select count(*) from u')).rows).toEqual([['2']]);
  expect((await client.query('insert into u values (3)')).tags).toEqual(['INSERT 0 1']);
  expect(running.log).not.toMatch(/thread/);
  await client.end();
  expect(await running.stop()).toBe(0);
});

test('any damage: check ends, and tells what is wrong in words', () => {
  for (let seed = 0; seed < RUNS; seed++) {
    const random = new SeededRandom(seed);
    const data = copyOf(random.below(2) === 0 ? stopped : killed);
    const files = ['heddle.db', 'heddle.db', 'control', 'checkpoint.journal'];
    for (const name of readdirSync(join(data, 'wal'))) files.push(join('wal', name));
    for (let i = 0; i <= random.below(3); i++) {
      const path = join(data, files[random.below(files.length)]!);
      const { size } = statSync(path);
      if (size === 0) continue;
      const bytes = Uint8Array.from({ length: 1 + random.below(300) }, () => random.below(256));
      overwrite(path, random.below(Math.min(size, 1 << 20)), bytes);
    }
    const { code, out, err } = heddle('check', '--data', data);
    const said = `seed ${seed}: ${out}${err}`;
    expect(said).toMatch(/heddle: [^\n]+\n$|\d+ trees, \d+ pages: (no|\d+) defects?\n$/);
    expect(said).not.toMatch(/\n {4}at |internal error|RangeError|TypeError|Assertion/);
    expect([0, 1]).toContain(code);
  }
});
