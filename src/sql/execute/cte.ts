import type { SqlType } from '../../types/index.ts';
import type { NodeInstrumentation } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import { RowStore } from './row-store.ts';
import type { Run } from './run.ts';
import { StoreReader } from './store-reader.ts';

/** A common table that is computed once a statement, as far as its readers read; one that depends on
 * slots (`slots`) once for each set of their values. */
export class CteStore {
  readonly #run: Run;
  readonly #input: Operator;
  readonly #slots: readonly number[];
  readonly rows: RowStore;
  #epoch = -1;
  #changes = 0;
  #inputDone = false;

  constructor(run: Run, input: Operator, types: readonly SqlType[], slots: readonly number[]) {
    this.#run = run;
    this.#input = input;
    this.#slots = slots;
    this.rows = new RowStore(run, types);
  }

  /** Called by every reader when it starts; the first one starts the table. */
  open(): void {
    const changes = this.#run.changesOf(this.#slots);
    const isOpen = this.#epoch === this.#run.epoch;
    if (isOpen && this.#changes === changes) return;
    this.#epoch = this.#run.epoch;
    this.#changes = changes;
    this.rows.begin(this.#run.environment.workMem);
    this.#inputDone = false;
    if (isOpen) this.#input.rescan();
    else this.#input.open();
  }

  /** Adds further rows: CHUNK when there are some. */
  extend(): Status {
    if (this.#inputDone) return DONE;
    // Rows that a common table changes do not count as the statement's.
    const { affectedRows } = this.#run;
    const status = this.#input.next();
    this.#run.affectedRows = affectedRows;
    if (status === CHUNK) this.rows.append(this.#input.chunk);
    if (status === DONE) this.#inputDone = true;
    return status;
  }

  /** Makes all rows, whether they are read or not. */
  complete(): Status {
    this.open();
    for (;;) {
      const status = this.extend();
      if (status !== CHUNK) return status;
      if (this.#run.shouldPause()) return PAUSE;
    }
  }

  close(): void {
    this.#epoch = -1;
    this.#input.close();
    this.rows.close();
  }
}

export class CteScan extends Operator {
  readonly #run: Run;
  readonly #store: CteStore;
  readonly #reader: StoreReader;
  counters: NodeInstrumentation | null = null;

  constructor(run: Run, store: CteStore, types: readonly SqlType[], filter: Evaluator | null) {
    super();
    this.#run = run;
    this.#store = store;
    this.#reader = new StoreReader(types, filter);
  }

  override open(): void {
    this.#store.open();
    this.#reader.position = 0;
  }

  override rescan(): void {
    this.open();
  }

  override next(): Status {
    for (;;) {
      this.#run.environment.checkInterrupts();
      if (this.#run.shouldPause()) return PAUSE;
      if (this.#reader.read(this.#store.rows, this.chunk, this.counters)) return CHUNK;
      const status = this.#store.extend();
      if (status !== CHUNK) return status;
    }
  }

  override close(): void {}
}
