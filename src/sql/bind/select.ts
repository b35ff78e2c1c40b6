import type { Node, SelectStmt } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import type { Expr, SortKey } from '../expression.ts';
import { someExpr } from '../expression-tree.ts';
import type { Binder } from './binder.ts';
import { coerceToBoolean, resolveUnknown } from './coercion.ts';
import { bindDistinct } from './distinct-clause.ts';
import { bindExpr } from './expressions.ts';
import { bindFromClause } from './from.ts';
import { bindGroupClause, checkGrouping } from './grouping.ts';
import { bindLimit } from './limit-clause.ts';
import { bindLocking } from './locking-clause.ts';
import type { Query, SelectQuery } from './query.ts';
import { type Place, Scope } from './scope.ts';
import { bindSetOperation } from './set-operation.ts';
import { requireEquality, sortKeys } from './sort-keys.ts';
import {
  bindTargetList,
  bindTargetReference,
  checkTargetCount,
  outputColumn,
  TARGETS_MAX,
  type Target,
} from './target-list.ts';
import { bindValues } from './values.ts';
import { bindWindows, refuseWindowCalls } from './windows.ts';
import { bindWith } from './with-clause.ts';

export interface SelectOptions {
  /** Leave constants of the target list untyped, for whoever knows the type they are to have. */
  readonly keepUnknown?: boolean;
}

/** SELECT, VALUES and set operations. */
export function bindSelectStatement(
  b: Binder,
  parent: Scope | null,
  node: SelectStmt,
  options: SelectOptions = {},
): Query {
  const scope = new Scope(parent);
  if (node.withClause !== undefined) bindWith(b, scope, node.withClause);
  if (node.op !== undefined && node.op !== 'SETOP_NONE') {
    return bindSetOperation(b, scope, node);
  }
  if (node.valuesLists !== undefined) return bindValues(b, scope, node, options);
  return bindSimpleSelect(b, scope, node, options);
}

function bindSimpleSelect(
  b: Binder,
  scope: Scope,
  node: SelectStmt,
  options: SelectOptions,
): SelectQuery {
  if (scope.parent !== null && node.intoClause !== undefined) {
    const { location } = node.intoClause.rel ?? {};
    throw pgError('syntax_error', 'SELECT ... INTO is not allowed here', b.position(location));
  }
  scope.windows = (node.windowClause ?? []).flatMap((item) =>
    'WindowDef' in item ? [item.WindowDef] : [],
  );
  const from = bindFromClause(b, scope, node.fromClause ?? []);
  const targets = bindTargetList(b, scope, node.targetList ?? [], 'SELECT');
  const where = bindCondition(b, scope, node.whereClause, 'WHERE');
  const having = bindCondition(b, scope, node.havingClause, 'HAVING');
  // Grouping sets tell targets apart that are the same otherwise, which ORDER BY has to know.
  const groupsFirst = (node.groupClause ?? []).some((item) => 'GroupingSet' in item);
  const bindGroups = () => bindGroupClause(b, scope, targets, node.groupClause ?? []);
  const early = groupsFirst ? bindGroups() : null;
  const orderBy = sortKeys(b, node.sortClause ?? [], (item) =>
    bindTargetReference(b, scope, targets, item, 'ORDER BY'),
  );
  const group = early ?? bindGroups();
  const distinct = bindDistinct(b, scope, targets, node.distinctClause, orderBy);
  const { limit, offset, withTies } = bindLimit(b, scope, node);
  const windows = bindWindows(b, scope, targets);
  if (options.keepUnknown !== true || distinct !== 'none') {
    for (const target of targets) target.expr = resolveUnknown(b, target.expr);
  }
  checkTargetCount(targets.length + hiddenCount(targets, group.exprs, orderBy));
  if (distinct === 'all') for (const target of targets) requireEquality(b, target.expr);
  scope.place = 'SELECT';
  refuseRecursiveAggregates(b, scope, targets, having);
  for (const key of group.exprs) {
    const message = 'window functions are not allowed in GROUP BY';
    refuseWindowCalls(b, key, 'windowing_error', message);
  }
  const hasAggregates = scope.hasAggregates || having !== null;
  const grouped = hasAggregates || (node.groupClause?.length ?? 0) > 0;
  if (grouped) {
    checkGrouping(b, scope, group, [
      ...targets.map((target) => target.expr),
      ...(having === null ? [] : [having]),
      ...orderBy.map((key) => key.expr),
      ...(typeof distinct === 'object' ? distinct.on : []),
      ...windows.flatMap(({ partitionBy, orderBy: keys }) =>
        [...partitionBy, ...keys].map((key) => key.expr),
      ),
    ]);
  }
  const locking = bindLocking(b, scope, node, grouped, distinct !== 'none');
  return {
    kind: 'select',
    ctes: scope.ctes,
    rangeTable: scope.rangeTable,
    from,
    where,
    output: targets.map((target) => outputColumn(scope, target)),
    groupBy: group.exprs,
    groupingSets: group.sets,
    hasAggregates,
    having,
    windows,
    distinct,
    orderBy,
    limit,
    offset,
    withTies,
    locking,
  };
}

/** How many keys of groups and of the order are none of the targets. */
function hiddenCount(
  targets: readonly Target[],
  groups: readonly Expr[],
  orderBy: readonly SortKey[],
): number {
  if (targets.length + groups.length + orderBy.length <= TARGETS_MAX) return 0;
  const hidden = new Set([...groups, ...orderBy.map(({ expr }) => expr)]);
  for (const { expr } of targets) hidden.delete(expr);
  return hidden.size;
}

/** The rows of the step before are no whole that could be aggregated. */
function refuseRecursiveAggregates(
  b: Binder,
  scope: Scope,
  targets: readonly Target[],
  having: Expr | null,
): void {
  if (!scope.hasAggregates) return;
  if (!scope.rangeTable.some((entry) => entry.kind === 'cte' && entry.selfReference)) return;
  let position = {};
  for (const expr of [
    ...targets.map((target) => target.expr),
    ...(having === null ? [] : [having]),
  ]) {
    someExpr(expr, (part) => {
      if (part.kind !== 'aggregate' || part.level > 0) return false;
      position = b.positionOf(part);
      return true;
    });
  }
  throw pgError(
    'invalid_recursion',
    "aggregate functions are not allowed in a recursive query's recursive term",
    position,
  );
}

export function bindCondition(
  b: Binder,
  scope: Scope,
  node: Node | undefined,
  place: Place,
): Expr | null {
  if (node === undefined) return null;
  scope.place = place;
  return coerceToBoolean(b, bindExpr(b, scope, node), place);
}
