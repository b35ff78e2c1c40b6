import { AssertionError, assert, compareByteRanges } from '../../base/index.ts';
import {
  appendCopy,
  BRANCH_CELL_HEADER,
  branchCellSize,
  cellAt,
  cellValueLength,
  childAt,
  childIndexOf,
  commonPrefix,
  initializeBranch,
  initializeLeaf,
  insertBranchEntry,
  insertLeafEntry,
  isLongValue,
  KEY_LENGTH_MAX,
  keyLengthAt,
  LEAF_CELL_HEADER,
  LONG_VALUE_SIZE,
  leafCellSize,
  leafEntrySize,
  OFFSET_KIND,
  OFFSET_NUMBER,
  OVERFLOW_CAPACITY,
  overwriteLeafValue,
  PAGE_KIND_BRANCH,
  PAGE_SIZE,
  type PageNumber,
  pageKind,
  pageLevel,
  pageLink,
  rebuildHeads,
  removeBranchEntry,
  removeLeafEntry,
  SLOT_SIZE,
  SLOTTED_CAPACITY,
  searchSlots,
  setPageLink,
  slotCount,
  truncateSlots,
  usedBytes,
  VALUE_INLINE_MAX,
  writeOverflow,
} from '../page/index.ts';
import { NEWEST, PageRef, type PageWriter } from '../pager/index.ts';
import type { TreeId } from '../tree.ts';
import { keyTooLong } from './key-length.ts';
import { TreePath } from './tree-path.ts';
import {
  DIRECTORY_KEY_LENGTH,
  DROPPED_MARK,
  rootInEntry,
  TreeRoots,
  writeDirectoryKey,
} from './tree-roots.ts';

/** A page that uses less than this is merged with a sibling if both fit into one page. */
const UNDERFULL = SLOTTED_CAPACITY >> 2;
/** A merge leaves this much room, so that the next inserts do not split the page again. */
const MERGED_MAX = SLOTTED_CAPACITY - (SLOTTED_CAPACITY >> 3);

/** Changes the trees; on the writer thread alone, inside a commit group of the pager.
 *
 * Every change is idempotent in effect, as redo needs it: a put replaces, a delete or drop of what is
 * absent does nothing. The root page of a tree never changes: when it splits, its content moves into
 * a new child, and when one child is left, that child's content moves back.
 *
 * Trees are changed in the newest version of their pages, so one change sees those before it.
 */
export class BTreeWriter {
  readonly pager: PageWriter;
  readonly roots: TreeRoots;
  readonly #path = new TreePath();
  /** The leaf that `#path` leads to, in the tree of a root, while the next key is likely to be there too, as
   * in large commits, which come in the order of keys; else 0. Until pages are split or merged. */
  #near = 0 as PageNumber;
  /** The leaf of the last search from a root, and that root. */
  #lastLeaf = 0 as PageNumber;
  #lastRoot = 0 as PageNumber;
  readonly #page = new PageRef();
  readonly #right = new PageRef();
  readonly #parent = new PageRef();
  readonly #other = new PageRef();
  /** Separator on its way up, and the one that a branch split sends up after it. */
  #separator = new Uint8Array(KEY_LENGTH_MAX);
  #separatorLength = 0;
  #promoted = new Uint8Array(KEY_LENGTH_MAX);
  /** The page that the last split made, which `#right` shows. */
  #rightPage = 0 as PageNumber;
  readonly #longReference = new Uint8Array(LONG_VALUE_SIZE);
  readonly #longReferenceView = new DataView(this.#longReference.buffer);
  /** First pages of long values that belong to no entry any more. */
  readonly #abandoned: PageNumber[] = [];
  readonly #directoryKey = new Uint8Array(1 + DIRECTORY_KEY_LENGTH);
  readonly #directoryValue = new Uint8Array(4);

  constructor(pager: PageWriter) {
    this.pager = pager;
    this.roots = new TreeRoots(pager.reader);
  }

