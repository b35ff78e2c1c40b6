import { pgError } from '../../errors/index.ts';
import type { Int8 } from '../datum.ts';
import {
  type CivilTime,
  dateFromDays,
  daysFromDate,
  daysInMonth,
  isDateInRange,
  isoYearStart,
  MONTHS_PER_YEAR,
  newCivilTime,
  POSTGRES_EPOCH_JULIAN,
} from './calendar.ts';
import { timestampAt } from './conversion.ts';
import { faultError } from './fault.ts';
import { ROMAN_MONTHS } from './format.ts';
import {
  type FormatNode,
  isSeparator,
  type PatternNode,
  parseTemplate,
  type TextNode,
} from './format-template.ts';
import { isDigit, isSpace } from './lexer.ts';
import { PRECISION_MAX, roundToPrecision } from './typmod.ts';
import { DAY_NAMES, MONTH_NAMES } from './words.ts';
import { offsetOfCivilTime, type TimeZone } from './zone.ts';

/** to_date and to_timestamp. Reading forgives what the separators are, as PostgreSQL does; the
 * pattern FX does not. */

/** What a text said, by pattern; 0 stands for not given, as in PostgreSQL. */
interface ReadFields {
  mode: 'gregorian' | 'iso' | null;
  isTwelveHour: boolean;
  isPm: number;
  hour: number;
  minute: number;
  second: number;
  secondOfDay: number;
  millisecond: number;
  microsecond: number;
  /** Digits of the fraction of a second that the result keeps. */
  precision: number;
  year: number;
  yearDigits: number;
  isBc: number;
  century: number;
  month: number;
  day: number;
  yearDay: number;
  /** Sunday is 1. */
  weekDay: number;
  week: number;
  weekOfMonth: number;
  julian: number;
  zoneSign: number;
  zoneHour: number;
  zoneMinute: number;
}

type NumberField = Exclude<keyof ReadFields, 'mode' | 'isTwelveHour'>;

const GREGORIAN: ReadonlySet<string> = new Set(
  'DDD DD D MM MON MONTH RM W WW Y,YYY YYYY YYY YY Y'.split(' '),
);
const ISO_WEEK: ReadonlySet<string> = new Set('IDDD ID IW IYYY IYY IY I'.split(' '));
/** Patterns that read digits: a number before one of them has a fixed width. */
const DIGIT_PATTERNS: ReadonlySet<string> = new Set(
  (
    'CC DDD DD D FF1 FF2 FF3 FF4 FF5 FF6 HH24 HH12 HH IDDD ID IW IYYY IYY IY I J MI MM MS Q SSSSS ' +
    'SSSS SS TZM US WW W Y,YYY YYYY YYY YY Y'
  ).split(' '),
);

/** A walk over the text; `extra` counts blanks and separators skipped beyond the template's. */
interface Reader {
  readonly text: string;
  at: number;
  extra: number;
  isFixed: boolean;
  readonly fields: ReadFields;
}

function invalidFormat(message: string, detail?: string, hint?: string): Error {
  return pgError('invalid_datetime_format', message, { detail, hint });
}

/** `strict` is the reading of the SQL standard: what separates fields must be as in the template, and
 * both end together. */
function readFields(text: string, template: string, strict: boolean): ReadFields {
  const fields: ReadFields = {
    mode: null,
    isTwelveHour: false,
    isPm: 0,
    hour: 0,
    minute: 0,
    second: 0,
    secondOfDay: 0,
    millisecond: 0,
    microsecond: 0,
    precision: PRECISION_MAX,
    year: 0,
    yearDigits: 0,
    isBc: 0,
    century: 0,
    month: 0,
    day: 0,
    yearDay: 0,
    weekDay: 0,
    week: 0,
    weekOfMonth: 0,
    julian: 0,
    zoneSign: 0,
    zoneHour: 0,
    zoneMinute: 0,
  };
  const reader: Reader = { text, at: 0, extra: 0, isFixed: strict, fields };
  const nodes = parseTemplate(template);
  let i = 0;
  for (; i < nodes.length && reader.at < text.length; i++) {
    const node = nodes[i] as FormatNode;
    const isPattern = node.kind === 'pattern';
    if (!reader.isFixed && !(isPattern && node.id === 'FX') && (isPattern || i === 0)) {
      skipBlanks(reader);
      if (reader.at >= text.length && !isPattern) break;
    }
    if (node.kind === 'pattern') {
      readPattern(reader, node, nodes[i + 1]);
      if (!reader.isFixed) {
        reader.extra = 0;
        skipBlanks(reader);
      }
    } else if (strict) {
      if (characterAt(reader) !== node.character) throw unmatched(node);
      reader.at += node.character.length;
    } else if (node.kind === 'text') {
      if (!reader.isFixed && reader.extra > 0) reader.extra--;
      else reader.at += characterAt(reader).length;
    } else if (reader.isFixed) {
      reader.at += characterAt(reader).length;
    } else {
      reader.extra--;
      const character = characterAt(reader);
      if (isSpace(character.charCodeAt(0)) || isSeparator(character)) {
        reader.at++;
        reader.extra++;
      }
    }
  }
  if (strict) checkEnd(reader, i === nodes.length);
  return fields;
}

