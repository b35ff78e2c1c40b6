import {
  cellAt,
  cellValueLength,
  childAt,
  childIndexOf,
  isLongValue,
  keyLengthAt,
  LEAF_CELL_HEADER,
  OFFSET_KIND,
  PAGE_KIND_BRANCH,
  type PageNumber,
  rowLsnAt,
  searchSlots,
} from '../page/index.ts';
import { type PageReader, PageRef } from '../pager/index.ts';
import { LongValueReader } from './long-value.ts';

/** Finds single entries, without the path that a cursor keeps. The result is good until the next
 * lookup, and until the thread leaves its epoch. */
export class TreeLookup {
  valueBytes: Uint8Array;
  valueStart = 0;
  valueEnd = 0;
  rowLsn = 0;
  readonly #reader: PageReader;
  readonly #ref = new PageRef();
  readonly #long: LongValueReader;

  constructor(reader: PageReader) {
    this.#reader = reader;
    this.#long = new LongValueReader(reader);
    this.valueBytes = this.#ref.bytes;
  }

  /** Whether the tree with this root page has the key at the snapshot; then the fields are set. */
  find(
    root: PageNumber,
    snapshot: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): boolean {
    const reader = this.#reader;
    const ref = this.#ref;
    reader.resolve(root, snapshot, ref);
    while (ref.bytes[ref.base + OFFSET_KIND] === PAGE_KIND_BRANCH) {
      const index = childIndexOf(ref.bytes, ref.view, ref.base, key, keyStart, keyEnd);
      reader.resolve(childAt(ref.view, ref.base, index), snapshot, ref);
    }
    const { bytes, view, base } = ref;
    const i = searchSlots(bytes, view, base, key, keyStart, keyEnd, LEAF_CELL_HEADER);
    if (i < 0) return false;
    const cell = cellAt(view, base, i);
    this.rowLsn = rowLsnAt(view, cell);
    const start = cell + LEAF_CELL_HEADER + keyLengthAt(view, base, i);
    if (isLongValue(view, cell)) {
      const length = view.getUint32(start + 4, true);
      this.#long.read(view.getUint32(start, true), length, snapshot);
      this.valueBytes = this.#long.bytes;
      this.valueStart = 0;
      this.valueEnd = length;
      return true;
    }
    this.valueBytes = bytes;
    this.valueStart = start;
    this.valueEnd = start + cellValueLength(view, cell);
    return true;
  }
}
