/** Key of a numeric: memcmp orders keys as the values are ordered, equal values have equal keys
 * whatever their scales, and a key ends itself.
 *
 * A positive value is 0.D1D2…Dn * 100^e with base-100 digits, D1 and Dn not zero. Its key:
 *
 *   marker    A0 + e for e in -16 .. 63; else 88 (e below) or E8 (e above) and e + 2^23 in 3 bytes
 *   digits    2 * D + 1 for each but the last, 2 * D for the last
 *
 * A digit that ends the number is below the same digit that goes on, and tells where the key ends.
 * A negative value has every byte of its absolute value's key inverted. One byte each for the rest:
 * -Infinity 0F, zero 80, Infinity F0, NaN F8.
 */
import type { ByteWriter } from '../../base/index.ts';
import type { Numeric } from '../datum.ts';

const ZERO = 0x80;
const SMALL_EXPONENT = 0x88;
const EXPONENT_0 = 0xa0;
const LARGE_EXPONENT = 0xe8;
const EXPONENT_MIN = -16;
const EXPONENT_MAX = 63;
const EXPONENT_BIAS = 0x80_0000;

export function encodeNumericKey(value: Numeric, out: ByteWriter): void {
  if (value.kind !== 'finite') {
    out.u8(value.kind === 'nan' ? 0xf8 : value.kind === 'infinity' ? 0xf0 : 0x0f);
    return;
  }
  const { unscaled, scale } = value;
  if (unscaled === 0n) {
    out.u8(ZERO);
    return;
  }
  const start = out.position;
  const small = Math.abs(Number(unscaled));
  if (small < 1e15) encodeSmall(small, scale, out);
  else encodeLarge(unscaled < 0n ? -unscaled : unscaled, scale, out);
  if (unscaled < 0n) {
    const bytes = out.bytes;
    for (let i = start; i < out.position; i++) bytes[i]! ^= 0xff;
  }
}

/** Base-100 digits, least significant first. */
const digits = new Uint8Array(9);

function encodeSmall(magnitude: number, scale: number, out: ByteWriter): void {
  let rest = magnitude;
  let behind = scale;
  if (behind % 2 === 1) {
    rest *= 10;
    behind++;
  }
  let count = 0;
  let ended = true;
  while (rest > 0) {
    const next = Math.floor(rest / 100);
    const digit = rest - next * 100;
    rest = next;
    if (digit === 0 && count === 0) behind -= 2;
    else {
      digits[count++] = ended ? 2 * digit : 2 * digit + 1;
      ended = false;
    }
  }
  writeExponent(count - behind / 2, out);
  out.reserve(count);
  const target = out.bytes;
  let at = out.position;
  for (let i = count - 1; i >= 0; i--) target[at++] = digits[i]!;
  out.position = at;
}

function encodeLarge(magnitude: bigint, scale: number, out: ByteWriter): void {
  let text = magnitude.toString();
  const exponent10 = text.length - scale;
  let end = text.length;
  while (text.charCodeAt(end - 1) === 48) end--;
  text = (exponent10 & 1) === 0 ? text.slice(0, end) : `0${text.slice(0, end)}`;
  if (text.length % 2 === 1) text += '0';
  writeExponent(Math.ceil(exponent10 / 2), out);
  const count = text.length / 2;
  out.reserve(count);
  for (let i = 0; i < count; i++) {
    const digit = (text.charCodeAt(2 * i) - 48) * 10 + (text.charCodeAt(2 * i + 1) - 48);
    out.u8(2 * digit + (i === count - 1 ? 0 : 1));
  }
}

function writeExponent(exponent: number, out: ByteWriter): void {
  if (exponent >= EXPONENT_MIN && exponent <= EXPONENT_MAX) {
    out.u8(EXPONENT_0 + exponent);
    return;
  }
  const biased = exponent + EXPONENT_BIAS;
  out.u8(exponent < 0 ? SMALL_EXPONENT : LARGE_EXPONENT);
  out.u8(biased >> 16);
  out.u16be(biased & 0xffff);
}
