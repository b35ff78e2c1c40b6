import type { AlterTableCmd, Node } from '@pgsql/types';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { requireColumn, withColumn } from './alter-column.ts';
import { alterSequenceOptions } from './alter-sequence.ts';
import type { Command } from './command.ts';
import { changeRelation } from './relation-change.ts';
import { addOwnedSequence } from './sequence-relation.ts';
import { checkIdentityType } from './table-elements.ts';

/** ALTER COLUMN … ADD GENERATED … AS IDENTITY. */
export function addIdentity(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
): void {
  const { def } = action;
  if (def === undefined || !('Constraint' in def)) throw notSupported('this identity');
  const position = requireColumn(table, action.name);
  const column = table.columns[position]!;
  checkIdentityType(column.type);
  const where = `column "${column.name}" of relation "${table.name}"`;
  if (!column.notNull) {
    throw pgError(
      'object_not_in_prerequisite_state',
      `${where} must be declared NOT NULL before identity can be added`,
    );
  }
  if (column.identity !== '') {
    throw pgError('object_not_in_prerequisite_state', `${where} is already an identity column`);
  }
  if (column.default !== null) {
    throw pgError('object_not_in_prerequisite_state', `${where} already has a default value`);
  }
  const identity = def.Constraint.generated_when === 'd' ? 'd' : 'a';
  const { name, type, typmod } = column;
  const sequence = addOwnedSequence(
    command,
    table,
    {
      name,
      type,
      typmod,
      notNull: true,
      default: null,
      identity,
      sequenceOptions: def.Constraint.options ?? [],
    },
    position,
  );
  const columns = withColumn(table, position, { identity, sequence: sequence.oid });
  changeRelation(command, table, { columns });
}

/** ALTER COLUMN … SET GENERATED, SET and RESTART of the sequence. */
export function setIdentity(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
): void {
  const position = requireColumn(table, action.name);
  const column = table.columns[position]!;
  if (column.identity === '') throw notIdentity(table, column.name);
  const nodes =
    action.def !== undefined && 'List' in action.def ? (action.def.List.items ?? []) : [];
  const generated = nodes.find((node) => isGenerated(node));
  const sequence = command.catalog.relationByOid(column.sequence);
  const options = nodes.filter((node) => !isGenerated(node));
  if (sequence !== undefined && options.length > 0) {
    alterSequenceOptions(command, sequence, options);
  }
  if (generated === undefined || !('DefElem' in generated)) return;
  const { arg } = generated.DefElem;
  const code = arg !== undefined && 'Integer' in arg ? (arg.Integer.ival ?? 0) : 0;
  const identity = String.fromCharCode(code) === 'd' ? 'd' : 'a';
  changeRelation(command, table, { columns: withColumn(table, position, { identity }) });
}

function isGenerated(node: Node): boolean {
  return 'DefElem' in node && node.DefElem.defname === 'generated';
}

/** ALTER COLUMN … DROP IDENTITY. */
export function dropIdentity(
  command: Command,
  table: RelationDescriptor,
  action: AlterTableCmd,
): void {
  const position = requireColumn(table, action.name);
  const column = table.columns[position]!;
  if (column.identity === '') {
    if (action.missing_ok !== true) throw notIdentity(table, column.name);
    command.environment.notice({
      message: `column "${column.name}" of relation "${table.name}" is not an identity column, skipping`,
    });
    return;
  }
  changeRelation(command, table, {
    columns: withColumn(table, position, { identity: '', sequence: 0 }),
  });
  const oid = column.sequence;
  command.environment.change({ kind: 'relation', oid, descriptor: null });
  command.environment.setSequence(oid, null);
}

function notIdentity(table: RelationDescriptor, column: string) {
  return pgError(
    'object_not_in_prerequisite_state',
    `column "${column}" of relation "${table.name}" is not an identity column`,
  );
}
