import { type Int8, int8 } from '../datum.ts';

/** Checked arithmetic on 64-bit integers: doubles while the result is safe, BigInt beyond. `null`
 * stands for overflow, which each caller words in its own way. */

const INT8_MIN = -(2n ** 63n);
const INT8_MAX = 2n ** 63n - 1n;

export function addInt8(a: Int8, b: Int8): Int8 | null {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return checkedInt8(BigInt(a) + BigInt(b));
}

export function subtractInt8(a: Int8, b: Int8): Int8 | null {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return checkedInt8(BigInt(a) - BigInt(b));
}

export function multiplyInt8(a: Int8, b: Int8): Int8 | null {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b;
    // Adding 0 turns -0 into 0.
    if (Number.isSafeInteger(product)) return product + 0;
  }
  return checkedInt8(BigInt(a) * BigInt(b));
}

export function negateInt8(a: Int8): Int8 | null {
  return subtractInt8(0, a);
}

export function checkedInt8(value: bigint): Int8 | null {
  return value < INT8_MIN || value > INT8_MAX ? null : int8(value);
}

/** A double that holds an integer, as a 64-bit integer. */
export function int8FromDouble(value: number): Int8 | null {
  if (Number.isSafeInteger(value)) return value + 0;
  if (!(value >= -(2 ** 63) && value < 2 ** 63)) return null;
  return int8(BigInt(Math.trunc(value)));
}

/** Integer division towards zero, and its remainder. */
export function divideInt8(a: Int8, divisor: number): readonly [Int8, number] {
  if (typeof a === 'number') {
    const quotient = Math.trunc(a / divisor);
    // The quotient of two doubles may round up to the next integer.
    let rest = a - quotient * divisor;
    let exact = quotient;
    if (rest !== 0 && rest < 0 !== a < 0) {
      exact -= a < 0 ? -1 : 1;
      rest = a - exact * divisor;
    }
    return [exact + 0, rest + 0];
  }
  const big = BigInt(divisor);
  return [int8(a / big), Number(a % big)];
}

export function isInt4(value: number): boolean {
  return value >= -2147483648 && value <= 2147483647;
}
