/** Comments: pg_description, pg_shdescription, and the look-ups of obj_description and its kin.
 *
 * What users say about their objects stands in the descriptors; what PostgreSQL says about its own
 * functions, operators and types is in schemas/catalog/pg_description.json, a row of catalog, oid and
 * text each. */

import builtinRows from '../../../schemas/catalog/pg_description.json' with { type: 'json' };
import { once } from '../../base/index.ts';
import type { CatalogView } from '../descriptors.ts';
import { CATALOG_OID } from './object-identity.ts';
import { systemRelation } from './shapes.ts';
import type { ProducerTable, SystemRow, SystemState } from './system-state.ts';

/** A comment by its place: the catalog that has the object, the object, a column's number or 0. */
interface Description {
  readonly catalog: number;
  readonly object: number;
  readonly column: number;
  readonly text: string;
}

const BUILTIN = builtinRows as unknown as readonly (readonly [number, number, string])[];

const builtinTexts = once(
  () => new Map(BUILTIN.map(([catalog, object, text]) => [`${catalog}/${object}`, text])),
);

function* relationDescriptions(catalog: CatalogView): Iterable<Description> {
  const { pg_class, pg_constraint } = CATALOG_OID;
  for (const { oid, comment, columns, indexes, constraints } of catalog.relations()) {
    if (comment) yield { catalog: pg_class, object: oid, column: 0, text: comment };
    for (const [position, column] of columns.entries()) {
      if (column.dropped || !column.comment) continue;
      yield { catalog: pg_class, object: oid, column: position + 1, text: column.comment };
    }
    for (const index of indexes) {
      if (!index.comment) continue;
      yield { catalog: pg_class, object: index.oid, column: 0, text: index.comment };
    }
    for (const constraint of constraints) {
      if (!constraint.comment) continue;
      const { oid: object, comment: text } = constraint;
      yield { catalog: pg_constraint, object, column: 0, text };
    }
  }
}

/** Comments of objects that have a descriptor of their own. */
function* plainDescriptions(
  catalog: number,
  objects: Iterable<{ readonly oid: number; readonly comment?: string | null }>,
): Iterable<Description> {
  for (const { oid, comment } of objects) {
    if (comment) yield { catalog, object: oid, column: 0, text: comment };
  }
}

function* descriptions(catalog: CatalogView): Iterable<Description> {
  for (const [catalog, object, text] of BUILTIN) yield { catalog, object, column: 0, text };
  yield* plainDescriptions(CATALOG_OID.pg_namespace, catalog.schemas());
  yield* plainDescriptions(CATALOG_OID.pg_type, catalog.types());
  yield* relationDescriptions(catalog);
}

function* sharedDescriptions(catalog: CatalogView): Iterable<Description> {
  yield* plainDescriptions(CATALOG_OID.pg_authid, catalog.roles());
  yield* plainDescriptions(CATALOG_OID.pg_database, catalog.databases());
}

/** obj_description and shobj_description: the comment of an object of the catalog with that name. */
export function objectDescription(
  catalog: CatalogView,
  object: number,
  catalogName: string,
): string | null {
  const place = systemRelation('pg_catalog', catalogName)?.oid;
  switch (place) {
    case undefined:
      return null;
    case CATALOG_OID.pg_class:
      return columnDescription(catalog, object, 0);
    case CATALOG_OID.pg_namespace:
      return catalog.schemaByOid(object)?.comment ?? null;
    case CATALOG_OID.pg_type:
      return catalog.typeByOid(object)?.comment ?? builtinTexts().get(`${place}/${object}`) ?? null;
    case CATALOG_OID.pg_constraint:
      return find(relationDescriptions(catalog), place, object);
    default:
      return builtinTexts().get(`${place}/${object}`) ?? null;
  }
}

export function sharedDescription(
  catalog: CatalogView,
  object: number,
  catalogName: string,
): string | null {
  const place = systemRelation('pg_catalog', catalogName)?.oid;
  return place === undefined ? null : find(sharedDescriptions(catalog), place, object);
}

/** obj_description without a catalog: the first object of the oid that has a comment. */
export function anyDescription(catalog: CatalogView, object: number): string | null {
  return find(descriptions(catalog), null, object);
}

/** The comment of a relation's column by its number, or with 0 of the relation or index itself. */
export function columnDescription(
  catalog: CatalogView,
  object: number,
  column: number,
): string | null {
  const relation = catalog.relationByOid(object);
  if (column === 0) return relation?.comment ?? catalog.indexByOid(object)?.index.comment ?? null;
  const found = relation?.columns[column - 1];
  return found === undefined || found.dropped ? null : (found.comment ?? null);
}

function find(among: Iterable<Description>, place: number | null, object: number): string | null {
  for (const found of among) {
    if (found.object !== object || found.column !== 0) continue;
    if (place === null || found.catalog === place) return found.text;
  }
  return null;
}

function* descriptionRows(state: SystemState): Iterable<SystemRow> {
  for (const { catalog, object, column, text } of descriptions(state.catalog)) {
    yield { objoid: object, classoid: catalog, objsubid: column, description: text };
  }
}

function* sharedDescriptionRows(state: SystemState): Iterable<SystemRow> {
  for (const { catalog, object, text } of sharedDescriptions(state.catalog)) {
    yield { objoid: object, classoid: catalog, description: text };
  }
}

export const DESCRIPTION_VIEWS: ProducerTable = {
  'pg_catalog.pg_description': descriptionRows,
  'pg_catalog.pg_shdescription': sharedDescriptionRows,
};
