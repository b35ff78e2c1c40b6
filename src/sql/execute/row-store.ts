import {
  encodeTuple,
  layoutOfTypes,
  readColumn,
  type TupleLayout,
  type TupleRun,
} from '../../access/index.ts';
import { ByteWriter } from '../../base/index.ts';
import type { ColumnVector, DataChunk } from '../../chunk/index.ts';
import type { SqlType } from '../../types/index.ts';
import type { SpillFile } from './environment.ts';
import type { Run } from './run.ts';

/** Bytes of tuples after which a block is closed: a part of what may be held in memory, within these. */
const BLOCK_BYTES_MIN = 4 * 1024;
const BLOCK_BYTES_MAX = 64 * 1024;
/** Bytes that a block takes up in memory besides its own. */
const BLOCK_OVERHEAD = 200;
/** Rows of the open block that there is room for at first, and of which room is kept for another use. */
const STARTS_MIN = 16;
const STARTS_KEPT = 4096;

/** Tuples one after the other; in memory, or in the spill file with the starts behind the tuples. */
interface Block {
  readonly firstRow: number;
  readonly count: number;
  readonly tupleBytes: number;
  memory: TupleRun | null;
  position: number;
}

/** Rows that an operator keeps: in memory up to a limit, beyond it in a spill file. Rows are only
 * added; they can be read in order, again and again, and one by one. */
export class RowStore {
  readonly #run: Run;
  readonly #layout: TupleLayout;
  #blocks: Block[] = [];
  #open = new ByteWriter(1024);
  /** Starts of the tuples in `#open`; the first `#openCount` count. */
  #openStarts = new Int32Array(STARTS_MIN);
  #openCount = 0;
  #openFirstRow = 0;
  /** `#open` as it is read: good as long as its buffers are those of `#open` and `#openStarts`. Rows may
   * be read after each that is added (recursive unions), so that adding must not copy what is there. */
  #openRun: TupleRun | null = null;
  #file: SpillFile | null = null;
  #memory = 0;
  #limit = Number.POSITIVE_INFINITY;
  #blockBytes = BLOCK_BYTES_MAX;
  /** The block in which a row was found last. */
  #recent: Block | null = null;
  /** The block of the spill file that was read last, and its tuples. */
  #loaded: Block | null = null;
  #loadedRun: TupleRun | null = null;
  spilledBytes = 0;

  constructor(run: Run, types: readonly SqlType[]) {
    this.#run = run;
    this.#layout = layoutOfTypes(types);
  }

  get count(): number {
    return this.#openFirstRow + this.#openCount;
  }

  /** Bytes held in memory. */
  get memory(): number {
    return this.#memory + this.#open.position + this.#openStarts.byteLength;
  }

  get isSpilled(): boolean {
    return this.#file !== null;
  }

  /** Forgets all rows; `limit` bytes are kept in memory from now on. */
  begin(limit: number): void {
    this.close();
    this.#limit = limit;
    this.#blockBytes = Math.max(BLOCK_BYTES_MIN, Math.min(BLOCK_BYTES_MAX, limit / 4));
  }

  append(rows: DataChunk): void {
    const { selection, count } = rows;
    for (let i = 0; i < count; i++)
      this.appendRow(rows.columns, selection === null ? i : selection[i]!);
  }

