/** The numeric value: an unscaled BigInt and a display scale, with PostgreSQL's limits.
 *
 * PostgreSQL keeps numerics in base 10000 and some of its rules speak of that form. `weightOf` gives
 * the weight of the first such digit, where those rules need it; nothing here is stored that way. */
import { countWork } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import type { FiniteNumeric, Numeric, SpecialNumeric } from '../datum.ts';

export const SCALE_MAX = 16383;
/** The largest weight of a base-10000 digit: 131072 decimal digits before the point. */
const WEIGHT_MAX = 32767;
/** Bounds of a result scale that a function chooses by itself. */
export const DISPLAY_SCALE_MAX = 1000;
export const SIGNIFICANT_DIGITS_MIN = 16;

export const NAN: SpecialNumeric = { kind: 'nan' };
export const INFINITY: SpecialNumeric = { kind: 'infinity' };
export const NEGATIVE_INFINITY: SpecialNumeric = { kind: '-infinity' };
export const ZERO: FiniteNumeric = { kind: 'finite', unscaled: 0n, scale: 0 };
export const ONE: FiniteNumeric = { kind: 'finite', unscaled: 1n, scale: 0 };

const POWERS: bigint[] = [1n];
const POWERS_CACHED = 1100;

/** 10^exponent. */
export function pow10(exponent: number): bigint {
  if (exponent < POWERS.length) return POWERS[exponent]!;
  if (exponent >= POWERS_CACHED) return 10n ** BigInt(exponent);
  for (let i = POWERS.length; i <= exponent; i++) POWERS.push(POWERS[i - 1]! * 10n);
  return POWERS[exponent]!;
}

/** The powers of ten that a double holds exactly. Written out, as `**` need not be exact. */
export const EXACT_POWERS: readonly number[] = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
];

export function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const HEX_PATH_MIN = 1n << 256n;

/** Decimal digits of a number that is not negative; 0 for zero. */
export function digitCount(value: bigint): number {
  if (value <= SAFE) {
    let rest = Number(value);
    let count = 0;
    for (; rest >= 1; count++) rest = Math.floor(rest / 10);
    return count;
  }
  if (value < HEX_PATH_MIN) return value.toString().length;
  const hex = value.toString(16);
  const bits = hex.length * 4 - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28;
  const fewest = Math.floor((bits - 1) * 0.30102999566398114) + 1;
  return value >= pow10(fewest) ? fewest + 1 : fewest;
}

export function overflow(): Error {
  return pgError('numeric_value_out_of_range', 'value overflows numeric format');
}

/** No value with fewer digits than this can have too many before the point. */
const SMALL = 10n ** 300n;

/** The finite value, checked against the limits of the format. */
export function finite(unscaled: bigint, scale: number): FiniteNumeric {
  if (scale > SCALE_MAX) throw overflow();
  if (unscaled > SMALL || unscaled < -SMALL) {
    const weight = weightOf(absolute(unscaled), scale);
    if (weight > WEIGHT_MAX) throw overflow();
    countWork(weight * 4 + scale);
  }
  return { kind: 'finite', unscaled, scale };
}

/** Weight of the first base-10000 digit of magnitude * 10^-scale; 0 for zero. */
export function weightOf(magnitude: bigint, scale: number): number {
  if (magnitude === 0n) return 0;
  return Math.floor((digitCount(magnitude) - 1 - scale) / 4);
}

/** numerator / denominator rounded half away from zero; the denominator is positive. */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  const half = denominator >> 1n;
  if (numerator >= 0n) {
    // For an odd denominator half is rounded down, and no remainder equals half of it exactly.
    return (numerator + half) / denominator;
  }
  return -((-numerator + half) / denominator);
}

/** An unscaled value brought to another scale, rounded half away from zero. The new scale may be
 * negative: then the result counts powers of ten. */
export function rescale(unscaled: bigint, from: number, to: number): bigint {
  if (to === from) return unscaled;
  if (to > from) return unscaled * pow10(to - from);
  return divideRounded(unscaled, pow10(from - to));
}

/** The same, cut off. */
export function rescaleTruncated(unscaled: bigint, from: number, to: number): bigint {
  if (to >= from) return unscaled * pow10(to - from);
  return unscaled / pow10(from - to);
}

/** -1, 0 or 1; NaN has no sign and gives 0. */
export function signOf(value: Numeric): number {
  switch (value.kind) {
    case 'finite':
      return value.unscaled > 0n ? 1 : value.unscaled < 0n ? -1 : 0;
    case 'infinity':
      return 1;
    case '-infinity':
      return -1;
    default:
      return 0;
  }
}

const RANK = { '-infinity': 0, finite: 1, infinity: 2, nan: 3 } as const;

/** Order of btree: -Infinity, finite values, Infinity, NaN, which equals itself. */
export function compareNumeric(a: Numeric, b: Numeric): number {
  if (a.kind !== 'finite' || b.kind !== 'finite') return RANK[a.kind] - RANK[b.kind];
  let left = a.unscaled;
  let right = b.unscaled;
  if (a.scale < b.scale) left *= pow10(b.scale - a.scale);
  else if (b.scale < a.scale) right *= pow10(a.scale - b.scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The double nearest to a finite value, infinite when it is out of a double's range. */
export function toDouble(unscaled: bigint, scale: number): number {
  if (unscaled <= SAFE && unscaled >= -SAFE && scale < EXACT_POWERS.length) {
    return Number(unscaled) / EXACT_POWERS[scale]!;
  }
  return Number(`${unscaled}e-${scale}`);
}
