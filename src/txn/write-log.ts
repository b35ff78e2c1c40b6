/** Puts changes of a write set into the log: puts that follow one another in one tree share a record. */

import type { TreeId, WalWriter } from '../storage/index.ts';
import type { WriteTree, WriteVersion } from './write-set.ts';

/** A record of many puts is closed at this size. */
const BATCH_BYTES = 60 * 1024;
/** With fewer entries a tree's puts get records of their own. */
const BATCHED_MIN = 8;

/** Logs the newest version of each key that is in memory. */
export function logWrites(log: WalWriter, xid: number, tree: WriteTree): void {
  const { runs, id } = tree;
  const batched = runs.length > 1 || (runs.length === 1 && runs[0]!.length >= BATCHED_MIN);
  for (const run of runs) {
    for (const entry of run) {
      const version = entry.latest;
      if (version === null) continue;
      const { keyBytes, keyStart, keyEnd } = entry;
      const { bytes, start, end } = version;
      if (bytes !== null && batched) {
        logInBatch(log, xid, id, keyBytes, keyStart, keyEnd, bytes, start, end);
        continue;
      }
      if (batched && log.batchSize > 0) log.finishBatch();
      if (bytes === null) log.deleteRange(xid, id, keyBytes, keyStart, keyEnd);
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
    if ((isOther || bytes === null) && log.batchSize > 0) log.finishBatch();
    if (version.segment !== segment) xid = xidOf(version.segment);
    segment = version.segment;
    tree = entry.tree;
    if (bytes === null) log.deleteRange(xid, entry.tree, keyBytes, keyStart, keyEnd);
    else logInBatch(log, xid, entry.tree, keyBytes, keyStart, keyEnd, bytes, start, end);
  }
  if (log.batchSize > 0) log.finishBatch();
}

/** Adds to the open batch, which is of the same tree and transaction, or opens one. */
export function logInBatch(
  log: WalWriter,
  xid: number,
  tree: TreeId,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  value: Uint8Array,
  valueStart: number,
  valueEnd: number,
): void {
  if (log.batchSize === 0) log.beginBatch(xid, tree);
  log.batchEntry(key, keyStart, keyEnd, value, valueStart, valueEnd);
  if (log.batchSize >= BATCH_BYTES) log.finishBatch();
}
