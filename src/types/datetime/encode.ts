import { type ByteWriter, decodeUtf8, ByteWriter as Writer } from '../../base/index.ts';
import type { Int8, Interval } from '../datum.ts';
import type { TypeContext } from '../sql-type.ts';
import {
  type CivilTime,
  dateFromDays,
  dayOfWeek,
  MICROS_PER_DAY,
  newCivilTime,
  splitTimestamp,
  timeFromMicros,
  UNIX_EPOCH_DAYS,
} from './calendar.ts';
import { DAY_NAMES, MONTH_NAMES } from './words.ts';
import { sessionZone } from './zone.ts';

/** Text forms, written as bytes. They allocate nothing in the ISO style. */

const scratch = new Writer(128);

/** The string that a writing function writes. */
export function textOf(write: (out: ByteWriter) => void): string {
  scratch.reset();
  write(scratch);
  return decodeUtf8(scratch.bytes, 0, scratch.position);
}

const civil = newCivilTime();
const split = { days: 0, micros: 0 };

const SPACE = 32;
const MINUS = 45;
const COLON = 58;
const DOT = 46;
const SLASH = 47;
const ZERO = 48;

export function writeDate(days: number, out: ByteWriter, context: TypeContext): void {
  if (!Number.isFinite(days)) {
    writeInfinity(days, out);
    return;
  }
  dateFromDays(days, civil);
  if (context.dateStyle === 'ISO') {
    writeIsoDate(civil, out);
  } else if (context.dateStyle === 'Postgres') {
    const dayFirst = context.dateOrder === 'DMY';
    writeTwo(dayFirst ? civil.day : civil.month, out);
    out.u8(MINUS);
    writeTwo(dayFirst ? civil.month : civil.day, out);
    out.u8(MINUS);
    writeYear(civil, out);
  } else {
    writeSlashedDate(civil, out, context);
  }
  writeEra(civil, out);
}

/** `micros` since midnight, up to 24:00:00. */
export function writeTime(micros: number, out: ByteWriter): void {
  timeFromMicros(micros, civil);
  writeClock(civil, out);
}

export function writeTimestamp(value: Int8, out: ByteWriter, context: TypeContext): void {
  if (isInfinite(value)) {
    writeInfinity(value as number, out);
    return;
  }
  splitTimestamp(value, split);
  writeMoment(out, context, null, '');
}

export function writeTimestamptz(value: Int8, out: ByteWriter, context: TypeContext): void {
  if (isInfinite(value)) {
    writeInfinity(value as number, out);
    return;
  }
  splitTimestamp(value, split);
  const zone = sessionZone(context.timeZone);
  const seconds = (split.days + UNIX_EPOCH_DAYS) * 86_400 + Math.floor(split.micros / 1e6);
  const offset = zone.offsetAt(seconds);
  shiftSplit(offset);
  const abbreviation = context.dateStyle === 'ISO' ? '' : zone.abbreviationAt(seconds);
  writeMoment(out, context, offset, abbreviation);
}

/** Moves the split moment by an offset. */
function shiftSplit(offsetSeconds: number): void {
  split.micros += offsetSeconds * 1e6;
  if (split.micros < 0 || split.micros >= MICROS_PER_DAY) {
    const carry = Math.floor(split.micros / MICROS_PER_DAY);
    split.days += carry;
    split.micros -= carry * MICROS_PER_DAY;
  }
}

function isInfinite(value: Int8): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}

function writeInfinity(value: number, out: ByteWriter): void {
  out.utf8(value > 0 ? 'infinity' : '-infinity');
}

/** Writes the moment that `split` holds. */
function writeMoment(
  out: ByteWriter,
  context: TypeContext,
  offset: number | null,
  abbreviation: string,
): void {
  dateFromDays(split.days, civil);
  timeFromMicros(split.micros, civil);
  if (context.dateStyle === 'Postgres') {
    writePostgresMoment(out, context, offset, abbreviation);
    return;
  }
  if (context.dateStyle === 'ISO') writeIsoDate(civil, out);
  else writeSlashedDate(civil, out, context);
  out.u8(SPACE);
  writeClock(civil, out);
  if (offset !== null) {
    if (abbreviation !== '') {
      out.u8(SPACE);
      out.utf8(abbreviation);
    } else {
      writeOffset(offset, out);
    }
  }
  writeEra(civil, out);
}

/** Mon Feb 10 17:32:01 1997 PST */
function writePostgresMoment(
  out: ByteWriter,
  context: TypeContext,
  offset: number | null,
  abbreviation: string,
): void {
  out.utf8((DAY_NAMES[dayOfWeek(split.days)] ?? '').slice(0, 3));
  out.u8(SPACE);
  const month = (MONTH_NAMES[civil.month - 1] ?? '').slice(0, 3);
  if (context.dateOrder === 'DMY') {
    writeTwo(civil.day, out);
    out.u8(SPACE);
    out.utf8(month);
  } else {
    out.utf8(month);
    out.u8(SPACE);
    writeTwo(civil.day, out);
  }
  out.u8(SPACE);
  writeClock(civil, out);
  out.u8(SPACE);
  writeYear(civil, out);
  if (offset !== null) {
    // The space keeps the offset from being read as part of the year.
    out.u8(SPACE);
    if (abbreviation !== '') out.utf8(abbreviation);
    else writeOffset(offset, out);
  }
  writeEra(civil, out);
}

