import type { Int8, Interval } from '../datum.ts';
import type { TypeContext } from '../sql-type.ts';
import {
  DAYS_PER_MONTH,
  MICROS_PER_DAY,
  MICROS_PER_HOUR,
  MICROS_PER_MINUTE,
  MICROS_PER_SECOND,
  MONTHS_PER_YEAR,
  microsFromTime,
} from './calendar.ts';
import { scanClock } from './decode.ts';
import { DatetimeFault, fault } from './fault.ts';
import { addInt8, checkedInt8, int8FromDouble, isInt4, multiplyInt8, negateInt8 } from './int64.ts';
import {
  type Field,
  isDigit,
  roundHalfEven,
  scanDigits,
  scanEnd,
  scanFraction,
  scanInt4,
} from './lexer.ts';
import { dateWord, intervalWord, type Unit } from './words.ts';

/** Makes sense of intervals. Units follow their values, so the fields are read from right to left;
 * fractions of a unit cascade to smaller ones (months as 30 days, days as 24 hours). */

// Fields of a declaration, INTERVAL DAY TO SECOND, as the typmod has them (bits of PostgreSQL).
export const RANGE_MONTH = 1 << 1;
export const RANGE_YEAR = 1 << 2;
export const RANGE_DAY = 1 << 3;
export const RANGE_HOUR = 1 << 10;
export const RANGE_MINUTE = 1 << 11;
export const RANGE_SECOND = 1 << 12;
export const RANGE_FULL = 0x7fff;

// Units that fields claim, one bit each; a unit claimed twice is an error.
const YEAR = 1;
const MONTH = 2;
const DAY = 4;
const HOUR = 8;
const MINUTE = 16;
const SECOND = 32;
const MILLISECOND = 64;
const MICROSECOND = 128;
const WEEK = 256;
const DECADE = 512;
const CENTURY = 1024;
const MILLENNIUM = 2048;
const ALL_SECONDS = SECOND | MILLISECOND | MICROSECOND;
const TIME = HOUR | MINUTE | ALL_SECONDS;

/** Collects an interval; every addition is checked. */
class IntervalSum {
  years = 0;
  months = 0;
  days = 0;
  micros: Int8 = 0;

  addYears(value: Int8, scale: number, fraction: number): void {
    this.years = sumInt4(this.years, value, scale);
    this.months = sumInt4(this.months, roundHalfEven(fraction * scale * MONTHS_PER_YEAR), 1);
  }

  addMonths(value: Int8, fraction: number): void {
    this.months = sumInt4(this.months, value, 1);
    this.addFractionOfDays(fraction, DAYS_PER_MONTH);
  }

  addDays(value: Int8, scale: number): void {
    this.days = sumInt4(this.days, value, scale);
  }

  addFractionOfDays(fraction: number, scale: number): void {
    if (fraction === 0) return;
    const scaled = fraction * scale;
    const whole = Math.trunc(scaled);
    this.days = sumInt4(this.days, whole, 1);
    this.addFractionOfMicros(scaled - whole, MICROS_PER_DAY);
  }

  addMicros(value: Int8, fraction: number, scale: number): void {
    const product = multiplyInt8(value, scale);
    const sum = product === null ? null : addInt8(this.micros, product);
    if (sum === null) throw fault('field_overflow');
    this.micros = sum;
    this.addFractionOfMicros(fraction, scale);
  }

  addFractionOfMicros(fraction: number, scale: number): void {
    if (fraction === 0) return;
    const scaled = fraction * scale;
    let whole = Math.trunc(scaled);
    const rest = scaled - whole;
    if (rest > 0.5) whole++;
    else if (rest < -0.5) whole--;
    const micros = int8FromDouble(whole);
    const sum = micros === null ? null : addInt8(this.micros, micros);
    if (sum === null) throw fault('field_overflow');
    this.micros = sum;
  }

  negate(): void {
    const micros = negateInt8(this.micros);
    if (micros === null) throw fault('field_overflow');
    this.micros = micros;
    this.years = sumInt4(0, this.years, -1);
    this.months = sumInt4(0, this.months, -1);
    this.days = sumInt4(0, this.days, -1);
  }

