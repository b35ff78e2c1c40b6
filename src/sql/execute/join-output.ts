import {
  CHUNK_ROWS,
  type ColumnVector,
  copyRow,
  createVector,
  type DataChunk,
  setAllNull,
} from '../../chunk/index.ts';
import type { SqlType } from '../../types/index.ts';
import type { JoinType } from '../plan/plan.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { FIRST_CHUNK_ROWS, type Operator } from './operator.ts';
import type { Run } from './run.ts';

/** What every join is made of. */
export interface JoinParts {
  readonly run: Run;
  readonly join: JoinType;
  readonly left: Operator;
  readonly right: Operator;
  readonly leftTypes: readonly SqlType[];
  readonly rightTypes: readonly SqlType[];
  /** Over the left columns, then the right. */
  readonly on: Evaluator | null;
}

/** Whether the output of a join has the left columns alone. */
export function isLeftOnly(join: JoinType): boolean {
  return join === 'semi' || join === 'anti' || join === 'nullAnti';
}

/** Joined rows: the left columns, then the right ones. Where they gather for the reader of the join, the
 * first chunks are small ones (`begin`). */
export class JoinOutput {
  readonly left: ColumnVector[];
  readonly right: ColumnVector[];
  readonly rows: DataChunk;
  /** NULLs in place of the columns of a side that has no row. */
  readonly leftNulls: ColumnVector[];
  readonly rightNulls: ColumnVector[];
  #capacity = CHUNK_ROWS;

  constructor(leftTypes: readonly SqlType[], rightTypes: readonly SqlType[]) {
    this.left = leftTypes.map((type) => createVector(type));
    this.right = rightTypes.map((type) => createVector(type));
    this.rows = { columns: [...this.left, ...this.right], count: 0, selection: null };
    this.leftNulls = nulls(leftTypes);
    this.rightNulls = nulls(rightTypes);
  }

  get isFull(): boolean {
    return this.rows.count >= this.#capacity;
  }

  /** Starts over with a chunk of `expectedRows` at the most, and twice as many in each further one. */
  begin(expectedRows: number): void {
    this.clear();
    this.#capacity = Math.max(1, Math.min(FIRST_CHUNK_ROWS, expectedRows));
  }

  /** Makes room for the next chunk. */
  advance(): void {
    this.clear();
    this.#capacity = Math.min(CHUNK_ROWS, this.#capacity * 2);
  }

  clear(): void {
    this.rows.count = 0;
    this.rows.selection = null;
    for (const column of this.rows.columns) column.reset();
  }

  /** Adds a row of both sides; null for a side without one. */
  add(
    left: readonly ColumnVector[] | null,
    leftRow: number,
    right: readonly ColumnVector[] | null,
    rightRow: number,
  ): void {
    const at = this.rows.count++;
    for (let i = 0; i < this.left.length; i++) {
      if (left === null) this.left[i]!.setNull(at);
      else copyRow(left[i]!, leftRow, this.left[i]!, at);
    }
    for (let i = 0; i < this.right.length; i++) {
      if (right === null) this.right[i]!.setNull(at);
      else copyRow(right[i]!, rightRow, this.right[i]!, at);
    }
  }
}

function nulls(types: readonly SqlType[]): ColumnVector[] {
  return types.map((type) => {
    const vector = createVector(type);
    setAllNull(vector);
    return vector;
  });
}
