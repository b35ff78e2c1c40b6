import type { IndexDescriptor } from '../../catalog/descriptors.ts';
import { OID } from '../../types/index.ts';
import { type RangeTableEntry, TABLE_OID_COLUMN } from '../bind/query.ts';
import type { Expr, SortKey } from '../expression.ts';
import { type IndexedRelation, type UsablePart, usablePart } from '../optimize/index.ts';
import {
  type Clause,
  conjunction,
  conjuncts,
  isSubset,
  isVolatile,
  NO_RELS,
  type RelSet,
  relBit,
  relsOf,
} from './clauses.ts';
import {
  CPU_INDEX_TUPLE_COST,
  CPU_OPERATOR_COST,
  CPU_TUPLE_COST,
  exprsCost,
  PAGE_SIZE,
  pagesFetched,
  RANDOM_PAGE_COST,
  SEQ_PAGE_COST,
  scatteredPageCost,
  TUPLE_OVERHEAD,
} from './cost.ts';
import { type IndexMatch, indexOrder, matchIndex } from './index-match.ts';
import { entryColumns } from './index-only.ts';
import { Layout } from './layout.ts';
import { projectNode, typeWidth } from './nodes.ts';
import {
  type Built,
  type Candidates,
  keepBest,
  type ParameterizedPath,
  type Path,
  type SlotValue,
} from './paths.ts';
import type { KeyRange, NodeColumn, PlanNode } from './plan.ts';
import type { QueryPlanner } from './query-planner.ts';
import {
  type ColumnFacts,
  clausesSelectivity,
  expressionFacts,
  tableColumnFacts,
} from './selectivity.ts';

export type TableEntry = Extract<RangeTableEntry, { kind: 'table' }>;

/** Ways to read one table under the conditions on it alone. `partitionScan`: the id of the scan where the
 * table is a partition that is read for the partitioned table. */
export function tableCandidates(
  planner: QueryPlanner,
  relation: number,
  entry: TableEntry,
  clauses: readonly Clause[],
  partitionScan: number | null = null,
): Candidates {
  const facts = tableFacts(planner, relation, entry, partitionScan);
  const paths: Path[] = [seqScanPath(facts, clauses)];
  for (const index of planner.statement.readableIndexes(entry.table)) {
    const part = usablePart(facts.place, index, exprsOf(clauses));
    if (index.predicate !== null && part === null) continue;
    const tested = testedClauses(facts, part, clauses);
    const match = matchIndex(facts.place, index, tested);
    for (const backward of [false, true]) {
      const order = indexOrder(facts.place, index, backward);
      if (match?.anyOf && backward) continue;
      const useful = (match !== null || part !== null) && !backward;
      if (!useful && !planner.wantsOrder(order)) continue;
      paths.push(indexScanPath(facts, { index, match, part, tested }, clauses, backward, order));
    }
  }
  const rows = paths[0]?.rows ?? 1;
  return {
    rels: facts.rels,
    rows,
    width: facts.width,
    paths: keepBest(paths),
    parameterized: (outer, joinClauses) => parameterizedScans(facts, clauses, outer, joinClauses),
  };
}

/** The conditions that a scan of an index has to see to. Those that the predicate of a partial index
 * grants are not among them, unless rows are tested again when they have changed. */
function testedClauses(
  { planner, relation }: TableFacts,
  part: UsablePart | null,
  clauses: readonly Clause[],
): readonly Clause[] {
  if (part === null || planner.needsLocator(relation)) return clauses;
  return clauses.filter(({ expr }) => !part.fulfils(expr));
}

function exprsOf(clauses: readonly Clause[]): Expr[] {
  return clauses.map(({ expr }) => expr);
}

interface TableFacts {
  readonly planner: QueryPlanner;
  readonly relation: number;
  readonly place: IndexedRelation;
  readonly rels: RelSet;
  readonly entry: TableEntry;
  readonly partitionScan: number | null;
  readonly columns: readonly number[];
  readonly width: number;
  readonly tableRows: number;
  readonly pages: number;
  /** What is known of the columns: of a partition's, those of its own rows. */
  readonly columnFacts: (expr: Expr) => ColumnFacts | null;
}

