import { assert } from '../../../base/index.ts';
import { notSupported } from '../../../errors/index.ts';
import { type SqlType, typeByOid } from '../../../types/index.ts';
import type { FrameBound, WindowExpr } from '../../expression.ts';
import { functionByOid, scalarImplementation } from '../../functions/index.ts';
import type { WindowAggNode } from '../../plan/plan.ts';
import type { Accumulator } from '../aggregate/accumulator.ts';
import { accumulatorOf } from '../aggregate/compile-aggregate.ts';
import { FilteredAccumulator } from '../aggregate/filtered-accumulator.ts';
import type { ExpressionCompiler } from '../expression/compile.ts';
import { ConstantEvaluator, type Evaluator, InputEvaluator } from '../expression/evaluator.ts';
import type { Operator } from '../operator.ts';
import { AggregateCall } from './aggregate-call.ts';
import { ConstantArgument, StoredArgument, type WindowArgument } from './argument.ts';
import { type CompiledBound, type CompiledFrame, Frames, type InRange } from './frames.ts';
import { PagedColumns } from './paged-columns.ts';
import { NtileCall, RankCall, type RankFunction } from './rank-calls.ts';
import { FrameValueCall, OffsetCall } from './value-calls.ts';
import { WindowAgg } from './window-agg.ts';
import { type BatchCut, WindowBatch } from './window-batch.ts';
import type { WindowCall } from './window-call.ts';

/** Compiles a windowAgg node over its compiled input. */
export function compileWindow(
  node: WindowAggNode,
  input: Operator,
  inputTypes: readonly SqlType[],
  compiler: ExpressionCompiler,
): WindowAgg {
  return new WindowCompiler(node, input, inputTypes, compiler).compile();
}

/** What calls see: nothing but their row, the peers of the row, its frame. */
const RANKS_OF_PEERS: ReadonlySet<string> = new Set([
  'rank',
  'dense_rank',
  'percent_rank',
  'cume_dist',
]);
/** Those that know a row's result when the group of its peers is whole. */
const RUNNING_RANKS: ReadonlySet<string> = new Set(['rank', 'dense_rank']);
const FRAME_VALUES: ReadonlySet<string> = new Set(['first_value', 'last_value', 'nth_value']);

class WindowCompiler {
  readonly #node: WindowAggNode;
  readonly #input: Operator;
  readonly #inputTypes: readonly SqlType[];
  readonly #compiler: ExpressionCompiler;
  /** What is computed of the input's rows and kept with them. */
  readonly #computed: Evaluator[] = [];

  constructor(
    node: WindowAggNode,
    input: Operator,
    inputTypes: readonly SqlType[],
    compiler: ExpressionCompiler,
  ) {
    this.#node = node;
    this.#input = input;
    this.#inputTypes = inputTypes;
    this.#compiler = compiler;
  }

