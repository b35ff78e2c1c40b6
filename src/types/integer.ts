/** The integer types and oid: text, binary and key forms.
 *
 * Keys are big-endian with the sign bit flipped, so that memcmp orders them; oid and xid, which are
 * unsigned, are plain big-endian. oid is stored as an int8 because the 4-byte stored kind is signed.
 */
import type { ByteWriter } from '../base/index.ts';
import type { Datum, Int8 } from './datum.ts';
import {
  COMMON,
  compareNumbers,
  expectLength,
  invalidInput,
  isSpace,
  outOfRangeInput,
  readInt16,
  readInt32,
  readInt32le,
  readInt64,
  readInt64le,
} from './scalar.ts';
import type { SqlType } from './sql-type.ts';

/** Digits that a double can take in without losing one. */
const SAFE_DIGITS = 15;

/** Parses an integer between the bounds as PostgreSQL does: blanks around, a sign, digits. */
export function parseInteger(text: string, minimum: Int8, maximum: Int8, typeName: string): Int8 {
  const length = text.length;
  let at = 0;
  while (at < length && isSpace(text.charCodeAt(at))) at++;
  let negative = false;
  const sign = text.charCodeAt(at);
  if (sign === 45 || sign === 43) {
    negative = sign === 45;
    at++;
  }
  const digitsStart = at;
  let value = 0;
  for (; at < length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (at === digitsStart) throw invalidInput(typeName, text);
  let result: Int8 = negative ? 0 - value : value;
  if (at - digitsStart > SAFE_DIGITS && !Number.isSafeInteger(value)) {
    const exact = BigInt(text.slice(digitsStart, at));
    result = negative ? -exact : exact;
  }
  if (result < minimum || result > maximum) throw outOfRangeInput(typeName, text);
  while (at < length && isSpace(text.charCodeAt(at))) at++;
  if (at < length) throw invalidInput(typeName, text);
  return result;
}

export const INT2_MIN = -0x8000;
export const INT2_MAX = 0x7fff;
export const INT4_MIN = -0x8000_0000;
export const INT4_MAX = 0x7fff_ffff;
export const INT8_MIN = -0x8000_0000_0000_0000n;
export const INT8_MAX = 0x7fff_ffff_ffff_ffffn;

const INTEGER = {
  ...COMMON,
  category: 'N',
  byValue: true,
  storage: 'p',
  lane: 'number',
  output: (value: Datum) => String(value),
  writeText(value: Datum, out: ByteWriter) {
    if (typeof value === 'number') out.decimal(value);
    else out.utf8(String(value));
  },
  compare: compareNumbers,
} as const satisfies Partial<SqlType>;

export const int2Type: SqlType = {
  ...INTEGER,
  oid: 21,
  name: 'int2',
  sqlName: 'smallint',
  arrayOid: 1005,
  length: 2,
  align: 's',
  stored: 'int2',
  input: (text) => parseInteger(text, INT2_MIN, INT2_MAX, 'smallint'),
  receive(bytes, start, end) {
    expectLength(start, end, 2);
    return readInt16(bytes, start);
  },
  send(value, out) {
    out.u16be((value as number) & 0xffff);
  },
  encodeKey(value, out) {
    out.u16be(((value as number) & 0xffff) ^ 0x8000);
  },
  toBytes(value, out) {
    out.u16le((value as number) & 0xffff);
  },
  fromBytes: (bytes, start) => ((bytes[start + 1]! << 24) >> 16) | bytes[start]!,
};

export const int4Type: SqlType = {
  ...INTEGER,
  oid: 23,
  name: 'int4',
  sqlName: 'integer',
  arrayOid: 1007,
  length: 4,
  align: 'i',
  stored: 'int4',
  input: (text) => parseInteger(text, INT4_MIN, INT4_MAX, 'integer'),
  receive(bytes, start, end) {
    expectLength(start, end, 4);
    return readInt32(bytes, start);
  },
  send(value, out) {
    out.u32be(value as number);
  },
  encodeKey(value, out) {
    out.u32be(((value as number) ^ 0x8000_0000) >>> 0);
  },
  toBytes(value, out) {
    out.u32le(value as number);
  },
  fromBytes: (bytes, start) => readInt32le(bytes, start),
};

export const int8Type: SqlType = {
  ...INTEGER,
  oid: 20,
  name: 'int8',
  sqlName: 'bigint',
  arrayOid: 1016,
  length: 8,
  align: 'd',
  stored: 'int8',
  input: (text) => parseInteger(text, INT8_MIN, INT8_MAX, 'bigint'),
  receive(bytes, start, end) {
    expectLength(start, end, 8);
    return readInt64(bytes, start);
  },
  send(value, out) {
    out.i64be(value as Int8);
  },
  encodeKey: (value, out) => encodeInt64Key(value as Int8, out),
  toBytes(value, out) {
    out.i64le(value as Int8);
  },
  fromBytes: (bytes, start) => readInt64le(bytes, start),
};

/** Key of a 64-bit integer; timestamps share it. */
function encodeInt64Key(value: Int8, out: ByteWriter): void {
  out.i64be(value);
  out.bytes[out.position - 8]! ^= 0x80;
}

const UINT4_MAX = 0xffff_ffff;

/** Parses an oid; as in PostgreSQL a negative int4 wraps around. */
export function parseOid(text: string): number {
  const value = parseInteger(text, INT4_MIN, UINT4_MAX, 'oid') as number;
  return value < 0 ? value + UINT4_MAX + 1 : value;
}

/** What oid and the types that are oids in another guise share: unsigned, four bytes on the wire. */
export const UNSIGNED = {
  ...COMMON,
  length: 4,
  byValue: true,
  align: 'i',
  storage: 'p',
  lane: 'number',
  stored: 'int8',
  output: (value: Datum) => String(value),
  receive(bytes: Uint8Array, start: number, end: number): Datum {
    expectLength(start, end, 4);
    return readInt32(bytes, start) >>> 0;
  },
  send(value: Datum, out: ByteWriter) {
    out.u32be(value as number);
  },
  writeText(value: Datum, out: ByteWriter) {
    out.decimal(value as number);
  },
  compare: compareNumbers,
  encodeKey(value: Datum, out: ByteWriter) {
    out.u32be(value as number);
  },
  toBytes(value: Datum, out: ByteWriter) {
    out.i64le(value as number);
  },
  fromBytes: (bytes: Uint8Array, start: number): Datum => readInt64le(bytes, start),
} as const satisfies Partial<SqlType>;

export const oidType: SqlType = {
  ...UNSIGNED,
  oid: 26,
  name: 'oid',
  sqlName: 'oid',
  arrayOid: 1028,
  category: 'N',
  preferred: true,
  input: parseOid,
};

/** xid and cid take what C's strtoul takes, base prefixes too, and read junk as zero. */
function parseTransactionId(text: string): number {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|\d+)/.exec(text);
  if (match === null) return 0;
  const digits = match[2]!;
  const octal = /^0[0-7]+/.exec(digits);
  const value = BigInt(octal !== null ? `0o${octal[0].slice(1)}` : digits);
  return Number(BigInt.asUintN(32, match[1] === '-' ? -value : value));
}

export const xidType: SqlType = {
  ...UNSIGNED,
  oid: 28,
  name: 'xid',
  sqlName: 'xid',
  arrayOid: 1011,
  category: 'U',
  input: parseTransactionId,
};

export const cidType: SqlType = {
  ...UNSIGNED,
  oid: 29,
  name: 'cid',
  sqlName: 'cid',
  arrayOid: 1012,
  category: 'U',
  input: parseTransactionId,
};
