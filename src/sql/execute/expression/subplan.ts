import {
  type ColumnVector,
  createVector,
  type DataChunk,
  type NumberVector,
  readDatum,
  writeDatum,
} from '../../../chunk/index.ts';
import { notSupported, pgError } from '../../../errors/index.ts';
import { type Datum, type SqlType, typeByOid } from '../../../types/index.ts';
import type { SubplanExpr } from '../../expression.ts';
import { KeyTable } from '../key-table.ts';
import { CHUNK, type Operator, PAUSE } from '../operator.ts';
import { RowStore } from '../row-store.ts';
import type { Run } from '../run.ts';
import { makeArray } from './arrays.ts';
import type { ExpressionCompiler } from './compile.ts';
import { Evaluator } from './evaluator.ts';

/** A subquery in an expression.
 *
 * It runs once for each selected row, or once a statement when it depends on none of the row's
 * values. It cannot be left half-way, so its operators are told not to pause. `any` and `all` keep
 * its rows and compare with one after the other; hashed `any` looks the row up among them. */
export class SubplanEvaluator extends Evaluator {
  readonly #expr: SubplanExpr;
  readonly #run: Run;
  readonly #plan: Operator;
  readonly #types: readonly SqlType[];
  readonly #values: readonly Evaluator[];
  readonly #probe: readonly Evaluator[];
  readonly #comparison: Evaluator | null;
  readonly #isConstant: boolean;
  readonly #hashed: boolean;
  readonly #store: RowStore;
  readonly #table: KeyTable;
  readonly #row: ColumnVector[];
  readonly #one: { columns: ColumnVector[]; count: number; selection: Int32Array };
  readonly #out: ColumnVector;
  #valueVectors: ColumnVector[] = [];
  #probeVectors: ColumnVector[] = [];
  #rowsEpoch = -1;
  #resultEpoch = -1;
  #result: Datum = null;
  #hasNullRow = false;
  #isOpen = false;
  #openEpoch = -1;

  constructor(
    expr: SubplanExpr,
    run: Run,
    plan: Operator,
    types: readonly SqlType[],
    isConstant: boolean,
    compiler: ExpressionCompiler,
  ) {
    super(typeByOid(expr.type));
    this.#expr = expr;
    this.#run = run;
    this.#plan = plan;
    this.#types = types;
    if (expr.form === 'exists') plan.expectRows(1);
    else if (expr.form === 'scalar') plan.expectRows(2);
    this.#values = compiler.all(expr.values);
    this.#probe = compiler.all(expr.probe);
    this.#comparison = expr.comparison === null ? null : compiler.compile(expr.comparison);
    this.#isConstant = isConstant;
    const isSameTypes = this.#probe.every((probe, i) => probe.type.oid === types[i]?.oid);
    this.#hashed = expr.hashed && this.#probe.length > 0 && isSameTypes;
    this.#store = new RowStore(run, types);
    this.#table = new KeyTable(types);
    this.#row = types.map((type) => createVector(type, 1));
    this.#one = { columns: [], count: 1, selection: new Int32Array(1) };
    this.#out = createVector(this.type, compiler.capacity);
  }

  override evaluate(rows: DataChunk): ColumnVector {
    this.#run.pinned++;
    try {
      this.#evaluateRows(rows);
    } finally {
      this.#run.pinned--;
    }
    return this.#out;
  }

