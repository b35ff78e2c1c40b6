/** Atomic words for flags and counters of the layers above: cancel flags, shutdown, statistics. */
export class SharedWords {
  readonly #words: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
  }

  /** The memory of `count` words, all zero. */
  static create(count: number): SharedArrayBuffer {
    return new SharedArrayBuffer(count * 4);
  }

  load(word: number): number {
    return Atomics.load(this.#words, word);
  }

  store(word: number, value: number): void {
    Atomics.store(this.#words, word, value);
  }

  /** Adds and returns the sum. */
  add(word: number, amount: number): number {
    return (Atomics.add(this.#words, word, amount) + amount) | 0;
  }

  /** Replaces `expected` by `value` and says whether it did. */
  exchange(word: number, expected: number, value: number): boolean {
    return Atomics.compareExchange(this.#words, word, expected, value) === expected;
  }
}
