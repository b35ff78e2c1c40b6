import type { ColumnDescriptor } from '../../catalog/descriptors.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import type { Binder } from './binder.ts';
import { coerceToTarget, constant } from './coercion.ts';
import type { ModifyTarget, TargetColumn } from './modify-target.ts';
import { typeDisplay } from './type-facts.ts';

/** What columns are given: values that fit them, and defaults. */

/** The expression as it is stored in the column. */
export function assign(
  b: Binder,
  column: ColumnDescriptor,
  expr: Expr,
  location: number | undefined,
): Expr {
  const coerced = coerceToTarget(b, expr, column.type, column.typmod, 'assignment');
  if (coerced === undefined) throw assignmentError(b, column, expr, location);
  return coerced;
}

function assignmentError(
  b: Binder,
  column: ColumnDescriptor,
  expr: Expr,
  location: number | undefined,
): Error {
  return pgError(
    'datatype_mismatch',
    `column "${column.name}" is of type ${typeDisplay(column.type)} but expression is of type ${typeDisplay(expr.type)}`,
    {
      hint: 'You will need to rewrite or cast the expression.',
      ...b.position(b.locationOf(expr) ?? location),
    },
  );
}

/** What a column gets when the statement gives it no value. */
function defaultValue(b: Binder, column: ColumnDescriptor): Expr {
  if (column.identity !== '') {
    const nextval: Expr = {
      kind: 'sequence',
      type: OID.int8,
      typmod: -1,
      operation: 'nextval',
      relation: constant(OID.regclass, column.sequence),
      value: null,
      isCalled: null,
    };
    return coerceToTarget(b, nextval, column.type, -1, 'assignment') ?? nextval;
  }
  const { dropped, generated } = column;
  if (column.default !== null && !dropped && generated !== true) return column.default.expr as Expr;
  return constant(column.type, null, column.typmod);
}

/** What a column of a new row gets by DEFAULT, or when it is given nothing; views may say so. */
export function targetDefault(
  b: Binder,
  { table, defaults }: ModifyTarget,
  position: number,
): Expr {
  const shown = defaults.get(position)?.expr as Expr | undefined;
  if (shown !== undefined) return shown;
  const column = table.columns[position];
  // What a view computes has none, and is refused.
  return column === undefined ? constant(OID.unknown, null) : defaultValue(b, column);
}

/** The same column twice, or two that are the same one of the table. */
export function assignedTwice(
  { table }: ModifyTarget,
  column: TargetColumn,
  previous: TargetColumn | null,
): PgError {
  const name = column === previous ? column.name : table.columns[column.position]?.name;
  return pgError('syntax_error', `multiple assignments to same column "${name}"`);
}

export function generatedDetail({ name, generated }: ColumnDescriptor): string {
  return generated === true
    ? `Column "${name}" is a generated column.`
    : `Column "${name}" is an identity column defined as GENERATED ALWAYS.`;
}
