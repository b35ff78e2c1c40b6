/** bytea. Values are byte arrays, stored as they are. In keys a zero byte is written as 00 FF and
 * the end as 00 01, so that keys order as the bytes do and end themselves. */
import { type ByteWriter, compareBytes, countWork } from '../base/index.ts';
import { pgError } from '../errors/index.ts';
import { BYTES } from './scalar.ts';
import type { SqlType, TypeContext } from './sql-type.ts';

/** Value of a hex digit, or -1. */
export function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 0x20;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Reads the text form of a bytea, hex or escape. */
function parseBytea(text: string): Uint8Array {
  return text.startsWith('\\x') ? decodeHex(text, 2) : parseEscaped(text);
}

/** Reads hex digits in pairs, blanks between the pairs ignored. */
export function decodeHex(text: string, from: number): Uint8Array {
  const bytes = new Uint8Array((text.length - from) >> 1);
  let count = 0;
  for (let i = from; i < text.length; ) {
    countWork(2);
    const code = text.charCodeAt(i);
    if (code === 32 || code === 9 || code === 10 || code === 13) {
      i++;
      continue;
    }
    const high = hexValue(code);
    if (high < 0) throw invalidHexDigit(text, i);
    if (i + 1 >= text.length) {
      throw pgError('invalid_parameter_value', 'invalid hexadecimal data: odd number of digits');
    }
    const low = hexValue(text.charCodeAt(i + 1));
    if (low < 0) throw invalidHexDigit(text, i + 1);
    bytes[count++] = (high << 4) | low;
    i += 2;
  }
  return count === bytes.length ? bytes : bytes.slice(0, count);
}

function invalidHexDigit(text: string, at: number): Error {
  const character = String.fromCodePoint(text.codePointAt(at)!);
  return pgError('invalid_parameter_value', `invalid hexadecimal digit: "${character}"`);
}

function parseEscaped(text: string): Uint8Array {
  countWork(text.length);
  const source = Buffer.from(text, 'utf8');
  const bytes = new Uint8Array(source.length);
  let count = 0;
  for (let i = 0; i < source.length; ) {
    countWork(1);
    const code = source[i]!;
    if (code !== 0x5c) {
      bytes[count++] = code;
      i++;
    } else if (source[i + 1] === 0x5c) {
      bytes[count++] = 0x5c;
      i += 2;
    } else {
      const value = octalValue(source, i + 1);
      if (value < 0) {
        throw pgError('invalid_text_representation', 'invalid input syntax for type bytea');
      }
      bytes[count++] = value;
      i += 4;
    }
  }
  return bytes.slice(0, count);
}

/** Value of three octal digits up to 377, or -1. */
function octalValue(source: Uint8Array, at: number): number {
  if (at + 3 > source.length) return -1;
  const high = source[at]! - 48;
  const middle = source[at + 1]! - 48;
  const low = source[at + 2]! - 48;
  if (high < 0 || high > 3 || middle < 0 || middle > 7 || low < 0 || low > 7) return -1;
  return (high << 6) | (middle << 3) | low;
}

/** ASCII codes of the hex digits. */
export const HEX_CODES = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

function writeByteaText(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
  context: TypeContext,
): void {
  if (context.byteaOutput === 'escape') {
    writeEscaped(bytes, start, end, out);
    return;
  }
  out.reserve(2 + 2 * (end - start));
  const target = out.bytes;
  let at = out.position;
  target[at++] = 0x5c;
  target[at++] = 0x78;
  for (let i = start; i < end; i++) {
    countWork(1);
    const byte = bytes[i]!;
    target[at++] = HEX_CODES[byte >> 4]!;
    target[at++] = HEX_CODES[byte & 15]!;
  }
  out.position = at;
}

function writeEscaped(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  out.reserve(4 * (end - start));
  const target = out.bytes;
  let at = out.position;
  for (let i = start; i < end; i++) {
    countWork(1);
    const byte = bytes[i]!;
    if (byte === 0x5c) {
      target[at++] = 0x5c;
      target[at++] = 0x5c;
    } else if (byte < 0x20 || byte > 0x7e) {
      target[at++] = 0x5c;
      target[at++] = 48 + (byte >> 6);
      target[at++] = 48 + ((byte >> 3) & 7);
      target[at++] = 48 + (byte & 7);
    } else {
      target[at++] = byte;
    }
  }
  out.position = at;
}

function outputBytea(bytes: Uint8Array, context: TypeContext): string {
  if (context.byteaOutput === 'hex') {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return `\\x${view.toString('hex')}`;
  }
  let text = '';
  for (const byte of bytes) {
    if (byte === 0x5c) text += '\\\\';
    else if (byte < 0x20 || byte > 0x7e) text += `\\${byte.toString(8).padStart(3, '0')}`;
    else text += String.fromCharCode(byte);
  }
  return text;
}

export function writeEscapedKey(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
): void {
  out.reserve(2 * (end - start) + 2);
  const target = out.bytes;
  let at = out.position;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    target[at++] = byte;
    if (byte === 0) target[at++] = 0xff;
  }
  target[at++] = 0;
  target[at++] = 1;
  out.position = at;
}

export const byteaType: SqlType = {
  ...BYTES,
  oid: 17,
  name: 'bytea',
  sqlName: 'bytea',
  arrayOid: 1001,
  category: 'U',
  length: -1,
  storage: 'x',
  input: parseBytea,
  output: (value, context) => outputBytea(value as Uint8Array, context),
  receive: (bytes, start, end) => bytes.slice(start, end),
  send(value, out) {
    out.raw(value as Uint8Array);
  },
  writeText(value, out, context) {
    const bytes = value as Uint8Array;
    writeByteaText(bytes, 0, bytes.length, out, context);
  },
  compare: (a, b) => compareBytes(a as Uint8Array, b as Uint8Array),
  encodeKey(value, out) {
    const bytes = value as Uint8Array;
    writeEscapedKey(bytes, 0, bytes.length, out);
  },
  keyFromBytes: writeEscapedKey,
  textFromBytes: writeByteaText,
  binaryFromBytes(bytes, start, end, out) {
    out.range(bytes, start, end);
  },
};
