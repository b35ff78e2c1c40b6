/** The views of information_schema. Catalog names are the database's; system relations are left to
 * pg_catalog, but for `tables` and `columns`, which list everything as PostgreSQL does. */

import { type Datum, findType, formatType, OID, type SqlType } from '../../types/index.ts';
import {
  type CatalogView,
  type ColumnDescriptor,
  type ConstraintDescriptor,
  columnsIn,
  type RelationDescriptor,
} from '../descriptors.ts';
import { isOtherTemporary } from '../search-path.ts';
import { checkOption, updatabilityOf } from '../updatability.ts';
import { COLLATIONS } from './cluster.ts';
import { shownExpression, viewDefinition } from './definitions.ts';
import { SystemNames } from './object-names.ts';
import { SYSTEM_RELATIONS, type SystemRelation } from './shapes.ts';
import type { ProducerTable, SystemRow, SystemState } from './system-state.ts';

const BASE_TABLE = 'BASE TABLE';
const VIEW = 'VIEW';

function yesOrNo(value: boolean): 'YES' | 'NO' {
  return value ? 'YES' : 'NO';
}

function schemaName(catalog: CatalogView, schema: number): string {
  return catalog.schemaByOid(schema)?.name ?? '';
}

function ownerName(catalog: CatalogView, owner: number): string {
  return catalog.roleByOid(owner)?.name ?? '';
}

function* tables(relations: Iterable<RelationDescriptor>): Iterable<RelationDescriptor> {
  for (const relation of relations) if (relation.kind !== 'sequence') yield relation;
}

/** All but the temporary relations of other sessions, which most views leave out. */
function* shownRelations({ catalog, session }: SystemState): Iterable<RelationDescriptor> {
  for (const relation of catalog.relations()) {
    const isOther =
      relation.persistence === 't' && isOtherTemporary(catalog, relation.schema, session.processId);
    if (!isOther) yield relation;
  }
}

// ---------------------------------------------------------------- tables and columns

function* tableRows(state: SystemState): Iterable<SystemRow> {
  const { catalog, session } = state;
  const common = { table_catalog: session.database, is_typed: 'NO' };
  for (const shape of SYSTEM_RELATIONS) {
    yield {
      ...common,
      table_schema: shape.schema,
      table_name: shape.name,
      table_type: shape.kind === 'r' ? BASE_TABLE : VIEW,
      is_insertable_into: 'NO',
    };
  }
  for (const table of tables(shownRelations(state))) {
    const isTemporary = table.persistence === 't';
    yield {
      ...common,
      table_schema: schemaName(catalog, table.schema),
      table_name: table.name,
      table_type: isTemporary ? 'LOCAL TEMPORARY' : table.kind === 'view' ? VIEW : BASE_TABLE,
      is_insertable_into: yesOrNo(updatabilityOf(catalog, table).takesValues),
    };
  }
}

function* columnRows(state: SystemState): Iterable<SystemRow> {
  const { catalog, session } = state;
  const names = new SystemNames(catalog, session);
  yield* SYSTEM_RELATIONS.flatMap((shape) => systemColumnRows(session.database, shape));
  for (const table of tables(shownRelations(state))) {
    for (const [position, column] of table.columns.entries()) {
      if (!column.dropped) yield columnRow(names, session.database, table, column, position);
    }
  }
}

function systemColumnRows(database: string, shape: SystemRelation): SystemRow[] {
  return shape.columns.map((column, position) => ({
    ...describeColumn(database, column.type, column.typmod, position + 1),
    table_schema: shape.schema,
    table_name: shape.name,
    column_name: column.name,
    is_nullable: yesOrNo(!column.notNull),
    is_identity: 'NO',
    identity_cycle: 'NO',
    is_updatable: 'NO',
  }));
}

