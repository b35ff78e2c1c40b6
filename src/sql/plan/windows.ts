import type { SelectQuery, WindowClause } from '../bind/query.ts';
import type { Expr, SortKey, WindowExpr } from '../expression.ts';
import { mapChildren, mapFrame, sameExpr, someExpr, visitChildren } from '../expression-tree.ts';
import { btreeOperator, GREATER, LESS } from '../functions/index.ts';
import { isVolatile, NO_RELS, relsOf } from './clauses.ts';
import { withKeys } from './computed-keys.ts';
import { CPU_OPERATOR_COST, CPU_TUPLE_COST, exprCost } from './cost.ts';
import { Layout } from './layout.ts';
import { columnOf, sortNode, widthOf } from './nodes.ts';
import { type Built, commonPrefix } from './paths.ts';
import type { PlanNode, WindowAggNode } from './plan.ts';
import type { QueryPlanner } from './query-planner.ts';

/** A window that calls of the target list or ORDER BY use. */
export interface ActiveWindow {
  readonly window: WindowClause;
  readonly calls: readonly WindowExpr[];
  /** The order that it needs its rows in: keys of PARTITION BY, then of ORDER BY, but for constants. */
  readonly order: readonly SortKey[];
}

/** The windows that have to be computed, in the order in which PostgreSQL does (select_active_windows): those
 * with the same order one after the other, longer orders before their prefixes, and last the one
 * whose order comes closest to the query's own. */
export function activeWindows(query: SelectQuery): ActiveWindow[] {
  if (query.windows.length === 0) return [];
  const calls: WindowExpr[] = [];
  const collect = (expr: Expr): void => {
    if (expr.kind === 'window' && !calls.some((known) => sameExpr(known, expr))) calls.push(expr);
    visitChildren(expr, collect);
  };
  for (const { expr } of [...query.output, ...query.orderBy]) collect(expr);
  if (typeof query.distinct === 'object') for (const expr of query.distinct.on) collect(expr);
  const references = sortReferences(query);
  return query.windows
    .map((window, index) => ({
      window,
      calls: calls.filter((call) => call.window === index),
      keys: keysOf(window),
    }))
    .filter((active) => active.calls.length > 0)
    .sort((a, b) => compareOrders(references, a.keys, b.keys))
    .map(({ window, calls: own, keys }) => ({
      window,
      calls: own,
      order: keys.filter((key) => !isConstantKey(key.expr)),
    }));
}

/** The keys of a window without those of ORDER BY that it is partitioned by. */
function keysOf({ partitionBy, orderBy }: WindowClause): readonly SortKey[] {
  const own = orderBy.filter(
    (key) => !partitionBy.some((partition) => sameExpr(partition.expr, key.expr)),
  );
  return [...partitionBy, ...own];
}

/** What a query sorts and groups by, in the order in which PostgreSQL numbers it. */
function sortReferences(query: SelectQuery): Expr[] {
  const references: Expr[] = [];
  const add = (exprs: readonly Expr[]): void => {
    for (const expr of exprs) {
      if (!references.some((known) => sameExpr(known, expr))) references.push(expr);
    }
  };
  const addKeys = (keys: readonly SortKey[]): void => add(keys.map((key) => key.expr));
  addKeys(query.orderBy);
  add(query.groupBy);
  if (query.distinct === 'all') add(query.output.map((column) => column.expr));
  else if (typeof query.distinct === 'object') add(query.distinct.on);
  for (const window of query.windows) {
    addKeys(window.orderBy);
    addKeys(window.partitionBy);
  }
  return references;
}

function compareOrders(
  references: readonly Expr[],
  a: readonly SortKey[],
  b: readonly SortKey[],
): number {
  const reference = (key: SortKey) => references.findIndex((expr) => sameExpr(expr, key.expr));
  for (let i = 0; i < a.length && i < b.length; i++) {
    const left = a[i] as SortKey;
    const right = b[i] as SortKey;
    const difference =
      reference(right) - reference(left) ||
      sortOperator(right) - sortOperator(left) ||
      Number(right.nullsFirst) - Number(left.nullsFirst);
    if (difference !== 0) return difference;
  }
  return b.length - a.length;
}

function sortOperator({ expr, descending }: SortKey): number {
  return btreeOperator(descending ? GREATER : LESS, expr.type, expr.type)?.oid ?? 0;
}

/** Whether a key is the same in all rows, so that it orders nothing. */
function isConstantKey(key: Expr): boolean {
  if (relsOf(key) !== NO_RELS || isVolatile(key)) return false;
  return !someExpr(
    key,
    ({ kind }) => kind === 'aggregate' || kind === 'grouping' || kind === 'setCall',
  );
}

/** Adds a node for each window, and a sort below those that need another order than the one before. */
export function planWindows(
  planner: QueryPlanner,
  windows: readonly ActiveWindow[],
  input: Built,
  inputOrder: readonly SortKey[],
): { readonly built: Built; readonly order: readonly SortKey[] } {
  const keys = windows.flatMap((active) => active.order.map((key) => key.expr));
  let { node, layout } = withKeys(planner, keys, input);
  let order = inputOrder;
  for (const active of windows) {
    const convert = (expr: Expr) => planner.convert(expr, layout);
    const convertKey = (key: SortKey) => ({ ...key, expr: convert(key.expr) });
    const presorted = commonPrefix(order, active.order);
    if (presorted < active.order.length) {
      node = sortNode(node, active.order.map(convertKey), null, null, presorted);
      order = active.order;
    }
    const { partitionBy, orderBy, frame } = active.window;
    node = windowNode(
      {
        kind: 'windowAgg',
        input: node,
        partitionBy: partitionBy.map((key) => convert(key.expr)),
        orderBy: orderBy.map(convertKey),
        frame: mapFrame(frame, (offset) => planner.convert(offset, new Layout())),
        calls: active.calls.map((call) => mapChildren(call, convert) as WindowExpr),
      },
      node,
    );
    layout = Layout.concat(layout, Layout.ofExprs(active.calls));
  }
  return { built: { node, layout, needs: [] }, order };
}

/** cost_windowagg. */
function windowNode(fields: WindowAggNode, input: PlanNode): PlanNode {
  const output = [...input.output, ...fields.calls.map(columnOf)];
  const keys = fields.partitionBy.length + fields.orderBy.length;
  const work = fields.calls.reduce((cost, call) => cost + exprCost(call), 0);
  const perRow = work + CPU_OPERATOR_COST * keys + CPU_TUPLE_COST;
  return {
    ...fields,
    output,
    rows: input.rows,
    width: widthOf(output),
    startupCost: input.startupCost,
    totalCost: input.totalCost + perRow * input.rows,
  };
}
