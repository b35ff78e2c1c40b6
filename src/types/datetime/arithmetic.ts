import { pgError } from '../../errors/index.ts';
import type { Int8, Interval } from '../datum.ts';
import {
  type CivilTime,
  dateFromDays,
  daysFromDate,
  daysInMonth,
  isDateInRange,
  isInfinite,
  MICROS_PER_DAY,
  MONTHS_PER_YEAR,
  UNIX_EPOCH_DAYS,
} from './calendar.ts';
import {
  civilFromTimestamp,
  dateToTimestamp,
  localCivil,
  timestampAt,
  timestampFromCivil,
} from './conversion.ts';
import { addInt8, divideInt8, subtractInt8 } from './int64.ts';
import {
  intervalOutOfRange,
  justifyHours,
  makeCheckedInterval,
  negateInterval,
} from './interval-arithmetic.ts';
import { isTimestampValid, timestampOutOfRange } from './timestamp.ts';
import { makeTimetz, microsOfTimetz, offsetOfTimetz } from './timetz.ts';
import { offsetOfCivilTime, type TimeZone } from './zone.ts';

/** Sums and differences of dates, times and timestamps.
 *
 * An interval is added months first (to the last day of a shorter month), then days, then
 * microseconds. With a zone, months and days move the local clock, microseconds the moment. */

export function addDaysToDate(days: number, count: number): number {
  if (!Number.isFinite(days)) return days;
  const sum = days + count;
  if (!isDateInRange(sum)) throw pgError('datetime_field_overflow', 'date out of range');
  return sum;
}

export function subtractDates(a: number, b: number): number {
  if (!Number.isFinite(a) || !Number.isFinite(b)) {
    throw pgError('datetime_field_overflow', 'cannot subtract infinite dates');
  }
  return a - b;
}

function addMonths(civil: CivilTime, months: number): void {
  const total = civil.year * MONTHS_PER_YEAR + civil.month - 1 + months;
  civil.year = Math.floor(total / MONTHS_PER_YEAR);
  civil.month = total - civil.year * MONTHS_PER_YEAR + 1;
  civil.day = Math.min(civil.day, daysInMonth(civil.year, civil.month));
}

function addDays(civil: CivilTime, days: number): void {
  dateFromDays(daysFromDate(civil.year, civil.month, civil.day) + days, civil);
}

function addMicros(value: Int8, micros: Int8): Int8 {
  const sum = addInt8(value, micros);
  if (sum === null || !isTimestampValid(sum)) throw timestampOutOfRange();
  return sum;
}

export function timestampPlusInterval(value: Int8, interval: Interval): Int8 {
  if (isInfinite(value)) return value;
  let result = value;
  if (interval.months !== 0 || interval.days !== 0) {
    const civil = civilFromTimestamp(value);
    addMonths(civil, interval.months);
    addDays(civil, interval.days);
    result = timestampFromCivil(civil);
  }
  return addMicros(result, interval.micros);
}

export function timestampMinusInterval(value: Int8, interval: Interval): Int8 {
  return timestampPlusInterval(value, negateInterval(interval));
}

export function timestamptzPlusInterval(value: Int8, interval: Interval, zone: TimeZone): Int8 {
  if (isInfinite(value)) return value;
  let result = value;
  if (interval.months !== 0) {
    const civil = localCivil(result, zone);
    addMonths(civil, interval.months);
    result = timestampAt(civil, offsetOfCivilTime(civil, zone));
  }
  if (interval.days !== 0) {
    const civil = localCivil(result, zone);
    addDays(civil, interval.days);
    result = timestampAt(civil, offsetOfCivilTime(civil, zone));
  }
  return addMicros(result, interval.micros);
}

export function timestamptzMinusInterval(value: Int8, interval: Interval, zone: TimeZone): Int8 {
  return timestamptzPlusInterval(value, negateInterval(interval), zone);
}

/** date + interval is a timestamp. */
export function datePlusInterval(days: number, interval: Interval): Int8 {
  return timestampPlusInterval(dateToTimestamp(days), interval);
}

export function dateMinusInterval(days: number, interval: Interval): Int8 {
  return timestampMinusInterval(dateToTimestamp(days), interval);
}

/** The difference of two timestamps (of either kind) in days and microseconds. */
export function subtractTimestamps(a: Int8, b: Int8): Interval {
  if (isInfinite(a) || isInfinite(b)) {
    throw pgError('datetime_field_overflow', 'cannot subtract infinite timestamps');
  }
  const micros = subtractInt8(a, b);
  if (micros === null) throw intervalOutOfRange();
  return justifyHours({ months: 0, days: 0, micros });
}

