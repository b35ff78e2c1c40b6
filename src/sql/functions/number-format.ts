/** to_char and to_number of numbers. The steps are those of PostgreSQL's formatting code, whose
 * rules for blanks, signs and zeros follow from its order of steps more than from its manual. */

import { pgError } from '../../errors/index.ts';
import { type Numeric, numeric } from '../../types/index.ts';

type TokenId =
  | ','
  | '.'
  | '0'
  | '9'
  | 'B'
  | 'C'
  | 'D'
  | 'EEEE'
  | 'FM'
  | 'G'
  | 'L'
  | 'MI'
  | 'PL'
  | 'PR'
  | 'RN'
  | 'SG'
  | 'SP'
  | 'S'
  | 'TH'
  | 'V';

type Token =
  | { readonly kind: 'action'; readonly id: TokenId; readonly lower: boolean }
  | { readonly kind: 'text'; readonly text: string };

/** What a format asks for, gathered over its tokens. */
interface Description {
  readonly tokens: readonly Token[];
  pre: number;
  post: number;
  /** Digits behind V. */
  multiply: number;
  hasV: boolean;
  fill: boolean;
  zero: boolean;
  zeroStart: number;
  zeroEnd: number;
  decimal: boolean;
  blank: boolean;
  /** Where S writes the sign. */
  localeSign: 'none' | 'pre' | 'post';
  hasLocaleSign: boolean;
  preSignDigits: number;
  plus: boolean;
  minus: boolean;
  bracket: boolean;
  roman: boolean;
  exponent: boolean;
}

const TOKENS: readonly TokenId[] = [
  'EEEE',
  'FM',
  'MI',
  'PL',
  'PR',
  'RN',
  'SG',
  'SP',
  'TH',
  ',',
  '.',
  '0',
  '9',
  'B',
  'C',
  'D',
  'G',
  'L',
  'S',
  'V',
];

const CACHE_SIZE_MAX = 128;
const cache = new Map<string, Description>();

/** A fresh copy of the description: the steps below change it. */
function describe(format: string): Description {
  let known = cache.get(format);
  if (known === undefined) {
    known = analyze(tokenize(format));
    if (cache.size >= CACHE_SIZE_MAX) cache.clear();
    cache.set(format, known);
  }
  return { ...known };
}

function tokenize(format: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < format.length) {
    const start = at;
    const id = TOKENS.find(
      (token) => format.startsWith(token, start) || format.startsWith(token.toLowerCase(), start),
    );
    if (id !== undefined) {
      const lower = !format.startsWith(id, at);
      tokens.push({ kind: 'action', id, lower });
      at += id.length;
    } else if (format[at] === '"') {
      at++;
      while (at < format.length && format[at] !== '"') {
        if (format[at] === '\\' && at + 1 < format.length) at++;
        at = pushCharacter(tokens, format, at);
      }
      at++;
    } else {
      if (format[at] === '\\' && format[at + 1] === '"') at++;
      at = pushCharacter(tokens, format, at);
    }
  }
  return tokens;
}

function pushCharacter(tokens: Token[], format: string, at: number): number {
  const text = String.fromCodePoint(format.codePointAt(at)!);
  tokens.push({ kind: 'text', text });
  return at + text.length;
}

function formatError(message: string) {
  return pgError('syntax_error', message);
}

function analyze(tokens: readonly Token[]): Description {
  const d: Description = {
    tokens,
    pre: 0,
    post: 0,
    multiply: 0,
    hasV: false,
    fill: false,
    zero: false,
    zeroStart: 0,
    zeroEnd: 0,
    decimal: false,
    blank: false,
    localeSign: 'none',
    hasLocaleSign: false,
    preSignDigits: 0,
    plus: false,
    minus: false,
    bracket: false,
    roman: false,
    exponent: false,
  };
  for (const token of tokens) if (token.kind === 'action') addToken(d, token.id);
  return d;
}

