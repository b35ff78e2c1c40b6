/** Functions of bytea, encodings of bytes as text, and uuid. */

import { randomUUID } from 'node:crypto';
import { compareBytes, countWork, decodeUtf8, inPieces } from '../../base/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { characterCount, decodeHex, type Int8, verifyUtf8 } from '../../types/index.ts';
import { digestOf } from './digest.ts';
import { ENCODINGS, encodingNumber } from './encoding.ts';
import { registerFunctions } from './implementations.ts';
import { orderFunctions, type Scalars } from './order.ts';

const EMPTY = new Uint8Array(0);

function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  countWork(length);
  const result = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function substring(bytes: Uint8Array, start: number, length: number | null): Uint8Array {
  if (length !== null && length < 0) {
    throw pgError('substring_error', 'negative substring length not allowed');
  }
  const from = Math.max(start, 1) - 1;
  const to = length === null ? bytes.length : Math.min(start + length - 1, bytes.length);
  return to <= from ? EMPTY : bytes.slice(from, to);
}

function overlay(bytes: Uint8Array, part: Uint8Array, start: number, length: number): Uint8Array {
  if (start <= 0) throw pgError('substring_error', 'negative substring length not allowed');
  const after = start + length;
  if (after > 2147483647) throw pgError('numeric_value_out_of_range', 'integer out of range');
  return concatenate(substring(bytes, 1, start - 1), part, substring(bytes, after, null));
}

/** 1-based position of the first occurrence; 0 when there is none. */
function position(bytes: Uint8Array, part: Uint8Array): number {
  if (part.length === 0) return 1;
  countWork(bytes.length);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(part) + 1;
}

function trim(bytes: Uint8Array, set: Uint8Array, left: boolean, right: boolean): Uint8Array {
  let start = 0;
  let end = bytes.length;
  while (left && start < end && isOneOf(set, bytes[start]!)) start++;
  while (right && end > start && isOneOf(set, bytes[end - 1]!)) end--;
  return bytes.slice(start, end);
}

function isOneOf(set: Uint8Array, byte: number): boolean {
  countWork(set.length);
  return set.includes(byte);
}

function indexError(index: Int8, max: number) {
  return pgError('array_subscript_error', `index ${index} out of valid range, 0..${max}`);
}

function byteAt(bytes: Uint8Array, index: number): number {
  const byte = bytes[index];
  if (byte === undefined) throw indexError(index, bytes.length - 1);
  return byte;
}

function bitByte(bytes: Uint8Array, index: Int8): number {
  if (index < 0 || index >= bytes.length * 8) throw indexError(index, bytes.length * 8 - 1);
  return Math.floor(Number(index) / 8);
}

function setByte(bytes: Uint8Array, index: number, value: number): Uint8Array {
  byteAt(bytes, index);
  countWork(bytes.length);
  const result = bytes.slice();
  result[index] = value & 255;
  return result;
}

function setBit(bytes: Uint8Array, index: Int8, value: number): Uint8Array {
  const at = bitByte(bytes, index);
  if (value !== 0 && value !== 1) {
    throw pgError('invalid_parameter_value', 'new bit must be 0 or 1');
  }
  countWork(bytes.length);
  const result = bytes.slice();
  const mask = 1 << (Number(index) % 8);
  result[at] = value === 1 ? bytes[at]! | mask : bytes[at]! & ~mask;
  return result;
}

function bitCount(bytes: Uint8Array): number {
  let count = 0;
  for (const piece of piecesOf(bytes)) {
    for (const byte of piece) for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  }
  return count;
}

/** Bytes that are handled at a time: whole lines of base64. */
const PIECE = 57 * 1024;

/** The bytes in pieces, whose work is counted. */
function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) {
    countWork(PIECE);
    yield bytes.subarray(at, at + PIECE);
  }
}

/** What a function of each byte, or line, makes of bytes. */
function textOf(bytes: Uint8Array, map: (piece: Uint8Array) => string, separator = ''): string {
  if (bytes.length <= PIECE) return map(bytes);
  return Array.from(piecesOf(bytes), map).join(separator);
}

