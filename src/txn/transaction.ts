import { pgError } from '../errors/index.ts';
import type { LockOwner } from './lock-table.ts';
import type { SerializableReads } from './serializable-reads.ts';
import { WriteSet, type WriteSpill } from './write-set.ts';

export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable';

interface KeyWait {
  /** The index. */
  readonly tree: number;
  /** The row lock, and the mode in which it was asked for. */
  readonly tag: string;
  readonly mode: number;
  readonly command: number;
  /** The lock of the row that is to have the key; null where it is a new one. */
  row: string | null;
}

/** A transaction in the writer: its snapshot, its changes, its locks and its savepoints.
 *
 * Commands are numbered from 1; a command sees what earlier commands of the transaction wrote.
 */
export class Transaction implements LockOwner {
  /** Number of the session that runs it. */
  readonly session: number;
  isolation: IsolationLevel;
  /** Snapshot slot in shared memory that protects what the transaction reads. */
  readonly snapshotSlot: number;
  /** LSN that the current command reads at; 0 before the first. */
  snapshot = 0;
  /** SERIALIZABLE: what it has read, from its snapshot on. */
  reads: SerializableReads | null = null;
  /** 0 until something is written or locked. */
  xid = 0;
  command = 1;
  readonly writes: WriteSet;
  readonly savepoints: Savepoint[] = [];
  readonly grants: unknown[] = [];
  waitingFor: unknown = null;
  /** Since when it waits, in milliseconds of the monotonic clock. */
  waitingSince = 0;
  /** This wait has lasted deadlock_timeout, and was no part of a deadlock then. */
  deadlockChecked = false;
  /** It waits for a row behind others; once it is first, another wait begins. */
  isBehind = false;
  /** The newest commit when it was last seen whether the row that it waits for has changed since its snapshot. */
  overtakenCheck = 0;
  /** What the current command waited for last to learn whether a key of a unique index is free. */
  keyWait: KeyWait | null = null;

  /** `spill` is where its changes go when they are too many for memory; null keeps them there. */
  constructor(
    session: number,
    isolation: IsolationLevel,
    snapshotSlot: number,
    spill: WriteSpill | null = null,
  ) {
    this.session = session;
    this.isolation = isolation;
    this.snapshotSlot = snapshotSlot;
    this.writes = new WriteSet(spill);
  }

  get hasWrites(): boolean {
    return !this.writes.isEmpty;
  }

  /** All of its commands read at one snapshot, and rows that were changed since are not for it to change. */
  get keepsSnapshot(): boolean {
    return this.isolation !== 'read committed';
  }

  defineSavepoint(name: string): void {
    this.savepoints.push({ name, writeMark: this.writes.mark, lockMark: this.grants.length });
  }

  /** Forgets the savepoint and those after it; what was done since stays. */
  releaseSavepoint(name: string): void {
    this.savepoints.length = this.indexOfSavepoint(name);
  }

  /** Undoes the changes since the savepoint, which stays defined. The caller releases the locks
   * granted since `lockMark`. */
  rollbackToSavepoint(name: string): Savepoint {
    const at = this.indexOfSavepoint(name);
    const savepoint = this.savepoints[at]!;
    this.savepoints.length = at + 1;
    this.writes.rollbackTo(savepoint.writeMark);
    return savepoint;
  }

  savepoint(name: string): Savepoint {
    return this.savepoints[this.indexOfSavepoint(name)]!;
  }

  private indexOfSavepoint(name: string): number {
    for (let i = this.savepoints.length - 1; i >= 0; i--) {
      if (this.savepoints[i]!.name === name) return i;
    }
    throw pgError('invalid_savepoint_specification', `savepoint "${name}" does not exist`);
  }
}

export interface Savepoint {
  readonly name: string;
  readonly writeMark: number;
  readonly lockMark: number;
}
