/** Variance and standard deviation. Integers and numerics are summed exactly, with their squares;
 * floats by Youngs and Cramer's method, in the order of the input, as PostgreSQL does. */

import { type Int8, type Numeric, numeric } from '../../types/index.ts';
import { floatOverflow, isInfinite } from './float.ts';
import type { AggregateFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';

interface Squares {
  count: number;
  /** Sums at the scales `scale` and 2 * `scale`. */
  sum: bigint;
  squares: bigint;
  scale: number;
  special: boolean;
}

type Spread = 'var_pop' | 'var_samp' | 'stddev_pop' | 'stddev_samp';

function rescaleSquares(state: Squares, scale: number): void {
  if (scale <= state.scale) return;
  const factor = numeric.pow10(scale - state.scale);
  state.sum *= factor;
  state.squares *= factor * factor;
  state.scale = scale;
}

function exactSpread(kind: Spread, isInteger: boolean): AggregateFunction<Squares> {
  return {
    strict: true,
    initial: () => ({ count: 0, sum: 0n, squares: 0n, scale: 0, special: false }),
    accumulate(_context, state, value) {
      state.count++;
      if (isInteger) {
        const integer = BigInt(value as Int8);
        state.sum += integer;
        state.squares += integer * integer;
        return state;
      }
      const number = value as Numeric;
      if (number.kind !== 'finite') {
        state.special = true;
        return state;
      }
      rescaleSquares(state, number.scale);
      const unscaled = number.unscaled * numeric.pow10(state.scale - number.scale);
      state.sum += unscaled;
      state.squares += unscaled * unscaled;
      return state;
    },
    combine(_context, state, other) {
      const scale = Math.max(state.scale, other.scale);
      rescaleSquares(state, scale);
      rescaleSquares(other, scale);
      state.count += other.count;
      state.sum += other.sum;
      state.squares += other.squares;
      state.special ||= other.special;
      return state;
    },
    finish: (_context, state) => spreadOf(state, kind),
  };
}

function spreadOf(state: Squares, kind: Spread): Numeric | null {
  const { count } = state;
  const sample = kind === 'var_samp' || kind === 'stddev_samp';
  if (count === 0 || (sample && count === 1)) return null;
  if (state.special) return numeric.NAN;
  const n = BigInt(count);
  const numerator = n * state.squares - state.sum * state.sum;
  if (numerator <= 0n) return numeric.ZERO;
  const variance = numeric.divide(
    numeric.finite(numerator, state.scale * 2),
    numeric.finite(n * (sample ? n - 1n : n), 0),
  );
  if (kind === 'var_pop' || kind === 'var_samp' || variance.kind !== 'finite') return variance;
  return numeric.finite(roundedRoot(variance.unscaled, variance.scale), variance.scale);
}

/** Square root of unscaled / 10^scale at the same scale, rounded half up. */
function roundedRoot(unscaled: bigint, scale: number): bigint {
  return (integerRoot(unscaled * numeric.pow10(scale + 2)) + 5n) / 10n;
}

function integerRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let guess = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

interface Moments {
  count: number;
  sum: number;
  /** Sum of squared distances from the mean. */
  distances: number;
}

type FloatFinal = (state: Moments) => number | null;

function floatAggregate(finish: FloatFinal): AggregateFunction<Moments> {
  return {
    strict: true,
    initial: () => ({ count: 0, sum: 0, distances: 0 }),
    accumulate(_context, state, argument) {
      const value = argument as number;
      const before = state.count;
      const beforeSum = state.sum;
      const n = before + 1;
      state.count = n;
      state.sum += value;
      if (before === 0) {
        if (!Number.isFinite(value)) state.distances = Number.NaN;
        return state;
      }
      const distance = value * n - state.sum;
      state.distances += (distance * distance) / (n * before);
      if (isInfinite(state.sum) || isInfinite(state.distances)) {
        if (!isInfinite(beforeSum) && !isInfinite(value)) throw floatOverflow();
        state.distances = Number.NaN;
      }
      return state;
    },
    combine(_context, state, other) {
      if (state.count === 0) return other;
      if (other.count === 0) return state;
      const n = state.count + other.count;
      const gap = state.sum / state.count - other.sum / other.count;
      state.distances += other.distances + (state.count * other.count * gap * gap) / n;
      state.sum += other.sum;
      state.count = n;
      return state;
    },
    finish: (_context, state) => finish(state),
  };
}

const floatFinals: Readonly<Record<string, FloatFinal>> = {
  avg: ({ count, sum }) => (count === 0 ? null : sum / count),
  var_pop: ({ count, distances }) => (count === 0 ? null : distances / count),
  var_samp: ({ count, distances }) => (count <= 1 ? null : distances / (count - 1)),
  stddev_pop: ({ count, distances }) => (count === 0 ? null : Math.sqrt(distances / count)),
  stddev_samp: ({ count, distances }) => (count <= 1 ? null : Math.sqrt(distances / (count - 1))),
};

const aggregates: Record<string, AggregateFunction> = {};
for (const kind of ['var_pop', 'var_samp', 'stddev_pop', 'stddev_samp'] as const) {
  const integer = exactSpread(kind, true);
  aggregates[`int2_accum/numeric_poly_${kind}`] = integer;
  aggregates[`int4_accum/numeric_poly_${kind}`] = integer;
  aggregates[`int8_accum/numeric_${kind}`] = integer;
  aggregates[`numeric_accum/numeric_${kind}`] = exactSpread(kind, false);
}
for (const [kind, finish] of Object.entries(floatFinals)) {
  const aggregate = floatAggregate(finish);
  aggregates[`float4_accum/float8_${kind}`] = aggregate;
  aggregates[`float8_accum/float8_${kind}`] = aggregate;
}
registerFunctions({ aggregates });
