import {
  CHUNK_ROWS,
  type ColumnVector,
  copyRow,
  createVector,
  type DataChunk,
  readDatum,
  writeDatum,
} from '../../chunk/index.ts';
import { pgError } from '../../errors/index.ts';
import type { Datum, SqlType } from '../../types/index.ts';
import type { NodeInstrumentation } from './environment.ts';
import { ConstantEvaluator, type Evaluator } from './expression/evaluator.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status, UnaryOperator } from './operator.ts';
import type { Run } from './run.ts';

/** One row computed from nothing. */
export class Result extends Operator {
  readonly #exprs: readonly Evaluator[];
  readonly #filter: Evaluator | null;
  readonly #selection = new Int32Array(1);
  #done = false;

  constructor(exprs: readonly Evaluator[], filter: Evaluator | null) {
    super();
    this.#exprs = exprs;
    this.#filter = filter;
    this.chunk.columns = new Array<ColumnVector>(exprs.length);
  }

  override open(): void {
    this.#done = false;
  }

  override next(): Status {
    if (this.#done) return DONE;
    this.#done = true;
    const row: DataChunk = { columns: [], count: 1, selection: null };
    if (this.#filter !== null && this.#filter.narrow(row, this.#selection) === 0) return DONE;
    for (let i = 0; i < this.#exprs.length; i++) {
      this.chunk.columns[i] = this.#exprs[i]!.evaluate(row);
    }
    this.chunk.count = 1;
    return CHUNK;
  }

  override close(): void {}
}

/** Rows of expressions. */
export class Values extends Operator {
  readonly #run: Run;
  readonly #rows: readonly (readonly Evaluator[])[];
  readonly #capacity: number;
  readonly #row: DataChunk = { columns: [], count: 1, selection: null };
  #next = 0;

  constructor(
    run: Run,
    types: readonly SqlType[],
    rows: readonly (readonly Evaluator[])[],
    capacity: number,
  ) {
    super();
    this.#run = run;
    this.#rows = rows;
    this.#capacity = capacity;
    this.chunk.columns = types.map((type) => createVector(type, this.#capacity));
  }

  override open(): void {
    this.#next = 0;
  }

  override next(): Status {
    if (this.#next === this.#rows.length) return DONE;
    const { environment } = this.#run;
    environment.checkInterrupts();
    if (this.#run.shouldPause()) return PAUSE;
    const columns = this.chunk.columns;
    for (const column of columns) column.reset();
    let count = 0;
    while (count < this.#capacity && this.#next < this.#rows.length) {
      const row = this.#rows[this.#next++]!;
      for (let i = 0; i < row.length; i++) {
        const value = row[i]!;
        const column = columns[i]!;
        if (value instanceof ConstantEvaluator) {
          writeDatum(column, count, value.type, value.value());
        } else copyRow(value.evaluate(this.#row), 0, column, count);
      }
      count++;
    }
    this.chunk.count = count;
    return CHUNK;
  }

  override close(): void {}
}

/** Passes on the rows for which a predicate is true. */
export class Filter extends UnaryOperator {
  readonly #predicate: Evaluator;
  readonly #selection: Int32Array;
  counters: NodeInstrumentation | null = null;

  constructor(input: Operator, predicate: Evaluator, capacity: number) {
    super(input);
    this.#predicate = predicate;
    this.#selection = new Int32Array(capacity);
  }

  override expectRows(count: number): void {
    this.input.expectRows(count);
  }

  override next(): Status {
    for (;;) {
      const status = this.input.next();
      if (status !== CHUNK) return status;
      const rows = this.input.chunk;
      const kept = this.#predicate.narrow(rows, this.#selection);
      if (this.counters !== null) this.counters.rowsRemoved += rows.count - kept;
      if (kept === 0) continue;
      this.chunk.columns = rows.columns;
      this.chunk.count = kept;
      this.chunk.selection = kept === rows.count ? rows.selection : this.#selection;
      return CHUNK;
    }
  }
}

/** Runs its input where a condition is true that is the same for all rows. */
export class Gate extends UnaryOperator {
  readonly #condition: Evaluator;
  readonly #row: DataChunk = { columns: [], count: 1, selection: null };
  readonly #selection = new Int32Array(1);
  /** Whether rows pass; null before the first one is asked for. */
  #passes: boolean | null = null;

  constructor(input: Operator, condition: Evaluator) {
    super(input);
    this.#condition = condition;
  }

  override expectRows(count: number): void {
    this.input.expectRows(count);
  }

  protected override begin(): void {
    this.#passes = null;
  }

  override next(): Status {
    this.#passes ??= this.#condition.narrow(this.#row, this.#selection) > 0;
    if (!this.#passes) return DONE;
    const status = this.input.next();
    if (status === CHUNK) this.chunk = this.input.chunk;
    return status;
  }
}

/** LIMIT and OFFSET, WITH TIES too. */
export class Limit extends UnaryOperator {
  readonly #limit: ConstantEvaluator | null;
  readonly #offset: ConstantEvaluator | null;
  readonly #ties: readonly Evaluator[] | null;
  readonly #lastTies: ColumnVector[];
  readonly #selection: Int32Array;
  #skip = 0;
  #left = Number.POSITIVE_INFINITY;
  #inTies = false;
  #finished = false;
  #expected = Number.POSITIVE_INFINITY;

  constructor(
    input: Operator,
    limit: ConstantEvaluator | null,
    offset: ConstantEvaluator | null,
    ties: readonly Evaluator[] | null,
    capacity: number,
  ) {
    super(input);
    this.#limit = limit;
    this.#offset = offset;
    this.#ties = ties;
    this.#lastTies = ties?.map((tie) => createVector(tie.type, 1)) ?? [];
    this.#selection = new Int32Array(capacity);
  }

  override open(): void {
    this.#start();
    this.input.open();
  }

  override rescan(): void {
    this.#start();
    this.input.rescan();
  }

  override expectRows(count: number): void {
    this.#expected = count;
  }

  #start(): void {
    this.#skip = rowCount(this.#offset, 0, 'OFFSET', 'invalid_row_count_in_result_offset_clause');
    this.#left = rowCount(
      this.#limit,
      Number.POSITIVE_INFINITY,
      'LIMIT',
      'invalid_row_count_in_limit_clause',
    );
    this.#inTies = false;
    this.#finished = this.#left === 0;
    this.input.expectRows(this.#skip + Math.min(this.#left, this.#expected));
  }

  override next(): Status {
    while (!this.#finished) {
      const status = this.input.next();
      if (status !== CHUNK) return status;
      const rows = this.input.chunk;
      const first = Math.min(this.#skip, rows.count);
      this.#skip -= first;
      if (first === rows.count) continue;
      let count = Math.min(rows.count - first, this.#left);
      this.#left -= count;
      if (this.#ties !== null) count = this.#withTies(rows, first, count);
      else if (this.#left === 0) this.#finished = true;
      if (count === 0) continue;
      this.#pass(rows, first, count);
      return CHUNK;
    }
    return DONE;
  }

  #pass(rows: DataChunk, first: number, count: number): void {
    this.chunk.columns = rows.columns;
    this.chunk.count = count;
    if (first === 0) {
      this.chunk.selection = rows.selection;
      return;
    }
    for (let i = 0; i < count; i++) {
      this.#selection[i] = rows.selection === null ? first + i : rows.selection[first + i]!;
    }
    this.chunk.selection = this.#selection;
  }

  /** Rows from `first` to pass on, with those that tie with the last one of the limit. */
  #withTies(rows: DataChunk, first: number, count: number): number {
    if (this.#left > 0) return count;
    const keys = this.#ties!.map((tie) => tie.evaluate(rows));
    let end = first + count;
    if (!this.#inTies) {
      const last = rows.selection === null ? end - 1 : rows.selection[end - 1]!;
      for (let k = 0; k < keys.length; k++) {
        this.#lastTies[k]!.reset();
        copyRow(keys[k]!, last, this.#lastTies[k]!, 0);
      }
      this.#inTies = true;
    }
    for (; end < rows.count; end++) {
      const row = rows.selection === null ? end : rows.selection[end]!;
      if (!this.#tiesWithLast(keys, row)) {
        this.#finished = true;
        break;
      }
    }
    return end - first;
  }

  #tiesWithLast(keys: readonly ColumnVector[], row: number): boolean {
    for (let k = 0; k < keys.length; k++) {
      const type = this.#ties![k]!.type;
      const value = readDatum(keys[k]!, row, type);
      const last = readDatum(this.#lastTies[k]!, 0, type);
      if (value === null || last === null ? value !== last : type.compare(value, last) !== 0) {
        return false;
      }
    }
    return true;
  }
}

/** The number of rows that LIMIT or OFFSET says. */
export function rowCount(
  evaluator: ConstantEvaluator | null,
  otherwise: number,
  clause: 'LIMIT' | 'OFFSET',
  condition: 'invalid_row_count_in_result_offset_clause' | 'invalid_row_count_in_limit_clause',
): number {
  const value = evaluator === null ? null : evaluator.value();
  if (value === null) return otherwise;
  const count = Number(value);
  if (count < 0) throw pgError(condition, `${clause} must not be negative`);
  return count;
}

/** Rows of a view of the catalog. */
export class SystemViewScan extends Operator {
  readonly #run: Run;
  readonly #view: string;
  readonly #viewOid: number;
  readonly #columns: readonly number[];
  readonly #types: readonly SqlType[];
  readonly #filter: Evaluator | null;
  readonly #selection = new Int32Array(CHUNK_ROWS);
  readonly #vectors: ColumnVector[];
  #rows: Iterator<readonly Datum[]> | null = null;
  counters: NodeInstrumentation | null = null;

  constructor(
    run: Run,
    view: string,
    viewOid: number,
    columns: readonly number[],
    types: readonly SqlType[],
    filter: Evaluator | null,
  ) {
    super();
    this.#run = run;
    this.#view = view;
    this.#viewOid = viewOid;
    this.#columns = columns;
    this.#types = types;
    this.#filter = filter;
    this.#vectors = types.map((type) => createVector(type));
    this.chunk.columns = this.#vectors;
  }

  override open(): void {
    const source = this.#run.environment.systemViews;
    if (source === null) throw new Error('a thread without a catalog reads no system views');
    this.#rows = source.rows(this.#view, this.#viewOid)[Symbol.iterator]();
  }

  override next(): Status {
    const { environment } = this.#run;
    for (;;) {
      environment.checkInterrupts();
      if (this.#run.shouldPause()) return PAUSE;
      const count = this.#fill();
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

  #fill(): number {
    for (const vector of this.#vectors) vector.reset();
    let count = 0;
    while (count < CHUNK_ROWS && this.#rows !== null) {
      const next = this.#rows.next();
      if (next.done === true) {
        this.#rows = null;
        break;
      }
      for (let i = 0; i < this.#columns.length; i++) {
        const value = next.value[this.#columns[i]!] ?? null;
        writeDatum(this.#vectors[i]!, count, this.#types[i]!, value);
      }
      count++;
    }
    return count;
  }

  override close(): void {
    this.#rows = null;
  }
}
