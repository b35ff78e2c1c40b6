import { randomInt } from 'node:crypto';

/** A map for what comes and goes all the time: locks, requests, transactions.
 *
 * V8's own Map makes a new table every few changes even if it stays small, and the old table refers to the
 * new one. As soon as one of them is in the old generation of the heap the young collections keep all that
 * follow, and what those refer to: at 5,000 transactions a second the writer's lock table alone had 8 MB
 * copied by every young collection, which took 8 to 15 ms instead of one. This one changes its arrays in
 * place.
 *
 * Open addressing with linear probing, at most half full; removal shifts back what follows (Knuth, The Art
 * of Computer Programming, volume 3, 6.4, algorithm R). Iteration is in no particular order, and the map
 * must not be changed during it.
 */
export class OpenHashMap<K extends string | number, V> {
  #keys: (K | undefined)[] = new Array(MIN_CAPACITY).fill(undefined);
  #values: (V | undefined)[] = new Array(MIN_CAPACITY).fill(undefined);
  #mask = MIN_CAPACITY - 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    return this.#values[this.#find(key)];
  }

  has(key: K): boolean {
    return this.#keys[this.#find(key)] !== undefined;
  }

  set(key: K, value: V): void {
    let at = this.#find(key);
    if (this.#keys[at] === undefined) {
      if (2 * (this.#size + 1) > this.#mask + 1) {
        this.#resize(2 * (this.#mask + 1));
        at = this.#find(key);
      }
      this.#size++;
      this.#keys[at] = key;
    }
    this.#values[at] = value;
  }

  /** Whether the key was there. */
  delete(key: K): boolean {
    const at = this.#find(key);
    if (this.#keys[at] === undefined) return false;
    this.#removeAt(at);
    this.#shrink();
    return true;
  }

  /** Removes the keys of which `isOver` says so; it may be asked twice of one that stays. */
  deleteWhere(isOver: (key: K) => boolean): void {
    for (let at = 0; at <= this.#mask; ) {
      const key = this.#keys[at];
      // Another one may come to the place of what is removed.
      if (key !== undefined && isOver(key)) this.#removeAt(at);
      else at++;
    }
    this.#shrink();
  }

  #removeAt(at: number): void {
    const keys = this.#keys;
    const values = this.#values;
    const mask = this.#mask;
    let hole = at;
    for (let next = (hole + 1) & mask; keys[next] !== undefined; next = (next + 1) & mask) {
      // Whose own place is not between the hole and where it is moves into the hole.
      const home = hashOf(keys[next]!) & mask;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      keys[hole] = keys[next];
      values[hole] = values[next];
      hole = next;
    }
    keys[hole] = undefined;
    values[hole] = undefined;
    this.#size--;
  }

  #shrink(): void {
    let capacity = this.#mask + 1;
    while (capacity > MIN_CAPACITY && 16 * this.#size < capacity) capacity /= 4;
    if (capacity <= this.#mask) this.#resize(Math.max(capacity, MIN_CAPACITY));
  }

  clear(): void {
    this.#keys = new Array(MIN_CAPACITY).fill(undefined);
    this.#values = new Array(MIN_CAPACITY).fill(undefined);
    this.#mask = MIN_CAPACITY - 1;
    this.#size = 0;
  }

  *values(): Generator<V, void, undefined> {
    for (const [at, key] of this.#keys.entries()) if (key !== undefined) yield this.#values[at]!;
  }

  *keys(): Generator<K, void, undefined> {
    for (const key of this.#keys) if (key !== undefined) yield key;
  }

  /** The key's place, or the free one where it would be. */
  #find(key: K): number {
    const keys = this.#keys;
    const mask = this.#mask;
    let at = hashOf(key) & mask;
    while (keys[at] !== undefined && keys[at] !== key) at = (at + 1) & mask;
    return at;
  }

  #resize(capacity: number): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#keys = new Array(capacity).fill(undefined);
    this.#values = new Array(capacity).fill(undefined);
    this.#mask = capacity - 1;
    for (let from = 0; from < keys.length; from++) {
      const key = keys[from];
      if (key === undefined) continue;
      const at = this.#find(key);
      this.#keys[at] = key;
      this.#values[at] = values[from];
    }
  }
}

/** A power of two. */
const MIN_CAPACITY = 64;

/** Where hashes of strings begin in this thread's maps. Keys of rows are among the strings, and who chooses
 * them is not to know which share a place. */
const SEED = randomInt(2 ** 32);

/** FNV-1a of a string's characters, Fibonacci hashing of a number; mixed so that the low bits will do. */
function hashOf(key: string | number): number {
  if (typeof key === 'number') {
    const product = Math.imul(key, 0x9e37_79b1);
    return product ^ (product >>> 15);
  }
  const hash = hashString(key, SEED);
  return hash ^ (hash >>> 16);
}

/** FNV-1a, 32 bits, over UTF-16 code units (Fowler, Noll and Vo); `seed` is its offset basis. */
export function hashString(text: string, seed = 0x811c_9dc5): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash;
}

/** `hashString` of a text that has these bytes for its code units. */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x0100_0193);
  return hash;
}
