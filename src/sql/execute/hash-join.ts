import {
  CHUNK_ROWS,
  type ColumnVector,
  createVector,
  type DataChunk,
  gatherRows,
} from '../../chunk/index.ts';
import type { SqlType } from '../../types/index.ts';
import type { NodeInstrumentation } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { isLeftOnly, JoinOutput, type JoinParts } from './join-output.ts';
import { KeyTable } from './key-table.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import { RowStore } from './row-store.ts';
import type { Run } from './run.ts';

const PARTITIONS = 16;
const PARTITION_BITS = 4;
const DEPTH_MAX = 7;

/** Rows to build from and to probe with: the inputs themselves, or a pair of partitions. */
interface Partition {
  readonly build: RowStore;
  readonly probe: RowStore;
  readonly depth: number;
}

/** Hash join: the right input is the build side, the left one probes.
 *
 *   building -> probing -> unmatched (right, full) -> next partition or done
 *      |
 *      +-> too large: both inputs go to partitions by the hash of their keys, each pair is joined by
 *          itself, and split further if it is still too large
 *
 * Rows of the build side are numbered as they lie in the store; `#heads[key]` is the last row with a
 * key plus one, and `#chain[row]` the row before it with the same key plus one. A key with a NULL
 * joins nothing. */
export class HashJoin extends Operator {
  readonly #parts: JoinParts;
  readonly #run: Run;
  readonly #leftKeys: readonly Evaluator[];
  readonly #rightKeys: readonly Evaluator[];
  readonly #keepBuild: boolean;
  readonly #leftOnly: boolean;
  readonly #table: KeyTable;
  readonly #store: RowStore;
  readonly #keyVectors: ColumnVector[];
  readonly #output: JoinOutput;
  readonly #candidateLeft = new Int32Array(CHUNK_ROWS);
  readonly #candidateRight = new Int32Array(CHUNK_ROWS);
  readonly #selection = new Int32Array(CHUNK_ROWS);
  readonly #leftMatched = new Uint8Array(CHUNK_ROWS);
  readonly #probeRows: DataChunk;
  readonly #buildRows: DataChunk;
  #heads = new Int32Array(64);
  #chain = new Int32Array(64);
  #rightMatched = new Uint8Array(0);
  #buildHasNull = false;
  #buildIsEmpty = true;
  #phase: 'building' | 'spillingProbe' | 'probing' | 'unmatched' | 'done' = 'building';
  #isBuilt = false;
  #partition: Partition | null = null;
  #partitionBuildRow = 0;
  #partitionProbeRow = 0;
  #splitting: Partition[] | null = null;
  #waiting: Partition[] = [];
  /** The left chunk that is being probed, and where. */
  #left: DataChunk | null = null;
  #leftPosition = 0;
  #chainRow = 0;
  #leftKeyVectors: ColumnVector[] = [];
  #unmatchedRow = 0;
  #probeOpen = false;
  counters: NodeInstrumentation | null = null;

  constructor(
    parts: JoinParts,
    keys: {
      readonly leftKeys: readonly Evaluator[];
      readonly rightKeys: readonly Evaluator[];
      /** The right input gives the same rows at every rescan. */
      readonly keep: boolean;
    },
  ) {
    super();
    this.#parts = parts;
    this.#run = parts.run;
    this.#leftKeys = keys.leftKeys;
    this.#rightKeys = keys.rightKeys;
    this.#keepBuild = keys.keep;
    this.#leftOnly = isLeftOnly(parts.join);
    this.#table = new KeyTable(keys.rightKeys.map((key) => key.type));
    this.#store = new RowStore(parts.run, parts.rightTypes);
    this.#keyVectors = new Array<ColumnVector>(keys.rightKeys.length);
    this.#output = new JoinOutput(parts.leftTypes, parts.rightTypes);
    this.#probeRows = emptyChunk(parts.leftTypes);
    this.#buildRows = emptyChunk(parts.rightTypes);
  }

  override open(): void {
    this.#isBuilt = false;
    this.#probeOpen = false;
    this.#parts.right.open();
    this.#begin();
  }

  override expectRows(count: number): void {
    this.#parts.left.expectRows(count);
  }

  override rescan(): void {
    const wasSplit =
      this.#splitting !== null || this.#partition !== null || this.#waiting.length > 0;
    const reuse = this.#isBuilt && this.#keepBuild && !wasSplit;
    this.#closePartitions();
    if (reuse) {
      this.#rightMatched.fill(0);
      this.#startProbing();
      return;
    }
    this.#isBuilt = false;
    this.#parts.right.rescan();
    this.#begin();
  }

