import type { Node, SortBy } from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { Expr, SortKey } from '../expression.ts';
import { btreeMembers, btreeOperator, GREATER, LESS } from '../functions/index.ts';
import type { Binder } from './binder.ts';
import { resolveOperator } from './operators.ts';
import { nameList } from './syntax.ts';
import { typeDisplay } from './type-facts.ts';

/** The keys of an ORDER BY whose items `bindItem` binds; what is said twice counts once. */
export function sortKeys(
  b: Binder,
  nodes: readonly Node[],
  bindItem: (node: Node) => Expr,
): SortKey[] {
  const keys: SortKey[] = [];
  for (const node of nodes) {
    if (!('SortBy' in node) || node.SortBy.node === undefined) continue;
    const expr = bindItem(node.SortBy.node);
    if (keys.some((key) => b.same(key.expr, expr))) continue;
    keys.push(sortKey(b, expr, node.SortBy));
  }
  return keys;
}

export function sortKey(b: Binder, expr: Expr, node: SortBy): SortKey {
  requireOrder(b, expr);
  const descending =
    node.sortby_dir === 'SORTBY_USING'
      ? descendsUsing(b, expr, node)
      : node.sortby_dir === 'SORTBY_DESC';
  const nullsFirst =
    node.sortby_nulls === 'SORTBY_NULLS_FIRST' ||
    (node.sortby_nulls !== 'SORTBY_NULLS_LAST' && descending);
  return { expr, descending, nullsFirst };
}

/** Whether the operator of USING is `>` of the type's order; throws where it is not `<` either. */
function descendsUsing(b: Binder, expr: Expr, node: SortBy): boolean {
  const name = nameList(node.useOp).at(-1) ?? '';
  const { oid } = resolveOperator(b, name, expr.type, expr.type, node.location);
  const strategies = btreeMembers(oid).map(({ strategy }) => strategy);
  const descending = strategies.includes(GREATER);
  if (!descending && !strategies.includes(LESS)) {
    throw pgError('wrong_object_type', `operator ${name} is not a valid ordering operator`, {
      hint: 'Ordering operators must be "<" or ">" members of btree operator families.',
      ...b.position(node.location),
    });
  }
  if (name !== '<' && name !== '>') {
    throw notSupported(`an order by operator ${name}`, b.position(node.location));
  }
  return descending;
}

/** 42883 for types that have no order. */
function requireOrder(b: Binder, expr: Expr): void {
  if (expr.type === OID.unknown || expr.kind === 'row' || expr.type === OID.record) return;
  if (btreeOperator(LESS, expr.type, expr.type) !== undefined) return;
  throw pgError(
    'undefined_function',
    `could not identify an ordering operator for type ${typeDisplay(expr.type)}`,
    {
      hint: 'Use an explicit ordering operator or modify the query.',
      ...b.positionOf(expr),
    },
  );
}

export function requireEquality(b: Binder, expr: Expr): void {
  if (expr.type === OID.unknown || expr.kind === 'row' || expr.type === OID.record) return;
  if (btreeOperator(LESS, expr.type, expr.type) !== undefined) return;
  throw pgError(
    'undefined_function',
    `could not identify an equality operator for type ${typeDisplay(expr.type)}`,
    b.positionOf(expr),
  );
}

/** GREATEST and LEAST compare, which PostgreSQL finds out when the statement starts: without a position. */
export function requireComparison(type: number): void {
  if (type === OID.unknown || type === OID.record) return;
  if (btreeOperator(LESS, type, type) !== undefined) return;
  throw pgError(
    'undefined_function',
    `could not identify a comparison function for type ${typeDisplay(type)}`,
  );
}
