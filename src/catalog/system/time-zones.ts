/** pg_timezone_names and pg_timezone_abbrevs, as they are at the time of asking. */

import {
  findTimeZone,
  type Interval,
  type TimeZone,
  timeZoneNames,
  ZONE_ABBREVIATIONS,
} from '../../types/index.ts';
import type { ProducerTable, SystemRow, SystemState } from './system-state.ts';

const UNIX_SECONDS_OF_2000 = 946_684_800;
const HALF_YEAR_SECONDS = 182 * 86_400;

function unixSeconds(micros: number): number {
  return Math.floor(micros / 1_000_000) + UNIX_SECONDS_OF_2000;
}

function offsetInterval(seconds: number): Interval {
  return { months: 0, days: 0, micros: seconds * 1_000_000 };
}

/** Summer time: the clocks are ahead of what they show half a year away. */
function isSummerTime(zone: TimeZone, seconds: number): boolean {
  const offset = zone.offsetAt(seconds);
  return (
    offset > zone.offsetAt(seconds - HALF_YEAR_SECONDS) ||
    offset > zone.offsetAt(seconds + HALF_YEAR_SECONDS)
  );
}

function* nameRows({ now }: SystemState): Iterable<SystemRow> {
  const seconds = unixSeconds(now);
  for (const name of timeZoneNames()) {
    const zone = findTimeZone(name);
    if (zone === null) continue;
    yield {
      name,
      abbrev: zone.abbreviationAt(seconds),
      utc_offset: offsetInterval(zone.offsetAt(seconds)),
      is_dst: isSummerTime(zone, seconds),
    };
  }
}

function* abbreviationRows({ now }: SystemState): Iterable<SystemRow> {
  const seconds = unixSeconds(now);
  for (const [name, { offset, daylight, zone: zoneName }] of ZONE_ABBREVIATIONS) {
    const zone = zoneName === null ? null : findTimeZone(zoneName);
    const east = zone?.offsetOfAbbreviation(name, seconds) ?? zone?.offsetAt(seconds) ?? offset;
    yield { abbrev: name.toUpperCase(), utc_offset: offsetInterval(east), is_dst: daylight };
  }
}

export const TIME_ZONE_VIEWS: ProducerTable = {
  'pg_catalog.pg_timezone_names': nameRows,
  'pg_catalog.pg_timezone_abbrevs': abbreviationRows,
};
