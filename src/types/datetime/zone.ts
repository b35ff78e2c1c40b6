import { createRequire } from 'node:module';
import {
  type CivilTime,
  dayOfWeek,
  daysFromDate,
  isLeapYear,
  UNIX_EPOCH_DAYS,
} from './calendar.ts';

/** Time zones: IANA names, POSIX rules and fixed offsets, each as a list of periods.
 *
 * Period i lasts until `untils[i]` (exclusive, seconds since 1970 UTC); the last one lasts for ever.
 * IANA data comes from moment-timezone, which is PostgreSQL's own source compiled to the year 2500;
 * Node's Intl has the offsets but not the abbreviations, and no list of transitions. A zone that
 * still changes its clocks there goes on in the Gregorian cycle of 400 years.
 */

/** 400 Gregorian years in seconds. */
const CYCLE_SECONDS = 146_097 * 86_400;
/** 2490-01-01: from here on a zone with yearly changes is looked up one cycle earlier. */
const CYCLE_LIMIT = 16_409_433_600;
const YEAR_FIRST_OF_RULES = 1900;
const YEAR_LAST_OF_RULES = 2500;
/** POSIX offsets stay below a week, as in PostgreSQL. */
const OFFSET_SECONDS_END = 168 * 3600;

export class TimeZone {
  readonly name: string;
  readonly untils: Float64Array;
  /** Seconds east of UTC in each period. */
  readonly offsets: Int32Array;
  readonly abbreviations: readonly string[];
  readonly isFixed: boolean;
  private readonly repeats: boolean;
  /** The period looked up last, and its borders: neighbouring rows mostly share it. */
  private last = 0;
  private lastFrom = Number.POSITIVE_INFINITY;
  private lastUntil = Number.NEGATIVE_INFINITY;

  constructor(
    name: string,
    untils: Float64Array,
    offsets: Int32Array,
    abbreviations: readonly string[],
  ) {
    this.name = name;
    this.untils = untils;
    this.offsets = offsets;
    this.abbreviations = abbreviations;
    this.isFixed = untils.length === 0;
    this.repeats = untils.length > 0 && untils[untils.length - 1]! >= CYCLE_LIMIT;
  }

  /** Index of the period that holds a moment before the cycle limit (or any, without cycle). */
  private periodOf(seconds: number): number {
    if (seconds >= this.lastFrom && seconds < this.lastUntil) return this.last;
    const untils = this.untils;
    let low = 0;
    let high = untils.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (untils[middle]! <= seconds) low = middle + 1;
      else high = middle;
    }
    this.last = low;
    this.lastFrom = low === 0 ? Number.NEGATIVE_INFINITY : untils[low - 1]!;
    this.lastUntil = low === untils.length ? Number.POSITIVE_INFINITY : untils[low]!;
    return low;
  }

  /** How far to go back so that a moment lies before the cycle limit. */
  private cycleShift(seconds: number): number {
    if (!this.repeats || seconds < CYCLE_LIMIT) return 0;
    return (Math.floor((seconds - CYCLE_LIMIT) / CYCLE_SECONDS) + 1) * CYCLE_SECONDS;
  }

  /** Seconds east of UTC at a moment in seconds since 1970 UTC. */
  offsetAt(seconds: number): number {
    if (this.isFixed) return this.offsets[0]!;
    return this.offsets[this.periodOf(seconds - this.cycleShift(seconds))]!;
  }

  abbreviationAt(seconds: number): string {
    if (this.isFixed) return this.abbreviations[0] ?? '';
    return this.abbreviations[this.periodOf(seconds - this.cycleShift(seconds))] ?? '';
  }

  /** Seconds east of UTC for a local time, given as if its seconds were UTC. A time that the clocks
   * skip is read with the offset before the gap, one that they show twice with the later offset. */
  offsetOfLocal(localSeconds: number): number {
    if (this.isFixed) return this.offsets[0]!;
    const shift = this.cycleShift(localSeconds);
    const local = localSeconds - shift;
    const period = this.periodOf(local - 86_400);
    const before = this.offsets[period]!;
    if (period === this.untils.length) return before;
    const boundary = this.untils[period]!;
    const after = this.offsets[period + 1]!;
    const asBefore = local - before;
    const asAfter = local - after;
    if (asBefore < boundary && asAfter < boundary) return before;
    if (asBefore > boundary && asAfter >= boundary) return after;
    return asBefore > asAfter ? before : after;
  }

  /** The offset that an abbreviation meant in this zone at a moment, or when it was last (else
   * first) used; null if the zone never used it. */
  offsetOfAbbreviation(abbreviation: string, seconds: number): number | null {
    const wanted = abbreviation.toUpperCase();
    const now = this.periodOf(seconds - this.cycleShift(seconds));
    for (let i = now; i >= 0; i--) {
      if (this.abbreviations[i] === wanted) return this.offsets[i]!;
    }
    for (let i = now + 1; i < this.offsets.length; i++) {
      if (this.abbreviations[i] === wanted) return this.offsets[i]!;
    }
    return null;
  }
}

