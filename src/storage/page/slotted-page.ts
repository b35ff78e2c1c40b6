import {
  initializePage,
  OFFSET_CELL_START,
  OFFSET_COUNT,
  OFFSET_GARBAGE,
  OFFSET_LEVEL,
  OFFSET_PREFIX,
  PAGE_HEADER_SIZE,
  PAGE_SIZE,
  type PageNumber,
} from './page-header.ts';

/** What leaf and branch pages have in common: slots in key order growing up, cells growing down.
 *
 *   slot, 8 bytes, at 32 + 8 i
 *   offset  size  field
 *        0     4  head        the 4 key bytes after the page's prefix, zero-padded, as a number whose
 *                             order is the order of those bytes
 *        4     2  cell        offset of the cell in the page
 *        6     2  key length  of the whole key
 *
 * A cell begins with fields of its page kind (`cellHeader` bytes), then has the whole key, then the
 * rest. `prefix` is a length that all keys of the page share, not always the longest: an insert
 * shortens it, only a rebuild (split, compaction) lengthens it. A search compares the prefix once,
 * then heads, and whole keys only between equal heads, so 8-byte integers that differ in their last
 * bytes are still told apart by one integer comparison.
 */
export const SLOT_SIZE = 8;
export const SLOT_CELL = 4;
export const SLOT_KEY_LENGTH = 6;
/** Bytes for slots and cells. */
export const SLOTTED_CAPACITY = PAGE_SIZE - PAGE_HEADER_SIZE;

export function initializeSlotted(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  page: PageNumber,
  kind: number,
  level: number,
  lsn: number,
): void {
  initializePage(bytes, view, base, page, kind, lsn);
  bytes[base + OFFSET_LEVEL] = level;
  view.setUint16(base + OFFSET_CELL_START, PAGE_SIZE, true);
}

export function slotCount(view: DataView, base: number): number {
  return view.getUint16(base + OFFSET_COUNT, true);
}

/** Where slot i's cell starts, as an index of the bytes. */
export function cellAt(view: DataView, base: number, i: number): number {
  return base + view.getUint16(base + PAGE_HEADER_SIZE + i * SLOT_SIZE + SLOT_CELL, true);
}

export function keyLengthAt(view: DataView, base: number, i: number): number {
  return view.getUint16(base + PAGE_HEADER_SIZE + i * SLOT_SIZE + SLOT_KEY_LENGTH, true);
}

/** Bytes between the slots and the cells. */
export function gapBytes(view: DataView, base: number): number {
  return (
    view.getUint16(base + OFFSET_CELL_START, true) -
    PAGE_HEADER_SIZE -
    slotCount(view, base) * SLOT_SIZE
  );
}

/** Bytes that slots and cells take. */
export function usedBytes(view: DataView, base: number): number {
  return SLOTTED_CAPACITY - gapBytes(view, base) - view.getUint16(base + OFFSET_GARBAGE, true);
}

/** Up to 4 key bytes from `start` as a number in their order. */
export function headOf(key: Uint8Array, start: number, end: number): number {
  const rest = end - start;
  if (rest >= 4) {
    return (
      ((key[start]! << 24) | (key[start + 1]! << 16) | (key[start + 2]! << 8) | key[start + 3]!) >>>
      0
    );
  }
  let head = 0;
  for (let i = 0; i < 4; i++) head = (head << 8) | (i < rest ? key[start + i]! : 0);
  return head >>> 0;
}

/** Index of the slot with this key, or ~i, where i is the first slot with a greater key. */
export function searchSlots(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  cellHeader: number,
): number {
  const count = view.getUint16(base + OFFSET_COUNT, true);
  if (count === 0) return ~0;
  const prefix = view.getUint16(base + OFFSET_PREFIX, true);
  const slots = base + PAGE_HEADER_SIZE;
  if (prefix !== 0) {
    const first = base + view.getUint16(slots + SLOT_CELL, true) + cellHeader;
    for (let i = 0; i < prefix; i++) {
      if (keyStart + i >= keyEnd) return ~0;
      const difference = key[keyStart + i]! - bytes[first + i]!;
      if (difference !== 0) return difference < 0 ? ~0 : ~count;
    }
  }
  const rest = keyStart + prefix;
  const head = headOf(key, rest, keyEnd);
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const slot = slots + middle * SLOT_SIZE;
    const slotHead = view.getUint32(slot, true);
    if (slotHead < head) low = middle + 1;
    else if (slotHead > head) high = middle;
    else {
      let at = base + view.getUint16(slot + SLOT_CELL, true) + cellHeader + prefix;
      const end = at - prefix + view.getUint16(slot + SLOT_KEY_LENGTH, true);
      let probe = rest;
      let difference = 0;
      while (at < end && probe < keyEnd) {
        difference = bytes[at++]! - key[probe++]!;
        if (difference !== 0) break;
      }
      if (difference === 0) difference = end - at - (keyEnd - probe);
      if (difference === 0) return middle;
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
  }
  return ~low;
}