function unmatched({ kind, character }: TextNode): Error {
  const what = kind === 'text' ? 'character' : 'separator';
  return invalidFormat(`unmatched format ${what} "${character}"`);
}

function checkEnd(reader: Reader, isTemplateRead: boolean): void {
  if (!isTemplateRead) throw invalidFormat('input string is too short for datetime format');
  skipBlanks(reader);
  if (reader.at < reader.text.length) {
    throw invalidFormat('trailing characters remain in input string after datetime format');
  }
}

function characterAt(reader: Reader): string {
  const code = reader.text.codePointAt(reader.at);
  return code === undefined ? '' : String.fromCodePoint(code);
}

function skipBlanks(reader: Reader): void {
  while (isSpace(reader.text.charCodeAt(reader.at))) {
    reader.at++;
    reader.extra++;
  }
}

function setMode(fields: ReadFields, id: string): void {
  const mode = GREGORIAN.has(id) ? 'gregorian' : ISO_WEEK.has(id) ? 'iso' : null;
  if (mode === null) return;
  if (fields.mode !== null && fields.mode !== mode) {
    throw invalidFormat(
      'invalid combination of date conventions',
      undefined,
      'Do not mix Gregorian and ISO week date conventions in a formatting template.',
    );
  }
  fields.mode = mode;
}

function setField(fields: ReadFields, field: NumberField, value: number, node: PatternNode): void {
  if (fields[field] !== 0 && fields[field] !== value) {
    throw invalidFormat(
      `conflicting values for "${node.name}" field in formatting string`,
      'This value contradicts a previous setting for the same field type.',
    );
  }
  fields[field] = value;
}

function readPattern(reader: Reader, node: PatternNode, next: FormatNode | undefined): void {
  const { fields } = reader;
  const number = (field: NumberField | null, width: number): number =>
    readNumber(reader, node, next, field, width);
  setMode(fields, node.id);
  switch (node.id) {
    case 'FX':
      reader.isFixed = true;
      return;
    case 'A.M.':
    case 'P.M.':
    case 'AM':
    case 'PM': {
      const names = node.id.includes('.') ? ['a.m.', 'p.m.'] : ['am', 'pm'];
      setField(fields, 'isPm', readName(reader, node, names), node);
      fields.isTwelveHour = true;
      return;
    }
    case 'A.D.':
    case 'B.C.':
    case 'AD':
    case 'BC': {
      const names = node.id.includes('.') ? ['a.d.', 'b.c.'] : ['ad', 'bc'];
      setField(fields, 'isBc', readName(reader, node, names), node);
      return;
    }
    case 'MONTH':
      setField(fields, 'month', readName(reader, node, MONTH_NAMES) + 1, node);
      return;
    case 'MON':
      setField(fields, 'month', readName(reader, node, SHORT_MONTHS) + 1, node);
      return;
    case 'RM':
      // XII must be tried before XI and X.
      setField(fields, 'month', MONTHS_PER_YEAR - readName(reader, node, ROMAN_REVERSED), node);
      return;
    case 'DAY':
      setWeekDay(fields, readName(reader, node, DAY_NAMES), node);
      return;
    case 'DY':
      setWeekDay(fields, readName(reader, node, SHORT_DAYS), node);
      return;
    case 'MS': {
      const length = number('millisecond', 3);
      fields.millisecond *= length === 1 ? 100 : length === 2 ? 10 : 1;
      break;
    }
    case 'HH':
    case 'HH12':
      number('hour', 2);
      fields.isTwelveHour = true;
      break;
    case 'ID':
      number('weekDay', 1);
      fields.weekDay = fields.weekDay >= 7 ? 1 : fields.weekDay + 1;
      break;
    case 'TZ':
    case 'OF':
      throw pgError(
        'feature_not_supported',
        `formatting field "${node.name}" is only supported in to_char`,
      );
    case 'TZH':
      readZoneSign(reader);
      number('zoneHour', 2);
      return;
    case 'TZM':
      if (fields.zoneSign === 0) fields.zoneSign = 1;
      number('zoneMinute', 2);
      return;
    case 'Y,YYY':
      readGroupedYear(reader, node);
      break;
    case 'YYYY':
    case 'IYYY':
    case 'YYY':
    case 'IYY':
    case 'YY':
    case 'IY':
    case 'Y':
    case 'I': {
      const length = number('year', node.id.length);
      fields.yearDigits = node.id.length;
      if (node.id.length < 4 && length < 4) fields.year = completeYear(fields.year);
      break;
    }
    default: {
      const plain = NUMBER_PATTERNS.get(node.id);
      if (plain !== undefined) {
        number(plain, node.id === 'HH24' ? 2 : node.id.length);
      } else if (node.id === 'Q') {
        number(null, 1);
      } else {
        const width = node.id === 'US' ? 6 : Number(node.id.charAt(2));
        if (node.id !== 'US') fields.precision = width;
        const length = number('microsecond', width);
        fields.microsecond *= 10 ** Math.max(0, 6 - length);
      }
    }
  }
  if (node.ordinal !== null) reader.at = Math.min(reader.at + 2, reader.text.length);
}

