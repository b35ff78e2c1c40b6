/** The write set and its way to the pages: transactions of four changes, as in TPC-B, and large ones, as
 * COPY and index builds make them, with the longest time that the writer did nothing else.
 *
 * Run `npm run build`, then `node dist/bench/micro/write-set.js`. The store is made in the system's
 * temporary directory, or in the one that TMPDIR names. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openNodeDirectory } from '../../src/io/index.ts';
import { CommitGroup, type PendingCommit } from '../../src/runtime/worker/commit-group.ts';
import { createLogSyncWords, LogSync } from '../../src/runtime/worker/log-sync.ts';
import { SpillFiles } from '../../src/runtime/worker/spill-files.ts';
import { SharedMemory } from '../../src/shm/index.ts';
import { StorageEngine, type TreeId } from '../../src/storage/index.ts';
import { CommitHistory, Transaction, type WriteSpill } from '../../src/txn/index.ts';

const BUDGET = 64 * 1024 * 1024;
const ROW_BYTES = 100;
const SMALL_COUNT = 50_000;
const FRAME_COUNT = 16_384;

/** A store and what commits to it. */
class Store {
  readonly engine: StorageEngine;
  readonly group: CommitGroup;
  readonly spill: WriteSpill;

  constructor(path: string) {
    const directory = openNodeDirectory(path);
    const memory = SharedMemory.create({
      frameCount: FRAME_COUNT,
      threadCount: 4,
      spillSlotCountMax: 1 << 20,
    });
    this.engine = StorageEngine.open(directory, memory);
    const sync = new LogSync(this.engine.log, memory, 2, createLogSyncWords());
    this.group = new CommitGroup(this.engine, sync, new CommitHistory());
    const files = new SpillFiles(directory.makeDirectory('temporary'), 0);
    this.spill = { budget: BUDGET, engine: this.engine, createFile: () => files.create() };
  }

  begin(): Transaction {
    const transaction = new Transaction(1, 'read committed', 0, this.spill);
    transaction.command = 1;
    return transaction;
  }

  add(transaction: Transaction, createdTrees: readonly TreeId[], asynchronous: boolean): void {
    const commit: PendingCommit = {
      transaction,
      createdTrees,
      droppedTrees: [],
      verify() {},
      committed() {},
      failed(error) {
        throw error;
      },
    };
    this.group.add(commit, asynchronous);
  }

  /** Turns of the writer until all is committed; answers the longest, in milliseconds. */
  finish(): number {
    let longest = 0;
    while (!this.group.isIdle) {
      const start = performance.now();
      this.group.run(false);
      if (!this.group.isApplying) this.engine.step();
      longest = Math.max(longest, performance.now() - start);
    }
    return longest;
  }
}

/** Nanoseconds of a transaction of four changes, from the first put to its publication. */
export function benchSmall(store: Store): number {
  const trees = [1, 2, 3, 4].map(() => store.engine.nextTreeId());
  const made = store.begin();
  for (const tree of trees) made.writes.createTree(tree);
  store.add(made, trees, true);
  store.finish();
  const key = new Uint8Array(8);
  const view = new DataView(key.buffer);
  const value = new Uint8Array(ROW_BYTES).fill(9);
  let start = 0;
  for (let i = 0; i < 2 * SMALL_COUNT; i++) {
    if (i === SMALL_COUNT) start = performance.now();
    const transaction = store.begin();
    view.setUint32(4, (i * 7919) % 10_000);
    for (const tree of trees) transaction.writes.put(tree, key, 0, 8, value, 0, ROW_BYTES, 1);
    store.add(transaction, [], true);
    store.group.run(false);
  }
  return ((performance.now() - start) / SMALL_COUNT) * 1e6;
}

interface LargeFigures {
  readonly putMs: number;
  readonly commitMs: number;
  /** Of this process, without waiting for the disk. */
  readonly cpuMs: number;
  readonly longestPutMs: number;
  readonly longestTurnMs: number;
  readonly peakBytes: number;
}

/** A transaction of many rows; `order` says which of them comes i-th. */
export function benchLarge(
  store: Store,
  tree: TreeId,
  isNew: boolean,
  count: number,
  order: (i: number) => number,
): LargeFigures {
  const transaction = store.begin();
  const { writes } = transaction;
  if (isNew) writes.createTree(tree);
  const key = new Uint8Array(8);
  const view = new DataView(key.buffer);
  const value = new Uint8Array(ROW_BYTES).fill(9);
  let longestPutMs = 0;
  let peakBytes = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  let last = start;
  for (let i = 0; i < count; i++) {
    view.setUint32(4, order(i));
    writes.put(tree, key, 0, 8, value, 0, ROW_BYTES, 1);
    if (i % 32 !== 0) continue;
    const now = performance.now();
    longestPutMs = Math.max(longestPutMs, now - last);
    peakBytes = Math.max(peakBytes, writes.byteCount);
    // What the loop of the writer does now and then.
    if (i % 4096 === 0) store.engine.step();
    last = performance.now();
  }
  const putMs = performance.now() - start;
  store.add(transaction, isNew ? [tree] : [], false);
  const longestTurnMs = store.finish();
  const { user, system } = process.cpuUsage(cpu);
  return {
    putMs,
    commitMs: performance.now() - start - putMs,
    cpuMs: (user + system) / 1000,
    longestPutMs,
    longestTurnMs,
    peakBytes,
  };
}

/** A permutation of 0 .. 2^20-1. */
function scatter(i: number): number {
  return Math.imul(i, 0x9e3779b1) & 0xf_ffff;
}

function report(name: string, count: number, figures: LargeFigures): void {
  const total = figures.putMs + figures.commitMs;
  const { putMs, commitMs, cpuMs, longestPutMs, longestTurnMs, peakBytes } = figures;
  console.log(
    `${name}: ${((total / count) * 1000).toFixed(2)} µs a row ` +
      `(put ${((putMs / count) * 1000).toFixed(2)}, commit ${((commitMs / count) * 1000).toFixed(2)}; CPU ${((cpuMs / count) * 1000).toFixed(2)}); ` +
      `longest put ${longestPutMs.toFixed(1)} ms, longest turn ${longestTurnMs.toFixed(1)} ms, ` +
      `${(peakBytes / 1048576).toFixed(1)} MiB in memory`,
  );
}

function main(): void {
  const path = mkdtempSync(join(tmpdir(), 'heddle-bench-'));
  try {
    const store = new Store(path);
    console.log(`4 changes: ${benchSmall(store).toFixed(0)} ns a transaction`);
    const count = 1_000_000;
    const copied = store.engine.nextTreeId();
    report(
      'ascending, new tree',
      count,
      benchLarge(store, copied, true, count, (i) => i),
    );
    report(
      'ascending, behind what is there',
      count / 4,
      benchLarge(store, copied, false, count / 4, (i) => count + i),
    );
    const indexed = store.engine.nextTreeId();
    report('scattered, new tree', count, benchLarge(store, indexed, true, count, scatter));
    report(
      'scattered, all replaced',
      count / 4,
      benchLarge(store, indexed, false, count / 4, scatter),
    );
    store.engine.close();
  } finally {
    rmSync(path, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
