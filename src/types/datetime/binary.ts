import type { ByteWriter } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import { type Int8, int8 } from '../datum.ts';

/** Binary forms of dates and timestamps: the largest and smallest integers stand for the infinities,
 * in messages (big-endian), in stored rows (little-endian) and, with the sign bit turned, in keys. */

export const INT4_MIN = -2147483648;
export const INT4_MAX = 2147483647;
export const INT8_MIN = -(2n ** 63n);
export const INT8_MAX = 2n ** 63n - 1n;

/** A date as its stored 32-bit integer. */
export function int4FromDate(days: number): number {
  if (days === Number.POSITIVE_INFINITY) return INT4_MAX;
  return days === Number.NEGATIVE_INFINITY ? INT4_MIN : days;
}

export function dateFromInt4(stored: number): number {
  if (stored === INT4_MAX) return Number.POSITIVE_INFINITY;
  return stored === INT4_MIN ? Number.NEGATIVE_INFINITY : stored;
}

/** A timestamp as its stored 64-bit integer. */
export function int8FromTimestamp(value: Int8): Int8 {
  if (value === Number.POSITIVE_INFINITY) return INT8_MAX;
  return value === Number.NEGATIVE_INFINITY ? INT8_MIN : value;
}

export function timestampFromInt8(stored: Int8): Int8 {
  if (stored === INT8_MAX) return Number.POSITIVE_INFINITY;
  return stored === INT8_MIN ? Number.NEGATIVE_INFINITY : stored;
}

/** Writes an order-preserving 32-bit integer. */
export function writeKey32(value: number, out: ByteWriter): void {
  out.u32be((value ^ 0x8000_0000) >>> 0);
}

/** Writes an order-preserving 64-bit integer. */
export function writeKey64(value: Int8, out: ByteWriter): void {
  out.i64be(value);
  const at = out.position - 8;
  out.bytes[at] = out.bytes[at]! ^ 0x80;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function readInt8(bytes: Uint8Array, start: number, littleEndian: boolean): Int8 {
  return int8(viewOf(bytes).getBigInt64(start, littleEndian));
}

/** Checks the length of a binary value. */
export function expectLength(start: number, end: number, length: number): void {
  if (end - start !== length) {
    throw pgError('invalid_binary_representation', 'incorrect binary data format');
  }
}
