import { type ColumnVector, copyRow, createVector, type DataChunk } from '../../chunk/index.ts';
import type { SqlType } from '../../types/index.ts';
import type { Evaluator } from './expression/evaluator.ts';

/** Collects the rows that a statement has changed and computes RETURNING over them. */
export class Returning {
  readonly #exprs: readonly Evaluator[];
  readonly #rows: DataChunk;
  #isEmitted = false;

  constructor(types: readonly SqlType[], exprs: readonly Evaluator[], capacity: number) {
    this.#exprs = exprs;
    this.#rows = {
      columns: types.map((type) => createVector(type, capacity)),
      count: 0,
      selection: null,
    };
  }

  reset(): void {
    this.#isEmitted = false;
    this.#rows.count = 0;
    for (const column of this.#rows.columns) column.reset();
  }

  /** Rows that are not handed on yet. */
  get count(): number {
    return this.#isEmitted ? 0 : this.#rows.count;
  }

  /** Keeps a row: the table's columns, then those of the input (if RETURNING can read them). */
  add(table: readonly ColumnVector[], input: readonly ColumnVector[], row: number): void {
    if (this.#isEmitted) this.reset();
    const target = this.#rows.columns;
    const at = this.#rows.count++;
    for (let i = 0; i < target.length; i++) {
      const column = i < table.length ? table[i]! : input[i - table.length]!;
      copyRow(column, row, target[i]!, at);
    }
  }

  /** Computes the results into a chunk, which is good until the next row is added. */
  emit(chunk: DataChunk): void {
    this.#isEmitted = true;
    chunk.columns = this.#exprs.map((expr) => expr.evaluate(this.#rows));
    chunk.count = this.#rows.count;
    chunk.selection = null;
  }
}
