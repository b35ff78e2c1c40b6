/** jsonb made out of jsonb: concatenated, with parts deleted, replaced or inserted. */

import { pgError } from '../../errors/index.ts';
import { type ArrayDatum, type Datum, json } from '../../types/index.ts';
import { registerFunctions } from './implementations.ts';
import { JSON_NULL } from './json-values.ts';
import { checkedPathIndex } from './jsonb.ts';
import type { Scalars } from './order.ts';

type Fields = ReadonlyMap<string, json.JsonbValue>;

/** Objects merge; all else is concatenated as arrays, of one element what is none. */
function concatenate(a: json.JsonbValue, b: json.JsonbValue): json.JsonbValue {
  if (json.isObject(a) && json.isObject(b)) return json.jsonbObject([...a, ...b]);
  return [...asElements(a), ...asElements(b)];
}

function asElements(value: json.JsonbValue): json.JsonbArray {
  return json.isArray(value) ? value : [value];
}

/** Without the fields, or the strings of an array, that are named. */
function withoutNames(value: json.JsonbValue, names: readonly Datum[]): json.JsonbValue {
  if (json.isScalar(value)) throw pgError('invalid_parameter_value', 'cannot delete from scalar');
  if (json.isArray(value)) {
    return value.filter((element) => typeof element !== 'string' || !names.includes(element));
  }
  return new Map([...value].filter(([name]) => !names.includes(name)));
}

function withoutElement(value: json.JsonbValue, index: number): json.JsonbValue {
  if (json.isScalar(value)) throw pgError('invalid_parameter_value', 'cannot delete from scalar');
  if (json.isObject(value)) {
    throw pgError('invalid_parameter_value', 'cannot delete from object using integer index');
  }
  const position = index < 0 ? value.length + index : index;
  return value.filter((_element, i) => i !== position);
}

/** What is done at the end of a path: `create` sets the value whether or not there is one. */
type Change = 'create' | 'replace' | 'delete' | 'insertBefore' | 'insertAfter';

/** A change on its way down a path; `value` is of no use where something is deleted. */
interface PathChange {
  readonly path: readonly Datum[];
  readonly change: Change;
  readonly value: json.JsonbValue;
}

function adds({ change }: PathChange): boolean {
  return change !== 'replace' && change !== 'delete';
}

function inserts({ change }: PathChange): boolean {
  return change === 'insertBefore' || change === 'insertAfter';
}

function changeAt(value: json.JsonbValue, change: PathChange, level: number): json.JsonbValue {
  const step = change.path[level] as string | null;
  if (step === null) {
    throw pgError('null_value_not_allowed', `path element at position ${level + 1} is null`);
  }
  if (json.isObject(value)) return changeField(value, change, level, step);
  return json.isArray(value) ? changeElement(value, change, level, step) : value;
}

function changeField(fields: Fields, change: PathChange, level: number, name: string): Fields {
  const present = fields.get(name);
  const isLast = level === change.path.length - 1;
  if (present === undefined) {
    return isLast && adds(change) ? json.jsonbObject([...fields, [name, change.value]]) : fields;
  }
  const changed = new Map(fields);
  if (!isLast) return changed.set(name, changeAt(present, change, level + 1));
  if (inserts(change)) {
    throw pgError('invalid_parameter_value', 'cannot replace existing key', {
      hint: 'Try using the function jsonb_set to replace key value.',
    });
  }
  if (change.change !== 'delete') return changed.set(name, change.value);
  changed.delete(name);
  return changed;
}

function changeElement(
  elements: json.JsonbArray,
  change: PathChange,
  level: number,
  step: string,
): json.JsonbArray {
  const index = checkedPathIndex(step, level);
  const position = index < 0 ? elements.length + index : index;
  const present = elements[position];
  if (level < change.path.length - 1) {
    return present === undefined
      ? elements
      : elements.with(position, changeAt(present, change, level + 1));
  }
  if (present === undefined) {
    if (!adds(change)) return elements;
    return position < 0 ? [change.value, ...elements] : [...elements, change.value];
  }
  return elements.toSpliced(position, 1, ...changedElement(present, change));
}

/** What stands in the place of an element. */
function changedElement(present: json.JsonbValue, { change, value }: PathChange): json.JsonbArray {
  switch (change) {
    case 'delete':
      return [];
    case 'insertBefore':
      return [value, present];
    case 'insertAfter':
      return [present, value];
    default:
      return [value];
  }
}

