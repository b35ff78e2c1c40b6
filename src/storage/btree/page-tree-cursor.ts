import { assert, compareByteRanges } from '../../base/index.ts';
import {
  cellAt,
  cellValueLength,
  childAt,
  childIndexOf,
  isLongValue,
  keyLengthAt,
  LEAF_CELL_HEADER,
  PAGE_HEADER_SIZE,
  PAGE_KIND_BRANCH,
  PAGE_SIZE,
  type PageNumber,
  pageKind,
  rowLsnAt,
  SLOT_SIZE,
  searchSlots,
  slotCount,
} from '../page/index.ts';
import { type PageReader, PageRef } from '../pager/index.ts';
import type { LeafRun, PageCursor, SeekMode, TreeId } from '../tree.ts';
import { LongValueReader } from './long-value.ts';
import type { TreeRoots } from './tree-roots.ts';

/** Deeper than any tree: with the longest keys a branch has at least 3 children, 3^20 > 2^31. */
export const DEPTH_MAX = 24;
const NOTHING = new Uint8Array(0);
const SLOTS_MAX = (PAGE_SIZE - PAGE_HEADER_SIZE) / SLOT_SIZE;

/** The committed entries of a tree at a snapshot, in key order.
 *
 * The path from the root is kept as page numbers and child indices. Both mean the same for as long as
 * the snapshot is held, whatever is committed meanwhile, so a move to the next leaf, and `refresh`
 * after a pause, only resolve pages again.
 *
 * For the same reason a search may begin at the leaf where the last one ended. It does while that is
 * likely to be the one: when the search before found the leaf of the one before it.
 */
export class PageTreeCursor implements PageCursor {
  keyBytes: Uint8Array;
  keyStart = 0;
  keyEnd = 0;
  rowLsn = 0;
  valueStart = 0;
  valueEnd = 0;
  /** What was sought last: soughtKey[0, soughtEnd), in the caller's buffer. */
  soughtKey: Uint8Array = NOTHING;
  soughtEnd = 0;
  readonly #reader: PageReader;
  readonly #roots: TreeRoots;
  #leaf = new PageRef();
  #branch = new PageRef();
  readonly #long: LongValueReader;
  readonly #pathPages = new Int32Array(DEPTH_MAX);
  readonly #pathIndexes = new Int32Array(DEPTH_MAX);
  readonly #run: LeafRunBuffer;
  #depth = 0;
  #tree = 0 as TreeId;
  #root = 0 as PageNumber;
  #snapshot = 0;
  #leafPage = 0 as PageNumber;
  /** The path leads to `#leafPage`, in this tree at this snapshot. */
  #isPlaced = false;
  /** The next key is likely to be in the same leaf. */
  #staysLikely = false;
  /** Slot of the current entry; -1 when the cursor stands on none. */
  #index = -1;
  #count = 0;
  /** First overflow page of the current entry's value when that is long and not yet put together. */
  #longPage = 0;
  #isLong = false;

  constructor(reader: PageReader, roots: TreeRoots) {
    this.#reader = reader;
    this.#roots = roots;
    this.#long = new LongValueReader(reader);
    this.#run = new LeafRunBuffer(reader);
    this.keyBytes = this.#leaf.bytes;
  }