/** As PostgreSQL, holds the name's index, from 0, against a day given before, from 1. */
function setWeekDay(fields: ReadFields, index: number, node: PatternNode): void {
  setField(fields, 'weekDay', index, node);
  fields.weekDay++;
}

const SHORT_MONTHS = MONTH_NAMES.map((name) => name.slice(0, 3));
const SHORT_DAYS = DAY_NAMES.map((name) => name.slice(0, 3));
const ROMAN_REVERSED = [...ROMAN_MONTHS].reverse();

/** Patterns that are a number and nothing else, as wide as their name (but HH24). */
const NUMBER_PATTERNS: ReadonlyMap<string, NumberField> = new Map([
  ['HH24', 'hour'],
  ['MI', 'minute'],
  ['SS', 'second'],
  ['SSSS', 'secondOfDay'],
  ['SSSSS', 'secondOfDay'],
  ['MM', 'month'],
  ['DDD', 'yearDay'],
  ['IDDD', 'yearDay'],
  ['DD', 'day'],
  ['D', 'weekDay'],
  ['WW', 'week'],
  ['IW', 'week'],
  ['CC', 'century'],
  ['W', 'weekOfMonth'],
  ['J', 'julian'],
]);

/** The year next to 2020 that ends in up to three given digits. */
function completeYear(year: number): number {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  return year < 1000 ? year + 1000 : year;
}

/** Index of the name (any case) that the text goes on with. */
function readName(reader: Reader, node: PatternNode, names: readonly string[]): number {
  const rest = reader.text.slice(reader.at);
  const lower = rest.toLowerCase();
  const index = names.findIndex((name) => lower.startsWith(name.toLowerCase()));
  if (index < 0) {
    const shown = rest.split(/[ \t\n\v\f\r]/, 1)[0] ?? '';
    throw invalidFormat(
      `invalid value "${shown}" for "${node.name}"`,
      'The given value did not match any of the allowed values for this field.',
    );
  }
  reader.at += (names[index] ?? '').length;
  return index;
}

/** TZH: a minus sign may have been skipped as a separator before it. */
function readZoneSign(reader: Reader): void {
  const character = reader.text.charAt(reader.at);
  if (character === '+' || character === '-' || character === ' ') {
    reader.fields.zoneSign = character === '-' ? -1 : 1;
    reader.at++;
  } else {
    const skippedMinus = reader.extra > 0 && reader.text.charAt(reader.at - 1) === '-';
    reader.fields.zoneSign = skippedMinus ? -1 : 1;
  }
}

function readGroupedYear(reader: Reader, node: PatternNode): void {
  const match = /^[ \t\n\v\f\r]*([+-]?\d+),[ \t\n\v\f\r]*([+-]?\d{1,3})/.exec(
    reader.text.slice(reader.at),
  );
  if (match === null) throw invalidFormat('invalid input string for "Y,YYY"');
  const year = Number(match[1]) * 1000 + Number(match[2]);
  setField(reader.fields, 'year', year, node);
  reader.fields.yearDigits = 4;
  reader.at += match[0].length;
}

