import { pgError } from '../../errors/index.ts';
import type { Int8, Interval } from '../datum.ts';
import {
  type CivilTime,
  dayOfWeek,
  dayOfYear,
  daysFromDate,
  isInfinite,
  isoWeek,
  isoYear,
  isoYearStart,
  MONTHS_PER_YEAR,
  POSTGRES_EPOCH_JULIAN,
} from './calendar.ts';
import { civilFromTimestamp, localCivil, unixSeconds } from './conversion.ts';
import { intervalFields } from './encode-interval.ts';
import {
  type FormatNode,
  type LetterCase,
  type PatternNode,
  parseTemplate,
} from './format-template.ts';
import { DAY_NAMES, MONTH_NAMES } from './words.ts';
import type { TimeZone } from './zone.ts';

/** to_char for timestamps and intervals. */

interface FormatInput {
  readonly time: CivilTime;
  readonly isInterval: boolean;
  /** 1 .. 366; of an interval, its days with months of 30. */
  readonly yearDay: number;
  /** Sunday is 0. */
  readonly weekDay: number;
  /** Seconds east of UTC; 0 without a zone. */
  readonly offset: number;
  readonly zoneName: string;
}

/** to_char(timestamp, text); null for the infinities and for an empty template. */
export function formatTimestamp(value: Int8, template: string): string | null {
  if (isInfinite(value) || template === '') return null;
  return formatCivil(civilFromTimestamp(value), 0, '', template);
}

/** to_char(timestamptz, text) in a zone. */
export function formatTimestamptz(value: Int8, template: string, zone: TimeZone): string | null {
  if (isInfinite(value) || template === '') return null;
  const seconds = unixSeconds(value);
  const name = zone.abbreviationAt(seconds);
  return formatCivil(localCivil(value, zone), zone.offsetAt(seconds), name, template);
}

function formatCivil(time: CivilTime, offset: number, zoneName: string, template: string): string {
  const days = daysFromDate(time.year, time.month, time.day);
  const yearDay = dayOfYear(days, time.year);
  const weekDay = dayOfWeek(days);
  const input = { time, isInterval: false, yearDay, weekDay, offset, zoneName };
  return formatNodes(input, parseTemplate(template));
}

/** to_char(interval, text); null for an empty template. */
export function formatInterval(interval: Interval, template: string): string | null {
  if (template === '') return null;
  const time = intervalFields(interval);
  const yearDay = (time.year * MONTHS_PER_YEAR + time.month) * 30 + time.day;
  const input = { time, isInterval: true, yearDay, weekDay: 0, offset: 0, zoneName: '' };
  return formatNodes(input, parseTemplate(template));
}

function formatNodes(input: FormatInput, nodes: readonly FormatNode[]): string {
  let text = '';
  for (const node of nodes) {
    if (node.kind !== 'pattern') {
      text += node.character;
      continue;
    }
    const value = formatPattern(input, node);
    text += value;
    if (node.ordinal !== null && ORDINAL_PATTERNS.has(node.id)) {
      text += ordinalSuffix(value, node.ordinal);
    }
  }
  return text;
}

/** Patterns that TH applies to: the numeric ones, but for zones. */
const ORDINAL_PATTERNS: ReadonlySet<string> = new Set(
  (
    'HH HH12 HH24 MI SS MS US FF1 FF2 FF3 FF4 FF5 FF6 SSSS SSSSS MM DDD IDDD DD D ID WW IW Q CC ' +
    'Y,YYY YYYY IYYY YYY IYY YY IY Y I W J'
  ).split(' '),
);

function ordinalSuffix(value: string, letterCase: 'upper' | 'lower'): string {
  if (value === '') return '';
  const last = value.charAt(value.length - 1);
  const isTeen = value.length > 1 && value.charAt(value.length - 2) === '1';
  let suffix = 'th';
  if (!isTeen && last === '1') suffix = 'st';
  else if (!isTeen && last === '2') suffix = 'nd';
  else if (!isTeen && last === '3') suffix = 'rd';
  return letterCase === 'upper' ? suffix.toUpperCase() : suffix;
}

