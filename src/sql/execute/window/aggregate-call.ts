import {
  CHUNK_ROWS,
  type ColumnVector,
  copyRow,
  createVector,
  type DataChunk,
} from '../../../chunk/index.ts';
import type { SqlType } from '../../../types/index.ts';
import type { Accumulator } from '../aggregate/accumulator.ts';
import { Subset } from '../expression/evaluator.ts';
import { FrameParts } from './frame-parts.ts';
import type { Frames } from './frames.ts';
import type { PagedColumns } from './paged-columns.ts';
import type { Segment } from './window-batch.ts';
import type { WindowCall } from './window-call.ts';

/** An aggregate over the frame of each row. While the frame begins where that of the row before did, only
 * its new rows are added; rows that have left it are taken away again where the aggregate can do that.
 * Otherwise it starts over. */
export class AggregateCall implements WindowCall {
  readonly #accumulator: Accumulator;
  /** The arguments at the rows that are added, and at those that are taken away. */
  readonly #added: PagedColumns;
  readonly #removed: PagedColumns | null;
  readonly #parts = new FrameParts();
  readonly #part = new Subset(CHUNK_ROWS);
  readonly #page: DataChunk = { columns: [], count: CHUNK_ROWS, selection: null };
  readonly #result: ColumnVector;
  #segment: Segment | null = null;
  /** The accumulator holds the rows from `from` to `to` - 1. */
  #from = 0;
  #to = 0;

  /** The accumulator takes its arguments from the columns of `added`. Without `removed` it starts over. */
  constructor(
    accumulator: Accumulator,
    type: SqlType,
    added: PagedColumns,
    removed: PagedColumns | null,
  ) {
    this.#accumulator = accumulator;
    this.#added = added;
    this.#removed = removed;
    this.#result = createVector(type, 1);
  }

  begin(): void {
    this.#added.begin();
    this.#removed?.begin();
    this.#segment = null;
  }

  compute(frames: Frames, from: number, to: number, out: ColumnVector): void {
    const excludes = frames.frame.exclude !== 'none';
    for (let i = from; i < to; i++) {
      const segment = frames.segments[i]!;
      const isNew = segment !== this.#segment;
      if (isNew) this.#beginSegment(segment);
      const hasChanged = excludes ? this.#recompute(frames, i) : this.#advance(frames, i);
      if (isNew || hasChanged) {
        this.#result.reset();
        this.#accumulator.finish(0, this.#result, 0);
      }
      copyRow(this.#result, 0, out, i);
    }
  }

  #beginSegment(segment: Segment): void {
    this.#segment = segment;
    this.#from = segment.start;
    this.#to = segment.start;
    // A partition that goes on from the batch before has all its rows so far in the accumulator.
    if (segment.rowsBefore === 0) this.#clear();
  }

  #clear(): void {
    this.#accumulator.reset();
    this.#accumulator.grow(1);
  }

  #recompute(frames: Frames, i: number): boolean {
    this.#parts.locate(frames, i);
    this.#clear();
    for (let part = 0; part < this.#parts.count; part++) {
      this.#add(this.#parts.from[part]!, this.#parts.to[part]!);
    }
    return true;
  }

  /** Moves on to the frame of a row; false when it is that of the row before. */
  #advance(frames: Frames, i: number): boolean {
    const start = frames.starts[i]!;
    const end = Math.max(start, frames.ends[i]!);
    const hasChanged = start !== this.#from || end !== this.#to;
    if (start !== this.#from) {
      if (start >= this.#to || !this.#remove(this.#from, start)) {
        this.#clear();
        this.#to = start;
      }
      this.#from = start;
    }
    if (end > this.#to) this.#add(this.#to, end);
    this.#to = end;
    return hasChanged;
  }

  #add(from: number, to: number): void {
    for (let at = from; at < to; ) {
      const rows = this.#rowsOf(this.#added, at, to);
      this.#accumulator.update(rows, null);
      at += rows.count;
    }
  }

  /** False when the rows cannot be taken away; the accumulator is good for nothing then. */
  #remove(from: number, to: number): boolean {
    if (this.#removed === null) return false;
    for (let at = from; at < to; ) {
      const rows = this.#rowsOf(this.#removed, at, to);
      if (this.#accumulator.remove?.(rows) !== true) return false;
      at += rows.count;
    }
    return true;
  }

  /** The rows from `at` on that are in its page. */
  #rowsOf(columns: PagedColumns, at: number, to: number): DataChunk {
    const row = columns.seek(at);
    const count = Math.min(CHUNK_ROWS - row, to - at);
    if (count === CHUNK_ROWS) {
      this.#page.columns = columns.vectors;
      return this.#page;
    }
    const part = this.#part;
    part.columns = columns.vectors;
    part.count = count;
    for (let i = 0; i < count; i++) part.selection[i] = row + i;
    return part;
  }

  close(): void {
    this.#accumulator.close();
  }
}
