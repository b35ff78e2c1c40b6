/** Brings the trees from the last checkpoint to the end of the log.
 *
 * Two passes over the log from the redo LSN. The first finds its end, and the transactions and
 * sub-transactions that committed behind the checkpoint. The second applies their records in the order
 * of the log. That is the order of the changes of every key: who changes a key has it locked until its
 * commit record is in the log. Records of all others never count. Nothing is written here but to page
 * versions in memory and the spill file, so a crash in between changes nothing. */

import type { BTreeWriter } from '../btree/index.ts';
import type { ControlState } from '../checkpoint/index.ts';
import type { PageWriter } from '../pager/index.ts';
import type { Lsn, TreeId } from '../tree.ts';
import { WalReader, WalRecordKind, type WalSegments } from '../wal/index.ts';
import { XidSet } from './xid-set.ts';

/** Operations of one group of page versions: at least so many, and more in a large pool, since a page
 * is copied once in each group. A group's pages should not fill the pool. */
const OPERATIONS_PER_GROUP_MIN = 1000;
const FRAMES_PER_OPERATION = 4;

export interface RedoResult {
  /** Where the log goes on. */
  readonly endLsn: Lsn;
  readonly nextXid: number;
  readonly nextTreeId: number;
  /** Transactions that were applied. */
  readonly transactionCount: number;
}

/** Redoes what `state` says is missing in the data file. The last group is published at the end of the
 * log. Fails with data_corrupted when the log is damaged. */
export function redo(
  segments: WalSegments,
  state: ControlState,
  pages: PageWriter,
  trees: BTreeWriter,
): RedoResult {
  if (state.clean) return afterCleanStop(segments, state);
  const first = findCommitted(segments, state);
  if (first.committed.size > 0) {
    new Redo(segments, state, pages, trees, first.endLsn).apply(first.committed);
  }
  if (pages.commitLsn < first.endLsn) {
    pages.beginGroup(first.endLsn);
    pages.publish();
  }
  return {
    endLsn: first.endLsn,
    nextXid: first.nextXid,
    nextTreeId: first.nextTreeId,
    transactionCount: first.transactionCount,
  };
}

/** The log ends at the checkpoint, and all of it is in the data file. */
function afterCleanStop(segments: WalSegments, state: ControlState): RedoResult {
  const { checkpointLsn, nextXid, nextTreeId } = state;
  new WalReader(segments, checkpointLsn, state.epoch).verifyEpoch();
  return { endLsn: checkpointLsn, nextXid, nextTreeId, transactionCount: 0 };
}

function findCommitted(
  segments: WalSegments,
  state: ControlState,
): RedoResult & { readonly committed: XidSet } {
  const reader = new WalReader(segments, state.redoLsn, state.epoch);
  const committed = new XidSet();
  let { nextXid, nextTreeId } = state;
  let transactionCount = 0;
  while (reader.next()) {
    if (reader.xid >= nextXid) nextXid = reader.xid + 1;
    if (reader.kind === WalRecordKind.createTree) {
      nextTreeId = Math.max(nextTreeId, reader.treeId + 1);
    }
    if (reader.kind !== WalRecordKind.commit || reader.lsn < state.checkpointLsn) continue;
    committed.add(reader.xid);
    transactionCount++;
    for (let i = 0; i < reader.subXidCount; i++) committed.add(reader.subXid(i));
  }
  reader.verifyEnd(state.checkpointLsn);
  return { committed, endLsn: reader.endLsn, nextXid, nextTreeId, transactionCount };
}

class Redo {
  readonly #reader: WalReader;
  readonly #pages: PageWriter;
  readonly #trees: BTreeWriter;
  readonly #endLsn: Lsn;
  readonly #operationsMax: number;
  #operations = 0;
  /** Trees that are known to be there. */
  readonly #existing = new Set<TreeId>();

  constructor(
    segments: WalSegments,
    state: ControlState,
    pages: PageWriter,
    trees: BTreeWriter,
    endLsn: Lsn,
  ) {
    this.#reader = new WalReader(segments, state.redoLsn, state.epoch);
    this.#pages = pages;
    this.#trees = trees;
    this.#endLsn = endLsn;
    this.#operationsMax = Math.max(
      OPERATIONS_PER_GROUP_MIN,
      pages.memory.frameCount / FRAMES_PER_OPERATION,
    );
  }

  apply(committed: XidSet): void {
    const reader = this.#reader;
    while (reader.next()) {
      if (committed.has(reader.xid)) this.#applyRecord();
    }
    if (this.#operations > 0) this.#pages.publish();
  }

  #applyRecord(): void {
    const reader = this.#reader;
    switch (reader.kind) {
      case WalRecordKind.put:
        if (this.#hasTree(reader.treeId)) this.#put();
        return;
      case WalRecordKind.batch:
        if (!this.#hasTree(reader.treeId)) return;
        while (reader.nextEntry()) {
          if (reader.isDeletion) this.#delete();
          else this.#put();
        }
        return;
      case WalRecordKind.delete:
        if (this.#hasTree(reader.treeId)) this.#delete();
        return;
      case WalRecordKind.createTree:
        this.#operation();
        this.#trees.createTree(reader.treeId);
        return;
      case WalRecordKind.dropTree:
        this.#operation();
        this.#trees.dropTree(reader.treeId);
        this.#existing.delete(reader.treeId);
    }
  }

  /** Changes of a tree that has been dropped are of no account: nothing names it any more. To stop at
   * them would make a store that cannot be opened of one that has lost nothing. */
  #hasTree(tree: TreeId): boolean {
    if (this.#existing.has(tree)) return true;
    this.#operation();
    if (!this.#trees.hasTree(tree)) return false;
    this.#existing.add(tree);
    return true;
  }

  #put(): void {
    const reader = this.#reader;
    this.#operation();
    this.#trees.put(
      reader.treeId,
      reader.bytes,
      reader.keyStart,
      reader.keyEnd,
      reader.bytes,
      reader.valueStart,
      reader.valueEnd,
      this.#pages.groupLsn,
    );
  }

  #delete(): void {
    const reader = this.#reader;
    this.#operation();
    this.#trees.delete(reader.treeId, reader.bytes, reader.keyStart, reader.keyEnd);
  }

  /** Has a group open, a new one when it is time and an LSN is left for it. Group LSNs have to ascend
   * between the checkpoint and the end of the log, and no reader is there to see them; records from
   * before the checkpoint may be more than the LSNs behind it. */
  #operation(): void {
    const pages = this.#pages;
    if (this.#operations >= this.#operationsMax && pages.groupLsn + 1 < this.#endLsn) {
      pages.publish();
      this.#operations = 0;
    }
    if (this.#operations === 0) {
      pages.beginGroup(Math.max(pages.commitLsn + 1, this.#reader.lsn));
    }
    this.#operations++;
  }
}