function columnRow(
  names: SystemNames,
  database: string,
  table: RelationDescriptor,
  column: ColumnDescriptor,
  position: number,
): SystemRow {
  const { catalog } = names;
  return {
    ...describeColumn(database, column.type, column.typmod, position + 1),
    udt_schema: typeSchema(catalog, column.type),
    table_schema: schemaName(catalog, table.schema),
    table_name: table.name,
    column_name: column.name,
    ...valueColumns(names, column),
    is_nullable: yesOrNo(!column.notNull),
    ...identityColumns(catalog, column),
    is_updatable: yesOrNo(isUpdatableColumn(catalog, table, position)),
  };
}

function isUpdatableColumn(
  catalog: CatalogView,
  table: RelationDescriptor,
  position: number,
): boolean {
  const { takesDelete, columns } = updatabilityOf(catalog, table);
  return takesDelete && columns[position] === true;
}

function valueColumns(names: SystemNames, column: ColumnDescriptor): SystemRow {
  const text = column.default && shownExpression(names, column.default, false);
  return column.generated === true
    ? { is_generated: 'ALWAYS', generation_expression: text }
    : { column_default: text };
}

function identityColumns(catalog: CatalogView, column: ColumnDescriptor): SystemRow {
  if (column.identity === '') return { is_identity: 'NO', identity_cycle: 'NO' };
  const options = catalog.relationByOid(column.sequence)?.sequence ?? null;
  return {
    is_identity: 'YES',
    identity_generation: column.identity === 'a' ? 'ALWAYS' : 'BY DEFAULT',
    identity_start: options && String(options.start),
    identity_increment: options && String(options.increment),
    identity_maximum: options && String(options.maximum),
    identity_minimum: options && String(options.minimum),
    identity_cycle: yesOrNo(options?.cycle === true),
  };
}

/** The schema of a type: that of PostgreSQL's own unless it is one of users. */
function typeSchema(catalog: CatalogView, oid: number): string {
  const type = catalog.typeByOid(oid);
  return type === undefined ? 'pg_catalog' : schemaName(catalog, type.schema);
}

function describeColumn(database: string, oid: number, typmod: number, number: number): SystemRow {
  const type = findType(oid);
  return {
    table_catalog: database,
    ordinal_position: number,
    ...typeFacts(type, typmod),
    ...collationFacts(database, type),
    udt_catalog: database,
    udt_schema: 'pg_catalog',
    udt_name: type?.name ?? '???',
    dtd_identifier: String(number),
    is_self_referencing: 'NO',
    is_generated: 'NEVER',
  };
}

/** Types whose lengths are counted in characters, with the bytes before a length in their typmod. */
const TYPMOD_OFFSET = 4;
const OCTETS_PER_CHARACTER = 4;
const OCTETS_MAX = 2 ** 30;

const BINARY_PRECISION: Readonly<Record<number, number>> = {
  [OID.int2]: 16,
  [OID.int4]: 32,
  [OID.int8]: 64,
  [OID.float4]: 24,
  [OID.float8]: 53,
};
const INTEGERS: ReadonlySet<number> = new Set([OID.int2, OID.int4, OID.int8]);
const CLOCKS: ReadonlySet<number> = new Set([OID.time, OID.timetz, OID.timestamp, OID.timestamptz]);
const SECOND_DIGITS = 6;

function typeFacts(type: SqlType | undefined, typmod: number): SystemRow {
  if (type === undefined || type.category === 'E') return { data_type: 'USER-DEFINED' };
  if (isArray(type)) return { data_type: 'ARRAY' };
  return {
    data_type: formatType(type.oid),
    ...lengthFacts(type.oid, typmod),
    ...numberFacts(type.oid, typmod),
    ...timeFacts(type.oid, typmod),
  };
}

function isArray(type: SqlType): boolean {
  return type.elementOid !== 0 && type.length === -1;
}