function tableFacts(
  planner: QueryPlanner,
  relation: number,
  entry: TableEntry,
  partitionScan: number | null,
): TableFacts {
  const tableRows = planner.statement.rowsOf(entry.table);
  const columns = planner.neededColumns(relation).filter((column) => column !== TABLE_OID_COLUMN);
  const width = columns.reduce((sum, column) => sum + columnWidth(entry, column), 0);
  let rowWidth = TUPLE_OVERHEAD;
  for (let i = 0; i < entry.columns.length; i++) rowWidth += columnWidth(entry, i);
  const pages = Math.max(
    1,
    entry.table.statistics?.pages ?? Math.ceil((tableRows * rowWidth) / PAGE_SIZE),
  );
  const rels = relBit(relation);
  const { attributes, table } = entry;
  const place = { relation, attributes, table };
  const columnFacts = (expr: Expr): ColumnFacts | null => {
    if (expr.kind !== 'column' && relsOf(expr) === rels) {
      return expressionFacts(place, tableRows, expr);
    }
    if (expr.kind !== 'column' || expr.level > 0 || expr.relation !== relation) {
      return planner.columnFacts(expr);
    }
    return tableColumnFacts(entry.table, tableRows, entry.attributes[expr.column] ?? -1);
  };
  return {
    planner,
    relation,
    place,
    rels,
    entry,
    partitionScan,
    columns,
    width,
    tableRows,
    pages,
    columnFacts,
  };
}

function columnWidth(entry: TableEntry, column: number): number {
  const attribute = entry.attributes[column] ?? 0;
  const known = entry.table.statistics?.columns[attribute]?.averageWidth;
  const descriptor = entry.columns[column];
  return known ?? typeWidth(descriptor?.type ?? 25, descriptor?.typmod ?? -1);
}

function estimateRows(facts: TableFacts, clauses: readonly Clause[]): number {
  const exprs = clauses.map((clause) => clause.expr);
  const kept = clausesSelectivity(exprs, facts.columnFacts);
  return Math.max(1, Math.round(facts.tableRows * kept));
}

function seqScanPath(facts: TableFacts, clauses: readonly Clause[]): Path {
  const exprs = clauses.map((clause) => clause.expr);
  const perRow = CPU_TUPLE_COST + exprsCost(exprs);
  const total = facts.pages * SEQ_PAGE_COST + facts.tableRows * perRow;
  const rows = estimateRows(facts, clauses);
  return {
    rows,
    width: facts.width,
    startup: 0,
    total,
    order: [],
    requires: NO_RELS,
    rescan: total,
    build: (slots = new Map<string, SlotValue>()) => {
      const base = scanBase(facts, clauses, slots);
      const node: PlanNode = {
        kind: 'seqScan',
        ...base.fields,
        rows,
        width: facts.width,
        startupCost: 0,
        totalCost: total,
        backward: false,
      };
      return scanned(facts, node, base.layout, slots);
    },
  };
}

interface ScanBase {
  readonly fields: {
    readonly output: readonly NodeColumn[];
    readonly table: number;
    readonly alias: string;
    readonly columns: readonly number[];
    readonly locator: boolean;
    readonly scanId: number;
    readonly filter: Expr | null;
    readonly isPartition?: true;
  };
  readonly layout: Layout;
}

export const TABLE_OID_NODE: NodeColumn = { type: OID.oid, typmod: -1, name: 'tableoid' };

