import { compareBytes } from '../../base/index.ts';
import { PgError } from '../../errors/index.ts';
import {
  BRANCH_CELL_HEADER,
  branchCellSize,
  type CellSize,
  cellAt,
  cellValueLength,
  childAt,
  FREE_TRUNK_CAPACITY,
  freeEntryAt,
  headOf,
  isLongValue,
  KEY_LENGTH_MAX,
  keyLengthAt,
  LEAF_CELL_HEADER,
  LONG_VALUE_SIZE,
  leafCellSize,
  META_PAGE,
  metaDirectory,
  metaFreeCount,
  metaFreeTrunk,
  metaPageCount,
  OFFSET_CELL_START,
  OFFSET_NUMBER,
  OFFSET_PREFIX,
  OVERFLOW_CAPACITY,
  overflowLength,
  PAGE_HEADER_SIZE,
  PAGE_KIND_BRANCH,
  PAGE_KIND_FREE_TRUNK,
  PAGE_KIND_LEAF,
  PAGE_KIND_META,
  PAGE_KIND_OVERFLOW,
  PAGE_SIZE,
  type PageNumber,
  pageCountField,
  pageKind,
  pageLevel,
  pageLink,
  pageLsn,
  SLOT_SIZE,
  slotCount,
  usedBytes,
} from '../page/index.ts';
import { type PageReader, PageRef, PageSet } from '../pager/index.ts';
import type { TreeId } from '../tree.ts';
import { DIRECTORY_KEY_LENGTH, DROPPED_MARK, readDirectoryKey } from './tree-roots.ts';

/** What a walk over the whole store found. */
export interface CheckReport {
  /** One sentence each, naming the page; empty when all is well. */
  readonly defects: readonly string[];
  readonly pageCount: number;
  readonly freePageCount: number;
  readonly trees: readonly CheckedTree[];
}

export interface CheckedTree {
  readonly tree: TreeId;
  readonly root: number;
  /** Dropped, and not yet all free. */
  readonly isDropped: boolean;
  readonly entryCount: number;
  readonly pageCount: number;
  readonly depth: number;
}

/** More defects than this are counted, not described. */
const DEFECTS_MAX = 1000;

interface Child {
  readonly page: PageNumber;
  readonly lower: Uint8Array | null;
  readonly upper: Uint8Array | null;
}

/** Walks the meta page, the tree directory, every tree with its overflow chains, and the free list, as
 * of a snapshot that the caller holds: checksums (of pages that must be loaded), page headers, slots
 * and cells, key order, separators, levels, and that every page is in use exactly once. */
export function checkStore(reader: PageReader, snapshot: number): CheckReport {
  return new StoreCheck(reader, snapshot).run();
}

class StoreCheck {
  readonly #reader: PageReader;
  readonly #snapshot: number;
  readonly #ref = new PageRef();
  readonly #seen = new PageSet();
  readonly #defects: string[] = [];
  #defectCount = 0;
  #pageCount = 0;
  #entryCount = 0;
  #treePageCount = 0;

  constructor(reader: PageReader, snapshot: number) {
    this.#reader = reader;
    this.#snapshot = snapshot;
  }

