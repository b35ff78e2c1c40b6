export { formatDataFile } from './data-file.ts';
export { isPageMiss, NEWEST, type PageFiles, PageReader } from './page-reader.ts';
export { PageRef } from './page-ref.ts';
export { PageSet } from './page-set.ts';
export { PageWriter } from './page-writer.ts';
export { FRAME_COUNT_MIN } from './pool-limits.ts';
