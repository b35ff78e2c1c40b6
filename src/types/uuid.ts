import { type ByteWriter, compareBytes } from '../base/index.ts';
import { HEX_CODES, hexValue } from './bytea.ts';
import { COMMON, expectLength, invalidInput } from './scalar.ts';
import type { SqlType } from './sql-type.ts';

/** Reads a uuid: 32 hex digits, a hyphen allowed after each group of four, braces around it. */
function parseUuid(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const braces = text.charCodeAt(0) === 0x7b;
  let at = braces ? 1 : 0;
  for (let i = 0; i < 16; i++) {
    const high = hexValue(text.charCodeAt(at));
    const low = hexValue(text.charCodeAt(at + 1));
    if (high < 0 || low < 0) throw invalidInput('uuid', text);
    bytes[i] = (high << 4) | low;
    at += 2;
    if (i % 2 === 1 && i < 15 && text.charCodeAt(at) === 0x2d) at++;
  }
  if (braces && text.charCodeAt(at++) !== 0x7d) throw invalidInput('uuid', text);
  if (at !== text.length) throw invalidInput('uuid', text);
  return bytes;
}

function writeUuid(bytes: Uint8Array, start: number, out: ByteWriter): void {
  out.reserve(36);
  const target = out.bytes;
  let at = out.position;
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) target[at++] = 0x2d;
    const byte = bytes[start + i]!;
    target[at++] = HEX_CODES[byte >> 4]!;
    target[at++] = HEX_CODES[byte & 15]!;
  }
  out.position = at;
}

/** A uuid as text, `a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11`. */
function formatUuid(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    const byte = bytes[i]!;
    text += String.fromCharCode(HEX_CODES[byte >> 4]!, HEX_CODES[byte & 15]!);
  }
  return text;
}

export const uuidType: SqlType = {
  ...COMMON,
  oid: 2950,
  name: 'uuid',
  sqlName: 'uuid',
  arrayOid: 2951,
  category: 'U',
  length: 16,
  byValue: false,
  align: 'c',
  storage: 'p',
  lane: 'bytes',
  stored: 'bytes',
  input: parseUuid,
  output: (value) => formatUuid(value as Uint8Array),
  receive(bytes, start, end) {
    expectLength(start, end, 16);
    return bytes.slice(start, end);
  },
  send(value, out) {
    out.raw(value as Uint8Array);
  },
  writeText(value, out) {
    writeUuid(value as Uint8Array, 0, out);
  },
  compare: (a, b) => compareBytes(a as Uint8Array, b as Uint8Array),
  encodeKey(value, out) {
    out.raw(value as Uint8Array);
  },
  toBytes(value, out) {
    out.raw(value as Uint8Array);
  },
  fromBytes: (bytes, start, end) => bytes.slice(start, end),
  textFromBytes(bytes, start, _end, out) {
    writeUuid(bytes, start, out);
  },
  binaryFromBytes(bytes, start, end, out) {
    out.range(bytes, start, end);
  },
  keyFromBytes(bytes, start, end, out) {
    out.range(bytes, start, end);
  },
};
