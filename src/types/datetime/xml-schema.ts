import type { Int8 } from '../datum.ts';
import { isInfinite } from './calendar.ts';
import { unixSeconds } from './conversion.ts';
import { textOf, writeOffset, writeTime, writeXsdDate, writeXsdTimestamp } from './encode.ts';
import { microsOfTimetz, offsetOfTimetz } from './timetz.ts';
import type { TimeZone } from './zone.ts';

/** Texts as XML Schema has them, and JSON after it: the ISO style, but `2024-02-29T12:00:00+01:00`. */

export function xsdDate(days: number): string {
  return textOf((out) => writeXsdDate(days, out));
}

/** `micros` since midnight. */
export function xsdTime(micros: number): string {
  return textOf((out) => writeTime(micros, out));
}

export function xsdTimetz(value: Uint8Array): string {
  return textOf((out) => {
    writeTime(microsOfTimetz(value), out);
    writeOffset(offsetOfTimetz(value), out, true);
  });
}

export function xsdTimestamp(value: Int8): string {
  return textOf((out) => writeXsdTimestamp(value, null, out));
}

/** A moment as the clocks show it that lie `offset` seconds east of UTC. */
export function xsdTimestamptz(value: Int8, offset: number): string {
  return textOf((out) => writeXsdTimestamp(value, offset, out));
}

/** A moment as a zone's clocks show it. */
export function xsdTimestamptzIn(value: Int8, zone: TimeZone): string {
  return xsdTimestamptz(value, isInfinite(value) ? 0 : zone.offsetAt(unixSeconds(value)));
}