  compile(): WindowAgg {
    const { calls, frame, partitionBy, orderBy } = this.#node;
    const { run } = this.#compiler;
    const args = calls.map((call) =>
      this.#compiler.all(call.arguments).map((arg) => this.#keep(arg)),
    );
    const filters = calls.map(({ filter }) => filter && this.#keep(this.#compiler.compile(filter)));
    const isByValue = frame.mode === 'range' && ('offset' in frame.start || 'offset' in frame.end);
    const key = isByValue ? this.#stored(this.#compiler.compile(orderBy[0]!.expr)) : -1;
    const uses = this.#uses(isByValue);
    const batch = new WindowBatch(
      run,
      this.#cut(),
      uses.peers,
      this.#inputTypes,
      this.#computed,
      this.#compiler.all(partitionBy.map((part) => part)),
      this.#compiler.all(orderBy.map((part) => part.expr)),
    );
    const columns = (stored: readonly number[]) =>
      new PagedColumns(
        run,
        batch.rows,
        stored,
        stored.map((column) => this.#typeOf(column)),
      );
    const rangeKey = isByValue
      ? {
          type: this.#typeOf(key),
          descending: orderBy[0]!.descending,
          nullsFirst: orderBy[0]!.nullsFirst,
          current: columns([key]),
          start: columns([key]),
          end: columns([key]),
        }
      : null;
    const frames = new Frames(run, batch, this.#frame(), uses, rangeKey);
    const compiled = calls.map((call, i) => this.#call(call, args[i]!, filters[i]!, columns));
    const resultTypes = calls.map((call) => typeByOid(call.type));
    return new WindowAgg(run, this.#input, batch, frames, compiled, this.#inputTypes, resultTypes);
  }

  /** The column of the batch's rows that has the values of an expression. */
  #stored(evaluator: Evaluator): number {
    if (evaluator instanceof InputEvaluator) return evaluator.column;
    return this.#inputTypes.length + this.#computed.push(evaluator) - 1;
  }

  /** An expression over the batch's rows instead of the input's. */
  #keep(evaluator: Evaluator): Evaluator {
    if (evaluator instanceof ConstantEvaluator) return evaluator;
    return new InputEvaluator(evaluator.type, this.#stored(evaluator));
  }

  #typeOf(column: number): SqlType {
    return this.#inputTypes[column] ?? this.#computed[column - this.#inputTypes.length]!.type;
  }

  /** A frame by values is found even where no call sees it, since its offsets may be wrong. */
  #uses(isByValue: boolean): { readonly peers: boolean; readonly frame: boolean } {
    const { calls, frame } = this.#node;
    const usesFrame = isByValue || calls.some(seesFrame);
    const byPeers =
      frame.mode === 'groups' ||
      frame.exclude === 'group' ||
      frame.exclude === 'ties' ||
      (frame.mode === 'range' &&
        (frame.start.kind === 'currentRow' || frame.end.kind === 'currentRow'));
    const ranked = calls.some((call) => RANKS_OF_PEERS.has(nameOf(call)));
    return { peers: ranked || (usesFrame && byPeers), frame: usesFrame };
  }

  #cut(): BatchCut {
    const { calls, frame } = this.#node;
    const isRunning =
      frame.start.kind === 'unbounded' &&
      frame.end.kind === 'currentRow' &&
      frame.exclude === 'none';
    let cut: BatchCut = 'row';
    for (const call of calls) {
      const name = nameOf(call);
      if (name === 'row_number') continue;
      if (RUNNING_RANKS.has(name)) cut = 'group';
      else if (!isAggregate(call) || !isRunning) return 'partition';
      else if (frame.mode !== 'rows') cut = 'group';
    }
    return cut;
  }

  #frame(): CompiledFrame {
    const { mode, start, end, exclude } = this.#node.frame;
    return { mode, start: this.#bound(start), end: this.#bound(end), exclude };
  }

  #bound(bound: FrameBound): CompiledBound {
    if (!('offset' in bound)) return bound;
    const inRange = bound.inRange === 0 ? null : scalarImplementation(bound.inRange);
    if (inRange === undefined) throw notSupported('this offset of a RANGE frame');
    return {
      kind: bound.kind,
      offset: this.#compiler.constant(bound.offset),
      inRange: inRange as InRange | null,
    };
  }

  #call(
    call: WindowExpr,
    args: readonly Evaluator[],
    filter: Evaluator | null,
    columns: (stored: readonly number[]) => PagedColumns,
  ): WindowCall {
    if (isAggregate(call)) return this.#aggregate(call, args, filter, columns);
    const argument = (index: number): WindowArgument | null => {
      const evaluator = args[index];
      if (evaluator === undefined) return null;
      if (evaluator instanceof ConstantEvaluator) return new ConstantArgument(evaluator);
      const { column, type } = evaluator as InputEvaluator;
      return new StoredArgument(columns([column]), type);
    };
    const first = argument(0);
    const name = nameOf(call);
    if (name === 'row_number' || RANKS_OF_PEERS.has(name))
      return new RankCall(name as RankFunction);
    assert(first !== null, `${name} has an argument`);
    switch (name) {
      case 'ntile':
        return new NtileCall(first);
      case 'lag':
        return new OffsetCall(-1, first, argument(1), argument(2));
      case 'lead':
        return new OffsetCall(1, first, argument(1), argument(2));
      case 'first_value':
        return new FrameValueCall('first', first, null);
      case 'last_value':
        return new FrameValueCall('last', first, null);
      case 'nth_value':
        return new FrameValueCall('nth', first, argument(1));
      default:
        throw notSupported(`window function ${name}`);
    }
  }

  /** The accumulator reads a page that has the call's own columns alone. */
  #aggregate(
    call: WindowExpr,
    args: readonly Evaluator[],
    filter: Evaluator | null,
    columns: (stored: readonly number[]) => PagedColumns,
  ): WindowCall {
    const stored: number[] = [];
    const place = (evaluator: Evaluator): Evaluator => {
      if (!(evaluator instanceof InputEvaluator)) return evaluator;
      return new InputEvaluator(evaluator.type, stored.push(evaluator.column) - 1);
    };
    const placed = args.map(place);
    const condition = filter && place(filter);
    const inner = accumulatorOf(call, placed, this.#compiler);
    const accumulator: Accumulator =
      condition === null
        ? inner
        : new FilteredAccumulator(inner, condition, this.#compiler.capacity);
    const moves = this.#node.frame.start.kind !== 'unbounded' && accumulator.remove !== undefined;
    return new AggregateCall(
      accumulator,
      typeByOid(call.type),
      columns(stored),
      moves ? columns(stored) : null,
    );
  }
}

function nameOf(call: WindowExpr): string {
  return isAggregate(call) ? '' : (functionByOid(call.function)?.name ?? '');
}

function isAggregate(call: WindowExpr): boolean {
  return functionByOid(call.function)?.kind === 'a';
}

function seesFrame(call: WindowExpr): boolean {
  return isAggregate(call) || FRAME_VALUES.has(nameOf(call));
}
