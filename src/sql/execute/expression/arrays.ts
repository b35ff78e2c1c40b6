import { pgError } from '../../../errors/index.ts';
import {
  type ArrayDatum,
  checkDimensionCount,
  type Datum,
  pushElement,
  pushElements,
} from '../../../types/index.ts';

/** The value of ARRAY[…]; nested arrays must have one shape. */
export function makeArray(
  elementType: number,
  values: readonly Datum[],
  nested: boolean,
): ArrayDatum {
  if (!nested) {
    if (values.length === 0) return emptyArray(elementType);
    return { elementType, dimensions: [values.length], lowerBounds: [1], elements: [...values] };
  }
  const parts = values as readonly (ArrayDatum | null)[];
  const first = parts.find((part) => part !== null);
  if (first === undefined || parts.every((part) => part === null || part.dimensions.length === 0)) {
    return emptyArray(elementType);
  }
  checkDimensionCount(first.dimensions.length + 1);
  const elements: Datum[] = [];
  for (const part of parts) {
    if (part === null || part.dimensions.join() !== first.dimensions.join()) {
      throw pgError(
        'array_subscript_error',
        'multidimensional arrays must have array expressions with matching dimensions',
      );
    }
    pushElements(elements, part.elements);
  }
  const dimensions = [parts.length, ...first.dimensions];
  return { elementType, dimensions, lowerBounds: dimensions.map(() => 1), elements };
}

function emptyArray(elementType: number): ArrayDatum {
  return { elementType, dimensions: [], lowerBounds: [], elements: [] };
}

/** `array[i][j]`: NULL outside of the bounds. */
export function arrayElement(array: ArrayDatum | null, subscripts: readonly Datum[]): Datum {
  if (array === null || subscripts.some((subscript) => subscript === null)) return null;
  if (subscripts.length !== array.dimensions.length) return null;
  let index = 0;
  for (let i = 0; i < subscripts.length; i++) {
    const offset = (subscripts[i] as number) - array.lowerBounds[i]!;
    if (offset < 0 || offset >= array.dimensions[i]!) return null;
    index = index * array.dimensions[i]! + offset;
  }
  return array.elements[index]!;
}

/** Bytes of a name, with the zeros after its text. */
const NAME_BYTES = 64;

/** `name[i]`: a byte of the name, counted from 0, as a "char". */
export function nameCharacter(name: string | null, subscripts: readonly Datum[]): string | null {
  const [index] = subscripts;
  if (name === null || subscripts.length !== 1 || typeof index !== 'number') return null;
  if (index < 0 || index >= NAME_BYTES) return null;
  const byte = Buffer.from(name)[index] ?? 0;
  return byte === 0 ? '' : String.fromCharCode(byte);
}

/** `array[a:b][c:d]`: what lies within the bounds, numbered from 1. A bound left out is the array's. */
export function arraySlice(
  array: ArrayDatum | null,
  lower: readonly (Datum | undefined)[],
  upper: readonly (Datum | undefined)[],
): ArrayDatum | null {
  if (array === null) return null;
  if (lower.some((bound) => bound === null) || upper.some((bound) => bound === null)) return null;
  const rank = array.dimensions.length;
  if (rank === 0 || lower.length > rank) return emptyArray(array.elementType);
  const from: number[] = [];
  const lengths: number[] = [];
  for (let i = 0; i < rank; i++) {
    const first = array.lowerBounds[i]!;
    const last = first + array.dimensions[i]! - 1;
    const low = Math.max(first, (lower[i] as number | undefined) ?? first);
    const high = Math.min(last, (upper[i] as number | undefined) ?? last);
    if (low > high) return emptyArray(array.elementType);
    from.push(low - first);
    lengths.push(high - low + 1);
  }
  const elements: Datum[] = [];
  collect(array, from, lengths, 0, 0, elements);
  return { ...array, dimensions: lengths, lowerBounds: lengths.map(() => 1), elements };
}

function collect(
  array: ArrayDatum,
  from: readonly number[],
  lengths: readonly number[],
  depth: number,
  base: number,
  out: Datum[],
): void {
  for (let i = 0; i < lengths[depth]!; i++) {
    const index = base * array.dimensions[depth]! + from[depth]! + i;
    if (depth === lengths.length - 1) pushElement(out, array.elements[index]!);
    else collect(array, from, lengths, depth + 1, index, out);
  }
}