/** The scan, with the table's oid among its columns where that is asked for. */
function scanned(
  { planner, relation, entry, columns }: TableFacts,
  node: PlanNode,
  layout: Layout,
  slots: ReadonlyMap<string, SlotValue>,
): Built {
  const needs = [...slots.values()];
  const needed = planner.neededColumns(relation);
  if (!needed.includes(TABLE_OID_COLUMN)) return { node, layout, needs };
  const exprs = node.output.map(({ type, typmod }, column): Expr => {
    return { kind: 'input', type, typmod, column };
  });
  const oid: Expr = { kind: 'const', type: OID.oid, typmod: -1, value: entry.table.oid };
  const projected = projectNode(node, exprs.toSpliced(columns.length, 0, oid));
  const output = projected.output.with(columns.length, TABLE_OID_NODE);
  const whole = Layout.ofRelation(relation, needed, planner.needsLocator(relation));
  return { node: { ...projected, output }, layout: whole, needs };
}

function scanBase(
  facts: TableFacts,
  filters: readonly Clause[],
  slots: Map<string, SlotValue>,
): ScanBase {
  const { planner, relation, entry, columns, partitionScan } = facts;
  const locator = planner.needsLocator(relation);
  const layout = Layout.ofRelation(relation, columns, locator);
  const output: NodeColumn[] = columns.map((column) => {
    const { type, typmod, name } = entry.columns[column] ?? { type: 0, typmod: -1, name: '' };
    return { type, typmod, name };
  });
  if (locator) output.push({ type: 17, typmod: -1, name: 'ctid' });
  const filter = conjunction(filters.map((clause) => clause.expr));
  return {
    fields: {
      output,
      table: planner.statement.tableIndex(entry.table),
      alias: entry.alias,
      columns: columns.map((column) => entry.attributes[column] ?? 0),
      locator,
      scanId: partitionScan ?? planner.scanId(relation),
      filter: filter && planner.convert(filter, layout, slots),
      ...(partitionScan !== null && { isPartition: true as const }),
    },
    layout,
  };
}

/** How a scan reads an index. */
interface IndexUse {
  readonly index: IndexDescriptor;
  readonly match: IndexMatch | null;
  /** Of a partial index. */
  readonly part: UsablePart | null;
  /** Of the table's conditions those that are left to the scan. */
  readonly tested: readonly Clause[];
}

