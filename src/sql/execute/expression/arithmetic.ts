import {
  type ColumnVector,
  createVector,
  type DataChunk,
  type NumberVector,
} from '../../../chunk/index.ts';
import { pgError } from '../../../errors/index.ts';
import { INT8_MAX, INT8_MIN, int8, type SqlType } from '../../../types/index.ts';
import { ConstantEvaluator, combineValidity, Evaluator, nullVector } from './evaluator.ts';
import {
  type ArithmeticKernel,
  arithmeticKernel,
  divisionByZero,
  floatKernel,
  integerDivisionKernel,
  integerOutOfRange,
} from './number-kernels.ts';

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

const SAFE = Number.MAX_SAFE_INTEGER;

/** Bounds of the integer types by size. */
const BOUNDS = {
  2: [-0x8000, 0x7fff],
  4: [-0x8000_0000, 0x7fff_ffff],
  8: [-SAFE, SAFE],
} as const;

/** Arithmetic on integers of up to 4 bytes, on int8, and on float8. The loops stop at a row whose
 * result is not plain; that row is then settled exactly, and the loop goes on behind it. */
export class ArithmeticEvaluator extends Evaluator {
  readonly #left: Evaluator;
  readonly #right: Evaluator;
  readonly #operator: ArithmeticOperator;
  readonly #size: 2 | 4 | 8 | 'float';
  readonly #vectors: ArithmeticKernel;
  readonly #constant: ArithmeticKernel;
  readonly #out: NumberVector;

  constructor(
    type: SqlType,
    capacity: number,
    operator: ArithmeticOperator,
    size: 2 | 4 | 8 | 'float',
    left: Evaluator,
    right: Evaluator,
  ) {
    super(type);
    this.#left = left;
    this.#right = right;
    this.#operator = operator;
    this.#size = size;
    this.#vectors = kernelOf(operator, size, false);
    this.#constant = kernelOf(operator, size, true);
    this.#out = createVector(type, capacity) as NumberVector;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const left = this.#left.evaluate(rows) as NumberVector;
    const out = this.#out;
    const right = this.#right;
    if (right instanceof ConstantEvaluator) {
      const value = right.value();
      if (value === null) return nullVector(out);
      if (typeof value === 'number') {
        combineValidity(out, left, null, rows);
        if (left.big === null) this.#loop(this.#constant, left, value, null, rows);
        else this.#exact(left, right.evaluate(rows) as NumberVector, rows);
        return out;
      }
    }
    const vector = right.evaluate(rows) as NumberVector;
    combineValidity(out, left, vector, rows);
    if (left.big === null && vector.big === null) {
      this.#loop(this.#vectors, left, vector.values, vector, rows);
    } else this.#exact(left, vector, rows);
    return out;
  }

  #loop(
    kernel: ArithmeticKernel,
    left: NumberVector,
    operand: Float64Array | number,
    right: NumberVector | null,
    rows: DataChunk,
  ): void {
    const { selection, count } = rows;
    const out = this.#out;
    let from = 0;
    for (;;) {
      const stopped = kernel(left.values, operand, out.values, selection, count, from);
      if (stopped < 0) return;
      const row = selection === null ? stopped : selection[stopped]!;
      const b = typeof operand === 'number' ? operand : operand[row]!;
      if (out.allValid || out.valid[row] !== 0) {
        if (out.big !== null || this.#size === 8)
          this.#settleWide(left.get(row), right === null ? b : right.get(row), row);
        else this.#settle(left.values[row]!, b, row);
      }
      from = stopped + 1;
      if (out.big !== null) {
        this.#exactFrom(left, right, b, rows, from);
        return;
      }
    }
  }

  /** A row of which the kernel could not be sure. */
  #settle(a: number, b: number, row: number): void {
    if (this.#size === 'float') {
      this.#out.values[row] = floatResult(this.#operator, a, b);
      return;
    }
    if ((this.#operator === '/' || this.#operator === '%') && b === 0) throw divisionByZero();
    throw integerOutOfRange(this.type.sqlName);
  }

  #settleWide(a: number | bigint, b: number | bigint, row: number): void {
    const result = wideResult(this.#operator, BigInt(a), BigInt(b));
    if (result < INT8_MIN || result > INT8_MAX) throw integerOutOfRange('bigint');
    this.#out.set(row, int8(result));
  }

  #exact(left: NumberVector, right: NumberVector, rows: DataChunk): void {
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      if (!this.#out.allValid && this.#out.valid[row] === 0) continue;
      this.#settleWide(left.get(row), right.get(row), row);
    }
  }

  #exactFrom(
    left: NumberVector,
    right: NumberVector | null,
    constant: number,
    rows: DataChunk,
    from: number,
  ): void {
    for (let i = from; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      if (!this.#out.allValid && this.#out.valid[row] === 0) continue;
      this.#settleWide(left.get(row), right === null ? constant : right.get(row), row);
    }
  }
}

function kernelOf(
  operator: ArithmeticOperator,
  size: 2 | 4 | 8 | 'float',
  constant: boolean,
): ArithmeticKernel {
  if (size === 'float') {
    return floatKernel(operator === '%' ? '/' : operator, constant);
  }
  const [minimum, maximum] = BOUNDS[size];
  if (operator === '/' || operator === '%') {
    return integerDivisionKernel(operator, minimum, maximum, constant);
  }
  return arithmeticKernel(operator, minimum, maximum, constant);
}

function floatResult(operator: ArithmeticOperator, a: number, b: number): number {
  if (operator === '/' && b === 0 && !Number.isNaN(a)) throw divisionByZero();
  const result =
    operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : a / b;
  if (
    !Number.isFinite(result) &&
    !Number.isNaN(result) &&
    Number.isFinite(a) &&
    Number.isFinite(b)
  ) {
    throw pgError('numeric_value_out_of_range', 'value out of range: overflow');
  }
  if (
    result === 0 &&
    a !== 0 &&
    (operator === '*' ? b !== 0 : operator === '/' && Number.isFinite(b))
  ) {
    throw pgError('numeric_value_out_of_range', 'value out of range: underflow');
  }
  return result;
}

function wideResult(operator: ArithmeticOperator, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    default:
      if (b === 0n) throw divisionByZero();
      return operator === '/' ? a / b : a % b;
  }
}

/** -x of an integer or float8. */
export class NegateEvaluator extends Evaluator {
  readonly #argument: Evaluator;
  readonly #minimum: number;
  readonly #out: NumberVector;

  constructor(type: SqlType, capacity: number, argument: Evaluator, minimum: number) {
    super(type);
    this.#argument = argument;
    this.#minimum = minimum;
    this.#out = createVector(type, capacity) as NumberVector;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    const input = this.#argument.evaluate(rows) as NumberVector;
    const out = this.#out;
    combineValidity(out, input, null, rows);
    const { selection, count } = rows;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      if (!out.allValid && out.valid[row] === 0) continue;
      const value = input.big === null ? input.values[row]! : input.get(row);
      if (typeof value === 'bigint') {
        if (value === INT8_MIN) throw integerOutOfRange('bigint');
        out.set(row, -value);
      } else {
        if (value === this.#minimum) throw integerOutOfRange(this.type.sqlName);
        const negated = this.#minimum === Number.NEGATIVE_INFINITY || value !== 0 ? -value : 0;
        if (out.big === null) out.values[row] = negated;
        else out.set(row, negated);
      }
    }
    return out;
  }
}