function lengthFacts(oid: number, typmod: number): SystemRow {
  if (oid === OID.text) return { character_octet_length: OCTETS_MAX };
  if (oid === OID.bit || oid === OID.varbit) {
    return typmod < 0 ? {} : { character_maximum_length: typmod };
  }
  if (oid !== OID.varchar && oid !== OID.bpchar) return {};
  if (typmod < 0) return { character_octet_length: OCTETS_MAX };
  const length = typmod - TYPMOD_OFFSET;
  return {
    character_maximum_length: length,
    character_octet_length: length * OCTETS_PER_CHARACTER,
  };
}

function numberFacts(oid: number, typmod: number): SystemRow {
  if (oid === OID.numeric) {
    if (typmod < 0) return { numeric_precision_radix: 10 };
    const packed = typmod - TYPMOD_OFFSET;
    return {
      numeric_precision: packed >> 16,
      numeric_precision_radix: 10,
      numeric_scale: packed & 0xffff,
    };
  }
  const precision = BINARY_PRECISION[oid];
  if (precision === undefined) return {};
  return {
    numeric_precision: precision,
    numeric_precision_radix: 2,
    numeric_scale: INTEGERS.has(oid) ? 0 : null,
  };
}

const INTERVAL_FULL_PRECISION = 0xffff;

function timeFacts(oid: number, typmod: number): SystemRow {
  if (oid === OID.date) return { datetime_precision: 0 };
  if (CLOCKS.has(oid)) return { datetime_precision: typmod < 0 ? SECOND_DIGITS : typmod };
  if (oid !== OID.interval) return {};
  const precision = typmod & INTERVAL_FULL_PRECISION;
  const isFull = typmod < 0 || precision === INTERVAL_FULL_PRECISION;
  return { datetime_precision: isFull ? SECOND_DIGITS : precision };
}

/** Only collations other than the default are named. */
function collationFacts(database: string, type: SqlType | undefined): SystemRow {
  const collation = COLLATIONS.find(({ oid }) => oid === type?.collation);
  if (collation === undefined || collation.name === 'default') return {};
  return {
    collation_catalog: database,
    collation_schema: 'pg_catalog',
    collation_name: collation.name,
  };
}

function* elementTypeRows({ catalog, session }: SystemState): Iterable<SystemRow> {
  for (const table of tables(catalog.relations())) {
    for (const [position, column] of table.columns.entries()) {
      const type = findType(column.type);
      if (column.dropped || type === undefined || !isArray(type)) continue;
      const element = findType(type.elementOid);
      yield {
        object_catalog: session.database,
        object_schema: schemaName(catalog, table.schema),
        object_name: table.name,
        object_type: table.kind === 'view' ? VIEW : 'TABLE',
        collection_type_identifier: String(position + 1),
        data_type: elementDataType(element),
        ...collationFacts(session.database, element),
        udt_catalog: session.database,
        udt_schema: typeSchema(catalog, type.elementOid),
        udt_name: element?.name ?? '???',
        dtd_identifier: `a${position + 1}`,
      };
    }
  }
}

function elementDataType(element: SqlType | undefined): string {
  if (element === undefined) return '???';
  return element.category === 'E' ? 'USER-DEFINED' : formatType(element.oid);
}

function* viewRows(state: SystemState): Iterable<SystemRow> {
  const { catalog, session } = state;
  for (const view of shownRelations(state)) {
    if (view.kind !== 'view') continue;
    const { takesValues, takesDelete } = updatabilityOf(catalog, view);
    yield {
      table_catalog: session.database,
      table_schema: schemaName(catalog, view.schema),
      table_name: view.name,
      view_definition: viewDefinition(view),
      check_option: checkOption(view)?.toUpperCase() ?? 'NONE',
      is_updatable: yesOrNo(takesValues && takesDelete),
      is_insertable_into: yesOrNo(takesValues),
      is_trigger_updatable: 'NO',
      is_trigger_deletable: 'NO',
      is_trigger_insertable_into: 'NO',
    };
  }
}

