import { indexKeyOf, indexPlaces } from '../../access/index.ts';
import {
  computedParts,
  type IndexDescriptor,
  type RelationDescriptor,
} from '../../catalog/descriptors.ts';
import type { ColumnVector, DataChunk, NumberVector } from '../../chunk/index.ts';
import { PgError } from '../../errors/index.ts';
import type { Expr } from '../expression.ts';
import type { ExpressionCompiler } from './expression/compile.ts';
import { type Evaluator, selectTrue } from './expression/evaluator.ts';

/** What of an index is computed, and where the values go in a row (access/keys.ts). */
interface ComputedIndex {
  readonly first: number;
  readonly expressions: readonly Evaluator[];
  readonly predicate: Evaluator | null;
}

/** The values of a table's indexes that are no columns of it: expressions and predicates.
 *
 * They are computed for all rows of a chunk together. Where that fails, they are computed row by row
 * instead, each when its turn comes: what is wrong with a row is told then, and not where another row,
 * or another thing about the same row, is to be complained of first. */
export class IndexValues {
  readonly #indexes: readonly ComputedIndex[];
  readonly #selection: Int32Array;
  readonly #single: DataChunk = { columns: [], count: 1, selection: new Int32Array(1) };
  /** How many columns the table has. */
  readonly #first: number;
  readonly #columns: ColumnVector[] = [];
  #rows: DataChunk = this.#single;
  #isRowByRow = false;

  private constructor(first: number, indexes: readonly ComputedIndex[], capacity: number) {
    this.#first = first;
    this.#indexes = indexes;
    this.#selection = new Int32Array(capacity);
  }

  /** Null where there is nothing to compute. `changed`: the columns that are assigned to; indexes that
   * keep their entries are left out then. */
  static ofTable(
    table: RelationDescriptor,
    compiler: ExpressionCompiler,
    changed: readonly number[] | null = null,
  ): IndexValues | null {
    const isMoved =
      changed !== null && (table.clusterKey ?? []).some((key) => changed.includes(key));
    const indexes = indexPlaces(table).flatMap(({ index, first }) => {
      const { reads } = indexKeyOf(table, index, first);
      const keeps = changed !== null && !isMoved && !reads.some((read) => changed.includes(read));
      return keeps || computedParts(index).length === 0 ? [] : [compiled(index, first, compiler)];
    });
    if (indexes.length === 0) return null;
    return new IndexValues(table.columns.length, indexes, compiler.capacity);
  }

  /** The values of one index alone, which stand behind the table's columns. */
  static ofIndex(
    table: RelationDescriptor,
    index: IndexDescriptor,
    compiler: ExpressionCompiler,
  ): IndexValues | null {
    if (computedParts(index).length === 0) return null;
    const { length } = table.columns;
    return new IndexValues(length, [compiled(index, length, compiler)], compiler.capacity);
  }

  /** Computes the values of rows, whose columns are by position in the table. */
  take(rows: DataChunk): void {
    this.#rows = rows;
    for (let i = 0; i < this.#first; i++) this.#columns[i] = rows.columns[i]!;
    this.#isRowByRow = false;
    try {
      this.#compute(rows);
    } catch (thrown) {
      if (!(thrown instanceof PgError)) throw thrown;
      this.#isRowByRow = true;
    }
  }

  /** The table's columns and what was computed of them, good for this row; throws where that cannot
   * be done. */
  of(row: number): readonly ColumnVector[] {
    if (this.#isRowByRow) {
      const single = this.#single;
      single.columns = this.#rows.columns;
      single.selection![0] = row;
      this.#compute(single);
    }
    return this.#columns;
  }

  #compute(rows: DataChunk): void {
    const columns = this.#columns;
    for (const { first, expressions, predicate } of this.#indexes) {
      let chosen = rows;
      if (predicate !== null) {
        const vector = predicate.evaluate(rows) as NumberVector;
        columns[first + expressions.length] = vector;
        const count = selectTrue(vector, rows, this.#selection);
        chosen = { columns: rows.columns, count, selection: this.#selection };
      }
      for (let i = 0; i < expressions.length; i++) {
        columns[first + i] = expressions[i]!.evaluate(chosen);
      }
    }
  }
}

function compiled(
  { columns, predicate }: IndexDescriptor,
  first: number,
  compiler: ExpressionCompiler,
): ComputedIndex {
  return {
    first,
    expressions: columns.flatMap(({ expression }) =>
      expression === null ? [] : [compiler.compile(expression.expr as Expr)],
    ),
    predicate: predicate && compiler.compile(predicate.expr as Expr),
  };
}