  /** Makes an empty tree; nothing if there is one with this id. */
  createTree(tree: TreeId): void {
    this.pager.reserve();
    if (this.roots.find(tree, NEWEST) !== 0) return;
    const ref = this.#page;
    const root = this.pager.allocate(ref);
    initializeLeaf(ref.bytes, ref.view, ref.base, root, this.pager.groupLsn);
    this.#putRoot(tree, false, root);
  }

  hasTree(tree: TreeId): boolean {
    this.pager.reserve();
    return this.roots.find(tree, NEWEST) !== 0;
  }

  /** Whether a tree, which is there, has no entries. */
  isEmpty(tree: TreeId): boolean {
    this.pager.reserve();
    const ref = this.#page;
    this.pager.read(this.roots.rootOf(tree, NEWEST), ref);
    return (
      pageKind(ref.bytes, ref.base) !== PAGE_KIND_BRANCH && slotCount(ref.view, ref.base) === 0
    );
  }

  /** Sets the value of a key. Fails with 54000 if the key is longer than KEY_LENGTH_MAX. */
  put(
    tree: TreeId,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    rowLsn: number,
  ): void {
    if (keyEnd - keyStart > KEY_LENGTH_MAX) throw keyTooLong(keyEnd - keyStart);
    let replaced: number;
    if (valueEnd - valueStart > VALUE_INLINE_MAX) {
      const first = this.writeLong(value, valueStart, valueEnd);
      this.#longReferenceView.setUint32(0, first, true);
      this.#longReferenceView.setUint32(4, valueEnd - valueStart, true);
      const reference = this.#longReference;
      this.pager.reserve();
      const root = this.roots.rootOf(tree, NEWEST);
      replaced = this.#put(
        root,
        key,
        keyStart,
        keyEnd,
        reference,
        0,
        LONG_VALUE_SIZE,
        true,
        rowLsn,
      );
    } else {
      this.pager.reserve();
      const root = this.roots.rootOf(tree, NEWEST);
      replaced = this.#put(root, key, keyStart, keyEnd, value, valueStart, valueEnd, false, rowLsn);
    }
    this.#freeLong(replaced);
  }

  /** Removes a key; false when it is absent. */
  delete(tree: TreeId, key: Uint8Array, keyStart: number, keyEnd: number): boolean {
    this.pager.reserve();
    const removed = this.#delete(this.roots.rootOf(tree, NEWEST), key, keyStart, keyEnd);
    if (removed < 0) return false;
    this.#freeLong(removed);
    return true;
  }

  /** Takes a tree out of the directory; nothing if it is not there. Its pages are freed by
   * `freeDropped`, in this group or later ones, also after a restart. */
  dropTree(tree: TreeId): void {
    this.pager.reserve();
    const root = this.roots.find(tree, NEWEST);
    if (root === 0) return;
    this.roots.forget(tree);
    const directory = this.roots.directory(NEWEST);
    writeDirectoryKey(this.#directoryKey, 0, tree);
    this.#delete(directory, this.#directoryKey, 0, DIRECTORY_KEY_LENGTH);
    this.pager.reserve();
    this.#putRoot(tree, true, root);
  }

  /** Frees some `pageCount` pages of dropped trees; true while there are more. */
  freeDropped(pageCount: number): boolean {
    let budget = pageCount;
    while (budget > 0) {
      this.pager.reserve();
      const root = this.#findDropped();
      if (root === 0) return false;
      budget -= this.#freeLeftmostLeaf(root);
    }
    this.pager.reserve();
    return this.#findDropped() !== 0;
  }

  /** Writes a long value to overflow pages, last part first, and returns the first page. */
  writeLong(value: Uint8Array, start: number, end: number): PageNumber {
    this.freeAbandoned();
    const ref = this.#page;
    const { pager } = this;
    let next = 0 as PageNumber;
    const partCount = Math.ceil((end - start) / OVERFLOW_CAPACITY);
    try {
      for (let part = partCount - 1; part >= 0; part--) {
        const from = start + part * OVERFLOW_CAPACITY;
        const bytes = value.subarray(from, Math.min(end, from + OVERFLOW_CAPACITY));
        pager.reserve();
        const page = pager.allocate(ref);
        writeOverflow(ref.bytes, ref.view, ref.base, page, pager.groupLsn, next, bytes);
        next = page;
      }
    } catch (thrown) {
      if (next !== 0) this.#abandoned.push(next);
      throw thrown;
    }
    return next;
  }

  /** Frees what an operation left behind that a full disk stopped; before its group is published. */
  freeAbandoned(): void {
    for (;;) {
      const first = this.#abandoned.pop();
      if (first === undefined) return;
      this.#freeLong(first);
    }
  }

  /** Frees a chain of overflow pages; returns how many. */
  #freeLong(first: number): number {
    let page = first as PageNumber;
    let count = 0;
    try {
      while (page !== 0) {
        this.pager.reserve();
        this.pager.read(page, this.#page);
        const next = pageLink(this.#page.view, this.#page.base);
        this.pager.free(page);
        page = next;
        count++;
      }
    } catch (thrown) {
      this.#abandoned.push(page);
      throw thrown;
    }
    return count;
  }

  #putRoot(tree: TreeId, isDropped: boolean, root: PageNumber): void {
    const key = this.#directoryKey;
    key[0] = DROPPED_MARK;
    const at = isDropped ? 1 : 0;
    writeDirectoryKey(key, at, tree);
    const value = this.#directoryValue;
    for (let i = 0; i < 4; i++) value[i] = root >>> (8 * i);
    const directory = this.roots.directory(NEWEST);
    const keyEnd = at + DIRECTORY_KEY_LENGTH;
    this.#put(directory, key, 0, keyEnd, value, 0, 4, false, this.pager.groupLsn);
  }

  /** Reads down to the leaf for a key, which `#page` then shows. */
  #descend(root: PageNumber, key: Uint8Array, keyStart: number, keyEnd: number): PageNumber {
    const { pager } = this;
    const ref = this.#page;
    if (this.#near !== 0 && root === this.#lastRoot && this.#isNear(key, keyStart, keyEnd)) {
      return this.#near;
    }
    const path = this.#path;
    path.reset();
    let page = root;
    pager.read(page, ref);
    while (pageKind(ref.bytes, ref.base) === PAGE_KIND_BRANCH) {
      const index = childIndexOf(ref.bytes, ref.view, ref.base, key, keyStart, keyEnd);
      path.push(page, index, index === slotCount(ref.view, ref.base));
      page = childAt(ref.view, ref.base, index);
      pager.read(page, ref);
    }
    this.#near = (page === this.#lastLeaf && root === this.#lastRoot ? page : 0) as PageNumber;
    this.#lastLeaf = page;
    this.#lastRoot = root;
    return page;
  }

  /** Whether the leaf of the last search, which `#page` then shows, has entries on both sides of the key, or
   * the key itself. */
  #isNear(key: Uint8Array, keyStart: number, keyEnd: number): boolean {
    const ref = this.#page;
    this.pager.read(this.#near, ref);
    const { bytes, view, base } = ref;
    // A bulk load makes a branch of a root that was an empty leaf.
    if (pageKind(bytes, base) === PAGE_KIND_BRANCH) return false;
    const last = slotCount(view, base) - 1;
    if (last < 0) return false;
    return (
      compareLeafKey(ref, last, key, keyStart, keyEnd) >= 0 &&
      compareLeafKey(ref, 0, key, keyStart, keyEnd) <= 0
    );
  }

  /** Returns the first overflow page of the long value that was replaced, or 0. */
  #put(
    root: PageNumber,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    long: boolean,
    rowLsn: number,
  ): number {
    const page = this.#descend(root, key, keyStart, keyEnd);
    const ref = this.#page;
    this.pager.writable(page, ref);
    const { bytes, view, base } = ref;
    let i = searchSlots(bytes, view, base, key, keyStart, keyEnd, LEAF_CELL_HEADER);
    let replaced = 0;
    if (i >= 0) {
      replaced = longPageAt(view, base, i);
      if (overwriteLeafValue(bytes, view, base, i, value, valueStart, valueEnd, long, rowLsn)) {
        return replaced;
      }
      removeLeafEntry(bytes, view, base, i);
    } else {
      i = ~i;
    }
    const fits = insertLeafEntry(
      bytes,
      view,
      base,
      i,
      key,
      keyStart,
      keyEnd,
      value,
      valueStart,
      valueEnd,
      long,
      rowLsn,
    );
    if (fits) return replaced;
    const isLeft = this.#splitLeaf(
      root,
      page,
      i,
      leafEntrySize(keyEnd - keyStart, valueEnd - valueStart),
    );
    const target = isLeft ? ref : this.#right;
    const at = isLeft ? i : i - slotCount(ref.view, ref.base);
    const isIn = insertLeafEntry(
      target.bytes,
      target.view,
      target.base,
      at,
      key,
      keyStart,
      keyEnd,
      value,
      valueStart,
      valueEnd,
      long,
      rowLsn,
    );
    if (!isIn) throw new AssertionError('an entry does not fit into half a page');
    this.#makeSeparator();
    this.#insertIntoParent(root, this.#path.depth - 1, this.#rightPage);
    return replaced;
  }

  /** Splits the leaf that `#page` shows for a new entry at slot i, into it and `#right`; true when the
   * entry goes to the left. */
  #splitLeaf(root: PageNumber, leaf: PageNumber, i: number, entrySize: number): boolean {
    const left = this.#page;
    const right = this.#right;
    this.#near = 0 as PageNumber;
    if (leaf === root) this.#growRoot(root);
    const count = slotCount(left.view, left.base);
    const isAppend = i === count && this.#path.isRightmost;
    const split = isAppend ? count : chooseSplit(left.view, left.base, count, i, entrySize);
    this.#rightPage = this.pager.allocate(right);
    initializeLeaf(right.bytes, right.view, right.base, this.#rightPage, this.pager.groupLsn);
    // `split` counts entries of the left page with the new one among them, `keep` without it.
    const isLeft = i < split;
    const keep = isLeft ? split - 1 : split;
    for (let slot = keep; slot < count; slot++) {
      appendCopy(
        right.bytes,
        right.view,
        right.base,
        left.bytes,
        left.view,
        left.base,
        slot,
        leafCellSize,
      );
    }
    rebuildHeads(right.bytes, right.view, right.base, LEAF_CELL_HEADER);
    if (keep < count) {
      truncateSlots(left.bytes, left.view, left.base, keep, LEAF_CELL_HEADER, leafCellSize);
    }
    return isLeft;
  }

  /** Sets the separator to the shortest key that is above `#page`'s last and not above `#right`'s first. */
  #makeSeparator(): void {
    const left = this.#page;
    const right = this.#right;
    const last = slotCount(left.view, left.base) - 1;
    this.#separatorLength = shortestSeparator(
      left.bytes,
      cellAt(left.view, left.base, last) + LEAF_CELL_HEADER,
      keyLengthAt(left.view, left.base, last),
      right.bytes,
      cellAt(right.view, right.base, 0) + LEAF_CELL_HEADER,
      this.#separator,
    );
  }

  /** Moves the root's content to a new page, which `#page` then shows, below an empty branch. */
  #growRoot(root: PageNumber): void {
    const { pager } = this;
    const moved = this.#page;
    const old = this.#other;
    pager.writable(root, old);
    const page = pager.allocate(moved);
    moved.bytes.set(old.bytes.subarray(old.base, old.base + PAGE_SIZE), moved.base);
    moved.view.setUint32(moved.base + OFFSET_NUMBER, page, true);
    const level = pageLevel(old.bytes, old.base) + 1;
    initializeBranch(old.bytes, old.view, old.base, root, level, page, pager.groupLsn);
    this.#path.pushRoot(root);
  }

  /** Enters the separator and the page to its right into the branch at this depth of the path, to the
   * right of the child taken there. */
  #insertIntoParent(root: PageNumber, depth: number, child: PageNumber): void {
    const parent = this.#page;
    const path = this.#path;
    const i = path.indexes[depth]!;
    const page = path.pageAt(depth);
    this.pager.writable(page, parent);
    const { bytes, view, base } = parent;
    if (insertBranchEntry(bytes, view, base, i, this.#separator, 0, this.#separatorLength, child)) {
      return;
    }
    if (page === root) {
      this.#growRoot(root);
      this.#splitBranch(root, depth + 1, i, child);
    } else {
      this.#splitBranch(root, depth, i, child);
    }
  }

  /** Splits the branch that `#page` shows, enters the separator at slot i, and sends the middle key up. */
  #splitBranch(root: PageNumber, depth: number, i: number, child: PageNumber): void {
    const left = this.#page;
    const right = this.#right;
    const count = slotCount(left.view, left.base);
    const isAppend = i === count && this.#path.isRightmost;
    const middle = isAppend ? count - 1 : chooseMiddle(left.view, left.base, count);
    const level = pageLevel(left.bytes, left.base);
    const rightPage = this.pager.allocate(right);
    const firstChild = childAt(left.view, left.base, middle + 1);
    const { groupLsn } = this.pager;
    initializeBranch(right.bytes, right.view, right.base, rightPage, level, firstChild, groupLsn);
    for (let slot = middle + 1; slot < count; slot++) {
      appendCopy(
        right.bytes,
        right.view,
        right.base,
        left.bytes,
        left.view,
        left.base,
        slot,
        branchCellSize,
      );
    }
    rebuildHeads(right.bytes, right.view, right.base, BRANCH_CELL_HEADER);
    const key = cellAt(left.view, left.base, middle) + BRANCH_CELL_HEADER;
    const keyLength = keyLengthAt(left.view, left.base, middle);
    this.#promoted.set(left.bytes.subarray(key, key + keyLength));
    truncateSlots(left.bytes, left.view, left.base, middle, BRANCH_CELL_HEADER, branchCellSize);
    const target = i <= middle ? left : right;
    const isIn = insertBranchEntry(
      target.bytes,
      target.view,
      target.base,
      i <= middle ? i : i - middle - 1,
      this.#separator,
      0,
      this.#separatorLength,
      child,
    );
    if (!isIn) throw new AssertionError('a separator does not fit into half a page');
    const promoted = this.#promoted;
    this.#promoted = this.#separator;
    this.#separator = promoted;
    this.#separatorLength = keyLength;
    this.#insertIntoParent(root, depth - 1, rightPage);
  }

  /** Returns the first overflow page of the removed value, 0 if it was not long, -1 if the key is
   * absent. */
  #delete(root: PageNumber, key: Uint8Array, keyStart: number, keyEnd: number): number {
    const page = this.#descend(root, key, keyStart, keyEnd);
    const ref = this.#page;
    const i = searchSlots(ref.bytes, ref.view, ref.base, key, keyStart, keyEnd, LEAF_CELL_HEADER);
    if (i < 0) return -1;
    this.pager.writable(page, ref);
    const removed = longPageAt(ref.view, ref.base, i);
    removeLeafEntry(ref.bytes, ref.view, ref.base, i);
    if (this.#path.depth > 0 && usedBytes(ref.view, ref.base) < UNDERFULL) {
      this.#mergeLeaf(root, page);
    }
    return removed;
  }

  /** Merges the leaf that `#page` shows with a sibling, or removes it when it is empty. */
  #mergeLeaf(root: PageNumber, page: PageNumber): void {
    const depth = this.#path.depth - 1;
    if (slotCount(this.#page.view, this.#page.base) === 0) {
      this.pager.free(page);
      this.#removeChild(root, depth, this.#path.indexes[depth]!);
      return;
    }
    const parent = this.#parent;
    this.pager.read(this.#path.pageAt(depth), parent);
    const index = this.#path.indexes[depth]!;
    const used = usedBytes(this.#page.view, this.#page.base);
    if (index > 0) {
      const sibling = childAt(parent.view, parent.base, index - 1);
      if (this.#fitsWith(sibling, used)) {
        this.#mergeLeaves(root, depth, index - 1, sibling, page);
        return;
      }
    }
    if (index < slotCount(parent.view, parent.base)) {
      const sibling = childAt(parent.view, parent.base, index + 1);
      if (this.#fitsWith(sibling, used)) this.#mergeLeaves(root, depth, index, page, sibling);
    }
  }

  #fitsWith(sibling: PageNumber, used: number): boolean {
    this.pager.read(sibling, this.#other);
    return usedBytes(this.#other.view, this.#other.base) + used <= MERGED_MAX;
  }

  /** Moves the entries of the leaf `right` to the leaf `left`, child `index` of the branch at `depth`. */
  #mergeLeaves(
    root: PageNumber,
    depth: number,
    index: number,
    left: PageNumber,
    right: PageNumber,
  ): void {
    const to = this.#page;
    const from = this.#other;
    this.pager.writable(left, to);
    this.pager.read(right, from);
    this.#makeRoomFor(to, from, 0, LEAF_CELL_HEADER, leafCellSize);
    const count = slotCount(from.view, from.base);
    for (let slot = 0; slot < count; slot++) {
      appendCopy(to.bytes, to.view, to.base, from.bytes, from.view, from.base, slot, leafCellSize);
    }
    rebuildHeads(to.bytes, to.view, to.base, LEAF_CELL_HEADER);
    this.pager.free(right);
    this.#removeChild(root, depth, index + 1);
  }

  /** Compacts `to` so that all cells of `from`, and `extra` bytes, can be appended. */
  #makeRoomFor(
    to: PageRef,
    from: PageRef,
    extra: number,
    cellHeader: number,
    cellSizeAt: (view: DataView, cell: number, keyLength: number) => number,
  ): void {
    const count = slotCount(to.view, to.base);
    truncateSlots(to.bytes, to.view, to.base, count, cellHeader, cellSizeAt);
    const used = usedBytes(to.view, to.base) + usedBytes(from.view, from.base) + extra;
    assert(used <= SLOTTED_CAPACITY, 'two pages do not fit into one');
  }

  /** Takes child `index`, which is free already, out of the branch at `depth`. */
  #removeChild(root: PageNumber, depth: number, index: number): void {
    const branch = this.#page;
    const page = this.#path.pageAt(depth);
    this.#near = 0 as PageNumber;
    this.pager.writable(page, branch);
    const { bytes, view, base } = branch;
    if (slotCount(view, base) === 0) {
      if (depth === 0) {
        initializeLeaf(bytes, view, base, root, this.pager.groupLsn);
        return;
      }
      this.pager.free(page);
      this.#removeChild(root, depth - 1, this.#path.indexes[depth - 1]!);
      return;
    }
    if (index === 0) {
      setPageLink(view, base, childAt(view, base, 1));
      removeBranchEntry(bytes, view, base, 0);
    } else {
      removeBranchEntry(bytes, view, base, index - 1);
    }
    if (depth === 0) this.#shrinkRoot();
    else if (usedBytes(view, base) < UNDERFULL) this.#mergeBranch(root, depth, page);
  }

  /** While the root has one child, takes its content. `#page` shows the root. */
  #shrinkRoot(): void {
    const ref = this.#page;
    const child = this.#other;
    while (
      pageKind(ref.bytes, ref.base) === PAGE_KIND_BRANCH &&
      slotCount(ref.view, ref.base) === 0
    ) {
      const page = pageLink(ref.view, ref.base);
      this.pager.read(page, child);
      // All but checksum, page number and version LSN.
      const content = child.bytes.subarray(child.base + OFFSET_KIND, child.base + PAGE_SIZE);
      ref.bytes.set(content, ref.base + OFFSET_KIND);
      this.pager.free(page);
    }
  }

  /** Merges the branch that `#page` shows with a sibling, if they fit. */
  #mergeBranch(root: PageNumber, depth: number, page: PageNumber): void {
    const above = depth - 1;
    const parent = this.#parent;
    this.pager.read(this.#path.pageAt(above), parent);
    const index = this.#path.indexes[above]!;
    const used = usedBytes(this.#page.view, this.#page.base);
    const { view, base } = parent;
    if (index > 0) {
      const sibling = childAt(view, base, index - 1);
      const separator = SLOT_SIZE + BRANCH_CELL_HEADER + keyLengthAt(view, base, index - 1);
      if (this.#fitsWith(sibling, used + separator)) {
        this.#mergeBranches(root, above, index - 1, sibling, page);
        return;
      }
    }
    if (index < slotCount(view, base)) {
      const sibling = childAt(view, base, index + 1);
      const separator = SLOT_SIZE + BRANCH_CELL_HEADER + keyLengthAt(view, base, index);
      if (this.#fitsWith(sibling, used + separator)) {
        this.#mergeBranches(root, above, index, page, sibling);
      }
    }
  }

  /** As #mergeLeaves; the separator between the two comes down from the branch at `depth`. */
  #mergeBranches(
    root: PageNumber,
    depth: number,
    index: number,
    left: PageNumber,
    right: PageNumber,
  ): void {
    const to = this.#page;
    const from = this.#other;
    const parent = this.#parent;
    this.pager.writable(left, to);
    this.pager.read(right, from);
    const keyStart = cellAt(parent.view, parent.base, index) + BRANCH_CELL_HEADER;
    const keyEnd = keyStart + keyLengthAt(parent.view, parent.base, index);
    const separator = SLOT_SIZE + BRANCH_CELL_HEADER + keyEnd - keyStart;
    this.#makeRoomFor(to, from, separator, BRANCH_CELL_HEADER, branchCellSize);
    insertBranchEntry(
      to.bytes,
      to.view,
      to.base,
      slotCount(to.view, to.base),
      parent.bytes,
      keyStart,
      keyEnd,
      pageLink(from.view, from.base),
    );
    const count = slotCount(from.view, from.base);
    for (let slot = 0; slot < count; slot++) {
      appendCopy(
        to.bytes,
        to.view,
        to.base,
        from.bytes,
        from.view,
        from.base,
        slot,
        branchCellSize,
      );
    }
    rebuildHeads(to.bytes, to.view, to.base, BRANCH_CELL_HEADER);
    this.pager.free(right);
    this.#removeChild(root, depth, index + 1);
  }

  /** Root of a dropped tree, whose directory key is then in `#directoryKey`; 0 when there is none. */
  #findDropped(): PageNumber {
    const key = this.#directoryKey;
    key[0] = DROPPED_MARK;
    // The marked keys are the last of the directory, so its last entry tells.
    this.#descendToEdge(this.roots.directory(NEWEST), true);
    const { bytes, view, base } = this.#page;
    const last = slotCount(view, base) - 1;
    if (last < 0) return 0 as PageNumber;
    const start = cellAt(view, base, last) + LEAF_CELL_HEADER;
    const length = keyLengthAt(view, base, last);
    if (length !== key.length || bytes[start] !== DROPPED_MARK) return 0 as PageNumber;
    key.set(bytes.subarray(start, start + length));
    return rootInEntry(view, base, last);
  }

  #descendToEdge(root: PageNumber, isLast: boolean): PageNumber {
    const ref = this.#page;
    this.#near = 0 as PageNumber;
    this.#path.reset();
    let page = root;
    this.pager.read(page, ref);
    while (pageKind(ref.bytes, ref.base) === PAGE_KIND_BRANCH) {
      const index = isLast ? slotCount(ref.view, ref.base) : 0;
      this.#path.push(page, index, isLast);
      page = childAt(ref.view, ref.base, index);
      this.pager.read(page, ref);
    }
    return page;
  }

  /** Frees the first leaf of a dropped tree with its long values and the branches that it leaves
   * empty; with the root, the directory entry goes. Returns how many pages. */
  #freeLeftmostLeaf(root: PageNumber): number {
    let freed = 1;
    for (;;) {
      this.pager.reserve();
      const leaf = this.#descendToEdge(root, false);
      const ref = this.#page;
      const i = lastLongEntry(ref.view, ref.base);
      if (i < 0) {
        this.pager.free(leaf);
        break;
      }
      this.pager.writable(leaf, ref);
      const first = longPageAt(ref.view, ref.base, i);
      removeLeafEntry(ref.bytes, ref.view, ref.base, i);
      freed += this.#freeLong(first);
    }
    const ref = this.#page;
    for (let depth = this.#path.depth - 1; depth >= 0; depth--) {
      const page = this.#path.pageAt(depth);
      this.pager.read(page, ref);
      if (slotCount(ref.view, ref.base) > 0) {
        this.pager.writable(page, ref);
        setPageLink(ref.view, ref.base, childAt(ref.view, ref.base, 1));
        removeBranchEntry(ref.bytes, ref.view, ref.base, 0);
        return freed;
      }
      this.pager.free(page);
      freed++;
    }
    this.pager.reserve();
    const key = this.#directoryKey;
    this.#delete(this.roots.directory(NEWEST), key, 0, key.length);
    return freed;
  }
}

