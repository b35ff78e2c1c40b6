import type { AlterTableCmd, AlterTableStmt, Node } from '@pgsql/types';
import { assert } from '../../base/index.ts';
import type { RelationDescriptor } from '../../catalog/index.ts';
import {
  hasCondition,
  notSupported,
  PgError,
  pgError,
  withoutPosition,
} from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { addColumn } from './add-column.ts';
import { dropExpression, setDefault, setNotNull } from './alter-column.ts';
import { alterColumnTypes } from './alter-column-type.ts';
import {
  addConstraint,
  alterConstraint,
  dropConstraint,
  validateConstraint,
} from './alter-constraint.ts';
import { addIdentity, dropIdentity, setIdentity } from './alter-identity.ts';
import { setViewDefault, setViewOptions } from './alter-view.ts';
import { attachIndex } from './attach-index.ts';
import { attachPartition, detachPartition } from './attach-partition.ts';
import { type Command, writtenName } from './command.ts';
import { utilityTag } from './command-tags.ts';
import { dropColumn } from './drop-column.ts';
import type { UtilityExecution, UtilityPause } from './environment.ts';
import { columnPosition } from './keys.ts';
import { findIndex, findRelation, undefinedRelation } from './object-names.ts';
import { setOwner } from './owner.ts';
import type { Reach } from './partition-rules.ts';
import { lockPartitions } from './partition-scan.ts';
import { refusePendingEvents } from './referencing.ts';
import { changeRelation, currentRelation, isTable, partitionsByAge } from './relation-change.ts';
import { checkIndexOptions, refuseOptions, storageOptions } from './storage-options.ts';
import { refuseOthers } from './temporary.ts';

/** ALTER TABLE, and what of it ALTER INDEX, VIEW and SEQUENCE share: its actions one after the other. */
export function* alterTable(command: Command, statement: AlterTableStmt): UtilityExecution {
  const tag = utilityTag({ AlterTableStmt: statement });
  const { objtype = 'OBJECT_TABLE' } = statement;
  const name = statement.relation ?? {};
  if (objtype === 'OBJECT_INDEX') {
    yield* alterIndex(command, statement);
    return { tag };
  }
  const relation = yield* command.lockNamed(() => findRelation(command, name), lockMode(statement));
  if (relation === undefined) {
    if (statement.missing_ok !== true) throw undefinedRelation(command, name);
    command.environment.notice({
      message: `relation "${writtenName(name)}" does not exist, skipping`,
    });
    return { tag };
  }
  const wanted = KINDS[objtype];
  if (wanted !== undefined && wanted !== 'table' && relation.kind !== wanted) {
    throw pgError('wrong_object_type', `"${relation.name}" is not a ${wanted}`);
  }
  refuseOthers(command, relation, 'alter');
  refusePendingEvents(command, relation, 'ALTER TABLE');
  const reach = { named: true, descends: name.inh === true };
  if (reach.descends && (statement.cmds ?? []).some(reachesPartitions)) {
    yield* lockPartitions(command, relation, lockMode(statement));
  }
  for (const actions of inPasses(statement.cmds ?? [])) {
    const now = command.catalog.relationByOid(relation.oid);
    assert(now !== undefined, 'a locked relation stays');
    try {
      yield* alter(command, now, actions, reach);
    } catch (error) {
      throw placed(command, actions, error);
    }
    // What an action has written, the next one is to see.
    command.environment.nextCommand();
  }
  return { tag };
}

/** The actions in the order in which they are done: what is dropped goes first, then all types change
 * together, then come new columns and what may be about them. */
function inPasses(nodes: readonly Node[]): AlterTableCmd[][] {
  const actions = nodes.flatMap((node) => ('AlterTableCmd' in node ? [node.AlterTableCmd] : []));
  const steps = actions
    .filter((action) => action.subtype !== 'AT_AlterColumnType')
    .map((action) => [action]);
  const types = actions.filter((action) => action.subtype === 'AT_AlterColumnType');
  if (types.length > 0) steps.push(types);
  return steps.sort(([a], [b]) => passOf(a!) - passOf(b!));
}

