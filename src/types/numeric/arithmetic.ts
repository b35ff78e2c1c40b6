/** Arithmetic on numerics, with the result scales of PostgreSQL. */
import { countWork } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import type { FiniteNumeric, Numeric } from '../datum.ts';
import { INT4_MAX } from '../integer.ts';
import {
  absolute,
  DISPLAY_SCALE_MAX,
  digitCount,
  divideRounded,
  finite,
  INFINITY,
  NAN,
  NEGATIVE_INFINITY,
  ONE,
  overflow,
  pow10,
  rescale,
  SCALE_MAX,
  SIGNIFICANT_DIGITS_MIN,
  signOf,
  weightOf,
  ZERO,
} from './value.ts';

export function add(a: Numeric, b: Numeric): Numeric {
  if (a.kind !== 'finite' || b.kind !== 'finite') {
    if (a.kind === 'nan' || b.kind === 'nan') return NAN;
    if (a.kind === 'finite') return b;
    return b.kind === 'finite' || a.kind === b.kind ? a : NAN;
  }
  if (a.scale === b.scale) return finite(a.unscaled + b.unscaled, a.scale);
  if (a.scale > b.scale) {
    return finite(a.unscaled + b.unscaled * pow10(a.scale - b.scale), a.scale);
  }
  return finite(a.unscaled * pow10(b.scale - a.scale) + b.unscaled, b.scale);
}

export function subtract(a: Numeric, b: Numeric): Numeric {
  return add(a, negate(b));
}

export function multiply(a: Numeric, b: Numeric): Numeric {
  if (a.kind !== 'finite' || b.kind !== 'finite') {
    if (a.kind === 'nan' || b.kind === 'nan') return NAN;
    return infinityOfSign(signOf(a) * signOf(b));
  }
  const scale = a.scale + b.scale;
  const product = a.unscaled * b.unscaled;
  if (scale > SCALE_MAX) return finite(rescale(product, scale, SCALE_MAX), SCALE_MAX);
  return finite(product, scale);
}

function infinityOfSign(sign: number): Numeric {
  return sign > 0 ? INFINITY : sign < 0 ? NEGATIVE_INFINITY : NAN;
}

function divisionByZero(): Error {
  return pgError('division_by_zero', 'division by zero');
}

export function divide(a: Numeric, b: Numeric): Numeric {
  if (a.kind !== 'finite' || b.kind !== 'finite') return divideSpecial(a, b);
  if (b.unscaled === 0n) throw divisionByZero();
  const scale = quotientScale(a, b);
  return finite(quotient(a, b, scale), scale);
}

/** Integer part of a quotient: the SQL function div. */
export function divideTruncated(a: Numeric, b: Numeric): Numeric {
  if (a.kind !== 'finite' || b.kind !== 'finite') return divideSpecial(a, b);
  if (b.unscaled === 0n) throw divisionByZero();
  const shift = b.scale - a.scale;
  if (shift >= 0) return finite((a.unscaled * pow10(shift)) / b.unscaled, 0);
  return finite(a.unscaled / (b.unscaled * pow10(-shift)), 0);
}

function divideSpecial(a: Numeric, b: Numeric): Numeric {
  if (a.kind === 'nan' || b.kind === 'nan') return NAN;
  if (b.kind !== 'finite') return a.kind === 'finite' ? ZERO : NAN;
  if (b.unscaled === 0n) throw divisionByZero();
  return infinityOfSign(signOf(a) * signOf(b));
}

/** a / b rounded to a scale. */
export function quotient(a: FiniteNumeric, b: FiniteNumeric, scale: number): bigint {
  let numerator = a.unscaled;
  let denominator = b.unscaled;
  if (denominator < 0n) {
    numerator = -numerator;
    denominator = -denominator;
  }
  const shift = scale - a.scale + b.scale;
  if (shift >= 0) numerator *= pow10(shift);
  else denominator *= pow10(-shift);
  return divideRounded(numerator, denominator);
}

/** Scale of a quotient: at least 16 significant digits, and no fewer digits behind the point than
 * either operand shows. */
