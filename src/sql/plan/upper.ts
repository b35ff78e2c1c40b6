import { notSupported } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { SelectQuery } from '../bind/query.ts';
import type { AggregateExpr, Expr, GroupingExpr, SortKey } from '../expression.ts';
import {
  mapChildren,
  SKIP,
  sameExpr,
  someExpr,
  visitChildren,
  visitQueryReferences,
} from '../expression-tree.ts';
import { raise } from '../query-rewrite.ts';
import { NO_RELS, relsOf } from './clauses.ts';
import { type Rows, withKeys, withSets } from './computed-keys.ts';
import { aggregateCost, exprCost, sortCost } from './cost.ts';
import { Layout } from './layout.ts';
import {
  columnOf,
  constantRows,
  distinctNode,
  filterNode,
  limitNode,
  projectNode,
  projectSetNode,
  widthOf,
} from './nodes.ts';
import { type Built, type Candidates, cheapest, commonPrefix, type Path } from './paths.ts';
import type { NodeColumn, PlanNode } from './plan.ts';
import { type QueryPlanner, tableOidOf } from './query-planner.ts';
import { clamp } from './selectivity.ts';
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
          constantRows(query.limit, path.rows * 0.1) + constantRows(query.offset, 0),
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
  let node = projectTargets(planner, input.node, input.layout, targets);
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

/** Whether an expression has a set-returning call in it that the rows of `layout` have no column for. */
function holdsSet(expr: Expr, layout: Layout): boolean {
  if (layout.find(expr) >= 0) return false;
  if (expr.kind === 'setCall') return true;
  let found = false;
  visitChildren(expr, (child) => {
    found ||= holdsSet(child, layout);
  });
  return found;
}

/** Computes targets; set-returning calls run in a projectSet below what uses their values. */
function projectTargets(
  planner: QueryPlanner,
  input: PlanNode,
  layout: Layout,
  targets: readonly Expr[],
): PlanNode {
  const holds = (expr: Expr) => holdsSet(expr, layout);
  if (!targets.some(holds)) {
    return projectNode(
      input,
      targets.map((expr) => planner.convert(expr, layout)),
    );
  }
  // Innermost calls first; each round computes those whose arguments hold no further call.
  const calls: Expr[] = [];
  const collect = (expr: Expr): void => {
    if (!holds(expr)) return;
    if (expr.kind === 'setCall' && !expr.arguments.some(holds)) {
      if (!calls.some((call) => sameExpr(call, expr))) calls.push(expr);
      return;
    }
    visitChildren(expr, collect);
  };
  for (const target of targets) collect(target);
  const nested = targets.some((target) =>
    someExpr(target, (part) => part.kind === 'setCall' && part.arguments.some(holds)),
  );
  // A set in the same round as a nested one steps with the outer one.
  const now = nested ? calls.filter((call) => isArgument(call, targets)) : calls;
  const passed: Expr[] = [];
  const pass = (expr: Expr): void => {
    if (expr.kind === 'setCall' && now.some((call) => sameExpr(call, expr))) return;
    const source = expr.kind === 'grouping' ? SET_NUMBER : expr;
    if (layout.find(source) >= 0) {
      if (!passed.some((known) => sameExpr(known, source))) passed.push(source);
      return;
    }
    visitChildren(expr, pass);
  };
  for (const target of targets) {
    pass(target);
    collectSubqueryColumns(target, layout, passed);
  }
  const exprs = [...passed, ...now];
  const converted = exprs.map((expr) => planner.convert(expr, layout));
  const node = projectSetNode(input, converted);
  return projectTargets(
    planner,
    node,
    Layout.ofExprs(exprs),
    replaceSets(targets, now, passed.length),
  );
}

function levelOf(reference: Expr): number {
  return reference.kind === 'column' || reference.kind === 'aggregate' ? reference.level : -1;
}

/** Columns and aggregates that only a subquery of a target reads. */
function collectSubqueryColumns(target: Expr, layout: Layout, passed: Expr[]): void {
  if (target.kind === 'subquery') {
    visitQueryReferences(
      target.query,
      (reference, depth) => {
        if (levelOf(reference) !== depth) return;
        const own = raise(reference, -depth, depth);
        if (layout.find(own) >= 0 && !passed.some((known) => sameExpr(known, own)))
          passed.push(own);
      },
      1,
    );
  }
  visitChildren(target, (child) => collectSubqueryColumns(child, layout, passed));
}

