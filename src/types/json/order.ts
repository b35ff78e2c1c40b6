/** Order of jsonb, of its stored forms and as keys.
 *
 * null < strings < numbers < false < true < arrays < objects, but that an empty array by itself is
 * below all else. Arrays and objects order by their sizes, then by their elements, or by the names
 * and values of their fields in canonical order.
 *
 * Key: 10 for an empty array by itself; else
 *
 *   20  null
 *   30  string: UTF-8, 00
 *   40  number: its key, see numeric/key.ts
 *   50  false
 *   51  true
 *   60  array: count in 4 bytes, big-endian; the keys of the elements
 *   70  object: count in 4 bytes, big-endian; for each field its name in UTF-8, 00, and its key
 */
import { type ByteWriter, compareByteRanges, countWork } from '../../base/index.ts';
import { encodeNumericKey } from '../numeric/key.ts';
import { loadNumeric } from '../numeric/stored.ts';
import { compareNumeric } from '../numeric/value.ts';
import { countAt, itemEnd, itemStart, TAG, tagAt } from './stored.ts';

const EMPTY_ARRAY_KEY = 0x10;

/** What the key of a value begins with; it ranks values of different kinds. */
const RANK: Readonly<Record<number, number>> = {
  [TAG.null]: 0x20,
  [TAG.string]: 0x30,
  [TAG.number]: 0x40,
  [TAG.false]: 0x50,
  [TAG.true]: 0x51,
  [TAG.array]: 0x60,
  [TAG.object]: 0x70,
};

/** What is done for an element or a field, in units of work. */
const ITEM_WORK = 16;

/** Orders two stored values. */
export function compareStored(a: Uint8Array, b: Uint8Array): number {
  const order = Number(isEmptyArray(b, 0)) - Number(isEmptyArray(a, 0));
  return order || compareStoredAt(a, 0, a.length, b, 0, b.length);
}

function isEmptyArray(bytes: Uint8Array, start: number): boolean {
  return tagAt(bytes, start) === TAG.array && countAt(bytes, start) === 0;
}

/** The same of two parts of stored values, which an empty array does not stand below. */
export function compareStoredAt(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const tag = tagAt(a, aStart);
  const otherTag = tagAt(b, bStart);
  if (tag !== otherTag) return RANK[tag]! - RANK[otherTag]!;
  switch (tag) {
    case TAG.string:
      return compareByteRanges(a, aStart + 1, aEnd, b, bStart + 1, bEnd);
    case TAG.number:
      return compareNumeric(loadNumeric(a, aStart + 1, aEnd), loadNumeric(b, bStart + 1, bEnd));
    case TAG.array:
    case TAG.object:
      return compareContainers(a, aStart, b, bStart, tag === TAG.object);
    default:
      return 0;
  }
}

function compareContainers(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
  named: boolean,
): number {
  const count = countAt(a, aStart);
  const otherCount = countAt(b, bStart);
  if (count !== otherCount) return count - otherCount;
  const firstValue = named ? count : 0;
  for (let i = 0; i < count; i++) {
    countWork(ITEM_WORK);
    if (named) {
      const order = compareByteRanges(
        a,
        itemStart(a, aStart, i),
        itemEnd(a, aStart, i),
        b,
        itemStart(b, bStart, i),
        itemEnd(b, bStart, i),
      );
      if (order !== 0) return order;
    }
    const item = firstValue + i;
    const order = compareStoredAt(
      a,
      itemStart(a, aStart, item),
      itemEnd(a, aStart, item),
      b,
      itemStart(b, bStart, item),
      itemEnd(b, bStart, item),
    );
    if (order !== 0) return order;
  }
  return 0;
}

/** Appends the key of the stored value of bytes[start, end). */
export function encodeJsonbKey(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
): void {
  if (isEmptyArray(bytes, start)) out.u8(EMPTY_ARRAY_KEY);
  else writeKey(bytes, start, end, out);
}

function writeKey(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  const tag = tagAt(bytes, start);
  out.u8(RANK[tag]!);
  switch (tag) {
    case TAG.string:
      out.range(bytes, start + 1, end);
      out.u8(0);
      return;
    case TAG.number:
      encodeNumericKey(loadNumeric(bytes, start + 1, end), out);
      return;
    case TAG.array:
    case TAG.object:
      writeContainerKey(bytes, start, tag === TAG.object, out);
      return;
    default:
  }
}

function writeContainerKey(
  bytes: Uint8Array,
  start: number,
  named: boolean,
  out: ByteWriter,
): void {
  const count = countAt(bytes, start);
  out.u32be(count);
  const firstValue = named ? count : 0;
  for (let i = 0; i < count; i++) {
    countWork(ITEM_WORK);
    if (named) {
      out.range(bytes, itemStart(bytes, start, i), itemEnd(bytes, start, i));
      out.u8(0);
    }
    const item = firstValue + i;
    writeKey(bytes, itemStart(bytes, start, item), itemEnd(bytes, start, item), out);
  }
}
