/** npm run bench:micro -- [--suites btree,ring] [--compare REVISION] [--json FILE]
 *
 * Runs the suites of bench/micro, each in a process of its own so that no suite warms up another's
 * code. With --compare it builds the other commit in a git worktree, runs both in turn, suite by suite,
 * and prints both medians side by side. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Bench } from 'tinybench';
import { openNodeDirectory } from '../src/io/index.ts';
import { OUT, surroundings, writeJson } from './compare/contenders.ts';

const SUITES: Readonly<Record<string, () => Promise<Bench>>> = {
  btree: async () => (await import('./micro/btree.ts')).benchBtree(),
  ring: async () => (await import('./micro/ring.ts')).benchRing(),
  codec: async () => (await import('./micro/codec.ts')).benchCodec(),
  copy: async () => (await import('./micro/copy-format.ts')).benchCopyFormat(),
  expression: async () => (await import('./micro/expression.ts')).benchExpressions(),
  scan: async () => (await import('./micro/scan.ts')).benchScan(),
  sort: async () => (await import('./micro/sort.ts')).benchSort(),
  types: async () => (await import('./micro/types.ts')).benchTypes(),
  wal: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-wal-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    return (await import('./micro/wal.ts')).benchWal(openNodeDirectory(folder));
  },
};

interface SuiteFigures {
  readonly heading: string;
  readonly tasks: readonly Measured[];
}

interface Measured {
  readonly task: string;
  /** Nanoseconds of one run of the task. */
  readonly p50: number;
  readonly p99: number;
}

const { values: options } = parseArgs({
  options: {
    suites: { type: 'string', default: Object.keys(SUITES).join(',') },
    compare: { type: 'string' },
    json: { type: 'string' },
    /** Used between the processes: runs one suite and prints its figures. */
    one: { type: 'string' },
  },
});

if (options.one !== undefined) {
  console.log(`\n${JSON.stringify(await runSuite(options.one))}`);
} else {
  await runAll();
}

async function runSuite(name: string): Promise<SuiteFigures> {
  const suite = SUITES[name];
  if (suite === undefined) throw new Error(`no suite ${name}: ${Object.keys(SUITES).join(', ')}`);
  const bench = await suite();
  if (bench.tasks.some(({ result }) => result.state === 'not-started')) await bench.run();
  const tasks = bench.tasks.map(({ name: task, result }) => {
    if (result.state !== 'completed') throw new Error(`${task}: ${result.state}`);
    const { p50, p99 } = result.latency;
    return { task, p50: p50 * 1e6, p99: p99 * 1e6 };
  });
  return { heading: bench.name ?? name, tasks };
}

async function runAll(): Promise<void> {
  const here = fileURLToPath(import.meta.url);
  const other = options.compare === undefined ? null : buildOther(options.compare);
  const results: Record<string, unknown> = {};
  try {
    for (const suite of options.suites.split(',')) {
      const measured = runInProcess(here, suite);
      const others = other === null ? null : runInProcess(other.program, suite);
      print(measured, others);
      results[suite] = { measured, others };
    }
  } finally {
    other?.remove();
  }
  mkdirSync(OUT, { recursive: true });
  writeJson(options.json ?? join(OUT, `micro-${Date.now()}.json`), {
    ...surroundings([]),
    options,
    results,
  });
}

function runInProcess(program: string, suite: string): SuiteFigures {
  const output = execFileSync(process.execPath, [program, '--one', suite], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as SuiteFigures;
}

function print(measured: SuiteFigures, others: SuiteFigures | null): void {
  const head = others === null ? '' : `${`at ${options.compare}`.padStart(16)}   times as fast`;
  console.log(
    `\n${measured.heading.padEnd(52)}${'median'.padStart(14)}${'p99'.padStart(14)}${head}`,
  );
  for (const { task, p50, p99 } of measured.tasks) {
    const before = others?.tasks.find((other) => other.task === task);
    const comparison =
      before === undefined
        ? ''
        : `${time(before.p50).padStart(16)}${`${(before.p50 / p50).toFixed(2)}x`.padStart(16)}`;
    console.log(
      `  ${task.padEnd(50)}${time(p50).padStart(14)}${time(p99).padStart(14)}${comparison}`,
    );
  }
}

function time(ns: number): string {
  if (ns < 10_000) return `${ns.toFixed(0)} ns`;
  return ns < 10_000_000 ? `${(ns / 1000).toFixed(1)} µs` : `${(ns / 1e6).toFixed(2)} ms`;
}

/** Builds another commit, with the packages that are installed here. */
function buildOther(revision: string): { program: string; remove: () => void } {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const root = git('rev-parse', '--show-toplevel');
  const folder = mkdtempSync(join(tmpdir(), 'heddle-compare-'));
  const tree = join(folder, 'tree');
  git('worktree', 'add', '--detach', tree, revision);
  const remove = (): void => {
    git('worktree', 'remove', '--force', tree);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    execFileSync('npx', ['tsc', '-p', 'tsconfig.json'], { cwd: tree, stdio: 'inherit' });
    const program = join(tree, 'dist/bench/run-micro.js');
    if (!existsSync(program)) throw new Error(`${revision} has no bench/run-micro.ts`);
    return { program, remove };
  } catch (thrown) {
    remove();
    throw thrown;
  }
}