export const UTC = fixedZone('UTC', 0, 'UTC');

const zones = new Map<string, TimeZone>([['UTC', UTC]]);

/** The zone of a name as `SET TimeZone` takes it (see `canonicalTimeZone`), or null. */
export function findTimeZone(name: string): TimeZone | null {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const zone = ianaZone(name) ?? posixZone(name.toUpperCase());
  // Users can make up POSIX names without end; a bound keeps the map small.
  if (zone !== null && zones.size < 4096) zones.set(name, zone);
  return zone;
}

let lastName = 'UTC';
let lastZone = UTC;

/** The zone of a session's settings. An unknown name cannot get there; it reads as UTC. */
export function sessionZone(name: string): TimeZone {
  if (name === lastName) return lastZone;
  lastZone = findTimeZone(name) ?? UTC;
  lastName = name;
  return lastZone;
}

/** Offset for local fields in a zone, seconds east of UTC. */
export function offsetOfCivilTime(time: CivilTime, zone: TimeZone): number {
  return zone.offsetOfLocal(localSecondsOf(time));
}

/** Local fields as seconds since 1970, as if they were UTC. */
export function localSecondsOf(time: CivilTime): number {
  const days = daysFromDate(time.year, time.month, time.day) + UNIX_EPOCH_DAYS;
  return days * 86_400 + (time.hour * 60 + time.minute) * 60 + time.second;
}

export function fixedZone(name: string, offset: number, abbreviation: string): TimeZone {
  return new TimeZone(name, new Float64Array(0), Int32Array.of(offset), [abbreviation]);
}

/** Zone of a fixed number of seconds east of UTC, named as PostgreSQL names it: `<+05:30>-05:30`. */
export function offsetZone(offset: number): TimeZone | null {
  if (Math.abs(offset) >= OFFSET_SECONDS_END) return null;
  const distance = Math.abs(offset);
  let text = String(Math.floor(distance / 3600)).padStart(2, '0');
  if (distance % 3600 !== 0) text += `:${String(Math.floor(distance / 60) % 60).padStart(2, '0')}`;
  if (distance % 60 !== 0) text += `:${String(distance % 60).padStart(2, '0')}`;
  const shown = offset < 0 ? `-${text}` : `+${text}`;
  return fixedZone(`<${shown}>${offset < 0 ? '+' : '-'}${text}`, offset, shown);
}

// ---- IANA ----

interface ZoneIndex {
  /** Packed record of each zone, by its name. */
  readonly packed: ReadonlyMap<string, string>;
  /** Names and aliases, by their lower-case form. */
  readonly names: ReadonlyMap<string, { readonly name: string; readonly target: string }>;
}

let zoneIndex: ZoneIndex | null = null;

function loadZoneIndex(): ZoneIndex {
  if (zoneIndex !== null) return zoneIndex;
  const require = createRequire(import.meta.url);
  const data = require('moment-timezone/data/packed/latest.json') as {
    readonly zones: readonly string[];
    readonly links: readonly string[];
  };
  const packed = new Map<string, string>();
  const names = new Map<string, { readonly name: string; readonly target: string }>();
  for (const record of data.zones) {
    const name = record.slice(0, record.indexOf('|'));
    packed.set(name, record);
    names.set(name.toLowerCase(), { name, target: name });
  }
  for (const link of data.links) {
    const [target, name] = link.split('|');
    if (target !== undefined && name !== undefined) names.set(name.toLowerCase(), { name, target });
  }
  zoneIndex = { packed, names };
  return zoneIndex;
}

