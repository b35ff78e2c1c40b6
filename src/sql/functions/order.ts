/** Comparison functions by the hundred: the six operators, the three-way function and
 * larger/smaller of a type, made from one total order. */

import type { Datum } from '../../types/index.ts';
import type { ScalarFunction } from './function.ts';

export type Scalars = Record<string, ScalarFunction>;
type Compare<Left, Right = Left> = (a: Left, b: Right) => number;

/** Names of a type's comparison functions: int4eq, date_eq, bpchar_larger. */
interface OrderNames {
  /** What comes before eq, ne, lt, le, gt, ge. */
  readonly prefix: string;
  /** btint4cmp, date_cmp. */
  readonly compare?: string;
  readonly larger?: string;
  readonly smaller?: string;
}

/** The comparison functions of one order, under the given names. */
export function orderFunctions<Left extends Datum, Right extends Datum>(
  names: OrderNames,
  compare: Compare<Left, Right>,
): Scalars {
  const { prefix } = names;
  const table: Scalars = {
    [`${prefix}eq`]: (_c, a: Left, b: Right) => compare(a, b) === 0,
    [`${prefix}ne`]: (_c, a: Left, b: Right) => compare(a, b) !== 0,
    [`${prefix}lt`]: (_c, a: Left, b: Right) => compare(a, b) < 0,
    [`${prefix}le`]: (_c, a: Left, b: Right) => compare(a, b) <= 0,
    [`${prefix}gt`]: (_c, a: Left, b: Right) => compare(a, b) > 0,
    [`${prefix}ge`]: (_c, a: Left, b: Right) => compare(a, b) >= 0,
  };
  if (names.compare) table[names.compare] = (_c, a: Left, b: Right) => Math.sign(compare(a, b));
  if (names.larger) {
    table[names.larger] = (_c, a: Left, b: Right): Datum => (compare(a, b) > 0 ? a : b);
  }
  if (names.smaller) {
    table[names.smaller] = (_c, a: Left, b: Right): Datum => (compare(a, b) < 0 ? a : b);
  }
  return table;
}

/** Order of values that JavaScript's own operators order: integers (of both forms), booleans. */
export function compareNative(a: number | bigint | boolean, b: number | bigint | boolean): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Order of floats: NaN equals itself and stands above all else. */
export function compareFloat(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}
