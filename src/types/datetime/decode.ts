import { pgError } from '../../errors/index.ts';
import type { TypeContext } from '../sql-type.ts';
import {
  type CivilTime,
  dateFromDays,
  daysFromDate,
  daysInMonth,
  MICROS_PER_DAY,
  microsFromTime,
  newCivilTime,
  POSTGRES_EPOCH_JULIAN,
  splitTimestamp,
  timeFromMicros,
  UNIX_EPOCH_DAYS,
} from './calendar.ts';
import { type FaultKind, fault } from './fault.ts';
import {
  type Field,
  isDigit,
  roundHalfEven,
  scanEnd,
  scanFraction,
  scanFractionMicros,
  scanInt4,
} from './lexer.ts';
import { type DateWord, dateWord, type Unit } from './words.ts';
import {
  findTimeZone,
  localSecondsOf,
  offsetOfCivilTime,
  sessionZone,
  type TimeZone,
} from './zone.ts';
import { ZONE_ABBREVIATIONS } from './zone-abbreviations.ts';

/** Makes sense of the fields of a date or time, in PostgreSQL's order of guesses.
 *
 * Each field claims a set of parts (year, month, ... zone); a part claimed twice is an error. What a
 * bare number means depends on the parts already claimed and on DateOrder.
 */

/** What a text denotes: fields of a moment, or a special moment. */
type MomentKind = 'fields' | 'epoch' | 'late' | 'early';

export interface Moment {
  kind: MomentKind;
  readonly civil: CivilTime;
  /** Seconds east of UTC; the session's zone where the text names none. */
  offset: number;
}

// Parts that fields claim, one bit each.
const YEAR = 1;
const MONTH = 2;
const DAY = 4;
const HOUR = 8;
const MINUTE = 16;
const SECOND = 32;
const SUBSECOND = 64;
const ZONE = 128;
const DAYLIGHT_ZONE = 256;
const DAYLIGHT = 512;
const DAY_OF_YEAR = 1024;
const MERIDIEM = 2048;
const ERA = 4096;
const WEEKDAY = 8192;
/** A special moment, beside which nothing else counts. */
const SPECIAL = 16384;
const ALL_SECONDS = SECOND | SUBSECOND;
const DATE = YEAR | MONTH | DAY;
const TIME = HOUR | MINUTE | ALL_SECONDS;

const ZONE_HOUR_MAX = 15;
const DAYLIGHT_SECONDS = 3600;

/** State of one decoding. */
interface Decoder {
  readonly context: TypeContext;
  readonly moment: Moment;
  /** Parts claimed so far, and by the field at hand. */
  claimed: number;
  claim: number;
  /** A unit (`j`, `y`, ...) that says what the next number is; 'time' after ISO's `t`. */
  prefix: Unit | 'time' | null;
  hasTextMonth: boolean;
  isJulian: boolean;
  isTwoDigitYear: boolean;
  isBc: boolean;
  meridiem: 'am' | 'pm' | null;
  dayOfYear: number;
  namedZone: TimeZone | null;
  /** An abbreviation whose offset depends on the date, and its zone. */
  abbreviation: string;
  abbreviationZone: TimeZone | null;
}

function newDecoder(context: TypeContext): Decoder {
  return {
    context,
    moment: { kind: 'fields', civil: newCivilTime(), offset: 0 },
    claimed: 0,
    claim: 0,
    prefix: null,
    hasTextMonth: false,
    isJulian: false,
    isTwoDigitYear: false,
    isBc: false,
    meridiem: null,
    dayOfYear: 0,
    namedZone: null,
    abbreviation: '',
    abbreviationZone: null,
  };
}

