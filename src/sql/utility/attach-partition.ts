import type { AlterTableCmd, PartitionCmd } from '@pgsql/types';
import type { ColumnDescriptor, RelationDescriptor } from '../../catalog/index.ts';
import { notSupported, type PgError, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { partitionChecks } from '../bind/index.ts';
import type { Command } from './command.ts';
import { refuseMixed } from './create-partition.ts';
import { refuseReferenced } from './detached-references.ts';
import type { UtilityPause } from './environment.ts';
import { columnPosition } from './keys.ts';
import { findRelation, undefinedRelation } from './object-names.ts';
import { boundOf, checkBound } from './partition-bound.ts';
import { inheritForeignKeys } from './partition-foreign-keys.ts';
import { matchIndexes } from './partition-indexes.ts';
import {
  lockPartitions,
  partitionsBelow,
  testDefaultPartition,
  testPartitionRows,
} from './partition-scan.ts';
import { refusePendingEvents } from './referencing.ts';
import { changeRelation, currentRelation, isTable } from './relation-change.ts';
import { isOthers } from './temporary.ts';

/** ALTER TABLE … ATTACH PARTITION: a table that is there becomes a partition, with its rows. */
export function* attachPartition(
  command: Command,
  parent: RelationDescriptor,
  action: AlterTableCmd,
): Generator<UtilityPause, void, undefined> {
  if (parent.partitioning === null) throw notPartitioned(parent);
  const { bound: specification = {}, ...written } = partitionCommand(action);
  const bound = boundOf(command, parent, specification);
  const table = yield* lockNamed(command, written);
  checkAttachable(command, parent, table);
  refusePendingEvents(command, table, 'ALTER TABLE');
  yield* lockPartitions(command, table, TABLE_LOCK.accessExclusive);
  checkColumns(parent, table);
  checkConstraints(parent, table);
  checkBound(command, parent, table.name, { bound, specification });
  changeRelation(command, parent, {});
  const place = { parent: parent.oid, bound };
  const attached = changeRelation(command, table, { partitionOf: place });
  yield* matchIndexes(command, parent, attached);
  yield* inheritForeignKeys(command, parent, attached.oid);
  command.environment.nextCommand();
  yield* testAttached(command, currentRelation(command, attached.oid)!);
  yield* testDefaultPartition(command, parent, bound);
}

function partitionCommand({ def }: AlterTableCmd): PartitionCmd {
  return def !== undefined && 'PartitionCmd' in def ? def.PartitionCmd : {};
}

function notPartitioned({ name }: RelationDescriptor): PgError {
  return pgError('invalid_object_definition', `table "${name}" is not partitioned`);
}

function* lockNamed(
  command: Command,
  { name = {} }: PartitionCmd,
): Generator<UtilityPause, RelationDescriptor, undefined> {
  const table = yield* command.lockNamed(
    () => findRelation(command, name),
    TABLE_LOCK.accessExclusive,
  );
  if (table === undefined) throw undefinedRelation(command, name);
  return table;
}

function checkAttachable(
  command: Command,
  parent: RelationDescriptor,
  table: RelationDescriptor,
): void {
  if (!isTable(table)) {
    throw pgError(
      'wrong_object_type',
      `ALTER action ATTACH PARTITION cannot be performed on relation "${table.name}"`,
      { detail: `This operation is not supported for ${table.kind}s.` },
    );
  }
  if (table.partitionOf !== null) {
    throw pgError('wrong_object_type', `"${table.name}" is already a partition`);
  }
  const isAbove = partitionsBelow(command, table).some(({ oid }) => oid === parent.oid);
  if (isAbove || table.oid === parent.oid) {
    throw pgError('duplicate_table', 'circular inheritance not allowed', {
      detail: `"${parent.name}" is already a child of "${table.name}".`,
    });
  }
  refuseMixed(command, parent, table, 'attach');
  if (!isOthers(command, table)) return;
  throw pgError(
    'wrong_object_type',
    'cannot attach temporary relation of another session as partition',
  );
}

function mismatch(message: string, detail?: string): PgError {
  return pgError('datatype_mismatch', message, detail === undefined ? {} : { detail });
}

/** A partition has its parent's columns, in whatever order, and no others. */
function checkColumns(parent: RelationDescriptor, table: RelationDescriptor): void {
  for (const { name, dropped } of table.columns) {
    if (dropped || columnPosition(parent.columns, name) >= 0) continue;
    throw mismatch(
      `table "${table.name}" contains column "${name}" not found in parent "${parent.name}"`,
      'The new partition may contain only the columns present in parent.',
    );
  }
  for (const column of parent.columns) {
    if (column.dropped) continue;
    const found = table.columns[columnPosition(table.columns, column.name)];
    if (found === undefined) throw mismatch(`child table is missing column "${column.name}"`);
    if (found.type !== column.type || found.typmod !== column.typmod) {
      throw mismatch(`child table "${table.name}" has different type for column "${column.name}"`);
    }
    if (column.notNull && !found.notNull) {
      throw mismatch(`column "${column.name}" in child table must be marked NOT NULL`);
    }
    checkGeneration(column, found);
  }
}

/** Columns are computed alike in a table and its partitions. */
function checkGeneration(column: ColumnDescriptor, found: ColumnDescriptor): void {
  if (column.generated !== true) {
    if (found.generated !== true) return;
    throw notSupported('a generated column in a partition of a table where it is not one');
  }
  if (found.generated !== true) {
    throw mismatch(`column "${column.name}" in child table must be a generated column`);
  }
  if (found.default?.text === column.default?.text) return;
  throw mismatch(`column "${column.name}" in child table has a conflicting generation expression`);
}

/** A partition has its parent's CHECK constraints by name. */
function checkConstraints(parent: RelationDescriptor, table: RelationDescriptor): void {
  for (const constraint of parent.constraints) {
    if (constraint.kind !== 'check') continue;
    const { name } = constraint;
    const found = table.constraints.find((other) => other.kind === 'check' && other.name === name);
    if (found === undefined) throw mismatch(`child table is missing constraint "${name}"`);
    if (found.check?.text !== constraint.check?.text) {
      throw mismatch(
        `child table "${table.name}" has different definition for check constraint "${name}"`,
      );
    }
    if (found.validated || !constraint.validated) continue;
    throw pgError(
      'invalid_object_definition',
      `constraint "${name}" conflicts with NOT VALID constraint on child table "${table.name}"`,
    );
  }
}

/** What the tables above demand of rows, its own partitions do already. */
function* testAttached(
  command: Command,
  table: RelationDescriptor,
): Generator<UtilityPause, void, undefined> {
  const { length } = partitionChecks(command.catalog, table);
  yield* testPartitionRows(command, table, (leaf) =>
    partitionChecks(command.catalog, leaf).slice(0, length),
  );
}

/** ALTER TABLE … DETACH PARTITION: a partition becomes a table of its own. */
export function* detachPartition(
  command: Command,
  parent: RelationDescriptor,
  action: AlterTableCmd,
): Generator<UtilityPause, void, undefined> {
  if (parent.partitioning === null) throw notPartitioned(parent);
  const written = partitionCommand(action);
  if (written.concurrent === true) throw notSupported('DETACH PARTITION CONCURRENTLY');
  const table = yield* lockNamed(command, written);
  if (table.partitionOf?.parent !== parent.oid) {
    throw pgError(
      'undefined_table',
      `relation "${table.name}" is not a partition of relation "${parent.name}"`,
    );
  }
  refusePendingEvents(command, table, 'DETACH PARTITION');
  const fallback = command.catalog
    .partitionsOf(parent.oid)
    .find(({ partitionOf }) => partitionOf!.bound.kind === 'default');
  if (fallback !== undefined) yield* command.lock(fallback, TABLE_LOCK.accessExclusive);
  yield* refuseReferenced(command, parent, table);
  changeRelation(command, parent, {});
  changeRelation(command, table, {
    partitionOf: null,
    indexes: table.indexes.map((index) => ({ ...index, parent: 0 })),
    constraints: table.constraints.map((constraint) => ({ ...constraint, parent: 0 })),
  });
}
