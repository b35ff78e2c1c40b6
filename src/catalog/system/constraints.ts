/** pg_constraint and pg_depend. */

import { arrayOf, type Datum, OID } from '../../types/index.ts';
import {
  type CatalogView,
  type ConstraintDescriptor,
  columnsIn,
  computedParts,
  type ForeignKey,
  type IndexDescriptor,
  type RelationDescriptor,
  type SequenceOptions,
} from '../descriptors.ts';
import { equalityOperatorOf } from './functions.ts';
import { CATALOG_OID } from './object-identity.ts';
import { defaultOid } from './relations.ts';
import type { ProducerTable, SystemRow, SystemState } from './system-state.ts';

const CONSTRAINT_TYPES = { check: 'c', primary: 'p', unique: 'u', foreign: 'f' } as const;
/** Where a constraint is no foreign key. */
const NO_ACTION = ' ';

function* constraintRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const table of catalog.relations()) {
    for (const constraint of table.constraints) yield constraintRow(catalog, table, constraint);
  }
}

function constraintRow(
  catalog: CatalogView,
  table: RelationDescriptor,
  constraint: ConstraintDescriptor,
): SystemRow {
  const { kind, foreign, columns } = constraint;
  const inherited = isInherited(catalog, table, constraint);
  // The foreign key of a partitioned table is inherited by its partitions.
  const isWhole = kind === 'foreign' && table.kind === 'partitioned';
  const operators = foreign === null ? null : keyOperators(catalog, table, columns, foreign);
  return {
    oid: constraint.oid,
    conname: constraint.name,
    connamespace: table.schema,
    contype: CONSTRAINT_TYPES[kind],
    condeferrable: constraint.deferrable,
    condeferred: constraint.deferred,
    convalidated: constraint.validated,
    conrelid: table.oid,
    contypid: 0,
    conindid: constraint.index,
    conparentid: constraint.parent ?? 0,
    confrelid: foreign?.table ?? 0,
    confupdtype: foreign?.onUpdate ?? NO_ACTION,
    confdeltype: foreign?.onDelete ?? NO_ACTION,
    confmatchtype: foreign?.match ?? NO_ACTION,
    conislocal: !inherited,
    coninhcount: inherited ? 1 : 0,
    connoinherit: kind !== 'check' && !inherited && !isWhole,
    conkey: columns.length === 0 ? null : columnNumbers(columns),
    confkey: foreign === null ? null : columnNumbers(foreign.columns),
    conpfeqop: operatorArray(operators?.map(({ mixed }) => mixed)),
    conppeqop: operatorArray(operators?.map(({ referenced }) => referenced)),
    conffeqop: operatorArray(operators?.map(({ referencing }) => referencing)),
    confdelsetcols:
      foreign === null || foreign.deleteColumns.length === 0
        ? null
        : columnNumbers(foreign.deleteColumns),
    conbin: constraint.check?.text ?? null,
  };
}

/** Whether a partition has a constraint of its parent's. */
function isInherited(
  catalog: CatalogView,
  { partitionOf }: RelationDescriptor,
  { kind, name, parent = 0 }: ConstraintDescriptor,
): boolean {
  if (kind !== 'check') return parent !== 0;
  const above = catalog.relationByOid(partitionOf?.parent ?? 0);
  return above?.constraints.some((other) => other.kind === 'check' && other.name === name) === true;
}

function columnNumbers(positions: readonly number[]): Datum {
  return arrayOf(
    OID.int2,
    positions.map((position) => position + 1),
  );
}

function operatorArray(operators: readonly number[] | undefined): Datum {
  return operators === undefined ? null : arrayOf(OID.oid, operators);
}

/** The `=` operators of each column of a foreign key: of the referenced type with the referencing one
 * and of each with itself. Types of different families are compared as the referenced one. */
function keyOperators(
  catalog: CatalogView,
  table: RelationDescriptor,
  columns: readonly number[],
  foreign: ForeignKey,
) {
  const parent = catalog.relationByOid(foreign.table);
  return columns.map((column, i) => {
    const from = table.columns[column]?.type ?? 0;
    const to = parent?.columns[foreign.columns[i]!]?.type ?? 0;
    const referenced = equalityOperatorOf(to);
    const mixed = equalityOperatorOf(to, from);
    if (mixed === 0) return { mixed: referenced, referenced, referencing: referenced };
    return { mixed, referenced, referencing: equalityOperatorOf(from) };
  });
}

