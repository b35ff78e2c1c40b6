import type { LockStmt } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import type { Command } from './command.ts';
import type { UtilityExecution } from './environment.ts';
import { findIndex, findRelation, undefinedRelation } from './object-names.ts';
import { lockPartitions } from './partition-scan.ts';

/** LOCK TABLE. The tree counts modes from 1, ACCESS SHARE, on. */
export function* lockTables(command: Command, statement: LockStmt): UtilityExecution {
  if (!command.environment.inBlock) {
    throw pgError('no_active_sql_transaction', 'LOCK TABLE can only be used in transaction blocks');
  }
  const mode = (statement.mode ?? 8) - 1;
  for (const node of statement.relations ?? []) {
    if (!('RangeVar' in node)) continue;
    const name = node.RangeVar;
    const find = () => {
      const found = findRelation(command, name);
      const isIndex = found === undefined && findIndex(command, name) !== undefined;
      if (!isIndex && found?.kind !== 'sequence') return found;
      throw pgError('wrong_object_type', `cannot lock relation "${name.relname}"`, {
        detail: `This operation is not supported for ${isIndex ? 'indexes' : 'sequences'}.`,
      });
    };
    const locked = yield* command.lockNamed(find, mode, statement.nowait === true);
    if (locked === undefined) throw undefinedRelation(command, name);
    if (name.inh === true) yield* lockPartitions(command, locked, mode, statement.nowait === true);
  }
  return { tag: 'LOCK TABLE' };
}
