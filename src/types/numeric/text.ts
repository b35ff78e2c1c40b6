import { countWork } from '../../base/index.ts';
import type { FiniteNumeric, Numeric } from '../datum.ts';
import { invalidInput, isSpace } from '../scalar.ts';
import { finite, INFINITY, NAN, NEGATIVE_INFINITY, overflow, pow10, SCALE_MAX } from './value.ts';

const SPECIAL_NAMES: ReadonlyArray<readonly [name: string, value: Numeric]> = [
  ['nan', NAN],
  ['infinity', INFINITY],
  ['+infinity', INFINITY],
  ['-infinity', NEGATIVE_INFINITY],
  ['inf', INFINITY],
  ['+inf', INFINITY],
  ['-inf', NEGATIVE_INFINITY],
];

/** Half of the range of C's int, beyond which PostgreSQL does not look at an exponent. */
const EXPONENT_LIMIT = 1073741823;
const SAFE_DIGITS = 15;
/** Long texts count their work at every multiple of this. */
const PIECE = 1 << 16;

/** Reads the text form: blanks around, a sign, digits with a point, an exponent; or a special name. */
export function parseNumeric(text: string): Numeric {
  const length = text.length;
  countWork(length);
  let at = 0;
  while (at < length && isSpace(text.charCodeAt(at))) at++;
  const start = at;
  let negative = false;
  const sign = text.charCodeAt(at);
  if (sign === 45 || sign === 43) {
    negative = sign === 45;
    at++;
  }
  const digitsStart = at;
  let value = 0;
  let digits = 0;
  let point = -1;
  for (; at < length; at++) {
    if ((at & (PIECE - 1)) === PIECE - 1) countWork(PIECE);
    const code = text.charCodeAt(at);
    if (code >= 48 && code <= 57) {
      value = value * 10 + (code - 48);
      digits++;
    } else if (code === 46 && point < 0) {
      point = at;
    } else {
      break;
    }
  }
  if (digits === 0) return parseSpecial(text, start);
  if (digits > DIGITS_MAX && hasTooMany(text, digitsStart, at)) throw overflow();
  let scale = point < 0 ? 0 : at - point - 1;
  const unsigned =
    digits <= SAFE_DIGITS ? BigInt(value) : BigInt(text.slice(digitsStart, at).replace('.', ''));
  let unscaled = negative ? -unsigned : unsigned;
  const code = text.charCodeAt(at);
  if (code === 101 || code === 69) {
    const exponent = /^\s*([+-]?\d+)/.exec(text.slice(at + 1));
    if (exponent === null) throw invalidInput('numeric', text);
    at += 1 + exponent[0].length;
    checkNothingFollows(text, at);
    const shift = Number(exponent[1]);
    if (shift >= EXPONENT_LIMIT || shift <= -EXPONENT_LIMIT) throw overflow();
    scale -= shift;
    if (scale < 0) {
      if (unscaled !== 0n) unscaled = shiftLeft(unscaled, -scale);
      scale = 0;
    }
  } else {
    checkNothingFollows(text, at);
  }
  return finite(unscaled, scale);
}

/** Digits before and behind the point that a numeric can have. */
const DIGITS_MAX = 131072 + SCALE_MAX;

/** Whether digits, with a point among them, are too many without the zeros that they begin with. */
function hasTooMany(text: string, start: number, end: number): boolean {
  let at = start;
  while (at < end && (text.charCodeAt(at) === 48 || text.charCodeAt(at) === 46)) at++;
  return end - at > DIGITS_MAX + 1;
}

function shiftLeft(unscaled: bigint, digits: number): bigint {
  if (digits > 131072) throw overflow();
  return unscaled * pow10(digits);
}

function checkNothingFollows(text: string, from: number): void {
  for (let at = from; at < text.length; at++) {
    if (!isSpace(text.charCodeAt(at))) throw invalidInput('numeric', text);
  }
}

function parseSpecial(text: string, start: number): Numeric {
  const name = text
    .slice(start)
    .replace(/[ \t\n\v\f\r]+$/, '')
    .toLowerCase();
  for (const [special, value] of SPECIAL_NAMES) {
    if (special === name) return value;
  }
  throw invalidInput('numeric', text);
}

/** The text form: all digits of the display scale, never an exponent. */
export function formatNumeric(value: Numeric): string {
  if (value.kind === 'finite') return formatFinite(value);
  if (value.kind === 'nan') return 'NaN';
  return value.kind === 'infinity' ? 'Infinity' : '-Infinity';
}

function formatFinite(value: FiniteNumeric): string {
  const { unscaled, scale } = value;
  if (scale === 0) return unscaled.toString();
  const negative = unscaled < 0n;
  let digits = (negative ? -unscaled : unscaled).toString();
  if (digits.length <= scale) digits = digits.padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}
