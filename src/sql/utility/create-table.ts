import type { CreateStmt, Node, PartitionSpec, RangeVar } from '@pgsql/types';
import { TUPLE_COLUMNS_MAX } from '../../access/index.ts';
import type {
  ColumnDescriptor,
  ConstraintDescriptor,
  IndexDescriptor,
  PartitionPlace,
  RelationDescriptor,
  SchemaDescriptor,
} from '../../catalog/index.ts';
import { hasCondition, notSupported, pgError } from '../../errors/index.ts';
import type { TreeId } from '../../storage/index.ts';
import type { Expr } from '../expression.ts';
import { visitChildren } from '../expression-tree.ts';
import type { Command } from './command.ts';
import { duplicateConstraint, isConstraintTaken } from './constraint-names.ts';
import { inheritedChecks, isMerged, lockParent, newPlace } from './create-partition.ts';
import type { UtilityExecution } from './environment.ts';
import { addForeignKeys } from './foreign-keys.ts';
import { makeKey, NamesInUse } from './keys.ts';
import { copiedIndex, likeElements } from './like-clause.ts';
import { chooseName, creationPlace, duplicateRelation, isNameTaken } from './object-names.ts';
import { inheritForeignKeys } from './partition-foreign-keys.ts';
import { inheritIndexes } from './partition-indexes.ts';
import { partitioningOf } from './partition-key.ts';
import { addOwnedSequence, nextvalDefault } from './sequence-relation.ts';
import { refuseOptions, storageOptions } from './storage-options.ts';
import { type CheckDraft, type ColumnDraft, TableElements } from './table-elements.ts';
import { type NewPlace, onCommitOf } from './temporary.ts';
import { areNotSupported } from './unsupported.ts';
import { duplicateRowType, freeTypeName, holdTypes } from './user-types.ts';

/** Columns that PostgreSQL lets a table have; a tuple could hold a few more. */
const TABLE_COLUMNS_MAX = Math.min(1600, TUPLE_COLUMNS_MAX);

/** Refuses a table, or a view, of so many columns. */
export function checkColumnCount(count: number): void {
  if (count <= TABLE_COLUMNS_MAX) return;
  throw pgError('too_many_columns', `tables can have at most ${TABLE_COLUMNS_MAX} columns`);
}

/** CREATE TABLE. */
export function* createTable(command: Command, statement: CreateStmt): UtilityExecution {
  const name = statement.relation ?? {};
  if (statement.inhRelations !== undefined && statement.partbound === undefined) {
    throw notSupported('INHERITS');
  }
  if (statement.ofTypename !== undefined) throw areNotSupported('typed tables');
  if (statement.tablespacename !== undefined) throw areNotSupported('tablespaces');
  checkAccessMethod(statement.accessMethod);
  const place = placeOf(command, name);
  const { schema } = place;
  const onCommit = onCommitOf(statement.oncommit, place.persistence);
  const tableName = name.relname ?? '';
  yield* command.claimName(schema.oid, tableName);
  if (skipExisting(command, schema, tableName, statement.if_not_exists === true)) {
    return { tag: 'CREATE TABLE' };
  }
  const elements = new TableElements(command, tableName);
  const parent = yield* lockParent(command, statement, place.persistence);
  if (parent !== null) elements.inheritColumns(parent);
  for (const element of statement.tableElts ?? []) {
    if ('TableLikeClause' in element) likeElements(command, element.TableLikeClause, elements);
    else elements.add(element);
  }
  yield* holdTypes(
    command,
    elements.columns.map(({ type }) => type),
  );
  const { partspec } = statement;
  if (partspec !== undefined) refuseOptions(statement.options);
  const options = storageOptions([], statement.options, false);
  if (parent === null) {
    const table = defineTable(command, place, tableName, elements, options, {
      partspec,
      onCommit,
    });
    yield* addForeignKeys(command, table, elements.foreignKeys, true);
    return { tag: 'CREATE TABLE' };
  }
  const partitionOf = yield* newPlace(command, parent, tableName, statement);
  const table = defineTable(command, place, tableName, elements, options, {
    partspec,
    partitionOf,
    checks: inheritedChecks(command, parent),
    onCommit,
  });
  yield* inheritIndexes(command, parent, table);
  yield* inheritForeignKeys(command, parent, table.oid);
  yield* addForeignKeys(command, table, elements.foreignKeys, true);
  return { tag: 'CREATE TABLE' };
}

