/** Byte strings: comparison and a growable writer that hot paths reuse instead of allocating. */
import { countWork } from './interrupt.ts';

/** Ranges beyond this are compared in pieces, whose work is counted. */
const LONG = 1 << 16;

/** Orders two byte ranges as memcmp does, a shorter prefix first. Negative, zero or positive. */
export function compareByteRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  if (aEnd - aStart > LONG && bEnd - bStart > LONG) {
    return compareLongRanges(a, aStart, aEnd, b, bStart, bEnd);
  }
  let i = aStart;
  let j = bStart;
  while (i < aEnd && j < bEnd) {
    const difference = a[i]! - b[j]!;
    if (difference !== 0) return difference;
    i++;
    j++;
  }
  return aEnd - aStart - (bEnd - bStart);
}

function compareLongRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const shared = Math.min(aEnd - aStart, bEnd - bStart);
  for (let at = 0; at < shared; at += LONG) {
    countWork(LONG);
    const end = Math.min(at + LONG, shared);
    const difference = compareByteRanges(
      a,
      aStart + at,
      aStart + end,
      b,
      bStart + at,
      bStart + end,
    );
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}

/** The first six bytes of a range as a number, zeros behind a shorter one: where these differ, they
 * order ranges as `compareByteRanges` does. */
export function prefixNumber(bytes: Uint8Array, start: number, end: number): number {
  if (start + 6 <= end) {
    const high = (bytes[start]! << 16) | (bytes[start + 1]! << 8) | bytes[start + 2]!;
    const low = (bytes[start + 3]! << 16) | (bytes[start + 4]! << 8) | bytes[start + 5]!;
    return high * 0x100_0000 + low;
  }
  let number = 0;
  for (let i = 0; i < 6; i++) number = number * 256 + (start + i < end ? bytes[start + i]! : 0);
  return number;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return compareByteRanges(a, 0, a.length, b, 0, b.length);
}

const utf8Encoder = new TextEncoder();
/** Text longer than this is measured before it is encoded: what it takes at most is three times its length. */
const MEASURED_MIN = 1 << 20;
const FIRST_BYTES = 256;
/** Buffers beyond this are given up when their writer is reset. */
const KEPT_MAX = 1 << 24;
/** The longest buffer: positions are integers of 32 bits here and there, and the engine's encoder takes no longer one. */
const BYTES_MAX = 0x7fff_ffff;
/** Text longer than this is encoded by TextEncoder; shorter ASCII by a loop, which is faster. */
const ASCII_LOOP_MAX = 48;

/** A growable byte buffer with a write position.
 *
 * `bytes` is replaced when the buffer grows, so nothing may keep it across a write. Integers are
 * big-endian where the name says `be`, little-endian where it says `le`. Reuse one writer with
 * `reset()`; `written()` is a view, `copy()` a copy.
 */
export class ByteWriter {
  bytes: Uint8Array;
  view: DataView;
  position = 0;

  constructor(capacity = FIRST_BYTES) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  reset(): this {
    this.position = 0;
    if (this.bytes.length > KEPT_MAX) this.replace(new Uint8Array(MEASURED_MIN));
    return this;
  }

  /** Gives the buffer away that was written to, and goes on with another one. */
  take(): Uint8Array {
    const { bytes } = this;
    this.replace(new Uint8Array(FIRST_BYTES));
    this.position = 0;
    return bytes;
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.position + count;
    if (needed <= this.bytes.length) return;
    if (needed > BYTES_MAX) throw new RangeError(`Invalid typed array length: ${needed}`);
    let capacity = this.bytes.length * 2;
    while (capacity < needed) capacity *= 2;
    const grown = new Uint8Array(Math.min(capacity, BYTES_MAX));
    countWork(this.position);
    grown.set(this.bytes.subarray(0, this.position));
    this.replace(grown);
  }

