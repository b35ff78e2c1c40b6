import type { ByteWriter } from '../base/index.ts';
import { COMMON, expectLength, invalidInput, isSpace } from './scalar.ts';
import type { SqlType } from './sql-type.ts';

/** Any prefix that is unique among these words is a boolean; `o` is not, `of` and `on` are. */
const WORDS: ReadonlyArray<readonly [word: string, prefixMin: number, value: boolean]> = [
  ['true', 1, true],
  ['false', 1, false],
  ['yes', 1, true],
  ['no', 1, false],
  ['on', 2, true],
  ['off', 2, false],
  ['1', 1, true],
  ['0', 1, false],
];

/** The boolean a text stands for, blanks around it ignored; null when it is none. */
export function parseBoolean(text: string): boolean | null {
  if (text === 't') return true;
  if (text === 'f') return false;
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  const trimmed = text.slice(start, end).toLowerCase();
  for (const [word, prefixMin, value] of WORDS) {
    if (trimmed.length >= prefixMin && word.startsWith(trimmed)) return value;
  }
  return null;
}

export const boolType: SqlType = {
  ...COMMON,
  oid: 16,
  name: 'bool',
  sqlName: 'boolean',
  arrayOid: 1000,
  category: 'B',
  preferred: true,
  length: 1,
  byValue: true,
  align: 'c',
  storage: 'p',
  lane: 'number',
  stored: 'bool',
  input(text) {
    const value = parseBoolean(text);
    if (value === null) throw invalidInput('boolean', text);
    return value;
  },
  output: (value) => (value ? 't' : 'f'),
  receive(bytes, start, end) {
    expectLength(start, end, 1);
    return bytes[start] !== 0;
  },
  send(value, out) {
    out.u8(value ? 1 : 0);
  },
  writeText(value, out) {
    out.u8(value ? 0x74 : 0x66);
  },
  compare: (a, b) => Number(a) - Number(b),
  encodeKey(value, out) {
    out.u8(value ? 1 : 0);
  },
  toBytes(value, out: ByteWriter) {
    out.u8(value ? 1 : 0);
  },
  fromBytes: (bytes, start) => bytes[start] !== 0,
};
