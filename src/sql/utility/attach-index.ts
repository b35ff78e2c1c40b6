import type { AlterTableCmd, RangeVar } from '@pgsql/types';
import { type PgError, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import type { Command } from './command.ts';
import type { UtilityPause } from './environment.ts';
import { findIndex, findRelation, type IndexPlace, undefinedRelation } from './object-names.ts';
import { attachPart, partOf, sameIndex } from './partition-indexes.ts';

/** ALTER INDEX … ATTACH PARTITION: an index of a partition becomes the part of an index of its parent. */
export function* attachIndex(
  command: Command,
  name: RangeVar,
  { def }: AlterTableCmd,
): Generator<UtilityPause, void, undefined> {
  const above = findIndex(command, name)!;
  if (above.table.kind !== 'partitioned') {
    throw pgError(
      'wrong_object_type',
      `ALTER action ATTACH PARTITION cannot be performed on relation "${above.index.name}"`,
      { detail: 'This operation is not supported for indexes.' },
    );
  }
  const partName = def !== undefined && 'PartitionCmd' in def ? (def.PartitionCmd.name ?? {}) : {};
  const table = yield* command.lockNamed(
    () => findIndex(command, partName)?.table,
    TABLE_LOCK.shareUpdateExclusive,
  );
  const part = findIndex(command, partName);
  if (table === undefined || part === undefined) {
    if (findRelation(command, partName) === undefined) throw undefinedRelation(command, partName);
    throw pgError('wrong_object_type', `"${partName.relname}" is not an index`);
  }
  if (part.index.parent === above.index.oid) return;
  checkPart(command, above, part);
  attachPart(command, above.table, above.index, part.table, part.index);
}

function checkPart(command: Command, above: IndexPlace, part: IndexPlace): void {
  const refuse = (condition: Parameters<typeof pgError>[0], detail: string): PgError =>
    pgError(
      condition,
      `cannot attach index "${part.index.name}" as a partition of index "${above.index.name}"`,
      { detail },
    );
  if (part.table.indexes.some(({ parent }) => parent === above.index.oid)) {
    throw refuse(
      'object_not_in_prerequisite_state',
      `Another index is already attached for partition "${part.table.name}".`,
    );
  }
  if ((part.index.parent ?? 0) !== 0) {
    throw refuse(
      'object_not_in_prerequisite_state',
      `Index "${part.index.name}" is already attached to another index.`,
    );
  }
  if (part.table.partitionOf?.parent !== above.table.oid) {
    throw refuse(
      'object_not_in_prerequisite_state',
      `Index "${part.index.name}" is not an index on any partition of table "${above.table.name}".`,
    );
  }
  if (!sameIndex(part.index, partOf(command, above.table, above.index, part.table))) {
    throw refuse('invalid_object_definition', 'The index definitions do not match.');
  }
  if (above.index.constraint !== 0 && part.index.constraint === 0) {
    throw refuse(
      'invalid_object_definition',
      `The index "${above.index.name}" belongs to a constraint in table "${above.table.name}" but no constraint exists for index "${part.index.name}".`,
    );
  }
}