/** A number with zeros up to a width, which a minus sign widens by one; bare in fill mode. */
function padded(value: number, width: number, node: PatternNode): string {
  return node.fill ? String(value) : zeroPadded(value, value < 0 ? width + 1 : width);
}

/** The same, but the minus sign counts. */
function paddedWithSign(value: number, width: number, node: PatternNode): string {
  return node.fill ? String(value) : zeroPadded(value, width);
}

function zeroPadded(value: number, width: number): string {
  const digits = String(Math.abs(value));
  return value < 0 ? `-${digits.padStart(width - 1, '0')}` : digits.padStart(width, '0');
}

function cased(text: string, letterCase: LetterCase): string {
  if (letterCase === 'upper') return text.toUpperCase();
  return letterCase === 'lower' ? text.toLowerCase() : text;
}

/** Names are padded to nine letters, but in fill mode and translated. */
function namePadded(name: string, node: PatternNode, width: number): string {
  const text = cased(name, node.letterCase);
  return node.fill || node.translated ? text : text.padEnd(width);
}

function rejectForInterval(input: FormatInput): void {
  if (!input.isInterval) return;
  throw pgError('invalid_datetime_format', 'invalid format specification for an interval value', {
    hint: 'Intervals are not tied to specific calendar dates.',
  });
}

function formatPattern(input: FormatInput, node: PatternNode): string {
  const { time } = input;
  switch (node.id) {
    case 'FX':
      return '';
    case 'A.M.':
    case 'P.M.':
      return cased(isAfternoon(time.hour) ? 'P.M.' : 'A.M.', node.letterCase);
    case 'AM':
    case 'PM':
      return cased(isAfternoon(time.hour) ? 'PM' : 'AM', node.letterCase);
    case 'HH':
    case 'HH12': {
      const hour = time.hour % 12 === 0 ? 12 : time.hour % 12;
      // Room for the sign is kept even where midnight and noon lose it.
      return node.fill ? String(hour) : zeroPadded(hour, time.hour < 0 ? 3 : 2);
    }
    case 'HH24':
      return padded(time.hour, 2, node);
    case 'MI':
      return padded(time.minute, 2, node);
    case 'SS':
      return padded(time.second, 2, node);
    case 'MS':
      return String(Math.trunc(time.micros / 1000)).padStart(3, '0');
    case 'US':
      return String(time.micros).padStart(6, '0');
    case 'SSSS':
    case 'SSSSS':
      return String(time.hour * 3600 + time.minute * 60 + time.second);
    case 'TZ':
    case 'OF':
    case 'TZH':
    case 'TZM':
      rejectForInterval(input);
      return formatZone(input, node);
    default:
      if (node.id.startsWith('FF')) {
        const digits = Number(node.id.charAt(2));
        return String(Math.trunc(time.micros / 10 ** (6 - digits))).padStart(digits, '0');
      }
      return formatDatePattern(input, node);
  }
}

function isAfternoon(hour: number): boolean {
  return hour % 24 >= 12;
}

function formatZone({ offset, zoneName }: FormatInput, node: PatternNode): string {
  const distance = Math.abs(offset);
  const sign = offset < 0 ? '-' : '+';
  const hours = Math.trunc(distance / 3600);
  const minutes = Math.trunc(distance / 60) % 60;
  const two = (value: number): string => String(value).padStart(2, '0');
  switch (node.id) {
    case 'TZ':
      return node.letterCase === 'lower' ? zoneName.toLowerCase() : zoneName;
    case 'TZH':
      return sign + two(hours);
    case 'TZM':
      return two(minutes);
    default: {
      const text = sign + (node.fill ? String(hours) : two(hours));
      return minutes === 0 ? text : `${text}:${two(minutes)}`;
    }
  }
}

