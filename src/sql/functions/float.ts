/** float4 and float8: PostgreSQL's arithmetic, which is IEEE's except that a finite operation must
 * not overflow or underflow, and the functions of C's math library. */

import { pgError } from '../../errors/index.ts';
import type { Int8 } from '../../types/index.ts';
import { int8 } from '../../types/index.ts';
import { registerFunctions } from './implementations.ts';
import { checkInt2, checkInt4, divisionByZero } from './int.ts';
import { compareFloat, orderFunctions, type Scalars } from './order.ts';

const { fround } = Math;

export const floatOverflow = () =>
  pgError('numeric_value_out_of_range', 'value out of range: overflow');
const floatUnderflow = () => pgError('numeric_value_out_of_range', 'value out of range: underflow');
const inputOutOfRange = () => pgError('numeric_value_out_of_range', 'input is out of range');

function addFloat(a: number, b: number): number {
  const sum = a + b;
  if (isInfinite(sum) && !isInfinite(a) && !isInfinite(b)) throw floatOverflow();
  return sum;
}

function subtractFloat(a: number, b: number): number {
  const difference = a - b;
  if (isInfinite(difference) && !isInfinite(a) && !isInfinite(b)) throw floatOverflow();
  return difference;
}

function multiplyFloat(a: number, b: number): number {
  const product = a * b;
  if (isInfinite(product) && !isInfinite(a) && !isInfinite(b)) throw floatOverflow();
  if (product === 0 && a !== 0 && b !== 0) throw floatUnderflow();
  return product;
}

function divideFloat(a: number, b: number): number {
  if (b === 0 && !Number.isNaN(a)) throw divisionByZero();
  const quotient = a / b;
  if (isInfinite(quotient) && !isInfinite(a)) throw floatOverflow();
  if (quotient === 0 && a !== 0 && !isInfinite(b)) throw floatUnderflow();
  return quotient;
}

function addFloat4(a: number, b: number): number {
  const sum = fround(a + b);
  if (isInfinite(sum) && !isInfinite(a) && !isInfinite(b)) throw floatOverflow();
  return sum;
}

function subtractFloat4(a: number, b: number): number {
  const difference = fround(a - b);
  if (isInfinite(difference) && !isInfinite(a) && !isInfinite(b)) throw floatOverflow();
  return difference;
}

function multiplyFloat4(a: number, b: number): number {
  const product = fround(a * b);
  if (isInfinite(product) && !isInfinite(a) && !isInfinite(b)) throw floatOverflow();
  if (product === 0 && a !== 0 && b !== 0) throw floatUnderflow();
  return product;
}

function divideFloat4(a: number, b: number): number {
  if (b === 0 && !Number.isNaN(a)) throw divisionByZero();
  const quotient = fround(a / b);
  if (isInfinite(quotient) && !isInfinite(a)) throw floatOverflow();
  if (quotient === 0 && a !== 0 && !isInfinite(b)) throw floatUnderflow();
  return quotient;
}

export function isInfinite(value: number): boolean {
  return value === Infinity || value === -Infinity;
}

function allComparisons(): Scalars {
  const table: Scalars = {};
  for (const suffix of ['4', '8', '48', '84']) {
    const prefix = `float${suffix}`;
    const single = suffix.length === 1;
    Object.assign(
      table,
      orderFunctions(
        {
          prefix,
          compare: `btfloat${suffix}cmp`,
          ...(single ? { larger: `${prefix}larger`, smaller: `${prefix}smaller` } : {}),
        },
        compareFloat,
      ),
    );
  }
  return table;
}

function allArithmetic(): Scalars {
  const table: Scalars = {
    float4pl: (_c, a: number, b: number) => addFloat4(a, b),
    float4mi: (_c, a: number, b: number) => subtractFloat4(a, b),
    float4mul: (_c, a: number, b: number) => multiplyFloat4(a, b),
    float4div: (_c, a: number, b: number) => divideFloat4(a, b),
    float4um: (_c, a: number) => -a,
    float8um: (_c, a: number) => -a,
    float4up: (_c, a: number) => a,
    float8up: (_c, a: number) => a,
    float4abs: (_c, a: number) => Math.abs(a),
    float8abs: (_c, a: number) => Math.abs(a),
  };
  for (const suffix of ['8', '48', '84']) {
    table[`float${suffix}pl`] = (_c, a: number, b: number) => addFloat(a, b);
    table[`float${suffix}mi`] = (_c, a: number, b: number) => subtractFloat(a, b);
    table[`float${suffix}mul`] = (_c, a: number, b: number) => multiplyFloat(a, b);
    table[`float${suffix}div`] = (_c, a: number, b: number) => divideFloat(a, b);
  }
  return table;
}