/** Opens slot i with room for a cell, and returns where the cell starts; -1 when the page is too full
 * for it even when compacted. The caller writes the cell, whose key it passes here for the head. */
export function insertSlot(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  i: number,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  cellHeader: number,
  cellSize: number,
  cellSizeAt: CellSize,
): number {
  const needed = cellSize + SLOT_SIZE;
  let gap = gapBytes(view, base);
  if (gap < needed) {
    if (gap + view.getUint16(base + OFFSET_GARBAGE, true) < needed) return -1;
    compactSlots(bytes, view, base, cellHeader, cellSizeAt);
    gap = gapBytes(view, base);
  }
  const count = slotCount(view, base);
  shortenPrefix(bytes, view, base, count, key, keyStart, keyEnd, cellHeader);
  const slot = base + PAGE_HEADER_SIZE + i * SLOT_SIZE;
  if (i < count) {
    bytes.copyWithin(slot + SLOT_SIZE, slot, base + PAGE_HEADER_SIZE + count * SLOT_SIZE);
  }
  const cell = view.getUint16(base + OFFSET_CELL_START, true) - cellSize;
  const prefix = view.getUint16(base + OFFSET_PREFIX, true);
  view.setUint32(slot, headOf(key, keyStart + prefix, keyEnd), true);
  view.setUint16(slot + SLOT_CELL, cell, true);
  view.setUint16(slot + SLOT_KEY_LENGTH, keyEnd - keyStart, true);
  view.setUint16(base + OFFSET_CELL_START, cell, true);
  view.setUint16(base + OFFSET_COUNT, count + 1, true);
  return base + cell;
}

/** Size of the cell at an index of the bytes, given its key's length. */
export type CellSize = (view: DataView, cell: number, keyLength: number) => number;

export function removeSlot(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  i: number,
  cellSizeAt: CellSize,
): void {
  const count = slotCount(view, base);
  const slot = base + PAGE_HEADER_SIZE + i * SLOT_SIZE;
  const cell = view.getUint16(slot + SLOT_CELL, true);
  const size = cellSizeAt(view, base + cell, view.getUint16(slot + SLOT_KEY_LENGTH, true));
  bytes.copyWithin(slot, slot + SLOT_SIZE, base + PAGE_HEADER_SIZE + count * SLOT_SIZE);
  view.setUint16(base + OFFSET_COUNT, count - 1, true);
  if (cell === view.getUint16(base + OFFSET_CELL_START, true)) {
    view.setUint16(base + OFFSET_CELL_START, cell + size, true);
  } else {
    const garbage = view.getUint16(base + OFFSET_GARBAGE, true);
    view.setUint16(base + OFFSET_GARBAGE, garbage + size, true);
  }
}

const scratch = new Uint8Array(PAGE_SIZE);

/** Moves all cells together, so that all free bytes are in the gap, and lengthens the prefix. */
export function compactSlots(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  cellHeader: number,
  cellSizeAt: CellSize,
): void {
  const start = view.getUint16(base + OFFSET_CELL_START, true);
  scratch.set(bytes.subarray(base + start, base + PAGE_SIZE), start);
  const count = slotCount(view, base);
  let end = PAGE_SIZE;
  for (let i = 0; i < count; i++) {
    const slot = base + PAGE_HEADER_SIZE + i * SLOT_SIZE;
    const cell = view.getUint16(slot + SLOT_CELL, true);
    // Moves one page's cells onto themselves: sizes are read before the bytes can be overwritten.
    sizes[i] = cellSizeAt(view, base + cell, view.getUint16(slot + SLOT_KEY_LENGTH, true));
  }
  for (let i = 0; i < count; i++) {
    const slot = base + PAGE_HEADER_SIZE + i * SLOT_SIZE;
    const cell = view.getUint16(slot + SLOT_CELL, true);
    const size = sizes[i]!;
    end -= size;
    copyBytes(scratch, cell, bytes, base + end, size);
    view.setUint16(slot + SLOT_CELL, end, true);
  }
  view.setUint16(base + OFFSET_CELL_START, end, true);
  view.setUint16(base + OFFSET_GARBAGE, 0, true);
  rebuildHeads(bytes, view, base, cellHeader);
}

