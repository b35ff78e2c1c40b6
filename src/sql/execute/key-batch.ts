import { ByteWriter } from '../../base/index.ts';

/** Keys of rows that are looked up together, in the order of the keys: rows that lie in one leaf are then
 * read one after the other, and one search finds the leaf for all of them. */
export class KeyBatch {
  count = 0;
  readonly #bytes = new ByteWriter(1024);
  /** Key i is bytes[starts[i], starts[i + 1]). */
  readonly #starts: Int32Array;
  /** Of each key its place in the order and its number: see `sort`. */
  readonly #codes: Float64Array;
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#starts = new Int32Array(capacity + 1);
    this.#codes = new Float64Array(capacity);
  }

  reset(): void {
    this.count = 0;
    this.#bytes.reset();
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes.range(bytes, start, end);
    this.#starts[++this.count] = this.#bytes.position;
  }

  /** Puts the keys in order, by the first bytes behind those that all have in common: a few that differ only
   * later may stay out of order, which costs a search each. */
  sort(): void {
    const { count } = this;
    const codes = this.#codes;
    const prefix = this.#commonPrefix();
    const { bytes } = this.#bytes;
    for (let i = 0; i < count; i++) {
      const start = this.#starts[i]! + prefix;
      const end = this.#starts[i + 1]!;
      let head = 0;
      for (let at = start; at < start + HEAD_BYTES; at++) {
        head = head * 256 + (at < end ? bytes[at]! : 0);
      }
      codes[i] = head * this.#capacity + i;
    }
    codes.subarray(0, count).sort();
  }

  /** After `sort`: which key is i-th. */
  at(i: number): number {
    return this.#codes[i]! % this.#capacity;
  }

  /** Writes a key. */
  copy(key: number, out: ByteWriter): void {
    out.range(this.#bytes.bytes, this.#starts[key]!, this.#starts[key + 1]!);
  }

  #commonPrefix(): number {
    const { bytes } = this.#bytes;
    const starts = this.#starts;
    let length = this.count === 0 ? 0 : starts[1]!;
    for (let i = 1; i < this.count && length > 0; i++) {
      const start = starts[i]!;
      length = Math.min(length, starts[i + 1]! - start);
      let same = 0;
      while (same < length && bytes[same] === bytes[start + same]) same++;
      length = same;
    }
    return length;
  }
}

/** So many, and the number of a key, have room in the 53 bits of a number. */
const HEAD_BYTES = 5;
