/** Array functions and operators, unnest, and conversions between arrays and delimited text. */

import { countWork, TextBuilder } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import {
  type ArrayDatum,
  arrayOf,
  checkDimensionCount,
  checkElementCount,
  type Datum,
  findElement,
  mapElements,
  OID,
  pushElement,
  pushElements,
  type RecordDatum,
  type SqlType,
  typeByOid,
} from '../../types/index.ts';
import { textForm } from './concat.ts';
import type { CallTypes, FunctionContext, ScalarFunction, SetFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { btreeFamily } from './operator-families.ts';
import { orderFunctions, type Scalars } from './order.ts';
import { splitByDelimiter } from './text.ts';

function compareArrays(a: ArrayDatum, b: ArrayDatum, by = 'a comparison function'): number {
  checkElementTypes(a, b);
  checkComparable(a, by);
  return typeByOid(typeByOid(a.elementType).arrayOid).compare(a, b);
}

function arraysEqual(a: ArrayDatum, b: ArrayDatum): boolean {
  return compareArrays(a, b, EQUALITY) === 0;
}

function checkElementTypes(a: ArrayDatum, b: ArrayDatum): void {
  if (a.elementType === b.elementType) return;
  throw pgError('datatype_mismatch', 'cannot compare arrays of different element types');
}

function compareRecords(a: RecordDatum, b: RecordDatum): number {
  return typeByOid(OID.record).compare(a, b);
}

/** int2vector and oidvector compare by length first. */
function compareVectors(a: ArrayDatum, b: ArrayDatum): number {
  if (a.elements.length !== b.elements.length) return a.elements.length - b.elements.length;
  for (let i = 0; i < a.elements.length; i++) {
    const difference = (a.elements[i] as number) - (b.elements[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The type of an array's elements, where what is asked needs them to be equal or not. */
function comparableElement(array: ArrayDatum): SqlType {
  checkComparable(array, EQUALITY);
  return typeByOid(array.elementType);
}

const EQUALITY = 'an equality operator';

function checkComparable(array: ArrayDatum, what: string): void {
  const type = array.elementType;
  if (btreeFamily(type) !== undefined) return;
  throw pgError(
    'undefined_function',
    `could not identify ${what} for type ${typeByOid(type).sqlName}`,
  );
}

/** Equality of elements; never true for NULL. */
function elementsEqual(type: SqlType, a: Datum, b: Datum): boolean {
  return a !== null && b !== null && type.compare(a, b) === 0;
}

function notDistinct(type: SqlType, a: Datum, b: Datum): boolean {
  return a === null || b === null ? a === b : type.compare(a, b) === 0;
}

function containsAll(array: ArrayDatum, part: ArrayDatum): boolean {
  checkElementTypes(array, part);
  const type = comparableElement(array);
  const contains = membership(type, array.elements, part.elements.length);
  return findElement(part.elements, (wanted) => !contains(wanted)) < 0;
}

function overlaps(a: ArrayDatum, b: ArrayDatum): boolean {
  checkElementTypes(a, b);
  const type = comparableElement(a);
  const contains = membership(type, b.elements, a.elements.length);
  return findElement(a.elements, contains) >= 0;
}

/** A test for being among elements, to be made about so many times. */
function membership(
  type: SqlType,
  elements: readonly Datum[],
  tests: number,
): (value: Datum) => boolean {
  if (elements.length * tests <= COMPARED_MAX) {
    return (value) => findElement(elements, (element) => elementsEqual(type, element, value)) >= 0;
  }
  const sorted = mapElements(elements, (element) => element).filter((element) => element !== null);
  sortElements(type, sorted);
  return (value) => value !== null && includesSorted(type, sorted, value);
}

/** Comparisons of two elements that are not worth sorting one side. */
const COMPARED_MAX = 1024;

/** What is done to compare two elements, in units of work. */
const COMPARISON_WORK = 8;

function sortElements(type: SqlType, elements: Datum[]): void {
  elements.sort((a, b) => {
    countWork(COMPARISON_WORK);
    return type.compare(a, b);
  });
}

function includesSorted(type: SqlType, sorted: readonly Datum[], value: Datum): boolean {
  let low = 0;
  let high = sorted.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const order = type.compare(value, sorted[middle]!);
    if (order === 0) return true;
    if (order < 0) high = middle - 1;
    else low = middle + 1;
  }
  return false;
}

function checkOneDimensional(array: ArrayDatum): void {
  if (array.dimensions.length > 1) {
    throw pgError('data_exception', 'argument must be empty or one-dimensional array');
  }
}

function append({ arguments: [, elementType = 0] }: CallTypes): ScalarFunction {
  return (_c: FunctionContext, array: ArrayDatum | null, value: Datum) => {
    if (array === null || array.dimensions.length === 0) return arrayOf(elementType, [value]);
    checkOneDimensional(array);
    if (array.lowerBounds[0]! + array.elements.length > 2147483647) {
      throw pgError('numeric_value_out_of_range', 'integer out of range');
    }
    return withElements(array, joined(array.elements, [value]));
  };
}

function prepend({ arguments: [elementType = 0] }: CallTypes): ScalarFunction {
  return (_c: FunctionContext, value: Datum, array: ArrayDatum | null) => {
    if (array === null || array.dimensions.length === 0) return arrayOf(elementType, [value]);
    checkOneDimensional(array);
    return withElements(array, joined([value], array.elements));
  };
}

function joined(first: readonly Datum[], second: readonly Datum[]): Datum[] {
  const elements: Datum[] = [];
  pushElements(elements, first);
  pushElements(elements, second);
  return elements;
}

/** A one-dimensional array with the same lower bound. */
function withElements(array: ArrayDatum, elements: readonly Datum[]): ArrayDatum {
  if (elements.length === 0) return { ...array, dimensions: [], lowerBounds: [], elements };
  return { ...array, dimensions: [elements.length], elements };
}

function concatenate(a: ArrayDatum | null, b: ArrayDatum | null): ArrayDatum | null {
  if (a === null || b === null) return a ?? b;
  const left = a.dimensions;
  const right = b.dimensions;
  if (left.length === 0) return b;
  if (right.length === 0) return a;
  const incompatible = (detail: string) =>
    pgError('array_subscript_error', 'cannot concatenate incompatible arrays', { detail });
  if (Math.abs(left.length - right.length) > 1) {
    throw incompatible(
      `Arrays of ${left.length} and ${right.length} dimensions are not compatible for concatenation.`,
    );
  }
  const elements = joined(a.elements, b.elements);
  if (left.length === right.length) {
    if (bounds(a, 1) !== bounds(b, 1)) {
      throw incompatible(
        'Arrays with differing element dimensions are not compatible for concatenation.',
      );
    }
    return { ...a, dimensions: [left[0]! + right[0]!, ...left.slice(1)], elements };
  }
  const [outer, inner] = left.length > right.length ? [a, b] : [b, a];
  if (bounds(outer, 1) !== bounds(inner, 0)) {
    throw incompatible('Arrays with differing dimensions are not compatible for concatenation.');
  }
  return {
    ...outer,
    dimensions: [outer.dimensions[0]! + 1, ...outer.dimensions.slice(1)],
    elements,
  };
}

/** Lengths and lower bounds of the dimensions from one on, to compare. */
function bounds(array: ArrayDatum, from: number): string {
  return `${array.dimensions.slice(from)}/${array.lowerBounds.slice(from)}`;
}

function dimensionText(array: ArrayDatum): string | null {
  if (array.dimensions.length === 0) return null;
  return array.dimensions
    .map((length, i) => `[${array.lowerBounds[i]}:${array.lowerBounds[i]! + length - 1}]`)
    .join('');
}

function isDimension(array: ArrayDatum, dimension: number): boolean {
  return dimension >= 1 && dimension <= array.dimensions.length;
}

function upperBound(array: ArrayDatum, dimension: number): number | null {
  if (!isDimension(array, dimension)) return null;
  return array.lowerBounds[dimension - 1]! + array.dimensions[dimension - 1]! - 1;
}

/** Index of the first element from `from` on that is not distinct from the value; -1 for none. */
function indexOf(array: ArrayDatum, value: Datum, from: number): number {
  const type = comparableElement(array);
  const isSought = (element: Datum): boolean => notDistinct(type, element, value);
  return findElement(array.elements, isSought, Math.max(from, 0));
}

function position(array: ArrayDatum | null, value: Datum, start: number | null): number | null {
  if (array === null) return null;
  checkMultidimensional(array, 'searching for elements in');
  if (array.elements.length === 0) return null;
  const lower = array.lowerBounds[0]!;
  const index = indexOf(array, value, (start ?? lower) - lower);
  return index < 0 ? null : index + lower;
}

function checkMultidimensional(array: ArrayDatum, what: string): void {
  if (array.dimensions.length > 1) {
    throw pgError('feature_not_supported', `${what} multidimensional arrays is not supported`);
  }
}

function positions(array: ArrayDatum | null, value: Datum): ArrayDatum | null {
  if (array === null) return null;
  checkMultidimensional(array, 'searching for elements in');
  const type = comparableElement(array);
  const found: number[] = [];
  const isSought = (element: Datum): boolean => notDistinct(type, element, value);
  for (let at = -1; ; ) {
    at = findElement(array.elements, isSought, at + 1);
    if (at < 0) break;
    pushElement(found, at + array.lowerBounds[0]!);
  }
  return arrayOf(OID.int4, found);
}

function remove(array: ArrayDatum | null, value: Datum): ArrayDatum | null {
  if (array === null) return null;
  checkMultidimensional(array, 'removing elements from');
  const type = comparableElement(array);
  const kept: Datum[] = [];
  for (const element of array.elements) {
    countWork(COMPARISON_WORK);
    if (!notDistinct(type, element, value)) kept.push(element);
  }
  return kept.length === array.elements.length ? array : withElements(array, kept);
}

function replace(array: ArrayDatum | null, from: Datum, to: Datum): ArrayDatum | null {
  if (array === null) return null;
  const type = comparableElement(array);
  const elements = mapElements(array.elements, (element) =>
    notDistinct(type, element, from) ? to : element,
  );
  return { ...array, elements };
}

function trimEnd(array: ArrayDatum, count: number): ArrayDatum {
  const length = array.dimensions[0] ?? 0;
  if (count < 0 || count > length) {
    throw pgError(
      'array_subscript_error',
      `number of elements to trim must be between 0 and ${length}`,
    );
  }
  const kept = length - count;
  if (kept === 0) return { ...array, dimensions: [], lowerBounds: [], elements: [] };
  const perItem = array.elements.length / length;
  return {
    elementType: array.elementType,
    dimensions: [kept, ...array.dimensions.slice(1)],
    lowerBounds: array.lowerBounds.map(() => 1),
    elements: array.elements.slice(0, kept * perItem),
  };
}

function fill({ arguments: [elementType = 0] }: CallTypes): ScalarFunction {
  return (
    _c: FunctionContext,
    value: Datum,
    lengths: ArrayDatum | null,
    bounds: ArrayDatum | null | undefined,
  ) => {
    if (lengths === null || bounds === null) {
      throw pgError('null_value_not_allowed', 'dimension array or low bound array cannot be null');
    }
    const dimensions = fillBounds(lengths);
    checkDimensionCount(dimensions.length);
    const lowerBounds = bounds === undefined ? dimensions.map(() => 1) : fillBounds(bounds);
    if (lowerBounds.length !== dimensions.length) {
      throw pgError('array_subscript_error', 'wrong number of array subscripts', {
        detail: 'Low bound array has different size than dimensions array.',
      });
    }
    const count = checkElementCount(dimensions.map((length) => Math.max(length, 0)));
    if (count <= 0) return arrayOf(elementType, []);
    countWork(count);
    const elements: Datum[] = [];
    for (let i = 0; i < count; i++) pushElement(elements, value);
    return { elementType, dimensions, lowerBounds, elements };
  };
}

function fillBounds(array: ArrayDatum): readonly number[] {
  if (array.dimensions.length > 1) {
    throw pgError('array_subscript_error', 'wrong number of array subscripts', {
      detail: 'Dimension array must be one dimensional.',
    });
  }
  return array.elements.map((element) => {
    if (element !== null) return element as number;
    throw pgError('null_value_not_allowed', 'dimension values cannot be null');
  });
}

function toText({ arguments: [arrayType = 0] }: CallTypes): ScalarFunction {
  const form = textForm(typeByOid(arrayType).elementOid);
  return (
    context: FunctionContext,
    array: ArrayDatum | null,
    separator: string | null,
    nullText: string | null = null,
  ) => {
    if (array === null || separator === null) return null;
    const result = new TextBuilder();
    let isFirst = true;
    for (const element of array.elements) {
      const text = element === null ? nullText : form(context, element);
      if (text === null) continue;
      if (!isFirst) result.add(separator);
      isFirst = false;
      result.add(text);
    }
    return result.toString();
  };
}

/** Fields of a delimited text; a null delimiter splits into characters. */
function splitText(
  text: string,
  delimiter: string | null,
  nullText: string | null,
): readonly Datum[] {
  if (text === '') return [];
  let parts: string[];
  if (delimiter === null) parts = charactersOf(text);
  else if (delimiter === '') parts = [text];
  else parts = splitByDelimiter(text, delimiter);
  return nullText === null
    ? parts
    : mapElements(parts, (part) => (part === nullText ? null : part));
}

function charactersOf(text: string): string[] {
  const characters: string[] = [];
  for (const character of text) pushElement(characters, character);
  return characters;
}

function splitToArray(
  text: string | null,
  delimiter: string | null,
  nullText: string | null,
): ArrayDatum | null {
  return text === null ? null : arrayOf(OID.text, splitText(text, delimiter, nullText));
}

/** Number of thresholds that are not above the operand; they are sorted. */
function widthBucket(operand: Datum, thresholds: ArrayDatum): number {
  if (thresholds.dimensions.length > 1) {
    throw pgError('array_subscript_error', 'thresholds must be one-dimensional array');
  }
  if (thresholds.elements.includes(null)) {
    throw pgError('null_value_not_allowed', 'thresholds array must not contain NULLs');
  }
  const type = typeByOid(thresholds.elementType);
  let low = 0;
  let high = thresholds.elements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (type.compare(operand, thresholds.elements[middle]!) < 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

const renamed: Scalars = {};
for (const [name, code] of Object.entries(
  orderFunctions({ prefix: 'record_', compare: 'btrecordcmp' }, compareRecords),
)) {
  renamed[name] = code;
  renamed[name.replace('record_', 'record_image_').replace('btrecordcmp', 'btrecordimagecmp')] =
    code;
}

const scalars: Scalars = {
  ...orderFunctions(
    { prefix: 'array_', compare: 'btarraycmp', larger: 'array_larger', smaller: 'array_smaller' },
    compareArrays,
  ),
  array_eq: (_c, a: ArrayDatum, b: ArrayDatum) => arraysEqual(a, b),
  array_ne: (_c, a: ArrayDatum, b: ArrayDatum) => !arraysEqual(a, b),
  ...orderFunctions({ prefix: 'oidvector', compare: 'btoidvectorcmp' }, compareVectors),
  ...renamed,
  arraycontains: (_c, a: ArrayDatum, b: ArrayDatum) => containsAll(a, b),
  arraycontained: (_c, a: ArrayDatum, b: ArrayDatum) => containsAll(b, a),
  arrayoverlap: (_c, a: ArrayDatum, b: ArrayDatum) => overlaps(a, b),
  array_cat: (_c, a: ArrayDatum | null, b: ArrayDatum | null) => concatenate(a, b),
  array_ndims: (_c, array: ArrayDatum) => array.dimensions.length || null,
  array_dims: (_c, array: ArrayDatum) => dimensionText(array),
  array_cardinality: (_c, array: ArrayDatum) => array.elements.length,
  array_length: (_c, array: ArrayDatum, dimension: number) =>
    isDimension(array, dimension) ? array.dimensions[dimension - 1]! : null,
  array_lower: (_c, array: ArrayDatum, dimension: number) =>
    isDimension(array, dimension) ? array.lowerBounds[dimension - 1]! : null,
  array_upper: (_c, array: ArrayDatum, dimension: number) => upperBound(array, dimension),
  array_position: (_c, array: ArrayDatum | null, value: Datum) => position(array, value, null),
  array_position_start: (_c, array: ArrayDatum | null, value: Datum, start: number | null) => {
    if (array !== null && start === null) {
      throw pgError('null_value_not_allowed', 'initial position must not be null');
    }
    return position(array, value, start);
  },
  array_positions: (_c, array: ArrayDatum | null, value: Datum) => positions(array, value),
  array_remove: (_c, array: ArrayDatum | null, value: Datum) => remove(array, value),
  array_replace: (_c, array: ArrayDatum | null, from: Datum, to: Datum) => replace(array, from, to),
  trim_array: (_c, array: ArrayDatum, count: number) => trimEnd(array, count),
  text_to_array: (_c, text: string | null, delimiter: string | null) =>
    splitToArray(text, delimiter, null),
  text_to_array_null: (
    _c,
    text: string | null,
    delimiter: string | null,
    nullText: string | null,
  ) => splitToArray(text, delimiter, nullText),
  width_bucket_array: (_c, operand: Datum, thresholds: ArrayDatum) =>
    widthBucket(operand, thresholds),
};

function* subscripts(array: ArrayDatum, dimension: number, reversed: boolean): Generator<number> {
  const upper = upperBound(array, dimension);
  if (upper === null) return;
  const lower = array.lowerBounds[dimension - 1]!;
  if (reversed) for (let i = upper; i >= lower; i--) yield i;
  else for (let i = lower; i <= upper; i++) yield i;
}

const sets: Record<string, SetFunction> = {
  array_unnest: (_c, array: ArrayDatum) => array.elements,
  generate_subscripts: (_c, array: ArrayDatum, dimension: number, reversed: boolean) =>
    subscripts(array, dimension, reversed),
  generate_subscripts_nodir: (_c, array: ArrayDatum, dimension: number) =>
    subscripts(array, dimension, false),
  text_to_table: (_c, text: string | null, delimiter: string | null) =>
    text === null ? [] : splitText(text, delimiter, null),
  text_to_table_null: (
    _c,
    text: string | null,
    delimiter: string | null,
    nullText: string | null,
  ) => (text === null ? [] : splitText(text, delimiter, nullText)),
};

registerFunctions({
  scalars,
  sets,
  typedScalars: {
    array_append: append,
    array_prepend: prepend,
    array_fill: fill,
    array_fill_with_lower_bounds: fill,
    array_to_text: toText,
    array_to_text_null: toText,
  },
});
