import type { CommentStmt, Node } from '@pgsql/types';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { listItems, nameList, nodeString } from '../bind/syntax.ts';
import { withColumn } from './alter-column.ts';
import type { Command } from './command.ts';
import { objectName } from './command-tags.ts';
import { nameOf, rangeVarOf } from './drop.ts';
import type { UtilityExecution, UtilityPause } from './environment.ts';
import { columnPosition } from './keys.ts';
import { findIndex, findRelation, undefinedRelation, undefinedSchema } from './object-names.ts';
import { changeRelation, isTable } from './relation-change.ts';
import { changeType, lockNamedType, typeNames } from './user-types.ts';

/** COMMENT ON. A comment is kept in its object's descriptor, so that it lives as long as the object;
 * none, or an empty one, takes it away. */
export function* comment(command: Command, statement: CommentStmt): UtilityExecution {
  const text = statement.comment || null;
  switch (statement.objtype) {
    case 'OBJECT_TABLE':
    case 'OBJECT_VIEW':
    case 'OBJECT_SEQUENCE':
    case 'OBJECT_MATVIEW':
    case 'OBJECT_FOREIGN_TABLE':
      yield* commentRelation(command, statement, text);
      break;
    case 'OBJECT_INDEX':
      yield* commentIndex(command, statement, text);
      break;
    case 'OBJECT_COLUMN':
      yield* commentColumn(command, statement, text);
      break;
    case 'OBJECT_TABCONSTRAINT':
      yield* commentConstraint(command, statement, text);
      break;
    case 'OBJECT_TYPE':
      yield* commentType(command, typeNames(statement.object), text);
      break;
    case 'OBJECT_SCHEMA':
      yield* commentSchema(command, nodeString(statement.object) ?? '', text);
      break;
    case 'OBJECT_ROLE':
      commentRole(command, nodeString(statement.object) ?? '', text);
      break;
    case 'OBJECT_DATABASE':
      commentDatabase(command, nodeString(statement.object) ?? '', text);
      break;
    default:
      throw notSupported(`COMMENT ON ${objectName(statement.objtype)}`);
  }
  return { tag: 'COMMENT' };
}

/** What the kinds of relations are called, and which of them Heddle has. */
const RELATIONS: Readonly<
  Record<string, { readonly label: string; readonly kind: RelationDescriptor['kind'] | null }>
> = {
  OBJECT_TABLE: { label: 'a table', kind: 'table' },
  OBJECT_VIEW: { label: 'a view', kind: 'view' },
  OBJECT_SEQUENCE: { label: 'a sequence', kind: 'sequence' },
  OBJECT_MATVIEW: { label: 'a materialized view', kind: null },
  OBJECT_FOREIGN_TABLE: { label: 'a foreign table', kind: null },
};

function wrongKind(name: string, wanted: string) {
  return pgError('wrong_object_type', `"${name}" is not ${wanted}`);
}

function* commentRelation(
  command: Command,
  statement: CommentStmt,
  text: string | null,
): Generator<UtilityPause, void, undefined> {
  const name = nameOf(statement.object as Node);
  const { label, kind } = RELATIONS[statement.objtype ?? '']!;
  const relation = yield* command.lockNamed(
    () => findRelation(command, name),
    TABLE_LOCK.shareUpdateExclusive,
  );
  if (relation === undefined) {
    if (findIndex(command, name) !== undefined) throw wrongKind(name.relname ?? '', label);
    throw undefinedRelation(command, name);
  }
  const found = isTable(relation) ? 'table' : relation.kind;
  if (found !== kind) throw wrongKind(relation.name, label);
  changeRelation(command, relation, { comment: text });
}

/** An index is kept with its table, which is what has to hold still. */
function* commentIndex(
  command: Command,
  statement: CommentStmt,
  text: string | null,
): Generator<UtilityPause, void, undefined> {
  const name = nameOf(statement.object as Node);
  const find = () => findIndex(command, name);
  const table = yield* command.lockNamed(() => find()?.table, TABLE_LOCK.shareUpdateExclusive);
  const place = find();
  if (table === undefined || place === undefined) {
    if (findRelation(command, name) !== undefined) throw wrongKind(name.relname ?? '', 'an index');
    throw undefinedRelation(command, name);
  }
  const indexes = place.table.indexes.map((index) =>
    index.oid === place.index.oid ? { ...index, comment: text } : index,
  );
  changeRelation(command, place.table, { indexes });
}

