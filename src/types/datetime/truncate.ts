import { pgError } from '../../errors/index.ts';
import type { Int8, Interval } from '../datum.ts';
import {
  type CivilTime,
  dateFromDays,
  dayOfWeek,
  daysFromDate,
  isInfinite,
  MICROS_PER_DAY,
} from './calendar.ts';
import {
  civilFromTimestamp,
  localCivil,
  timestampAt,
  timestampFromCivil,
  unixSeconds,
} from './conversion.ts';
import { intervalFields } from './encode-interval.ts';
import { centuryOf, unitNotRecognized, unitNotSupported } from './extract.ts';
import { addInt8, checkedInt8, multiplyInt8 } from './int64.ts';
import { makeCheckedInterval } from './interval-arithmetic.ts';
import { isTimestampValid, timestampOutOfRange } from './timestamp.ts';
import { intervalUnitOf, type Unit } from './words.ts';
import { offsetOfCivilTime, type TimeZone } from './zone.ts';

/** date_trunc and date_bin. */

export function truncateTimestamp(field: string, value: Int8): Int8 {
  if (isInfinite(value)) return value;
  const unit = truncationUnit(field, 'timestamp without time zone');
  const civil = civilFromTimestamp(value);
  truncateCivil(unit, civil);
  return timestampFromCivil(civil);
}

export function truncateTimestamptz(field: string, value: Int8, zone: TimeZone): Int8 {
  if (isInfinite(value)) return value;
  const unit = truncationUnit(field, 'timestamp with time zone');
  const civil = localCivil(value, zone);
  truncateCivil(unit, civil);
  // Within a day the offset of the moment still counts, even where the clocks show an hour twice.
  const offset = CLOCK_UNITS.has(unit)
    ? zone.offsetAt(unixSeconds(value))
    : offsetOfCivilTime(civil, zone);
  return timestampAt(civil, offset);
}

const CLOCK_UNITS: ReadonlySet<Unit> = new Set<Unit>([
  'microsecond',
  'millisecond',
  'second',
  'minute',
  'hour',
]);

const CALENDAR_UNITS: readonly Unit[] = [
  'day',
  'week',
  'month',
  'quarter',
  'year',
  'decade',
  'century',
  'millennium',
];

function truncationUnit(field: string, typeName: string): Unit {
  const unit = intervalUnitOf(field);
  if (unit !== undefined && (CLOCK_UNITS.has(unit) || CALENDAR_UNITS.includes(unit))) return unit;
  if (unit !== undefined && OTHER_UNITS.has(unit)) throw unitNotSupported(field, typeName);
  throw unitNotRecognized(field, typeName);
}

/** Units that PostgreSQL knows in its table of intervals and cannot truncate to. */
const OTHER_UNITS: ReadonlySet<Unit> = new Set<Unit>([
  'timezone',
  'timezone_hour',
  'timezone_minute',
]);

function truncateCivil(unit: Unit, civil: CivilTime): void {
  if (unit === 'microsecond') return;
  if (unit === 'millisecond') {
    civil.micros -= civil.micros % 1000;
    return;
  }
  civil.micros = 0;
  if (unit === 'second') return;
  civil.second = 0;
  if (unit === 'minute') return;
  civil.minute = 0;
  if (unit === 'hour') return;
  civil.hour = 0;
  truncateDate(unit, civil);
}

function truncateDate(unit: Unit, civil: CivilTime): void {
  switch (unit) {
    case 'day':
      return;
    case 'week': {
      const days = daysFromDate(civil.year, civil.month, civil.day);
      dateFromDays(days - ((dayOfWeek(days) + 6) % 7), civil);
      return;
    }
    case 'month':
      break;
    case 'quarter':
      civil.month -= (civil.month - 1) % 3;
      break;
    default:
      civil.month = 1;
      civil.year = truncateYear(unit, civil.year);
  }
  civil.day = 1;
}

function truncateYear(unit: Unit, year: number): number {
  if (unit === 'decade') return Math.floor(year / 10) * 10;
  if (unit !== 'century' && unit !== 'millennium') return year;
  const length = unit === 'century' ? 100 : 1000;
  const number = centuryOf(year, length);
  return number > 0 ? (number - 1) * length + 1 : number * length + 1;
}

export function truncateInterval(field: string, interval: Interval): Interval {
  const unit = intervalUnitOf(field);
  if (unit === 'week') {
    throw unitNotSupported(field, 'interval', 'Months usually have fractional weeks.');
  }
  if (unit === undefined || !(CLOCK_UNITS.has(unit) || CALENDAR_UNITS.includes(unit))) {
    if (unit !== undefined && OTHER_UNITS.has(unit)) throw unitNotSupported(field, 'interval');
    throw unitNotRecognized(field, 'interval');
  }
  const { months, days, micros } = interval;
  const monthCount = MONTHS_OF_UNIT.get(unit);
  if (monthCount !== undefined) return makeCheckedInterval(months - (months % monthCount), 0, 0);
  if (unit === 'day') return { months, days, micros: 0 };
  const fields = intervalFields(interval);
  let rest = 0;
  if (unit === 'millisecond') rest = fields.micros % 1000;
  else if (unit !== 'microsecond') rest = fields.micros;
  if (unit === 'minute' || unit === 'hour') rest += fields.second * 1e6;
  if (unit === 'hour') rest += fields.minute * 60e6;
  return makeCheckedInterval(months, days, addInt8(micros, -rest));
}

const MONTHS_OF_UNIT: ReadonlyMap<Unit, number> = new Map([
  ['month', 1],
  ['quarter', 3],
  ['year', 12],
  ['decade', 120],
  ['century', 1200],
  ['millennium', 12000],
]);

/** date_bin: the start of the bin of `stride` that holds a timestamp, bins being laid from `origin`. */
export function binTimestamp(stride: Interval, value: Int8, origin: Int8): Int8 {
  if (isInfinite(value)) return value;
  if (isInfinite(origin)) throw pgError('datetime_field_overflow', 'origin out of range');
  if (stride.months !== 0) {
    throw pgError(
      'feature_not_supported',
      'timestamps cannot be binned into intervals containing months or years',
    );
  }
  const dayMicros = multiplyInt8(stride.days, MICROS_PER_DAY);
  const micros = dayMicros === null ? null : addInt8(dayMicros, stride.micros);
  if (micros === null) throw pgError('datetime_field_overflow', 'interval out of range');
  if (micros <= 0) {
    throw pgError('datetime_field_overflow', 'stride must be greater than zero');
  }
  const length = BigInt(micros);
  const distance = BigInt(value) - BigInt(origin);
  if (checkedInt8(distance) === null) {
    throw pgError('datetime_field_overflow', 'interval out of range');
  }
  let bin = distance - (distance % length);
  if (distance % length < 0n) bin -= length;
  const result = checkedInt8(BigInt(origin) + bin);
  if (result === null || !isTimestampValid(result)) throw timestampOutOfRange();
  return result;
}