/** Decodes the fields of a date, timestamp or timestamp with time zone. */
export function decodeMoment(fields: readonly Field[], context: TypeContext): Moment {
  const decoder = newDecoder(context);
  for (let i = 0; i < fields.length; i++) {
    decoder.claim = 0;
    decodeMomentField(decoder, fields, i);
    claimParts(decoder);
  }
  checkDate(decoder);
  applyMeridiem(decoder);
  const { moment, claimed } = decoder;
  if (moment.kind !== 'fields') return moment;
  if ((claimed & DATE) !== DATE) throw fault('format');
  resolveZone(decoder);
  if ((claimed & ZONE) === 0) {
    if ((claimed & DAYLIGHT) !== 0) throw fault('format');
    moment.offset = offsetOfCivilTime(moment.civil, sessionZone(context.timeZone));
  }
  return moment;
}

function claimParts(decoder: Decoder): void {
  if ((decoder.claim & decoder.claimed) !== 0) throw fault('format');
  decoder.claimed |= decoder.claim;
}

function decodeMomentField(decoder: Decoder, fields: readonly Field[], index: number): void {
  const field = fields[index] as Field;
  const { text } = field;
  switch (field.kind) {
    case 'date':
      decodeMomentDate(decoder, text);
      return;
    case 'time':
      expectTimePrefix(decoder);
      decodeClock(decoder, text);
      if (timeOverflows(decoder.moment.civil)) throw fault('field_overflow');
      return;
    case 'offset':
      decoder.moment.offset = scanZoneOffset(text, 0);
      decoder.claim = ZONE;
      return;
    case 'number':
      if (decoder.prefix !== null) decodeLabelledNumber(decoder, text);
      else decodeMomentNumber(decoder, text);
      return;
    case 'string':
    case 'special':
      decodeMomentWord(decoder, fields, index);
      return;
  }
}

function decodeMomentDate(decoder: Decoder, text: string): void {
  if (decoder.prefix === 'julian') {
    const day = scanInt4(text, 0);
    const at = scanEnd;
    if (day < 0) throw fault('field_overflow');
    setJulianDay(decoder, day);
    decoder.moment.offset = scanZoneOffset(text, at);
    decoder.claim = DATE | TIME | ZONE;
    decoder.prefix = null;
    return;
  }
  const hasMonthAndDay = (decoder.claimed & (MONTH | DAY)) === (MONTH | DAY);
  if (decoder.prefix === null && !hasMonthAndDay) {
    decodeDate(decoder, text);
    return;
  }
  if (!isDigit(text.charCodeAt(0)) && decoder.prefix === null) {
    decoder.namedZone = namedZone(text);
    decoder.claim = ZONE;
    return;
  }
  // A run-together time with a trailing zone: 040506-08.
  if (decoder.prefix !== null && decoder.prefix !== 'time') throw fault('format');
  decoder.prefix = null;
  if ((decoder.claimed & TIME) === TIME) throw fault('format');
  decodeTimeAndOffset(decoder, text, decoder.claimed);
}

function decodeTimeAndOffset(decoder: Decoder, text: string, claimed: number): void {
  const dash = text.indexOf('-');
  if (dash < 0) throw fault('format');
  decoder.moment.offset = scanZoneOffset(text, dash);
  decodeNumberField(decoder, text.slice(0, dash), claimed);
  decoder.claim |= ZONE;
}

function namedZone(text: string): TimeZone {
  const zone = findTimeZone(text);
  if (zone === null) {
    throw pgError('invalid_parameter_value', `time zone "${text}" not recognized`);
  }
  return zone;
}

