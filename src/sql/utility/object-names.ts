import type { RangeVar } from '@pgsql/types';
import {
  type CatalogView,
  type IndexDescriptor,
  PG_CATALOG_SCHEMA,
  type RelationDescriptor,
  type SchemaDescriptor,
  schemaOfName,
} from '../../catalog/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import { utf8Length } from '../../types/index.ts';
import { quoteIdentifier } from '../bind/index.ts';
import { type Command, writtenName } from './command.ts';
import {
  asksForTemporary,
  type NewPlace,
  ownTemporarySchema,
  persistenceIn,
  warnOfGlobal,
} from './temporary.ts';

/** Bytes of a name at the most. */
const NAME_BYTES_MAX = 63;

export interface IndexPlace {
  readonly table: RelationDescriptor;
  readonly index: IndexDescriptor;
}

/** A relation by name, along the search path; undefined where there is none. */
export function findRelation(command: Command, name: RangeVar): RelationDescriptor | undefined {
  return search(command, name, (schema) =>
    command.catalog.relationByName(schema.oid, name.relname ?? ''),
  );
}

/** An index by name, along the search path. */
export function findIndex(command: Command, name: RangeVar): IndexPlace | undefined {
  return search(command, name, (schema) =>
    command.catalog.indexByName(schema.oid, name.relname ?? ''),
  );
}

/** True when the name leads to a view of pg_catalog or information_schema. */
export function isSystemView(command: Command, name: RangeVar): boolean {
  const schemas = name.schemaname === undefined ? ['pg_catalog'] : [name.schemaname];
  return schemas.some(
    (schema) => command.catalog.systemView(schema, name.relname ?? '') !== undefined,
  );
}

