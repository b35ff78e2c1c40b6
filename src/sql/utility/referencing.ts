import type {
  ConstraintDescriptor,
  IndexDescriptor,
  RelationDescriptor,
} from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import type { Command } from './command.ts';
import { dependentObjects, describe, noticeCascade } from './dependencies.ts';
import type { UtilityPause } from './environment.ts';
import { visibleIndexName } from './object-names.ts';
import { changeRelation, currentRelation } from './relation-change.ts';

/** A foreign key and the table that has it. */
export interface Referrer {
  readonly table: RelationDescriptor;
  readonly constraint: ConstraintDescriptor;
}

/** The foreign keys that refer to a table, oldest first. */
export function referrersOf(command: Command, table: RelationDescriptor): Referrer[] {
  return command.catalog
    .referencing(table.oid)
    .filter(({ constraint }) => (constraint.parent ?? 0) === 0)
    .map(({ table: oid, constraint }) => ({ table: currentRelation(command, oid)!, constraint }))
    .sort((a, b) => a.constraint.oid - b.constraint.oid);
}

/** `constraint c on table t`. */
export function describeConstraint(command: Command, { table, constraint }: Referrer): string {
  return `constraint ${constraint.name} on ${describe(command, table)}`;
}

/** What the foreign keys depend on is to go: they go with it, or are in its way. */
function* dropReferrers(
  command: Command,
  referrers: readonly Referrer[],
  dropped: { readonly target: string; readonly on: string; readonly cascade: boolean },
): Generator<UtilityPause, void, undefined> {
  if (referrers.length === 0) return;
  const descriptions = referrers.map((referrer) => describeConstraint(command, referrer));
  if (!dropped.cascade) {
    throw dependentObjects(
      dropped.target,
      descriptions.map((description) => `${description} depends on ${dropped.on}`),
    );
  }
  noticeCascade(command, descriptions);
  for (const referrer of referrers) yield* dropForeignKey(command, referrer);
}

/** The same of an index of a table; `target` names what is dropped. */
export function* dropIndexReferrers(
  command: Command,
  table: RelationDescriptor,
  index: IndexDescriptor,
  target: string,
  cascade: boolean,
): Generator<UtilityPause, void, undefined> {
  const referrers = referrersOf(command, table).filter(
    ({ constraint }) => constraint.index === index.oid,
  );
  const on = `index ${visibleIndexName(command, table, index)}`;
  yield* dropReferrers(command, referrers, { target, on, cascade });
}

/** Takes a foreign key off its table. */
export function* dropForeignKey(
  command: Command,
  { table, constraint }: Referrer,
): Generator<UtilityPause, void, undefined> {
  yield* command.lock(table, TABLE_LOCK.accessExclusive);
  yield* lockReferenced(command, constraint);
  const now = currentRelation(command, table.oid);
  if (now === undefined) return;
  const constraints = now.constraints.filter(({ oid }) => oid !== constraint.oid);
  changeRelation(command, now, { constraints });
  for (const partition of command.catalog.partitionsOf(table.oid)) {
    const part = partition.constraints.find(({ parent }) => parent === constraint.oid);
    if (part === undefined) continue;
    yield* dropForeignKey(command, { table: partition, constraint: part });
  }
}

/** Nobody may be changing rows that a foreign key watches while it goes. */
export function* lockReferenced(
  command: Command,
  { foreign }: ConstraintDescriptor,
): Generator<UtilityPause, void, undefined> {
  const parent = foreign === null ? undefined : currentRelation(command, foreign.table);
  if (parent !== undefined) yield* command.lock(parent, TABLE_LOCK.accessExclusive);
}

/** 55006: deferred foreign keys are still to be checked on rows of the table. */
export function refusePendingEvents(
  command: Command,
  table: RelationDescriptor,
  statement: string,
): void {
  if (!command.environment.foreignKeys.deferred.concerns(table.oid)) return;
  throw pgError(
    'object_in_use',
    `cannot ${statement} "${table.name}" because it has pending trigger events`,
  );
}
