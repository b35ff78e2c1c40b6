/** sqrt, exp, ln, log and power, with the result scales of PostgreSQL.
 *
 * Series are summed in fixed point: a BigInt counts units of 10^-digits. Where PostgreSQL rounds a
 * value between two steps (ln of the base of a power, say) the same rounding is done here, because
 * it shows in the last digits of large results. */
import { countWork } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import type { FiniteNumeric, Numeric } from '../datum.ts';
import { quotient } from './arithmetic.ts';
import {
  absolute,
  compareNumeric,
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
  SIGNIFICANT_DIGITS_MIN,
  signOf,
  toDouble,
  weightOf,
  ZERO,
} from './value.ts';

const LOG10_E = Math.LOG10E;
const LN_10 = Math.LN10;
/** exp overflows from here on: three times the largest result scale of PostgreSQL. */
const EXPONENT_MAX = 6000;
/** Digits computed beyond those asked for, against the errors of a series' terms. */
const GUARD_DIGITS = 16;
/** What a digit costs when a product is divided by a number as long, in units of work. */
const DIVISION_WORK = 2;

function displayScale(wanted: number, ...operands: readonly FiniteNumeric[]): number {
  let scale = Math.max(wanted, 0);
  for (const operand of operands) scale = Math.max(scale, operand.scale);
  return Math.min(scale, DISPLAY_SCALE_MAX);
}

/** Largest integer whose square is not above a value. */
function integerSquareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  const bits = value.toString(16).length * 4;
  let guess = 1n << BigInt((bits >> 1) + 1);
  if (bits <= 1000) {
    const estimate = Math.sqrt(Number(value));
    if (Number.isFinite(estimate)) guess = BigInt(Math.ceil(estimate * (1 + 1e-14))) + 1n;
  }
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

export function sqrt(value: Numeric): Numeric {
  if (value.kind === '-infinity' || signOf(value) < 0) {
    throw pgError(
      'invalid_argument_for_power_function',
      'cannot take square root of a negative number',
    );
  }
  if (value.kind !== 'finite') return value;
  const rootWeight = (weightOf(value.unscaled, value.scale) + 1) * 2 - 1;
  const scale = displayScale(SIGNIFICANT_DIGITS_MIN - rootWeight, value);
  // One digit more than shown decides the rounding, because a root is never a tie.
  const shift = 2 * (scale + 1) - value.scale;
  const radicand = shift >= 0 ? value.unscaled * pow10(shift) : value.unscaled / pow10(-shift);
  return finite(divideRounded(integerSquareRoot(radicand), 10n), scale);
}

/** Truncation towards zero, as C converts a double to an int. */
function toInt(value: number): number {
  return Math.trunc(value);
}

export function exp(value: Numeric): Numeric {
  if (value.kind === '-infinity') return ZERO;
  if (value.kind !== 'finite') return value;
  const weight = toDouble(value.unscaled, value.scale) * LOG10_E;
  const bounded = Math.min(Math.max(weight, -2000), 2000);
  const scale = displayScale(SIGNIFICANT_DIGITS_MIN - toInt(bounded), value);
  return finite(expToScale(value.unscaled, value.scale, scale), scale);
}

/** e^(unscaled * 10^-scale) rounded to a scale. */
function expToScale(unscaled: bigint, scale: number, resultScale: number): bigint {
  const approximate = toDouble(unscaled, scale);
  if (Math.abs(approximate) >= EXPONENT_MAX) {
    if (approximate > 0) throw overflow();
    return 0n;
  }
  const weight = Math.trunc(approximate * LOG10_E);
  const significant = Math.max(1 + weight + resultScale, 0);
  const digits = significant + GUARD_DIGITS;
  // A negative exponent is computed as the inverse, which keeps the relative precision.
  const power = expFixed(rescale(absolute(unscaled), scale, digits), digits);
  if (unscaled >= 0n) return rescale(power, digits, resultScale);
  return divideRounded(pow10(digits + resultScale), power);
}

/** e^x for a fixed-point x that is not negative. The argument is halved until it is below 1/128,
 * and the result squared as often. */
function expFixed(x: bigint, digits: number): bigint {
  const halvings = Math.max(0, Math.ceil(Math.log2(toDouble(x, digits) * 128 + 1)));
  const working = digits + Math.ceil(halvings * 0.31) + 4;
  const unit = pow10(working);
  const reduced = rescale(x, digits, working) >> BigInt(halvings);
  let sum = unit + reduced;
  let term = reduced;
  for (let n = 2n; term !== 0n; n++) {
    countWork(working * DIVISION_WORK);
    term = (term * reduced) / unit / n;
    sum += term;
  }
  for (let i = 0; i < halvings; i++) {
    countWork(working * DIVISION_WORK);
    sum = (sum * sum) / unit;
  }
  return rescale(sum, working, digits);
}

