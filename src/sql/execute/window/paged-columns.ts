import { CHUNK_ROWS, type ColumnVector, createVector } from '../../../chunk/index.ts';
import type { SqlType } from '../../../types/index.ts';
import type { RowStore } from '../row-store.ts';
import type { Run } from '../run.ts';

const PAGES = 2;

interface Page {
  number: number;
  readonly vectors: ColumnVector[];
}

/** Some columns of kept rows, read where they are wanted, a page of rows at a time. Two neighbouring pages
 * are held, so that a frame that lies across their border reads each but once. */
export class PagedColumns {
  readonly #run: Run;
  readonly #store: RowStore;
  readonly #columns: readonly number[];
  readonly #pages: readonly Page[];
  /** The columns of the page that `seek` has moved to. */
  vectors: ColumnVector[];

  constructor(run: Run, store: RowStore, columns: readonly number[], types: readonly SqlType[]) {
    this.#run = run;
    this.#store = store;
    this.#columns = columns;
    this.#pages = Array.from({ length: PAGES }, () => ({
      number: -1,
      vectors: types.map((type) => createVector(type)),
    }));
    this.vectors = this.#pages[0]!.vectors;
  }

  /** The store has other rows. */
  begin(): void {
    for (const page of this.#pages) page.number = -1;
  }

  /** Moves to the page of a row; gives the row's number in its vectors. */
  seek(position: number): number {
    const number = Math.floor(position / CHUNK_ROWS);
    const page = this.#pages[number % PAGES]!;
    if (page.number !== number) {
      this.#run.environment.checkInterrupts();
      this.#store.read(number * CHUNK_ROWS, CHUNK_ROWS, page.vectors, this.#columns);
      page.number = number;
    }
    this.vectors = page.vectors;
    return position - number * CHUNK_ROWS;
  }
}
