import { PG_CATALOG_SCHEMA } from './bootstrap.ts';
import type { CatalogView, SchemaDescriptor } from './descriptors.ts';

/** Where names of relations and types lead.
 *
 * The temporary objects of a session are in a schema of its own, which is named by its process id and
 * exists from the first of them to the end of the session: the one difference between a temporary
 * and another relation is where it is, who may touch it and how long it lives. */

/** What a session calls its own temporary schema. */
export const OWN_TEMPORARY_SCHEMA = 'pg_temp';

const TEMPORARY_NAME = /^pg_temp_(\d+)$/;

export function temporarySchemaName(processId: number): string {
  return `${OWN_TEMPORARY_SCHEMA}_${processId}`;
}

/** The process id of the session whose temporary schema has this name; null for another schema. */
export function temporaryOwner(name: string): number | null {
  const match = TEMPORARY_NAME.exec(name);
  return match === null ? null : Number(match[1]);
}

/** Whether the schema of this name is the temporary one of some session. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY_NAME.test(name);
}

/** The temporary schema of a session, once it has one. */
export function temporarySchema(
  catalog: CatalogView,
  processId: number,
): SchemaDescriptor | undefined {
  return catalog.schemaByName(temporarySchemaName(processId));
}

/** Whether a schema is the temporary one of another session. */
export function isOtherTemporary(catalog: CatalogView, schema: number, processId: number): boolean {
  const name = catalog.schemaByOid(schema)?.name ?? '';
  return isTemporaryName(name) && name !== temporarySchemaName(processId);
}

/** The schema that is named before a relation: `pg_temp` is the session's own temporary one. */
export function schemaOfName(
  catalog: CatalogView,
  name: string,
  processId: number,
): SchemaDescriptor | undefined {
  return name === OWN_TEMPORARY_SCHEMA
    ? temporarySchema(catalog, processId)
    : catalog.schemaByName(name);
}

/** What a search_path means for a session at one time. */
export interface SearchPath {
  /** Schemas where relations and types are looked for, in order: those that the setting names, before
   * them pg_catalog, and before that the temporary schema, unless the setting says where they stand. */
  readonly schemas: readonly number[];
  /** The part of them that the setting names. */
  readonly named: readonly number[];
  /** The session's temporary schema; 0 before it has one. */
  readonly temporary: number;
  /** New relations go to the temporary schema, which does not exist yet. */
  readonly createsTemporary: boolean;
}

export function resolveSearchPath(
  catalog: CatalogView,
  names: readonly string[],
  processId: number,
): SearchPath {
  const named: number[] = [];
  let createsTemporary = false;
  for (const name of names) {
    const schema = schemaOfName(catalog, name, processId);
    if (schema !== undefined) {
      if (!named.includes(schema.oid)) named.push(schema.oid);
    } else if (name === OWN_TEMPORARY_SCHEMA && named.length === 0) createsTemporary = true;
  }
  const schemas = named.includes(PG_CATALOG_SCHEMA) ? [...named] : [PG_CATALOG_SCHEMA, ...named];
  const temporary = temporarySchema(catalog, processId);
  if (temporary !== undefined && !named.includes(temporary.oid)) schemas.unshift(temporary.oid);
  return { schemas, named, temporary: temporary?.oid ?? 0, createsTemporary };
}
