/** Changes of a tree whose keys come in no order, as those of an index do while rows are changed in the order
 * of the table. They are taken down one behind the other, without an object for each, and put in order
 * when somebody reads them in order; they are found by a hash that is made when somebody looks for a key.
 *
 * A change is known by its number, in the order of time; a key may have several. `levels` are sorted by
 * key, and for each key newest first; every level is newer than those before it, and less than half as long, so that
 * a change is moved from one to another a number of times that grows with the logarithm of their count.
 * Nothing is written over while a cursor may stand on it: bytes and levels are only made anew. */

import { randomInt } from 'node:crypto';
import { compareByteRanges, hashBytes } from '../base/index.ts';
import type { TreeId } from '../storage/index.ts';
import { NumberSorter } from './number-sorter.ts';
import { copyRange } from './write-run.ts';

/** What a change has in `facts`: chunk, position in it, key length, value length or DELETED. */
const FACTS = 4;
const DELETED = -1;
const CAPACITY_MIN = 2048;
const CHUNK_BYTES_MIN = 64 * 1024;
const CHUNK_BYTES_MAX = 1 << 20;
/** Memory that a change takes beside its key and value, with its part of hash and levels. */
const CHANGE_BYTES = 40;
/** Where hashes begin: clients choose keys, and are not to know which share a place. */
const SEED = randomInt(2 ** 32);
const NO_NUMBERS = new Int32Array(0);

export class ScatteredEntries {
  readonly tree: TreeId;
  count = 0;
  byteCount = 0;
  /** Numbers of changes; oldest level first. */
  readonly levels: Int32Array[] = [];
  /** How many changes are in levels. */
  private sortedCount = 0;
  private readonly sorter = new NumberSorter(this);

  private facts = new Int32Array(FACTS * CAPACITY_MIN);
  private readonly chunks: Uint8Array[] = [];
  /** Of the last chunk. */
  private used = 0;

  /** Changes from starts[i] on, up to starts[i + 1], are of commands[i] and segments[i]; ascending. */
  private readonly starts: number[] = [];
  private readonly commands: number[] = [];
  private readonly segments: number[] = [];

  /** Open addressing with linear probing, at most half full: the newest change of a key, as its number
   * plus one; 0 where there is none. */
  private table = NO_NUMBERS;
  private hashes = NO_NUMBERS;
  /** The change of the key before this one, as its number plus one; negative when that or one before it
   * was a deletion. */
  private older = NO_NUMBERS;
  private hashedCount = 0;

  constructor(tree: TreeId) {
    this.tree = tree;
  }

  /** Takes down a change; `value` is null for a deletion. */
  add(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    command: number,
    segment: number,
  ): void {
    const keyLength = keyEnd - keyStart;
    const valueLength = value === null ? 0 : valueEnd - valueStart;
    const at = this.claim(keyLength + valueLength);
    const chunk = this.chunks.length - 1;
    const bytes = this.chunks[chunk]!;
    copyRange(key, keyStart, keyEnd, bytes, at);
    if (value !== null) copyRange(value, valueStart, valueEnd, bytes, at + keyLength);
    const number = this.count++;
    if (FACTS * number === this.facts.length) this.facts = grown(this.facts);
    const { facts } = this;
    const fact = FACTS * number;
    facts[fact] = chunk;
    facts[fact + 1] = at;
    facts[fact + 2] = keyLength;
    facts[fact + 3] = value === null ? DELETED : valueLength;
    const last = this.starts.length - 1;
    if (last < 0 || this.commands[last] !== command || this.segments[last] !== segment) {
      this.starts.push(number);
      this.commands.push(command);
      this.segments.push(segment);
    }
    this.byteCount += CHANGE_BYTES + keyLength + valueLength;
  }

  /** The bytes that hold key and value of a change. */
  bytesOf(number: number): Uint8Array {
    return this.chunks[this.facts[FACTS * number]!]!;
  }

  keyStartOf(number: number): number {
    return this.facts[FACTS * number + 1]!;
  }

  /** The value begins here, too. */
  keyEndOf(number: number): number {
    const fact = FACTS * number;
    return this.facts[fact + 1]! + this.facts[fact + 2]!;
  }

  valueEndOf(number: number): number {
    const fact = FACTS * number;
    return this.facts[fact + 1]! + this.facts[fact + 2]! + Math.max(0, this.facts[fact + 3]!);
  }

  isDeletion(number: number): boolean {
    return this.facts[FACTS * number + 3] === DELETED;
  }

  commandOf(number: number): number {
    return this.commands[this.rangeOf(number)]!;
  }

  segmentOf(number: number): number {
    return this.segments[this.rangeOf(number)]!;
  }

