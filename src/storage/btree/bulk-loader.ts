import { AssertionError, assert, compareByteRanges } from '../../base/index.ts';
import {
  appendLeafEntry,
  BRANCH_CELL_HEADER,
  finishLeaf,
  gapBytes,
  initializeBranch,
  initializeLeaf,
  insertBranchEntry,
  KEY_LENGTH_MAX,
  LEAF_CELL_HEADER,
  LONG_VALUE_SIZE,
  leafEntrySize,
  OFFSET_KIND,
  OFFSET_NUMBER,
  PAGE_HEADER_SIZE,
  PAGE_SIZE,
  type PageNumber,
  rebuildHeads,
  SLOT_SIZE,
  SLOTTED_CAPACITY,
  setPageLsn,
  slotCount,
  VALUE_INLINE_MAX,
} from '../page/index.ts';
import { NEWEST, PageRef } from '../pager/index.ts';
import type { TreeId } from '../tree.ts';
import { type BTreeWriter, shortestSeparator } from './b-tree-writer.ts';
import { keyTooLong } from './key-length.ts';

/** A page of one level that is being filled, in private memory. */
class OpenPage {
  readonly bytes = new Uint8Array(PAGE_SIZE);
  readonly view = new DataView(this.bytes.buffer);
  /** Separator before the page; empty for the first of its level. */
  readonly lower = new Uint8Array(KEY_LENGTH_MAX);
  lowerLength = 0;
}

/** Fills an empty tree from entries in ascending order, bottom-up, inside one commit group.
 *
 * Each level has one open page. A full page is written out once and enters its parent, so every page
 * is written once, and pages come in the order of the keys. The page that is alone on its level in
 * the end becomes the tree's root.
 */
export class BulkLoader {
  readonly #trees: BTreeWriter;
  readonly #root: PageNumber;
  /** Free bytes that a page keeps, by the fill factor. */
  readonly #spare: number;
  /** Open page by level. */
  readonly #open: OpenPage[] = [];
  readonly #ref = new PageRef();
  readonly #separator = new Uint8Array(KEY_LENGTH_MAX);
  readonly #longReference = new Uint8Array(LONG_VALUE_SIZE);
  readonly #longReferenceView = new DataView(this.#longReference.buffer);
  #entryCount = 0;
  // Of the open leaf: its entries, where the last of them lies, and the length of its key.
  #leafCount = 0;
  #cellStart = PAGE_SIZE;
  #lastKeyLength = 0;

