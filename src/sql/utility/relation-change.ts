import type { ForeignKeyPlace, RelationDescriptor } from '../../catalog/index.ts';
import type { Command } from './command.ts';

/** Records a changed relation in the catalog and returns its new descriptor. */
export function changeRelation(
  command: Command,
  relation: RelationDescriptor,
  changes: Partial<RelationDescriptor>,
): RelationDescriptor {
  const descriptor = { ...relation, ...changes, version: relation.version + 1 };
  command.environment.change({ kind: 'relation', oid: relation.oid, descriptor });
  return descriptor;
}

/** Whether a relation is a table, which may be partitioned. */
export function isTable({ kind }: Pick<RelationDescriptor, 'kind'>): boolean {
  return kind === 'table' || kind === 'partitioned';
}

/** What PostgreSQL calls a relation where it does not matter whether a table is partitioned. */
export function ordinaryKind(relation: Pick<RelationDescriptor, 'kind'>): string {
  return isTable(relation) ? 'table' : relation.kind;
}

/** The direct partitions of a table, oldest first, as PostgreSQL goes through them in ALTER TABLE. */
export function partitionsByAge(command: Command, oid: number): readonly RelationDescriptor[] {
  return [...command.catalog.partitionsOf(oid)].sort((a, b) => a.oid - b.oid);
}

/** The foreign keys that refer to a table, or to one whose partition it is. */
export function referencingWholes(
  command: Command,
  { oid, partitionOf }: RelationDescriptor,
): ForeignKeyPlace[] {
  const parent = command.catalog.relationByOid(partitionOf?.parent ?? 0);
  const above = parent === undefined ? [] : referencingWholes(command, parent);
  return [...command.catalog.referencing(oid), ...above];
}

/** The relation as it is now. */
export function currentRelation(command: Command, oid: number): RelationDescriptor | undefined {
  return command.catalog.relationByOid(oid);
}
