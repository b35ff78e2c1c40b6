import { AssertionError } from '../../base/index.ts';
import {
  cellAt,
  childAt,
  childIndexOf,
  isLongValue,
  keyLengthAt,
  LEAF_CELL_HEADER,
  META_PAGE,
  metaDirectory,
  PAGE_KIND_BRANCH,
  type PageNumber,
  pageKind,
  searchSlots,
} from '../page/index.ts';
import { type PageReader, PageRef } from '../pager/index.ts';
import type { TreeId } from '../tree.ts';

/** The tree directory: a tree rooted at the page that the meta page names. Its entries are
 *
 *   key                          value
 *   8 bytes, tree id big-endian  4 bytes, root page of the tree
 *   0xff, then such a key        4 bytes, root page of a dropped tree whose pages are not all free yet
 *
 * A root page stays the same for the life of its tree, and ids are never reused. */
export const DIRECTORY_KEY_LENGTH = 8;
export const DROPPED_MARK = 0xff;

export function writeDirectoryKey(key: Uint8Array, at: number, tree: TreeId): void {
  let high = Math.floor(tree / 0x1_0000_0000);
  let low = tree >>> 0;
  for (let i = 3; i >= 0; i--) {
    key[at + i] = high;
    key[at + 4 + i] = low;
    high >>>= 8;
    low >>>= 8;
  }
}

export function readDirectoryKey(bytes: Uint8Array, at: number): TreeId {
  let tree = 0;
  for (let i = 0; i < DIRECTORY_KEY_LENGTH; i++) tree = tree * 256 + bytes[at + i]!;
  return tree as TreeId;
}

interface KnownRoot {
  readonly page: PageNumber;
  /** The oldest snapshot at which it was found. */
  readonly since: number;
}

/** Trees that a thread remembers the roots of, before it starts anew. */
const REMEMBERED_MAX = 16384;

/** Finds the root pages of trees, and remembers them, for all cursors of a thread. */
export class TreeRoots {
  readonly #reader: PageReader;
  readonly #roots = new Map<TreeId, KnownRoot>();
  readonly #key = new Uint8Array(DIRECTORY_KEY_LENGTH);
  readonly #ref = new PageRef();
  #directory = 0;

  constructor(reader: PageReader) {
    this.#reader = reader;
  }

  /** Root page of a tree that exists at the snapshot. */
  rootOf(tree: TreeId, snapshot: number): PageNumber {
    const root = this.find(tree, snapshot);
    if (root === 0) throw new AssertionError(`tree ${tree} does not exist`);
    return root;
  }

  /** Root page of a tree, or 0. */
  find(tree: TreeId, snapshot: number): PageNumber {
    const known = this.#roots.get(tree);
    // At an older snapshot the tree may not have been there, and its root page may have been another's.
    if (known !== undefined && known.since <= snapshot) return known.page;
    const reader = this.#reader;
    const ref = this.#ref;
    writeDirectoryKey(this.#key, 0, tree);
    let page = this.directory(snapshot);
    reader.resolve(page, snapshot, ref);
    while (pageKind(ref.bytes, ref.base) === PAGE_KIND_BRANCH) {
      const index = childIndexOf(ref.bytes, ref.view, ref.base, this.#key, 0, DIRECTORY_KEY_LENGTH);
      page = childAt(ref.view, ref.base, index);
      reader.resolve(page, snapshot, ref);
    }
    const { bytes, view, base } = ref;
    const i = searchSlots(bytes, view, base, this.#key, 0, DIRECTORY_KEY_LENGTH, LEAF_CELL_HEADER);
    if (i < 0) return 0 as PageNumber;
    const root = rootInEntry(view, base, i);
    if (this.#roots.size >= REMEMBERED_MAX) this.#roots.clear();
    this.#roots.set(tree, { page: root, since: snapshot });
    return root;
  }

  /** Root page of the directory itself. */
  directory(snapshot: number): PageNumber {
    if (this.#directory === 0) {
      this.#reader.resolve(META_PAGE, snapshot, this.#ref);
      this.#directory = metaDirectory(this.#ref.view, this.#ref.base);
    }
    return this.#directory as PageNumber;
  }

  forget(tree: TreeId): void {
    this.#roots.delete(tree);
  }
}

/** The root page in entry i of a leaf of the directory. */
export function rootInEntry(view: DataView, base: number, i: number): PageNumber {
  const cell = cellAt(view, base, i);
  if (isLongValue(view, cell)) throw new AssertionError('a long value in the tree directory');
  const at = cell + LEAF_CELL_HEADER + keyLengthAt(view, base, i);
  return view.getUint32(at, true) as PageNumber;
}
