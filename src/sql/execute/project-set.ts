import {
  CHUNK_ROWS,
  type ColumnVector,
  copyRow,
  createVector,
  type DataChunk,
  writeDatum,
} from '../../chunk/index.ts';
import { type Datum, type RecordDatum, typeByOid } from '../../types/index.ts';
import { functionOutputs } from '../bind/row-fields.ts';
import type { Expr } from '../expression.ts';
import type { ExpressionCompiler } from './expression/compile.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { SetCall } from './function-scan.ts';
import { CHUNK, DONE, type Operator, PAUSE, type Status, UnaryOperator } from './operator.ts';
import type { Run } from './run.ts';

type Column =
  | { readonly kind: 'plain'; readonly value: Evaluator }
  | { readonly kind: 'set'; readonly call: SetCall };

/** A target list with set-returning calls: as many rows as the longest set gives for each input row. */
export class ProjectSet extends UnaryOperator {
  readonly #run: Run;
  readonly #columns: readonly Column[];
  readonly #types;
  /** Of each set of rows, the types and names of its columns. */
  readonly #shapes: readonly Omit<RecordDatum, 'fields'>[];
  readonly #vectors: ColumnVector[];
  #values: ColumnVector[][] = [];
  #rows: DataChunk | null = null;
  #position = 0;
  #sets: (Iterator<Datum | Datum[]> | null)[] | null = null;

  constructor(run: Run, input: Operator, exprs: readonly Expr[], compiler: ExpressionCompiler) {
    super(input);
    this.#run = run;
    this.#columns = exprs.map((expr) =>
      expr.kind === 'setCall'
        ? { kind: 'set', call: new SetCall(run, expr, compiler) }
        : { kind: 'plain', value: compiler.compile(expr) },
    );
    this.#types = exprs.map((expr) => typeByOid(expr.type));
    this.#shapes = exprs.map((expr) => outputShape(expr));
    this.#vectors = this.#types.map((type) => createVector(type));
    this.chunk.columns = this.#vectors;
  }

  override expectRows(count: number): void {
    this.input.expectRows(count);
  }

  protected override begin(): void {
    this.#rows = null;
    this.#sets = null;
    this.#position = 0;
    this.chunk.count = 0;
  }

  override next(): Status {
    for (const vector of this.#vectors) vector.reset();
    this.chunk.count = 0;
    for (;;) {
      this.#run.environment.checkInterrupts();
      if (this.#rows === null || this.#position >= this.#rows.count) {
        if (this.chunk.count > 0) return CHUNK;
        if (this.#run.shouldPause()) return PAUSE;
        this.#rows = null;
        const status = this.input.next();
        if (status !== CHUNK) return status === DONE ? DONE : PAUSE;
        this.#takeRows(this.input.chunk);
        continue;
      }
      if (!this.#expandRow(this.#rows)) return CHUNK;
    }
  }

  #takeRows(rows: DataChunk): void {
    this.#rows = rows;
    this.#position = 0;
    this.#values = this.#columns.map((column) =>
      column.kind === 'set' ? column.call.evaluate(rows) : [column.value.evaluate(rows)],
    );
  }

  /** False when the chunk is full. */
  #expandRow(rows: DataChunk): boolean {
    const row = rows.selection === null ? this.#position : rows.selection[this.#position]!;
    this.#sets ??= this.#columns.map((column, i) =>
      column.kind === 'set' ? column.call.start(this.#values[i]!, row) : null,
    );
    while (this.chunk.count < CHUNK_ROWS) {
      if (!this.#writeRow(row, this.#sets)) {
        this.#sets = null;
        this.#position++;
        return true;
      }
    }
    return false;
  }

  /** False when all sets of the input row are at their ends. */
  #writeRow(row: number, sets: (Iterator<Datum | Datum[]> | null)[]): boolean {
    const at = this.chunk.count;
    let found = false;
    for (let i = 0; i < this.#columns.length; i++) {
      if (this.#columns[i]!.kind === 'plain') continue;
      const next = sets[i]?.next();
      if (next === undefined || next.done === true) {
        sets[i] = null;
        this.#vectors[i]!.setNull(at);
        continue;
      }
      found = true;
      const value = Array.isArray(next.value)
        ? { ...this.#shapes[i]!, fields: next.value }
        : next.value;
      writeDatum(this.#vectors[i]!, at, this.#types[i]!, value);
    }
    if (!found) return false;
    for (let i = 0; i < this.#columns.length; i++) {
      if (this.#columns[i]!.kind === 'plain') {
        copyRow(this.#values[i]![0]!, row, this.#vectors[i]!, at);
      }
    }
    this.chunk.count++;
    return true;
  }

  override close(): void {
    super.close();
    this.#sets = null;
  }
}

/** Types and names of the columns of a function's OUT parameters. */
function outputShape(expr: Expr): Omit<RecordDatum, 'fields'> {
  const outputs = functionOutputs(expr);
  return {
    fieldTypes: outputs.map(({ type }) => type),
    fieldNames: outputs.map(({ name }) => name),
  };
}