/** A number after a unit, as in `y2001m02d04` and `j2451187`. */
function decodeLabelledNumber(decoder: Decoder, text: string): void {
  const { civil } = decoder.moment;
  const { prefix } = decoder;
  const value = scanInt4(text, 0);
  const at = scanEnd;
  const hasFraction = text.charAt(at) === '.';
  if (hasFraction) {
    if (prefix !== 'julian' && prefix !== 'time' && prefix !== 'second') throw fault('format');
  } else if (at !== text.length) {
    throw fault('format');
  }
  switch (prefix) {
    case 'year':
      civil.year = value;
      decoder.claim = YEAR;
      break;
    case 'month':
      if ((decoder.claimed & MONTH) !== 0 && (decoder.claimed & HOUR) !== 0) {
        civil.minute = value;
        decoder.claim = MINUTE;
      } else {
        civil.month = value;
        decoder.claim = MONTH;
      }
      break;
    case 'day':
      civil.day = value;
      decoder.claim = DAY;
      break;
    case 'hour':
      civil.hour = value;
      decoder.claim = HOUR;
      break;
    case 'minute':
      civil.minute = value;
      decoder.claim = MINUTE;
      break;
    case 'second':
      civil.second = value;
      decoder.claim = SECOND;
      if (hasFraction) {
        civil.micros = scanFractionMicros(text, at);
        decoder.claim = ALL_SECONDS;
      }
      break;
    case 'julian':
      if (value < 0) throw fault('field_overflow');
      setJulianDay(decoder, value);
      decoder.claim = DATE;
      if (hasFraction) {
        timeFromMicros(Math.trunc(scanFraction(text, at) * MICROS_PER_DAY), civil);
        decoder.claim |= TIME;
      }
      break;
    case 'time':
      decodeNumberField(decoder, text, decoder.claimed | DATE);
      if (decoder.claim !== TIME) throw fault('format');
      break;
    default:
      throw fault('format');
  }
  decoder.prefix = null;
  decoder.moment.kind = 'fields';
}

function setJulianDay(decoder: Decoder, day: number): void {
  dateFromDays(day - POSTGRES_EPOCH_JULIAN, decoder.moment.civil);
  decoder.isJulian = true;
}

function decodeMomentNumber(decoder: Decoder, text: string): void {
  const { claimed } = decoder;
  const point = text.indexOf('.');
  if (point >= 0 && (claimed & DATE) === 0) {
    decodeDate(decoder, text);
  } else if (point > 2) {
    decodeNumberField(decoder, text, claimed);
  } else if (text.length >= 6 && ((claimed & DATE) === 0 || (claimed & TIME) === 0)) {
    decodeNumberField(decoder, text, claimed);
  } else {
    decodeNumber(decoder, text, claimed);
  }
}

function decodeMomentWord(decoder: Decoder, fields: readonly Field[], index: number): void {
  const { text } = fields[index] as Field;
  if (decodeAbbreviation(decoder, text)) return;
  const word = dateWord(text);
  if (word === undefined) {
    const zone = findTimeZone(text);
    if (zone === null) throw fault('format');
    decoder.namedZone = zone;
    decoder.claim = ZONE;
    return;
  }
  if (word.kind === 'reserved') {
    decodeReserved(decoder, word.value);
    return;
  }
  if (word.kind === 'iso-time') {
    if ((decoder.claimed & DATE) !== DATE) throw fault('format');
    expectTime(decoder, fields[index + 1]);
    return;
  }
  if (word.kind === 'month') {
    const { civil } = decoder.moment;
    // The number before a textual month was taken for a month; it is the day.
    if (
      (decoder.claimed & MONTH) !== 0 &&
      !decoder.hasTextMonth &&
      (decoder.claimed & DAY) === 0 &&
      civil.month >= 1 &&
      civil.month <= 31
    ) {
      civil.day = civil.month;
      decoder.claim = DAY;
    } else {
      decoder.claim = MONTH;
    }
    decoder.hasTextMonth = true;
    civil.month = word.month;
    return;
  }
  decodeCommonWord(decoder, word);
}

/** ISO's `t`: the next field must be a time. */
function expectTime(decoder: Decoder, next: Field | undefined): void {
  if (next === undefined || !['number', 'time', 'date'].includes(next.kind)) throw fault('format');
  decoder.prefix = 'time';
}