const sizes = new Uint16Array(PAGE_SIZE / SLOT_SIZE);

/** Copies small ranges by a loop, which beats the call of `set` up to some 40 bytes. */
export function copyBytes(
  from: Uint8Array,
  at: number,
  to: Uint8Array,
  toAt: number,
  count: number,
): void {
  if (count <= 40) {
    for (let i = 0; i < count; i++) to[toAt + i] = from[at + i]!;
  } else {
    to.set(from.subarray(at, at + count), toAt);
  }
}

/** Appends a copy of slot i of another page of the same kind; there must be room. */
export function appendCopy(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  from: Uint8Array,
  fromView: DataView,
  fromBase: number,
  i: number,
  cellSizeAt: CellSize,
): void {
  const cell = cellAt(fromView, fromBase, i);
  const keyLength = keyLengthAt(fromView, fromBase, i);
  const size = cellSizeAt(fromView, cell, keyLength);
  const start = view.getUint16(base + OFFSET_CELL_START, true) - size;
  const count = slotCount(view, base);
  const slot = base + PAGE_HEADER_SIZE + count * SLOT_SIZE;
  copyBytes(from, cell, bytes, base + start, size);
  view.setUint16(slot + SLOT_CELL, start, true);
  view.setUint16(slot + SLOT_KEY_LENGTH, keyLength, true);
  view.setUint16(base + OFFSET_CELL_START, start, true);
  view.setUint16(base + OFFSET_COUNT, count + 1, true);
}

/** Cuts the page to its first `count` slots. */
export function truncateSlots(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  count: number,
  cellHeader: number,
  cellSizeAt: CellSize,
): void {
  view.setUint16(base + OFFSET_COUNT, count, true);
  compactSlots(bytes, view, base, cellHeader, cellSizeAt);
}

/** Length of the longest common prefix of two byte ranges. */
export function commonPrefix(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
  limit: number,
): number {
  let i = 0;
  while (i < limit && a[aStart + i] === b[bStart + i]) i++;
  return i;
}

/** Sets the prefix to the longest one, and all heads for it. */
export function rebuildHeads(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  cellHeader: number,
): void {
  const count = slotCount(view, base);
  if (count === 0) {
    view.setUint16(base + OFFSET_PREFIX, 0, true);
    return;
  }
  const first = cellAt(view, base, 0) + cellHeader;
  const last = cellAt(view, base, count - 1) + cellHeader;
  const limit = Math.min(keyLengthAt(view, base, 0), keyLengthAt(view, base, count - 1));
  writeHeads(bytes, view, base, count, commonPrefix(bytes, first, bytes, last, limit), cellHeader);
}

function shortenPrefix(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  count: number,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  cellHeader: number,
): void {
  if (count === 0) {
    view.setUint16(base + OFFSET_PREFIX, keyEnd - keyStart, true);
    return;
  }
  const prefix = view.getUint16(base + OFFSET_PREFIX, true);
  const limit = Math.min(prefix, keyEnd - keyStart);
  const first = cellAt(view, base, 0) + cellHeader;
  const shared = commonPrefix(bytes, first, key, keyStart, limit);
  if (shared < prefix) writeHeads(bytes, view, base, count, shared, cellHeader);
}

function writeHeads(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  count: number,
  prefix: number,
  cellHeader: number,
): void {
  view.setUint16(base + OFFSET_PREFIX, prefix, true);
  for (let i = 0; i < count; i++) {
    const start = cellAt(view, base, i) + cellHeader;
    const head = headOf(bytes, start + prefix, start + keyLengthAt(view, base, i));
    view.setUint32(base + PAGE_HEADER_SIZE + i * SLOT_SIZE, head, true);
  }
}
