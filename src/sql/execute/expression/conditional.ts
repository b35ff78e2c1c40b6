import {
  type ColumnVector,
  copyRow,
  createVector,
  type DataChunk,
  type NumberVector,
  readDatum,
  scatterRows,
} from '../../../chunk/index.ts';
import type { SqlType } from '../../../types/index.ts';
import { type CaseValueEvaluator, Evaluator, Subset } from './evaluator.ts';

/** CASE: each branch sees only the rows that come to it, so that what it must not compute is not. */
export class CaseEvaluator extends Evaluator {
  readonly #argument: Evaluator | null;
  readonly #caseValue: CaseValueEvaluator | null;
  readonly #argumentCopy: ColumnVector | null;
  readonly #conditions: readonly Evaluator[];
  readonly #results: readonly Evaluator[];
  readonly #otherwise: Evaluator | null;
  readonly #out: ColumnVector;
  readonly #rest: Subset;
  readonly #chosen: Subset;
  readonly #mark: Uint8Array;

  constructor(
    type: SqlType,
    capacity: number,
    argument: Evaluator | null,
    caseValue: CaseValueEvaluator | null,
    conditions: readonly Evaluator[],
    results: readonly Evaluator[],
    otherwise: Evaluator | null,
  ) {
    super(type);
    this.#argument = argument;
    this.#caseValue = caseValue;
    this.#argumentCopy = argument === null ? null : createVector(argument.type, capacity);
    this.#conditions = conditions;
    this.#results = results;
    this.#otherwise = otherwise;
    this.#out = createVector(type, capacity);
    this.#rest = new Subset(capacity);
    this.#chosen = new Subset(capacity);
    this.#mark = new Uint8Array(capacity);
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const out = this.#out;
    const rest = this.#rest;
    const chosen = this.#chosen;
    out.reset();
    rest.assign(rows);
    chosen.columns = rows.columns;
    if (this.#argument !== null) {
      const copy = this.#argumentCopy!;
      copy.reset();
      scatterRows(this.#argument.evaluate(rows), rows.selection, rows.count, copy);
      this.#caseValue!.vector = copy;
    }
    for (let i = 0; i < this.#conditions.length && rest.count > 0; i++) {
      chosen.count = this.#conditions[i]!.narrow(rest, chosen.selection);
      if (chosen.count === 0) continue;
      this.#removeChosen();
      const result = this.#results[i]!.evaluate(chosen);
      scatterRows(result, chosen.selection, chosen.count, out);
    }
    if (rest.count > 0) this.#finish(rest);
    return out;
  }

  #finish(rest: Subset): void {
    if (this.#otherwise !== null) {
      const result = this.#otherwise.evaluate(rest);
      scatterRows(result, rest.selection, rest.count, this.#out);
    } else for (let i = 0; i < rest.count; i++) this.#out.setNull(rest.selection[i]!);
  }

  #removeChosen(): void {
    const rest = this.#rest;
    const chosen = this.#chosen;
    const mark = this.#mark;
    for (let i = 0; i < chosen.count; i++) mark[chosen.selection[i]!] = 1;
    let kept = 0;
    for (let i = 0; i < rest.count; i++) {
      const row = rest.selection[i]!;
      if (mark[row] === 1) mark[row] = 0;
      else rest.selection[kept++] = row;
    }
    rest.count = kept;
  }
}

export class CoalesceEvaluator extends Evaluator {
  readonly #arguments: readonly Evaluator[];
  readonly #out: ColumnVector;
  readonly #rest: Subset;

  constructor(type: SqlType, capacity: number, args: readonly Evaluator[]) {
    super(type);
    this.#arguments = args;
    this.#out = createVector(type, capacity);
    this.#rest = new Subset(capacity);
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const first = this.#arguments[0]!.evaluate(rows);
    if (first.allValid) return first;
    const out = this.#out;
    const rest = this.#rest;
    out.reset();
    rest.assign(rows);
    this.#take(first);
    for (let i = 1; i < this.#arguments.length && rest.count > 0; i++) {
      this.#take(this.#arguments[i]!.evaluate(rest));
    }
    for (let i = 0; i < rest.count; i++) out.setNull(rest.selection[i]!);
    return out;
  }

