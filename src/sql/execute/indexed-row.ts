import { indexKeyOf, layoutOf, readColumnOfTuple, type TupleLayout } from '../../access/index.ts';
import type { IndexDescriptor, RelationDescriptor } from '../../catalog/descriptors.ts';
import { type ColumnVector, createVector, type DataChunk } from '../../chunk/index.ts';
import { typeByOid } from '../../types/index.ts';
import type { ExpressionCompiler } from './expression/compile.ts';
import { IndexValues } from './index-values.ts';

/** What an index has of one row after the other, with what is computed: row 0 of vectors. */
export class IndexedRow {
  readonly #layout: TupleLayout;
  readonly #reads: readonly number[];
  readonly #rows: DataChunk;
  readonly #values: IndexValues | null;

  /** `compiler` is for single rows. */
  constructor(table: RelationDescriptor, index: IndexDescriptor, compiler: ExpressionCompiler) {
    this.#layout = layoutOf(table);
    this.#reads = indexKeyOf(table, index).reads;
    const columns = table.columns.map(({ type }) => createVector(typeByOid(type), 1));
    this.#rows = { columns, count: 1, selection: null };
    this.#values = IndexValues.ofIndex(table, index, compiler);
  }

  read(tuple: Uint8Array, start: number): readonly ColumnVector[] {
    const { columns } = this.#rows;
    for (const column of this.#reads) {
      const vector = columns[column]!;
      vector.reset();
      readColumnOfTuple(this.#layout, column, tuple, start, vector, 0);
    }
    if (this.#values === null) return columns;
    this.#values.take(this.#rows);
    return this.#values.of(0);
  }
}