  reset(tree: TreeId, snapshot: number): void {
    if (tree !== this.#tree) {
      this.#tree = tree;
      this.#root = 0 as PageNumber;
      this.#isPlaced = false;
    }
    if (snapshot !== this.#snapshot) this.#isPlaced = false;
    this.#snapshot = snapshot;
    this.#index = -1;
  }

  get valueBytes(): Uint8Array {
    if (!this.#isLong) return this.#leaf.bytes;
    if (this.#longPage !== 0) {
      this.#long.read(this.#longPage, this.valueEnd, this.#snapshot);
      this.#longPage = 0;
    }
    return this.#long.bytes;
  }

  seek(key: Uint8Array, keyEnd: number, mode: SeekMode): boolean {
    this.soughtKey = key;
    this.soughtEnd = keyEnd;
    if (!this.#staysLikely || !this.#isPlaced || !this.#isInLeaf(key, keyEnd)) {
      this.#descendTo(key, keyEnd);
    }
    const { bytes, view, base } = this.#leaf;
    const found = searchSlots(bytes, view, base, key, 0, keyEnd, LEAF_CELL_HEADER);
    switch (mode) {
      case 'ge':
        return this.#standAtOrAfter(found >= 0 ? found : ~found);
      case 'gt':
        return this.#standAtOrAfter(found >= 0 ? found + 1 : ~found);
      case 'le':
        return this.#standAtOrBefore(found >= 0 ? found : ~found - 1);
      case 'lt':
        return this.#standAtOrBefore((found >= 0 ? found : ~found) - 1);
    }
  }

  /** Whether the leaf of the last search has entries on both sides of the key, or the key itself. */
  #isInLeaf(key: Uint8Array, keyEnd: number): boolean {
    this.#index = -1;
    this.#reader.resolve(this.#leafPage, this.#snapshot, this.#leaf);
    const last = this.#count - 1;
    return last >= 0 && this.#compare(0, key, keyEnd) <= 0 && this.#compare(last, key, keyEnd) >= 0;
  }

  /** Order of an entry of the leaf relative to a key. */
  #compare(i: number, key: Uint8Array, keyEnd: number): number {
    const { bytes, view, base } = this.#leaf;
    const start = cellAt(view, base, i) + LEAF_CELL_HEADER;
    const end = start + keyLengthAt(view, base, i);
    return compareByteRanges(bytes, start, end, key, 0, keyEnd);
  }

  /** Finds the leaf for a key from the root. */
  #descendTo(key: Uint8Array, keyEnd: number): void {
    const before = this.#isPlaced ? this.#leafPage : 0;
    let page = this.#start();
    const branch = this.#branch;
    this.#reader.resolve(page, this.#snapshot, branch);
    while (pageKind(branch.bytes, branch.base) === PAGE_KIND_BRANCH) {
      const index = childIndexOf(branch.bytes, branch.view, branch.base, key, 0, keyEnd);
      page = this.#descend(page, index);
    }
    this.#enterLeaf(page);
    this.#staysLikely = page === before;
  }

  first(): boolean {
    const root = this.#start();
    this.#descendToEdge(root, false);
    return this.#standAtOrAfter(0);
  }

  last(): boolean {
    const root = this.#start();
    this.#descendToEdge(root, true);
    return this.#standAtOrBefore(this.#count - 1);
  }

  next(): boolean {
    const index = this.#index;
    if (index < 0) return false;
    if (index + 1 < this.#count) {
      this.#stand(index + 1);
      return true;
    }
    return this.#standAtOrAfter(index + 1);
  }

  prev(): boolean {
    const index = this.#index;
    if (index < 0) return false;
    return this.#standAtOrBefore(index - 1);
  }

  refresh(): void {
    if (this.#index < 0) return;
    this.#reader.resolve(this.#leafPage, this.#snapshot, this.#leaf);
    this.#stand(this.#index);
  }

  leafRun(max: number): LeafRun | null {
    const start = this.#index;
    if (start < 0) return null;
    const end = Math.min(this.#count, start + max);
    this.#run.fill(this.#leaf, start, end, this.#snapshot);
    if (end - 1 !== start) this.#stand(end - 1);
    return this.#run;
  }

  #start(): PageNumber {
    this.#index = -1;
    this.#depth = 0;
    this.#isPlaced = false;
    if (this.#root === 0) this.#root = this.#roots.rootOf(this.#tree, this.#snapshot);
    return this.#root;
  }

  /** Steps from a branch page, which `#branch` shows, to a child, which it then shows. */
  #descend(page: PageNumber, index: number): PageNumber {
    assert(this.#depth < DEPTH_MAX, `the tree at page ${this.#root} is too deep`);
    this.#pathPages[this.#depth] = page;
    this.#pathIndexes[this.#depth] = index;
    this.#depth++;
    const child = childAt(this.#branch.view, this.#branch.base, index);
    this.#reader.resolve(child, this.#snapshot, this.#branch);
    return child;
  }

  #descendToEdge(from: PageNumber, isLast: boolean): void {
    const branch = this.#branch;
    let page = from;
    this.#reader.resolve(page, this.#snapshot, branch);
    while (pageKind(branch.bytes, branch.base) === PAGE_KIND_BRANCH) {
      page = this.#descend(page, isLast ? slotCount(branch.view, branch.base) : 0);
    }
    this.#enterLeaf(page);
  }

  /** Makes the page that `#branch` shows the current leaf. */
  #enterLeaf(page: PageNumber): void {
    const ref = this.#branch;
    this.#branch = this.#leaf;
    this.#leaf = ref;
    this.#leafPage = page;
    this.#isPlaced = true;
    this.#count = slotCount(this.#leaf.view, this.#leaf.base);
  }

  /** Enters the leaf beside the current one; false at the end. */
  #enterNeighbour(isNext: boolean): boolean {
    const branch = this.#branch;
    this.#isPlaced = false;
    while (this.#depth > 0) {
      this.#depth--;
      const page = this.#pathPages[this.#depth]! as PageNumber;
      const index = this.#pathIndexes[this.#depth]! + (isNext ? 1 : -1);
      if (index < 0) continue;
      this.#reader.resolve(page, this.#snapshot, branch);
      if (index > slotCount(branch.view, branch.base)) continue;
      this.#descendToEdge(this.#descend(page, index), !isNext);
      return true;
    }
    return false;
  }

  #standAtOrAfter(index: number): boolean {
    let i = index;
    while (i >= this.#count) {
      if (!this.#enterNeighbour(true)) {
        this.#index = -1;
        return false;
      }
      i = 0;
    }
    this.#stand(i);
    return true;
  }

  #standAtOrBefore(index: number): boolean {
    let i = index;
    while (i < 0) {
      if (!this.#enterNeighbour(false)) {
        this.#index = -1;
        return false;
      }
      i = this.#count - 1;
    }
    this.#stand(i);
    return true;
  }

  #stand(i: number): void {
    const { bytes, view, base } = this.#leaf;
    const cell = cellAt(view, base, i);
    const keyStart = cell + LEAF_CELL_HEADER;
    const keyEnd = keyStart + keyLengthAt(view, base, i);
    this.#index = i;
    this.keyBytes = bytes;
    this.keyStart = keyStart;
    this.keyEnd = keyEnd;
    this.rowLsn = rowLsnAt(view, cell);
    if (isLongValue(view, cell)) {
      this.#isLong = true;
      this.#longPage = view.getUint32(keyEnd, true);
      this.valueStart = 0;
      this.valueEnd = view.getUint32(keyEnd + 4, true);
    } else {
      this.#isLong = false;
      this.valueStart = keyEnd;
      this.valueEnd = keyEnd + cellValueLength(view, cell);
    }
  }
}

