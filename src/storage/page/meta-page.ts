import { pgError } from '../../errors/index.ts';
import {
  fieldText,
  initializePage,
  PAGE_KIND_META,
  PAGE_SIZE,
  type PageNumber,
  pageNumber,
} from './page-header.ts';

/** Meta page: page 0 of the data file, after the common header:
 *
 *   offset  size  field
 *       32     8  magic           "HEDDLEDB"
 *       40     4  format version  1
 *       44     4  page size       8192
 *       48     4  page count      pages of the file that are or were in use
 *       52     4  free trunk      first page of the free list, or 0
 *       56     4  free count      pages of the free list, trunks included
 *       60     4  directory       root of the tree directory
 *
 * Versions: 1, first release. */
export const META_PAGE: PageNumber = pageNumber(0);
export const FORMAT_VERSION = 1;
const MAGIC = 'HEDDLEDB';
const OFFSET_MAGIC = 32;
const OFFSET_VERSION = 40;
const OFFSET_PAGE_SIZE = 44;
const OFFSET_PAGE_COUNT = 48;
const OFFSET_FREE_TRUNK = 52;
const OFFSET_FREE_COUNT = 56;
const OFFSET_DIRECTORY = 60;

export function initializeMeta(
  bytes: Uint8Array,
  view: DataView,
  base: number,
  directory: PageNumber,
  pageCount: number,
  lsn: number,
): void {
  initializePage(bytes, view, base, META_PAGE, PAGE_KIND_META, lsn);
  for (let i = 0; i < MAGIC.length; i++) bytes[base + OFFSET_MAGIC + i] = MAGIC.charCodeAt(i);
  view.setUint32(base + OFFSET_VERSION, FORMAT_VERSION, true);
  view.setUint32(base + OFFSET_PAGE_SIZE, PAGE_SIZE, true);
  view.setUint32(base + OFFSET_PAGE_COUNT, pageCount, true);
  view.setUint32(base + OFFSET_DIRECTORY, directory, true);
}

/** Fails unless a file that starts with these bytes is one that this program can use. */
export function verifyMeta(bytes: Uint8Array, view: DataView, base: number, path: string): void {
  if (fieldText(bytes, base + OFFSET_MAGIC, MAGIC.length) !== MAGIC) {
    throw pgError('data_corrupted', `file "${path}" is not a data file of Heddle`);
  }
  const version = view.getUint32(base + OFFSET_VERSION, true);
  if (version !== FORMAT_VERSION) {
    throw pgError('config_file_error', `file "${path}" has another format version`, {
      detail: `Expected version ${FORMAT_VERSION}, found ${version}.`,
    });
  }
  const pageSize = view.getUint32(base + OFFSET_PAGE_SIZE, true);
  if (pageSize !== PAGE_SIZE) {
    throw pgError('config_file_error', `file "${path}" has another page size`, {
      detail: `Expected ${PAGE_SIZE} bytes, found ${pageSize}.`,
    });
  }
}

export function metaPageCount(view: DataView, base: number): number {
  return view.getUint32(base + OFFSET_PAGE_COUNT, true);
}

export function setMetaPageCount(view: DataView, base: number, pageCount: number): void {
  view.setUint32(base + OFFSET_PAGE_COUNT, pageCount, true);
}

export function metaFreeTrunk(view: DataView, base: number): PageNumber {
  return view.getUint32(base + OFFSET_FREE_TRUNK, true) as PageNumber;
}

export function metaFreeCount(view: DataView, base: number): number {
  return view.getUint32(base + OFFSET_FREE_COUNT, true);
}

export function setMetaFree(view: DataView, base: number, trunk: number, count: number): void {
  view.setUint32(base + OFFSET_FREE_TRUNK, trunk, true);
  view.setUint32(base + OFFSET_FREE_COUNT, count, true);
}

export function metaDirectory(view: DataView, base: number): PageNumber {
  return view.getUint32(base + OFFSET_DIRECTORY, true) as PageNumber;
}
