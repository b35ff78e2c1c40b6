/** Databases, schemas, roles, tablespaces and collations. */

import { type ArrayDatum, arrayOf, OID } from '../../types/index.ts';
import { INFORMATION_SCHEMA, PG_CATALOG_SCHEMA, PUBLIC_SCHEMA } from '../bootstrap.ts';
import type { CatalogView, RoleDescriptor } from '../descriptors.ts';
import { ownerAccess } from './access.ts';
import { DEFAULT_TABLESPACE, GLOBAL_TABLESPACE, OWNER, UTF8_ENCODING } from './object-identity.ts';
import type { ProducerTable, SystemRow, SystemState } from './system-state.ts';

/** Rows carry the oid of the commit that wrote them, not a wrapping transaction id. */
const FROZEN = { datfrozenxid: 0, datminmxid: 0 };

function* databaseRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const { oid, name, owner } of catalog.databases()) {
    yield {
      ...FROZEN,
      oid,
      datname: name,
      datdba: owner,
      encoding: UTF8_ENCODING,
      datlocprovider: 'c',
      datistemplate: false,
      datallowconn: true,
      datconnlimit: -1,
      dattablespace: DEFAULT_TABLESPACE,
      datcollate: 'C',
      datctype: 'C',
    };
  }
}

/** Everybody may use the schema public, but not create in it: what PostgreSQL 15's initdb grants. */
function publicAccess(catalog: CatalogView, owner: number): ArrayDatum {
  const access = ownerAccess(catalog, owner, 'UC', 'U');
  return arrayOf(OID.aclitem, [access.own, access.everybody]);
}

function* namespaceRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const { oid, name, owner } of catalog.schemas()) {
    const nspacl = oid === PUBLIC_SCHEMA ? publicAccess(catalog, owner) : null;
    yield { oid, nspname: name, nspowner: owner, nspacl };
  }
}

function tablespaceRows(): SystemRow[] {
  return [
    { oid: DEFAULT_TABLESPACE, spcname: 'pg_default', spcowner: OWNER },
    { oid: GLOBAL_TABLESPACE, spcname: 'pg_global', spcowner: OWNER },
  ];
}

const UNLIMITED = -1;

function* roleRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const role of catalog.roles()) {
    yield {
      rolname: role.name,
      rolsuper: role.superuser,
      rolinherit: true,
      rolcreaterole: role.superuser,
      rolcreatedb: role.superuser,
      rolcanlogin: role.login,
      rolreplication: role.superuser,
      rolconnlimit: UNLIMITED,
      rolpassword: '********',
      rolbypassrls: role.superuser,
      oid: role.oid,
    };
  }
}

function* authorizationRows(state: SystemState): Iterable<SystemRow> {
  for (const row of roleRows(state)) yield { ...row, rolpassword: null };
}

function* userRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const role of catalog.roles()) if (role.login) yield userRow(role, '********');
}

function* shadowRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const role of catalog.roles()) if (role.login) yield userRow(role, null);
}

function userRow(role: RoleDescriptor, password: string | null): SystemRow {
  return {
    usename: role.name,
    usesysid: role.oid,
    usecreatedb: role.superuser,
    usesuper: role.superuser,
    userepl: role.superuser,
    usebypassrls: role.superuser,
    passwd: password,
  };
}

function* groupRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const role of catalog.roles()) {
    if (role.login) continue;
    yield { groname: role.name, grosysid: role.oid, grolist: arrayOf(OID.oid, []) };
  }
}

export const COLLATIONS = [
  { oid: 100, name: 'default', provider: 'd', locale: null },
  { oid: 950, name: 'C', provider: 'c', locale: 'C' },
  { oid: 951, name: 'POSIX', provider: 'c', locale: 'POSIX' },
] as const;

function* collationRows(): Iterable<SystemRow> {
  for (const { oid, name, provider, locale } of COLLATIONS) {
    yield {
      oid,
      collname: name,
      collnamespace: PG_CATALOG_SCHEMA,
      collowner: OWNER,
      collprovider: provider,
      collisdeterministic: true,
      collencoding: -1,
      collcollate: locale,
      collctype: locale,
    };
  }
}

export const CLUSTER_VIEWS: ProducerTable = {
  'pg_catalog.pg_database': databaseRows,
  'pg_catalog.pg_namespace': namespaceRows,
  'pg_catalog.pg_tablespace': tablespaceRows,
  'pg_catalog.pg_roles': roleRows,
  'pg_catalog.pg_authid': authorizationRows,
  'pg_catalog.pg_user': userRows,
  'pg_catalog.pg_shadow': shadowRows,
  'pg_catalog.pg_group': groupRows,
  'pg_catalog.pg_collation': collationRows,
};

/** Schemas that the server brings along. */
export function isSystemSchema(oid: number): boolean {
  return oid === PG_CATALOG_SCHEMA || oid === INFORMATION_SCHEMA;
}