function* sequenceRows(state: SystemState): Iterable<SystemRow> {
  const { catalog, session } = state;
  for (const relation of shownRelations(state)) {
    const { sequence } = relation;
    if (sequence === null || isIdentitySequence(catalog, relation)) continue;
    yield {
      sequence_catalog: session.database,
      sequence_schema: schemaName(catalog, relation.schema),
      sequence_name: relation.name,
      data_type: formatType(sequence.type),
      numeric_precision: BINARY_PRECISION[sequence.type] ?? null,
      numeric_precision_radix: 2,
      numeric_scale: 0,
      start_value: String(sequence.start),
      minimum_value: String(sequence.minimum),
      maximum_value: String(sequence.maximum),
      increment: String(sequence.increment),
      cycle_option: yesOrNo(sequence.cycle),
    };
  }
}

/** Sequences of identity columns are part of their column. */
function isIdentitySequence(catalog: CatalogView, { sequence }: RelationDescriptor): boolean {
  const owner = catalog.relationByOid(sequence?.ownerTable ?? 0);
  return (owner?.columns[sequence?.ownerColumn ?? 0]?.identity ?? '') !== '';
}

// ---------------------------------------------------------------- constraints

const CONSTRAINT_TYPES = {
  check: 'CHECK',
  primary: 'PRIMARY KEY',
  unique: 'UNIQUE',
  foreign: 'FOREIGN KEY',
} as const;

interface PlacedConstraint {
  readonly table: RelationDescriptor;
  readonly constraint: ConstraintDescriptor;
}

function* constraints(relations: Iterable<RelationDescriptor>): Iterable<PlacedConstraint> {
  for (const table of relations) {
    for (const constraint of table.constraints) yield { table, constraint };
  }
}

/** NOT NULL columns count as check constraints, under names of their oids. */
function* notNullConstraints(
  relations: Iterable<RelationDescriptor>,
): Iterable<{ table: RelationDescriptor; name: string; column: string }> {
  for (const table of tables(relations)) {
    for (const [position, { name: column, notNull, dropped }] of table.columns.entries()) {
      if (!notNull || dropped) continue;
      yield { table, name: `${table.schema}_${table.oid}_${position + 1}_not_null`, column };
    }
  }
}

function* tableConstraintRows(state: SystemState): Iterable<SystemRow> {
  const { catalog, session } = state;
  const place = (table: RelationDescriptor) => ({
    constraint_catalog: session.database,
    constraint_schema: schemaName(catalog, table.schema),
    table_catalog: session.database,
    table_schema: schemaName(catalog, table.schema),
    table_name: table.name,
    enforced: 'YES',
  });
  for (const { table, constraint } of constraints(shownRelations(state))) {
    const index = table.indexes.find(({ oid }) => oid === constraint.index);
    yield {
      ...place(table),
      constraint_name: constraint.name,
      constraint_type: CONSTRAINT_TYPES[constraint.kind],
      is_deferrable: yesOrNo(constraint.deferrable),
      initially_deferred: yesOrNo(constraint.deferred),
      nulls_distinct:
        constraint.kind === 'unique' ? yesOrNo(index?.nullsNotDistinct !== true) : null,
    };
  }
  for (const { table, name } of notNullConstraints(shownRelations(state))) {
    yield {
      ...place(table),
      constraint_name: name,
      constraint_type: 'CHECK',
      is_deferrable: 'NO',
      initially_deferred: 'NO',
    };
  }
}

function* checkConstraintRows({ catalog, session }: SystemState): Iterable<SystemRow> {
  const place = (table: RelationDescriptor) => ({
    constraint_catalog: session.database,
    constraint_schema: schemaName(catalog, table.schema),
  });
  for (const { table, constraint } of constraints(catalog.relations())) {
    if (constraint.check === null) continue;
    yield {
      ...place(table),
      constraint_name: constraint.name,
      check_clause: `(${constraint.check.text})`,
    };
  }
  for (const { table, name, column } of notNullConstraints(catalog.relations())) {
    yield { ...place(table), constraint_name: name, check_clause: `${column} IS NOT NULL` };
  }
}