function formatDatePattern(input: FormatInput, node: PatternNode): string {
  const { time, yearDay, weekDay, isInterval } = input;
  const { year, month, day } = time;
  const days = (): number => daysFromDate(year, month, day);
  switch (node.id) {
    case 'A.D.':
    case 'B.C.':
      rejectForInterval(input);
      return cased(year <= 0 ? 'B.C.' : 'A.D.', node.letterCase);
    case 'AD':
    case 'BC':
      rejectForInterval(input);
      return cased(year <= 0 ? 'BC' : 'AD', node.letterCase);
    case 'MONTH':
      rejectForInterval(input);
      return namePadded(MONTH_NAMES[month - 1] ?? '', node, 9);
    case 'MON':
      rejectForInterval(input);
      return cased((MONTH_NAMES[month - 1] ?? '').slice(0, 3), node.letterCase);
    case 'MM':
      return padded(month, 2, node);
    case 'DAY':
      rejectForInterval(input);
      return namePadded(DAY_NAMES[weekDay] ?? '', node, 9);
    case 'DY':
      rejectForInterval(input);
      return cased((DAY_NAMES[weekDay] ?? '').slice(0, 3), node.letterCase);
    case 'DDD':
      return paddedWithSign(yearDay, 3, node);
    case 'IDDD':
      return paddedWithSign(days() - isoYearStart(isoYear(days(), year)) + 1, 3, node);
    case 'DD':
      return paddedWithSign(day, 2, node);
    case 'D':
      rejectForInterval(input);
      return String(weekDay + 1);
    case 'ID':
      rejectForInterval(input);
      return String(weekDay === 0 ? 7 : weekDay);
    case 'WW':
      return paddedWithSign(Math.trunc((yearDay - 1) / 7) + 1, 2, node);
    case 'IW':
      return paddedWithSign(isoWeek(days(), year), 2, node);
    case 'W':
      return String(Math.trunc((day - 1) / 7) + 1);
    case 'Q':
      return month === 0 ? '' : String(Math.trunc((month - 1) / 3) + 1);
    case 'CC':
      return padded(formatCentury(year, isInterval), 2, node);
    case 'RM':
      return formatRoman(year, month, node);
    case 'J':
      return String(days() + POSTGRES_EPOCH_JULIAN);
    default:
      return formatYear(input, node, days);
  }
}

function formatCentury(year: number, isInterval: boolean): number {
  if (isInterval) return Math.trunc(year / 100);
  return year > 0 ? Math.trunc((year - 1) / 100) + 1 : Math.trunc(year / 100) - 1;
}

export const ROMAN_MONTHS = [
  'I',
  'II',
  'III',
  'IV',
  'V',
  'VI',
  'VII',
  'VIII',
  'IX',
  'X',
  'XI',
  'XII',
];

function formatRoman(year: number, month: number, node: PatternNode): string {
  if (month === 0 && year === 0) return '';
  // Intervals may have negative months, which count back from December.
  let index = month - 1;
  if (month === 0) index = year >= 0 ? 11 : 0;
  else if (month < 0) index = MONTHS_PER_YEAR + month;
  const text = cased(ROMAN_MONTHS[index] ?? '', node.letterCase);
  return node.fill ? text : text.padEnd(4);
}

function formatYear(
  { time, isInterval }: FormatInput,
  node: PatternNode,
  days: () => number,
): string {
  const isIso = node.id.startsWith('I');
  const astronomical = isIso ? isoYear(days(), time.year) : time.year;
  const year = isInterval || astronomical > 0 ? astronomical : 1 - astronomical;
  // A minus sign widens by the calendar year, of ISO years too.
  const extra = isInterval && time.year < 0 ? 1 : 0;
  switch (node.id) {
    case 'Y,YYY': {
      const thousands = Math.trunc(year / 1000);
      return `${thousands},${zeroPadded(year - thousands * 1000, 3)}`;
    }
    case 'YYYY':
    case 'IYYY':
      return paddedWithSign(year, 4 + extra, node);
    case 'YYY':
    case 'IYY':
      return paddedWithSign(year % 1000, 3 + extra, node);
    case 'YY':
    case 'IY':
      return paddedWithSign(year % 100, 2 + extra, node);
    default:
      return String(year % 10);
  }
}