/** Rounds half to even, as C's rint does. */
export function roundHalfEven(value: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 4503599627370496) return value;
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor === 0 && value < 0 ? -0 : floor;
  if (rest > 0.5) return floor + 1 === 0 ? -0 : floor + 1;
  const even = floor % 2 === 0 ? floor : floor + 1;
  return even === 0 && value < 0 ? -0 : even;
}

function floatToInt8(value: number): Int8 {
  const rounded = roundHalfEven(value);
  if (!(rounded >= -(2 ** 63) && rounded < 2 ** 63)) {
    throw pgError('numeric_value_out_of_range', 'bigint out of range');
  }
  return Number.isSafeInteger(rounded) ? rounded + 0 : int8(BigInt(rounded));
}

function floatToInt4(value: number): number {
  if (Number.isNaN(value)) throw pgError('numeric_value_out_of_range', 'integer out of range');
  return checkInt4(roundHalfEven(value));
}

function floatToInt2(value: number): number {
  if (Number.isNaN(value)) throw pgError('numeric_value_out_of_range', 'smallint out of range');
  return checkInt2(roundHalfEven(value));
}

export function toFloat4(value: number): number {
  const single = fround(value);
  if (isInfinite(single) && !isInfinite(value)) throw floatOverflow();
  if (single === 0 && value !== 0) throw floatUnderflow();
  return single;
}

const casts: Scalars = {
  i2tod: (_c, a: number) => a,
  i4tod: (_c, a: number) => a,
  i8tod: (_c, a: Int8) => Number(a),
  i2tof: (_c, a: number) => a,
  i4tof: (_c, a: number) => fround(a),
  i8tof: (_c, a: Int8) => int8ToFloat4(a),
  dtoi2: (_c, a: number) => floatToInt2(a),
  dtoi4: (_c, a: number) => floatToInt4(a),
  dtoi8: (_c, a: number) => floatToInt8(a),
  ftoi2: (_c, a: number) => floatToInt2(a),
  ftoi4: (_c, a: number) => floatToInt4(a),
  ftoi8: (_c, a: number) => floatToInt8(a),
  ftod: (_c, a: number) => a,
  dtof: (_c, a: number) => toFloat4(a),
};

/** Rounds once: going through a double would round a large integer twice. */
function int8ToFloat4(value: Int8): number {
  if (typeof value === 'number') return fround(value);
  const magnitude = value < 0n ? -value : value;
  const shift = BigInt(Math.max(0, magnitude.toString(2).length - 32));
  const sticky = (magnitude & ((1n << shift) - 1n)) === 0n ? 0n : 1n;
  const rounded = fround(Number((magnitude >> shift) | sticky)) * 2 ** Number(shift);
  return value < 0n ? -rounded : rounded;
}

const rounding: Scalars = {
  dround: (_c, a: number) => roundHalfEven(a),
  dtrunc: (_c, a: number) => Math.trunc(a),
  dceil: (_c, a: number) => Math.ceil(a),
  dfloor: (_c, a: number) => Math.floor(a),
  dsign: (_c, a: number) => (a > 0 ? 1 : a < 0 ? -1 : 0),
};

const powers: Scalars = {
  dsqrt: (_c, a: number) => {
    if (a < 0) {
      throw pgError(
        'invalid_argument_for_power_function',
        'cannot take square root of a negative number',
      );
    }
    return Math.sqrt(a);
  },
  dcbrt: (_c, a: number) => cubeRoot(a),
  dexp: (_c, a: number) => {
    const result = Math.exp(a);
    if (result === Infinity && !isInfinite(a)) throw floatOverflow();
    if (result === 0 && !isInfinite(a)) throw floatUnderflow();
    return result;
  },
  dlog1: (_c, a: number) => {
    checkLogarithm(a);
    return Math.log(a);
  },
  dlog10: (_c, a: number) => {
    checkLogarithm(a);
    return Math.log10(a);
  },
  dpow: (_c, a: number, b: number) => power(a, b),
};

