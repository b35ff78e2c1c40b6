/** Moments in jsonpath: what .datetime() reads without a template, how they compare and print. */

import { PgError, pgError } from '../../errors/index.ts';
import {
  compareTimetz,
  type Int8,
  parseByTemplate,
  type StrictMoment,
  type TemplateType,
  timeToTimetz,
  xsdDate,
  xsdTime,
  xsdTimestamp,
  xsdTimestamptz,
  xsdTimetz,
} from '../../types/index.ts';
import { midnight, zonedMoment, zoneOf } from './datetime.ts';
import type { FunctionContext } from './function.ts';
import { compareNative } from './order.ts';

/** A Datum of the type; a timestamptz keeps the offset at which it was written. */
export class PathMoment implements StrictMoment {
  readonly type: TemplateType;
  readonly value: Int8 | Uint8Array;
  readonly offset: number;

  constructor({ type, value, offset }: StrictMoment) {
    this.type = type;
    this.value = value;
    this.offset = offset;
  }
}

/** What .type() calls them. */
export const MOMENT_NAMES: Readonly<Record<TemplateType, string>> = {
  date: 'date',
  time: 'time without time zone',
  timetz: 'time with time zone',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
};

/** The forms of ISO 8601 that are tried in turn. */
const TIME_FORMS = [
  'HH24:MI:SS.USTZH:TZM',
  'HH24:MI:SS.USTZH',
  'HH24:MI:SSTZH:TZM',
  'HH24:MI:SSTZH',
  'HH24:MI:SS.US',
  'HH24:MI:SS',
];
const FORMS = [
  'yyyy-mm-dd',
  ...TIME_FORMS,
  ...TIME_FORMS.map((form) => `yyyy-mm-dd ${form}`),
  ...TIME_FORMS.map((form) => `yyyy-mm-dd"T"${form}`),
];

/** What a form has as often as the texts that it fits: colons, a point, a T in the middle. */
function shapeOf(text: string, middle: string): string {
  return `${text.split(':').length}${text.includes('.')}${text.includes(middle)}`;
}

const FORMS_BY_SHAPE = new Map<string, string[]>();
for (const form of FORMS) {
  const shape = shapeOf(form, '"T"');
  const alike = FORMS_BY_SHAPE.get(shape);
  if (alike === undefined) FORMS_BY_SHAPE.set(shape, [form]);
  else alike.push(form);
}

/** Reads a text in one of the ISO forms; null when it is in none. */
export function parseMoment(text: string): PathMoment | null {
  for (const form of FORMS_BY_SHAPE.get(shapeOf(text, 'T')) ?? []) {
    try {
      return new PathMoment(parseByTemplate(text, form));
    } catch (error) {
      if (!(error instanceof PgError)) throw error;
    }
  }
  return null;
}

/** The moment as a JSON string has it. */
export function formatMoment({ type, value, offset }: PathMoment): string {
  switch (type) {
    case 'date':
      return xsdDate(value as number);
    case 'time':
      return xsdTime(value as number);
    case 'timetz':
      return xsdTimetz(value as Uint8Array);
    case 'timestamp':
      return xsdTimestamp(value as Int8);
    case 'timestamptz':
      return xsdTimestamptz(value as Int8, offset);
  }
}

/** Compares moments; null when their types have no order between them. What needs the zone of the
 * session fails where `zone` is null. */
export function compareMoments(
  a: PathMoment,
  b: PathMoment,
  zone: FunctionContext | null,
): number | null {
  if (isTime(a) !== isTime(b)) return null;
  const isZoned = hasZone(a) || hasZone(b);
  if (!isZoned) return compareNative(localOf(a), localOf(b));
  if (isTime(a)) return compareTimetz(zonedTime(a, zone), zonedTime(b, zone));
  return compareNative(momentOf(a, zone), momentOf(b, zone));
}

function isTime({ type }: PathMoment): boolean {
  return type === 'time' || type === 'timetz';
}

function hasZone({ type }: PathMoment): boolean {
  return type === 'timetz' || type === 'timestamptz';
}

/** A date, time or timestamp in microseconds. */
function localOf({ type, value }: PathMoment): Int8 {
  return type === 'date' ? midnight(value as number) : (value as Int8);
}

/** Microseconds since 2000 in UTC. */
function momentOf(moment: PathMoment, zone: FunctionContext | null): Int8 {
  if (moment.type === 'timestamptz') return moment.value as Int8;
  return zonedMoment(requireZone(moment.type, 'timestamptz', zone), localOf(moment));
}

/** A time of day at the offset that the session's clocks have today. */
function zonedTime({ type, value }: PathMoment, zone: FunctionContext | null): Uint8Array {
  if (type === 'timetz') return value as Uint8Array;
  const context = requireZone('time', 'timetz', zone);
  return timeToTimetz(value as number, context.transactionTimestamp, zoneOf(context));
}

function requireZone(
  from: TemplateType,
  to: TemplateType,
  zone: FunctionContext | null,
): FunctionContext {
  if (zone !== null) return zone;
  throw pgError(
    'feature_not_supported',
    `cannot convert value from ${from} to ${to} without time zone usage`,
    { hint: 'Use *_tz() function for time zone support.' },
  );
}
