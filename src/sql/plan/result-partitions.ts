import type { CatalogView, RelationDescriptor } from '../../catalog/descriptors.ts';
import { columnMap, keyExpressions } from '../bind/partition-checks.ts';
import type { ModifyQuery } from '../bind/query.ts';
import type { Expr } from '../expression.ts';
import { someExpr } from '../expression-tree.ts';
import { checksOf } from './modify.ts';
import type { PartitionRouting, ResultPartitions, ResultRelation } from './plan.ts';
import type { QueryPlanner } from './query-planner.ts';
import type { TableEntry } from './scans.ts';

/** The tables of a statement. */
interface StatementTables {
  readonly catalog: CatalogView;
  tableIndex(table: RelationDescriptor): number;
}

function tablesOf({ statement }: QueryPlanner): StatementTables {
  const { catalog } = statement.context;
  return { catalog, tableIndex: (table) => statement.tableIndex(table) };
}

/** The partitions that an INSERT may put rows into; null for what is not partitioned. */
export function insertedPartitions(
  planner: QueryPlanner,
  { table, alias }: TableEntry,
  arbiters: readonly number[],
): ResultPartitions | null {
  if (table.kind !== 'partitioned') return null;
  return allPartitions(tablesOf(planner), table, alias, arbiters);
}

/** The partitions of a partitioned table that COPY puts rows into, with the tables that they name. */
export function copiedPartitions(
  catalog: CatalogView,
  table: RelationDescriptor,
): { readonly tables: readonly RelationDescriptor[]; readonly partitions: ResultPartitions } {
  const tables: RelationDescriptor[] = [];
  const statement = { catalog, tableIndex: (one: RelationDescriptor) => tables.push(one) - 1 };
  return { tables, partitions: allPartitions(statement, table, table.name, []) };
}

function allPartitions(
  statement: StatementTables,
  table: RelationDescriptor,
  alias: string,
  arbiters: readonly number[],
): ResultPartitions {
  const relations: ResultRelation[] = [];
  const add = (partition: RelationDescriptor): number => {
    relations.push(resultRelation(statement, table, partition, -1, arbiters));
    return relations.length - 1;
  };
  const routing = routingOf(statement, table, table, add);
  return { alias, tableOid: -1, relations, scanned: relations.length, routing };
}

/** The partitions whose rows an UPDATE or DELETE changes, those that it reads first; null for what is
 * not partitioned. */
export function changedPartitions(
  planner: QueryPlanner,
  query: ModifyQuery,
  { table, alias }: TableEntry,
  tableOid: number,
): ResultPartitions | null {
  if (table.kind !== 'partitioned') return null;
  const statement = tablesOf(planner);
  const leaves = planner.partitions.get(query.target) ?? [];
  const relations = leaves.map(({ entry, scanId }) =>
    resultRelation(statement, table, entry.table, scanId, []),
  );
  const scanned = relations.length;
  const known = new Map(leaves.map(({ entry }, i) => [entry.table.oid, i]));
  const add = (partition: RelationDescriptor): number => {
    const place = known.get(partition.oid);
    if (place !== undefined) return place;
    relations.push(resultRelation(statement, table, partition, -1, []));
    return relations.length - 1;
  };
  const routing = assignsKey(planner, query, table)
    ? routingOf(statement, table, table, add)
    : null;
  return { alias, tableOid, relations, scanned, routing };
}

function resultRelation(
  statement: StatementTables,
  target: RelationDescriptor,
  partition: RelationDescriptor,
  scanId: number,
  arbiters: readonly number[],
): ResultRelation {
  const position = columnMap(partition, target);
  return {
    table: statement.tableIndex(partition),
    scanId,
    columns: partition.columns.map(({ dropped }, i) => (dropped ? -1 : position(i))),
    checks: checksOf(partition),
    arbiters: partition.indexes
      .map(({ oid }) => oid)
      .filter((oid) => isPart(statement, oid, arbiters)),
  };
}

/** Whether an index is a part of one of these, at whatever level. */
function isPart({ catalog }: StatementTables, oid: number, indexes: readonly number[]): boolean {
  for (let at = oid; at !== 0; at = catalog.indexByOid(at)?.index.parent ?? 0) {
    if (indexes.includes(at)) return true;
  }
  return false;
}

function routingOf(
  statement: StatementTables,
  target: RelationDescriptor,
  table: RelationDescriptor,
  add: (partition: RelationDescriptor) => number,
): PartitionRouting {
  const partitions = statement.catalog.partitionsOf(table.oid);
  return {
    table: statement.tableIndex(table),
    partitioning: table.partitioning!,
    keys: keyExpressions(table, target),
    bounds: partitions.map(({ partitionOf }) => partitionOf!.bound),
    places: partitions.map((partition) =>
      partition.kind === 'partitioned'
        ? routingOf(statement, target, partition, add)
        : add(partition),
    ),
  };
}

/** Whether an UPDATE assigns to a column of a partition key: the table's, that of a table above it or
 * of a partition below it. */
export function assignsKey(
  planner: QueryPlanner,
  query: ModifyQuery,
  table: RelationDescriptor,
): boolean {
  const { catalog } = planner.statement.context;
  const assigned = new Set(query.assignments.map(({ column }) => column));
  const isAssigned = (parent: RelationDescriptor): boolean =>
    keyExpressions(parent, table).some((expr) => readsSome(expr, assigned));
  const below = (partitioned: RelationDescriptor): boolean =>
    partitioned.kind === 'partitioned' &&
    (isAssigned(partitioned) || catalog.partitionsOf(partitioned.oid).some(below));
  for (let child = table; child.partitionOf !== null; ) {
    const parent = catalog.relationByOid(child.partitionOf.parent);
    if (parent === undefined) break;
    if (isAssigned(parent)) return true;
    child = parent;
  }
  return below(table);
}

function readsSome(expr: Expr, columns: ReadonlySet<number>): boolean {
  return someExpr(expr, (part) => part.kind === 'input' && columns.has(part.column));
}
