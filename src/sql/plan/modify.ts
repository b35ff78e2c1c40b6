import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import { partitionChecks } from '../bind/partition-checks.ts';
import type { ModifyQuery } from '../bind/query.ts';
import type { Expr } from '../expression.ts';
import { planFrom } from './from.ts';
import { Layout } from './layout.ts';
import { columnOf, widthOf } from './nodes.ts';
import { cheapest } from './paths.ts';
import type { NewRowChecks, PlanNode, ResultPartitions } from './plan.ts';
import { type QueryPlanner, tableOidOf } from './query-planner.ts';
import { assignsKey, changedPartitions, insertedPartitions } from './result-partitions.ts';
import type { TableEntry } from './scans.ts';
import { planMember } from './set-operations.ts';

/** INSERT, UPDATE and DELETE. */
export function planModify(planner: QueryPlanner, query: ModifyQuery): PlanNode {
  planner.statement.needsWriter = true;
  const entry = query.rangeTable[query.target] as TableEntry;
  return query.kind === 'insert'
    ? planInsert(planner, query, entry)
    : planChange(planner, query, entry);
}

/** The bound CHECK constraints of a table. */
export function checksOf(table: RelationDescriptor): { name: string; expr: Expr }[] {
  return table.constraints.flatMap((constraint) =>
    constraint.kind === 'check' && constraint.check !== null
      ? [{ name: constraint.name, expr: constraint.check.expr as Expr }]
      : [],
  );
}

/** The target's row by position in its descriptor, dropped columns included. */
function rowLayout(entry: TableEntry, relations: readonly number[]): Layout {
  const { columns } = entry.table;
  return relations
    .map((relation) => {
      const placed = columns.map((_, position) => entry.attributes.indexOf(position));
      const exprs = placed.map((column, position): Expr => {
        const { type, typmod } = columns[position] ?? { type: 25, typmod: -1 };
        if (column < 0) return { kind: 'const', type, typmod, value: null };
        return { kind: 'column', type, typmod, level: 0, relation, column };
      });
      if (entry.table.kind === 'partitioned') exprs.push(tableOidOf(relation));
      return Layout.ofExprs(exprs);
    })
    .reduce((left, right) => Layout.concat(left, right));
}

function planInsert(planner: QueryPlanner, query: ModifyQuery, entry: TableEntry): PlanNode {
  // It is locked before what is read, and before the tables that it is a partition of.
  const table = planner.statement.tableIndex(entry.table);
  const input = query.source === null ? emptyRow() : planMember(planner, query.source);
  const nothing = new Layout();
  const values = query.insertValues.map((value) => planner.convert(value, nothing));
  const row = rowLayout(entry, [query.target]);
  const { onConflict } = query;
  const both = onConflict === null ? row : rowLayout(entry, [query.target, onConflict.excluded]);
  const returning = returningOver(planner, query, row);
  return {
    ...modifyBase(query, input, returning),
    ...newRowChecks(planner, entry.table, true),
    ...viewChecks(planner, query, row),
    ...partitionsOf(insertedPartitions(planner, entry, onConflict?.arbiters ?? [])),
    kind: 'insert',
    table,
    input,
    values,
    onConflict: onConflict && {
      action: onConflict.action,
      arbiters: onConflict.arbiters,
      assignments: onConflict.assignments.map(({ column, expr }) => ({
        column,
        expr: planner.convert(expr, both),
      })),
      where: onConflict.where && planner.convert(onConflict.where, both),
    },
  };
}

function emptyRow(): PlanNode {
  return {
    kind: 'result',
    output: [],
    rows: 1,
    width: 0,
    startupCost: 0,
    totalCost: 0.01,
    exprs: [],
    filter: null,
  };
}

function returningOver(
  planner: QueryPlanner,
  query: ModifyQuery,
  layout: Layout,
): readonly Expr[] | null {
  if (query.returning.length === 0) return null;
  return query.returning.map((column) => planner.convert(column.expr, layout));
}