function writeIsoDate(time: CivilTime, out: ByteWriter): void {
  writeYear(time, out);
  out.u8(MINUS);
  writeTwo(time.month, out);
  out.u8(MINUS);
  writeTwo(time.day, out);
}

/** The SQL and German styles. */
function writeSlashedDate(time: CivilTime, out: ByteWriter, context: TypeContext): void {
  const isGerman = context.dateStyle === 'German';
  const dayFirst = isGerman || context.dateOrder === 'DMY';
  const delimiter = isGerman ? DOT : SLASH;
  writeTwo(dayFirst ? time.day : time.month, out);
  out.u8(delimiter);
  writeTwo(dayFirst ? time.month : time.day, out);
  out.u8(delimiter);
  writeYear(time, out);
}

function writeEra(time: CivilTime, out: ByteWriter): void {
  if (time.year <= 0) out.utf8(' BC');
}

function writeYear(time: CivilTime, out: ByteWriter): void {
  const year = time.year > 0 ? time.year : 1 - time.year;
  if (year > 9999) {
    out.decimal(year);
    return;
  }
  const century = (year / 100) | 0;
  writeTwo(century, out);
  writeTwo(year - century * 100, out);
}

/** Two digits of 0 .. 99. */
function writeTwo(value: number, out: ByteWriter): void {
  out.reserve(2);
  const tens = (value / 10) | 0;
  out.bytes[out.position++] = ZERO + tens;
  out.bytes[out.position++] = ZERO + value - tens * 10;
}

function writeClock(time: CivilTime, out: ByteWriter): void {
  writeTwo(time.hour, out);
  out.u8(COLON);
  writeTwo(time.minute, out);
  out.u8(COLON);
  writeTwo(time.second, out);
  writeFraction(time.micros, out);
}

/** `.ffffff` without trailing zeros; nothing for 0. */
function writeFraction(micros: number, out: ByteWriter): void {
  if (micros === 0) return;
  out.reserve(7);
  const { bytes } = out;
  const start = out.position;
  bytes[start] = DOT;
  let rest = micros;
  let end = start + 1;
  for (let i = 6; i >= 1; i--) {
    const quotient = (rest / 10) | 0;
    const digit = rest - quotient * 10;
    bytes[start + i] = ZERO + digit;
    if (digit !== 0 && end === start + 1) end = start + i + 1;
    rest = quotient;
  }
  out.position = end;
}

/** `+hh[:mm[:ss]]` */
export function writeOffset(offset: number, out: ByteWriter): void {
  out.u8(offset < 0 ? MINUS : 43);
  const distance = offset < 0 ? -offset : offset;
  const hours = (distance / 3600) | 0;
  const minutes = ((distance / 60) | 0) % 60;
  const seconds = distance % 60;
  if (hours < 100) writeTwo(hours, out);
  else out.decimal(hours);
  if (minutes !== 0 || seconds !== 0) {
    out.u8(COLON);
    writeTwo(minutes, out);
  }
  if (seconds !== 0) {
    out.u8(COLON);
    writeTwo(seconds, out);
  }
}

// ---- Intervals ----

/** An interval in signed fields, all truncated towards zero. Hours may exceed 32 bits. */
export interface IntervalFields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  micros: number;
}

export function intervalFields(interval: Interval): IntervalFields {
  const { months, days } = interval;
  let time = interval.micros;
  let hour: number;
  if (typeof time === 'bigint') {
    hour = Number(time / 3_600_000_000n);
    time = Number(time % 3_600_000_000n);
  } else {
    hour = Math.trunc(time / 3_600_000_000);
    time -= hour * 3_600_000_000;
  }
  const minute = Math.trunc(time / 60_000_000);
  const rest = time - minute * 60_000_000;
  const second = Math.trunc(rest / 1_000_000);
  const year = Math.trunc(months / 12);
  return {
    year,
    month: months - year * 12,
    day: days,
    hour,
    minute,
    second,
    micros: rest - second * 1_000_000,
  };
}

