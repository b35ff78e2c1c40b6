/** pg_class, pg_attribute, pg_attrdef and pg_index. */

import { type Datum, findType } from '../../types/index.ts';
import type {
  CatalogView,
  ColumnDescriptor,
  IndexColumn,
  IndexDescriptor,
  RelationDescriptor,
} from '../descriptors.ts';
import { BTREE_METHOD, HEAP_METHOD, OWNER, schemaOf } from './object-identity.ts';
import { storedBound } from './partition-definitions.ts';
import { ancestorsOf, isValidIndex, partsOf } from './partitions.ts';
import { SYSTEM_RELATIONS, type SystemRelation } from './shapes.ts';
import {
  int2Vector,
  oidVector,
  type ProducerTable,
  type SystemRow,
  type SystemState,
  textArray,
} from './system-state.ts';

const RELATION_KINDS = { table: 'r', partitioned: 'p', view: 'v', sequence: 'S' } as const;

/** What most relations have in common. */
const PLAIN_CLASS: SystemRow = {
  reloftype: 0,
  relfilenode: 0,
  reltablespace: 0,
  relpages: 0,
  reltuples: -1,
  relallvisible: 0,
  reltoastrelid: 0,
  relhasindex: false,
  relisshared: false,
  relpersistence: 'p',
  relchecks: 0,
  relhasrules: false,
  relhastriggers: false,
  relhassubclass: false,
  relrowsecurity: false,
  relforcerowsecurity: false,
  relispopulated: true,
  relreplident: 'n',
  relispartition: false,
  relrewrite: 0,
  relfrozenxid: 0,
  relminmxid: 0,
};

function* classRows(state: SystemState): Iterable<SystemRow> {
  for (const shape of SYSTEM_RELATIONS) yield systemClassRow(state.catalog, shape);
  for (const relation of state.catalog.relations()) {
    yield classRow(state, relation);
    for (const index of relation.indexes) yield indexClassRow(state, relation, index);
  }
}

function systemClassRow(catalog: CatalogView, shape: SystemRelation): SystemRow {
  const isTable = shape.kind === 'r';
  return {
    ...PLAIN_CLASS,
    oid: shape.oid,
    relname: shape.name,
    relnamespace: schemaOf(catalog, shape),
    reltype: shape.rowType,
    relowner: OWNER,
    relam: isTable ? HEAP_METHOD : 0,
    relkind: shape.kind,
    relnatts: shape.columns.length,
  };
}

function classRow(state: SystemState, relation: RelationDescriptor): SystemRow {
  const { statistics, kind } = relation;
  const isTable = kind === 'table';
  const isView = kind === 'view';
  const isPartitioned = kind === 'partitioned';
  const isPartition = relation.partitionOf !== null;
  return {
    ...PLAIN_CLASS,
    oid: relation.oid,
    relname: relation.name,
    relnamespace: relation.schema,
    reltype: relation.rowType,
    relowner: relation.owner,
    relam: isTable ? HEAP_METHOD : 0,
    relfilenode: isView || isPartitioned ? 0 : relation.oid,
    relpages: state.server.relationPages?.(relation.oid) ?? statistics?.pages ?? 0,
    reltuples: isTable
      ? (state.server.relationRows?.(relation.oid) ?? statistics?.rows ?? -1)
      : isPartitioned
        ? (statistics?.rows ?? -1)
        : isView
          ? -1
          : 1,
    relhasindex: relation.indexes.length > 0,
    relpersistence: relation.persistence,
    relkind: RELATION_KINDS[kind],
    relnatts: relation.columns.length,
    relchecks: relation.constraints.filter((constraint) => constraint.kind === 'check').length,
    relhastriggers: isReferencing(state.catalog, relation),
    relhassubclass: state.catalog.partitionsOf(relation.oid).length > 0,
    relreplident: isTable || isPartitioned ? 'd' : 'n',
    relispartition: isPartition,
    relpartbound: isPartition ? storedBound(state.catalog, relation) : null,
    reloptions: relation.options.length === 0 ? null : textArray(relation.options),
  };
}

