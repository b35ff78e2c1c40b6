import { ByteWriter } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import type { Int8 } from '../datum.ts';
import { readInt32le, readInt64le } from '../scalar.ts';
import type { SqlType, TypeContext } from '../sql-type.ts';
import { expectLength, readInt8, viewOf, writeKey32, writeKey64 } from './binary.ts';
import { isInfinite, joinTimestamp, MICROS_PER_DAY, microsFromTime } from './calendar.ts';
import {
  dateOutOfRangeForTimestamp,
  dateToTimestamp,
  localTimestamp,
  timestampToDate,
  timestamptzToTime,
  unixSeconds,
  zoneAtMoment,
} from './conversion.ts';
import { MOMENT_LENGTH_MAX } from './date.ts';
import { decodeTimeOfDay } from './decode.ts';
import { textOf, writeOffset, writeTime } from './encode.ts';
import { decoding } from './fault.ts';
import { cutFields } from './lexer.ts';
import { isTimestampValid } from './timestamp.ts';
import { precisionTypmod, roundToPrecision } from './typmod.ts';
import type { TimeZone } from './zone.ts';

/** time with time zone. The Datum is its stored form, 12 bytes, little-endian:
 *
 *   offset  size  field
 *        0     8  micros    since midnight, 0 .. 86400000000
 *        8     4  zone      seconds west of UTC, as PostgreSQL counts on the wire
 *
 * Valid: any 12 bytes within these bounds; every value has one form. Versions: 1, first release.
 *
 * It orders by the moment of the day in UTC, then by zone, east first. */

const LENGTH = 12;
const ZONE_SECONDS_END = 16 * 3600;

const writer = new ByteWriter(LENGTH);

/** A time and seconds east of UTC as a Datum. */
export function makeTimetz(micros: number, offset: number): Uint8Array {
  writer.reset();
  writer.i64le(micros);
  writer.u32le(-offset >>> 0);
  return writer.copy();
}

export function microsOfTimetz(value: Uint8Array, start = 0): number {
  return readInt64le(value, start) as number;
}

/** Seconds east of UTC. */
export function offsetOfTimetz(value: Uint8Array, start = 0): number {
  return -readInt32le(value, start + 8) + 0;
}

/** The local time of a moment with the offset of its zone; null for the infinities. */
export function timestamptzToTimetz(value: Int8, zone: TimeZone): Uint8Array | null {
  const micros = timestamptzToTime(value, zone);
  if (micros === null || isInfinite(value)) return null;
  return makeTimetz(micros, zone.offsetAt(unixSeconds(value)));
}

/** A time of day at the session's offset of the day on which the transaction began. */
export function timeToTimetz(micros: number, now: Int8, zone: TimeZone): Uint8Array {
  const today = timestampToDate(localTimestamp(now, zone));
  const local = unixSeconds(joinTimestamp(today, micros));
  return makeTimetz(micros, zone.offsetOfLocal(local));
}

/** date + timetz is a timestamptz, whatever the session's zone. */
export function datePlusTimetz(days: number, time: Uint8Array): Int8 {
  const midnight = dateToTimestamp(days);
  if (isInfinite(midnight)) return midnight;
  const value = joinTimestamp(days, utcMicros(time, 0));
  if (!isTimestampValid(value)) throw dateOutOfRangeForTimestamp();
  return value;
}

/** `timetz AT TIME ZONE name`, by the zone's offset at a moment. */
export function timetzAtZone(value: Uint8Array, name: string, moment: Int8): Uint8Array {
  return shiftTimetz(value, zoneAtMoment(moment, name).offsetAt(unixSeconds(moment)));
}

/** The same moment of the day at another offset. */
export function shiftTimetz(value: Uint8Array, offset: number): Uint8Array {
  const moved = microsOfTimetz(value) + (offset - offsetOfTimetz(value)) * 1e6;
  const micros = moved % MICROS_PER_DAY;
  return makeTimetz(micros < 0 ? micros + MICROS_PER_DAY : micros, offset);
}

function input(text: string, context: TypeContext): Uint8Array {
  return decoding(text, 'time with time zone', () => {
    const { civil, offset } = decodeTimeOfDay(cutFields(text, MOMENT_LENGTH_MAX), context);
    const { hour, minute, second, micros } = civil;
    return makeTimetz(microsFromTime(hour, minute, second, micros), offset);
  });
}

function writeTimetz(bytes: Uint8Array, start: number, out: ByteWriter): void {
  writeTime(microsOfTimetz(bytes, start), out);
  writeOffset(offsetOfTimetz(bytes, start), out);
}

function sendTimetz(bytes: Uint8Array, start: number, out: ByteWriter): void {
  out.i64be(microsOfTimetz(bytes, start));
  out.u32be(-offsetOfTimetz(bytes, start) >>> 0);
}

/** Microseconds of the day in UTC; may lie outside the day. */
function utcMicros(value: Uint8Array, start: number): number {
  return microsOfTimetz(value, start) - offsetOfTimetz(value, start) * 1e6;
}

export function compareTimetz(a: Uint8Array, b: Uint8Array): number {
  return utcMicros(a, 0) - utcMicros(b, 0) || offsetOfTimetz(b) - offsetOfTimetz(a);
}

function writeKey(bytes: Uint8Array, start: number, out: ByteWriter): void {
  writeKey64(utcMicros(bytes, start), out);
  writeKey32(-offsetOfTimetz(bytes, start), out);
}

export const timetzType: SqlType = {
  oid: 1266,
  name: 'timetz',
  sqlName: 'time with time zone',
  arrayOid: 1270,
  elementOid: 0,
  category: 'D',
  preferred: false,
  length: LENGTH,
  byValue: false,
  align: 'd',
  storage: 'p',
  collation: 0,
  lane: 'bytes',
  stored: 'bytes',
  input,
  output: (value) => textOf((out) => writeTimetz(value as Uint8Array, 0, out)),
  receive(bytes, start, end) {
    expectLength(start, end, LENGTH);
    const micros = readInt8(bytes, start, false);
    if (micros < 0 || micros > MICROS_PER_DAY) {
      throw pgError('datetime_field_overflow', 'time out of range');
    }
    const offset = -viewOf(bytes).getInt32(start + 8) + 0;
    if (Math.abs(offset) >= ZONE_SECONDS_END) {
      throw pgError('invalid_time_zone_displacement_value', 'time zone displacement out of range');
    }
    return makeTimetz(Number(micros), offset);
  },
  send: (value, out) => sendTimetz(value as Uint8Array, 0, out),
  writeText: (value, out) => writeTimetz(value as Uint8Array, 0, out),
  compare: (a, b) => compareTimetz(a as Uint8Array, b as Uint8Array),
  encodeKey: (value, out) => writeKey(value as Uint8Array, 0, out),
  toBytes: (value, out) => out.raw(value as Uint8Array),
  fromBytes: (bytes, start, end) => bytes.slice(start, end),
  textFromBytes: (bytes, start, _end, out) => writeTimetz(bytes, start, out),
  binaryFromBytes: (bytes, start, _end, out) => sendTimetz(bytes, start, out),
  keyFromBytes: (bytes, start, _end, out) => writeKey(bytes, start, out),
  typmodIn: (modifiers) => precisionTypmod(modifiers, 'TIME', ' WITH TIME ZONE'),
  typmodOut: (typmod) => (typmod < 0 ? '' : `(${typmod})`),
  applyTypmod(value, typmod) {
    const time = value as Uint8Array;
    const micros = Number(roundToPrecision(microsOfTimetz(time), typmod));
    return makeTimetz(micros, offsetOfTimetz(time));
  },
};
