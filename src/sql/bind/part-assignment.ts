import type { A_Indices, Node } from '@pgsql/types';
import type { ColumnDescriptor } from '../../catalog/descriptors.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { bindArraySubscripts, notSubscriptable } from './array-subscripts.ts';
import type { Binder } from './binder.ts';
import { coerceToTarget } from './coercion.ts';
import { assignJsonbSubscripts } from './jsonb-subscripts.ts';
import type { Scope } from './scope.ts';
import { nodeString } from './syntax.ts';
import { subscriptType, typeDisplay } from './type-facts.ts';

/** Assignments to a part of a column: `SET column[…] = value`, `INSERT INTO t (column[…])`. */

/** The subscripts of a target; null where the column is assigned as a whole. */
export function subscriptsOf(
  b: Binder,
  column: Pick<ColumnDescriptor, 'name' | 'type'>,
  indirection: readonly Node[],
  location: number | undefined,
): readonly A_Indices[] | null {
  if (indirection.length === 0) return null;
  const indices: A_Indices[] = [];
  for (const node of indirection) {
    if (!('A_Indices' in node)) throw notComposite(b, column, indices, node, location);
    indices.push(node.A_Indices);
  }
  if (column.type === OID.jsonb) return indices;
  if (subscriptType(column.type) === 0 && column.type !== OID.name) {
    throw notSubscriptable(column.type, b.position(location));
  }
  return indices;
}

/** A field of what is no row: the column, or what its subscripts lead to. */
function notComposite(
  b: Binder,
  column: Pick<ColumnDescriptor, 'name' | 'type'>,
  indices: readonly A_Indices[],
  node: Node,
  location: number | undefined,
): Error {
  const field = nodeString(node);
  if (field === undefined) {
    return pgError('feature_not_supported', 'row expansion via "*" is not supported here');
  }
  const isElement = indices.length > 0 && !indices.some((index) => index.is_slice === true);
  const type = (isElement && subscriptType(column.type)) || column.type;
  return pgError(
    'datatype_mismatch',
    `cannot assign to field "${field}" of column "${column.name}" because its type ${typeDisplay(type)} is not a composite type`,
    b.position(location),
  );
}

/** The new value of a column of which a part is assigned. */
export function assignPart(
  b: Binder,
  scope: Scope,
  column: ColumnDescriptor,
  container: Expr,
  subscripts: readonly A_Indices[],
  value: Expr,
  location: number | undefined,
): Expr {
  if (column.type === OID.jsonb) {
    const coerced = partValue(b, column, subscripts, value, location);
    return assignJsonbSubscripts(b, scope, container, subscripts, coerced);
  }
  if (column.type === OID.name) {
    throw notSupported('assignment to a character of a name', b.position(location));
  }
  const { lower, upper, slice } = bindArraySubscripts(b, scope, container, subscripts);
  const coerced = partValue(b, column, subscripts, value, location);
  if (column.type === OID.int2vector || column.type === OID.oidvector) {
    throw pgError(
      'cannot_coerce',
      `cannot cast type ${typeDisplay(subscriptType(column.type))}[] to ${typeDisplay(column.type)}`,
      b.position(location),
    );
  }
  const { type, typmod } = column;
  return {
    kind: 'arrayAssignment',
    type,
    typmod,
    array: container,
    lower,
    upper,
    slice,
    value: coerced,
  };
}

export function partToDefault(b: Binder, location: number | undefined): Error {
  return pgError(
    'feature_not_supported',
    'cannot set an array element to DEFAULT',
    b.position(location),
  );
}

/** The value as what stands under the subscripts. */
export function partValue(
  b: Binder,
  column: ColumnDescriptor,
  subscripts: readonly A_Indices[],
  value: Expr,
  location: number | undefined,
): Expr {
  const isWhole = column.type === OID.jsonb || subscripts.some((index) => index.is_slice === true);
  const type = isWhole ? column.type : subscriptType(column.type);
  const { typmod } = column;
  const coerced = coerceToTarget(b, value, type, typmod, 'assignment');
  if (coerced !== undefined) return coerced;
  throw pgError(
    'datatype_mismatch',
    `subscripted assignment to "${column.name}" requires type ${typeDisplay(type)} but expression is of type ${typeDisplay(value.type)}`,
    {
      hint: 'You will need to rewrite or cast the expression.',
      ...b.position(location),
    },
  );
}
