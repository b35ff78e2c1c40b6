/** The array type over an element type.
 *
 * Stored form, integers little-endian:
 *
 *   offset  size  field
 *        0     1  shape        bits 0..2: number of dimensions; bit 7: there are NULLs
 *        1     8  dimension    length and lower bound, for each dimension
 *        …     …  nulls        one bit an element, set for NULL; only when there are NULLs
 *        …     …  elements     of those not NULL the stored form; before it its length in 4 bytes
 *                              unless all values of the element type have the same
 *
 * Valid if and only if (1) there are at most 6 dimensions and their lengths multiply to the number of
 * elements, (2) the last element ends where the array does, (3) each is valid in its type's form.
 * Versions: 1, first release.
 *
 * Key: for each element 01 and its key, or 02 for NULL; then 00, which puts a shorter array before a
 * longer one; then the number of dimensions, their lengths and lower bounds, which decide between
 * arrays of the same elements.
 */
import { type ByteWriter, countWork } from '../base/index.ts';
import { pgError } from '../errors/index.ts';
import { ELEMENT_WORK, mapElements } from './array-elements.ts';
import { checkDimensionCount, checkElementCount, formatArray, parseArray } from './array-text.ts';
import type { ArrayDatum, Datum } from './datum.ts';
import { COMMON, insufficientData, readInt32, readInt32le, surplusData } from './scalar.ts';
import type { SqlType, StoredKind } from './sql-type.ts';

/** Bytes of a stored value; 0 where they differ from value to value. */
const STORED_WIDTH: Readonly<Record<StoredKind, number>> = {
  bool: 1,
  int2: 2,
  int4: 4,
  int8: 8,
  float4: 4,
  float8: 8,
  bytes: 0,
};

const HAS_NULLS = 0x80;

/** Makes a one-dimensional array, the first subscript being 1. */
export function arrayOf(elementType: number, elements: readonly Datum[]): ArrayDatum {
  if (elements.length === 0) {
    return { elementType, dimensions: [], lowerBounds: [], elements };
  }
  return { elementType, dimensions: [elements.length], lowerBounds: [1], elements };
}

export function arrayType(element: SqlType): SqlType {
  const base: SqlType = {
    ...COMMON,
    oid: element.arrayOid,
    name: `_${element.name}`,
    sqlName: `${element.sqlName}[]`,
    arrayOid: 0,
    elementOid: element.oid,
    category: 'A',
    length: -1,
    byValue: false,
    align: element.align === 'd' ? 'd' : 'i',
    storage: 'x',
    collation: element.collation,
    lane: 'object',
    stored: 'bytes',
    input: (text, context, typmod) => parseArray(text, element, context, typmod),
    output: (value, context) => formatArray(value as ArrayDatum, element, context),
    receive: (bytes, start, end) => receiveArray(element, bytes, start, end),
    send: (value, out) => sendArray(element, value as ArrayDatum, out),
    writeText: (value, out, context) =>
      out.utf8(formatArray(value as ArrayDatum, element, context)),
    compare: (a, b) => compareArrays(element, a as ArrayDatum, b as ArrayDatum),
    encodeKey: (value, out) => encodeArrayKey(element, value as ArrayDatum, out),
    toBytes: (value, out) => storeArray(element, value as ArrayDatum, out),
    fromBytes: (bytes, start, end) => loadArray(element, bytes, start, end),
  };
  const { typmodIn, typmodOut, applyTypmod } = element;
  return {
    ...base,
    ...(typmodIn === undefined ? {} : { typmodIn }),
    ...(typmodOut === undefined ? {} : { typmodOut }),
    ...(applyTypmod === undefined
      ? {}
      : {
          applyTypmod: (value, typmod, explicit) => {
            const array = value as ArrayDatum;
            const elements = mapElements(array.elements, (item) =>
              item === null ? null : applyTypmod(item, typmod, explicit),
            );
            return { ...array, elements };
          },
        }),
  };
}