function* keyColumnRows(state: SystemState): Iterable<SystemRow> {
  const { catalog, session } = state;
  for (const { table, constraint } of constraints(shownRelations(state))) {
    if (constraint.kind === 'check') continue;
    for (const [i, position] of constraint.columns.entries()) {
      yield {
        constraint_catalog: session.database,
        constraint_schema: schemaName(catalog, table.schema),
        constraint_name: constraint.name,
        table_catalog: session.database,
        table_schema: schemaName(catalog, table.schema),
        table_name: table.name,
        column_name: table.columns[position]?.name ?? null,
        ordinal_position: i + 1,
        position_in_unique_constraint: uniquePosition(catalog, constraint, i),
      };
    }
  }
}

/** Where the column that a foreign key's column refers to stands in the key referred to. */
function uniquePosition(
  catalog: CatalogView,
  { foreign, index }: ConstraintDescriptor,
  i: number,
): Datum {
  if (foreign === null) return null;
  const key = catalog.indexByOid(index)?.index.columns ?? [];
  const found = key.findIndex(({ column }) => column === foreign.columns[i]);
  return found < 0 ? i + 1 : found + 1;
}

/** The table that a constraint uses, and its columns: a foreign key uses the table it refers to. */
function usedColumns(catalog: CatalogView, { table, constraint }: PlacedConstraint) {
  const { foreign } = constraint;
  if (foreign === null) return { table, columns: constraint.columns };
  const target = catalog.relationByOid(foreign.table);
  return target === undefined ? null : { table: target, columns: foreign.columns };
}

function* constraintColumnRows(state: SystemState): Iterable<SystemRow> {
  const { catalog, session } = state;
  for (const placed of constraints(catalog.relations())) {
    const used = usedColumns(catalog, placed);
    for (const position of used?.columns ?? []) {
      yield {
        ...usedTable(state, placed, used!.table),
        column_name: used!.table.columns[position]?.name ?? null,
        constraint_catalog: session.database,
      };
    }
  }
}

function* constraintTableRows(state: SystemState): Iterable<SystemRow> {
  for (const placed of constraints(state.catalog.relations())) {
    if (placed.constraint.kind === 'check') continue;
    const used = usedColumns(state.catalog, placed);
    if (used !== null) yield usedTable(state, placed, used.table);
  }
}

/** Generated columns, and what they are computed of. */
function* columnColumnRows({ catalog, session }: SystemState): Iterable<SystemRow> {
  for (const { name, schema, columns } of catalog.relations()) {
    for (const column of columns) {
      if (column.generated !== true || column.dropped) continue;
      for (const position of columnsIn(column.default?.expr)) {
        yield {
          table_catalog: session.database,
          table_schema: schemaName(catalog, schema),
          table_name: name,
          column_name: columns[position]?.name ?? null,
          dependent_column: column.name,
        };
      }
    }
  }
}

function usedTable(
  { catalog, session }: SystemState,
  { table, constraint }: PlacedConstraint,
  used: RelationDescriptor,
): SystemRow {
  return {
    table_catalog: session.database,
    table_schema: schemaName(catalog, used.schema),
    table_name: used.name,
    constraint_catalog: session.database,
    constraint_schema: schemaName(catalog, table.schema),
    constraint_name: constraint.name,
  };
}

const RULES = {
  a: 'NO ACTION',
  r: 'RESTRICT',
  c: 'CASCADE',
  n: 'SET NULL',
  d: 'SET DEFAULT',
} as const;

