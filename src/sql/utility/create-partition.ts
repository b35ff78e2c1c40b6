import type { CreateStmt } from '@pgsql/types';
import type {
  ConstraintDescriptor,
  PartitionPlace,
  RelationDescriptor,
} from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { columnMap } from '../bind/index.ts';
import type { Expr } from '../expression.ts';
import { mapInputs } from '../expression-tree.ts';
import type { Command } from './command.ts';
import { duplicateConstraint } from './constraint-names.ts';
import type { UtilityPause } from './environment.ts';
import { findRelation, undefinedRelation } from './object-names.ts';
import { boundOf, checkBound } from './partition-bound.ts';
import { testDefaultPartition } from './partition-scan.ts';
import { refusePendingEvents } from './referencing.ts';
import { changeRelation } from './relation-change.ts';
import { isOthers, type Persistence } from './temporary.ts';

/** CREATE TABLE … PARTITION OF: what a partition has of its parent. */

/** Finds and locks the parent of a partition that is created; null for other tables. */
export function* lockParent(
  command: Command,
  { inhRelations = [], partbound }: CreateStmt,
  persistence: Persistence,
): Generator<UtilityPause, RelationDescriptor | null, undefined> {
  const [node] = inhRelations;
  if (partbound === undefined || node === undefined || !('RangeVar' in node)) return null;
  const name = node.RangeVar;
  const parent = yield* command.lockNamed(
    () => findRelation(command, name),
    TABLE_LOCK.accessExclusive,
  );
  if (parent === undefined) throw undefinedRelation(command, name);
  requirePartitioned(parent);
  refuseMixed(command, parent, { persistence }, 'create');
  refusePendingEvents(command, parent, 'CREATE TABLE .. PARTITION OF');
  return parent;
}

/** Temporary tables have temporary partitions, of the same session, and other tables have others. */
export function refuseMixed(
  command: Command,
  parent: RelationDescriptor,
  partition: Pick<RelationDescriptor, 'persistence'>,
  verb: 'create' | 'attach',
): void {
  if (parent.persistence !== partition.persistence) {
    const [part, whole] =
      parent.persistence === 't' ? ['permanent', 'temporary'] : ['temporary', 'permanent'];
    const what = `a ${part} relation as partition of ${whole} relation "${parent.name}"`;
    throw pgError('wrong_object_type', `cannot ${verb} ${what}`);
  }
  if (!isOthers(command, parent)) return;
  throw pgError(
    'wrong_object_type',
    `cannot ${verb} as partition of temporary relation of another session`,
  );
}

/** 42P17 for what has no partitions. */
function requirePartitioned({ name, kind, partitioning }: RelationDescriptor): void {
  if (kind === 'view' || kind === 'sequence') {
    throw pgError(
      'wrong_object_type',
      `inherited relation "${name}" is not a table or foreign table`,
    );
  }
  if (partitioning !== null) return;
  throw pgError('invalid_object_definition', `"${name}" is not partitioned`);
}

/** Finds a partition's place beside those that are there. */
export function* newPlace(
  command: Command,
  parent: RelationDescriptor,
  name: string,
  { partbound }: CreateStmt,
): Generator<UtilityPause, PartitionPlace, undefined> {
  const specification = partbound ?? {};
  const bound = boundOf(command, parent, specification);
  checkBound(command, parent, name, { bound, specification });
  yield* testDefaultPartition(command, parent, bound);
  // Plans for the parent are to be made anew.
  changeRelation(command, parent, {});
  return { parent: parent.oid, bound };
}

/** The CHECK constraints of a parent, as a new partition has them, whose columns are the live ones of
 * its parent. */
export function inheritedChecks(
  command: Command,
  parent: RelationDescriptor,
): ConstraintDescriptor[] {
  const partition = {
    oid: 0,
    name: parent.name,
    columns: parent.columns.filter(({ dropped }) => !dropped),
  };
  return parent.constraints
    .filter(({ kind }) => kind === 'check')
    .map((constraint) => inheritedCheck(command, parent, partition, constraint));
}

/** A parent's CHECK over the columns of a partition. */
export function inheritedCheck(
  command: Command,
  parent: RelationDescriptor,
  partition: Pick<RelationDescriptor, 'oid' | 'name' | 'columns'>,
  constraint: ConstraintDescriptor,
): ConstraintDescriptor {
  const position = columnMap(parent, partition);
  const check = constraint.check!;
  return {
    ...constraint,
    oid: command.environment.nextOid(),
    columns: constraint.columns.map(position).sort((a, b) => a - b),
    check: { ...check, expr: mapInputs(check.expr as Expr, position) },
    comment: null,
  };
}

/** True, with a notice, when the partition has a CHECK of its parent's anyway. */
export function isMerged(
  command: Command,
  table: { readonly name: string },
  check: ConstraintDescriptor,
  inherited: readonly ConstraintDescriptor[],
): boolean {
  const present = inherited.find(({ name }) => name === check.name);
  if (present === undefined) return false;
  if (present.check?.text !== check.check?.text) {
    throw duplicateConstraint(check.name, table.name);
  }
  command.environment.notice({
    message: `merging constraint "${check.name}" with inherited definition`,
  });
  return true;
}
