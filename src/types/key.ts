/** Composite keys: what indexes, sorts and hash tables compare with memcmp.
 *
 * A key is its parts one after the other. A part is one marker byte and, unless NULL, the type's
 * own key, with every byte inverted for a descending part. The marker orders NULLs:
 *
 *   00  NULL, NULLS FIRST
 *   01  a value
 *   02  NULL, NULLS LAST
 *
 * Every type's key ends itself, so no part can run into the next.
 */
import type { ByteWriter } from '../base/index.ts';
import type { Datum } from './datum.ts';
import type { SqlType } from './sql-type.ts';

const NULL_FIRST = 0;
const VALUE = 1;
const NULL_LAST = 2;

/** Appends one part of a key; `nullsFirst` says where NULLs go, descending or not. */
export function encodeKeyPart(
  type: SqlType,
  value: Datum,
  descending: boolean,
  nullsFirst: boolean,
  out: ByteWriter,
): void {
  if (value === null) {
    out.u8(nullsFirst ? NULL_FIRST : NULL_LAST);
    return;
  }
  out.u8(VALUE);
  const start = out.position;
  type.encodeKey(value, out);
  if (descending) invertBytes(out.bytes, start, out.position);
}

/** The same for a value of lane `bytes`, straight from its stored bytes. */
export function encodeStoredKeyPart(
  type: SqlType,
  bytes: Uint8Array,
  start: number,
  end: number,
  descending: boolean,
  out: ByteWriter,
): void {
  out.u8(VALUE);
  const keyStart = out.position;
  if (type.keyFromBytes !== undefined) type.keyFromBytes(bytes, start, end, out);
  else type.encodeKey(type.fromBytes(bytes, start, end), out);
  if (descending) invertBytes(out.bytes, keyStart, out.position);
}

/** How one column of a key is ordered. */
export interface KeyColumn {
  readonly type: SqlType;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** Appends a whole key. */
export function encodeKey(
  columns: readonly KeyColumn[],
  values: readonly Datum[],
  out: ByteWriter,
): void {
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i]!;
    encodeKeyPart(column.type, values[i] ?? null, column.descending, column.nullsFirst, out);
  }
}

/** Orders two rows of Datums as their keys are ordered. */
export function compareKeys(
  columns: readonly KeyColumn[],
  a: readonly Datum[],
  b: readonly Datum[],
): number {
  for (let i = 0; i < columns.length; i++) {
    const order = compareNullable(columns[i]!, a[i] ?? null, b[i] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareNullable(column: KeyColumn, a: Datum, b: Datum): number {
  if (a === null || b === null) {
    if (a === b) return 0;
    return (a === null) === column.nullsFirst ? -1 : 1;
  }
  const order = column.type.compare(a, b);
  return column.descending ? -order : order;
}

/** Turns the order of key bytes around; a key of bytes that ends itself still does. */
function invertBytes(bytes: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) bytes[i]! ^= 0xff;
}
