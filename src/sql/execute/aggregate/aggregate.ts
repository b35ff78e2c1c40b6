import {
  CHUNK_ROWS,
  type ColumnVector,
  createVector,
  type DataChunk,
  NumberVector,
  setAllNull,
} from '../../../chunk/index.ts';
import { OID, type SqlType, typeByOid } from '../../../types/index.ts';
import type { NodeInstrumentation } from '../environment.ts';
import { type Evaluator, Subset } from '../expression/evaluator.ts';
import { KeyTable } from '../key-table.ts';
import { CHUNK, DONE, type Operator, PAUSE, type Status, UnaryOperator } from '../operator.ts';
import { RowStore } from '../row-store.ts';
import type { Run } from '../run.ts';
import type { Accumulator } from './accumulator.ts';

const PARTITIONS = 16;
const PARTITION_BITS = 4;
/** Partitions are split again by other bits of the hash; a set of rows that is still too large after
 * this many times has few keys, and stays in memory. */
const DEPTH_MAX = 7;
/** A sorted aggregate hands on its groups when it has this many. */
const SORTED_GROUPS = 512;

interface Partition {
  readonly rows: RowStore;
  readonly depth: number;
}

/** GROUP BY, and aggregates without it.
 *
 *   reading -> completing -> emitting -> done
 *      ^                        |
 *      +---- next partition ----+      (hash: rows of groups that found no room)
 *      +---- rest of the input -+      (sorted: the groups so far are whole)
 *
 * Hash: when the groups exceed work_mem, those in the table go on, and rows of other keys are kept in
 * partitions by hash, each to be aggregated by itself after. With grouping sets every row takes part
 * once for each set; keys outside the set are NULL, and the set's number is one more key. */
export class Aggregate extends UnaryOperator {
  readonly #run: Run;
  readonly #strategy: 'plain' | 'hash' | 'sorted';
  readonly #keys: readonly Evaluator[];
  readonly #accumulators: readonly Accumulator[];
  readonly #sets: readonly ReadonlySet<number>[] | null;
  readonly #table: KeyTable;
  readonly #groupKeys: RowStore;
  readonly #inputTypes: readonly SqlType[];
  readonly #groups: Int32Array;
  readonly #found: Subset;
  readonly #pending: Subset;
  readonly #setVector: NumberVector;
  readonly #nulls: ColumnVector[];
  readonly #partitionRows: DataChunk;
  readonly #keyVectors: ColumnVector[];
  /** The output, with the grouping set's number behind the keys. */
  readonly #columns: ColumnVector[];
  #phase: 'reading' | 'completing' | 'emitting' = 'reading';
  #emitted = 0;
  #inputDone = false;
  #isPending = false;
  #depth = 0;
  #spilling: Partition[] | null = null;
  #waiting: Partition[] = [];
  #current: Partition | null = null;
  #currentRow = 0;
  counters: NodeInstrumentation | null = null;

