import { type PgError, pgError } from '../../errors/index.ts';
import type { Int8, Interval, Numeric } from '../datum.ts';
import {
  type CivilTime,
  dayOfWeek,
  dayOfYear,
  daysFromDate,
  isInfinite,
  isoWeek,
  isoYear,
  MICROS_PER_DAY,
  microsFromTime,
  newCivilTime,
  POSTGRES_EPOCH_JULIAN,
  timeFromMicros,
  UNIX_EPOCH_DAYS,
} from './calendar.ts';
import { civilFromTimestamp, localCivil, unixSeconds } from './conversion.ts';
import { intervalFields } from './encode-interval.ts';
import { microsOfTimetz, offsetOfTimetz } from './timetz.ts';
import { dateWord, intervalWord, type Unit } from './words.ts';
import type { TimeZone } from './zone.ts';

/** EXTRACT and date_part. EXTRACT answers a numeric with PostgreSQL's scales, date_part the same as
 * a double; a part that an infinite value does not have is null. */

/** The unit that a word names, of any case; undefined if none. */
function unitOf(name: string): Unit | undefined {
  const lower = lowered(name);
  const word = intervalWord(lower) ?? FIELD_WORDS.get(lower) ?? dateWord(lower);
  if (word === undefined) return undefined;
  if (typeof word === 'string') return word;
  if (word.kind === 'unit') return word.unit;
  return word.kind === 'reserved' && word.value === 'epoch' ? 'epoch' : undefined;
}