function decodeCommonWord(decoder: Decoder, word: DateWord): void {
  switch (word.kind) {
    case 'daylight':
      decoder.claim = DAYLIGHT | DAYLIGHT_ZONE;
      decoder.moment.offset += DAYLIGHT_SECONDS;
      return;
    case 'meridiem':
      decoder.claim = MERIDIEM;
      decoder.meridiem = word.pm ? 'pm' : 'am';
      return;
    case 'era':
      decoder.claim = ERA;
      decoder.isBc = word.bc;
      return;
    case 'weekday':
      decoder.claim = WEEKDAY;
      return;
    case 'unit':
      decoder.prefix = word.unit;
      return;
    case 'ignore':
      return;
    default:
      throw fault('format');
  }
}

function decodeAbbreviation(decoder: Decoder, text: string): boolean {
  const known = ZONE_ABBREVIATIONS.get(text);
  if (known === undefined) return false;
  if (known.zone !== null) {
    decoder.abbreviation = text;
    decoder.abbreviationZone = namedZone(known.zone);
    decoder.claim = ZONE;
    return true;
  }
  decoder.moment.offset = known.offset;
  decoder.claim = known.daylight ? ZONE | DAYLIGHT_ZONE : ZONE;
  return true;
}

function decodeReserved(
  decoder: Decoder,
  value: (DateWord & { readonly kind: 'reserved' })['value'],
): void {
  const { moment, context } = decoder;
  const { civil } = moment;
  moment.kind = 'fields';
  switch (value) {
    case 'now':
      setNow(context, civil);
      moment.offset = offsetNow(context);
      decoder.claim = DATE | TIME | ZONE;
      return;
    case 'today':
    case 'tomorrow':
    case 'yesterday': {
      const step = value === 'today' ? 0 : value === 'tomorrow' ? 1 : -1;
      const now = newCivilTime();
      setNow(context, now);
      dateFromDays(daysFromDate(now.year, now.month, now.day) + step, civil);
      decoder.claim = DATE;
      return;
    }
    case 'allballs':
      civil.hour = 0;
      civil.minute = 0;
      civil.second = 0;
      moment.offset = 0;
      decoder.claim = TIME | ZONE;
      return;
    case 'epoch':
    case 'late':
    case 'early':
      moment.kind = value;
      decoder.claim = SPECIAL;
      return;
  }
}

/** Seconds east of UTC of the session at its transaction's start. */
function offsetNow(context: TypeContext): number {
  const seconds = Math.floor(context.transactionTimestamp / 1e6) + UNIX_EPOCH_DAYS * 86_400;
  return sessionZone(context.timeZone).offsetAt(seconds);
}

/** Sets the local fields of the transaction's start. */
function setNow(context: TypeContext, out: CivilTime): void {
  const split = { days: 0, micros: 0 };
  splitTimestamp(context.transactionTimestamp + offsetNow(context) * 1e6, split);
  dateFromDays(split.days, out);
  timeFromMicros(split.micros, out);
}

/** The runs of digits or letters of a date. Whatever character follows a run separates. */
function cutDate(text: string): string[] {
  const parts: string[] = [];
  const run = /[^a-z0-9]*(\d+|[a-z]+)?/y;
  while (run.lastIndex < text.length) {
    const part = run.exec(text)?.[1];
    if (part === undefined) throw fault('format');
    parts.push(part);
    run.lastIndex++;
  }
  return parts;
}

/** A date of several parts: 2001-02-03, 3/2/2001, 8-jan-1999. */
function decodeDate(decoder: Decoder, text: string): void {
  const outer = decoder.claimed;
  const parts = cutDate(text);
  let taken = 0;
  const claimPart = (part: number): void => {
    if (((outer | taken) & part) !== 0) throw fault('format');
    taken |= part;
  };
  // A textual month is unambiguous, so it comes first; it counts for this field's numbers only.
  const outerTextMonth = decoder.hasTextMonth;
  decoder.hasTextMonth = false;
  const numbers: string[] = [];
  for (const part of parts) {
    if (isDigit(part.charCodeAt(0))) {
      numbers.push(part);
      continue;
    }
    const word = dateWord(part);
    if (word?.kind === 'ignore') continue;
    if (word?.kind !== 'month') throw fault('format');
    decoder.moment.civil.month = word.month;
    decoder.hasTextMonth = true;
    claimPart(MONTH);
  }
  for (const number of numbers) {
    decodeNumber(decoder, number, outer | taken);
    claimPart(decoder.claim);
  }
  if (((outer | taken) & ~(DAY_OF_YEAR | ZONE)) !== DATE) throw fault('format');
  decoder.hasTextMonth = outerTextMonth;
  decoder.claim = taken;
}

