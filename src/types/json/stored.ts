/** The stored form of jsonb. A value is a tag and what follows it, up to an end that its tuple or its
 * container knows. Integers are little-endian.
 *
 *   tag     value
 *   00      null
 *   01      false
 *   02      true
 *   03      string: UTF-8
 *   04      number: stored numeric, see numeric/stored.ts
 *   10 + w  array: its elements as items
 *   20 + w  object: the names of its fields as items, each UTF-8, in canonical order; then as many
 *           values as items
 *
 * A container of n elements or fields has n or 2n items. Its integers have W = 2^w bytes, w being 0,
 * 1 or 2, the least in which all of them fit:
 *
 *   offset  size      field
 *        0  1         tag
 *        1  W         n
 *      1+W  W*items   where each item ends, counted from where the first starts
 *        …  …         items
 *
 * So a field is found by binary search and an element by its number, in place.
 *
 * Valid if and only if (1) the tag is one of these, with w at most 2, (2) the ends of items do not
 * decrease and the last is that of the container, (3) the names of an object are in canonical order
 * and no two are the same, (4) each item is valid. `encodeJsonb` and its kin make nothing else, and
 * what was stored is not checked again. Versions: 1, first release. */
import { ByteWriter, compareByteRanges, countWork, decodeUtf8 } from '../../base/index.ts';
import type { FiniteNumeric } from '../datum.ts';
import { loadNumeric, storeNumeric } from '../numeric/stored.ts';
import { isArray, isObject, type JsonbScalar, type JsonbValue } from './value.ts';

export const TAG = { null: 0, false: 1, true: 2, string: 3, number: 4, array: 0x10, object: 0x20 };

/** The kind of the value at `start`, one of TAG. */
export function tagAt(bytes: Uint8Array, start: number): number {
  const tag = bytes[start]!;
  return tag < TAG.array ? tag : tag & 0xf0;
}

/** How many elements or fields a container has. */
export function countAt(bytes: Uint8Array, start: number): number {
  return readUnsigned(bytes, start + 1, 1 << (bytes[start]! & 3));
}

/** Number of items of a container: its elements, or its names and values. */
function itemCount(bytes: Uint8Array, start: number): number {
  const count = countAt(bytes, start);
  return tagAt(bytes, start) === TAG.object ? 2 * count : count;
}

/** Where item i of the container at `start` begins. Of an object of n fields, item i is the name of
 * field i and item n + i its value. */
export function itemStart(bytes: Uint8Array, start: number, i: number): number {
  const width = 1 << (bytes[start]! & 3);
  const ends = start + 1 + width;
  const items = ends + width * itemCount(bytes, start);
  return i === 0 ? items : items + readUnsigned(bytes, ends + width * (i - 1), width);
}

/** Where item i of the container at `start` ends. */
export function itemEnd(bytes: Uint8Array, start: number, i: number): number {
  return itemStart(bytes, start, i + 1);
}

