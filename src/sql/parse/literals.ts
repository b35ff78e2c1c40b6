/** Lifting of literals, in front of the statement cache: one pass over a text takes out its number
 * and string constants, so that `UPDATE t SET a = a + 123 WHERE id = 456` and every text that
 * differs from it in those numbers alone have one shape, one parse and one plan.
 *
 * The pass knows PostgreSQL's tokens, not its grammar: it must never take a literal for something
 * else or the reverse, since a shape stands for every text that maps to it. What it is not sure of
 * (an unterminated string, U&'', bit strings, several statements) makes it give up.
 *
 * The number after LIMIT stays: by it a plan for the first rows is told from one for all of them.
 */

import { type LiftedRows, RowLifter } from './literal-rows.ts';

/** int4, int8 and numeric are numbers by size and form, as PostgreSQL types them. */
export type LiteralKind = 'int4' | 'int8' | 'numeric' | 'string';

export interface LiftedLiteral {
  readonly kind: LiteralKind;
  /** Digits as written, or the value of the string. */
  readonly text: string;
  /** Value of an int4. */
  readonly value: number;
  /** Where it starts and ends, as indexes in the text. */
  readonly start: number;
  readonly end: number;
  /** NULL among values: a literal without a type, as a string is. */
  readonly isNull?: true;
}

export interface LiftedText {
  /** The text without its literals; equal shapes differ in nothing else. */
  readonly shape: string;
  readonly literals: readonly LiftedLiteral[];
  /** Highest $n in the text. */
  readonly parameterCount: number;
  /** Where rows of VALUES were lifted out too: what stands for the text, and the rows. */
  readonly rows: LiftedRows | null;
}

/** Markers that no SQL text contains outside of quotes, where their like is refused. */
const MARKERS: Readonly<Record<LiteralKind, string>> = {
  int4: '\u0001',
  int8: '\u0002',
  numeric: '\u0003',
  string: '\u0004',
};

const LITERALS_MAX = 1000;

const SPACE = 1;
const WORD = 2;
const DIGIT = 3;

const CLASS = new Uint8Array(128);
for (const code of [9, 10, 11, 12, 13, 32]) CLASS[code] = SPACE;
for (let code = 48; code <= 57; code++) CLASS[code] = DIGIT;
for (let code = 65; code <= 90; code++) CLASS[code] = CLASS[code + 32] = WORD;
CLASS[95] = WORD;

/** Takes the literals out of a text; null when the text is none to cache by shape. With `rowsToo`, an INSERT of several
 * rows has the shape of those of its rows that differ in shape. */
export function liftLiterals(text: string, rowsToo = false): LiftedText | null {
  const rows = rowsToo && startsWithInsert(text) ? new RowLifter(text) : null;
  const length = text.length;
  const literals: LiftedLiteral[] = [];
  let shape = '';
  let copied = 0;
  let parameterCount = 0;
  let at = 0;
  /** Where the last LIMIT ended, and the blanks behind it. */
  let limitEnd = -1;
  while (at < length) {
    const code = text.charCodeAt(at);
    const kind = code < 128 ? CLASS[code]! : WORD;
    if (kind === SPACE) {
      if (limitEnd === at) limitEnd++;
      at++;
    } else if (kind === WORD) {
      const end = wordEnd(text, at);
      if (end < length && text.charCodeAt(end) === 39) {
        // E'…' is a string with escapes; B, X, N and U& are rare and left to the parser.
        if (end !== at + 1) return null;
        if ((code | 32) !== 101) return null;
        const close = escapedEnd(text, end + 1);
        if (close < 0) return null;
        const value = unescaped(text.slice(end + 1, close - 1));
        if (value === null) return null;
        shape += text.slice(copied, at) + MARKERS.string;
        literals.push({ kind: 'string', text: value, value: 0, start: at, end: close });
        copied = at = close;
      } else if (end === at + 1 && (code | 32) === 117 && text.charCodeAt(end) === 38) {
        return null;
      } else {
        if (end === at + 5 && isLimit(text, at)) limitEnd = end;
        else if (rows?.takesNull(at, end)) {
          shape += text.slice(copied, at) + MARKERS.string;
          literals.push({ kind: 'string', text: '', value: 0, start: at, end, isNull: true });
          copied = end;
        }
        at = end;
      }
    } else if (kind === DIGIT || (code === 46 && isDigit(text, at + 1))) {
      const end = numberEnd(text, at);
      if (end < 0) return null;
      if (limitEnd === at) {
        at = end;
        continue;
      }
      const digits = text.slice(at, end);
      const literal = numberLiteral(digits, at, end);
      shape += text.slice(copied, at) + MARKERS[literal.kind];
      literals.push(literal);
      copied = at = end;
    } else if (code === 39) {
      const close = quotedEnd(text, at + 1, 39);
      if (close < 0) return null;
      let value = text.slice(at + 1, close - 1);
      if (value.includes("'")) value = value.replaceAll("''", "'");
      // A string goes on after a line break; the parser joins the parts.
      if (continues(text, close)) return null;
      shape += text.slice(copied, at) + MARKERS.string;
      literals.push({ kind: 'string', text: value, value: 0, start: at, end: close });
      copied = at = close;
    } else if (code === 34) {
      const close = quotedEnd(text, at + 1, 34);
      if (close < 0) return null;
      at = close;
    } else if (code === 36) {
      if (isDigit(text, at + 1)) {
        let end = at + 1;
        let number = 0;
        while (isDigit(text, end)) number = number * 10 + text.charCodeAt(end++) - 48;
        if (number > 65535) return null;
        if (number > parameterCount) parameterCount = number;
        at = end;
      } else {
        const lifted = dollarQuoted(text, at);
        if (lifted === null) return null;
        shape += text.slice(copied, at) + MARKERS.string;
        literals.push(lifted);
        copied = at = lifted.end;
      }
    } else if (code === 45 && text.charCodeAt(at + 1) === 45) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? length : end + 1;
    } else if (code === 47 && text.charCodeAt(at + 1) === 42) {
      at = commentEnd(text, at);
      if (at < 0) return null;
    } else if (code === 59) {
      if (text.slice(at + 1).trim() !== '') return null;
      at = length;
    } else if (code < 32) {
      return null;
    } else {
      if (rows !== null) {
        if (code === 40 && rows.opens()) {
          shape += text.slice(copied, at);
          copied = at;
          rows.begin(at, shape.length, literals);
        } else if (code === 41 && rows.closes()) {
          shape = rows.end(at + 1, shape + text.slice(copied, at + 1), literals);
          copied = at + 1;
        }
        if (rows.isRefused) return liftLiterals(text);
      }
      at++;
    }
    if (literals.length > LITERALS_MAX) return null;
  }
  shape += text.slice(copied);
  return (
    rows?.lifted(shape, literals, parameterCount) ?? { shape, literals, parameterCount, rows: null }
  );
}