/** One number of a date, by its place; `claimed` are the parts known before it. */
function decodeNumber(decoder: Decoder, text: string, claimed: number): void {
  const { civil } = decoder.moment;
  const { dateOrder } = decoder.context;
  decoder.claim = 0;
  const value = scanInt4(text, 0);
  const at = scanEnd;
  if (at === 0) throw fault('format');
  if (text.charAt(at) === '.') {
    if (at > 2) {
      decodeNumberField(decoder, text, claimed | DATE);
      return;
    }
    civil.micros = scanFractionMicros(text, at);
  } else if (at !== text.length) {
    throw fault('format');
  }
  const length = text.length;
  if (length === 3 && (claimed & DATE) === YEAR && value >= 1 && value <= 366) {
    decoder.dayOfYear = value;
    decoder.claim = DAY_OF_YEAR | MONTH | DAY;
    return;
  }
  const yearFirst = length >= 3 || dateOrder === 'YMD';
  switch (claimed & DATE) {
    case 0:
      decoder.claim = yearFirst ? YEAR : dateOrder === 'DMY' ? DAY : MONTH;
      break;
    case YEAR:
      decoder.claim = MONTH;
      break;
    case MONTH:
      decoder.claim = decoder.hasTextMonth && yearFirst ? YEAR : DAY;
      break;
    case YEAR | MONTH:
      if (decoder.hasTextMonth && length >= 3 && decoder.isTwoDigitYear) {
        // The first number was the day after all: 08-jan-1999 in YMD order.
        civil.day = civil.year;
        civil.year = value;
        decoder.claim = DAY;
        decoder.isTwoDigitYear = false;
        return;
      }
      decoder.claim = DAY;
      break;
    case DAY:
      decoder.claim = MONTH;
      break;
    case MONTH | DAY:
      decoder.claim = YEAR;
      break;
    case DATE:
      decodeNumberField(decoder, text, claimed);
      return;
    default:
      throw fault('format');
  }
  if (decoder.claim === YEAR) {
    civil.year = value;
    decoder.isTwoDigitYear = length <= 2;
  } else if (decoder.claim === MONTH) {
    civil.month = value;
  } else {
    civil.day = value;
  }
}

/** Digits run together: yyyymmdd, yymmdd, hhmmss, hhmm, perhaps with a fraction of a second. */
function decodeNumberField(decoder: Decoder, text: string, claimed: number): void {
  const { civil } = decoder.moment;
  let digits = text;
  const point = text.indexOf('.');
  if (point >= 0) {
    civil.micros = roundHalfEven(
      (point + 1 === text.length ? 0 : Number.parseFloat(`0${text.slice(point)}`)) * 1e6,
    );
    digits = text.slice(0, point);
  } else if ((claimed & DATE) !== DATE && digits.length >= 6) {
    const end = digits.length;
    civil.day = toInteger(digits, end - 2, end);
    civil.month = toInteger(digits, end - 4, end - 2);
    civil.year = toInteger(digits, 0, end - 4);
    if (end - 4 === 2) decoder.isTwoDigitYear = true;
    decoder.claim = DATE;
    return;
  }
  if ((claimed & TIME) !== TIME && (digits.length === 6 || digits.length === 4)) {
    civil.hour = toInteger(digits, 0, 2);
    civil.minute = toInteger(digits, 2, 4);
    civil.second = digits.length === 6 ? toInteger(digits, 4, 6) : 0;
    decoder.claim = TIME;
    return;
  }
  throw fault('format');
}

