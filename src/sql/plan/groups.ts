import { notSupported } from '../../errors/index.ts';
import { OID } from '../../types/index.ts';
import type { SelectQuery } from '../bind/query.ts';
import type { AggregateExpr, Expr, GroupingExpr, SortKey } from '../expression.ts';
import {
  mapChildren,
  SKIP,
  sameExpr,
  visitChildren,
  visitQueryReferences,
} from '../expression-tree.ts';
import { raise } from '../query-rewrite.ts';
import { NO_RELS, relsOf } from './clauses.ts';
import { withSets } from './computed-keys.ts';
import { aggregateCost, exprCost } from './cost.ts';
import { Layout } from './layout.ts';
import { columnOf, filterNode, widthOf } from './nodes.ts';
import { type Built, type Candidates, cheapest, type Path } from './paths.ts';
import type { NodeColumn, PlanNode } from './plan.ts';
import type { QueryPlanner } from './query-planner.ts';
import { clamp } from './selectivity.ts';

/** GROUP BY, aggregates and HAVING. */
export function planGroups(planner: QueryPlanner, query: SelectQuery, input: Candidates): Built {
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

/** How many queries further out it refers to; -1 where it is no reference. */
export function levelOf(reference: Expr): number {
  return reference.kind === 'column' || reference.kind === 'aggregate' ? reference.level : -1;
}

function readsColumns(expr: Expr): boolean {
  return relsOf(expr) !== NO_RELS;
}

/** The number of a row's grouping set, counted from 0. */
export const SET_NUMBER: GroupingExpr = {
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

export function distinctRows(planner: QueryPlanner, exprs: readonly Expr[], rows: number): number {
  return exprs.length === 0 ? rows : groupCount(planner, exprs, rows);
}
