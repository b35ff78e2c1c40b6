/** Shapes of the system views: columns as PostgreSQL 15 has them, under its oids.
 *
 * schemas/catalog/system_views.json holds one entry for each table and view of pg_catalog and
 * information_schema that Heddle answers. Domains of information_schema are replaced by their base
 * types, and types that Heddle lacks (pg_lsn, …) by text. */

import shapeRows from '../../../schemas/catalog/system_views.json' with { type: 'json' };
import type { SystemViewShape } from '../descriptors.ts';

export interface SystemRelation extends SystemViewShape {
  readonly schema: 'pg_catalog' | 'information_schema';
  /** In PostgreSQL a table (r) or a view (v); here all are computed. */
  readonly kind: 'r' | 'v';
  /** Oid of the row type. */
  readonly rowType: number;
  readonly columns: readonly SystemColumn[];
}

export interface SystemColumn {
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
  readonly notNull: boolean;
}

export const SYSTEM_RELATIONS = shapeRows as readonly SystemRelation[];

const byName = new Map(SYSTEM_RELATIONS.map((shape) => [`${shape.schema}.${shape.name}`, shape]));
const byOid = new Map(SYSTEM_RELATIONS.map((shape) => [shape.oid, shape]));

/** The shape of a view, or undefined when there is none of the name. */
export function systemRelation(schema: string, name: string): SystemRelation | undefined {
  return byName.get(`${schema}.${name}`);
}

export function systemRelationByOid(oid: number): SystemRelation | undefined {
  return byOid.get(oid);
}

export function systemRelationOfRowType(type: number): SystemRelation | undefined {
  return SYSTEM_RELATIONS.find((shape) => shape.rowType === type);
}
