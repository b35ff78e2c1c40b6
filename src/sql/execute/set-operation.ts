import { ByteWriter } from '../../base/index.ts';
import { CHUNK_ROWS, type ColumnVector, copyRow, createVector } from '../../chunk/index.ts';
import type { SqlType } from '../../types/index.ts';
import type { NodeInstrumentation } from './environment.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import type { Run } from './run.ts';
import { Sorter } from './sorter.ts';

/** INTERSECT and EXCEPT: both inputs are sorted by whole rows and merged, so that memory is bounded.
 * ALL counts equal rows: the lesser count for INTERSECT, the difference for EXCEPT. */
export class SetOperation extends Operator {
  readonly #run: Run;
  readonly #inputs: readonly [Operator, Operator];
  readonly #sorters: readonly [Sorter, Sorter];
  readonly #intersect: boolean;
  readonly #all: boolean;
  readonly #columns: ColumnVector[];
  readonly #row: ColumnVector[];
  /** The key of the left rows that are counted. */
  readonly #key = new ByteWriter(64);
  #reading = 0;
  #leftHas = false;
  #rightHas = false;
  /** Copies of the row in `#row` that are still to be handed on. */
  #copies = 0;
  counters: NodeInstrumentation | null = null;

  constructor(
    run: Run,
    left: Operator,
    right: Operator,
    types: readonly SqlType[],
    operation: 'intersect' | 'except',
    all: boolean,
  ) {
    super();
    this.#run = run;
    this.#inputs = [left, right];
    const keys = types.map((type) => ({ type, descending: false, nullsFirst: false }));
    this.#sorters = [new Sorter(run, types, keys), new Sorter(run, [], keys)];
    this.#intersect = operation === 'intersect';
    this.#all = all;
    this.#columns = types.map((type) => createVector(type));
    this.#row = types.map((type) => createVector(type, 1));
    this.chunk.columns = this.#columns;
  }

  override open(): void {
    for (const input of this.#inputs) input.open();
    this.#begin();
  }

  override rescan(): void {
    for (const input of this.#inputs) input.rescan();
    this.#begin();
  }

  #begin(): void {
    for (const sorter of this.#sorters) sorter.begin(Number.POSITIVE_INFINITY);
    this.#reading = 0;
    this.#copies = 0;
  }

  override next(): Status {
    while (this.#reading < 2) {
      if (this.#read() === PAUSE) return PAUSE;
    }
    this.#run.environment.checkInterrupts();
    if (this.#run.shouldPause()) return PAUSE;
    for (const column of this.#columns) column.reset();
    let count = 0;
    while (count < CHUNK_ROWS) {
      if (this.#copies === 0 && !this.#nextGroup()) break;
      for (; this.#copies > 0 && count < CHUNK_ROWS; this.#copies--) this.#emit(count++);
    }
    this.chunk.count = count;
    return count === 0 ? DONE : CHUNK;
  }

  #read(): Status {
    const input = this.#inputs[this.#reading]!;
    const sorter = this.#sorters[this.#reading]!;
    for (;;) {
      const status = input.next();
      if (status === PAUSE) return PAUSE;
      if (status === DONE) break;
      const { columns, selection, count } = input.chunk;
      for (let i = 0; i < count; i++) {
        const row = selection === null ? i : selection[i]!;
        sorter.add(columns, this.#reading === 0 ? columns : [], row);
      }
    }
    sorter.sort();
    if (this.counters !== null) this.counters.spillBytes += sorter.spilledBytes;
    this.#reading++;
    if (this.#reading === 2) {
      this.#leftHas = this.#sorters[0].nextRecord();
      this.#rightHas = this.#sorters[1].nextRecord();
    }
    return DONE;
  }

  /** Takes in the next group of equal left rows that gives rows; false at the end. */
  #nextGroup(): boolean {
    const [left, right] = this.#sorters;
    while (this.#leftHas) {
      for (const column of this.#row) column.reset();
      left.readColumns(this.#row, 0);
      const key = this.#key;
      left.copyKey(key);
      let leftCount = 0;
      while (this.#leftHas && left.compareKey(key) === 0) {
        leftCount++;
        this.#leftHas = left.nextRecord();
      }
      while (this.#rightHas && right.compareKey(key) < 0) this.#rightHas = right.nextRecord();
      let rightCount = 0;
      while (this.#rightHas && right.compareKey(key) === 0) {
        rightCount++;
        this.#rightHas = right.nextRecord();
      }
      this.#copies = this.#copiesOf(leftCount, rightCount);
      if (this.#copies > 0) return true;
    }
    return false;
  }

  #copiesOf(leftCount: number, rightCount: number): number {
    if (this.#all) {
      return this.#intersect
        ? Math.min(leftCount, rightCount)
        : Math.max(0, leftCount - rightCount);
    }
    return rightCount > 0 === this.#intersect ? 1 : 0;
  }

  #emit(row: number): void {
    for (let i = 0; i < this.#columns.length; i++)
      copyRow(this.#row[i]!, 0, this.#columns[i]!, row);
  }

  override close(): void {
    for (const input of this.#inputs) input.close();
    for (const sorter of this.#sorters) sorter.close();
  }
}
