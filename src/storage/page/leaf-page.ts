import {
  OFFSET_CELL_START,
  OFFSET_COUNT,
  OFFSET_GARBAGE,
  PAGE_HEADER_SIZE,
  PAGE_KIND_LEAF,
  type PageNumber,
} from './page-header.ts';
import {
  cellAt,
  copyBytes,
  initializeSlotted,
  insertSlot,
  keyLengthAt,
  rebuildHeads,
  removeSlot,
  SLOT_CELL,
  SLOT_KEY_LENGTH,
  SLOT_SIZE,
} from './slotted-page.ts';

/** Leaf page: the entries of a tree. A slotted page (slotted-page.ts) whose cells are
 *
 *   offset  size  field
 *        0     8  row LSN       commit that last wrote the entry
 *        8     2  value length  in this cell; bit 15: the value is long, see below
 *       10     k  key
 *   10 + k     v  value
 *
 * A long value stands in overflow pages. Its cell has, instead of the value, 4 bytes: number of its
 * first overflow page, and 4 bytes: length of the whole value. */
export const LEAF_CELL_HEADER = 10;
const VALUE_LENGTH_OFFSET = 8;
const VALUE_LONG = 0x8000;
export const LONG_VALUE_SIZE = 8;

/** Longest key. Two cells of the longest key and value must fit into a page, so that it can split. */
export const KEY_LENGTH_MAX = 2000;
/** Values longer than this go to overflow pages. */
export const VALUE_INLINE_MAX = 2000;

export function initializeLeaf(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  page: PageNumber,
  lsn: number,
): void {
  initializeSlotted(bytes, view, base, page, PAGE_KIND_LEAF, 0, lsn);
}

export function leafCellSize(view: DataView, cell: number, keyLength: number): number {
  return LEAF_CELL_HEADER + keyLength + (view.getUint16(cell + VALUE_LENGTH_OFFSET, true) & 0x7fff);
}

/** Bytes that an entry takes of a page, its slot included. */
export function leafEntrySize(keyLength: number, valueLength: number): number {
  return SLOT_SIZE + LEAF_CELL_HEADER + keyLength + valueLength;
}

export function rowLsnAt(view: DataView, cell: number): number {
  return view.getUint32(cell, true) + view.getUint32(cell + 4, true) * 0x1_0000_0000;
}

/** Length of what stands in the cell: the value, or the reference to a long one. */
export function cellValueLength(view: DataView, cell: number): number {
  return view.getUint16(cell + VALUE_LENGTH_OFFSET, true) & 0x7fff;
}

export function isLongValue(view: DataView, cell: number): boolean {
  return (view.getUint16(cell + VALUE_LENGTH_OFFSET, true) & VALUE_LONG) !== 0;
}

function writeRowLsn(view: DataView, cell: number, rowLsn: number): void {
  view.setUint32(cell, rowLsn >>> 0, true);
  view.setUint32(cell + 4, Math.floor(rowLsn / 0x1_0000_0000), true);
}

/** Inserts an entry at slot i; false when it does not fit. `long` says that the value given is a
 * reference to overflow pages. */
export function insertLeafEntry(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  i: number,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  value: Uint8Array,
  valueStart: number,
  valueEnd: number,
  long: boolean,
  rowLsn: number,
): boolean {
  const keyLength = keyEnd - keyStart;
  const valueLength = valueEnd - valueStart;
  const cell = insertSlot(
    bytes,
    view,
    base,
    i,
    key,
    keyStart,
    keyEnd,
    LEAF_CELL_HEADER,
    LEAF_CELL_HEADER + keyLength + valueLength,
    leafCellSize,
  );
  if (cell < 0) return false;
  writeCell(
    bytes,
    view,
    cell,
    key,
    keyStart,
    keyLength,
    value,
    valueStart,
    valueLength,
    long,
    rowLsn,
  );
  return true;
}

/** Writes the header, key and value of an entry whose place is known. */
function writeCell(
  bytes: Uint8Array,
  view: DataView,
  cell: number,
  key: Uint8Array,
  keyStart: number,
  keyLength: number,
  value: Uint8Array,
  valueStart: number,
  valueLength: number,
  long: boolean,
  rowLsn: number,
): void {
  writeRowLsn(view, cell, rowLsn);
  view.setUint16(cell + VALUE_LENGTH_OFFSET, long ? valueLength | VALUE_LONG : valueLength, true);
  copyBytes(key, keyStart, bytes, cell + LEAF_CELL_HEADER, keyLength);
  copyBytes(value, valueStart, bytes, cell + LEAF_CELL_HEADER + keyLength, valueLength);
}

/** Writes an entry as slot `count`, behind all others, its cell below `cellStart`, where there is room for
 * it; returns where the cell starts. Header and heads are left as they are: `finishLeaf` sets them
 * when the page has all its entries. */
export function appendLeafEntry(
  bytes: Uint8Array,
  view: DataView,
  count: number,
  cellStart: number,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  value: Uint8Array,
  valueStart: number,
  valueEnd: number,
  long: boolean,
  rowLsn: number,
): number {
  const keyLength = keyEnd - keyStart;
  const valueLength = valueEnd - valueStart;
  const cell = cellStart - LEAF_CELL_HEADER - keyLength - valueLength;
  const slot = PAGE_HEADER_SIZE + count * SLOT_SIZE;
  view.setUint16(slot + SLOT_CELL, cell, true);
  view.setUint16(slot + SLOT_KEY_LENGTH, keyLength, true);
  writeCell(
    bytes,
    view,
    cell,
    key,
    keyStart,
    keyLength,
    value,
    valueStart,
    valueLength,
    long,
    rowLsn,
  );
  return cell;
}

/** Completes a page of entries that were appended. */
export function finishLeaf(
  bytes: Uint8Array,
  view: DataView,
  count: number,
  cellStart: number,
): void {
  view.setUint16(OFFSET_COUNT, count, true);
  view.setUint16(OFFSET_CELL_START, cellStart, true);
  rebuildHeads(bytes, view, 0, LEAF_CELL_HEADER);
}

/** Replaces the value at slot i where it stands; false when the new one is longer than the old. */
export function overwriteLeafValue(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  i: number,
  value: Uint8Array,
  valueStart: number,
  valueEnd: number,
  long: boolean,
  rowLsn: number,
): boolean {
  const cell = cellAt(view, base, i);
  const shorterBy = cellValueLength(view, cell) - (valueEnd - valueStart);
  if (shorterBy < 0) return false;
  const keyLength = keyLengthAt(view, base, i);
  const valueLength = valueEnd - valueStart;
  writeRowLsn(view, cell, rowLsn);
  view.setUint16(cell + VALUE_LENGTH_OFFSET, long ? valueLength | VALUE_LONG : valueLength, true);
  copyBytes(value, valueStart, bytes, cell + LEAF_CELL_HEADER + keyLength, valueLength);
  if (shorterBy > 0) {
    const garbage = view.getUint16(base + OFFSET_GARBAGE, true);
    view.setUint16(base + OFFSET_GARBAGE, garbage + shorterBy, true);
  }
  return true;
}

export function removeLeafEntry(bytes: Uint8Array, view: DataView, base: number, i: number): void {
  removeSlot(bytes, view, base, i, leafCellSize);
}