  /** The interval, or null where its months do not fit. */
  result(): Interval | null {
    const months = this.years * MONTHS_PER_YEAR + this.months;
    return isInt4(months) ? { months, days: this.days, micros: this.micros } : null;
  }
}

function sumInt4(sum: number, value: Int8, scale: number): number {
  const number = Number(value);
  if (!isInt4(number)) throw fault('field_overflow');
  const result = sum + number * scale;
  if (!isInt4(number * scale) || !isInt4(result)) throw fault('field_overflow');
  return result + 0;
}

/** Decodes fields to an interval; null where the interval as a whole is out of range. */
export function decodeInterval(
  fields: readonly Field[],
  range: number,
  intervalStyle: TypeContext['intervalStyle'],
): Interval | null {
  const sum = new IntervalSum();
  let claimed = 0;
  /** What the next number counts; null by the declared fields, 'none' nothing that could count. */
  let unit: CountedUnit | null = null;
  let isAgo = false;
  const areNegative = intervalStyle === 'sql_standard' && signCountsForAll(fields);
  for (let i = fields.length - 1; i >= 0; i--) {
    const { text, kind } = fields[i] as Field;
    let claim = 0;
    if (kind === 'string' || kind === 'special') {
      const word = intervalWord(text) ?? dateWord(text);
      if (word?.kind === 'ignore') continue;
      if (word?.kind === 'unit') {
        unit = word.unit;
      } else if (word?.kind === 'ago') {
        isAgo = true;
        unit = 'none';
      } else {
        throw fault('format');
      }
    } else {
      const clock = kind === 'time' || kind === 'offset' ? clockOf(text, kind, range) : null;
      if (clock !== null) {
        sum.micros = areNegative && clock > 0 ? (negateInt8(clock) ?? 0) : clock;
        claim = TIME;
        // A bare number before a time counts days: 1 02:03.
        unit = 'day';
      } else {
        const result = addNumber(sum, text, unit ?? unitOfRange(range), areNegative);
        claim = result.claim;
        // Before hours, a bare number counts days.
        unit = result.unit === 'hour' ? 'day' : result.unit;
      }
    }
    if ((claim & claimed) !== 0) throw fault('format');
    claimed |= claim;
  }
  if (claimed === 0) throw fault('format');
  if (isAgo) sum.negate();
  return sum.result();
}

/** In the SQL standard a minus sign in front counts for all that follows, unless that has signs of its own. */
function signCountsForAll(fields: readonly Field[]): boolean {
  const [first, ...others] = fields;
  return first?.text.startsWith('-') === true && !others.some(({ text }) => /^[+-]/.test(text));
}

/** Microseconds of a clock time. Null where a signed text is none; then it may be a number. */
function clockOf(text: string, kind: 'time' | 'offset', range: number): Int8 | null {
  if (kind === 'time') return clockMicros(text, 0, range);
  if (text.indexOf(':', 1) < 0) return null;
  try {
    const micros = clockMicros(text, 1, range);
    return text.startsWith('-') ? negateInt8(micros) : micros;
  } catch (thrown) {
    if (thrown instanceof DatetimeFault) return null;
    throw thrown;
  }
}

function clockMicros(text: string, from: number, range: number): Int8 {
  const clock = scanClock(text, from, range === (RANGE_MINUTE | RANGE_SECOND));
  const hours = multiplyInt8(clock.hour, MICROS_PER_HOUR);
  const rest = microsFromTime(0, clock.minute, clock.second, clock.micros);
  const micros = hours === null ? null : addInt8(hours, rest);
  if (micros === null) throw fault('field_overflow');
  return micros;
}

/** The unit of a bare number at the end, by the declared fields. */
function unitOfRange(range: number): Unit {
  if (range === RANGE_FULL) return 'second';
  if ((range & RANGE_SECOND) !== 0) return 'second';
  if ((range & RANGE_MINUTE) !== 0) return 'minute';
  if ((range & RANGE_HOUR) !== 0) return 'hour';
  if ((range & RANGE_DAY) !== 0) return 'day';
  if ((range & RANGE_MONTH) !== 0) return 'month';
  return 'year';
}

