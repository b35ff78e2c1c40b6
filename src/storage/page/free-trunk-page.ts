import { OFFSET_COUNT, PAGE_HEADER_SIZE, PAGE_SIZE, type PageNumber } from './page-header.ts';

/** Free-list trunk: `count` numbers of free pages, 4 bytes each, after the header; `link` is the next
 * trunk or 0. The trunk itself is free too, and is handed out when its list is empty. A free page's
 * own bytes are those of its last use. */
export const FREE_TRUNK_CAPACITY = (PAGE_SIZE - PAGE_HEADER_SIZE) / 4;

export function freeEntryAt(view: DataView, base: number, i: number): PageNumber {
  return view.getUint32(base + PAGE_HEADER_SIZE + i * 4, true) as PageNumber;
}

export function pushFreeEntry(view: DataView, base: number, page: number): void {
  const count = view.getUint16(base + OFFSET_COUNT, true);
  view.setUint32(base + PAGE_HEADER_SIZE + count * 4, page, true);
  view.setUint16(base + OFFSET_COUNT, count + 1, true);
}

export function popFreeEntry(view: DataView, base: number): PageNumber {
  const count = view.getUint16(base + OFFSET_COUNT, true) - 1;
  view.setUint16(base + OFFSET_COUNT, count, true);
  return freeEntryAt(view, base, count);
}
