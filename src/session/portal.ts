import { type PgError, type PgErrorFields, pgError, SQLSTATES } from '../errors/index.ts';
import type { Datum } from '../types/index.ts';
import type { HeldSnapshot, RunHandle } from './backend.ts';
import type { HeldRows } from './held-rows.ts';
import type { PreparedStatement } from './prepared-statement.ts';
import { describeColumns } from './result-columns.ts';
import type { ResultColumn } from './session-port.ts';

/** A prepared statement bound to parameters and result formats.
 *
 *   ready ──Execute──► done
 *                 └──row limit──► suspended ──Execute──► suspended or done
 *
 * A suspended portal has a run that goes on, or rows that were made at once; that of an EXECUTE has
 * another portal for the statement that it runs.
 */
export class Portal {
  readonly name: string;
  /** Replaced when its plan was out of date before it ran. */
  prepared: PreparedStatement;
  readonly parameters: readonly Datum[];
  formats: Uint8Array;
  state: 'ready' | 'suspended' | 'done' = 'ready';
  /** Its run ended in an error; a savepoint may have kept it, but it cannot go on. */
  hasFailed = false;
  /** The suspended run. */
  handle: RunHandle | null = null;
  /** The run is in the writer. */
  inWriter = false;
  /** Rows that the present Execute may send; 0 for all. */
  rowLimit = 0;
  /** Of SHOW, EXPLAIN and FETCH with a row limit: what they answered. */
  held: HeldRows | null = null;
  /** Of EXECUTE: the portal of the statement that it runs. */
  executed: Portal | null = null;
  /** Savepoints that were open when it was made; it goes with the last of them. */
  level = 0;
  /** What makes it a cursor of DECLARE. */
  cursor: CursorState | null = null;

  constructor(
    name: string,
    prepared: PreparedStatement,
    parameters: readonly Datum[],
    formats: Uint8Array,
  ) {
    this.name = name;
    this.prepared = prepared;
    this.parameters = parameters;
    this.formats = formats;
  }

  /** Its RowDescription; the statement's own when all columns are text. */
  columns(): readonly ResultColumn[] | null {
    const { output, columns } = this.prepared;
    if (output === null || this.formats.every((format) => format === 0)) return columns;
    return describeColumns(output, this.formats);
  }

  /** Its run has come to its end. */
  finish(): void {
    this.state = 'done';
    this.handle = null;
  }

  /** A row limit has stopped its run. */
  suspend(handle: RunHandle, inWriter: boolean): void {
    this.state = 'suspended';
    this.handle = handle;
    this.inWriter = inWriter;
  }

  /** The next run begins at the first row. */
  rewind(): void {
    this.close();
    this.state = 'ready';
  }

  /** Its run, or what was to start it, has ended in an error. That a thread has ended says nothing of the
   * query: a cursor reads again. */
  fail({ sqlstate }: PgErrorFields): void {
    this.finish();
    this.held = null;
    this.hasFailed = sqlstate !== SQLSTATES.crash_shutdown;
  }

  /** Ends its run; the snapshot of a cursor is the session's to release. */
  close(): void {
    this.handle?.close();
    this.handle = null;
    this.held = null;
    this.executed?.close();
    this.state = 'done';
  }
}

/** What a portal answers that has run, and cannot go on. */
export function cannotRun({ name }: Portal): PgError {
  return pgError('object_not_in_prerequisite_state', `portal "${name}" cannot be run`);
}

/** Where a cursor stands. Its run goes forward only; what lies behind is read by another run at the
 * same snapshot. */
export interface CursorState {
  /** What the cursor reads at, from its declaration to its end. */
  readonly snapshot: HeldSnapshot;
  /** What it sees of its transaction's changes (`PlanRun.seenChanges`): those before its declaration. */
  readonly seenChanges: number;
  /** What now() is in its query. */
  readonly transactionTimestamp: number;
  /** WITH HOLD: it outlives the transaction that it was declared in, if that one commits. */
  readonly isHoldable: boolean;
  /** It has outlived it. */
  isHeld: boolean;
  /** Whether rows can be read again. */
  readonly scrollable: boolean;
  readonly isBinary: boolean;
  /** The query string that declared it, and when. */
  readonly statement: string;
  readonly createTime: number;
  /** The row it is on, from 1; 0 before the first, `total + 1` after the last. */
  position: number;
  /** Rows that the run has given. */
  runPosition: number;
  /** Number of rows, once the run has come to its end. */
  total: number | null;
}