function search<Found>(
  command: Command,
  name: RangeVar,
  find: (schema: SchemaDescriptor) => Found | undefined,
): Found | undefined {
  checkDatabase(command, name);
  const { catalog, environment } = command;
  if (name.schemaname !== undefined) {
    const schema = namedSchema(command, name.schemaname);
    return schema === undefined ? undefined : find(schema);
  }
  for (const oid of environment.searchPath.schemas) {
    const schema = catalog.schemaByOid(oid);
    const found = schema === undefined ? undefined : find(schema);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A schema by the name that stands before a relation's. */
export function namedSchema(command: Command, name: string): SchemaDescriptor | undefined {
  return schemaOfName(command.catalog, name, command.environment.functions.session.processId);
}

function checkDatabase(command: Command, name: RangeVar): void {
  const { catalogname } = name;
  if (catalogname === undefined) return;
  if (catalogname === command.environment.functions.session.database) return;
  throw pgError(
    'feature_not_supported',
    `cross-database references are not implemented: "${catalogname}.${writtenName(name)}"`,
  );
}

/** 42P01, or 3F000 when it is the schema that does not exist. */
export function undefinedRelation(command: Command, name: RangeVar): PgError {
  const { schemaname } = name;
  if (schemaname !== undefined && namedSchema(command, schemaname) === undefined) {
    return undefinedSchema(schemaname);
  }
  if (isSystemView(command, name)) {
    return pgError(
      'insufficient_privilege',
      `permission denied: "${name.relname}" is a system catalog`,
    );
  }
  return pgError('undefined_table', `relation "${writtenName(name)}" does not exist`);
}

export function undefinedSchema(name: string): PgError {
  return pgError('invalid_schema_name', `schema "${name}" does not exist`);
}

/** The schema that a new relation goes to, and whether it is a temporary one; `what` are its like. */
export function creationPlace(command: Command, name: RangeVar, what: string): NewPlace {
  warnOfGlobal(command, name);
  const schema = creationSchema(command, name);
  return { schema, persistence: persistenceIn(command, schema, name, what) };
}

/** The schema that a new relation goes to. */
export function creationSchema(command: Command, name: RangeVar): SchemaDescriptor {
  checkDatabase(command, name);
  const { catalog, environment } = command;
  if (asksForTemporary(name)) return ownTemporarySchema(command);
  if (name.schemaname === undefined) {
    const { named, createsTemporary } = environment.searchPath;
    if (createsTemporary) return ownTemporarySchema(command);
    const schema = catalog.schemaByOid(named[0] ?? 0);
    if (schema !== undefined) return creatable(schema, name);
    throw pgError('invalid_schema_name', 'no schema has been selected to create in');
  }
  const schema = catalog.schemaByName(name.schemaname);
  if (schema === undefined) throw undefinedSchema(name.schemaname);
  return creatable(schema, name);
}

function creatable(schema: SchemaDescriptor, name: RangeVar): SchemaDescriptor {
  if (schema.oid !== PG_CATALOG_SCHEMA) return schema;
  throw pgError(
    'insufficient_privilege',
    `permission denied to create "pg_catalog.${name.relname}"`,
    {
      detail: 'System catalog modifications are currently disallowed.',
    },
  );
}

/** Whether a relation or an index of the schema has the name. */
export function isNameTaken(catalog: CatalogView, schema: number, name: string): boolean {
  return (
    catalog.relationByName(schema, name) !== undefined ||
    catalog.indexByName(schema, name) !== undefined
  );
}

export function checkNameFree(catalog: CatalogView, schema: number, name: string): void {
  if (isNameTaken(catalog, schema, name)) throw duplicateRelation(name);
}

export function duplicateRelation(name: string): PgError {
  return pgError('duplicate_table', `relation "${name}" already exists`);
}

/** Joins names as PostgreSQL's makeObjectName: the longer part is cut until all fits 63 bytes. */
export function makeObjectName(first: string, second: string | null, label: string): string {
  const room = NAME_BYTES_MAX - label.length - 1 - (second === null ? 0 : 1);
  let firstBytes = utf8Length(first);
  let secondBytes = second === null ? 0 : utf8Length(second);
  while (firstBytes + secondBytes > room) {
    if (firstBytes > secondBytes) firstBytes--;
    else secondBytes--;
  }
  const parts = [clip(first, firstBytes)];
  if (second !== null) parts.push(clip(second, secondBytes));
  return [...parts, label].join('_');
}

/** At most so many bytes of a text, whole characters. */
function clip(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** A name that `isTaken` does not know yet: the label gets a number when it has to. */
export function chooseName(
  first: string,
  second: string | null,
  label: string,
  isTaken: (name: string) => boolean,
): string {
  for (let pass = 0; ; pass++) {
    const name = makeObjectName(first, second, pass === 0 ? label : `${label}${pass}`);
    if (!isTaken(name)) return name;
  }
}

/** The part of an index name that tells its columns: `a_b`. */
export function indexColumnsName(columns: readonly string[]): string {
  let joined = '';
  for (const column of columns) {
    if (joined !== '') joined += '_';
    joined += column;
    if (utf8Length(joined) >= NAME_BYTES_MAX + 1) break;
  }
  return clip(joined, NAME_BYTES_MAX);
}

/** The name of a relation with its schema, as stored expressions have it. */
export function qualifiedName(
  command: Command,
  relation: { readonly name: string; readonly schema: number },
): string {
  const schema = command.catalog.schemaByOid(relation.schema)?.name ?? '';
  return `${quoteIdentifier(schema)}.${quoteIdentifier(relation.name)}`;
}

/** The name of a relation as regclass prints it: with its schema where the path does not lead to it. */
export function visibleName(
  command: Command,
  relation: { readonly oid: number; readonly name: string; readonly schema: number },
): string {
  const { catalog, environment } = command;
  for (const schema of environment.searchPath.schemas) {
    const found = catalog.relationByName(schema, relation.name);
    if (found?.oid === relation.oid) return quoteIdentifier(relation.name);
    if (found !== undefined) break;
  }
  return qualifiedName(command, relation);
}

/** The same of an index of a table. */
export function visibleIndexName(
  command: Command,
  table: { readonly schema: number },
  index: { readonly name: string },
): string {
  const { catalog, environment } = command;
  const { schemas } = environment.searchPath;
  const first = schemas.find((schema) => isNameTaken(catalog, schema, index.name));
  if (first === table.schema) return quoteIdentifier(index.name);
  const schema = catalog.schemaByOid(table.schema)?.name ?? '';
  return `${quoteIdentifier(schema)}.${quoteIdentifier(index.name)}`;
}