function toInteger(text: string, from: number, to: number): number {
  const value = Number.parseInt(text.slice(from, to), 10);
  return Number.isNaN(value) ? 0 : value;
}

/** Before a clock time no unit may stand, but ISO's `t`. */
function expectTimePrefix(decoder: Decoder): void {
  if (decoder.prefix !== null && decoder.prefix !== 'time') throw fault('format');
  decoder.prefix = null;
}

/** hh:mm, hh:mm:ss, hh:mm:ss.fff and mm:ss.fff. */
function decodeClock(decoder: Decoder, text: string): void {
  const clock = scanClock(text, 0, false);
  const { civil } = decoder.moment;
  if (clock.hour > 2147483647) throw fault('field_overflow');
  civil.hour = clock.hour;
  civil.minute = clock.minute;
  civil.second = clock.second;
  civil.micros = clock.micros;
  decoder.claim = TIME;
}

interface Clock {
  hour: number;
  minute: number;
  second: number;
  micros: number;
}

/** Reads a clock time to the end of the text. Two parts are minutes and seconds if `minuteSecond`. */
export function scanClock(text: string, from: number, minuteSecond: boolean): Clock {
  const clock: Clock = { hour: 0, minute: 0, second: 0, micros: 0 };
  const match = /^[+-]?\d+/.exec(text.slice(from));
  const hourText = match?.[0] ?? '';
  if (BigInt(hourText || '0') > 9223372036854775807n) throw fault('field_overflow');
  clock.hour = Number(hourText);
  let at = from + hourText.length;
  if (text.charAt(at) !== ':') throw fault('format');
  clock.minute = scanInt4(text, at + 1);
  at = scanEnd;
  const isShort = at === text.length;
  if ((isShort && minuteSecond) || text.charAt(at) === '.') {
    if (!isShort) clock.micros = scanFractionMicros(text, at);
    if (clock.hour > 2147483647) throw fault('field_overflow');
    clock.second = clock.minute;
    clock.minute = clock.hour;
    clock.hour = 0;
  } else if (!isShort) {
    if (text.charAt(at) !== ':') throw fault('format');
    clock.second = scanInt4(text, at + 1);
    at = scanEnd;
    if (at !== text.length) {
      if (text.charAt(at) !== '.') throw fault('format');
      clock.micros = scanFractionMicros(text, at);
    }
  }
  const { hour, minute, second, micros } = clock;
  if (hour < 0 || minute < 0 || minute > 59 || second < 0 || second > 60 || micros > 1_000_000) {
    throw fault('field_overflow');
  }
  return clock;
}

/** True unless the time of day is within 00:00:00 .. 24:00:00 (second 60 carries over). */
function timeOverflows(time: Clock): boolean {
  const { hour, minute, second, micros } = time;
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59) return true;
  if (second < 0 || second > 60 || micros < 0 || micros > 1_000_000) return true;
  return microsFromTime(hour, minute, second, micros) > MICROS_PER_DAY;
}

/** Reads a zone offset `+hh[:mm[:ss]]`, `+hhmm` to the end of the text; seconds east of UTC. */
export function scanZoneOffset(text: string, from: number): number {
  const sign = text.charAt(from);
  if (sign !== '+' && sign !== '-') throw fault('format');
  let hour = scanZonePart(text, from + 1);
  let minute = 0;
  let second = 0;
  if (text.charAt(scanEnd) === ':') {
    minute = scanZonePart(text, scanEnd + 1);
    if (text.charAt(scanEnd) === ':') second = scanZonePart(text, scanEnd + 1);
  } else if (scanEnd === text.length && text.length - from > 3) {
    minute = hour % 100;
    hour = Math.trunc(hour / 100);
  }
  if (hour < 0 || hour > ZONE_HOUR_MAX || minute < 0 || minute > 59 || second < 0 || second > 59) {
    throw fault('zone_overflow');
  }
  if (scanEnd !== text.length) throw fault('format');
  const offset = (hour * 60 + minute) * 60 + second;
  return sign === '-' ? -offset : offset;
}

