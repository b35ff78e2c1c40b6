import { compareByteRanges } from '../../../base/index.ts';
import {
  type BytesVector,
  type ColumnVector,
  createVector,
  type DataChunk,
  type NumberVector,
} from '../../../chunk/index.ts';
import type { SqlType } from '../../../types/index.ts';
import {
  ConstantEvaluator,
  combineValidity,
  Evaluator,
  nullVector,
  selectTrue,
} from './evaluator.ts';
import {
  type CompareKernel,
  type Comparison,
  compareKernel,
  type NarrowKernel,
  narrowKernel,
} from './number-kernels.ts';

/** A comparison of two values of the number lane in one unit. */
export class NumberComparison extends Evaluator {
  readonly #left: Evaluator;
  readonly #right: Evaluator;
  readonly #comparison: Comparison;
  readonly #vectors: CompareKernel;
  readonly #constant: CompareKernel;
  readonly #narrowVectors: NarrowKernel;
  readonly #narrowConstant: NarrowKernel;
  readonly #out: NumberVector;

  constructor(
    type: SqlType,
    capacity: number,
    comparison: Comparison,
    float: boolean,
    left: Evaluator,
    right: Evaluator,
  ) {
    super(type);
    this.#left = left;
    this.#right = right;
    this.#comparison = comparison;
    this.#vectors = compareKernel(comparison, float, false);
    this.#constant = compareKernel(comparison, float, true);
    this.#narrowVectors = narrowKernel(comparison, float, false);
    this.#narrowConstant = narrowKernel(comparison, float, true);
    this.#out = createVector(type, capacity) as NumberVector;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const left = this.#left.evaluate(rows) as NumberVector;
    const out = this.#out;
    const { selection, count } = rows;
    const constant = this.#constantOperand();
    if (constant === null) return nullVector(out);
    if (constant !== undefined && left.big === null) {
      combineValidity(out, left, null, rows);
      this.#constant(left.values, constant, out.values, selection, count);
      return out;
    }
    const right = this.#right.evaluate(rows) as NumberVector;
    combineValidity(out, left, right, rows);
    if (left.big === null && right.big === null) {
      this.#vectors(left.values, right.values, out.values, selection, count);
    } else this.#exact(left, right, rows);
    return out;
  }

  override narrow(rows: DataChunk, out: Int32Array): number {
    const left = this.#left.evaluate(rows) as NumberVector;
    const { selection, count } = rows;
    const constant = this.#constantOperand();
    if (constant === null) return 0;
    if (constant !== undefined && left.big === null) {
      const valid = left.allValid ? null : left.valid;
      return this.#narrowConstant(left.values, constant, valid, selection, count, out);
    }
    const right = this.#right.evaluate(rows) as NumberVector;
    if (left.allValid && right.allValid && left.big === null && right.big === null) {
      return this.#narrowVectors(left.values, right.values, null, selection, count, out);
    }
    return selectTrue(this.evaluate(rows) as NumberVector, rows, out);
  }

  /** A plain number, null for NULL, undefined when the operand is a column or not plain. */
  #constantOperand(): number | null | undefined {
    if (!(this.#right instanceof ConstantEvaluator)) return undefined;
    const value = this.#right.value();
    if (value === null || typeof value === 'number') return value;
    if (typeof value === 'boolean') return value ? 1 : 0;
    return undefined;
  }

  #exact(left: NumberVector, right: NumberVector, rows: DataChunk): void {
    const out = this.#out;
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      if (!out.allValid && out.valid[row] === 0) continue;
      const a = left.get(row);
      const b = right.get(row);
      out.values[row] = holds(this.#comparison, a < b ? -1 : a > b ? 1 : 0) ? 1 : 0;
    }
  }
}

/** Whether a comparison holds for operands in the given order. */
export function holds(comparison: Comparison, order: number): boolean {
  switch (comparison) {
    case '=':
      return order === 0;
    case '<>':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** A comparison of stored bytes, for types whose order is memcmp's. `padded`: trailing blanks do not
 * count (char(n)). */
export class BytesComparison extends Evaluator {
  readonly #left: Evaluator;
  readonly #right: Evaluator;
  readonly #comparison: Comparison;
  readonly #padded: boolean;
  readonly #out: NumberVector;

  constructor(
    type: SqlType,
    capacity: number,
    comparison: Comparison,
    padded: boolean,
    left: Evaluator,
    right: Evaluator,
  ) {
    super(type);
    this.#left = left;
    this.#right = right;
    this.#comparison = comparison;
    this.#padded = padded;
    this.#out = createVector(type, capacity) as NumberVector;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const left = this.#left.evaluate(rows) as BytesVector;
    const right = this.#right.evaluate(rows) as BytesVector;
    const out = this.#out;
    combineValidity(out, left, right, rows);
    const equality = this.#comparison === '=' || this.#comparison === '<>';
    if (equality && !this.#padded) this.#equal(left, right, rows);
    else this.#ordered(left, right, rows);
    return out;
  }

  #equal(left: BytesVector, right: BytesVector, rows: DataChunk): void {
    const { selection, count } = rows;
    const values = this.#out.values;
    const yes = this.#comparison === '=' ? 1 : 0;
    const a = left.buffer;
    const b = right.buffer;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      const length = left.length[row]!;
      let equal = length === right.length[row]!;
      if (equal) {
        const aStart = left.start[row]!;
        const bStart = right.start[row]!;
        for (let k = 0; k < length; k++) {
          if (a[aStart + k] !== b[bStart + k]) {
            equal = false;
            break;
          }
        }
      }
      values[row] = equal ? yes : 1 - yes;
    }
  }

  #ordered(left: BytesVector, right: BytesVector, rows: DataChunk): void {
    const { selection, count } = rows;
    const values = this.#out.values;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      if (!this.#out.allValid && this.#out.valid[row] === 0) continue;
      const aStart = left.start[row]!;
      const bStart = right.start[row]!;
      let aEnd = aStart + left.length[row]!;
      let bEnd = bStart + right.length[row]!;
      if (this.#padded) {
        aEnd = unpaddedEnd(left.buffer, aStart, aEnd);
        bEnd = unpaddedEnd(right.buffer, bStart, bEnd);
      }
      const order = compareByteRanges(left.buffer, aStart, aEnd, right.buffer, bStart, bEnd);
      values[row] = holds(this.#comparison, order) ? 1 : 0;
    }
  }
}

function unpaddedEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && bytes[at - 1] === 32) at--;
  return at;
}
