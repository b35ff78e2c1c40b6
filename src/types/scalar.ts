import type { ByteWriter } from '../base/index.ts';
import { pgError } from '../errors/index.ts';
import type { Datum } from './datum.ts';
import type { SqlType } from './sql-type.ts';

/** 22P02, with the words that PostgreSQL has for every type. */
export function invalidInput(typeName: string, text: string): Error {
  return pgError(
    'invalid_text_representation',
    `invalid input syntax for type ${typeName}: "${text}"`,
  );
}

/** 22003, for a text that is a number too large for its type. */
export function outOfRangeInput(typeName: string, text: string): Error {
  return pgError(
    'numeric_value_out_of_range',
    `value "${text}" is out of range for type ${typeName}`,
  );
}

/** Checks that a binary value has the one length that its type allows. */
export function expectLength(start: number, end: number, length: number): void {
  if (end - start < length) throw insufficientData();
  if (end - start > length) throw surplusData();
}

/** 08P01: a binary value ends before its fields do. */
export function insufficientData(): Error {
  return pgError('protocol_violation', 'insufficient data left in message');
}

/** 08P01: the same where PostgreSQL reads byte by byte. */
export function noDataLeft(): Error {
  return pgError('protocol_violation', 'no data left in message');
}

/** 22P03: a binary value goes on after its last field. */
export function surplusData(): Error {
  return pgError('invalid_binary_representation', 'incorrect binary data format');
}

/** True for what C's isspace accepts: blank, \t \n \v \f \r. */
export function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** The first place from `start` on that is no blank. */
export function skipSpace(text: string, start: number): number {
  let at = start;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** The length that a declaration gives, `(10)`: from 1 to the longest. */
export function declaredLength(
  typeName: string,
  modifiers: readonly number[],
  longest: number,
): number {
  const [length] = modifiers;
  if (modifiers.length !== 1 || length === undefined) {
    throw pgError('invalid_parameter_value', 'invalid type modifier');
  }
  if (length < 1) {
    throw pgError('invalid_parameter_value', `length for type ${typeName} must be at least 1`);
  }
  if (length > longest) {
    throw pgError(
      'invalid_parameter_value',
      `length for type ${typeName} cannot exceed ${longest}`,
    );
  }
  return length;
}

export function readInt16(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!;
}

export function readInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** A big-endian 64-bit integer as a canonical Int8. */
export function readInt64(bytes: Uint8Array, at: number): number | bigint {
  const high = readInt32(bytes, at);
  const low = readInt32(bytes, at + 4) >>> 0;
  const value = high * 0x1_0000_0000 + low;
  if (Number.isSafeInteger(value)) return value;
  return (BigInt(high) << 32n) | BigInt(low);
}

export function readInt32le(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** A little-endian 64-bit integer as a canonical Int8. */
export function readInt64le(bytes: Uint8Array, at: number): number | bigint {
  const high = readInt32le(bytes, at + 4);
  const low = readInt32le(bytes, at) >>> 0;
  const value = high * 0x1_0000_0000 + low;
  if (Number.isSafeInteger(value)) return value;
  return (BigInt(high) << 32n) | BigInt(low);
}

/** The order of two numbers or Int8s, mixed as they come. */
export function compareNumbers(a: Datum, b: Datum): number {
  const left = a as number;
  const right = b as number;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Appends text that is known to be ASCII and short. */
export function writeAscii(text: string, out: ByteWriter): void {
  const length = text.length;
  out.reserve(length);
  const target = out.bytes;
  let at = out.position;
  for (let i = 0; i < length; i++) target[at++] = text.charCodeAt(i);
  out.position = at;
}

/** What most base types of pg_type have in common; each definition says only what differs. */
export const COMMON = {
  elementOid: 0,
  preferred: false,
  collation: 0,
} as const satisfies Partial<SqlType>;

/** The same of types whose Datum is its stored form, bytes. */
export const BYTES = {
  ...COMMON,
  byValue: false,
  align: 'i',
  lane: 'bytes',
  stored: 'bytes',
  toBytes: (value, out) => out.raw(value as Uint8Array),
  fromBytes: (bytes, start, end) => bytes.slice(start, end),
} as const satisfies Partial<SqlType>;
