import { notSupported } from '../../../errors/index.ts';
import { type KeyColumn, OID, typeByOid } from '../../../types/index.ts';
import type { AggregateExpr } from '../../expression.ts';
import { aggregateByOid, aggregateImplementation, functionByOid } from '../../functions/index.ts';
import type { ExpressionCompiler } from '../expression/compile.ts';
import { type Evaluator, InputEvaluator } from '../expression/evaluator.ts';
import type { Accumulator } from './accumulator.ts';
import { BytesExtremeAccumulator } from './bytes-accumulators.ts';
import { FilteredAccumulator } from './filtered-accumulator.ts';
import { FunctionAccumulator } from './function-accumulator.ts';
import {
  CountAccumulator,
  FloatSumAccumulator,
  IntegerSumAccumulator,
  NumberExtremeAccumulator,
} from './number-accumulators.ts';
import { OrderedAccumulator } from './ordered-accumulator.ts';
import { OrderedSetAccumulator } from './ordered-set-accumulator.ts';
import {
  HypotheticalFold,
  type HypotheticalFunction,
  interpolateFloats,
  interpolateIntervals,
  ModeFold,
  PercentileFold,
  type SetFold,
} from './set-folds.ts';

/** Compiles an aggregate call of a plan. */
export function compileAggregate(expr: AggregateExpr, compiler: ExpressionCompiler): Accumulator {
  const args = compiler.all(expr.arguments);
  const filter = expr.filter === null ? null : compiler.compile(expr.filter);
  let accumulator: Accumulator;
  if (expr.withinGroup) accumulator = orderedSet(expr, args, compiler);
  else if (expr.distinct || expr.orderBy.length > 0) {
    const sorted = args.map((argument, i) => new InputEvaluator(argument.type, i + 1));
    const inner = accumulatorOf(expr, sorted, compiler);
    const keys = sortKeys(expr, args, compiler);
    accumulator = new OrderedAccumulator(compiler.run, inner, args, keys, expr.distinct);
  } else accumulator = accumulatorOf(expr, args, compiler);
  if (filter === null) return accumulator;
  return new FilteredAccumulator(accumulator, filter, compiler.capacity);
}

function orderedSet(
  expr: AggregateExpr,
  direct: readonly Evaluator[],
  compiler: ExpressionCompiler,
): Accumulator {
  const keys = sortKeys(expr, direct, compiler);
  const signature = aggregateByOid(expr.function);
  const fold = foldOf(signature?.final ?? '', keys[0]!.value.type.oid);
  const result = typeByOid(expr.type);
  const isHypothetical = signature?.kind === 'h';
  return new OrderedSetAccumulator(compiler.run, fold, direct, keys, result, isHypothetical);
}

function foldOf(final: string, keyType: number): SetFold {
  switch (final) {
    case 'percentile_disc_final':
    case 'percentile_disc_multi_final':
      return new PercentileFold(null, keyType);
    case 'percentile_cont_float8_final':
    case 'percentile_cont_float8_multi_final':
      return new PercentileFold(interpolateFloats, keyType);
    case 'percentile_cont_interval_final':
    case 'percentile_cont_interval_multi_final':
      return new PercentileFold(interpolateIntervals, keyType);
    case 'mode_final':
      return new ModeFold();
    case 'rank_final':
    case 'dense_rank_final':
    case 'percent_rank_final':
    case 'cume_dist_final':
      return new HypotheticalFold(final.slice(0, -'_final'.length) as HypotheticalFunction);
    default:
      throw notSupported(`aggregate ${final}`);
  }
}

function sortKeys(
  expr: AggregateExpr,
  args: readonly Evaluator[],
  compiler: ExpressionCompiler,
): { value: Evaluator; order: KeyColumn }[] {
  const keys = expr.orderBy.map((key) => {
    const value = compiler.compile(key.expr);
    const { descending, nullsFirst } = key;
    return { value, order: { type: value.type, descending, nullsFirst } };
  });
  if (expr.distinct) {
    for (const value of args) {
      keys.push({ value, order: { type: value.type, descending: false, nullsFirst: false } });
    }
  }
  return keys;
}

const EXTREME =
  /^(?:int2|int4|int8|oid|float4|float8|date_|time_|timestamp_|timestamptz_)(larger|smaller)$/;
const TEXT_EXTREME = /^(text|bpchar)_(larger|smaller)$/;

/** The states of an aggregate's plain call, over the rows that its arguments are given. */
export function accumulatorOf(
  expr: Pick<AggregateExpr, 'function' | 'type'>,
  args: readonly Evaluator[],
  compiler: ExpressionCompiler,
): Accumulator {
  const result = typeByOid(expr.type);
  const signature = aggregateByOid(expr.function);
  const transition = signature?.transition ?? '';
  const first = args[0];
  if (transition === 'int8inc') return new CountAccumulator(null);
  if (transition === 'int8inc_any' && first !== undefined) return new CountAccumulator(first);
  if (first !== undefined) {
    const final = signature?.final ?? '';
    switch (transition) {
      case 'int2_sum':
      case 'int4_sum':
        return new IntegerSumAccumulator(compiler.run, first, result, false);
      case 'int2_avg_accum':
      case 'int4_avg_accum':
        return new IntegerSumAccumulator(compiler.run, first, result, true);
      case 'int8_avg_accum':
        if (result.oid !== OID.numeric) break;
        return new IntegerSumAccumulator(compiler.run, first, result, final === 'numeric_poly_avg');
      case 'float8pl':
        return new FloatSumAccumulator(first, false);
      case 'float8_accum':
        if (final === 'float8_avg') return new FloatSumAccumulator(first, true);
        break;
      default: {
        const extreme = EXTREME.exec(transition);
        if (extreme !== null) {
          return new NumberExtremeAccumulator(first, extreme[1] === 'larger' ? 'max' : 'min');
        }
        const text = TEXT_EXTREME.exec(transition);
        if (text !== null && first.type.lane === 'bytes') {
          const kind = text[2] === 'larger' ? 'max' : 'min';
          return new BytesExtremeAccumulator(first, kind, text[1] === 'bpchar');
        }
      }
    }
  }
  const implementation = aggregateImplementation(expr.function, {
    arguments: args.map((argument) => argument.type.oid),
    result: expr.type,
  });
  if (implementation === undefined) {
    throw notSupported(`aggregate ${functionByOid(expr.function)?.name ?? expr.function}`);
  }
  return new FunctionAccumulator(compiler.run, implementation, args, result);
}
