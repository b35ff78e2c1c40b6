import { type ByteWriter, decodeUtf8, ByteWriter as Writer } from '../../base/index.ts';
import type { Int8 } from '../datum.ts';
import type { TypeContext } from '../sql-type.ts';
import {
  type CivilTime,
  dateFromDays,
  dayOfWeek,
  isInfinite,
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
const LETTER_T = 84;

export function writeDate(days: number, out: ByteWriter, context: TypeContext): void {
  if (context.dateStyle === 'ISO' || !Number.isFinite(days)) {
    writeXsdDate(days, out);
    return;
  }
  dateFromDays(days, civil);
  if (context.dateStyle === 'Postgres') {
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
export function writeOffset(offset: number, out: ByteWriter, withMinutes = false): void {
  out.u8(offset < 0 ? MINUS : 43);
  const distance = offset < 0 ? -offset : offset;
  const hours = (distance / 3600) | 0;
  const minutes = ((distance / 60) | 0) % 60;
  const seconds = distance % 60;
  if (hours < 100) writeTwo(hours, out);
  else out.decimal(hours);
  if (withMinutes || minutes !== 0 || seconds !== 0) {
    out.u8(COLON);
    writeTwo(minutes, out);
  }
  if (seconds !== 0) {
    out.u8(COLON);
    writeTwo(seconds, out);
  }
}

// ---- XML Schema ----

/** As XML Schema writes it, whatever the session's style. */
export function writeXsdDate(days: number, out: ByteWriter): void {
  if (!Number.isFinite(days)) {
    writeInfinity(days, out);
    return;
  }
  dateFromDays(days, civil);
  writeIsoDate(civil, out);
  writeEra(civil, out);
}

/** The same of a timestamp, with a T in the middle; a moment in UTC is moved by an offset, which has its
 * minutes always. */
export function writeXsdTimestamp(value: Int8, offset: number | null, out: ByteWriter): void {
  if (isInfinite(value)) {
    writeInfinity(value as number, out);
    return;
  }
  splitTimestamp(value, split);
  if (offset !== null) shiftSplit(offset);
  dateFromDays(split.days, civil);
  timeFromMicros(split.micros, civil);
  writeIsoDate(civil, out);
  out.u8(LETTER_T);
  writeClock(civil, out);
  if (offset !== null) writeOffset(offset, out, true);
  writeEra(civil, out);
}
