import type { A_Indices, Node } from '@pgsql/types';
import { type PgErrorOptions, pgError } from '../../errors/index.ts';
import { checkDimensionCount, OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import type { Binder } from './binder.ts';
import { coerceToTarget, constant } from './coercion.ts';
import { bindExpr } from './expressions.ts';
import type { Scope } from './scope.ts';
import { subscriptType, typeDisplay } from './type-facts.ts';

/** Subscripts of arrays: `a[1]` is an element, `a[1:2]` a slice, in which a subscript without a colon
 * ends what starts at 1. */

export interface ArraySubscripts {
  readonly lower: readonly (Expr | null)[];
  readonly upper: readonly (Expr | null)[];
  readonly slice: boolean;
  /** What is under the subscripts: an element, or for a slice an array. */
  readonly type: number;
}

/** The subscripts of `container`, an array, or a name, of which they take a character. */
export function bindArraySubscripts(
  b: Binder,
  scope: Scope,
  container: Expr,
  indices: readonly A_Indices[],
): ArraySubscripts {
  const slice = indices.some((index) => index.is_slice === true);
  const isName = container.type === OID.name;
  if (isName && slice) {
    throw pgError('feature_not_supported', 'slices of fixed-length arrays not implemented');
  }
  const element = isName ? OID.char : subscriptType(container.type);
  if (element === 0) throw notSubscriptable(container.type, b.positionOf(container));
  const bound = (index: Node | undefined) =>
    index === undefined ? null : bindBound(b, scope, index);
  const lower = indices.map((index) =>
    index.is_slice === true ? bound(index.lidx) : constant(OID.int4, 1),
  );
  const upper = indices.map((index) => bound(index.uidx));
  checkDimensionCount(indices.length);
  return { lower: slice ? lower : [], upper, slice, type: slice ? container.type : element };
}

export function notSubscriptable(type: number, position: PgErrorOptions): Error {
  return pgError(
    'datatype_mismatch',
    `cannot subscript type ${typeDisplay(type)} because it does not support subscripting`,
    position,
  );
}

function bindBound(b: Binder, scope: Scope, node: Node): Expr {
  const bound = bindExpr(b, scope, node);
  const coerced = coerceToTarget(b, bound, OID.int4, -1, 'assignment');
  if (coerced !== undefined) return coerced;
  throw pgError('datatype_mismatch', 'array subscript must have type integer', b.positionOf(bound));
}
