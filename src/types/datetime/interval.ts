import { pgError } from '../../errors/index.ts';
import { type Int8, type Interval, int8 } from '../datum.ts';
import type { SqlType, TypeContext } from '../sql-type.ts';
import { expectLength, readInt8, viewOf, writeKey64 } from './binary.ts';
import {
  DAYS_PER_MONTH,
  MICROS_PER_DAY,
  MICROS_PER_HOUR,
  MICROS_PER_MINUTE,
  MONTHS_PER_YEAR,
} from './calendar.ts';
import {
  decodeInterval,
  decodeIsoInterval,
  RANGE_DAY,
  RANGE_FULL,
  RANGE_HOUR,
  RANGE_MINUTE,
  RANGE_MONTH,
  RANGE_SECOND,
  RANGE_YEAR,
} from './decode-interval.ts';
import { intervalText } from './encode-interval.ts';
import { DatetimeFault, faultError } from './fault.ts';
import { divideInt8 } from './int64.ts';
import { cutFields } from './lexer.ts';
import { checkedPrecision, PRECISION_MAX, roundToPrecision } from './typmod.ts';

/** Stored form, 16 bytes, little-endian: micros int8, days int4, months int4. The wire has the same
 * fields in big-endian.
 *
 * Typmod: declared fields in the upper 16 bits, precision in the lower; all ones for none. */

/** Characters of fields and their terminators that an interval's text may have. */
export const INTERVAL_LENGTH_MAX = 256;
const PRECISION_FULL = 0xffff;

function input(text: string, context: TypeContext, typmod: number): Interval {
  const range = typmod < 0 ? RANGE_FULL : (typmod >> 16) & RANGE_FULL;
  let interval: Interval | null;
  try {
    // Every text that begins with P is of ISO 8601; the other forms have no use for it.
    interval = text.startsWith('P')
      ? decodeIsoInterval(text)
      : decodeInterval(cutFields(text, INTERVAL_LENGTH_MAX), range, context.intervalStyle);
  } catch (thrown) {
    if (!(thrown instanceof DatetimeFault)) throw thrown;
    const kind = thrown.kind === 'field_overflow' ? 'interval_overflow' : thrown.kind;
    throw faultError(kind, text, 'interval');
  }
  if (interval === null) throw pgError('datetime_field_overflow', 'interval out of range');
  return applyTypmod(interval, typmod);
}

/** Length as equality and order see it, with months of 30 days and days of 24 hours: whole days and
 * the microseconds left. Both are safe integers. */
function intervalSpan(interval: Interval): readonly [number, number] {
  const { months, days, micros } = interval;
  let dayCount: number;
  let rest: number;
  if (typeof micros === 'number') {
    dayCount = Math.floor(micros / MICROS_PER_DAY);
    rest = micros - dayCount * MICROS_PER_DAY;
  } else {
    const [quotient, remainder] = divideInt8(micros, MICROS_PER_DAY);
    dayCount = Number(quotient);
    rest = remainder;
    if (rest < 0) {
      dayCount--;
      rest += MICROS_PER_DAY;
    }
  }
  return [months * DAYS_PER_MONTH + days + dayCount, rest];
}

export function compareIntervals(a: Interval, b: Interval): number {
  const [aDays, aMicros] = intervalSpan(a);
  const [bDays, bMicros] = intervalSpan(b);
  return aDays - bDays || aMicros - bMicros;
}

/** What the lower end of each range of declared fields keeps. */
function truncateToRange(interval: Interval, range: number): Interval {
  const { months, days, micros } = interval;
  if (range === RANGE_FULL || (range & RANGE_SECOND) !== 0) return interval;
  if ((range & RANGE_MINUTE) !== 0)
    return { months, days, micros: floorTo(micros, MICROS_PER_MINUTE) };
  if ((range & RANGE_HOUR) !== 0) return { months, days, micros: floorTo(micros, MICROS_PER_HOUR) };
  if ((range & RANGE_DAY) !== 0) return { months, days, micros: 0 };
  if ((range & RANGE_MONTH) !== 0) return { months, days: 0, micros: 0 };
  return { months: Math.trunc(months / MONTHS_PER_YEAR) * MONTHS_PER_YEAR + 0, days: 0, micros: 0 };
}

