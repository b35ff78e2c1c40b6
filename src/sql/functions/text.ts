/** Functions of text. Positions and lengths count characters (code points); case and character
 * classes are those of collation C, where only ASCII letters have case. */

import {
  countWork,
  inPieces,
  quoteIdentifier,
  quoteLiteral,
  TextBuilder,
} from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import {
  type ArrayDatum,
  characterCount,
  characterOffset,
  compareText,
  type Datum,
  type Int8,
  OID,
  pushElement,
  truncateName,
  typeByOid,
  unpad,
  utf8Length,
} from '../../types/index.ts';
import { digestOf } from './digest.ts';
import type { FunctionContext } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { orderFunctions, type Scalars } from './order.ts';

export { quoteIdentifier, quoteLiteral };

/** PostgreSQL's limit on one value (MaxAllocSize). */
const VALUE_BYTES_MAX = 0x3fffffff;

/** char(n) arguments compare without their padding. */
const compareBpchar = (a: string, b: string) => compareText(unpad(a), unpad(b));

const comparisons: Scalars = {
  ...orderFunctions(
    { prefix: 'text', compare: 'bttextcmp', larger: 'text_larger', smaller: 'text_smaller' },
    compareText,
  ),
  ...orderFunctions({ prefix: 'text_' }, compareText),
  ...orderFunctions({ prefix: 'text_pattern_', compare: 'bttext_pattern_cmp' }, compareText),
  ...orderFunctions({ prefix: 'name', compare: 'btnamecmp' }, compareText),
  ...orderFunctions({ prefix: 'char', compare: 'btcharcmp' }, compareText),
  ...namesWithSuffix('name', 'text', 'btnametextcmp'),
  ...namesWithSuffix('text', 'name', 'bttextnamecmp'),
  ...orderFunctions(
    { prefix: 'bpchar', compare: 'bpcharcmp', larger: 'bpchar_larger', smaller: 'bpchar_smaller' },
    compareBpchar,
  ),
  ...orderFunctions({ prefix: 'bpchar_pattern_', compare: 'btbpchar_pattern_cmp' }, compareBpchar),
};

/** nameeqtext, nameltttext, …: the type of the right side stands behind the operator's name. */
function namesWithSuffix(left: string, right: string, compare: string): Scalars {
  const plain = orderFunctions({ prefix: '', compare }, compareText);
  return Object.fromEntries(
    Object.entries(plain).map(([name, code]) => [
      name === compare ? name : `${left}${name}${right}`,
      code,
    ]),
  );
}

const NOT_ASCII = /[\u0080-\uffff]/;

/** Letters of ASCII alone have cases in the C locale; V8's own functions are several times as fast where
 * there are no others. */
export const asciiLower = (text: string): string => inPieces(text, lowerPiece);
const asciiUpper = (text: string): string => inPieces(text, upperPiece);

const lowerPiece = (text: string): string =>
  NOT_ASCII.test(text)
    ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    : text.toLowerCase();
const upperPiece = (text: string): string =>
  NOT_ASCII.test(text)
    ? text.replace(/[a-z]+/g, (letters) => letters.toUpperCase())
    : text.toUpperCase();

function initcap(text: string): string {
  let inWord = false;
  return inPieces(text, (piece) => {
    const capitals = piece.replace(/[A-Za-z0-9]+/g, (word, at: number) =>
      inWord && at === 0
        ? lowerPiece(word)
        : upperPiece(word.charAt(0)) + lowerPiece(word.slice(1)),
    );
    inWord = /[A-Za-z0-9]$/.test(piece);
    return capitals;
  });
}

/** `substring(text from start for length)`; without a length, to the end. */
export function substring(text: string, start: number, length: number | null): string {
  if (length !== null && length < 0) {
    throw pgError('substring_error', 'negative substring length not allowed');
  }
  const from = Math.max(start, 1) - 1;
  const to = length === null ? Infinity : start + length - 1;
  if (to <= from) return '';
  const begin = characterOffset(text, from);
  if (to === Infinity) return text.slice(begin);
  const rest = text.slice(begin);
  return rest.slice(0, characterOffset(rest, to - from));
}

function overlay(text: string, replacement: string, start: number, length: number): string {
  if (start <= 0) throw pgError('substring_error', 'negative substring length not allowed');
  const after = start + length;
  if (after > 2147483647) throw pgError('numeric_value_out_of_range', 'integer out of range');
  return substring(text, 1, start - 1) + replacement + substring(text, after, null);
}

/** 1-based position of the first occurrence; 0 when there is none. */
function position(text: string, part: string): number {
  countWork(text.length);
  const at = text.indexOf(part);
  return at < 0 ? 0 : characterCount(text.slice(0, at)) + 1;
}

