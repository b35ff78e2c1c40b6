import { computedParts, type RelationDescriptor } from '../../catalog/descriptors.ts';
import type { RowLockStrength } from '../bind/query.ts';

/** Changing a key that others may refer to locks the row against key-share locks too. */
export function lockStrength(
  table: RelationDescriptor,
  assignments: readonly { readonly column: number }[],
): RowLockStrength {
  return assignedKeys(table, assignments).length > 0 ? 'update' : 'noKeyUpdate';
}

/** The assigned columns that are of keys which others may refer to. */
export function assignedKeys(
  table: RelationDescriptor,
  assignments: readonly { readonly column: number }[],
): number[] {
  const keys = new Set(table.clusterKey ?? []);
  for (const index of table.indexes) {
    if (!index.unique || computedParts(index).length > 0) continue;
    for (const column of index.columns) keys.add(column.column);
  }
  return assignments.map(({ column }) => column).filter((column) => keys.has(column));
}
