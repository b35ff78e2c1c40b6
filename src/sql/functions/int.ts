/** int2, int4, int8 and oid. Results are checked against the width of the result type; int8 uses
 * doubles while both operands and the result are safe integers and BigInt beyond. */

import { type Condition, pgError } from '../../errors/index.ts';
import { type Int8, int8 } from '../../types/index.ts';
import type { FunctionContext } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { compareNative, orderFunctions, type Scalars } from './order.ts';

const INT8_MIN = -(2n ** 63n);
const INT8_MAX = 2n ** 63n - 1n;
const WIDTH_OF_DIGIT = { '2': 2, '4': 4, '8': 8 } as const;
type Width = 2 | 4 | 8;

const outOfRange = (name: string, condition: Condition = 'numeric_value_out_of_range') =>
  pgError(condition, `${name} out of range`);

export function divisionByZero() {
  return pgError('division_by_zero', 'division by zero');
}

export function checkInt2(value: number): number {
  if (value < -32768 || value > 32767) throw outOfRange('smallint');
  return value + 0;
}

export function checkInt4(value: number): number {
  if (value < -2147483648 || value > 2147483647) throw outOfRange('integer');
  return value + 0;
}

export function checkInt8(value: bigint): Int8 {
  if (value < INT8_MIN || value > INT8_MAX) throw outOfRange('bigint');
  return int8(value);
}

export function addInt8(a: Int8, b: Int8): Int8 {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return checkInt8(BigInt(a) + BigInt(b));
}

export function subtractInt8(a: Int8, b: Int8): Int8 {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return checkInt8(BigInt(a) - BigInt(b));
}

export function multiplyInt8(a: Int8, b: Int8): Int8 {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b;
    if (Number.isSafeInteger(product)) return product + 0;
  }
  return checkInt8(BigInt(a) * BigInt(b));
}

/** Doubles suffice: for safe integers the rounding error of a / b is below half of the distance
 * between the quotient and the next integer. */
export function divideInt8(a: Int8, b: Int8): Int8 {
  if (b === 0) throw divisionByZero();
  if (typeof a === 'number' && typeof b === 'number') return Math.trunc(a / b) + 0;
  return checkInt8(BigInt(a) / BigInt(b));
}

function modInt8(a: Int8, b: Int8): Int8 {
  if (b === 0) throw divisionByZero();
  if (typeof a === 'number' && typeof b === 'number') return (a % b) + 0;
  return int8(BigInt(a) % BigInt(b));
}

function modInt(a: number, b: number): number {
  if (b === 0) throw divisionByZero();
  return (a % b) + 0;
}

/** Arithmetic of one pair of widths; the result is as wide as the wider. */
function arithmetic(prefix: string, width: Width): Scalars {
  if (width === 8) {
    return {
      [`${prefix}pl`]: (_c, a: Int8, b: Int8) => addInt8(a, b),
      [`${prefix}mi`]: (_c, a: Int8, b: Int8) => subtractInt8(a, b),
      [`${prefix}mul`]: (_c, a: Int8, b: Int8) => multiplyInt8(a, b),
      [`${prefix}div`]: (_c, a: Int8, b: Int8) => divideInt8(a, b),
    };
  }
  const check = width === 2 ? checkInt2 : checkInt4;
  return {
    [`${prefix}pl`]: (_c, a: number, b: number) => check(a + b),
    [`${prefix}mi`]: (_c, a: number, b: number) => check(a - b),
    [`${prefix}mul`]: (_c, a: number, b: number) => check(a * b),
    [`${prefix}div`]: (_c, a: number, b: number) => {
      if (b === 0) throw divisionByZero();
      return check(Math.trunc(a / b));
    },
  };
}

function allArithmetic(): Scalars {
  const table: Scalars = {};
  for (const suffix of ['2', '4', '8', '24', '42', '28', '82', '48', '84']) {
    const left = WIDTH_OF_DIGIT[suffix[0] as '2'];
    const right = WIDTH_OF_DIGIT[suffix[suffix.length - 1] as '2'];
    Object.assign(table, arithmetic(`int${suffix}`, Math.max(left, right) as Width));
  }
  return table;
}

function allComparisons(): Scalars {
  const table: Scalars = {};
  for (const suffix of ['2', '4', '8', '24', '42', '28', '82', '48', '84']) {
    const prefix = `int${suffix}`;
    const single = suffix.length === 1;
    Object.assign(
      table,
      orderFunctions(
        {
          prefix,
          compare: `btint${suffix}cmp`,
          ...(single ? { larger: `${prefix}larger`, smaller: `${prefix}smaller` } : {}),
        },
        compareNative,
      ),
    );
  }
  return Object.assign(
    table,
    orderFunctions(
      { prefix: 'oid', compare: 'btoidcmp', larger: 'oidlarger', smaller: 'oidsmaller' },
      compareNative,
    ),
    orderFunctions({ prefix: 'xid' }, compareNative),
    { xidneq: (_c: FunctionContext, a: number, b: number) => a !== b },
  );
}