function startsWithInsert(text: string): boolean {
  return /^\s*insert\s/i.test(text);
}

/** Whether a word of five letters is LIMIT. */
function isLimit(text: string, at: number): boolean {
  return (text.charCodeAt(at) | 32) === 108 && text.slice(at, at + 5).toLowerCase() === 'limit';
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function wordEnd(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // A dollar sign may stand inside an identifier.
    if (code < 128 && CLASS[code]! < WORD && code !== 36) break;
  }
  return at;
}

/** End of a number, or -1 for what is no plain decimal (1_000, 0x1f, 1abc). */
function numberEnd(text: string, start: number): number {
  let at = start;
  while (isDigit(text, at)) at++;
  // `1..10` is a range of PL/pgSQL, not a decimal point.
  if (text.charCodeAt(at) === 46 && text.charCodeAt(at + 1) !== 46) {
    at++;
    while (isDigit(text, at)) at++;
  }
  const exponent = text.charCodeAt(at) | 32;
  if (at < text.length && exponent === 101) {
    let next = at + 1;
    const sign = text.charCodeAt(next);
    if (sign === 43 || sign === 45) next++;
    if (!isDigit(text, next)) return -1;
    while (isDigit(text, next)) next++;
    at = next;
  }
  const after = text.charCodeAt(at);
  if (after >= 128 || CLASS[after] === WORD || after === 36) return -1;
  return at;
}

function numberLiteral(digits: string, start: number, end: number): LiftedLiteral {
  let kind: LiteralKind = 'numeric';
  let value = 0;
  if (digits.length <= 19 && isInteger(digits)) {
    value = Number(digits);
    if (value <= 2147483647) kind = 'int4';
    else if (Number.isSafeInteger(value) || BigInt(digits) <= 9223372036854775807n) kind = 'int8';
  }
  return { kind, text: digits, value, start, end };
}

function isInteger(digits: string): boolean {
  for (let i = 0; i < digits.length; i++) if (!isDigit(digits, i)) return false;
  return true;
}

/** Position after the closing quote, which doubled stands for itself; -1 without one. */
function quotedEnd(text: string, start: number, quote: number): number {
  for (let at = start; at < text.length; at++) {
    if (text.charCodeAt(at) !== quote) continue;
    if (text.charCodeAt(at + 1) !== quote) return at + 1;
    at++;
  }
  return -1;
}

function escapedEnd(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 92) at++;
    else if (code === 39) {
      if (text.charCodeAt(at + 1) !== 39) return continues(text, at + 1) ? -1 : at + 1;
      at++;
    }
  }
  return -1;
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  "'": "'",
  '\\': '\\',
};

/** The value of E'…' when it has simple escapes only. */
function unescaped(body: string): string | null {
  let value = '';
  for (let at = 0; at < body.length; at++) {
    const char = body.charAt(at);
    if (char === "'") at++;
    if (char !== '\\') {
      value += char;
      continue;
    }
    const plain = SIMPLE_ESCAPES[body.charAt(++at)];
    if (plain === undefined) return null;
    value += plain;
  }
  return value;
}

/** A quote after blanks with a line break goes on with the string before. */
function continues(text: string, from: number): boolean {
  let at = from;
  while (at < text.length && CLASS[text.charCodeAt(at) & 127] === SPACE) at++;
  return at > from && text.charCodeAt(at) === 39;
}

function dollarQuoted(text: string, start: number): LiftedLiteral | null {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== 36) {
    const code = text.charCodeAt(at);
    if (code < 128 && CLASS[code]! < WORD) return null;
    at++;
  }
  if (at >= text.length) return null;
  const tag = text.slice(start, at + 1);
  const close = text.indexOf(tag, at + 1);
  if (close < 0) return null;
  const end = close + tag.length;
  return { kind: 'string', text: text.slice(at + 1, close), value: 0, start, end };
}

/** End of a comment, which may hold others; -1 when it is not closed. */
function commentEnd(text: string, start: number): number {
  let depth = 1;
  for (let at = start + 2; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const next = text.charCodeAt(at + 1);
    if (code === 47 && next === 42) {
      depth++;
      at++;
    } else if (code === 42 && next === 47) {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}