/** The place of the new relation; one that is missing or wrong is shown in the text. */
function placeOf(command: Command, name: RangeVar): NewPlace {
  try {
    return creationPlace(command, name, 'tables');
  } catch (error) {
    const isPlace =
      hasCondition(error, 'invalid_schema_name') || hasCondition(error, 'invalid_table_definition');
    if (!isPlace) throw error;
    throw error.with(command.position(name.location));
  }
}

/** True when the relation exists and may (IF NOT EXISTS); 42P07 when it must not. */
export function skipExisting(
  command: Command,
  schema: SchemaDescriptor,
  name: string,
  ifNotExists: boolean,
): boolean {
  if (!isNameTaken(command.catalog, schema.oid, name)) {
    freeTypeName(command, schema.oid, name, duplicateRowType);
    return false;
  }
  if (!ifNotExists) throw duplicateRelation(name);
  command.environment.notice({
    sqlstate: '42P07',
    message: `relation "${name}" already exists, skipping`,
  });
  return true;
}

export function checkAccessMethod(method: string | undefined): void {
  if (method !== undefined && method !== 'heap') {
    throw pgError('undefined_object', `access method "${method}" does not exist`);
  }
}

/** What a table has for being partitioned, a partition or temporary. */
interface TableParts {
  readonly partspec?: PartitionSpec | undefined;
  readonly partitionOf?: PartitionPlace | null;
  /** The CHECK constraints of its parent. */
  readonly checks?: readonly ConstraintDescriptor[];
  readonly onCommit?: Pick<RelationDescriptor, 'onCommit'>;
}

/** Makes an empty table of its checked elements, with its sequences, keys and constraints. */
export function defineTable(
  command: Command,
  { schema, persistence }: NewPlace,
  name: string,
  elements: TableElements,
  options: readonly string[],
  { partspec, partitionOf = null, checks: inherited = [], onCommit = {} }: TableParts = {},
): RelationDescriptor {
  const { environment } = command;
  checkColumnCount(elements.columns.length);
  const oid = environment.nextOid();
  const rowType = environment.nextOid();
  // The array type over the row type.
  environment.nextOid();
  const shape = { oid, name, schema: schema.oid, persistence };
  const primary = elements.keys.find((key) => key.kind === 'primary');
  const columns = elements.columns.map((column, position) =>
    makeColumn(command, shape, elements.columns, column, position, primary?.columns ?? []),
  );
  const isPartitioned = partspec !== undefined;
  const table: RelationDescriptor = {
    ...shape,
    kind: isPartitioned ? 'partitioned' : 'table',
    ...onCommit,
    owner: environment.role,
    version: 1,
    columns,
    tree: isPartitioned ? (0 as TreeId) : environment.createTree(),
    clusterKey: null,
    indexes: [],
    constraints: [],
    sequence: null,
    definition: null,
    options,
    rowType,
    statistics: null,
    partitioning: isPartitioned ? partitioningOf(command, { name, columns }, partspec) : null,
    partitionOf,
  };
  const names = new NamesInUse(command, schema.oid);
  names.add(name);
  const checks: ConstraintDescriptor[] = [];
  for (const draft of elements.checks) {
    refuseNoInherit(table, draft);
    // NOT VALID says nothing of a table without rows.
    const check = makeCheck(command, table, { ...draft, validate: true }, checks);
    if (!isMerged(command, table, check, inherited)) checks.push(check);
  }
  const indexes: IndexDescriptor[] = [];
  const keys: ConstraintDescriptor[] = [];
  // PostgreSQL makes the primary key first.
  const ordered = [...elements.keys].sort((a, b) => rank(a.kind) - rank(b.kind));
  for (const draft of ordered) {
    if (keys.some((key) => key.name === draft.name) || checks.some((c) => c.name === draft.name)) {
      throw duplicateConstraint(draft.name ?? '', name);
    }
    const key = makeKey(command, table, draft, names);
    indexes.push(key.index);
    keys.push(key.constraint);
  }
  for (const copy of elements.indexCopies) indexes.push(copiedIndex(command, table, copy, names));
  const clusterKey = indexes.some((index) => index.clustered)
    ? (keys.find((key) => key.kind === 'primary')?.columns ?? null)
    : null;
  const whole = { ...table, clusterKey, indexes, constraints: [...inherited, ...checks, ...keys] };
  environment.change({ kind: 'relation', oid, descriptor: whole });
  return whole;
}

function rank(kind: 'primary' | 'unique'): number {
  return kind === 'primary' ? 0 : 1;
}

