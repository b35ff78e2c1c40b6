import type { AlterObjectSchemaStmt, AlterOwnerStmt, RenameStmt } from '@pgsql/types';
import {
  type ConstraintDescriptor,
  isTemporaryName,
  OWN_TEMPORARY_SCHEMA,
  type Partitioning,
  type RelationDescriptor,
  type SchemaDescriptor,
} from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { nodeString } from '../bind/syntax.ts';
import { withColumn } from './alter-column.ts';
import { type Command, writtenName } from './command.ts';
import { utilityTag } from './command-tags.ts';
import { duplicateConstraint } from './constraint-names.ts';
import { dependentsOf } from './dependencies.ts';
import { ownedSequences } from './drop.ts';
import type { UtilityExecution, UtilityPause } from './environment.ts';
import { columnPosition, servingIndex } from './keys.ts';
import {
  checkNameFree,
  findIndex,
  findRelation,
  undefinedRelation,
  undefinedSchema,
} from './object-names.ts';
import { roleOf } from './owner.ts';
import { checkRenameColumn, checkRenameConstraint } from './partition-rules.ts';
import { lockPartitions } from './partition-scan.ts';
import { changeRelation, partitionsByAge } from './relation-change.ts';
import { moveType, renameUserType, setTypeOwner } from './rename-type.ts';
import { SYSTEM_COLUMNS } from './table-elements.ts';
import { freshIndexes } from './type-texts.ts';
import { freeTypeName } from './user-types.ts';
import { refuseCapture, viewsReading } from './view-dependencies.ts';
import { type RelationName, renameRelations } from './view-text.ts';

/** ALTER … RENAME. */
export function* rename(command: Command, statement: RenameStmt): UtilityExecution {
  const tag = utilityTag({ RenameStmt: statement });
  const { renameType } = statement;
  switch (renameType) {
    case 'OBJECT_TABLE':
    case 'OBJECT_VIEW':
    case 'OBJECT_SEQUENCE':
    case 'OBJECT_INDEX':
      yield* renameRelation(command, statement);
      break;
    case 'OBJECT_COLUMN':
      yield* renameColumn(command, statement);
      break;
    case 'OBJECT_TABCONSTRAINT':
      yield* renameConstraint(command, statement);
      break;
    case 'OBJECT_SCHEMA':
      yield* renameSchema(command, statement);
      break;
    case 'OBJECT_TYPE':
      yield* renameUserType(command, statement);
      break;
    default:
      throw notSupported(tag);
  }
  return { tag };
}

/** Finds and locks what is to be renamed; undefined, with a notice, when it may be missing. */
function* target(
  command: Command,
  statement: RenameStmt | AlterObjectSchemaStmt,
): Generator<UtilityPause, RelationDescriptor | undefined, undefined> {
  const name = statement.relation ?? {};
  const found = yield* command.lockNamed(
    () => findRelation(command, name),
    TABLE_LOCK.accessExclusive,
  );
  if (found !== undefined) return found;
  if (statement.missing_ok !== true) throw undefinedRelation(command, name);
  command.environment.notice({
    message: `relation "${writtenName(name)}" does not exist, skipping`,
  });
  return undefined;
}

const WANTED: Readonly<Record<string, RelationDescriptor['kind']>> = {
  OBJECT_VIEW: 'view',
  OBJECT_SEQUENCE: 'sequence',
};

function* renameRelation(
  command: Command,
  statement: RenameStmt,
): Generator<UtilityPause, void, undefined> {
  const name = statement.relation ?? {};
  const newName = statement.newname ?? '';
  if (findIndex(command, name) !== undefined && findRelation(command, name) === undefined) {
    yield* renameIndex(command, statement);
    return;
  }
  const relation = yield* target(command, statement);
  if (relation === undefined) return;
  const wanted = WANTED[statement.renameType ?? ''];
  if (wanted !== undefined && relation.kind !== wanted) {
    throw pgError('wrong_object_type', `"${relation.name}" is not a ${wanted}`);
  }
  yield* command.claimName(relation.schema, newName);
  checkNameFree(command.catalog, relation.schema, newName);
  if (relation.rowType !== 0) freeTypeName(command, relation.schema, newName);
  const before = schemaName(command, relation.schema);
  const views = yield* lockViewsOf(command, relation);
  changeRelation(command, relation, { name: newName });
  retarget(command, views, before, relation.name, { schema: before, name: newName });
  refreshDefaults(command, relation.oid);
}

