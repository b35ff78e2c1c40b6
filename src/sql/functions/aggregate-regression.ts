/** Aggregates of two variables: covar_pop, covar_samp, corr and the regr family. */

import { floatOverflow, isInfinite } from './float.ts';
import type { AggregateFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';

/** Sums, and sums of products of distances from the means. */
interface Regression {
  n: number;
  sx: number;
  sxx: number;
  sy: number;
  syy: number;
  sxy: number;
}

/** One more pair, by Youngs and Cramer's method in the order of PostgreSQL's operations. */
function accumulate(state: Regression, y: number, x: number): void {
  const before = state.n;
  const n = before + 1;
  const infinite = isInfinite(state.sx) || isInfinite(state.sy) || isInfinite(x) || isInfinite(y);
  state.n = n;
  state.sx += x;
  state.sy += y;
  if (before === 0) {
    if (!Number.isFinite(x)) state.sxx = state.sxy = Number.NaN;
    if (!Number.isFinite(y)) state.syy = state.sxy = Number.NaN;
    return;
  }
  const dx = x * n - state.sx;
  const dy = y * n - state.sy;
  const scale = 1 / (n * before);
  state.sxx += dx * dx * scale;
  state.syy += dy * dy * scale;
  state.sxy += dx * dy * scale;
  if (![state.sx, state.sxx, state.sy, state.syy, state.sxy].some(isInfinite)) return;
  if (!infinite) throw floatOverflow();
  if (isInfinite(state.sxx)) state.sxx = Number.NaN;
  if (isInfinite(state.syy)) state.syy = Number.NaN;
  if (isInfinite(state.sxy)) state.sxy = Number.NaN;
}

function combine(a: Regression, b: Regression): Regression {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const gapX = a.sx / a.n - b.sx / b.n;
  const gapY = a.sy / a.n - b.sy / b.n;
  const weight = a.n * b.n;
  return {
    n,
    sx: a.sx + b.sx,
    sxx: a.sxx + b.sxx + (weight * gapX * gapX) / n,
    sy: a.sy + b.sy,
    syy: a.syy + b.syy + (weight * gapY * gapY) / n,
    sxy: a.sxy + b.sxy + (weight * gapX * gapY) / n,
  };
}

const finals: Readonly<Record<string, (state: Regression) => number | null>> = {
  float8_regr_sxx: (s) => s.sxx,
  float8_regr_syy: (s) => s.syy,
  float8_regr_sxy: (s) => s.sxy,
  float8_regr_avgx: (s) => s.sx / s.n,
  float8_regr_avgy: (s) => s.sy / s.n,
  float8_covar_pop: (s) => s.sxy / s.n,
  float8_covar_samp: (s) => (s.n < 2 ? null : s.sxy / (s.n - 1)),
  float8_corr: (s) => (s.sxx === 0 || s.syy === 0 ? null : s.sxy / Math.sqrt(s.sxx * s.syy)),
  float8_regr_r2: (s) => {
    if (s.sxx === 0) return null;
    return s.syy === 0 ? 1 : (s.sxy * s.sxy) / (s.sxx * s.syy);
  },
  float8_regr_slope: (s) => (s.sxx === 0 ? null : s.sxy / s.sxx),
  float8_regr_intercept: (s) => (s.sxx === 0 ? null : (s.sy - (s.sx * s.sxy) / s.sxx) / s.n),
};

const aggregates: Record<string, AggregateFunction> = {};
for (const [final, compute] of Object.entries(finals)) {
  const aggregate: AggregateFunction<Regression> = {
    strict: true,
    initial: () => ({ n: 0, sx: 0, sxx: 0, sy: 0, syy: 0, sxy: 0 }),
    accumulate(_context, state, y, x) {
      accumulate(state, y as number, x as number);
      return state;
    },
    combine: (_context, state, other) => combine(state, other),
    finish: (_context, state) => (state.n === 0 ? null : compute(state)),
  };
  aggregates[`float8_regr_accum/${final}`] = aggregate;
}
registerFunctions({ aggregates });
