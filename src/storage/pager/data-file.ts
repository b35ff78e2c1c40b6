import type { File } from '../../io/index.ts';
import {
  initializeLeaf,
  initializeMeta,
  META_PAGE,
  PAGE_SIZE,
  pageNumber,
  sealPage,
} from '../page/index.ts';

/** Root of the tree directory in a new data file. */
const DIRECTORY_PAGE = pageNumber(1);

/** Writes a data file without trees: the meta page and an empty tree directory, as of `lsn`. */
export function formatDataFile(file: File, lsn: number): void {
  const bytes = new Uint8Array(2 * PAGE_SIZE);
  const view = new DataView(bytes.buffer);
  initializeMeta(bytes, view, META_PAGE * PAGE_SIZE, DIRECTORY_PAGE, 2, lsn);
  initializeLeaf(bytes, view, DIRECTORY_PAGE * PAGE_SIZE, DIRECTORY_PAGE, lsn);
  for (let base = 0; base < bytes.length; base += PAGE_SIZE) sealPage(bytes, base);
  file.writeAt(bytes, 0);
  file.sync();
}
