import type { AlterTableCmd, AlterTableStmt } from '@pgsql/types';
import { assert } from '../../base/index.ts';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { addConstraint } from './alter-constraint.ts';
import { type Command, writtenName } from './command.ts';
import type { UtilityExecution, UtilityPause } from './environment.ts';
import { findRelation, undefinedRelation } from './object-names.ts';

/** ALTER TABLE: its actions one after the other. */
export function* alterTable(command: Command, statement: AlterTableStmt): UtilityExecution {
  const tag = 'ALTER TABLE';
  const name = statement.relation ?? {};
  const relation = yield* command.lockNamed(
    () => findRelation(command, name),
    TABLE_LOCK.accessExclusive,
  );
  if (relation === undefined) {
    if (statement.missing_ok !== true) throw undefinedRelation(command, name);
    command.environment.notice({
      message: `relation "${writtenName(name)}" does not exist, skipping`,
    });
    return { tag };
  }
  for (const node of statement.cmds ?? []) {
    if (!('AlterTableCmd' in node)) continue;
    const table = command.catalog.relationByOid(relation.oid);
    assert(table !== undefined, 'a locked table stays');
    yield* alter(command, table, node.AlterTableCmd);
    command.environment.nextCommand();
  }
  return { tag };
}

function* alter(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
): Generator<UtilityPause, void, undefined> {
  if (table.kind !== 'table') {
    throw pgError('wrong_object_type', `"${table.name}" is not a table`);
  }
  switch (action.subtype) {
    case 'AT_AddConstraint':
      yield* addConstraint(command, table, action);
      return;
    default:
      throw notSupported(`ALTER TABLE ${action.subtype}`);
  }
}
