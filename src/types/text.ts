/** The character types. Values are strings, stored as UTF-8, ordered by code point (C collation).
 *
 * Keys are the UTF-8 bytes and a zero byte, which no text contains; so they order as the texts do
 * and end themselves. char(n) is stored padded; its trailing blanks count in no comparison, so its
 * key has none. "char" is one byte, a string of a code unit up to 255, and '' for the zero byte.
 */
import { type ByteWriter, decodeUtf8 } from '../base/index.ts';
import { pgError } from '../errors/index.ts';
import type { Datum } from './datum.ts';
import { C_COLLATION, DEFAULT_COLLATION } from './oid.ts';
import { COMMON, declaredLength, expectLength, insufficientData } from './scalar.ts';
import type { SqlType } from './sql-type.ts';
import {
  characterCount,
  characterOffset,
  compareText,
  utf8Length,
  verifyText,
  verifyUtf8,
} from './utf8.ts';

/** A text of the client, checked. */
export function receiveText(bytes: Uint8Array, start: number, end: number): string {
  verifyUtf8(bytes, start, end);
  return decodeUtf8(bytes, start, end);
}

/** What the binary forms of jsonb and jsonpath begin with, before the text. */
export const WIRE_VERSION = 1;

/** The text of a binary form with a version; `fault` is what is said of a version that is not known. */
export function receiveVersioned(
  bytes: Uint8Array,
  start: number,
  end: number,
  fault: string,
): string {
  if (start === end) throw insufficientData();
  const version = bytes[start]!;
  if (version !== WIRE_VERSION) throw pgError('internal_error', `${fault} ${version}`);
  return receiveText(bytes, start + 1, end);
}

/** What all types that are UTF-8 strings share. */
export const STRING = {
  ...COMMON,
  category: 'S',
  length: -1,
  byValue: false,
  align: 'i',
  storage: 'x',
  lane: 'bytes',
  stored: 'bytes',
  input: verifyText,
  output: (value: Datum) => value as string,
  receive: receiveText,
  send(value: Datum, out: ByteWriter) {
    out.utf8(value as string);
  },
  writeText(value: Datum, out: ByteWriter) {
    out.utf8(value as string);
  },
  compare: (a: Datum, b: Datum) => compareText(a as string, b as string),
  encodeKey(value: Datum, out: ByteWriter) {
    out.utf8(value as string);
    out.u8(0);
  },
  toBytes(value: Datum, out: ByteWriter) {
    out.utf8(value as string);
  },
  fromBytes: (bytes: Uint8Array, start: number, end: number): Datum =>
    decodeUtf8(bytes, start, end),
  textFromBytes(bytes: Uint8Array, start: number, end: number, out: ByteWriter) {
    out.range(bytes, start, end);
  },
  binaryFromBytes(bytes: Uint8Array, start: number, end: number, out: ByteWriter) {
    out.range(bytes, start, end);
  },
  keyFromBytes(bytes: Uint8Array, start: number, end: number, out: ByteWriter) {
    out.range(bytes, start, end);
    out.u8(0);
  },
} as const satisfies Partial<SqlType>;

/** A length's typmod has the size of a varlena header added to it. */
const TYPMOD_BASE = 4;
const LENGTH_MAX = 10485760;

function lengthTypmod(typeName: string, modifiers: readonly number[]): number {
  return declaredLength(typeName, modifiers, LENGTH_MAX) + TYPMOD_BASE;
}

function lengthTypmodOut(typmod: number): string {
  return typmod > TYPMOD_BASE ? `(${typmod - TYPMOD_BASE})` : '';
}

/** Cuts a text to a length; only blanks may be lost, unless the user wrote the cast. */
function truncate(text: string, length: number, explicit: boolean, typeName: string): string {
  if (text.length <= length) return text;
  const end = characterOffset(text, length);
  if (end === text.length) return text;
  if (!explicit) {
    for (let i = end; i < text.length; i++) {
      if (text.charCodeAt(i) !== 32) {
        throw pgError(
          'string_data_right_truncation',
          `value too long for type ${typeName}(${length})`,
        );
      }
    }
  }
  return text.slice(0, end);
}

export const textType: SqlType = {
  ...STRING,
  oid: 25,
  name: 'text',
  sqlName: 'text',
  arrayOid: 1009,
  preferred: true,
  collation: DEFAULT_COLLATION,
};

export const varcharType: SqlType = {
  ...STRING,
  oid: 1043,
  name: 'varchar',
  sqlName: 'character varying',
  arrayOid: 1015,
  collation: DEFAULT_COLLATION,
  typmodIn: (modifiers) => lengthTypmod('varchar', modifiers),
  typmodOut: lengthTypmodOut,
  applyTypmod(value, typmod, explicit) {
    if (typmod < TYPMOD_BASE) return value;
    return truncate(value as string, typmod - TYPMOD_BASE, explicit, 'character varying');
  },
};

/** A char(n) value without its padding: what its cast to text gives. */
export function unpad(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  return end === text.length ? text : text.slice(0, end);
}

