import type { ForeignKeyPlace, RelationDescriptor } from '../../../catalog/descriptors.ts';
import type { ForeignKeyCatalog } from './services.ts';

/** The foreign keys of a table, those that it has and those that refer to it. */
export interface TableKeys {
  readonly own: readonly ForeignKeyPlace[];
  readonly referring: readonly ForeignKeyPlace[];
}

export function hasForeignKeys(catalog: ForeignKeyCatalog, table: RelationDescriptor): boolean {
  return (
    table.constraints.some(({ kind }) => kind === 'foreign') ||
    catalog.referencing(table.oid).length > 0
  );
}

/** In the order of their making, in which PostgreSQL looks at them. */
export function tableKeys(catalog: ForeignKeyCatalog, table: RelationDescriptor): TableKeys {
  const own = table.constraints
    .filter(({ kind }) => kind === 'foreign')
    .map((constraint) => ({ table: table.oid, constraint }));
  // A partitioned table has no rows; its partitions have foreign keys of their own.
  const referring = catalog
    .referencing(table.oid)
    .filter(({ table: oid }) => catalog.relationByOid(oid)?.kind !== 'partitioned');
  return { own: own.sort(byOid), referring: referring.sort(byOid) };
}

function byOid(a: ForeignKeyPlace, b: ForeignKeyPlace): number {
  return a.constraint.oid - b.constraint.oid;
}
