import type { AlterObjectSchemaStmt, AlterOwnerStmt, RenameStmt } from '@pgsql/types';
import type { TypeDescriptor } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import type { Command } from './command.ts';
import type { UtilityPause } from './environment.ts';
import { undefinedSchema } from './object-names.ts';
import { roleOf } from './owner.ts';
import { refuseTemporary } from './rename.ts';
import { refreshTexts, retargetTypes } from './type-texts.ts';
import {
  arrayName,
  changeType,
  describedName,
  duplicateType,
  freeTypeName,
  lockNamedType,
  typeNames,
} from './user-types.ts';

/** ALTER TYPE … RENAME TO. */
export function* renameUserType(
  command: Command,
  statement: RenameStmt,
): Generator<UtilityPause, void, undefined> {
  const type = yield* alterable(command, typeNames(statement.object));
  const name = statement.newname ?? '';
  yield* command.claimName(type.schema, name);
  freeTypeName(command, type.schema, name);
  refuseRelation(command, type.schema, name);
  const present = command.catalog.typeByOid(type.oid) ?? type;
  yield* changePlace(command, present, {
    name,
    arrayName: arrayName(command.catalog, type.schema, name),
  });
}

/** ALTER TYPE … SET SCHEMA. */
export function* moveType(
  command: Command,
  statement: AlterObjectSchemaStmt,
): Generator<UtilityPause, void, undefined> {
  const type = yield* alterable(command, typeNames(statement.object));
  const schemaName = statement.newschema ?? '';
  refuseTemporary(command, schemaName, type.schema);
  const schema = command.catalog.schemaByName(schemaName);
  if (schema === undefined) throw undefinedSchema(schemaName);
  if (schema.oid === type.schema) return;
  yield* command.claimName(schema.oid, type.name);
  for (const name of [type.name, type.arrayName]) {
    const isTaken =
      command.catalog.typeOidByName(schema.oid, name) !== undefined ||
      (command.catalog.relationByName(schema.oid, name)?.rowType ?? 0) !== 0;
    if (!isTaken) continue;
    throw pgError('duplicate_object', `type "${name}" already exists in schema "${schemaName}"`);
  }
  yield* changePlace(command, type, { schema: schema.oid });
}

/** ALTER TYPE … OWNER TO. */
export function* setTypeOwner(
  command: Command,
  statement: AlterOwnerStmt,
): Generator<UtilityPause, void, undefined> {
  const type = yield* alterable(command, typeNames(statement.object));
  changeType(command, type, { owner: roleOf(command, statement.newowner).oid });
}

/** A type that may be renamed or moved by itself. */
function* alterable(
  command: Command,
  names: readonly string[],
): Generator<UtilityPause, TypeDescriptor, undefined> {
  const found = yield* lockNamedType(command, names);
  const name = describedName(command, found);
  switch (found.kind) {
    case 'enum':
      return found.type;
    case 'array': {
      const element = describedName(command, { kind: 'enum', type: found.type });
      throw pgError('wrong_object_type', `cannot alter array type ${name}`, {
        hint: `You can alter type ${element}, which will alter the array type as well.`,
      });
    }
    case 'row':
      throw pgError('wrong_object_type', `${name} is a table's row type`, {
        hint: 'Use ALTER TABLE instead.',
      });
    case 'builtin':
      throw pgError('insufficient_privilege', `must be owner of type ${name}`);
  }
}

function refuseRelation(command: Command, schema: number, name: string): void {
  if ((command.catalog.relationByName(schema, name)?.rowType ?? 0) !== 0) throw duplicateType(name);
}

/** Gives a type another name or schema; what names it does so by the new one. */
function* changePlace(
  command: Command,
  type: TypeDescriptor,
  changes: Partial<TypeDescriptor>,
): Generator<UtilityPause, void, undefined> {
  const changed = changeType(command, type, changes);
  const place = (of: TypeDescriptor, name: string) => ({
    schema: command.catalog.schemaByOid(of.schema)?.name ?? '',
    name,
  });
  yield* retargetTypes(command, [
    { from: place(type, type.name), to: place(changed, changed.name) },
    { from: place(type, type.arrayName), to: place(changed, changed.arrayName) },
  ]);
  yield* refreshTexts(command, changed);
}