function quotientScale(a: FiniteNumeric, b: FiniteNumeric): number {
  const numerator = absolute(a.unscaled);
  const denominator = absolute(b.unscaled);
  const numeratorWeight = weightOf(numerator, a.scale);
  const denominatorWeight = weightOf(denominator, b.scale);
  let weight = numeratorWeight - denominatorWeight;
  const first = firstDigit(numerator, a.scale, numeratorWeight);
  if (first <= firstDigit(denominator, b.scale, denominatorWeight)) weight--;
  const scale = Math.max(SIGNIFICANT_DIGITS_MIN - weight * 4, a.scale, b.scale, 0);
  return Math.min(scale, DISPLAY_SCALE_MAX);
}

/** The base-10000 digit at a weight, being the first one that is not zero. */
function firstDigit(magnitude: bigint, scale: number, weight: number): number {
  const shift = scale + 4 * weight;
  if (shift <= 0) return Number(magnitude * pow10(-shift));
  return Number(magnitude / pow10(shift));
}

export function modulo(a: Numeric, b: Numeric): Numeric {
  if (a.kind !== 'finite' || b.kind !== 'finite') {
    if (a.kind === 'nan' || b.kind === 'nan') return NAN;
    if (b.kind === 'finite' && b.unscaled === 0n) throw divisionByZero();
    return a.kind === 'finite' ? a : NAN;
  }
  if (b.unscaled === 0n) throw divisionByZero();
  const scale = Math.max(a.scale, b.scale);
  const left = rescale(a.unscaled, a.scale, scale);
  return finite(left % rescale(b.unscaled, b.scale, scale), scale);
}

export function negate(value: Numeric): Numeric {
  switch (value.kind) {
    case 'finite':
      return { kind: 'finite', unscaled: -value.unscaled, scale: value.scale };
    case 'infinity':
      return NEGATIVE_INFINITY;
    case '-infinity':
      return INFINITY;
    default:
      return value;
  }
}

export function abs(value: Numeric): Numeric {
  if (value.kind === '-infinity') return INFINITY;
  return value.kind === 'finite' && value.unscaled < 0n ? negate(value) : value;
}

export function sign(value: Numeric): Numeric {
  if (value.kind === 'nan') return value;
  return { kind: 'finite', unscaled: BigInt(signOf(value)), scale: 0 };
}

/** Digits that a value can have before its point: rounding to fewer than that gives zero. */
const WHOLE_DIGITS_MAX = 131072;

/** Rounds half away from zero to a count of digits behind the point, which may be negative. */
export function round(value: Numeric, digits: number): Numeric {
  return toDigits(value, digits, rescale);
}

/** Cuts off behind a count of digits. */
export function trunc(value: Numeric, digits: number): Numeric {
  return toDigits(value, digits, (unscaled, from, to) =>
    to >= from ? rescale(unscaled, from, to) : unscaled / pow10(from - to),
  );
}

function toDigits(
  value: Numeric,
  digits: number,
  toScale: (unscaled: bigint, from: number, to: number) => bigint,
): Numeric {
  if (value.kind !== 'finite') return value;
  const scale = Math.min(digits, SCALE_MAX);
  if (scale >= 0) return finite(toScale(value.unscaled, value.scale, scale), scale);
  if (scale < -WHOLE_DIGITS_MAX) return ZERO;
  return finite(toScale(value.unscaled, value.scale, scale) * pow10(-scale), 0);
}

export function ceil(value: Numeric): Numeric {
  if (value.kind !== 'finite') return value;
  const unit = pow10(value.scale);
  const whole = value.unscaled / unit;
  return finite(whole * unit < value.unscaled ? whole + 1n : whole, 0);
}

export function floor(value: Numeric): Numeric {
  if (value.kind !== 'finite') return value;
  const unit = pow10(value.scale);
  const whole = value.unscaled / unit;
  return finite(whole * unit > value.unscaled ? whole - 1n : whole, 0);
}

/** Display scale, null for NaN and the infinities. */
export function scale(value: Numeric): number | null {
  return value.kind === 'finite' ? value.scale : null;
}

