/** jsonb read in its stored form: fields and elements, paths, containment, order, casts. */

import { pgError } from '../../errors/index.ts';
import {
  type ArrayDatum,
  type Datum,
  type FiniteNumeric,
  json,
  numeric,
} from '../../types/index.ts';
import type { FunctionContext } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { orderFunctions, type Scalars } from './order.ts';

const { TAG } = json;

/** A part of a stored value: bytes[start, end). */
export interface Part {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

function whole(bytes: Uint8Array): Part {
  return { bytes, start: 0, end: bytes.length };
}

function itemOf({ bytes, start }: Part, item: number): Part {
  return {
    bytes,
    start: json.itemStart(bytes, start, item),
    end: json.itemEnd(bytes, start, item),
  };
}

function fieldOf(part: Part, name: string): Part | null {
  if (json.tagAt(part.bytes, part.start) !== TAG.object) return null;
  const bytes = Buffer.from(name);
  const item = json.findField(part.bytes, part.start, bytes, 0, bytes.length);
  return item < 0 ? null : itemOf(part, item);
}

/** The element at an index, which counts from the end when it is negative. */
function elementOf(part: Part, index: number): Part | null {
  if (json.tagAt(part.bytes, part.start) !== TAG.array) return null;
  const count = json.countAt(part.bytes, part.start);
  const item = index < 0 ? count + index : index;
  return item < 0 || item >= count ? null : itemOf(part, item);
}

/** A scalar by itself counts as an array of it, but not where it is reached by a path. */
function rootElement(bytes: Uint8Array, index: number): Part | null {
  if (json.tagAt(bytes, 0) < TAG.array) return index === 0 || index === -1 ? whole(bytes) : null;
  return elementOf(whole(bytes), index);
}

const INTEGER = /^\s*[+-]?\d+$/;

/** A path element as C's strtol reads an int4; null when it is none. */
export function pathIndex(text: string): number | null {
  if (!INTEGER.test(text)) return null;
  const index = Number(text);
  return index >= -2147483648 && index <= 2147483647 ? index : null;
}

/** An element of a path that must be the index of an array, to change it. */
export function checkedPathIndex(step: string, level: number): number {
  const index = pathIndex(step);
  if (index !== null) return index;
  throw pgError(
    'invalid_text_representation',
    `path element at position ${level + 1} is not an integer: "${step}"`,
  );
}

/** The part that a path leads to. */
export function partAt(bytes: Uint8Array, path: ArrayDatum): Part | null {
  let part: Part | null = whole(bytes);
  for (const step of path.elements) {
    if (part === null || step === null) return null;
    part = stepInto(part, step as string);
  }
  return part;
}

function stepInto(part: Part, step: string): Part | null {
  if (json.tagAt(part.bytes, part.start) === TAG.object) return fieldOf(part, step);
  const index = pathIndex(step);
  return index === null ? null : elementOf(part, index);
}

export function asJsonb(part: Part | null): Uint8Array | null {
  return part === null ? null : part.bytes.slice(part.start, part.end);
}

function asText(part: Part | null): string | null {
  return part && textOf(json.loadJsonb(part.bytes, part.start, part.end));
}

/** A jsonb as SQL text: strings without quotes, null as NULL. */
export function textOf(value: json.JsonbValue): string | null {
  return typeof value === 'string' || value === null ? value : json.formatJsonb(value);
}

const access: Scalars = {
  jsonb_object_field: (_c, bytes: Uint8Array, name: string) => asJsonb(fieldOf(whole(bytes), name)),
  jsonb_object_field_text: (_c, bytes: Uint8Array, name: string) =>
    asText(fieldOf(whole(bytes), name)),
  jsonb_array_element: (_c, bytes: Uint8Array, i: number) => asJsonb(rootElement(bytes, i)),
  jsonb_array_element_text: (_c, bytes: Uint8Array, i: number) => asText(rootElement(bytes, i)),
  jsonb_extract_path: (_c, bytes: Uint8Array, path: ArrayDatum) => asJsonb(partAt(bytes, path)),
  jsonb_extract_path_text: (_c, bytes: Uint8Array, path: ArrayDatum) => asText(partAt(bytes, path)),
  jsonb_typeof: (_c, bytes: Uint8Array) => KINDS[json.tagAt(bytes, 0)] as string,
  jsonb_array_length(_c, bytes: Uint8Array) {
    const tag = json.tagAt(bytes, 0);
    if (tag === TAG.array) return json.countAt(bytes, 0);
    const what = tag === TAG.object ? 'non-array' : 'scalar';
    throw pgError('invalid_parameter_value', `cannot get array length of a ${what}`);
  },
  jsonb_pretty: (_c, bytes: Uint8Array) => json.formatPretty(json.decodeJsonb(bytes)),
};

const KINDS: Readonly<Record<number, json.JsonbKind>> = {
  [TAG.null]: 'null',
  [TAG.false]: 'boolean',
  [TAG.true]: 'boolean',
  [TAG.string]: 'string',
  [TAG.number]: 'number',
  [TAG.array]: 'array',
  [TAG.object]: 'object',
};

/** Whether an object has a field, an array a string, or a scalar is the string. */
function exists(bytes: Uint8Array, name: string): boolean {
  const part = whole(bytes);
  switch (json.tagAt(bytes, 0)) {
    case TAG.object:
      return fieldOf(part, name) !== null;
    case TAG.array:
      for (let i = json.countAt(bytes, 0) - 1; i >= 0; i--) {
        if (isString(itemOf(part, i), name)) return true;
      }
      return false;
    default:
      return isString(part, name);
  }
}

function isString({ bytes, start, end }: Part, text: string): boolean {
  return json.tagAt(bytes, start) === TAG.string && json.loadJsonb(bytes, start, end) === text;
}

function contains(container: Uint8Array, contained: Uint8Array): boolean {
  const whole1 = whole(container);
  const whole2 = whole(contained);
  const tag = json.tagAt(container, 0);
  const isScalar = json.tagAt(contained, 0) < TAG.array;
  if (tag === TAG.array && isScalar) return hasElement(whole1, whole2);
  return containsPart(whole1, whole2);
}

function containsPart(container: Part, contained: Part): boolean {
  const tag = json.tagAt(container.bytes, container.start);
  if (tag !== json.tagAt(contained.bytes, contained.start)) return false;
  if (tag === TAG.object) return containsFields(container, contained);
  if (tag !== TAG.array) return isSameScalar(container, contained);
  const count = json.countAt(contained.bytes, contained.start);
  for (let i = 0; i < count; i++) {
    if (!hasElement(container, itemOf(contained, i))) return false;
  }
  return true;
}

function containsFields(container: Part, contained: Part): boolean {
  const { bytes, start } = contained;
  const count = json.countAt(bytes, start);
  if (json.countAt(container.bytes, container.start) < count) return false;
  for (let i = 0; i < count; i++) {
    const nameStart = json.itemStart(bytes, start, i);
    const nameEnd = json.itemEnd(bytes, start, i);
    const item = json.findField(container.bytes, container.start, bytes, nameStart, nameEnd);
    if (item < 0 || !containsPart(itemOf(container, item), itemOf(contained, count + i))) {
      return false;
    }
  }
  return true;
}

function hasElement(array: Part, wanted: Part): boolean {
  const count = json.countAt(array.bytes, array.start);
  for (let i = 0; i < count; i++) {
    if (containsPart(itemOf(array, i), wanted)) return true;
  }
  return false;
}

function isSameScalar(a: Part, b: Part): boolean {
  return json.compareStoredAt(a.bytes, a.start, a.end, b.bytes, b.start, b.end) === 0;
}

const containment: Scalars = {
  jsonb_exists: (_c, bytes: Uint8Array, name: string) => exists(bytes, name),
  jsonb_exists_any: (_c, bytes: Uint8Array, names: ArrayDatum) =>
    names.elements.some((name) => name !== null && exists(bytes, name as string)),
  jsonb_exists_all: (_c, bytes: Uint8Array, names: ArrayDatum) =>
    names.elements.every((name) => name === null || exists(bytes, name as string)),
  jsonb_contains: (_c, a: Uint8Array, b: Uint8Array) => contains(a, b),
  jsonb_contained: (_c, a: Uint8Array, b: Uint8Array) => contains(b, a),
};

const comparisons = orderFunctions({ prefix: 'jsonb_', compare: 'jsonb_cmp' }, json.compareStored);

function cannotCast(value: json.JsonbValue, typeName: string): Error {
  const kind = json.kindOf(value);
  const what = kind === 'number' ? 'numeric' : kind;
  return pgError('invalid_parameter_value', `cannot cast jsonb ${what} to type ${typeName}`);
}

/** A cast of jsonb numbers. */
function castNumber(typeName: string, convert: (value: FiniteNumeric) => Datum) {
  return (_c: FunctionContext, bytes: Uint8Array): Datum => {
    const value = json.decodeJsonb(bytes);
    if (!json.isNumber(value)) throw cannotCast(value, typeName);
    return convert(value);
  };
}

const casts: Scalars = {
  jsonb_bool(_c, bytes: Uint8Array) {
    const value = json.decodeJsonb(bytes);
    if (typeof value !== 'boolean') throw cannotCast(value, 'boolean');
    return value;
  },
  jsonb_numeric: castNumber('numeric', (value) => value),
  jsonb_int2: castNumber('smallint', numeric.toInt2),
  jsonb_int4: castNumber('integer', numeric.toInt4),
  jsonb_int8: castNumber('bigint', numeric.toInt8),
  jsonb_float4: castNumber('real', numeric.toFloat4),
  jsonb_float8: castNumber('double precision', numeric.toFloat8),
};

registerFunctions({ scalars: { ...access, ...containment, ...comparisons, ...casts } });