/** First overflow page of the value at slot i, or 0. */
function longPageAt(view: DataView, base: number, i: number): number {
  const cell = cellAt(view, base, i);
  if (!isLongValue(view, cell)) return 0;
  return view.getUint32(cell + LEAF_CELL_HEADER + keyLengthAt(view, base, i), true);
}

/** Order of an entry of a leaf relative to a key. */
function compareLeafKey(
  { bytes, view, base }: PageRef,
  i: number,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
): number {
  const start = cellAt(view, base, i) + LEAF_CELL_HEADER;
  const end = start + keyLengthAt(view, base, i);
  return compareByteRanges(bytes, start, end, key, keyStart, keyEnd);
}

function lastLongEntry(view: DataView, base: number): number {
  for (let i = slotCount(view, base) - 1; i >= 0; i--) {
    if (isLongValue(view, cellAt(view, base, i))) return i;
  }
  return -1;
}

/** How many of a full leaf's entries and the new one, which would be slot i, go to the left so that
 * the two halves are closest to equal bytes. Both then fit, because no entry exceeds half a page. */
function chooseSplit(
  view: DataView,
  base: number,
  count: number,
  i: number,
  entrySize: number,
): number {
  const half = (usedBytes(view, base) + entrySize) / 2;
  let left = 0;
  for (let n = 0; n <= count; n++) {
    const slot = n < i ? n : n - 1;
    const size = n === i ? entrySize : entrySizeAt(view, base, slot);
    if (left + size / 2 > half) return Math.max(1, n);
    left += size;
  }
  return count;
}

function entrySizeAt(view: DataView, base: number, i: number): number {
  return leafEntrySize(keyLengthAt(view, base, i), cellValueLength(view, cellAt(view, base, i)));
}

/** The slot of a full branch that has closest to half the bytes on either side; never the last. */
function chooseMiddle(view: DataView, base: number, count: number): number {
  const half = usedBytes(view, base) / 2;
  let left = 0;
  for (let i = 0; i < count - 1; i++) {
    left += SLOT_SIZE + BRANCH_CELL_HEADER + keyLengthAt(view, base, i);
    if (left >= half) return i;
  }
  return count - 2;
}

/** Copies to `separator` the shortest prefix of the right key that is above the left key. */
export function shortestSeparator(
  left: Uint8Array,
  leftStart: number,
  leftLength: number,
  right: Uint8Array,
  rightStart: number,
  separator: Uint8Array,
): number {
  const length = commonPrefix(left, leftStart, right, rightStart, leftLength) + 1;
  for (let i = 0; i < length; i++) separator[i] = right[rightStart + i]!;
  return length;
}