function modifyBase(
  query: ModifyQuery,
  input: PlanNode,
  returning: readonly Expr[] | null,
): Pick<
  Extract<PlanNode, { kind: 'insert' }>,
  'output' | 'rows' | 'width' | 'startupCost' | 'totalCost' | 'returning'
> {
  const output = query.returning.map((column) => columnOf(column.expr));
  return {
    output,
    rows: returning === null ? 0 : input.rows,
    width: widthOf(output),
    startupCost: input.startupCost,
    totalCost: input.totalCost,
    returning,
  };
}

/** UPDATE and DELETE: the target joined with the further items; each row carries the target's key
 * and its old columns. */
function planChange(planner: QueryPlanner, query: ModifyQuery, entry: TableEntry): PlanNode {
  const { target } = query;
  planner.requireLocator(target);
  planner.needAllColumns(target);
  const isPartitioned = entry.table.kind === 'partitioned';
  if (isPartitioned) planner.needTableOid(target);
  const from = [{ kind: 'relation' as const, relation: target }, ...query.from];
  const built = cheapest(planFrom(planner, from, query.where).paths).build();
  const { layout } = built;
  const input = built.node;
  const oldColumns = entry.table.columns.map((column, position) => {
    const attribute = entry.attributes.indexOf(position);
    if (attribute < 0) return -1;
    const { type, typmod } = column;
    return layout.find({
      kind: 'column',
      type,
      typmod,
      level: 0,
      relation: target,
      column: attribute,
    });
  });
  // RETURNING sees the changed row, then the input's.
  const row = Layout.concat(rowLayout(entry, [target]), layout);
  const base = {
    ...modifyBase(query, input, returningOver(planner, query, row)),
    table: planner.statement.tableIndex(entry.table),
    input,
    locator: layout.locator(target),
    scanId: planner.scanId(target),
    oldColumns,
    ...partitionsOf(changedPartitions(planner, query, entry, layout.find(tableOidOf(target)))),
  };
  if (query.kind === 'delete') return { ...base, kind: 'delete', checks: [] };
  return {
    ...base,
    ...newRowChecks(planner, entry.table, assignsKey(planner, query, entry.table)),
    ...viewChecks(planner, query, rowLayout(entry, [target])),
    kind: 'update',
    assignments: query.assignments.map(({ column, expr }) => ({
      column,
      expr: planner.convert(expr, layout),
    })),
  };
}

function partitionsOf(partitions: ResultPartitions | null): { partitions?: ResultPartitions } {
  return partitions === null ? {} : { partitions };
}

/** What the views demand that the statement names its table by. */
function viewChecks(
  planner: QueryPlanner,
  query: ModifyQuery,
  row: Layout,
): Pick<NewRowChecks, 'viewChecks'> {
  const checks = query.viewChecks ?? [];
  if (checks.length === 0) return {};
  return {
    viewChecks: checks.map(({ view, condition }) => ({
      name: view,
      expr: planner.convert(condition, row),
    })),
  };
}

/** What the statement's own table demands of new rows. `places`: rows may come to be where a bound
 * does not take them. */
function newRowChecks(planner: QueryPlanner, table: RelationDescriptor, places: boolean) {
  const checks = table.kind === 'partitioned' ? [] : checksOf(table);
  if (!places || table.partitionOf === null) return { checks };
  const { catalog } = planner.statement.context;
  // What a default partition takes changes with the bounds beside it, of which the parent tells.
  for (let child = table; child.partitionOf !== null; ) {
    const parent = catalog.relationByOid(child.partitionOf.parent);
    if (parent === undefined) break;
    if (child.partitionOf.bound.kind === 'default') planner.statement.tableIndex(parent);
    child = parent;
  }
  return { checks, partitionChecks: partitionChecks(catalog, table) };
}
