import { assertNever } from '../../base/index.ts';
import { sequenceOfView } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import type { FromItem, RangeTableEntry } from '../bind/query.ts';
import type { Expr } from '../expression.ts';
import { functionByOid } from '../functions/index.ts';
import {
  type Clause,
  conjunction,
  conjuncts,
  isSubset,
  isVolatile,
  makeClause,
  NO_RELS,
  type RelSet,
  relBit,
  relsOf,
  strictRels,
} from './clauses.ts';
import { CPU_TUPLE_COST, exprCost } from './cost.ts';
import { inlineOrPlanCte, pushClauses } from './ctes.ts';
import { impliedEqualities } from './implied-equalities.ts';
import { searchJoins } from './join-search.ts';
import { joinOuter } from './joins.ts';
import { Layout } from './layout.ts';
import { filterNode, gateNode, typeWidth } from './nodes.ts';
import { partitionedCandidates } from './partitions.ts';
import type { Candidates, Path, SlotValue } from './paths.ts';
import type { NodeColumn, PlanNode } from './plan.ts';
import type { QueryPlanner } from './query-planner.ts';
import { withMark, withoutMark } from './row-marks.ts';
import { singlePath, tableCandidates } from './scans.ts';
import { clausesSelectivity } from './selectivity.ts';
import { planSemiJoin, type SemiJoin } from './unnest.ts';

/** Rows of a system view, about, and of those that describe all that the server brings along. */
const SYSTEM_VIEW_ROWS = 100;
const LONG_SYSTEM_VIEWS: ReadonlyMap<string, number> = new Map([
  ['pg_catalog.pg_attribute', 1500],
  ['pg_catalog.pg_description', 3000],
  ['pg_catalog.pg_operator', 500],
  ['pg_catalog.pg_proc', 1500],
  ['information_schema.columns', 1500],
]);

/** What the writer alone knows: locks, and the values of sequences. */
const WRITER_VIEWS: ReadonlySet<string> = new Set([
  'pg_catalog.pg_locks',
  'pg_catalog.pg_sequences',
]);

/** What the main thread alone knows: sessions, and what they have prepared. */
const SESSION_VIEWS: ReadonlySet<string> = new Set([
  'pg_catalog.pg_stat_activity',
  'pg_catalog.pg_stat_database',
  'pg_catalog.pg_cursors',
  'pg_catalog.pg_prepared_statements',
]);

/** FROM and WHERE: relations with the conditions pushed down to them, joined. */
export function planFrom(
  planner: QueryPlanner,
  from: readonly FromItem[],
  where: Expr | null,
): Candidates {
  const clauses = conjuncts(where).map(makeClause);
  if (from.length === 0) return emptyFrom(planner, clauses);
  const semiJoins = planner.semiJoins.map((item) => planSemiJoin(planner, item));
  return planItems(planner, from, clauses, semiJoins);
}

/** No FROM: one row, or none. */
function emptyFrom(planner: QueryPlanner, clauses: readonly Clause[]): Candidates {
  const filter = conjunction(clauses.map((clause) => clause.expr));
  const layout = new Layout();
  const total = 0.01 + exprCost(filter);
  return singlePath(NO_RELS, {
    rows: 1,
    width: 0,
    startup: 0,
    total,
    order: [],
    requires: NO_RELS,
    rescan: total,
    build: () => ({
      node: {
        kind: 'result',
        output: [],
        rows: 1,
        width: 0,
        startupCost: 0,
        totalCost: total,
        exprs: [],
        filter: filter && planner.convert(filter, layout),
      },
      layout,
      needs: [],
    }),
  });
}

/** One join problem: items of inner joins, and the conditions over them. Of the relations `above`, what
 * stands further up refuses null rows. */
