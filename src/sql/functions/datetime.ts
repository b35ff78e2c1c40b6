/** Functions of date, time, timestamp, timestamptz and interval. The computation is that of
 * types/datetime; here it gets its names and the zone of the session. */

import { notSupported, pgError } from '../../errors/index.ts';
import type { Datum, Int8, Interval, TimeZone } from '../../types/index.ts';
import * as datetime from '../../types/index.ts';
import type { AggregateFunction, FunctionContext, SetFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { compareNative, orderFunctions, type Scalars } from './order.ts';

type C = FunctionContext;

const MICROS_PER_DAY = 86_400_000_000;

export const zoneOf = (context: C): TimeZone => datetime.sessionZone(context.timeZone);

/** Midnight of a date as microseconds, exact even where no timestamp reaches. */
export function midnight(days: number): Int8 {
  const micros = days * MICROS_PER_DAY;
  return Number.isSafeInteger(micros) || !Number.isFinite(days)
    ? micros
    : BigInt(days) * BigInt(MICROS_PER_DAY);
}

/** A local time in the session's zone, in order even where no timestamptz reaches. */
export function zonedMoment(context: C, local: Int8): Int8 {
  return datetime.comparableMoment(local, zoneOf(context));
}

/** A comparison that needs the zone of the session, under its six names and `cmp`. */
function zonedOrder(
  left: string,
  right: string,
  compare: (context: C, a: Int8, b: Int8) => number,
): Scalars {
  const name = (operation: string) => `${left}_${operation}_${right}`;
  return {
    [name('eq')]: (c: C, a: Int8, b: Int8) => compare(c, a, b) === 0,
    [name('ne')]: (c: C, a: Int8, b: Int8) => compare(c, a, b) !== 0,
    [name('lt')]: (c: C, a: Int8, b: Int8) => compare(c, a, b) < 0,
    [name('le')]: (c: C, a: Int8, b: Int8) => compare(c, a, b) <= 0,
    [name('gt')]: (c: C, a: Int8, b: Int8) => compare(c, a, b) > 0,
    [name('ge')]: (c: C, a: Int8, b: Int8) => compare(c, a, b) >= 0,
    [name('cmp')]: (c: C, a: Int8, b: Int8) => compare(c, a, b),
  };
}

const days = (value: Int8) => Number(value);
const comparisons: Scalars = {
  ...typeOrder('date', compareNative),
  ...typeOrder('time', compareNative),
  ...typeOrder('timestamp', compareNative),
  ...typeOrder('interval', datetime.compareIntervals),
  ...zonedOrder('date', 'timestamp', (_c, a, b) => compareNative(midnight(days(a)), b)),
  ...zonedOrder('timestamp', 'date', (_c, a, b) => compareNative(a, midnight(days(b)))),
  ...zonedOrder('date', 'timestamptz', (c, a, b) =>
    compareNative(zonedMoment(c, midnight(days(a))), b),
  ),
  ...zonedOrder('timestamptz', 'date', (c, a, b) =>
    compareNative(a, zonedMoment(c, midnight(days(b)))),
  ),
  ...zonedOrder('timestamp', 'timestamptz', (c, a, b) => compareNative(zonedMoment(c, a), b)),
  ...zonedOrder('timestamptz', 'timestamp', (c, a, b) => compareNative(a, zonedMoment(c, b))),
};

export function typeOrder<T extends Datum>(type: string, compare: (a: T, b: T) => number): Scalars {
  return orderFunctions(
    {
      prefix: `${type}_`,
      compare: `${type}_cmp`,
      larger: `${type}_larger`,
      smaller: `${type}_smaller`,
    },
    compare,
  );
}

const arithmetic: Scalars = {
  date_mi: (_c, a: number, b: number) => datetime.subtractDates(a, b),
  date_pli: (_c, a: number, count: number) => datetime.addDaysToDate(a, count),
  date_mii: (_c, a: number, count: number) => datetime.addDaysToDate(a, -count),
  '2550': (_c, count: number, a: number) => datetime.addDaysToDate(a, count),
  date_pl_interval: (_c, a: number, b: Interval) => datetime.datePlusInterval(a, b),
  date_mi_interval: (_c, a: number, b: Interval) => datetime.dateMinusInterval(a, b),
  '2546': (_c, a: Interval, b: number) => datetime.datePlusInterval(b, a),
  time_mi_time: (_c, a: number, b: number) => datetime.subtractTimes(a, b),
  time_pl_interval: (_c, a: number, b: Interval) => datetime.timePlusInterval(a, b),
  time_mi_interval: (_c, a: number, b: Interval) => datetime.timeMinusInterval(a, b),
  '1848': (_c, a: Interval, b: number) => datetime.timePlusInterval(b, a),
  timestamp_mi: (_c, a: Int8, b: Int8) => datetime.subtractTimestamps(a, b),
  timestamp_pl_interval: (_c, a: Int8, b: Interval) => datetime.timestampPlusInterval(a, b),
  timestamp_mi_interval: (_c, a: Int8, b: Interval) => datetime.timestampMinusInterval(a, b),
  '2548': (_c, a: Interval, b: Int8) => datetime.timestampPlusInterval(b, a),
  timestamptz_pl_interval: (c: C, a: Int8, b: Interval) =>
    datetime.timestamptzPlusInterval(a, b, zoneOf(c)),
  timestamptz_mi_interval: (c: C, a: Int8, b: Interval) =>
    datetime.timestamptzMinusInterval(a, b, zoneOf(c)),
  '2549': (c: C, a: Interval, b: Int8) => datetime.timestamptzPlusInterval(b, a, zoneOf(c)),
  interval_pl: (_c, a: Interval, b: Interval) => datetime.addIntervals(a, b),
  interval_mi: (_c, a: Interval, b: Interval) => datetime.subtractIntervals(a, b),
  interval_um: (_c, a: Interval) => datetime.negateInterval(a),
  interval_mul: (_c, a: Interval, factor: number) => datetime.multiplyInterval(a, factor),
  mul_d_interval: (_c, factor: number, a: Interval) => datetime.multiplyInterval(a, factor),
  interval_div: (_c, a: Interval, divisor: number) => datetime.divideInterval(a, divisor),
  interval_justify_hours: (_c, a: Interval) => datetime.justifyHours(a),
  interval_justify_days: (_c, a: Interval) => datetime.justifyDays(a),
  interval_justify_interval: (_c, a: Interval) => datetime.justifyInterval(a),
  timestamp_age: (_c, a: Int8, b: Int8) => datetime.timestampAge(a, b),
  timestamptz_age: (c: C, a: Int8, b: Int8) => datetime.timestamptzAge(a, b, zoneOf(c)),
  // age(x) counts from the midnight that began the current day.
  '2059': (c: C, a: Int8) => datetime.timestampAge(datetime.dateToTimestamp(today(c)), a),
  '1386': (c: C, a: Int8) =>
    datetime.timestamptzAge(datetime.dateToTimestamptz(today(c), zoneOf(c)), a, zoneOf(c)),
};

function today(context: C): number {
  return datetime.currentDate(context.transactionTimestamp, zoneOf(context));
}

function isFiniteMoment(value: Int8): boolean {
  return value !== Infinity && value !== -Infinity;
}

const localMoment = (c: C, local: Int8) => datetime.momentOfLocal(local, zoneOf(c));

const casts: Scalars = {
  date_timestamp: (_c, a: number) => datetime.dateToTimestamp(a),
  date_timestamptz: (c: C, a: number) => datetime.dateToTimestamptz(a, zoneOf(c)),
  timestamp_date: (_c, a: Int8) => datetime.timestampToDate(a),
  timestamp_time: (_c, a: Int8) => datetime.timestampToTime(a),
  timestamp_timestamptz: (c: C, a: Int8) => localMoment(c, a),
  timestamptz_date: (c: C, a: Int8) => datetime.timestamptzToDate(a, zoneOf(c)),
  timestamptz_time: (c: C, a: Int8) => datetime.timestamptzToTime(a, zoneOf(c)),
  timestamptz_timestamp: (c: C, a: Int8) => datetime.localTimestamp(a, zoneOf(c)),
  time_interval: (_c, a: number) => datetime.timeToInterval(a),
  interval_time: (_c, a: Interval) => datetime.intervalToTime(a),
  datetime_timestamp: (_c, a: number, b: number) => datetime.datePlusTime(a, b),
  '1296': (_c, a: number, b: number) => datetime.datePlusTime(b, a),
  '1176': (c: C, a: number, b: number) => localMoment(c, datetime.datePlusTime(a, b)),
  float8_timestamptz: (_c, seconds: number) => datetime.timestamptzFromUnix(seconds),
  date_finite: (_c, a: number) => isFiniteMoment(a),
  timestamp_finite: (_c, a: Int8) => isFiniteMoment(a),
  interval_finite: () => true,
};

const zones: Scalars = {
  timestamptz_zone: (_c, name: string, a: Int8) => datetime.timestamptzAtZone(a, name),
  timestamp_zone: (_c, name: string, a: Int8) => datetime.timestampAtZone(a, name),
  timestamptz_izone: (_c, zone: Interval, a: Int8) =>
    isFiniteMoment(a) ? datetime.localTimestamp(a, datetime.zoneOfInterval(zone)) : a,
  timestamp_izone: (_c, zone: Interval, a: Int8) =>
    isFiniteMoment(a) ? datetime.momentOfLocal(a, datetime.zoneOfInterval(zone)) : a,
};

/** date_part: EXTRACT's answer as a double. */
function partOf<Value>(
  extract: (field: string, value: Value, zone: TimeZone) => datetime.Numeric | null,
) {
  return (c: C, field: string, value: Value) => {
    const part = extract(field, value, zoneOf(c));
    return part === null ? null : datetime.doubleOfPart(field, part);
  };
}

const fields: Scalars = {
  extract_date: (_c, field: string, a: number) => datetime.extractFromDate(field, a),
  extract_time: (_c, field: string, a: number) => datetime.extractFromTime(field, a),
  extract_timestamp: (_c, field: string, a: Int8) => datetime.extractFromTimestamp(field, a),
  extract_timestamptz: (c: C, field: string, a: Int8) =>
    datetime.extractFromTimestamptz(field, a, zoneOf(c)),
  extract_interval: (_c, field: string, a: Interval) => datetime.extractFromInterval(field, a),
  '1384': partOf((field, a: number) =>
    datetime.extractFromTimestamp(field, datetime.dateToTimestamp(a)),
  ),
  time_part: partOf(datetime.extractFromTime),
  timestamp_part: partOf(datetime.extractFromTimestamp),
  timestamptz_part: partOf(datetime.extractFromTimestamptz),
  interval_part: (_c, field: string, a: Interval) => datetime.partOfInterval(field, a),
  timestamp_trunc: (_c, field: string, a: Int8) => datetime.truncateTimestamp(field, a),
  timestamptz_trunc: (c: C, field: string, a: Int8) =>
    datetime.truncateTimestamptz(field, a, zoneOf(c)),
  timestamptz_trunc_zone: (_c, field: string, a: Int8, zone: string) =>
    datetime.truncateTimestamptz(
      field,
      a,
      isFiniteMoment(a) ? datetime.zoneAtMoment(a, zone) : datetime.sessionZone('UTC'),
    ),
  interval_trunc: (_c, field: string, a: Interval) => datetime.truncateInterval(field, a),
  timestamp_bin: (_c, stride: Interval, a: Int8, origin: Int8) =>
    datetime.binTimestamp(stride, a, origin),
  timestamptz_bin: (_c, stride: Interval, a: Int8, origin: Int8) =>
    datetime.binTimestamp(stride, a, origin),
};

const constructors: Scalars = {
  make_date: (_c, year: number, month: number, day: number) => datetime.makeDate(year, month, day),
  make_time: (_c, hour: number, minute: number, second: number) =>
    datetime.makeTime(hour, minute, second),
  make_timestamp: (_c, y: number, mo: number, d: number, h: number, mi: number, s: number) =>
    datetime.makeTimestamp(y, mo, d, h, mi, s),
  make_timestamptz: (c: C, y: number, mo: number, d: number, h: number, mi: number, s: number) =>
    datetime.makeTimestamptz(datetime.makeTimestamp(y, mo, d, h, mi, s), zoneOf(c)),
  make_timestamptz_at_timezone: (
    _c,
    y: number,
    mo: number,
    d: number,
    h: number,
    mi: number,
    s: number,
    zone: string,
  ) => datetime.makeTimestamptz(datetime.makeTimestamp(y, mo, d, h, mi, s), zone),
  make_interval: (
    _c,
    y: number,
    mo: number,
    w: number,
    d: number,
    h: number,
    mi: number,
    s: number,
  ) => datetime.makeInterval(y, mo, w, d, h, mi, s),
  now: (c: C) => c.transactionTimestamp,
  statement_timestamp: (c: C) => c.statementTimestamp,
  clock_timestamp: (c: C) => c.clockTimestamp(),
};

const formatting: Scalars = {
  timestamp_to_char: (_c, a: Int8, format: string) => datetime.formatTimestamp(a, format),
  timestamptz_to_char: (c: C, a: Int8, format: string) =>
    datetime.formatTimestamptz(a, format, zoneOf(c)),
  interval_to_char: (_c, a: Interval, format: string) => datetime.formatInterval(a, format),
  to_date: (_c, text: string, format: string) => datetime.parseDate(text, format),
  to_timestamp: (c: C, text: string, format: string) =>
    datetime.parseTimestamptz(text, format, zoneOf(c)),
  timeofday: (c: C) =>
    datetime.formatTimestamptz(c.clockTimestamp(), 'Dy Mon DD HH24:MI:SS.US YYYY TZ', zoneOf(c)),
};

type Plus<T> = (context: C, value: T, span: Interval) => T;

/** The four forms of OVERLAPS of one type; a period's end may be given by its length. */
function overlapForms<T extends number | bigint>(
  ends: string,
  bothSpans: number,
  secondSpan: number,
  firstSpan: number,
  plus: Plus<T>,
): Scalars {
  const add = (c: C, start: T | null, span: Interval | null) =>
    start === null || span === null ? null : plus(c, start, span);
  const compare = (a: T | null, b: T | null, c: T | null, d: T | null) =>
    datetime.overlaps<T>(a, b, c, d, compareNative);
  type Span = Interval | null;
  return {
    [ends]: (_c: C, a: T | null, b: T | null, c: T | null, d: T | null) => compare(a, b, c, d),
    [bothSpans]: (x: C, a: T | null, b: Span, c: T | null, d: Span) =>
      compare(a, add(x, a, b), c, add(x, c, d)),
    [secondSpan]: (x: C, a: T | null, b: T | null, c: T | null, d: Span) =>
      compare(a, b, c, add(x, c, d)),
    [firstSpan]: (x: C, a: T | null, b: Span, c: T | null, d: T | null) =>
      compare(a, add(x, a, b), c, d),
  };
}

const overlapping: Scalars = {
  ...overlapForms<Int8>('overlaps_timestamp', 2042, 2043, 2044, (_c, a, span) =>
    datetime.timestampPlusInterval(a, span),
  ),
  ...overlapForms<Int8>('overlaps_timestamp', 1305, 1306, 1307, (c, a, span) =>
    datetime.timestamptzPlusInterval(a, span, zoneOf(c)),
  ),
  ...overlapForms<number>('overlaps_time', 1309, 1310, 1311, (_c, a, span) =>
    datetime.timePlusInterval(a, span),
  ),
};

const NO_TIME: Interval = { months: 0, days: 0, micros: 0 };

function* series(
  start: Int8,
  stop: Int8,
  step: Interval,
  plus: (value: Int8, span: Interval) => Int8,
): Generator<Int8> {
  const direction = datetime.compareIntervals(step, NO_TIME);
  if (direction === 0) throw pgError('invalid_parameter_value', 'step size cannot equal zero');
  for (
    let value = start;
    direction > 0 ? value <= stop : value >= stop;
    value = plus(value, step)
  ) {
    if (!isFiniteMoment(value)) throw notSupported('a series that starts at infinity');
    yield value;
  }
}

const sets: Record<string, SetFunction> = {
  generate_series_timestamp: (_c, start: Int8, stop: Int8, step: Interval) =>
    series(start, stop, step, datetime.timestampPlusInterval),
  generate_series_timestamptz: (c: C, start: Int8, stop: Int8, step: Interval) => {
    const zone = zoneOf(c);
    return series(start, stop, step, (value, span) =>
      datetime.timestamptzPlusInterval(value, span, zone),
    );
  },
};

interface IntervalMean {
  count: number;
  sum: Interval;
}

const averageInterval: AggregateFunction<IntervalMean> = {
  strict: true,
  initial: () => ({ count: 0, sum: NO_TIME }),
  accumulate(_context, state, value) {
    state.count++;
    state.sum = datetime.addIntervals(state.sum, value as Interval);
    return state;
  },
  combine(_context, state, other) {
    state.count += other.count;
    state.sum = datetime.addIntervals(state.sum, other.sum);
    return state;
  },
  finish: (_context, state) =>
    state.count === 0 ? null : datetime.divideInterval(state.sum, state.count),
};

registerFunctions({
  scalars: {
    ...comparisons,
    ...arithmetic,
    ...casts,
    ...zones,
    ...fields,
    ...constructors,
    ...formatting,
    ...overlapping,
  },
  sets,
  aggregates: { 'interval_accum/interval_avg': averageInterval },
});
