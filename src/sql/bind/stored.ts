import type { Node } from '@pgsql/types';
import type { RelationDescriptor, StoredExpression } from '../../catalog/descriptors.ts';
import { type PgErrorOptions, pgError } from '../../errors/index.ts';
import type { Expr, RowExpr } from '../expression.ts';
import { mapChildren, visitChildren } from '../expression-tree.ts';
import { type BindContext, Binder } from './binder.ts';
import { coerceToBoolean, coerceToTarget, resolveUnknown } from './coercion.ts';
import { deparseExpression } from './deparse.ts';
import { bindExpr } from './expressions.ts';
import { isMutable } from './mutable-expressions.ts';
import { namespaceItem, type Place, Scope } from './scope.ts';
import { typeDisplay } from './type-facts.ts';

/** Columns of level 0 as positions of an input row. */
export function toInputs(expr: Expr, position: (column: number) => number): Expr {
  if (expr.kind === 'column' && expr.level === 0) {
    const { type, typmod, column } = expr;
    return { kind: 'input', type, typmod, column: position(column) };
  }
  return mapChildren(expr, (child) => toInputs(child, position));
}

/** What an expression of DDL is for, or of EXECUTE. */
export type StoredPlace =
  | 'DEFAULT expressions'
  | 'EXECUTE parameters'
  | 'check constraints'
  | 'column generation expressions'
  | 'index expressions'
  | 'index predicates'
  | 'partition key expressions';

/** The value that the expression is to have; `column` names it in errors. */
export interface StoredTarget {
  readonly type: number;
  readonly typmod: number;
  readonly column: string;
  /** What is said where there is no cast; default is that of a column's DEFAULT. */
  mismatch?(type: string, position: PgErrorOptions): Error;
}

/** The shape of a table that DDL is about: enough of a descriptor to name its columns. */
export type StoredTable = Pick<RelationDescriptor, 'name' | 'columns'>;

/** Binds a DEFAULT, CHECK or index expression of DDL. Its columns are `input` by position in
 * `table.columns`; a DEFAULT has no columns and is cast to `target` as an assignment. */
export function bindExpression(
  node: Node,
  context: BindContext,
  place: StoredPlace,
  table: StoredTable | null,
  target: StoredTarget | null,
): StoredExpression {
  const b = new Binder(context, new Set());
  const scope = new Scope(null);
  scope.place = place satisfies Place;
  const names = table?.columns.map((column) => column.name) ?? [];
  if (table !== null) {
    const item = namespaceItem(0, table.name, table.columns);
    const live = item.columns.filter((_, i) => table.columns[i]?.dropped !== true);
    scope.items = [scope.addItem({ ...item, columns: live })];
    scope.addEntry({
      kind: 'systemView',
      alias: table.name,
      columns: table.columns,
      view: '',
      oid: 0,
    });
  }
  let expr = bindExpr(b, scope, node);
  if (place === 'column generation expressions') checkGeneration(b, expr, table!.columns);
  if (place === 'check constraints') expr = coerceToBoolean(b, expr, 'CHECK');
  else if (place === 'index predicates') expr = coerceToBoolean(b, expr, 'WHERE');
  else expr = resolveUnlessTarget(b, expr, target);
  const bound = toInputs(expr, (column) => column);
  return { text: deparseExpression(bound, names), expr: bound };
}

/** A generated column is computed of columns that are not, by what gives the same value again. */
function checkGeneration(b: Binder, expr: Expr, columns: StoredTable['columns']): void {
  refuseGenerated(b, expr, columns);
  if (isMutable(expr)) {
    throw pgError('invalid_object_definition', 'generation expression is not immutable');
  }
}

function refuseGenerated(b: Binder, expr: Expr, columns: StoredTable['columns']): void {
  if (expr.kind === 'row' && isWholeRow(expr, columns)) {
    throw pgError(
      'invalid_object_definition',
      'cannot use whole-row variable in column generation expression',
      {
        detail: 'This would cause the generated column to depend on its own value.',
        ...b.positionOf(expr),
      },
    );
  }
  if (expr.kind === 'column' && columns[expr.column]?.generated === true) {
    throw pgError(
      'invalid_object_definition',
      `cannot use generated column "${columns[expr.column]?.name}" in column generation expression`,
      {
        detail: 'A generated column cannot reference another generated column.',
        ...b.positionOf(expr),
      },
    );
  }
  visitChildren(expr, (child) => refuseGenerated(b, child, columns));
}

function isWholeRow({ names }: RowExpr, columns: StoredTable['columns']): boolean {
  const live = columns.filter(({ dropped }) => !dropped);
  return names.length === live.length && names.every((name, i) => name === live[i]?.name);
}

/** Binds a value of a partition's bound as a value of a key's type; undefined where it cannot be cast. */
export function bindBoundValue(
  node: Node,
  context: BindContext,
  type: number,
  typmod: number,
): Expr | undefined {
  const b = new Binder(context, new Set());
  const scope = new Scope(null);
  scope.place = 'partition bound';
  return coerceToTarget(b, bindExpr(b, scope, node), type, typmod, 'assignment');
}

function resolveUnlessTarget(b: Binder, expr: Expr, target: StoredTarget | null): Expr {
  if (target === null) return resolveUnknown(b, expr);
  const coerced = coerceToTarget(b, expr, target.type, target.typmod, 'assignment');
  if (coerced !== undefined) return coerced;
  if (target.mismatch !== undefined) {
    throw target.mismatch(typeDisplay(expr.type), b.positionOf(expr));
  }
  throw pgError(
    'datatype_mismatch',
    `column "${target.column}" is of type ${typeDisplay(target.type)} but default expression is of type ${typeDisplay(expr.type)}`,
    { hint: 'You will need to rewrite or cast the expression.' },
  );
}
