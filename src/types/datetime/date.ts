import type { ByteWriter } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import type { Datum } from '../datum.ts';
import type { SqlType, TypeContext } from '../sql-type.ts';
import {
  dateFromInt4,
  expectLength,
  INT4_MAX,
  INT4_MIN,
  int4FromDate,
  viewOf,
  writeKey32,
} from './binary.ts';
import { daysFromDate, isDateInRange, UNIX_EPOCH_DAYS } from './calendar.ts';
import { decodeMoment } from './decode.ts';
import { textOf, writeDate } from './encode.ts';
import { fastIsoDate } from './fast-iso.ts';
import { decoding } from './fault.ts';
import { cutFields } from './lexer.ts';

/** Characters of fields and their terminators that a date's text may have. */
export const MOMENT_LENGTH_MAX = 153;

function input(text: string, context: TypeContext): number {
  return fastIsoDate(text) ?? decoding(text, 'date', () => decodeDateText(text, context));
}

function decodeDateText(text: string, context: TypeContext): number {
  const moment = decodeMoment(cutFields(text, MOMENT_LENGTH_MAX), context);
  if (moment.kind === 'late') return Number.POSITIVE_INFINITY;
  if (moment.kind === 'early') return Number.NEGATIVE_INFINITY;
  if (moment.kind === 'epoch') return -UNIX_EPOCH_DAYS;
  const { year, month, day } = moment.civil;
  const days = daysFromDate(year, month, day);
  if (!isDateInRange(days)) {
    throw pgError('datetime_field_overflow', `date out of range: "${text}"`);
  }
  return days;
}

/** date: days since 2000-01-01. */
export const dateType: SqlType = {
  oid: 1082,
  name: 'date',
  sqlName: 'date',
  arrayOid: 1182,
  elementOid: 0,
  category: 'D',
  preferred: false,
  length: 4,
  byValue: true,
  align: 'i',
  storage: 'p',
  collation: 0,
  lane: 'number',
  stored: 'int4',
  input,
  output: (value, context) => textOf((out) => writeDate(value as number, out, context)),
  receive(bytes, start, end) {
    expectLength(start, end, 4);
    const days = viewOf(bytes).getInt32(start);
    if (days !== INT4_MIN && days !== INT4_MAX && !isDateInRange(days)) {
      throw pgError('datetime_field_overflow', 'date out of range');
    }
    return dateFromInt4(days);
  },
  send: (value, out) => out.u32be(int4FromDate(value as number) >>> 0),
  writeText: (value, out, context) => writeDate(value as number, out, context),
  compare: compareNumbers,
  encodeKey: (value, out) => writeKey32(int4FromDate(value as number), out),
  toBytes: (value, out: ByteWriter) => out.u32le(int4FromDate(value as number) >>> 0),
  fromBytes: (bytes, start) => dateFromInt4(viewOf(bytes).getInt32(start, true)),
};

/** Orders numbers and BigInts, infinities included. */
export function compareNumbers(a: Datum, b: Datum): number {
  const left = a as number;
  const right = b as number;
  return left < right ? -1 : left > right ? 1 : 0;
}
