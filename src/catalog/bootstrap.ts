import type { CatalogChange } from './catalog.ts';

/** Oids that PostgreSQL gives its own objects. */
export const PG_CATALOG_SCHEMA = 11;
export const PUBLIC_SCHEMA = 2200;
export const INFORMATION_SCHEMA = 13000;
export const BOOTSTRAP_ROLE = 10;
export const POSTGRES_DATABASE = 5;

/** The objects of a fresh data directory: superuser and database `postgres`, the schemas. */
export function bootstrapObjects(): CatalogChange[] {
  const owner = BOOTSTRAP_ROLE;
  const schema = (oid: number, name: string, comment?: string): CatalogChange => ({
    kind: 'schema',
    oid,
    descriptor: { oid, name, owner, comment: comment ?? null },
  });
  return [
    {
      kind: 'role',
      oid: owner,
      descriptor: { oid: owner, name: 'postgres', superuser: true, login: true },
    },
    {
      kind: 'database',
      oid: POSTGRES_DATABASE,
      descriptor: {
        oid: POSTGRES_DATABASE,
        name: 'postgres',
        owner,
        comment: 'default administrative connection database',
      },
    },
    schema(PG_CATALOG_SCHEMA, 'pg_catalog', 'system catalog schema'),
    schema(INFORMATION_SCHEMA, 'information_schema'),
    schema(PUBLIC_SCHEMA, 'public', 'standard public schema'),
  ];
}
