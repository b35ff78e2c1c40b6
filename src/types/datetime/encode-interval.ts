import type { Interval } from '../datum.ts';
import type { TypeContext } from '../sql-type.ts';

/** Text forms of intervals. */

/** An interval in signed fields, all truncated towards zero. Hours may exceed 32 bits. */
interface IntervalFields {
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