/** The run that a cursor hands out, filled anew each time. */
class LeafRunBuffer implements LeafRun {
  bytes: Uint8Array;
  view: DataView;
  count = 0;
  inPlace = true;
  readonly keyStart = new Int32Array(SLOTS_MAX);
  readonly keyEnd = new Int32Array(SLOTS_MAX);
  readonly valueStart = new Int32Array(SLOTS_MAX);
  readonly valueEnd = new Int32Array(SLOTS_MAX);
  /** First overflow page of entry i, or 0. */
  readonly #longPages = new Int32Array(SLOTS_MAX);
  readonly #long: LongValueReader;
  #snapshot = 0;

  constructor(reader: PageReader) {
    this.#long = new LongValueReader(reader);
    this.bytes = this.#long.bytes;
    this.view = new DataView(this.bytes.buffer);
  }

  fill(leaf: PageRef, start: number, end: number, snapshot: number): void {
    const { view, base } = leaf;
    const { keyStart, keyEnd, valueStart, valueEnd } = this;
    this.bytes = leaf.bytes;
    this.view = view;
    this.count = end - start;
    this.inPlace = true;
    this.#snapshot = snapshot;
    for (let slot = start, i = 0; slot < end; slot++, i++) {
      const cell = cellAt(view, base, slot);
      const keyAt = cell + LEAF_CELL_HEADER;
      const valueAt = keyAt + keyLengthAt(view, base, slot);
      keyStart[i] = keyAt;
      keyEnd[i] = valueAt;
      if (isLongValue(view, cell)) {
        this.inPlace = false;
        this.#longPages[i] = view.getUint32(valueAt, true);
        valueStart[i] = 0;
        valueEnd[i] = view.getUint32(valueAt + 4, true);
      } else {
        this.#longPages[i] = 0;
        valueStart[i] = valueAt;
        valueEnd[i] = valueAt + cellValueLength(view, cell);
      }
    }
  }

  bytesOf(i: number): Uint8Array {
    const page = this.#longPages[i]!;
    if (page === 0) return this.bytes;
    this.#long.read(page, this.valueEnd[i]!, this.#snapshot);
    return this.#long.bytes;
  }
}
