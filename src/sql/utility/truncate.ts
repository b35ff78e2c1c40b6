import type { TruncateStmt } from '@pgsql/types';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import type { Command } from './command.ts';
import { ownedSequences } from './drop.ts';
import type { UtilityExecution, UtilityPause } from './environment.ts';
import { findIndex, findRelation, undefinedRelation } from './object-names.ts';
import { refusePendingEvents } from './referencing.ts';
import { changeRelation, currentRelation } from './relation-change.ts';
import { dropTrees, withNewTrees } from './rewrite-table.ts';

/** TRUNCATE: every table gets new, empty trees. */
export function* truncate(command: Command, statement: TruncateStmt): UtilityExecution {
  const tables = new Map<number, RelationDescriptor>();
  for (const node of statement.relations ?? []) {
    if (!('RangeVar' in node)) continue;
    const name = node.RangeVar;
    const table = yield* command.lockNamed(() => {
      const found = findRelation(command, name);
      const isIndex = found === undefined && findIndex(command, name) !== undefined;
      if (isIndex || (found !== undefined && found.kind !== 'table')) {
        throw pgError('wrong_object_type', `"${name.relname}" is not a table`);
      }
      return found;
    }, TABLE_LOCK.accessExclusive);
    if (table === undefined) throw undefinedRelation(command, name);
    tables.set(table.oid, table);
  }
  if (statement.behavior === 'DROP_CASCADE') yield* addReferring(command, tables);
  else refuseReferring(command, tables);
  for (const table of tables.values()) refusePendingEvents(command, table, 'TRUNCATE');
  for (const table of tables.values()) {
    emptyTable(command, table);
    if (statement.restart_seqs !== true) continue;
    for (const { oid, sequence } of ownedSequences(command, table)) {
      if (sequence === null) continue;
      command.environment.setSequence(oid, { last: sequence.start, isCalled: false });
    }
  }
  return { tag: 'TRUNCATE TABLE' };
}

/** CASCADE: the tables with foreign keys to those that are emptied are emptied too. */
function* addReferring(
  command: Command,
  tables: Map<number, RelationDescriptor>,
): Generator<UtilityPause, void, undefined> {
  // What is added while the tables are gone through is gone through too.
  for (const oid of tables.keys()) {
    for (const { table } of command.catalog.referencing(oid)) {
      if (tables.has(table)) continue;
      const { name } = command.catalog.relationByOid(table)!;
      yield* command.lock({ oid: table, name }, TABLE_LOCK.accessExclusive);
      const now = currentRelation(command, table);
      if (now === undefined) continue;
      command.environment.notice({ message: `truncate cascades to table "${name}"` });
      tables.set(table, now);
    }
  }
}

function refuseReferring(command: Command, tables: ReadonlyMap<number, RelationDescriptor>): void {
  for (const parent of tables.values()) {
    for (const { table } of command.catalog.referencing(parent.oid)) {
      if (tables.has(table)) continue;
      const child = command.catalog.relationByOid(table)?.name;
      throw pgError(
        'feature_not_supported',
        'cannot truncate a table referenced in a foreign key constraint',
        {
          detail: `Table "${child}" references "${parent.name}".`,
          hint: `Truncate table "${child}" at the same time, or use TRUNCATE ... CASCADE.`,
        },
      );
    }
  }
}

function emptyTable(command: Command, table: RelationDescriptor): void {
  const { tree, indexes } = withNewTrees(command, table);
  dropTrees(command, table);
  changeRelation(command, table, { tree, indexes });
}