/** The nearest multiple of a unit towards zero. */
function floorTo(micros: Int8, unit: number): Int8 {
  if (typeof micros === 'number') return micros - (micros % unit) + 0;
  return int8(micros - (micros % BigInt(unit)));
}

function applyTypmod(interval: Interval, typmod: number): Interval {
  if (typmod < 0) return interval;
  const precision = typmod & PRECISION_FULL;
  const truncated = truncateToRange(interval, (typmod >> 16) & RANGE_FULL);
  if (precision === PRECISION_FULL) return truncated;
  const { months, days, micros } = truncated;
  return { months, days, micros: roundToPrecision(micros, precision) };
}

const RANGE_TEXTS: ReadonlyMap<number, string> = new Map([
  [RANGE_YEAR, ' year'],
  [RANGE_MONTH, ' month'],
  [RANGE_DAY, ' day'],
  [RANGE_HOUR, ' hour'],
  [RANGE_MINUTE, ' minute'],
  [RANGE_SECOND, ' second'],
  [RANGE_YEAR | RANGE_MONTH, ' year to month'],
  [RANGE_DAY | RANGE_HOUR, ' day to hour'],
  [RANGE_DAY | RANGE_HOUR | RANGE_MINUTE, ' day to minute'],
  [RANGE_DAY | RANGE_HOUR | RANGE_MINUTE | RANGE_SECOND, ' day to second'],
  [RANGE_HOUR | RANGE_MINUTE, ' hour to minute'],
  [RANGE_HOUR | RANGE_MINUTE | RANGE_SECOND, ' hour to second'],
  [RANGE_MINUTE | RANGE_SECOND, ' minute to second'],
  [RANGE_FULL, ''],
]);

/** Encodes [fields] or [fields, precision], as the grammar gives them. */
function typmodIn(modifiers: readonly number[]): number {
  const [range, precision] = modifiers;
  if (range === undefined || modifiers.length > 2 || !RANGE_TEXTS.has(range)) {
    throw pgError('invalid_parameter_value', 'invalid INTERVAL type modifier');
  }
  if (precision === undefined) {
    return range === RANGE_FULL ? -1 : (range << 16) | PRECISION_FULL;
  }
  return (range << 16) | checkedPrecision(precision, `INTERVAL(${precision})`);
}

function typmodOut(typmod: number): string {
  if (typmod < 0) return '';
  const precision = typmod & PRECISION_FULL;
  const fields = RANGE_TEXTS.get((typmod >> 16) & RANGE_FULL) ?? '';
  return precision > PRECISION_MAX ? fields : `${fields}(${precision})`;
}

/** interval: months, days and microseconds, kept apart. */
export const intervalType: SqlType = {
  oid: 1186,
  name: 'interval',
  sqlName: 'interval',
  arrayOid: 1187,
  elementOid: 0,
  category: 'T',
  preferred: true,
  length: 16,
  byValue: false,
  align: 'd',
  storage: 'p',
  collation: 0,
  lane: 'object',
  stored: 'bytes',
  input,
  output: (value, context) => intervalText(value as Interval, context.intervalStyle),
  receive(bytes, start, end) {
    expectLength(start, end, 16);
    const view = viewOf(bytes);
    return {
      micros: readInt8(bytes, start, false),
      days: view.getInt32(start + 8),
      months: view.getInt32(start + 12),
    };
  },
  send(value, out) {
    const { micros, days, months } = value as Interval;
    out.i64be(micros);
    out.u32be(days >>> 0);
    out.u32be(months >>> 0);
  },
  writeText: (value, out, context) =>
    out.utf8(intervalText(value as Interval, context.intervalStyle)),
  compare: (a, b) => compareIntervals(a as Interval, b as Interval),
  encodeKey(value, out) {
    const [days, micros] = intervalSpan(value as Interval);
    writeKey64(days, out);
    out.i64be(micros);
  },
  toBytes(value, out) {
    const { micros, days, months } = value as Interval;
    out.i64le(micros);
    out.u32le(days >>> 0);
    out.u32le(months >>> 0);
  },
  fromBytes(bytes, start) {
    const view = viewOf(bytes);
    return {
      micros: readInt8(bytes, start, true),
      days: view.getInt32(start + 8, true),
      months: view.getInt32(start + 12, true),
    };
  },
  typmodIn,
  typmodOut,
  applyTypmod: (value, typmod) => applyTypmod(value as Interval, typmod),
};
