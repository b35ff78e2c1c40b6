import {
  type ColumnVector,
  createVector,
  type DataChunk,
  fillVector,
  type NumberVector,
  readDatum,
  setAllNull,
  vectorCapacity,
} from '../../../chunk/index.ts';
import type { Datum, SqlType } from '../../../types/index.ts';
import type { Run } from '../run.ts';

/** A compiled expression. `evaluate` computes the selected rows and leaves the results at the same row
 * numbers of a vector that the evaluator owns (or of an input column), good until its next call. */
export abstract class Evaluator {
  readonly type: SqlType;

  constructor(type: SqlType) {
    this.type = type;
  }

  abstract evaluate(rows: DataChunk): ColumnVector;

  /** For a boolean: writes the selected rows for which it is true to `out`, which may be the selection
   * itself, and returns their number. */
  narrow(rows: DataChunk, out: Int32Array): number {
    return selectTrue(this.evaluate(rows) as NumberVector, rows, out);
  }
}

/** Writes the selected rows in which a boolean vector is true. */
export function selectTrue(vector: NumberVector, rows: DataChunk, out: Int32Array): number {
  const { selection, count } = rows;
  const { values, valid, allValid } = vector;
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const row = selection === null ? i : selection[i]!;
    if (values[row] !== 0 && (allValid || valid[row] !== 0)) out[kept++] = row;
  }
  return kept;
}

/** An expression with one value for all rows of a chunk: constants, parameters, slots, and calls of
 * stable functions on such. */
export abstract class ConstantEvaluator extends Evaluator {
  readonly #capacity: number;
  /** Made when it is first needed: most operators take the value alone. */
  #vector: ColumnVector | null = null;
  #filled = 0;
  #value: Datum = null;

  constructor(type: SqlType, capacity: number) {
    super(type);
    this.#capacity = capacity;
  }

  abstract value(): Datum;

  override evaluate(rows: DataChunk): ColumnVector {
    const value = this.value();
    const needed = rowLimit(rows);
    this.#vector ??= createVector(this.type, this.#capacity);
    if (this.#filled < needed || value !== this.#value) {
      fillVector(this.#vector, needed, this.type, value);
      this.#filled = needed;
      this.#value = value;
    }
    return this.#vector;
  }

  override narrow(rows: DataChunk, out: Int32Array): number {
    if (this.value() !== true) return 0;
    return copySelection(rows, out);
  }
}

/** One more than the greatest selected row, or a bound of it. */
function rowLimit(rows: DataChunk): number {
  if (rows.selection === null) return rows.count;
  let limit = 0;
  for (let i = 0; i < rows.count; i++) {
    const row = rows.selection[i]!;
    if (row >= limit) limit = row + 1;
  }
  return limit;
}

export class LiteralEvaluator extends ConstantEvaluator {
  readonly #literal: Datum;

  constructor(type: SqlType, capacity: number, literal: Datum) {
    super(type, capacity);
    this.#literal = literal;
  }

  override value(): Datum {
    return this.#literal;
  }
}

export class ParameterEvaluator extends ConstantEvaluator {
  readonly #run: Run;
  readonly #index: number;

  constructor(type: SqlType, capacity: number, run: Run, index: number) {
    super(type, capacity);
    this.#run = run;
    this.#index = index;
  }

  override value(): Datum {
    return this.#run.environment.parameters[this.#index] ?? null;
  }
}

export class SlotEvaluator extends ConstantEvaluator {
  readonly #run: Run;
  readonly #slot: number;

  constructor(type: SqlType, capacity: number, run: Run, slot: number) {
    super(type, capacity);
    this.#run = run;
    this.#slot = slot;
  }

  override value(): Datum {
    return this.#run.slots[this.#slot]!;
  }
}

const ONE_ROW: DataChunk = { columns: [], count: 1, selection: null };

/** A call whose operands are constants: computed when first needed, once for each value of them. */
export class FoldedEvaluator extends ConstantEvaluator {
  readonly #run: Run;
  readonly #inner: Evaluator;
  readonly #usesSlots: boolean;
  #epoch = -1;
  #folded: Datum = null;

  constructor(capacity: number, run: Run, inner: Evaluator, usesSlots: boolean) {
    super(inner.type, capacity);
    this.#run = run;
    this.#inner = inner;
    this.#usesSlots = usesSlots;
  }

  override value(): Datum {
    const epoch = this.#usesSlots ? this.#run.slotEpoch : this.#run.epoch;
    if (this.#epoch !== epoch) {
      this.#folded = readDatum(this.#inner.evaluate(ONE_ROW), 0, this.type);
      this.#epoch = epoch;
    }
    return this.#folded;
  }
}

/** A column of the input row. */
export class InputEvaluator extends Evaluator {
  readonly column: number;

  constructor(type: SqlType, column: number) {
    super(type);
    this.column = column;
  }

  override evaluate(rows: DataChunk): ColumnVector {
    return rows.columns[this.column]!;
  }
}

/** The value of the enclosing CASE or array element, which that sets before it evaluates. */
export class CaseValueEvaluator extends Evaluator {
  vector: ColumnVector | null = null;

  override evaluate(): ColumnVector {
    return this.vector!;
  }
}

/** Rows of a chunk under another selection. */
export class Subset implements DataChunk {
  columns: ColumnVector[] = [];
  count = 0;
  readonly selection: Int32Array;

  constructor(capacity: number) {
    this.selection = new Int32Array(capacity);
  }

  /** Takes over the rows of a chunk. */
  assign(rows: DataChunk): void {
    this.columns = rows.columns;
    this.count = copySelection(rows, this.selection);
  }
}

/** Writes the selection of a chunk out and returns its length. */
export function copySelection(rows: DataChunk, out: Int32Array): number {
  const { selection, count } = rows;
  if (selection === null) {
    for (let i = 0; i < count; i++) out[i] = i;
  } else if (selection !== out) {
    for (let i = 0; i < count; i++) out[i] = selection[i]!;
  }
  return count;
}

/** Makes the result NULL where one of two operands is. Afterwards `out` takes plain values. */
export function combineValidity(
  out: ColumnVector,
  a: ColumnVector,
  b: ColumnVector | null,
  rows: DataChunk,
): void {
  out.reset();
  if (a.allValid && (b === null || b.allValid)) return;
  out.allValid = false;
  const { selection, count } = rows;
  const target = out.valid;
  if (a.allValid) {
    const valid = b!.valid;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      target[row] = valid[row]!;
    }
  } else if (b === null || b.allValid) {
    const valid = a.valid;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      target[row] = valid[row]!;
    }
  } else {
    const first = a.valid;
    const second = b.valid;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      target[row] = first[row]! & second[row]!;
    }
  }
}

/** A vector that is NULL in every row. */
export function nullVector(vector: ColumnVector): ColumnVector {
  setAllNull(vector);
  return vector;
}

export { vectorCapacity };