  #begin(): void {
    this.#buildHasNull = false;
    this.#buildIsEmpty = true;
    this.#startBuilding();
  }

  #startBuilding(): void {
    this.#table.reset();
    this.#store.begin(Number.POSITIVE_INFINITY);
    this.#heads.fill(0);
    this.#rightMatched.fill(0);
    this.#phase = 'building';
    this.#splitting = null;
    this.#partitionBuildRow = 0;
    this.#partitionProbeRow = 0;
  }

  #startProbing(): void {
    if (this.#partition === null) {
      if (this.#probeOpen) this.#parts.left.rescan();
      else this.#parts.left.open();
      this.#probeOpen = true;
    }
    this.#left = null;
    this.#unmatchedRow = 0;
    this.#phase = this.#splitting === null ? 'probing' : 'spillingProbe';
  }

  override next(): Status {
    for (;;) {
      switch (this.#phase) {
        case 'building':
          if (this.#build() === PAUSE) return PAUSE;
          this.#isBuilt = true;
          this.#noteMemory();
          this.#startProbing();
          break;
        case 'spillingProbe':
          if (this.#spillProbe() === PAUSE) return PAUSE;
          this.#endPartition();
          break;
        case 'probing': {
          const status = this.#probe();
          if (status !== DONE) return status;
          const { join } = this.#parts;
          if (join === 'right' || join === 'full') this.#phase = 'unmatched';
          else this.#endPartition();
          break;
        }
        case 'unmatched':
          if (this.#emitUnmatchedRight()) return CHUNK;
          this.#endPartition();
          break;
        default:
          return DONE;
      }
    }
  }

  /** Goes on with the next partition. */
  #endPartition(): void {
    const partition = this.#partition;
    if (partition !== null) {
      partition.build.close();
      partition.probe.close();
    }
    this.#partition = null;
    for (const part of this.#splitting ?? []) {
      if (this.counters !== null) {
        this.counters.spillBytes += part.build.spilledBytes + part.probe.spilledBytes;
      }
      this.#waiting.push(part);
    }
    this.#splitting = null;
    const next = this.#waiting.pop();
    if (next === undefined) {
      this.#phase = 'done';
      return;
    }
    this.#partition = next;
    this.#startBuilding();
  }

  #build(): Status {
    for (;;) {
      const rows = this.#pullBuild();
      if (rows === PAUSE || rows === DONE) return rows;
      for (let i = 0; i < this.#rightKeys.length; i++) {
        this.#keyVectors[i] = this.#rightKeys[i]!.evaluate(rows);
      }
      for (let i = 0; i < rows.count; i++) {
        const row = rows.selection === null ? i : rows.selection[i]!;
        this.#buildIsEmpty = false;
        if (this.#splitting !== null) this.#splitBuildRow(this.#splitting, rows, row);
        else this.#addBuildRow(rows, row);
      }
      if (this.#splitting === null && this.#isFull()) this.#split();
    }
  }

  #pullBuild(): DataChunk | typeof DONE | typeof PAUSE {
    if (this.#partition === null) {
      const status = this.#parts.right.next();
      return status === CHUNK ? this.#parts.right.chunk : status;
    }
    const rows = this.#buildRows;
    return this.#pullStore(rows, this.#partition.build, true);
  }

  #pullStore(
    rows: DataChunk,
    store: RowStore,
    isBuild: boolean,
  ): DataChunk | typeof DONE | typeof PAUSE {
    this.#run.environment.checkInterrupts();
    if (this.#run.shouldPause()) return PAUSE;
    const from = isBuild ? this.#partitionBuildRow : this.#partitionProbeRow;
    rows.count = store.read(from, CHUNK_ROWS, rows.columns);
    if (isBuild) this.#partitionBuildRow += rows.count;
    else this.#partitionProbeRow += rows.count;
    return rows.count === 0 ? DONE : rows;
  }

  #addBuildRow(rows: DataChunk, row: number): void {
    const number = this.#store.count;
    if (hasNull(this.#keyVectors, row)) {
      this.#buildHasNull = true;
      const { join } = this.#parts;
      if (join === 'right' || join === 'full') {
        this.#store.appendRow(rows.columns, row);
        this.#setChain(number, 0);
      }
      return;
    }
    this.#store.appendRow(rows.columns, row);
    const key = this.#table.findOrInsert(this.#keyVectors, row);
    if (key >= this.#heads.length) this.#heads = larger(this.#heads);
    this.#setChain(number, this.#heads[key]!);
    this.#heads[key] = number + 1;
  }

  #setChain(row: number, before: number): void {
    if (row >= this.#chain.length) this.#chain = larger(this.#chain);
    this.#chain[row] = before;
  }

  #memory(): number {
    return this.#store.memory + this.#table.memory + this.#store.count * 4 + this.#table.count * 4;
  }

  #isFull(): boolean {
    const depth = this.#partition?.depth ?? 0;
    return depth < DEPTH_MAX && this.#memory() > this.#run.environment.workMem;
  }

  #noteMemory(): void {
    if (this.counters === null) return;
    this.counters.memoryBytes = Math.max(this.counters.memoryBytes, this.#memory());
  }

  /** Moves the build rows so far to partitions; the rest follows as it comes. */
  #split(): void {
    const limit = this.#run.environment.workMem / (2 * PARTITIONS);
    const depth = (this.#partition?.depth ?? 0) + 1;
    const splitting = Array.from({ length: PARTITIONS }, () => {
      const build = new RowStore(this.#run, this.#parts.rightTypes);
      const probe = new RowStore(this.#run, this.#parts.leftTypes);
      build.begin(limit);
      probe.begin(limit);
      return { build, probe, depth };
    });
    this.#splitting = splitting;
    const rows = emptyChunk(this.#parts.rightTypes);
    for (let from = 0; from < this.#store.count; from += rows.count) {
      rows.count = this.#store.read(from, CHUNK_ROWS, rows.columns);
      for (let i = 0; i < this.#rightKeys.length; i++) {
        this.#keyVectors[i] = this.#rightKeys[i]!.evaluate(rows);
      }
      for (let row = 0; row < rows.count; row++) this.#splitBuildRow(splitting, rows, row);
    }
    this.#table.reset();
    this.#store.begin(Number.POSITIVE_INFINITY);
  }

  #splitBuildRow(partitions: readonly Partition[], rows: DataChunk, row: number): void {
    if (hasNull(this.#keyVectors, row)) {
      this.#buildHasNull = true;
      const { join } = this.#parts;
      if (join === 'right' || join === 'full') partitions[0]!.build.appendRow(rows.columns, row);
      return;
    }
    partitions[this.#partOf(this.#keyVectors, row)]!.build.appendRow(rows.columns, row);
  }

  #partOf(keys: readonly ColumnVector[], row: number): number {
    this.#table.find(keys, row);
    const shift = 32 - PARTITION_BITS * ((this.#partition?.depth ?? 0) + 1);
    return (this.#table.hash >>> shift) & (PARTITIONS - 1);
  }

  #spillProbe(): Status {
    for (;;) {
      const rows = this.#pullProbe();
      if (rows === PAUSE || rows === DONE) return rows;
      const keys = this.#leftKeys.map((key) => key.evaluate(rows));
      for (let i = 0; i < rows.count; i++) {
        const row = rows.selection === null ? i : rows.selection[i]!;
        const part = hasNull(keys, row) ? 0 : this.#partOf(keys, row);
        this.#splitting![part]!.probe.appendRow(rows.columns, row);
      }
    }
  }

  #pullProbe(): DataChunk | typeof DONE | typeof PAUSE {
    if (this.#partition === null) {
      const status = this.#parts.left.next();
      return status === CHUNK ? this.#parts.left.chunk : status;
    }
    return this.#pullStore(this.#probeRows, this.#partition.probe, false);
  }

  #probe(): Status {
    const { join } = this.#parts;
    for (;;) {
      if (this.#left === null) {
        const rows = this.#pullProbe();
        if (rows === PAUSE || rows === DONE) return rows;
        this.#left = rows;
        this.#leftPosition = 0;
        this.#chainRow = -1;
        this.#leftKeyVectors = this.#leftKeys.map((key) => key.evaluate(rows));
        this.#leftMatched.fill(0);
        if (this.#rightMatched.length < this.#store.count) {
          this.#rightMatched = new Uint8Array(this.#store.count);
        }
      }
      const left = this.#left;
      if (this.#leftPosition < left.count) {
        const count =
          this.#leftOnly && this.#parts.on === null
            ? this.#markMatches(left)
            : this.#candidates(left);
        if (count > 0 && this.#join(left, count)) return CHUNK;
        continue;
      }
      this.#left = null;
      if (join === 'inner' || join === 'right') continue;
      if (this.#emitLeft(left)) return CHUNK;
    }
  }

  /** Semi and anti joins without a further condition need no rows of the right side. */
  #markMatches(left: DataChunk): number {
    for (; this.#leftPosition < left.count; this.#leftPosition++) {
      const position = this.#leftPosition;
      const row = left.selection === null ? position : left.selection[position]!;
      if (hasNull(this.#leftKeyVectors, row)) continue;
      if (this.#table.find(this.#leftKeyVectors, row) >= 0) this.#leftMatched[row] = 1;
    }
    return 0;
  }

  /** Gathers pairs of rows with equal keys, up to a chunk. */
  #candidates(left: DataChunk): number {
    let count = 0;
    while (this.#leftPosition < left.count) {
      const position = this.#leftPosition;
      const row = left.selection === null ? position : left.selection[position]!;
      if (this.#chainRow < 0) {
        const key = hasNull(this.#leftKeyVectors, row)
          ? -1
          : this.#table.find(this.#leftKeyVectors, row);
        this.#chainRow = key < 0 ? 0 : this.#heads[key]!;
      }
      while (this.#chainRow > 0) {
        if (count === CHUNK_ROWS) return count;
        this.#candidateLeft[count] = row;
        this.#candidateRight[count] = this.#chainRow - 1;
        count++;
        this.#chainRow = this.#chain[this.#chainRow - 1]!;
      }
      this.#chainRow = -1;
      this.#leftPosition++;
    }
    return count;
  }

  /** Puts pairs together and tests the condition; true when rows are to be handed on. */
  #join(left: DataChunk, count: number): boolean {
    const output = this.#output;
    const { on, join } = this.#parts;
    output.clear();
    output.rows.count = count;
    for (let i = 0; i < output.left.length; i++) {
      gatherRows(left.columns[i]!, this.#candidateLeft, count, output.left[i]!, 0);
    }
    for (let i = 0; i < count; i++) this.#store.readRow(this.#candidateRight[i]!, output.right, i);
    let kept = count;
    if (on !== null) {
      kept = on.narrow(output.rows, this.#selection);
      if (this.counters !== null) this.counters.rowsRemoved += count - kept;
    }
    const isAll = kept === count;
    if (join !== 'inner') {
      for (let i = 0; i < kept; i++) {
        const at = isAll ? i : this.#selection[i]!;
        this.#leftMatched[this.#candidateLeft[at]!] = 1;
        this.#rightMatched[this.#candidateRight[at]!] = 1;
      }
    }
    if (this.#leftOnly || kept === 0) return false;
    this.chunk.columns = output.rows.columns;
    this.chunk.count = kept;
    this.chunk.selection = isAll ? null : this.#selection;
    return true;
  }

  /** Left rows whose match, or lack of one, decides. */
  #emitLeft(left: DataChunk): boolean {
    const { join } = this.#parts;
    if (join === 'nullAnti' && this.#buildHasNull) return false;
    const wanted = join === 'semi' ? 1 : 0;
    let kept = 0;
    for (let i = 0; i < left.count; i++) {
      const row = left.selection === null ? i : left.selection[i]!;
      if (this.#leftMatched[row] !== wanted) continue;
      if (join === 'nullAnti' && !this.#buildIsEmpty && hasNull(this.#leftKeyVectors, row))
        continue;
      this.#selection[kept++] = row;
    }
    if (kept === 0) return false;
    this.chunk.columns = this.#leftOnly
      ? left.columns
      : [...left.columns, ...this.#output.rightNulls];
    this.chunk.count = kept;
    this.chunk.selection = this.#selection;
    return true;
  }

  #emitUnmatchedRight(): boolean {
    const output = this.#output;
    output.clear();
    let count = 0;
    while (count < CHUNK_ROWS && this.#unmatchedRow < this.#store.count) {
      const row = this.#unmatchedRow++;
      if (row < this.#rightMatched.length && this.#rightMatched[row] === 1) continue;
      this.#store.readRow(row, output.right, count++);
    }
    if (count === 0) return false;
    this.chunk.columns = [...output.leftNulls, ...output.right];
    this.chunk.count = count;
    this.chunk.selection = null;
    return true;
  }

  #closePartitions(): void {
    const partitions = [...this.#waiting, ...(this.#splitting ?? [])];
    if (this.#partition !== null) partitions.push(this.#partition);
    for (const partition of partitions) {
      partition.build.close();
      partition.probe.close();
    }
    this.#waiting = [];
    this.#splitting = null;
    this.#partition = null;
  }

  override close(): void {
    this.#parts.left.close();
    this.#parts.right.close();
    this.#probeOpen = false;
    this.#isBuilt = false;
    this.#closePartitions();
    this.#store.close();
    this.#table.reset();
  }
}

function emptyChunk(types: readonly SqlType[]): DataChunk {
  return { columns: types.map((type) => createVector(type)), count: 0, selection: null };
}

function hasNull(vectors: readonly ColumnVector[], row: number): boolean {
  for (let i = 0; i < vectors.length; i++) {
    const vector = vectors[i]!;
    if (!vector.allValid && vector.valid[row] === 0) return true;
  }
  return false;
}

function larger(values: Int32Array): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(values.length * 2);
  copy.set(values);
  return copy;
}