/** Makes the descriptor of a column, and its sequence if it owns one. */
export function makeColumn(
  command: Command,
  table: Pick<RelationDescriptor, 'oid' | 'name' | 'schema' | 'persistence'>,
  siblings: readonly PlainColumn[],
  column: ColumnDraft,
  position: number,
  primaryKey: readonly string[],
): ColumnDescriptor {
  const { type, typmod, identity } = column;
  const owned =
    column.sequenceOptions === null ? null : addOwnedSequence(command, table, column, position);
  let defaultExpression = null;
  if (owned !== null && identity === '') {
    defaultExpression = nextvalDefault(command, owned, type);
  } else if (column.default !== null) {
    defaultExpression =
      column.generated === true
        ? bindGeneration(command, table.name, siblings, column, column.default)
        : bindDefault(command, table.name, siblings, column, column.default);
  } else defaultExpression = column.inheritedDefault ?? null;
  return {
    name: column.name,
    type,
    typmod,
    notNull: column.notNull || primaryKey.includes(column.name),
    dropped: false,
    default: defaultExpression,
    ...(column.generated === true ? { generated: true } : {}),
    identity,
    sequence: owned?.oid ?? 0,
    missing: null,
    comment: column.comment ?? null,
  };
}

/** Binds a DEFAULT; null for DEFAULT NULL, which is the same as none. */
export function bindDefault(
  command: Command,
  table: string,
  siblings: readonly PlainColumn[],
  column: PlainColumn,
  node: Node,
) {
  const columns = siblings.map(plainColumn);
  const { type, typmod, name } = column;
  const bound = command.expression(
    node,
    'DEFAULT expressions',
    { name: table, columns },
    { type, typmod, column: name },
  );
  const expr = bound.expr as Expr;
  return expr.kind === 'const' && expr.value === null ? null : bound;
}

/** Binds the expression of a generated column over the columns of its table. */
function bindGeneration(
  command: Command,
  table: string,
  siblings: readonly PlainColumn[],
  column: PlainColumn,
  node: Node,
) {
  const { type, typmod, name } = column;
  return command.expression(
    node,
    'column generation expressions',
    { name: table, columns: siblings.map(plainColumn) },
    { type, typmod, column: name },
  );
}

/** As much of a column as an expression needs to name it. */
type PlainColumn = Pick<ColumnDescriptor, 'name' | 'type' | 'typmod' | 'generated'> &
  Partial<Pick<ColumnDescriptor, 'dropped'>>;

function plainColumn(column: PlainColumn): ColumnDescriptor {
  const { name, type, typmod, generated = false, dropped = false } = column;
  return {
    name,
    type,
    typmod,
    notNull: false,
    dropped,
    default: null,
    generated,
    identity: '',
    sequence: 0,
    missing: null,
  };
}

/** A CHECK of a partitioned table is its partitions' too. */
export function refuseNoInherit(
  table: Pick<RelationDescriptor, 'name' | 'kind'>,
  draft: CheckDraft,
): void {
  if (table.kind !== 'partitioned' || draft.noInherit !== true) return;
  throw pgError(
    'invalid_table_definition',
    `cannot add NO INHERIT constraint to partitioned table "${table.name}"`,
  );
}

/** Makes a CHECK constraint; `present` are those that the table has. */
export function makeCheck(
  command: Command,
  table: Pick<RelationDescriptor, 'name' | 'schema' | 'columns'>,
  draft: CheckDraft,
  present: readonly ConstraintDescriptor[],
): ConstraintDescriptor {
  const check = command.expression(draft.expression, 'check constraints', table, null);
  const columns = columnsOf(check.expr as Expr);
  if (draft.name !== null && present.some((other) => other.name === draft.name)) {
    throw duplicateConstraint(draft.name, table.name, 'check constraint');
  }
  const only = columns.length === 1 ? (table.columns[columns[0]!]?.name ?? null) : null;
  const name =
    draft.name ??
    chooseName(table.name, only, 'check', (candidate) =>
      isConstraintTaken(command, table.schema, candidate, present),
    );
  return {
    oid: command.environment.nextOid(),
    name,
    kind: 'check',
    columns,
    index: 0,
    check,
    deferrable: false,
    deferred: false,
    validated: draft.validate,
    foreign: null,
    comment: draft.comment ?? null,
  };
}

/** Positions of the columns that an expression reads, ascending. */
export function columnsOf(expr: Expr): number[] {
  const found = new Set<number>();
  const visit = (part: Expr): void => {
    if (part.kind === 'input') found.add(part.column);
    visitChildren(part, visit);
  };
  visit(expr);
  return [...found].sort((a, b) => a - b);
}
