import type { ForeignKeyPlace, RelationDescriptor } from '../../../catalog/descriptors.ts';
import { columnMap } from '../../bind/partition-checks.ts';
import type { ForeignKeyCatalog } from './services.ts';

/** The foreign keys of a table, those that it has and those that refer to it. */
export interface TableKeys {
  readonly own: readonly ForeignKeyPlace[];
  readonly referring: readonly ForeignKeyPlace[];
}

export function hasForeignKeys(catalog: ForeignKeyCatalog, table: RelationDescriptor): boolean {
  return (
    table.constraints.some(({ kind }) => kind === 'foreign') ||
    wholesOf(catalog, table).some(({ oid }) => catalog.referencing(oid).length > 0)
  );
}

/** In the order of their making, in which PostgreSQL looks at them. */
export function tableKeys(catalog: ForeignKeyCatalog, table: RelationDescriptor): TableKeys {
  const own = table.constraints
    .filter(({ kind }) => kind === 'foreign')
    .map((constraint) => ({ table: table.oid, constraint }));
  const referring = wholesOf(catalog, table).flatMap((whole) =>
    referringTo(catalog, whole, columnMap(whole, table)),
  );
  return { own: own.sort(byOid), referring: referring.sort(byOid) };
}

/** A table, and the partitioned tables whose rows are in it: who refers to them refers to it. */
function wholesOf(catalog: ForeignKeyCatalog, table: RelationDescriptor): RelationDescriptor[] {
  const parent = catalog.relationByOid(table.partitionOf?.parent ?? 0);
  return parent === undefined ? [table] : [table, ...wholesOf(catalog, parent)];
}

/** The foreign keys that refer to a table, over the columns as its partition has them. */
function referringTo(
  catalog: ForeignKeyCatalog,
  table: RelationDescriptor,
  position: (column: number) => number,
): ForeignKeyPlace[] {
  // A partitioned table has no rows that refer; its partitions have foreign keys of their own.
  const places = catalog
    .referencing(table.oid)
    .filter((place) => catalog.relationByOid(place.table)?.kind !== 'partitioned');
  return places.map(({ table: child, constraint }) => {
    const foreign = constraint.foreign!;
    const columns = foreign.columns.map(position);
    return { table: child, constraint: { ...constraint, foreign: { ...foreign, columns } } };
  });
}

function byOid(a: ForeignKeyPlace, b: ForeignKeyPlace): number {
  return a.constraint.oid - b.constraint.oid;
}