  private rangeOf(number: number): number {
    const { starts } = this;
    let low = 0;
    let high = starts.length - 1;
    if (starts[high]! <= number) return high;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (starts[middle]! <= number) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  compare(a: number, b: number): number {
    return compareByteRanges(
      this.bytesOf(a),
      this.keyStartOf(a),
      this.keyEndOf(a),
      this.bytesOf(b),
      this.keyStartOf(b),
      this.keyEndOf(b),
    );
  }

  compareKey(number: number, key: Uint8Array, start: number, end: number): number {
    const bytes = this.bytesOf(number);
    const { facts } = this;
    const at = facts[FACTS * number + 1]!;
    return compareByteRanges(bytes, at, at + facts[FACTS * number + 2]!, key, start, end);
  }

  /** The segment of the oldest change. There is one. */
  get firstSegment(): number {
    return this.segments[0]!;
  }

  /** Undoes the changes of this segment and later ones; false when there is none. */
  rollBack(segment: number): boolean {
    const { starts, commands, segments, levels } = this;
    let count = this.count;
    while (segments.length > 0 && segments.at(-1)! >= segment) {
      count = starts.pop()!;
      commands.pop();
      segments.pop();
    }
    if (count === this.count) return false;
    while (this.hashedCount > count) this.unlink(--this.hashedCount);
    this.count = count;
    this.sortedCount = Math.min(this.sortedCount, count);
    for (let i = levels.length - 1; i >= 0; i--) {
      const level = levels[i]!;
      const kept = level.filter((number) => number < count);
      if (kept.length === level.length) break;
      if (kept.length > 0) levels[i] = kept;
      else levels.length = i;
    }
    // Of others the bytes stay where they are: cursors may stand on them.
    if (count === 0) {
      this.chunks.length = 0;
      this.byteCount = 0;
    }
    return true;
  }

  // ---------------------------------------------------------------- order

  /** Puts all changes into levels; false when they were there already. */
  putInOrder(): boolean {
    const { sorter, levels, sortedCount, count } = this;
    if (sortedCount === count) return false;
    let level = sorter.sort(sortedCount, count);
    this.sortedCount = count;
    for (let last = levels.at(-1); last !== undefined; last = levels.at(-1)) {
      if (last.length > 2 * level.length) break;
      level = sorter.merge(last, level);
      levels.pop();
    }
    levels.push(level);
    return true;
  }

  /** All changes by key, and for each key newest first. */
  inOrder(): Int32Array {
    this.putInOrder();
    const { levels, sorter } = this;
    while (levels.length > 1) {
      const newer = levels.pop()!;
      levels.push(sorter.merge(levels.pop()!, newer));
    }
    return levels[0] ?? NO_NUMBERS;
  }

  /** Whether two changes that follow one another in order are of the same key. */
  isSameKey(newer: number, older: number): boolean {
    return this.sorter.hasFoundEqual && this.compare(newer, older) === 0;
  }

  // ---------------------------------------------------------------- hash

  /** The newest change of a key; -1 when there is none. */
  find(key: Uint8Array, start: number, end: number): number {
    if (this.hashedCount < this.count) this.hashAll();
    const { table, hashes } = this;
    if (table.length === 0) return -1;
    const hash = hashKey(key, start, end);
    const mask = table.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const number = table[at]! - 1;
      if (number < 0) return -1;
      if (hashes[number] === hash && this.compareKey(number, key, start, end) === 0) return number;
    }
  }

  /** Whether the key of a change that `find` found was deleted before it. */
  followsDeletion(number: number): boolean {
    return this.older[number]! < 0;
  }

  private hashAll(): void {
    const { facts, count } = this;
    if (this.table.length < 2 * count) {
      const capacity = facts.length / FACTS;
      this.hashes = copied(this.hashes, capacity);
      this.older = new Int32Array(capacity);
      this.table = new Int32Array(2 * capacity);
      for (let number = 0; number < this.hashedCount; number++) this.link(number);
    }
    while (this.hashedCount < count) {
      const number = this.hashedCount++;
      const start = this.keyStartOf(number);
      this.hashes[number] = hashKey(this.bytesOf(number), start, this.keyEndOf(number));
      this.link(number);
    }
  }

  /** Makes a change the newest of its key. */
  private link(number: number): void {
    const { table, hashes, older } = this;
    const hash = hashes[number]!;
    const mask = table.length - 1;
    let at = hash & mask;
    for (; table[at] !== 0; at = (at + 1) & mask) {
      const other = table[at]! - 1;
      if (hashes[other] !== hash || this.compare(other, number) !== 0) continue;
      const wasDeleted = this.isDeletion(other) || older[other]! < 0;
      older[number] = wasDeleted ? -other - 1 : other + 1;
      break;
    }
    if (table[at] === 0) older[number] = 0;
    table[at] = number + 1;
  }

  /** Takes the newest change of all out again: no other has been placed behind it. */
  private unlink(number: number): void {
    const { table } = this;
    const mask = table.length - 1;
    let at = this.hashes[number]! & mask;
    while (table[at] !== number + 1) at = (at + 1) & mask;
    table[at] = Math.abs(this.older[number]!);
  }

  // ---------------------------------------------------------------- memory

  private claim(length: number): number {
    const last = this.chunks.at(-1);
    if (last === undefined || this.used + length > last.length) {
      const size = Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, 2 * (last?.length ?? 0)));
      this.chunks.push(new Uint8Array(Math.max(size, length)));
      this.used = 0;
    }
    const at = this.used;
    this.used += length;
    return at;
  }
}

function grown(numbers: Int32Array): Int32Array<ArrayBuffer> {
  return copied(numbers, 2 * numbers.length);
}

function copied(numbers: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(length);
  copy.set(numbers);
  return copy;
}

/** Mixed so that the low bits will do. */
function hashKey(bytes: Uint8Array, start: number, end: number): number {
  let hash = hashBytes(bytes, start, end, SEED);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return hash ^ (hash >>> 13);
}
