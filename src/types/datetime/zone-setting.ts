import type { Interval } from '../datum.ts';
import { decodeInterval, decodeIsoInterval, RANGE_FULL } from './decode-interval.ts';
import { DatetimeFault } from './fault.ts';
import { divideInt8 } from './int64.ts';
import { INTERVAL_LENGTH_MAX } from './interval.ts';
import { cutFields } from './lexer.ts';
import { findTimeZone, offsetZone } from './zone.ts';

/** The name under which a value of `SET TimeZone` is kept and shown, or null where it is none: an
 * IANA name in its own spelling, a POSIX rule, hours east of UTC as a number (`-7`, `5.5`), or
 * `INTERVAL '...'`, which is also how the grammar's INTERVAL form arrives. Abbreviations such as PST
 * are no settings, as in PostgreSQL. */
export function canonicalTimeZone(name: string): string | null {
  if (/^interval/i.test(name)) {
    const quoted = /^interval\s*'([^']*)'$/i.exec(name)?.[1];
    return quoted === undefined ? null : canonicalIntervalZone(quoted);
  }
  if (/^[ \t]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(name)) {
    return offsetZone(Math.trunc(Number(name) * 3600))?.name ?? null;
  }
  return name === '' ? null : (findTimeZone(name)?.name ?? null);
}

function canonicalIntervalZone(text: string): string | null {
  const interval = parseInterval(text);
  if (interval === null || interval.months !== 0 || interval.days !== 0) return null;
  const [seconds] = divideInt8(interval.micros, 1_000_000);
  return offsetZone(Number(seconds))?.name ?? null;
}

function parseInterval(text: string): Interval | null {
  try {
    return text.startsWith('P')
      ? decodeIsoInterval(text)
      : decodeInterval(cutFields(text, INTERVAL_LENGTH_MAX), RANGE_FULL, 'postgres');
  } catch (thrown) {
    if (thrown instanceof DatetimeFault) return null;
    throw thrown;
  }
}
