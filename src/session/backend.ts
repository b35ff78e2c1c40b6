import type { Catalog } from '../catalog/index.ts';
import type { PgErrorFields } from '../errors/index.ts';
import type { CopyFormat } from '../sql/execute/index.ts';
import type { Expr } from '../sql/expression.ts';
import type { Plan } from '../sql/plan/plan.ts';
import type { IsolationLevel } from '../txn/index.ts';
import type { Datum } from '../types/index.ts';
import type { SessionControl } from './session-control.ts';
import type { ResultSink } from './session-port.ts';

/** What a session needs of the threads that run statements; the runtime implements it. */
export interface StatementBackend {
  /** The committed catalog, always the same object. */
  readonly catalog: Catalog;
  readonly serverStartTimestamp: number;
  /** Entries of a tree, about; null where nobody can tell without reading files. */
  estimateRows(tree: number): number | null;
  /** Answers a read of one row by its key on this thread; false when it has to be run elsewhere. */
  pointRead(read: PointReadRun): boolean;
  /** Starts a statement. Its answers go to `listener`, during the call or later; the last is one of
   * complete, suspended or error. */
  execute(run: PlanRun, listener: RunListener): RunHandle;
  /** Runs what is neither a plan nor a matter of the session alone: DDL, COPY, LOCK, … */
  utility(run: UtilityRun, listener: RunListener): RunHandle;
  /** Ends or marks the session's transaction in the writer. Answers complete or error. A commit can be
   * cancelled while its deferred constraints are checked. */
  transaction(
    session: number,
    operation: TransactionOperation,
    name: string,
    listener: RunListener,
    options: {
      readonly isolation: IsolationLevel;
      readonly asynchronousCommit: boolean;
    },
  ): RunHandle;
  /** Somebody locks, or is about to lock, a table of the plan against readers: it is to be run in the
   * writer, which waits for the lock. */
  isLocked(plan: Plan): boolean;
  /** A transaction block reads a table outside of the writer: nobody may lock it against readers until
   * `unlockReads`. */
  lockRead(session: number, relation: number): void;
  unlockReads(session: number): void;
  /** Values of expressions without columns, at once. */
  evaluate(exprs: readonly Expr[], settings: StatementSettings, catalog: Catalog): Datum[];
  /** Takes a snapshot that stays readable until `releaseSnapshot`. */
  holdSnapshot(): HeldSnapshot;
  releaseSnapshot(snapshot: HeldSnapshot): void;
  /** Takes down what the session's transaction block has changed so far, for runs that are to see that and nothing
   * later (`PlanRun.seenChanges`), until `forgetChanges`. */
  markChanges(session: number): number;
  forgetChanges(session: number, mark: number): void;
  /** The session is gone: its transaction in the writer is rolled back, its locks are freed. */
  endSession(session: number): void;
}

export type TransactionOperation =
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'release'
  | 'rollbackTo'
  | 'fail'
  /** Takes the snapshot of a SERIALIZABLE transaction. */
  | 'begin'
  | DiscardOperation;

/** What the writer keeps of a session outside of transactions is forgotten. */
export type DiscardOperation = 'discardSequences' | 'discardAll';

export function isDiscard(operation: TransactionOperation): operation is DiscardOperation {
  return operation === 'discardSequences' || operation === 'discardAll';
}

export interface HeldSnapshot {
  readonly slot: number;
  readonly lsn: number;
}

/** What a thread that runs statements is told of the session, by value. */
export interface StatementSettings {
  readonly user: string;
  readonly sessionUser: string;
  readonly database: string;
  readonly searchPath: readonly string[];
  readonly serverStartTimestamp: number;
  readonly types: {
    readonly timeZone: string;
    readonly dateStyle: 'ISO' | 'SQL' | 'Postgres' | 'German';
    readonly dateOrder: 'YMD' | 'DMY' | 'MDY';
    readonly intervalStyle: 'postgres' | 'postgres_verbose' | 'sql_standard' | 'iso_8601';
    readonly extraFloatDigits: number;
    readonly byteaOutput: 'hex' | 'escape';
  };
  /** Bytes. */
  readonly workMem: number;
  readonly lockTimeoutMs: number;
  readonly deadlockTimeoutMs: number;
  /** Settings by lower-case name that differ from the built-in ones, for current_setting(). */
  readonly settings: Readonly<Record<string, string>>;
}

