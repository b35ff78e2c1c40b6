import type { PartitionBound } from '../../catalog/descriptors.ts';
import { compareKeyValues } from '../../catalog/index.ts';
import { type Datum, OID } from '../../types/index.ts';
import { TABLE_OID_COLUMN } from '../bind/query.ts';
import type { Expr, SortKey } from '../expression.ts';
import { someExpr } from '../expression-tree.ts';
import { type Clause, NO_RELS, relBit, withColumnValue } from './clauses.ts';
import { CPU_OPERATOR_COST, CPU_TUPLE_COST } from './cost.ts';
import { Layout } from './layout.ts';
import { widthOf } from './nodes.ts';
import {
  expandPartitions,
  mapPruning,
  type PartitionLevel,
  runTimePruning,
} from './partition-levels.ts';
import { expectedShare } from './partition-pruning.ts';
import {
  type Candidates,
  cheapest,
  keepBest,
  type ParameterizedPath,
  type Path,
  type SlotValue,
  satisfiesOrder,
} from './paths.ts';
import type { NodeColumn, PartitionInputs, PlanNode } from './plan.ts';
import type { QueryPlanner } from './query-planner.ts';
import { singlePath, TABLE_OID_NODE, type TableEntry, tableCandidates } from './scans.ts';

/** A partition that is read in the place of the partitioned table. */
export interface PartitionLeaf {
  readonly entry: TableEntry;
  readonly scanId: number;
}

interface PlannedLeaf extends PartitionLeaf {
  readonly candidates: Candidates;
}

/** Ways to read a partitioned table: those of its partitions, one after the other. */
export function partitionedCandidates(
  planner: QueryPlanner,
  relation: number,
  entry: TableEntry,
  clauses: readonly Clause[],
): Candidates {
  const entries: TableEntry[] = [];
  const level = entry.only
    ? { entry, relation, places: [], partitions: [] }
    : expandPartitions(planner, relation, entry, clauses, entries);
  planner.statement.tableIndex(entry.table);
  const leaves = entries.map((inner): PlannedLeaf => {
    const scanId = planner.statement.newScanId();
    const own = clauses.map((clause) => withTableOid(clause, relation, inner.table.oid));
    const candidates = tableCandidates(planner, relation, inner, own, scanId);
    return { scanId, entry: inner, candidates };
  });
  planner.partitions.set(relation, leaves);
  if (leaves.length === 0) return singlePath(relBit(relation), noRows(planner, relation, entry));
  if (leaves.length === 1) return leaves[0]!.candidates;
  return appended({ planner, level, leaves, clauses });
}

const SAME = (leaf: number): number => leaf;

/** A clause as it is for one partition, whose oid is known. */
function withTableOid(clause: Clause, relation: number, oid: number): Clause {
  const value: Expr = { kind: 'const', type: OID.oid, typmod: -1, value: oid };
  return withColumnValue(clause, relation, TABLE_OID_COLUMN, value);
}

/** No partition is left, or ONLY the partitioned table itself is read. */
function noRows(planner: QueryPlanner, relation: number, entry: TableEntry): Path {
  const needed = planner.neededColumns(relation);
  const locator = planner.needsLocator(relation);
  const output = needed.map((column): NodeColumn => {
    const { type, typmod, name } = entry.columns[column] ?? TABLE_OID_NODE;
    return { type, typmod, name };
  });
  if (locator) output.push({ type: OID.bytea, typmod: -1, name: 'ctid' });
  const width = widthOf(output);
  const node: PlanNode = {
    kind: 'result',
    output,
    rows: 0,
    width,
    startupCost: 0,
    totalCost: 0,
    exprs: output.map(({ type, typmod }): Expr => ({ kind: 'const', type, typmod, value: null })),
    filter: { kind: 'const', type: OID.bool, typmod: -1, value: false },
  };
  const layout = Layout.ofRelation(relation, needed, locator);
  return {
    rows: 1,
    width,
    startup: 0,
    total: 0,
    order: [],
    requires: NO_RELS,
    rescan: 0,
    build: () => ({ node, layout, needs: [] }),
  };
}

interface Appended {
  readonly planner: QueryPlanner;
  readonly level: PartitionLevel;
  readonly leaves: readonly PlannedLeaf[];
  readonly clauses: readonly Clause[];
}

function appended(parts: Appended): Candidates {
  const { leaves, level, clauses } = parts;
  const best = leaves.map(({ candidates }) => cheapest(candidates.paths));
  const paths = [appendPath(parts, best, clauses, null)];
  for (const { order } of leaves[0]!.candidates.paths) {
    if (order.length === 0) continue;
    const sorted = leaves.map(({ candidates }) => sortedPath(candidates.paths, order));
    if (sorted.includes(null)) continue;
    paths.push(appendPath(parts, sorted as Path[], clauses, order));
  }
  return {
    rels: relBit(level.relation),
    rows: paths[0]!.rows,
    width: paths[0]!.width,
    paths: keepBest(paths),
    parameterized: (outer, joinClauses) => parameterizedAppends(parts, outer, joinClauses),
  };
}

function sortedPath(paths: readonly Path[], order: readonly SortKey[]): Path | null {
  const sorted = paths.filter((path) => satisfiesOrder(path.order, order));
  return sorted.length === 0 ? null : cheapest(sorted);
}

/** Appends of index scans whose keys come from the left side of a nested loop: those that see to the
 * same clauses in each partition. */
