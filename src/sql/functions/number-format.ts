/** to_char of numbers. The steps are those of PostgreSQL's formatting code, whose rules for blanks,
 * signs and zeros follow from its order of steps more than from its manual. */

import { pgError } from '../../errors/index.ts';
import { type Numeric, numeric } from '../../types/index.ts';
import { type Description, describe, type TokenId } from './number-template.ts';

/** A number written out: its digits without the sign, at the scale that the format shows. */
interface Digits {
  readonly sign: '+' | '-';
  readonly text: string;
}

export function formatNumericNumber(value: Numeric, format: string): string {
  if (format === '') return '';
  const d = describe(format);
  if (d.roman) return fillRoman(d, numeric.toInt4(numeric.round(value, 0)));
  if (d.exponent) return scientific(d, value);
  let scaled = value;
  if (d.hasV) {
    scaled = numeric.multiply(value, numeric.finite(numeric.pow10(d.multiply), 0));
    d.pre += d.multiply;
  }
  return fill(d, signed(numeric.formatNumeric(numeric.round(scaled, d.post))));
}

/** Integers; `multiplied` is the value times 10^n, checked for the range of its type. PostgreSQL
 * shows an int4 with EEEE as a float, an int8 as a numeric, which round halves differently. */
export function formatInteger(
  value: number | bigint,
  format: string,
  isInt4: boolean,
  multiplied: (count: number) => number | bigint,
): string {
  if (format === '') return '';
  const d = describe(format);
  if (d.roman) return fillRoman(d, Number(value));
  if (d.exponent) {
    return isInt4
      ? withSignPlace(exponential(Number(value), d.post))
      : scientific(d, numeric.fromInteger(value));
  }
  let scaled = value;
  if (d.hasV) {
    scaled = multiplied(d.multiply);
    d.pre += d.multiply;
  }
  const { sign, text } = signed(String(scaled));
  return fill(d, { sign, text: d.post > 0 ? `${text}.${'0'.repeat(d.post)}` : text });
}

/** Floats show no more digits than they have: 15 of a float8, 6 of a float4. */
export function formatFloat(value: number, format: string, digitsMax: number): string {
  if (format === '') return '';
  const d = describe(format);
  if (d.roman) return fillRoman(d, Number.isFinite(value) ? roundToInt4(value) : 0);
  if (d.exponent) {
    if (!Number.isFinite(value)) return hashes(d);
    return withSignPlace(exponential(value, d.post));
  }
  let scaled = value;
  if (d.hasV) {
    scaled = value * 10 ** d.multiply;
    d.pre += d.multiply;
  }
  const wholeDigits = fixed(Math.abs(scaled), 0).length;
  if (wholeDigits >= digitsMax) d.post = 0;
  else d.post = Math.min(d.post, digitsMax - wholeDigits);
  return fill(d, signed(fixed(scaled, d.post)));
}

const withSignPlace = (text: string) => (text.startsWith('-') ? text : ` ${text}`);

function roundToInt4(value: number): number {
  const rounded = Number(fixed(value, 0));
  if (Math.abs(rounded) > 2147483647) {
    throw pgError('numeric_value_out_of_range', 'integer out of range');
  }
  return rounded;
}

function signed(text: string): Digits {
  return text.startsWith('-') ? { sign: '-', text: text.slice(1) } : { sign: '+', text };
}

/** A double as a fraction of integers. */
function fractionOf(value: number): { numerator: bigint; denominator: bigint } {
  let exponent = 0;
  let mantissa = value;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent++;
  }
  return { numerator: BigInt(mantissa), denominator: 1n << BigInt(exponent) };
}

/** Quotient of non-negative integers, halves to even. */
function roundedQuotient(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}

