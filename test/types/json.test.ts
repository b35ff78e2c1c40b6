import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../src/base/index.ts';
import { PgError } from '../../src/errors/index.ts';
import { json, OID, typeByOid } from '../../src/types/index.ts';
import { CONTEXT } from './context.ts';

const jsonType = typeByOid(OID.json);
const jsonbType = typeByOid(OID.jsonb);

function canonical(text: string): string {
  return jsonbType.output(jsonbType.input(text, CONTEXT, -1), CONTEXT);
}

/** SQLSTATE, detail and context of the error that a text gives. */
function errorOf(text: string, type = jsonType): string {
  try {
    type.input(text, CONTEXT, -1);
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    const { sqlstate, detail, where } = error.fields;
    return `${sqlstate} ${detail} ${where?.replace('JSON data, ', '')}`;
  }
  return 'no error';
}

describe('json', () => {
  it('keeps a text as it was written', () => {
    const text = ' {"b" :1.50,\n"a":[ ], "b":"\\u0000\\ud800"}';
    expect(jsonType.output(jsonType.input(text, CONTEXT, -1), CONTEXT)).toBe(text);
  });

  // PostgreSQL 15's own words.
  it.each([
    ['', '22P02 The input string ended unexpectedly. line 1: '],
    ['{"a":1,', '22P02 The input string ended unexpectedly. line 1: {"a":1,'],
    ['{"a":1,}', '22P02 Expected string, but found "}". line 1: {"a":1,}'],
    ['{"a"}', '22P02 Expected ":", but found "}". line 1: {"a"}'],
    ['{"a":1 2}', '22P02 Expected "," or "}", but found "2". line 1: {"a":1 2...'],
    ['{1:1}', '22P02 Expected string or "}", but found "1". line 1: {1...'],
    ['[1,]', '22P02 Expected JSON value, but found "]". line 1: [1,]'],
    ['[1 2]', '22P02 Expected "," or "]", but found "2". line 1: [1 2...'],
    ['1 2', '22P02 Expected end of input, but found "2". line 1: 1 2'],
    ['01', '22P02 Token "01" is invalid. line 1: 01'],
    ['1.', '22P02 Token "1." is invalid. line 1: 1.'],
    ['$$', '22P02 Token "$" is invalid. line 1: $...'],
    ['[1, é!, 2]', '22P02 Token "é" is invalid. line 1: [1, é...'],
    ['{"a":1,\n"b":tru\n}', '22P02 Token "tru" is invalid. line 2: "b":tru'],
    ['"abc', '22P02 Token ""abc" is invalid. line 1: "abc'],
    ['"a\u0001bc"', '22P02 Character with value 0x01 must be escaped. line 1: "a...'],
    ['\n"\\\nx"', '22P02 Escape sequence "\\\n" is invalid. line 2: "\\\n...'],
    ['"abc\\qdef"', '22P02 Escape sequence "\\q" is invalid. line 1: "abc\\q...'],
    [
      '"abc\\u00ggdef"',
      '22P02 "\\u" must be followed by four hexadecimal digits. line 1: "abc\\u00g...',
    ],
    [
      `{"é${'a'.repeat(36)}éééééééééé": tru , 4}`,
      `22P02 Token "tru" is invalid. line 1: ...${'a'.repeat(23)}éééééééééé": tru...`,
    ],
  ])('refuses %j', (text, message) => {
    expect(errorOf(text)).toBe(message);
  });
});

describe('jsonb', () => {
  it.each([
    ['{"bb":1, "a":2,"b" : 3, "a":4}', '{"a": 4, "b": 3, "bb": 1}'],
    ['{"é":1,"ab":2,"z":3}', '{"z": 3, "ab": 2, "é": 1}'],
    ['[1.0e5, -0, -0.0, 1E-3, 1.500]', '[100000, 0, 0.0, 0.001, 1.500]'],
    ['123456789012345678901234567890.10', '123456789012345678901234567890.10'],
    ['"\\u00e9\\ud83d\\ude04\\u0001\\/\\b"', '"é😄\\u0001/\\b"'],
    [' [ ] ', '[]'],
  ])('prints %s in canonical form', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  it.each([
    ['"abc\\u0000d"', '22P05 \\u0000 cannot be converted to text. line 1: "abc\\u0000...'],
    [
      '"\\ud83d\\ud83d"',
      '22P02 Unicode high surrogate must not follow a high surrogate. line 1: "\\ud83d\\ud83d...',
    ],
    ['"\\ude04x"', '22P02 Unicode low surrogate must follow a high surrogate. line 1: "\\ude04...'],
    [
      '"\\ud83dx"',
      '22P02 Unicode low surrogate must follow a high surrogate. line 1: "\\ud83dx...',
    ],
  ])('refuses %s', (text, message) => {
    expect(errorOf(text, jsonbType)).toBe(message);
  });

  it('keeps any value that JSON has, whatever its size', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('\\u0000') && !/\\ud[89a-f]/.test(text));
        const again = canonical(canonical(text));
        expect(again).toBe(canonical(text));
        const number = (_key: string, item: unknown) => (item === 0 ? 0 : item);
        expect(JSON.parse(again)).toEqual(JSON.parse(text, number));
      }),
    );
  });

  it('finds each field and element in stored forms with wide offsets', () => {
    for (const length of [1, 250, 70_000]) {
      const filler = 'x'.repeat(length);
      const names = Array.from({ length: 300 }, (_, i) => `k${i}`);
      const object = json.jsonbObject(names.map((name, i) => [name, [filler, i > 150]]));
      const bytes = json.encodeJsonb(object);
      const find = (name: string) => json.findField(bytes, 0, Buffer.from(name), 0, name.length);
      const item = find('k299');
      expect(json.loadItem(bytes, 0, item)).toEqual([filler, true]);
      expect(find('k300')).toBe(-1);
      expect(json.decodeJsonb(bytes)).toEqual(object);
    }
  });

  it('travels in binary as its version and its text', () => {
    const out = new ByteWriter();
    jsonbType.send(jsonbType.input('{"a":1}', CONTEXT, -1), out);
    const bytes = out.copy();
    expect(Buffer.from(bytes).toString()).toBe('\u0001{"a": 1}');
    expect(jsonbType.output(jsonbType.receive(bytes, 0, bytes.length), CONTEXT)).toBe('{"a": 1}');
    bytes[0] = 2;
    expect(() => jsonbType.receive(bytes, 0, bytes.length)).toThrow(
      'unsupported jsonb version number 2',
    );
  });

  it('orders values as PostgreSQL does', () => {
    const texts = [
      '[]',
      'null',
      '"B"',
      '"a"',
      '"é"',
      '-1',
      '1.5',
      'false',
      'true',
      '[null]',
      '["z"]',
      '[[]]',
      '[{}]',
      '[0,0]',
      '{}',
      '{"b":1}',
      '{"a":1,"b":2}',
      '{"a":1,"cc":0}',
    ];
    const values = texts.map((text) => jsonbType.input(text, CONTEXT, -1));
    const shuffled = [...values].reverse().sort(jsonbType.compare);
    expect(shuffled.map((value) => jsonbType.output(value, CONTEXT))).toEqual(
      values.map((value) => jsonbType.output(value, CONTEXT)),
    );
  });
});
