import type { TreeId } from '../storage/index.ts';
import { ScatteredEntries } from './scattered-entries.ts';

/** Modes of row locks as bytes that can be stored. */
const MODES = Uint8Array.of(0, 1, 2, 3);

/** Rows that a transaction has locked in large number, without an entry in the lock table for each. They are
 * found by their keys, and given up with the segments of the write set in which they were locked. */
export class LockedKeys {
  private readonly byTree = new Map<TreeId, ScatteredEntries>();

  /** Takes down that a key is locked in this mode, or in a stronger one already. */
  lock(
    tree: TreeId,
    key: Uint8Array,
    start: number,
    end: number,
    mode: number,
    segment: number,
  ): void {
    let keys = this.byTree.get(tree);
    if (keys === undefined) {
      keys = new ScatteredEntries(tree);
      this.byTree.set(tree, keys);
    } else if (modeIn(keys, key, start, end) >= mode) return;
    keys.add(key, start, end, MODES, mode, mode + 1, 0, segment);
  }

  /** The mode in which a key is locked; -1 when it is not. */
  modeOf(tree: TreeId, key: Uint8Array, start: number, end: number): number {
    const keys = this.byTree.get(tree);
    return keys === undefined ? -1 : modeIn(keys, key, start, end);
  }

  rollBack(segment: number): void {
    for (const keys of this.byTree.values()) keys.rollBack(segment);
  }
}

function modeIn(keys: ScatteredEntries, key: Uint8Array, start: number, end: number): number {
  const number = keys.find(key, start, end);
  return number < 0 ? -1 : keys.bytesOf(number)[keys.keyEndOf(number)]!;
}
