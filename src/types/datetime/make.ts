import { type PgError, pgError } from '../../errors/index.ts';
import type { Int8, Interval } from '../datum.ts';
import {
  DATE_DAY_END,
  daysFromDate,
  daysInMonth,
  isDateInRange,
  isTimestampInRange,
  joinTimestamp,
  MICROS_PER_DAY,
  MICROS_PER_HOUR,
  MICROS_PER_MINUTE,
  MONTHS_PER_YEAR,
  TIMESTAMP_DAY_MIN,
} from './calendar.ts';
import { momentOfLocal, shortDouble, timestampAtZone } from './conversion.ts';
import { scanZoneOffset } from './decode.ts';
import { DatetimeFault } from './fault.ts';
import { addInt8, int8FromDouble, multiplyInt8 } from './int64.ts';
import { intervalOutOfRange, makeCheckedInterval } from './interval-arithmetic.ts';
import { roundHalfEven } from './lexer.ts';
import { isTimestampValid } from './timestamp.ts';
import { fixedZone, type TimeZone } from './zone.ts';

/** make_date, make_time, make_timestamp, make_timestamptz, make_interval. */

/** First day of the month in which Julian days begin, 4714-11-01 BC. */
const JULIAN_DAY_MIN = TIMESTAMP_DAY_MIN - 23;

function two(value: number): string {
  return value < 0 ? `-${String(-value).padStart(1, '0')}` : String(value).padStart(2, '0');
}

function dateText(year: number, month: number, day: number): string {
  return `${year}-${two(month)}-${two(day)}`;
}

function overflow(message: string): PgError {
  return pgError('datetime_field_overflow', message);
}

/** Days since 2000-01-01; a negative year is BC. */
function checkedDays(year: number, month: number, day: number): number {
  const astronomical = year < 0 ? year + 1 : year;
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysInMonth(astronomical, month)) {
    throw overflow(`date field value out of range: ${dateText(year, month, day)}`);
  }
  return daysFromDate(astronomical, month, day);
}

/** Microseconds since midnight, up to 24:00:00. */
function checkedMicros(hour: number, minute: number, second: number): number {
  const micros = roundHalfEven(second * 1e6);
  const total = hour * MICROS_PER_HOUR + minute * MICROS_PER_MINUTE + micros;
  const isValid =
    hour >= 0 &&
    hour <= 24 &&
    minute >= 0 &&
    minute <= 59 &&
    micros >= 0 &&
    micros <= 60e6 &&
    total <= MICROS_PER_DAY;
  if (!isValid) {
    throw overflow(`time field value out of range: ${hour}:${two(minute)}:${shortSecond(second)}`);
  }
  return total;
}

/** Seconds as %02g prints them. */
function shortSecond(second: number): string {
  return shortDouble(second).padStart(2, '0');
}

export function makeDate(year: number, month: number, day: number): number {
  const days = checkedDays(year, month, day);
  if (!isDateInRange(days)) {
    throw overflow(`date out of range: ${dateText(year < 0 ? year + 1 : year, month, day)}`);
  }
  return days;
}

export function makeTime(hour: number, minute: number, second: number): number {
  return checkedMicros(hour, minute, second);
}

export function makeTimestamp(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): Int8 {
  const days = checkedDays(year, month, day);
  if (days < JULIAN_DAY_MIN || days >= DATE_DAY_END) {
    throw overflow(`date out of range: ${dateText(year, month, day)}`);
  }
  const micros = checkedMicros(hour, minute, second);
  const value = isTimestampInRange(days) ? joinTimestamp(days, micros) : null;
  if (value === null || !isTimestampValid(value)) {
    const time = `${hour}:${two(minute)}:${shortSecond(second)}`;
    throw overflow(`timestamp out of range: ${dateText(year, month, day)} ${time}`);
  }
  return value;
}

/** `zone` is the session's zone, or the text of an argument. */
export function makeTimestamptz(local: Int8, zone: TimeZone | string): Int8 {
  if (typeof zone !== 'string') return momentOfLocal(local, zone);
  const first = zone.charCodeAt(0);
  if (first >= 48 && first <= 57) {
    throw pgError(
      'invalid_parameter_value',
      `invalid input syntax for type numeric time zone: "${zone}"`,
      { hint: 'Numeric time zones must have "-" or "+" as first character.' },
    );
  }
  const offset = numericOffset(zone);
  return offset === null
    ? timestampAtZone(local, zone)
    : momentOfLocal(local, fixedZone('', offset, ''));
}

function numericOffset(zone: string): number | null {
  try {
    return scanZoneOffset(zone, 0);
  } catch (thrown) {
    if (!(thrown instanceof DatetimeFault)) throw thrown;
    if (thrown.kind === 'format') return null;
    throw pgError('invalid_parameter_value', `numeric time zone "${zone}" out of range`);
  }
}

export function makeInterval(
  years: number,
  months: number,
  weeks: number,
  days: number,
  hours: number,
  minutes: number,
  seconds: number,
): Interval {
  const secondMicros = int8FromDouble(roundHalfEven(seconds * 1e6));
  const hourMicros = multiplyInt8(hours, MICROS_PER_HOUR);
  const minuteMicros = multiplyInt8(minutes, MICROS_PER_MINUTE);
  if (secondMicros === null || hourMicros === null || minuteMicros === null) {
    throw intervalOutOfRange();
  }
  const clock = addInt8(hourMicros, minuteMicros);
  return makeCheckedInterval(
    years * MONTHS_PER_YEAR + months,
    weeks * 7 + days,
    clock === null ? null : addInt8(clock, secondMicros),
  );
}