function indexScanPath(
  facts: TableFacts,
  { index, match, part, tested }: IndexUse,
  clauses: readonly Clause[],
  backward: boolean,
  order: readonly SortKey[],
  requires: RelSet = NO_RELS,
): Path {
  const used = match?.used ?? [];
  const filters = tested.filter((clause) => !used.includes(clause));
  const { planner, tableRows, pages } = facts;
  const usedExprs = [...used, ...(match?.narrowing ?? [])].map((clause) => clause.expr);
  let kept = shareOf(facts, index, part) * clausesSelectivity(usedExprs, facts.columnFacts);
  if (match?.oneRow) kept = 1 / tableRows;
  const fetched = match?.oneRow ? 1 : Math.max(1, Math.round(tableRows * kept));
  const known = [...used.filter((clause) => !clauses.includes(clause)), ...clauses];
  const rows = match?.oneRow ? 1 : Math.min(fetched, estimateRows(facts, known));
  const height = Math.max(1, Math.ceil(Math.log(Math.max(2, tableRows)) / Math.log(200)));
  // The leaf of a clustered index is a page of the table, which a table of one page reads anyway.
  const upperPages = index.clustered && pages <= 1 ? 0 : height + 1;
  const descent =
    Math.ceil(Math.log2(Math.max(2, tableRows))) * CPU_OPERATOR_COST +
    upperPages * 50 * CPU_OPERATOR_COST;
  const probes = match?.anyOf?.list?.length ?? (match?.anyOf ? 10 : 1);
  const stored = facts.columns.map((column) => facts.entry.attributes[column] ?? 0);
  const entry = entryColumns(facts.entry.table, index, stored);
  // The clustered index holds the rows; another one leads to each row through the key, or has all columns.
  const leafPages = Math.max(1, Math.ceil(pages * kept));
  const indexPages = Math.max(1, Math.ceil(leafPages * 0.2));
  const io = index.clustered
    ? scatteredPageCost(probes, pages) * probes + (leafPages - 1) * SEQ_PAGE_COST
    : RANDOM_PAGE_COST * probes +
      (indexPages - 1) * SEQ_PAGE_COST +
      (entry === null ? pagesFetched(fetched, pages) * RANDOM_PAGE_COST : 0);
  const cpu =
    fetched *
    (CPU_INDEX_TUPLE_COST +
      CPU_OPERATOR_COST * usedExprs.length +
      CPU_TUPLE_COST +
      exprsCost(filters.map((clause) => clause.expr)));
  const startup = descent;
  const total = descent * probes + io + cpu;
  // Read again, the upper pages are in memory.
  const readAgain =
    index.clustered || entry !== null
      ? (index.clustered ? leafPages : indexPages) * 0.1
      : fetched * 0.5;
  const rescan = descent * probes + cpu + readAgain;
  return {
    rows,
    width: facts.width,
    startup,
    total,
    order: match?.anyOf ? [] : order,
    requires,
    rescan,
    build: (slots = new Map<string, SlotValue>()) => {
      const base = scanBase(facts, filters, slots);
      const value = (expr: Expr) => planner.convert(expr, EMPTY_LAYOUT, slots);
      const ranges: KeyRange[] =
        match === null
          ? [{ equal: [], anyOf: null, lower: null, upper: null, isNull: false }]
          : [
              {
                equal: match.equal.map(value),
                anyOf: match.anyOf && {
                  array: match.anyOf.array && value(match.anyOf.array),
                  list: match.anyOf.list?.map(value) ?? null,
                },
                lower: match.lower && { ...match.lower, expr: value(match.lower.expr) },
                upper: match.upper && { ...match.upper, expr: value(match.upper.expr) },
                isNull: match.isNull,
              },
            ];
      const node: PlanNode = {
        kind: 'indexScan',
        ...base.fields,
        rows,
        width: facts.width,
        startupCost: startup,
        totalCost: total,
        index: index.oid,
        ranges,
        backward,
        entry,
      };
      return scanned(facts, node, base.layout, slots);
    },
  };
}

/** The part of the table's rows that an index has. */
function shareOf(
  { planner, entry, columnFacts }: TableFacts,
  index: IndexDescriptor,
  part: UsablePart | null,
): number {
  if (part === null) return 1;
  const known = planner.statement.shareOf(entry.table, index);
  return known ?? clausesSelectivity(conjuncts(part.predicate), columnFacts);
}

const EMPTY_LAYOUT = new Layout();

/** Index scans whose key comes from the left side of a nested loop. */
function parameterizedScans(
  facts: TableFacts,
  clauses: readonly Clause[],
  outer: RelSet,
  joinClauses: readonly Clause[],
): ParameterizedPath[] {
  const usable = joinClauses.filter(
    (clause) => isSubset(clause.rels, outer | facts.rels) && !isVolatile(clause.expr),
  );
  if (usable.length === 0) return [];
  const found: ParameterizedPath[] = [];
  for (const index of facts.planner.statement.readableIndexes(facts.entry.table)) {
    const part = usablePart(facts.place, index, exprsOf([...usable, ...clauses]));
    if (index.predicate !== null && part === null) continue;
    const tested = testedClauses(facts, part, clauses);
    const match = matchIndex(facts.place, index, [...usable, ...tested]);
    if (match === null || !match.used.some((clause) => usable.includes(clause))) continue;
    const used = usable.filter((clause) => match.used.includes(clause));
    const requires = used.reduce((rels, clause) => rels | (clause.rels & ~facts.rels), NO_RELS);
    const order = indexOrder(facts.place, index, false);
    const use = { index, match, part, tested };
    const path = indexScanPath(facts, use, clauses, false, order, requires);
    found.push({ path, used });
  }
  return found;
}

/** A relation that can be read in one way only. */
export function singlePath(rels: RelSet, path: Path): Candidates {
  return { rels, rows: path.rows, width: path.width, paths: [path], parameterized: null };
}