/** Decimal weight of the logarithm's first digit, by which its scale is chosen. */
function logarithmWeight(value: FiniteNumeric): number {
  if (value.unscaled <= 0n) return 0;
  const near =
    compareNumeric(value, { kind: 'finite', unscaled: 9n, scale: 1 }) >= 0 &&
    compareNumeric(value, { kind: 'finite', unscaled: 11n, scale: 1 }) <= 0;
  if (near) {
    const distance = absolute(value.unscaled - pow10(value.scale));
    return distance === 0n ? 0 : digitCount(distance) - 1 - value.scale;
  }
  const { leading, exponent } = leadingDigits(value.unscaled, value.scale, 2);
  const logarithm = Math.log(leading) + exponent * LN_10;
  return toInt(Math.log10(Math.abs(logarithm)));
}

/** The first base-10000 digits of a magnitude as one number, and the power of ten it counts. A digit
 * that would be a trailing zero does not count as one. */
function leadingDigits(
  magnitude: bigint,
  scale: number,
  count: number,
): { leading: number; exponent: number } {
  const weight = weightOf(magnitude, scale);
  let exponent = 4 * weight;
  let leading = 0;
  for (let taken = 0; taken < count; taken++, exponent -= 4) {
    const shift = scale + exponent;
    leading = Number(shift <= 0 ? magnitude * pow10(-shift) : magnitude / pow10(shift));
    if (shift <= 0 || magnitude % pow10(shift) === 0n) return { leading, exponent };
  }
  return { leading, exponent: exponent + 4 };
}

function requirePositive(sign: number): void {
  if (sign > 0) return;
  throw pgError(
    'invalid_argument_for_logarithm',
    sign === 0 ? 'cannot take logarithm of zero' : 'cannot take logarithm of a negative number',
  );
}

export function ln(value: Numeric): Numeric {
  if (value.kind === '-infinity') requirePositive(-1);
  if (value.kind !== 'finite') return value;
  requirePositive(signOf(value));
  const scale = displayScale(SIGNIFICANT_DIGITS_MIN - logarithmWeight(value), value);
  return finite(lnToScale(value, scale), scale);
}

/** ln of a positive value, rounded to a scale. */
function lnToScale(value: FiniteNumeric, scale: number): bigint {
  const digits = scale + GUARD_DIGITS;
  const shift = digitCount(value.unscaled) - 1 - value.scale;
  // value = mantissa * 10^power with the mantissa from 0.5 up to 5, so near 1 where value is.
  const leading = leadingDigits(value.unscaled, value.scale, 2);
  const power = leading.leading * 10 ** (leading.exponent - shift) >= 5 ? shift + 1 : shift;
  const mantissa = rescale(value.unscaled, value.scale + power, digits);
  const sum = lnFixed(mantissa, digits) + BigInt(power) * lnOfTen(digits);
  return rescale(sum, digits, scale);
}

/** ln of a fixed-point number near 1: halved while above 3/2, doubled while below 3/4. */
function lnFixed(x: bigint, digits: number): bigint {
  const unit = pow10(digits);
  let reduced = x;
  let halvings = 0n;
  for (; reduced * 2n > unit * 3n; halvings++) reduced /= 2n;
  for (; reduced * 4n < unit * 3n; halvings--) reduced *= 2n;
  const z = ((reduced - unit) * unit) / (reduced + unit);
  return 2n * inverseHyperbolicTangent(z, unit, digits) + halvings * lnOfTwo(digits);
}

/** z + z^3/3 + z^5/5 + …, unit being 10^digits. */
function inverseHyperbolicTangent(z: bigint, unit: bigint, digits: number): bigint {
  const square = (z * z) / unit;
  let sum = z;
  let power = z;
  for (let n = 3n; power !== 0n; n += 2n) {
    countWork(digits * DIVISION_WORK);
    power = (power * square) / unit;
    sum += power / n;
  }
  return sum;
}

let cachedDigits = 0;
let cachedLnOfTwo = 0n;
let cachedLnOfTen = 0n;

/** Computes ln 2 = 2 atanh(1/3) and ln 10 = 3 ln 2 + 2 atanh(1/9) to more digits than before. */
function prepareConstants(digits: number): void {
  if (digits <= cachedDigits) return;
  const kept = Math.max(digits, 64);
  const working = kept + 8;
  const unit = pow10(working);
  const two = 2n * inverseHyperbolicTangent(unit / 3n, unit, working);
  const ten = 3n * two + 2n * inverseHyperbolicTangent(unit / 9n, unit, working);
  cachedDigits = kept;
  cachedLnOfTwo = rescale(two, working, cachedDigits);
  cachedLnOfTen = rescale(ten, working, cachedDigits);
}

