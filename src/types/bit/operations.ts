import { pgError } from '../../errors/index.ts';
import { type Int8, int8 } from '../datum.ts';
import {
  BITS_MAX,
  type BitString,
  bitAt,
  bitLength,
  bytesOf,
  clearPadding,
  copyBits,
  makeBits,
  setBitAt,
} from './value.ts';

/** What is computed of strings of bits. */

const INT4_MAX = 0x7fffffff;

export function concatenate(a: BitString, b: BitString): BitString {
  const first = bitLength(a);
  const second = bitLength(b);
  if (first + second > BITS_MAX) {
    throw pgError(
      'program_limit_exceeded',
      `bit string length exceeds the maximum allowed (${BITS_MAX})`,
    );
  }
  const result = makeBits(first + second);
  copyBits(a, 0, first, result, 0);
  copyBits(b, 0, second, result, first);
  return result;
}

/** The bits from position `from` on, counted from 1: `count` of them, or all where it is null. */
export function substring(bits: BitString, from: number, count: number | null): BitString {
  if (count !== null && count < 0) {
    throw pgError('substring_error', 'negative substring length not allowed');
  }
  const end = bitLength(bits) + 1;
  const start = Math.max(from, 1);
  const stop = count === null ? end : Math.min(from + count, end);
  if (stop <= start) return makeBits(0);
  const result = makeBits(stop - start);
  copyBits(bits, start - 1, stop - start, result, 0);
  return result;
}

/** Puts `part` where `count` bits from position `from` on were. */
export function overlay(
  bits: BitString,
  part: BitString,
  from: number,
  count: number = bitLength(part),
): BitString {
  if (from <= 0) throw pgError('substring_error', 'negative substring length not allowed');
  if (from + count > INT4_MAX || from + count < -INT4_MAX - 1) {
    throw pgError('numeric_value_out_of_range', 'integer out of range');
  }
  const head = substring(bits, 1, from - 1);
  return concatenate(concatenate(head, part), substring(bits, from + count, null));
}

/** Position of the first occurrence, counted from 1; 0 where there is none. */
export function position(bits: BitString, part: BitString): number {
  const length = bitLength(bits);
  const wanted = bitLength(part);
  if (length === 0) return 0;
  for (let at = 0; at + wanted <= length; at++) {
    if (isAt(bits, part, at, wanted)) return at + 1;
  }
  return 0;
}

function isAt(bits: BitString, part: BitString, at: number, count: number): boolean {
  for (let i = 0; i < count; i++) {
    if (bitAt(bits, at + i) !== bitAt(part, i)) return false;
  }
  return true;
}

function checkIndex(bits: BitString, i: number): void {
  const length = bitLength(bits);
  if (i >= 0 && i < length) return;
  throw pgError('array_subscript_error', `bit index ${i} out of valid range (0..${length - 1})`);
}

export function getBit(bits: BitString, i: number): number {
  checkIndex(bits, i);
  return bitAt(bits, i);
}

export function setBit(bits: BitString, i: number, bit: number): BitString {
  checkIndex(bits, i);
  if (bit !== 0 && bit !== 1) {
    throw pgError('invalid_parameter_value', 'new bit must be 0 or 1');
  }
  const result = bits.slice();
  setBitAt(result, i, bit);
  return result;
}

/** How many bits are set. */
export function countBits(bits: BitString): number {
  let count = 0;
  for (let byte of bytesOf(bits)) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}

export function not(bits: BitString): BitString {
  const result = bits.slice();
  const bytes = bytesOf(result);
  for (let i = 0; i < bytes.length; i++) bytes[i]! ^= 0xff;
  return clearPadding(result);
}

export function and(a: BitString, b: BitString): BitString {
  return combine(a, b, 'AND', (x, y) => x & y);
}

export function or(a: BitString, b: BitString): BitString {
  return combine(a, b, 'OR', (x, y) => x | y);
}

export function xor(a: BitString, b: BitString): BitString {
  return combine(a, b, 'XOR', (x, y) => x ^ y);
}

function combine(
  a: BitString,
  b: BitString,
  verb: string,
  compute: (x: number, y: number) => number,
): BitString {
  if (bitLength(a) !== bitLength(b)) {
    throw pgError('string_data_length_mismatch', `cannot ${verb} bit strings of different sizes`);
  }
  const result = a.slice();
  for (let i = 1; i < result.length; i++) result[i] = compute(a[i]!, b[i]!);
  return result;
}

/** Moves the bits to the left, or to the right by a negative count; zeros come in. */
export function shiftLeft(bits: BitString, count: number): BitString {
  const length = bitLength(bits);
  const result = makeBits(length);
  const distance = Math.min(Math.abs(count), length);
  if (count >= 0) copyBits(bits, distance, length - distance, result, 0);
  else copyBits(bits, 0, length - distance, result, distance);
  return result;
}

/** The last bits of an integer in two's complement, its sign before them; one where no length is given. */
export function fromInteger(value: Int8, typmod: number): BitString {
  const result = makeBits(typmod > 0 && typmod <= BITS_MAX ? typmod : 1);
  const bytes = bytesOf(result);
  let rest = BigInt(value) << BigInt(result[0]!);
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return result;
}

/** A string of up to `width` bits as an integer; one of just as many has a sign. */
export function toInteger(bits: BitString, width: 32 | 64): Int8 {
  if (bitLength(bits) > width) {
    const name = width === 32 ? 'integer' : 'bigint';
    throw pgError('numeric_value_out_of_range', `${name} out of range`);
  }
  let value = 0n;
  for (const byte of bytesOf(bits)) value = (value << 8n) | BigInt(byte);
  return int8(BigInt.asIntN(width, value >> BigInt(bits[0]!)));
}