  appendRow(columns: readonly ColumnVector[], row: number): void {
    if (this.#openCount === this.#openStarts.length) this.#growStarts();
    this.#openStarts[this.#openCount++] = this.#open.position;
    encodeTuple(this.#layout, columns, row, this.#open);
    if (this.#open.position >= this.#blockBytes) this.#closeBlock();
  }

  #growStarts(): void {
    const grown = new Int32Array(2 * this.#openStarts.length);
    grown.set(this.#openStarts);
    this.#openStarts = grown;
  }

  #closeBlock(): void {
    const bytes = this.#open.copy();
    const block: Block = {
      firstRow: this.#openFirstRow,
      count: this.#openCount,
      tupleBytes: bytes.length,
      memory: {
        bytes,
        view: viewOf(bytes),
        valueStart: this.#openStarts.slice(0, this.#openCount),
      },
      position: 0,
    };
    this.#blocks.push(block);
    this.#memory += BLOCK_OVERHEAD + bytes.length + block.count * 4;
    this.#openFirstRow += block.count;
    this.#openCount = 0;
    this.#open.reset();
    if (this.#memory > this.#limit) this.#spill();
  }

  #spill(): void {
    this.#file ??= this.#run.environment.createSpillFile();
    for (const block of this.#blocks) {
      if (block.memory === null) continue;
      const { bytes, valueStart } = block.memory;
      block.position = this.#file.write(bytes, 0, bytes.length);
      const starts = new Uint8Array(valueStart.buffer, 0, valueStart.byteLength);
      this.#file.write(starts, 0, starts.length);
      this.spilledBytes += bytes.length + starts.length;
      block.memory = null;
    }
    this.#memory = this.#blocks.length * BLOCK_OVERHEAD;
  }

  /** Reads rows from `first` on into rows 0 and on of the vectors, at most `max`; returns how many. The
   * vectors are of the first columns, or of those that are named. */
  read(
    first: number,
    max: number,
    vectors: readonly ColumnVector[],
    columns: readonly number[] | null = null,
  ): number {
    for (const vector of vectors) vector.reset();
    let done = 0;
    while (done < max && first + done < this.count) {
      const block = this.#blockOf(first + done);
      const run = this.#runOf(block);
      const from = first + done - (block?.firstRow ?? this.#openFirstRow);
      const available = (block?.count ?? this.#openCount) - from;
      const count = Math.min(available, max - done);
      for (let i = 0; i < vectors.length; i++) {
        const column = columns === null ? i : columns[i]!;
        readColumn(this.#layout, column, run, from, count, vectors[i]!, done);
      }
      done += count;
    }
    return done;
  }

  /** Reads one row into a row of vectors. */
  readRow(row: number, vectors: readonly ColumnVector[], outRow: number): void {
    const block = this.#blockOf(row);
    const run = this.#runOf(block);
    const from = row - (block?.firstRow ?? this.#openFirstRow);
    for (let i = 0; i < vectors.length; i++) {
      readColumn(this.#layout, i, run, from, 1, vectors[i]!, outRow);
    }
  }

  /** The block of a row; null for the one that is still open. */
  #blockOf(row: number): Block | null {
    if (row >= this.#openFirstRow) return null;
    const blocks = this.#blocks;
    const recent = this.#recent;
    if (recent !== null && row >= recent.firstRow && row < recent.firstRow + recent.count) {
      return recent;
    }
    let low = 0;
    let high = blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (blocks[middle]!.firstRow <= row) low = middle;
      else high = middle - 1;
    }
    this.#recent = blocks[low]!;
    return this.#recent;
  }

  #runOf(block: Block | null): TupleRun {
    if (block === null) return this.#runOfOpen();
    if (block.memory !== null) return block.memory;
    if (this.#loaded !== block || this.#loadedRun === null) {
      const bytes = new Uint8Array(block.tupleBytes);
      this.#file!.read(block.position, block.tupleBytes, bytes, 0);
      const valueStart = new Int32Array(block.count);
      const startBytes = new Uint8Array(valueStart.buffer);
      this.#file!.read(block.position + block.tupleBytes, startBytes.length, startBytes, 0);
      this.#loadedRun = { bytes, view: viewOf(bytes), valueStart };
      this.#loaded = block;
    }
    return this.#loadedRun;
  }

  #runOfOpen(): TupleRun {
    const { bytes, view } = this.#open;
    const valueStart = this.#openStarts;
    let run = this.#openRun;
    if (run === null || run.bytes !== bytes || run.valueStart !== valueStart) {
      run = { bytes, view, valueStart };
      this.#openRun = run;
    }
    return run;
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
    this.#blocks = [];
    this.#open.reset();
    if (this.#open.bytes.length > 2 * BLOCK_BYTES_MAX) this.#open = new ByteWriter(1024);
    if (this.#openStarts.length > STARTS_KEPT) this.#openStarts = new Int32Array(STARTS_MIN);
    this.#openCount = 0;
    this.#openFirstRow = 0;
    this.#openRun = null;
    this.#recent = null;
    this.#loaded = null;
    this.#loadedRun = null;
    this.#memory = 0;
    this.spilledBytes = 0;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
