import {
  type ColumnVector,
  createVector,
  type DataChunk,
  type NumberVector,
} from '../../../chunk/index.ts';
import type { SqlType } from '../../../types/index.ts';
import { combineValidity, copySelection, Evaluator, Subset } from './evaluator.ts';

/** AND and OR, three-valued. A row that an operand has decided is not given to the operands after it. */
export class LogicEvaluator extends Evaluator {
  readonly #operands: readonly Evaluator[];
  /** Value that decides: 0 for AND, 1 for OR. */
  readonly #deciding: 0 | 1;
  readonly #out: NumberVector;
  readonly #rest: Subset;

  constructor(type: SqlType, capacity: number, kind: 'and' | 'or', operands: readonly Evaluator[]) {
    super(type);
    this.#operands = operands;
    this.#deciding = kind === 'and' ? 0 : 1;
    this.#out = createVector(type, capacity) as NumberVector;
    this.#rest = new Subset(capacity);
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const out = this.#out;
    const rest = this.#rest;
    const deciding = this.#deciding;
    out.reset();
    rest.assign(rows);
    for (let i = 0; i < rest.count; i++) out.values[rest.selection[i]!] = 1 - deciding;
    for (const operand of this.#operands) {
      if (rest.count === 0) break;
      const vector = operand.evaluate(rest) as NumberVector;
      let kept = 0;
      for (let i = 0; i < rest.count; i++) {
        const row = rest.selection[i]!;
        if (!vector.allValid && vector.valid[row] === 0) out.setNull(row);
        else if (vector.values[row] === deciding) {
          out.values[row] = deciding;
          if (!out.allValid) out.valid[row] = 1;
          continue;
        }
        rest.selection[kept++] = row;
      }
      rest.count = kept;
    }
    return out;
  }

  override narrow(rows: DataChunk, out: Int32Array): number {
    if (this.#deciding === 1) return super.narrow(rows, out);
    const rest = this.#rest;
    rest.assign(rows);
    for (const operand of this.#operands) {
      if (rest.count === 0) return 0;
      rest.count = operand.narrow(rest, rest.selection);
    }
    return copySelection(rest, out);
  }
}

export class NotEvaluator extends Evaluator {
  readonly #argument: Evaluator;
  readonly #out: NumberVector;

  constructor(type: SqlType, capacity: number, argument: Evaluator) {
    super(type);
    this.#argument = argument;
    this.#out = createVector(type, capacity) as NumberVector;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const input = this.#argument.evaluate(rows) as NumberVector;
    const out = this.#out;
    combineValidity(out, input, null, rows);
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      out.values[row] = input.values[row] === 0 ? 1 : 0;
    }
    return out;
  }
}

/** IS [NOT] NULL of a scalar; a record is null when all its fields are, not null when none is. */
export class NullTest extends Evaluator {
  readonly #argument: Evaluator;
  readonly #negated: boolean;
  readonly #isRecord: boolean;
  readonly #out: NumberVector;

  constructor(
    type: SqlType,
    capacity: number,
    argument: Evaluator,
    negated: boolean,
    isRecord: boolean,
  ) {
    super(type);
    this.#argument = argument;
    this.#negated = negated;
    this.#isRecord = isRecord;
    this.#out = createVector(type, capacity) as NumberVector;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const input = this.#argument.evaluate(rows);
    const out = this.#out;
    out.reset();
    const yes = this.#negated ? 0 : 1;
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      const isNull = !input.allValid && input.valid[row] === 0;
      out.values[row] =
        this.#isRecord && !isNull ? this.#recordTest(input, row) : isNull ? yes : 1 - yes;
    }
    return out;
  }

  #recordTest(input: ColumnVector, row: number): number {
    const record = (input.lane === 'object' ? input.values[row] : null) as {
      fields: readonly unknown[];
    } | null;
    const fields = record?.fields ?? [];
    const matches = this.#negated
      ? fields.every((field) => field !== null)
      : fields.every((field) => field === null);
    return matches ? 1 : 0;
  }
}

/** IS [NOT] TRUE, FALSE, UNKNOWN. */
export class BooleanTest extends Evaluator {
  readonly #argument: Evaluator;
  readonly #test: 'true' | 'false' | 'unknown';
  readonly #negated: boolean;
  readonly #out: NumberVector;

  constructor(
    type: SqlType,
    capacity: number,
    argument: Evaluator,
    test: 'true' | 'false' | 'unknown',
    negated: boolean,
  ) {
    super(type);
    this.#argument = argument;
    this.#test = test;
    this.#negated = negated;
    this.#out = createVector(type, capacity) as NumberVector;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const input = this.#argument.evaluate(rows) as NumberVector;
    const out = this.#out;
    out.reset();
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      const isNull = !input.allValid && input.valid[row] === 0;
      const matches =
        this.#test === 'unknown'
          ? isNull
          : !isNull && (input.values[row] !== 0) === (this.#test === 'true');
      out.values[row] = matches !== this.#negated ? 1 : 0;
    }
    return out;
  }
}