function addToken(d: Description, id: TokenId): void {
  if (d.exponent && id !== 'EEEE') throw formatError('"EEEE" must be the last pattern used');
  switch (id) {
    case '9':
      if (d.bracket) throw formatError('"9" must be ahead of "PR"');
      if (d.hasV) d.multiply++;
      else if (d.decimal) d.post++;
      else d.pre++;
      return;
    case '0':
      if (d.bracket) throw formatError('"0" must be ahead of "PR"');
      if (!d.zero && !d.decimal) {
        d.zero = true;
        d.zeroStart = d.pre + 1;
      }
      if (d.decimal) d.post++;
      else d.pre++;
      d.zeroEnd = d.pre + d.post;
      return;
    case 'B':
      if (d.pre === 0 && d.post === 0 && !d.zero) d.blank = true;
      return;
    case 'D':
    case '.':
      if (d.decimal) throw formatError('multiple decimal points');
      if (d.hasV) throw formatError('cannot use "V" and decimal point together');
      d.decimal = true;
      return;
    case 'FM':
      d.fill = true;
      return;
    case 'S':
      if (d.hasLocaleSign) throw formatError('cannot use "S" twice');
      if (d.plus || d.minus || d.bracket) {
        throw formatError('cannot use "S" and "PL"/"MI"/"SG"/"PR" together');
      }
      d.hasLocaleSign = true;
      if (d.decimal) d.localeSign = 'post';
      else {
        d.localeSign = 'pre';
        d.preSignDigits = d.pre;
      }
      return;
    case 'MI':
      if (d.hasLocaleSign) throw formatError('cannot use "S" and "MI" together');
      d.minus = true;
      return;
    case 'PL':
      if (d.hasLocaleSign) throw formatError('cannot use "S" and "PL" together');
      d.plus = true;
      return;
    case 'SG':
      if (d.hasLocaleSign) throw formatError('cannot use "S" and "SG" together');
      d.minus = true;
      d.plus = true;
      return;
    case 'PR':
      if (d.hasLocaleSign || d.plus || d.minus) {
        throw formatError('cannot use "PR" and "S"/"PL"/"MI"/"SG" together');
      }
      d.bracket = true;
      return;
    case 'RN':
      d.roman = true;
      return;
    case 'V':
      if (d.decimal) throw formatError('cannot use "V" and decimal point together');
      d.hasV = true;
      return;
    case 'EEEE':
      if (d.exponent) throw formatError('cannot use "EEEE" twice');
      if (
        d.blank ||
        d.fill ||
        d.hasLocaleSign ||
        d.bracket ||
        d.minus ||
        d.plus ||
        d.roman ||
        d.hasV
      ) {
        throw pgError('syntax_error', '"EEEE" is incompatible with other formats', {
          detail: '"EEEE" may only be used together with digit and decimal point patterns.',
        });
      }
      d.exponent = true;
      return;
    default:
  }
}

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

/** to_number: null where the format is empty. */
export function parseNumber(text: string, format: string): Numeric | null {
  if (format === '') return null;
  const d = describe(format);
  if (d.exponent) throw notSupportedForInput('EEEE');
  if (d.roman) throw notSupportedForInput('RN');
  const reader = new NumberReader(d, text);
  const digits = reader.run();
  const value = numeric.parseNumeric(digits);
  checkWholeDigits(value, d.pre + d.multiply);
  if (!d.hasV) return value;
  return numeric.multiply(
    value,
    numeric.power(numeric.fromInteger(10), numeric.fromInteger(-d.multiply)),
  );
}

/** The digits before the point must be no more than the format has places for. */
function checkWholeDigits(value: Numeric, digitsMax: number): void {
  const limit = numeric.finite(numeric.pow10(digitsMax), 0);
  const isZero = numeric.signOf(value) === 0;
  if (isZero || numeric.compareNumeric(numeric.abs(value), limit) < 0) {
    return;
  }
  throw pgError('numeric_value_out_of_range', 'numeric field overflow');
}

