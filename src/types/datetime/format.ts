import { pgError } from '../../errors/index.ts';
import type { Int8, Interval } from '../datum.ts';
import {
  type CivilTime,
  dateFromDays,
  dayOfWeek,
  dayOfYear,
  daysFromDate,
  daysInMonth,
  isDateInRange,
  isoWeek,
  isoYear,
  isoYearStart,
  MONTHS_PER_YEAR,
  newCivilTime,
  POSTGRES_EPOCH_JULIAN,
} from './calendar.ts';
import {
  civilFromTimestamp,
  isInfinite,
  localCivil,
  timestampAt,
  unixSeconds,
} from './conversion.ts';
import { intervalFields } from './encode.ts';
import { faultError } from './fault.ts';
import { isDigit, isSpace } from './lexer.ts';
import { PRECISION_MAX, roundToPrecision } from './typmod.ts';
import { DAY_NAMES, MONTH_NAMES } from './words.ts';
import { offsetOfCivilTime, type TimeZone } from './zone.ts';

/** to_char for timestamps and intervals; to_date and to_timestamp.
 *
 * A template is parsed into nodes: patterns (`YYYY`, with modifiers FM, TH, TM), separators, spaces
 * and other characters. Reading forgives what the separators are, as PostgreSQL does; FX does not.
 */

type LetterCase = 'upper' | 'capital' | 'lower';

interface PatternNode {
  readonly kind: 'pattern';
  /** Upper-case name. */
  readonly id: string;
  /** As the template has it; error messages quote it. */
  readonly name: string;
  readonly letterCase: LetterCase;
  readonly fill: boolean;
  readonly ordinal: 'upper' | 'lower' | null;
  /** The TM modifier. */
  readonly translated: boolean;
}

interface TextNode {
  readonly kind: 'separator' | 'space' | 'text';
  readonly character: string;
}

type FormatNode = PatternNode | TextNode;

const UPPER_PATTERNS =
  'A.D. A.M. AD AM B.C. BC CC DAY DDD DD DY D FF1 FF2 FF3 FF4 FF5 FF6 FX HH24 HH12 HH IDDD ID IW ' +
  'IYYY IYY IY I J MI MM MONTH MON MS OF P.M. PM Q RM SSSSS SSSS SS TZH TZM TZ US WW W Y,YYY YYYY ' +
  'YYY YY Y';

function loadPatterns(): ReadonlyMap<string, LetterCase> {
  const patterns = new Map<string, LetterCase>();
  for (const name of UPPER_PATTERNS.split(' ')) {
    patterns.set(name, 'upper');
    patterns.set(name.toLowerCase(), 'lower');
  }
  for (const name of ['Day', 'Dy', 'Month', 'Mon']) patterns.set(name, 'capital');
  return patterns;
}

const PATTERNS = loadPatterns();
const PATTERN_LENGTH_MAX = 5;
const TEMPLATE_CACHE_MAX = 200;
const templates = new Map<string, readonly FormatNode[]>();

function parseTemplate(template: string): readonly FormatNode[] {
  const known = templates.get(template);
  if (known !== undefined) return known;
  const nodes = cutTemplate(template);
  if (templates.size >= TEMPLATE_CACHE_MAX) templates.clear();
  templates.set(template, nodes);
  return nodes;
}

function cutTemplate(template: string): FormatNode[] {
  const nodes: FormatNode[] = [];
  let at = 0;
  while (at < template.length) {
    const prefix = template.slice(at, at + 2);
    const fill = prefix === 'FM' || prefix === 'fm';
    const translated = prefix === 'TM' || prefix === 'tm';
    if (fill || translated) at += 2;
    const name = patternAt(template, at);
    if (name !== null) {
      at += name.length;
      const suffix = template.slice(at, at + 2);
      if (suffix === 'TH' || suffix === 'th' || suffix === 'SP') at += 2;
      nodes.push({
        kind: 'pattern',
        id: name.toUpperCase(),
        name,
        letterCase: PATTERNS.get(name) ?? 'upper',
        fill,
        ordinal: suffix === 'TH' ? 'upper' : suffix === 'th' ? 'lower' : null,
        translated,
      });
    } else if (template.charAt(at) === '"') {
      at = cutQuoted(template, at + 1, nodes);
    } else if (at < template.length) {
      if (template.startsWith('\\"', at)) at++;
      const character = String.fromCodePoint(template.codePointAt(at) ?? 0);
      nodes.push({ kind: textKind(character), character });
      at += character.length;
    }
  }
  return nodes;
}

function patternAt(template: string, at: number): string | null {
  for (let length = PATTERN_LENGTH_MAX; length > 0; length--) {
    const name = template.slice(at, at + length);
    if (name.length === length && PATTERNS.has(name)) return name;
  }
  return null;
}

