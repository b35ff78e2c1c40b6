import { notSupported } from '../../errors/index.ts';
import type { SelectQuery } from '../bind/query.ts';
import type { Expr, SortKey } from '../expression.ts';
import { sameExpr, someExpr } from '../expression-tree.ts';
import { type Rows, withKeys } from './computed-keys.ts';
import { sortCost } from './cost.ts';
import { distinctRows, planGroups } from './groups.ts';
import { Layout } from './layout.ts';
import { constantRows, distinctNode, limitNode, projectNode, sortNode, widthOf } from './nodes.ts';
import { type Built, type Candidates, cheapest, commonPrefix, type Path } from './paths.ts';
import type { PlanNode } from './plan.ts';
import { type QueryPlanner, tableOidOf } from './query-planner.ts';
import { holdsSet, projectTargets } from './targets.ts';
import { activeWindows, planWindows } from './windows.ts';

/** What comes after FROM and WHERE: grouping, the target list, DISTINCT, ORDER BY, row locks, LIMIT. */
export function planSelectTail(
  planner: QueryPlanner,
  query: SelectQuery,
  input: Candidates,
): PlanNode {
  const outputs = query.output.map((column) => column.expr);
  const exprs = [...outputs, ...query.orderBy.map((key) => key.expr)];
  const grouped = query.hasAggregates || query.groupBy.length > 0 || query.groupingSets !== null;
  const windows = activeWindows(query);
  let built: Built;
  let order: readonly SortKey[] = [];
  if (grouped) built = planGroups(planner, query, input);
  else {
    const own = query.distinct !== 'all' && !sortsSets(query, NO_COLUMNS) ? query.orderBy : [];
    const limited = windows.length > 0 ? { ...query, limit: null } : query;
    const path = choosePath(limited, input.paths, windows[0]?.order ?? own);
    built = path.build();
    order = path.order;
  }
  if (built.needs.length > 0) throw notSupported('this lateral reference');
  if (windows.length > 0) ({ built, order } = planWindows(planner, windows, built, order));
  const { layout } = built;
  if (query.distinct !== 'none' || exprs.some((expr) => holdsSet(expr, layout))) {
    return planWithTargets(planner, query, built, order, outputs);
  }
  return planPlain(planner, query, built, order, outputs);
}

/** Rows that a LIMIT may say that is a parameter: few who ask for some rows ask for many. */
const LIMIT_GUESS = 1000;

/** The cheapest path, what is left to sort and a LIMIT counted in. */
function choosePath(query: SelectQuery, paths: readonly Path[], keys: readonly SortKey[]): Path {
  if (paths.length === 1) return paths[0] as Path;
  const limited = query.limit !== null;
  let best: Path | null = null;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const path of paths) {
    if (path.requires !== 0n) continue;
    const wantedRows = limited
      ? Math.min(
          path.rows,
          constantRows(query.limit, Math.min(path.rows * 0.1, LIMIT_GUESS)) +
            constantRows(query.offset, 0),
        )
      : path.rows;
    let cost: number;
    if (keys.length === 0 || commonPrefix(path.order, keys) === keys.length) {
      const perRow = (path.total - path.startup) / Math.max(1, path.rows);
      cost = path.startup + perRow * wantedRows;
    } else {
      const limit = limited ? wantedRows : Number.POSITIVE_INFINITY;
      cost = sortCost(path, path.rows, path.width, limit).total;
    }
    if (cost < bestCost) {
      best = path;
      bestCost = cost;
    }
  }
  return best ?? cheapest(paths);
}

function planPlain(
  planner: QueryPlanner,
  query: SelectQuery,
  input: Rows,
  order: readonly SortKey[],
  outputs: readonly Expr[],
): PlanNode {
  const empty = new Layout();
  const limit = query.limit && planner.convert(query.limit, empty);
  const offset = query.offset && planner.convert(query.offset, empty);
  // Rows that a lock skips or changes may take more than the first ones.
  const bounded = query.withTies || query.locking.length > 0 ? null : limit;
  let { node, layout } = sortedRows(planner, query, input, order, bounded, offset);
  if (query.locking.length > 0) {
    ({ node, layout } = lockRows(planner, query, node, layout));
  }
  const ties = query.withTies
    ? query.orderBy.map((key) => planner.convert(key.expr, layout))
    : null;
  node = limitNode(node, limit, offset, ties);
  return projectNode(
    node,
    outputs.map((expr) => planner.convert(expr, layout)),
  );
}