function compareArrays(element: SqlType, a: ArrayDatum, b: ArrayDatum): number {
  const count = Math.min(a.elements.length, b.elements.length);
  for (let i = 0; i < count; i++) {
    countWork(ELEMENT_WORK);
    const left = a.elements[i] ?? null;
    const right = b.elements[i] ?? null;
    if (left === null || right === null) {
      if (left !== right) return left === null ? 1 : -1;
      continue;
    }
    const order = element.compare(left, right);
    if (order !== 0) return order;
  }
  return (
    a.elements.length - b.elements.length ||
    a.dimensions.length - b.dimensions.length ||
    compareLists(a.dimensions, b.dimensions) ||
    compareLists(a.lowerBounds, b.lowerBounds)
  );
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return 0;
}

function encodeArrayKey(element: SqlType, array: ArrayDatum, out: ByteWriter): void {
  for (const item of array.elements) {
    countWork(ELEMENT_WORK);
    if (item === null) {
      out.u8(2);
    } else {
      out.u8(1);
      element.encodeKey(item, out);
    }
  }
  out.u8(0);
  out.u8(array.dimensions.length);
  for (const length of array.dimensions) out.u32be(length);
  for (const bound of array.lowerBounds) out.u32be((bound ^ 0x8000_0000) >>> 0);
}

function storeArray(element: SqlType, array: ArrayDatum, out: ByteWriter): void {
  const { elements, dimensions, lowerBounds } = array;
  countWork(elements.length);
  const hasNulls = elements.includes(null);
  out.u8(dimensions.length | (hasNulls ? HAS_NULLS : 0));
  for (let i = 0; i < dimensions.length; i++) {
    out.u32le(dimensions[i]!);
    out.u32le(lowerBounds[i]! >>> 0);
  }
  if (hasNulls) writeNullBits(elements, out);
  const width = STORED_WIDTH[element.stored];
  for (const item of elements) {
    countWork(ELEMENT_WORK);
    if (item === null) continue;
    if (width > 0) {
      element.toBytes(item, out);
      continue;
    }
    out.u32le(0);
    const start = out.position;
    element.toBytes(item, out);
    out.view.setUint32(start - 4, out.position - start, true);
  }
}

function writeNullBits(elements: readonly Datum[], out: ByteWriter): void {
  for (let i = 0; i < elements.length; i += 8) {
    countWork(ELEMENT_WORK);
    let bits = 0;
    for (let j = i; j < Math.min(i + 8, elements.length); j++) {
      if (elements[j] === null) bits |= 1 << (j - i);
    }
    out.u8(bits);
  }
}

function loadArray(element: SqlType, bytes: Uint8Array, start: number, _end: number): ArrayDatum {
  const shape = bytes[start]!;
  const dimensionCount = shape & 7;
  const dimensions: number[] = [];
  const lowerBounds: number[] = [];
  let at = start + 1;
  let count = dimensionCount === 0 ? 0 : 1;
  for (let i = 0; i < dimensionCount; i++, at += 8) {
    const length = readInt32le(bytes, at);
    dimensions.push(length);
    lowerBounds.push(readInt32le(bytes, at + 4));
    count *= length;
  }
  const nullBits = at;
  const hasNulls = (shape & HAS_NULLS) !== 0;
  if (hasNulls) at += (count + 7) >> 3;
  const width = STORED_WIDTH[element.stored];
  const elements: Datum[] = [];
  for (let i = 0; i < count; i++) {
    countWork(ELEMENT_WORK);
    if (hasNulls && (bytes[nullBits + (i >> 3)]! & (1 << (i & 7))) !== 0) {
      elements.push(null);
      continue;
    }
    let length = width;
    if (width === 0) {
      length = readInt32le(bytes, at);
      at += 4;
    }
    elements.push(element.fromBytes(bytes, at, at + length));
    at += length;
  }
  return { elementType: element.oid, dimensions, lowerBounds, elements };
}

