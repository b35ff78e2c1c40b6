/** Numerics from and to the other number types. */
import { pgError } from '../../errors/index.ts';
import { type Int8, int8, type Numeric } from '../datum.ts';
import { formatFloat4, formatFloat8, parseFloat4, parseFloat8 } from '../float.ts';
import { INT2_MAX, INT2_MIN, INT4_MAX, INT4_MIN, INT8_MAX, INT8_MIN } from '../integer.ts';
import { formatNumeric, parseNumeric } from './text.ts';
import { INFINITY, NAN, NEGATIVE_INFINITY, rescale, toDouble } from './value.ts';

export function fromInteger(value: Int8): Numeric {
  return { kind: 'finite', unscaled: BigInt(value), scale: 0 };
}

/** A float8 has 15 digits that count; the rest of its binary value is dropped. */
export function fromFloat8(value: number): Numeric {
  return fromFloat(value) ?? parseNumeric(formatFloat8(value, 0));
}

export function fromFloat4(value: number): Numeric {
  return fromFloat(value) ?? parseNumeric(formatFloat4(value, 0));
}

function fromFloat(value: number): Numeric | null {
  if (Number.isNaN(value)) return NAN;
  if (value === Number.POSITIVE_INFINITY) return INFINITY;
  return value === Number.NEGATIVE_INFINITY ? NEGATIVE_INFINITY : null;
}

export function toInt2(value: Numeric): number {
  return Number(toInteger(value, BigInt(INT2_MIN), BigInt(INT2_MAX), 'smallint'));
}

export function toInt4(value: Numeric): number {
  return Number(toInteger(value, BigInt(INT4_MIN), BigInt(INT4_MAX), 'integer'));
}

export function toInt8(value: Numeric): Int8 {
  return int8(toInteger(value, INT8_MIN, INT8_MAX, 'bigint'));
}

function toInteger(value: Numeric, minimum: bigint, maximum: bigint, typeName: string): bigint {
  if (value.kind !== 'finite') {
    const what = value.kind === 'nan' ? 'NaN' : 'infinity';
    throw pgError('feature_not_supported', `cannot convert ${what} to ${typeName}`);
  }
  const whole = rescale(value.unscaled, value.scale, 0);
  if (whole < minimum || whole > maximum) {
    throw pgError('numeric_value_out_of_range', `${typeName} out of range`);
  }
  return whole;
}

export function toFloat8(value: Numeric): number {
  if (value.kind !== 'finite') return specialToFloat(value.kind);
  const result = toDouble(value.unscaled, value.scale);
  if (Number.isFinite(result) && (result !== 0 || value.unscaled === 0n)) return result;
  return parseFloat8(formatNumeric(value));
}

export function toFloat4(value: Numeric): number {
  if (value.kind !== 'finite') return specialToFloat(value.kind);
  return parseFloat4(formatNumeric(value));
}

function specialToFloat(kind: 'nan' | 'infinity' | '-infinity'): number {
  if (kind === 'nan') return Number.NaN;
  return kind === 'infinity' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}
