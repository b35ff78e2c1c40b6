/** Binary form of a numeric on the wire. Integers are big-endian.
 *
 *   offset  size  field
 *        0     2  ndigits   count of base-10000 digits that follow
 *        2     2  weight    of the first digit: it counts 10000^weight; signed
 *        4     2  sign      0000 positive, 4000 negative, C000 NaN, D000 Infinity, F000 -Infinity
 *        6     2  dscale    digits after the point to show, 0 .. 3FFF
 *        8     …  digits    two bytes each, 0 .. 9999; no zero digit first or last
 */
import type { ByteWriter } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import type { Numeric } from '../datum.ts';
import { insufficientData, readInt16, surplusData } from '../scalar.ts';
import {
  EXACT_POWERS,
  finite,
  INFINITY,
  NAN,
  NEGATIVE_INFINITY,
  rescaleTruncated,
  SCALE_MAX,
} from './value.ts';

const SIGN_NEGATIVE = 0x4000;
const SIGN_NAN = 0xc000;
const SIGN_INFINITY = 0xd000;
const SIGN_NEGATIVE_INFINITY = 0xf000;
/** What PostgreSQL puts in dscale of an infinity. */
const INFINITY_SCALE = 0x20;

/** Digits before and behind the point, least significant first and most significant first. */
const whole = new Uint16Array(4);
const fraction = new Uint16Array(3);

export function sendNumeric(value: Numeric, out: ByteWriter): void {
  if (value.kind !== 'finite') {
    sendSpecial(value.kind, out);
    return;
  }
  const { unscaled, scale } = value;
  const small = Number(unscaled);
  if (scale <= 12 && Number.isSafeInteger(small)) sendSmall(small, scale, out);
  else sendLarge(unscaled, scale, out);
}

function sendSpecial(kind: 'nan' | 'infinity' | '-infinity', out: ByteWriter): void {
  out.u32be(0);
  out.u16be(
    kind === 'nan' ? SIGN_NAN : kind === 'infinity' ? SIGN_INFINITY : SIGN_NEGATIVE_INFINITY,
  );
  out.u16be(kind === 'nan' ? 0 : INFINITY_SCALE);
}

function sendSmall(unscaled: number, scale: number, out: ByteWriter): void {
  const magnitude = Math.abs(unscaled);
  const unit = EXACT_POWERS[scale]!;
  let rest = Math.floor(magnitude / unit);
  let behind = magnitude - rest * unit;
  let wholeCount = 0;
  for (; rest > 0; wholeCount++) {
    const next = Math.floor(rest / 10000);
    whole[wholeCount] = rest - next * 10000;
    rest = next;
  }
  const fractionCount = (scale + 3) >> 2;
  behind *= EXACT_POWERS[fractionCount * 4 - scale]!;
  for (let i = fractionCount - 1; i >= 0; i--) {
    const next = Math.floor(behind / 10000);
    fraction[i] = behind - next * 10000;
    behind = next;
  }
  let end = fractionCount;
  while (end > 0 && fraction[end - 1] === 0) end--;
  let wholeEnd = 0;
  if (end === 0) while (wholeEnd < wholeCount && whole[wholeEnd] === 0) wholeEnd++;
  let start = 0;
  if (wholeCount === 0) while (start < end && fraction[start] === 0) start++;
  const count = wholeCount - wholeEnd + (end - start);
  out.u16be(count);
  out.u16be(count === 0 ? 0 : (wholeCount - 1 - start) & 0xffff);
  out.u16be(unscaled < 0 ? SIGN_NEGATIVE : 0);
  out.u16be(scale);
  for (let i = wholeCount - 1; i >= wholeEnd; i--) out.u16be(whole[i]!);
  for (let i = start; i < end; i++) out.u16be(fraction[i]!);
}

function sendLarge(unscaled: bigint, scale: number, out: ByteWriter): void {
  const negative = unscaled < 0n;
  const digits = (negative ? -unscaled : unscaled).toString();
  const before = digits.length - scale;
  const groupsBefore = Math.ceil(before / 4);
  const groupsBehind = Math.ceil(scale / 4);
  const aligned = digits
    .padStart(groupsBefore * 4 + scale, '0')
    .padEnd((groupsBefore + groupsBehind) * 4, '0');
  let start = 0;
  let end = groupsBefore + groupsBehind;
  while (start < end && group(aligned, start) === 0) start++;
  while (end > start && group(aligned, end - 1) === 0) end--;
  out.u16be(end - start);
  out.u16be(end === start ? 0 : (groupsBefore - 1 - start) & 0xffff);
  out.u16be(negative ? SIGN_NEGATIVE : 0);
  out.u16be(scale);
  for (let i = start; i < end; i++) out.u16be(group(aligned, i));
}

function group(aligned: string, index: number): number {
  return Number(aligned.slice(index * 4, index * 4 + 4));
}

export function receiveNumeric(bytes: Uint8Array, start: number, end: number): Numeric {
  if (end - start < 8) throw insufficientData();
  const count = readInt16(bytes, start) & 0xffff;
  const weight = readInt16(bytes, start + 2);
  const sign = readInt16(bytes, start + 4) & 0xffff;
  const scale = readInt16(bytes, start + 6) & 0xffff;
  if (sign === SIGN_NAN) return NAN;
  if (sign === SIGN_INFINITY) return INFINITY;
  if (sign === SIGN_NEGATIVE_INFINITY) return NEGATIVE_INFINITY;
  if (sign !== 0 && sign !== SIGN_NEGATIVE) throw malformed('sign');
  if (scale > SCALE_MAX) throw malformed('scale');
  if (end - start < 8 + 2 * count) throw insufficientData();
  if (end - start > 8 + 2 * count) throw surplusData();
  const digits = readDigits(bytes, start + 8, count);
  const unscaled = rescaleTruncated(digits, 4 * (count - 1 - weight), scale);
  return finite(sign === SIGN_NEGATIVE ? -unscaled : unscaled, scale);
}

/** The digits as one integer. Three of them fit a double with ease. */
function readDigits(bytes: Uint8Array, start: number, count: number): bigint {
  let small = 0;
  let text = '';
  for (let i = 0; i < count; i++) {
    const digit = readInt16(bytes, start + 2 * i);
    if (digit < 0 || digit > 9999) throw malformed('digit');
    if (count <= 3) small = small * 10000 + digit;
    else text += String(digit).padStart(4, '0');
  }
  return count <= 3 ? BigInt(small) : BigInt(text);
}

function malformed(what: string): Error {
  return pgError('invalid_binary_representation', `invalid ${what} in external "numeric" value`);
}