function trim(text: string, characters: string, left: boolean, right: boolean): string {
  const set = new Set(characters);
  let start = 0;
  let end = text.length;
  while (left && start < end) {
    countWork(1);
    const width = text.codePointAt(start)! > 0xffff ? 2 : 1;
    if (!set.has(text.slice(start, start + width))) break;
    start += width;
  }
  while (right && end > start) {
    countWork(1);
    const unit = text.charCodeAt(end - 1);
    const width = unit >= 0xdc00 && unit < 0xe000 && end - 2 >= start ? 2 : 1;
    if (!set.has(text.slice(end - width, end))) break;
    end -= width;
  }
  return text.slice(start, end);
}

function pad(text: string, length: number, fill: string, left: boolean): string {
  const wanted = Math.max(length, 0);
  const count = characterCount(text);
  if (count >= wanted || fill === '') return text.slice(0, characterOffset(text, wanted));
  if (wanted > VALUE_BYTES_MAX / 4) throw tooLong();
  countWork(wanted);
  const missing = wanted - count;
  const width = characterCount(fill);
  const rest = fill.slice(0, characterOffset(fill, missing % width));
  const cut = fill.repeat(Math.floor(missing / width)) + rest;
  return left ? cut + text : text + cut;
}

function tooLong() {
  return pgError('program_limit_exceeded', 'requested length too large');
}

function repeat(text: string, count: number): string {
  if (count <= 0 || text === '') return '';
  if (utf8Length(text) * count > VALUE_BYTES_MAX) throw tooLong();
  countWork(text.length * count);
  return text.repeat(count);
}

/** The first characters, or all but the last when the count is negative. */
function left(text: string, count: number): string {
  const wanted = count >= 0 ? count : characterCount(text) + count;
  return text.slice(0, characterOffset(text, Math.max(wanted, 0)));
}

/** The last characters, or all but the first; the smallest integer has no negative and drops none. */
function right(text: string, count: number): string {
  const dropped = count >= 0 ? characterCount(text) - count : -count | 0;
  return text.slice(characterOffset(text, Math.max(dropped, 0)));
}

function splitPart(text: string, delimiter: string, field: number): string {
  if (field === 0) throw pgError('invalid_parameter_value', 'field position must not be zero');
  if (text === '') return '';
  if (delimiter === '') return field === 1 || field === -1 ? text : '';
  if (field < 0) return fieldFromEnd(text, delimiter, -field);
  let start = 0;
  for (let passed = 1; ; passed++) {
    const end = text.indexOf(delimiter, start);
    countWork((end < 0 ? text.length : end) - start + 1);
    if (passed === field) return text.slice(start, end < 0 ? text.length : end);
    if (end < 0) return '';
    start = end + delimiter.length;
  }
}

/** Delimiters that overlap are found from the front, as PostgreSQL does. */
function fieldFromEnd(text: string, delimiter: string, field: number): string {
  const fields = splitByDelimiter(text, delimiter);
  return fields[fields.length - field] ?? '';
}

/** The parts of a text between the places of a delimiter that is not empty. */
export function splitByDelimiter(text: string, delimiter: string): string[] {
  const parts: string[] = [];
  for (let start = 0; ; ) {
    const end = text.indexOf(delimiter, start);
    countWork((end < 0 ? text.length : end) - start);
    if (end < 0) {
      pushElement(parts, text.slice(start));
      return parts;
    }
    pushElement(parts, text.slice(start, end));
    start = end + delimiter.length;
  }
}

function replaceAll(text: string, from: string, to: string): string {
  if (from === '') return text;
  if (text.length <= SMALL) return text.replaceAll(from, () => to);
  const result = new TextBuilder();
  for (let start = 0; ; ) {
    const end = text.indexOf(from, start);
    if (end < 0) {
      result.add(text.slice(start));
      return result.toString();
    }
    result.add(text.slice(start, end));
    result.add(to);
    start = end + from.length;
  }
}

/** Texts up to this length are left to the engine. */
const SMALL = 4096;

function reverse(text: string): string {
  const pieces: string[] = [];
  inPieces(text, (piece) => {
    pieces.push(Array.from(piece).reverse().join(''));
    return '';
  });
  return pieces.reverse().join('');
}

function translate(text: string, from: string, to: string): string {
  const source = Array.from(from);
  const target = Array.from(to);
  const map = new Map<string, string>();
  for (let i = 0; i < source.length; i++) {
    const character = source[i]!;
    if (!map.has(character)) map.set(character, target[i] ?? '');
  }
  return inPieces(text, (piece) => {
    const result: string[] = [];
    for (const character of piece) result.push(map.get(character) ?? character);
    return result.join('');
  });
}

