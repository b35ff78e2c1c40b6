import { pgError } from '../../errors/index.ts';
import { type Int8, int8 } from '../datum.ts';

/** The precision modifier of time, timestamp and interval: digits of a fraction of a second. */

export const PRECISION_MAX = 6;

/** The modifier of `timestamp(p)`; the name of the type, in two parts, is for the message. */
export function precisionTypmod(
  modifiers: readonly number[],
  typeName: string,
  suffix: string,
): number {
  const precision = modifiers[0];
  if (precision === undefined || modifiers.length !== 1) {
    throw pgError('invalid_parameter_value', 'invalid type modifier');
  }
  return checkedPrecision(precision, `${typeName}(${precision})${suffix}`);
}

/** A precision as PostgreSQL takes it: one above 6 counts as 6. */
export function checkedPrecision(precision: number, declaration: string): number {
  if (precision < 0) {
    throw pgError('invalid_parameter_value', `${declaration} precision must not be negative`);
  }
  return Math.min(precision, PRECISION_MAX);
}

/** Rounds microseconds to a precision, halves away from zero. */
export function roundToPrecision(value: Int8, precision: number): Int8 {
  if (precision < 0 || precision >= PRECISION_MAX) return value;
  const scale = 10 ** (PRECISION_MAX - precision);
  if (typeof value === 'bigint') {
    const big = BigInt(scale);
    const half = big / 2n;
    return int8(((value < 0n ? value - half : value + half) / big) * big);
  }
  if (!Number.isFinite(value)) return value;
  const distance = Math.abs(value);
  const rest = distance % scale;
  const rounded = distance - rest + (rest * 2 >= scale ? scale : 0);
  if (!Number.isSafeInteger(rounded)) return roundToPrecision(BigInt(value), precision);
  return value < 0 ? -rounded + 0 : rounded;
}