function schemaName(command: Command, oid: number): string {
  return command.catalog.schemaByOid(oid)?.name ?? '';
}

/** The views of a relation, locked: their definitions will change. */
function* lockViewsOf(
  command: Command,
  relation: RelationDescriptor,
): Generator<UtilityPause, RelationDescriptor[], undefined> {
  const views = dependentsOf(command, relation)
    .filter((dependent) => dependent.kind === 'view')
    .map((dependent) => dependent.relation);
  for (const view of views) yield* command.lock(view, TABLE_LOCK.accessExclusive);
  return views;
}

/** Makes views look for a relation under its new name. */
function retarget(
  command: Command,
  views: readonly RelationDescriptor[],
  schema: string,
  name: string,
  to: RelationName,
): void {
  for (const { oid } of views) {
    const view = command.catalog.relationByOid(oid);
    if (view === undefined || view.definition === null) continue;
    const isIt = (node: { schemaname?: string; relname?: string }) =>
      node.schemaname === schema && node.relname === name;
    const definition = renameRelations(view.definition, (node) => (isIt(node) ? to : null), true);
    changeRelation(command, view, { definition });
  }
}

/** The texts of defaults name their sequences. */
function refreshDefaults(command: Command, sequence: number): void {
  const relation = command.catalog.relationByOid(sequence);
  if (relation?.kind !== 'sequence') return;
  for (const dependent of dependentsOf(command, relation)) {
    if (dependent.kind !== 'default') continue;
    const table = command.catalog.relationByOid(dependent.relation.oid);
    const stored = table?.columns[dependent.column]?.default;
    if (table === undefined || stored === undefined || stored === null) continue;
    const fresh = command.stored(stored.expr, table);
    const columns = withColumn(table, dependent.column, { default: fresh });
    changeRelation(command, table, { columns });
  }
}

function* renameIndex(
  command: Command,
  statement: RenameStmt,
): Generator<UtilityPause, void, undefined> {
  const name = statement.relation ?? {};
  const newName = statement.newname ?? '';
  const table = yield* command.lockNamed(
    () => findIndex(command, name)?.table,
    TABLE_LOCK.shareUpdateExclusive,
  );
  const found = findIndex(command, name);
  if (table === undefined || found === undefined) throw undefinedRelation(command, name);
  yield* command.claimName(table.schema, newName);
  checkNameFree(command.catalog, table.schema, newName);
  renameKey(command, table, found.index.oid, newName);
}

/** An index and the constraint that it serves have one name. */
function renameKey(command: Command, table: RelationDescriptor, index: number, name: string): void {
  changeRelation(command, table, {
    indexes: table.indexes.map((other) => (other.oid === index ? { ...other, name } : other)),
    constraints: table.constraints.map((other) =>
      servingIndex(other) === index ? { ...other, name } : other,
    ),
  });
}

function* renameColumn(
  command: Command,
  statement: RenameStmt,
): Generator<UtilityPause, void, undefined> {
  const relation = yield* target(command, statement);
  if (relation === undefined) return;
  const { subname = '', newname = '' } = statement;
  if (relation.kind === 'sequence') {
    throw pgError('wrong_object_type', `cannot rename columns of relation "${relation.name}"`, {
      detail: 'This operation is not supported for sequences.',
    });
  }
  const position = columnPosition(relation.columns, subname);
  if (position < 0) throw pgError('undefined_column', `column "${subname}" does not exist`);
  const reach = { named: true, descends: statement.relation?.inh === true };
  checkRenameColumn(command, relation, position, reach);
  yield* lockPartitions(command, relation, TABLE_LOCK.accessExclusive);
  renameColumnOf(command, relation, subname, newname);
}

