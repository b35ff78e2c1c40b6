/** json, a text that is kept as it was written, and jsonb, whose values are stored forms. */
import { ByteWriter, decodeUtf8 } from '../../base/index.ts';
import { COMMON } from '../scalar.ts';
import type { SqlType } from '../sql-type.ts';
import { receiveText, receiveVersioned, STRING, WIRE_VERSION } from '../text.ts';
import { verifyText } from '../utf8.ts';
import { compareStored, encodeJsonbKey } from './order.ts';
import { checkJson, parseJsonb } from './parse.ts';
import { encodeJsonb } from './stored.ts';
import { writeStoredText } from './write.ts';

function checked(text: string): string {
  checkJson(verifyText(text));
  return text;
}

export const jsonType: SqlType = {
  ...STRING,
  oid: 114,
  name: 'json',
  sqlName: 'json',
  arrayOid: 199,
  category: 'U',
  input: checked,
  receive: (bytes, start, end) => checked(receiveText(bytes, start, end)),
};

function receiveJsonb(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const text = receiveVersioned(bytes, start, end, 'unsupported jsonb version number');
  return encodeJsonb(parseJsonb(text));
}

function textOf(bytes: Uint8Array): string {
  const out = new ByteWriter(2 * bytes.length + 16);
  writeStoredText(bytes, 0, bytes.length, out);
  return decodeUtf8(out.bytes, 0, out.position);
}

export const jsonbType: SqlType = {
  ...COMMON,
  oid: 3802,
  name: 'jsonb',
  sqlName: 'jsonb',
  arrayOid: 3807,
  category: 'U',
  length: -1,
  byValue: false,
  align: 'i',
  storage: 'x',
  lane: 'bytes',
  stored: 'bytes',
  input: (text) => encodeJsonb(parseJsonb(verifyText(text))),
  output: (value) => textOf(value as Uint8Array),
  receive: receiveJsonb,
  send(value, out) {
    const bytes = value as Uint8Array;
    out.u8(WIRE_VERSION);
    writeStoredText(bytes, 0, bytes.length, out);
  },
  writeText(value, out) {
    const bytes = value as Uint8Array;
    writeStoredText(bytes, 0, bytes.length, out);
  },
  compare: (a, b) => compareStored(a as Uint8Array, b as Uint8Array),
  encodeKey(value, out) {
    const bytes = value as Uint8Array;
    encodeJsonbKey(bytes, 0, bytes.length, out);
  },
  toBytes(value, out) {
    out.raw(value as Uint8Array);
  },
  fromBytes: (bytes, start, end) => bytes.slice(start, end),
  textFromBytes: writeStoredText,
  binaryFromBytes(bytes, start, end, out) {
    out.u8(WIRE_VERSION);
    writeStoredText(bytes, start, end, out);
  },
  keyFromBytes: encodeJsonbKey,
};