function notSupportedForInput(pattern: string) {
  return pgError('feature_not_supported', `"${pattern}" not supported for input`);
}

class NumberReader {
  private readonly d: Description;
  private readonly input: string;
  private at = 0;
  private sign = ' ';
  private digits = '';
  private wholeRead = 0;
  private fractionRead = 0;
  private pointRead = false;

  constructor(d: Description, input: string) {
    this.d = d;
    this.input = input;
  }

  run(): string {
    for (const token of this.d.tokens) {
      if (this.atEnd()) break;
      if (token.kind === 'text') this.skipCharacter();
      else this.read(token.id);
    }
    const digits = this.digits.endsWith('.') ? this.digits.slice(0, -1) : this.digits;
    return this.sign + digits;
  }

  private atEnd(): boolean {
    return this.at >= this.input.length;
  }

  private skipCharacter(): void {
    this.at += this.input.codePointAt(this.at)! > 0xffff ? 2 : 1;
  }

  private read(id: TokenId): void {
    switch (id) {
      case '9':
      case '0':
      case '.':
      case 'D':
        this.digit(id);
        this.at++;
        return;
      case ',':
      case 'G':
        // Nothing clears it while reading: PostgreSQL never counts input as inside the number here.
        if (this.d.fill) return;
        if (this.input[this.at] === ',') this.at++;
        return;
      case 'L':
        this.skipOther(1);
        return;
      case 'TH':
        if (!this.d.decimal) this.skipOther(2);
        return;
      case 'MI':
        this.readSign('-');
        return;
      case 'PL':
        this.readSign('+');
        return;
      case 'SG':
        this.readSign('-+');
        return;
      default:
    }
  }

  private readSign(allowed: string): void {
    const character = this.input[this.at]!;
    if (allowed.includes(character)) {
      this.sign = character;
      this.at++;
    } else this.skipOther(1);
  }

  /** Skips up to a count of characters that cannot belong to the number. */
  private skipOther(count: number): void {
    for (let i = 0; i < count && !this.atEnd(); i++) {
      if ('0123456789.,+-'.includes(this.input[this.at]!)) return;
      this.skipCharacter();
    }
  }

  private digit(id: '9' | '0' | '.' | 'D'): void {
    const { d, input } = this;
    if (input[this.at] === ' ') this.at++;
    if (this.atEnd()) return;
    const nothingRead = this.wholeRead + this.fractionRead === 0;
    if (this.sign === ' ' && (id === '0' || id === '9') && nothingRead) this.leadingSign();
    if (this.atEnd()) return;

    let isRead = false;
    const character = input[this.at]!;
    if (character >= '0' && character <= '9') {
      if (this.pointRead && this.fractionRead === d.post) return;
      this.digits += character;
      if (this.pointRead) this.fractionRead++;
      else this.wholeRead++;
      isRead = true;
    } else if (d.decimal && !this.pointRead && character === '.') {
      this.digits += '.';
      this.pointRead = true;
      isRead = true;
    }
    if (this.sign === ' ' && this.wholeRead + this.fractionRead > 0) this.trailingSign(isRead);
  }

  private leadingSign(): void {
    const { d } = this;
    const character = this.input[this.at];
    if (d.hasLocaleSign && d.localeSign !== 'pre') return;
    if (character === '-' || (d.bracket && character === '<')) this.sign = '-';
    else if (character === '+') this.sign = '+';
    else return;
    this.at++;
  }

  /** A sign behind the digits is found while the last of them is read. */
  private trailingSign(isRead: boolean): void {
    const { d, input } = this;
    const following = input[this.at + 1];
    if (d.hasLocaleSign) {
      if (isRead && (following === '-' || following === '+')) {
        this.sign = following;
        this.at++;
      }
    } else if (!isRead && (d.plus || d.minus)) {
      const character = input[this.at]!;
      if (character === '-' || character === '+') this.sign = character;
    }
  }
}
