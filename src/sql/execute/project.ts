import type { ColumnVector, DataChunk, ObjectVector } from '../../chunk/index.ts';
import type { ArrayDatum } from '../../types/index.ts';
import { ConstantEvaluator, type Evaluator, InputEvaluator } from './expression/evaluator.ts';
import { CHUNK, type Operator, type Status, UnaryOperator } from './operator.ts';

/** Rows whose values are computed first where they may be long. */
const FIRST_ROWS = 32;
/** Bytes of values that are computed at a time, as far as they can be foreseen. */
const COMPUTED_BYTES = 1 << 22;
const ELEMENT_BYTES = 16;

/** Computes its output columns from its input's. Where values may be long it computes few rows at first, and more when
 * they turn out to be short. */
export class Project extends UnaryOperator {
  readonly #exprs: readonly Evaluator[];
  /** Outputs that are computed and of any length. */
  readonly #mayBeLong: readonly number[];
  #rowsAtOnce = FIRST_ROWS;
  /** What is left of the input's chunk. */
  #rest: DataChunk | null = null;
  #position = 0;

  constructor(input: Operator, exprs: readonly Evaluator[]) {
    super(input);
    this.#exprs = exprs;
    this.#mayBeLong = [...exprs.keys()].filter((i) => mayBeLong(exprs[i]!));
    this.chunk.columns = new Array<ColumnVector>(exprs.length);
  }

  protected override begin(): void {
    this.#rest = null;
    this.#rowsAtOnce = FIRST_ROWS;
  }

  override expectRows(count: number): void {
    this.input.expectRows(count);
  }

  override next(): Status {
    if (this.#rest === null) {
      const status = this.input.next();
      if (status !== CHUNK) return status;
      const rows = this.input.chunk;
      if (this.#mayBeLong.length === 0 || rows.count <= this.#rowsAtOnce) {
        this.#compute(rows);
        return CHUNK;
      }
      this.#rest = rows;
      this.#position = 0;
    }
    this.#computeSome(this.#rest);
    return CHUNK;
  }

  #computeSome(rows: DataChunk): void {
    const start = this.#position;
    const end = Math.min(start + this.#rowsAtOnce, rows.count);
    const selection =
      rows.selection === null
        ? Int32Array.from({ length: end - start }, (_, i) => start + i)
        : rows.selection.subarray(start, end);
    this.#compute({ columns: rows.columns, count: end - start, selection });
    this.#position = end;
    if (end === rows.count) this.#rest = null;
  }

  #compute(rows: DataChunk): void {
    for (let i = 0; i < this.#exprs.length; i++) {
      this.chunk.columns[i] = this.#exprs[i]!.evaluate(rows);
    }
    this.chunk.count = rows.count;
    this.chunk.selection = rows.selection;
    if (this.#mayBeLong.length > 0) this.#learn(rows);
  }

  /** Has as many rows computed next as promise to be of the bytes that are to be computed at a time. */
  #learn({ count, selection }: DataChunk): void {
    let bytes = count;
    for (const i of this.#mayBeLong) {
      const column = this.chunk.columns[i]!;
      if (column.lane === 'bytes') bytes += column.used;
      else if (column.lane === 'object') bytes += bytesOfArrays(column, count, selection);
    }
    this.#rowsAtOnce = Math.max(1, Math.floor((COMPUTED_BYTES * count) / bytes));
  }
}

function mayBeLong(expr: Evaluator): boolean {
  if (expr instanceof InputEvaluator || expr instanceof ConstantEvaluator) return false;
  return expr.type.lane === 'bytes' || expr.type.elementOid !== 0;
}

function bytesOfArrays(column: ObjectVector, count: number, selection: Int32Array | null): number {
  let elements = 0;
  for (let i = 0; i < count; i++) {
    const array = column.values[selection === null ? i : selection[i]!] as ArrayDatum | null;
    elements += array?.elements.length ?? 0;
  }
  return elements * ELEMENT_BYTES;
}