const PASSES: Readonly<Record<string, number>> = {
  AT_DropConstraint: 0,
  AT_DropNotNull: 0,
  AT_DropIdentity: 0,
  AT_DropExpression: 0,
  AT_AlterColumnType: 1,
  AT_DropColumn: 2,
  AT_AddColumn: 3,
  AT_SetNotNull: 4,
  AT_AddConstraint: 5,
  AT_ColumnDefault: 6,
  AT_AddIdentity: 6,
};
const LAST_PASS = 7;

function passOf({ subtype, def }: AlterTableCmd): number {
  if (subtype === 'AT_ColumnDefault' && def === undefined) return 0;
  return PASSES[subtype ?? ''] ?? LAST_PASS;
}

/** PostgreSQL has the text of the statement no more when it runs its actions; it has it only for the type of
 * a new column, for USING and for the bound of a partition. */
function placed(command: Command, actions: readonly AlterTableCmd[], error: unknown): unknown {
  if (!(error instanceof PgError) || error.fields.position === undefined) return error;
  const { subtype } = actions[0]!;
  const ofType = actions.some(({ def }) => {
    const column = def !== undefined && 'ColumnDef' in def ? def.ColumnDef : {};
    return error.fields.position === command.position(column.typeName?.location).position;
  });
  const isKept =
    subtype === 'AT_AttachPartition' ||
    (subtype === 'AT_AddColumn' && (ofType || hasCondition(error, 'syntax_error'))) ||
    (subtype === 'AT_AlterColumnType' && !ofType);
  return isKept ? error : withoutPosition(error);
}

/** The lock that all actions together need. Rows can be read while a foreign key is added, and changed
 * while a constraint is validated; nobody may use the table during anything else. */
function lockMode({ cmds = [] }: AlterTableStmt): number {
  const modes = cmds.map((node) => {
    const { subtype, def }: AlterTableCmd = 'AlterTableCmd' in node ? node.AlterTableCmd : {};
    if (subtype === 'AT_ValidateConstraint' || subtype === 'AT_AttachPartition') {
      return TABLE_LOCK.shareUpdateExclusive;
    }
    const isForeign =
      subtype === 'AT_AddConstraint' &&
      def !== undefined &&
      'Constraint' in def &&
      def.Constraint.contype === 'CONSTR_FOREIGN';
    return isForeign ? TABLE_LOCK.shareRowExclusive : TABLE_LOCK.accessExclusive;
  });
  return Math.max(...modes);
}

const KINDS: Readonly<Record<string, RelationDescriptor['kind']>> = {
  OBJECT_TABLE: 'table',
  OBJECT_VIEW: 'view',
  OBJECT_SEQUENCE: 'sequence',
};

function* alter(
  command: Command,
  relation: RelationDescriptor,
  actions: readonly AlterTableCmd[],
  reach: Reach,
): Generator<UtilityPause, void, undefined> {
  const action = actions[0]!;
  if (action.subtype === 'AT_ChangeOwner') {
    setOwner(command, relation, action.newowner);
    return;
  }
  if (relation.kind === 'view' && alterView(command, relation, action)) return;
  if (!isTable(relation)) throw notOfTable(relation, action);
  yield* alterOne(command, relation, actions, reach);
}

/** False for what views have not. */
function alterView(command: Command, view: RelationDescriptor, action: AlterTableCmd): boolean {
  switch (action.subtype) {
    case 'AT_ColumnDefault':
      setViewDefault(command, view, action);
      return true;
    case 'AT_SetRelOptions':
    case 'AT_ResetRelOptions':
      setViewOptions(command, view, optionNodes(action), action.subtype === 'AT_ResetRelOptions');
      return true;
    default:
      return false;
  }
}

/** What is not about columns and constraints stays with the table. */
function reachesPartitions(node: Node): boolean {
  const { subtype }: AlterTableCmd = 'AlterTableCmd' in node ? node.AlterTableCmd : {};
  return /Column|Constraint|NotNull|Expression/.test(subtype ?? '');
}