function* referentialRows({ catalog, session }: SystemState): Iterable<SystemRow> {
  for (const { table, constraint } of constraints(catalog.relations())) {
    const { foreign } = constraint;
    if (foreign === null) continue;
    const target = catalog.relationByOid(foreign.table);
    const key = target?.constraints.find(
      ({ index, kind }) => index === constraint.index && kind !== 'foreign',
    );
    yield {
      constraint_catalog: session.database,
      constraint_schema: schemaName(catalog, table.schema),
      constraint_name: constraint.name,
      unique_constraint_catalog: key === undefined ? null : session.database,
      unique_constraint_schema:
        key === undefined || target === undefined ? null : schemaName(catalog, target.schema),
      unique_constraint_name: key?.name ?? null,
      match_option: foreign.match === 'f' ? 'FULL' : 'NONE',
      update_rule: RULES[foreign.onUpdate],
      delete_rule: RULES[foreign.onDelete],
    };
  }
}

// ---------------------------------------------------------------- schemas, roles, privileges

function* schemaRows({ catalog, session }: SystemState): Iterable<SystemRow> {
  for (const { name, owner } of catalog.schemas()) {
    yield {
      catalog_name: session.database,
      schema_name: name,
      schema_owner: ownerName(catalog, owner),
    };
  }
}

function* enabledRoleRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const { name } of catalog.roles()) yield { role_name: name };
}

function catalogNameRows({ session }: SystemState): SystemRow[] {
  return [{ catalog_name: session.database }];
}

const TABLE_PRIVILEGES = 'INSERT SELECT UPDATE DELETE TRUNCATE REFERENCES TRIGGER'.split(' ');

/** The owner of a table has every privilege on it, and nobody else has any. */
function* privilegeRows({ catalog, session }: SystemState): Iterable<SystemRow> {
  for (const table of tables(catalog.relations())) {
    const owner = ownerName(catalog, table.owner);
    for (const privilege of TABLE_PRIVILEGES) {
      yield {
        grantor: owner,
        grantee: owner,
        table_catalog: session.database,
        table_schema: schemaName(catalog, table.schema),
        table_name: table.name,
        privilege_type: privilege,
        is_grantable: 'YES',
        with_hierarchy: yesOrNo(privilege === 'SELECT'),
      };
    }
  }
}

function characterSetRows({ session }: SystemState): SystemRow[] {
  return [
    {
      character_set_name: 'UTF8',
      character_repertoire: 'UCS',
      form_of_use: 'UTF8',
      default_collate_catalog: session.database,
      default_collate_schema: 'pg_catalog',
      default_collate_name: 'C',
    },
  ];
}

function* collationRows({ session }: SystemState): Iterable<SystemRow> {
  for (const { name } of COLLATIONS) {
    yield {
      collation_catalog: session.database,
      collation_schema: 'pg_catalog',
      collation_name: name,
      pad_attribute: 'NO PAD',
    };
  }
}

function* collationCharacterSetRows({ session }: SystemState): Iterable<SystemRow> {
  for (const { name } of COLLATIONS) {
    yield {
      collation_catalog: session.database,
      collation_schema: 'pg_catalog',
      collation_name: name,
      character_set_name: 'UTF8',
    };
  }
}

export const INFORMATION_SCHEMA_VIEWS: ProducerTable = {
  'information_schema.tables': tableRows,
  'information_schema.columns': columnRows,
  'information_schema.element_types': elementTypeRows,
  'information_schema.views': viewRows,
  'information_schema.sequences': sequenceRows,
  'information_schema.table_constraints': tableConstraintRows,
  'information_schema.check_constraints': checkConstraintRows,
  'information_schema.key_column_usage': keyColumnRows,
  'information_schema.column_column_usage': columnColumnRows,
  'information_schema.constraint_column_usage': constraintColumnRows,
  'information_schema.constraint_table_usage': constraintTableRows,
  'information_schema.referential_constraints': referentialRows,
  'information_schema.schemata': schemaRows,
  'information_schema.enabled_roles': enabledRoleRows,
  'information_schema.information_schema_catalog_name': catalogNameRows,
  'information_schema.table_privileges': privilegeRows,
  'information_schema.role_table_grants': privilegeRows,
  'information_schema.character_sets': characterSetRows,
  'information_schema.collations': collationRows,
  'information_schema.collation_character_set_applicability': collationCharacterSetRows,
};
