import { compareByteRanges } from '../../../base/index.ts';
import type { BytesVector, ColumnVector, DataChunk } from '../../../chunk/index.ts';
import type { Evaluator } from '../expression/evaluator.ts';
import type { Accumulator } from './accumulator.ts';

const SPACE = 0x20;
/** What a group takes beside its value. */
const GROUP_BYTES = 40;
const CAPACITY_MIN = 16;

/** The value of a group; `length` is NONE before the first. */
interface Extreme {
  bytes: Uint8Array;
  length: number;
  /** Without the padding that does not count. */
  compared: number;
}

const NONE = -1;

/** max and min of text and char(n), on the stored bytes, whose order is that of the values. */
export class BytesExtremeAccumulator implements Accumulator {
  readonly #argument: Evaluator;
  readonly #sign: 1 | -1;
  readonly #isPadded: boolean;
  #groups: Extreme[] = [];
  #byteCount = 0;

  /** `isPadded`: spaces at the end do not count. */
  constructor(argument: Evaluator, kind: 'min' | 'max', isPadded: boolean) {
    this.#argument = argument;
    this.#sign = kind === 'max' ? 1 : -1;
    this.#isPadded = isPadded;
  }

  reset(): void {
    this.#groups = [];
    this.#byteCount = 0;
  }

  grow(count: number): void {
    while (this.#groups.length < count) {
      this.#groups.push({ bytes: NOTHING, length: NONE, compared: 0 });
    }
  }

  update(rows: DataChunk, groups: Int32Array | null): void {
    const vector = this.#argument.evaluate(rows) as BytesVector;
    const { selection, count } = rows;
    const { buffer, start, length, valid, allValid } = vector;
    const sign = this.#sign;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      if (!allValid && valid[row] === 0) continue;
      const extreme = this.#groups[groups === null ? 0 : groups[row]!]!;
      const from = start[row]!;
      const to = from + length[row]!;
      const end = this.#isPadded ? withoutPadding(buffer, from, to) : to;
      if (extreme.length !== NONE) {
        const { bytes, compared } = extreme;
        if (compareByteRanges(buffer, from, end, bytes, 0, compared) * sign <= 0) continue;
      }
      this.#keep(extreme, buffer, from, to);
      extreme.compared = end - from;
    }
  }

  #keep(extreme: Extreme, bytes: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (extreme.bytes.length < length) {
      const capacity = Math.max(CAPACITY_MIN, length);
      this.#byteCount += capacity - extreme.bytes.length;
      extreme.bytes = new Uint8Array(capacity);
    }
    extreme.bytes.set(bytes.subarray(from, to));
    extreme.length = length;
  }

  complete(): boolean {
    return true;
  }

  finish(group: number, out: ColumnVector, row: number): void {
    const { bytes, length } = this.#groups[group]!;
    if (length === NONE) out.setNull(row);
    else (out as BytesVector).setRange(row, bytes, 0, length);
  }

  memory(): number {
    return this.#byteCount + this.#groups.length * GROUP_BYTES;
  }

  close(): void {
    this.reset();
  }
}

const NOTHING = new Uint8Array(0);

function withoutPadding(bytes: Uint8Array, from: number, to: number): number {
  let end = to;
  while (end > from && bytes[end - 1] === SPACE) end--;
  return end;
}