/** Names of all IANA zones and aliases, for pg_timezone_names. */
export function timeZoneNames(): readonly string[] {
  return Array.from(loadZoneIndex().names.values(), (entry) => entry.name).sort();
}

function ianaZone(name: string): TimeZone | null {
  const lower = name.toLowerCase();
  if (lower === 'utc') return UTC;
  const { names, packed } = loadZoneIndex();
  const entry = names.get(lower);
  if (entry === undefined) return null;
  const record = packed.get(entry.target);
  return record === undefined ? null : unpackZone(entry.name, record);
}

/** Unpacks a record `name|abbreviations|offsets|periods|lengths|population`: numbers are minutes in
 * base 60, offsets west of UTC; a length is the distance to the next transition. */
function unpackZone(name: string, record: string): TimeZone {
  const [, abbreviationList = '', offsetList = '', periods = '', lengths = ''] = record.split('|');
  const abbreviations = abbreviationList.split(' ');
  const offsets = offsetList.split(' ').map((text) => -Math.round(unpackBase60(text) * 60));
  const steps = lengths === '' ? [] : lengths.split(' ');
  const untils = new Float64Array(steps.length);
  let at = 0;
  for (let i = 0; i < steps.length; i++) {
    at += Math.round(unpackBase60(steps[i]!) * 60);
    untils[i] = at;
  }
  const periodOffsets = new Int32Array(steps.length + 1);
  const periodAbbreviations: string[] = [];
  for (let i = 0; i <= steps.length; i++) {
    const kind = base60Digit(periods.charCodeAt(Math.min(i, periods.length - 1)));
    periodOffsets[i] = offsets[kind] ?? 0;
    periodAbbreviations.push(abbreviations[kind] ?? '');
  }
  return new TimeZone(name, untils, periodOffsets, periodAbbreviations);
}

function base60Digit(code: number): number {
  if (code > 96) return code - 87;
  return code > 64 ? code - 29 : code - 48;
}

function unpackBase60(text: string): number {
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = (negative ? text.slice(1) : text).split('.');
  let value = 0;
  for (let i = 0; i < whole.length; i++) value = value * 60 + base60Digit(whole.charCodeAt(i));
  let weight = 1;
  for (let i = 0; i < fraction.length; i++) {
    weight /= 60;
    value += base60Digit(fraction.charCodeAt(i)) * weight;
  }
  return negative ? -value : value;
}

// ---- POSIX rules: STDoffset[DST[offset][,start[/time],end[/time]]] ----

/** Offsets are west of UTC, as POSIX has them. The names may be empty. */
const POSIX_ZONE =
  /^(?:<([^>]*)>|([^0-9,+\-<]*))([+-]?\d+(?::\d+(?::\d+)?)?)(?:(?:<([^>]*)>|([^0-9,+\-<]+))([+-]?\d+(?::\d+(?::\d+)?)?)?(?:,(.+))?)?$/;
/** What PostgreSQL assumes of a zone with daylight time and no rule. */
const DEFAULT_RULE = 'M3.2.0,M11.1.0';

type DayRule =
  | { readonly kind: 'month'; readonly month: number; readonly week: number; readonly day: number }
  | { readonly kind: 'julian'; readonly day: number }
  | { readonly kind: 'zero-based'; readonly day: number };

interface TransitionRule {
  readonly day: DayRule;
  /** Local seconds after midnight. */
  readonly time: number;
}

