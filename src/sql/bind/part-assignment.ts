import type { A_Indices, Node } from '@pgsql/types';
import type { ColumnDescriptor } from '../../catalog/descriptors.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import type { Binder } from './binder.ts';
import { coerceToTarget } from './coercion.ts';
import { assignJsonbSubscripts } from './jsonb-subscripts.ts';
import type { Scope } from './scope.ts';
import { subscriptType, typeDisplay } from './type-facts.ts';

/** Assignments to a part of a column: `SET column[…] = value`. */

/** The subscripts of `SET column[…] = …`; null where the column is assigned as a whole. */
export function subscriptsOf(
  b: Binder,
  column: ColumnDescriptor,
  indirection: readonly Node[],
  location: number | undefined,
): readonly A_Indices[] | null {
  if (indirection.length === 0) return null;
  if (
    'A_Indices' in (indirection[0] as Node) &&
    subscriptType(column.type) === 0 &&
    column.type !== OID.jsonb
  ) {
    throw pgError(
      'datatype_mismatch',
      `cannot subscript type ${typeDisplay(column.type)} because it does not support subscripting`,
      b.position(location),
    );
  }
  const indices = indirection.flatMap((node) => ('A_Indices' in node ? [node.A_Indices] : []));
  if (column.type !== OID.jsonb || indices.length < indirection.length) {
    throw notSupported('assignment to a part of a column', b.position(location));
  }
  return indices;
}

/** The new value of a jsonb column of which a part is assigned. */
export function assignPart(
  b: Binder,
  scope: Scope,
  column: ColumnDescriptor,
  container: Expr,
  subscripts: readonly A_Indices[],
  value: Expr | null,
  location: number | undefined,
): Expr {
  if (value === null) {
    throw pgError(
      'feature_not_supported',
      'cannot set an array element to DEFAULT',
      b.position(location),
    );
  }
  const coerced = coerceToTarget(b, value, OID.jsonb, -1, 'assignment');
  if (coerced === undefined) {
    throw pgError(
      'datatype_mismatch',
      `subscripted assignment to "${column.name}" requires type jsonb but expression is of type ${typeDisplay(value.type)}`,
      {
        hint: 'You will need to rewrite or cast the expression.',
        ...b.position(location),
      },
    );
  }
  return assignJsonbSubscripts(b, scope, container, subscripts, coerced);
}
