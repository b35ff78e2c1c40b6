import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import type { ColumnVector } from '../../chunk/index.ts';
import type { Cursor, TreeId } from '../../storage/index.ts';
import type { Datum, Int8 } from '../../types/index.ts';
import type { RowLockStrength } from '../bind/query.ts';
import type { FunctionContext } from '../functions/index.ts';
import type { PlanNode } from '../plan/plan.ts';
import type { AddedPartitions } from './added-partitions.ts';
import type { Status } from './operator.ts';

/** What a thread supplies to run a plan. The same object may serve many statements, one at a time;
 * an operator reads its fields afresh in every run. */
export interface ExecutionEnvironment {
  readonly functions: FunctionContext;
  /** Values of $1, $2, … and of literals that were lifted out, of the plan's parameter types. */
  readonly parameters: readonly Datum[];
  /** Bytes that one sort, hash table or kept result may hold before it spills. */
  readonly workMem: number;
  /** A cursor over a tree at the statement's snapshot. On a writer whose transaction has changed
   * the tree it merges in the changes of the transaction's earlier statements, never those of the
   * running one, and is not a PageCursor. */
  openCursor(tree: TreeId): Cursor;
  /** Takes back a cursor that is not used any more, to be handed out again. */
  closeCursor(cursor: Cursor): void;
  createSpillFile(): SpillFile;
  /** True when the statement's time slice is used up: the operator returns PAUSE when it can. */
  shouldPause(): boolean;
  /** Throws 57014 after a cancel request or a timeout. Called at every batch. */
  checkInterrupts(): void;
  /** Null where the plan reads no system view (Plan.needsCatalog is false). */
  readonly systemViews: SystemViewSource | null;
  /** Null on readers (Plan.needsWriter is false). */
  readonly sequences: SequenceOperations | null;
  readonly rows: RowOperations | null;
  /** All rows are made before the first is given: the plan changes rows, and they may not all be
   * asked for. */
  readonly completesFirst?: boolean;
  /** What was attached to the plan's tables while the statement waited; null or absent: nothing. */
  readonly addedPartitions?: AddedPartitions | null;
  /** What is to be done once all rows are changed; null or absent: nothing. */
  readonly checks?: StatementChecks | null;
}

/** Work at the end of a statement: foreign keys. */
export interface StatementChecks {
  /** DONE, or PAUSE when it is to be called again. */
  run(): Status;
}

/** A file for what does not fit work_mem; deleted when it is closed. */
export interface SpillFile {
  /** Appends bytes[start, end) and returns the position they lie at. */
  write(bytes: Uint8Array, start: number, end: number): number;
  /** Reads `length` bytes from a position into target[at, at + length). */
  read(position: number, length: number, target: Uint8Array, at: number): void;
  close(): void;
}

/** Rows of the views of pg_catalog and information_schema. */
export interface SystemViewSource {
  /** Rows of a view, each an array with the Datums of all its columns. */
  rows(view: string, viewOid: number): Iterable<readonly Datum[]>;
}

/** Sequences change outside transactions, so none of these waits. `relation` is the sequence's oid. */
export interface SequenceOperations {
  nextval(relation: number): Int8;
  currval(relation: number): Int8;
  setval(relation: number, value: Int8, isCalled: boolean): Int8;
  lastval(): Int8;
  /** Makes `kept` what the sequence gave last, if that is still `last`: the values behind were not used. */
  putBack(relation: number, last: Int8, kept: Int8): void;
}

export type WaitPolicy = 'block' | 'nowait' | 'skip';

/** Outcome of a row lock.
 *
 *   locked   the row is locked and is the version that the statement sees
 *   changed  locked, but committed in a newer version since the snapshot: see `changedKey`, `changedTuple`
 *   deleted  there is no such row any more
 *   own      this very statement has changed or deleted the row before: leave it
 *   wait     queued behind another transaction: return PAUSE, and call again alike when resumed
 *   skipped  another transaction holds it, and the policy is 'skip'
 */
export type LockOutcome = 'locked' | 'changed' | 'deleted' | 'own' | 'wait' | 'skipped';