function* commentColumn(
  command: Command,
  statement: CommentStmt,
  text: string | null,
): Generator<UtilityPause, void, undefined> {
  const names = nameList(listItems(statement.object));
  const column = names.at(-1) ?? '';
  if (names.length < 2) throw pgError('syntax_error', 'column name must be qualified');
  const name = rangeVarOf(names.slice(0, -1));
  const relation = yield* command.lockNamed(
    () => findRelation(command, name),
    TABLE_LOCK.shareUpdateExclusive,
  );
  if (relation === undefined) {
    if (findIndex(command, name) === undefined) throw undefinedRelation(command, name);
    throw noColumnComments(name.relname ?? '', 'indexes');
  }
  if (relation.kind === 'sequence') throw noColumnComments(relation.name, 'sequences');
  const position = columnPosition(relation.columns, column);
  if (position < 0) {
    throw pgError(
      'undefined_column',
      `column "${column}" of relation "${relation.name}" does not exist`,
    );
  }
  changeRelation(command, relation, {
    columns: withColumn(relation, position, { comment: text }),
  });
}

function noColumnComments(relation: string, kinds: string) {
  return pgError('wrong_object_type', `cannot set comment on relation "${relation}"`, {
    detail: `This operation is not supported for ${kinds}.`,
  });
}

function* commentConstraint(
  command: Command,
  statement: CommentStmt,
  text: string | null,
): Generator<UtilityPause, void, undefined> {
  const names = nameList(listItems(statement.object));
  const constraint = names.at(-1) ?? '';
  const name = rangeVarOf(names.slice(0, -1));
  const table = yield* command.lockNamed(
    () => findRelation(command, name),
    TABLE_LOCK.shareUpdateExclusive,
  );
  if (table === undefined) throw undefinedRelation(command, name);
  if (!table.constraints.some((other) => other.name === constraint)) {
    throw pgError(
      'undefined_object',
      `constraint "${constraint}" for table "${table.name}" does not exist`,
    );
  }
  const constraints = table.constraints.map((other) =>
    other.name === constraint ? { ...other, comment: text } : other,
  );
  changeRelation(command, table, { constraints });
}

function* commentType(
  command: Command,
  names: readonly string[],
  text: string | null,
): Generator<UtilityPause, void, undefined> {
  const found = yield* lockNamedType(command, names);
  if (found.kind !== 'enum') throw notSupported('a comment on this type');
  changeType(command, found.type, { comment: text });
}

function* commentSchema(
  command: Command,
  name: string,
  text: string | null,
): Generator<UtilityPause, void, undefined> {
  yield* command.claimName(0, name);
  const schema = command.catalog.schemaByName(name);
  if (schema === undefined) throw undefinedSchema(name);
  const descriptor = { ...schema, comment: text };
  command.environment.change({ kind: 'schema', oid: schema.oid, descriptor });
}

function commentRole(command: Command, name: string, text: string | null): void {
  const role = command.catalog.roleByName(name);
  if (role === undefined) throw pgError('undefined_object', `role "${name}" does not exist`);
  const descriptor = { ...role, comment: text };
  command.environment.change({ kind: 'role', oid: role.oid, descriptor });
}

/** A database that is not there is no error, so that a dump can be restored under another name. */
function commentDatabase(command: Command, name: string, text: string | null): void {
  const database = command.catalog.databaseByName(name);
  if (database === undefined) {
    const message = `database "${name}" does not exist`;
    command.environment.notice({ severity: 'WARNING', sqlstate: '3D000', message });
    return;
  }
  const descriptor = { ...database, comment: text };
  command.environment.change({ kind: 'database', oid: database.oid, descriptor });
}
