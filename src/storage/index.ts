export {
  BTreeWriter,
  BulkLoader,
  type CheckedTree,
  type CheckReport,
  checkStore,
  estimateEntries,
  keyTooLong,
  PageTreeCursor,
  TreeLookup,
  TreeRoots,
} from './btree/index.ts';
export {
  type EngineOptions,
  openPageFiles,
  type RecoveryReport,
  StorageEngine,
} from './engine/index.ts';
export {
  KEY_LENGTH_MAX,
  PAGE_SIZE,
  type PageNumber,
  VALUE_INLINE_MAX,
} from './page/index.ts';
export {
  FRAME_COUNT_MIN,
  formatDataFile,
  isPageMiss,
  type PageFiles,
  PageReader,
  PageRef,
  PageSet,
  PageWriter,
} from './pager/index.ts';
export { LockFile } from './recovery/index.ts';
export type { Cursor, LeafRun, Lsn, PageCursor, SeekMode, TreeId } from './tree.ts';
export {
  AHEAD_NAME,
  BATCH_DELETED,
  LogFailure,
  type SegmentFiller,
  WAL_SEGMENT_SIZE,
  WalReader,
  WalRecordKind,
  WalSegments,
  type WalSync,
  WalWriter,
} from './wal/index.ts';
