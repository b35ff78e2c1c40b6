import type { ByteWriter } from '../../base/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import type { Int8 } from '../datum.ts';
import type { SqlType, TypeContext } from '../sql-type.ts';
import {
  expectLength,
  INT8_MAX,
  INT8_MIN,
  int8FromTimestamp,
  readInt8,
  timestampFromInt8,
  writeKey64,
} from './binary.ts';
import {
  type CivilTime,
  daysFromDate,
  isTimestampInRange,
  joinTimestamp,
  MICROS_PER_DAY,
  microsFromTime,
  UNIX_EPOCH_DAYS,
} from './calendar.ts';
import { compareNumbers, MOMENT_LENGTH_MAX } from './date.ts';
import { decodeMoment, type Moment } from './decode.ts';
import { textOf, writeTimestamp, writeTimestamptz } from './encode.ts';
import { fastIsoTimestamp } from './fast-iso.ts';
import { decoding } from './fault.ts';
import { cutFields } from './lexer.ts';
import { precisionTypmod, roundToPrecision } from './typmod.ts';

/** First moment that a timestamp can hold, and the first beyond the last. */
const TIMESTAMP_MIN = -211813488000000000n;
const TIMESTAMP_END = 9223371331200000000n;

export function isTimestampValid(value: Int8): boolean {
  return value >= TIMESTAMP_MIN && value < TIMESTAMP_END;
}

export function timestampOutOfRange(text?: string): PgError {
  const suffix = text === undefined ? '' : `: "${text}"`;
  return pgError('datetime_field_overflow', `timestamp out of range${suffix}`);
}

/** A moment as a timestamp, `withZone` in UTC. Null where it is out of range. */
function timestampOfMoment(moment: Moment, withZone: boolean): Int8 | null {
  if (moment.kind === 'late') return Number.POSITIVE_INFINITY;
  if (moment.kind === 'early') return Number.NEGATIVE_INFINITY;
  if (moment.kind === 'epoch') return -UNIX_EPOCH_DAYS * MICROS_PER_DAY;
  return timestampAtOrNull(moment.civil, withZone ? moment.offset : 0);
}

/** Fields at an offset (seconds east of UTC) as a timestamp in UTC; null where it is out of range. */
export function timestampAtOrNull(civil: CivilTime, offset: number): Int8 | null {
  const days = daysFromDate(civil.year, civil.month, civil.day);
  // The local time may lie a zone offset outside the range, but no further.
  if (!isTimestampInRange(days + 1) && !isTimestampInRange(days - 1)) return null;
  const time = microsFromTime(civil.hour, civil.minute, civil.second, civil.micros);
  const value = joinTimestamp(days, time - offset * 1e6);
  return isTimestampValid(value) ? value : null;
}

function decodeTimestamp(text: string, context: TypeContext, withZone: boolean): Int8 {
  const fast = fastIsoTimestamp(text, context, withZone);
  if (fast !== null) return fast;
  const typeName = withZone ? 'timestamp with time zone' : 'timestamp';
  const moment = decoding(text, typeName, () =>
    decodeMoment(cutFields(text, MOMENT_LENGTH_MAX), context),
  );
  const value = timestampOfMoment(moment, withZone);
  if (value === null) throw timestampOutOfRange(text);
  return value;
}

function receive(bytes: Uint8Array, start: number, end: number): Int8 {
  expectLength(start, end, 8);
  const stored = readInt8(bytes, start, false);
  if (stored !== INT8_MIN && stored !== INT8_MAX && !isTimestampValid(stored)) {
    throw timestampOutOfRange();
  }
  return timestampFromInt8(stored);
}

/** What timestamp and timestamptz share. */
const common = {
  elementOid: 0,
  category: 'D',
  length: 8,
  byValue: true,
  align: 'd',
  storage: 'p',
  collation: 0,
  lane: 'number',
  stored: 'int8',
  receive,
  send: (value: unknown, out: ByteWriter) => out.i64be(int8FromTimestamp(value as Int8)),
  compare: compareNumbers,
  encodeKey: (value: unknown, out: ByteWriter) => writeKey64(int8FromTimestamp(value as Int8), out),
  toBytes: (value: unknown, out: ByteWriter) => out.i64le(int8FromTimestamp(value as Int8)),
  fromBytes: (bytes: Uint8Array, start: number) => timestampFromInt8(readInt8(bytes, start, true)),
  typmodOut: (typmod: number) => (typmod < 0 ? '' : `(${typmod})`),
  applyTypmod: (value: unknown, typmod: number) => roundTimestamp(value as Int8, typmod),
} as const;

function roundTimestamp(value: Int8, typmod: number): Int8 {
  const rounded = roundToPrecision(value, typmod);
  if (rounded === value || isTimestampValid(rounded)) return rounded;
  throw timestampOutOfRange();
}

/** timestamp: microseconds since 2000-01-01 00:00:00. */
export const timestampType: SqlType = {
  ...common,
  oid: 1114,
  name: 'timestamp',
  sqlName: 'timestamp without time zone',
  arrayOid: 1115,
  preferred: false,
  input: (text, context) => decodeTimestamp(text, context, false),
  output: (value, context) => textOf((out) => writeTimestamp(value as Int8, out, context)),
  writeText: (value, out, context) => writeTimestamp(value as Int8, out, context),
  typmodIn: (modifiers) => precisionTypmod(modifiers, 'TIMESTAMP', ''),
};

/** timestamptz: microseconds since 2000-01-01 00:00:00 UTC. */
export const timestamptzType: SqlType = {
  ...common,
  oid: 1184,
  name: 'timestamptz',
  sqlName: 'timestamp with time zone',
  arrayOid: 1185,
  preferred: true,
  input: (text, context) => decodeTimestamp(text, context, true),
  output: (value, context) => textOf((out) => writeTimestamptz(value as Int8, out, context)),
  writeText: (value, out, context) => writeTimestamptz(value as Int8, out, context),
  typmodIn: (modifiers) => precisionTypmod(modifiers, 'TIMESTAMP', ' WITH TIME ZONE'),
};
