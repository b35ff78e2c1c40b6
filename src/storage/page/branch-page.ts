import { PAGE_KIND_BRANCH, type PageNumber, pageLink, setPageLink } from './page-header.ts';
import {
  cellAt,
  copyBytes,
  initializeSlotted,
  insertSlot,
  removeSlot,
  searchSlots,
} from './slotted-page.ts';

/** Branch page: which child has which keys. A slotted page (slotted-page.ts) whose cells are
 *
 *   offset  size  field
 *        0     4  child  page with the keys >= this key and < the next slot's key
 *        4     k  key    a separator: cut to what tells the two sides apart
 *
 * The header's link is the child with the keys below all separators. Child 0 is the link, child i the
 * child of slot i - 1; there are count + 1 of them, one level below this page. */
export const BRANCH_CELL_HEADER = 4;

export function initializeBranch(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  page: PageNumber,
  level: number,
  firstChild: number,
  lsn: number,
): void {
  initializeSlotted(bytes, view, base, page, PAGE_KIND_BRANCH, level, lsn);
  setPageLink(view, base, firstChild);
}

export function branchCellSize(_view: DataView, _cell: number, keyLength: number): number {
  return BRANCH_CELL_HEADER + keyLength;
}

/** Number of the child, 0 .. count, that covers a key. */
export function childIndexOf(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
): number {
  const found = searchSlots(bytes, view, base, key, keyStart, keyEnd, BRANCH_CELL_HEADER);
  return found >= 0 ? found + 1 : ~found;
}

export function childAt(view: DataView, base: number, index: number): PageNumber {
  if (index === 0) return pageLink(view, base);
  return view.getUint32(cellAt(view, base, index - 1), true) as PageNumber;
}

export function setChildAt(view: DataView, base: number, index: number, child: number): void {
  if (index === 0) setPageLink(view, base, child);
  else view.setUint32(cellAt(view, base, index - 1), child, true);
}

/** Inserts a separator at slot i and the child to its right; false when they do not fit. */
export function insertBranchEntry(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  i: number,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  child: number,
): boolean {
  const keyLength = keyEnd - keyStart;
  const cell = insertSlot(
    bytes,
    view,
    base,
    i,
    key,
    keyStart,
    keyEnd,
    BRANCH_CELL_HEADER,
    BRANCH_CELL_HEADER + keyLength,
    branchCellSize,
  );
  if (cell < 0) return false;
  view.setUint32(cell, child, true);
  copyBytes(key, keyStart, bytes, cell + BRANCH_CELL_HEADER, keyLength);
  return true;
}

export function removeBranchEntry(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  i: number,
): void {
  removeSlot(bytes, view, base, i, branchCellSize);
}
