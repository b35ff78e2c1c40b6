import type { TruncateStmt } from '@pgsql/types';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import type { Command } from './command.ts';
import { ownedSequences } from './drop.ts';
import type { UtilityExecution } from './environment.ts';
import { findIndex, findRelation, undefinedRelation } from './object-names.ts';
import { changeRelation } from './relation-change.ts';
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

function emptyTable(command: Command, table: RelationDescriptor): void {
  const { tree, indexes } = withNewTrees(command, table);
  dropTrees(command, table);
  changeRelation(command, table, { tree, indexes });
}
