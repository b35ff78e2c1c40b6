import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import type { DataChunk } from '../../chunk/index.ts';
import { generatedColumns } from '../plan/generated-columns.ts';
import type { ExpressionCompiler } from './expression/compile.ts';
import type { Evaluator } from './expression/evaluator.ts';

/** What a column of a new row is computed by. */
export interface ColumnValue {
  readonly column: number;
  readonly value: Evaluator;
}

/** What computes the generated columns of rows in which the columns at `assigned` have changed; null: of
 * new rows. */
export function generatedValues(
  table: RelationDescriptor,
  assigned: readonly number[] | null,
  expressions: ExpressionCompiler,
): readonly ColumnValue[] {
  return generatedColumns(table, assigned).map(({ column, expr }) => ({
    column,
    value: expressions.compile(expr),
  }));
}

/** Puts the generated columns into rows; columns by position in the table. */
export function generate(rows: DataChunk, generated: readonly ColumnValue[]): void {
  for (const { column, value } of generated) rows.columns[column] = value.evaluate(rows);
}
