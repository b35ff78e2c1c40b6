/** Sorts things that are known by a number, by their keys; of the same key those with higher numbers first. */

/** Where the keys are. */
export interface NumberedKeys {
  bytesOf(number: number): Uint8Array;
  keyStartOf(number: number): number;
  keyEndOf(number: number): number;
  compare(a: number, b: number): number;
}

/** Bytes of a key that decide the order of most, and how many keys are sorted at a time: together they
 * have room in the 53 bits of a number. */
const HEAD_BYTES = 4;
const SORTED_MAX = 2 ** 21;
/** Few are sorted by insertion. */
const INSERTED_MAX = 24;

export class NumberSorter {
  /** Some of the keys that were sorted or merged have been equal. */
  hasFoundEqual = false;
  private readonly keys: NumberedKeys;

  constructor(keys: NumberedKeys) {
    this.keys = keys;
  }

  /** The numbers from .. to - 1 in order. */
  sort(from: number, to: number): Int32Array {
    const numbers = new Int32Array(to - from);
    for (let i = 0; i < numbers.length; i++) numbers[i] = from + i;
    return this.sortParts(numbers, 0, numbers.length);
  }

  /** Merges sorted numbers with others that are all higher. */
  merge(older: Int32Array, newer: Int32Array): Int32Array {
    const merged = new Int32Array(older.length + newer.length);
    let at = 0;
    let from = 0;
    for (let i = 0; i < newer.length; i++) {
      const number = newer[i]!;
      const to = this.firstFrom(older, from, number);
      while (from < to) merged[at++] = older[from++]!;
      merged[at++] = number;
      // Where both are dense, one comparison with the next tells.
      while (from < older.length && i + 1 < newer.length) {
        if (this.compare(newer[i + 1]!, older[from]!) > 0) break;
        merged[at++] = newer[++i]!;
      }
    }
    merged.set(older.subarray(from), at);
    return merged;
  }

  /** The first of numbers[from ..] whose key is not below that of `number`, near numbers first. */
  private firstFrom(numbers: Int32Array, from: number, number: number): number {
    let step = 1;
    let low = from;
    while (low + step <= numbers.length && this.compare(numbers[low + step - 1]!, number) < 0) {
      low += step;
      step *= 2;
    }
    let high = Math.min(numbers.length, low + step - 1);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(numbers[middle]!, number) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Sorts numbers[from .. to), which ascend, in parts that are not too long. */
  private sortParts(numbers: Int32Array, from: number, to: number): Int32Array {
    if (to - from <= SORTED_MAX) {
      const part = numbers.subarray(from, to);
      this.sortByHead(part, 0, part.length);
      return part;
    }
    const middle = from + SORTED_MAX;
    return this.merge(this.sortParts(numbers, from, middle), this.sortParts(numbers, middle, to));
  }

  /** Sorts numbers[from .. to) by the bytes behind what all their keys begin with, and those that have the
   * same ones there in the same way. */
  private sortByHead(numbers: Int32Array, from: number, to: number): void {
    const count = to - from;
    if (count <= INSERTED_MAX) {
      this.sortByInsertion(numbers, from, to);
      return;
    }
    const codes = new Float64Array(count);
    const prefix = this.commonPrefix(numbers, from, to);
    for (let i = 0; i < count; i++) {
      codes[i] = this.headBehind(numbers[from + i]!, prefix) * SORTED_MAX + i;
    }
    codes.sort();
    const unsorted = numbers.slice(from, to);
    let groupStart = 0;
    let groupHead = -1;
    for (let i = 0; i < count; i++) {
      const head = Math.floor(codes[i]! / SORTED_MAX);
      numbers[from + i] = unsorted[codes[i]! - head * SORTED_MAX]!;
      if (head === groupHead) continue;
      this.sortGroup(numbers, from + groupStart, from + i, count);
      groupStart = i;
      groupHead = head;
    }
    this.sortGroup(numbers, from + groupStart, to, count);
  }

  private sortGroup(numbers: Int32Array, from: number, to: number, wholeCount: number): void {
    if (to - from < 2) return;
    if (to - from < wholeCount) this.sortByHead(numbers, from, to);
    else numbers.subarray(from, to).sort((a, b) => this.compare(a, b) || b - a);
  }

  private sortByInsertion(numbers: Int32Array, from: number, to: number): void {
    for (let i = from + 1; i < to; i++) {
      const number = numbers[i]!;
      let at = i;
      while (at > from) {
        const order = this.compare(numbers[at - 1]!, number);
        if (order < 0 || (order === 0 && numbers[at - 1]! > number)) break;
        numbers[at] = numbers[at - 1]!;
        at--;
      }
      numbers[at] = number;
    }
  }

  private compare(a: number, b: number): number {
    const order = this.keys.compare(a, b);
    if (order === 0) this.hasFoundEqual = true;
    return order;
  }

  private headBehind(number: number, prefix: number): number {
    const bytes = this.keys.bytesOf(number);
    const start = this.keys.keyStartOf(number) + prefix;
    const end = this.keys.keyEndOf(number);
    let head = 0;
    for (let at = start; at < start + HEAD_BYTES; at++) {
      head = head * 256 + (at < end ? bytes[at]! : 0);
    }
    return head;
  }

  /** How many bytes all keys begin with. */
  private commonPrefix(numbers: Int32Array, from: number, to: number): number {
    const { keys } = this;
    const first = keys.bytesOf(numbers[from]!);
    const firstStart = keys.keyStartOf(numbers[from]!);
    let length = keys.keyEndOf(numbers[from]!) - firstStart;
    for (let i = from + 1; i < to && length > 0; i++) {
      const number = numbers[i]!;
      const bytes = keys.bytesOf(number);
      const start = keys.keyStartOf(number);
      length = Math.min(length, keys.keyEndOf(number) - start);
      let same = 0;
      while (same < length && bytes[start + same] === first[firstStart + same]) same++;
      length = same;
    }
    return length;
  }
}