/** What every run has in common. */
export interface RunBase {
  readonly session: number;
  readonly settings: StatementSettings;
  readonly isolation: IsolationLevel;
  /** In a transaction block: what it writes stays uncommitted when it ends. */
  readonly inBlock: boolean;
  /** The transaction is READ ONLY. */
  readonly readOnly: boolean;
  /** REPEATABLE READ: the snapshot of the block. */
  readonly snapshot: HeldSnapshot | null;
  /** Milliseconds of the wall clock; 0 for never. */
  readonly deadlineMs: number;
  readonly statementTimestamp: number;
  readonly transactionTimestamp: number;
  readonly asynchronousCommit: boolean;
}

/** The tables of the plan have changed while it waited for their locks, and nothing was done: it is to
 * be planned and run again. Clients never see it. It comes from a thread, so never during the call that
 * starts the run. */
export const STALE_PLAN_SQLSTATE = 'HD001';

export interface PlanRun extends RunBase {
  readonly plan: PlannedStatement;
  readonly parameters: readonly Datum[];
  /** One byte a result column. */
  readonly formats: Uint8Array;
  /** 0 means all. */
  readonly rowLimit: number;
  /** Run it in the writer though it only reads: the transaction has written, or holds locks. */
  readonly inWriter: boolean;
  /** What it sees of the block's changes: those before a `markChanges`; 0: all so far. */
  readonly seenChanges: number;
  /** The catalog that system views show. */
  readonly catalog: Catalog;
  /** EXPLAIN ANALYZE. */
  readonly explain: unknown;
  /** The session, for what the main thread runs. */
  readonly control: SessionControl;
  /** COPY TO: rows are CopyData messages of this format. */
  readonly copy: CopyFormat | null;
}

/** A plan with what threads know it by. */
export interface PlannedStatement {
  readonly plan: Plan;
  /** Given by the backend at its first run; 0 before. */
  id: number;
}

export interface UtilityRun extends RunBase {
  /** The statement's parse tree (a one-field object by node type), and its text. */
  readonly statement: unknown;
  readonly text: string;
  readonly parameters: readonly Datum[];
  /** It has a query, which may read views of locks, and of sessions, which `control` tells of. */
  readonly hasQuery: boolean;
  readonly control: SessionControl;
}

export interface PointReadRun {
  readonly plan: PlannedStatement;
  readonly parameters: readonly Datum[];
  readonly formats: Uint8Array;
  readonly sink: ResultSink;
  readonly types: StatementSettings['types'];
  /** Rows that were sent. */
  rowCount: number;
}

export interface RunListener {
  /** DataRow messages, or CopyData messages of a COPY TO. False when the client is slow;
   * `RunHandle.drained` follows. */
  rows(bytes: Uint8Array, start: number, end: number, count: number): boolean;
  /** `rowCount` rows were processed; `tag` replaces the command tag made from the plan. */
  complete(rowCount: number, tag: string | null): void;
  suspended(): void;
  error(fields: PgErrorFields): void;
  notice(fields: PgErrorFields): void;
  /** The catalog as the open transaction sees it now; null: as committed. */
  sessionCatalog(catalog: Catalog | null): void;
  copyIn(format: 0 | 1, columnCount: number): void;
  /** The writer can take COPY data again, after `RunHandle.copyData` returned false. */
  copyReady(): void;
}

/** A statement that runs or is suspended. */
export interface RunHandle {
  /** Goes on with a suspended statement. */
  fetch(rowLimit: number): void;
  /** Ends a suspended statement. */
  close(): void;
  cancel(reason: 'user' | 'timeout'): void;
  /** The client has caught up. */
  drained(): void;
  /** False when the door should hold back until `copyReady`. */
  copyData(bytes: Uint8Array, start: number, end: number): boolean;
  copyDone(): void;
  copyFail(message: string): void;
}
