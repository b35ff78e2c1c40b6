import { ByteWriter } from '../../../base/index.ts';
import {
  CHUNK_ROWS,
  type ColumnVector,
  createVector,
  type DataChunk,
  type NumberVector,
} from '../../../chunk/index.ts';
import type { KeyColumn } from '../../../types/index.ts';
import type { Evaluator } from '../expression/evaluator.ts';
import type { Run } from '../run.ts';
import type { Accumulator } from './accumulator.ts';
import { GroupSorter } from './group-sorter.ts';

/** DISTINCT and ORDER BY inside an aggregate: the arguments are sorted by group and keys, and given to
 * the aggregate in that order when all are there. The sort spills, so memory stays bounded. */
export class OrderedAccumulator implements Accumulator {
  readonly #run: Run;
  readonly #inner: Accumulator;
  readonly #arguments: readonly Evaluator[];
  readonly #keys: readonly Evaluator[];
  readonly #distinct: boolean;
  readonly #rows: GroupSorter;
  readonly #sorted: DataChunk;
  readonly #groups = new Int32Array(CHUNK_ROWS);
  readonly #lastKey = new ByteWriter(64);
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
    this.#rows = new GroupSorter(
      run,
      args.map((argument) => argument.type),
      keys.map((key) => key.order),
      distinct,
    );
    this.#sorted = {
      columns: this.#rows.types.map((type) => createVector(type)),
      count: 0,
      selection: null,
    };
  }

  reset(): void {
    this.#inner.reset();
    this.#rows.begin();
    this.#hasLast = false;
  }

  grow(count: number): void {
    this.#inner.grow(count);
  }

  update(rows: DataChunk, groups: Int32Array | null): void {
    this.#rows.startRows(
      this.#keys.map((key) => key.evaluate(rows)),
      this.#arguments.map((argument) => argument.evaluate(rows)),
      groups !== null,
    );
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      this.#rows.add(groups === null ? 0 : groups[row]!, row);
    }
  }

  complete(): boolean {
    this.#rows.sort();
    for (;;) {
      const count = this.#readSorted();
      if (count === 0) return this.#inner.complete();
      this.#inner.update(this.#sorted, this.#groups);
      this.#run.environment.checkInterrupts();
      if (this.#run.shouldPause()) return false;
    }
  }

  #readSorted(): number {
    const { sorter } = this.#rows;
    const rows = this.#sorted;
    for (const column of rows.columns) column.reset();
    let count = 0;
    while (count < CHUNK_ROWS && sorter.nextRecord()) {
      if (this.#distinct && this.#isDuplicate()) continue;
      sorter.readColumns(rows.columns, count);
      this.#groups[count] = (rows.columns[0] as NumberVector).values[count]!;
      count++;
    }
    rows.count = count;
    return count;
  }

  #isDuplicate(): boolean {
    const { sorter } = this.#rows;
    if (this.#hasLast && sorter.compareKey(this.#lastKey) === 0) return true;
    sorter.copyKey(this.#lastKey);
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
    this.#rows.close();
    this.#inner.close();
  }
}
