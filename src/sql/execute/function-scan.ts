import {
  CHUNK_ROWS,
  type ColumnVector,
  createVector,
  type DataChunk,
  type NumberVector,
  readDatum,
  writeDatum,
} from '../../chunk/index.ts';
import { notSupported, pgError } from '../../errors/index.ts';
import { type Datum, formatType, type RecordDatum, type SqlType } from '../../types/index.ts';
import type { Expr, RecordColumn } from '../expression.ts';
import { type FunctionContext, functionByOid, setImplementation } from '../functions/index.ts';
import type { FunctionScanNode } from '../plan/plan.ts';
import type { NodeInstrumentation } from './environment.ts';
import type { ExpressionCompiler } from './expression/compile.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import type { Run } from './run.ts';

type AnySetFunction = (context: FunctionContext, ...args: Datum[]) => Iterable<Datum | Datum[]>;

const ONE_ROW: DataChunk = { columns: [], count: 1, selection: null };

/** A call that gives a set of rows: of a set-returning function, or one row of a scalar expression. */
export class SetCall {
  readonly #run: Run;
  readonly #function: AnySetFunction | null;
  readonly #strict: boolean;
  readonly #arguments: readonly Evaluator[];

  constructor(run: Run, expr: Expr, compiler: ExpressionCompiler) {
    this.#run = run;
    const isCall = expr.kind === 'setCall' || expr.kind === 'call';
    const signature = isCall ? functionByOid(expr.function) : undefined;
    if (isCall && (expr.kind === 'setCall' || signature?.returnsSet === true)) {
      const code = setImplementation(expr.function, {
        arguments: expr.arguments.map((argument) => argument.type),
        result: expr.type,
        columns: expr.columns,
      });
      if (code === undefined) {
        throw notSupported(`function ${signature?.name ?? expr.function}`);
      }
      this.#function = code as AnySetFunction;
      this.#strict = signature?.strict ?? false;
      this.#arguments = compiler.all(expr.arguments);
    } else {
      this.#function = null;
      this.#strict = false;
      this.#arguments = [compiler.compile(expr)];
    }
  }

  /** Computes the arguments for the rows of a chunk; then `start` begins the set of one of them. */
  evaluate(rows: DataChunk): ColumnVector[] {
    return this.#arguments.map((argument) => argument.evaluate(rows));
  }

