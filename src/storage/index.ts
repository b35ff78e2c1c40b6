export type { Cursor, LeafRun, Lsn, PageCursor, SeekMode, TreeId } from './tree.ts';
export {
  LogFailure,
  WAL_SEGMENT_SIZE,
  WalReader,
  WalRecordKind,
  WalSegments,
  WalWriter,
} from './wal/index.ts';
