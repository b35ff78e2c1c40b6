/** Elements of arrays, one after the other: loops that can be long count their work. */
import { countWork } from '../base/index.ts';
import { pgError } from '../errors/index.ts';
import type { Datum } from './datum.ts';

/** PostgreSQL's arrays have up to 134217727 elements. The engine's, which grow by halves, up to 112 million: it ends the
 * process when one is to become longer. */
export const ARRAY_ELEMENTS_MAX = 100_000_000;

/** What is done for an element, in units of work. */
export const ELEMENT_WORK = 4;

export function tooManyElements(): Error {
  return pgError(
    'program_limit_exceeded',
    `array size exceeds the maximum allowed (${ARRAY_ELEMENTS_MAX})`,
  );
}

/** Appends an element to those of an array that is being made. */
export function pushElement<Value>(elements: Value[], value: Value): void {
  if (elements.length >= ARRAY_ELEMENTS_MAX) throw tooManyElements();
  countWork(ELEMENT_WORK);
  elements.push(value);
}

export function pushElements(elements: Datum[], values: readonly Datum[]): void {
  for (let i = 0; i < values.length; i++) pushElement(elements, values[i]!);
}

export function mapElements<From, To>(elements: readonly From[], map: (element: From) => To): To[] {
  const mapped: To[] = [];
  for (let i = 0; i < elements.length; i++) pushElement(mapped, map(elements[i]!));
  return mapped;
}

/** As `findIndex` of arrays, from an index on. */
export function findElement(
  elements: readonly Datum[],
  test: (element: Datum) => boolean,
  from = 0,
): number {
  for (let i = from; i < elements.length; i++) {
    countWork(ELEMENT_WORK);
    if (test(elements[i]!)) return i;
  }
  return -1;
}
