import { crc32 } from 'node:zlib';
import { type Brand, decodeUtf8 } from '../../base/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';

/** Every page. 8 KiB; integers are little-endian.
 *
 *   offset  size  field
 *        0     4  checksum     crc32 of bytes 4 .. 8192; set when the page is written to a file
 *        4     4  page number
 *        8     8  version LSN  of the commit group that made this version
 *       16     1  kind         see PAGE_KIND_*
 *       17     1  level        leaf 0, branch 1 and up; 0 elsewhere
 *       18     2  count        slots of a leaf or branch; entries of a free-list trunk; 0 elsewhere
 *       20     2  cell start   leaf, branch: offset of the lowest cell; 8192 when there is none
 *       22     2  garbage      leaf, branch: bytes of removed cells above cell start
 *       24     4  link         branch: leftmost child; overflow, trunk: next page or 0
 *       28     2  prefix       leaf, branch: length that all keys of the page have in common
 *       30     2  length       overflow: bytes of the value in this page; 0 elsewhere
 *       32     …  by kind
 *
 * Valid if and only if (1) the checksum matches and (2) the page number is the one asked for. (2)
 * rejects a page that was written to a wrong place, which passes (1). Versions: 1, first release. */

/** Index of an 8 KiB page in the data file. 32 bits on disk, below 2^31. */
export type PageNumber = Brand<'PageNumber'>;

export function pageNumber(value: number): PageNumber {
  return value as PageNumber;
}

export const PAGE_SIZE = 8192;
export const PAGE_HEADER_SIZE = 32;

export const PAGE_KIND_META = 1;
export const PAGE_KIND_LEAF = 2;
export const PAGE_KIND_BRANCH = 3;
export const PAGE_KIND_OVERFLOW = 4;
export const PAGE_KIND_FREE_TRUNK = 5;

export const OFFSET_NUMBER = 4;
const OFFSET_LSN = 8;
export const OFFSET_KIND = 16;
export const OFFSET_LEVEL = 17;
export const OFFSET_COUNT = 18;
export const OFFSET_CELL_START = 20;
export const OFFSET_GARBAGE = 22;
export const OFFSET_LINK = 24;
export const OFFSET_PREFIX = 28;
export const OFFSET_LENGTH = 30;

export function initializePage(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  page: PageNumber,
  kind: number,
  lsn: number,
): void {
  bytes.fill(0, base, base + PAGE_SIZE);
  view.setUint32(base + OFFSET_NUMBER, page, true);
  bytes[base + OFFSET_KIND] = kind;
  setPageLsn(view, base, lsn);
}

export function pageLsn(view: DataView, base: number): number {
  return (
    view.getUint32(base + OFFSET_LSN, true) +
    view.getUint32(base + OFFSET_LSN + 4, true) * 0x1_0000_0000
  );
}

export function setPageLsn(view: DataView, base: number, lsn: number): void {
  view.setUint32(base + OFFSET_LSN, lsn >>> 0, true);
  view.setUint32(base + OFFSET_LSN + 4, Math.floor(lsn / 0x1_0000_0000), true);
}

export function pageKind(bytes: Uint8Array, base: number): number {
  return bytes[base + OFFSET_KIND]!;
}

export function pageLevel(bytes: Uint8Array, base: number): number {
  return bytes[base + OFFSET_LEVEL]!;
}

export function pageCountField(view: DataView, base: number): number {
  return view.getUint16(base + OFFSET_COUNT, true);
}

export function pageLink(view: DataView, base: number): PageNumber {
  return view.getUint32(base + OFFSET_LINK, true) as PageNumber;
}

export function setPageLink(view: DataView, base: number, link: number): void {
  view.setUint32(base + OFFSET_LINK, link, true);
}

/** Writes the checksum of a page that is about to go to a file. */
export function sealPage(bytes: Uint8Array, base = 0): void {
  const sum = crc32(bytes.subarray(base + 4, base + PAGE_SIZE));
  bytes[base] = sum;
  bytes[base + 1] = sum >>> 8;
  bytes[base + 2] = sum >>> 16;
  bytes[base + 3] = sum >>> 24;
}

function storedChecksum(bytes: Uint8Array, base: number): number {
  return (
    (bytes[base]! |
      (bytes[base + 1]! << 8) |
      (bytes[base + 2]! << 16) |
      (bytes[base + 3]! << 24)) >>>
    0
  );
}

/** Whether the page read from a file is valid in the sense of the header above. */
export function isPageValid(bytes: Uint8Array, base: number, page: number): boolean {
  return (
    storedChecksum(bytes, base) === crc32(bytes.subarray(base + 4, base + PAGE_SIZE)) &&
    storedNumber(bytes, base) === page
  );
}

function storedNumber(bytes: Uint8Array, base: number): number {
  const at = base + OFFSET_NUMBER;
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}

/** The error of a page for which `isPageValid` is false. */
export function corruptPage(path: string, page: number, bytes: Uint8Array, base: number) {
  const expected = storedChecksum(bytes, base);
  const found = crc32(bytes.subarray(base + 4, base + PAGE_SIZE));
  const detail =
    expected === found
      ? `Expected page number ${page}, found ${storedNumber(bytes, base)}.`
      : `Expected checksum ${hex(expected)}, found ${hex(found)}.`;
  return pgError('data_corrupted', `invalid page ${page} of file "${path}"`, { detail });
}

/** The file ends before the page, or within it. */
export function shortPage(path: string, page: number, size: number): PgError {
  return pgError(
    'data_corrupted',
    `could not read page ${page} of file "${path}": read only ${size} of ${PAGE_SIZE} bytes`,
  );
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/** Text of a fixed field, for magic numbers. */
export function fieldText(bytes: Uint8Array, at: number, length: number): string {
  return decodeUtf8(bytes, at, at + length);
}