function encode(bytes: Uint8Array, format: string): string {
  countWork(bytes.length);
  switch (format.toLowerCase()) {
    case 'hex':
      return textOf(bytes, (piece) => bufferOf(piece).toString('hex'));
    case 'base64':
      // Lines of 76 characters, as MIME has them, without a line end after the last.
      return textOf(
        bytes,
        (piece) =>
          bufferOf(piece)
            .toString('base64')
            .replace(/.{76}(?=.)/g, '$&\n'),
        '\n',
      );
    case 'escape':
      return textOf(bytes, encodeEscape);
    default:
      throw unrecognizedEncoding(format);
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function encodeEscape(bytes: Uint8Array): string {
  const text: string[] = [];
  for (const byte of bytes) {
    if (byte === 0 || byte > 127) text.push(`\\${byte.toString(8).padStart(3, '0')}`);
    else text.push(byte === 92 ? '\\\\' : String.fromCharCode(byte));
  }
  return text.join('');
}

function decode(text: string, format: string): Uint8Array {
  switch (format.toLowerCase()) {
    case 'hex':
      return decodeHex(text, 0);
    case 'base64':
      return decodeBase64(text);
    case 'escape':
      return decodeEscape(text);
    default:
      throw unrecognizedEncoding(format);
  }
}

function unrecognizedEncoding(format: string) {
  return pgError('invalid_parameter_value', `unrecognized encoding: "${format}"`);
}

function decodeBase64(text: string): Uint8Array {
  const clean = inPieces(text, (piece) => {
    const symbols = piece.replace(/[ \t\n\r]+/g, '');
    const bad = /[^A-Za-z0-9+/=]/u.exec(symbols);
    if (bad === null) return symbols;
    throw pgError(
      'invalid_parameter_value',
      `invalid symbol "${bad[0]}" found while decoding base64 sequence`,
    );
  });
  countWork(clean.length);
  const padding = clean.indexOf('=');
  const digits = padding < 0 ? clean.length : padding;
  if (padding >= 0 && digits % 4 < 2) {
    throw pgError('invalid_parameter_value', 'unexpected "=" while decoding base64 sequence');
  }
  if (clean.length % 4 !== 0 || (padding >= 0 && !/^={1,2}$/.test(clean.slice(padding)))) {
    throw pgError('invalid_parameter_value', 'invalid base64 end sequence', {
      hint: 'Input data is missing padding, is truncated, or is otherwise corrupted.',
    });
  }
  return Uint8Array.from(Buffer.from(clean, 'base64'));
}

function decodeEscape(text: string): Uint8Array {
  countWork(text.length);
  const source = Buffer.from(text, 'utf8');
  const result = new Uint8Array(source.length);
  let length = 0;
  for (let i = 0; i < source.length; i++) {
    countWork(1);
    const byte = source[i]!;
    if (byte !== 92) {
      result[length++] = byte;
      continue;
    }
    if (source[i + 1] === 92) {
      result[length++] = 92;
      i++;
      continue;
    }
    const octal = /^[0-3][0-7][0-7]/.exec(source.toString('latin1', i + 1, i + 4));
    if (octal === null) {
      throw pgError('invalid_text_representation', 'invalid input syntax for type bytea');
    }
    result[length++] = Number.parseInt(octal[0], 8);
    i += 3;
  }
  return result.slice(0, length);
}

/** convert_from, convert_to: UTF8 and what is a subset or a simple table of it. `role` is what the
 * name stands for in the message about a wrong one. */
function encodingOf(name: string, role: string): 'UTF8' | 'LATIN1' | 'SQL_ASCII' {
  const known = ENCODINGS[encodingNumber(name)];
  if (known === undefined) {
    throw pgError('invalid_parameter_value', `invalid ${role} name "${name}"`);
  }
  if (known === 'UTF8' || known === 'LATIN1' || known === 'SQL_ASCII') return known;
  throw notSupported(`conversion between encodings UTF8 and ${known}`);
}

function convertFrom(bytes: Uint8Array, encoding: string, role: string): string {
  if (encodingOf(encoding, role) === 'LATIN1') {
    countWork(bytes.length);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  }
  verifyUtf8(bytes, 0, bytes.length);
  return decodeUtf8(bytes, 0, bytes.length);
}

function convertTo(text: string, encoding: string): Uint8Array {
  countWork(text.length);
  if (encodingOf(encoding, 'destination encoding') !== 'LATIN1')
    return new TextEncoder().encode(text);
  for (const character of text) {
    countWork(1);
    if (character.codePointAt(0)! <= 255) continue;
    const bytes = Array.from(Buffer.from(character), (byte) => `0x${byte.toString(16)}`).join(' ');
    throw pgError(
      'untranslatable_character',
      `character with byte sequence ${bytes} in encoding "UTF8" has no equivalent in encoding "LATIN1"`,
    );
  }
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

const hash = (algorithm: string) => (_c: unknown, bytes: Uint8Array) =>
  Uint8Array.from(digestOf(algorithm, bytes));

const scalars: Scalars = {
  ...orderFunctions({ prefix: 'bytea', compare: 'byteacmp' }, compareBytes),
  ...orderFunctions({ prefix: 'uuid_', compare: 'uuid_cmp' }, compareBytes),
  byteacat: (_c, a: Uint8Array, b: Uint8Array) => concatenate(a, b),
  byteaoctetlen: (_c, bytes: Uint8Array) => bytes.length,
  '1810': (_c, bytes: Uint8Array) => bytes.length * 8,
  length_in_encoding: (_c, bytes: Uint8Array, encoding: string) =>
    characterCount(convertFrom(bytes, encoding, 'encoding')),
  bytea_substr: (_c, bytes: Uint8Array, start: number, length: number) =>
    substring(bytes, start, length),
  bytea_substr_no_len: (_c, bytes: Uint8Array, start: number) => substring(bytes, start, null),
  byteaoverlay: (_c, bytes: Uint8Array, part: Uint8Array, start: number, length: number) =>
    overlay(bytes, part, start, length),
  byteaoverlay_no_len: (_c, bytes: Uint8Array, part: Uint8Array, start: number) =>
    overlay(bytes, part, start, part.length),
  byteapos: (_c, bytes: Uint8Array, part: Uint8Array) => position(bytes, part),
  byteatrim: (_c, bytes: Uint8Array, set: Uint8Array) => trim(bytes, set, true, true),
  bytealtrim: (_c, bytes: Uint8Array, set: Uint8Array) => trim(bytes, set, true, false),
  byteartrim: (_c, bytes: Uint8Array, set: Uint8Array) => trim(bytes, set, false, true),
  byteaGetByte: (_c, bytes: Uint8Array, index: number) => byteAt(bytes, index),
  byteaSetByte: (_c, bytes: Uint8Array, index: number, value: number) =>
    setByte(bytes, index, value),
  byteaGetBit: (_c, bytes: Uint8Array, index: Int8) =>
    (bytes[bitByte(bytes, index)]! >> (Number(index) % 8)) & 1,
  byteaSetBit: (_c, bytes: Uint8Array, index: Int8, value: number) => setBit(bytes, index, value),
  bytea_bit_count: (_c, bytes: Uint8Array) => bitCount(bytes),
  binary_encode: (_c, bytes: Uint8Array, format: string) => encode(bytes, format),
  binary_decode: (_c, text: string, format: string) => decode(text, format),
  pg_convert_from: (_c, bytes: Uint8Array, encoding: string) =>
    convertFrom(bytes, encoding, 'source encoding'),
  pg_convert_to: (_c, text: string, encoding: string) => convertTo(text, encoding),
  sha224_bytea: hash('sha224'),
  sha256_bytea: hash('sha256'),
  sha384_bytea: hash('sha384'),
  sha512_bytea: hash('sha512'),
  gen_random_uuid: () => Uint8Array.from(Buffer.from(randomUUID().replaceAll('-', ''), 'hex')),
};

registerFunctions({ scalars });
