import { assert } from '../../../base/index.ts';
import type { CatalogView, RelationDescriptor } from '../../../catalog/descriptors.ts';
import { PartitionSearch } from '../../../catalog/index.ts';
import type { Datum } from '../../../types/index.ts';
import { columnMap } from '../../bind/partition-checks.ts';
import { Reference } from './reference.ts';

/** What is known of the partitions that references lead to, as long as the catalog does not change. */
interface KnownPartitions {
  readonly version: number;
  readonly searches: Map<RelationDescriptor, PartitionSearch>;
  readonly references: Map<RelationDescriptor, Reference>;
}

const KNOWN = new WeakMap<Reference, KnownPartitions>();

/** A reference as one to the table that has the row of a key, if there is one: a reference to a
 * partitioned table leads to one of its partitions, since a unique key holds the whole partition key.
 * Null where no partition takes the key. The key has no NULL. */
export function partitionReference(
  catalog: CatalogView,
  reference: Reference,
  key: readonly Datum[],
): Reference | null {
  const { parent, foreign, constraint } = reference;
  if (parent.partitioning === null) return reference;
  const known = knownPartitions(catalog, reference);
  let table = parent;
  let columns = foreign.columns;
  let index = constraint.index;
  while (table.partitioning !== null) {
    const values = table.partitioning.keys.map(({ column }) => key[columns.indexOf(column)]!);
    const partitions = catalog.partitionsOf(table.oid);
    const found = partitions[searchOf(known, table, partitions).find(values)];
    if (found === undefined) return null;
    columns = columns.map(columnMap(table, found));
    const part = found.indexes.find((other) => other.parent === index);
    assert(part !== undefined, `partition ${found.name} lacks the index of ${constraint.name}`);
    index = part.oid;
    table = found;
  }
  let part = known.references.get(table);
  if (part === undefined) {
    const narrowed = { ...constraint, index, foreign: { ...foreign, table: table.oid, columns } };
    part = new Reference(reference.child, narrowed, table);
    known.references.set(table, part);
  }
  return part;
}

function knownPartitions({ version }: CatalogView, reference: Reference): KnownPartitions {
  const known = KNOWN.get(reference);
  if (known !== undefined && known.version === version) return known;
  const fresh = { version, searches: new Map(), references: new Map() };
  KNOWN.set(reference, fresh);
  return fresh;
}

function searchOf(
  { searches }: KnownPartitions,
  table: RelationDescriptor,
  partitions: readonly RelationDescriptor[],
): PartitionSearch {
  let search = searches.get(table);
  if (search === undefined) {
    const bounds = partitions.map(({ partitionOf }) => partitionOf!.bound);
    search = new PartitionSearch(table.partitioning!, bounds);
    searches.set(table, search);
  }
  return search;
}
