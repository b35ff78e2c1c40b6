import { compareByteRanges } from '../../base/index.ts';

/** A string of bits. Its Datum is its stored form:
 *
 *   offset  size  field
 *        0     1  padding  how many of the last bits belong to no string, 0 .. 7
 *        1     …  bits     from the first on, the highest of each byte first
 *
 * Valid if and only if the padding is zero bits, and 0 where there is no byte. Every value has one form.
 * Versions: 1, first release.
 *
 * Strings order by their bits, and a string comes before what it begins. */
export type BitString = Uint8Array;

const HEADER = 1;

/** The longest string of PostgreSQL, and of the modifier of a column. */
export const BITS_MAX = 0x7fffffff - 7;

/** A string of so many zeros. */
export function makeBits(length: number): BitString {
  const byteCount = Math.ceil(length / 8);
  const bits = new Uint8Array(HEADER + byteCount);
  bits[0] = byteCount * 8 - length;
  return bits;
}

export function bitLength(bits: BitString): number {
  return storedLength(bits, 0, bits.length);
}

/** The same of a string that is stored among other bytes. */
export function storedLength(bytes: Uint8Array, start: number, end: number): number {
  return (end - start - HEADER) * 8 - bytes[start]!;
}

/** Bytes that hold the bits. */
export function byteLength(bits: BitString): number {
  return bits.length - HEADER;
}

/** The bytes that hold the bits, in place. */
export function bytesOf(bits: BitString): Uint8Array {
  return bits.subarray(HEADER);
}

export function bitAt(bits: BitString, i: number, start = 0): number {
  return (bits[start + HEADER + (i >> 3)]! >> (7 - (i & 7))) & 1;
}

export function setBitAt(bits: BitString, i: number, bit: number): void {
  const mask = 0x80 >> (i & 7);
  if (bit === 1) bits[HEADER + (i >> 3)]! |= mask;
  else bits[HEADER + (i >> 3)]! &= ~mask;
}

/** Zeros out what does not belong to the string. */
export function clearPadding(bits: BitString): BitString {
  if (bits.length > HEADER) bits[bits.length - 1]! &= 0xff << bits[0]!;
  return bits;
}

/** Copies `count` bits from one place to another. */
export function copyBits(
  source: BitString,
  from: number,
  count: number,
  target: BitString,
  to: number,
): void {
  if ((from & 7) === 0 && (to & 7) === 0) {
    const whole = count >> 3;
    const start = HEADER + (from >> 3);
    target.set(source.subarray(start, start + whole), HEADER + (to >> 3));
    for (let i = whole << 3; i < count; i++) setBitAt(target, to + i, bitAt(source, from + i));
    return;
  }
  for (let i = 0; i < count; i++) setBitAt(target, to + i, bitAt(source, from + i));
}

export function compareBits(a: BitString, b: BitString): number {
  const order = compareByteRanges(a, HEADER, a.length, b, HEADER, b.length);
  return order || bitLength(a) - bitLength(b);
}