  #evaluateRows(rows: DataChunk): void {
    this.#out.reset();
    this.#valueVectors = this.#values.map((value) => value.evaluate(rows));
    this.#probeVectors = this.#probe.map((probe) => probe.evaluate(rows));
    this.#one.columns = rows.columns;
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      writeDatum(this.#out, row, this.type, this.#valueOf(row));
    }
  }

  #valueOf(row: number): Datum {
    const { form } = this.#expr;
    const dependsOnRow = form === 'any' || form === 'all' || form === 'rowCompare';
    const { epoch } = this.#run;
    if (this.#isConstant && !dependsOnRow) {
      if (this.#resultEpoch !== epoch) {
        this.#result = this.#runFor(row);
        this.#resultEpoch = epoch;
      }
      return this.#result;
    }
    return this.#runFor(row);
  }

  #runFor(row: number): Datum {
    const { form } = this.#expr;
    switch (form) {
      case 'exists':
        this.#start(row);
        return this.#next();
      case 'scalar':
        return this.#scalar(row);
      case 'array':
        return this.#array(row);
      default:
        if (!this.#isConstant || this.#rowsEpoch !== this.#run.epoch) this.#keepRows(row);
        if (this.#hashed) return this.#lookUp(row);
        return form === 'rowCompare'
          ? this.#compareRow(row)
          : this.#compareAll(row, form === 'any');
    }
  }

  #start(row: number): void {
    const { slots } = this.#expr;
    for (let i = 0; i < slots.length; i++) {
      const value = readDatum(this.#valueVectors[i]!, row, this.#values[i]!.type);
      this.#run.setSlot(slots[i]!, value);
    }
    if (this.#isOpen && this.#openEpoch === this.#run.epoch) this.#plan.rescan();
    else this.#plan.open();
    this.#isOpen = true;
    this.#openEpoch = this.#run.epoch;
  }

  /** True when the plan has given a chunk. As the run is pinned, only a lock that is waited for makes
   * an operator pause. */
  #next(): boolean {
    const status = this.#plan.next();
    if (status === PAUSE) throw notSupported('waiting for a row lock in a subquery');
    return status === CHUNK;
  }

  #scalar(row: number): Datum {
    this.#start(row);
    if (!this.#next()) return null;
    const { columns, selection, count } = this.#plan.chunk;
    if (count > 1) throw moreThanOneRow();
    const value = readDatum(columns[0]!, selection === null ? 0 : selection[0]!, this.type);
    if (this.#next()) throw moreThanOneRow();
    return value;
  }

  #array(row: number): Datum {
    this.#start(row);
    const element = this.#types[0]!;
    const values: Datum[] = [];
    while (this.#next()) {
      const { columns, selection, count } = this.#plan.chunk;
      for (let i = 0; i < count; i++) {
        values.push(readDatum(columns[0]!, selection === null ? i : selection[i]!, element));
      }
    }
    const isNested = element.elementOid !== 0 && this.type.oid === element.oid;
    return makeArray(isNested ? element.elementOid : element.oid, values, isNested);
  }

  #keepRows(row: number): void {
    this.#start(row);
    this.#store.begin(this.#run.environment.workMem);
    this.#table.reset();
    this.#hasNullRow = false;
    while (this.#next()) {
      const { columns, selection, count } = this.#plan.chunk;
      for (let i = 0; i < count; i++) {
        const at = selection === null ? i : selection[i]!;
        if (!this.#hashed) {
          this.#store.appendRow(columns, at);
          continue;
        }
        const before = this.#table.count;
        if (this.#table.findOrInsert(columns, at) === before) this.#store.appendRow(columns, at);
        if (columns.some((column) => column.isNull(at))) this.#hasNullRow = true;
      }
    }
    this.#rowsEpoch = this.#run.epoch;
  }

  #lookUp(row: number): Datum {
    if (this.#table.count === 0) return false;
    const hasNull = this.#probeVectors.some((vector) => vector.isNull(row));
    if (!hasNull && this.#table.find(this.#probeVectors, row) >= 0) return true;
    if (!hasNull && !this.#hasNullRow) return false;
    if (this.#probe.length === 1) return null;
    return this.#couldBeEqual(row) ? null : false;
  }

  /** Whether a kept row equals the probe in all columns in which neither is NULL. */
  #couldBeEqual(row: number): boolean {
    for (let n = 0; n < this.#store.count; n++) {
      this.#readKept(n);
      let differs = false;
      for (let i = 0; i < this.#types.length && !differs; i++) {
        const type = this.#types[i]!;
        const kept = readDatum(this.#row[i]!, 0, type);
        const probe = readDatum(this.#probeVectors[i]!, row, type);
        differs = kept !== null && probe !== null && type.compare(kept, probe) !== 0;
      }
      if (!differs) return true;
    }
    return false;
  }

  #readKept(row: number): void {
    for (const vector of this.#row) vector.reset();
    this.#store.readRow(row, this.#row, 0);
  }

  #compareAll(row: number, any: boolean): Datum {
    let sawNull = false;
    for (let n = 0; n < this.#store.count; n++) {
      if ((n & 0x3ff) === 0) this.#run.environment.checkInterrupts();
      const result = this.#compareWith(n, row);
      if (result === null) sawNull = true;
      else if (result === any) return any;
    }
    return sawNull ? null : !any;
  }

  /** Ends the run: the plan, and the rows that are kept of it. */
  close(): void {
    this.#plan.close();
    this.#store.close();
  }

  #compareRow(row: number): Datum {
    if (this.#store.count > 1) throw moreThanOneRow();
    return this.#store.count === 0 ? null : this.#compareWith(0, row);
  }

  #compareWith(kept: number, row: number): boolean | null {
    this.#readKept(kept);
    const { columnSlots } = this.#expr;
    for (let i = 0; i < columnSlots.length; i++) {
      this.#run.setSlot(columnSlots[i]!, readDatum(this.#row[i]!, 0, this.#types[i]!));
    }
    this.#one.selection[0] = row;
    const result = this.#comparison!.evaluate(this.#one) as NumberVector;
    return result.isNull(row) ? null : result.values[row] !== 0;
  }
}

function moreThanOneRow(): Error {
  return pgError(
    'cardinality_violation',
    'more than one row returned by a subquery used as an expression',
  );
}
