import { expect, test } from 'vitest';
import {
  bootstrapObjects,
  Catalog,
  type CatalogChange,
  PG_CATALOG_SCHEMA,
  PUBLIC_SCHEMA,
  type RelationDescriptor,
  resolveSearchPath,
} from '../../src/catalog/index.ts';
import type { TreeId } from '../../src/storage/index.ts';

const OWN = 20_000;
const OTHER = 20_001;

function relation(oid: number, schema: number, persistence: 'p' | 't'): CatalogChange {
  const descriptor: RelationDescriptor = {
    oid,
    name: `r${oid}`,
    schema,
    kind: 'table',
    persistence,
    owner: 10,
    version: 1,
    columns: [],
    tree: oid as TreeId,
    clusterKey: null,
    indexes: [],
    constraints: [],
    sequence: null,
    definition: null,
    options: [],
    rowType: oid + 1,
    statistics: null,
    partitioning: null,
    partitionOf: null,
  };
  return { kind: 'relation', oid, descriptor };
}

function schema(oid: number, name: string): CatalogChange {
  return { kind: 'schema', oid, descriptor: { oid, name, owner: 10 } };
}

function catalogWith(...changes: CatalogChange[]): Catalog {
  const catalog = new Catalog(() => undefined);
  catalog.apply([...bootstrapObjects(), ...changes], 1);
  return catalog;
}

test('temporary objects of one session make no plans of others out of date', () => {
  const catalog = catalogWith(schema(OTHER, 'pg_temp_8'));
  catalog.apply([schema(OWN, 'pg_temp_7'), relation(30_000, OWN, 't')], 2);
  const versions = () => [OWN, OTHER, 0].map((own) => catalog.versionFor(own));
  expect(versions()).toEqual([2, 1, 1]);
  catalog.apply([relation(30_010, OTHER, 't')], 3);
  expect(versions()).toEqual([2, 3, 1]);
  const inTransaction = catalog.with([relation(30_020, OWN, 't')], 4);
  expect(inTransaction.versionFor(OWN)).toBe(4);
  expect(versions()).toEqual([2, 3, 1]);
  catalog.apply([relation(30_030, PUBLIC_SCHEMA, 'p')], 5);
  expect(versions()).toEqual([5, 5, 5]);
  catalog.apply([{ kind: 'relation', oid: 30_000, descriptor: null }], 6);
  expect(versions()).toEqual([6, 5, 5]);
  expect(catalog.temporaryRelations(OWN)).toEqual([]);
  expect(catalog.temporaryRelations(OTHER).map(({ oid }) => oid)).toEqual([30_010]);
});

test('a session looks into its temporary schema first, unless its search path says otherwise', () => {
  const without = catalogWith();
  const catalog = catalogWith(schema(OWN, 'pg_temp_7'), schema(OTHER, 'pg_temp_8'));
  const path = (...names: string[]) => resolveSearchPath(catalog, names, 7).schemas;
  expect(path('public')).toEqual([OWN, PG_CATALOG_SCHEMA, PUBLIC_SCHEMA]);
  expect(path('public', 'pg_temp')).toEqual([PG_CATALOG_SCHEMA, PUBLIC_SCHEMA, OWN]);
  expect(path('pg_catalog', 'nowhere', 'public', 'public')).toEqual([
    OWN,
    PG_CATALOG_SCHEMA,
    PUBLIC_SCHEMA,
  ]);
  expect(path('pg_temp_7', 'public')).toEqual([PG_CATALOG_SCHEMA, OWN, PUBLIC_SCHEMA]);
  expect(resolveSearchPath(without, ['pg_temp', 'public'], 7)).toEqual({
    schemas: [PG_CATALOG_SCHEMA, PUBLIC_SCHEMA],
    named: [PUBLIC_SCHEMA],
    temporary: 0,
    createsTemporary: true,
  });
  expect(resolveSearchPath(without, ['public', 'pg_temp'], 7).createsTemporary).toBe(false);
});