/** Actions that each partition of a table gets as the table does. */
const DESCENDING: ReadonlySet<AlterTableCmd['subtype']> = new Set<AlterTableCmd['subtype']>([
  'AT_DropColumn',
  'AT_ColumnDefault',
  'AT_SetNotNull',
  'AT_DropNotNull',
  'AT_DropExpression',
  'AT_AlterColumnType',
]);

function* alterOne(
  command: Command,
  table: RelationDescriptor,
  actions: readonly AlterTableCmd[],
  reach: Reach,
): Generator<UtilityPause, void, undefined> {
  const action = actions[0]!;
  const isMissing =
    action.subtype === 'AT_DropColumn' && columnPosition(table.columns, action.name ?? '') < 0;
  yield* alterItself(command, table, actions, reach);
  if (!reach.descends || !DESCENDING.has(action.subtype) || isMissing) return;
  for (const { oid } of partitionsByAge(command, table.oid)) {
    const partition = currentRelation(command, oid);
    const below = { named: false, descends: true };
    if (partition !== undefined) yield* alterOne(command, partition, actions, below);
  }
}

function* alterItself(
  command: Command,
  table: RelationDescriptor,
  actions: readonly AlterTableCmd[],
  reach: Reach,
): Generator<UtilityPause, void, undefined> {
  const action = actions[0]!;
  switch (action.subtype) {
    case 'AT_AddColumn':
      return yield* addColumn(command, table, action, reach);
    case 'AT_DropColumn':
      return yield* dropColumn(command, table, action, reach);
    case 'AT_ColumnDefault':
      return setDefault(command, table, action);
    case 'AT_SetNotNull':
    case 'AT_DropNotNull':
      return yield* setNotNull(command, table, action, reach);
    case 'AT_AlterColumnType':
      return yield* alterColumnTypes(command, table, actions, reach);
    case 'AT_AttachPartition':
      return yield* attachPartition(command, table, action);
    case 'AT_DetachPartition':
      return yield* detachPartition(command, table, action);
    case 'AT_AddIdentity':
      return addIdentity(command, table, action);
    case 'AT_SetIdentity':
      return setIdentity(command, table, action);
    case 'AT_DropIdentity':
      return dropIdentity(command, table, action);
    case 'AT_DropExpression':
      return dropExpression(command, table, action, reach);
    case 'AT_AddConstraint':
      return yield* addConstraint(command, table, action, reach);
    case 'AT_DropConstraint':
      return yield* dropConstraint(command, table, action, reach);
    case 'AT_AlterConstraint':
      return alterConstraint(command, table, action);
    case 'AT_ValidateConstraint':
      return yield* validateConstraint(command, table, action, reach);
    case 'AT_SetRelOptions':
    case 'AT_ResetRelOptions': {
      const reset = action.subtype === 'AT_ResetRelOptions';
      if (table.kind === 'partitioned') refuseOptions(optionNodes(action));
      const options = storageOptions(table.options, optionNodes(action), reset);
      changeRelation(command, table, { options });
      return;
    }
    case 'AT_SetLogged':
    case 'AT_SetUnLogged':
      if (table.persistence === 't') throw temporaryLogging(table);
      if (action.subtype === 'AT_SetLogged') return;
      throw notSupported(`ALTER TABLE ... ${actionName(action)}`);
    case 'AT_DropOids':
      // No table has oids.
      return;
    default:
      throw notSupported(`ALTER TABLE ... ${actionName(action)}`);
  }
}

function temporaryLogging({ name }: RelationDescriptor) {
  return pgError(
    'invalid_table_definition',
    `cannot change logged status of table "${name}" because it is temporary`,
    { table: name },
  );
}

function optionNodes(action: AlterTableCmd): readonly Node[] {
  return action.def !== undefined && 'List' in action.def ? (action.def.List.items ?? []) : [];
}