function readUnsigned(bytes: Uint8Array, at: number, width: number): number {
  if (width === 1) return bytes[at]!;
  const low = bytes[at]! | (bytes[at + 1]! << 8);
  return width === 2 ? low : (low | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** The item that holds the value of a field of the object at `start`; -1 when it has no such field.
 * The name is names[from, to), in UTF-8. */
export function findField(
  bytes: Uint8Array,
  start: number,
  names: Uint8Array,
  from: number,
  to: number,
): number {
  const width = 1 << (bytes[start]! & 3);
  const count = countAt(bytes, start);
  const ends = start + 1 + width;
  const items = ends + width * 2 * count;
  let low = 0;
  let high = count - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const at = ends + width * middle;
    const nameStart = middle === 0 ? items : items + readUnsigned(bytes, at - width, width);
    const nameEnd = items + readUnsigned(bytes, at, width);
    const order =
      nameEnd - nameStart - (to - from) ||
      compareByteRanges(bytes, nameStart, nameEnd, names, from, to);
    if (order === 0) return count + middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** What is done for an element or a field, in units of work. */
const ITEM_WORK = 8;

/** The tree of the value of bytes[start, end). */
export function loadJsonb(bytes: Uint8Array, start: number, end: number): JsonbValue {
  const tag = tagAt(bytes, start);
  if (tag < TAG.array) return loadScalar(bytes, start, end);
  const count = countAt(bytes, start);
  if (tag === TAG.array) {
    const elements: JsonbValue[] = [];
    for (let i = 0; i < count; i++) {
      countWork(ITEM_WORK);
      elements.push(loadItem(bytes, start, i));
    }
    return elements;
  }
  const fields = new Map<string, JsonbValue>();
  for (let i = 0; i < count; i++) {
    countWork(ITEM_WORK);
    fields.set(loadName(bytes, start, i), loadItem(bytes, start, count + i));
  }
  return fields;
}

/** The name of field i of the object at `start`. */
export function loadName(bytes: Uint8Array, start: number, i: number): string {
  return decodeUtf8(bytes, itemStart(bytes, start, i), itemEnd(bytes, start, i));
}

/** The tree of item i, an element or a field's value. */
export function loadItem(bytes: Uint8Array, start: number, i: number): JsonbValue {
  return loadJsonb(bytes, itemStart(bytes, start, i), itemEnd(bytes, start, i));
}

function loadScalar(bytes: Uint8Array, start: number, end: number): JsonbScalar {
  switch (bytes[start]!) {
    case TAG.null:
      return null;
    case TAG.false:
      return false;
    case TAG.true:
      return true;
    case TAG.string:
      return decodeUtf8(bytes, start + 1, end);
    default:
      return loadNumeric(bytes, start + 1, end) as FiniteNumeric;
  }
}

/** A stored value as a tree. */
export function decodeJsonb(bytes: Uint8Array): JsonbValue {
  return loadJsonb(bytes, 0, bytes.length);
}

/** A writer beyond this size is not kept for the next value. */
const SCRATCH_KEPT_MAX = 1 << 20;
let scratch = new ByteWriter();

/** The bytes that were written to `scratch`. */
function written(): Uint8Array {
  const bytes = scratch.copy();
  if (bytes.length > SCRATCH_KEPT_MAX) scratch = new ByteWriter();
  return bytes;
}

/** The stored form of a tree, which is the Datum of a jsonb. */
export function encodeJsonb(value: JsonbValue): Uint8Array {
  storeJsonb(value, scratch.reset());
  return written();
}

/** The stored form of an array of stored values. */
export function encodeArray(elements: readonly Uint8Array[]): Uint8Array {
  storeContainer(TAG.array, [], elements, storeStored, scratch.reset());
  return written();
}

/** The stored form of an object of stored values, its fields in canonical order. */
export function encodeObject(fields: ReadonlyMap<string, Uint8Array>): Uint8Array {
  storeContainer(
    TAG.object,
    [...fields.keys()],
    [...fields.values()],
    storeStored,
    scratch.reset(),
  );
  return written();
}

function storeStored(value: Uint8Array, out: ByteWriter): void {
  out.raw(value);
}

function storeJsonb(value: JsonbValue, out: ByteWriter): void {
  if (isArray(value)) storeContainer(TAG.array, [], value, storeJsonb, out);
  else if (isObject(value)) {
    storeContainer(TAG.object, [...value.keys()], [...value.values()], storeJsonb, out);
  } else storeScalar(value, out);
}

function storeScalar(value: JsonbScalar, out: ByteWriter): void {
  if (value === null) out.u8(TAG.null);
  else if (typeof value === 'boolean') out.u8(value ? TAG.true : TAG.false);
  else if (typeof value === 'string') {
    out.u8(TAG.string);
    out.utf8(value);
  } else {
    out.u8(TAG.number);
    storeNumeric(value, out);
  }
}

/** Writes the items behind a header of one-byte integers, and moves them when it needs wider ones. */
function storeContainer<Value>(
  tag: number,
  names: readonly string[],
  values: readonly Value[],
  store: (value: Value, out: ByteWriter) => void,
  out: ByteWriter,
): void {
  const start = out.position;
  const count = values.length;
  const items = names.length + values.length;
  const narrow = 2 + items;
  out.reserve(narrow);
  out.position += narrow;
  const first = out.position;
  const ends: number[] = [];
  for (const name of names) {
    countWork(ITEM_WORK);
    out.utf8(name);
    ends.push(out.position - first);
  }
  for (const value of values) {
    countWork(ITEM_WORK);
    store(value, out);
    ends.push(out.position - first);
  }
  const size = out.position - first;
  const exponent = Math.max(widthExponent(count), widthExponent(size));
  const width = 1 << exponent;
  const growth = 1 + width + width * items - narrow;
  if (growth > 0) {
    out.reserve(growth);
    out.bytes.copyWithin(first + growth, first, first + size);
  }
  out.position = start;
  out.u8(tag + exponent);
  writeUnsigned(count, width, out);
  for (const end of ends) writeUnsigned(end, width, out);
  out.position += size;
}

function widthExponent(value: number): number {
  return value < 0x100 ? 0 : value < 0x1_0000 ? 1 : 2;
}

function writeUnsigned(value: number, width: number, out: ByteWriter): void {
  if (width === 1) out.u8(value);
  else if (width === 2) out.u16le(value);
  else out.u32le(value);
}
