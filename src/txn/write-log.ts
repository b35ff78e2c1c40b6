/** Puts changes of a write set into the log: those that follow one another in one tree share a record. */

import type { TreeId, WalWriter } from '../storage/index.ts';
import type { ScatteredEntries } from './scattered-entries.ts';
import type { WriteTree, WriteVersion } from './write-set.ts';

/** A record of many changes is closed at this size. */
const BATCH_BYTES = 60 * 1024;
/** With fewer entries a tree's changes get records of their own. */
const BATCHED_MIN = 8;

/** Logs the newest version of each key that is an entry in memory. */
export function logWrites(log: WalWriter, xid: number, tree: WriteTree): void {
  const { runs, id } = tree;
  const batched = runs.length > 1 || (runs.length === 1 && runs[0]!.length >= BATCHED_MIN);
  for (const run of runs) {
    for (const entry of run) {
      const version = entry.latest;
      if (version === null) continue;
      const { keyBytes, keyStart, keyEnd } = entry;
      const { bytes, start, end } = version;
      if (batched) logInBatch(log, xid, id, keyBytes, keyStart, keyEnd, bytes, start, end);
      else if (bytes === null) log.deleteRange(xid, id, keyBytes, keyStart, keyEnd);
      else log.putRange(xid, id, keyBytes, keyStart, keyEnd, bytes, start, end);
    }
  }
  if (batched && log.batchSize > 0) log.finishBatch();
}

/** Logs versions of several segments in the order they were made. */
export function logVersions(
  log: WalWriter,
  xidOf: (segment: number) => number,
  versions: readonly WriteVersion[],
): void {
  let segment = -1;
  let tree = -1;
  let xid = 0;
  for (const version of versions) {
    const { entry, bytes, start, end } = version;
    const { keyBytes, keyStart, keyEnd } = entry;
    const isOther = version.segment !== segment || entry.tree !== tree;
    if (isOther && log.batchSize > 0) log.finishBatch();
    if (version.segment !== segment) xid = xidOf(version.segment);
    segment = version.segment;
    tree = entry.tree;
    logInBatch(log, xid, entry.tree, keyBytes, keyStart, keyEnd, bytes, start, end);
  }
  if (log.batchSize > 0) log.finishBatch();
}

/** Logs the newest version of each key. */
export function logScattered(log: WalWriter, xid: number, scattered: ScatteredEntries): void {
  const order = scattered.inOrder();
  for (let i = 0; i < order.length; i++) {
    const number = order[i]!;
    const isOlder = i > 0 && scattered.isSameKey(order[i - 1]!, number);
    if (!isOlder) logNumber(log, xid, scattered, number);
  }
  if (log.batchSize > 0) log.finishBatch();
}

/** Logs what counts of several segments: of a single one the newest version of each key, else all in the order
 * they were made. */
export function logScatteredBySegment(
  log: WalWriter,
  xidOf: (segment: number) => number,
  scattered: ScatteredEntries,
): void {
  const { count } = scattered;
  if (count === 0) return;
  let segment = scattered.firstSegment;
  let xid = xidOf(segment);
  if (scattered.segmentOf(count - 1) === segment) {
    logScattered(log, xid, scattered);
    return;
  }
  for (let number = 0; number < count; number++) {
    if (scattered.segmentOf(number) !== segment) {
      if (log.batchSize > 0) log.finishBatch();
      segment = scattered.segmentOf(number);
      xid = xidOf(segment);
    }
    logNumber(log, xid, scattered, number);
  }
  if (log.batchSize > 0) log.finishBatch();
}

function logNumber(log: WalWriter, xid: number, scattered: ScatteredEntries, number: number): void {
  const bytes = scattered.bytesOf(number);
  const start = scattered.keyStartOf(number);
  const keyEnd = scattered.keyEndOf(number);
  const value = scattered.isDeletion(number) ? null : bytes;
  const valueEnd = scattered.valueEndOf(number);
  logInBatch(log, xid, scattered.tree, bytes, start, keyEnd, value, keyEnd, valueEnd);
}

/** Adds to the open batch, which is of the same tree and transaction, or opens one. */
function logInBatch(
  log: WalWriter,
  xid: number,
  tree: TreeId,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  value: Uint8Array | null,
  valueStart: number,
  valueEnd: number,
): void {
  if (log.batchSize === 0) log.beginBatch(xid, tree);
  if (value === null) log.batchDeletion(key, keyStart, keyEnd);
  else log.batchEntry(key, keyStart, keyEnd, value, valueStart, valueEnd);
  if (log.batchSize >= BATCH_BYTES) log.finishBatch();
}
