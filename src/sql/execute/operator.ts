import type { DataChunk } from '../../chunk/index.ts';

/** What a pull of an operator gave.
 *
 *   CHUNK  rows, in `operator.chunk`, good until the next call, whatever that gives
 *   DONE   no more rows
 *   PAUSE  nothing yet: the time slice is over or the transaction waits for a lock. Everything that
 *          the operator needs to go on is in its fields; the statement calls `next` again later.
 */
export const DONE = 0;
export const CHUNK = 1;
export const PAUSE = 2;
export type Status = 0 | 1 | 2;

/** Rows of the first chunk of what gathers rows; each further one has twice as many, up to a full chunk. So
 * a query that needs few rows computes few. */
export const FIRST_CHUNK_ROWS = 64;

/** One node of a compiled plan. `open`, any number of `next`, `close`; then `open` again for the next
 * run. An operator opens and closes its inputs. `close` is called after an error too, and twice does
 * no harm. */
export abstract class Operator {
  chunk: DataChunk = { columns: [], count: 0, selection: null };

  abstract open(): void;
  abstract next(): Status;
  abstract close(): void;

  /** About how many rows the reader will want of each run from now on: what gathers rows into chunks begins
   * with so few. It may read fewer, or more. */
  expectRows(_count: number): void {}

  /** Starts over in the same run, with the slots' present values. */
  rescan(): void {
    this.close();
    this.open();
  }
}

/** An operator over the rows of one input. */
export abstract class UnaryOperator extends Operator {
  protected readonly input: Operator;

  constructor(input: Operator) {
    super();
    this.input = input;
  }

  override open(): void {
    this.input.open();
    this.begin();
  }

  override rescan(): void {
    this.input.rescan();
    this.begin();
  }

  /** Forgets all rows: the input starts over. */
  protected begin(): void {}

  override close(): void {
    this.input.close();
  }
}
