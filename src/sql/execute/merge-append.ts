import { encodeKeyPartOfVector } from '../../access/index.ts';
import { ByteWriter, compareByteRanges } from '../../base/index.ts';
import { CHUNK_ROWS, type ColumnVector, copyRow, createVector } from '../../chunk/index.ts';
import type { SqlType } from '../../types/index.ts';
import { InputSelection, type InputSource } from './append.ts';
import type { NodeInstrumentation } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import type { InputPruning } from './input-pruning.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';

export interface MergeKey {
  readonly value: Evaluator;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** The rows of inputs that are sorted, in that order: a heap of the inputs' next rows. A chunk ends
 * where an input has to be asked for more, so that a pause of it loses nothing. */
export class MergeAppend extends Operator {
  readonly #heads: readonly Head[];
  readonly #selection: InputSelection;
  readonly #vectors: ColumnVector[];
  readonly #heap: Head[] = [];
  /** Inputs whose next row is not known. */
  readonly #waiting: Head[] = [];
  #hasBegun = false;
  #expected = Number.POSITIVE_INFINITY;

  constructor(
    inputs: readonly InputSource[],
    types: readonly SqlType[],
    keys: (input: number) => readonly MergeKey[],
    pruning: InputPruning | null,
  ) {
    super();
    this.#heads = inputs.map((input, i) => new Head(input, () => keys(i), i));
    this.#selection = new InputSelection(inputs.length, pruning);
    this.#vectors = types.map((type) => createVector(type));
    this.chunk.columns = this.#vectors;
  }

  set counters(counters: NodeInstrumentation | null) {
    this.#selection.counters = counters;
  }

  override open(): void {
    this.#selection.forget();
    this.#heap.length = 0;
    this.#waiting.length = 0;
    this.#hasBegun = false;
  }

  override rescan(): void {
    this.open();
  }

  override expectRows(count: number): void {
    this.#expected = count;
  }

  override next(): Status {
    if (!this.#hasBegun) {
      for (const input of this.#selection.inputs()) {
        this.#heads[input]!.begin(this.#expected);
        this.#waiting.push(this.#heads[input]!);
      }
      this.#hasBegun = true;
    }
    if (!this.#fillHeads()) return PAUSE;
    for (const vector of this.#vectors) vector.reset();
    let count = 0;
    while (count < CHUNK_ROWS && this.#waiting.length === 0 && this.#heap.length > 0) {
      const head = this.#heap[0]!;
      head.copyTo(this.#vectors, count++);
      this.#advance(head);
    }
    this.chunk.count = count;
    this.chunk.selection = null;
    return count === 0 ? DONE : CHUNK;
  }

  /** False when an input pauses. */
  #fillHeads(): boolean {
    while (this.#waiting.length > 0) {
      const head = this.#waiting.at(-1)!;
      const status = head.fetch();
      if (status === PAUSE) return false;
      this.#waiting.pop();
      if (status === CHUNK) this.#insert(head);
    }
    return true;
  }

  #advance(head: Head): void {
    if (head.advance()) this.#sink(head);
    else {
      const last = this.#heap.pop()!;
      if (last !== head) this.#sink(last);
      this.#waiting.push(head);
    }
  }

  #insert(head: Head): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(head);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!head.isBefore(heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = head;
  }

  /** Puts a head at the top and lets it sink to its place. */
  #sink(head: Head): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.isBefore(heap[child]!)) child++;
      if (!heap[child]!.isBefore(head)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = head;
  }

  override close(): void {
    for (const head of this.#heads) head.close();
  }
}

/** One input and its next row. */
class Head {
  readonly #source: InputSource;
  readonly #makeKeys: () => readonly MergeKey[];
  readonly #place: number;
  readonly #key = new ByteWriter(64);
  #input: Operator | null = null;
  #keys: readonly MergeKey[] = [];
  #vectors: readonly ColumnVector[] = [];
  #position = 0;
  #isOpen = false;

  constructor(source: InputSource, keys: () => readonly MergeKey[], place: number) {
    this.#source = source;
    this.#makeKeys = keys;
    this.#place = place;
  }

  begin(expectedRows: number): void {
    if (this.#input === null) {
      this.#input = this.#source();
      this.#keys = this.#makeKeys();
    }
    this.#input.expectRows(expectedRows);
    if (this.#isOpen) this.#input.rescan();
    else this.#input.open();
    this.#isOpen = true;
  }

  fetch(): Status {
    const input = this.#input!;
    const status = input.next();
    if (status !== CHUNK) return status;
    this.#vectors = this.#keys.map(({ value }) => value.evaluate(input.chunk));
    this.#position = 0;
    this.#encode();
    return CHUNK;
  }

  /** Goes to the next row; false when it is not known. */
  advance(): boolean {
    if (++this.#position >= this.#input!.chunk.count) return false;
    this.#encode();
    return true;
  }

  get #row(): number {
    const { selection } = this.#input!.chunk;
    return selection === null ? this.#position : selection[this.#position]!;
  }

  #encode(): void {
    const key = this.#key.reset();
    for (let i = 0; i < this.#keys.length; i++) {
      const { value, descending, nullsFirst } = this.#keys[i]!;
      encodeKeyPartOfVector(value.type, this.#vectors[i]!, this.#row, descending, nullsFirst, key);
    }
  }

  isBefore(other: Head): boolean {
    const a = this.#key;
    const b = other.#key;
    const order = compareByteRanges(a.bytes, 0, a.position, b.bytes, 0, b.position);
    return order === 0 ? this.#place < other.#place : order < 0;
  }

  copyTo(target: readonly ColumnVector[], at: number): void {
    const { columns } = this.#input!.chunk;
    for (let i = 0; i < target.length; i++) copyRow(columns[i]!, this.#row, target[i]!, at);
  }

  close(): void {
    if (this.#isOpen) this.#input!.close();
    this.#isOpen = false;
  }
}
