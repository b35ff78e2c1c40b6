export type { Cursor, LeafRun, Lsn, PageCursor, SeekMode, TreeId } from './tree.ts';
