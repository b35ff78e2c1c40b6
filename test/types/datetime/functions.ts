import {
  addDaysToDate,
  addIntervals,
  binTimestamp,
  canonicalTimeZone,
  dateMinusInterval,
  datePlusInterval,
  dateToTimestamp,
  dateToTimestamptz,
  dateType,
  divideInterval,
  doubleOfPart,
  extractFromDate,
  extractFromInterval,
  extractFromTime,
  extractFromTimestamp,
  extractFromTimestamptz,
  findTimeZone,
  formatInterval,
  formatTimestamp,
  formatTimestamptz,
  intervalToTime,
  intervalType,
  justifyDays,
  justifyHours,
  justifyInterval,
  localTimestamp,
  makeDate,
  makeInterval,
  makeTime,
  makeTimestamp,
  makeTimestamptz,
  momentOfLocal,
  multiplyInterval,
  overlaps,
  parseDate,
  parseTimestamptz,
  partOfInterval,
  sessionZone,
  subtractDates,
  subtractIntervals,
  subtractTimes,
  subtractTimestamps,
  timeMinusInterval,
  timePlusInterval,
  timestampAge,
  timestampAtZone,
  timestampMinusInterval,
  timestampPlusInterval,
  timestampToDate,
  timestampToTime,
  timestampType,
  timestamptzAge,
  timestamptzAtZone,
  timestamptzFromUnix,
  timestamptzMinusInterval,
  timestamptzPlusInterval,
  timestamptzToDate,
  timestamptzToTime,
  timestamptzType,
  timeType,
  truncateInterval,
  truncateTimestamp,
  truncateTimestamptz,
  zoneOfInterval,
} from '../../../src/types/datetime/index.ts';
import type { Datum, Int8, Interval, Numeric } from '../../../src/types/datum.ts';
import type { SqlType, TypeContext } from '../../../src/types/sql-type.ts';

/** The functions that the golden files call by name, over text: arguments are parsed as literals of
 * their types, results printed as PostgreSQL prints them. */

export const CONTEXT: TypeContext = {
  timeZone: 'America/New_York',
  dateStyle: 'ISO',
  dateOrder: 'MDY',
  intervalStyle: 'postgres',
  extraFloatDigits: 1,
  byteaOutput: 'hex',
  transactionTimestamp: 646_000_000_000_000,
};

const zone = sessionZone(CONTEXT.timeZone);

const date = (text: string): number => dateType.input(text, CONTEXT, -1) as number;
const time = (text: string): number => timeType.input(text, CONTEXT, -1) as number;
const ts = (text: string): Int8 => timestampType.input(text, CONTEXT, -1) as Int8;
const tz = (text: string): Int8 => timestamptzType.input(text, CONTEXT, -1) as Int8;
const iv = (text: string): Interval => intervalType.input(text, CONTEXT, -1) as Interval;

const show =
  (type: SqlType) =>
  (value: Datum): string =>
    value === null ? '\\N' : type.output(value, CONTEXT);
const outDate = show(dateType);
const outTime = show(timeType);
const outTs = show(timestampType);
const outTz = show(timestamptzType);
const outIv = show(intervalType);

export function numericText(value: Numeric | null): string {
  if (value === null) return '\\N';
  if (value.kind !== 'finite') return value.kind === 'infinity' ? 'Infinity' : '-Infinity';
  const negative = value.unscaled < 0n;
  const digits = (negative ? -value.unscaled : value.unscaled)
    .toString()
    .padStart(value.scale + 1, '0');
  const whole = digits.slice(0, digits.length - value.scale);
  const text = value.scale === 0 ? whole : `${whole}.${digits.slice(whole.length)}`;
  return negative ? `-${text}` : text;
}

const double = (field: string, value: Numeric | null): string =>
  value === null ? '\\N' : String(doubleOfPart(field, value));

const compareTs = (a: Int8, b: Int8): number => timestampType.compare(a, b);
const orNull = (text: string): Int8 | null => (text === '\\N' ? null : ts(text));

