/** numeric: arithmetic, comparison, casts and series. The computation is that of types/numeric. */

import { pgError } from '../../errors/index.ts';
import { type Datum, type Int8, type Numeric, numeric, OID, typeByOid } from '../../types/index.ts';
import type { SetFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { checkInt4, checkInt8 } from './int.ts';
import { formatFloat, formatInteger, formatNumericNumber } from './number-format.ts';
import { parseNumber } from './number-parse.ts';
import { orderFunctions, type Scalars } from './order.ts';

const TEN = numeric.fromInteger(10);

const comparisons = orderFunctions(
  {
    prefix: 'numeric_',
    compare: 'numeric_cmp',
    larger: 'numeric_larger',
    smaller: 'numeric_smaller',
  },
  numeric.compareNumeric,
);

const arithmetic: Scalars = {
  numeric_add: (_c, a: Numeric, b: Numeric) => numeric.add(a, b),
  numeric_sub: (_c, a: Numeric, b: Numeric) => numeric.subtract(a, b),
  numeric_mul: (_c, a: Numeric, b: Numeric) => numeric.multiply(a, b),
  numeric_div: (_c, a: Numeric, b: Numeric) => numeric.divide(a, b),
  numeric_div_trunc: (_c, a: Numeric, b: Numeric) => numeric.divideTruncated(a, b),
  numeric_mod: (_c, a: Numeric, b: Numeric) => numeric.modulo(a, b),
  numeric_gcd: (_c, a: Numeric, b: Numeric) => numeric.gcd(a, b),
  numeric_lcm: (_c, a: Numeric, b: Numeric) => numeric.lcm(a, b),
  numeric_inc: (_c, a: Numeric) => numeric.add(a, numeric.ONE),
  numeric_uminus: (_c, a: Numeric) => numeric.negate(a),
  numeric_uplus: (_c, a: Numeric) => a,
  numeric_abs: (_c, a: Numeric) => numeric.abs(a),
  numeric_sign: (_c, a: Numeric) => numeric.sign(a),
  numeric_ceil: (_c, a: Numeric) => numeric.ceil(a),
  numeric_floor: (_c, a: Numeric) => numeric.floor(a),
  numeric_round: (_c, a: Numeric, digits: number) => numeric.round(a, digits),
  numeric_trunc: (_c, a: Numeric, digits: number) => numeric.trunc(a, digits),
  '1708': (_c, a: Numeric) => numeric.round(a, 0),
  '1710': (_c, a: Numeric) => numeric.trunc(a, 0),
  numeric_scale: (_c, a: Numeric) => numeric.scale(a),
  numeric_min_scale: (_c, a: Numeric) => numeric.minScale(a),
  numeric_trim_scale: (_c, a: Numeric) => numeric.trimScale(a),
  numeric_fac: (_c, n: Int8) => numeric.factorial(n),
  width_bucket_numeric: (_c, operand: Numeric, low: Numeric, high: Numeric, count: number) =>
    numeric.widthBucket(operand, low, high, count),
};

const transcendental: Scalars = {
  numeric_sqrt: (_c, a: Numeric) => numeric.sqrt(a),
  numeric_exp: (_c, a: Numeric) => numeric.exp(a),
  numeric_ln: (_c, a: Numeric) => numeric.ln(a),
  numeric_log: (_c, base: Numeric, a: Numeric) => numeric.log(base, a),
  numeric_power: (_c, a: Numeric, b: Numeric) => numeric.power(a, b),
  '1481': (_c, a: Numeric) => numeric.log(TEN, a),
  '1741': (_c, a: Numeric) => numeric.log(TEN, a),
};

const casts: Scalars = {
  int2_numeric: (_c, a: number) => numeric.fromInteger(a),
  int4_numeric: (_c, a: number) => numeric.fromInteger(a),
  int8_numeric: (_c, a: Int8) => numeric.fromInteger(a),
  float4_numeric: (_c, a: number) => numeric.fromFloat4(a),
  float8_numeric: (_c, a: number) => numeric.fromFloat8(a),
  numeric_int2: (_c, a: Numeric) => numeric.toInt2(a),
  numeric_int4: (_c, a: Numeric) => numeric.toInt4(a),
  numeric_int8: (_c, a: Numeric) => numeric.toInt8(a),
  numeric_float4: (_c, a: Numeric) => numeric.toFloat4(a),
  numeric_float8: (_c, a: Numeric) => numeric.toFloat8(a),
};

/** Digits that a float4 and a float8 are sure to have (FLT_DIG, DBL_DIG). */
const FLOAT4_DIGITS = 6;
const FLOAT8_DIGITS = 15;

const formatting: Scalars = {
  numeric_to_char: (_c, value: Numeric, format: string) => formatNumericNumber(value, format),
  int4_to_char: (_c, value: number, format: string) =>
    formatInteger(value, format, true, (digits) => checkInt4(value * 10 ** digits)),
  int8_to_char: (_c, value: Int8, format: string) =>
    formatInteger(value, format, false, (digits) =>
      checkInt8(BigInt(value) * 10n ** BigInt(digits)),
    ),
  float4_to_char: (_c, value: number, format: string) => formatFloat(value, format, FLOAT4_DIGITS),
  float8_to_char: (_c, value: number, format: string) => formatFloat(value, format, FLOAT8_DIGITS),
  numeric_to_number: (_c, text: string, format: string) => parseNumber(text, format),
};

/** Length coercions: `varchar(value, typmod, explicit)` and the like. */
const typmodCasts: Scalars = {
  numeric: typmodCast(OID.numeric),
  bpchar: typmodCast(OID.bpchar),
  varchar: typmodCast(OID.varchar),
  timestamp_scale: typmodCast(OID.timestamp),
  timestamptz_scale: typmodCast(OID.timestamptz),
  time_scale: typmodCast(OID.time),
  timetz_scale: typmodCast(OID.timetz),
  interval_scale: typmodCast(OID.interval),
  bit: typmodCast(OID.bit),
  varbit: typmodCast(OID.varbit),
};

function typmodCast(type: number) {
  return (_c: unknown, value: Datum, typmod: number, explicit = true): Datum =>
    typmod < 0 ? value : (typeByOid(type).applyTypmod?.(value, typmod, explicit) ?? value);
}

function checkBound(name: string, value: Numeric): void {
  if (value.kind === 'finite') return;
  const what = value.kind === 'nan' ? 'NaN' : 'infinity';
  throw pgError('invalid_parameter_value', `${name} cannot be ${what}`);
}

function* series(start: Numeric, stop: Numeric, step: Numeric): Generator<Numeric> {
  checkBound('start value', start);
  checkBound('stop value', stop);
  checkBound('step size', step);
  const direction = numeric.signOf(step);
  if (direction === 0) {
    throw pgError('invalid_parameter_value', 'step size cannot equal zero');
  }
  for (
    let value = start;
    numeric.compareNumeric(value, stop) * direction <= 0;
    value = numeric.add(value, step)
  ) {
    yield value;
  }
}

const sets: Record<string, SetFunction> = {
  generate_series_numeric: (_c, start: Numeric, stop: Numeric) => series(start, stop, numeric.ONE),
  generate_series_step_numeric: (_c, start: Numeric, stop: Numeric, step: Numeric) =>
    series(start, stop, step),
};

registerFunctions({
  scalars: {
    ...comparisons,
    ...arithmetic,
    ...transcendental,
    ...casts,
    ...formatting,
    ...typmodCasts,
  },
  sets,
});
