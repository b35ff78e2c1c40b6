import { columnsIn, type RelationDescriptor } from '../../catalog/descriptors.ts';
import type { Expr } from '../expression.ts';

/** GENERATED ALWAYS AS (…) STORED: what new rows of a table get computed. */
export interface GeneratedColumn {
  readonly column: number;
  /** Over the row, its columns by position in the table. It reads no other generated column. */
  readonly expr: Expr;
}

/** The columns that are computed anew when those at `assigned` change, or are set to DEFAULT themselves;
 * null: of a new row, all. */
export function generatedColumns(
  table: RelationDescriptor,
  assigned: readonly number[] | null,
): readonly GeneratedColumn[] {
  return table.columns.flatMap((column, position) => {
    if (column.generated !== true || column.dropped || column.default === null) return [];
    const expr = column.default.expr as Expr;
    const isChanged = (changed: number) => changed === position || columnsIn(expr).has(changed);
    if (assigned?.some(isChanged) === false) return [];
    return [{ column: position, expr }];
  });
}