/** Renames a column of a table and of its partitions. */
function renameColumnOf(
  command: Command,
  relation: RelationDescriptor,
  name: string,
  newName: string,
): void {
  for (const partition of partitionsByAge(command, relation.oid)) {
    renameColumnOf(command, partition, name, newName);
  }
  const position = columnPosition(relation.columns, name);
  if (SYSTEM_COLUMNS.has(newName)) {
    throw pgError(
      'duplicate_column',
      `column name "${newName}" conflicts with a system column name`,
    );
  }
  if (columnPosition(relation.columns, newName) >= 0) {
    throw pgError(
      'duplicate_column',
      `column "${newName}" of relation "${relation.name}" already exists`,
    );
  }
  if (viewsReading(command, relation, position).length > 0) {
    throw notSupported('renaming a column that a view reads');
  }
  const named = { ...relation, columns: withColumn(relation, position, { name: newName }) };
  const columns = named.columns.map((column) =>
    column.generated !== true || column.default === null
      ? column
      : { ...column, default: command.stored(column.default.expr, named) },
  );
  const renamed = { ...relation, columns };
  const constraints = relation.constraints.map((constraint) =>
    constraint.check === null
      ? constraint
      : {
          ...constraint,
          check: command.stored(constraint.check.expr, renamed),
        },
  );
  const partitioning = renamedKey(command, renamed);
  const indexes = freshIndexes(command, renamed);
  const changed = changeRelation(command, relation, {
    columns,
    constraints,
    partitioning,
    indexes,
  });
  refuseCapture(command, changed, newName);
}

/** The texts of a partition key, over columns with new names. */
function renamedKey(command: Command, table: RelationDescriptor): Partitioning | null {
  const { partitioning } = table;
  if (partitioning === null) return null;
  const keys = partitioning.keys.map((key) => {
    if (key.expression === null) return key;
    return { ...key, expression: command.stored(key.expression.expr, table) };
  });
  return { ...partitioning, keys };
}

function* renameConstraint(
  command: Command,
  statement: RenameStmt,
): Generator<UtilityPause, void, undefined> {
  const table = yield* target(command, statement);
  if (table === undefined) return;
  const { subname = '', newname = '' } = statement;
  const constraint = table.constraints.find((other) => other.name === subname);
  if (constraint === undefined) {
    throw pgError(
      'undefined_object',
      `constraint "${subname}" for table "${table.name}" does not exist`,
    );
  }
  const reach = { named: true, descends: statement.relation?.inh === true };
  checkRenameConstraint(command, table, constraint, reach);
  const index = servingIndex(constraint);
  if (index !== 0) checkNameFree(command.catalog, table.schema, newname);
  if (table.constraints.some((other) => other.name === newname)) {
    throw duplicateConstraint(newname, table.name);
  }
  if (index !== 0) {
    renameKey(command, table, index, newname);
    return;
  }
  if (constraint.kind === 'check') {
    yield* lockPartitions(command, table, TABLE_LOCK.accessExclusive);
  }
  renameConstraintOf(command, table, constraint, newname);
}

/** Renames a constraint; a CHECK has the same name in the partitions. */
function renameConstraintOf(
  command: Command,
  table: RelationDescriptor,
  constraint: ConstraintDescriptor,
  name: string,
): void {
  changeRelation(command, table, {
    constraints: table.constraints.map((other) =>
      other === constraint ? { ...other, name } : other,
    ),
  });
  if (constraint.kind !== 'check') return;
  for (const partition of partitionsByAge(command, table.oid)) {
    const part = partition.constraints.find(
      (other) => other.kind === 'check' && other.name === constraint.name,
    );
    if (part !== undefined) renameConstraintOf(command, partition, part, name);
  }
}

function requireSchema(command: Command, name: string): SchemaDescriptor {
  const schema = command.catalog.schemaByName(name);
  if (schema === undefined) throw undefinedSchema(name);
  return schema;
}

