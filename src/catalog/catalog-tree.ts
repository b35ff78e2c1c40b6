import { assert } from '../base/index.ts';
import type { Cursor, TreeId } from '../storage/index.ts';
import type { PlacedDefinition } from '../types/index.ts';
import {
  CATALOG_KIND,
  type CatalogChange,
  type CatalogKind,
  type CatalogObjects,
} from './catalog.ts';
import { decodeDescriptor, encodeDescriptor } from './codec.ts';
import type { RelationDescriptor, SchemaDescriptor, TypeDescriptor } from './descriptors.ts';

/** The catalog's own tree: one entry an object.
 *
 *   key    1 byte kind (CATALOG_KIND), 4 bytes oid, big-endian
 *   value  the descriptor (codec.ts)
 */
export const CATALOG_TREE = 1 as TreeId;
/** Values of sequences: key 4 bytes oid, big-endian; value see runtime's sequence store. */
export const SEQUENCE_TREE = 2 as TreeId;
/** First tree id for tables and indexes. */
export const FIRST_USER_TREE = 16;
/** First oid for objects of users, as in PostgreSQL. */
export const FIRST_USER_OID = 16384;

const KIND_OF_NUMBER = new Map<number, CatalogKind>(
  Object.entries(CATALOG_KIND).map(([kind, number]) => [number, kind as CatalogKind]),
);

export function catalogKey(kind: CatalogKind, oid: number): Uint8Array {
  const key = new Uint8Array(5);
  key[0] = CATALOG_KIND[kind];
  new DataView(key.buffer).setUint32(1, oid);
  return key;
}

export function catalogValue(change: CatalogChange): Uint8Array | null {
  return change.descriptor === null ? null : encodeDescriptor(change.descriptor);
}

/** Reads every object of the catalog through a cursor on CATALOG_TREE. */
export function readCatalog(cursor: Cursor): CatalogChange[] {
  const changes: CatalogChange[] = [];
  for (let found = cursor.first(); found; found = cursor.next()) {
    const { keyBytes, keyStart } = cursor;
    const kind = KIND_OF_NUMBER.get(keyBytes[keyStart]!);
    assert(kind !== undefined, `catalog entry of unknown kind ${keyBytes[keyStart]}`);
    const oid = new DataView(keyBytes.buffer, keyBytes.byteOffset + keyStart).getUint32(1);
    const decoded = decodeDescriptor(cursor.valueBytes, cursor.valueStart, cursor.valueEnd);
    const descriptor = decoded as CatalogObjects[CatalogKind];
    changes.push({
      kind,
      oid,
      descriptor: kind === 'relation' ? completed(descriptor) : descriptor,
    });
  }
  return changes;
}

/** The types among the objects of a whole catalog, for threads that know nothing else of it. */
export function placedTypes(
  objects: readonly CatalogChange[],
): [oid: number, definition: PlacedDefinition][] {
  const schemas = new Map<number, string>();
  for (const { kind, oid, descriptor } of objects) {
    if (kind === 'schema') schemas.set(oid, (descriptor as SchemaDescriptor).name);
  }
  return objects
    .filter(({ kind }) => kind === 'type')
    .map(({ oid, descriptor }) => {
      const type = descriptor as TypeDescriptor;
      return [oid, { ...type, schemaName: schemas.get(type.schema) ?? '' }];
    });
}

/** Adds what relations lacked that were written before there were partitions. */
function completed(descriptor: CatalogObjects[CatalogKind]): CatalogObjects[CatalogKind] {
  return { ...NO_PARTITIONS, ...(descriptor as RelationDescriptor) };
}

const NO_PARTITIONS = { partitioning: null, partitionOf: null };
