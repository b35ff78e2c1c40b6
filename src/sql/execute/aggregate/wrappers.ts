import { compareByteRanges } from '../../../base/index.ts';
import {
  CHUNK_ROWS,
  type ColumnVector,
  createVector,
  type DataChunk,
  NumberVector,
} from '../../../chunk/index.ts';
import { type KeyColumn, OID, typeByOid } from '../../../types/index.ts';
import { type Evaluator, Subset } from '../expression/evaluator.ts';
import type { Run } from '../run.ts';
import { Sorter } from '../sorter.ts';
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

/** DISTINCT and ORDER BY inside an aggregate: the arguments are sorted by group and keys, and given to
 * the aggregate in that order when all are there. The sort spills, so memory stays bounded. */
export class OrderedAccumulator implements Accumulator {
  readonly #run: Run;
  readonly #inner: Accumulator;
  readonly #arguments: readonly Evaluator[];
  readonly #keys: readonly Evaluator[];
  readonly #distinct: boolean;
  readonly #sorter: Sorter;
  readonly #group = new NumberVector();
  readonly #sorted: DataChunk;
  readonly #groups = new Int32Array(CHUNK_ROWS);
  #isSorted = false;
  #lastKey = new Uint8Array(0);
  #hasLast = false;

  /** `inner` reads its arguments from input columns 1 and on. */
  constructor(
    run: Run,
    inner: Accumulator,
    args: readonly Evaluator[],
    keys: readonly { readonly value: Evaluator; readonly order: KeyColumn }[],
    distinct: boolean,
  ) {
    this.#run = run;
    this.#inner = inner;
    this.#arguments = args;
    this.#keys = keys.map((key) => key.value);
    this.#distinct = distinct;
    const groupType = typeByOid(OID.int4);
    const types = [groupType, ...args.map((argument) => argument.type)];
    this.#sorter = new Sorter(run, types, [
      { type: groupType, descending: false, nullsFirst: false },
      ...keys.map((key) => key.order),
    ]);
    this.#sorted = {
      columns: types.map((type) => createVector(type)),
      count: 0,
      selection: null,
    };
  }

  reset(): void {
    this.#inner.reset();
    this.#sorter.begin(Number.POSITIVE_INFINITY);
    this.#isSorted = false;
    this.#hasLast = false;
  }

  grow(count: number): void {
    this.#inner.grow(count);
  }

  update(rows: DataChunk, groups: Int32Array | null): void {
    const columns = [this.#group, ...this.#arguments.map((argument) => argument.evaluate(rows))];
    const keys = [this.#group, ...this.#keys.map((key) => key.evaluate(rows))];
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      this.#group.values[row] = groups === null ? 0 : groups[row]!;
      this.#sorter.add(keys, columns, row);
    }
  }

  complete(): boolean {
    if (!this.#isSorted) {
      this.#sorter.sort();
      this.#isSorted = true;
    }
    for (;;) {
      const count = this.#readSorted();
      if (count === 0) return this.#inner.complete();
      this.#inner.update(this.#sorted, this.#groups);
      this.#run.environment.checkInterrupts();
      if (this.#run.shouldPause()) return false;
    }
  }

  #readSorted(): number {
    const rows = this.#sorted;
    for (const column of rows.columns) column.reset();
    let count = 0;
    while (count < CHUNK_ROWS && this.#sorter.nextRecord()) {
      if (this.#distinct && this.#isDuplicate()) continue;
      this.#sorter.readColumns(rows.columns, count);
      this.#groups[count] = (rows.columns[0] as NumberVector).values[count]!;
      count++;
    }
    rows.count = count;
    return count;
  }

  #isDuplicate(): boolean {
    const { bytes, keyFrom, tupleFrom } = this.#sorter;
    const last = this.#lastKey;
    if (this.#hasLast && compareByteRanges(bytes, keyFrom, tupleFrom, last, 0, last.length) === 0) {
      return true;
    }
    this.#lastKey = bytes.slice(keyFrom, tupleFrom);
    this.#hasLast = true;
    return false;
  }

  finish(group: number, out: ColumnVector, row: number): void {
    this.#inner.finish(group, out, row);
  }

  memory(): number {
    return this.#inner.memory();
  }

  close(): void {
    this.#sorter.close();
    this.#inner.close();
  }
}