function parameterizedAppends(
  parts: Appended,
  outer: Parameters<NonNullable<Candidates['parameterized']>>[0],
  joinClauses: readonly Clause[],
): ParameterizedPath[] {
  const lists = parts.leaves.map(
    ({ candidates }) => candidates.parameterized?.(outer, joinClauses) ?? [],
  );
  const found: ParameterizedPath[] = [];
  for (const { used } of lists[0]!) {
    if (found.some((known) => sameClauses(known.used, used))) continue;
    const paths = lists.map((list) => {
      const alike = list.filter((one) => sameClauses(one.used, used));
      return alike.length === 0 ? null : cheapest(alike.map(({ path }) => path));
    });
    if (paths.includes(null)) continue;
    const path = appendPath(parts, paths as Path[], [...parts.clauses, ...used], null);
    found.push({ path, used });
  }
  return found;
}

function sameClauses(a: readonly Clause[], b: readonly Clause[]): boolean {
  return a.length === b.length && a.every((clause) => b.includes(clause));
}

/** The partitions' rows one after the other, or merged when that is what gives the order. */
function appendPath(
  { planner, level, leaves }: Appended,
  paths: readonly Path[],
  clauses: readonly Clause[],
  order: readonly SortKey[] | null,
): Path {
  const direction = order === null ? 1 : orderOfBounds(level, order);
  const count = paths.length;
  const inOrder = direction < 0 ? paths.toReversed() : paths;
  const place = direction < 0 ? (leaf: number) => count - 1 - leaf : SAME;
  const pruning = runTimePruning(level, clauses, place);
  const share = pruning === null ? 1 : expectedShare(pruning);
  const sum = (part: (path: Path) => number) =>
    paths.reduce((total, path) => total + part(path), 0) * share;
  const rows = Math.max(1, Math.round(sum((path) => path.rows)));
  const perRow =
    CPU_TUPLE_COST * 0.5 + (direction === 0 ? 2 * CPU_OPERATOR_COST * Math.log2(count) : 0);
  const startup = direction === 0 ? sum((path) => path.startup) : inOrder[0]!.startup;
  const total = sum((path) => path.total) + perRow * rows;
  const width = paths[0]!.width;
  return {
    rows,
    width,
    startup,
    total,
    order: order ?? [],
    requires: paths.reduce((rels, path) => rels | path.requires, NO_RELS),
    rescan: sum((path) => path.rescan) + perRow * rows,
    build: (slots = new Map<string, SlotValue>()) => {
      const built = inOrder.map((path) => path.build(slots));
      const { layout } = built[0]!;
      const nothing = new Layout();
      const value = (expr: Expr) => planner.convert(expr, nothing, slots);
      const partitions: PartitionInputs = {
        alias: leaves[0]!.entry.alias,
        pruning: pruning && mapPruning(pruning, value),
      };
      const inputs = built.map(({ node }) => node);
      const { output } = inputs[0]!;
      const base = { output, rows, width, startupCost: startup, totalCost: total };
      const keys = direction === 0 ? keysOver(planner, order!, layout) : [];
      const node: PlanNode =
        keys.length > 0
          ? { ...base, kind: 'mergeAppend', inputs, partitions, keys }
          : { ...base, kind: 'append', inputs, partitions };
      return { node, layout, needs: [...slots.values()] };
    },
  };
}

/** The keys of an order over the inputs, up to the first of which somebody has not asked for a column:
 * whoever relies on it has its columns. */
function keysOver(planner: QueryPlanner, order: readonly SortKey[], layout: Layout): SortKey[] {
  const isMissing = (part: Expr): boolean => part.kind === 'column' && layout.find(part) < 0;
  const end = order.findIndex(({ expr }) => someExpr(expr, isMissing));
  return order
    .slice(0, end < 0 ? order.length : end)
    .map((key) => ({ ...key, expr: planner.convert(key.expr, layout) }));
}

/** Whether rows that are sorted within each partition come sorted with one partition after the other:
 * 1 in the order of the bounds, -1 the other way round, 0 not at all. */
function orderOfBounds(level: PartitionLevel, order: readonly SortKey[]): number {
  const { entry, relation, places } = level;
  const { keys } = entry.table.partitioning!;
  const [first] = order;
  const descending = first!.descending;
  for (let i = 0; i < Math.min(keys.length, order.length); i++) {
    const { column } = keys[i]!;
    const attribute = column < 0 ? -1 : entry.attributes.indexOf(column);
    const { expr, descending: direction } = order[i]!;
    const isKey = expr.kind === 'column' && expr.relation === relation && expr.column === attribute;
    if (!isKey || direction !== descending) return 0;
  }
  if (places.some((place) => place !== null && typeof place !== 'number')) return 0;
  if (!boundsAreApart(level)) return 0;
  return descending ? -1 : 1;
}

/** Whether all keys of each partition that is read are before those of the next. */
function boundsAreApart({ entry, places, partitions }: PartitionLevel): boolean {
  const [key] = entry.table.partitioning!.keys;
  let last: Datum = null;
  for (const [i, { partitionOf }] of partitions.entries()) {
    if (places[i] === null) continue;
    const { bound } = partitionOf!;
    if (bound.kind === 'range') continue;
    if (bound.kind !== 'list') return false;
    for (const value of sortedValues(bound, (a, b) => compareKeyValues(key!, a, b)) ?? [null]) {
      if (value === null || (last !== null && compareKeyValues(key!, last, value) >= 0))
        return false;
      last = value;
    }
  }
  return true;
}

/** Null when the list has a null, whose place depends on the order. */
function sortedValues(
  { values }: Extract<PartitionBound, { kind: 'list' }>,
  compare: (a: Datum, b: Datum) => number,
): readonly Datum[] | null {
  return values.includes(null) ? null : [...values].sort(compare);
}
