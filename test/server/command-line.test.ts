/** The command line as its users meet it: help, one line for an error, signals, sockets. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { REPOSITORY } from '../support/server-process.ts';
import { startupMessage, WireClient } from '../support/wire-client.ts';

const MAIN = `${REPOSITORY}/dist/src/cli/main.js`;
const folder = mkdtempSync(join(tmpdir(), 'heddle-cli-'));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function heddle(...args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    timeout: 15_000,
    cwd: folder,
  });
  return { code: status, out: stdout, err: stderr };
}

/** A server, once it has said that it is ready. */
async function serve(...args: readonly string[]): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, [MAIN, 'serve', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.endsWith('\n')) resolve({ child, line: text.trim() });
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
}

function ended(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
}

async function client(path: string): Promise<WireClient> {
  const wire = new WireClient(connect(path));
  wire.send(startupMessage({ user: 'postgres', database: 'postgres' }));
  expect((await wire.until('Z')).at(-1)?.type).toBe('Z');
  return wire;
}

test('help lists the commands, and that of each command has examples', () => {
  const { code, out } = heddle('--help');
  expect(code).toBe(0);
  for (const command of ['serve', 'check']) {
    expect(out).toContain(command);
    const help = heddle(command, '--help');
    expect(help.code).toBe(0);
    expect(help.out).toMatch(new RegExp(`Examples:\n {2}heddle ${command}`));
  }
  expect(heddle('--version').out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

const file = join(folder, 'file');
writeFileSync(file, 'a file\n');
const toml = join(folder, 'bad.toml');
writeFileSync(toml, 'work_mem = "4MB"\nx = = 1\n');
const home = join(folder, 'home');
mkdirSync(home);
writeFileSync(join(home, 'letter'), 'dear');

test.each<[string, readonly string[]]>([
  ["unknown command 'weave'", ['weave']],
  ["unknown option '--fast'", ['serve', '--fast']],
  ['"nowhere" is not an address', ['serve', '--listen', 'nowhere']],
  ['there is no port 70000', ['serve', '--listen', '127.0.0.1:70000']],
  ['needs SCRAM', ['serve', '--listen', '0.0.0.0:0']],
  ['authentication method "md5" is not supported', ['serve', '--auth', 'md5']],
  ['unrecognized configuration parameter "foo"', ['serve', '-c', 'foo=1']],
  ['-c takes name=value, not "foo"', ['serve', '-c', 'foo']],
  ['could not open "/nosuch.toml": no such file', ['serve', '--config', '/nosuch.toml']],
  [`configuration file "${toml}", line 2: `, ['serve', '--config', toml]],
  ['--data needs the path', ['serve', '--data', '']],
  ['data in "memory:" is not supported', ['serve', '--data', 'memory:']],
  [`could not create directory "${file}": File exists`, ['serve', '--data', file]],
  [`directory "${home}" exists but is not empty (It has "letter"`, ['serve', '--data', home]],
  ['could not create directory "/proc/heddle"', ['serve', '--data', '/proc/heddle']],
  ['there is no data directory "/nosuch"', ['check', '--data', '/nosuch']],
  [`directory "${home}" holds no database`, ['check', '--data', home]],
])('an error is one line on stderr: %s', (text, args) => {
  const { code, out, err } = heddle(...args);
  expect(err).toContain(text);
  expect(err).toMatch(/^heddle: [^\n]+\n$/);
  expect(out).toBe('');
  expect(code).toBe(1);
});

test('a port that is taken, and a directory that another server has open', async () => {
  const data = join(folder, 'first');
  const { child, line } = await serve('--listen', '127.0.0.1:0', '--data', data);
  const address = line.split(' ').at(-1) ?? '';
  const taken = heddle('serve', '--listen', address, '--data', join(folder, 'second'));
  expect(taken).toMatchObject({
    code: 1,
    err: `heddle: could not listen on ${address}: address already in use\n`,
  });
  const locked = heddle('serve', '--listen', '127.0.0.1:0', '--data', data);
  expect(locked.code).toBe(1);
  expect(locked.err).toBe(
    `heddle: lock file "${data}/heddle.pid" already exists (Is another server (PID ${child.pid}) running in data directory "${data}"?)\n`,
  );
  expect(heddle('check', '--data', data).err).toBe(locked.err);
});

test('serves on several addresses, Unix sockets among them, and takes a stale one over', async () => {
  const data = join(folder, 'sockets');
  const args = ['--listen', '127.0.0.1:0', '--listen', `${folder}:5499`, '--data', data];
  const path = join(folder, '.s.PGSQL.5499');
  const { child, line } = await serve(...args);
  expect(line).toMatch(/^heddle: ready to accept connections on 127\.0\.0\.1:\d+, /);
  expect(line.endsWith(path)).toBe(true);
  const wire = await client(path);
  expect((await wire.query('select 1')).rows).toEqual([['1']]);
  child.kill('SIGKILL');
  await ended(child);
  expect(existsSync(path)).toBe(true);
  const second = await serve(...args);
  const again = await client(path);
  expect((await again.query('select 2')).rows).toEqual([['2']]);
  second.child.kill('SIGTERM');
  expect(await ended(second.child)).toBe(0);
  expect(existsSync(path)).toBe(false);
});

test('SIGTERM and SIGINT stop it cleanly, whatever its clients do', async () => {
  const data = join(folder, 'signals');
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { child } = await serve('--listen', `${folder}:5498`, '--data', data);
    const path = join(folder, '.s.PGSQL.5498');
    const idle = await client(path);
    await idle.query('begin; create table if not exists t (a int)');
    const busy = await client(path);
    busy.send(Buffer.from('Q\0\0\0\x19select pg_sleep(600)\0', 'latin1'));
    const deaf = await client(path);
    deaf.socket.pause();
    deaf.send(Buffer.from(`Q\0\0\0${String.fromCharCode(4 + DEAF.length + 1)}${DEAF}\0`, 'latin1'));
    child.kill(signal);
    expect(await ended(child)).toBe(0);
    expect(heddle('check', '--data', data).code).toBe(0);
  }
});

const DEAF = "select repeat('x', 1000) from generate_series(1, 100000)";

test('a second signal stops it at once', async () => {
  const { child } = await serve('--listen', '127.0.0.1:0', '--data', join(folder, 'twice'));
  child.kill('SIGTERM');
  child.kill('SIGINT');
  const started = performance.now();
  expect([0, 1]).toContain(await ended(child));
  expect(performance.now() - started).toBeLessThan(3000);
});
