import { pgError } from '../../errors/index.ts';
import { daysFromDate, MICROS_PER_DAY, microsFromTime } from './calendar.ts';
import { readMoment } from './format-input.ts';
import { parseTemplate } from './format-template.ts';

/** Datetime templates as the SQL standard reads them: the template tells the type. */

export type TemplateType = 'date' | 'time' | 'timetz' | 'timestamp' | 'timestamptz';

/** A moment in local fields; what its type lacks is 0. */
export interface StrictMoment {
  readonly type: TemplateType;
  /** Since 2000-01-01. */
  readonly days: number;
  /** Since midnight. */
  readonly micros: number;
  /** Seconds east of UTC. */
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
  const { civil, offset, precision } = readMoment(text, template, true);
  const type = templateType(template);
  const hasDate = type !== 'time' && type !== 'timetz';
  const isZoned = type === 'timetz' || type === 'timestamptz';
  if (isZoned && offset === null) {
    throw invalidFormat(`missing time zone in input string for type ${type}`);
  }
  const days = hasDate ? daysFromDate(civil.year, civil.month, civil.day) : 0;
  if (type === 'date') return { type, days, micros: 0, offset: 0 };
  const unit = 10 ** (6 - precision);
  const micros =
    Math.round(microsFromTime(civil.hour, civil.minute, civil.second, civil.micros) / unit) * unit;
  const carried = hasDate && micros >= MICROS_PER_DAY ? 1 : 0;
  return {
    type,
    days: days + carried,
    micros: micros - carried * MICROS_PER_DAY,
    offset: isZoned ? (offset ?? 0) : 0,
  };
}
