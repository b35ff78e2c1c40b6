import type { ForeignKeyPlace, RelationDescriptor } from '../../catalog/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import type { Datum } from '../../types/index.ts';
import { partitionReference, Reference } from '../execute/foreign-keys/index.ts';
import type { Command } from './command.ts';
import type { UtilityPause } from './environment.ts';
import { leavesOf } from './partition-scan.ts';
import { currentRelation, referencingWholes } from './relation-change.ts';
import { scanTree } from './table-scan.ts';

/** Before a partition leaves its parent: no row may refer to one of its rows by a foreign key to the
 * parent, or to a table above. */
export function* refuseReferenced(
  command: Command,
  parent: RelationDescriptor,
  partition: RelationDescriptor,
): Generator<UtilityPause, void, undefined> {
  const leaves = new Set(leavesOf(command, partition).map(({ oid }) => oid));
  for (const place of referencingWholes(command, parent)) {
    const child = currentRelation(command, place.table)!;
    yield* command.lock(child, TABLE_LOCK.share);
    if (child.kind === 'table') yield* searchRows(command, partition, leaves, child, place);
  }
}

function* searchRows(
  command: Command,
  partition: RelationDescriptor,
  leaves: ReadonlySet<number>,
  child: RelationDescriptor,
  { constraint }: ForeignKeyPlace,
): Generator<UtilityPause, void, undefined> {
  const { environment, catalog } = command;
  const parent = currentRelation(command, constraint.foreign!.table)!;
  const reference = new Reference(child, constraint, parent);
  yield* scanTree(environment, child.tree, (cursor) => {
    const values = reference.childValues(cursor.valueBytes, cursor.valueStart);
    if (values.includes(null)) return;
    const key = reference.toParentKey(values, environment.functions);
    const part = key === null ? null : partitionReference(catalog, reference, key);
    if (part === null || !leaves.has(part.parent.oid)) return;
    throw stillReferenced(command, partition, reference, key!);
  });
}

function stillReferenced(
  command: Command,
  partition: RelationDescriptor,
  { child, constraint, conversions }: Reference,
  key: readonly Datum[],
): PgError {
  const names = constraint.columns.map((column) => child.columns[column]!.name);
  const texts = key.map((value, i) =>
    value === null ? 'null' : conversions[i]!.parent.output(value, command.environment.functions),
  );
  return pgError(
    'foreign_key_violation',
    `removing partition "${partition.name}" violates foreign key constraint "${constraint.name}"`,
    {
      detail: `Key (${names.join(', ')})=(${texts.join(', ')}) is still referenced from table "${child.name}".`,
      schema: command.catalog.schemaByOid(child.schema)?.name,
      table: child.name,
      constraint: constraint.name,
    },
  );
}
