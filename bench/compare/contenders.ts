/** The two servers that the comparisons run: Heddle and a private PostgreSQL, on the same disk, with the
 * same durability (fsync and synchronous_commit on) and the same shared_buffers. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import {
  freePort,
  PostgresProcess,
  postgresPrograms,
} from '../../test/support/postgres-process.ts';
import { REPOSITORY, ServerProcess } from '../../test/support/server-process.ts';

export const OUT = join(REPOSITORY, 'bench/out');

export interface Contender {
  readonly name: 'Heddle' | 'PostgreSQL';
  readonly port: number;
  /** The folder of its Unix socket. */
  readonly socketFolder: string;
  /** What version() answers. */
  readonly version: string;
  /** The process; 0 where there are several. */
  readonly pid: number;
  /** Memory of the process, in bytes; 0 where several processes share it. */
  residentBytes(): number;
  stop(): Promise<unknown>;
}

export interface ContenderOptions {
  readonly sharedBuffers: string;
  /** Starts Heddle alone. */
  readonly alone?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
}

/** Starts both in a new folder, runs `work`, and stops and removes them, whatever happens. */
export async function withContenders<T>(
  options: ContenderOptions,
  work: (contenders: readonly Contender[], folder: string) => Promise<T>,
): Promise<T> {
  mkdirSync(OUT, { recursive: true });
  const folder = mkdtempSync(join(OUT, 'run-'));
  // PostgreSQL, run as a user of its own, has to reach its folder in it.
  chmodSync(folder, 0o755);
  // The path of a socket may have a hundred characters or so.
  const sockets = mkdtempSync(join(tmpdir(), 'heddle-'));
  chmodSync(sockets, 0o777);
  const contenders: Contender[] = [];
  try {
    contenders.push(await startHeddle(folder, sockets, options));
    if (options.alone !== true) contenders.push(await startPostgres(folder, sockets, options));
    return await work(contenders, folder);
  } finally {
    for (const contender of contenders) await contender.stop();
    rmSync(folder, { recursive: true, force: true });
    rmSync(sockets, { recursive: true, force: true });
  }
}

async function startHeddle(
  folder: string,
  socketFolder: string,
  options: ContenderOptions,
): Promise<Contender> {
  const server = await ServerProcess.start({
    data: join(folder, 'heddle'),
    port: await freePort(),
    socketFolder,
    settings: { shared_buffers: options.sharedBuffers, ...options.settings },
    nodeArguments: options.nodeArguments ?? [],
  });
  return {
    name: 'Heddle',
    port: server.port,
    socketFolder,
    pid: server.pid,
    version: await versionOf(server.port),
    residentBytes: () => server.residentBytes(),
    stop: () => server.stop(),
  };
}

async function startPostgres(
  folder: string,
  socketFolder: string,
  { sharedBuffers }: ContenderOptions,
): Promise<Contender> {
  const server = await PostgresProcess.start({
    data: join(folder, 'postgres'),
    settings: {
      shared_buffers: sharedBuffers,
      unix_socket_directories: socketFolder,
      // More clients than its default of 100 allows.
      max_connections: '200',
    },
  });
  return {
    name: 'PostgreSQL',
    port: server.port,
    socketFolder,
    pid: 0,
    version: await versionOf(server.port),
    residentBytes: () => 0,
    stop: () => server.stop(),
  };
}

async function versionOf(port: number): Promise<string> {
  return String((await rowsOf(port, 'select version()'))[0]?.[0]);
}

/** Runs one statement on a connection of its own. */
export async function rowsOf(port: number, text: string): Promise<string[][]> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  await client.connect();
  try {
    return (await client.query<string[]>({ text, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}

/** Fails unless all contenders answer alike; returns the answer. */
export async function sameAnswer(
  contenders: readonly Contender[],
  text: string,
): Promise<string[][]> {
  const answers = [];
  for (const { port } of contenders) answers.push(await rowsOf(port, text));
  const [first = []] = answers;
  answers.forEach((answer, i) => {
    if (JSON.stringify(answer) !== JSON.stringify(first)) {
      throw new Error(
        `${text}: ${contenders[0]?.name} answers ${JSON.stringify(first).slice(0, 200)}, ` +
          `${contenders[i]?.name} ${JSON.stringify(answer).slice(0, 200)}`,
      );
    }
  });
  return first;
}

/** How a client program reaches a contender. */
export type Transport = 'unix' | 'tcp';

/** A client program of PostgreSQL, pointed at a contender. */
export function clientProgram(
  name: 'pgbench' | 'psql',
  { port, socketFolder }: Contender,
  args: string[],
  transport: Transport = 'tcp',
): string {
  const host = transport === 'unix' ? socketFolder : '127.0.0.1';
  return execFileSync(
    `${postgresPrograms()}/${name}`,
    ['-h', host, '-p', String(port), '-U', 'postgres', ...args],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 },
  );
}

/** What the figures were taken on. */
export function surroundings(contenders: readonly Contender[]): Record<string, unknown> {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: REPOSITORY, encoding: 'utf8' }).trim();
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', 'HEAD'),
    changedFiles: git('status', '--porcelain').split('\n').filter(Boolean).length,
    node: process.version,
    versions: Object.fromEntries(contenders.map(({ name, version }) => [name, version])),
    processor: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    fileSystem: execFileSync('df', ['--output=fstype', OUT], { encoding: 'utf8' }).split('\n')[1],
  };
}

export function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
  console.log(`written to ${path}`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? Number.NaN)) / 2;
}
