import type { FetchStmt } from '@pgsql/types';
import { assert } from '../base/index.ts';
import { type PgError, pgError } from '../errors/index.ts';
import { dataRowLength, KEPT_BYTES_MAX, tooManyKept } from './held-rows.ts';
import type { CursorState, Portal } from './portal.ts';

export interface FetchStep {
  readonly limit: number;
  readonly restart: boolean;
}

/** FETCH and MOVE as a row of steps. Each step runs the cursor's plan for some rows more:
 *
 *   count  to the end, to learn how many rows there are (positions from the end)
 *   skip   to the row before the first that is wanted
 *   take   the rows that are wanted
 */
export class CursorFetch {
  readonly portal: Portal;
  readonly isMove: boolean;
  /** Rows that were fetched or moved over. */
  rowCount = 0;
  private readonly cursor: CursorState;
  private readonly statement: FetchStmt;
  private step: 'count' | 'skip' | 'take' = 'count';
  private target: Target | null = null;
  /** DataRow messages of a fetch backward, which leave in the opposite order. */
  private readonly kept: Uint8Array[] = [];
  private keptBytes = 0;

  constructor(portal: Portal, statement: FetchStmt) {
    assert(portal.cursor !== null, 'FETCH from a portal that is no cursor');
    this.portal = portal;
    this.cursor = portal.cursor;
    this.statement = statement;
    this.isMove = statement.ismove ?? false;
  }

  get tag(): string {
    return `${this.isMove ? 'MOVE' : 'FETCH'} ${this.rowCount}`;
  }

  /** Whether rows of the present step are for the client, in the order they come. */
  get sendsRows(): boolean {
    return this.step === 'take' && !this.isMove && !this.target!.reversed;
  }

  /** What was given to be run last. */
  current: FetchStep | null = null;

  /** What to run next: the rows to run for (0 for all), and whether from the start; null when done. */
  next(): FetchStep | null {
    const { cursor } = this;
    if (this.keptBytes > KEPT_BYTES_MAX) {
      throw tooManyKept('FETCH BACKWARD', 'Fetch fewer rows at a time.');
    }
    if (this.target === null) {
      if (!this.aim()) return this.run('count', 0, false);
    } else if (this.step === 'take') {
      this.finish();
      return null;
    }
    const { first, count } = this.target!;
    if (count === 0 || (cursor.total !== null && first > cursor.total)) {
      this.finish();
      return null;
    }
    const restart = cursor.runPosition > first - 1 || this.portal.state === 'done';
    const from = restart ? 0 : cursor.runPosition;
    if (from < first - 1) return this.run('skip', first - 1 - from, restart);
    return this.run('take', count === ALL ? 0 : count, restart);
  }

  /** Works out which rows are wanted, and fails where they lie behind a cursor that goes forward
   * only. False when that takes the number of rows, which is not known yet. */
  aim(): boolean {
    const { cursor } = this;
    if (cursor.total === null && countsFromEnd(this.statement)) {
      if (!cursor.scrollable) throw onlyForward();
      return false;
    }
    this.target = targetOf(this.statement, cursor.position, cursor.total);
    if (this.isMove && this.target.again) {
      // MOVE 0 tells whether there is a row to stay on.
      const { position, total } = cursor;
      this.rowCount = position > 0 && (total === null || position <= total) ? 1 : 0;
      this.target = { ...this.target, count: 0, after: position, reversed: false };
    }
    this.checkDirection(this.target);
    return true;
  }

  /** `count` rows came. */
  rows(bytes: Uint8Array, start: number, end: number, count: number): void {
    this.cursor.runPosition += count;
    if (this.step !== 'take') return;
    this.rowCount += count;
    if (this.isMove || !this.target!.reversed) return;
    this.keptBytes += end - start;
    if (this.keptBytes > KEPT_BYTES_MAX) {
      this.kept.length = 0;
      return;
    }
    for (let at = start; at < end; ) {
      const length = dataRowLength(bytes, at);
      this.kept.push(bytes.slice(at, at + length));
      at += length;
    }
  }