/** PostgreSQL keeps triggers for both sides of a foreign key. */
export function isReferencing(catalog: CatalogView, relation: RelationDescriptor): boolean {
  if (relation.constraints.some((constraint) => constraint.kind === 'foreign')) return true;
  const wholes = ancestorsOf(catalog, relation.oid);
  for (const { constraints } of catalog.relations()) {
    if (constraints.some(({ foreign }) => foreign !== null && wholes.includes(foreign.table))) {
      return true;
    }
  }
  return false;
}

function indexClassRow(
  state: SystemState,
  table: RelationDescriptor,
  index: IndexDescriptor,
): SystemRow {
  const isPartitioned = table.kind === 'partitioned';
  return {
    ...PLAIN_CLASS,
    oid: index.oid,
    relname: index.name,
    relnamespace: table.schema,
    reltype: 0,
    relowner: table.owner,
    relam: BTREE_METHOD,
    relfilenode: isPartitioned ? 0 : index.oid,
    relpages: state.server.relationPages?.(index.oid) ?? 0,
    reltuples: state.server.relationRows?.(table.oid) ?? table.statistics?.rows ?? 0,
    relpersistence: table.persistence,
    relkind: isPartitioned ? 'I' : 'i',
    relhassubclass: partsOf(state.catalog, table, index).length > 0,
    relispartition: (index.parent ?? 0) !== 0,
    relnatts: index.columns.length + index.included.length,
  };
}

interface AttributeFacts {
  readonly relation: number;
  readonly name: string;
  readonly number: number;
  readonly type: number;
  readonly typmod: number;
  readonly notNull: boolean;
}

function* attributeRows({ catalog }: SystemState): Iterable<SystemRow> {
  yield* systemAttributeRows();
  for (const relation of catalog.relations()) {
    yield* relation.columns.map((column, i) => columnRow(relation, column, i + 1));
    for (const index of relation.indexes) yield* indexAttributeRows(relation, index);
  }
}

let systemAttributes: readonly SystemRow[] | undefined;

function systemAttributeRows(): readonly SystemRow[] {
  systemAttributes ??= SYSTEM_RELATIONS.flatMap((shape) =>
    shape.columns.map((column, i) =>
      attributeRow({ ...column, relation: shape.oid, number: i + 1 }),
    ),
  );
  return systemAttributes;
}

function attributeRow(facts: AttributeFacts): SystemRow {
  const type = findType(facts.type);
  return {
    attrelid: facts.relation,
    attname: facts.name,
    atttypid: facts.type,
    attstattarget: -1,
    attlen: type?.length ?? -1,
    attnum: facts.number,
    attndims: type !== undefined && type.elementOid !== 0 && type.name.startsWith('_') ? 1 : 0,
    attcacheoff: -1,
    atttypmod: facts.typmod,
    attbyval: type?.byValue ?? false,
    attalign: type?.align ?? 'd',
    attstorage: type?.storage ?? 'x',
    attcompression: '',
    attnotnull: facts.notNull,
    atthasdef: false,
    atthasmissing: false,
    attidentity: '',
    attgenerated: '',
    attisdropped: false,
    attislocal: true,
    attinhcount: 0,
    attcollation: type?.collation ?? 0,
  };
}

function columnRow(
  relation: RelationDescriptor,
  column: ColumnDescriptor,
  number: number,
): SystemRow {
  const row = attributeRow({ ...column, relation: relation.oid, number });
  if (column.dropped) {
    return {
      ...row,
      attname: `........pg.dropped.${number}........`,
      atttypid: 0,
      attstattarget: 0,
      attnotnull: false,
      attisdropped: true,
    };
  }
  return {
    ...row,
    attislocal: relation.partitionOf === null,
    attinhcount: relation.partitionOf === null ? 0 : 1,
    atthasdef: column.default !== null,
    atthasmissing: column.missing !== null,
    attidentity: column.identity,
    attgenerated: column.generated === true ? 's' : '',
  };
}

