import {
  type ColumnDescriptor,
  type ConstraintDescriptor,
  columnsIn,
  computedParts,
  type IndexColumn,
  type IndexDescriptor,
  type RelationDescriptor,
  type StoredExpression,
} from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import type { TreeId } from '../../storage/index.ts';
import { typeByOid } from '../../types/index.ts';
import { btreeClass } from '../functions/index.ts';
import type { Command } from './command.ts';
import { chooseName, indexColumnsName, isNameTaken } from './object-names.ts';
import type { KeyDraft } from './table-elements.ts';

/** Descriptors of indexes and of the constraints that they serve. */

/** Columns that an index may have, as in PostgreSQL. */
const INDEX_COLUMNS_MAX = 32;

export interface NewIndex {
  readonly index: IndexDescriptor;
  readonly constraint: ConstraintDescriptor;
}

/** Where names must not meet: the schema, and what the statement has named already. */
export class NamesInUse {
  private readonly command: Command;
  private readonly schema: number;
  private readonly used = new Set<string>();

  constructor(command: Command, schema: number) {
    this.command = command;
    this.schema = schema;
  }

  has(name: string): boolean {
    return this.used.has(name) || isNameTaken(this.command.catalog, this.schema, name);
  }

  add(name: string): string {
    this.used.add(name);
    return name;
  }
}

/** Oid of the index that holds a constraint; 0 where none does. A foreign key has that of the table it
 * refers to, which is not its own. */
export function servingIndex({ kind, index }: ConstraintDescriptor): number {
  return kind === 'foreign' ? 0 : index;
}

/** Whether a column decides what entry a row has in an index. */
export function readsColumn(index: IndexDescriptor, position: number): boolean {
  if (index.columns.some(({ column }) => column === position)) return true;
  return columnsIn(computedParts(index)).has(position);
}

/** Position of a live column by name; -1 where there is none. */
export function columnPosition(columns: readonly ColumnDescriptor[], name: string): number {
  return columns.findIndex((column) => column.name === name && !column.dropped);
}

/** What keys and indexes need to know of their table. */
type KeyedTable = Pick<RelationDescriptor, 'name' | 'columns' | 'kind' | 'tree' | 'partitioning'>;

/** Makes the index and the constraint of a PRIMARY KEY or UNIQUE. The index of a primary key is the
 * table's own tree; a unique one gets a new tree. */
export function makeKey(
  command: Command,
  table: KeyedTable,
  key: KeyDraft,
  names: NamesInUse,
): NewIndex {
  const { environment } = command;
  const { location } = key;
  const positions = key.columns.map((name) => keyColumn(command, table, name, location));
  const primary = key.kind === 'primary';
  positions.forEach((position, i) => {
    if (positions.indexOf(position) === i) return;
    throw pgError(
      'duplicate_column',
      `column "${key.columns[i]}" appears twice in ${primary ? 'primary key' : 'unique'} constraint`,
      command.position(location),
    );
  });
  checkColumnCount(positions.length + key.included.length);
  const included = key.included.map((name) => keyColumn(command, table, name, location));
  checkCoversPartitionKey(table, positions, primary ? 'PRIMARY KEY' : 'UNIQUE');
  const clustered = primary && table.kind === 'table';
  const constraintOid = environment.nextOid();
  const index: IndexDescriptor = {
    oid: environment.nextOid(),
    name: keyName(table, key, names),
    tree: clustered ? table.tree : newIndexTree(command, table),
    unique: true,
    primary,
    clustered,
    nullsNotDistinct: key.nullsNotDistinct,
    columns: positions.map((position) => indexColumn(table, position, false, false)),
    included,
    predicate: null,
    constraint: constraintOid,
    comment: key.comment ?? null,
  };
  const constraint: ConstraintDescriptor = {
    oid: constraintOid,
    name: index.name,
    kind: key.kind,
    columns: positions,
    index: index.oid,
    check: null,
    deferrable: false,
    deferred: false,
    validated: true,
    foreign: null,
  };
  return { index, constraint };
}

/** The tree of a new index. That of a partitioned table has none: each partition has an index for its
 * rows. */
export function newIndexTree(command: Command, table: Pick<RelationDescriptor, 'kind'>): TreeId {
  return table.kind === 'partitioned' ? (0 as TreeId) : command.environment.createTree();
}