/** Text in double quotes stands for itself; a backslash quotes the next character. */
function cutQuoted(template: string, start: number, nodes: FormatNode[]): number {
  let at = start;
  while (at < template.length) {
    if (template.charAt(at) === '"') return at + 1;
    if (template.charAt(at) === '\\' && at + 1 < template.length) at++;
    const character = String.fromCodePoint(template.codePointAt(at) ?? 0);
    nodes.push({ kind: 'text', character });
    at += character.length;
  }
  return at;
}

function textKind(character: string): TextNode['kind'] {
  if (isSeparator(character)) return 'separator';
  return character.length === 1 && isSpace(character.charCodeAt(0)) ? 'space' : 'text';
}

function isSeparator(character: string): boolean {
  return /^[!-/:-@[-`{-~]$/.test(character);
}

// ---- Writing ----

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
    case 'HH12':
      return padded(time.hour % 12 === 0 ? 12 : time.hour % 12, 2, node);
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
      return paddedWithSign(
        isInterval ? yearDay : days() - isoYearStart(isoYear(days(), year)) + 1,
        3,
        node,
      );
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

const ROMAN_MONTHS = ['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII'];

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
  switch (node.id) {
    case 'Y,YYY': {
      const thousands = Math.trunc(year / 1000);
      return `${thousands},${zeroPadded(year - thousands * 1000, 3)}`;
    }
    case 'YYYY':
    case 'IYYY':
      return padded(year, 4, node);
    case 'YYY':
    case 'IYY':
      return padded(year % 1000, 3, node);
    case 'YY':
    case 'IY':
      return padded(year % 100, 2, node);
    default:
      return String(year % 10);
  }
}

// ---- Reading ----

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

function readFields(text: string, template: string): ReadFields {
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
  const reader: Reader = { text, at: 0, extra: 0, isFixed: false, fields };
  const nodes = parseTemplate(template);
  for (let i = 0; i < nodes.length && reader.at < text.length; i++) {
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
  return fields;
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
      setField(fields, 'weekDay', readName(reader, node, DAY_NAMES) + 1, node);
      return;
    case 'DY':
      setField(fields, 'weekDay', readName(reader, node, SHORT_DAYS) + 1, node);
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
  const match = /^[ \t\n\v\f\r]*([+-]?\d+),([+-]?\d{1,3})/.exec(reader.text.slice(reader.at));
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
interface ReadMoment {
  readonly civil: CivilTime;
  /** Seconds east of UTC, or null where the text names none. */
  readonly offset: number | null;
  readonly precision: number;
}

function readMoment(text: string, template: string): ReadMoment {
  const fields = readFields(text, template);
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
  let isGiven = readYear(fields, civil);
  if (fields.julian !== 0) {
    dateFromDays(fields.julian - POSTGRES_EPOCH_JULIAN, civil);
    isGiven = true;
  }
  if (fields.week !== 0) {
    if (fields.mode === 'iso') {
      const monday = isoYearStart(civil.year) + (fields.week - 1) * 7;
      const inWeek = fields.weekDay === 0 ? 0 : fields.weekDay > 1 ? fields.weekDay - 2 : 6;
      dateFromDays(monday + inWeek, civil);
      isGiven = true;
    } else {
      fields.yearDay = (fields.week - 1) * 7 + 1;
    }
  }
  if (fields.weekOfMonth !== 0) fields.day = (fields.weekOfMonth - 1) * 7 + 1;
  if (fields.day !== 0) {
    civil.day = fields.day;
    isGiven = true;
  }
  if (fields.month !== 0) {
    civil.month = fields.month;
    isGiven = true;
  }
  if (fields.yearDay !== 0 && (civil.month <= 1 || civil.day <= 1)) {
    readYearDay(fields, civil);
    isGiven = true;
  }
  const isValid =
    civil.month >= 1 &&
    civil.month <= 12 &&
    civil.day >= 1 &&
    civil.day <= daysInMonth(civil.year, civil.month);
  if (isGiven && !isValid) throw faultError('field_overflow', text, 'timestamp');
}

/** Sets the year from year and century; false where neither is given. */
function readYear(fields: ReadFields, civil: CivilTime): boolean {
  const century = fields.isBc === 1 ? -fields.century : fields.century;
  if (fields.year !== 0) {
    if (fields.century !== 0 && fields.yearDigits <= 2) {
      civil.year = fields.year % 100;
      if (civil.year !== 0) civil.year += (century < 0 ? century + 1 : century - 1) * 100;
      else civil.year = century * 100 + (century >= 0 ? 0 : 1);
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
  const days = daysFromDate(civil.year, civil.month, civil.day);
  if (!isDateInRange(days)) {
    throw pgError('datetime_field_overflow', `date out of range: "${text}"`);
  }
  return days;
}