function isArgument(call: Expr, targets: readonly Expr[]): boolean {
  return targets.some((target) =>
    someExpr(
      target,
      (part) =>
        part.kind === 'setCall' &&
        part.arguments.some((arg) => someExpr(arg, (inner) => sameExpr(inner, call))),
    ),
  );
}

/** Calls that are computed already become columns of the row below. */
function replaceSets(targets: readonly Expr[], calls: readonly Expr[], first: number): Expr[] {
  const replace = (expr: Expr): Expr => {
    const index = calls.findIndex((call) => sameExpr(call, expr));
    if (index >= 0) {
      return { kind: 'input', type: expr.type, typmod: expr.typmod, column: first + index };
    }
    return mapChildren(expr, replace);
  };
  return targets.map(replace);
}

export function sortNode(
  input: PlanNode,
  keys: readonly SortKey[],
  limit: Expr | null,
  offset: Expr | null,
  presorted: number,
): PlanNode {
  const bound =
    limit === null
      ? Number.POSITIVE_INFINITY
      : constantRows(limit, input.rows * 0.1) + constantRows(offset, 0);
  const cost = sortCost(
    { startup: input.startupCost, total: input.totalCost },
    input.rows,
    input.width,
    bound,
  );
  return {
    kind: 'sort',
    output: input.output,
    rows: input.rows,
    width: input.width,
    startupCost: cost.startup,
    totalCost: cost.total,
    input,
    keys,
    limit: limit !== null && offset === null ? limit : limit === null ? null : sum(limit, offset),
    presorted,
  };
}

const INT8_PLUS = { function: 463, operator: 684 };

/** LIMIT and OFFSET together: how many rows of the order are wanted. */
function sum(limit: Expr, offset: Expr | null): Expr {
  if (offset === null) return limit;
  return {
    kind: 'call',
    type: 20,
    typmod: -1,
    ...INT8_PLUS,
    arguments: [limit, offset],
  };
}

function planGroups(planner: QueryPlanner, query: SelectQuery, input: Candidates): Built {
  const outputs = query.output.map((column) => column.expr);
  const aggregates: AggregateExpr[] = [];
  const groupBy = [...query.groupBy];
  const collect = (expr: Expr): void => {
    if (groupBy.some((key) => sameExpr(key, expr))) return;
    if (expr.kind === 'grouping') return;
    if (expr.kind === 'aggregate') {
      if (expr.level > 0) return;
      if (query.groupingSets !== null && expr.withinGroup && expr.arguments.some(readsColumns)) {
        throw notSupported('columns in direct arguments of an aggregate with grouping sets');
      }
      if (!aggregates.some((known) => sameExpr(known, expr))) aggregates.push(expr);
      return;
    }
    // A column that depends on the grouped primary key is one more key.
    if (expr.kind === 'column' && expr.level === 0) {
      groupBy.push(expr);
      return;
    }
    if (expr.kind === 'subquery') {
      visitQueryReferences(
        expr.query,
        (reference, depth) => {
          if (levelOf(reference) === depth) collect(raise(reference, -depth, depth));
          return reference.kind === 'aggregate' && reference.level >= depth ? SKIP : undefined;
        },
        1,
      );
    }
    visitChildren(expr, collect);
  };
  for (const expr of outputs) collect(expr);
  if (query.having !== null) collect(query.having);
  for (const key of query.orderBy) collect(key.expr);
  if (typeof query.distinct === 'object') for (const expr of query.distinct.on) collect(expr);
  for (const { partitionBy, orderBy } of query.windows) {
    for (const { expr } of [...partitionBy, ...orderBy]) collect(expr);
  }

  const dependent = groupBy.map((_, key) => key).slice(query.groupBy.length);
  const groupingSets = query.groupingSets?.map((set) => [...set, ...dependent]) ?? null;
  const keys: SortKey[] = groupBy.map((expr) => ({ expr, descending: false, nullsFirst: false }));
  const plain = groupBy.length === 0 && query.groupingSets === null;
  const groups = plain ? 1 : groupCount(planner, groupBy, input.rows);
  const choice = chooseStrategy(
    input,
    keys,
    groups,
    aggregates,
    plain || query.groupingSets !== null,
  );
  const strategy = plain ? 'plain' : choice.strategy;
  const built = choice.path.build();
  if (built.needs.length > 0) throw notSupported('this lateral reference');
  const below = withSets(planner, groupBy, built);
  const convert = (expr: Expr) => planner.convert(expr, below.layout);
  const computed = [...(query.groupingSets === null ? [] : [SET_NUMBER]), ...aggregates];
  const output: NodeColumn[] = [...groupBy.map(columnOf), ...computed.map(columnOf)];
  const rows = query.groupingSets === null ? groups : groups * query.groupingSets.length;
  const work = aggregates.reduce((cost, aggregate) => cost + exprCost(aggregate), 0);
  const cost = aggregateCost(
    strategy,
    { startup: below.node.startupCost, total: below.node.totalCost },
    below.node.rows,
    rows,
    groupBy.length,
    work,
  );
  const node: PlanNode = {
    kind: 'aggregate',
    output,
    rows,
    width: widthOf(output),
    startupCost: cost.startup,
    totalCost: cost.total,
    strategy,
    input: below.node,
    groupBy: groupBy.map(convert),
    aggregates: aggregates.map((aggregate) => mapChildren(aggregate, convert) as AggregateExpr),
    groupingSets,
  };
  const layout = Layout.ofExprs([...groupBy, ...computed]);
  const having = query.having && planner.convert(query.having, layout);
  return { node: filterNode(node, having, 0.5), layout, needs: [] };
}

