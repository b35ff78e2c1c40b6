import { ByteWriter, compareByteRanges } from '../base/index.ts';
import type { Cursor, TreeId } from '../storage/index.ts';

/** A range of keys of which a tree has none, as of one commit: what was learnt when one of them was
 * looked for, so that the next need not be. */
export class KeyGap {
  private tree: TreeId | null = null;
  private lsn = 0;
  /** The keys behind `after`, up to but not with `before` if there is one. */
  private readonly after = new ByteWriter(64);
  private readonly before = new ByteWriter(64);
  private isOpen = false;

  includes(tree: TreeId, lsn: number, key: Uint8Array, start: number, end: number): boolean {
    if (tree !== this.tree || lsn !== this.lsn) return false;
    const { after, before } = this;
    if (compareByteRanges(after.bytes, 0, after.position, key, start, end) >= 0) return false;
    if (this.isOpen) return true;
    return compareByteRanges(before.bytes, 0, before.position, key, start, end) > 0;
  }

  /** Takes the gap of a key that a cursor at this commit has just sought in vain; it stands at the next
   * key if `hasNext`. */
  learn(
    tree: TreeId,
    lsn: number,
    key: Uint8Array,
    start: number,
    end: number,
    cursor: Cursor,
    hasNext: boolean,
  ): void {
    this.tree = tree;
    this.lsn = lsn;
    this.isOpen = !hasNext;
    const after = this.after.reset();
    if (hasNext) {
      this.before.reset().range(cursor.keyBytes, cursor.keyStart, cursor.keyEnd);
      after.range(key, start, end);
    } else if (cursor.last()) {
      after.range(cursor.keyBytes, cursor.keyStart, cursor.keyEnd);
    }
  }
}