  /** The plan has no more rows. */
  ended(): void {
    this.cursor.total = this.cursor.runPosition;
  }

  /** Rows of a fetch backward in the client's order. */
  reversedRows(): Uint8Array | null {
    return this.kept.length === 0 ? null : Buffer.concat(this.kept.reverse());
  }

  private run(step: 'count' | 'skip' | 'take', limit: number, restart: boolean): FetchStep {
    this.step = step;
    if (restart) this.cursor.runPosition = 0;
    this.current = { limit, restart };
    return this.current;
  }

  private finish(): void {
    const { cursor } = this;
    const target = this.target!;
    const { first, count, reversed, after } = target;
    if (reversed || count === 0) cursor.position = after;
    else {
      const complete = this.rowCount === count;
      if (this.rowCount > 0) cursor.position = first + this.rowCount - 1;
      if (!complete) cursor.position = (cursor.total ?? cursor.runPosition) + 1;
    }
  }

  private checkDirection(target: Target): void {
    const { position, scrollable } = this.cursor;
    const leaves = target.count === 0 ? target.after < position : target.first <= position;
    const isBackward = target.reversed || leaves;
    if (!isBackward || scrollable) return;
    throw onlyForward();
  }
}

function onlyForward(): PgError {
  return pgError('object_not_in_prerequisite_state', 'cursor can only scan forward', {
    hint: 'Declare it with SCROLL option to enable backward scan.',
  });
}

/** The rows `first` to `first + count - 1` (`ALL` for to the end), and where that leaves the cursor
 * when they are reversed or none. */
interface Target {
  readonly first: number;
  readonly count: number;
  readonly reversed: boolean;
  readonly after: number;
  /** It is the row that the cursor is on. */
  readonly again?: boolean;
}

const ALL = -1;
/** FETCH ALL as the parser has it, on either side. */
const HOW_MANY_ALL = 2147483647;

/** FETCH FORWARD of some rows; 0 for all. */
export function forwardFetch(rowLimit: number): FetchStmt {
  return { direction: 'FETCH_FORWARD', howMany: BigInt(rowLimit === 0 ? HOW_MANY_ALL : rowLimit) };
}

function countsFromEnd({ direction, howMany }: FetchStmt): boolean {
  return direction === 'FETCH_ABSOLUTE' && Number(howMany ?? 0) < 0;
}

function targetOf(statement: FetchStmt, position: number, total: number | null): Target {
  const howMany = Number(statement.howMany ?? 0);
  switch (statement.direction) {
    case 'FETCH_ABSOLUTE':
      return single(howMany < 0 ? total! + 1 + howMany : howMany);
    case 'FETCH_RELATIVE':
      return single(position + howMany, howMany === 0);
    case 'FETCH_BACKWARD':
      return howMany < 0 ? forward(position, -howMany) : backward(position, howMany);
    default:
      return howMany < 0 ? backward(position, -howMany) : forward(position, howMany);
  }
}

function forward(position: number, howMany: number): Target {
  if (howMany === 0) return single(position, true);
  const count = howMany >= HOW_MANY_ALL ? ALL : howMany;
  return { first: position + 1, count, reversed: false, after: position };
}

function backward(position: number, howMany: number): Target {
  if (howMany === 0) return single(position, true);
  const last = position - 1;
  const first = howMany >= HOW_MANY_ALL ? 1 : Math.max(1, position - howMany);
  const after = howMany >= HOW_MANY_ALL ? 0 : Math.max(0, position - howMany);
  return { first, count: Math.max(0, last - first + 1), reversed: true, after };
}

/** One row; `again` is the row the cursor is on. */
function single(row: number, again = false): Target {
  if (row < 1) return { first: 1, count: 0, reversed: false, after: 0 };
  return { first: row, count: 1, reversed: again, after: row, again };
}