export function planItems(
  planner: QueryPlanner,
  from: readonly FromItem[],
  conditions: readonly Clause[],
  semiJoins: readonly SemiJoin[],
  above: RelSet = NO_RELS,
): Candidates {
  const clauses = [...conditions];
  const leaves: Leaf[] = [];
  const strict = clauses.reduce((rels, clause) => rels | strictRels(clause.expr), above);
  for (const item of from) flatten(item, leaves, clauses, strict);
  const implied = impliedEqualities(clauses);
  clauses.push(...implied.added);
  // A condition on the tables of one item goes down with it; the others join items.
  const pending = new Set(clauses);
  for (const clause of implied.redundant) pending.delete(clause);
  const items = leaves.map((leaf) => {
    const rels = itemRels(leaf.item);
    const own = clauses.filter(
      (clause) => pending.has(clause) && clause.rels !== NO_RELS && isSubset(clause.rels, rels),
    );
    for (const clause of own) pending.delete(clause);
    return planLeaf(planner, leaf, own);
  });
  return searchJoins(planner, items, [...pending], semiJoins);
}

/** An item that is no inner join, and the relations whose null rows a condition above refuses. */
interface Leaf {
  readonly item: FromItem;
  readonly strict: RelSet;
}

/** Takes inner joins apart into their items and conditions. */
function flatten(item: FromItem, leaves: Leaf[], clauses: Clause[], strict: RelSet): void {
  if (item.kind === 'join') {
    const join = reduceOuter(item, strict);
    if (join === 'inner' || join === 'cross') {
      for (const condition of conjuncts(item.on)) clauses.push(makeClause(condition));
      const known =
        strict | conjuncts(item.on).reduce((rels, part) => rels | strictRels(part), NO_RELS);
      flatten(item.left, leaves, clauses, known);
      flatten(item.right, leaves, clauses, known);
      return;
    }
    leaves.push({ item: join === item.join ? item : { ...item, join }, strict });
    return;
  }
  leaves.push({ item, strict });
}

/** An outer join whose null rows a condition above throws away is a simpler join. */
function reduceOuter(
  item: Extract<FromItem, { kind: 'join' }>,
  strict: RelSet,
): Extract<FromItem, { kind: 'join' }>['join'] {
  const leftKept = (itemRels(item.left) & strict) !== 0n;
  const rightKept = (itemRels(item.right) & strict) !== 0n;
  switch (item.join) {
    case 'left':
      return rightKept ? 'inner' : 'left';
    case 'right':
      return leftKept ? 'inner' : 'right';
    case 'full':
      if (leftKept && rightKept) return 'inner';
      return leftKept ? 'left' : rightKept ? 'right' : 'full';
    default:
      return item.join;
  }
}

export function itemRels(item: FromItem): RelSet {
  return item.kind === 'relation'
    ? relBit(item.relation)
    : itemRels(item.left) | itemRels(item.right);
}

function planLeaf(
  planner: QueryPlanner,
  { item, strict }: Leaf,
  clauses: readonly Clause[],
): Candidates {
  if (item.kind === 'relation') return relationCandidates(planner, item.relation, clauses);
  return planOuterJoin(planner, item, strict, clauses);
}

function planOuterJoin(
  planner: QueryPlanner,
  item: Extract<FromItem, { kind: 'join' }>,
  strict: RelSet,
  above: readonly Clause[],
): Candidates {
  // A right join is a left join the other way round.
  const turned = item.join === 'right';
  const full = item.join === 'full';
  const preserved = turned ? item.right : item.left;
  const nullable = turned ? item.left : item.right;
  refuseLocks(planner, nullable);
  if (full) refuseLocks(planner, preserved);
  const preservedRels = itemRels(preserved);
  const nullableRels = itemRels(nullable);
  const pushed = full ? [] : above.filter((clause) => isSubset(clause.rels, preservedRels));
  const filters = above.filter((clause) => !pushed.includes(clause));
  const on = conjuncts(item.on).map(makeClause);
  const onNullable = full
    ? []
    : on.filter(
        (clause) =>
          isSubset(clause.rels, nullableRels) &&
          (clause.rels !== NO_RELS || !isVolatile(clause.expr)),
      );
  const onRest = on.filter((clause) => !onNullable.includes(clause));
  // Rows of the nullable side join nothing that are not equal to what the preserved side is equal to.
  const implied = full ? [] : impliedEqualities([...pushed, ...on]).added;
  onNullable.push(...implied.filter((clause) => isSubset(clause.rels, nullableRels)));
  const onStrict = on.reduce((rels, clause) => rels | strictRels(clause.expr), NO_RELS);
  const left = planItems(planner, [preserved], pushed, [], full ? NO_RELS : strict);
  const right = planItems(planner, [nullable], onNullable, [], full ? NO_RELS : onStrict);
  const joined = joinOuter(planner, full ? 'full' : 'left', left, right, onRest);
  return filters.length === 0 ? joined : filtered(planner, joined, filters);
}