/** What keeps an object from being dropped alone: normal, auto, internal; of what is the part of
 * something in a partition, its whole and its partition. */
type DependencyType = 'n' | 'a' | 'i' | 'P' | 'S';

interface ObjectAddress {
  readonly class: number;
  readonly oid: number;
  readonly column?: number;
}

function dependency(from: ObjectAddress, to: ObjectAddress, type: DependencyType): SystemRow {
  return {
    classid: from.class,
    objid: from.oid,
    objsubid: from.column ?? 0,
    refclassid: to.class,
    refobjid: to.oid,
    refobjsubid: to.column ?? 0,
    deptype: type,
  };
}

const { pg_attrdef, pg_class, pg_constraint, pg_namespace, pg_type } = CATALOG_OID;

function* dependencyRows(state: SystemState): Iterable<SystemRow> {
  yield* relationDependencies(state);
  yield* typeDependencies(state);
}

/** Types depend on their schemas; columns, defaults, checks and indexes on the types that they name. */
function* typeDependencies({ catalog }: SystemState): Iterable<SystemRow> {
  const types = [...catalog.types()];
  if (types.length === 0) return;
  for (const { oid, schema, arrayOid } of types) {
    const address = { class: pg_type, oid };
    yield dependency(address, { class: pg_namespace, oid: schema }, 'n');
    yield dependency({ class: pg_type, oid: arrayOid }, address, 'i');
  }
  for (const table of catalog.relations()) {
    for (const [position, column] of table.columns.entries()) {
      if (column.dropped) continue;
      if (catalog.typeByOid(column.type) !== undefined) {
        const type = { class: pg_type, oid: column.type };
        yield dependency(columnAddress(table, position), type, 'n');
      }
      const address = { class: pg_attrdef, oid: defaultOid(table, position) };
      yield* expressionTypes(catalog, address, column.default?.expr);
    }
    for (const { oid, check } of table.constraints) {
      yield* expressionTypes(catalog, { class: pg_constraint, oid }, check?.expr);
    }
    for (const index of table.indexes) {
      const address = { class: pg_class, oid: index.oid };
      yield* expressionTypes(catalog, address, computedParts(index));
    }
  }
}

function* expressionTypes(
  catalog: CatalogView,
  from: ObjectAddress,
  expr: unknown,
): Iterable<SystemRow> {
  for (const type of typesNamed(expr)) {
    if (catalog.typeByOid(type) === undefined) continue;
    yield dependency(from, { class: pg_type, oid: type }, 'n');
  }
}

/** Oids of the types of an expression's constants and casts. */
function typesNamed(part: unknown, found = new Set<number>()): Set<number> {
  if (typeof part !== 'object' || part === null) return found;
  const { kind, type } = part as { kind?: unknown; type?: unknown };
  if ((kind === 'const' || kind === 'cast') && typeof type === 'number') found.add(type);
  if (kind === 'const') return found;
  for (const child of Object.values(part)) typesNamed(child, found);
  return found;
}

function* relationDependencies({ catalog, server }: SystemState): Iterable<SystemRow> {
  for (const relation of catalog.relations()) {
    const address = { class: pg_class, oid: relation.oid };
    yield dependency(address, { class: pg_namespace, oid: relation.schema }, 'n');
    if (relation.rowType !== 0) {
      yield dependency({ class: pg_type, oid: relation.rowType }, address, 'i');
    }
    for (const index of relation.indexes) yield* indexDependencies(relation, index);
    for (const constraint of relation.constraints) {
      yield* constraintDependencies(relation, constraint);
    }
    yield* defaultDependencies(relation);
    yield* partitionDependencies(relation);
    // In PostgreSQL it is the view's rule that depends on them.
    for (const oid of server.viewRelations?.(relation) ?? []) {
      yield dependency(address, { class: pg_class, oid }, 'n');
    }
    if (relation.sequence !== null && relation.sequence.ownerTable !== 0) {
      const owner = catalog.relationByOid(relation.sequence.ownerTable);
      yield sequenceDependency(relation, relation.sequence, owner);
    }
  }
}

/** A partition goes with its parent, and what it has of its parent's indexes and constraints with these;
 * a column of a partition key does not go alone. */
