/** npm run bench:scan -- [--rounds N] [--scale N] [--shared-buffers SIZE] [--only-heddle] [--json FILE]
 *
 * COPY in of the accounts of pgbench, INSERTs of as many rows as fit a statement, and a sequential scan that adds up a
 * column, on Heddle and on a private PostgreSQL in alternating rounds; prints medians and ratios. */
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import {
  type Contender,
  clientProgram,
  median,
  OUT,
  sameAnswer,
  surroundings,
  withContenders,
  writeJson,
} from './contenders.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    scans: { type: 'string', default: '10' },
    scale: { type: 'string', default: '10' },
    'shared-buffers': { type: 'string', default: '512MB' },
    'only-heddle': { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const rowCount = Number(options.scale) * 100_000;
const COLUMNS = 'aid int not null, bid int, abalance int, filler char(84)';
const INSERTED = 200_000;
const INSERT_ROWS = [100, 1000, INSERTED];
const SCAN = 'select sum(abalance), count(*) from pgbench_accounts';

type Timings = Map<string, Map<Contender, number[]>>;

await withContenders(
  { sharedBuffers: options['shared-buffers'], alone: options['only-heddle'] },
  async (contenders, folder) => {
    for (const { name, version } of contenders) console.log(`${name}: ${version}`);
    const file = join(folder, 'accounts.tsv');
    await writeAccounts(file);
    const inserts = INSERT_ROWS.map((rows) => {
      const path = join(folder, `insert-${rows}.sql`);
      writeInserts(path, rows);
      return { rows, path };
    });
    const timings: Timings = new Map();
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const contender of contenders) await load(contender, file, timings);
      for (const contender of contenders) insert(contender, inserts, timings);
    }
    await sameAnswer(contenders, SCAN);
    await sameAnswer(
      contenders,
      'select count(*), sum(value), max(name), count(day) from inserted',
    );
    await sameAnswer(contenders, 'select * from pgbench_accounts order by aid limit 3 offset 4711');
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const contender of contenders) await scan(contender, timings);
    }
    const results = [...timings].map(([task, byContender]) => report(task, byContender));
    writeJson(options.json ?? join(OUT, `scan-${Date.now()}.json`), {
      ...surroundings(contenders),
      options,
      results,
    });
  },
);

/** The rows that `pgbench -i` makes, with balances that add up to something. */
async function writeAccounts(path: string): Promise<void> {
  const stream = createWriteStream(path);
  const filler = ' '.repeat(84);
  for (let aid = 1; aid <= rowCount; aid += 1000) {
    let text = '';
    for (let i = aid; i < aid + 1000 && i <= rowCount; i++) {
      text += `${i}\t${Math.ceil(i / 100_000)}\t${(i * 7919) % 10_007}\t${filler}\n`;
    }
    if (!stream.write(text))
      await new Promise((resolve) => stream.once('drain', () => resolve(null)));
  }
  stream.end();
  await finished(stream);
}

/** INSERTs of literals, so many rows in each, as ORMs and dumps write them. */
function writeInserts(path: string, rowsEach: number): void {
  const lines: string[] = [];
  for (let first = 1; first <= INSERTED; first += rowsEach) {
    const rows = Array.from({ length: rowsEach }, (_, i) => {
      const id = first + i;
      return `(${id}, 'name ${id}', ${(id % 1000) / 8}, ${id % 5 === 0 ? 'null' : `'2026-01-${1 + (id % 28)}'`})`;
    });
    lines.push(`insert into inserted values ${rows.join(', ')};`);
  }
  writeFileSync(path, lines.join('\n'));
}

function insert(
  contender: Contender,
  files: readonly { readonly rows: number; readonly path: string }[],
  timings: Timings,
): void {
  const psql = (...rest: string[]) =>
    clientProgram('psql', contender, ['-Xq', '-v', 'ON_ERROR_STOP=1', ...rest, 'postgres']);
  for (const { rows, path } of files) {
    psql('-c', 'drop table if exists inserted');
    psql('-c', 'create table inserted (id int primary key, name text, value numeric, day date)');
    time(timings, `INSERT, ${rows} rows each`, contender, () => psql('-f', path));
  }
}

/** Loads into a table with its key, and into one without that gets its key after, as pgbench does. */
async function load(contender: Contender, file: string, timings: Timings): Promise<void> {
  const psql = (text: string) =>
    clientProgram('psql', contender, ['-Xq', '-v', 'ON_ERROR_STOP=1', '-c', text, 'postgres']);
  const copy = `\\copy pgbench_accounts from '${file}'`;
  psql('drop table if exists pgbench_accounts');
  psql(`create table pgbench_accounts (${COLUMNS})`);
  time(timings, 'COPY in, no key', contender, () => psql(copy));
  time(timings, 'then ADD PRIMARY KEY', contender, () =>
    psql('alter table pgbench_accounts add primary key (aid)'),
  );
  psql('drop table pgbench_accounts');
  psql(`create table pgbench_accounts (${COLUMNS}, primary key (aid))`);
  time(timings, 'COPY in, with key', contender, () => psql(copy));
  psql('vacuum analyze pgbench_accounts');
}

async function scan(contender: Contender, timings: Timings): Promise<void> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: contender.port,
    user: 'postgres',
    database: 'postgres',
  });
  await client.connect();
  for (let i = 0; i < Number(options.scans); i++) {
    const started = performance.now();
    await client.query(SCAN);
    note(timings, 'sum(abalance), count(*)', contender, performance.now() - started);
  }
  await client.end();
}

function time(timings: Timings, task: string, contender: Contender, work: () => void): void {
  const started = performance.now();
  work();
  note(timings, task, contender, performance.now() - started);
}

function note(timings: Timings, task: string, contender: Contender, ms: number): void {
  const byContender = timings.get(task) ?? new Map<Contender, number[]>();
  timings.set(task, byContender);
  byContender.set(contender, [...(byContender.get(contender) ?? []), ms]);
}

/** Ratio: how many times as fast Heddle is. */
function report(task: string, byContender: Map<Contender, number[]>): Record<string, unknown> {
  const medians = [...byContender].map(([{ name }, values]) => ({ name, ms: median(values) }));
  const [heddle, postgres] = medians;
  const ratio = heddle && postgres ? postgres.ms / heddle.ms : undefined;
  console.log(
    [
      task.padEnd(26),
      ...medians.map(({ name, ms }) => `${name} ${ms.toFixed(0).padStart(6)} ms`),
      ...(ratio === undefined ? [] : [`${ratio.toFixed(2)}x`]),
    ].join('   '),
  );
  return { task, medians, ratio, all: [...byContender].map(([{ name }, ms]) => ({ name, ms })) };
}
