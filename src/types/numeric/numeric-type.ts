import { pgError } from '../../errors/index.ts';
import type { Numeric } from '../datum.ts';
import { COMMON, writeAscii } from '../scalar.ts';
import type { SqlType } from '../sql-type.ts';
import { wholeDigits } from './arithmetic.ts';
import { encodeNumericKey } from './key.ts';
import { loadNumeric, storeNumeric } from './stored.ts';
import { formatNumeric, parseNumeric } from './text.ts';
import { compareNumeric, finite, pow10, rescale } from './value.ts';
import { receiveNumeric, sendNumeric } from './wire.ts';

const PRECISION_MAX = 1000;
const SCALE_BITS = 0x7ff;
const TYPMOD_BASE = 4;

/** ((precision << 16) | scale) + 4, the scale being 11 bits with a sign. */
function numericTypmod(modifiers: readonly number[]): number {
  const precision = modifiers[0];
  const scale = modifiers.length === 2 ? modifiers[1]! : 0;
  if (precision === undefined || modifiers.length > 2) {
    throw pgError('invalid_parameter_value', 'invalid NUMERIC type modifier');
  }
  if (precision < 1 || precision > PRECISION_MAX) {
    throw pgError(
      'invalid_parameter_value',
      `NUMERIC precision ${precision} must be between 1 and ${PRECISION_MAX}`,
    );
  }
  if (scale < -PRECISION_MAX || scale > PRECISION_MAX) {
    throw pgError(
      'invalid_parameter_value',
      `NUMERIC scale ${scale} must be between -${PRECISION_MAX} and ${PRECISION_MAX}`,
    );
  }
  return ((precision << 16) | (scale & SCALE_BITS)) + TYPMOD_BASE;
}

function precisionOf(typmod: number): number {
  return ((typmod - TYPMOD_BASE) >> 16) & 0xffff;
}

function scaleOf(typmod: number): number {
  return (((typmod - TYPMOD_BASE) & SCALE_BITS) ^ 0x400) - 0x400;
}

function fitTypmod(value: Numeric, typmod: number): Numeric {
  if (typmod < TYPMOD_BASE || value.kind === 'nan') return value;
  const precision = precisionOf(typmod);
  const scale = scaleOf(typmod);
  if (value.kind !== 'finite') {
    throw pgError('numeric_value_out_of_range', 'numeric field overflow', {
      detail: `A field with precision ${precision}, scale ${scale} cannot hold an infinite value.`,
    });
  }
  if (value.scale === scale && fitsDigits(value.unscaled, precision)) return value;
  const unscaled = rescale(value.unscaled, value.scale, scale);
  const rounded = scale >= 0 ? finite(unscaled, scale) : finite(unscaled * pow10(-scale), 0);
  const digitsMax = precision - scale;
  if (unscaled !== 0n && wholeDigits(rounded) > digitsMax) {
    const limit = digitsMax === 0 ? '1' : `10^${digitsMax}`;
    throw pgError('numeric_value_out_of_range', 'numeric field overflow', {
      detail: `A field with precision ${precision}, scale ${scale} must round to an absolute value less than ${limit}.`,
    });
  }
  return rounded;
}

function fitsDigits(unscaled: bigint, precision: number): boolean {
  const limit = pow10(precision);
  return unscaled < limit && -unscaled < limit;
}

export const numericType: SqlType = {
  ...COMMON,
  oid: 1700,
  name: 'numeric',
  sqlName: 'numeric',
  arrayOid: 1231,
  category: 'N',
  length: -1,
  byValue: false,
  align: 'i',
  storage: 'm',
  lane: 'object',
  stored: 'bytes',
  input: parseNumeric,
  output: (value) => formatNumeric(value as Numeric),
  receive: receiveNumeric,
  send: (value, out) => sendNumeric(value as Numeric, out),
  writeText: (value, out) => writeAscii(formatNumeric(value as Numeric), out),
  compare: (a, b) => compareNumeric(a as Numeric, b as Numeric),
  encodeKey: (value, out) => encodeNumericKey(value as Numeric, out),
  toBytes: (value, out) => storeNumeric(value as Numeric, out),
  fromBytes: loadNumeric,
  typmodIn: numericTypmod,
  typmodOut: (typmod) =>
    typmod < TYPMOD_BASE ? '' : `(${precisionOf(typmod)},${scaleOf(typmod)})`,
  applyTypmod: (value, typmod) => fitTypmod(value as Numeric, typmod),
};
