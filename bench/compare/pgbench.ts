/** npm run bench:pgbench -- [--rounds N] [--seconds N] [--scale N] [--clients 1,8] [--modes prepared]
 *                          [--scripts select-only] [--transport unix|tcp] [--only-heddle] [--threads]
 *                          [--profile DIR] [--json FILE]
 *
 * PostgreSQL's own benchmark on Heddle and on a private PostgreSQL, in short alternating rounds; the
 * load generator runs on the same machine, and connects as it does when it is told no host, by a Unix
 * socket, or by TCP. Answers are compared before anything is timed, and the books must balance after
 * every configuration that writes. Prints medians over the rounds of transactions a second, latencies
 * over all rounds (from pgbench's log of every fifth transaction), and the ratio; writes all of it as
 * JSON. --threads adds the processor time that each thread of Heddle, and pgbench, take for a
 * transaction, in microseconds. --profile writes a CPU profile of each thread of Heddle. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build, type Histogram } from 'hdr-histogram-js';
import {
  type Contender,
  clientProgram,
  median,
  OUT,
  rowsOf,
  sameAnswer,
  surroundings,
  type Transport,
  withContenders,
  writeJson,
} from './contenders.ts';
import { ThreadClock } from './thread-times.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '3' },
    scale: { type: 'string', default: '10' },
    clients: { type: 'string', default: '1,8,32,128' },
    modes: { type: 'string', default: 'simple,prepared' },
    scripts: { type: 'string', default: 'select-only,tpcb-like' },
    transport: { type: 'string', default: 'unix' },
    'shared-buffers': { type: 'string', default: '512MB' },
    'only-heddle': { type: 'boolean', default: false },
    threads: { type: 'boolean', default: false },
    profile: { type: 'string' },
    json: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const scale = Number(options.scale);
const transport = transportOf(options.transport);

interface Configuration {
  readonly script: string;
  readonly mode: string;
  readonly clients: number;
}

interface Run {
  readonly tps: number;
  readonly transactions: number;
}

interface Figures {
  /** Transactions a second of each round. */
  readonly tps: number[];
  /** Microseconds. */
  readonly latency: Histogram;
}

interface Row extends Configuration {
  readonly server: string;
  readonly tps: number;
  readonly tpsOfRounds: readonly number[];
  readonly latencyMs: Readonly<Record<'mean' | 'p50' | 'p95' | 'p99' | 'max', number>>;
}

const configurations: Configuration[] = list(options.scripts).flatMap((script) =>
  list(options.modes).flatMap((mode) =>
    list(options.clients).map((clients) => ({ script, mode, clients: Number(clients) })),
  ),
);

await withContenders(
  {
    sharedBuffers: options['shared-buffers'],
    alone: options['only-heddle'],
    nodeArguments: profileArguments(options.profile),
  },
  async (contenders, folder) => {
    for (const { name, version } of contenders) console.log(`${name}: ${version}`);
    for (const contender of contenders) {
      const started = performance.now();
      clientProgram('pgbench', contender, ['-i', '-q', '-s', String(scale), 'postgres']);
      console.log(`${contender.name}: pgbench -i -s ${scale} in ${secondsSince(started)} s`);
    }
    await compareAnswers(contenders);
    const rows: Row[] = [];
    console.log(header(contenders));
    for (const configuration of configurations) {
      const measured = await measure(contenders, configuration, folder);
      rows.push(...measured);
      console.log(line(configuration, measured));
    }
    const path = options.json ?? join(OUT, `pgbench-${Date.now()}.json`);
    writeJson(path, { ...surroundings(contenders), options, rows });
  },
);

/** Both must hold the same data and read it alike before anything is timed. */
async function compareAnswers(contenders: readonly Contender[]): Promise<void> {
  const [counts] = await sameAnswer(
    contenders,
    `select (select count(*) from pgbench_accounts), (select sum(aid) from pgbench_accounts),
       (select count(*) from pgbench_tellers), (select count(*) from pgbench_branches),
       (select count(*) from pgbench_history)`,
  );
  if (Number(counts?.[0]) !== scale * 100_000) throw new Error(`${counts?.[0]} accounts`);
  for (let i = 0; i < 20; i++) {
    const aid = 1 + ((i * 7_919_777) % (scale * 100_000));
    await sameAnswer(contenders, `select * from pgbench_accounts where aid = ${aid}`);
  }
  console.log(`answers: the same ${counts?.[0]} accounts`);
}

