import type { DataChunk } from '../../chunk/index.ts';
import type { SqlType } from '../../types/index.ts';
import { RowStore } from './row-store.ts';
import type { Run } from './run.ts';
import { StoreReader } from './store-reader.ts';

/** The rows of a statement that changes rows and whose client may not take all of them: they are kept
 * until the last is made, since what the statement does is done whole. */
export class CompletedRows {
  readonly chunk: DataChunk = { columns: [], count: 0, selection: null };
  readonly #store: RowStore;
  readonly #reader: StoreReader;

  constructor(run: Run, types: readonly SqlType[]) {
    this.#store = new RowStore(run, types);
    this.#store.begin(run.environment.workMem);
    this.#reader = new StoreReader(types, null);
  }

  add(rows: DataChunk): void {
    this.#store.append(rows);
  }

  /** Puts the next rows into `chunk`; false when there are no more. */
  read(): boolean {
    return this.#reader.read(this.#store, this.chunk, null);
  }

  close(): void {
    this.#store.close();
  }
}
