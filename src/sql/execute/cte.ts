import type { SqlType } from '../../types/index.ts';
import type { NodeInstrumentation } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import { RowStore } from './row-store.ts';
import type { Run } from './run.ts';
import { StoreReader } from './store-reader.ts';

/** A common table that is computed once a statement, as far as its readers read. */
export class CteStore {
  readonly #run: Run;
  readonly #input: Operator;
  readonly rows: RowStore;
  #epoch = -1;
  #inputDone = false;

  constructor(run: Run, input: Operator, types: readonly SqlType[]) {
    this.#run = run;
    this.#input = input;
    this.rows = new RowStore(run, types);
  }

  /** Called by every reader when it opens; the first one of a run starts the table. */
  open(): void {
    if (this.#epoch === this.#run.epoch) return;
    this.#epoch = this.#run.epoch;
    this.rows.begin(this.#run.environment.workMem);
    this.#inputDone = false;
    this.#input.open();
  }

  /** Adds further rows: CHUNK when there are some. */
  extend(): Status {
    if (this.#inputDone) return DONE;
    const status = this.#input.next();
    if (status === CHUNK) this.rows.append(this.#input.chunk);
    if (status === DONE) this.#inputDone = true;
    return status;
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
    this.#reader.position = 0;
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
