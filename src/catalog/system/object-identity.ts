import { BOOTSTRAP_ROLE, INFORMATION_SCHEMA, PG_CATALOG_SCHEMA } from '../bootstrap.ts';
import type { CatalogView } from '../descriptors.ts';
import type { SystemRelation } from './shapes.ts';

/** Owner of what the server brings along. */
export const OWNER = BOOTSTRAP_ROLE;
export const HEAP_METHOD = 2;
export const BTREE_METHOD = 403;
export const HASH_METHOD = 405;
export const DEFAULT_TABLESPACE = 1663;
export const GLOBAL_TABLESPACE = 1664;
export const UTF8_ENCODING = 6;

/** Oids of the catalogs that pg_depend and comments refer to. */
export const CATALOG_OID = {
  pg_attrdef: 2604,
  pg_authid: 1260,
  pg_class: 1259,
  pg_constraint: 2606,
  pg_database: 1262,
  pg_namespace: 2615,
  pg_type: 1247,
} as const;

/** Oid of a system view's schema. */
export function schemaOf(catalog: CatalogView, shape: SystemRelation): number {
  if (shape.schema === 'pg_catalog') return PG_CATALOG_SCHEMA;
  return catalog.schemaByName(shape.schema)?.oid ?? INFORMATION_SCHEMA;
}