/** Outcome of a change. `conflict`: a row with an equal key exists (arbiters given): `conflictKey`. */
export type ChangeOutcome = 'done' | 'conflict' | 'wait';

/** A range of bytes that is good until the next call. */
export interface ByteRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Row changes of the running transaction: locks, unique checks, clustered and index entries.
 *
 * Rows are vectors by column position of the table and a row number. Keys are clustered keys. A
 * call that answers 'wait' has queued the transaction and changed nothing else; the operator calls
 * again with the same arguments when the statement is resumed. All throw what PostgreSQL throws:
 * 40001 in REPEATABLE READ, 55P03 for 'nowait', 23505 with DETAIL, 40P01. */
export interface RowOperations {
  lockRow(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    strength: RowLockStrength,
    waitPolicy: WaitPolicy,
    locksOnly?: boolean,
  ): LockOutcome;
  /** Locks the row that is at the key now, for ON CONFLICT: 'changed' when the snapshot does not show it. */
  lockConflicting(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    strength: RowLockStrength,
  ): Exclude<LockOutcome, 'skipped'>;
  /** After 'changed': the row's key (another one when the clustering key was updated) and tuple. */
  readonly changedKey: ByteRange;
  readonly changedTuple: ByteRange;

  /** Many rows are about to be inserted: their keys need not be locked one by one. */
  expectInserts(table: RelationDescriptor): void;

  /** Many rows are about to be changed, or locked. 'ready': those that `claimRow` names need not be locked; 'unfit':
   * all have to be; 'wait': return PAUSE, and ask again. */
  expectChanges(table: RelationDescriptor): 'ready' | 'wait' | 'unfit';
  /** After 'ready': whether the row is the version that the statement sees, and can be changed at once
   * without a lock. If the change has to wait, it is to be claimed, or locked, again. */
  claimRow(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): boolean;

  /** After 'ready': locks a row as `claimRow` lets one be changed. False: it has to be locked by itself. */
  claimLock(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    strength: RowLockStrength,
  ): boolean;

  /** `arbiters`: null without ON CONFLICT; else the unique indexes (none: all of them) in which an
   * equal key answers 'conflict' instead of throwing 23505. */
  insert(
    table: RelationDescriptor,
    columns: readonly ColumnVector[],
    row: number,
    arbiters: readonly number[] | null,
  ): ChangeOutcome;
  /** After 'conflict': clustered key of the row that exists. */
  readonly conflictKey: ByteRange;

  /** Replaces a row that is locked or claimed. `changed` are the assigned column positions. */
  update(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    oldColumns: readonly ColumnVector[],
    newColumns: readonly ColumnVector[],
    row: number,
    changed: readonly number[],
  ): ChangeOutcome;

  /** Deletes a row that lockRow has locked, as it goes with new values to another partition of the
   * partitioned table `whole`: who waits for it cannot follow it. */
  moveOut(
    table: RelationDescriptor,
    whole: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    oldColumns: readonly ColumnVector[],
    newColumns: readonly ColumnVector[],
    row: number,
  ): ChangeOutcome;

  /** Deletes a row that is locked or claimed. */
  delete(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    oldColumns: readonly ColumnVector[],
    row: number,
  ): ChangeOutcome;
}

/** What EXPLAIN ANALYZE prints of a node. Times are of `performance.now()`, in milliseconds, and
 * include the node's inputs. */
export interface NodeInstrumentation {
  loops: number;
  rows: number;
  batches: number;
  rowsRemoved: number;
  startupTime: number;
  totalTime: number;
  spillBytes: number;
  /** Bytes held at the most by a sort, hash table or kept result. */
  memoryBytes: number;
  /** Pages asked for, by the node's inputs too; and how many of them came from a file. */
  pageRequests: number;
  pageLoads: number;
  /** Of an append of partitions: the inputs that were not left out in the last run. */
  selectedInputs?: readonly number[];
}

/** What a thread has read of pages so far. */
export interface PageCounts {
  readonly requestCount: number;
  readonly loadCount: number;
}

/** Counters by plan node; made by `new Map()` and filled when the plan is opened. */
export type Instrumentation = Map<PlanNode, NodeInstrumentation>;
