import type { ColumnVector, DataChunk } from '../../../chunk/index.ts';
import { type Evaluator, Subset } from '../expression/evaluator.ts';
import type { Accumulator } from './accumulator.ts';

/** FILTER (WHERE …). */
export class FilteredAccumulator implements Accumulator {
  readonly #inner: Accumulator;
  readonly #filter: Evaluator;
  readonly #rows: Subset;
  readonly remove?: (rows: DataChunk) => boolean;

  constructor(inner: Accumulator, filter: Evaluator, capacity: number) {
    this.#inner = inner;
    this.#filter = filter;
    this.#rows = new Subset(capacity);
    if (inner.remove !== undefined) this.remove = (rows) => this.#remove(rows);
  }

  reset(): void {
    this.#inner.reset();
  }

  grow(count: number): void {
    this.#inner.grow(count);
  }

  update(rows: DataChunk, groups: Int32Array | null): void {
    this.#rows.columns = rows.columns;
    this.#rows.count = this.#filter.narrow(rows, this.#rows.selection);
    if (this.#rows.count > 0) this.#inner.update(this.#rows, groups);
  }

  #remove(rows: DataChunk): boolean {
    this.#rows.columns = rows.columns;
    this.#rows.count = this.#filter.narrow(rows, this.#rows.selection);
    return this.#rows.count === 0 || this.#inner.remove?.(this.#rows) === true;
  }

  complete(): boolean {
    return this.#inner.complete();
  }

  finish(group: number, out: ColumnVector, row: number): void {
    this.#inner.finish(group, out, row);
  }

  memory(): number {
    return this.#inner.memory();
  }

  close(): void {
    this.#inner.close();
  }
}
