/** Moments in jsonpath: what .datetime() reads without a template, how they compare and print. */

import { PgError, pgError } from '../../errors/index.ts';
import {
  int8,
  localTimestamp,
  makeDate,
  momentOfLocal,
  sessionZone,
  type TemplateType,
} from '../../types/index.ts';
import type { FunctionContext } from './function.ts';

export type MomentType = TemplateType;

/** A date and time of day as they were written, with their offset in seconds east of UTC. What a type
 * lacks is 0. */
export class PathMoment {
  readonly type: MomentType;
  readonly days: number;
  readonly micros: number;
  readonly offset: number;

  constructor(type: MomentType, days: number, micros: number, offset: number) {
    this.type = type;
    this.days = days;
    this.micros = micros;
    this.offset = offset;
  }
}

/** What .type() calls them. */
export const MOMENT_NAMES: Readonly<Record<MomentType, string>> = {
  date: 'date',
  time: 'time without time zone',
  timetz: 'time with time zone',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
};

/** Blanks may stand before a number, and at the end. */
const DATE = '\\s*(?<year>\\d{1,6})-\\s*(?<month>\\d{1,2})-\\s*(?<day>\\d{1,2})';
const TIME =
  '\\s*(?<hour>\\d{1,2}):\\s*(?<minute>\\d{1,2}):\\s*(?<second>\\d{1,2})(?:\\.(?<fraction>\\d{1,6}))?';
const ZONE = '(?<sign>[+-])(?<zoneHour>\\d{1,2})(?::(?<zoneMinute>\\d{1,2}))?';
const ISO = new RegExp(
  `^(?:${DATE}|(?:${DATE.replaceAll('?<', '?<_')}[ T])?${TIME}(?:${ZONE})?)\\s*$`,
);

/** Reads a text in one of the ISO forms; null when it is in none. */
export function parseMoment(text: string): PathMoment | null {
  const parts = ISO.exec(text)?.groups;
  if (parts === undefined) return null;
  const number = (name: string): number => Number(parts[name] ?? 0);
  const hasTime = parts.hour !== undefined;
  const days = daysOf(
    parts.year ?? parts._year,
    parts.month ?? parts._month,
    parts.day ?? parts._day,
  );
  if (days === null) return null;
  if (!hasTime) return new PathMoment('date', days, 0, 0);
  if (number('hour') > 23 || number('minute') > 59 || number('second') > 59) return null;
  if (number('zoneHour') > 15 || number('zoneMinute') > 59) return null;
  const seconds = (number('hour') * 60 + number('minute')) * 60 + number('second');
  const micros = seconds * 1e6 + Number((parts.fraction ?? '').padEnd(6, '0'));
  const away = (number('zoneHour') * 60 + number('zoneMinute')) * 60;
  const hasZone = parts.sign !== undefined;
  const base = parts._year === undefined ? 'time' : 'timestamp';
  const type = hasZone ? (base === 'time' ? 'timetz' : 'timestamptz') : base;
  return new PathMoment(type, days, micros, parts.sign === '-' ? -away + 0 : away);
}

/** Days since 2000-01-01; 0 without a date, null for one that no calendar has. */
function daysOf(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
): number | null {
  if (year === undefined) return 0;
  try {
    return makeDate(Number(year), Number(month), Number(day));
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    return null;
  }
}

/** The moment as a JSON string has it, in ISO 8601. */
export function formatMoment({ type, days, micros, offset }: PathMoment): string {
  const date = type === 'time' || type === 'timetz' ? '' : formatDays(days);
  if (type === 'date') return date;
  const separator = date === '' ? '' : 'T';
  const zone = type === 'timetz' || type === 'timestamptz' ? formatOffset(offset) : '';
  return `${date}${separator}${formatTime(micros)}${zone}`;
}

const UNIX_EPOCH_DAYS = 10957;

function formatDays(days: number): string {
  const date = new Date((days + UNIX_EPOCH_DAYS) * 86_400_000);
  const year = String(date.getUTCFullYear()).padStart(4, '0');
  return `${year}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}`;
}

function formatTime(micros: number): string {
  const seconds = Math.floor(micros / 1e6);
  const fraction = micros % 1e6;
  const tail = fraction === 0 ? '' : `.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
  const minutes = Math.floor(seconds / 60);
  return `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}:${pad(seconds % 60)}${tail}`;
}

function formatOffset(offset: number): string {
  const minutes = Math.abs(offset) / 60;
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** Compares moments; null when their types have no order between them. What needs the zone of the
 * session fails where `zone` is null. */
export function compareMoments(
  a: PathMoment,
  b: PathMoment,
  zone: FunctionContext | null,
): number | null {
  const isTime = (moment: PathMoment) => moment.type === 'time' || moment.type === 'timetz';
  if (isTime(a) !== isTime(b)) return null;
  const zoned = (moment: PathMoment) => moment.type === 'timetz' || moment.type === 'timestamptz';
  if (!zoned(a) && !zoned(b))
    return compareParts(a.days, b.days) || compareParts(a.micros, b.micros);
  if (isTime(a)) return compareTimes(zonedTime(a, zone), zonedTime(b, zone));
  return compareParts(momentOf(a, zone), momentOf(b, zone));
}

function compareParts<Value extends number | bigint>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By the moment of the day in UTC, then by zone, east first. */
function compareTimes(a: PathMoment, b: PathMoment): number {
  const moment = ({ micros, offset }: PathMoment) => micros - offset * 1e6;
  return compareParts(moment(a), moment(b)) || compareParts(b.offset, a.offset);
}

const MICROS_PER_DAY = 86_400_000_000n;

function localMicros({ days, micros }: PathMoment): bigint {
  return BigInt(days) * MICROS_PER_DAY + BigInt(micros);
}

/** Microseconds since 2000 in UTC. */
function momentOf(moment: PathMoment, zone: FunctionContext | null): bigint {
  const local = localMicros(moment);
  if (moment.type === 'timestamptz') return local - BigInt(moment.offset) * 1_000_000n;
  const context = requireZone(moment.type, 'timestamptz', zone);
  return BigInt(momentOfLocal(int8(local), sessionZone(context.timeZone)));
}

/** A time of day at the offset that the session's clocks have today. */
function zonedTime(moment: PathMoment, zone: FunctionContext | null): PathMoment {
  if (moment.type === 'timetz') return moment;
  const context = requireZone('time', 'timetz', zone);
  const clocks = sessionZone(context.timeZone);
  const now = BigInt(localTimestamp(context.transactionTimestamp, clocks));
  const today = now - (((now % MICROS_PER_DAY) + MICROS_PER_DAY) % MICROS_PER_DAY);
  const seconds = Number((today + BigInt(moment.micros)) / 1_000_000n);
  const offset = clocks.offsetOfLocal(seconds + UNIX_EPOCH_DAYS * 86_400);
  return new PathMoment('timetz', 0, moment.micros, offset);
}

function requireZone(
  from: MomentType,
  to: MomentType,
  zone: FunctionContext | null,
): FunctionContext {
  if (zone !== null) return zone;
  throw pgError(
    'feature_not_supported',
    `cannot convert value from ${from} to ${to} without time zone usage`,
    { hint: 'Use *_tz() function for time zone support.' },
  );
}
