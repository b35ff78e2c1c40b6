import { type Datum, typeByOid } from '../types/index.ts';
import type {
  PartitionBound,
  Partitioning,
  PartitionKey,
  RangeDatum,
  RelationDescriptor,
} from './descriptors.ts';
import { hashRemainder } from './partition-hash.ts';

/** Partition bounds: how they are ordered, and what rows they take. All that compares a bound with
 * another or with a row's key stands on these functions, so that DDL, pruning and routing agree. */

export type ListBound = Extract<PartitionBound, { kind: 'list' }>;
export type RangeBound = Extract<PartitionBound, { kind: 'range' }>;
export type HashBound = Extract<PartitionBound, { kind: 'hash' }>;

/** Order of two values of a key, neither of which is null. */
export function compareKeyValues(key: PartitionKey, a: Datum, b: Datum): number {
  return typeByOid(key.type).compare(a, b);
}

/** Order of two bounds of ranges. MINVALUE and MAXVALUE end the comparison: nothing after them counts. */
export function compareRangeBounds(
  keys: readonly PartitionKey[],
  a: readonly RangeDatum[],
  b: readonly RangeDatum[],
): number {
  const at = differingKey(keys, a, b);
  return at < 0 ? 0 : compareRangeDatums(keys[at]!, a[at]!, b[at]!);
}

/** The key at which two bounds of ranges differ; -1 where they are equal. */
export function differingKey(
  keys: readonly PartitionKey[],
  a: readonly RangeDatum[],
  b: readonly RangeDatum[],
): number {
  for (let i = 0; i < keys.length; i++) {
    if (compareRangeDatums(keys[i]!, a[i]!, b[i]!) !== 0) return i;
    if (a[i]!.kind !== 'value') return -1;
  }
  return -1;
}

function compareRangeDatums(key: PartitionKey, a: RangeDatum, b: RangeDatum): number {
  if (a.kind === 'value' && b.kind === 'value') return compareKeyValues(key, a.value, b.value);
  return INFINITY_RANK[a.kind] - INFINITY_RANK[b.kind];
}

const INFINITY_RANK = { minvalue: -1, value: 0, maxvalue: 1 } as const;

/** Where a row's key stands to a bound of a range: below 0 when the key is before it. `values` may be
 * the first few of the key (a prefix that is equal counts as equal); none of them is null. */
export function compareKeyToBound(
  keys: readonly PartitionKey[],
  values: readonly Datum[],
  bound: readonly RangeDatum[],
): number {
  for (let i = 0; i < values.length; i++) {
    const datum = bound[i]!;
    if (datum.kind !== 'value') return -INFINITY_RANK[datum.kind];
    const order = compareKeyValues(keys[i]!, values[i]!, datum.value);
    if (order !== 0) return order;
  }
  return 0;
}

/** Whether a range holds a whole key. A range holds no key with a null in it. */
export function rangeHolds(
  keys: readonly PartitionKey[],
  bound: RangeBound,
  values: readonly Datum[],
): boolean {
  if (values.includes(null)) return false;
  return (
    compareKeyToBound(keys, values, bound.from) >= 0 &&
    compareKeyToBound(keys, values, bound.to) < 0
  );
}

/** Whether a list has a value, which may be null. */
export function listHolds(key: PartitionKey, bound: ListBound, value: Datum): boolean {
  if (value === null) return bound.values.includes(null);
  return bound.values.some((other) => other !== null && compareKeyValues(key, other, value) === 0);
}

/** Whether a partition of this bound takes a key. A default partition takes what none of its siblings
 * does. */
export function boundHolds(
  partitioning: Partitioning,
  bound: PartitionBound,
  siblings: readonly PartitionBound[],
  values: readonly Datum[],
): boolean {
  const { keys } = partitioning;
  switch (bound.kind) {
    case 'range':
      return rangeHolds(keys, bound, values);
    case 'list':
      return listHolds(keys[0]!, bound, values[0]!);
    case 'hash':
      return hashRemainder(keys, values, bound.modulus) === bound.remainder;
    case 'default':
      return !siblings.some(
        (other) => other.kind !== 'default' && boundHolds(partitioning, other, [], values),
      );
  }
}

/** Partitions as PostgreSQL orders them: ranges by their bounds, lists by their least value, hashes by
 * modulus and remainder; then a list of NULL alone, and last the default partition. */
export function inBoundOrder(
  parent: RelationDescriptor,
  partitions: readonly RelationDescriptor[],
): readonly RelationDescriptor[] {
  const { partitioning } = parent;
  if (partitioning === null) return partitions;
  return [...partitions].sort((a, b) =>
    compareBounds(partitioning, a.partitionOf!.bound, b.partitionOf!.bound),
  );
}

function compareBounds(partitioning: Partitioning, a: PartitionBound, b: PartitionBound): number {
  if (a.kind === 'range' && b.kind === 'range') {
    return compareRangeBounds(partitioning.keys, a.from, b.from);
  }
  if (a.kind === 'list' && b.kind === 'list') return compareLists(partitioning.keys[0]!, a, b);
  if (a.kind === 'hash' && b.kind === 'hash') {
    return a.modulus - b.modulus || a.remainder - b.remainder;
  }
  return Number(a.kind === 'default') - Number(b.kind === 'default');
}

function compareLists(key: PartitionKey, a: ListBound, b: ListBound): number {
  const left = leastValue(key, a);
  const right = leastValue(key, b);
  if (left === null || right === null) return Number(left === null) - Number(right === null);
  return compareKeyValues(key, left, right);
}

/** The least value of a list; null when it has NULL alone. */
function leastValue(key: PartitionKey, { values }: ListBound): Datum {
  let least: Datum = null;
  for (const value of values) {
    if (value === null) continue;
    if (least === null || compareKeyValues(key, value, least) < 0) least = value;
  }
  return least;
}

/** Whether two partitions of these bounds would both take some key. */
export function boundsOverlap(
  { keys }: Partitioning,
  a: PartitionBound,
  b: PartitionBound,
): boolean {
  if (a.kind === 'default' || b.kind === 'default') return a.kind === b.kind;
  if (a.kind === 'range' && b.kind === 'range') {
    return compareRangeBounds(keys, a.from, b.to) < 0 && compareRangeBounds(keys, b.from, a.to) < 0;
  }
  if (a.kind === 'list' && b.kind === 'list') {
    return b.values.some((value) => listHolds(keys[0]!, a, value));
  }
  if (a.kind === 'hash' && b.kind === 'hash') return hashesOverlap(a, b);
  return false;
}

/** Of two moduli in use one divides the other, so the smaller one decides. */
function hashesOverlap(a: HashBound, b: HashBound): boolean {
  const modulus = Math.min(a.modulus, b.modulus);
  return a.remainder % modulus === b.remainder % modulus;
}