function* indexAttributeRows(
  table: RelationDescriptor,
  index: IndexDescriptor,
): Iterable<SystemRow> {
  const names = new Set<string>();
  const facts = { relation: index.oid, notNull: false };
  let number = 0;
  for (const column of index.columns) {
    number++;
    const name = uniqueName(indexColumnName(table, column), names);
    const typmod = table.columns[column.column]?.typmod ?? column.typmod ?? -1;
    yield attributeRow({ ...facts, name, number, type: column.type, typmod });
  }
  for (const position of index.included) {
    number++;
    const column = table.columns[position];
    if (column === undefined) continue;
    const { type, typmod } = column;
    yield attributeRow({ ...facts, name: uniqueName(column.name, names), number, type, typmod });
  }
}

function indexColumnName({ columns }: RelationDescriptor, { column, name }: IndexColumn): string {
  return columns[column]?.name ?? name ?? 'expr';
}

function uniqueName(name: string, taken: Set<string>): string {
  let unique = name;
  for (let i = 1; taken.has(unique); i++) unique = `${name}${i}`;
  taken.add(unique);
  return unique;
}

function* defaultRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const relation of catalog.relations()) {
    for (const [position, column] of relation.columns.entries()) {
      if (column.default === null || column.dropped) continue;
      yield {
        oid: defaultOid(relation, position),
        adrelid: relation.oid,
        adnum: position + 1,
        adbin: column.default.text,
      };
    }
  }
}

/** Defaults have no oids in Heddle; this one is stable, and above those that objects can reach. */
export function defaultOid(relation: RelationDescriptor, position: number): number {
  return 0x8000_0000 + (relation.oid % 0x10_0000) * 0x800 + position;
}

function* indexRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const relation of catalog.relations()) {
    for (const index of relation.indexes) yield indexRow(catalog, relation, index);
  }
}

const DESCENDING = 1;
const NULLS_FIRST = 2;

function indexRow(
  catalog: CatalogView,
  table: RelationDescriptor,
  index: IndexDescriptor,
): SystemRow {
  const { columns, included } = index;
  const constraint = table.constraints.find(({ oid }) => oid === index.constraint);
  return {
    indexrelid: index.oid,
    indrelid: table.oid,
    indnatts: columns.length + included.length,
    indnkeyatts: columns.length,
    indisunique: index.unique,
    indnullsnotdistinct: index.nullsNotDistinct,
    indisprimary: index.primary,
    indisexclusion: false,
    indimmediate: constraint?.deferrable !== true,
    indisclustered: false,
    indisvalid: isValidIndex(catalog, table, index),
    indcheckxmin: false,
    indisready: true,
    indislive: true,
    indisreplident: false,
    indkey: int2Vector([
      ...columns.map((column) => column.column + 1),
      ...included.map((position) => position + 1),
    ]),
    indcollation: oidVector(columns.map((column) => findType(column.type)?.collation ?? 0)),
    indclass: oidVector(columns.map((column) => column.operatorClass)),
    indoption: int2Vector(
      columns.map(
        (column) => (column.descending ? DESCENDING : 0) + (column.nullsFirst ? NULLS_FIRST : 0),
      ),
    ),
    indexprs: indexExpressions(index),
    indpred: index.predicate?.text ?? null,
  };
}

function indexExpressions(index: IndexDescriptor): Datum {
  const texts = index.columns.flatMap(({ expression }) =>
    expression === null ? [] : [expression.text],
  );
  return texts.length === 0 ? null : texts.join(', ');
}

export const RELATION_VIEWS: ProducerTable = {
  'pg_catalog.pg_class': classRows,
  'pg_catalog.pg_attribute': attributeRows,
  'pg_catalog.pg_attrdef': defaultRows,
  'pg_catalog.pg_index': indexRows,
};
