import type { RowChanges } from '../../access/index.ts';
import type { Catalog, CatalogChange, SearchPath } from '../../catalog/index.ts';
import type { PgErrorFields } from '../../errors/index.ts';
import type { Cursor, TreeId } from '../../storage/index.ts';
import type { SequenceOperations, SpillFile, SystemViewSource } from '../execute/environment.ts';
import type { ForeignKeyChecks } from '../execute/foreign-keys/index.ts';
import type { FunctionContext } from '../functions/index.ts';

/** What a utility statement (DDL, COPY, LOCK, …) runs in: the writer, inside a transaction.
 *
 * Utility statements are generators: they yield when they have to wait or have used up their time,
 * and are resumed when they can go on. Everything they do is undone when the transaction or the
 * savepoint is rolled back.
 */
export interface UtilityEnvironment {
  /** The catalog as the transaction sees it, its own changes included: read it anew after `change`. */
  readonly catalog: Catalog;
  /** Where names are looked for; the first schema that it names is where new objects go. */
  readonly searchPath: SearchPath;
  readonly functions: FunctionContext;
  /** Oid of the user. */
  readonly role: number;
  /** Bytes for sorts and the like. */
  readonly workMem: number;
  /** Inside a transaction block (BEGIN), for commands that refuse to run in one. */
  readonly inBlock: boolean;

  /** Records a change of the catalog in the transaction. */
  change(change: CatalogChange): void;
  nextOid(): number;
  /** An empty tree that exists from the commit on; it can be filled at once. */
  createTree(): TreeId;
  dropTree(tree: TreeId): void;
  /** The tree was created in this transaction, after its last savepoint. */
  isNewTree(tree: TreeId): boolean;

  /** Takes a table lock (TABLE_LOCK mode) for the rest of the transaction; 'wait': yield, then call
   * again. With `nowait` it throws 55P03 instead. */
  lockTable(relation: number, name: string, mode: number, nowait?: boolean): 'granted' | 'wait';

  /** Row changes of the transaction, with index maintenance; see access/row-operations.ts. */
  readonly rows: RowChanges;
  /** The foreign keys of the transaction, through which rows of tables that have some are changed. */
  readonly foreignKeys: ForeignKeyChecks;
  /** The snapshot that all statements of the transaction read at; null where each has its own. */
  readonly heldSnapshot: number | null;
  /** Entries of a tree as the transaction sees them at the present command. */
  openCursor(tree: TreeId): Cursor;
  /** The same as the newest commit left them, whatever the isolation level: for what reads all rows of
   * a table that is locked against changes. */
  newestCursor(tree: TreeId): Cursor;
  closeCursor(cursor: Cursor): void;
  /** Writes an entry of a tree without locks or indexes, for trees that no one else can see. */
  putEntry(
    tree: TreeId,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void;
  /** What has been written so far becomes visible to what follows (CommandCounterIncrement). */
  nextCommand(): void;
  /** Stores a sequence's value; the sequence may be new. `null` removes it. */
  setSequence(relation: number, value: { last: bigint; isCalled: boolean } | null): void;

  /** Value of a sequence as it is now. */
  sequenceValue(relation: number): { readonly last: bigint; readonly isCalled: boolean };
  /** nextval() and its kin, in defaults and queries. */
  readonly sequences: SequenceOperations;
  /** Rows of system views, for CREATE TABLE AS. */
  readonly systemViews: SystemViewSource | null;

  /** CHECKPOINT: starts one; true when it is done, false: yield, then ask again. */
  checkpoint(): boolean;

  createSpillFile(): SpillFile;
  shouldPause(): boolean;
  checkInterrupts(): void;
  notice(fields: Partial<PgErrorFields> & { readonly message: string }): void;

  /** COPY FROM STDIN: asks the client for data. Then `nextCopyData` gives it piece by piece (valid
   * until the next call): null when there is none yet (yield), 'done' at the end; CopyFail throws
   * 57014. */
  startCopyIn(format: 0 | 1, columnCount: number): void;
  nextCopyData(): Uint8Array | null | 'done';
}

/** Why a utility statement yields: it waits for a lock or data, or lets others run. */
export type UtilityPause = 'wait' | 'pause';

export interface UtilityResult {
  /** Command tag. */
  readonly tag: string;
}

export type UtilityExecution = Generator<UtilityPause, UtilityResult, undefined>;