function lockRows(
  planner: QueryPlanner,
  query: SelectQuery,
  input: PlanNode,
  layout: Layout,
): { node: PlanNode; layout: Layout } {
  planner.statement.needsWriter = true;
  const dropped: number[] = [];
  const locks = query.locking.map(({ relation, strength, waitPolicy }) => {
    const locator = layout.locator(relation);
    dropped.push(locator);
    const entry = planner.rangeTable[relation];
    const table = entry?.kind === 'table' ? planner.statement.tableIndex(entry.table) : 0;
    const lock = { table, scanId: planner.scanId(relation), locator, strength, waitPolicy };
    const leaves = planner.partitions.get(relation);
    if (leaves === undefined) return lock;
    const tableOid = layout.find(tableOidOf(relation));
    const relations = leaves.map((leaf) => ({
      table: planner.statement.tableIndex(leaf.entry.table),
      scanId: leaf.scanId,
    }));
    return { ...lock, partitions: { tableOid, relations } };
  });
  const output = input.output.filter((_, column) => !dropped.includes(column));
  const node: PlanNode = {
    kind: 'lockRows',
    output,
    rows: input.rows,
    width: widthOf(output),
    startupCost: input.startupCost,
    totalCost: input.totalCost + 0.01 * input.rows,
    input,
    locks,
  };
  return { node, layout: layout.without(dropped) };
}

/** Whether sets decide the order of a query's rows. */
function sortsSets(query: SelectQuery, layout: Layout): boolean {
  return query.orderBy.some((key) => holdsSet(key.expr, layout));
}

/** DISTINCT and set-returning targets: the target list is computed first, with what ORDER BY needs
 * besides, and the rest works on its rows. Where no set is ordered by, sets come after the sort. */
function planWithTargets(
  planner: QueryPlanner,
  query: SelectQuery,
  given: Rows,
  order: readonly SortKey[],
  outputs: readonly Expr[],
): PlanNode {
  const sortsFirst = query.distinct === 'none' && !sortsSets(query, given.layout);
  const input = sortsFirst ? sortedRows(planner, query, given, order, null, null) : given;
  const targets = [...outputs];
  const positionOf = (expr: Expr): number => {
    const known = targets.findIndex((target) => sameExpr(target, expr));
    if (known >= 0) return known;
    targets.push(expr);
    return targets.length - 1;
  };
  const reference = (expr: Expr): Expr => ({
    kind: 'input',
    type: expr.type,
    typmod: expr.typmod,
    column: positionOf(expr),
  });
  const needsKeys = !sortsFirst || query.withTies;
  const keys = needsKeys ? query.orderBy.map((key) => ({ ...key, expr: reference(key.expr) })) : [];
  const on = typeof query.distinct === 'object' ? query.distinct.on.map(reference) : [];
  let node = projectTargets(planner, input, targets);
  const empty = new Layout();
  const limit = query.limit && planner.convert(query.limit, empty);
  const offset = query.offset && planner.convert(query.offset, empty);
  if (query.distinct === 'all') {
    const rows = distinctRows(planner, outputs, node.rows);
    node = distinctNode(node, 'hash', [], rows);
    if (keys.length > 0) node = sortNode(node, keys, query.withTies ? null : limit, offset, 0);
  } else if (on.length > 0) {
    // The first row of each set is the first one in the order that was asked for.
    const missing = on.filter((expr) => !keys.some((key) => sameExpr(key.expr, expr)));
    const sortKeys = [
      ...keys,
      ...missing.map((expr) => ({ expr, descending: false, nullsFirst: false })),
    ];
    node = sortNode(node, sortKeys, null, null, 0);
    node = distinctNode(node, 'sorted', on, distinctRows(planner, query.groupBy, node.rows));
  } else if (keys.length > 0 && !sortsFirst) {
    node = sortNode(node, keys, query.withTies ? null : limit, offset, 0);
  }
  node = limitNode(node, limit, offset, query.withTies ? keys.map((key) => key.expr) : null);
  return projectNode(
    node,
    outputs.map((expr, column): Expr => {
      return { kind: 'input', type: expr.type, typmod: expr.typmod, column };
    }),
  );
}

/** The rows in the query's order, of which only those up to LIMIT are wanted where `limit` is given. Keys that
 * are read again above are computed once, so that what is volatile in them stays what was sorted by. */
function sortedRows(
  planner: QueryPlanner,
  query: SelectQuery,
  input: Rows,
  order: readonly SortKey[],
  limit: Expr | null,
  offset: Expr | null,
): Rows {
  const presorted = commonPrefix(order, query.orderBy);
  if (presorted === query.orderBy.length) return input;
  const isRead = (key: Expr) =>
    query.withTies ||
    query.output.some(({ expr }) => someExpr(expr, (part) => sameExpr(part, key)));
  const read = query.orderBy.map((key) => key.expr).filter(isRead);
  const { node, layout } = withKeys(planner, read, input);
  const keys = query.orderBy.map((key) => ({ ...key, expr: planner.convert(key.expr, layout) }));
  return { node: sortNode(node, keys, limit, offset, presorted), layout };
}

const NO_COLUMNS = new Layout();
