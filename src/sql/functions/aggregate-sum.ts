/** sum and avg over integers and numerics: exact, with PostgreSQL's result types and scales. */

import {
  type Datum,
  type FiniteNumeric,
  type Int8,
  int8,
  type Numeric,
  numeric,
} from '../../types/index.ts';
import type { AggregateFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { addInt8 } from './int.ts';

/** An exact integer sum of any size: a double while it is safe, `carry` beyond. */
interface IntegerSum {
  count: number;
  low: number;
  carry: bigint;
}

function addInteger(state: IntegerSum, value: Int8): void {
  state.count++;
  if (typeof value === 'number') {
    const sum = state.low + value;
    if (Number.isSafeInteger(sum)) {
      state.low = sum;
      return;
    }
  }
  state.carry += BigInt(state.low) + BigInt(value);
  state.low = 0;
}

function total(state: IntegerSum): bigint {
  return state.carry + BigInt(state.low);
}

function integerAggregate(finish: (state: IntegerSum) => Datum): AggregateFunction<IntegerSum> {
  return {
    strict: true,
    initial: () => ({ count: 0, low: 0, carry: 0n }),
    accumulate(_context, state, value) {
      addInteger(state, value as Int8);
      return state;
    },
    remove(_context, state, value) {
      const count = state.count - 1;
      addInteger(state, int8(-BigInt(value as Int8)));
      state.count = count;
      return true;
    },
    combine(_context, state, other) {
      const count = state.count + other.count;
      addInteger(state, int8(total(other)));
      state.count = count;
      return state;
    },
    finish: (_context, state) => (state.count === 0 ? null : finish(state)),
  };
}

const integerAverage = integerAggregate((state) =>
  numeric.divide(numeric.finite(total(state), 0), numeric.fromInteger(state.count)),
);
const bigSum = integerAggregate((state) => numeric.finite(total(state), 0));

/** sum(int2), sum(int4): an int8, which is checked as it grows. */
const smallSum: AggregateFunction<{ value: Int8 | null }> = {
  strict: true,
  initial: () => ({ value: null }),
  accumulate(_context, state, value) {
    state.value = state.value === null ? (value as Int8) : addInt8(state.value, value as Int8);
    return state;
  },
  combine(_context, state, other) {
    if (other.value !== null) {
      state.value = state.value === null ? other.value : addInt8(state.value, other.value);
    }
    return state;
  },
  finish: (_context, state) => state.value,
};

/** Finite values are added as integers at the largest scale seen; the others decide by themselves. */
interface NumericSum {
  count: number;
  unscaled: bigint;
  scale: number;
  /** How many values have that scale. */
  scaled: number;
  /** The sum of the values that are not finite. */
  special: Numeric | null;
}

function addNumeric(state: NumericSum, value: Numeric): void {
  state.count++;
  if (value.kind !== 'finite') {
    state.special = state.special === null ? value : numeric.add(state.special, value);
    return;
  }
  addFinite(state, value);
}

function addFinite(state: NumericSum, value: FiniteNumeric): void {
  if (value.scale === state.scale) {
    state.unscaled += value.unscaled;
    state.scaled++;
  } else if (value.scale < state.scale) {
    state.unscaled += value.unscaled * numeric.pow10(state.scale - value.scale);
  } else {
    state.unscaled = state.unscaled * numeric.pow10(value.scale - state.scale) + value.unscaled;
    state.scale = value.scale;
    state.scaled = 1;
  }
}

/** False where the result would have another scale without the value. */
function removeNumeric(state: NumericSum, value: Numeric): boolean {
  if (value.kind !== 'finite' || state.special !== null) return false;
  state.count--;
  state.unscaled -= value.unscaled * numeric.pow10(state.scale - value.scale);
  if (value.scale === state.scale) state.scaled--;
  return state.scaled > 0 || state.scale === 0;
}

function numericTotal(state: NumericSum): Numeric {
  return state.special ?? numeric.finite(state.unscaled, state.scale);
}

function numericAggregate(finish: (state: NumericSum) => Datum): AggregateFunction<NumericSum> {
  return {
    strict: true,
    initial: () => ({ count: 0, unscaled: 0n, scale: 0, scaled: 0, special: null }),
    accumulate(_context, state, value) {
      addNumeric(state, value as Numeric);
      return state;
    },
    remove: (_context, state, value) => removeNumeric(state, value as Numeric),
    combine(_context, state, other) {
      const count = state.count + other.count;
      if (other.special !== null) addNumeric(state, other.special);
      addFinite(state, { kind: 'finite', unscaled: other.unscaled, scale: other.scale });
      state.count = count;
      return state;
    },
    finish: (_context, state) => (state.count === 0 ? null : finish(state)),
  };
}

registerFunctions({
  aggregates: {
    int2_sum: smallSum,
    int4_sum: smallSum,
    'int8_avg_accum/numeric_poly_sum': bigSum,
    'int8_avg_accum/numeric_poly_avg': integerAverage,
    'int4_avg_accum/int8_avg': integerAverage,
    'int2_avg_accum/int8_avg': integerAverage,
    'numeric_avg_accum/numeric_sum': numericAggregate(numericTotal),
    'numeric_avg_accum/numeric_avg': numericAggregate((state) =>
      numeric.divide(numericTotal(state), numeric.fromInteger(state.count)),
    ),
  },
});
