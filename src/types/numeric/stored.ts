/** Stored form of a numeric, in tuples.
 *
 *   offset  size  field
 *        0     1  header     bit 7: negative. bit 6: special, and bits 5..0 are then
 *                            0 NaN, 1 Infinity, 2 -Infinity. Else bits 5..0: the scale, or 63 when
 *                            the scale follows
 *        1   0/2  scale      little-endian, when it is above 62
 *        …     …  magnitude  of the unscaled value, big-endian, no leading zero byte; empty for 0
 *
 * Valid if and only if the header is one of these, a special one ends the value, and the scale is at
 * most 16383 and follows only where it is above 62. Versions: 1, first release. */
import type { ByteWriter } from '../../base/index.ts';
import type { Numeric } from '../datum.ts';
import { INFINITY, NAN, NEGATIVE_INFINITY } from './value.ts';

const NEGATIVE = 0x80;
const SPECIAL = 0x40;
const LONG_SCALE = 0x3f;

export function storeNumeric(value: Numeric, out: ByteWriter): void {
  if (value.kind !== 'finite') {
    out.u8(SPECIAL | (value.kind === 'nan' ? 0 : value.kind === 'infinity' ? 1 : 2));
    return;
  }
  const { unscaled, scale } = value;
  const sign = unscaled < 0n ? NEGATIVE : 0;
  if (scale < LONG_SCALE) {
    out.u8(sign | scale);
  } else {
    out.u8(sign | LONG_SCALE);
    out.u16le(scale);
  }
  const small = Math.abs(Number(unscaled));
  if (Number.isSafeInteger(small)) storeSmall(small, out);
  else storeLarge(unscaled < 0n ? -unscaled : unscaled, out);
}

function storeSmall(magnitude: number, out: ByteWriter): void {
  const high = Math.floor(magnitude / 0x1_0000_0000);
  const low = magnitude >>> 0;
  const bits = high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(low);
  const count = (bits + 7) >> 3;
  out.reserve(count);
  const target = out.bytes;
  const start = out.position;
  for (let i = 0; i < count; i++) {
    const shift = (count - 1 - i) * 8;
    target[start + i] = shift >= 32 ? high >>> (shift - 32) : low >>> shift;
  }
  out.position = start + count;
}

function storeLarge(magnitude: bigint, out: ByteWriter): void {
  const hex = magnitude.toString(16);
  out.raw(Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, 'hex'));
}

export function loadNumeric(bytes: Uint8Array, start: number, end: number): Numeric {
  const header = bytes[start]!;
  if ((header & SPECIAL) !== 0) {
    const which = header & LONG_SCALE;
    return which === 0 ? NAN : which === 1 ? INFINITY : NEGATIVE_INFINITY;
  }
  let at = start + 1;
  let scale = header & LONG_SCALE;
  if (scale === LONG_SCALE) {
    scale = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
  }
  const magnitude = loadMagnitude(bytes, at, end);
  return { kind: 'finite', unscaled: (header & NEGATIVE) !== 0 ? -magnitude : magnitude, scale };
}

/** A stored integer of at most six bytes, without making a Numeric of it; null for all else. */
export function smallInteger(bytes: Uint8Array, start: number, end: number): number | null {
  const header = bytes[start]!;
  if ((header & ~NEGATIVE) !== 0 || end - start > 7) return null;
  let value = 0;
  for (let i = start + 1; i < end; i++) value = value * 256 + bytes[i]!;
  return header === 0 || value === 0 ? value : -value;
}

function loadMagnitude(bytes: Uint8Array, start: number, end: number): bigint {
  if (end - start <= 6) {
    let value = 0;
    for (let i = start; i < end; i++) value = value * 256 + bytes[i]!;
    return BigInt(value);
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  return BigInt(`0x${view.toString('hex')}`);
}
