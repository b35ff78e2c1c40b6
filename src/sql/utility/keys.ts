import type { IndexElem, Node } from '@pgsql/types';
import type {
  ColumnDescriptor,
  ConstraintDescriptor,
  IndexColumn,
  IndexDescriptor,
  RelationDescriptor,
} from '../../catalog/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import type { TreeId } from '../../storage/index.ts';
import { typeByOid } from '../../types/index.ts';
import { checkCollation } from '../bind/collation.ts';
import { nameList } from '../bind/syntax.ts';
import { btreeClass, operatorClass } from '../functions/index.ts';
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
  const operatorClass = btreeClass(type);
  if (operatorClass === 0) {
    throw pgError(
      'undefined_object',
      `data type ${typeByOid(type).sqlName} has no default operator class for access method "btree"`,
      {
        hint: 'You must specify an operator class for the index or define a default operator class for the data type.',
      },
    );
  }
  return { column: position, expression: null, type, descending, nullsFirst, operatorClass };
}

/** Columns of CREATE INDEX. */
export function indexColumnsOf(
  command: Command,
  table: RelationDescriptor,
  nodes: readonly Node[],
): IndexColumn[] {
  return nodes.map((node) => {
    if (!('IndexElem' in node)) throw notSupported('this index column');
    return indexElement(command, table, node.IndexElem);
  });
}

function indexElement(
  command: Command,
  table: RelationDescriptor,
  element: IndexElem,
): IndexColumn {
  if (element.expr !== undefined || element.name === undefined) {
    throw notSupported('an index on an expression');
  }
  const position = columnPosition(table.columns, element.name);
  if (position < 0) {
    throw pgError('undefined_column', `column "${element.name}" does not exist`);
  }
  const { type } = table.columns[position]!;
  checkCollation(command.binder(), nameList(element.collation), type, undefined);
  const named = namedClass(element, type);
  const descending = element.ordering === 'SORTBY_DESC';
  const nullsFirst =
    element.nulls_ordering === 'SORTBY_NULLS_FIRST' ||
    (element.nulls_ordering !== 'SORTBY_NULLS_LAST' && descending);
  const column = indexColumn(table, position, descending, nullsFirst);
  return named === 0 ? column : { ...column, operatorClass: named };
}

/** Oid of the operator class that is named, which orders as the type's default does; 0 where none is. */
function namedClass(element: IndexElem, type: number): number {
  const names = nameList(element.opclass);
  const name = names.at(-1);
  if (name === undefined) return 0;
  const { name: typeName, sqlName } = typeByOid(type);
  if (!CLASS_NAMES.has(name) || (names.length > 1 && names[0] !== 'pg_catalog')) {
    throw pgError(
      'undefined_object',
      `operator class "${names.join('.')}" does not exist for access method "btree"`,
    );
  }
  const isText = typeName === 'text' || typeName === 'varchar';
  if (isText && name.startsWith('bpchar_'))
    throw notSupported(`operator class "${name}" of a text`);
  const found = operatorClass('btree', type, name);
  if (typeof found !== 'number') {
    throw pgError(
      'datatype_mismatch',
      `operator class "${name}" does not accept data type ${sqlName}`,
    );
  }
  if ((element.opclassopts ?? []).length > 0) {
    throw pgError('invalid_parameter_value', `operator class ${name} has no options`);
  }
  return found;
}

/** PostgreSQL's btree operator classes. Those of patterns order as the others do, since texts are
 * compared by their bytes. */
const CLASS_NAMES: ReadonlySet<string> = new Set(
  `array_ops bit_ops bool_ops bpchar_ops bpchar_pattern_ops bytea_ops char_ops cidr_ops date_ops
  enum_ops float4_ops float8_ops inet_ops int2_ops int4_ops int8_ops interval_ops jsonb_ops
  macaddr8_ops macaddr_ops money_ops multirange_ops name_ops numeric_ops oid_ops oidvector_ops
  pg_lsn_ops range_ops record_image_ops record_ops text_ops text_pattern_ops tid_ops time_ops
  timestamp_ops timestamptz_ops timetz_ops tsquery_ops tsvector_ops uuid_ops varbit_ops varchar_ops
  varchar_pattern_ops xid8_ops`.split(/\s+/),
);

/** Makes the descriptor of an index that serves no constraint. */
export function makeIndex(
  command: Command,
  table: RelationDescriptor,
  options: {
    readonly name: string | undefined;
    readonly columns: readonly IndexColumn[];
    readonly included: readonly number[];
    readonly unique: boolean;
    readonly nullsNotDistinct: boolean;
  },
): IndexDescriptor {
  checkColumnCount(options.columns.length + options.included.length);
  const { environment, catalog } = command;
  const keyed = options.columns.map((column) => column.column);
  if (options.unique) checkCoversPartitionKey(table, keyed, 'UNIQUE');
  const positions = [...keyed, ...options.included];
  const columnNames = indexColumnsName(positions.map((i) => table.columns[i]!.name));
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
    predicate: null,
    constraint: 0,
  };
}