function cubeRoot(value: number): number {
  const root = Math.cbrt(value);
  const nearest = Math.round(root);
  return nearest * nearest * nearest === value ? nearest : root;
}

function checkLogarithm(value: number): void {
  if (value === 0) {
    throw pgError('invalid_argument_for_logarithm', 'cannot take logarithm of zero');
  }
  if (value < 0) {
    throw pgError('invalid_argument_for_logarithm', 'cannot take logarithm of a negative number');
  }
}

function power(a: number, b: number): number {
  if (Number.isNaN(a)) return b === 0 ? 1 : Number.NaN;
  if (Number.isNaN(b)) return a === 1 ? 1 : Number.NaN;
  if (a === 0 && b < 0) {
    throw pgError(
      'invalid_argument_for_power_function',
      'zero raised to a negative power is undefined',
    );
  }
  if (a < 0 && Math.floor(b) !== b) {
    throw pgError(
      'invalid_argument_for_power_function',
      'a negative number raised to a non-integer power yields a complex result',
    );
  }
  if (isInfinite(b)) {
    const magnitude = Math.abs(a);
    if (magnitude === 1) return 1;
    return magnitude > 1 === b > 0 ? Infinity : 0;
  }
  const result = a ** b;
  if (!isInfinite(a)) {
    if (isInfinite(result)) throw floatOverflow();
    if (result === 0 && a !== 0) throw floatUnderflow();
  }
  return result;
}

/** A function of the math library whose finite result for a finite argument must not overflow. */
function circular(compute: (value: number) => number) {
  return (_c: unknown, value: number): number => {
    if (isInfinite(value)) throw inputOutOfRange();
    return compute(value);
  };
}

function inUnitRange(compute: (value: number) => number) {
  return (_c: unknown, value: number): number => {
    if (value < -1 || value > 1) throw inputOutOfRange();
    return compute(value);
  };
}

const trigonometry: Scalars = {
  dsin: circular(Math.sin),
  dcos: circular(Math.cos),
  dtan: circular(Math.tan),
  dcot: circular((value) => 1 / Math.tan(value)),
  dasin: inUnitRange(Math.asin),
  dacos: inUnitRange(Math.acos),
  datan: (_c, a: number) => Math.atan(a),
  datan2: (_c, a: number, b: number) => Math.atan2(a, b),
  dsinh: (_c, a: number) => Math.sinh(a),
  dcosh: (_c, a: number) => Math.cosh(a),
  dtanh: (_c, a: number) => Math.tanh(a),
  dasinh: (_c, a: number) => Math.asinh(a),
  dacosh: (_c, a: number) => {
    if (a < 1) throw inputOutOfRange();
    return Math.acosh(a);
  },
  datanh: (_c, a: number) => {
    if (a < -1 || a > 1) throw inputOutOfRange();
    return Math.atanh(a);
  },
  dpi: () => Math.PI,
  degrees: (_c, a: number) => divideFloat(a, RADIANS_PER_DEGREE),
  radians: (_c, a: number) => multiplyFloat(a, RADIANS_PER_DEGREE),
};

const RADIANS_PER_DEGREE = 0.017453292519943295;

/** Degree functions are exact at multiples of 30 and 45 degrees, by PostgreSQL's own scaling. */
const SIN_30 = Math.sin(30 * RADIANS_PER_DEGREE);
const ONE_MINUS_COS_60 = 1 - Math.cos(60 * RADIANS_PER_DEGREE);
const ASIN_HALF = Math.asin(0.5);
const ACOS_HALF = Math.acos(0.5);
const ATAN_ONE = Math.atan(1);

function sinTo30(degrees: number): number {
  return Math.sin(degrees * RADIANS_PER_DEGREE) / SIN_30 / 2;
}

function cosTo60(degrees: number): number {
  return 1 - (1 - Math.cos(degrees * RADIANS_PER_DEGREE)) / ONE_MINUS_COS_60 / 2;
}

function sinQuadrant(degrees: number): number {
  return degrees <= 30 ? sinTo30(degrees) : cosTo60(90 - degrees);
}

function cosQuadrant(degrees: number): number {
  return degrees <= 60 ? cosTo60(degrees) : sinTo30(90 - degrees);
}