type CountedUnit = Unit | 'none';

interface AddedNumber {
  readonly claim: number;
  readonly unit: CountedUnit;
}

function addNumber(
  sum: IntervalSum,
  text: string,
  given: CountedUnit,
  isNegated: boolean,
): AddedNumber {
  const digits = scanDigits(text, 0);
  const at = scanEnd;
  let value = checkedInt8(BigInt(digits.startsWith('+') ? digits.slice(1) : digits));
  if (value === null) throw fault('field_overflow');
  const isNegative = text.startsWith('-');
  let unit = given;
  let fraction = 0;
  const delimiter = text.charAt(at);
  if (delimiter === '-') {
    // The SQL standard's years-months.
    const months = scanInt4(text, at + 1);
    if (months < 0 || months >= MONTHS_PER_YEAR) throw fault('field_overflow');
    if (scanEnd !== text.length) throw fault('format');
    unit = 'month';
    const years = multiplyInt8(value, MONTHS_PER_YEAR);
    value = years === null ? null : addInt8(years, isNegative ? -months : months);
    if (value === null) throw fault('field_overflow');
  } else if (delimiter === '.') {
    fraction = scanFraction(text, at);
    if (isNegative) fraction = -fraction;
  } else if (at !== text.length) {
    throw fault('format');
  }
  if (isNegated && value > 0) value = negateInt8(value) ?? value;
  if (isNegated && fraction > 0) fraction = -fraction;
  return { claim: addUnit(sum, unit, value, fraction), unit };
}

function addUnit(sum: IntervalSum, unit: CountedUnit, value: Int8, fraction: number): number {
  switch (unit) {
    case 'microsecond':
      sum.addMicros(value, fraction, 1);
      return MICROSECOND;
    case 'millisecond':
      sum.addMicros(value, fraction, 1000);
      return MILLISECOND;
    case 'second':
      sum.addMicros(value, fraction, MICROS_PER_SECOND);
      return fraction === 0 ? SECOND : ALL_SECONDS;
    case 'minute':
      sum.addMicros(value, fraction, MICROS_PER_MINUTE);
      return MINUTE;
    case 'hour':
      sum.addMicros(value, fraction, MICROS_PER_HOUR);
      return HOUR;
    case 'day':
      sum.addDays(value, 1);
      sum.addFractionOfMicros(fraction, MICROS_PER_DAY);
      return DAY;
    case 'week':
      sum.addDays(value, 7);
      sum.addFractionOfDays(fraction, 7);
      return WEEK;
    case 'month':
      sum.addMonths(value, fraction);
      return MONTH;
    case 'year':
      sum.addYears(value, 1, fraction);
      return YEAR;
    case 'decade':
      sum.addYears(value, 10, fraction);
      return DECADE;
    case 'century':
      sum.addYears(value, 100, fraction);
      return CENTURY;
    case 'millennium':
      sum.addYears(value, 1000, fraction);
      return MILLENNIUM;
    default:
      throw fault('format');
  }
}

// ---- ISO 8601: P1Y2M3DT4H5M6S, P0001-02-03T04:05:06, P00010203T040506 ----

/** Decodes a text that begins with P; null where the interval as a whole is out of range. */
export function decodeIsoInterval(text: string): Interval | null {
  if (text.length < 2) throw fault('format');
  const sum = new IntervalSum();
  let at = 1;
  let inDate = true;
  let hasField = false;
  while (at < text.length) {
    if (text.charAt(at) === 'T') {
      inDate = false;
      hasField = false;
      at++;
      continue;
    }
    const start = at;
    const number = scanIsoNumber(text, at);
    at = isoEnd;
    const unit = text.charAt(at);
    at++;
    const designated = inDate
      ? addIsoDateUnit(sum, unit, number)
      : addIsoTimeUnit(sum, unit, number);
    if (designated) {
      hasField = true;
      continue;
    }
    // The alternative form, without designators.
    if (hasField) throw fault('format');
    at = inDate
      ? addAlternativeDate(sum, text, start, number)
      : addAlternativeTime(sum, text, start, number);
    inDate = false;
  }
  return sum.result();
}

interface IsoNumber {
  readonly whole: number;
  readonly fraction: number;
}

