import type { SqlType } from '../../types/index.ts';
import type { NodeInstrumentation } from './environment.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import { RowStore } from './row-store.ts';
import type { Run } from './run.ts';
import { StoreReader } from './store-reader.ts';

/** Keeps its input's rows as they are first read; a rescan reads what is kept, unless the input
 * depends on slots and is run again. */
export class Materialize extends Operator {
  readonly #run: Run;
  readonly #input: Operator;
  readonly #keep: boolean;
  readonly #store: RowStore;
  readonly #reader: StoreReader;
  #inputDone = false;
  counters: NodeInstrumentation | null = null;

  constructor(run: Run, input: Operator, types: readonly SqlType[], keep: boolean) {
    super();
    this.#run = run;
    this.#input = input;
    this.#keep = keep;
    this.#store = new RowStore(run, types);
    this.#reader = new StoreReader(types, null);
  }

  override open(): void {
    this.#input.open();
    this.#begin();
  }

  override rescan(): void {
    if (this.#keep) {
      this.#reader.position = 0;
      return;
    }
    this.#input.rescan();
    this.#begin();
  }

  override expectRows(count: number): void {
    this.#input.expectRows(count);
  }

  #begin(): void {
    this.#store.begin(this.#run.environment.workMem);
    this.#reader.position = 0;
    this.#inputDone = false;
  }

  override next(): Status {
    if (this.#reader.position < this.#store.count) {
      this.#run.environment.checkInterrupts();
      if (this.#run.shouldPause()) return PAUSE;
      this.#reader.read(this.#store, this.chunk, null);
      return CHUNK;
    }
    if (this.#inputDone) return DONE;
    const status = this.#input.next();
    if (status === PAUSE) return PAUSE;
    if (status === DONE) {
      this.#inputDone = true;
      if (this.counters !== null) this.counters.spillBytes += this.#store.spilledBytes;
      return DONE;
    }
    this.#store.append(this.#input.chunk);
    this.#reader.position = this.#store.count;
    this.chunk = { ...this.#input.chunk };
    return CHUNK;
  }

  override close(): void {
    this.#input.close();
    this.#store.close();
  }
}
