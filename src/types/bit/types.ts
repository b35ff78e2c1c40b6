import { ByteWriter } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import { hexValue, writeEscapedKey } from '../bytea.ts';
import { BYTES, declaredLength, insufficientData, readInt32, surplusData } from '../scalar.ts';
import type { SqlType } from '../sql-type.ts';
import { utf8Length } from '../utf8.ts';
import {
  BITS_MAX,
  type BitString,
  bitAt,
  bitLength,
  byteLength,
  bytesOf,
  clearPadding,
  compareBits,
  copyBits,
  makeBits,
  setBitAt,
  storedLength,
} from './value.ts';

/** bit(n) and bit varying(n).
 *
 * A key is the bytes as bytea has them, and after their end how many bits of the last byte count. */

/** Reads digits: binary ones, after a `b` or alone, or hexadecimal ones after an `x`. The length is
 * checked before the digits are looked at. */
export function parseBits(text: string, checkLength?: (length: number) => void): BitString {
  const mark = text.charCodeAt(0) | 0x20;
  const isHex = mark === 0x78;
  const start = isHex || mark === 0x62 ? 1 : 0;
  const digits = utf8Length(text) - start;
  if (isHex && digits > BITS_MAX / 4) {
    throw pgError(
      'program_limit_exceeded',
      `bit string length exceeds the maximum allowed (${BITS_MAX})`,
    );
  }
  checkLength?.(isHex ? digits * 4 : digits);
  return isHex ? parseHex(text) : parseBinary(text, start);
}

function parseBinary(text: string, start: number): BitString {
  const bits = makeBits(text.length - start);
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit !== 0 && digit !== 1) throw invalidDigit(text, i, 'binary');
    if (digit === 1) setBitAt(bits, i - start, 1);
  }
  return bits;
}

function parseHex(text: string): BitString {
  const bits = makeBits((text.length - 1) * 4);
  const bytes = bytesOf(bits);
  for (let i = 1; i < text.length; i++) {
    const digit = hexValue(text.charCodeAt(i));
    if (digit < 0) throw invalidDigit(text, i, 'hexadecimal');
    bytes[(i - 1) >> 1]! |= i % 2 === 1 ? digit << 4 : digit;
  }
  return bits;
}

function invalidDigit(text: string, at: number, kind: string): Error {
  const character = String.fromCodePoint(text.codePointAt(at)!);
  return pgError('invalid_text_representation', `"${character}" is not a valid ${kind} digit`);
}

function formatBits(bits: BitString): string {
  const out = new ByteWriter(bitLength(bits));
  writeText(bits, 0, bits.length, out);
  return Buffer.from(out.bytes.buffer, out.bytes.byteOffset, out.position).toString('latin1');
}

/** The digits of a stored string. */
function writeText(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  const length = storedLength(bytes, start, end);
  out.reserve(length);
  const target = out.bytes;
  const first = out.position;
  for (let i = 0; i < length; i++) target[first + i] = 48 + bitAt(bytes, i, start);
  out.position = first + length;
}

/** The binary form: the count of bits, and their bytes. */
function send(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  out.u32be(storedLength(bytes, start, end));
  out.range(bytes, start + 1, end);
}

function receive(bytes: Uint8Array, start: number, end: number): BitString {
  if (end - start < 4) throw insufficientData();
  const length = readInt32(bytes, start);
  if (length < 0 || length > BITS_MAX) {
    throw pgError('invalid_binary_representation', 'invalid length in external bit string');
  }
  const byteCount = Math.ceil(length / 8);
  if (end - start - 4 < byteCount) throw insufficientData();
  if (end - start - 4 > byteCount) throw surplusData();
  const bits = makeBits(length);
  bits.set(bytes.subarray(start + 4, end), 1);
  return clearPadding(bits);
}

function writeKey(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  writeEscapedKey(bytes, start + 1, end, out);
  out.u8(8 - bytes[start]!);
}

/** The longest length that a declaration may name. */
const LENGTH_MAX = 83886080;

/** The first bits, zeros after them where there are too few. */
function withLength(bits: BitString, length: number): BitString {
  const result = makeBits(length);
  const kept = Math.min(byteLength(bits), byteLength(result));
  copyBits(bits, 0, kept * 8, result, 0);
  return clearPadding(result);
}

const BIT_STRING = {
  ...BYTES,
  category: 'V',
  length: -1,
  storage: 'x',
  output: (value) => formatBits(value as BitString),
  receive,
  send: (value, out) => send(value as BitString, 0, (value as BitString).length, out),
  writeText: (value, out) => writeText(value as BitString, 0, (value as BitString).length, out),
  compare: (a, b) => compareBits(a as BitString, b as BitString),
  encodeKey: (value, out) => writeKey(value as BitString, 0, (value as BitString).length, out),
  textFromBytes: writeText,
  binaryFromBytes: send,
  keyFromBytes: writeKey,
  typmodOut: (typmod) => (typmod < 0 ? '' : `(${typmod})`),
} as const satisfies Partial<SqlType>;

/** An implicit cast to bit(n) takes n bits, one to bit varying(n) at most n. */
function checkExact(length: number, typmod: number): void {
  if (typmod <= 0 || length === typmod) return;
  throw pgError(
    'string_data_length_mismatch',
    `bit string length ${length} does not match type bit(${typmod})`,
  );
}

function checkAtMost(length: number, typmod: number): void {
  if (typmod <= 0 || length <= typmod) return;
  throw pgError(
    'string_data_right_truncation',
    `bit string too long for type bit varying(${typmod})`,
  );
}

export const bitType: SqlType = {
  ...BIT_STRING,
  oid: 1560,
  name: 'bit',
  sqlName: 'bit',
  arrayOid: 1561,
  input: (text, _context, typmod) => parseBits(text, (length) => checkExact(length, typmod)),
  typmodIn: (modifiers) => declaredLength('bit', modifiers, LENGTH_MAX),
  applyTypmod(value, typmod, explicit) {
    const bits = value as BitString;
    const length = bitLength(bits);
    if (!explicit) checkExact(length, typmod);
    return typmod <= 0 || length === typmod ? bits : withLength(bits, typmod);
  },
};

export const varbitType: SqlType = {
  ...BIT_STRING,
  oid: 1562,
  name: 'varbit',
  sqlName: 'bit varying',
  arrayOid: 1563,
  preferred: true,
  input: (text, _context, typmod) => parseBits(text, (length) => checkAtMost(length, typmod)),
  typmodIn: (modifiers) => declaredLength('varbit', modifiers, LENGTH_MAX),
  applyTypmod(value, typmod, explicit) {
    const bits = value as BitString;
    const length = bitLength(bits);
    if (!explicit) checkAtMost(length, typmod);
    return typmod <= 0 || length <= typmod ? bits : withLength(bits, typmod);
  },
};