function refuseLocks(planner: QueryPlanner, item: FromItem): void {
  if (item.kind === 'join') {
    refuseLocks(planner, item.left);
    refuseLocks(planner, item.right);
  } else if (planner.needsLocator(item.relation) && planner.query.kind === 'select') {
    throw pgError(
      'feature_not_supported',
      'FOR UPDATE cannot be applied to the nullable side of an outer join',
    );
  }
}

/** Conditions that only hold above a join or subquery. */
export function filtered(
  planner: QueryPlanner,
  input: Candidates,
  clauses: readonly Clause[],
): Candidates {
  const exprs = clauses.map((clause) => clause.expr);
  const predicate = conjunction(exprs);
  if (predicate === null) return input;
  const kept = clausesSelectivity(exprs, (expr) => planner.columnFacts(expr));
  const rows = Math.max(1, Math.round(input.rows * kept));
  const outside = clauses.reduce((rels, clause) => rels | (clause.rels & ~input.rels), NO_RELS);
  const paths = input.paths.map((path): Path => {
    const total = path.total + exprCost(predicate) * path.rows;
    return {
      ...path,
      rows,
      total,
      rescan: path.rescan + exprCost(predicate) * path.rows,
      requires: path.requires | outside,
      build: () => {
        const built = path.build();
        const slots = slotMap(built.needs);
        const bound = planner.convert(predicate, built.layout, slots);
        if (isNever(planner, bound)) {
          return { node: noRows(built.node, bound), layout: built.layout, needs: built.needs };
        }
        return {
          node: filterNode(built.node, bound, kept),
          layout: built.layout,
          needs: [...slots.values()],
        };
      },
    };
  });
  return { ...input, rows, paths, parameterized: null };
}

/** Conditions that no row decides, nor a volatile function: tested once, before anything is read. */
export function gated(
  planner: QueryPlanner,
  input: Candidates,
  clauses: readonly Clause[],
): Candidates {
  const exprs = clauses.map((clause) => clause.expr);
  const condition = conjunction(exprs);
  if (condition === null) return input;
  const kept = clausesSelectivity(exprs, (expr) => planner.columnFacts(expr));
  const rows = Math.max(1, Math.round(input.rows * kept));
  const cost = exprCost(condition);
  const paths = input.paths.map((path): Path => {
    return {
      ...path,
      rows,
      startup: path.startup + cost,
      total: path.total + cost,
      rescan: path.rescan + cost,
      build: () => {
        const { node, layout, needs } = path.build();
        const bound = planner.convert(condition, new Layout());
        if (isNever(planner, bound)) return { node: noRows(node, bound), layout, needs };
        return { node: gateNode(node, bound, kept), layout, needs };
      },
    };
  });
  return { ...input, rows, paths, parameterized: null };
}

/** A condition that is false whatever the row. Scans whose rows are written or locked stay. */
function isNever(planner: QueryPlanner, bound: Expr): boolean {
  const { query } = planner;
  const reads = query.kind === 'select' && query.locking.length === 0;
  return reads && bound.kind === 'const' && bound.value !== true;
}

function noRows(node: PlanNode, filter: Expr): PlanNode {
  return {
    kind: 'result',
    output: node.output,
    rows: 1,
    width: node.width,
    startupCost: 0,
    totalCost: 0,
    exprs: node.output.map(
      ({ type, typmod }): Expr => ({ kind: 'const', type, typmod, value: null }),
    ),
    filter,
  };
}