/** Applies a change at a path; an empty path changes nothing. */
function changed(
  target: Uint8Array,
  path: ArrayDatum,
  change: Change,
  value: Uint8Array | null,
): Uint8Array {
  const tree = json.decodeJsonb(target);
  if (json.isScalar(tree)) {
    const verb = change === 'delete' ? 'delete' : 'set';
    throw pgError('invalid_parameter_value', `cannot ${verb} path in scalar`);
  }
  const isEmpty = json.countAt(target, 0) === 0;
  if (path.elements.length === 0 || (isEmpty && (change === 'replace' || change === 'delete'))) {
    return target;
  }
  const newValue = value && json.decodeJsonb(value);
  return json.encodeJsonb(changeAt(tree, { path: path.elements, change, value: newValue }, 0));
}

function checkPathDimensions(path: ArrayDatum): void {
  if (path.dimensions.length > 1) {
    throw pgError('array_subscript_error', 'wrong number of array subscripts');
  }
}

function setPath(
  target: Uint8Array,
  path: ArrayDatum,
  value: Uint8Array,
  create: boolean,
): Uint8Array {
  checkPathDimensions(path);
  return changed(target, path, create ? 'create' : 'replace', value);
}

function deletePath(target: Uint8Array, path: ArrayDatum): Uint8Array {
  checkPathDimensions(path);
  return changed(target, path, 'delete', null);
}

/** jsonb_set where the new value may be NULL. */
function setLax(
  target: Uint8Array | null,
  path: ArrayDatum | null,
  value: Uint8Array | null,
  create: boolean | null,
  treatment: string | null,
): Uint8Array | null {
  if (target === null || path === null || create === null) return null;
  if (treatment === null) throw unknownTreatment();
  if (value !== null) return setPath(target, path, value, create);
  switch (treatment) {
    case 'raise_exception':
      throw pgError('null_value_not_allowed', 'JSON value must not be null', {
        detail: 'Exception was raised because null_value_treatment is "raise_exception".',
        hint: 'To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.',
      });
    case 'use_json_null':
      return setPath(target, path, JSON_NULL, create);
    case 'delete_key':
      return deletePath(target, path);
    case 'return_target':
      return target;
    default:
      throw unknownTreatment();
  }
}

function unknownTreatment(): Error {
  return pgError(
    'invalid_parameter_value',
    'null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"',
  );
}

function stripNulls(value: json.JsonbValue): json.JsonbValue {
  if (json.isArray(value)) return value.map(stripNulls);
  if (!json.isObject(value)) return value;
  const kept = [...value].filter(([, field]) => field !== null);
  return new Map(kept.map(([name, field]) => [name, stripNulls(field)]));
}

const scalars: Scalars = {
  jsonb_concat: (_c, a: Uint8Array, b: Uint8Array) =>
    json.encodeJsonb(concatenate(json.decodeJsonb(a), json.decodeJsonb(b))),
  jsonb_delete: (_c, target: Uint8Array, name: string) =>
    json.encodeJsonb(withoutNames(json.decodeJsonb(target), [name])),
  jsonb_delete_array: (_c, target: Uint8Array, names: ArrayDatum) =>
    json.encodeJsonb(withoutNames(json.decodeJsonb(target), names.elements)),
  jsonb_delete_idx: (_c, target: Uint8Array, index: number) =>
    json.encodeJsonb(withoutElement(json.decodeJsonb(target), index)),
  jsonb_delete_path: (_c, target: Uint8Array, path: ArrayDatum) => deletePath(target, path),
  jsonb_set: (_c, target: Uint8Array, path: ArrayDatum, value: Uint8Array, create: boolean) =>
    setPath(target, path, value, create),
  jsonb_set_lax: (
    _c,
    target: Uint8Array | null,
    path: ArrayDatum | null,
    value: Uint8Array | null,
    create: boolean | null,
    treatment: string | null,
  ) => setLax(target, path, value, create, treatment),
  jsonb_insert(_c, target: Uint8Array, path: ArrayDatum, value: Uint8Array, after: boolean) {
    checkPathDimensions(path);
    return changed(target, path, after ? 'insertAfter' : 'insertBefore', value);
  },
  jsonb_strip_nulls: (_c, target: Uint8Array) =>
    json.encodeJsonb(stripNulls(json.decodeJsonb(target))),
};

registerFunctions({ scalars });
