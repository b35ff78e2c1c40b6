import type { Catalog } from '../catalog/index.ts';
import { pgError } from '../errors/index.ts';
import type { IsolationLevel } from '../txn/index.ts';
import type { HeldSnapshot } from './backend.ts';
import type { NotificationMark } from './notifications.ts';

/** Where a session stands between statements.
 *
 *   idle ──first of several statements──► implicit ──end of message / Sync──► idle
 *   idle, implicit ──BEGIN──► open ──COMMIT, ROLLBACK──► idle
 *   open ──error──► failed ──ROLLBACK, COMMIT──► idle
 *                   failed ──ROLLBACK TO──► open
 *
 * An error in an implicit block ends it at once.
 */
export class TransactionBlock {
  state: 'idle' | 'implicit' | 'open' | 'failed' = 'idle';
  isolation: IsolationLevel = 'read committed';
  readOnly = false;
  /** Makes no difference: what only reads begins at once, and cannot fail. */
  deferrable = false;
  /** now() of the block; 0 until its first statement. */
  startTimestamp = 0;
  /** The writer has a transaction for the session. */
  inWriter = false;
  /** The block has run a statement that reads or writes, so its isolation level is settled. */
  hasRead = false;
  /** REPEATABLE READ: what all statements read at. */
  snapshot: HeldSnapshot | null = null;
  /** The catalog that the transaction sees, when it has changed it. */
  changedCatalog: Catalog | null = null;
  private level: IsolationLevel | null = null;
  readonly savepoints: SavepointMark[] = [];
  /** Tables that were read outside of the writer, which keeps locks on them. */
  readonly readTables = new Set<number>();

  /** In a block of whatever kind, so that what a statement writes is not committed with it. */
  get isBlock(): boolean {
    return this.state !== 'idle';
  }

  /** How the statements of the block run, settled by the first of them. A SERIALIZABLE block that will write
   * nothing does as a REPEATABLE READ one, in any thread: what only reads is serializable at its
   * snapshot (txn/serializable-reads.ts). One that was set to READ ONLY behind a savepoint may yet write. */
  settleLevel(): IsolationLevel {
    if (this.level !== null) return this.level;
    const onlyReads = this.readOnly && (this.savepoints[0]?.readOnly ?? true);
    const level =
      this.isolation === 'serializable' && onlyReads ? 'repeatable read' : this.isolation;
    if (this.isBlock) this.level = level;
    return level;
  }

  /** What it reads is to be taken down, which the writer does. */
  get recordsReads(): boolean {
    return this.isBlock && this.settleLevel() === 'serializable';
  }

  get status(): 'I' | 'T' | 'E' {
    return this.state === 'failed' ? 'E' : this.state === 'open' ? 'T' : 'I';
  }

  reset(): void {
    this.state = 'idle';
    this.startTimestamp = 0;
    this.inWriter = false;
    this.hasRead = false;
    this.level = null;
    this.snapshot = null;
    this.changedCatalog = null;
    this.savepoints.length = 0;
  }

  /** Index of the newest savepoint of that name. */
  findSavepoint(name: string): number {
    for (let i = this.savepoints.length - 1; i >= 0; i--) {
      if (this.savepoints[i]!.name === name) return i;
    }
    throw pgError('invalid_savepoint_specification', `savepoint "${name}" does not exist`);
  }
}

export interface SavepointMark {
  readonly name: string;
  /** How far SETs are undone by a rollback to it. */
  readonly settingsMark: number;
  readonly notificationMark: NotificationMark;
  /** What the transaction was before, which its end restores. */
  readonly readOnly: boolean;
}