/** Rows with one key must be in one partition, or nothing would keep them from being there twice. */
export function checkCoversPartitionKey(
  { name, columns, partitioning }: KeyedTable,
  positions: readonly number[],
  what: string,
): void {
  for (const { column } of partitioning?.keys ?? []) {
    if (column < 0) {
      throw pgError(
        'feature_not_supported',
        `unsupported ${what} constraint with partition key definition`,
        { detail: `${what} constraints cannot be used when partition keys include expressions.` },
      );
    }
    if (positions.includes(column)) continue;
    throw pgError(
      'feature_not_supported',
      'unique constraint on partitioned table must include all partitioning columns',
      {
        detail: `${what} constraint on table "${name}" lacks column "${columns[column]!.name}" which is part of the partition key.`,
      },
    );
  }
}

function keyColumn(
  command: Command,
  table: Pick<RelationDescriptor, 'columns'>,
  name: string,
  location: number | undefined,
): number {
  const position = columnPosition(table.columns, name);
  if (position >= 0) return position;
  throw pgError(
    'undefined_column',
    `column "${name}" named in key does not exist`,
    command.position(location),
  );
}

function keyName(
  table: Pick<RelationDescriptor, 'name'>,
  key: KeyDraft,
  names: NamesInUse,
): string {
  if (key.name !== null) {
    if (names.has(key.name)) {
      throw pgError('duplicate_table', `relation "${key.name}" already exists`);
    }
    return names.add(key.name);
  }
  const isTaken = (name: string) => names.has(name);
  if (key.kind === 'primary') return names.add(chooseName(table.name, null, 'pkey', isTaken));
  const columns = indexColumnsName([...key.columns, ...key.included]);
  return names.add(chooseName(table.name, columns, 'key', isTaken));
}

function checkColumnCount(count: number): void {
  if (count <= INDEX_COLUMNS_MAX) return;
  throw pgError(
    'too_many_columns',
    `cannot use more than ${INDEX_COLUMNS_MAX} columns in an index`,
  );
}

/** A column of an index over a column of the table. */
export function indexColumn(
  table: Pick<RelationDescriptor, 'columns'>,
  position: number,
  descending: boolean,
  nullsFirst: boolean,
): IndexColumn {
  const type = table.columns[position]!.type;
  const operatorClass = defaultClass(type);
  return { column: position, expression: null, type, descending, nullsFirst, operatorClass };
}

/** Oid of the operator class that an index of the type has where none is named. */
export function defaultClass(type: number): number {
  const found = btreeClass(type);
  if (found !== 0) return found;
  throw pgError(
    'undefined_object',
    `data type ${typeByOid(type).sqlName} has no default operator class for access method "btree"`,
    {
      hint: 'You must specify an operator class for the index or define a default operator class for the data type.',
    },
  );
}

/** Makes the descriptor of an index that serves no constraint. */
export function makeIndex(
  command: Command,
  table: RelationDescriptor,
  options: {
    readonly name: string | undefined;
    readonly columns: readonly IndexColumn[];
    readonly included: readonly number[];
    readonly predicate: StoredExpression | null;
    readonly unique: boolean;
    readonly nullsNotDistinct: boolean;
  },
): IndexDescriptor {
  checkColumnCount(options.columns.length + options.included.length);
  const { environment, catalog } = command;
  const keyed = options.columns.map((column) => column.column);
  if (options.unique) checkCoversPartitionKey(table, keyed, 'UNIQUE');
  const columnNames = indexColumnsName(indexColumnNames(table, options));
  const name =
    options.name ??
    chooseName(table.name, columnNames, 'idx', (candidate) =>
      isNameTaken(catalog, table.schema, candidate),
    );
  return {
    oid: environment.nextOid(),
    name,
    tree: newIndexTree(command, table),
    unique: options.unique,
    primary: false,
    clustered: false,
    nullsNotDistinct: options.nullsNotDistinct,
    columns: options.columns,
    included: options.included,
    predicate: options.predicate,
    constraint: 0,
  };
}

/** What the columns of an index are called, each by a name of its own. */
export function indexColumnNames(
  table: Pick<RelationDescriptor, 'columns'>,
  { columns, included }: Pick<IndexDescriptor, 'columns' | 'included'>,
): string[] {
  const names: string[] = [];
  for (const column of [
    ...columns,
    ...included.map((position) => ({ column: position, name: '' })),
  ]) {
    const given = table.columns[column.column]?.name ?? column.name ?? 'expr';
    let name = given;
    for (let i = 1; names.includes(name); i++) name = `${given}${i}`;
    names.push(name);
  }
  return names;
}
