import type {
  ConstraintDescriptor,
  IndexColumn,
  IndexDescriptor,
  RelationDescriptor,
  StoredExpression,
} from '../../catalog/index.ts';
import { columnMap } from '../bind/index.ts';
import type { Expr } from '../expression.ts';
import { mapInputs, sameExpr } from '../expression-tree.ts';
import type { Command } from './command.ts';
import type { UtilityPause } from './environment.ts';
import { buildIndex } from './index-build.ts';
import { checkCoversPartitionKey, indexColumnNames, newIndexTree } from './keys.ts';
import { chooseName, indexColumnsName, isNameTaken } from './object-names.ts';
import { changeRelation, currentRelation } from './relation-change.ts';
import { recluster } from './rewrite-table.ts';
import { multiplePrimaryKeys } from './table-elements.ts';

/** The indexes of a partitioned table have no entries: each partition has an index of its own for each
 * of them, whose `parent` it is. Likewise the constraints that they serve. */

/** Gives a new partition the indexes of its parent, besides those that it was made with. */
export function* inheritIndexes(
  command: Command,
  parent: RelationDescriptor,
  { oid }: RelationDescriptor,
): Generator<UtilityPause, void, undefined> {
  for (const index of parent.indexes) {
    const partition = currentRelation(command, oid)!;
    const wanted = partOf(command, parent, index, partition);
    yield* createPart(command, parent, index, partition, wanted);
  }
}

/** Gives a table that becomes a partition the indexes of its parent that it lacks. */
export function* matchIndexes(
  command: Command,
  parent: RelationDescriptor,
  { oid }: RelationDescriptor,
): Generator<UtilityPause, void, undefined> {
  for (const index of parent.indexes) yield* addPart(command, parent, index, oid);
}

/** Gives all partitions of a table an index that the table got. The partitions are locked. */
export function* spreadIndex(
  command: Command,
  table: RelationDescriptor,
  index: IndexDescriptor,
): Generator<UtilityPause, void, undefined> {
  for (const { oid } of command.catalog.partitionsOf(table.oid)) {
    yield* addPart(command, table, index, oid);
  }
}

/** Gives a partition its part of an index: one that it has and that is the same, or a new one. */
function* addPart(
  command: Command,
  parent: RelationDescriptor,
  index: IndexDescriptor,
  oid: number,
): Generator<UtilityPause, void, undefined> {
  const partition = currentRelation(command, oid)!;
  const wanted = partOf(command, parent, index, partition);
  const present = partition.indexes.find(
    (other) => isFree(other) && sameIndex(other, wanted) && servesAsMuch(other, wanted),
  );
  if (present === undefined) yield* createPart(command, parent, index, partition, wanted);
  else attachPart(command, parent, index, partition, present);
}

/** Whether all partitions have their part of an index, without which it says nothing of the whole. */
export function isWhole(
  command: Command,
  table: RelationDescriptor,
  index: IndexDescriptor,
): boolean {
  return command.catalog.partitionsOf(table.oid).every((partition) => {
    const part = partition.indexes.find(({ parent }) => parent === index.oid);
    return part !== undefined && isWhole(command, partition, part);
  });
}

function isFree({ parent = 0 }: IndexDescriptor): boolean {
  return parent === 0;
}

/** An index of a partition can be no part of a key's when it serves no constraint. */
function servesAsMuch(other: IndexDescriptor, wanted: IndexDescriptor): boolean {
  if (wanted.constraint === 0) return true;
  return other.constraint !== 0 && other.primary === wanted.primary;
}

/** Makes an index of a partition the part of one of its parent's. */
export function attachPart(
  command: Command,
  parent: RelationDescriptor,
  index: IndexDescriptor,
  partition: RelationDescriptor,
  part: IndexDescriptor,
): void {
  const indexes = partition.indexes.map((other) =>
    other.oid === part.oid ? { ...other, parent: index.oid } : other,
  );
  const above = index.constraint === 0 ? 0 : part.constraint;
  const constraints = partition.constraints.map((other) =>
    other.oid === above ? { ...other, parent: index.constraint } : other,
  );
  changeRelation(command, partition, { indexes, constraints });
  touch(command, parent);
}

/** What else a parent's descriptor says of its partitions is found out anew. */
function touch(command: Command, { oid }: RelationDescriptor): void {
  changeRelation(command, currentRelation(command, oid)!, {});
}