function posixZone(name: string): TimeZone | null {
  const match = POSIX_ZONE.exec(name);
  if (match === null) return null;
  const west = parsePosixOffset(match[3] ?? '');
  if (west === null) return null;
  const standard = match[1] ?? match[2] ?? '';
  const daylight = match[4] ?? match[5];
  if (daylight === undefined) return fixedZone(name, -west, standard);
  const daylightWest = match[6] === undefined ? west - 3600 : parsePosixOffset(match[6]);
  const rules = parsePosixRules(match[7] ?? DEFAULT_RULE);
  if (daylightWest === null || rules === null) return null;
  return ruleZone(name, -west, standard, -daylightWest, daylight, rules);
}

function parsePosixOffset(text: string): number | null {
  const [hours = '0', minutes = '0', seconds = '0'] = text.replace(/^[+-]/, '').split(':');
  if (Number(minutes) > 59 || Number(seconds) > 60) return null;
  const value = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  if (value >= OFFSET_SECONDS_END) return null;
  return text.startsWith('-') ? -value : value;
}

function parsePosixRules(text: string): readonly [TransitionRule, TransitionRule] | null {
  const [start, end, extra] = text.split(',');
  if (start === undefined || end === undefined || extra !== undefined) return null;
  const first = parsePosixRule(start);
  const second = parsePosixRule(end);
  return first === null || second === null ? null : [first, second];
}

function parsePosixRule(text: string): TransitionRule | null {
  const match = /^(?:M(\d{1,2})\.([1-5])\.([0-6])|J(\d{1,3})|(\d{1,3}))(?:\/(.+))?$/.exec(text);
  if (match === null) return null;
  const time = match[6] === undefined ? 7200 : parsePosixOffset(match[6]);
  if (time === null) return null;
  if (match[1] !== undefined) {
    const month = Number(match[1]);
    if (month < 1 || month > 12) return null;
    const day = { kind: 'month', month, week: Number(match[2]), day: Number(match[3]) } as const;
    return { day, time };
  }
  const day = Number(match[4] ?? match[5]);
  if (match[4] !== undefined) {
    return day >= 1 && day <= 365 ? { day: { kind: 'julian', day }, time } : null;
  }
  return day <= 365 ? { day: { kind: 'zero-based', day }, time } : null;
}

function ruleZone(
  name: string,
  standardOffset: number,
  standard: string,
  daylightOffset: number,
  daylight: string,
  [start, end]: readonly [TransitionRule, TransitionRule],
): TimeZone {
  const changes: { at: number; toDaylight: boolean }[] = [];
  for (let year = YEAR_FIRST_OF_RULES; year <= YEAR_LAST_OF_RULES; year++) {
    changes.push({ at: ruleMoment(start, year) - standardOffset, toDaylight: true });
    changes.push({ at: ruleMoment(end, year) - daylightOffset, toDaylight: false });
  }
  changes.sort((a, b) => a.at - b.at);
  const offsets = [changes[0]?.toDaylight === true ? standardOffset : daylightOffset];
  const abbreviations = [changes[0]?.toDaylight === true ? standard : daylight];
  for (const change of changes) {
    offsets.push(change.toDaylight ? daylightOffset : standardOffset);
    abbreviations.push(change.toDaylight ? daylight : standard);
  }
  const untils = Float64Array.from(changes, (change) => change.at);
  return new TimeZone(name, untils, Int32Array.from(offsets), abbreviations);
}

/** Local seconds since 1970 at which a rule strikes in a year. */
function ruleMoment(rule: TransitionRule, year: number): number {
  return (ruleDay(rule.day, year) + UNIX_EPOCH_DAYS) * 86_400 + rule.time;
}

function ruleDay(rule: DayRule, year: number): number {
  const newYear = daysFromDate(year, 1, 1);
  if (rule.kind === 'zero-based') return newYear + rule.day;
  if (rule.kind === 'julian') {
    return newYear + rule.day - 1 + (isLeapYear(year) && rule.day >= 60 ? 1 : 0);
  }
  const first = daysFromDate(year, rule.month, 1);
  const next =
    rule.month === 12 ? daysFromDate(year + 1, 1, 1) : daysFromDate(year, rule.month + 1, 1);
  let day = first + ((rule.day - dayOfWeek(first) + 7) % 7) + (rule.week - 1) * 7;
  while (day >= next) day -= 7;
  return day;
}
