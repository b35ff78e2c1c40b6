import { CHUNK_ROWS, type ColumnVector, createVector, type DataChunk } from '../../chunk/index.ts';
import type { SqlType } from '../../types/index.ts';
import type { NodeInstrumentation } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { KeyChange } from './key-change.ts';
import { KeyTable } from './key-table.ts';
import { CHUNK, DONE, type Operator, PAUSE, type Status, UnaryOperator } from './operator.ts';
import { RowStore } from './row-store.ts';
import type { Run } from './run.ts';

const PARTITIONS = 16;
const PARTITION_BITS = 4;
const DEPTH_MAX = 7;

interface Partition {
  readonly rows: RowStore;
  readonly depth: number;
}

/** Keeps the first row of each set of equal keys (all columns, where none are given).
 *
 * Hash: rows with new keys pass at once. When the keys exceed work_mem, rows with further new keys
 * are kept in partitions by hash and go through the same afterwards. Sorted: compares neighbours. */
export class Distinct extends UnaryOperator {
  readonly #run: Run;
  readonly #types: readonly SqlType[];
  readonly #sorted: boolean;
  readonly #keys: readonly Evaluator[];
  readonly #keyTypes: readonly SqlType[];
  readonly #keyVectors: ColumnVector[];
  readonly #table: KeyTable;
  readonly #selection: Int32Array;
  readonly #change: KeyChange;
  #spilling: Partition[] | null = null;
  #waiting: Partition[] = [];
  #current: Partition | null = null;
  #currentRow = 0;
  #partitionRows: DataChunk | null = null;
  counters: NodeInstrumentation | null = null;

  constructor(
    run: Run,
    input: Operator,
    types: readonly SqlType[],
    strategy: 'hash' | 'sorted',
    keys: readonly Evaluator[],
    capacity: number,
  ) {
    super(input);
    this.#run = run;
    this.#types = types;
    this.#sorted = strategy === 'sorted';
    this.#keys = keys;
    this.#keyTypes = keys.length === 0 ? types : keys.map((key) => key.type);
    this.#keyVectors = new Array<ColumnVector>(this.#keyTypes.length);
    this.#table = new KeyTable(this.#keyTypes);
    this.#change = new KeyChange(this.#keyTypes);
    this.#selection = new Int32Array(Math.max(capacity, CHUNK_ROWS));
  }

  override expectRows(count: number): void {
    this.input.expectRows(count);
  }

  protected override begin(): void {
    this.#closePartitions();
    this.#table.reset();
    this.#change.reset();
  }

  override next(): Status {
    for (;;) {
      const rows = this.#pull();
      if (rows === PAUSE) return PAUSE;
      if (rows === DONE) {
        if (!this.#nextPartition()) return DONE;
        continue;
      }
      const count = this.#keepNew(rows);
      if (count === 0) continue;
      this.chunk.columns = rows.columns;
      this.chunk.count = count;
      this.chunk.selection = this.#selection;
      return CHUNK;
    }
  }

  #pull(): DataChunk | typeof DONE | typeof PAUSE {
    if (this.#current === null) {
      const status = this.input.next();
      return status === CHUNK ? this.input.chunk : status;
    }
    this.#run.environment.checkInterrupts();
    if (this.#run.shouldPause()) return PAUSE;
    this.#partitionRows ??= {
      columns: this.#types.map((type) => createVector(type)),
      count: 0,
      selection: null,
    };
    const rows = this.#partitionRows;
    rows.count = this.#current.rows.read(this.#currentRow, CHUNK_ROWS, rows.columns);
    this.#currentRow += rows.count;
    return rows.count === 0 ? DONE : rows;
  }

  #keepNew(rows: DataChunk): number {
    for (let i = 0; i < this.#keyVectors.length; i++) {
      this.#keyVectors[i] = this.#keys[i]?.evaluate(rows) ?? rows.columns[i]!;
    }
    let kept = 0;
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      const isNew = this.#sorted
        ? this.#change.isNew(this.#keyVectors, row)
        : this.#isNewKey(rows, row);
      if (isNew) this.#selection[kept++] = row;
    }
    const full = this.#table.memory > this.#run.environment.workMem;
    if (full && this.#spilling === null && (this.#current?.depth ?? 0) < DEPTH_MAX) {
      this.#beginSpill();
    }
    return kept;
  }

  #isNewKey(rows: DataChunk, row: number): boolean {
    const table = this.#table;
    if (this.#spilling === null) {
      const before = table.count;
      return table.findOrInsert(this.#keyVectors, row) === before;
    }
    if (table.find(this.#keyVectors, row) < 0) {
      const shift = 32 - PARTITION_BITS * ((this.#current?.depth ?? 0) + 1);
      this.#spilling[(table.hash >>> shift) & (PARTITIONS - 1)]!.rows.appendRow(rows.columns, row);
    }
    return false;
  }

  #beginSpill(): void {
    const limit = this.#run.environment.workMem / PARTITIONS;
    const depth = (this.#current?.depth ?? 0) + 1;
    this.#spilling = Array.from({ length: PARTITIONS }, () => {
      const rows = new RowStore(this.#run, this.#types);
      rows.begin(limit);
      return { rows, depth };
    });
  }

  #nextPartition(): boolean {
    this.#current?.rows.close();
    this.#current = null;
    for (const partition of this.#spilling ?? []) {
      if (this.counters !== null) this.counters.spillBytes += partition.rows.spilledBytes;
      if (partition.rows.count > 0) this.#waiting.push(partition);
    }
    this.#spilling = null;
    const partition = this.#waiting.pop();
    if (partition === undefined) {
      this.#current = null;
      return false;
    }
    this.#current = partition;
    this.#currentRow = 0;
    this.#table.reset();
    return true;
  }

  #closePartitions(): void {
    for (const partition of this.#waiting) partition.rows.close();
    for (const partition of this.#spilling ?? []) partition.rows.close();
    this.#current?.rows.close();
    this.#waiting = [];
    this.#spilling = null;
    this.#current = null;
  }

  override close(): void {
    super.close();
    this.#closePartitions();
  }
}
