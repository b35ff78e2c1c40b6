import type { AlterSeqStmt, CreateSeqStmt, Node } from '@pgsql/types';
import type { RelationDescriptor, SequenceOptions } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { OID } from '../../types/index.ts';
import { type Command, writtenName } from './command.ts';
import { skipExisting } from './create-table.ts';
import { rangeVarOf } from './drop.ts';
import type { UtilityExecution } from './environment.ts';
import { columnPosition } from './keys.ts';
import { creationPlace, findRelation, undefinedRelation } from './object-names.ts';
import { changeRelation, isTable } from './relation-change.ts';
import { resolveSequenceOptions } from './sequence-options.ts';
import { addSequence } from './sequence-relation.ts';
import { refuseOthers } from './temporary.ts';

/** CREATE SEQUENCE. */
export function* createSequence(command: Command, statement: CreateSeqStmt): UtilityExecution {
  const tag = 'CREATE SEQUENCE';
  const name = statement.sequence ?? {};
  const { schema, persistence } = creationPlace(command, name, 'sequences');
  const sequenceName = name.relname ?? '';
  yield* command.claimName(schema.oid, sequenceName);
  if (skipExisting(command, schema, sequenceName, statement.if_not_exists === true)) return { tag };
  const resolved = resolveSequenceOptions(command, statement.options ?? [], null, OID.int8);
  const place = { schema: schema.oid, persistence };
  const sequence = addSequence(command, sequenceName, place, resolved, null);
  setSequenceOwner(command, sequence, resolved.ownedBy);
  return { tag };
}

/** ALTER SEQUENCE. */
export function* alterSequence(command: Command, statement: AlterSeqStmt): UtilityExecution {
  const tag = 'ALTER SEQUENCE';
  const name = statement.sequence ?? {};
  const sequence = yield* command.lockNamed(
    () => findRelation(command, name),
    TABLE_LOCK.shareRowExclusive,
  );
  if (sequence === undefined) {
    if (statement.missing_ok !== true) throw undefinedRelation(command, name);
    command.environment.notice({
      message: `relation "${writtenName(name)}" does not exist, skipping`,
    });
    return { tag };
  }
  if (sequence.kind !== 'sequence') {
    throw pgError('wrong_object_type', `"${sequence.name}" is not a sequence`);
  }
  refuseOthers(command, sequence, 'access');
  alterSequenceOptions(command, sequence, statement.options ?? []);
  return { tag };
}

/** Applies options to a sequence. */
export function alterSequenceOptions(
  command: Command,
  sequence: RelationDescriptor,
  nodes: readonly Node[],
): void {
  const options = sequence.sequence as SequenceOptions;
  const value = command.environment.sequenceValue(sequence.oid);
  const resolved = resolveSequenceOptions(command, nodes, { options, value }, options.type);
  const changed = changeRelation(command, sequence, { sequence: resolved.options });
  command.environment.setSequence(sequence.oid, resolved.value);
  setSequenceOwner(command, changed, resolved.ownedBy);
}

/** OWNED BY. */
function setSequenceOwner(
  command: Command,
  sequence: RelationDescriptor,
  ownedBy: readonly string[] | null,
): void {
  if (ownedBy === null) return;
  refuseIdentity(command, sequence);
  let ownerTable = 0;
  let ownerColumn = 0;
  if (ownedBy.length === 1) {
    if (ownedBy[0] !== 'none') {
      throw pgError('syntax_error', 'invalid OWNED BY option', {
        hint: 'Specify OWNED BY table.column or OWNED BY NONE.',
      });
    }
  } else {
    const name = rangeVarOf(ownedBy.slice(0, -1));
    const table = findRelation(command, name);
    if (table === undefined) throw undefinedRelation(command, name);
    if (!isTable(table)) {
      throw pgError('wrong_object_type', `sequence cannot be owned by relation "${table.name}"`, {
        detail: `This operation is not supported for ${table.kind}s.`,
      });
    }
    if (table.schema !== sequence.schema) {
      throw pgError(
        'object_not_in_prerequisite_state',
        'sequence must be in same schema as table it is linked to',
      );
    }
    const column = ownedBy.at(-1) ?? '';
    ownerColumn = columnPosition(table.columns, column);
    if (ownerColumn < 0) {
      throw pgError(
        'undefined_column',
        `column "${column}" of relation "${table.name}" does not exist`,
      );
    }
    ownerTable = table.oid;
  }
  const options = sequence.sequence as SequenceOptions;
  changeRelation(command, sequence, { sequence: { ...options, ownerTable, ownerColumn } });
}

/** The owner of an identity column's sequence is fixed. */
function refuseIdentity(command: Command, sequence: RelationDescriptor): void {
  const { ownerTable, ownerColumn } = sequence.sequence as SequenceOptions;
  const table = command.catalog.relationByOid(ownerTable);
  const column = table?.columns[ownerColumn];
  if (column === undefined || column.identity === '' || column.sequence !== sequence.oid) return;
  throw pgError('feature_not_supported', 'cannot change ownership of identity sequence', {
    detail: `Sequence "${sequence.name}" is linked to table "${table?.name}".`,
  });
}