async function measure(
  contenders: readonly Contender[],
  configuration: Configuration,
  folder: string,
): Promise<Row[]> {
  const figures = new Map<Contender, Figures>(
    contenders.map((contender) => [contender, { tps: [], latency: build() }]),
  );
  for (const contender of contenders) {
    if (Number(options.warmup) > 0)
      pgbench(contender, configuration, Number(options.warmup), 0, null);
  }
  const clocks = new Map(
    contenders
      .filter(({ pid }) => options.threads && pid > 0)
      .map((contender) => [contender, new ThreadClock(contender.pid)]),
  );
  for (let round = 1; round <= rounds; round++) {
    for (const [contender, { tps, latency }] of figures) {
      const prefix = join(folder, 'transactions');
      const run = (): number => {
        const seconds = Number(options.seconds);
        const result = pgbench(contender, configuration, seconds, round, prefix);
        tps.push(result.tps);
        return result.transactions;
      };
      const clock = clocks.get(contender);
      if (clock === undefined) run();
      else clock.during(run);
      recordLatencies(folder, latency);
    }
  }
  for (const contender of contenders) await checkBooks(contender);
  for (const [{ name }, clock] of clocks) console.log(`  ${name}, µs a transaction: ${clock}`);
  return [...figures].map(([{ name }, { tps, latency }]) => ({
    ...configuration,
    server: name,
    tps: median(tps),
    tpsOfRounds: tps,
    latencyMs: {
      mean: latency.mean / 1000,
      p50: latency.getValueAtPercentile(50) / 1000,
      p95: latency.getValueAtPercentile(95) / 1000,
      p99: latency.getValueAtPercentile(99) / 1000,
      max: latency.maxValue / 1000,
    },
  }));
}

/** One run; transactions a second are without the time to connect. */
function pgbench(
  contender: Contender,
  { script, mode, clients }: Configuration,
  seconds: number,
  seed: number,
  logPrefix: string | null,
): Run {
  if (script !== 'select-only') {
    // As pgbench does before a run, but for the history, which the books are checked against.
    clientProgram('psql', contender, [
      '-Xqc',
      'vacuum pgbench_branches, pgbench_tellers',
      'postgres',
    ]);
  }
  const args = [
    '-n',
    '-b',
    script,
    '-M',
    mode,
    '-c',
    String(clients),
    '-j',
    String(Math.min(2, clients)),
    '-T',
    String(seconds),
    `--random-seed=${seed + 1}`,
    ...(logPrefix === null ? [] : ['-l', `--log-prefix=${logPrefix}`, '--sampling-rate=0.2']),
    'postgres',
  ];
  const output = clientProgram('pgbench', contender, args, transport);
  if (!/number of failed transactions: 0 /.test(output)) {
    throw new Error(`transactions failed:\n${output}`);
  }
  return {
    tps: Number(/^tps = ([\d.]+)/m.exec(output)?.[1]),
    transactions: Number(/actually processed: (\d+)/.exec(output)?.[1]),
  };
}

/** Takes over pgbench's logs: the third number of a line is the latency in microseconds. */
function recordLatencies(folder: string, latency: Histogram): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith('transactions.')) continue;
    const path = join(folder, name);
    for (const text of readFileSync(path, 'latin1').split('\n')) {
      if (text !== '') latency.recordValue(Number(text.split(' ', 3)[2]));
    }
    rmSync(path);
  }
}

/** Every transaction adds the same amount to an account, a teller and a branch, and notes it. */
async function checkBooks({ name, port }: Contender): Promise<void> {
  const [sums = []] = await rowsOf(
    port,
    `select (select sum(abalance) from pgbench_accounts), (select sum(tbalance) from pgbench_tellers),
       (select sum(bbalance) from pgbench_branches),
       (select coalesce(sum(delta), 0) from pgbench_history)`,
  );
  if (new Set(sums.map(String)).size !== 1) {
    throw new Error(`the books of ${name} do not balance: ${sums.join(', ')}`);
  }
}

function header(contenders: readonly Contender[]): string {
  const columns = contenders.map(
    ({ name }) => `${`${name} tps`.padStart(15)}    p50    p95    p99 ms`,
  );
  return `\n${'script'.padEnd(12)} ${'protocol'.padEnd(9)} clients${columns.join(' ')}   ratio`;
}

function line({ script, mode, clients }: Configuration, rows: readonly Row[]): string {
  const columns = rows.map(({ tps, latencyMs: { p50, p95, p99 } }) =>
    [tps.toFixed(0).padStart(15), ...[p50, p95, p99].map((ms) => ms.toFixed(2).padStart(6))].join(
      ' ',
    ),
  );
  const [heddle, postgres] = rows;
  const ratio = heddle && postgres ? `   ${(heddle.tps / postgres.tps).toFixed(2)}x` : '';
  const name = `${script.padEnd(12)} ${mode.padEnd(9)} ${String(clients).padStart(7)}`;
  return `${name}${columns.join('   ')}${ratio}`;
}

function profileArguments(folder: string | undefined): string[] {
  if (folder === undefined) return [];
  mkdirSync(folder, { recursive: true });
  return ['--cpu-prof', `--cpu-prof-dir=${resolve(folder)}`];
}

function transportOf(text: string): Transport {
  if (text !== 'unix' && text !== 'tcp') throw new Error(`--transport is unix or tcp, not ${text}`);
  return text;
}

function list(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

function secondsSince(startedMs: number): string {
  return ((performance.now() - startedMs) / 1000).toFixed(1);
}
