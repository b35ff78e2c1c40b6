import { CHUNK_ROWS } from '../../chunk/index.ts';
import type { SqlType } from '../../types/index.ts';
import type { NodeInstrumentation } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { KeyTable } from './key-table.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import { RowStore } from './row-store.ts';
import type { Run } from './run.ts';
import { StoreReader } from './store-reader.ts';

/** Rows of the last round of a recursive union, and those of the running one. */
export class WorkTable {
  readonly #run: Run;
  readonly #types: readonly SqlType[];
  rows: RowStore;
  next: RowStore;

  constructor(run: Run, types: readonly SqlType[]) {
    this.#run = run;
    this.#types = types;
    this.rows = new RowStore(run, types);
    this.next = new RowStore(run, this.#types);
  }

  begin(): void {
    this.rows.begin(this.#run.environment.workMem);
    this.next.begin(this.#run.environment.workMem);
  }

  /** Makes the rows of the running round those of the last one. */
  turn(): void {
    const { rows, next } = this;
    this.rows = next;
    this.next = rows;
    this.next.begin(this.#run.environment.workMem);
  }

  close(): void {
    this.rows.close();
    this.next.close();
  }
}

/** WITH RECURSIVE: the rows of `initial`, then of `step` over the rows of the round before, until a
 * round gives none. Without ALL a row that has come before is dropped. */
export class RecursiveUnion extends Operator {
  readonly #run: Run;
  readonly #initial: Operator;
  readonly #step: Operator;
  readonly #workTable: WorkTable;
  readonly #seen: KeyTable | null;
  readonly #selection = new Int32Array(CHUNK_ROWS);
  #inStep = false;
  #stepOpen = false;
  counters: NodeInstrumentation | null = null;

  constructor(
    run: Run,
    initial: Operator,
    step: Operator,
    types: readonly SqlType[],
    all: boolean,
    workTable: WorkTable,
  ) {
    super();
    this.#run = run;
    this.#initial = initial;
    this.#step = step;
    this.#workTable = workTable;
    this.#seen = all ? null : new KeyTable(types);
  }

  override open(): void {
    this.#initial.open();
    this.#begin();
  }

  override rescan(): void {
    this.#initial.rescan();
    this.#begin();
  }

  #begin(): void {
    this.#inStep = false;
    this.#workTable.begin();
    this.#seen?.reset();
  }

  override next(): Status {
    for (;;) {
      const source = this.#inStep ? this.#step : this.#initial;
      const status = source.next();
      if (status === PAUSE) return PAUSE;
      if (status === CHUNK) {
        if (this.#take(source)) return CHUNK;
        continue;
      }
      if (this.#workTable.next.count === 0) return DONE;
      this.#run.environment.checkInterrupts();
      this.#workTable.turn();
      this.#run.beginRound();
      this.#inStep = true;
      if (this.#stepOpen) this.#step.rescan();
      else this.#step.open();
      this.#stepOpen = true;
    }
  }

  #take(source: Operator): boolean {
    const rows = source.chunk;
    this.chunk.columns = rows.columns;
    this.chunk.count = rows.count;
    this.chunk.selection = rows.selection;
    if (this.#seen !== null) {
      let kept = 0;
      for (let i = 0; i < rows.count; i++) {
        const row = rows.selection === null ? i : rows.selection[i]!;
        const before = this.#seen.count;
        if (this.#seen.findOrInsert(rows.columns, row) === before) this.#selection[kept++] = row;
      }
      this.chunk.count = kept;
      this.chunk.selection = this.#selection;
    }
    this.#workTable.next.append(this.chunk);
    return this.chunk.count > 0;
  }

  override close(): void {
    this.#initial.close();
    this.#step.close();
    this.#stepOpen = false;
  }
}

export class WorkTableScan extends Operator {
  readonly #run: Run;
  readonly #workTable: WorkTable;
  readonly #reader: StoreReader;
  counters: NodeInstrumentation | null = null;

  constructor(run: Run, workTable: WorkTable, types: readonly SqlType[], filter: Evaluator | null) {
    super();
    this.#run = run;
    this.#workTable = workTable;
    this.#reader = new StoreReader(types, filter);
  }

  override open(): void {
    this.#reader.position = 0;
  }

  override rescan(): void {
    this.#reader.position = 0;
  }

  override next(): Status {
    this.#run.environment.checkInterrupts();
    if (this.#run.shouldPause()) return PAUSE;
    return this.#reader.read(this.#workTable.rows, this.chunk, this.counters) ? CHUNK : DONE;
  }

  override close(): void {}
}
