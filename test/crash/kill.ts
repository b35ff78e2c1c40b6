/** npm run crash -- [--rounds N] [--seed N] [--clients N] [--on heddle|postgres] [--data DIR] [--keep]
 *
 * Kills a real server with SIGKILL while real clients write, starts it again, and holds what it has
 * against what it promised; then `heddle check` walks all its pages. Rounds go on in one data
 * directory. In some rounds the new server is killed again while it recovers.
 *
 * With `--on postgres` the same run proves the run itself on PostgreSQL. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { SeededRandom } from '../../src/base/index.ts';
import { PostgresProcess } from '../support/postgres-process.ts';
import { REPOSITORY, ServerProcess } from '../support/server-process.ts';
import { LoadClient, SCHEMA, verify } from './kill-load.ts';

/** Small, so that pages are evicted and checkpoints run while the load does. */
const HEDDLE_SETTINGS = { shared_buffers: '4MB', max_wal_size: '32MB', checkpoint_timeout: '30' };
const LOAD_MS_MAX = 1500;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    clients: { type: 'string', default: '6' },
    on: { type: 'string', default: 'heddle' },
    data: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const seed = Number(options.seed);
const rounds = Number(options.rounds);
const random = new SeededRandom(seed);
const data = options.data ?? mkdtempSync(join(tmpdir(), 'heddle-crash-'));
// PostgreSQL, run as a user of its own, has to reach its folder in it.
chmodSync(data, 0o755);
const clients = Array.from(
  { length: Number(options.clients) },
  (_, i) => new LoadClient(i + 1, new SeededRandom(seed + 7919 * (i + 1))),
);
const replay = `npm run crash -- --rounds ${rounds} --seed ${seed} --clients ${options.clients}`;

type Server = ServerProcess | PostgresProcess;

/** The server that was started last. */
let latest: Server | null = null;

async function start(): Promise<Server> {
  latest =
    options.on === 'postgres'
      ? await PostgresProcess.start({ data: join(data, 'data') })
      : await ServerProcess.start({ data: join(data, 'data'), settings: HEDDLE_SETTINGS });
  return latest;
}

/** Kills a server while it starts, or soon after. */
async function startAndKill(delayMs: number): Promise<void> {
  const starting = ServerProcess.start({
    data: join(data, 'data'),
    settings: HEDDLE_SETTINGS,
    signal: AbortSignal.timeout(delayMs),
  });
  await starting.then(
    (server) => server.kill(),
    (thrown) => {
      if (!String(thrown).includes('SIGKILL')) throw thrown;
    },
  );
}

async function connected<T>(server: Server, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'postgres',
    database: 'postgres',
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Runs the clients until the moment of death. */
async function loadAndKill(server: Server): Promise<void> {
  let stopped = false;
  const running = clients.map((client) => client.run(server.port, () => stopped));
  const all = Promise.all(running);
  const loadMs = 20 + random.below(LOAD_MS_MAX);
  // A client's own failure ends the run at once.
  await Promise.race([sleep(loadMs), all]);
  await server.kill();
  stopped = true;
  await all;
}

/** Starts the server anew, now and then only to kill it in the middle of that. */
async function restart(): Promise<Server> {
  if (options.on === 'heddle' && random.chance(0.2)) await startAndKill(random.below(600));
  return start();
}

async function endLatest(): Promise<void> {
  if (latest instanceof ServerProcess) console.error(latest.log);
  await latest?.kill();
}

function check(): string {
  if (options.on !== 'heddle') return '';
  return execFileSync(
    process.execPath,
    [`${REPOSITORY}/dist/src/cli/main.js`, 'check', '--data', join(data, 'data')],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  );
}

async function run(): Promise<void> {
  let server = await start();
  await connected(server, async (client) => {
    for (const statement of SCHEMA) await client.query(statement);
  });
  const started = performance.now();
  for (let round = 1; round <= rounds; round++) {
    await loadAndKill(server);
    server = await restart();
    const faults = await connected(server, (client) => verify(client, clients));
    if (faults.length > 0) {
      throw new Error(`round ${round}:\n  ${faults.join('\n  ')}`);
    }
    if (round === rounds || random.chance(0.6)) {
      await server.stop();
      check();
      if (round < rounds) server = await start();
    }
  }
  const count = (of: (client: LoadClient) => number) => clients.reduce((sum, c) => sum + of(c), 0);
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${rounds} rounds in ${seconds.toFixed(1)} s, seed ${seed}: ` +
      `${count((c) => c.transactionCount)} commits acknowledged, all found and whole; ` +
      `${count((c) => c.rollbackCount)} rolled back`,
  );
}

console.log(`seed ${seed}, data in ${data}`);
try {
  await run();
  if (options.data === undefined && !options.keep) rmSync(data, { recursive: true, force: true });
} catch (thrown) {
  const { stderr = '', stdout = '' } = thrown as { stderr?: string; stdout?: string };
  console.error(thrown instanceof Error ? thrown.message : thrown, stdout, stderr);
  await endLatest();
  console.error(`the data directory is kept: ${data}`);
  console.error(`the same seed again: ${replay}`);
  process.exit(1);
}