export function slotMap(needs: readonly SlotValue[]): Map<string, SlotValue> {
  return new Map(
    needs.map((value, i) => [
      value.expr.kind === 'column' ? `${value.expr.relation}.${value.expr.column}` : `#${i}`,
      value,
    ]),
  );
}

function relationCandidates(
  planner: QueryPlanner,
  relation: number,
  clauses: readonly Clause[],
): Candidates {
  if (!planner.needsMark(relation)) return unmarkedCandidates(planner, relation, clauses);
  const own = clauses.map((clause) => withoutMark(clause, relation));
  return withMark(relation, unmarkedCandidates(planner, relation, own));
}

function unmarkedCandidates(
  planner: QueryPlanner,
  relation: number,
  clauses: readonly Clause[],
): Candidates {
  const entry = planner.rangeTable[relation] as RangeTableEntry;
  if (entry.kind === 'table') {
    return entry.table.kind === 'partitioned'
      ? partitionedCandidates(planner, relation, entry, clauses)
      : tableCandidates(planner, relation, entry, clauses);
  }
  const candidates = derivedCandidates(planner, relation, entry, clauses);
  planner.derived.set(relation, candidates);
  return candidates;
}

function derivedCandidates(
  planner: QueryPlanner,
  relation: number,
  entry: Exclude<RangeTableEntry, { kind: 'table' }>,
  clauses: readonly Clause[],
): Candidates {
  switch (entry.kind) {
    case 'subquery': {
      const { query, rest } = pushClauses(entry.query, relation, clauses);
      const inner = planner.inner(query);
      const node = inner.plan();
      return derived(planner, relation, entry, rest, node, planner.slotValues(inner));
    }
    case 'cte':
      return derivedCte(planner, relation, entry, clauses);
    case 'function':
      return functionCandidates(planner, relation, entry, clauses);
    case 'systemView': {
      planner.statement.needsCatalog = true;
      if (WRITER_VIEWS.has(entry.view) || sequenceOfView(entry.view) !== null) {
        planner.statement.needsWriter = true;
      }
      if (SESSION_VIEWS.has(entry.view)) planner.statement.needsSessionState = true;
      const columns = planner.neededColumns(relation);
      const rows = LONG_SYSTEM_VIEWS.get(entry.view) ?? SYSTEM_VIEW_ROWS;
      return scanCandidates(planner, relation, columns, entry, clauses, rows, 10, (base) => ({
        kind: 'systemViewScan',
        ...base,
        view: entry.view,
        viewOid: entry.oid,
        alias: entry.alias,
        columns,
      }));
    }
    case 'values':
    case 'join':
      throw notSupported(`a FROM item of kind ${entry.kind}`);
    default:
      return assertNever(entry);
  }
}

/** A relation whose plan is made already; conditions become a filter over it. */
function derived(
  planner: QueryPlanner,
  relation: number,
  entry: RangeTableEntry,
  clauses: readonly Clause[],
  node: PlanNode,
  needs: readonly SlotValue[],
): Candidates {
  const layout = Layout.ofRelation(relation, [...entry.columns.keys()]);
  const requires = needs.reduce((rels, value) => rels | value.rels, NO_RELS);
  const path: Path = {
    rows: node.rows,
    width: node.width,
    startup: node.startupCost,
    total: node.totalCost,
    order: [],
    requires,
    rescan: node.totalCost,
    build: () => ({ node, layout, needs }),
  };
  return filtered(planner, singlePath(relBit(relation), path), clauses);
}

type ScanFields = {
  readonly output: readonly NodeColumn[];
  readonly rows: number;
  readonly width: number;
  readonly startupCost: number;
  readonly totalCost: number;
  readonly filter: Expr | null;
};

