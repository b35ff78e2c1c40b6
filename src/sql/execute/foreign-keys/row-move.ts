import type { CatalogView, RelationDescriptor } from '../../../catalog/descriptors.ts';
import type { ColumnVector, DataChunk } from '../../../chunk/index.ts';
import { columnMap } from '../../bind/partition-checks.ts';
import type { ChangeOutcome, RowOperations } from '../environment.ts';
import type { ExpressionCompiler } from '../expression/compile.ts';
import { TableColumns } from '../insert-target.ts';
import { RoutedRows } from '../routed-rows.ts';
import type { Run } from '../run.ts';
import type { Reference } from './reference.ts';
import { wholeKey } from './violations.ts';

/** Rows that an action of a foreign key moves from one partition to another, one after the other: taken
 * out of the one, then inserted as rows of the table whose foreign key it is. */
export class RowMove {
  readonly #child: RelationDescriptor;
  /** The table whose foreign key it is, of which the child is a partition. */
  readonly #whole: RelationDescriptor;
  readonly #columns: TableColumns;
  readonly #rows: RoutedRows;
  #old: readonly ColumnVector[] = [];
  #new: DataChunk = { columns: [], count: 0, selection: null };
  #isOut = false;

  constructor(
    { child, constraint }: Reference,
    catalog: CatalogView,
    run: Run,
    compiler: ExpressionCompiler,
  ) {
    const { table: whole } = wholeKey(catalog, child, constraint);
    const position = columnMap(whole, child);
    const from = whole.columns.map(({ dropped }, i) => (dropped ? -1 : position(i)));
    this.#child = child;
    this.#whole = whole;
    this.#columns = new TableColumns(whole, from, compiler.capacity);
    this.#rows = new RoutedRows({ run, compiler }, catalog, whole);
  }

  /** Begins with a row, as it was and as it is to be. */
  begin(oldColumns: readonly ColumnVector[], changed: DataChunk): void {
    this.#old = oldColumns;
    this.#new = changed;
    this.#isOut = false;
  }

  /** To be called again after a wait. */
  apply(changes: RowOperations, key: Uint8Array): ChangeOutcome {
    if (!this.#isOut) {
      this.#columns.take(this.#new);
      this.#rows.take({ columns: this.#columns.columns, count: 1, selection: null }, changes);
      this.#rows.verify(0);
      const { columns } = this.#new;
      const { length } = key;
      const left = changes.moveOut(this.#child, this.#whole, key, 0, length, this.#old, columns, 0);
      if (left !== 'done') return left;
      this.#isOut = true;
    }
    return this.#rows.insert(changes, 0);
  }
}