export const FUNCTIONS: Readonly<Record<string, (...args: string[]) => string>> = {
  date_plus: (a, n) => outDate(addDaysToDate(date(a!), Number(n))),
  date_minus_date: (a, b) => String(subtractDates(date(a!), date(b!))),
  date_plus_interval: (a, b) => outTs(datePlusInterval(date(a!), iv(b!))),
  date_minus_interval: (a, b) => outTs(dateMinusInterval(date(a!), iv(b!))),
  ts_plus: (a, b) => outTs(timestampPlusInterval(ts(a!), iv(b!))),
  ts_minus: (a, b) => outTs(timestampMinusInterval(ts(a!), iv(b!))),
  tz_plus: (a, b) => outTz(timestamptzPlusInterval(tz(a!), iv(b!), zone)),
  tz_minus: (a, b) => outTz(timestamptzMinusInterval(tz(a!), iv(b!), zone)),
  ts_diff: (a, b) => outIv(subtractTimestamps(ts(a!), ts(b!))),
  tz_diff: (a, b) => outIv(subtractTimestamps(tz(a!), tz(b!))),
  time_plus: (a, b) => outTime(timePlusInterval(time(a!), iv(b!))),
  time_minus: (a, b) => outTime(timeMinusInterval(time(a!), iv(b!))),
  time_diff: (a, b) => outIv(subtractTimes(time(a!), time(b!))),
  ts_age: (a, b) => outIv(timestampAge(ts(a!), ts(b!))),
  tz_age: (a, b) => outIv(timestamptzAge(tz(a!), tz(b!), zone)),
  iv_plus: (a, b) => outIv(addIntervals(iv(a!), iv(b!))),
  iv_minus: (a, b) => outIv(subtractIntervals(iv(a!), iv(b!))),
  iv_times: (a, b) => outIv(multiplyInterval(iv(a!), Number(b))),
  iv_over: (a, b) => outIv(divideInterval(iv(a!), Number(b))),
  iv_compare: (a, b) => String(Math.sign(intervalType.compare(iv(a!), iv(b!)))),
  justify_hours: (a) => outIv(justifyHours(iv(a!))),
  justify_days: (a) => outIv(justifyDays(iv(a!))),
  justify_interval: (a) => outIv(justifyInterval(iv(a!))),
  extract_ts: (f, a) => numericText(extractFromTimestamp(f!, ts(a!))),
  extract_tz: (f, a) => numericText(extractFromTimestamptz(f!, tz(a!), zone)),
  extract_date: (f, a) => numericText(extractFromDate(f!, date(a!))),
  extract_time: (f, a) => numericText(extractFromTime(f!, time(a!))),
  extract_iv: (f, a) => numericText(extractFromInterval(f!, iv(a!))),
  part_ts: (f, a) => double(f!, extractFromTimestamp(f!, ts(a!))),
  part_iv: (f, a) => String(partOfInterval(f!, iv(a!))),
  trunc_ts: (f, a) => outTs(truncateTimestamp(f!, ts(a!))),
  trunc_tz: (f, a) => outTz(truncateTimestamptz(f!, tz(a!), zone)),
  trunc_iv: (f, a) => outIv(truncateInterval(f!, iv(a!))),
  bin: (s, a, o) => outTs(binTimestamp(iv(s!), ts(a!), ts(o!))),
  make_date: (y, m, d) => outDate(makeDate(Number(y), Number(m), Number(d))),
  make_time: (h, m, s) => outTime(makeTime(Number(h), Number(m), Number(s))),
  make_ts: (...n) => {
    const [y, mo, d, h, mi, s] = n.map(Number) as [number, number, number, number, number, number];
    return outTs(makeTimestamp(y, mo, d, h, mi, s));
  },
  make_tz: (a, z) => outTz(makeTimestamptz(ts(a!), z!)),
  make_iv: (...n) => {
    const p = n.map(Number) as [number, number, number, number, number, number, number];
    return outIv(makeInterval(...p));
  },
  overlaps: (a, b, c, d) => {
    const result = overlaps(orNull(a!), orNull(b!), orNull(c!), orNull(d!), compareTs);
    return result === null ? '\\N' : result ? 't' : 'f';
  },
  ts_at_zone: (a, z) => outTz(timestampAtZone(ts(a!), z!)),
  tz_at_zone: (a, z) => outTs(timestamptzAtZone(tz(a!), z!)),
  ts_at_interval: (a, i) => outTz(momentOfLocal(ts(a!), zoneOfInterval(iv(i!)))),
  date_to_ts: (a) => outTs(dateToTimestamp(date(a!))),
  date_to_tz: (a) => outTz(dateToTimestamptz(date(a!), zone)),
  ts_to_date: (a) => outDate(timestampToDate(ts(a!))),
  ts_to_time: (a) => outTime(timestampToTime(ts(a!))),
  tz_to_date: (a) => outDate(timestamptzToDate(tz(a!), zone)),
  tz_to_time: (a) => outTime(timestamptzToTime(tz(a!), zone)),
  ts_to_tz: (a) => outTz(momentOfLocal(ts(a!), zone)),
  tz_to_ts: (a) => outTs(localTimestamp(tz(a!), zone)),
  iv_to_time: (a) => outTime(intervalToTime(iv(a!))),
  from_unix: (a) => outTz(timestamptzFromUnix(Number(a))),
  char_ts: (a, f) => formatTimestamp(ts(a!), f!) ?? '\\N',
  char_tz: (a, f) => formatTimestamptz(tz(a!), f!, zone) ?? '\\N',
  char_iv: (a, f) => formatInterval(iv(a!), f!) ?? '\\N',
  to_date: (a, f) => outDate(parseDate(a!, f!)),
  to_tz: (a, f) => outTz(parseTimestamptz(a!, f!, zone)),
  zone_name: (a) => canonicalTimeZone(a!) ?? '!',
  zone_offset: (z, a) => {
    const found = findTimeZone(z!);
    return found === null ? '!' : outTs(localTimestamp(tz(a!), found));
  },
};
