import type { RowChanges } from '../../../access/index.ts';
import type { CatalogView, ForeignKeyPlace } from '../../../catalog/descriptors.ts';
import type { Cursor, TreeId } from '../../../storage/index.ts';
import type { Transaction } from '../../../txn/index.ts';
import type { ReferenceCache } from './reference.ts';

/** What foreign keys need of the writer to check the rows of one transaction. */
export interface ForeignKeyServices {
  readonly transaction: Transaction;
  readonly changes: RowChanges;
  readonly references: ReferenceCache;
  /** The catalog as the transaction sees it now. */
  readonly catalog: ForeignKeyCatalog;
  /** Takes a table lock; false when it is waited for, or would have to be. */
  lockTable(relation: number, mode: number, wait: boolean): boolean;
  /** Begins a command: what was written before is visible to it, and in READ COMMITTED what others
   * have committed before. */
  nextCommand(): void;
  /** The newest commit that can be read. */
  readonly newestCommit: number;
  /** Entries of a tree as a commit left them, with the changes of the transaction itself: none, those
   * of its earlier commands, or all. */
  cursorAt(tree: TreeId, commit: number, own: 'none' | 'earlier' | 'all'): Cursor;
  closeCursor(cursor: Cursor): void;
}

/** The catalog, with who refers to whom. */
export interface ForeignKeyCatalog extends CatalogView {
  referencing(oid: number): readonly ForeignKeyPlace[];
}

/** Why the work on foreign keys stops for a while: a lock is waited for, or time is up. */
export type ForeignKeyPause = 'wait' | 'pause';

export type ForeignKeyWork<Result = void> = Generator<ForeignKeyPause, Result, undefined>;
