import { countWork } from '../../../base/index.ts';
import {
  type ColumnVector,
  createVector,
  type DataChunk,
  readDatum,
  writeDatum,
} from '../../../chunk/index.ts';
import type { Datum, SqlType } from '../../../types/index.ts';
import type { FunctionContext, ScalarFunction } from '../../functions/index.ts';
import type { Run } from '../run.ts';
import { Evaluator } from './evaluator.ts';

type AnyFunction = (context: FunctionContext, ...args: Datum[]) => Datum;

/** A call in units of work, besides what is in proportion to its values. */
const CALL_WORK = 32;

/** Any function over Datums, row by row. An argument that is a call itself is computed with its row, so that what is long is
 * there once and not for all rows of a chunk. */
export class FunctionCall extends Evaluator {
  readonly #run: Run;
  readonly #function: AnyFunction;
  readonly #strict: boolean;
  readonly #arguments: readonly Evaluator[];
  /** Values of the arguments; null for calls. */
  readonly #vectors: (ColumnVector | null)[];
  readonly #out: ColumnVector;

  constructor(
    type: SqlType,
    capacity: number,
    run: Run,
    implementation: ScalarFunction,
    strict: boolean,
    args: readonly Evaluator[],
  ) {
    super(type);
    this.#run = run;
    this.#function = implementation as AnyFunction;
    this.#strict = strict;
    this.#arguments = args;
    this.#vectors = new Array<ColumnVector | null>(args.length).fill(null);
    this.#out = createVector(type, capacity);
  }

  override evaluate(rows: DataChunk): ColumnVector {
    this.#prepare(rows);
    this.#out.reset();
    const { selection, count } = rows;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      writeDatum(this.#out, row, this.type, this.#call(row));
    }
    return this.#out;
  }

  /** Computes the arguments that are not calls. */
  #prepare(rows: DataChunk): void {
    const args = this.#arguments;
    for (let k = 0; k < args.length; k++) {
      const argument = args[k]!;
      if (argument instanceof FunctionCall) argument.#prepare(rows);
      else this.#vectors[k] = argument.evaluate(rows);
    }
  }

  #argument(k: number, row: number): Datum {
    const argument = this.#arguments[k]!;
    if (argument instanceof FunctionCall) return argument.#call(row);
    return readDatum(this.#vectors[k]!, row, argument.type);
  }

  #call(row: number): Datum {
    countWork(CALL_WORK);
    const args = this.#arguments;
    const context = this.#run.environment.functions;
    if (args.length === 1) {
      const a = this.#argument(0, row);
      return this.#strict && a === null ? null : this.#function(context, a);
    }
    if (args.length === 2) {
      const a = this.#argument(0, row);
      const b = this.#argument(1, row);
      return this.#strict && (a === null || b === null) ? null : this.#function(context, a, b);
    }
    const values: Datum[] = [];
    for (let k = 0; k < args.length; k++) values.push(this.#argument(k, row));
    if (this.#strict && values.includes(null)) return null;
    return this.#function(context, ...values);
  }
}

/** A value made from the operands of a row by code of the executor: casts, subscripts, ARRAY[…]. */
export class DatumEvaluator extends Evaluator {
  readonly #arguments: readonly Evaluator[];
  readonly #make: (values: readonly Datum[]) => Datum;
  readonly #vectors: ColumnVector[];
  readonly #out: ColumnVector;

  constructor(
    type: SqlType,
    capacity: number,
    args: readonly Evaluator[],
    make: (values: readonly Datum[]) => Datum,
  ) {
    super(type);
    this.#arguments = args;
    this.#make = make;
    this.#vectors = new Array<ColumnVector>(args.length);
    this.#out = createVector(type, capacity);
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const args = this.#arguments;
    for (let k = 0; k < args.length; k++) this.#vectors[k] = args[k]!.evaluate(rows);
    this.#out.reset();
    const values = new Array<Datum>(args.length);
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      for (let k = 0; k < args.length; k++) {
        values[k] = readDatum(this.#vectors[k]!, row, args[k]!.type);
      }
      countWork(CALL_WORK);
      writeDatum(this.#out, row, this.type, this.#make(values));
    }
    return this.#out;
  }
}