function chr(code: number): string {
  if (code < 0) throw pgError('invalid_parameter_value', 'character number must be positive');
  if (code === 0) throw pgError('program_limit_exceeded', 'null character not permitted');
  if (code > 0x10ffff) {
    throw pgError('program_limit_exceeded', `requested character too large for encoding: ${code}`);
  }
  if (code >= 0xd800 && code <= 0xdfff) {
    throw pgError('program_limit_exceeded', `requested character not valid for encoding: ${code}`);
  }
  return String.fromCodePoint(code);
}

/** Concatenation is guarded by the engine's string limit, which is below PostgreSQL's. */
function concatenate(a: string, b: string): string {
  countWork(a.length + b.length);
  try {
    return a + b;
  } catch {
    throw tooLong();
  }
}

function toHex(value: Int8, bits: number): string {
  return BigInt.asUintN(bits, BigInt(value)).toString(16);
}

const UNICODE_ESCAPE =
  /\\(?:([0-9A-Fa-f]{4})|\+([0-9A-Fa-f]{6})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(\\)|)/g;

function unistr(text: string): string {
  let high = 0;
  let end = 0;
  const pairError = () => pgError('syntax_error', 'invalid Unicode surrogate pair');
  const result = text.replace(UNICODE_ESCAPE, (whole, a, b, c, d, slash, offset: number) => {
    if (whole === '\\') {
      throw pgError('syntax_error', 'invalid Unicode escape', {
        hint: 'Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.',
      });
    }
    if (high !== 0 && (slash || offset !== end)) throw pairError();
    if (slash) return '\\';
    end = offset + whole.length;
    const code = Number.parseInt(a ?? b ?? c ?? d, 16);
    if (code >= 0xdc00 && code <= 0xdfff) {
      if (high === 0) throw pairError();
      const pair = String.fromCharCode(high, code);
      high = 0;
      return pair;
    }
    if (high !== 0) throw pairError();
    if (code >= 0xd800 && code <= 0xdbff) {
      high = code;
      return '';
    }
    if (code === 0 || code > 0x10ffff) {
      throw pgError('invalid_parameter_value', `invalid Unicode code point: ${whole.slice(1)}`);
    }
    return String.fromCodePoint(code);
  });
  if (high !== 0) throw pairError();
  return result;
}

const FORMS = new Set(['NFC', 'NFD', 'NFKC', 'NFKD']);

function normalForm(form: string): 'NFC' | 'NFD' | 'NFKC' | 'NFKD' {
  const upper = asciiUpper(form);
  if (!FORMS.has(upper)) {
    throw pgError('invalid_parameter_value', `invalid normalization form: ${form}`);
  }
  return upper as 'NFC';
}

function parseIdentifier(text: string, strict: boolean): ArrayDatum {
  const parts: string[] = [];
  const invalid = (detail?: string) =>
    pgError(
      'invalid_parameter_value',
      `string is not a valid identifier: ${quoteWithDouble(text)}`,
      detail === undefined ? {} : { detail },
    );
  let at = skipSpace(text, 0);
  let afterDot = false;
  for (;;) {
    let missing = true;
    if (text[at] === '"') {
      let part = '';
      at++;
      for (;;) {
        const close = text.indexOf('"', at);
        if (close < 0) throw invalid('String has unclosed double quotes.');
        part += text.slice(at, close);
        at = close + 1;
        if (text[at] !== '"') break;
        part += '"';
        at++;
      }
      if (part === '') throw invalid('Quoted identifier must not be empty.');
      parts.push(part);
      missing = false;
    } else {
      const word = /^[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/.exec(text.slice(at));
      if (word !== null) {
        parts.push(truncateName(asciiLower(word[0])));
        at += word[0].length;
        missing = false;
      }
    }
    if (missing) {
      if (text[at] === '.') throw invalid('No valid identifier before ".".');
      throw afterDot ? invalid('No valid identifier after ".".') : invalid();
    }
    at = skipSpace(text, at);
    if (text[at] === '.') {
      afterDot = true;
      at = skipSpace(text, at + 1);
    } else if (at >= text.length || !strict) break;
    else throw invalid();
  }
  return { elementType: 25, dimensions: [parts.length], lowerBounds: [1], elements: parts };
}

const quoteWithDouble = (text: string) => `"${text}"`;

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\n\r\f'.includes(text.charAt(at))) at++;
  return at;
}

const trimming: Scalars = {
  btrim: (_c, text: string, set: string) => trim(text, set, true, true),
  btrim1: (_c, text: string) => trim(text, ' ', true, true),
  ltrim: (_c, text: string, set: string) => trim(text, set, true, false),
  ltrim1: (_c, text: string) => trim(text, ' ', true, false),
  rtrim: (_c, text: string, set: string) => trim(text, set, false, true),
  rtrim1: (_c, text: string) => unpad(text),
};