const FIXED_WIDTH_HINT = 'If your source string is not fixed-width, try using the "FM" modifier.';

/** Reads an integer: of exactly `width` characters where digits follow in the template, else of any
 * length. Returns how many characters it took. */
function readNumber(
  reader: Reader,
  node: PatternNode,
  next: FormatNode | undefined,
  field: NumberField | null,
  width: number,
): number {
  const { text } = reader;
  const start = reader.at;
  while (isSpace(text.charCodeAt(reader.at))) reader.at++;
  const copy = text.slice(reader.at, reader.at + width);
  let digits: string;
  if (node.fill || isSeparated(node, next)) {
    digits = integerPrefix(text.slice(reader.at));
    reader.at += digits.length;
    if (digits === '') reader.at = start;
  } else {
    if (copy.length < width) {
      throw invalidFormat(
        `source string too short for "${node.name}" formatting field`,
        `Field requires ${width} characters, but only ${copy.length} remain.`,
        FIXED_WIDTH_HINT,
      );
    }
    digits = integerPrefix(copy);
    if (digits.length > 0 && digits.length < width) {
      throw invalidFormat(
        `invalid value "${copy}" for "${node.name}"`,
        `Field requires ${width} characters, but only ${digits.length} could be parsed.`,
        FIXED_WIDTH_HINT,
      );
    }
    reader.at += digits.length;
  }
  if (reader.at === start || digits === '') {
    throw invalidFormat(`invalid value "${copy}" for "${node.name}"`, 'Value must be an integer.');
  }
  const value = Number(digits);
  if (value < -2147483648 || value > 2147483647) {
    throw pgError(
      'datetime_field_overflow',
      `value for "${node.name}" in source string is out of range`,
      { detail: 'Value must be in the range -2147483648 to 2147483647.' },
    );
  }
  if (field !== null) setField(reader.fields, field, value + 0, node);
  return reader.at - start;
}

/** The integer that a text begins with, blanks before it included; '' if none. */
function integerPrefix(text: string): string {
  return /^[ \t\n\v\f\r]*[+-]?\d+/.exec(text)?.[0] ?? '';
}

/** True where the number cannot run into digits of the next node. */
function isSeparated(node: PatternNode, next: FormatNode | undefined): boolean {
  if (node.ordinal !== null || next === undefined) return true;
  if (next.kind === 'pattern') return !DIGIT_PATTERNS.has(next.id);
  return !isDigit(next.character.charCodeAt(0));
}

/** What a text means under a template. */
export interface ReadMoment {
  readonly civil: CivilTime;
  /** Seconds east of UTC, or null where the text names none. */
  readonly offset: number | null;
  readonly precision: number;
}

export function readMoment(text: string, template: string, strict = false): ReadMoment {
  const fields = readFields(text, template, strict);
  const civil = newCivilTime();
  civil.month = 1;
  civil.day = 1;
  readClock(fields, civil);
  readDate(fields, civil, text);
  const isTimeValid =
    civil.hour >= 0 &&
    civil.hour < 24 &&
    civil.minute >= 0 &&
    civil.minute < 60 &&
    civil.second >= 0 &&
    civil.second < 60 &&
    civil.micros >= 0 &&
    civil.micros < 1_000_000;
  if (!isTimeValid) throw faultError('field_overflow', text, 'timestamp');
  if (fields.zoneSign === 0) return { civil, offset: null, precision: fields.precision };
  const { zoneHour, zoneMinute, zoneSign } = fields;
  if (zoneHour < 0 || zoneHour > 15 || zoneMinute < 0 || zoneMinute > 59) {
    throw faultError('zone_overflow', text, 'timestamp');
  }
  const offset = zoneSign * (zoneHour * 60 + zoneMinute) * 60;
  return { civil, offset, precision: fields.precision };
}

