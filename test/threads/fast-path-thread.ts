import { parentPort, workerData } from 'node:worker_threads';
import { FastPathWords } from '../../src/txn/index.ts';
import { seededRandom } from './compiled.ts';

export interface FastPathTask {
  readonly role: 'main' | 'writer';
  readonly words: SharedArrayBuffer;
  /** See WORD. */
  readonly facts: SharedArrayBuffer;
  readonly count: number;
  readonly seed: number;
}

export const ROWS = 4;
const TABLE = 77;
const SESSION = 7;
const OTHER_SESSION = 8;

/** What is true, whatever the marks say: who has each row, the version of the catalog, the row that is
 * being handed over (plus 1), and whether the main thread has ended. */
export const WORD = {
  row: 0,
  version: ROWS,
  handedOver: ROWS + 1,
  ended: ROWS + 2,
  count: ROWS + 3,
};
const MAIN = 1;
const WRITER = 2;

function take(facts: Int32Array, row: number, from: number, to: number): void {
  const found = Atomics.compareExchange(facts, WORD.row + row, from, to);
  if (found !== from) throw new Error(`row ${row} goes from ${found}, not ${from}, to ${to}`);
}

/** Returns how many rows it had, handed over, how often it used the table, and how many rows it passed on. */
function runMain(task: FastPathTask): number[] {
  const words = new FastPathWords(task.words);
  const facts = new Int32Array(task.facts);
  const random = seededRandom(task.seed);
  let held = 0;
  let handedOver = 0;
  let used = 0;
  let passed = 0;
  for (let i = 0; i < task.count; i++) {
    if (words.useTable(TABLE)) {
      used++;
      const version = words.catalogVersion;
      for (let j = random(20); j >= 0; j--) {
        const truth = Atomics.load(facts, WORD.version);
        if (truth !== version) throw new Error(`version ${truth} of a table used at ${version}`);
      }
      words.releaseTable(TABLE);
    }
    const row = random(ROWS);
    if (!words.holdRow(row, SESSION)) continue;
    held++;
    take(facts, row, 0, MAIN);
    // Another of its transactions takes the row over, and may give it back.
    let session = SESSION;
    if (random(4) === 0 && words.passRow(row, SESSION, OTHER_SESSION)) {
      passed++;
      session = OTHER_SESSION;
      if (random(2) === 0) {
        words.returnRow(row, SESSION);
        session = SESSION;
      }
    }
    if (random(4) !== 0) {
      take(facts, row, MAIN, 0);
      words.releaseRow(row, session);
      continue;
    }
    handedOver++;
    Atomics.store(facts, WORD.handedOver, row + 1);
    while (Atomics.load(facts, WORD.handedOver) !== 0) {
      const other = random(ROWS);
      if (other === row || !words.holdRow(other, SESSION)) continue;
      take(facts, other, 0, MAIN);
      take(facts, other, MAIN, 0);
      words.releaseRow(other, SESSION);
    }
  }
  Atomics.store(facts, WORD.ended, 1);
  return [held, handedOver, used, passed];
}

/** Returns how many rows it had of its own, and how often it changed the catalog. */
function runWriter(task: FastPathTask): number[] {
  const words = new FastPathWords(task.words);
  const facts = new Int32Array(task.facts);
  const random = seededRandom(task.seed + 1);
  let version = 0;
  let held = 0;
  let changed = 0;
  while (Atomics.load(facts, WORD.ended) === 0) {
    const given = Atomics.load(facts, WORD.handedOver) - 1;
    if (given >= 0) {
      words.raiseRow(given);
      take(facts, given, MAIN, WRITER);
      words.freeRow(given);
      Atomics.store(facts, WORD.handedOver, 0);
      for (let j = random(50); j > 0; j--) Atomics.load(facts, WORD.ended);
      take(facts, given, WRITER, 0);
      words.lowerRow(given);
    }
    const row = random(ROWS);
    if (words.raiseRow(row) === 0) {
      held++;
      take(facts, row, 0, WRITER);
      take(facts, row, WRITER, 0);
    }
    words.lowerRow(row);
    if (random(3) === 0) {
      if (!words.raiseTable(TABLE)) {
        changed++;
        version++;
        Atomics.store(facts, WORD.version, version);
        words.publishCatalog(version);
      }
      words.lowerTable(TABLE);
    }
  }
  return [held, changed];
}

if (parentPort !== null) {
  const task = workerData as FastPathTask;
  parentPort.postMessage(task.role === 'main' ? runMain(task) : runWriter(task));
}
