import { pgError } from '../../errors/index.ts';
import type { SqlType, TypeContext } from '../sql-type.ts';
import { expectLength, readInt8, writeKey64 } from './binary.ts';
import { MICROS_PER_DAY, microsFromTime } from './calendar.ts';
import { compareNumbers, MOMENT_LENGTH_MAX } from './date.ts';
import { decodeTimeOfDay } from './decode.ts';
import { textOf, writeTime } from './encode.ts';
import { decoding } from './fault.ts';
import { cutFields } from './lexer.ts';
import { precisionTypmod, roundToPrecision } from './typmod.ts';

function input(text: string, context: TypeContext): number {
  return decoding(text, 'time', () => {
    const { civil } = decodeTimeOfDay(cutFields(text, MOMENT_LENGTH_MAX), context);
    return microsFromTime(civil.hour, civil.minute, civil.second, civil.micros);
  });
}

/** time: microseconds since midnight, up to 24:00:00. */
export const timeType: SqlType = {
  oid: 1083,
  name: 'time',
  sqlName: 'time without time zone',
  arrayOid: 1183,
  elementOid: 0,
  category: 'D',
  preferred: false,
  length: 8,
  byValue: true,
  align: 'd',
  storage: 'p',
  collation: 0,
  lane: 'number',
  stored: 'int8',
  input,
  output: (value) => textOf((out) => writeTime(value as number, out)),
  receive(bytes, start, end) {
    expectLength(start, end, 8);
    const micros = readInt8(bytes, start, false);
    if (micros < 0 || micros > MICROS_PER_DAY) {
      throw pgError('datetime_field_overflow', 'time out of range');
    }
    return micros;
  },
  send: (value, out) => out.i64be(value as number),
  writeText: (value, out) => writeTime(value as number, out),
  compare: compareNumbers,
  encodeKey: (value, out) => writeKey64(value as number, out),
  toBytes: (value, out) => out.i64le(value as number),
  fromBytes: (bytes, start) => readInt8(bytes, start, true),
  typmodIn: (modifiers) => precisionTypmod(modifiers, 'TIME', ''),
  typmodOut: (typmod) => (typmod < 0 ? '' : `(${typmod})`),
  applyTypmod: (value, typmod) => roundToPrecision(value as number, typmod),
};