/** A time of day moved by the part of an interval below a day; it wraps at midnight. */
export function timePlusInterval(time: number, interval: Interval): number {
  const [, rest] = divideInt8(interval.micros, MICROS_PER_DAY);
  const sum = (time + rest) % MICROS_PER_DAY;
  return sum < 0 ? sum + MICROS_PER_DAY : sum;
}

export function timeMinusInterval(time: number, interval: Interval): number {
  return timePlusInterval(time, negateInterval(interval));
}

export function timetzPlusInterval(value: Uint8Array, interval: Interval): Uint8Array {
  const micros = timePlusInterval(microsOfTimetz(value), interval);
  return makeTimetz(micros, offsetOfTimetz(value));
}

export function timetzMinusInterval(value: Uint8Array, interval: Interval): Uint8Array {
  return timetzPlusInterval(value, negateInterval(interval));
}

export function subtractTimes(a: number, b: number): Interval {
  return { months: 0, days: 0, micros: a - b };
}

/** age(a, b): the difference in years, months, days and time, as a calendar counts them. */
export function timestampAge(a: Int8, b: Int8): Interval {
  return civilAge(a, b, civilFromTimestampChecked(a), civilFromTimestampChecked(b));
}

/** The same of local times in a zone. */
export function timestamptzAge(a: Int8, b: Int8, zone: TimeZone): Interval {
  if (isInfinite(a) || isInfinite(b)) throw timestampOutOfRange();
  return civilAge(a, b, localCivil(a, zone), localCivil(b, zone));
}

function civilFromTimestampChecked(value: Int8): CivilTime {
  if (isInfinite(value)) throw timestampOutOfRange();
  return civilFromTimestamp(value);
}

function civilAge(a: Int8, b: Int8, aCivil: CivilTime, bCivil: CivilTime): Interval {
  const sign = a < b ? -1 : 1;
  const later = sign > 0 ? aCivil : bCivil;
  const earlier = sign > 0 ? bCivil : aCivil;
  let micros =
    later.micros -
    earlier.micros +
    (later.second -
      earlier.second +
      (later.minute - earlier.minute + (later.hour - earlier.hour) * 60) * 60) *
      1e6;
  let days = later.day - earlier.day;
  let months = (later.year - earlier.year) * MONTHS_PER_YEAR + later.month - earlier.month;
  while (micros < 0) {
    micros += MICROS_PER_DAY;
    days--;
  }
  while (days < 0) {
    days += daysInMonth(earlier.year, earlier.month);
    months--;
  }
  return makeCheckedInterval(sign * months, sign * days, sign * micros + 0);
}

/** The day on which the transaction began, in the session's zone: age(x) counts from its midnight. */
export function currentDate(transactionTimestamp: number, zone: TimeZone): number {
  const seconds = Math.floor(transactionTimestamp / 1e6) + UNIX_EPOCH_DAYS * 86_400;
  return Math.floor((transactionTimestamp + zone.offsetAt(seconds) * 1e6) / MICROS_PER_DAY);
}

/** One end of an OVERLAPS period; null is NULL. */
type PeriodEnd<T> = T | null;

/** (aStart, aEnd) OVERLAPS (bStart, bEnd) over values ordered by `compare`; null is unknown. */
export function overlaps<T>(
  aStart: PeriodEnd<T>,
  aEnd: PeriodEnd<T>,
  bStart: PeriodEnd<T>,
  bEnd: PeriodEnd<T>,
  compare: (a: T, b: T) => number,
): boolean | null {
  const a = orderedPeriod(aStart, aEnd, compare);
  const b = orderedPeriod(bStart, bEnd, compare);
  if (a === null || b === null) return null;
  const order = compare(a.start, b.start);
  if (order === 0) return a.end === null || b.end === null ? null : true;
  const [first, second] = order < 0 ? [a, b] : [b, a];
  // The period that starts first reaches over the other's start, or it ends before it.
  if (first.end === null) return null;
  if (compare(second.start, first.end) < 0) return true;
  return second.end === null ? null : false;
}

interface Period<T> {
  readonly start: T;
  readonly end: T | null;
}

/** The ends in order; a single known end is the start. */
function orderedPeriod<T>(
  start: PeriodEnd<T>,
  end: PeriodEnd<T>,
  compare: (a: T, b: T) => number,
): Period<T> | null {
  if (start === null) return end === null ? null : { start: end, end: null };
  if (end === null) return { start, end: null };
  return compare(start, end) > 0 ? { start: end, end: start } : { start, end };
}
