/** in_range: whether a value lies within an offset of another, which RANGE frames of windows ask. */

import { pgError } from '../../errors/index.ts';
import type { Int8, Interval, Numeric } from '../../types/index.ts';
import * as datetime from '../../types/index.ts';
import { numeric } from '../../types/index.ts';
import { zoneOf } from './datetime.ts';
import type { FunctionContext, ScalarFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { compareFloat, compareNative } from './order.ts';

type C = FunctionContext;

function checkSize(isNegative: boolean): void {
  if (!isNegative) return;
  throw pgError(
    'invalid_preceding_or_following_size',
    'invalid preceding or following size in window function',
  );
}

/** value <= base ± offset, or >=: by the comparison of the value with that sum. */
function within<Value, Offset>(
  isNegative: (offset: Offset) => boolean,
  compareWithSum: (
    context: C,
    value: Value,
    base: Value,
    offset: Offset,
    subtract: boolean,
  ) => number,
): ScalarFunction {
  const test = (
    context: C,
    value: Value,
    base: Value,
    offset: Offset,
    subtract: boolean,
    less: boolean,
  ): boolean => {
    checkSize(isNegative(offset));
    const order = compareWithSum(context, value, base, offset, subtract);
    return less ? order <= 0 : order >= 0;
  };
  return test as ScalarFunction;
}

/** Sums are exact, so that none overflows. */
const integerInRange = within<Int8, Int8>(
  (offset) => offset < 0,
  (_c, value, base, offset, subtract) => {
    if (typeof base === 'number' && typeof offset === 'number') {
      const sum = subtract ? base - offset : base + offset;
      if (Number.isSafeInteger(sum)) return compareNative(value, sum);
    }
    const exact = BigInt(base) + (subtract ? -BigInt(offset) : BigInt(offset));
    return compareNative(value, exact);
  },
);

/** NaN is above all others, whatever the offset. Every value is within infinity of infinity. */
const floatInRange = ((
  _c: C,
  value: number,
  base: number,
  offset: number,
  subtract: boolean,
  less: boolean,
) => {
  checkSize(Number.isNaN(offset) || offset < 0);
  let order: number;
  if (Number.isNaN(value) || Number.isNaN(base)) order = compareFloat(value, base);
  else {
    const sum = subtract ? base - offset : base + offset;
    if (Number.isNaN(sum)) return true;
    order = compareNative(value, sum);
  }
  return less ? order <= 0 : order >= 0;
}) as ScalarFunction;

const numericInRange = ((
  _c: C,
  value: Numeric,
  base: Numeric,
  offset: Numeric,
  subtract: boolean,
  less: boolean,
) => {
  checkSize(offset.kind === 'nan' || numeric.compareNumeric(offset, numeric.ZERO) < 0);
  let order: number;
  if (value.kind === 'nan' || base.kind === 'nan') order = numeric.compareNumeric(value, base);
  else {
    const sum = subtract ? numeric.subtract(base, offset) : numeric.add(base, offset);
    if (sum.kind === 'nan') return true;
    order = numeric.compareNumeric(value, sum);
  }
  return less ? order <= 0 : order >= 0;
}) as ScalarFunction;

const NO_INTERVAL: Interval = { months: 0, days: 0, micros: 0 };
const isNegativeInterval = (offset: Interval) => datetime.compareIntervals(offset, NO_INTERVAL) < 0;
/** Times of the day regard no days and months. */
const isNegativeTime = (offset: Interval) => offset.micros < 0;

function timestampSum(base: Int8, offset: Interval, subtract: boolean): Int8 {
  return subtract
    ? datetime.timestampMinusInterval(base, offset)
    : datetime.timestampPlusInterval(base, offset);
}

registerFunctions({
  scalars: {
    in_range_int2_int2: integerInRange,
    in_range_int2_int4: integerInRange,
    in_range_int2_int8: integerInRange,
    in_range_int4_int2: integerInRange,
    in_range_int4_int4: integerInRange,
    in_range_int4_int8: integerInRange,
    in_range_int8_int8: integerInRange,
    in_range_float4_float8: floatInRange,
    in_range_float8_float8: floatInRange,
    in_range_numeric_numeric: numericInRange,
    in_range_date_interval: within<number, Interval>(
      isNegativeInterval,
      (_c, value, base, offset, subtract) =>
        compareNative(
          datetime.dateToTimestamp(value),
          timestampSum(datetime.dateToTimestamp(base), offset, subtract),
        ),
    ),
    in_range_timestamp_interval: within<Int8, Interval>(
      isNegativeInterval,
      (_c, value, base, offset, subtract) =>
        compareNative(value, timestampSum(base, offset, subtract)),
    ),
    in_range_timestamptz_interval: within<Int8, Interval>(
      isNegativeInterval,
      (c, value, base, offset, subtract) =>
        compareNative(
          value,
          subtract
            ? datetime.timestamptzMinusInterval(base, offset, zoneOf(c))
            : datetime.timestamptzPlusInterval(base, offset, zoneOf(c)),
        ),
    ),
    in_range_interval_interval: within<Interval, Interval>(
      isNegativeInterval,
      (_c, value, base, offset, subtract) =>
        datetime.compareIntervals(
          value,
          subtract ? datetime.subtractIntervals(base, offset) : datetime.addIntervals(base, offset),
        ),
    ),
    // Times do not wrap around at midnight here.
    in_range_time_interval: within<number, Interval>(
      isNegativeTime,
      (_c, value, base, offset, subtract) =>
        value - (subtract ? base - Number(offset.micros) : base + Number(offset.micros)),
    ),
    in_range_timetz_interval: within<Uint8Array, Interval>(
      isNegativeTime,
      (_c, value, base, offset, subtract) => {
        const micros = datetime.microsOfTimetz(base);
        const sum = subtract ? micros - Number(offset.micros) : micros + Number(offset.micros);
        return datetime.compareTimetz(
          value,
          datetime.makeTimetz(sum, datetime.offsetOfTimetz(base)),
        );
      },
    ),
  },
});
