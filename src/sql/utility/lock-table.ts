import type { LockStmt } from '@pgsql/types';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import type { Command } from './command.ts';
import type { UtilityExecution, UtilityPause } from './environment.ts';
import { findIndex, findRelation, undefinedRelation } from './object-names.ts';
import { lockPartitions } from './partition-scan.ts';
import { viewInputs } from './view-dependencies.ts';

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
    const nowait = statement.nowait === true;
    if (locked.kind === 'view') yield* lockInputs(command, locked, mode, nowait);
    else if (name.inh === true) yield* lockPartitions(command, locked, mode, nowait);
  }
  return { tag: 'LOCK TABLE' };
}

/** Locks what a view reads, at any depth. */
function* lockInputs(
  command: Command,
  view: RelationDescriptor,
  mode: number,
  nowait: boolean,
): Generator<UtilityPause, void, undefined> {
  for (const { relation, only } of viewInputs(command, view)) {
    yield* command.lock(relation, mode, nowait);
    if (relation.kind === 'view') yield* lockInputs(command, relation, mode, nowait);
    else if (!only) yield* lockPartitions(command, relation, mode, nowait);
  }
}
