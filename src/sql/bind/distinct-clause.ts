import type { Node } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import type { Expr, SortKey } from '../expression.ts';
import type { Binder } from './binder.ts';
import type { SelectQuery } from './query.ts';
import type { Scope } from './scope.ts';
import { requireEquality } from './sort-keys.ts';
import { firstLocation } from './syntax.ts';
import { bindTargetReference, type Target } from './target-list.ts';

export function bindDistinct(
  b: Binder,
  scope: Scope,
  targets: readonly Target[],
  clause: readonly Node[] | undefined,
  orderBy: readonly SortKey[],
): SelectQuery['distinct'] {
  if (clause === undefined || clause.length === 0) return 'none';
  const items = clause.filter((node) => Object.keys(node).length > 0);
  if (items.length === 0) {
    for (const key of orderBy) {
      if (targets.some((target) => b.same(target.expr, key.expr))) continue;
      throw pgError(
        'invalid_column_reference',
        'for SELECT DISTINCT, ORDER BY expressions must appear in select list',
        b.positionOf(key.expr),
      );
    }
    return 'all';
  }
  const on: Expr[] = [];
  const locations: (number | undefined)[] = [];
  for (const node of items) {
    const expr = bindTargetReference(b, scope, targets, node, 'DISTINCT ON');
    requireEquality(b, expr);
    if (on.some((other) => b.same(other, expr))) continue;
    on.push(expr);
    locations.push(firstLocation(node));
  }
  const behind = behindOthers(b, on, orderBy);
  if (behind >= 0) {
    throw pgError(
      'invalid_column_reference',
      'SELECT DISTINCT ON expressions must match initial ORDER BY expressions',
      b.position(locations[behind]),
    );
  }
  return { on };
}

/** The index of an expression of DISTINCT ON that rows are not sorted by before any other; -1 where rows are sorted
 * by all of them first. */
function behindOthers(b: Binder, on: readonly Expr[], orderBy: readonly SortKey[]): number {
  const left = new Set(on.keys());
  let isBehind = false;
  for (const key of orderBy) {
    const index = on.findIndex((expr) => b.same(expr, key.expr));
    if (index < 0) isBehind = true;
    else if (isBehind) return index;
    left.delete(index);
  }
  const [rest = -1] = left;
  return isBehind ? rest : -1;
}