function lnOfTwo(digits: number): bigint {
  prepareConstants(digits);
  return rescale(cachedLnOfTwo, cachedDigits, digits);
}

function lnOfTen(digits: number): bigint {
  prepareConstants(digits);
  return rescale(cachedLnOfTen, cachedDigits, digits);
}

/** Logarithm of a value in a base. */
export function log(base: Numeric, value: Numeric): Numeric {
  if (base.kind === 'nan' || value.kind === 'nan') return NAN;
  const baseSign = signOf(base);
  const valueSign = signOf(value);
  if (base.kind !== 'finite' || value.kind !== 'finite') {
    requirePositive(Math.min(baseSign, valueSign));
    if (base.kind === 'finite') return INFINITY;
    return value.kind === 'finite' ? ZERO : NAN;
  }
  const baseWeight = logarithmWeight(base);
  const valueWeight = logarithmWeight(value);
  const weight = valueWeight - baseWeight;
  const scale = displayScale(SIGNIFICANT_DIGITS_MIN - weight, base, value);
  const baseScale = Math.max(scale + weight - baseWeight + 8, 0);
  const valueScale = Math.max(scale + weight - valueWeight + 8, 0);
  requirePositive(baseSign);
  requirePositive(valueSign);
  const lnBase = lnToScale(base, baseScale);
  if (lnBase === 0n) throw pgError('division_by_zero', 'division by zero');
  const lnValue = lnToScale(value, valueScale);
  const ratio = quotient(
    { kind: 'finite', unscaled: lnValue, scale: valueScale },
    { kind: 'finite', unscaled: lnBase, scale: baseScale },
    scale,
  );
  return finite(ratio, scale);
}

function isIntegral(value: FiniteNumeric): boolean {
  return value.scale === 0 || value.unscaled % pow10(value.scale) === 0n;
}

function isOdd(value: FiniteNumeric): boolean {
  return (value.unscaled / pow10(value.scale)) % 2n !== 0n;
}

function complexResult(): Error {
  return pgError(
    'invalid_argument_for_power_function',
    'a negative number raised to a non-integer power yields a complex result',
  );
}

const INT4_LIMIT = 0x8000_0000n;

export function power(base: Numeric, exponent: Numeric): Numeric {
  if (base.kind !== 'finite' || exponent.kind !== 'finite') return powerSpecial(base, exponent);
  if (base.unscaled === 0n && exponent.unscaled < 0n) throw zeroToNegative();
  if (isIntegral(exponent)) {
    const whole = exponent.unscaled / pow10(exponent.scale);
    if (whole >= -INT4_LIMIT && whole < INT4_LIMIT) return powerOfInteger(base, Number(whole));
  }
  if (base.unscaled === 0n) return finite(0n, SIGNIFICANT_DIGITS_MIN);
  if (base.unscaled < 0n && !isIntegral(exponent)) throw complexResult();
  const negative = base.unscaled < 0n && isOdd(exponent);
  const magnitude: FiniteNumeric = {
    kind: 'finite',
    unscaled: absolute(base.unscaled),
    scale: base.scale,
  };
  return powerByLogarithm(magnitude, exponent, negative);
}

function zeroToNegative(): Error {
  return pgError(
    'invalid_argument_for_power_function',
    'zero raised to a negative power is undefined',
  );
}

/** The rules of POSIX's pow for NaN and the infinities. */
function powerSpecial(base: Numeric, exponent: Numeric): Numeric {
  const isOne = base.kind === 'finite' && compareNumeric(base, ONE) === 0;
  if (base.kind === 'nan') return exponent.kind === 'finite' && signOf(exponent) === 0 ? ONE : NAN;
  if (exponent.kind === 'nan') return isOne ? ONE : NAN;
  const baseSign = signOf(base);
  const exponentSign = signOf(exponent);
  if (baseSign === 0 && exponentSign < 0) throw zeroToNegative();
  if (baseSign < 0 && exponent.kind === 'finite' && !isIntegral(exponent)) throw complexResult();
  if (isOne || exponentSign === 0) return ONE;
  if (baseSign === 0) return ZERO;
  if (exponent.kind !== 'finite') {
    let aboveOne = true;
    if (base.kind === 'finite') {
      const unit = pow10(base.scale);
      if (base.unscaled === -unit) return ONE;
      aboveOne = absolute(base.unscaled) > unit;
    }
    return aboveOne === exponentSign > 0 ? INFINITY : ZERO;
  }
  if (exponentSign < 0) return ZERO;
  if (base.kind === 'infinity') return INFINITY;
  return isIntegral(exponent) && isOdd(exponent) ? NEGATIVE_INFINITY : INFINITY;
}

