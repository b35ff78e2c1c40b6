/** to_number, by the steps of PostgreSQL's formatting code. */

import { pgError } from '../../errors/index.ts';
import { type Numeric, numeric } from '../../types/index.ts';
import { type Description, describe, type TokenId } from './number-template.ts';

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