  constructor(
    run: Run,
    input: Operator,
    inputTypes: readonly SqlType[],
    capacity: number,
    strategy: 'plain' | 'hash' | 'sorted',
    keys: readonly Evaluator[],
    accumulators: readonly Accumulator[],
    resultTypes: readonly SqlType[],
    groupingSets: readonly (readonly number[])[] | null,
  ) {
    super(input);
    this.#run = run;
    this.#strategy = keys.length === 0 && groupingSets === null ? 'plain' : strategy;
    this.#keys = keys;
    this.#accumulators = accumulators;
    this.#sets = groupingSets?.map((set) => new Set(set)) ?? null;
    const setType = typeByOid(OID.int4);
    const keyTypes = keys.map((key) => key.type);
    if (this.#sets !== null) keyTypes.push(setType);
    this.#table = new KeyTable(keyTypes);
    this.#groupKeys = new RowStore(run, keyTypes);
    this.#inputTypes = [...inputTypes, setType];
    this.#groups = new Int32Array(Math.max(capacity, CHUNK_ROWS));
    this.#found = new Subset(this.#groups.length);
    this.#pending = new Subset(this.#groups.length);
    this.#setVector = new NumberVector(this.#groups.length);
    this.#nulls = keys.map((key) => {
      const vector = createVector(key.type, this.#groups.length);
      setAllNull(vector);
      return vector;
    });
    this.#partitionRows = {
      columns: this.#strategy === 'hash' ? this.#inputTypes.map((type) => createVector(type)) : [],
      count: 0,
      selection: null,
    };
    this.#keyVectors = new Array<ColumnVector>(keyTypes.length);
    const rows = this.#strategy === 'plain' ? 1 : CHUNK_ROWS;
    this.#columns = resultTypes.map((type) => createVector(type, rows));
    this.chunk.columns = this.#columns;
  }

  protected override begin(): void {
    this.#closePartitions();
    this.#inputDone = false;
    this.#isPending = false;
    this.#depth = 0;
    this.#startGroups();
    if (this.#strategy === 'plain') for (const one of this.#accumulators) one.grow(1);
  }

  #startGroups(): void {
    for (const accumulator of this.#accumulators) accumulator.reset();
    if (this.#strategy !== 'plain') {
      this.#table.reset();
      this.#groupKeys.begin(Number.POSITIVE_INFINITY);
    }
    this.#phase = 'reading';
    this.#emitted = 0;
  }

  override close(): void {
    super.close();
    this.#closePartitions();
    this.#groupKeys.close();
    for (const accumulator of this.#accumulators) accumulator.close();
  }

  #closePartitions(): void {
    for (const partition of this.#waiting) partition.rows.close();
    for (const partition of this.#spilling ?? []) partition.rows.close();
    this.#current?.rows.close();
    this.#waiting = [];
    this.#spilling = null;
    this.#current = null;
  }

  override next(): Status {
    for (;;) {
      if (this.#phase === 'reading') {
        const status = this.#read();
        if (status === PAUSE) return PAUSE;
        this.#phase = 'completing';
      }
      if (this.#phase === 'completing') {
        for (const accumulator of this.#accumulators) if (!accumulator.complete()) return PAUSE;
        this.#noteMemory();
        this.#phase = 'emitting';
      }
      if (this.#emit()) return CHUNK;
      if (!this.#nextRound()) return DONE;
    }
  }

  /** Reads until the groups are whole. */
  #read(): Status {
    if (this.#isPending) {
      this.#isPending = false;
      if (this.#takeSorted(this.#pending)) return DONE;
    }
    for (;;) {
      const rows = this.#current === null ? this.#pull() : this.#pullPartition(this.#current);
      if (rows === PAUSE) return PAUSE;
      if (rows === DONE) return this.#endOfInput();
      if (this.#strategy === 'plain') {
        for (const accumulator of this.#accumulators) accumulator.update(rows, null);
      } else if (this.#strategy === 'sorted' && this.#sets === null) {
        if (this.#takeSorted(rows)) return DONE;
      } else this.#takeHashed(rows);
    }
  }

  #pull(): DataChunk | typeof DONE | typeof PAUSE {
    if (this.#inputDone) return DONE;
    const status = this.input.next();
    if (status !== CHUNK) return status;
    return this.input.chunk;
  }

  #pullPartition(partition: Partition): DataChunk | typeof DONE | typeof PAUSE {
    this.#run.environment.checkInterrupts();
    if (this.#run.shouldPause()) return PAUSE;
    const rows = this.#partitionRows;
    rows.count = partition.rows.read(this.#currentRow, CHUNK_ROWS, rows.columns);
    this.#currentRow += rows.count;
    return rows.count === 0 ? DONE : rows;
  }

  #endOfInput(): Status {
    this.#inputDone = true;
    if (this.#current === null && this.#sets !== null && this.#table.count === 0) {
      this.#addEmptySets(this.#sets);
    }
    return DONE;
  }

  /** The grouping set () has a row even when there is no input. */
  #addEmptySets(sets: readonly ReadonlySet<number>[]): void {
    for (let set = 0; set < sets.length; set++) {
      if (sets[set]!.size > 0) continue;
      for (let i = 0; i < this.#keys.length; i++) this.#keyVectors[i] = this.#nulls[i]!;
      this.#setVector.values[0] = set;
      this.#keyVectors[this.#keys.length] = this.#setVector;
      this.#table.findOrInsert(this.#keyVectors, 0);
      this.#groupKeys.appendRow(this.#keyVectors, 0);
    }
    for (const accumulator of this.#accumulators) accumulator.grow(this.#table.count);
  }

  /** True when groups are to be handed on first; the rows from there on are pending. */
  #takeSorted(rows: DataChunk): boolean {
    for (let i = 0; i < this.#keys.length; i++) this.#keyVectors[i] = this.#keys[i]!.evaluate(rows);
    const cut = this.#table.count >= SORTED_GROUPS;
    const found = this.#found;
    found.columns = rows.columns;
    found.count = 0;
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      const before = this.#table.count;
      if (cut && this.#table.find(this.#keyVectors, row) < 0) {
        this.#hold(rows, i);
        break;
      }
      const group = this.#table.findOrInsert(this.#keyVectors, row);
      if (group === before) this.#groupKeys.appendRow(this.#keyVectors, row);
      this.#groups[row] = group;
      found.selection[found.count++] = row;
    }
    this.#accumulate(found);
    return this.#isPending;
  }

  #hold(rows: DataChunk, from: number): void {
    const pending = this.#pending;
    const count = rows.count - from;
    pending.columns = rows.columns;
    for (let i = 0; i < count; i++) {
      pending.selection[i] = rows.selection === null ? from + i : rows.selection[from + i]!;
    }
    pending.count = count;
    this.#isPending = true;
  }

  #accumulate(rows: DataChunk): void {
    if (rows.count === 0) return;
    for (const accumulator of this.#accumulators) {
      accumulator.grow(this.#table.count);
      accumulator.update(rows, this.#groups);
    }
  }

  #takeHashed(rows: DataChunk): void {
    const keys = this.#keys.map((key) => key.evaluate(rows));
    if (this.#sets === null) {
      for (let i = 0; i < keys.length; i++) this.#keyVectors[i] = keys[i]!;
      this.#takeKeys(rows, 0);
    } else {
      for (let set = 0; set < this.#sets.length; set++) this.#takeSet(rows, keys, set);
    }
    if (this.#spilling === null && this.#depth < DEPTH_MAX && this.#isFull()) this.#beginSpill();
  }

  #takeSet(rows: DataChunk, keys: readonly ColumnVector[], set: number): void {
    const members = this.#sets![set]!;
    for (let i = 0; i < keys.length; i++) {
      this.#keyVectors[i] = members.has(i) ? keys[i]! : this.#nulls[i]!;
    }
    this.#setVector.values.fill(set);
    this.#keyVectors[keys.length] = this.#setVector;
    if (this.#current === null) this.#takeKeys(rows, set);
    else {
      const sets = rows.columns[this.#inputTypes.length - 1] as NumberVector;
      const part = this.#pending;
      part.columns = rows.columns;
      part.count = 0;
      for (let i = 0; i < rows.count; i++) {
        if (sets.values[i] === set) part.selection[part.count++] = i;
      }
      this.#takeKeys(part, set);
    }
  }

  #takeKeys(rows: DataChunk, set: number): void {
    if (this.#spilling !== null) {
      this.#takeKnownKeys(rows, set, this.#spilling);
      return;
    }
    const table = this.#table;
    const groups = this.#groups;
    for (let i = 0; i < rows.count; i++) {
      i = table.findKnown(this.#keyVectors, rows.selection, i, rows.count, groups);
      if (i === rows.count) break;
      const row = rows.selection === null ? i : rows.selection[i]!;
      const before = table.count;
      const group = table.findOrInsert(this.#keyVectors, row);
      if (group === before) this.#groupKeys.appendRow(this.#keyVectors, row);
      groups[row] = group;
    }
    this.#accumulate(rows);
  }

  /** Takes the rows of groups that are there, and leaves the others to the partitions. */
  #takeKnownKeys(rows: DataChunk, set: number, partitions: readonly Partition[]): void {
    const found = this.#found;
    const table = this.#table;
    found.columns = rows.columns;
    found.count = 0;
    for (let i = 0; i < rows.count; i++) {
      const row = rows.selection === null ? i : rows.selection[i]!;
      const group = table.find(this.#keyVectors, row);
      if (group < 0) {
        this.#spill(rows, row, set, partitions);
        continue;
      }
      this.#groups[row] = group;
      found.selection[found.count++] = row;
    }
    this.#accumulate(found);
  }

  #isFull(): boolean {
    return this.#memory() > this.#run.environment.workMem;
  }

  #memory(): number {
    let bytes = this.#table.memory + this.#groupKeys.memory;
    for (const accumulator of this.#accumulators) bytes += accumulator.memory();
    return bytes;
  }

  #noteMemory(): void {
    const { counters } = this;
    if (counters === null || this.#strategy === 'plain') return;
    counters.memoryBytes = Math.max(counters.memoryBytes, this.#memory());
  }

  #beginSpill(): void {
    const limit = this.#run.environment.workMem / PARTITIONS;
    this.#spilling = Array.from({ length: PARTITIONS }, () => {
      const rows = new RowStore(this.#run, this.#inputTypes);
      rows.begin(limit);
      return { rows, depth: this.#depth + 1 };
    });
  }

  #spill(rows: DataChunk, row: number, set: number, partitions: readonly Partition[]): void {
    const shift = 32 - PARTITION_BITS * (this.#depth + 1);
    const partition = partitions[(this.#table.hash >>> shift) & (PARTITIONS - 1)]!;
    const columns = rows.columns.slice(0, this.#inputTypes.length - 1);
    this.#setVector.values[row] = set;
    columns.push(this.#setVector);
    partition.rows.appendRow(columns, row);
  }

  #emit(): boolean {
    const columns = this.#columns;
    const total = this.#strategy === 'plain' ? 1 : this.#table.count;
    const count = Math.min(CHUNK_ROWS, total - this.#emitted);
    if (count <= 0) return false;
    const keyCount = this.#keys.length + (this.#sets === null ? 0 : 1);
    if (keyCount > 0) this.#groupKeys.read(this.#emitted, count, columns.slice(0, keyCount));
    for (let k = 0; k < this.#accumulators.length; k++) {
      const column = columns[keyCount + k]!;
      column.reset();
      for (let i = 0; i < count; i++) this.#accumulators[k]!.finish(this.#emitted + i, column, i);
    }
    this.#emitted += count;
    this.chunk.count = count;
    return true;
  }

  /** Starts on the groups that are left; false when there are none. */
  #nextRound(): boolean {
    if (this.#strategy === 'plain') return false;
    if (this.#isPending) {
      this.#startGroups();
      return true;
    }
    this.#current?.rows.close();
    this.#current = null;
    for (const partition of this.#spilling ?? []) {
      if (this.counters !== null) this.counters.spillBytes += partition.rows.spilledBytes;
      if (partition.rows.count > 0) this.#waiting.push(partition);
    }
    this.#spilling = null;
    const partition = this.#waiting.pop();
    if (partition === undefined) return false;
    this.#current = partition;
    this.#currentRow = 0;
    this.#depth = partition.depth;
    this.#startGroups();
    return true;
  }
}
