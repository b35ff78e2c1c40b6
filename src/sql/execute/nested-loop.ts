import {
  CHUNK_ROWS,
  type ColumnVector,
  type DataChunk,
  type NumberVector,
  readDatum,
} from '../../chunk/index.ts';
import type { NodeInstrumentation } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { isLeftOnly, JoinOutput, type JoinParts } from './join-output.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';

/** For each left row: fill the slots, run the right input, join what it gives.
 *
 * Rows gather in `#output` until it is full, as most runs of the right input give few. Where there is
 * a condition, the pairs of one left row and one right chunk are put together in `#candidates`, for
 * the condition to be computed at once. */
export class NestedLoop extends Operator {
  readonly #parts: JoinParts;
  readonly #slots: readonly number[];
  readonly #values: readonly Evaluator[];
  readonly #output: JoinOutput;
  readonly #candidates: JoinOutput | null;
  readonly #matches = new Int32Array(CHUNK_ROWS);
  #leftRows: DataChunk | null = null;
  #leftPosition = 0;
  #valueVectors: ColumnVector[] = [];
  #rightOpen = false;
  #rightRunning = false;
  #matchCount = 0;
  #matchPosition = 0;
  #hasMatch = false;
  #leftDone = false;
  #expected = Number.POSITIVE_INFINITY;
  counters: NodeInstrumentation | null = null;

  constructor(parts: JoinParts, slots: readonly number[], values: readonly Evaluator[]) {
    super();
    this.#parts = parts;
    this.#slots = slots;
    this.#values = values;
    const rightTypes = isLeftOnly(parts.join) ? [] : parts.rightTypes;
    this.#output = new JoinOutput(parts.leftTypes, rightTypes);
    this.#candidates = parts.on === null ? null : new JoinOutput(parts.leftTypes, parts.rightTypes);
    this.chunk = this.#output.rows;
    // One match is enough, and the right input is run for each row.
    if (isLeftOnly(parts.join) && slots.length > 0) parts.right.expectRows(1);
  }

  override expectRows(count: number): void {
    this.#expected = count;
    this.#parts.left.expectRows(count);
    if (!isLeftOnly(this.#parts.join)) this.#parts.right.expectRows(count);
  }

  override open(): void {
    this.#parts.left.open();
    this.#begin();
  }

  override rescan(): void {
    this.#parts.left.rescan();
    this.#begin();
  }

  #begin(): void {
    this.#leftRows = null;
    this.#leftPosition = 0;
    this.#rightRunning = false;
    this.#matchCount = 0;
    this.#matchPosition = 0;
    this.#leftDone = false;
    this.#output.begin(this.#expected);
  }

  override next(): Status {
    const output = this.#output;
    if (output.isFull || this.#leftDone) output.advance();
    while (!this.#leftDone) {
      if (this.#matchPosition < this.#matchCount) {
        if (!this.#passMatches()) return CHUNK;
        continue;
      }
      if (!this.#rightRunning) {
        if (this.#leftRows === null || this.#leftPosition >= this.#leftRows.count) {
          this.#leftRows = null;
          const status = this.#parts.left.next();
          if (status === PAUSE) return PAUSE;
          if (status === DONE) {
            this.#leftDone = true;
            break;
          }
          this.#leftRows = this.#parts.left.chunk;
          this.#leftPosition = 0;
          this.#valueVectors = this.#values.map((value) => value.evaluate(this.#leftRows!));
        }
        this.#startRight();
      }
      const status = this.#parts.right.next();
      if (status === PAUSE) return PAUSE;
      if (status === CHUNK) this.#match(this.#leftRows!);
      else this.#finishLeftRow();
      if (output.isFull) return CHUNK;
    }
    if (output.rows.count > 0) {
      return CHUNK;
    }
    return DONE;
  }

  #leftRow(): number {
    const { selection } = this.#leftRows!;
    return selection === null ? this.#leftPosition : selection[this.#leftPosition]!;
  }

  #startRight(): void {
    const row = this.#leftRow();
    for (let i = 0; i < this.#slots.length; i++) {
      const value = readDatum(this.#valueVectors[i]!, row, this.#values[i]!.type);
      this.#parts.run.setSlot(this.#slots[i]!, value);
    }
    if (this.#rightOpen) this.#parts.right.rescan();
    else this.#parts.right.open();
    this.#rightOpen = true;
    this.#rightRunning = true;
    this.#hasMatch = false;
  }

  /** Finds the rows of the right chunk that join the left row. */
  #match(leftRows: DataChunk): void {
    const right = this.#parts.right.chunk;
    const { on, join } = this.#parts;
    this.#matchPosition = 0;
    if (on === null) {
      this.#matchCount = right.count;
      for (let i = 0; i < right.count; i++) {
        this.#matches[i] = right.selection === null ? i : right.selection[i]!;
      }
    } else this.#matchCount = this.#matchOn(on, leftRows, right);
    if (this.#matchCount > 0) this.#hasMatch = true;
    if (isLeftOnly(join)) {
      this.#matchCount = 0;
      if (this.#hasMatch) this.#endRight();
    }
  }

  /** Ends the run of the right input early: one match is enough. */
  #endRight(): void {
    this.#rightRunning = false;
    if (this.#parts.join === 'semi') {
      this.#output.add(this.#leftRows!.columns, this.#leftRow(), null, 0);
    }
    this.#leftPosition++;
  }

  #matchOn(on: Evaluator, leftRows: DataChunk, right: DataChunk): number {
    const candidates = this.#candidates!;
    const leftRow = this.#leftRow();
    candidates.clear();
    for (let i = 0; i < right.count; i++) {
      const row = right.selection === null ? i : right.selection[i]!;
      candidates.add(leftRows.columns, leftRow, right.columns, row);
    }
    const kept =
      this.#parts.join === 'nullAnti'
        ? selectNotFalse(
            on.evaluate(candidates.rows) as NumberVector,
            candidates.rows,
            this.#matches,
          )
        : on.narrow(candidates.rows, this.#matches);
    if (this.counters !== null) this.counters.rowsRemoved += right.count - kept;
    for (let i = 0; i < kept; i++) {
      const at = this.#matches[i]!;
      this.#matches[i] = right.selection === null ? at : right.selection[at]!;
    }
    return kept;
  }

  /** False when the output is full. */
  #passMatches(): boolean {
    const left = this.#leftRows!.columns;
    const right = this.#parts.right.chunk.columns;
    const leftRow = this.#leftRow();
    while (this.#matchPosition < this.#matchCount) {
      if (this.#output.isFull) return false;
      this.#output.add(left, leftRow, right, this.#matches[this.#matchPosition++]!);
    }
    return !this.#output.isFull;
  }

  #finishLeftRow(): void {
    const { join } = this.#parts;
    this.#rightRunning = false;
    const alone = join === 'left' || join === 'anti' || join === 'nullAnti';
    if (alone && !this.#hasMatch) {
      this.#output.add(this.#leftRows!.columns, this.#leftRow(), null, 0);
    }
    this.#leftPosition++;
  }

  override close(): void {
    this.#parts.left.close();
    this.#parts.right.close();
    this.#rightOpen = false;
  }
}

/** Rows for which a condition is true or NULL: NOT IN is decided by both. */
function selectNotFalse(vector: NumberVector, rows: DataChunk, out: Int32Array): number {
  let kept = 0;
  for (let row = 0; row < rows.count; row++) {
    if (vector.isNull(row) || vector.values[row] !== 0) out[kept++] = row;
  }
  return kept;
}
