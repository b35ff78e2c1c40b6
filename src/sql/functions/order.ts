/** Comparison functions by the hundred: the six operators, the three-way function and
 * larger/smaller of a type, made from one total order. */

import type { Datum } from '../../types/index.ts';
import type { ScalarFunction } from './function.ts';

export type Scalars = Record<string, ScalarFunction>;
export type Compare<Left, Right = Left> = (a: Left, b: Right) => number;

/** Names of a type's comparison functions: int4eq, date_eq, bpchar_larger. */
export interface OrderNames {
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

/** Order of text in collation C: by code point, which is by UTF-8 bytes. JavaScript orders by UTF-16
 * code units, which differs where one side has a surrogate and the other a unit above them. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left === right) continue;
    if (left >= 0xd800 && right >= 0xd800) return codePointRank(left) - codePointRank(right);
    return left - right;
  }
  return a.length - b.length;
}

/** Puts surrogates (code points from U+10000) after U+E000 .. U+FFFF. */
function codePointRank(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
