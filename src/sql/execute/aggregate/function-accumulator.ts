import { countWork } from '../../../base/index.ts';
import { type ColumnVector, type DataChunk, readDatum, writeDatum } from '../../../chunk/index.ts';
import type { Datum, SqlType } from '../../../types/index.ts';
import type { AggregateFunction } from '../../functions/index.ts';
import type { Evaluator } from '../expression/evaluator.ts';
import type { Run } from '../run.ts';
import type { Accumulator } from './accumulator.ts';

const STATE_BYTES = 64;
/** A call in units of work, besides what is in proportion to its values. */
const CALL_WORK = 32;
/** What a state is reckoned to hold is asked for one group in this many. */
const SAMPLE_EVERY = 16;

/** Any aggregate over Datums, row by row. */
export class FunctionAccumulator implements Accumulator {
  readonly #run: Run;
  readonly #function: AggregateFunction;
  readonly #arguments: readonly Evaluator[];
  readonly #result: SqlType;
  readonly #vectors: ColumnVector[];
  #states: unknown[] = [];
  readonly remove?: (rows: DataChunk) => boolean;

  constructor(
    run: Run,
    implementation: AggregateFunction,
    args: readonly Evaluator[],
    result: SqlType,
  ) {
    this.#run = run;
    this.#function = implementation;
    this.#arguments = args;
    this.#result = result;
    this.#vectors = new Array<ColumnVector>(args.length);
    if (implementation.remove !== undefined) this.remove = (rows) => this.#remove(rows);
  }

  reset(): void {
    this.#states = [];
  }

  grow(count: number): void {
    const context = this.#run.environment.functions;
    while (this.#states.length < count) this.#states.push(this.#function.initial(context));
  }

  update(rows: DataChunk, groups: Int32Array | null): void {
    const args = this.#arguments;
    for (let k = 0; k < args.length; k++) this.#vectors[k] = args[k]!.evaluate(rows);
    const context = this.#run.environment.functions;
    const values = new Array<Datum>(args.length);
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      if (!this.#read(row, values)) continue;
      countWork(CALL_WORK);
      const group = groups === null ? 0 : groups[row]!;
      this.#states[group] = this.#function.accumulate(context, this.#states[group], ...values);
    }
  }

  #remove(rows: DataChunk): boolean {
    const args = this.#arguments;
    for (let k = 0; k < args.length; k++) this.#vectors[k] = args[k]!.evaluate(rows);
    const context = this.#run.environment.functions;
    const values = new Array<Datum>(args.length);
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      if (!this.#read(row, values)) continue;
      if (this.#function.remove?.(context, this.#states[0], ...values) !== true) return false;
    }
    return true;
  }

  /** False when the aggregate is strict and an argument is NULL. */
  #read(row: number, values: Datum[]): boolean {
    for (let k = 0; k < values.length; k++) {
      const value = readDatum(this.#vectors[k]!, row, this.#arguments[k]!.type);
      if (value === null && this.#function.strict) return false;
      values[k] = value;
    }
    return true;
  }

  complete(): boolean {
    return true;
  }

  finish(group: number, out: ColumnVector, row: number): void {
    const context = this.#run.environment.functions;
    writeDatum(out, row, this.#result, this.#function.finish(context, this.#states[group]));
  }

  memory(): number {
    const size = this.#function.sizeOf?.bind(this.#function);
    if (size === undefined) return this.#states.length * STATE_BYTES;
    let sampled = 0;
    let bytes = 0;
    for (let i = 0; i < this.#states.length; i += SAMPLE_EVERY) {
      bytes += size(this.#states[i]);
      sampled++;
    }
    return sampled === 0 ? 0 : (bytes / sampled) * this.#states.length;
  }

  close(): void {
    this.#states = [];
  }
}
