import { encodeKeyPartOfVector } from '../../access/index.ts';
import { ByteWriter } from '../../base/index.ts';
import type { ColumnVector, NumberVector } from '../../chunk/index.ts';
import { OID, type SqlType } from '../../types/index.ts';

const INITIAL_SLOTS = 64;

/** Numbers distinct keys 0, 1, 2, … in the order in which they come. A key is the encoded values of
 * some columns, so that keys are equal exactly when SQL says so (NULLs being equal). One integer
 * column is kept as doubles instead, which needs no encoding. */
export class KeyTable {
  readonly #types: readonly SqlType[];
  readonly #isNumber: boolean;
  #slots = new Int32Array(INITIAL_SLOTS);
  #hashes = new Int32Array(INITIAL_SLOTS);
  #ends = new Float64Array(INITIAL_SLOTS);
  #numbers = new Float64Array(0);
  #arena = new ByteWriter(256);
  #nullKey = -1;
  count = 0;

  constructor(types: readonly SqlType[]) {
    this.#types = types;
    this.#isNumber = types.length === 1 && isSmallInteger(types[0]!);
    if (this.#isNumber) this.#numbers = new Float64Array(INITIAL_SLOTS);
  }

  reset(): void {
    if (this.#slots.length > 0x1_0000) {
      this.#slots = new Int32Array(INITIAL_SLOTS);
      this.#hashes = new Int32Array(INITIAL_SLOTS);
      this.#ends = new Float64Array(INITIAL_SLOTS);
      this.#arena = new ByteWriter(256);
      if (this.#isNumber) this.#numbers = new Float64Array(INITIAL_SLOTS);
    } else this.#slots.fill(0);
    this.#arena.reset();
    this.#nullKey = -1;
    this.count = 0;
  }

  get memory(): number {
    return (
      this.#slots.length * 4 +
      this.#hashes.length * 12 +
      this.#arena.position +
      this.#numbers.byteLength
    );
  }

  /** Hash of the key of the last `find`, `insert` or `findOrInsert`. */
  hash = 0;

  /** Number of the key of a row, or -1 when it is new. */
  find(columns: readonly ColumnVector[], row: number): number {
    return this.#isNumber
      ? this.#number(columns[0] as NumberVector, row, false)
      : this.#bytes(columns, row, false);
  }

  /** Number of the key of a row, a new one (equal to the former count) if it is new. */
  findOrInsert(columns: readonly ColumnVector[], row: number): number {
    return this.#isNumber
      ? this.#number(columns[0] as NumberVector, row, true)
      : this.#bytes(columns, row, true);
  }

  /** Sets groups[row] to the number of the key of row after row, from the `from`-th of `count` rows on, and
   * stops at the first key that is new, or that has to be encoded; returns how far it came. */
  findKnown(
    columns: readonly ColumnVector[],
    selection: Int32Array | null,
    from: number,
    count: number,
    groups: Int32Array,
  ): number {
    if (!this.#isNumber) return from;
    const { values, valid, allValid } = columns[0] as NumberVector;
    const numbers = this.#numbers;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let last = Number.NaN;
    let lastKey = 0;
    for (let i = from; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      if (!allValid && valid[row] === 0) {
        if (this.#nullKey < 0) return i;
        groups[row] = this.#nullKey;
        continue;
      }
      const value = values[row]!;
      if (value !== last) {
        let slot = mix(value | 0) & mask;
        let key = slots[slot]! - 1;
        while (key >= 0 && numbers[key] !== value) {
          slot = (slot + 1) & mask;
          key = slots[slot]! - 1;
        }
        if (key < 0) return i;
        last = value;
        lastKey = key;
      }
      groups[row] = lastKey;
    }
    return count;
  }

  #number(vector: NumberVector, row: number, insert: boolean): number {
    if (!vector.allValid && vector.valid[row] === 0) {
      this.hash = 0;
      if (this.#nullKey < 0 && insert) {
        this.#nullKey = this.#append(0);
        this.#numbers[this.#nullKey] = Number.NaN;
      }
      return this.#nullKey;
    }
    const value = vector.values[row]!;
    const hash = mix(value | 0);
    this.hash = hash;
    let mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const key = this.#slots[slot]! - 1;
      if (key < 0) break;
      if (this.#numbers[key] === value) return key;
      slot = (slot + 1) & mask;
    }
    if (!insert) return -1;
    const key = this.#append(hash);
    this.#numbers[key] = value;
    mask = this.#slots.length - 1;
    this.#place(key, hash, mask);
    return key;
  }

  #bytes(columns: readonly ColumnVector[], row: number, insert: boolean): number {
    const arena = this.#arena;
    const start = arena.position;
    for (let i = 0; i < this.#types.length; i++) {
      encodeKeyPartOfVector(this.#types[i]!, columns[i]!, row, false, false, arena);
    }
    const end = arena.position;
    const hash = hashBytes(arena.bytes, start, end);
    this.hash = hash;
    const found = this.#lookup(hash, start, end);
    if (found >= 0 || !insert) {
      arena.position = start;
      return found;
    }
    const key = this.#append(hash);
    this.#ends[key] = end;
    this.#place(key, hash, this.#slots.length - 1);
    return key;
  }

  #lookup(hash: number, start: number, end: number): number {
    const bytes = this.#arena.bytes;
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const key = this.#slots[slot]! - 1;
      if (key < 0) return -1;
      if (this.#hashes[key] !== hash) continue;
      const from = key === 0 ? 0 : this.#ends[key - 1]!;
      if (this.#ends[key]! - from !== end - start) continue;
      let i = 0;
      const length = end - start;
      while (i < length && bytes[from + i] === bytes[start + i]) i++;
      if (i === length) return key;
    }
  }

  /** A new key number; makes room for it. */
  #append(hash: number): number {
    const key = this.count++;
    if (this.count * 2 > this.#slots.length) this.#grow();
    this.#hashes[key] = hash;
    return key;
  }

  #place(key: number, hash: number, mask: number): void {
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = key + 1;
  }

  #grow(): void {
    const size = this.#slots.length * 2;
    const hashes = new Int32Array(size);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    if (this.#isNumber) {
      const numbers = new Float64Array(size);
      numbers.set(this.#numbers);
      this.#numbers = numbers;
    } else {
      const ends = new Float64Array(size);
      ends.set(this.#ends);
      this.#ends = ends;
    }
    this.#slots = new Int32Array(size);
    for (let key = 0; key < this.count - 1; key++) {
      if (key !== this.#nullKey) this.#place(key, this.#hashes[key]!, size - 1);
    }
  }
}

function isSmallInteger(type: SqlType): boolean {
  return type.oid === OID.int4 || type.oid === OID.int2;
}

/** Spreads an integer over 32 bits (the finaliser of MurmurHash3). */
export function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return mix(hash);
}