  /** `fillFactor` is the part of each leaf that is used, 0.1 to 1. The tree must be there, and empty. */
  constructor(trees: BTreeWriter, tree: TreeId, fillFactor = 0.9) {
    assert(fillFactor >= 0.1 && fillFactor <= 1, `fill factor ${fillFactor}`);
    this.#trees = trees;
    this.#spare = Math.floor(SLOTTED_CAPACITY * (1 - fillFactor));
    trees.pager.reserve();
    this.#root = trees.roots.rootOf(tree, NEWEST);
    trees.pager.read(this.#root, this.#ref);
    assert(slotCount(this.#ref.view, this.#ref.base) === 0, `tree ${tree} is not empty`);
    this.#openPage(0, 0);
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  add(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    rowLsn: number,
  ): void {
    const keyLength = keyEnd - keyStart;
    if (keyLength > KEY_LENGTH_MAX) throw keyTooLong(keyLength);
    let bytes = value;
    let start = valueStart;
    let end = valueEnd;
    const long = valueEnd - valueStart > VALUE_INLINE_MAX;
    if (long) {
      const first = this.#trees.writeLong(value, valueStart, valueEnd);
      this.#longReferenceView.setUint32(0, first, true);
      this.#longReferenceView.setUint32(4, valueEnd - valueStart, true);
      bytes = this.#longReference;
      start = 0;
      end = LONG_VALUE_SIZE;
    }
    const leaf = this.#open[0]!;
    if (this.#leafCount > 0) {
      const last = this.#cellStart + LEAF_CELL_HEADER;
      const lastLength = this.#lastKeyLength;
      if (compareByteRanges(key, keyStart, keyEnd, leaf.bytes, last, last + lastLength) <= 0) {
        throw new AssertionError('a bulk load needs ascending keys');
      }
      const size = leafEntrySize(keyLength, end - start);
      const gap = this.#cellStart - PAGE_HEADER_SIZE - this.#leafCount * SLOT_SIZE;
      if (size > gap || gap - size < this.#spare) {
        const length = shortestSeparator(
          leaf.bytes,
          last,
          lastLength,
          key,
          keyStart,
          this.#separator,
        );
        this.#closePage(0);
        this.#openPage(0, 0);
        this.#setLower(leaf, length);
      }
    }
    this.#cellStart = appendLeafEntry(
      leaf.bytes,
      leaf.view,
      this.#leafCount++,
      this.#cellStart,
      key,
      keyStart,
      keyEnd,
      bytes,
      start,
      end,
      long,
      rowLsn,
    );
    this.#lastKeyLength = keyLength;
    this.#entryCount++;
  }

  /** Writes the pages still open. The tree is complete, and the loader done with. */
  finish(): void {
    // Closing a level may open the next one, so the number of levels is not known before.
    let level = 0;
    while (level < this.#open.length - 1) this.#closePage(level++);
    const top = this.#open[level]!;
    const { pager } = this.#trees;
    const ref = this.#ref;
    pager.reserve();
    pager.writable(this.#root, ref);
    this.#finishPage(top, level);
    ref.bytes.set(top.bytes.subarray(OFFSET_KIND), ref.base + OFFSET_KIND);
  }

  #openPage(level: number, firstChild: number): OpenPage {
    let page = this.#open[level];
    if (page === undefined) {
      page = new OpenPage();
      this.#open.push(page);
    }
    // Number and LSN are those of the page that it is copied to.
    if (level === 0) {
      initializeLeaf(page.bytes, page.view, 0, 0 as PageNumber, 0);
      this.#leafCount = 0;
      this.#cellStart = PAGE_SIZE;
    } else initializeBranch(page.bytes, page.view, 0, 0 as PageNumber, level, firstChild, 0);
    return page;
  }

  #setLower(page: OpenPage, length: number): void {
    page.lower.set(this.#separator.subarray(0, length));
    page.lowerLength = length;
  }

  /** Writes the open page of a level to a page of the store and enters that into the level above. */
  #closePage(level: number): void {
    const page = this.#open[level]!;
    const { pager } = this.#trees;
    const ref = this.#ref;
    this.#finishPage(page, level);
    pager.reserve();
    const number = pager.allocate(ref);
    ref.bytes.set(page.bytes, ref.base);
    ref.view.setUint32(ref.base + OFFSET_NUMBER, number, true);
    setPageLsn(ref.view, ref.base, pager.groupLsn);
    this.#addChild(level + 1, page, number);
  }

  #finishPage(page: OpenPage, level: number): void {
    if (level === 0) finishLeaf(page.bytes, page.view, this.#leafCount, this.#cellStart);
    else rebuildHeads(page.bytes, page.view, 0, BRANCH_CELL_HEADER);
  }

  #addChild(level: number, below: OpenPage, child: PageNumber): void {
    const parent = this.#open[level];
    if (parent === undefined) {
      this.#openPage(level, child);
      return;
    }
    const count = slotCount(parent.view, 0);
    const { bytes, view } = parent;
    const size = SLOT_SIZE + BRANCH_CELL_HEADER + below.lowerLength;
    if (size > gapBytes(view, 0)) {
      this.#closePage(level);
      this.#openPage(level, child);
      parent.lower.set(below.lower.subarray(0, below.lowerLength));
      parent.lowerLength = below.lowerLength;
      return;
    }
    insertBranchEntry(bytes, view, 0, count, below.lower, 0, below.lowerLength, child);
  }
}