const casts: Scalars = {
  text_name: (_c, text: string) => truncateName(text),
  name_text: (_c, name: string) => name,
  name_bpchar: (_c, name: string) => name,
  bpchar_name: (_c, text: string) => truncateName(unpad(text)),
  char_text: (c: C, char: string) => typeByOid(OID.char).output(char, c),
  char_bpchar: (c: C, char: string) => typeByOid(OID.char).output(char, c),
  // A "char" is one byte: of text, the first of its UTF-8 form.
  text_char: (_c, text: string) =>
    text === '' ? '' : String.fromCharCode(Buffer.from(text.slice(0, 2))[0]!),
  chartoi4: (_c, char: string) => {
    const code = char === '' ? 0 : char.charCodeAt(0);
    return code > 127 ? code - 256 : code;
  },
  i4tochar: (_c, code: number) => {
    if (code < -128 || code > 127) {
      throw pgError('numeric_value_out_of_range', '"char" out of range');
    }
    return code === 0 ? '' : String.fromCharCode(code & 255);
  },
};

type C = FunctionContext;
const md5 = (data: string | Uint8Array) => digestOf('md5', data).toString('hex');

const scalars: Scalars = {
  ...comparisons,
  ...trimming,
  ...casts,
  textcat: (_c, a: string, b: string) => concatenate(a, b),
  textlen: (_c, text: string) => characterCount(text),
  bpcharlen: (_c, text: string) => characterCount(unpad(text)),
  textoctetlen: (_c, text: string) => utf8Length(text),
  bpcharoctetlen: (_c, text: string) => utf8Length(text),
  '1811': (_c, text: string) => utf8Length(text) * 8,
  lower: (_c, text: string) => asciiLower(text),
  upper: (_c, text: string) => asciiUpper(text),
  initcap: (_c, text: string) => initcap(text),
  text_substr: (_c, text: string, start: number, length: number) => substring(text, start, length),
  text_substr_no_len: (_c, text: string, start: number) => substring(text, start, null),
  textoverlay: (_c, text: string, part: string, start: number, length: number) =>
    overlay(text, part, start, length),
  textoverlay_no_len: (_c, text: string, part: string, start: number) =>
    overlay(text, part, start, characterCount(part)),
  textpos: (_c, text: string, part: string) => position(text, part),
  lpad: (_c, text: string, length: number, fill: string) => pad(text, length, fill, true),
  rpad: (_c, text: string, length: number, fill: string) => pad(text, length, fill, false),
  '879': (_c: C, text: string, length: number) => pad(text, length, ' ', true),
  '880': (_c: C, text: string, length: number) => pad(text, length, ' ', false),
  text_left: (_c, text: string, count: number) => left(text, count),
  text_right: (_c, text: string, count: number) => right(text, count),
  text_reverse: (_c, text: string) => reverse(text),
  repeat: (_c, text: string, count: number) => repeat(text, count),
  replace_text: (_c, text: string, from: string, to: string) => replaceAll(text, from, to),
  split_part: (_c, text: string, delimiter: string, field: number) =>
    splitPart(text, delimiter, field),
  text_starts_with: (_c, text: string, prefix: string) => text.startsWith(prefix),
  translate: (_c, text: string, from: string, to: string) => translate(text, from, to),
  ascii: (_c, text: string) => text.codePointAt(0) ?? 0,
  chr: (_c, code: number) => chr(code),
  md5_text: (_c, text: string) => md5(text),
  md5_bytea: (_c, bytes: Uint8Array) => md5(bytes),
  to_hex32: (_c, value: number) => toHex(value, 32),
  to_hex64: (_c, value: Int8) => toHex(value, 64),
  quote_ident: (_c, name: string) => quoteIdentifier(name),
  quote_literal: (_c, text: string) => quoteLiteral(text),
  quote_nullable: (_c, text: string | null): Datum => (text === null ? 'NULL' : quoteLiteral(text)),
  nameconcatoid: (_c, name: string, oid: number) => {
    const suffix = `_${oid}`;
    let base = name;
    while (utf8Length(base) + suffix.length > 63) base = Array.from(base).slice(0, -1).join('');
    return base + suffix;
  },
  unistr: (_c, text: string) => unistr(text),
  unicode_normalize_func: (_c, text: string, form: string) => text.normalize(normalForm(form)),
  unicode_is_normalized: (_c, text: string, form: string) =>
    text.normalize(normalForm(form)) === text,
  parse_ident: (_c, text: string, strict: boolean) => parseIdentifier(text, strict),
};

registerFunctions({ scalars });