function readClock(fields: ReadFields, civil: CivilTime): void {
  if (fields.secondOfDay !== 0) {
    civil.hour = Math.trunc(fields.secondOfDay / 3600);
    civil.minute = Math.trunc((fields.secondOfDay % 3600) / 60);
    civil.second = fields.secondOfDay % 60;
  }
  if (fields.second !== 0) civil.second = fields.second;
  if (fields.minute !== 0) civil.minute = fields.minute;
  if (fields.hour !== 0) civil.hour = fields.hour;
  if (fields.isTwelveHour) {
    if (civil.hour < 1 || civil.hour > 12) {
      throw invalidFormat(
        `hour "${civil.hour}" is invalid for the 12-hour clock`,
        undefined,
        'Use the 24-hour clock, or give an hour between 1 and 12.',
      );
    }
    if (fields.isPm === 1 && civil.hour < 12) civil.hour += 12;
    else if (fields.isPm === 0 && civil.hour === 12) civil.hour = 0;
  }
  civil.micros = fields.millisecond * 1000 + fields.microsecond;
}

function readDate(fields: ReadFields, civil: CivilTime, text: string): void {
  const hasYear = readYear(fields, civil);
  if (fields.julian !== 0) dateFromDays(fields.julian - POSTGRES_EPOCH_JULIAN, civil);
  if (fields.week !== 0) {
    if (fields.mode === 'iso') {
      const monday = isoYearStart(civil.year) + (fields.week - 1) * 7;
      const inWeek = fields.weekDay === 0 ? 0 : fields.weekDay > 1 ? fields.weekDay - 2 : 6;
      dateFromDays(monday + inWeek, civil);
    } else {
      fields.yearDay = (fields.week - 1) * 7 + 1;
    }
  }
  if (fields.weekOfMonth !== 0) fields.day = (fields.weekOfMonth - 1) * 7 + 1;
  if (fields.day !== 0) civil.day = fields.day;
  if (fields.month !== 0) civil.month = fields.month;
  const countsYearDay = fields.yearDay !== 0 && (civil.month <= 1 || civil.day <= 1);
  if (countsYearDay) readYearDay(fields, civil);
  // Without a year, the last day of February is not known: 31 February is 2 or 3 March.
  const hasMonthAndDay = countsYearDay || (fields.month !== 0 && fields.day !== 0);
  const isWhole = fields.julian !== 0 || (hasYear && hasMonthAndDay);
  const dayMax = isWhole ? daysInMonth(civil.year, civil.month) : 31;
  if (civil.month < 1 || civil.month > 12 || civil.day < 1 || civil.day > dayMax) {
    throw faultError('field_overflow', text, 'timestamp');
  }
}

/** Sets the year from year and century; false where neither is given. */
function readYear(fields: ReadFields, civil: CivilTime): boolean {
  const century = fields.isBc === 1 ? -fields.century : fields.century;
  if (fields.year !== 0) {
    if (fields.century !== 0 && fields.yearDigits <= 2) {
      civil.year = fields.year % 100;
      if (civil.year !== 0) {
        civil.year =
          century < 0 ? century * 100 - civil.year + 101 : (century - 1) * 100 + civil.year;
      } else civil.year = century * 100 + (century >= 0 ? 0 : 1);
      return true;
    }
    civil.year = fields.isBc === 1 ? -fields.year : fields.year;
    if (civil.year < 0) civil.year++;
    return true;
  }
  if (fields.century === 0) return false;
  civil.year = century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
  return true;
}

function readYearDay(fields: ReadFields, civil: CivilTime): void {
  if (civil.year === 0 && fields.isBc === 0) {
    throw invalidFormat('cannot calculate day of year without year information');
  }
  if (fields.mode === 'iso') {
    dateFromDays(isoYearStart(civil.year) + fields.yearDay - 1, civil);
    return;
  }
  let month = 1;
  let rest = fields.yearDay;
  while (month <= 12 && rest > daysInMonth(civil.year, month)) {
    rest -= daysInMonth(civil.year, month);
    month++;
  }
  if (civil.month <= 1) civil.month = month;
  if (civil.day <= 1) civil.day = rest;
}

/** to_timestamp(text, text); the zone counts where the text names none. */
export function parseTimestamptz(text: string, template: string, zone: TimeZone): Int8 {
  const { civil, offset, precision } = readMoment(text, template);
  const value = timestampAt(civil, offset ?? offsetOfCivilTime(civil, zone));
  return roundToPrecision(value, precision);
}

/** to_date(text, text): days since 2000-01-01. */
export function parseDate(text: string, template: string): number {
  const { civil } = readMoment(text, template);
  return checkedDate(daysFromDate(civil.year, civil.month, civil.day), text);
}

/** The days of a date, if it is in range. */
export function checkedDate(days: number, text: string): number {
  if (!isDateInRange(days)) {
    throw pgError('datetime_field_overflow', `date out of range: "${text}"`);
  }
  return days;
}