  #take(vector: ColumnVector): void {
    const rest = this.#rest;
    let kept = 0;
    for (let i = 0; i < rest.count; i++) {
      const row = rest.selection[i]!;
      if (vector.isNull(row)) rest.selection[kept++] = row;
      else copyRow(vector, row, this.#out, row);
    }
    rest.count = kept;
  }
}

/** NULLIF: NULL where the comparison of its operands is true, else the first operand. */
export class NullIfEvaluator extends Evaluator {
  readonly #left: Evaluator;
  readonly #leftValue: CaseValueEvaluator;
  readonly #equal: Evaluator;
  readonly #out: ColumnVector;

  constructor(
    type: SqlType,
    capacity: number,
    left: Evaluator,
    leftValue: CaseValueEvaluator,
    equal: Evaluator,
  ) {
    super(type);
    this.#left = left;
    this.#leftValue = leftValue;
    this.#equal = equal;
    this.#out = createVector(type, capacity);
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const left = this.#left.evaluate(rows);
    this.#leftValue.vector = left;
    const equal = this.#equal.evaluate(rows) as NumberVector;
    const out = this.#out;
    out.reset();
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      if (!equal.isNull(row) && equal.values[row] !== 0) out.setNull(row);
      else copyRow(left, row, out, row);
    }
    return out;
  }
}

/** GREATEST and LEAST: NULLs are passed over. */
export class MinMaxEvaluator extends Evaluator {
  readonly #arguments: readonly Evaluator[];
  readonly #sign: number;
  readonly #out: ColumnVector;

  constructor(
    type: SqlType,
    capacity: number,
    kind: 'greatest' | 'least',
    args: readonly Evaluator[],
  ) {
    super(type);
    this.#arguments = args;
    this.#sign = kind === 'greatest' ? 1 : -1;
    this.#out = createVector(type, capacity);
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const out = this.#out;
    const type = this.type;
    out.reset();
    scatterRows(this.#arguments[0]!.evaluate(rows), rows.selection, rows.count, out);
    for (let k = 1; k < this.#arguments.length; k++) {
      const vector = this.#arguments[k]!.evaluate(rows);
      for (let i = 0; i < rows.count; i++) {
        const row = rows.selection === null ? i : rows.selection[i]!;
        if (vector.isNull(row)) continue;
        if (!out.isNull(row)) {
          const order = type.compare(readDatum(vector, row, type), readDatum(out, row, type));
          if (order * this.#sign <= 0) continue;
        }
        copyRow(vector, row, out, row);
      }
    }
    return out;
  }
}

/** IS [NOT] DISTINCT FROM: equality in which NULL equals NULL. The comparison reads the operands from
 * case values, so that each is computed once. */
export class DistinctEvaluator extends Evaluator {
  readonly #left: Evaluator;
  readonly #right: Evaluator;
  readonly #leftValue: CaseValueEvaluator;
  readonly #rightValue: CaseValueEvaluator;
  readonly #equal: Evaluator;
  readonly #negated: boolean;
  readonly #out: NumberVector;

  constructor(
    type: SqlType,
    capacity: number,
    operands: {
      readonly left: Evaluator;
      readonly right: Evaluator;
      readonly leftValue: CaseValueEvaluator;
      readonly rightValue: CaseValueEvaluator;
    },
    equal: Evaluator,
    negated: boolean,
  ) {
    super(type);
    this.#left = operands.left;
    this.#right = operands.right;
    this.#leftValue = operands.leftValue;
    this.#rightValue = operands.rightValue;
    this.#equal = equal;
    this.#negated = negated;
    this.#out = createVector(type, capacity) as NumberVector;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const left = this.#left.evaluate(rows);
    const right = this.#right.evaluate(rows);
    this.#leftValue.vector = left;
    this.#rightValue.vector = right;
    const equal = this.#equal.evaluate(rows) as NumberVector;
    const out = this.#out;
    out.reset();
    const same = this.#negated ? 1 : 0;
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      const leftNull = left.isNull(row);
      const rightNull = right.isNull(row);
      const isSame = leftNull || rightNull ? leftNull && rightNull : equal.values[row] !== 0;
      out.values[row] = isSame ? same : 1 - same;
    }
    return out;
  }
}
