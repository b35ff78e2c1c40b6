/** money: an amount in hundredths, 64 bits, as the C locale writes it: `$1,234.56`. */
import type { ByteWriter } from '../base/index.ts';
import type { Int8 } from './datum.ts';
import { int8 } from './datum.ts';
import { int8Type } from './integer.ts';
import { invalidInput, isSpace, outOfRangeInput, skipSpace, writeAscii } from './scalar.ts';
import type { SqlType } from './sql-type.ts';

const FRACTION_DIGITS = 2;
const AMOUNT_MIN = -(2n ** 63n);
const AMOUNT_MAX = 2n ** 63n - 1n;
const AMOUNT_DIGITS_MAX = 19;

/** Reads an amount: blanks, `$` and a sign or parenthesis before its digits, the same after them. */
function parseMoney(text: string): Int8 {
  let at = skipSymbol(text, 0);
  let negative = false;
  if (text[at] === '-' || text[at] === '(') {
    negative = true;
    at++;
  } else if (text[at] === '+') at++;
  at = skipSymbol(text, at);
  const { hundredths, end } = readDigits(text, at);
  at = end;
  for (; at < text.length; at++) {
    if (text[at] === '-') negative = true;
    else if (!isSpace(text.charCodeAt(at)) && !/[)+$]/.test(text.charAt(at))) {
      throw invalidInput('money', text);
    }
  }
  const amount = negative ? -hundredths : hundredths;
  if (amount > AMOUNT_MAX) throw outOfRangeInput('money', text);
  return int8(amount);
}

function skipSymbol(text: string, start: number): number {
  const at = skipSpace(text, start);
  return text[at] === '$' ? skipSpace(text, at + 1) : at;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Digits with commas anywhere among them and one point, rounded to hundredths. */
function readDigits(text: string, start: number) {
  let digits = '';
  let decimals = -1;
  let at = start;
  for (; at < text.length; at++) {
    const char = text[at]!;
    if (isDigit(char.charCodeAt(0)) && decimals < FRACTION_DIGITS) {
      if (digits !== '' || char !== '0') digits += char;
      if (digits.length > AMOUNT_DIGITS_MAX) throw outOfRangeInput('money', text);
      if (decimals >= 0) decimals++;
    } else if (char === '.' && decimals < 0) decimals = 0;
    else if (char !== ',') break;
  }
  const missing = FRACTION_DIGITS - Math.max(decimals, 0);
  const next = text.charCodeAt(at);
  const roundsUp = isDigit(next) && next >= 53;
  const hundredths = (BigInt(digits) + (roundsUp ? 1n : 0n)) * 10n ** BigInt(missing);
  // The magnitude of the least amount is one more than that of the greatest.
  if (hundredths > -AMOUNT_MIN) throw outOfRangeInput('money', text);
  while (isDigit(text.charCodeAt(at))) at++;
  return { hundredths, end: at };
}

function formatMoney(amount: Int8): string {
  const value = BigInt(amount);
  const digits = String(value < 0n ? -value : value).padStart(FRACTION_DIGITS + 1, '0');
  const whole = digits.slice(0, -FRACTION_DIGITS).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${value < 0n ? '-' : ''}$${whole}.${digits.slice(-FRACTION_DIGITS)}`;
}

/** Stored, sent, compared and ordered as the bigint of its hundredths. */
export const moneyType: SqlType = {
  ...int8Type,
  oid: 790,
  name: 'money',
  sqlName: 'money',
  arrayOid: 791,
  input: parseMoney,
  output: (value) => formatMoney(value as Int8),
  writeText: (value, out: ByteWriter) => writeAscii(formatMoney(value as Int8), out),
};