/** An action as error messages name it. */
function actionName(action: AlterTableCmd): string {
  const { subtype = '' } = action;
  return (
    ACTIONS[subtype] ??
    subtype
      .slice('AT_'.length)
      .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
      .toUpperCase()
  );
}

const ACTIONS: Readonly<Record<string, string>> = {
  AT_ColumnDefault: 'ALTER COLUMN ... SET DEFAULT',
  AT_DropNotNull: 'ALTER COLUMN ... DROP NOT NULL',
  AT_SetNotNull: 'ALTER COLUMN ... SET NOT NULL',
  AT_DropExpression: 'ALTER COLUMN ... DROP EXPRESSION',
  AT_SetStatistics: 'ALTER COLUMN ... SET STATISTICS',
  AT_SetOptions: 'ALTER COLUMN ... SET',
  AT_ResetOptions: 'ALTER COLUMN ... RESET',
  AT_SetStorage: 'ALTER COLUMN ... SET STORAGE',
  AT_SetCompression: 'ALTER COLUMN ... SET COMPRESSION',
  AT_AlterColumnType: 'ALTER COLUMN ... SET DATA TYPE',
  AT_AddIdentity: 'ALTER COLUMN ... ADD IDENTITY',
  AT_SetIdentity: 'ALTER COLUMN ... SET',
  AT_DropIdentity: 'ALTER COLUMN ... DROP IDENTITY',
  AT_DropCluster: 'SET WITHOUT CLUSTER',
  AT_SetUnLogged: 'SET UNLOGGED',
  AT_SetRelOptions: 'SET',
  AT_ResetRelOptions: 'RESET',
  AT_AddInherit: 'INHERIT',
  AT_DropInherit: 'NO INHERIT',
  AT_AddOf: 'OF',
  AT_DropOf: 'NOT OF',
  AT_SetTableSpace: 'SET TABLESPACE',
  AT_EnableTrig: 'ENABLE TRIGGER',
  AT_EnableTrigAll: 'ENABLE TRIGGER ALL',
  AT_EnableTrigUser: 'ENABLE TRIGGER USER',
  AT_DisableTrig: 'DISABLE TRIGGER',
  AT_DisableTrigAll: 'DISABLE TRIGGER ALL',
  AT_DisableTrigUser: 'DISABLE TRIGGER USER',
};

function notOfTable(relation: RelationDescriptor, action: AlterTableCmd): PgError {
  const name = actionName(action);
  return pgError(
    'wrong_object_type',
    `ALTER action ${name} cannot be performed on relation "${relation.name}"`,
    { detail: `This operation is not supported for ${kindPlural(relation.kind)}.` },
  );
}

function kindPlural(kind: RelationDescriptor['kind']): string {
  return kind === 'partitioned' ? 'partitioned tables' : `${kind}s`;
}

/** ALTER INDEX … SET (…): the options tell how PostgreSQL would store an index, so they are checked
 * and have no effect. */
function* alterIndex(
  command: Command,
  statement: AlterTableStmt,
): Generator<UtilityPause, void, undefined> {
  const name = statement.relation ?? {};
  const table = yield* command.lockNamed(
    () => findIndex(command, name)?.table,
    TABLE_LOCK.shareUpdateExclusive,
  );
  if (table === undefined) {
    if (statement.missing_ok !== true) throw undefinedRelation(command, name);
    command.environment.notice({
      message: `relation "${writtenName(name)}" does not exist, skipping`,
    });
    return;
  }
  refuseOthers(command, table, 'alter');
  for (const node of statement.cmds ?? []) {
    const action = 'AlterTableCmd' in node ? node.AlterTableCmd : {};
    if (action.subtype === 'AT_AttachPartition') {
      yield* attachIndex(command, name, action);
      continue;
    }
    if (action.subtype !== 'AT_SetRelOptions' && action.subtype !== 'AT_ResetRelOptions') {
      throw notSupported(`ALTER INDEX ... ${actionName(action)}`);
    }
    checkIndexOptions(optionNodes(action), action.subtype === 'AT_ResetRelOptions');
  }
}
