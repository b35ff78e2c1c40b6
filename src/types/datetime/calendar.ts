import { type Int8, int8 } from '../datum.ts';

/** The proleptic Gregorian calendar, and microseconds split into days and time of day.
 *
 * A timestamp counts microseconds since 2000-01-01 and needs 64 bits, beyond what a double holds
 * exactly. Split into a day number and the microseconds of that day, both parts are safe integers,
 * so all arithmetic happens on the parts and only the ends of a computation see a BigInt.
 */

/** Julian day of 2000-01-01, the day that dates and timestamps count from. */
export const POSTGRES_EPOCH_JULIAN = 2451545;
/** Days from 1970-01-01 to 2000-01-01. */
export const UNIX_EPOCH_DAYS = 10957;
export const SECONDS_PER_DAY = 86_400;
export const MICROS_PER_SECOND = 1_000_000;
export const MICROS_PER_MINUTE = 60_000_000;
export const MICROS_PER_HOUR = 3_600_000_000;
export const MICROS_PER_DAY = 86_400_000_000;
export const DAYS_PER_MONTH = 30;
export const MONTHS_PER_YEAR = 12;

const MICROS_PER_DAY_BIG = 86_400_000_000n;

/** Day numbers (since 2000-01-01) that a timestamp may have: 4714-11-24 BC .. 294276-12-31. */
export const TIMESTAMP_DAY_MIN = -2451545;
const TIMESTAMP_DAY_END = 106751983;
/** The same for a date; it ends after 5874897-12-31. */
export const DATE_DAY_END = 2145031949;

/** Local date and time in fields, with the zone offset that led to them. Mutable: hot paths reuse
 * one. Years count as astronomers do: 0 is 1 BC. */
export interface CivilTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  micros: number;
}

export function newCivilTime(): CivilTime {
  return { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, micros: 0 };
}

/** A moment as a day number since 2000-01-01 and the microseconds since its midnight. */
interface DayTime {
  days: number;
  micros: number;
}

const MONTH_LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : (MONTH_LENGTHS[month - 1] ?? 31);
}

/** Julian day of a date; the month may be out of 1 .. 12 by one. */
function julianFromDate(year: number, month: number, day: number): number {
  // March-based years put the leap day last, which makes months a linear function of days.
  const shifted = month > 2 ? month + 1 : month + 13;
  const marchYear = (month > 2 ? year : year - 1) + 4800;
  const century = Math.floor(marchYear / 100);
  return (
    marchYear * 365 -
    32167 +
    Math.floor(marchYear / 4) -
    century +
    Math.floor(century / 4) +
    Math.trunc((7834 * shifted) / 256) +
    day
  );
}

/** Days since 2000-01-01 of a date. */
export function daysFromDate(year: number, month: number, day: number): number {
  return julianFromDate(year, month, day) - POSTGRES_EPOCH_JULIAN;
}

/** Sets year, month and day from days since 2000-01-01. */
export function dateFromDays(days: number, out: CivilTime): void {
  // Days since 0000-03-01, by eras of 400 years.
  const sinceMarch = days + 730425;
  const era = Math.floor(sinceMarch / 146097);
  const dayOfEra = sinceMarch - era * 146097;
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36524) | 0) - ((dayOfEra / 146096) | 0)) /
      365) |
    0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0));
  const marchMonth = ((5 * dayOfYear + 2) / 153) | 0;
  out.day = dayOfYear - (((153 * marchMonth + 2) / 5) | 0) + 1;
  out.month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  out.year = yearOfEra + era * 400 + (out.month <= 2 ? 1 : 0);
}

/** Sets hour, minute, second and micros from microseconds since midnight (up to 24:00:00). */
export function timeFromMicros(micros: number, out: CivilTime): void {
  const seconds = Math.floor(micros / MICROS_PER_SECOND);
  out.micros = micros - seconds * MICROS_PER_SECOND;
  const minutes = (seconds / 60) | 0;
  out.second = seconds - minutes * 60;
  out.hour = (minutes / 60) | 0;
  out.minute = minutes - out.hour * 60;
}

export function microsFromTime(
  hour: number,
  minute: number,
  second: number,
  micros: number,
): number {
  return ((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND + micros;
}

/** Whether a date, or a timestamp, is one of the infinities. */
export function isInfinite(value: Int8): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}

/** Splits a finite timestamp. */
export function splitTimestamp(value: Int8, out: DayTime): void {
  if (typeof value === 'number') {
    // The quotient is below 2^17, so its rounding error is far below one microsecond of a day.
    const days = Math.floor(value / MICROS_PER_DAY);
    out.days = days;
    out.micros = value - days * MICROS_PER_DAY;
    return;
  }
  let days = value / MICROS_PER_DAY_BIG;
  let micros = value - days * MICROS_PER_DAY_BIG;
  if (micros < 0n) {
    days -= 1n;
    micros += MICROS_PER_DAY_BIG;
  }
  out.days = Number(days);
  out.micros = Number(micros);
}

/** The inverse of `splitTimestamp`; the microseconds may lie outside their day. */
export function joinTimestamp(days: number, micros: number): Int8 {
  const value = days * MICROS_PER_DAY + micros;
  if (Number.isSafeInteger(value)) return value;
  return int8(BigInt(days) * MICROS_PER_DAY_BIG + BigInt(micros));
}

export function isTimestampInRange(days: number): boolean {
  return days >= TIMESTAMP_DAY_MIN && days < TIMESTAMP_DAY_END;
}

export function isDateInRange(days: number): boolean {
  return days >= TIMESTAMP_DAY_MIN && days < DATE_DAY_END;
}

/** Sunday is 0. */
export function dayOfWeek(days: number): number {
  const day = (days + 6) % 7;
  return day < 0 ? day + 7 : day;
}

/** 1 January is 1. */
export function dayOfYear(days: number, year: number): number {
  return days - daysFromDate(year, 1, 1) + 1;
}

/** The Monday that begins the first ISO week of a year: the week that holds 4 January. */
export function isoYearStart(year: number): number {
  const fourth = daysFromDate(year, 1, 4);
  return fourth - ((dayOfWeek(fourth) + 6) % 7);
}

/** ISO year of a day whose calendar year is known. */
export function isoYear(days: number, year: number): number {
  if (days < isoYearStart(year)) return year - 1;
  return days >= isoYearStart(year + 1) ? year + 1 : year;
}

export function isoWeek(days: number, year: number): number {
  return Math.floor((days - isoYearStart(isoYear(days, year))) / 7) + 1;
}
