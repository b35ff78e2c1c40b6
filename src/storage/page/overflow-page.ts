import {
  initializePage,
  OFFSET_LENGTH,
  PAGE_HEADER_SIZE,
  PAGE_KIND_OVERFLOW,
  PAGE_SIZE,
  type PageNumber,
  setPageLink,
} from './page-header.ts';

/** Overflow page: part of a long value. The header's `length` is the number of bytes here, which follow
 * the header; `link` is the page with the next part, or 0. Every page of a chain but the last is full. */
export const OVERFLOW_CAPACITY = PAGE_SIZE - PAGE_HEADER_SIZE;

export function writeOverflow(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  page: PageNumber,
  lsn: number,
  next: number,
  value: Uint8Array,
): void {
  initializePage(bytes, view, base, page, PAGE_KIND_OVERFLOW, lsn);
  setPageLink(view, base, next);
  view.setUint16(base + OFFSET_LENGTH, value.length, true);
  bytes.set(value, base + PAGE_HEADER_SIZE);
}

export function overflowLength(view: DataView, base: number): number {
  return view.getUint16(base + OFFSET_LENGTH, true);
}
