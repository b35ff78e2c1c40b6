import type { A_Indices, Node } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import { json, OID } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { JSONB_SUBSCRIPT } from '../functions/index.ts';
import type { Binder } from './binder.ts';
import { coerceType, constant } from './coercion.ts';
import { canCoerceOne } from './coercion-rules.ts';
import { bindExpr } from './expressions.ts';
import type { Scope } from './scope.ts';
import { typeDisplay } from './type-facts.ts';

/** Subscripts of jsonb: `j['a'][1]` reads what `j #> '{a,1}'` does. */

export function bindJsonbSubscripts(
  b: Binder,
  scope: Scope,
  container: Expr,
  indices: readonly A_Indices[],
): Expr {
  const subscripts = indices.map((index) => bindSubscript(b, scope, index));
  return subscriptCall([container, pathOf(subscripts)]);
}

/** The column's new value for `SET column[…] = value`. */
export function assignJsonbSubscripts(
  b: Binder,
  scope: Scope,
  container: Expr,
  indices: readonly A_Indices[],
  value: Expr,
): Expr {
  const subscripts = indices.map((index) => bindSubscript(b, scope, index));
  const byNumber = subscripts[0]?.kind === 'cast' && subscripts[0].argument.type === OID.int4;
  return subscriptCall([
    orElse(container, byNumber ? [] : json.jsonbObject([])),
    pathOf(subscripts),
    orElse(value, null),
  ]);
}

function subscriptCall(args: readonly Expr[]): Expr {
  return {
    kind: 'call',
    type: OID.jsonb,
    typmod: -1,
    function: JSONB_SUBSCRIPT,
    operator: 0,
    arguments: args,
  };
}

function pathOf(elements: readonly Expr[]): Expr {
  return {
    kind: 'array',
    type: OID._text,
    typmod: -1,
    elementType: OID.text,
    elements,
    nested: false,
  };
}

/** A jsonb with a value in the place of NULL. */
function orElse(expr: Expr, value: json.JsonbValue): Expr {
  const other = constant(OID.jsonb, json.encodeJsonb(value));
  return { kind: 'coalesce', type: OID.jsonb, typmod: -1, arguments: [expr, other] };
}

/** One subscript, an integer or a text, as a text. */
function bindSubscript(b: Binder, scope: Scope, index: A_Indices): Expr {
  const bound = bindExpr(b, scope, index.uidx as Node);
  if (index.is_slice === true) {
    throw pgError(
      'datatype_mismatch',
      'jsonb subscript does not support slices',
      b.positionOf(bound),
    );
  }
  if (bound.type === OID.unknown) return coerceType(b, bound, OID.text, -1, 'implicit');
  const targets = [OID.int4, OID.text].filter((type) => canCoerceOne(bound.type, type, 'implicit'));
  const [target] = targets;
  if (target === undefined || targets.length > 1) {
    const which =
      target === undefined ? 'either integer or text' : 'only one type, integer or text';
    throw pgError(
      'datatype_mismatch',
      `subscript type ${typeDisplay(bound.type)} is not supported`,
      { hint: `jsonb subscript must be coercible to ${which}.`, ...b.positionOf(bound) },
    );
  }
  return coerceType(b, coerceType(b, bound, target, -1, 'implicit'), OID.text, -1, 'explicit');
}