/** C's %.*f, exact with halves to even. */
function fixed(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'NaN';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (!Number.isFinite(value)) return `${sign}Infinity`;
  const { numerator, denominator } = fractionOf(Math.abs(value));
  const scaled = roundedQuotient(numerator * 10n ** BigInt(digits), denominator);
  const text = scaled.toString().padStart(digits + 1, '0');
  if (digits === 0) return sign + text;
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** C's %.*e, exact with halves to even. */
function exponential(value: number, digits: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (value === 0) return `${sign}${mantissaText('0'.repeat(digits + 1))}e+00`;
  const { numerator, denominator } = fractionOf(Math.abs(value));
  let exponent = Number(value.toExponential(17).split('e')[1]);
  const shifted = (by: number) =>
    by >= 0
      ? roundedQuotient(numerator * 10n ** BigInt(by), denominator)
      : roundedQuotient(numerator, denominator * 10n ** BigInt(-by));
  let text = shifted(digits - exponent).toString();
  if (text.length > digits + 1) {
    exponent++;
    text = shifted(digits - exponent).toString();
  }
  return `${sign}${mantissaText(text)}e${exponentText(exponent)}`;
}

const mantissaText = (digits: string) =>
  digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;

const exponentText = (exponent: number) =>
  `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;

/** A numeric in scientific notation with the digits of the format behind the point. */
function scientific(d: Description, value: Numeric): string {
  if (value.kind !== 'finite') return hashes(d);
  const negative = value.unscaled < 0n;
  const digits = (negative ? -value.unscaled : value.unscaled).toString();
  const exponent = value.unscaled === 0n ? 0 : digits.length - 1 - value.scale;
  const significand = numeric.finite(BigInt(digits), digits.length - 1);
  // Rounding may carry to 10; PostgreSQL shows that as it is.
  const rounded = numeric.formatNumeric(numeric.round(significand, d.post));
  return `${negative ? '-' : ' '}${rounded}e${exponentText(exponent)}`;
}

/** What stands for a number that EEEE cannot show. */
function hashes(d: Description): string {
  const text = '#'.repeat(d.pre + d.post + 6).split('');
  text[0] = ' ';
  text[d.pre + 1] = '.';
  return text.join('');
}

const ROMAN: readonly (readonly [number, string])[] = [
  [1000, 'M'],
  [900, 'CM'],
  [500, 'D'],
  [400, 'CD'],
  [100, 'C'],
  [90, 'XC'],
  [50, 'L'],
  [40, 'XL'],
  [10, 'X'],
  [9, 'IX'],
  [5, 'V'],
  [4, 'IV'],
  [1, 'I'],
];
const ROMAN_WIDTH = 15;

function roman(value: number): string {
  if (value > 3999 || value < 1) return '#'.repeat(ROMAN_WIDTH);
  let rest = value;
  let text = '';
  for (const [unit, letters] of ROMAN) {
    while (rest >= unit) {
      text += letters;
      rest -= unit;
    }
  }
  return text;
}

function fillRoman(d: Description, value: number): string {
  const text = roman(value);
  let result = '';
  for (const token of d.tokens) {
    if (token.kind === 'text') result += token.text;
    else if (token.id === 'RN') {
      const cased = token.lower ? text.toLowerCase() : text;
      result += d.fill ? cased : cased.padStart(ROMAN_WIDTH);
    } else if (token.id === 'L') result += ' ';
  }
  return result;
}

/** Writes a number's digits into the places of the format. */
function fill(d: Description, { sign, text }: Digits): string {
  const point = text.indexOf('.');
  const wholeDigits = point < 0 ? text.length : point;
  const tooWide = wholeDigits > d.pre;
  const number = tooWide ? `${'#'.repeat(d.pre)}.${'#'.repeat(d.post)}` : text;
  const blanks = tooWide ? 0 : d.pre - wholeDigits;
  return new Filler(d, number, sign, blanks).run();
}

class Filler {
  private readonly d: Description;
  private readonly number: string;
  private readonly sign: '+' | '-';
  /** Places before the first digit. */
  private readonly blanks: number;
  private readonly zeroStart: number;
  private readonly bracket: boolean;
  private readonly localeSign: 'none' | 'pre' | 'post';
  /** Index of the last digit that FM keeps; -1 when it keeps all. */
  private readonly lastRelevant: number;
  private readonly placeCount: number;
  private signWritten: boolean;
  private place = 0;
  private next = 0;
  private inNumber = false;
  private out = '';
  private cut: number | undefined;

  constructor(d: Description, number: string, sign: '+' | '-', blanks: number) {
    this.d = d;
    this.number = number;
    this.sign = sign;
    this.blanks = blanks;
    this.zeroStart = d.zeroStart > 0 ? d.zeroStart - 1 : 0;
    this.bracket = d.bracket && !(sign !== '-' && d.fill && !d.plus && !d.minus);
    this.localeSign =
      d.localeSign === 'pre' && d.pre === d.preSignDigits && !d.plus && !d.minus
        ? 'post'
        : d.localeSign;
    if (d.plus || d.minus) this.signWritten = !(d.plus && !d.minus);
    else this.signWritten = sign === '+' && d.fill && !d.hasLocaleSign;
    this.lastRelevant = this.findLastRelevant();
    this.placeCount = d.post + d.pre - 1 + (!this.signWritten && blanks === 0 ? 1 : 0);
  }

  private findLastRelevant(): number {
    const { d, number, blanks } = this;
    const point = number.indexOf('.');
    if (!d.fill || !d.decimal || point < 0) return -1;
    let last = point;
    for (let i = point + 1; i < number.length; i++) if (number[i] !== '0') last = i;
    if (d.zeroEnd > blanks) last = Math.max(last, Math.min(number.length - 1, d.zeroEnd - blanks));
    return last;
  }

  run(): string {
    for (const token of this.d.tokens) {
      if (token.kind === 'text') this.out += token.text;
      else this.write(token.id, token.lower);
    }
    return this.cut === undefined ? this.out : this.out.slice(0, this.cut);
  }

  private write(id: TokenId, lower: boolean): void {
    const { d, sign, number } = this;
    switch (id) {
      case '9':
      case '0':
      case '.':
      case 'D':
        this.digit(id);
        return;
      case ',':
      case 'G':
        if (this.inNumber) this.out += ',';
        else if (!d.fill) this.out += ' ';
        return;
      case 'L':
        this.out += ' ';
        return;
      case 'TH': {
        if (number.startsWith('#') || sign === '-' || d.decimal) return;
        const suffix = ordinal(number);
        this.out += lower ? suffix : suffix.toUpperCase();
        return;
      }
      case 'MI':
        if (sign === '-') this.out += '-';
        else if (!d.fill) this.out += ' ';
        return;
      case 'PL':
        if (sign === '+') this.out += '+';
        else if (!d.fill) this.out += ' ';
        return;
      case 'SG':
        this.out += sign;
        return;
      default:
    }
  }

  /** `9.9` shows 0.1 as `.1`: the zero before the point gives way to a blank. */
  private isZeroBeforePoint(): boolean {
    return !this.d.zero && this.next === 0 && this.number.startsWith('0') && this.d.post !== 0;
  }

  private endsAtPoint(): boolean {
    return this.lastRelevant >= 0 && this.number[this.lastRelevant] === '.';
  }

  private digit(id: '9' | '0' | '.' | 'D'): void {
    const { d, place, blanks } = this;
    this.inNumber = false;
    const inZeros = d.zero && this.zeroStart === place;
    if (
      !this.signWritten &&
      (place >= blanks || inZeros) &&
      (!this.isZeroBeforePoint() || this.endsAtPoint())
    ) {
      this.leadingSign();
    }
    if (place < blanks && (!d.zero || this.zeroStart > place)) {
      if (!d.fill) this.out += ' ';
    } else if (place < blanks) {
      this.out += '0';
      this.inNumber = true;
    } else {
      this.numberCharacter(id);
      if (this.next < this.number.length) this.next++;
    }
    this.trailingSign();
    this.place++;
  }

  private leadingSign(): void {
    const { d, sign } = this;
    if (d.hasLocaleSign) {
      if (this.localeSign !== 'pre') return;
      this.out += sign;
    } else if (this.bracket) this.out += sign === '+' ? ' ' : '<';
    else if (sign === '-') this.out += '-';
    else if (!d.fill) this.out += ' ';
    this.signWritten = true;
  }

  private numberCharacter(id: '9' | '0' | '.' | 'D'): void {
    const { d, number, next, lastRelevant } = this;
    const character = number[next];
    if (character === '.') {
      if (!this.endsAtPoint() || d.fill) this.out += '.';
    } else if (lastRelevant >= 0 && next > lastRelevant && id !== '0') {
      // A zero that FM drops.
    } else if (this.isZeroBeforePoint()) {
      if (!d.fill) this.out += ' ';
      else if (this.endsAtPoint()) this.out += '0';
    } else if (character === undefined) {
      // PostgreSQL writes the end of its C string here, which hides all that follows.
      this.cut ??= this.out.length;
    } else {
      this.out += character;
      this.inNumber = true;
    }
  }

  private trailingSign(): void {
    const { d, sign, place } = this;
    let end = this.placeCount + (this.blanks > 0 ? 1 : 0) + (d.decimal ? 1 : 0);
    if (this.lastRelevant >= 0 && this.lastRelevant === this.next) end = place;
    if (place + 1 !== end) return;
    if (this.signWritten && this.bracket) this.out += sign === '+' ? ' ' : '>';
    else if (d.hasLocaleSign && this.localeSign === 'post') this.out += sign;
  }
}

function ordinal(digits: string): string {
  if (!/[0-9]$/.test(digits)) {
    throw pgError('invalid_text_representation', `"${digits}" is not a number`);
  }
  if (digits.at(-2) === '1') return 'th';
  switch (digits.at(-1)) {
    case '1':
      return 'st';
    case '2':
      return 'nd';
    case '3':
      return 'rd';
    default:
      return 'th';
  }
}