/** The smallest scale that shows the whole value, null for NaN and the infinities. */
export function minScale(value: Numeric): number | null {
  if (value.kind !== 'finite') return null;
  if (value.unscaled === 0n) return 0;
  const digits = value.unscaled.toString();
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 48) end--;
  return Math.max(value.scale - (digits.length - end), 0);
}

export function trimScale(value: Numeric): Numeric {
  const least = minScale(value);
  if (least === null || value.kind !== 'finite') return value;
  return { kind: 'finite', unscaled: rescale(value.unscaled, value.scale, least), scale: least };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let left = absolute(a);
  let right = absolute(b);
  const digits = digitCount(left);
  while (right !== 0n) {
    countWork(digits);
    [left, right] = [right, left % right];
  }
  return left;
}

export function gcd(a: Numeric, b: Numeric): Numeric {
  if (a.kind !== 'finite' || b.kind !== 'finite') return NAN;
  const shared = Math.max(a.scale, b.scale);
  const left = rescale(a.unscaled, a.scale, shared);
  return finite(greatestCommonDivisor(left, rescale(b.unscaled, b.scale, shared)), shared);
}

export function lcm(a: Numeric, b: Numeric): Numeric {
  if (a.kind !== 'finite' || b.kind !== 'finite') return NAN;
  const shared = Math.max(a.scale, b.scale);
  const left = rescale(a.unscaled, a.scale, shared);
  const right = rescale(b.unscaled, b.scale, shared);
  if (left === 0n || right === 0n) return finite(0n, shared);
  return finite(absolute((left / greatestCommonDivisor(left, right)) * right), shared);
}

/** The largest number whose factorial fits a numeric. */
const FACTORIAL_MAX = 32177;

export function factorial(n: number | bigint): Numeric {
  if (n < 0) {
    throw pgError('numeric_value_out_of_range', 'factorial of a negative number is undefined');
  }
  if (n > FACTORIAL_MAX) throw overflow();
  return n < 2 ? ONE : finite(productOf(2, Number(n)), 0);
}

/** Product of all integers of a range; halving it keeps the factors of like size. */
function productOf(low: number, high: number): bigint {
  if (high - low < 8) {
    countWork(high);
    let product = 1n;
    for (let i = low; i <= high; i++) product *= BigInt(i);
    return product;
  }
  const middle = Math.floor((low + high) / 2);
  return productOf(low, middle) * productOf(middle + 1, high);
}

/** Number of the bucket, of `count` equal ones between two bounds, that a value falls in: 0 below
 * them, count + 1 above. */
export function widthBucket(operand: Numeric, low: Numeric, high: Numeric, count: number): number {
  if (count <= 0) throw bucketError('count must be greater than zero');
  if (operand.kind === 'nan' || low.kind === 'nan' || high.kind === 'nan') {
    throw bucketError('operand, lower bound, and upper bound cannot be NaN');
  }
  if (low.kind !== 'finite' || high.kind !== 'finite') {
    throw bucketError('lower and upper bounds must be finite');
  }
  const shared = Math.max(low.scale, high.scale, operand.kind === 'finite' ? operand.scale : 0);
  const first = rescale(low.unscaled, low.scale, shared);
  const last = rescale(high.unscaled, high.scale, shared);
  if (first === last) throw bucketError('lower bound cannot equal upper bound');
  const ascending = first < last;
  if (operand.kind !== 'finite') {
    return (operand.kind === 'infinity') === ascending ? bucketAbove(count) : 0;
  }
  const at = rescale(operand.unscaled, operand.scale, shared);
  if (ascending ? at < first : at > first) return 0;
  if (ascending ? at >= last : at <= last) return bucketAbove(count);
  return Number(((at - first) * BigInt(count)) / (last - first)) + 1;
}

function bucketAbove(count: number): number {
  if (count >= INT4_MAX) throw pgError('numeric_value_out_of_range', 'integer out of range');
  return count + 1;
}

function bucketError(message: string): Error {
  return pgError('invalid_argument_for_width_bucket_function', message);
}

/** Digits before the point of a value that is not zero; negative counts zeros behind the point. */
export function wholeDigits(value: FiniteNumeric): number {
  return digitCount(absolute(value.unscaled)) - value.scale;
}
