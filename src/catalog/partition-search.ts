import { type Datum, typeByOid } from '../types/index.ts';
import type { PartitionBound, Partitioning } from './descriptors.ts';
import { compareKeyToBound } from './partition-bounds.ts';
import { hashRemainder } from './partition-hash.ts';

/** Which of a table's partitions takes a key: by binary search over ranges or listed values, or by the
 * key's hash. The bounds are those of all direct partitions, in bound order. */
export class PartitionSearch {
  /** The default partition's place among the bounds, or -1. */
  readonly defaultIndex: number;
  private readonly search: (key: readonly Datum[]) => number;

  constructor(partitioning: Partitioning, bounds: readonly PartitionBound[]) {
    this.defaultIndex = bounds.findIndex((bound) => bound.kind === 'default');
    this.search = searchOf(partitioning, bounds);
  }

  /** The place among the bounds of the partition that takes the key, or -1 when none does. */
  find(key: readonly Datum[]): number {
    const found = this.search(key);
    return found < 0 ? this.defaultIndex : found;
  }
}

function searchOf(
  partitioning: Partitioning,
  bounds: readonly PartitionBound[],
): (key: readonly Datum[]) => number {
  switch (partitioning.strategy) {
    case 'range':
      return rangeSearch(partitioning, bounds);
    case 'list':
      return listSearch(partitioning, bounds);
    case 'hash':
      return hashSearch(partitioning, bounds);
  }
}

/** A range takes no key with a null in it. */
function rangeSearch({ keys }: Partitioning, bounds: readonly PartitionBound[]) {
  const ranges = bounds.flatMap((bound, index) =>
    bound.kind === 'range' ? [{ from: bound.from, to: bound.to, index }] : [],
  );
  return (key: readonly Datum[]): number => {
    if (key.includes(null)) return -1;
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareKeyToBound(keys, key, ranges[middle]!.from) >= 0) low = middle + 1;
      else high = middle;
    }
    const range = ranges[low - 1];
    if (range === undefined || compareKeyToBound(keys, key, range.to) >= 0) return -1;
    return range.index;
  };
}

function listSearch({ keys }: Partitioning, bounds: readonly PartitionBound[]) {
  const { compare } = typeByOid(keys[0]!.type);
  const listed: { readonly value: Datum; readonly index: number }[] = [];
  let nullIndex = -1;
  for (const [index, bound] of bounds.entries()) {
    if (bound.kind !== 'list') continue;
    for (const value of bound.values) {
      if (value === null) nullIndex = index;
      else listed.push({ value, index });
    }
  }
  listed.sort((a, b) => compare(a.value, b.value));
  return ([value = null]: readonly Datum[]): number => {
    if (value === null) return nullIndex;
    let low = 0;
    let high = listed.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = compare(listed[middle]!.value, value);
      if (order === 0) return listed[middle]!.index;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  };
}

/** Each modulus in use divides the greatest one, so a table of that many remainders tells all. */
function hashSearch({ keys }: Partitioning, bounds: readonly PartitionBound[]) {
  let greatest = 1;
  for (const bound of bounds)
    if (bound.kind === 'hash') greatest = Math.max(greatest, bound.modulus);
  const places = new Int32Array(greatest).fill(-1);
  for (const [index, bound] of bounds.entries()) {
    if (bound.kind !== 'hash') continue;
    for (let at = bound.remainder; at < greatest; at += bound.modulus) places[at] = index;
  }
  return (key: readonly Datum[]): number => places[hashRemainder(keys, key, greatest)]!;
}
