import { encodeKeyPartOfVector } from '../../access/index.ts';
import { ByteWriter, compareByteRanges } from '../../base/index.ts';
import { CHUNK_ROWS, type ColumnVector, createVector, type DataChunk } from '../../chunk/index.ts';
import type { NodeInstrumentation } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { isLeftOnly, JoinOutput, type JoinParts } from './join-output.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import { RowStore } from './row-store.ts';

/** One sorted input, row by row, with the encoded key of its present row. */
class SortedInput {
  readonly operator: Operator;
  readonly #keys: readonly Evaluator[];
  #vectors: ColumnVector[] = [];
  #rows: DataChunk | null = null;
  #position = -1;
  readonly key = new ByteWriter(64);
  hasNull = false;
  row = 0;

  constructor(operator: Operator, keys: readonly Evaluator[]) {
    this.operator = operator;
    this.#keys = keys;
  }

  get columns(): readonly ColumnVector[] {
    return this.#rows!.columns;
  }

  begin(): void {
    this.#rows = null;
    this.#position = -1;
  }

  /** Moves to the next row: CHUNK when there is one. */
  advance(): Status {
    if (this.#rows === null || this.#position + 1 >= this.#rows.count) {
      this.#rows = null;
      const status = this.operator.next();
      if (status !== CHUNK) return status;
      this.#rows = this.operator.chunk;
      this.#position = -1;
      this.#vectors = this.#keys.map((key) => key.evaluate(this.#rows!));
    }
    this.#position++;
    const { selection } = this.#rows;
    this.row = selection === null ? this.#position : selection[this.#position]!;
    this.#encodeKey();
    return CHUNK;
  }

  #encodeKey(): void {
    const key = this.key.reset();
    this.hasNull = false;
    for (let i = 0; i < this.#keys.length; i++) {
      const vector = this.#vectors[i]!;
      if (vector.isNull(this.row)) this.hasNull = true;
      encodeKeyPartOfVector(this.#keys[i]!.type, vector, this.row, false, false, key);
    }
  }
}

/** Joins two inputs that are sorted by the keys, ascending, NULLs last.
 *
 * Right rows with equal keys are kept as a group, with which each left row of that key is joined.
 *
 *   left < group: the left row is alone      left > group: the next group is read
 *   left = group: pairs, tested by the condition */
export class MergeJoin extends Operator {
  readonly #parts: JoinParts;
  readonly #left: SortedInput;
  readonly #right: SortedInput;
  readonly #leftOnly: boolean;
  readonly #outerRight: boolean;
  readonly #output: JoinOutput;
  readonly #candidates: JoinOutput;
  readonly #matches = new Int32Array(CHUNK_ROWS);
  readonly #group: RowStore;
  readonly #groupKey = new ByteWriter(64);
  readonly #groupRow: ColumnVector[];
  #groupMatched = new Uint8Array(16);
  #hasGroup = false;
  #groupHasNull = false;
  #isLoading = false;
  #rightHasRow = false;
  #rightDone = false;
  #leftHasRow = false;
  #leftDone = false;
  /** Next row of the group to pair with the left row; -1 when it is not being paired. */
  #pairing = -1;
  #leftMatched = false;
  /** Next row of the group to hand on alone; -1 when none is. */
  #flushing = -1;
  #matchCount = 0;
  #matchPosition = 0;
  #expected = Number.POSITIVE_INFINITY;
  counters: NodeInstrumentation | null = null;

  constructor(parts: JoinParts, leftKeys: readonly Evaluator[], rightKeys: readonly Evaluator[]) {
    super();
    this.#parts = parts;
    this.#left = new SortedInput(parts.left, leftKeys);
    this.#right = new SortedInput(parts.right, rightKeys);
    this.#leftOnly = isLeftOnly(parts.join);
    this.#outerRight = parts.join === 'right' || parts.join === 'full';
    this.#output = new JoinOutput(parts.leftTypes, this.#leftOnly ? [] : parts.rightTypes);
    this.#candidates = new JoinOutput(parts.leftTypes, parts.rightTypes);
    this.#group = new RowStore(parts.run, parts.rightTypes);
    this.#groupRow = parts.rightTypes.map((type) => createVector(type, 1));
    this.chunk = this.#output.rows;
  }

  override open(): void {
    this.#parts.left.open();
    this.#parts.right.open();
    this.#begin();
  }

  override rescan(): void {
    this.#parts.left.rescan();
    this.#parts.right.rescan();
    this.#begin();
  }

  override expectRows(count: number): void {
    this.#expected = count;
    this.#parts.left.expectRows(count);
    this.#parts.right.expectRows(count);
  }

