/** Keys of clustered trees and of index entries.
 *
 *   clustered   each clustering column as encodeKeyPart writes it, ascending, NULLs last; or the
 *               hidden row id, 8 bytes big-endian
 *   index       each index column as encodeKeyPart writes it in its order; then, unless the index
 *               is unique and no column is NULL, the clustered key, which makes the entry unique
 *
 * The value of an index entry is the clustered key of its row. A row for which the predicate of a partial
 * index is not true has no entry.
 *
 * Expressions and predicates of indexes are computed by whoever changes rows. Their values stand behind
 * the table's columns in the rows that it gives: index by index in the table's order, those of the
 * expressions first, then that of the predicate. */
import { assert, type ByteWriter } from '../base/index.ts';
import {
  columnsIn,
  computedParts,
  type IndexDescriptor,
  type RelationDescriptor,
} from '../catalog/descriptors.ts';
import { type ColumnVector, type NumberVector, readDatum } from '../chunk/index.ts';
import { KEY_LENGTH_MAX, keyTooLong } from '../storage/index.ts';
import {
  type Datum,
  encodeKeyPart,
  encodeStoredKeyPart,
  type SqlType,
  typeByOid,
} from '../types/index.ts';

/** Appends one key part from a vector. */
export function encodeKeyPartOfVector(
  type: SqlType,
  vector: ColumnVector,
  row: number,
  descending: boolean,
  nullsFirst: boolean,
  out: ByteWriter,
): void {
  if (!vector.allValid && vector.valid[row] === 0) {
    encodeKeyPart(type, null, descending, nullsFirst, out);
    return;
  }
  if (vector.lane === 'bytes') {
    const start = vector.start[row]!;
    const end = start + vector.length[row]!;
    encodeStoredKeyPart(type, vector.buffer, start, end, descending, out);
    return;
  }
  encodeKeyPart(type, readDatum(vector, row, type), descending, nullsFirst, out);
}

/** What a table's clustered keys are made of. */
export interface ClusterKey {
  /** Positions of the columns; null for the hidden row id. */
  readonly columns: readonly number[] | null;
  readonly types: readonly SqlType[];
}

/** The clustering key of a table. */
export function clusterKeyOf(table: RelationDescriptor): ClusterKey {
  const columns = table.clusterKey;
  if (columns === null) return { columns, types: [] };
  return { columns, types: columns.map((column) => typeByOid(table.columns[column]!.type)) };
}

/** Appends the clustered key of a row given as vectors by column position. */
export function encodeClusterKey(
  key: ClusterKey,
  columns: readonly ColumnVector[],
  row: number,
  out: ByteWriter,
): void {
  assert(key.columns !== null, 'a row id is assigned, not computed');
  for (let i = 0; i < key.columns.length; i++) {
    encodeKeyPartOfVector(key.types[i]!, columns[key.columns[i]!]!, row, false, false, out);
  }
}

/** Appends the clustered key of a row of Datums. */
export function encodeClusterKeyFromDatums(
  key: ClusterKey,
  values: readonly Datum[],
  out: ByteWriter,
): void {
  assert(key.columns !== null, 'a row id is assigned, not computed');
  for (let i = 0; i < key.columns.length; i++) {
    encodeKeyPart(key.types[i]!, values[key.columns[i]!] ?? null, false, false, out);
  }
}

/** Appends a hidden row id as a clustered key. */
export function encodeRowId(rowId: number, out: ByteWriter): void {
  out.i64be(rowId);
}

/** What an index's entries are made of. */
export interface IndexKey {
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  /** Positions in the row given. */
  readonly columns: readonly number[];
  /** Position of the predicate's value; -1: every row has an entry. */
  readonly predicate: number;
  /** The table's columns that decide what entry a row has. */
  readonly reads: readonly number[];
  readonly types: readonly SqlType[];
  readonly descending: readonly boolean[];
  readonly nullsFirst: readonly boolean[];
}

/** An index of a table, and where its computed values begin in rows. */
export interface IndexPlace {
  readonly index: IndexDescriptor;
  readonly first: number;
}

export function indexPlaces(table: RelationDescriptor): IndexPlace[] {
  let next = table.columns.length;
  return table.indexes.map((index) => {
    const first = next;
    next += computedParts(index).length;
    return { index, first };
  });
}

/** The key of an index whose computed values begin at position `first` of rows. */
export function indexKeyOf(
  table: RelationDescriptor,
  index: IndexDescriptor,
  first: number = table.columns.length,
): IndexKey {
  const { columns, predicate } = index;
  let next = first;
  const positions = columns.map(({ column }) => (column >= 0 ? column : next++));
  const plain = columns.map(({ column }) => column).filter((column) => column >= 0);
  return {
    unique: index.unique,
    nullsNotDistinct: index.nullsNotDistinct,
    columns: positions,
    predicate: predicate === null ? -1 : next,
    reads: [...new Set([...plain, ...columnsIn(computedParts(index))])],
    types: columns.map((column) => typeByOid(column.type)),
    descending: columns.map((column) => column.descending),
    nullsFirst: columns.map((column) => column.nullsFirst),
  };
}

/** Whether a row has an entry in an index. */
export function hasEntry(key: IndexKey, columns: readonly ColumnVector[], row: number): boolean {
  if (key.predicate < 0) return true;
  const vector = columns[key.predicate] as NumberVector;
  return vector.values[row] !== 0 && !vector.isNull(row);
}

/** Appends the columns of an index entry's key; true when one of them is NULL. */
export function encodeIndexColumns(
  key: IndexKey,
  columns: readonly ColumnVector[],
  row: number,
  out: ByteWriter,
): boolean {
  let hasNull = false;
  for (let i = 0; i < key.columns.length; i++) {
    const vector = columns[key.columns[i]!]!;
    if (!vector.allValid && vector.valid[row] === 0) hasNull = true;
    encodeKeyPartOfVector(key.types[i]!, vector, row, key.descending[i]!, key.nullsFirst[i]!, out);
  }
  return hasNull;
}

/** Appends the columns of an index entry's key from Datums; true when one of them is NULL. */
export function encodeIndexColumnsFromDatums(
  key: IndexKey,
  values: readonly Datum[],
  out: ByteWriter,
): boolean {
  let hasNull = false;
  for (let i = 0; i < key.columns.length; i++) {
    const value = values[key.columns[i]!] ?? null;
    if (value === null) hasNull = true;
    encodeKeyPart(key.types[i]!, value, key.descending[i]!, key.nullsFirst[i]!, out);
  }
  return hasNull;
}

/** Whether equal index columns are refused, so that the entry's key ends with them. */
export function isUniqueEntry(key: IndexKey, hasNull: boolean): boolean {
  return key.unique && (!hasNull || key.nullsNotDistinct);
}

/** Refuses keys that no page can hold: when they are made and not in the commit, where there is no
 * way back. */
export function checkKeyLength(key: ByteWriter, index: IndexDescriptor | null): void {
  if (key.position > KEY_LENGTH_MAX) throw keyTooLong(key.position, index?.name);
}

/** Appends the key of the index entry of a row whose clustered key is clusterKey[start, end). */
export function encodeIndexEntry(
  key: IndexKey,
  columns: readonly ColumnVector[],
  row: number,
  clusterKey: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
): void {
  const hasNull = encodeIndexColumns(key, columns, row, out);
  if (!isUniqueEntry(key, hasNull)) out.range(clusterKey, start, end);
}