let isoEnd = 0;

function scanIsoNumber(text: string, from: number): IsoNumber {
  const first = text.charCodeAt(from);
  if (!isDigit(first) && first !== 45 && first !== 46) throw fault('format');
  const match = /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/.exec(text.slice(from));
  if (match === null) throw fault('format');
  isoEnd = from + match[0].length;
  const value = Number(match[0]);
  if (!(value >= -1e15 && value <= 1e15)) throw fault('field_overflow');
  const whole = Math.trunc(value) + 0;
  return { whole, fraction: value - whole };
}

function addIsoDateUnit(sum: IntervalSum, unit: string, number: IsoNumber): boolean {
  const { whole, fraction } = number;
  if (unit === 'Y') addUnit(sum, 'year', whole, fraction);
  else if (unit === 'M') addUnit(sum, 'month', whole, fraction);
  else if (unit === 'W') addUnit(sum, 'week', whole, fraction);
  else if (unit === 'D') addUnit(sum, 'day', whole, fraction);
  else if (unit === '' || unit === 'T' || unit === '-') return false;
  else throw fault('format');
  return true;
}

function addIsoTimeUnit(sum: IntervalSum, unit: string, number: IsoNumber): boolean {
  const { whole, fraction } = number;
  if (unit === 'H') addUnit(sum, 'hour', whole, fraction);
  else if (unit === 'M') addUnit(sum, 'minute', whole, fraction);
  else if (unit === 'S') addUnit(sum, 'second', whole, fraction);
  else if (unit === '' || unit === ':') return false;
  else throw fault('format');
  return true;
}

/** Digits of the number at `from`, without its sign. */
function isoWidth(text: string, from: number): number {
  return (/^-?(\d*)/.exec(text.slice(from))?.[1] ?? '').length;
}

/** yyyymmdd or yyyy[-mm[-dd]], up to `T` or the end; returns where the rest begins. */
function addAlternativeDate(
  sum: IntervalSum,
  text: string,
  start: number,
  first: IsoNumber,
): number {
  const stop = (at: number): boolean => at === text.length || text.charAt(at) === 'T';
  let at = isoEnd;
  if (isoWidth(text, start) === 8 && stop(at)) {
    const { whole } = first;
    sum.addYears(Math.trunc(whole / 10000), 1, 0);
    sum.addMonths(Math.trunc(whole / 100) % 100, 0);
    sum.addDays(whole % 100, 1);
    sum.addFractionOfMicros(first.fraction, MICROS_PER_DAY);
    return afterT(at);
  }
  addUnit(sum, 'year', first.whole, first.fraction);
  for (const unit of ['month', 'day'] as const) {
    if (stop(at)) return afterT(at);
    if (text.charAt(at) !== '-') throw fault('format');
    const number = scanIsoNumber(text, at + 1);
    at = isoEnd;
    addUnit(sum, unit, number.whole, number.fraction);
  }
  if (!stop(at)) throw fault('format');
  return afterT(at);
}

function afterT(at: number): number {
  return at + 1;
}

/** hhmmss or hh[:mm[:ss]], up to the end. */
function addAlternativeTime(
  sum: IntervalSum,
  text: string,
  start: number,
  first: IsoNumber,
): number {
  let at = isoEnd;
  if (isoWidth(text, start) === 6 && at === text.length) {
    const { whole } = first;
    sum.addMicros(Math.trunc(whole / 10000), 0, MICROS_PER_HOUR);
    sum.addMicros(Math.trunc(whole / 100) % 100, 0, MICROS_PER_MINUTE);
    sum.addMicros(whole % 100, 0, MICROS_PER_SECOND);
    sum.addFractionOfMicros(first.fraction, 1);
    return at;
  }
  addUnit(sum, 'hour', first.whole, first.fraction);
  for (const unit of ['minute', 'second'] as const) {
    if (at === text.length) return at;
    if (text.charAt(at) !== ':') throw fault('format');
    const number = scanIsoNumber(text, at + 1);
    at = isoEnd;
    addUnit(sum, unit, number.whole, number.fraction);
  }
  if (at !== text.length) throw fault('format');
  return at;
}