/** A shift count counts modulo the width of the machine register, as the processor does. */
function shiftInt8(a: Int8, by: number, left: boolean): Int8 {
  const count = BigInt(by & 63);
  return int8(BigInt.asIntN(64, left ? BigInt(a) << count : BigInt(a) >> count));
}

const toInt16 = (value: number) => (value << 16) >> 16;

const bitwise: Scalars = {
  int2and: (_c, a: number, b: number) => a & b,
  int2or: (_c, a: number, b: number) => a | b,
  int2xor: (_c, a: number, b: number) => a ^ b,
  int2not: (_c, a: number) => ~a,
  int2shl: (_c, a: number, b: number) => toInt16(a << b),
  int2shr: (_c, a: number, b: number) => toInt16(a >> b),
  int4and: (_c, a: number, b: number) => a & b,
  int4or: (_c, a: number, b: number) => a | b,
  int4xor: (_c, a: number, b: number) => a ^ b,
  int4not: (_c, a: number) => ~a,
  int4shl: (_c, a: number, b: number) => a << b,
  int4shr: (_c, a: number, b: number) => a >> b,
  int8and: (_c, a: Int8, b: Int8) => int8(BigInt(a) & BigInt(b)),
  int8or: (_c, a: Int8, b: Int8) => int8(BigInt(a) | BigInt(b)),
  int8xor: (_c, a: Int8, b: Int8) => int8(BigInt(a) ^ BigInt(b)),
  int8not: (_c, a: Int8) => int8(~BigInt(a)),
  int8shl: (_c, a: Int8, b: number) => shiftInt8(a, b, true),
  int8shr: (_c, a: Int8, b: number) => shiftInt8(a, b, false),
};

const negateInt8 = (a: Int8): Int8 => subtractInt8(0, a);
const absInt8 = (a: Int8): Int8 => (a < 0 ? negateInt8(a) : a);

const unary: Scalars = {
  int2um: (_c, a: number) => checkInt2(-a),
  int4um: (_c, a: number) => checkInt4(-a),
  int8um: (_c, a: Int8) => negateInt8(a),
  int2up: (_c, a: number) => a,
  int4up: (_c, a: number) => a,
  int8up: (_c, a: Int8) => a,
  int2abs: (_c, a: number) => checkInt2(Math.abs(a)),
  int4abs: (_c, a: number) => checkInt4(Math.abs(a)),
  int8abs: (_c, a: Int8) => absInt8(a),
  int4inc: (_c, a: number) => checkInt4(a + 1),
  int8inc: (_c, a: Int8) => addInt8(a, 1),
  int8dec: (_c, a: Int8) => subtractInt8(a, 1),
  int2mod: (_c, a: number, b: number) => modInt(a, b),
  int4mod: (_c, a: number, b: number) => modInt(a, b),
  int8mod: (_c, a: Int8, b: Int8) => modInt8(a, b),
};

function gcdBig(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function gcdNumber(a: number, b: number): number {
  let x = Math.abs(a);
  let y = Math.abs(b);
  while (y !== 0) {
    const rest = x % y;
    x = y;
    y = rest;
  }
  return x;
}

const divisors: Scalars = {
  int4gcd: (_c, a: number, b: number) => checkInt4(gcdNumber(a, b)),
  int8gcd: (_c, a: Int8, b: Int8) => checkInt8(gcdBig(BigInt(a), BigInt(b))),
  int4lcm: (_c, a: number, b: number) => {
    if (a === 0 || b === 0) return 0;
    return checkInt4(Math.abs((a / gcdNumber(a, b)) * b));
  },
  int8lcm: (_c, a: Int8, b: Int8) => {
    if (a === 0 || b === 0) return 0;
    const product = (BigInt(a) / gcdBig(BigInt(a), BigInt(b))) * BigInt(b);
    return checkInt8(product < 0n ? -product : product);
  },
};

const casts: Scalars = {
  i2toi4: (_c, a: number) => a,
  i4toi2: (_c, a: number) => checkInt2(a),
  int28: (_c, a: number) => a,
  int48: (_c, a: number) => a,
  int82: (_c, a: Int8) => {
    if (a < -32768 || a > 32767) throw outOfRange('smallint');
    return a;
  },
  int84: (_c, a: Int8) => {
    if (a < -2147483648 || a > 2147483647) throw outOfRange('integer');
    return a;
  },
  i8tooid: (_c, a: Int8) => {
    if (a < 0 || a > 4294967295) throw outOfRange('OID');
    return a;
  },
  oidtoi8: (_c, a: number) => a,
};

registerFunctions({
  scalars: {
    ...allComparisons(),
    ...allArithmetic(),
    ...bitwise,
    ...unary,
    ...divisors,
    ...casts,
  },
});
