import { CHUNK_ROWS, type ColumnVector, createVector, type DataChunk } from '../../chunk/index.ts';
import type { SqlType } from '../../types/index.ts';
import type { NodeInstrumentation } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import type { RowStore } from './row-store.ts';

/** Reads kept rows chunk by chunk, through a filter. */
export class StoreReader {
  readonly #vectors: ColumnVector[];
  readonly #filter: Evaluator | null;
  readonly #selection = new Int32Array(CHUNK_ROWS);
  position = 0;

  constructor(types: readonly SqlType[], filter: Evaluator | null) {
    this.#vectors = types.map((type) => createVector(type));
    this.#filter = filter;
  }

  /** Reads the next rows that pass; false when none of those in the store is left. */
  read(store: RowStore, chunk: DataChunk, counters: NodeInstrumentation | null): boolean {
    for (;;) {
      chunk.columns = this.#vectors;
      chunk.selection = null;
      chunk.count = store.read(this.position, CHUNK_ROWS, this.#vectors);
      if (chunk.count === 0) return false;
      const count = chunk.count;
      this.position += count;
      if (this.#filter === null) return true;
      const kept = this.#filter.narrow(chunk, this.#selection);
      if (counters !== null) counters.rowsRemoved += count - kept;
      if (kept === 0) continue;
      chunk.count = kept;
      chunk.selection = this.#selection;
      return true;
    }
  }
}
