import { type PgError, pgError } from '../../errors/index.ts';
import type { Int8, Interval } from '../datum.ts';
import {
  type CivilTime,
  dateFromDays,
  isInfinite,
  isTimestampInRange,
  joinTimestamp,
  MICROS_PER_DAY,
  newCivilTime,
  splitTimestamp,
  timeFromMicros,
  UNIX_EPOCH_DAYS,
} from './calendar.ts';
import { offsetOfZoneAbbreviation } from './decode.ts';
import { intervalText } from './encode-interval.ts';
import { divideInt8, int8FromDouble } from './int64.ts';
import { roundHalfEven } from './lexer.ts';
import { isTimestampValid, timestampAtOrNull, timestampOutOfRange } from './timestamp.ts';
import { findTimeZone, fixedZone, type TimeZone } from './zone.ts';
import { ZONE_ABBREVIATIONS } from './zone-abbreviations.ts';

/** Conversions among dates, times and timestamps, and between local time and UTC. */

const split = { days: 0, micros: 0 };

/** A finite timestamp in fields. */
export function civilFromTimestamp(value: Int8, out: CivilTime = newCivilTime()): CivilTime {
  splitTimestamp(value, split);
  dateFromDays(split.days, out);
  timeFromMicros(split.micros, out);
  return out;
}

/** Fields as a timestamp, or an error where it is out of range. */
export function timestampFromCivil(civil: CivilTime): Int8 {
  return timestampAt(civil, 0);
}

/** Fields at an offset (seconds east of UTC) as a timestamp in UTC. */
export function timestampAt(civil: CivilTime, offset: number): Int8 {
  const value = timestampAtOrNull(civil, offset);
  if (value === null) throw timestampOutOfRange();
  return value;
}

/** Seconds since 1970 of a finite timestamp, rounded down. */
export function unixSeconds(value: Int8): number {
  splitTimestamp(value, split);
  return (split.days + UNIX_EPOCH_DAYS) * 86_400 + Math.floor(split.micros / 1e6);
}

/** The local time that a zone's clocks show at a moment, as a timestamp. */
export function localTimestamp(value: Int8, zone: TimeZone): Int8 {
  if (isInfinite(value)) return value;
  const local = shiftTimestamp(value, zone.offsetAt(unixSeconds(value)));
  if (!isTimestampValid(local)) throw timestampOutOfRange();
  return local;
}

/** Local fields of a finite moment, which may lie an offset outside the range of timestamps. */
export function localCivil(
  value: Int8,
  zone: TimeZone,
  out: CivilTime = newCivilTime(),
): CivilTime {
  return civilFromTimestamp(shiftTimestamp(value, zone.offsetAt(unixSeconds(value))), out);
}

/** The moment at which a zone's clocks show a local time. */
export function momentOfLocal(local: Int8, zone: TimeZone): Int8 {
  if (isInfinite(local)) return local;
  const value = comparableMoment(local, zone);
  if (!isTimestampValid(value)) throw timestampOutOfRange();
  return value;
}

/** The same for a comparison, which takes moments beyond the range of timestamps too. */
export function comparableMoment(local: Int8, zone: TimeZone): Int8 {
  if (isInfinite(local)) return local;
  return shiftTimestamp(local, -zone.offsetOfLocal(unixSeconds(local)));
}

function shiftTimestamp(value: Int8, seconds: number): Int8 {
  splitTimestamp(value, split);
  return joinTimestamp(split.days, split.micros + seconds * 1e6);
}

// ---- Casts ----

export function dateOutOfRangeForTimestamp(): PgError {
  return pgError('datetime_field_overflow', 'date out of range for timestamp');
}

export function dateToTimestamp(days: number): Int8 {
  if (!Number.isFinite(days)) return days;
  if (!isTimestampInRange(days)) throw dateOutOfRangeForTimestamp();
  return joinTimestamp(days, 0);
}

export function dateToTimestamptz(days: number, zone: TimeZone): Int8 {
  if (!Number.isFinite(days)) return days;
  if (!isTimestampInRange(days)) throw dateOutOfRangeForTimestamp();
  const offset = zone.offsetOfLocal((days + UNIX_EPOCH_DAYS) * 86_400);
  const value = joinTimestamp(days, -offset * 1e6);
  if (!isTimestampValid(value)) throw dateOutOfRangeForTimestamp();
  return value;
}

export function timestampToDate(value: Int8): number {
  if (isInfinite(value)) return value as number;
  splitTimestamp(value, split);
  return split.days;
}

/** Microseconds since midnight; null for the infinities. */
export function timestampToTime(value: Int8): number | null {
  if (isInfinite(value)) return null;
  splitTimestamp(value, split);
  return split.micros;
}