/** The part of an index over the columns of a partition, before it has a name. */
export function partOf(
  command: Command,
  parent: RelationDescriptor,
  index: IndexDescriptor,
  partition: RelationDescriptor,
): IndexDescriptor {
  const position = columnMap(parent, partition);
  const moved = ({ expr }: StoredExpression): StoredExpression =>
    command.stored(mapInputs(expr as Expr, position), partition);
  return {
    ...index,
    columns: index.columns.map((key) => {
      if (key.expression !== null) return { ...key, expression: moved(key.expression) };
      return { ...key, column: position(key.column) };
    }),
    included: index.included.map(position),
    predicate: index.predicate && moved(index.predicate),
    parent: index.oid,
    comment: null,
  };
}

/** Whether two indexes of one table hold the same entries. */
export function sameIndex(a: IndexDescriptor, b: IndexDescriptor): boolean {
  return (
    a.unique === b.unique &&
    a.nullsNotDistinct === b.nullsNotDistinct &&
    a.columns.length === b.columns.length &&
    a.columns.every((column, i) => sameColumn(column, b.columns[i]!)) &&
    a.included.length === b.included.length &&
    a.included.every((column, i) => column === b.included[i]) &&
    sameExpr(a.predicate?.expr, b.predicate?.expr)
  );
}

function sameColumn(a: IndexColumn, b: IndexColumn): boolean {
  return (
    a.column === b.column &&
    a.operatorClass === b.operatorClass &&
    a.descending === b.descending &&
    a.nullsFirst === b.nullsFirst &&
    sameExpr(a.expression?.expr, b.expression?.expr)
  );
}

function* createPart(
  command: Command,
  parent: RelationDescriptor,
  index: IndexDescriptor,
  partition: RelationDescriptor,
  wanted: IndexDescriptor,
): Generator<UtilityPause, void, undefined> {
  const { environment } = command;
  if (index.primary && partition.indexes.some(({ primary }) => primary)) {
    throw multiplePrimaryKeys(partition.name, command);
  }
  checkPartKey(partition, wanted);
  const constraint = index.constraint === 0 ? 0 : environment.nextOid();
  const clustered = index.primary && partition.kind === 'table';
  const part: IndexDescriptor = {
    ...wanted,
    oid: environment.nextOid(),
    name: partName(command, partition, wanted),
    tree: clustered ? partition.tree : newIndexTree(command, partition),
    clustered,
    constraint,
  };
  const above = parent.constraints.find(({ oid }) => oid === index.constraint);
  const key = above === undefined ? [] : [partConstraint(above, part)];
  const changed = yield* putIndex(command, partition, part, key);
  if (changed.partitioning !== null) yield* spreadIndex(command, changed, part);
}

function checkPartKey(partition: RelationDescriptor, wanted: IndexDescriptor): void {
  if (!wanted.unique) return;
  const positions = wanted.columns.map(({ column }) => column);
  checkCoversPartitionKey(partition, positions, wanted.primary ? 'PRIMARY KEY' : 'UNIQUE');
}

function partName(
  command: Command,
  partition: RelationDescriptor,
  { columns, included, primary, constraint }: IndexDescriptor,
): string {
  const isTaken = (name: string) => isNameTaken(command.catalog, partition.schema, name);
  if (primary) return chooseName(partition.name, null, 'pkey', isTaken);
  const names = indexColumnNames(partition, { columns, included });
  const label = constraint === 0 ? 'idx' : 'key';
  return chooseName(partition.name, indexColumnsName(names), label, isTaken);
}

function partConstraint(above: ConstraintDescriptor, part: IndexDescriptor): ConstraintDescriptor {
  return {
    ...above,
    oid: part.constraint,
    name: part.name,
    columns: part.columns.map(({ column }) => column),
    index: part.oid,
    parent: above.oid,
    comment: null,
  };
}

/** Adds an index, filled, and the constraint that it serves to a table. */
export function* putIndex(
  command: Command,
  table: RelationDescriptor,
  index: IndexDescriptor,
  key: readonly ConstraintDescriptor[],
): Generator<UtilityPause, RelationDescriptor, undefined> {
  const indexes = [...table.indexes, index];
  const constraints = [...table.constraints, ...key];
  if (!index.primary) {
    if (table.kind === 'table') yield* buildIndex(command, table, index);
    return changeRelation(command, table, { indexes, constraints });
  }
  const positions = index.columns.map(({ column }) => column);
  const columns = table.columns.map((column, i) =>
    positions.includes(i) ? { ...column, notNull: true } : column,
  );
  if (!index.clustered) return changeRelation(command, table, { columns, indexes, constraints });
  return yield* recluster(command, table, { columns, clusterKey: positions, indexes, constraints });
}