  private replace(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** The written bytes, as a view that the next write may invalidate. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.position);
  }

  copy(): Uint8Array {
    return this.bytes.slice(0, this.position);
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.position++] = value;
  }

  u16be(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.position, value);
    this.position += 2;
  }

  u32be(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.position, value);
    this.position += 4;
  }

  u16le(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.position, value, true);
    this.position += 2;
  }

  u32le(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.position, value, true);
    this.position += 4;
  }

  f32be(value: number): void {
    this.reserve(4);
    this.view.setFloat32(this.position, value);
    this.position += 4;
  }

  f64be(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.position, value);
    this.position += 8;
  }

  f64le(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.position, value, true);
    this.position += 8;
  }

  /** A signed 64-bit integer given as a safe integer or a BigInt. */
  i64be(value: number | bigint): void {
    this.reserve(8);
    if (typeof value === 'bigint') {
      this.view.setBigInt64(this.position, value);
    } else {
      this.view.setInt32(this.position, Math.floor(value / 0x1_0000_0000));
      this.view.setUint32(this.position + 4, value >>> 0);
    }
    this.position += 8;
  }

  i64le(value: number | bigint): void {
    this.reserve(8);
    if (typeof value === 'bigint') {
      this.view.setBigInt64(this.position, value, true);
    } else {
      this.view.setUint32(this.position, value >>> 0, true);
      this.view.setInt32(this.position + 4, Math.floor(value / 0x1_0000_0000), true);
    }
    this.position += 8;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  range(bytes: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    if (count < 32) {
      const target = this.bytes;
      let at = this.position;
      for (let i = start; i < end; i++) target[at++] = bytes[i]!;
    } else {
      if (count > LONG) countWork(count);
      this.bytes.set(bytes.subarray(start, end), this.position);
    }
    this.position += count;
  }

  /** UTF-8 text without a terminator. */
  utf8(text: string): void {
    const length = text.length;
    if (length <= ASCII_LOOP_MAX) {
      this.reserve(length);
      const target = this.bytes;
      const start = this.position;
      let i = 0;
      for (; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) break;
        target[start + i] = code;
      }
      if (i === length) {
        this.position = start + length;
        return;
      }
    }
    countWork(length);
    if (length < MEASURED_MIN) this.reserve(length * 3);
    else {
      this.reserve(Buffer.byteLength(text, 'utf8'));
      countWork(length);
    }
    const { written } = utf8Encoder.encodeInto(text, this.bytes.subarray(this.position));
    this.position += written;
  }

  /** A decimal integer in ASCII. */
  decimal(value: number): void {
    if (value >= 0 && value < 10) {
      this.u8(48 + value);
      return;
    }
    if (!(value > -1e9 && value < 1e9)) {
      this.utf8(String(value));
      return;
    }
    this.reserve(11);
    const target = this.bytes;
    let rest = value | 0;
    if (rest < 0) {
      target[this.position++] = 45;
      rest = -rest;
    }
    const digits =
      rest < 10
        ? 1
        : rest < 100
          ? 2
          : rest < 1e3
            ? 3
            : rest < 1e4
              ? 4
              : rest < 1e5
                ? 5
                : rest < 1e6
                  ? 6
                  : rest < 1e7
                    ? 7
                    : rest < 1e8
                      ? 8
                      : 9;
    let at = this.position + digits;
    this.position = at;
    for (let i = 0; i < digits; i++) {
      const quotient = (rest / 10) | 0;
      target[--at] = 48 + (rest - quotient * 10);
      rest = quotient;
    }
  }
}

/** Decodes UTF-8, from shared memory too (which TextDecoder refuses). */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length <= ASCII_LOOP_MAX) {
    let text = '';
    let i = start;
    for (; i < end; i++) {
      const code = bytes[i]!;
      if (code > 0x7f) break;
      text += String.fromCharCode(code);
    }
    if (i === end) return text;
  }
  countWork(length);
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('utf8');
}