const TAN_45 = sinQuadrant(45) / cosQuadrant(45);
const COT_45 = cosQuadrant(45) / sinQuadrant(45);

function sinDegrees(value: number): number {
  if (Number.isNaN(value)) return value;
  let angle = value % 360;
  let sign = 1;
  if (angle < 0) {
    angle = -angle;
    sign = -sign;
  }
  if (angle > 180) {
    angle = 360 - angle;
    sign = -sign;
  }
  if (angle > 90) angle = 180 - angle;
  return sign * sinQuadrant(angle);
}

function cosDegrees(value: number): number {
  if (Number.isNaN(value)) return value;
  let angle = Math.abs(value % 360);
  let sign = 1;
  if (angle > 180) angle = 360 - angle;
  if (angle > 90) {
    angle = 180 - angle;
    sign = -sign;
  }
  return sign * cosQuadrant(angle);
}

function tanDegrees(value: number, cotangent: boolean): number {
  if (Number.isNaN(value)) return value;
  let angle = value % 360;
  let sign = 1;
  if (angle < 0) {
    angle = -angle;
    sign = -sign;
  }
  if (angle > 180) {
    angle = 360 - angle;
    sign = -sign;
  }
  if (angle > 90) {
    angle = 180 - angle;
    sign = -sign;
  }
  const ratio = cotangent
    ? cosQuadrant(angle) / sinQuadrant(angle) / COT_45
    : sinQuadrant(angle) / cosQuadrant(angle) / TAN_45;
  const result = sign * ratio;
  return result === 0 ? 0 : result;
}

function asinQuadrant(value: number): number {
  if (value <= 0.5) return (Math.asin(value) / ASIN_HALF) * 30;
  return 90 - (Math.acos(value) / ACOS_HALF) * 60;
}

function acosQuadrant(value: number): number {
  if (value <= 0.5) return 90 - (Math.asin(value) / ASIN_HALF) * 30;
  return (Math.acos(value) / ACOS_HALF) * 60;
}

const degreeTrigonometry: Scalars = {
  dsind: circular(sinDegrees),
  dcosd: circular(cosDegrees),
  dtand: circular((value) => tanDegrees(value, false)),
  dcotd: circular((value) => tanDegrees(value, true)),
  dasind: inUnitRange((value) => (value >= 0 ? asinQuadrant(value) : -asinQuadrant(-value))),
  dacosd: inUnitRange((value) => (value >= 0 ? acosQuadrant(value) : 90 + asinQuadrant(-value))),
  datand: (_c, a: number) => (Math.atan(a) / ATAN_ONE) * 45,
  datan2d: (_c, a: number, b: number) => (Math.atan2(a, b) / ATAN_ONE) * 45,
};

function widthBucket(operand: number, low: number, high: number, count: number): number {
  if (count <= 0) {
    throw pgError('invalid_argument_for_width_bucket_function', 'count must be greater than zero');
  }
  if (Number.isNaN(operand) || Number.isNaN(low) || Number.isNaN(high)) {
    throw pgError(
      'invalid_argument_for_width_bucket_function',
      'operand, lower bound, and upper bound cannot be NaN',
    );
  }
  if (isInfinite(low) || isInfinite(high)) {
    throw pgError(
      'invalid_argument_for_width_bucket_function',
      'lower and upper bounds must be finite',
    );
  }
  if (low === high) {
    throw pgError(
      'invalid_argument_for_width_bucket_function',
      'lower bound cannot equal upper bound',
    );
  }
  const ascending = low < high;
  if (ascending ? operand < low : operand > low) return 0;
  if (ascending ? operand >= high : operand <= high) return checkInt4(count + 1);
  const span = high - low;
  const fraction = Number.isFinite(span)
    ? (operand - low) / span
    : (operand / 2 - low / 2) / (high / 2 - low / 2);
  return Math.min(Math.trunc(count * fraction), count - 1) + 1;
}

registerFunctions({
  scalars: {
    ...allComparisons(),
    ...allArithmetic(),
    ...casts,
    ...rounding,
    ...powers,
    ...trigonometry,
    ...degreeTrigonometry,
    width_bucket_float8: (_c, operand: number, low: number, high: number, count: number) =>
      widthBucket(operand, low, high, count),
  },
});
