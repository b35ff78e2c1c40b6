import type { Node } from '@pgsql/types';
import type { RelationDescriptor, TypeDescriptor } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { formatType } from '../../types/index.ts';
import type { Command } from './command.ts';
import { dependentObjects, describe, noticeCascade } from './dependencies.ts';
import { dropRelations } from './drop.ts';
import { removeColumn } from './drop-column.ts';
import type { UtilityPause } from './environment.ts';
import { namedSchema } from './object-names.ts';
import { dropForeignKey, referrersOf } from './referencing.ts';
import { changeRelation, currentRelation } from './relation-change.ts';
import { dropIndexTree } from './rewrite-table.ts';
import { describeUser, droppedWhole, type ObjectUser, typeUsers, userLines } from './type-users.ts';
import {
  describedName,
  findNamedType,
  lockNamedType,
  typeNames,
  undefinedType,
  visibleTypeName,
} from './user-types.ts';

/** DROP TYPE. */
export function* dropNamedTypes(
  command: Command,
  objects: readonly Node[],
  ifExists: boolean,
  cascade: boolean,
): Generator<UtilityPause, void, undefined> {
  const types: TypeDescriptor[] = [];
  for (const object of objects) {
    const names = typeNames(object);
    if (ifExists && isMissing(command, names)) continue;
    const type = yield* lockForDrop(command, names);
    if (!types.some((other) => other.oid === type.oid)) types.push(type);
  }
  yield* dropTypes(command, types, cascade);
}

/** Says that there is no such type, where there may be none. */
function isMissing(command: Command, names: readonly string[]): boolean {
  const schema = names.length > 1 ? names.at(-2) : undefined;
  const hasSchema = schema === undefined || namedSchema(command, schema) !== undefined;
  if (hasSchema && findNamedType(command, names) !== undefined) return false;
  const what = hasSchema ? `type "${names.join('.')}"` : `schema "${schema}"`;
  command.environment.notice({ message: `${what} does not exist, skipping` });
  return true;
}

function* lockForDrop(
  command: Command,
  names: readonly string[],
): Generator<UtilityPause, TypeDescriptor, undefined> {
  const found = yield* lockNamedType(command, names);
  switch (found.kind) {
    case 'enum':
      return found.type;
    case 'builtin':
      throw pgError(
        'dependent_objects_still_exist',
        `cannot drop type ${formatType(found.oid)} because it is required by the database system`,
      );
    case 'array': {
      const name = `type ${visibleTypeName(command, found.type)}`;
      throw required(`${name}[]`, name);
    }
    case 'row': {
      const relation = describe(command, found.relation);
      throw required(`type ${describedName(command, found)}`, relation);
    }
    default:
      throw undefinedType(names);
  }
}

function required(target: string, by: string) {
  return pgError(
    'dependent_objects_still_exist',
    `cannot drop ${target} because ${by} requires it`,
    { hint: `You can drop ${by} instead.` },
  );
}

/** Drops types, with what uses them or not at all. With `reported`, the notice is left to the caller. */
export function* dropTypes(
  command: Command,
  types: readonly TypeDescriptor[],
  cascade: boolean,
  reported: string[] | null = null,
): Generator<UtilityPause, void, undefined> {
  const users = typeUsers(command, types);
  if (users.length > 0 && !cascade) {
    const [only] = types;
    const target = types.length === 1 ? `type ${visibleTypeName(command, only!)}` : null;
    throw dependentObjects(target, userLines(command, users));
  }
  const descriptions = users.map(({ user }) => describeUser(command, user));
  if (reported === null) noticeCascade(command, descriptions);
  else reported.push(...descriptions);
  yield* removeUsers(
    command,
    users.map(({ user }) => user),
  );
  for (const { oid } of types) command.environment.change({ kind: 'type', oid, descriptor: null });
}

/** Views and whole tables go first, so that no view reads a column that goes. */
function* removeUsers(
  command: Command,
  users: readonly ObjectUser[],
): Generator<UtilityPause, void, undefined> {
  for (const { relation } of users) yield* command.lock(relation, TABLE_LOCK.accessExclusive);
  yield* dropRelations(command, droppedWhole(users), true, []);
  for (const user of users) {
    const table = currentRelation(command, user.relation.oid);
    if (table !== undefined) yield* removeUser(command, user, table);
  }
}

function* removeUser(
  command: Command,
  user: ObjectUser,
  table: RelationDescriptor,
): Generator<UtilityPause, void, undefined> {
  switch (user.kind) {
    case 'relation':
      return;
    case 'column':
      for (const referrer of referrersOf(command, table)) {
        if (!referrer.constraint.foreign!.columns.includes(user.column)) continue;
        yield* dropForeignKey(command, referrer);
      }
      yield* removeColumn(command, currentRelation(command, table.oid) ?? table, user.column);
      return;
    case 'default': {
      const columns = table.columns.map((column, i) =>
        i === user.column ? { ...column, default: null } : column,
      );
      changeRelation(command, table, { columns });
      return;
    }
    case 'constraint': {
      const constraints = table.constraints.filter(({ oid }) => oid !== user.constraint.oid);
      changeRelation(command, table, { constraints });
      return;
    }
    case 'index':
      dropIndexTree(command, user.index);
      changeRelation(command, table, {
        indexes: table.indexes.filter(({ oid }) => oid !== user.index.oid),
      });
  }
}
