import type { ConstraintDescriptor, RelationDescriptor } from '../../catalog/index.ts';
import { columnMap } from '../bind/index.ts';
import { sameExpr } from '../expression-tree.ts';
import type { Command } from './command.ts';
import { isConstraintTaken } from './constraint-names.ts';
import type { UtilityPause } from './environment.ts';
import { chooseName, indexColumnsName } from './object-names.ts';
import { changeRelation, currentRelation } from './relation-change.ts';
import { validateForeignKey } from './validate-foreign-key.ts';

/** A foreign key of a partitioned table is kept by the partitions, each of which has one of its own,
 * whose `parent` it is. */

/** Gives all partitions of a table a foreign key that the table got. */
export function* spreadForeignKey(
  command: Command,
  table: RelationDescriptor,
  constraint: ConstraintDescriptor,
): Generator<UtilityPause, void, undefined> {
  for (const { oid } of command.catalog.partitionsOf(table.oid)) {
    yield* addPart(command, table, constraint, oid);
  }
}

/** Gives a partition the foreign keys of its parent. */
export function* inheritForeignKeys(
  command: Command,
  parent: RelationDescriptor,
  oid: number,
): Generator<UtilityPause, void, undefined> {
  for (const constraint of parent.constraints) {
    if (constraint.kind === 'foreign') yield* addPart(command, parent, constraint, oid);
  }
}

function* addPart(
  command: Command,
  parent: RelationDescriptor,
  above: ConstraintDescriptor,
  oid: number,
): Generator<UtilityPause, void, undefined> {
  const partition = currentRelation(command, oid)!;
  const part = partOf(command, parent, above, partition);
  const present = partition.constraints.find((other) => isSame(other, part));
  const { constraints } = partition;
  const kept = present === undefined ? part : { ...present, parent: above.oid };
  const changed = changeRelation(command, partition, {
    constraints:
      present === undefined
        ? [...constraints, part]
        : constraints.map((other) => (other === present ? kept : other)),
  });
  if (changed.partitioning !== null) {
    if (present === undefined) yield* spreadForeignKey(command, changed, kept);
  } else if (present === undefined) {
    command.environment.nextCommand();
    yield* validateForeignKey(command, changed, kept);
  }
}

/** The foreign key as a partition has it. */
function partOf(
  command: Command,
  parent: RelationDescriptor,
  above: ConstraintDescriptor,
  partition: RelationDescriptor,
): ConstraintDescriptor {
  const position = columnMap(parent, partition);
  const foreign = above.foreign!;
  return {
    ...above,
    oid: command.environment.nextOid(),
    name: partName(command, parent, above, partition),
    columns: above.columns.map(position),
    foreign: { ...foreign, deleteColumns: foreign.deleteColumns.map(position) },
    parent: above.oid,
    comment: null,
  };
}

function partName(
  command: Command,
  parent: RelationDescriptor,
  { name, columns }: ConstraintDescriptor,
  { name: table, schema, constraints }: RelationDescriptor,
): string {
  if (!constraints.some((other) => other.name === name)) return name;
  const words = indexColumnsName(columns.map((column) => parent.columns[column]!.name));
  return chooseName(table, words, 'fkey', (candidate) =>
    isConstraintTaken(command, schema, candidate, constraints),
  );
}

/** Whether a foreign key that a partition has can be the part of its parent's. */
function isSame(other: ConstraintDescriptor, part: ConstraintDescriptor): boolean {
  return (
    other.kind === 'foreign' &&
    (other.parent ?? 0) === 0 &&
    other.validated &&
    other.deferrable === part.deferrable &&
    other.deferred === part.deferred &&
    sameExpr(other.columns, part.columns) &&
    sameExpr(other.foreign, part.foreign)
  );
}
