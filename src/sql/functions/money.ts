/** Functions of money, by types/money. A value is the count of its hundredths, as an integer. */

import { pgError } from '../../errors/index.ts';
import { type Int8, int8, type Numeric, numeric } from '../../types/index.ts';
import { roundHalfEven } from './float.ts';
import { registerFunctions } from './implementations.ts';
import { checkInt8, divisionByZero } from './int.ts';
import { compareNative, orderFunctions, type Scalars } from './order.ts';

const HUNDREDTHS = 100n;
const AMOUNT_END = 2 ** 63;

function outOfRange(): Error {
  return pgError('numeric_value_out_of_range', 'money out of range');
}

function checked(amount: bigint): Int8 {
  if (BigInt.asIntN(64, amount) !== amount) throw outOfRange();
  return int8(amount);
}

/** The nearest amount; of two the even one. */
function rounded(amount: number): Int8 {
  const nearest = roundHalfEven(amount);
  if (!(nearest >= -AMOUNT_END && nearest < AMOUNT_END)) throw outOfRange();
  return int8(BigInt(nearest));
}

function multiply(amount: Int8, factor: Int8): Int8 {
  return checked(BigInt(amount) * BigInt(factor));
}

function divide(amount: Int8, divisor: Int8): Int8 {
  if (divisor === 0) throw divisionByZero();
  const quotient = BigInt(amount) / BigInt(divisor);
  // PostgreSQL leaves this one to the processor.
  if (BigInt.asIntN(64, quotient) !== quotient) {
    throw pgError('floating_point_exception', 'floating-point exception', {
      detail:
        'An invalid floating-point operation was signaled. This probably means an out-of-range result or an invalid operation, such as division by zero.',
    });
  }
  return int8(quotient);
}

function divideByFloat(amount: Int8, divisor: number): Int8 {
  if (divisor === 0) throw divisionByZero();
  return rounded(Number(amount) / divisor);
}

const arithmetic: Scalars = {
  cash_pl: (_c, a: Int8, b: Int8) => checked(BigInt(a) + BigInt(b)),
  cash_mi: (_c, a: Int8, b: Int8) => checked(BigInt(a) - BigInt(b)),
  cash_div_cash: (_c, a: Int8, b: Int8) => {
    if (b === 0) throw divisionByZero();
    return Number(a) / Number(b);
  },
};
for (const size of ['int2', 'int4', 'int8']) {
  arithmetic[`cash_mul_${size}`] = (_c, a: Int8, factor: Int8) => multiply(a, factor);
  arithmetic[`${size}_mul_cash`] = (_c, factor: Int8, a: Int8) => multiply(a, factor);
  arithmetic[`cash_div_${size}`] = (_c, a: Int8, divisor: Int8) => divide(a, divisor);
}
for (const size of ['flt4', 'flt8']) {
  arithmetic[`cash_mul_${size}`] = (_c, a: Int8, factor: number) => rounded(Number(a) * factor);
  arithmetic[`${size}_mul_cash`] = (_c, factor: number, a: Int8) => rounded(Number(a) * factor);
  arithmetic[`cash_div_${size}`] = (_c, a: Int8, divisor: number) => divideByFloat(a, divisor);
}

const conversions: Scalars = {
  cash_numeric: (_c, a: Int8) => numeric.finite(BigInt(a), 2),
  numeric_cash: (_c, value: Numeric) =>
    numeric.toInt8(numeric.multiply(value, numeric.fromInteger(100))),
  int4_cash: (_c, value: Int8) => checkInt8(BigInt(value) * HUNDREDTHS),
  int8_cash: (_c, value: Int8) => checkInt8(BigInt(value) * HUNDREDTHS),
  cash_words: (_c, amount: Int8) => inWords(BigInt(amount)),
};

const SMALL_NUMBERS = `zero one two three four five six seven eight nine ten eleven twelve thirteen
  fourteen fifteen sixteen seventeen eighteen nineteen`.split(/\s+/);
const TENS = 'zero ten twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const THOUSANDS = ['', ' thousand ', ' million ', ' billion ', ' trillion ', ' quadrillion '];

function inWords(amount: bigint): string {
  const magnitude = amount < 0n ? -amount : amount;
  const cents = Number(magnitude % HUNDREDTHS);
  const dollars = magnitude / HUNDREDTHS;
  let words = '';
  for (let i = THOUSANDS.length - 1; i >= 0; i--) {
    const group = Number((dollars / 1000n ** BigInt(i)) % 1000n);
    if (group > 0) words += groupInWords(group) + THOUSANDS[i];
  }
  const text = [
    amount < 0n ? 'minus ' : '',
    words === '' ? 'zero' : words,
    dollars === 1n ? ' dollar and ' : ' dollars and ',
    groupInWords(cents),
    cents === 1 ? ' cent' : ' cents',
  ].join('');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A number below 1000: `two hundred and five`, `two hundred fifty`. */
function groupInWords(value: number): string {
  const hundreds = value >= 100 ? `${SMALL_NUMBERS[Math.trunc(value / 100)]} hundred` : '';
  const rest = value % 100;
  if (rest === 0) return hundreds === '' ? 'zero' : hundreds;
  const isTens = rest > 10 && rest % 10 === 0;
  if (!isTens && rest < 20) {
    return hundreds === '' ? SMALL_NUMBERS[rest]! : `${hundreds} and ${SMALL_NUMBERS[rest]}`;
  }
  const tens = TENS[Math.trunc(rest / 10)]!;
  const text = isTens ? tens : `${tens} ${SMALL_NUMBERS[rest % 10]}`;
  return hundreds === '' ? text : `${hundreds} ${text}`;
}

const comparisons = orderFunctions<Int8, Int8>(
  { prefix: 'cash_', compare: 'cash_cmp', larger: 'cashlarger', smaller: 'cashsmaller' },
  compareNative,
);

registerFunctions({ scalars: { ...comparisons, ...arithmetic, ...conversions } });
