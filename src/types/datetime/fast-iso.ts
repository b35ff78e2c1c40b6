import type { Int8 } from '../datum.ts';
import type { TypeContext } from '../sql-type.ts';
import {
  daysFromDate,
  daysInMonth,
  joinTimestamp,
  microsFromTime,
  UNIX_EPOCH_DAYS,
} from './calendar.ts';
import { sessionZone } from './zone.ts';

/** Reads the plain ISO forms that programs send, without cutting the text into fields.
 *
 *   date         yyyy-mm-dd
 *   timestamp    yyyy-mm-dd hh:mm:ss[.f{1,6}][(+|-)hh[:mm] | Z]   also with T for the space
 *
 * Anything else, and anything that is out of range, is left to the full decoder, which accepts the
 * same forms with the same meaning and knows the errors.
 */

const NONE = -1;

/** Value of two digits, or NONE. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NONE;
}

/** Days since 2000-01-01 of a date at the start of the text, or null. */
function datePart(text: string): number | null {
  const century = two(text, 0);
  const yearOfCentury = two(text, 2);
  const month = two(text, 5);
  const day = two(text, 8);
  if (century === NONE || yearOfCentury === NONE || month < 1 || day < 1 || month > 12) return null;
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return null;
  const year = century * 100 + yearOfCentury;
  if (year === 0 || day > daysInMonth(year, month)) return null;
  return daysFromDate(year, month, day);
}

/** Days since 2000-01-01, or null where the text is not a plain date. */
export function fastIsoDate(text: string): number | null {
  return text.length === 10 ? datePart(text) : null;
}

/** A timestamp, or null where the text is not in the plain form. With `withZone`, the moment in UTC
 * (by the session's zone if the text names none); otherwise a zone in the text is ignored. */
export function fastIsoTimestamp(
  text: string,
  context: TypeContext,
  withZone: boolean,
): Int8 | null {
  const length = text.length;
  if (length < 19) return null;
  const separator = text.charCodeAt(10);
  if (separator !== 32 && separator !== 84) return null;
  const days = datePart(text);
  const hour = two(text, 11);
  const minute = two(text, 14);
  const second = two(text, 17);
  if (days === null || text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return null;
  if (hour < 0 || minute < 0 || second < 0 || hour > 23 || minute > 59 || second > 59) return null;
  let at = 19;
  let micros = 0;
  if (text.charCodeAt(at) === 46) {
    let scale = 1_000_000;
    for (at = 20; at < length && scale > 1; at++) {
      const digit = text.charCodeAt(at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      scale /= 10;
      micros += digit * scale;
    }
    if (at === 20) return null;
  }
  const time = microsFromTime(hour, minute, second, micros);
  if (at === length) {
    if (!withZone) return joinTimestamp(days, time);
    const local = (days + UNIX_EPOCH_DAYS) * 86_400 + (hour * 60 + minute) * 60 + second;
    const offset = sessionZone(context.timeZone).offsetOfLocal(local);
    return joinTimestamp(days, time - offset * 1e6);
  }
  const offset = offsetPart(text, at);
  if (offset === null) return null;
  return joinTimestamp(days, withZone ? time - offset * 1e6 : time);
}

/** The zone at the end of the text in seconds east of UTC, or null. */
function offsetPart(text: string, at: number): number | null {
  const sign = text.charCodeAt(at);
  const rest = text.length - at;
  if (sign === 90) return rest === 1 ? 0 : null;
  if (sign !== 43 && sign !== 45) return null;
  if (rest !== 3 && (rest !== 6 || text.charCodeAt(at + 3) !== 58)) return null;
  const hours = two(text, at + 1);
  const minutes = rest === 6 ? two(text, at + 4) : 0;
  if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59) return null;
  const offset = (hours * 60 + minutes) * 60;
  return sign === 45 ? -offset : offset;
}
