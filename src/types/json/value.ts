/** jsonb values as trees: what parsing gives, and what functions take apart and put together. */
import { countWork } from '../../base/index.ts';
import type { FiniteNumeric } from '../datum.ts';
import { compareText, utf8Length } from '../utf8.ts';

/** A JSON value: null, boolean, string, exact number, array, or object. */
export type JsonbValue = JsonbScalar | JsonbArray | JsonbObject;

export type JsonbScalar = null | boolean | string | FiniteNumeric;

export type JsonbArray = readonly JsonbValue[];

/** Fields in canonical order, see `compareFieldNames`; made by `jsonbObject` alone. */
export type JsonbObject = ReadonlyMap<string, JsonbValue>;

export type JsonbKind = 'null' | 'boolean' | 'string' | 'number' | 'array' | 'object';

/** What jsonb_typeof calls the value. */
export function kindOf(value: JsonbValue): JsonbKind {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string') return 'string';
  if (isArray(value)) return 'array';
  return isObject(value) ? 'object' : 'number';
}

export function isArray(value: JsonbValue): value is JsonbArray {
  return Array.isArray(value);
}

export function isObject(value: JsonbValue): value is JsonbObject {
  return value instanceof Map;
}

export function isNumber(value: JsonbValue): value is FiniteNumeric {
  return value !== null && typeof value === 'object' && 'unscaled' in value;
}

export function isScalar(value: JsonbValue): value is JsonbScalar {
  return !isArray(value) && !isObject(value);
}

/** What is done to compare two names, in units of work. */
const COMPARISON_WORK = 8;

/** Order of an object's fields: by the length of the name in bytes, then by its bytes. */
function compareFieldNames(a: string, b: string): number {
  countWork(COMPARISON_WORK);
  return utf8Length(a) - utf8Length(b) || compareText(a, b);
}

/** Puts fields in canonical order; of several of one name the last one counts. */
export function jsonbObject<Value = JsonbValue>(
  fields: Iterable<readonly [string, Value]>,
): ReadonlyMap<string, Value> {
  const unique = new Map(fields);
  if (inOrder(unique.keys())) return unique;
  return new Map([...unique].sort((a, b) => compareFieldNames(a[0], b[0])));
}

function inOrder(names: Iterable<string>): boolean {
  let previous: string | undefined;
  for (const name of names) {
    if (previous !== undefined && compareFieldNames(previous, name) > 0) return false;
    previous = name;
  }
  return true;
}