/** A scan that is no table scan: `make` adds what is its own. */
function scanCandidates(
  planner: QueryPlanner,
  relation: number,
  columns: readonly number[],
  entry: RangeTableEntry,
  clauses: readonly Clause[],
  inputRows: number,
  startupCost: number,
  make: (fields: ScanFields, slots: Map<string, SlotValue>) => PlanNode,
  requires: RelSet = NO_RELS,
): Candidates {
  const exprs = clauses.map((clause) => clause.expr);
  const kept = clausesSelectivity(exprs, (expr) => planner.columnFacts(expr));
  const rows = Math.max(1, Math.round(inputRows * kept));
  const output = columns.map((column): NodeColumn => {
    const { type, typmod, name } = entry.columns[column] ?? { type: 25, typmod: -1, name: '' };
    return { type, typmod, name };
  });
  const width = output.reduce((sum, column) => sum + typeWidth(column.type, column.typmod), 0);
  const totalCost = startupCost + inputRows * (CPU_TUPLE_COST + exprCost(conjunction(exprs)));
  const layout = Layout.ofRelation(relation, columns);
  const path: Path = {
    rows,
    width,
    startup: startupCost,
    total: totalCost,
    order: [],
    requires,
    rescan: totalCost,
    build: () => {
      const slots = new Map<string, SlotValue>();
      const predicate = conjunction(exprs);
      const filter = predicate && planner.convert(predicate, layout, slots);
      const fields = { output, rows, width, startupCost, totalCost, filter };
      const node = make(fields, slots);
      return { node, layout, needs: [...slots.values()] };
    },
  };
  return singlePath(relBit(relation), path);
}

const NO_COLUMNS = new Layout();

function functionCandidates(
  planner: QueryPlanner,
  relation: number,
  entry: Extract<RangeTableEntry, { kind: 'function' }>,
  clauses: readonly Clause[],
): Candidates {
  const requires = entry.calls.reduce((rels, call) => rels | relsOf(call), NO_RELS);
  if (entry.calls.some(isVolatile)) noteVolatile(planner, entry.calls);
  const rows = entry.calls.some((call) => call.kind === 'setCall') ? setRows(entry.calls) : 1;
  return scanCandidates(
    planner,
    relation,
    [...entry.columns.keys()],
    entry,
    clauses,
    rows,
    0,
    (fields, slots) => ({
      kind: 'functionScan',
      ...fields,
      alias: entry.alias,
      calls: entry.calls.map((call) => planner.convert(call, NO_COLUMNS, slots)),
      ordinality: entry.ordinality,
    }),
    requires,
  );
}

function noteVolatile(planner: QueryPlanner, calls: readonly Expr[]): void {
  if (calls.some((call) => call.kind === 'sequence')) planner.statement.needsWriter = true;
}

/** generate_series of constants has a known length; other sets are taken to have 1000 rows. */
function setRows(calls: readonly Expr[]): number {
  let rows = 1;
  for (const call of calls) {
    if (call.kind !== 'setCall') continue;
    const bounds = call.arguments.map((arg) =>
      arg.kind === 'const' && typeof arg.value === 'number' ? arg.value : null,
    );
    const [low, high, step = 1] = bounds;
    const series = functionByOid(call.function)?.name === 'generate_series';
    if (series && low != null && high != null && step !== null && step !== 0) {
      rows = Math.max(rows, Math.floor((high - low) / step) + 1);
    } else rows = Math.max(rows, 1000);
  }
  return rows;
}

function derivedCte(
  planner: QueryPlanner,
  relation: number,
  entry: Extract<RangeTableEntry, { kind: 'cte' }>,
  clauses: readonly Clause[],
): Candidates {
  const source = inlineOrPlanCte(planner, entry, relation, clauses);
  if (source.kind === 'inline') {
    return derived(planner, relation, entry, source.rest, source.node, source.needs);
  }
  const columns = [...entry.columns.keys()];
  return scanCandidates(planner, relation, columns, entry, clauses, source.rows, 0, (fields) =>
    source.kind === 'workTable'
      ? {
          kind: 'workTableScan',
          ...fields,
          workTable: source.workTable,
          alias: entry.alias,
        }
      : {
          kind: 'cteScan',
          ...fields,
          cte: source.cte,
          alias: entry.alias,
          name: source.name,
        },
  );
}
