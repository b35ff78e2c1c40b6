import type { ConstraintDescriptor, RelationDescriptor } from '../../catalog/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import type { Expr } from '../expression.ts';
import type { Command } from './command.ts';
import { columnsOf } from './create-table.ts';
import { columnPosition } from './keys.ts';
import { partitionsByAge } from './relation-change.ts';

/** What partitions and their parents must have in common, and so may not change alone. */

/** How an action of ALTER TABLE reaches a table. */
export interface Reach {
  /** The statement names the table itself; else it came down from a table above. */
  readonly named: boolean;
  /** The partitions get the action too: there is no ONLY. */
  readonly descends: boolean;
}

const ONLY_HINT = { hint: 'Do not specify the ONLY keyword.' };

function invalid(message: string, options: { hint?: string; detail?: string } = {}): PgError {
  return pgError('invalid_table_definition', message, options);
}

export function hasPartitions(command: Command, table: RelationDescriptor): boolean {
  return command.catalog.partitionsOf(table.oid).length > 0;
}

/** ONLY of a table that has partitions, which must change too. */
export function isAlone(command: Command, table: RelationDescriptor, reach: Reach): boolean {
  return reach.named && !reach.descends && hasPartitions(command, table);
}

/** A column of a partition is its parent's: ADD COLUMN. */
export function checkAddColumn(command: Command, table: RelationDescriptor, reach: Reach): void {
  if (reach.named && table.partitionOf !== null) {
    throw pgError('wrong_object_type', 'cannot add column to a partition');
  }
  if (isAlone(command, table, reach)) throw invalid('column must be added to child tables too');
}

export function checkDropColumn(
  command: Command,
  table: RelationDescriptor,
  position: number,
  reach: Reach,
): void {
  refuseInheritedColumn(table, position, 'drop', reach);
  refuseKeyColumn(command, table, position, 'drop');
  if (!isAlone(command, table, reach)) return;
  throw invalid(
    'cannot drop column from only the partitioned table when partitions exist',
    ONLY_HINT,
  );
}

export function checkColumnType(
  command: Command,
  table: RelationDescriptor,
  position: number,
  reach: Reach,
): void {
  refuseInheritedColumn(table, position, 'alter', reach);
  refuseKeyColumn(command, table, position, 'alter');
  if (!isAlone(command, table, reach)) return;
  const { name } = table.columns[position]!;
  throw invalid(`type of inherited column "${name}" must be changed in child tables too`);
}

export function checkDropExpression(
  command: Command,
  table: RelationDescriptor,
  reach: Reach,
): void {
  if (isAlone(command, table, reach)) {
    throw pgError(
      'feature_not_supported',
      'ALTER TABLE / DROP EXPRESSION must be applied to child tables too',
    );
  }
  if (!reach.named || table.partitionOf === null) return;
  throw invalid('cannot drop generation expression from inherited column');
}

export function checkRenameColumn(
  command: Command,
  table: RelationDescriptor,
  position: number,
  reach: Reach,
): void {
  refuseInheritedColumn(table, position, 'rename', reach);
  if (!isAlone(command, table, reach)) return;
  const { name } = table.columns[position]!;
  throw invalid(`inherited column "${name}" must be renamed in child tables too`);
}

function refuseInheritedColumn(
  table: RelationDescriptor,
  position: number,
  verb: string,
  reach: Reach,
): void {
  if (!reach.named || table.partitionOf === null) return;
  throw invalid(`cannot ${verb} inherited column "${table.columns[position]!.name}"`);
}

/** The column must be in no partition key, of the table or below it. */
function refuseKeyColumn(
  command: Command,
  table: RelationDescriptor,
  position: number,
  verb: string,
): void {
  const isKey = table.partitioning?.keys.some(({ column, expression }) =>
    expression === null
      ? column === position
      : columnsOf(expression.expr as Expr).includes(position),
  );
  const { name } = table.columns[position]!;
  if (isKey === true) {
    throw invalid(
      `cannot ${verb} column "${name}" because it is part of the partition key of relation "${table.name}"`,
    );
  }
  for (const partition of command.catalog.partitionsOf(table.oid)) {
    refuseKeyColumn(command, partition, columnPosition(partition.columns, name), verb);
  }
}

/** SET NOT NULL of a partitioned table alone is for partitions that have it. */
export function checkSetNotNull(
  command: Command,
  table: RelationDescriptor,
  column: string,
  reach: Reach,
): void {
  if (!isAlone(command, table, reach)) return;
  for (const partition of partitionsByAge(command, table.oid)) {
    const found = partition.columns.find(({ name, dropped }) => !dropped && name === column);
    if (found?.notNull !== false) continue;
    throw invalid('constraint must be added to child tables too', {
      detail: `Column "${column}" of relation "${partition.name}" is not already NOT NULL.`,
      ...ONLY_HINT,
    });
  }
}

export function checkDropNotNull(
  command: Command,
  table: RelationDescriptor,
  column: string,
  reach: Reach,
): void {
  if (isAlone(command, table, reach)) throw removedAlone();
  if (!reach.named || table.partitionOf === null) return;
  const parent = command.catalog.relationByOid(table.partitionOf.parent);
  const above = parent?.columns.find(({ name, dropped }) => !dropped && name === column);
  if (above?.notNull !== true) return;
  throw invalid(`column "${column}" is marked NOT NULL in parent table`);
}

function removedAlone(): PgError {
  return invalid(
    'cannot remove constraint from only the partitioned table when partitions exist',
    ONLY_HINT,
  );
}

export function checkAddCheck(command: Command, table: RelationDescriptor, reach: Reach): void {
  if (isAlone(command, table, reach)) {
    throw invalid('constraint must be added to child tables too');
  }
}

export function checkDropConstraint(
  command: Command,
  table: RelationDescriptor,
  constraint: ConstraintDescriptor,
  reach: Reach,
): void {
  if (reach.named && isInherited(command, table, constraint)) {
    throw invalid(
      `cannot drop inherited constraint "${constraint.name}" of relation "${table.name}"`,
    );
  }
  if (constraint.kind === 'check' && isAlone(command, table, reach)) throw removedAlone();
}

export function checkRenameConstraint(
  command: Command,
  table: RelationDescriptor,
  constraint: ConstraintDescriptor,
  reach: Reach,
): void {
  if (constraint.kind !== 'check') return;
  if (reach.named && isInherited(command, table, constraint)) {
    throw invalid(`cannot rename inherited constraint "${constraint.name}"`);
  }
  if (!isAlone(command, table, reach)) return;
  throw invalid(`inherited constraint "${constraint.name}" must be renamed in child tables too`);
}

/** Whether a partition has a constraint of its parent's. */
export function isInherited(
  command: Command,
  { partitionOf }: RelationDescriptor,
  { kind, name, parent = 0 }: ConstraintDescriptor,
): boolean {
  if (partitionOf === null) return false;
  if (kind !== 'check') return parent !== 0;
  const above = command.catalog.relationByOid(partitionOf.parent);
  return above?.constraints.some((other) => other.kind === 'check' && other.name === name) === true;
}
