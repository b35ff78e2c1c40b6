import { computedParts, type RelationDescriptor } from '../../catalog/descriptors.ts';
import type { RowLockStrength } from '../bind/query.ts';

/** Assigning to a column of a key that others may refer to locks the row against key-share locks too. */
export function lockStrength(
  table: RelationDescriptor,
  assignments: readonly { readonly column: number }[],
): RowLockStrength {
  const keys = new Set(table.clusterKey ?? []);
  for (const index of table.indexes) {
    if (!index.unique || computedParts(index).length > 0) continue;
    for (const column of index.columns) keys.add(column.column);
  }
  return assignments.some(({ column }) => keys.has(column)) ? 'update' : 'noKeyUpdate';
}