function* partitionDependencies(table: RelationDescriptor): Iterable<SystemRow> {
  const address = { class: pg_class, oid: table.oid };
  if (table.partitionOf !== null) {
    yield dependency(address, { class: pg_class, oid: table.partitionOf.parent }, 'a');
  }
  for (const { column, expression } of table.partitioning?.keys ?? []) {
    const columns = expression === null ? [column] : columnsIn(expression.expr);
    for (const position of columns) yield dependency(columnAddress(table, position), address, 'i');
  }
  for (const { oid, parent = 0 } of table.indexes) {
    if (parent === 0) continue;
    const part = { class: pg_class, oid };
    yield dependency(part, { class: pg_class, oid: parent }, 'P');
    yield dependency(part, address, 'S');
  }
  for (const { oid, parent = 0 } of table.constraints) {
    if (parent === 0) continue;
    const part = { class: pg_constraint, oid };
    yield dependency(part, { class: pg_constraint, oid: parent }, 'P');
    yield dependency(part, address, 'S');
  }
}

function columnAddress(table: RelationDescriptor, position: number): ObjectAddress {
  return { class: pg_class, oid: table.oid, column: position + 1 };
}

function* indexDependencies(
  table: RelationDescriptor,
  index: IndexDescriptor,
): Iterable<SystemRow> {
  const address = { class: pg_class, oid: index.oid };
  if (index.constraint !== 0) {
    yield dependency(address, { class: pg_constraint, oid: index.constraint }, 'i');
    return;
  }
  const plain = index.columns.map(({ column }) => column);
  const named = new Set([...plain, ...index.included].filter((position) => position >= 0));
  for (const position of named) yield dependency(address, columnAddress(table, position), 'a');
  if (named.size === 0) yield dependency(address, { class: pg_class, oid: table.oid }, 'a');
  for (const position of columnsIn(computedParts(index))) {
    if (!named.has(position)) yield dependency(address, columnAddress(table, position), 'a');
  }
}

function* constraintDependencies(
  table: RelationDescriptor,
  { oid, columns, foreign, index }: ConstraintDescriptor,
): Iterable<SystemRow> {
  const address = { class: pg_constraint, oid };
  for (const position of columns) yield dependency(address, columnAddress(table, position), 'a');
  if (foreign === null) return;
  for (const position of foreign.columns) {
    const target = { class: pg_class, oid: foreign.table, column: position + 1 };
    yield dependency(address, target, 'n');
  }
  if (index !== 0) yield dependency(address, { class: pg_class, oid: index }, 'n');
}

/** A default goes with its column; the default of a serial column needs the sequence. */
function* defaultDependencies(table: RelationDescriptor): Iterable<SystemRow> {
  for (const [position, column] of table.columns.entries()) {
    if (column.default === null || column.dropped) continue;
    const address = { class: pg_attrdef, oid: defaultOid(table, position) };
    const isGenerated = column.generated === true;
    yield dependency(address, columnAddress(table, position), isGenerated ? 'i' : 'a');
    for (const read of isGenerated ? columnsIn(column.default.expr) : []) {
      yield dependency(address, columnAddress(table, read), 'n');
    }
    for (const sequence of relationsNamed(column.default.expr)) {
      yield dependency(address, { class: pg_class, oid: sequence }, 'n');
    }
  }
}

/** Oids of the relations that an expression names: its constants of type regclass. */
function relationsNamed(part: unknown, found = new Set<number>()): Set<number> {
  if (typeof part !== 'object' || part === null) return found;
  const { kind, type, value } = part as { kind?: unknown; type?: unknown; value?: unknown };
  if (kind === 'const' && type === OID.regclass && typeof value === 'number') found.add(value);
  for (const child of Object.values(part)) relationsNamed(child, found);
  return found;
}

function sequenceDependency(
  sequence: RelationDescriptor,
  { ownerTable, ownerColumn }: SequenceOptions,
  owner: RelationDescriptor | undefined,
): SystemRow {
  const isIdentity = (owner?.columns[ownerColumn]?.identity ?? '') !== '';
  return dependency(
    { class: pg_class, oid: sequence.oid },
    { class: pg_class, oid: ownerTable, column: ownerColumn + 1 },
    isIdentity ? 'i' : 'a',
  );
}

export const CONSTRAINT_VIEWS: ProducerTable = {
  'pg_catalog.pg_constraint': constraintRows,
  'pg_catalog.pg_depend': dependencyRows,
};