export function intervalText(interval: Interval, style: TypeContext['intervalStyle']): string {
  const fields = intervalFields(interval);
  switch (style) {
    case 'postgres':
      return postgresInterval(fields);
    case 'postgres_verbose':
      return verboseInterval(fields);
    case 'sql_standard':
      return standardInterval(fields);
    case 'iso_8601':
      return isoInterval(fields);
  }
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** Seconds without sign. */
function secondsText(fields: IntervalFields, padded: boolean): string {
  const second = Math.abs(fields.second);
  const micros = Math.abs(fields.micros);
  const whole = padded ? twoDigits(second) : String(second);
  if (micros === 0) return whole;
  return `${whole}.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
}

function hasNegativeTime(fields: IntervalFields): boolean {
  return fields.hour < 0 || fields.minute < 0 || fields.second < 0 || fields.micros < 0;
}

function hasTime(fields: IntervalFields): boolean {
  return fields.hour !== 0 || fields.minute !== 0 || fields.second !== 0 || fields.micros !== 0;
}

/** 1 year 2 mons -3 days +04:05:06 */
function postgresInterval(fields: IntervalFields): string {
  let text = '';
  let wasNegative = false;
  const add = (value: number, unit: string): void => {
    if (value === 0) return;
    const sign = wasNegative && value > 0 ? '+' : '';
    text += `${text === '' ? '' : ' '}${sign}${value} ${unit}${value === 1 ? '' : 's'}`;
    wasNegative = value < 0;
  };
  add(fields.year, 'year');
  add(fields.month, 'mon');
  add(fields.day, 'day');
  if (text === '' || hasTime(fields)) {
    const sign = hasNegativeTime(fields) ? '-' : wasNegative ? '+' : '';
    const hour = twoDigits(Math.abs(fields.hour));
    const minute = twoDigits(Math.abs(fields.minute));
    text += `${text === '' ? '' : ' '}${sign}${hour}:${minute}:${secondsText(fields, true)}`;
  }
  return text;
}

/** @ 1 year 2 mons 3 days 4 hours 5 mins 6 secs ago */
function verboseInterval(fields: IntervalFields): string {
  let text = '@';
  let isZero = true;
  let isBefore = false;
  const add = (value: number, unit: string): void => {
    if (value === 0) return;
    let shown = value;
    if (isZero) {
      isBefore = value < 0;
      shown = Math.abs(value);
    } else if (isBefore) {
      shown = -value;
    }
    text += ` ${shown} ${unit}${shown === 1 ? '' : 's'}`;
    isZero = false;
  };
  add(fields.year, 'year');
  add(fields.month, 'mon');
  add(fields.day, 'day');
  add(fields.hour, 'hour');
  add(fields.minute, 'min');
  if (fields.second !== 0 || fields.micros !== 0) {
    text += ' ';
    if (fields.second < 0 || (fields.second === 0 && fields.micros < 0)) {
      if (isZero) isBefore = true;
      else if (!isBefore) text += '-';
    } else if (isBefore) {
      text += '-';
    }
    const plural = Math.abs(fields.second) !== 1 || fields.micros !== 0;
    text += `${secondsText(fields, false)} sec${plural ? 's' : ''}`;
    isZero = false;
  }
  if (isZero) text += ' 0';
  return isBefore ? `${text} ago` : text;
}

/** 1-2 3 4:05:06, and with all signs where one sign cannot stand for all. */
function standardInterval(fields: IntervalFields): string {
  const all = Object.values(fields) as number[];
  const hasNegative = all.some((value) => value < 0);
  const hasPositive = all.some((value) => value > 0);
  if (!hasNegative && !hasPositive) return '0';
  const hasYearMonth = fields.year !== 0 || fields.month !== 0;
  const hasDayTime = fields.day !== 0 || hasTime(fields);
  const year = Math.abs(fields.year);
  const month = Math.abs(fields.month);
  const day = Math.abs(fields.day);
  const minute = twoDigits(Math.abs(fields.minute));
  const clock = `${Math.abs(fields.hour)}:${minute}:${secondsText(fields, true)}`;
  if ((hasNegative && hasPositive) || (hasYearMonth && hasDayTime)) {
    const yearSign = fields.year < 0 || fields.month < 0 ? '-' : '+';
    const daySign = fields.day < 0 ? '-' : '+';
    const timeSign = hasNegativeTime(fields) ? '-' : '+';
    return `${yearSign}${year}-${month} ${daySign}${day} ${timeSign}${clock}`;
  }
  const sign = hasNegative ? '-' : '';
  if (hasYearMonth) return `${sign}${year}-${month}`;
  return fields.day !== 0 ? `${sign}${day} ${clock}` : `${sign}${clock}`;
}

/** P1Y2M3DT4H5M6S */
function isoInterval(fields: IntervalFields): string {
  const part = (value: number, unit: string): string => (value === 0 ? '' : `${value}${unit}`);
  let text = part(fields.year, 'Y') + part(fields.month, 'M') + part(fields.day, 'D');
  if (hasTime(fields)) {
    text += `T${part(fields.hour, 'H')}${part(fields.minute, 'M')}`;
    if (fields.second !== 0 || fields.micros !== 0) {
      const sign = fields.second < 0 || fields.micros < 0 ? '-' : '';
      text += `${sign}${secondsText(fields, false)}S`;
    }
  }
  return text === '' ? 'PT0S' : `P${text}`;
}
