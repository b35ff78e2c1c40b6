import type { IndexDescriptor, RelationDescriptor } from '../../catalog/descriptors.ts';
import { keyFormOf } from '../../types/index.ts';
import type { EntryColumn } from './plan.ts';

/** Where in the entries of a secondary index the values of columns (positions in the table) can be read: in
 * the index's own columns, or in the clustered key that an entry leads to. Null where some cannot, and the
 * rows themselves have to be looked up. */
export function entryColumns(
  table: RelationDescriptor,
  index: IndexDescriptor,
  columns: readonly number[],
): readonly EntryColumn[] | null {
  if (index.clustered) return null;
  const clustered = table.clusterKey ?? [];
  const isReadable = ({ in: place, part }: EntryColumn): boolean => {
    // What stands before has to be passed over.
    if (place === 'value') {
      return clustered.slice(0, part + 1).every((column) => hasForm(table.columns[column]?.type));
    }
    return index.columns
      .slice(0, part + 1)
      .every(({ type, descending }) => !descending && hasForm(type));
  };
  const found: EntryColumn[] = [];
  for (const column of columns) {
    const places: EntryColumn[] = [
      { in: 'key', part: index.columns.findIndex((one) => one.column === column) },
      { in: 'value', part: clustered.indexOf(column) },
    ];
    const source = places.find((place) => place.part >= 0 && isReadable(place));
    if (source === undefined) return null;
    found.push(source);
  }
  return found;
}

function hasForm(type: number | undefined): boolean {
  return type !== undefined && keyFormOf(type) !== null;
}
