export { CommitHistory, type CommittedChanges } from './commit-history.ts';
export { findDeadlock } from './deadlock.ts';
export { ExclusiveTables } from './exclusive-tables.ts';
export { FastPathWords, rowWord } from './fast-path-words.ts';
export {
  ADVISORY_LOCK,
  CLAIMS_LOCK,
  COMMIT_LOCK,
  type LockKind,
  ROW_LOCK,
  rowLocksConflict,
  TABLE_LOCK,
  TABLE_LOCK_NAMES,
} from './lock-modes.ts';
export {
  type Lock,
  type LockOwner,
  type LockRequest,
  LockTable,
  type RowLocks,
} from './lock-table.ts';
export {
  advisoryLockTag,
  changesLockTag,
  claimsLockTag,
  commitLockTag,
  lockedRow,
  lockedTable,
  rowLockTag,
  tableLockTag,
} from './lock-tags.ts';
export { OverlayCursor } from './overlay-cursor.ts';
export { type KeyRange, ReadSet } from './read-set.ts';
export { dependencyFailure, SerializableReads } from './serializable-reads.ts';
export { type IsolationLevel, type Savepoint, Transaction } from './transaction.ts';
export { WatchedCursor } from './watched-cursor.ts';
export { WriteCursor } from './write-cursor.ts';
export type { WriteFile } from './write-run.ts';
export {
  visibleVersion,
  type WriteEntry,
  WriteSet,
  type WriteSpill,
  type WriteTree,
  type WriteVersion,
} from './write-set.ts';