  run(): CheckReport {
    let freePageCount = 0;
    const trees: CheckedTree[] = [];
    let directory = 0 as PageNumber;
    let trunk = 0 as PageNumber;
    // Nothing is known of the number of pages until page 0 was read.
    this.#pageCount = 1;
    this.#visit(META_PAGE, PAGE_KIND_META, 'the meta page', ({ view, base }) => {
      this.#pageCount = metaPageCount(view, base);
      directory = metaDirectory(view, base);
      trunk = metaFreeTrunk(view, base);
      freePageCount = metaFreeCount(view, base);
    });
    if (directory !== 0) {
      const roots: { tree: TreeId; isDropped: boolean; root: PageNumber }[] = [];
      this.#checkTree(directory, 'the tree directory', (page, bytes, view, base, i) => {
        const entry = directoryEntry(bytes, view, base, i);
        if (entry === null) this.#report(page, `entry ${i} is not one of the tree directory`);
        else roots.push(entry);
      });
      for (const { tree, isDropped, root } of roots) {
        const depth = this.#checkTree(root, `tree ${tree}`, null);
        const entryCount = this.#entryCount;
        trees.push({ tree, root, isDropped, entryCount, pageCount: this.#treePageCount, depth });
      }
    }
    this.#checkFreeList(trunk, freePageCount);
    for (let page = 0; page < this.#pageCount; page++) {
      if (!this.#seen.has(page)) this.#report(page, 'is lost: neither in use nor free');
    }
    if (this.#defectCount > DEFECTS_MAX) {
      this.#defects.push(`${this.#defectCount - DEFECTS_MAX} more defects`);
    }
    return { defects: this.#defects, pageCount: this.#pageCount, freePageCount, trees };
  }

  #report(page: number, what: string): void {
    if (++this.#defectCount <= DEFECTS_MAX) this.#defects.push(`page ${page} ${what}`);
  }

  /** Resolves a page that is reached for the first time, checks its header, and looks at it. */
  #visit(page: PageNumber, kind: number, owner: string, look: (ref: PageRef) => void): void {
    if (page >= this.#pageCount) {
      this.#report(page, `is reached from ${owner}, beyond the ${this.#pageCount} pages there are`);
      return;
    }
    if (this.#seen.has(page)) {
      this.#report(page, `is reached twice, the second time from ${owner}`);
      return;
    }
    this.#seen.add(page);
    const ref = this.#ref;
    this.#reader.enter();
    try {
      this.#reader.resolve(page, this.#snapshot, ref);
      const { bytes, view, base } = ref;
      const found = pageKind(bytes, base);
      const number = view.getUint32(base + OFFSET_NUMBER, true);
      if (number !== page) this.#report(page, `of ${owner} says that it is page ${number}`);
      if (pageLsn(view, base) > this.#snapshot) {
        this.#report(page, `of ${owner} is from the future: LSN ${pageLsn(view, base)}`);
      }
      if (found === kind || (kind === PAGE_KIND_BRANCH && found === PAGE_KIND_LEAF)) look(ref);
      else this.#report(page, `of ${owner} has kind ${found}, expected ${kind}`);
    } catch (error) {
      if (!(error instanceof PgError)) throw error;
      const { message, detail } = error.fields;
      this.#report(page, `of ${owner} cannot be read: ${message}. ${detail ?? ''}`.trimEnd());
    } finally {
      this.#reader.leave();
    }
  }

  /** Returns the depth: 1 for a lone leaf. */
  #checkTree(root: PageNumber, owner: string, entry: EntryVisitor | null): number {
    this.#entryCount = 0;
    this.#treePageCount = 0;
    let depth = 0;
    // Depth first with a stack of its own, so that no page is held while others are read.
    const stack: { child: Child; level: number }[] = [
      { child: { page: root, lower: null, upper: null }, level: -1 },
    ];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const { child, level } = top;
      const children: Child[] = [];
      const long: { first: PageNumber; length: number }[] = [];
      let childLevel = 0;
      this.#visit(child.page, PAGE_KIND_BRANCH, owner, ({ bytes, view, base }) => {
        this.#treePageCount++;
        const found = pageLevel(bytes, base);
        if (level < 0) depth = found + 1;
        else if (found !== level) {
          this.#report(child.page, `of ${owner} has level ${found}, expected ${level}`);
          return;
        }
        const isLeaf = pageKind(bytes, base) === PAGE_KIND_LEAF;
        if (isLeaf !== (found === 0)) {
          this.#report(child.page, `of ${owner} has level ${found}, which its kind cannot have`);
          return;
        }
        if (isLeaf) this.#checkLeaf(child, owner, bytes, view, base, long, entry);
        else this.#checkBranch(child, owner, bytes, view, base, children);
        childLevel = found - 1;
      });
      for (const { first, length } of long) this.#checkChain(first, length, child.page, owner);
      for (let i = children.length - 1; i >= 0; i--) {
        stack.push({ child: children[i]!, level: childLevel });
      }
    }
    return depth;
  }

  #checkBranch(
    at: Child,
    owner: string,
    bytes: Uint8Array,
    view: DataView,
    base: number,
    children: Child[],
  ): void {
    const keys = this.#checkSlots(at, owner, bytes, view, base, BRANCH_CELL_HEADER, branchCellSize);
    if (keys === null) return;
    for (let i = 0; i <= keys.length; i++) {
      const lower = i === 0 ? at.lower : keys[i - 1]!;
      const upper = i === keys.length ? at.upper : keys[i]!;
      children.push({ page: childAt(view, base, i), lower, upper });
    }
  }

  #checkLeaf(
    at: Child,
    owner: string,
    bytes: Uint8Array,
    view: DataView,
    base: number,
    long: { first: PageNumber; length: number }[],
    entry: EntryVisitor | null,
  ): void {
    const keys = this.#checkSlots(at, owner, bytes, view, base, LEAF_CELL_HEADER, leafCellSize);
    if (keys === null) return;
    this.#entryCount += keys.length;
    for (let i = 0; i < keys.length; i++) {
      const cell = cellAt(view, base, i);
      if (isLongValue(view, cell)) {
        if (cellValueLength(view, cell) !== LONG_VALUE_SIZE) {
          this.#report(at.page, `of ${owner} has a malformed long value in entry ${i}`);
          continue;
        }
        const value = cell + LEAF_CELL_HEADER + keys[i]!.length;
        const first = view.getUint32(value, true) as PageNumber;
        long.push({ first, length: view.getUint32(value + 4, true) });
      }
      entry?.(at.page, bytes, view, base, i);
    }
  }

  /** Checks what leaves and branches share, and returns the keys; null when the page makes no sense. */
  #checkSlots(
    at: Child,
    owner: string,
    bytes: Uint8Array,
    view: DataView,
    base: number,
    cellHeader: number,
    cellSizeAt: CellSize,
  ): Uint8Array[] | null {
    const { page, lower, upper } = at;
    const count = slotCount(view, base);
    const cellStart = view.getUint16(base + OFFSET_CELL_START, true);
    if (cellStart > PAGE_SIZE || PAGE_HEADER_SIZE + count * SLOT_SIZE > cellStart) {
      this.#report(page, `of ${owner} has ${count} slots that run into cells at ${cellStart}`);
      return null;
    }
    const prefix = view.getUint16(base + OFFSET_PREFIX, true);
    const keys: Uint8Array[] = [];
    let used = count * SLOT_SIZE;
    for (let i = 0; i < count; i++) {
      const cell = cellAt(view, base, i);
      const length = keyLengthAt(view, base, i);
      const offset = cell - base;
      const isInside = offset >= cellStart && offset + cellHeader + length <= PAGE_SIZE;
      const size = isInside ? cellSizeAt(view, cell, length) : 0;
      if (!isInside || length > KEY_LENGTH_MAX || offset + size > PAGE_SIZE) {
        this.#report(page, `of ${owner} has slot ${i} with a cell outside of the page`);
        return null;
      }
      used += size;
      const key = bytes.slice(cell + cellHeader, cell + cellHeader + length);
      const previous = keys[i - 1];
      if (previous !== undefined && compareBytes(previous, key) >= 0) {
        this.#report(page, `of ${owner} has keys out of order at slot ${i}`);
      }
      const first = keys[0] ?? key;
      let isPrefixed = length >= prefix;
      for (let n = 0; n < prefix && isPrefixed; n++) isPrefixed = key[n] === first[n];
      if (!isPrefixed) this.#report(page, `of ${owner} has slot ${i} without the common prefix`);
      else if (
        view.getUint32(base + PAGE_HEADER_SIZE + i * SLOT_SIZE, true) !==
        headOf(key, prefix, length)
      ) {
        this.#report(page, `of ${owner} has slot ${i} with the head of another key`);
      }
      keys.push(key);
    }
    if (used !== usedBytes(view, base)) {
      this.#report(page, `of ${owner} uses ${used} bytes and says ${usedBytes(view, base)}`);
    }
    const first = keys[0];
    const last = keys[keys.length - 1];
    if (lower !== null && first !== undefined && compareBytes(first, lower) < 0) {
      this.#report(page, `of ${owner} has a key below the separator to its left`);
    }
    if (upper !== null && last !== undefined && compareBytes(last, upper) >= 0) {
      this.#report(page, `of ${owner} has a key at or above the separator to its right`);
    }
    return keys;
  }

  #checkChain(first: PageNumber, length: number, leaf: PageNumber, treeOwner: string): void {
    const owner = `a long value in page ${leaf} of ${treeOwner}`;
    let page = first;
    let rest = length;
    while (rest > 0) {
      if (page === 0) {
        this.#report(leaf, `of ${treeOwner} has a long value that ends ${rest} bytes early`);
        return;
      }
      const expected = Math.min(rest, OVERFLOW_CAPACITY);
      const at = page;
      let next = 0 as PageNumber;
      this.#visit(at, PAGE_KIND_OVERFLOW, owner, ({ view, base }) => {
        this.#treePageCount++;
        next = pageLink(view, base);
        const found = overflowLength(view, base);
        if (found !== expected) this.#report(at, `of ${owner} has ${found} bytes of ${expected}`);
      });
      rest -= expected;
      page = next;
    }
    if (page !== 0) this.#report(page, `of ${owner} is one too many`);
  }

  #checkFreeList(firstTrunk: PageNumber, freeCount: number): void {
    const owner = 'the free list';
    let counted = 0;
    let trunk = firstTrunk;
    while (trunk !== 0) {
      const at = trunk;
      trunk = 0 as PageNumber;
      this.#visit(at, PAGE_KIND_FREE_TRUNK, owner, ({ view, base }) => {
        trunk = pageLink(view, base);
        const count = pageCountField(view, base);
        if (count > FREE_TRUNK_CAPACITY) {
          this.#report(at, `of ${owner} has ${count} entries`);
          return;
        }
        counted += 1 + count;
        for (let i = 0; i < count; i++) {
          const page = freeEntryAt(view, base, i);
          if (page >= this.#pageCount) this.#report(page, `is free, but does not exist`);
          else if (this.#seen.has(page))
            this.#report(page, 'is free, and also in use or free twice');
          else this.#seen.add(page);
        }
      });
    }
    if (counted !== freeCount) {
      this.#report(META_PAGE, `counts ${freeCount} free pages, the free list has ${counted}`);
    }
  }
}

type EntryVisitor = (
  page: PageNumber,
  bytes: Uint8Array,
  view: DataView,
  base: number,
  i: number,
) => void;

function directoryEntry(bytes: Uint8Array, view: DataView, base: number, i: number) {
  const cell = cellAt(view, base, i);
  const start = cell + LEAF_CELL_HEADER;
  const length = keyLengthAt(view, base, i);
  const isDropped = length === DIRECTORY_KEY_LENGTH + 1 && bytes[start] === DROPPED_MARK;
  if (!isDropped && length !== DIRECTORY_KEY_LENGTH) return null;
  if (isLongValue(view, cell) || cellValueLength(view, cell) !== 4) return null;
  const tree = readDirectoryKey(bytes, isDropped ? start + 1 : start);
  return { tree, isDropped, root: view.getUint32(start + length, true) as PageNumber };
}