function sendArray(element: SqlType, array: ArrayDatum, out: ByteWriter): void {
  out.u32be(array.dimensions.length);
  out.u32be(array.elements.includes(null) ? 1 : 0);
  out.u32be(element.oid);
  for (let i = 0; i < array.dimensions.length; i++) {
    out.u32be(array.dimensions[i]!);
    out.u32be(array.lowerBounds[i]! >>> 0);
  }
  for (const item of array.elements) {
    countWork(ELEMENT_WORK);
    sendField(element, item, out);
  }
}

/** Appends a length and the binary form, or the length -1 for NULL. */
export function sendField(type: SqlType, value: Datum, out: ByteWriter): void {
  out.u32be(0xffff_ffff);
  if (value === null) return;
  const start = out.position;
  type.send(value, out);
  out.view.setUint32(start - 4, out.position - start);
}

function receiveArray(element: SqlType, bytes: Uint8Array, start: number, end: number): ArrayDatum {
  if (end - start < 12) throw insufficientData();
  const dimensionCount = readInt32(bytes, start);
  if (dimensionCount < 0) {
    throw pgError(
      'invalid_binary_representation',
      `invalid number of dimensions: ${dimensionCount}`,
    );
  }
  checkDimensionCount(dimensionCount);
  const flags = readInt32(bytes, start + 4);
  if (flags !== 0 && flags !== 1) {
    throw pgError('invalid_binary_representation', 'invalid array flags');
  }
  const elementOid = readInt32(bytes, start + 8) >>> 0;
  if (elementOid !== element.oid) {
    throw pgError(
      'datatype_mismatch',
      `binary data has array element type ${elementOid} instead of expected ${element.oid} (${element.sqlName})`,
    );
  }
  let at = start + 12;
  if (end - at < 8 * dimensionCount) throw insufficientData();
  const dimensions: number[] = [];
  const lowerBounds: number[] = [];
  for (let i = 0; i < dimensionCount; i++, at += 8) {
    const length = readInt32(bytes, at);
    if (length < 0)
      throw pgError('program_limit_exceeded', 'array size exceeds the maximum allowed');
    dimensions.push(length);
    lowerBounds.push(readInt32(bytes, at + 4));
  }
  const count = checkElementCount(dimensions);
  if (count > (end - at) / 4) throw insufficientData();
  const elements: Datum[] = [];
  for (let i = 0; i < count; i++) {
    countWork(ELEMENT_WORK);
    if (end - at < 4) throw insufficientData();
    const length = readInt32(bytes, at);
    at += 4;
    if (length === -1) {
      elements.push(null);
      continue;
    }
    if (length < 0 || length > end - at) throw insufficientData();
    elements.push(element.receive(bytes, at, at + length));
    at += length;
  }
  if (at !== end) throw surplusData();
  if (count === 0) return { elementType: element.oid, dimensions: [], lowerBounds: [], elements };
  return { elementType: element.oid, dimensions, lowerBounds, elements };
}

/** int2vector and oidvector: one dimension from subscript 0 on, written as `1 2 3`. */
export function vectorType(oid: number, name: string, arrayOid: number, element: SqlType): SqlType {
  const asArray = arrayType(element);
  const format = (value: Datum, context: Parameters<SqlType['output']>[1]): string =>
    (value as ArrayDatum).elements
      .map((item) => (item === null ? '' : element.output(item, context)))
      .join(' ');
  return {
    ...asArray,
    oid,
    name,
    sqlName: name,
    arrayOid,
    storage: 'p',
    input(text, context, typmod) {
      const words = text.split(/[ \t\n\v\f\r]+/).filter((word) => word !== '');
      const elements = words.map((word) => element.input(word, context, typmod));
      return {
        elementType: element.oid,
        dimensions: [elements.length],
        lowerBounds: [0],
        elements,
      };
    },
    output: format,
    writeText: (value, out, context) => out.utf8(format(value, context)),
  };
}