export function timestamptzToDate(value: Int8, zone: TimeZone): number {
  if (isInfinite(value)) return value as number;
  return timestampToDate(shiftTimestamp(value, zone.offsetAt(unixSeconds(value))));
}

export function timestamptzToTime(value: Int8, zone: TimeZone): number | null {
  if (isInfinite(value)) return null;
  return timestampToTime(shiftTimestamp(value, zone.offsetAt(unixSeconds(value))));
}

/** A date and a time of day make a timestamp. */
export function datePlusTime(days: number, time: number): Int8 {
  const midnight = dateToTimestamp(days);
  if (isInfinite(midnight)) return midnight;
  const value = joinTimestamp(days, time);
  if (!isTimestampValid(value)) throw timestampOutOfRange();
  return value;
}

export function timeToInterval(time: number): Interval {
  return { months: 0, days: 0, micros: time };
}

/** The part of an interval below a day, as a time of day. */
export function intervalToTime(interval: Interval): number {
  const [, rest] = divideInt8(interval.micros, MICROS_PER_DAY);
  return rest < 0 ? rest + MICROS_PER_DAY : rest;
}

/** to_timestamp(double precision): seconds since 1970. */
export function timestamptzFromUnix(seconds: number): Int8 {
  if (Number.isNaN(seconds)) {
    throw pgError('datetime_field_overflow', 'timestamp cannot be NaN');
  }
  if (!Number.isFinite(seconds)) return seconds;
  const outOfRange = (): PgError =>
    pgError('datetime_field_overflow', `timestamp out of range: "${shortDouble(seconds)}"`);
  if (seconds < -210866803200 || seconds >= 9224318016000) throw outOfRange();
  const value = int8FromDouble(roundHalfEven((seconds - UNIX_EPOCH_DAYS * 86_400) * 1e6));
  if (value === null || !isTimestampValid(value)) throw outOfRange();
  return value;
}

/** A double as C prints it with %g. */
export function shortDouble(value: number): string {
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  if (exponent < -4 || exponent >= 6) {
    const [mantissa = '', power = ''] = value.toExponential(5).split('e');
    const digits = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
    return `${digits}e${power.startsWith('-') ? '-' : '+'}${power.slice(1).padStart(2, '0')}`;
  }
  return String(Number(value.toPrecision(6)));
}

// ---- AT TIME ZONE ----

function zoneNotRecognized(name: string): PgError {
  return pgError('invalid_parameter_value', `time zone "${name}" not recognized`);
}

/** `timestamp AT TIME ZONE name`: the moment at which that zone shows the local time. */
export function timestampAtZone(local: Int8, name: string): Int8 {
  if (isInfinite(local)) return local;
  const abbreviation = ZONE_ABBREVIATIONS.get(name.toLowerCase());
  if (abbreviation === undefined) {
    const zone = findTimeZone(name);
    if (zone === null) throw zoneNotRecognized(name);
    return momentOfLocal(local, zone);
  }
  let { offset } = abbreviation;
  if (abbreviation.zone !== null) {
    const zone = findTimeZone(abbreviation.zone);
    if (zone === null) throw zoneNotRecognized(name);
    offset = offsetOfZoneAbbreviation(civilFromTimestamp(local), name, zone);
  }
  return momentOfLocal(local, fixedZone('', offset, ''));
}

/** `timestamptz AT TIME ZONE name`: the local time that the zone shows at a moment. */
export function timestamptzAtZone(value: Int8, name: string): Int8 {
  if (isInfinite(value)) return value;
  return localTimestamp(value, zoneAtMoment(value, name));
}

/** The zone of a name or abbreviation, as it counts at a moment. */
export function zoneAtMoment(value: Int8, name: string): TimeZone {
  const abbreviation = ZONE_ABBREVIATIONS.get(name.toLowerCase());
  if (abbreviation === undefined) {
    const zone = findTimeZone(name);
    if (zone === null) throw zoneNotRecognized(name);
    return zone;
  }
  if (abbreviation.zone === null) return fixedZone('', abbreviation.offset, '');
  const zone = findTimeZone(abbreviation.zone);
  if (zone === null) throw zoneNotRecognized(name);
  const seconds = unixSeconds(value);
  return fixedZone('', zone.offsetOfAbbreviation(name, seconds) ?? zone.offsetAt(seconds), '');
}

/** The zone of `AT TIME ZONE INTERVAL '...'`. */
export function zoneOfInterval(interval: Interval): TimeZone {
  if (interval.months !== 0 || interval.days !== 0) {
    const text = intervalText(interval, 'postgres');
    throw pgError(
      'invalid_parameter_value',
      `interval time zone "${text}" must not include months or days`,
    );
  }
  return fixedZone('', Number(divideInt8(interval.micros, 1_000_000)[0]), '');
}