function scanZonePart(text: string, from: number): number {
  try {
    return scanInt4(text, from);
  } catch {
    throw fault('zone_overflow' satisfies FaultKind);
  }
}

/** Checks the date's fields and brings the year to its final value. */
function checkDate(decoder: Decoder): void {
  const { civil } = decoder.moment;
  const { claimed } = decoder;
  if ((claimed & YEAR) !== 0 && !decoder.isJulian) {
    if (decoder.isBc) {
      if (civil.year <= 0) throw fault('field_overflow');
      civil.year = -(civil.year - 1);
    } else if (decoder.isTwoDigitYear) {
      if (civil.year < 0) throw fault('field_overflow');
      if (civil.year < 70) civil.year += 2000;
      else if (civil.year < 100) civil.year += 1900;
    } else if (civil.year <= 0) {
      throw fault('field_overflow');
    }
  }
  if ((claimed & DAY_OF_YEAR) !== 0) {
    dateFromDays(daysFromDate(civil.year, 1, 1) + decoder.dayOfYear - 1, civil);
  }
  if ((claimed & MONTH) !== 0 && (civil.month < 1 || civil.month > 12)) {
    throw fault('month_or_day_overflow');
  }
  if ((claimed & DAY) !== 0 && (civil.day < 1 || civil.day > 31)) {
    throw fault('month_or_day_overflow');
  }
  if ((claimed & DATE) === DATE && civil.day > daysInMonth(civil.year, civil.month)) {
    throw fault('field_overflow');
  }
}

function applyMeridiem(decoder: Decoder): void {
  const { civil } = decoder.moment;
  if (decoder.meridiem === null) return;
  if (civil.hour > 12) throw fault('field_overflow');
  if (decoder.meridiem === 'am' && civil.hour === 12) civil.hour = 0;
  else if (decoder.meridiem === 'pm' && civil.hour !== 12) civil.hour += 12;
}

/** Offsets of zones that need the date, now that it is known. */
function resolveZone(decoder: Decoder): void {
  const { moment } = decoder;
  if (decoder.namedZone === null && decoder.abbreviationZone === null) return;
  if ((decoder.claimed & DAYLIGHT) !== 0) throw fault('format');
  if (decoder.namedZone !== null) {
    moment.offset = offsetOfCivilTime(moment.civil, decoder.namedZone);
  }
  if (decoder.abbreviationZone !== null) {
    moment.offset = offsetOfZoneAbbreviation(
      moment.civil,
      decoder.abbreviation,
      decoder.abbreviationZone,
    );
  }
}

/** What an abbreviation meant in its zone at a local time; else the zone's own offset. */
export function offsetOfZoneAbbreviation(
  civil: CivilTime,
  abbreviation: string,
  zone: TimeZone,
): number {
  const offset = offsetOfCivilTime(civil, zone);
  return zone.offsetOfAbbreviation(abbreviation, localSecondsOf(civil) - offset) ?? offset;
}

// ---- Times without a date ----

