import { compareBytes } from '../base/index.ts';
import type { TreeId } from '../storage/index.ts';

/** The keys from `from` on, up to but not with `to`; to the end of the tree without it. */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array | null;
}

/** The key ranges that a SERIALIZABLE transaction has read, tree by tree, whether keys were found there
 * or not. A rollback to a savepoint keeps them: what was read has been told.
 *
 * They are collected as they come, and now and then put in order and joined where they touch. When
 * that leaves too many, neighbours are joined to one range with all that lies between them, again and
 * again if need be, until one range covers what was read of the tree. A set says more than was read
 * then, never less. */
export class ReadSet {
  private readonly byTree = new Map<TreeId, TreeReads>();
  private rangeCount = 0;
  private readonly rangesMax: number;

  constructor(rangesMax: number = RANGES_MAX) {
    this.rangesMax = rangesMax;
  }

  /** Takes the keys over; they are not to be changed any more. */
  add(tree: TreeId, from: Uint8Array, to: Uint8Array | null): void {
    if (to !== null && compareBytes(from, to) >= 0) return;
    let reads = this.byTree.get(tree);
    if (reads === undefined) {
      reads = new TreeReads();
      this.byTree.set(tree, reads);
    }
    if (!reads.add(from, to)) return;
    if (++this.rangeCount > this.rangesMax) this.shrink();
  }

  /** The trees that were read. */
  trees(): Iterable<TreeId> {
    return this.byTree.keys();
  }

  has(tree: TreeId): boolean {
    return this.byTree.has(tree);
  }

  /** Whether one of the keys was read, or looked for. */
  includesSome(tree: TreeId, keys: readonly Uint8Array[]): boolean {
    return this.byTree.get(tree)?.includesSome(keys) ?? false;
  }

  /** Ranges of a tree, ascending. */
  ranges(tree: TreeId): readonly KeyRange[] {
    return this.byTree.get(tree)?.ordered() ?? [];
  }

  private shrink(): void {
    this.rangeCount = 0;
    for (const reads of this.byTree.values()) this.rangeCount += reads.ordered().length;
    // Half of the room is kept free, so that this is not done again and again for few ranges.
    while (this.rangeCount > Math.max(this.rangesMax / 2, this.byTree.size)) {
      this.rangeCount = 0;
      for (const reads of this.byTree.values()) this.rangeCount += reads.joinNeighbours();
    }
  }
}

/** What was read of one tree. */
class TreeReads {
  private ranges: KeyRange[] = [];
  /** The first so many are in order, and do not touch. */
  private orderedCount = 0;

  /** False when there is nothing new in it. */
  add(from: Uint8Array, to: Uint8Array | null): boolean {
    const last = this.ranges.at(-1);
    if (last !== undefined && compareBytes(last.from, from) <= 0 && endsWithin(to, last.to))
      return false;
    this.ranges.push({ from, to });
    return true;
  }

  ordered(): readonly KeyRange[] {
    const { ranges } = this;
    if (this.orderedCount === ranges.length) return ranges;
    ranges.sort((a, b) => compareBytes(a.from, b.from));
    const joined: KeyRange[] = [];
    for (const range of ranges) {
      const last = joined.at(-1);
      if (last === undefined || (last.to !== null && compareBytes(last.to, range.from) < 0)) {
        joined.push(range);
      } else if (!endsWithin(range.to, last.to)) {
        joined[joined.length - 1] = { from: last.from, to: range.to };
      }
    }
    this.ranges = joined;
    this.orderedCount = joined.length;
    return joined;
  }

  /** Makes one of every two ranges; returns how many are left. */
  joinNeighbours(): number {
    const ranges = this.ordered();
    const joined: KeyRange[] = [];
    for (let i = 0; i < ranges.length; i += 2) {
      const first = ranges[i]!;
      const second = ranges[i + 1];
      joined.push(second === undefined ? first : { from: first.from, to: second.to });
    }
    this.ranges = joined;
    this.orderedCount = joined.length;
    return joined.length;
  }

  includesSome(keys: readonly Uint8Array[]): boolean {
    const ranges = this.ordered();
    for (const key of keys) {
      let low = 0;
      let high = ranges.length;
      // The ranges before `low` begin at or before the key.
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (compareBytes(ranges[middle]!.from, key) <= 0) low = middle + 1;
        else high = middle;
      }
      const range = ranges[low - 1];
      if (range !== undefined && (range.to === null || compareBytes(key, range.to) < 0))
        return true;
    }
    return false;
  }
}

/** A copy of a key; of the first key behind it if `isBehind`. */
export function copyOfKey(bytes: Uint8Array, length: number, isBehind: boolean): Uint8Array {
  const copy = new Uint8Array(isBehind ? length + 1 : length);
  for (let i = 0; i < length; i++) copy[i] = bytes[i]!;
  return copy;
}

/** Ranges of one transaction before they are joined; with keys of 20 bytes about 2 MB. */
const RANGES_MAX = 8192;

function endsWithin(to: Uint8Array | null, end: Uint8Array | null): boolean {
  if (end === null) return true;
  return to !== null && compareBytes(to, end) <= 0;
}