  start(vectors: readonly ColumnVector[], row: number): Iterator<Datum | Datum[]> {
    const values = vectors.map((vector, i) => readDatum(vector, row, this.#arguments[i]!.type));
    if (this.#function === null) return [values[0]!][Symbol.iterator]();
    if (this.#strict && values.includes(null)) return NO_ROWS[Symbol.iterator]();
    return this.#function(this.#run.environment.functions, ...values)[Symbol.iterator]();
  }
}

const NO_ROWS: readonly Datum[] = [];

/** FROM function(…): one or several calls in step, padded with NULLs. */
export class FunctionScan extends Operator {
  readonly #run: Run;
  readonly #calls: readonly {
    readonly call: SetCall;
    readonly width: number;
    /** Whether it gives records, whose fields are the columns. */
    readonly isRow: boolean;
  }[];
  readonly #ordinality: boolean;
  readonly #types: readonly SqlType[];
  readonly #filter: Evaluator | null;
  readonly #vectors: ColumnVector[];
  readonly #selection = new Int32Array(CHUNK_ROWS);
  #sets: (Iterator<Datum | Datum[]> | null)[] = [];
  #ordinal = 0;
  counters: NodeInstrumentation | null = null;

  constructor(
    run: Run,
    node: FunctionScanNode,
    types: readonly SqlType[],
    filter: Evaluator | null,
    compiler: ExpressionCompiler,
  ) {
    super();
    this.#run = run;
    const columns = types.length - (node.ordinality ? 1 : 0);
    this.#calls = node.calls.map((expr) => {
      const width = node.calls.length === 1 ? columns : widthOf(expr);
      const isRow = width > 1 || namedColumns(expr) !== undefined;
      return { call: new SetCall(run, expr, compiler), width, isRow };
    });
    this.#ordinality = node.ordinality;
    this.#types = types;
    this.#filter = filter;
    this.#vectors = types.map((type) => createVector(type));
    this.chunk.columns = this.#vectors;
  }

  override open(): void {
    this.#sets = this.#calls.map(({ call }) => call.start(call.evaluate(ONE_ROW), 0));
    this.#ordinal = 0;
  }

  override next(): Status {
    for (;;) {
      this.#run.environment.checkInterrupts();
      if (this.#run.shouldPause()) return PAUSE;
      for (const vector of this.#vectors) vector.reset();
      let count = 0;
      while (count < CHUNK_ROWS && this.#readRow(count)) count++;
      if (count === 0) return DONE;
      this.chunk.count = count;
      this.chunk.selection = null;
      if (this.#filter === null) return CHUNK;
      const kept = this.#filter.narrow(this.chunk, this.#selection);
      if (this.counters !== null) this.counters.rowsRemoved += count - kept;
      this.chunk.count = kept;
      this.chunk.selection = this.#selection;
      if (kept > 0) return CHUNK;
    }
  }

  /** False when all sets are at their ends. */
  #readRow(row: number): boolean {
    let column = 0;
    let found = false;
    for (let i = 0; i < this.#calls.length; i++) {
      const { width, isRow } = this.#calls[i]!;
      const next = this.#sets[i]?.next();
      if (next === undefined || next.done === true) {
        this.#sets[i] = null;
        for (let k = 0; k < width; k++) this.#vectors[column + k]!.setNull(row);
      } else {
        found = true;
        if (isRow) checkRecord(next.value, this.#types, column, width);
        this.#write(column, width, row, isRow ? fieldsOf(next.value) : [next.value as Datum]);
      }
      column += width;
    }
    if (found && this.#ordinality)
      (this.#vectors[column] as NumberVector).set(row, ++this.#ordinal);
    return found;
  }

  #write(column: number, width: number, row: number, fields: readonly Datum[]): void {
    for (let k = 0; k < width; k++) {
      writeDatum(this.#vectors[column + k]!, row, this.#types[column + k]!, fields[k] ?? null);
    }
  }

  override close(): void {
    this.#sets = [];
  }
}

function fieldsOf(value: Datum | Datum[]): readonly Datum[] {
  if (Array.isArray(value)) return value;
  return isRecord(value) ? value.fields : [value];
}

function isRecord(value: Datum): value is RecordDatum {
  return typeof value === 'object' && value !== null && 'fields' in value;
}

/** A record has to be of the columns that the query names. */
function checkRecord(
  value: Datum | Datum[],
  types: readonly SqlType[],
  first: number,
  width: number,
): void {
  if (Array.isArray(value) || !isRecord(value)) return;
  const count = value.fields.length;
  if (count !== width) {
    const attributes = count === 1 ? '1 attribute' : `${count} attributes`;
    throw rowMismatch(`Returned row contains ${attributes}, but query expects ${width}.`);
  }
  for (let i = 0; i < count; i++) {
    const given = value.fieldTypes[i]!;
    const expected = types[first + i]!.oid;
    if (given === expected) continue;
    throw rowMismatch(
      `Returned type ${formatType(given)} at ordinal position ${i + 1}, but query expects ${formatType(expected)}.`,
    );
  }
}

function rowMismatch(detail: string): Error {
  return pgError(
    'datatype_mismatch',
    'function return row and query-specified return row do not match',
    { detail },
  );
}

/** Columns of the rows of a call: those that the query names, its output arguments, or one. */
function widthOf(expr: Expr): number {
  if (expr.kind !== 'setCall' && expr.kind !== 'call') return 1;
  const modes = functionByOid(expr.function)?.modes ?? [];
  const outputs = modes.filter((mode) => mode !== 'i' && mode !== 'v').length;
  return namedColumns(expr)?.length ?? Math.max(1, outputs);
}

function namedColumns(expr: Expr): readonly RecordColumn[] | undefined {
  return expr.kind === 'setCall' || expr.kind === 'call' ? expr.columns : undefined;
}