/** Decodes the fields of a time of day; its moment's offset is that of the text or the session. */
export function decodeTimeOfDay(fields: Field[], context: TypeContext): Moment {
  const decoder = newDecoder(context);
  for (let i = 0; i < fields.length; i++) {
    decoder.claim = 0;
    decodeTimeField(decoder, fields, i);
    claimParts(decoder);
  }
  checkDate(decoder);
  applyMeridiem(decoder);
  const { moment, claimed } = decoder;
  if (timeOverflows(moment.civil)) throw fault('field_overflow');
  if ((claimed & TIME) !== TIME) throw fault('format');
  const hasDate = (claimed & DATE) === DATE;
  if (decoder.namedZone !== null) {
    if ((claimed & DAYLIGHT) !== 0 || !(decoder.namedZone.isFixed || hasDate))
      throw fault('format');
    moment.offset = decoder.namedZone.isFixed
      ? decoder.namedZone.offsetAt(0)
      : offsetOfCivilTime(moment.civil, decoder.namedZone);
  } else if (decoder.abbreviationZone !== null) {
    if (!hasDate) throw fault('format');
    resolveZone(decoder);
  } else if ((claimed & ZONE) === 0) {
    if ((claimed & DAYLIGHT) !== 0) throw fault('format');
    if (!hasDate && (claimed & DATE) !== 0) throw fault('format');
    const day = newCivilTime();
    setNow(context, day);
    const { hour, minute, second } = moment.civil;
    const local = hasDate ? moment.civil : { ...day, hour, minute, second };
    moment.offset = offsetOfCivilTime(local, sessionZone(context.timeZone));
  }
  return moment;
}

function decodeTimeField(decoder: Decoder, fields: Field[], index: number): void {
  const field = fields[index] as Field;
  const { text } = field;
  const lastIsDate = index === 0 && fields.length >= 2 && fields.at(-1)?.kind === 'date';
  switch (field.kind) {
    case 'date':
      if (lastIsDate || (index === 0 && fields[1]?.kind === 'time')) {
        decodeDate(decoder, text);
      } else if (isDigit(text.charCodeAt(0))) {
        if ((decoder.claimed & TIME) === TIME) throw fault('format');
        decodeTimeAndOffset(decoder, text, decoder.claimed | DATE);
        field.kind = 'time';
        decoder.prefix = null;
      } else {
        decoder.namedZone = namedZone(text);
        field.kind = 'offset';
        decoder.claim = ZONE;
      }
      return;
    case 'time':
      decodeClock(decoder, text);
      return;
    case 'offset':
      decoder.moment.offset = scanZoneOffset(text, 0);
      decoder.claim = ZONE;
      return;
    case 'number':
      if (decoder.prefix !== null) {
        decodeLabelledNumber(decoder, text);
        return;
      }
      decodeTimeNumber(decoder, field, lastIsDate);
      return;
    case 'string':
    case 'special':
      decodeTimeWord(decoder, fields, index);
      return;
  }
}

function decodeTimeNumber(decoder: Decoder, field: Field, lastIsDate: boolean): void {
  const { text } = field;
  const point = text.indexOf('.');
  const claimed = decoder.claimed | DATE;
  if (point >= 0 && lastIsDate) {
    decodeDate(decoder, text);
  } else if (point > 2 || (point < 0 && text.length > 4)) {
    decodeNumberField(decoder, text, claimed);
    field.kind = 'time';
  } else if (point >= 0) {
    throw fault('format');
  } else {
    decodeNumber(decoder, text, claimed);
  }
}

function decodeTimeWord(decoder: Decoder, fields: readonly Field[], index: number): void {
  const { text } = fields[index] as Field;
  if (decodeAbbreviation(decoder, text)) return;
  const word = dateWord(text);
  if (word === undefined) {
    const zone = findTimeZone(text);
    if (zone === null) throw fault('format');
    decoder.namedZone = zone;
    decoder.claim = ZONE;
    return;
  }
  if (word.kind === 'reserved') {
    if (word.value === 'now') {
      const now = newCivilTime();
      setNow(decoder.context, now);
      const { hour, minute, second, micros } = now;
      Object.assign(decoder.moment.civil, { hour, minute, second, micros });
      decoder.claim = TIME;
      return;
    }
    if (word.value !== 'allballs') throw fault('format');
    decodeReserved(decoder, word.value);
    return;
  }
  if (word.kind === 'iso-time') {
    expectTime(decoder, fields[index + 1]);
    return;
  }
  if (word.kind === 'weekday') throw fault('format');
  decodeCommonWord(decoder, word);
}
