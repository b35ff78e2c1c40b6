/** Finds entries of a write set by their keys while keys come in no order, so that those need not be kept in
 * order: they are put in order when somebody asks for that, which costs a fraction of keeping it.
 *
 * Open addressing with linear probing over entry numbers, at most half full. Nothing is ever removed: an
 * entry stays when its changes are rolled back. */

import { randomInt } from 'node:crypto';
import { compareByteRanges } from '../base/index.ts';
import type { WriteEntry } from './write-set.ts';

/** Where hashes begin: clients choose keys, and are not to know which share a place. */
const SEED = randomInt(2 ** 32);
const CAPACITY_MIN = 2048;

export class EntryIndex {
  /** Those that were put in order, and then others as they came. */
  readonly entries: WriteEntry[] = [];
  private hashes = new Int32Array(CAPACITY_MIN / 2);
  /** Number of an entry, from 1 on; 0 where there is none. */
  private table = new Int32Array(CAPACITY_MIN);
  /** Of the key that was looked for last and not found. */
  private missing = 0;

  /** The entry of a key, or null; then `add` takes an entry of this key. */
  find(key: Uint8Array, start: number, end: number): WriteEntry | null {
    const hash = hashKey(key, start, end);
    const { table, hashes, entries } = this;
    const mask = table.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const number = table[at]!;
      if (number === 0) break;
      if (hashes[number - 1] !== hash) continue;
      const entry = entries[number - 1]!;
      const { keyBytes, keyStart, keyEnd } = entry;
      if (compareByteRanges(keyBytes, keyStart, keyEnd, key, start, end) === 0) return entry;
    }
    this.missing = hash;
    return null;
  }

  /** Adds the entry of the key that `find` has just missed. */
  add(entry: WriteEntry): void {
    if (this.entries.length === this.hashes.length) this.grow();
    this.hashes[this.entries.length] = this.missing;
    this.entries.push(entry);
    this.place(this.entries.length);
  }

  /** Adds the entry of a key that is not there. */
  addNew(entry: WriteEntry): void {
    this.missing = hashKey(entry.keyBytes, entry.keyStart, entry.keyEnd);
    this.add(entry);
  }

  private place(number: number): void {
    const { table } = this;
    const mask = table.length - 1;
    let at = this.hashes[number - 1]! & mask;
    while (table[at] !== 0) at = (at + 1) & mask;
    table[at] = number;
  }

  private grow(): void {
    const hashes = new Int32Array(2 * this.hashes.length);
    hashes.set(this.hashes);
    this.hashes = hashes;
    this.table = new Int32Array(2 * hashes.length);
    for (let number = 1; number <= this.entries.length; number++) this.place(number);
  }
}

/** FNV-1a, mixed so that the low bits will do. */
function hashKey(bytes: Uint8Array, start: number, end: number): number {
  let hash = SEED;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return hash ^ (hash >>> 13);
}

/** Sorts entries[from ..] by their keys. */
export function sortedEntries(entries: readonly WriteEntry[], from: number): WriteEntry[] {
  const count = entries.length - from;
  const codes = new Float64Array(count);
  const prefix = commonPrefix(entries, from);
  for (let i = 0; i < count; i++) {
    codes[i] = headBehind(entries[from + i]!, prefix) * NUMBERS + i;
  }
  codes.sort();
  const sorted = new Array<WriteEntry>(count);
  let groupStart = 0;
  let groupHead = -1;
  for (let i = 0; i < count; i++) {
    const head = Math.floor(codes[i]! / NUMBERS);
    sorted[i] = entries[from + codes[i]! - head * NUMBERS]!;
    if (head === groupHead) continue;
    sortGroup(sorted, groupStart, i);
    groupStart = i;
    groupHead = head;
  }
  sortGroup(sorted, groupStart, count);
  return sorted;
}

/** Bytes of a key that decide the order of most, and entries that are sorted at a time: together they
 * have room in the 53 bits of a number. */
const HEAD_BYTES = 4;
const NUMBERS = 2 ** 21;
export const SORTED_MAX = NUMBERS;

function headBehind({ keyBytes, keyStart, keyEnd }: WriteEntry, prefix: number): number {
  const start = keyStart + prefix;
  let head = 0;
  for (let at = start; at < start + HEAD_BYTES; at++) {
    head = head * 256 + (at < keyEnd ? keyBytes[at]! : 0);
  }
  return head;
}

/** How many bytes all keys begin with. */
function commonPrefix(entries: readonly WriteEntry[], from: number): number {
  const first = entries[from];
  if (first === undefined) return 0;
  let length = first.keyEnd - first.keyStart;
  for (let i = from + 1; i < entries.length && length > 0; i++) {
    const { keyBytes, keyStart, keyEnd } = entries[i]!;
    length = Math.min(length, keyEnd - keyStart);
    let same = 0;
    while (same < length && keyBytes[keyStart + same] === first.keyBytes[first.keyStart + same]) {
      same++;
    }
    length = same;
  }
  return length;
}

/** Orders what has the same head. */
function sortGroup(entries: WriteEntry[], from: number, to: number): void {
  if (to - from < 2) return;
  const group = entries.slice(from, to).sort(compareEntries);
  for (let i = 0; i < group.length; i++) entries[from + i] = group[i]!;
}

export function compareEntries(a: WriteEntry, b: WriteEntry): number {
  return compareByteRanges(a.keyBytes, a.keyStart, a.keyEnd, b.keyBytes, b.keyStart, b.keyEnd);
}