/** base^exponent as e^(exponent * ln base). */
function powerByLogarithm(
  base: FiniteNumeric,
  exponent: FiniteNumeric,
  negative: boolean,
): Numeric {
  const lnWeight = logarithmWeight(base);
  const estimateScale = Math.max(8 - lnWeight, 0);
  const estimate = toDouble(exponentOf(base, exponent, estimateScale), estimateScale);
  if (Math.abs(estimate) > EXPONENT_MAX * (3.01 / 3)) {
    if (estimate > 0) throw overflow();
    return finite(0n, DISPLAY_SCALE_MAX);
  }
  const weight = toInt(estimate * LOG10_E);
  const scale = displayScale(SIGNIFICANT_DIGITS_MIN - weight, base, exponent);
  const significant = Math.max(scale + weight, 0);
  const workingScale = Math.max(significant - lnWeight + 8, 0);
  const result = expToScale(exponentOf(base, exponent, workingScale), workingScale, scale);
  return finite(negative ? -result : result, scale);
}

/** exponent * ln(base), both the logarithm and the product rounded to a scale. */
function exponentOf(base: FiniteNumeric, exponent: FiniteNumeric, scale: number): bigint {
  const product = lnToScale(base, scale) * exponent.unscaled;
  return rescale(product, scale + exponent.scale, scale);
}

/** log10 of a result beyond which it surely overflows. */
const LOG10_MAX = 3 * 32767 * 4;

function powerOfInteger(base: FiniteNumeric, exponent: number): Numeric {
  const scale = displayScale(SIGNIFICANT_DIGITS_MIN, base);
  const { unscaled } = base;
  switch (exponent) {
    case 0:
      return finite(pow10(scale), scale);
    case 1:
      return finite(rescale(unscaled, base.scale, scale), scale);
    case -1:
      return finite(quotient(ONE, base, scale), scale);
    case 2:
      return finite(rescale(unscaled * unscaled, 2 * base.scale, scale), scale);
  }
  if (unscaled === 0n) return finite(0n, scale);
  const { leading, exponent: leadingExponent } = leadingDigits(absolute(unscaled), base.scale, 4);
  const weight = exponent * (Math.log10(leading) + leadingExponent);
  if (weight > LOG10_MAX) throw overflow();
  if (weight + 1 < -scale || weight + 1 < -DISPLAY_SCALE_MAX) return finite(0n, scale);
  const significant = 1 + scale + toInt(weight) + toInt(Math.log(Math.abs(exponent))) + 8;
  const product = powerBySquaring(base, Math.abs(exponent), significant);
  if (product === null) {
    if (exponent > 0) throw overflow();
    return finite(0n, scale);
  }
  if (exponent < 0) {
    if (product.unscaled === 0n) throw pgError('division_by_zero', 'division by zero');
    return finite(quotient(ONE, product, scale), scale);
  }
  return finite(rescale(product.unscaled, product.scale, scale), scale);
}

/** Repeated squaring, every product rounded to the significant digits that the result needs; null
 * once a product is too large for the format. */
function powerBySquaring(
  base: FiniteNumeric,
  exponent: number,
  significant: number,
): FiniteNumeric | null {
  let square = base;
  let result = exponent % 2 === 1 ? base : ONE;
  for (let mask = Math.floor(exponent / 2); mask > 0; mask = Math.floor(mask / 2)) {
    countWork(Math.max(significant, 0) * DIVISION_WORK);
    square = roundedProduct(square, square, significant);
    if (mask % 2 === 1) result = roundedProduct(square, result, significant);
    if (weightOf(absolute(square.unscaled), square.scale) > 32767) return null;
    if (weightOf(absolute(result.unscaled), result.scale) > 32767) return null;
  }
  return result;
}

function roundedProduct(a: FiniteNumeric, b: FiniteNumeric, significant: number): FiniteNumeric {
  const weight = weightOf(absolute(a.unscaled), a.scale) + weightOf(absolute(b.unscaled), b.scale);
  const exact = a.scale + b.scale;
  const scale = Math.max(Math.min(significant - weight * 4, exact), 0);
  return {
    kind: 'finite',
    unscaled: rescale(a.unscaled * b.unscaled, exact, scale),
    scale,
  };
}