export const bpcharType: SqlType = {
  ...STRING,
  oid: 1042,
  name: 'bpchar',
  sqlName: 'character',
  arrayOid: 1014,
  collation: DEFAULT_COLLATION,
  compare: (a, b) => compareText(unpad(a as string), unpad(b as string)),
  encodeKey(value, out) {
    out.utf8(unpad(value as string));
    out.u8(0);
  },
  keyFromBytes(bytes, start, end, out) {
    let unpaddedEnd = end;
    while (unpaddedEnd > start && bytes[unpaddedEnd - 1] === 32) unpaddedEnd--;
    out.range(bytes, start, unpaddedEnd);
    out.u8(0);
  },
  typmodIn: (modifiers) => lengthTypmod('char', modifiers),
  typmodOut: lengthTypmodOut,
  applyTypmod(value, typmod, explicit) {
    if (typmod < TYPMOD_BASE) return value;
    const length = typmod - TYPMOD_BASE;
    const text = value as string;
    const missing = length - characterCount(text);
    if (missing > 0) return text + ' '.repeat(missing);
    return truncate(text, length, explicit, 'character');
  },
};

/** Bytes of a name, without the terminator that PostgreSQL counts in its 64. */
const NAME_BYTES_MAX = 63;

/** Cuts a text to what fits a name, at a character's end. */
export function truncateName(text: string): string {
  if (text.length * 3 <= NAME_BYTES_MAX || utf8Length(text) <= NAME_BYTES_MAX) return text;
  let bytes = 0;
  let at = 0;
  while (at < text.length) {
    const codePoint = text.codePointAt(at)!;
    bytes += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    if (bytes > NAME_BYTES_MAX) break;
    at += codePoint < 0x10000 ? 1 : 2;
  }
  return text.slice(0, at);
}

export const nameType: SqlType = {
  ...STRING,
  oid: 19,
  name: 'name',
  sqlName: 'name',
  arrayOid: 1003,
  collation: C_COLLATION,
  length: 64,
  align: 'c',
  storage: 'p',
  input: (text) => truncateName(verifyText(text)),
  receive(bytes, start, end) {
    if (end - start > NAME_BYTES_MAX) {
      throw pgError('name_too_long', 'identifier too long', {
        detail: 'Identifier must be less than 64 characters.',
      });
    }
    verifyUtf8(bytes, start, end);
    return decodeUtf8(bytes, start, end);
  },
};

/** Text whose use is a cursor's name. */
export const refcursorType: SqlType = {
  ...STRING,
  oid: 1790,
  name: 'refcursor',
  sqlName: 'refcursor',
  arrayOid: 2201,
  category: 'U',
};

/** The literal whose type is not known yet. */
export const unknownType: SqlType = {
  ...STRING,
  oid: 705,
  name: 'unknown',
  sqlName: 'unknown',
  arrayOid: 0,
  category: 'X',
  length: -2,
  align: 'c',
  storage: 'p',
};

const OCTAL_ESCAPE = /^\\[0-7]{3}$/;

function singleByteText(byte: number): string {
  if (byte === 0) return '';
  return byte < 0x80 ? String.fromCharCode(byte) : `\\${byte.toString(8)}`;
}

function singleByte(value: Datum): number {
  return (value as string).length === 0 ? 0 : (value as string).charCodeAt(0);
}

/** "char", the one-byte type of the system catalogs. */
export const charType: SqlType = {
  ...COMMON,
  oid: 18,
  name: 'char',
  sqlName: '"char"',
  arrayOid: 1002,
  category: 'Z',
  length: 1,
  byValue: true,
  align: 'c',
  storage: 'p',
  lane: 'bytes',
  stored: 'bytes',
  input(text) {
    if (OCTAL_ESCAPE.test(text)) return byteString(Number.parseInt(text.slice(1), 8) & 0xff);
    const first = verifyText(text).codePointAt(0);
    if (first === undefined) return '';
    return first < 0x80 ? byteString(first) : byteString(Buffer.from(text)[0]!);
  },
  output: (value) => singleByteText(singleByte(value)),
  receive(bytes, start, end) {
    expectLength(start, end, 1);
    return byteString(bytes[start]!);
  },
  send(value, out) {
    out.u8(singleByte(value));
  },
  writeText(value, out) {
    out.utf8(singleByteText(singleByte(value)));
  },
  compare: (a, b) => singleByte(a) - singleByte(b),
  encodeKey(value, out) {
    out.u8(singleByte(value));
  },
  toBytes(value, out) {
    out.u8(singleByte(value));
  },
  fromBytes: (bytes, start) => byteString(bytes[start]!),
  textFromBytes(bytes, start, _end, out) {
    out.utf8(singleByteText(bytes[start]!));
  },
  binaryFromBytes(bytes, start, end, out) {
    out.range(bytes, start, end);
  },
  keyFromBytes(bytes, start, end, out) {
    out.range(bytes, start, end);
  },
};

function byteString(byte: number): string {
  return byte === 0 ? '' : String.fromCharCode(byte);
}
