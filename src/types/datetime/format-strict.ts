import { pgError } from '../../errors/index.ts';
import type { Int8 } from '../datum.ts';
import { daysFromDate, microsFromTime } from './calendar.ts';
import { checkedDate, type ReadMoment, readMoment } from './format-input.ts';
import { parseTemplate } from './format-template.ts';
import { timestampAtOrNull } from './timestamp.ts';
import { makeTimetz } from './timetz.ts';
import { roundToPrecision } from './typmod.ts';

/** Datetime templates as the SQL standard reads them: the template tells the type. */

export type TemplateType = 'date' | 'time' | 'timetz' | 'timestamp' | 'timestamptz';

/** A Datum of the type, and for a timestamptz the offset that the text names, in seconds east of UTC. */
export interface StrictMoment {
  readonly type: TemplateType;
  readonly value: Int8 | Uint8Array;
  readonly offset: number;
}

const TIME_PATTERNS: ReadonlySet<string> = new Set(
  'A.M. AM P.M. PM FF1 FF2 FF3 FF4 FF5 FF6 HH24 HH12 HH MI MS SSSSS SSSS SS US'.split(' '),
);
const ZONE_PATTERNS: ReadonlySet<string> = new Set('OF TZ TZH TZM'.split(' '));

const SEPARATORS = "-./,':; ";

/** Fails for a template that the standard does not allow. Text in quotes may say anything. */
export function checkTemplate(template: string): void {
  for (const node of parseTemplate(template)) {
    if (node.kind === 'pattern' || node.quoted || SEPARATORS.includes(node.character)) continue;
    throw invalidFormat(`invalid datetime format separator: "${node.character}"`);
  }
}

/** The type that a template describes; fails for what is none. */
function templateType(template: string): TemplateType {
  let hasDate = false;
  let hasTime = false;
  let hasZone = false;
  for (const node of parseTemplate(template)) {
    if (node.kind !== 'pattern' || node.id === 'FX') continue;
    if (TIME_PATTERNS.has(node.id)) hasTime = true;
    else if (ZONE_PATTERNS.has(node.id)) hasZone = true;
    else hasDate = true;
  }
  if (hasDate && hasTime) return hasZone ? 'timestamptz' : 'timestamp';
  if (hasTime) return hasZone ? 'timetz' : 'time';
  if (hasDate && !hasZone) return 'date';
  throw invalidFormat(
    hasDate
      ? 'datetime format is zoned but not timed'
      : 'datetime format is not dated and not timed',
  );
}

function invalidFormat(message: string) {
  return pgError('invalid_datetime_format', message);
}

/** Reads a text by a template that was checked. */
export function parseByTemplate(text: string, template: string): StrictMoment {
  const read = readMoment(text, template, true);
  const type = templateType(template);
  const isZoned = type === 'timetz' || type === 'timestamptz';
  if (isZoned && read.offset === null) {
    throw invalidFormat(`missing time zone in input string for type ${type}`);
  }
  const offset = isZoned ? (read.offset ?? 0) : 0;
  return { type, value: momentOfFields(type, read, offset, text), offset };
}

function momentOfFields(
  type: TemplateType,
  { civil, precision }: ReadMoment,
  offset: number,
  text: string,
): Int8 | Uint8Array {
  const { year, month, day, hour, minute, second, micros } = civil;
  if (type === 'date') return checkedDate(daysFromDate(year, month, day), text);
  if (type === 'timestamp' || type === 'timestamptz') {
    const value = timestampAtOrNull(civil, offset);
    if (value === null) throw pgError('datetime_field_overflow', `${type} out of range`);
    return roundToPrecision(value, precision);
  }
  const time = roundToPrecision(microsFromTime(hour, minute, second, micros), precision) as number;
  return type === 'time' ? time : makeTimetz(time, offset);
}