function readsColumns(expr: Expr): boolean {
  return relsOf(expr) !== NO_RELS;
}

/** The number of a row's grouping set, counted from 0. */
const SET_NUMBER: GroupingExpr = {
  kind: 'grouping',
  type: OID.int4,
  typmod: -1,
  arguments: [],
};

/** GROUPING(…) over grouped rows: the bits of each set, looked up by the set's number. */
export function groupingBits(query: SelectQuery, expr: GroupingExpr, layout: Layout): Expr {
  const { type, typmod } = expr;
  const keys = expr.arguments.map((arg) => query.groupBy.findIndex((key) => sameExpr(key, arg)));
  const bitsOf = (set: readonly number[]) =>
    keys.reduce((bits, key) => bits * 2 + (set.includes(key) ? 0 : 1), 0);
  if (query.groupingSets === null) return { kind: 'const', type, typmod, value: 0 };
  const array: Expr = {
    kind: 'const',
    type: OID._int4,
    typmod: -1,
    value: {
      elementType: OID.int4,
      dimensions: [query.groupingSets.length],
      lowerBounds: [0],
      elements: query.groupingSets.map(bitsOf),
    },
  };
  const number: Expr = { kind: 'input', type, typmod, column: layout.find(SET_NUMBER) };
  return { kind: 'subscript', type, typmod, array, lower: [], upper: [number], slice: false };
}

function chooseStrategy(
  input: Candidates,
  keys: readonly SortKey[],
  groups: number,
  aggregates: readonly AggregateExpr[],
  hashOnly: boolean,
): { readonly strategy: 'hash' | 'sorted'; readonly path: Path } {
  const free = input.paths.filter((path) => path.requires === 0n);
  const best = cheapest(free.length > 0 ? free : input.paths);
  if (hashOnly) return { strategy: 'hash', path: best };
  const work = aggregates.reduce((cost, aggregate) => cost + exprCost(aggregate), 0);
  const hash = aggregateCost('hash', best, best.rows, groups, keys.length, work).total;
  let choice: { strategy: 'hash' | 'sorted'; path: Path } = { strategy: 'hash', path: best };
  let cost = hash;
  for (const path of free) {
    const sorted = keys.every((key) =>
      path.order.slice(0, keys.length).some((have) => sameExpr(have.expr, key.expr)),
    );
    if (!sorted || path.order.length < keys.length) continue;
    const total = aggregateCost('sorted', path, path.rows, groups, keys.length, work).total;
    if (total < cost) {
      choice = { strategy: 'sorted', path };
      cost = total;
    }
  }
  return choice;
}

/** estimate_num_groups: the product of distinct counts, at most a tenth of the rows for many keys. */
function groupCount(planner: QueryPlanner, keys: readonly Expr[], rows: number): number {
  let groups = 1;
  let known = 0;
  for (const key of keys) {
    const facts = planner.columnFacts(key);
    if (facts !== null) known++;
    groups *= facts?.distinct ?? 200;
  }
  const ceiling = known > 1 ? Math.max(rows * 0.1, 1) : rows;
  return Math.max(1, Math.round(clamp(groups, 1, Math.max(1, ceiling))));
}

function distinctRows(planner: QueryPlanner, exprs: readonly Expr[], rows: number): number {
  return exprs.length === 0 ? rows : groupCount(planner, exprs, rows);
}