/** In lower case as the C locale has it: ASCII letters alone. */
function lowered(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Names of parts that are no words of literals. */
const FIELD_WORDS: ReadonlyMap<string, Unit> = new Map([
  ['microseconds', 'microsecond'],
  ['milliseconds', 'millisecond'],
]);

export function unitNotRecognized(name: string, typeName: string): PgError {
  return pgError(
    'invalid_parameter_value',
    `unit "${lowered(name)}" not recognized for type ${typeName}`,
  );
}

export function unitNotSupported(name: string, typeName: string, detail?: string): PgError {
  return pgError(
    'feature_not_supported',
    `unit "${lowered(name)}" not supported for type ${typeName}`,
    detail === undefined ? {} : { detail },
  );
}

const TIMESTAMP = 'timestamp without time zone';
const TIMESTAMPTZ = 'timestamp with time zone';

function numeric(unscaled: number | bigint, scale = 0): Numeric {
  return { kind: 'finite', unscaled: BigInt(unscaled), scale };
}

/** The nearest double of a numeric: what date_part answers. */
function doubleOfNumeric(value: Numeric): number {
  switch (value.kind) {
    case 'nan':
      return Number.NaN;
    case 'infinity':
      return Number.POSITIVE_INFINITY;
    case '-infinity':
      return Number.NEGATIVE_INFINITY;
    case 'finite': {
      const digits = value.unscaled.toString();
      return value.scale === 0 ? Number(digits) : Number(`${digits}e-${value.scale}`);
    }
  }
}

export function extractFromTimestamp(field: string, value: Int8): Numeric | null {
  const unit = unitOf(field);
  if (isInfinite(value)) return infinitePart(field, unit, value as number, TIMESTAMP);
  if (unit === undefined) throw unitNotRecognized(field, TIMESTAMP);
  if (unit === 'epoch') return epochOf(value);
  const part = partOfCivil(unit, civilFromTimestamp(value));
  if (part === null) throw unitNotSupported(field, TIMESTAMP);
  return part;
}

export function extractFromTimestamptz(field: string, value: Int8, zone: TimeZone): Numeric | null {
  const unit = unitOf(field);
  if (isInfinite(value)) return infinitePart(field, unit, value as number, TIMESTAMPTZ);
  if (unit === undefined) throw unitNotRecognized(field, TIMESTAMPTZ);
  if (unit === 'epoch') return epochOf(value);
  const offset = zone.offsetAt(unixSeconds(value));
  if (unit === 'timezone') return numeric(offset);
  if (unit === 'timezone_hour') return numeric(Math.trunc(offset / 3600));
  if (unit === 'timezone_minute') return numeric(Math.trunc(offset / 60) % 60);
  const part = partOfCivil(unit, localCivil(value, zone));
  if (part === null) throw unitNotSupported(field, TIMESTAMPTZ);
  return part;
}

export function extractFromDate(field: string, days: number): Numeric | null {
  const unit = unitOf(field);
  if (unit === undefined) throw unitNotRecognized(field, 'date');
  if (!DATE_UNITS.has(unit)) throw unitNotSupported(field, 'date');
  if (!Number.isFinite(days)) return infinitePart(field, unit, days, 'date');
  if (unit === 'julian') return numeric(days + POSTGRES_EPOCH_JULIAN);
  if (unit === 'epoch') return numeric((days + UNIX_EPOCH_DAYS) * 86_400);
  const part = partOfCivil(unit, civilFromTimestamp(BigInt(days) * BigInt(MICROS_PER_DAY)));
  if (part === null) throw unitNotSupported(field, 'date');
  return part;
}

const DATE_UNITS: ReadonlySet<Unit> = new Set<Unit>([
  'day',
  'month',
  'quarter',
  'week',
  'year',
  'decade',
  'century',
  'millennium',
  'julian',
  'isoyear',
  'dow',
  'isodow',
  'doy',
  'epoch',
]);

/** `micros` since midnight. */
export function extractFromTime(field: string, micros: number): Numeric {
  const typeName = 'time without time zone';
  const unit = unitOf(field);
  if (unit === undefined) throw unitNotRecognized(field, typeName);
  if (unit === 'epoch') return numeric(micros, 6);
  const civil = newCivilTime();
  timeFromMicros(micros, civil);
  const part = clockPart(unit, civil);
  if (part === null) throw unitNotSupported(field, typeName);
  return part;
}

export function extractFromTimetz(field: string, value: Uint8Array): Numeric {
  const micros = microsOfTimetz(value);
  const offset = offsetOfTimetz(value);
  const typeName = 'time with time zone';
  const unit = unitOf(field);
  if (unit === undefined) throw unitNotRecognized(field, typeName);
  switch (unit) {
    case 'epoch':
      return numeric(micros - offset * 1e6, 6);
    case 'timezone':
      return numeric(offset);
    case 'timezone_hour':
      return numeric(Math.trunc(offset / 3600));
    case 'timezone_minute':
      return numeric(Math.trunc(offset / 60) % 60);
    default: {
      const civil = newCivilTime();
      timeFromMicros(micros, civil);
      const part = clockPart(unit, civil);
      if (part === null) throw unitNotSupported(field, typeName);
      return part;
    }
  }
}

export function extractFromInterval(field: string, interval: Interval): Numeric {
  const unit = unitOf(field);
  if (unit === undefined) throw unitNotRecognized(field, 'interval');
  const fields = intervalFields(interval);
  const { year, month, day } = fields;
  switch (unit) {
    case 'epoch': {
      // A year has 365.25 days here, a month 30; quarters of a day keep that an integer.
      const quarters = BigInt(1461 * year + 120 * month + 4 * day);
      return numeric(quarters * 21_600_000_000n + BigInt(interval.micros), 6);
    }
    case 'day':
      return numeric(day);
    case 'month':
      return numeric(month);
    case 'quarter':
      return numeric(Math.trunc(month / 3) + 1);
    case 'year':
      return numeric(year);
    case 'decade':
      return numeric(Math.trunc(year / 10));
    case 'century':
      return numeric(Math.trunc(year / 100));
    case 'millennium':
      return numeric(Math.trunc(year / 1000));
    default: {
      const part = clockPart(unit, fields);
      if (part === null) throw unitNotSupported(field, 'interval');
      return part;
    }
  }
}

/** date_part of what EXTRACT answers. PostgreSQL adds the fraction of a second in doubles. */
export function doubleOfPart(field: string, part: Numeric): number {
  const unit = unitOf(field);
  if (part.kind !== 'finite' || (unit !== 'second' && unit !== 'millisecond')) {
    return doubleOfNumeric(part);
  }
  const micros = Number(part.unscaled);
  const fraction = micros % 1e6;
  const seconds = (micros - fraction) / 1e6;
  return unit === 'second' ? seconds + fraction / 1e6 : seconds * 1000 + fraction / 1000;
}

/** date_part of an interval: as PostgreSQL, in doubles from the start. */
export function partOfInterval(field: string, interval: Interval): number {
  const value = doubleOfPart(field, extractFromInterval(field, interval));
  if (unitOf(field) !== 'epoch') return value;
  const { year, month, day } = intervalFields(interval);
  const seconds = Number(interval.micros) / 1e6;
  return seconds + 365.25 * 86_400 * year + 30 * 86_400 * month + 86_400 * day;
}

/** date_part of a time with its zone, likewise. */
export function partOfTimetz(field: string, value: Uint8Array): number {
  const part = doubleOfPart(field, extractFromTimetz(field, value));
  if (unitOf(field) !== 'epoch') return part;
  return microsOfTimetz(value) / 1e6 - offsetOfTimetz(value);
}

type ClockFields = Pick<CivilTime, 'hour' | 'minute' | 'second' | 'micros'>;

function clockPart(unit: Unit, time: ClockFields): Numeric | null {
  const seconds = time.second * 1e6 + time.micros;
  switch (unit) {
    case 'microsecond':
      return numeric(seconds);
    case 'millisecond':
      return numeric(seconds, 3);
    case 'second':
      return numeric(seconds, 6);
    case 'minute':
      return numeric(time.minute);
    case 'hour':
      return numeric(time.hour);
    default:
      return null;
  }
}

/** A part that depends on local fields only, or null if the unit is none. */
function partOfCivil(unit: Unit, civil: CivilTime): Numeric | null {
  const { year, month, day } = civil;
  const days = (): number => daysFromDate(year, month, day);
  switch (unit) {
    case 'day':
      return numeric(day);
    case 'month':
      return numeric(month);
    case 'quarter':
      return numeric(Math.floor((month - 1) / 3) + 1);
    case 'week':
      return numeric(isoWeek(days(), year));
    case 'year':
      return numeric(eraYear(year));
    case 'decade':
      return numeric(Math.floor(year / 10));
    case 'century':
      return numeric(centuryOf(year, 100));
    case 'millennium':
      return numeric(centuryOf(year, 1000));
    case 'julian':
      return julianPart(days(), civil);
    case 'isoyear':
      return numeric(eraYear(isoYear(days(), year)));
    case 'dow':
      return numeric(dayOfWeek(days()));
    case 'isodow':
      return numeric(dayOfWeek(days()) || 7);
    case 'doy':
      return numeric(dayOfYear(days(), year));
    default:
      return clockPart(unit, civil);
  }
}

/** A year as people count: there is no year 0. */
function eraYear(year: number): number {
  return year > 0 ? year : year - 1;
}

/** Centuries (or millennia) begin with the year 1, and there is no century 0. */
export function centuryOf(year: number, length: number): number {
  return year > 0
    ? Math.floor((year + length - 1) / length)
    : -Math.floor((length - 1 - (year - 1)) / length);
}

/** Microseconds since 1970 with six decimals. */
function epochOf(value: Int8): Numeric {
  return numeric(BigInt(value) + BigInt(UNIX_EPOCH_DAYS * MICROS_PER_DAY), 6);
}

/** Julian day and the fraction of the day, with as many decimals as a numeric division gives. */
function julianPart(days: number, civil: CivilTime): Numeric {
  const micros = microsFromTime(civil.hour, civil.minute, civil.second, civil.micros);
  const scale = fractionScale(micros);
  const unit = 10n ** BigInt(scale);
  const scaled = BigInt(micros) * unit;
  const dayLength = BigInt(MICROS_PER_DAY);
  const fraction = (scaled + dayLength / 2n) / dayLength;
  return numeric(BigInt(days + POSTGRES_EPOCH_JULIAN) * unit + fraction, scale);
}

/** Decimals of micros / MICROS_PER_DAY as a quotient of numerics: 16 significant digits, counted
 * in groups of four. The divisor's first group is 864, its weight 2. */
function fractionScale(micros: number): number {
  const weight = micros < 1e4 ? 0 : micros < 1e8 ? 1 : 2;
  const firstGroup = Math.floor(micros / 1e4 ** weight);
  const quotientWeight = weight - 2 - (firstGroup <= 864 ? 1 : 0);
  return 16 - quotientWeight * 4;
}

/** Parts of an infinite value: those that grow without end are infinite, the others unknown. */
function infinitePart(
  field: string,
  unit: Unit | undefined,
  value: number,
  typeName: string,
): Numeric | null {
  switch (unit) {
    case 'microsecond':
    case 'millisecond':
    case 'second':
    case 'minute':
    case 'hour':
    case 'day':
    case 'month':
    case 'quarter':
    case 'week':
    case 'dow':
    case 'isodow':
    case 'doy':
      return null;
    case 'timezone':
    case 'timezone_hour':
    case 'timezone_minute':
      return null;
    case 'year':
    case 'decade':
    case 'century':
    case 'millennium':
    case 'julian':
    case 'isoyear':
    case 'epoch':
      return { kind: value > 0 ? 'infinity' : '-infinity' };
    case undefined:
      throw unitNotRecognized(field, typeName);
  }
}