  #begin(): void {
    this.#left.begin();
    this.#right.begin();
    this.#group.begin(this.#parts.run.environment.workMem);
    this.#output.begin(this.#expected);
    this.#hasGroup = false;
    this.#isLoading = false;
    this.#rightHasRow = false;
    this.#rightDone = false;
    this.#leftHasRow = false;
    this.#leftDone = false;
    this.#pairing = -1;
    this.#flushing = -1;
    this.#matchCount = 0;
    this.#matchPosition = 0;
  }

  override next(): Status {
    if (this.#output.isFull || this.#isDone()) this.#output.advance();
    while (!this.#isDone()) {
      if (this.#step() === PAUSE) return PAUSE;
      if (this.#output.isFull) return CHUNK;
    }
    return this.#output.rows.count > 0 ? CHUNK : DONE;
  }

  #isDone(): boolean {
    if (!this.#leftDone || this.#pairing >= 0 || this.#flushing >= 0) return false;
    return !this.#outerRight || (this.#rightDone && !this.#hasGroup && !this.#rightHasRow);
  }

  /** One small step of the merge, adding at most as many rows as fit the output. */
  #step(): Status {
    if (this.#matchPosition < this.#matchCount) return this.#passMatches();
    if (this.#pairing >= 0) return this.#pair();
    if (this.#flushing >= 0) return this.#flush();
    if (this.#isLoading) return this.#load();
    if (!this.#leftHasRow && !this.#leftDone) {
      const status = this.#left.advance();
      if (status === PAUSE) return PAUSE;
      this.#leftHasRow = status === CHUNK;
      this.#leftDone = status === DONE;
      return CHUNK;
    }
    if (!this.#hasGroup) {
      if (!this.#rightDone || this.#rightHasRow) {
        this.#isLoading = true;
        this.#group.begin(this.#parts.run.environment.workMem);
      } else if (this.#leftHasRow) this.#leftAlone();
      return CHUNK;
    }
    const order = this.#leftDone ? 1 : this.#compare();
    if (order > 0) this.#flushing = 0;
    else if (order < 0 || this.#left.hasNull) this.#leftAlone();
    else {
      this.#pairing = 0;
      this.#leftMatched = false;
    }
    return CHUNK;
  }

  #compare(): number {
    const a = this.#left.key;
    const b = this.#groupKey;
    const order = compareByteRanges(a.bytes, 0, a.position, b.bytes, 0, b.position);
    return order === 0 && this.#groupHasNull ? 1 : order;
  }

  #leftAlone(): void {
    const { join } = this.#parts;
    if (join === 'left' || join === 'full' || join === 'anti') {
      this.#output.add(this.#left.columns, this.#left.row, null, 0);
    }
    this.#leftHasRow = false;
  }

  /** Reads right rows until the key changes. */
  #load(): Status {
    const right = this.#right;
    for (;;) {
      if (!this.#rightHasRow) {
        const status = this.#rightDone ? DONE : right.advance();
        if (status === PAUSE) return PAUSE;
        if (status === DONE) {
          this.#rightDone = true;
          break;
        }
        this.#rightHasRow = true;
      }
      if (this.#group.count === 0) {
        this.#groupKey.reset();
        this.#groupKey.range(right.key.bytes, 0, right.key.position);
        this.#groupHasNull = right.hasNull;
      } else if (this.#differsFromGroup()) break;
      this.#group.appendRow(right.columns, right.row);
      this.#rightHasRow = false;
    }
    this.#isLoading = false;
    this.#hasGroup = this.#group.count > 0;
    if (this.#groupMatched.length < this.#group.count) {
      this.#groupMatched = new Uint8Array(this.#group.count * 2);
    } else this.#groupMatched.fill(0);
    return CHUNK;
  }

  #differsFromGroup(): boolean {
    const a = this.#right.key;
    const b = this.#groupKey;
    return compareByteRanges(a.bytes, 0, a.position, b.bytes, 0, b.position) !== 0;
  }

  /** Pairs the left row with further rows of the group. */
  #pair(): Status {
    const from = this.#pairing;
    const count = Math.min(CHUNK_ROWS, this.#group.count - from);
    const candidates = this.#candidates;
    if (count === 0) return this.#endPairing();
    candidates.clear();
    for (let i = 0; i < count; i++) {
      candidates.add(this.#left.columns, this.#left.row, null, 0);
    }
    this.#group.read(from, count, candidates.right);
    const { on, join } = this.#parts;
    this.#pairing = from + count;
    this.#matchPosition = 0;
    this.#matchCount = count;
    if (on === null) for (let i = 0; i < count; i++) this.#matches[i] = i;
    else this.#matchCount = on.narrow(candidates.rows, this.#matches);
    if (this.#matchCount > 0) this.#leftMatched = true;
    if (this.#outerRight) {
      for (let i = 0; i < this.#matchCount; i++) this.#groupMatched[from + this.#matches[i]!] = 1;
    }
    if (this.#leftOnly) {
      this.#matchCount = 0;
      if (this.#leftMatched && join === 'semi') return this.#endPairing();
    }
    return CHUNK;
  }

  #endPairing(): Status {
    this.#pairing = -1;
    if (!this.#leftMatched) this.#leftAlone();
    else {
      if (this.#parts.join === 'semi') {
        this.#output.add(this.#left.columns, this.#left.row, null, 0);
      }
      this.#leftHasRow = false;
    }
    return CHUNK;
  }

  #passMatches(): Status {
    const { left, right } = this.#candidates;
    while (this.#matchPosition < this.#matchCount && !this.#output.isFull) {
      const row = this.#matches[this.#matchPosition++]!;
      this.#output.add(left, row, right, row);
    }
    return CHUNK;
  }

  /** Leaves the group; its rows without a match are handed on in right and full joins. */
  #flush(): Status {
    if (this.#outerRight) {
      while (this.#flushing < this.#group.count) {
        if (this.#output.isFull) return CHUNK;
        const row = this.#flushing++;
        if (this.#groupMatched[row] === 1) continue;
        for (const vector of this.#groupRow) vector.reset();
        this.#group.readRow(row, this.#groupRow, 0);
        this.#output.add(null, 0, this.#groupRow, 0);
      }
    }
    this.#flushing = -1;
    this.#hasGroup = false;
    return CHUNK;
  }

  override close(): void {
    this.#parts.left.close();
    this.#parts.right.close();
    this.#group.close();
  }
}
