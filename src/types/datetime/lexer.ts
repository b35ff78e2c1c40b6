import { fault } from './fault.ts';
import { DATE_WORDS } from './words.ts';

/** Cuts the text of a date, time or interval into fields, as PostgreSQL's ParseDateTime does:
 * the cut decides what a field can be, before anything is known about the order of fields. */

type FieldKind =
  /** Digits, perhaps with a fraction. */
  | 'number'
  /** Letters. */
  | 'string'
  /** Parts joined by `-`, `/` or `.`; also a zone name with punctuation. */
  | 'date'
  /** Digits and colons. */
  | 'time'
  /** A sign and digits: a zone offset, or a signed number of an interval. */
  | 'offset'
  /** A sign and letters: `-infinity`. */
  | 'special';

export interface Field {
  text: string;
  kind: FieldKind;
}

const FIELD_COUNT_MAX = 25;

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
}

export function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

const DOT = 46;
const COLON = 58;
const MINUS = 45;
const PLUS = 43;
const SLASH = 47;
const UNDERSCORE = 95;

function isPunctuation(code: number): boolean {
  return code > 32 && code < 127 && !isDigit(code) && !isLetter(code);
}

/** Cuts a text whose fields, each with a terminator, must fit `lengthMax` characters. */
export function cutFields(text: string, lengthMax: number): Field[] {
  const fields: Field[] = [];
  let length = 0;
  let at = 0;
  const end = text.length;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (isSpace(code)) {
      at++;
      continue;
    }
    if (isPunctuation(code) && code !== DOT && code !== PLUS && code !== MINUS) {
      // Other punctuation only separates.
      at++;
      continue;
    }
    const field = cutField(text, at);
    at = cutEnd;
    length += field.text.length + 1;
    if (fields.length === FIELD_COUNT_MAX || length > lengthMax) throw fault('format');
    fields.push(field);
  }
  return fields;
}

/** Where the field that `cutField` returned ends in the text. */
let cutEnd = 0;

function cutField(text: string, start: number): Field {
  const code = text.charCodeAt(start);
  if (isDigit(code)) return cutAfterDigit(text, start);
  if (code === DOT) {
    cutEnd = skipDigits(text, start + 1);
    return { text: text.slice(start, cutEnd), kind: 'number' };
  }
  if (isLetter(code)) return cutAfterLetter(text, start);
  if (code === PLUS || code === MINUS) return cutAfterSign(text, start);
  throw fault('format');
}

function cutAfterDigit(text: string, start: number): Field {
  let at = skipDigits(text, start);
  let kind: FieldKind = 'number';
  const code = text.charCodeAt(at);
  if (code === COLON) {
    kind = 'time';
    at++;
    while (isDigitOr(text.charCodeAt(at), COLON, DOT)) at++;
  } else if (code === MINUS || code === SLASH || code === DOT) {
    at++;
    if (isDigit(text.charCodeAt(at))) {
      kind = code === DOT ? 'number' : 'date';
      at = skipDigits(text, at);
      // Two equal delimiters make a date of three parts.
      if (text.charCodeAt(at) === code) {
        kind = 'date';
        at++;
        while (isDigitOr(text.charCodeAt(at), code, code)) at++;
      }
    } else {
      kind = 'date';
      while (isLetterOrDigitOr(text.charCodeAt(at), code)) at++;
    }
  }
  cutEnd = at;
  return { text: text.slice(start, at).toLowerCase(), kind };
}

function cutAfterLetter(text: string, start: number): Field {
  let at = start + 1;
  while (isLetter(text.charCodeAt(at))) at++;
  const code = text.charCodeAt(at);
  let isDate = code === MINUS || code === SLASH || code === DOT;
  if (code === PLUS || isDigit(code)) {
    // A word of the language followed by digits is two fields: `t040506`, `j2451187`.
    isDate = !DATE_WORDS.has(text.slice(start, Math.min(at, start + 10)).toLowerCase());
  }
  if (isDate) {
    while (isNamePart(text.charCodeAt(at))) at++;
  }
  cutEnd = at;
  return { text: text.slice(start, at).toLowerCase(), kind: isDate ? 'date' : 'string' };
}

function cutAfterSign(text: string, start: number): Field {
  const sign = text.charAt(start);
  let from = start + 1;
  while (isSpace(text.charCodeAt(from))) from++;
  let at = from;
  const code = text.charCodeAt(at);
  if (isDigit(code)) {
    while (isDigitOr(text.charCodeAt(at), COLON, DOT) || text.charCodeAt(at) === MINUS) at++;
    cutEnd = at;
    return { text: sign + text.slice(from, at), kind: 'offset' };
  }
  if (isLetter(code)) {
    while (isLetter(text.charCodeAt(at))) at++;
    cutEnd = at;
    return { text: sign + text.slice(from, at).toLowerCase(), kind: 'special' };
  }
  throw fault('format');
}

function skipDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at++;
  return at;
}

function isDigitOr(code: number, first: number, second: number): boolean {
  return isDigit(code) || code === first || code === second;
}

function isLetterOrDigitOr(code: number, other: number): boolean {
  return isDigit(code) || isLetter(code) || code === other;
}

/** Characters of zone names and of dates with textual months. */
function isNamePart(code: number): boolean {
  return (
    isLetter(code) ||
    isDigit(code) ||
    code === PLUS ||
    code === MINUS ||
    code === SLASH ||
    code === UNDERSCORE ||
    code === DOT ||
    code === COLON
  );
}

/** Where the last `scanInteger` stopped. */
export let scanEnd = 0;

/** Reads a decimal integer with an optional sign; 0 and no progress where there is none. */
function scanInteger(text: string, from: number): number {
  const value = Number(scanDigits(text, from));
  return value === 0 ? 0 : value;
}

/** The characters of a decimal integer; '0' where there is none. Sets `scanEnd`. */
export function scanDigits(text: string, from: number): string {
  const code = text.charCodeAt(from);
  const digitsFrom = code === PLUS || code === MINUS ? from + 1 : from;
  const end = skipDigits(text, digitsFrom);
  if (end === digitsFrom) {
    scanEnd = from;
    return '0';
  }
  scanEnd = end;
  return text.slice(from, end);
}

/** Reads an integer of 32 bits. */
export function scanInt4(text: string, from: number): number {
  const value = scanInteger(text, from);
  if (value > 2147483647 || value < -2147483648) throw fault('field_overflow');
  return value;
}

/** Reads the fraction at `from` (a point and perhaps digits) to the end of the text, 0 <= f < 1. */
export function scanFraction(text: string, from: number): number {
  const digits = text.slice(from + 1);
  if (digits === '') return 0;
  if (!/^\d+$/.test(digits)) throw fault('format');
  return Number(`0.${digits}`);
}

/** Rounds as C's rint does: halves to even. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** A fraction of a second in microseconds, 0 .. 1000000. */
export function scanFractionMicros(text: string, from: number): number {
  return roundHalfEven(scanFraction(text, from) * 1e6);
}
