import { pgError } from '../../../errors/index.ts';
import {
  type ArrayDatum,
  checkArrayShape,
  checkDimensionCount,
  type Datum,
} from '../../../types/index.ts';

/** The value of `SET a[…] = value`: the array with something else in the place of an element or a
 * slice. An array of one dimension grows to hold it, with NULLs in between; one of more does not. */

type Bound = Datum | undefined;

/** An array of one dimension to be changed, or of more, which keep their shape. */
interface Shape {
  readonly dimensions: number[];
  readonly lowerBounds: number[];
}

/** `a[i][j] = value`. NULL counts as an array without elements. */
export function setArrayElement(
  array: ArrayDatum | null,
  elementType: number,
  subscripts: readonly Bound[],
  value: Datum,
): ArrayDatum {
  const at = subscripts.map((subscript) => givenSubscript(subscript) as number);
  if (array === null || array.dimensions.length === 0) {
    return newArray(
      elementType,
      at.map(() => 1),
      at,
      [value],
    );
  }
  if (array.dimensions.length !== at.length) throw wrongCount();
  const shape = grownShape(array, at, at);
  return replaced(array, shape, at, at, [value]);
}

/** `a[i:j][k:l] = source`, whose elements are taken one after the other, whatever its shape. */
export function setArraySlice(
  array: ArrayDatum | null,
  elementType: number,
  lower: readonly Bound[],
  upper: readonly Bound[],
  source: ArrayDatum | null,
): ArrayDatum {
  const from = lower.map(givenSubscript);
  const to = upper.map(givenSubscript);
  if (source === null) return array ?? newArray(elementType, [], [], []);
  if (array === null || array.dimensions.length === 0) {
    return sliceOfNothing(elementType, from, to, source.elements);
  }
  const { dimensions, lowerBounds } = array;
  if (dimensions.length < from.length) throw wrongCount();
  const first = lowerBounds.map((bound, i) => from[i] ?? bound);
  const last = lowerBounds.map((bound, i) => to[i] ?? bound + dimensions[i]! - 1);
  for (let i = 0; i < first.length; i++) {
    if (first[i]! > last[i]!) {
      throw pgError('array_subscript_error', 'upper bound cannot be less than lower bound');
    }
  }
  const shape = grownShape(array, first, last);
  const count = first.reduce((product, bound, i) => product * (last[i]! - bound + 1), 1);
  if (count > source.elements.length) throw tooSmall();
  return replaced(array, shape, first, last, source.elements);
}

/** What is left out is undefined. */
function givenSubscript(subscript: Bound): number | undefined {
  if (subscript === null) {
    throw pgError('null_value_not_allowed', 'array subscript in assignment must not be null');
  }
  return subscript as number | undefined;
}

function wrongCount(): Error {
  return pgError('array_subscript_error', 'wrong number of array subscripts');
}

function tooSmall(): Error {
  return pgError('array_subscript_error', 'source array too small');
}

function newArray(
  elementType: number,
  dimensions: number[],
  lowerBounds: number[],
  elements: readonly Datum[],
): ArrayDatum {
  checkDimensionCount(dimensions.length);
  checkArrayShape(dimensions, lowerBounds);
  return { elementType, dimensions, lowerBounds, elements };
}

function sliceOfNothing(
  elementType: number,
  from: readonly (number | undefined)[],
  to: readonly (number | undefined)[],
  elements: readonly Datum[],
): ArrayDatum {
  const lowerBounds: number[] = [];
  const dimensions = from.map((first, i) => {
    const last = to[i];
    if (first === undefined || last === undefined) {
      throw pgError('array_subscript_error', 'array slice subscript must provide both boundaries', {
        detail:
          'When assigning to a slice of an empty array value, slice boundaries must be fully specified.',
      });
    }
    lowerBounds.push(first);
    return last - first + 1;
  });
  const count = dimensions.reduce((product, length) => product * length, 1);
  checkArrayShape(dimensions, lowerBounds);
  if (elements.length < count) throw tooSmall();
  if (count === 0) return newArray(elementType, [], [], []);
  return newArray(elementType, dimensions, lowerBounds, elements.slice(0, count));
}

/** The shape that holds the subscripts `first` to `last` too. */
function grownShape(array: ArrayDatum, first: readonly number[], last: readonly number[]): Shape {
  const { dimensions, lowerBounds } = array;
  if (dimensions.length === 1) {
    const lower = Math.min(lowerBounds[0]!, first[0]!);
    const upper = Math.max(lowerBounds[0]! + dimensions[0]! - 1, last[0]!);
    const shape = { dimensions: [upper - lower + 1], lowerBounds: [lower] };
    checkArrayShape(shape.dimensions, shape.lowerBounds);
    return shape;
  }
  for (let i = 0; i < dimensions.length; i++) {
    const lower = lowerBounds[i]!;
    if (first[i]! < lower || last[i]! >= lower + dimensions[i]!) {
      throw pgError('array_subscript_error', 'array subscript out of range');
    }
  }
  return { dimensions: [...dimensions], lowerBounds: [...lowerBounds] };
}

/** The array in `shape`, with `values` from `first` to `last`, the last subscript running fastest. */
function replaced(
  array: ArrayDatum,
  shape: Shape,
  first: readonly number[],
  last: readonly number[],
  values: readonly Datum[],
): ArrayDatum {
  const elements =
    shape.dimensions.length === 1 ? grownElements(array, shape) : [...array.elements];
  let next = 0;
  const fill = (depth: number, base: number) => {
    const lower = shape.lowerBounds[depth]!;
    for (let subscript = first[depth]!; subscript <= last[depth]!; subscript++) {
      const index = base * shape.dimensions[depth]! + subscript - lower;
      if (depth === first.length - 1) elements[index] = values[next++]!;
      else fill(depth + 1, index);
    }
  };
  fill(0, 0);
  return { elementType: array.elementType, ...shape, elements };
}

function grownElements(array: ArrayDatum, shape: Shape): Datum[] {
  const before = array.lowerBounds[0]! - shape.lowerBounds[0]!;
  const elements: Datum[] = new Array<Datum>(shape.dimensions[0]!).fill(null);
  for (let i = 0; i < array.elements.length; i++) elements[before + i] = array.elements[i]!;
  return elements;
}