function* renameSchema(
  command: Command,
  statement: RenameStmt,
): Generator<UtilityPause, void, undefined> {
  const { subname = '', newname = '' } = statement;
  const schema = requireSchema(command, subname);
  yield* command.claimName(0, newname);
  if (command.catalog.schemaByName(newname) !== undefined) {
    throw pgError('duplicate_schema', `schema "${newname}" already exists`);
  }
  if (newname.startsWith('pg_')) throw reservedSchema(newname);
  const descriptor = { ...schema, name: newname };
  command.environment.change({ kind: 'schema', oid: schema.oid, descriptor });
  for (const view of [...command.catalog.relations()]) {
    if (view.kind !== 'view' || view.definition === null) continue;
    const definition = renameRelations(
      view.definition,
      (node) =>
        node.schemaname === subname ? { schema: newname, name: node.relname ?? '' } : null,
      false,
    );
    if (definition !== view.definition) changeRelation(command, view, { definition });
  }
}

export function reservedSchema(name: string) {
  return pgError('reserved_name', `unacceptable schema name "${name}"`, {
    detail: 'The prefix "pg_" is reserved for system schemas.',
  });
}

/** ALTER … SET SCHEMA; indexes and owned sequences move along. */
export function* setSchema(command: Command, statement: AlterObjectSchemaStmt): UtilityExecution {
  const tag = utilityTag({ AlterObjectSchemaStmt: statement });
  const { objectType } = statement;
  if (objectType === 'OBJECT_TYPE') {
    yield* moveType(command, statement);
    return { tag };
  }
  if (
    objectType !== 'OBJECT_TABLE' &&
    objectType !== 'OBJECT_VIEW' &&
    objectType !== 'OBJECT_SEQUENCE'
  ) {
    throw notSupported(`${tag} ... SET SCHEMA`);
  }
  const relation = yield* target(command, statement);
  if (relation === undefined) return { tag };
  const { newschema = '' } = statement;
  refuseTemporary(command, newschema, relation.schema);
  const schema = requireSchema(command, newschema);
  if (schema.oid === relation.schema) return { tag };
  if (relation.kind === 'sequence' && (relation.sequence?.ownerTable ?? 0) !== 0) {
    const table = command.catalog.relationByOid(relation.sequence?.ownerTable ?? 0);
    throw pgError('feature_not_supported', 'cannot move an owned sequence into another schema', {
      detail: `Sequence "${relation.name}" is linked to table "${table?.name}".`,
    });
  }
  yield* move(command, relation, schema);
  for (const sequence of ownedSequences(command, relation)) yield* move(command, sequence, schema);
  return { tag };
}

/** What is temporary stays where it is, and other things stay out. */
export function refuseTemporary(command: Command, to: string, from: number): void {
  const isTemporary = to === OWN_TEMPORARY_SCHEMA || isTemporaryName(to);
  if (!isTemporary && !isTemporaryName(schemaName(command, from))) return;
  throw pgError('feature_not_supported', 'cannot move objects into or out of temporary schemas');
}

function* move(
  command: Command,
  relation: RelationDescriptor,
  schema: SchemaDescriptor,
): Generator<UtilityPause, void, undefined> {
  yield* command.claimName(schema.oid, relation.name);
  if (command.catalog.relationByName(schema.oid, relation.name) !== undefined) {
    throw pgError(
      'duplicate_table',
      `relation "${relation.name}" already exists in schema "${schema.name}"`,
    );
  }
  for (const index of relation.indexes) checkNameFree(command.catalog, schema.oid, index.name);
  const before = schemaName(command, relation.schema);
  const views = yield* lockViewsOf(command, relation);
  changeRelation(command, relation, { schema: schema.oid });
  const to = { schema: schema.name, name: relation.name };
  retarget(command, views, before, relation.name, to);
  refreshDefaults(command, relation.oid);
}

/** ALTER SCHEMA and ALTER TYPE … OWNER TO. */
export function* setOwnerOf(command: Command, statement: AlterOwnerStmt): UtilityExecution {
  const tag = utilityTag({ AlterOwnerStmt: statement });
  if (statement.objectType === 'OBJECT_TYPE') {
    yield* setTypeOwner(command, statement);
    return { tag };
  }
  if (statement.objectType !== 'OBJECT_SCHEMA') throw notSupported(`${tag} ... OWNER TO`);
  const schema = requireSchema(command, nodeString(statement.object) ?? '');
  const owner = roleOf(command, statement.newowner).oid;
  const descriptor = { ...schema, owner };
  command.environment.change({ kind: 'schema', oid: schema.oid, descriptor });
  return { tag };
}
