import {
  type ColumnVector,
  createVector,
  type DataChunk,
  type NumberVector,
} from '../../../chunk/index.ts';
import { INT2_MAX, INT2_MIN, INT4_MAX, INT4_MIN, OID, type SqlType } from '../../../types/index.ts';
import { combineValidity, Evaluator } from './evaluator.ts';
import { integerOutOfRange } from './number-kernels.ts';

/** A cast that leaves the lane as it is: int4 to int8, varchar to text. */
export class LaneCopy extends Evaluator {
  readonly #argument: Evaluator;

  constructor(type: SqlType, argument: Evaluator) {
    super(type);
    this.#argument = argument;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    return this.#argument.evaluate(rows);
  }

  override narrow(rows: DataChunk, out: Int32Array): number {
    return this.#argument.narrow(rows, out);
  }
}

/** A cast to a smaller integer type. */
export class CastInteger extends Evaluator {
  readonly #argument: Evaluator;
  readonly #minimum: number;
  readonly #maximum: number;
  readonly #out: NumberVector;

  constructor(type: SqlType, capacity: number, argument: Evaluator) {
    super(type);
    this.#argument = argument;
    this.#minimum = type.oid === OID.int2 ? INT2_MIN : INT4_MIN;
    this.#maximum = type.oid === OID.int2 ? INT2_MAX : INT4_MAX;
    this.#out = createVector(type, capacity) as NumberVector;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const input = this.#argument.evaluate(rows) as NumberVector;
    const out = this.#out;
    combineValidity(out, input, null, rows);
    const { selection, count } = rows;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      const value = input.values[row]!;
      if (!(value >= this.#minimum && value <= this.#maximum)) {
        if (out.allValid || out.valid[row] !== 0) throw integerOutOfRange(this.type.sqlName);
      }
      out.values[row] = value;
    }
    return out;
  }
}

/** Relabelling between int4 and the unsigned types, which show the same bits differently. */
export class CastUnsigned extends Evaluator {
  readonly #argument: Evaluator;
  readonly #toUnsigned: boolean;
  readonly #out: NumberVector;

  constructor(type: SqlType, capacity: number, argument: Evaluator, toUnsigned: boolean) {
    super(type);
    this.#argument = argument;
    this.#toUnsigned = toUnsigned;
    this.#out = createVector(type, capacity) as NumberVector;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const input = this.#argument.evaluate(rows) as NumberVector;
    const out = this.#out;
    combineValidity(out, input, null, rows);
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      const value = input.values[row]!;
      out.values[row] = this.#toUnsigned ? value >>> 0 : value | 0;
    }
    return out;
  }
}
