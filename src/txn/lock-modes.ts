/** Lock modes and which of them conflict, as PostgreSQL's tables have them (src/backend/storage/lmgr). */

/** Kinds of things that can be locked; each has its own modes. 'claims' are the keys that a transaction
 * changes without locking each; 'commit' is a commit on its way, which others have to wait for. */
export type LockKind = 'row' | 'table' | 'advisory' | 'claims' | 'commit';

/** Row lock strengths: index is the mode. */
export const ROW_LOCK = { keyShare: 0, share: 1, noKeyUpdate: 2, update: 3 } as const;

/** Table lock modes, weakest first. */
export const TABLE_LOCK = {
  accessShare: 0,
  rowShare: 1,
  rowExclusive: 2,
  shareUpdateExclusive: 3,
  share: 4,
  shareRowExclusive: 5,
  exclusive: 6,
  accessExclusive: 7,
} as const;

export const ADVISORY_LOCK = { share: 0, exclusive: 1 } as const;

export const CLAIMS_LOCK = { await: 0, hold: 1 } as const;

export const COMMIT_LOCK = { await: 0, hold: 1 } as const;

/** Names as pg_locks and error messages print them. */
export const TABLE_LOCK_NAMES = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
] as const;

/** Whether a row cannot be locked in one mode while another has it locked in the other one. */
export function rowLocksConflict(mode: number, other: number): boolean {
  return (CONFLICTS.row[mode]! & (1 << other)) !== 0;
}

/** For each mode the set of modes it conflicts with, as bits. */
export const CONFLICTS: Readonly<Record<LockKind, readonly number[]>> = {
  row: [0b1000, 0b1100, 0b1110, 0b1111],
  table: [
    0b1000_0000, 0b1100_0000, 0b1111_0000, 0b1111_1000, 0b1110_1100, 0b1111_1100, 0b1111_1110,
    0b1111_1111,
  ],
  advisory: [0b10, 0b11],
  claims: [0b10, 0b11],
  commit: [0b10, 0b11],
};
