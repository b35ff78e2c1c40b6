import type { PartitionBound, PartitionKey } from '../../catalog/descriptors.ts';
import { compareKeyToBound, compareRangeBounds, PartitionSearch } from '../../catalog/index.ts';
import type { Datum } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { KeyLimits, type KeyValue, type Limit } from './key-limits.ts';
import type { KeyCondition, PartitionPruning } from './plan.ts';

/** Where the values of conditions come from; undefined where one is not known (yet). */
export interface KeyValueSource {
  value(expr: Expr, key: PartitionKey): KeyValue | undefined;
  /** The elements of an array. */
  elements(array: Expr, key: PartitionKey): readonly KeyValue[] | undefined;
}

/** Places of the partitions of one level that are left. */
export type KeptPartitions = Uint8Array;

/** Finds the partitions that conditions on the key leave; conditions with unknown values leave all. */
export class PartitionPruner {
  private readonly pruning: PartitionPruning;
  private readonly search: PartitionSearch;
  private readonly below: readonly (PartitionPruner | null)[];
  /** Where each key is equal to one value, and nothing else is asked: the values. */
  private readonly point: readonly Expr[] | null;
  private readonly ranges: readonly RangeBound[];

  constructor(pruning: PartitionPruning) {
    this.pruning = pruning;
    this.search = new PartitionSearch(
      pruning.partitioning,
      pruning.partitions.map(({ bound }) => bound),
    );
    this.below = pruning.partitions.map(({ below }) => below && new PartitionPruner(below));
    this.point = pointOf(pruning);
    this.ranges = pruning.partitions.flatMap(({ bound }) =>
      bound.kind === 'range' ? [bound] : [],
    );
  }

  /** The inputs that are left, ascending, at the end of `out`. */
  select(values: KeyValueSource, out: number[]): void {
    const found = this.point === null ? UNKNOWN : this.find(this.point, values);
    if (found !== UNKNOWN) {
      if (found >= 0) this.selectIn(found, values, out);
      return;
    }
    const kept = this.keep(values);
    for (let i = 0; i < kept.length; i++) if (kept[i] !== 0) this.selectIn(i, values, out);
  }

  private selectIn(partition: number, values: KeyValueSource, out: number[]): void {
    const below = this.below[partition]!;
    const { input } = this.pruning.partitions[partition]!;
    if (below !== null) below.select(values, out);
    else if (input >= 0) out.push(input);
  }

  /** The partition of a whole key, -1 where there is none, or UNKNOWN. */
  private find(point: readonly Expr[], values: KeyValueSource): number {
    const { keys } = this.pruning.partitioning;
    const key: Datum[] = [];
    for (let i = 0; i < keys.length; i++) {
      const found = values.value(point[i]!, keys[i]!);
      if (found === undefined) return UNKNOWN;
      // Nothing is equal to null, or to what the type cannot hold.
      if (found.value === null || found.rest !== 0) return -1;
      key.push(found.value);
    }
    return this.search.find(key);
  }

  /** The direct partitions that are left. */
  keep(values: KeyValueSource): KeptPartitions {
    return this.matching(this.pruning.conditions, values);
  }

  private matching(conditions: readonly KeyCondition[], values: KeyValueSource): KeptPartitions {
    const plain: KeyCondition[] = [];
    let kept: KeptPartitions | null = null;
    for (const condition of conditions) {
      if (condition.kind !== 'or') plain.push(condition);
      else {
        const parts = condition.branches.map((branch) => this.matching(branch, values));
        kept = both(kept, either(parts, this.count));
      }
    }
    return both(kept, this.matchingAny(plain, values));
  }

  /** One of several values is each of them in turn. */
  private matchingAny(conditions: readonly KeyCondition[], values: KeyValueSource): KeptPartitions {
    for (const [i, condition] of conditions.entries()) {
      if (condition.kind !== 'anyOf') continue;
      const elements = this.elementsOf(condition, values);
      const rest = conditions.toSpliced(i, 1);
      if (elements === undefined) return this.matchingAny(rest, values);
      const parts = elements.map((element) =>
        this.comparing(rest, values, { key: condition.key, element }),
      );
      return either(parts, this.count);
    }
    return this.comparing(conditions, values, null);
  }

  private elementsOf(
    { key, array, list }: Extract<KeyCondition, { kind: 'anyOf' }>,
    values: KeyValueSource,
  ): readonly KeyValue[] | undefined {
    const partitionKey = this.pruning.partitioning.keys[key]!;
    if (list === null) return array === null ? [] : values.elements(array, partitionKey);
    const elements: KeyValue[] = [];
    for (const expr of list) {
      const value = values.value(expr, partitionKey);
      if (value === undefined) return undefined;
      elements.push(value);
    }
    return elements;
  }

  private get count(): number {
    return this.pruning.partitions.length;
  }

  private comparing(
    conditions: readonly KeyCondition[],
    values: KeyValueSource,
    chosen: { readonly key: number; readonly element: KeyValue } | null,
  ): KeptPartitions {
    const { keys } = this.pruning.partitioning;
    const limits = keys.map((key) => new KeyLimits(key));
    if (chosen !== null) limits[chosen.key]!.compare(3, chosen.element);
    for (const condition of conditions) {
      if (condition.kind === 'isNull') limits[condition.key]!.testNull(condition.negated);
      else if (condition.kind === 'compare') {
        const value = values.value(condition.value, keys[condition.key]!);
        if (value !== undefined) limits[condition.key]!.compare(condition.strategy, value);
      } else if (condition.kind === 'notEqual') {
        const value = values.value(condition.value, keys[condition.key]!);
        if (value !== undefined) limits[condition.key]!.exclude(value);
      } else if (condition.kind === 'anyOf') {
        // A second list on the key: one after the other would be too many pairs.
        limits[condition.key]!.testNull(true);
      }
    }
    if (limits.some((limit) => limit.isEmpty)) return new Uint8Array(this.count);
    return this.within(limits);
  }

  private within(limits: readonly KeyLimits[]): KeptPartitions {
    const point = limits.map((limit) => limit.point);
    if (!point.includes(undefined)) {
      const kept = new Uint8Array(this.count);
      const found = this.search.find(point as Datum[]);
      if (found >= 0) kept[found] = 1;
      return kept;
    }
    switch (this.pruning.partitioning.strategy) {
      case 'hash':
        return new Uint8Array(this.count).fill(1);
      case 'list':
        return this.keepBounds((bound) => bound.kind !== 'list' || limits[0]!.allowsSome(bound));
      case 'range':
        return this.withinRanges(limits);
    }
  }

  private keepBounds(test: (bound: PartitionBound) => boolean): KeptPartitions {
    return Uint8Array.from(this.pruning.partitions, ({ bound }) => Number(test(bound)));
  }

  /** Ranges hold no nulls, so a key that is null is in the default partition. */
  private withinRanges(limits: readonly KeyLimits[]): KeptPartitions {
    if (limits.some((limit) => limit.isNull)) {
      return this.keepBounds((bound) => bound.kind === 'default');
    }
    const { keys } = this.pruning.partitioning;
    const prefix: Datum[] = [];
    let next = 0;
    for (; next < limits.length && limits[next]!.point !== undefined; next++) {
      prefix.push(limits[next]!.point!);
    }
    const { lower, upper } = limits[next]!;
    const from = endOf(prefix, lower);
    const to = endOf(prefix, upper);
    // The ranges come first, in order, so those that are left are next to one another.
    const { ranges } = this;
    const first = firstOf(ranges.length, (i) => reaches(keys, ranges[i]!.to, from, keys.length));
    const end = firstOf(ranges.length, (i) => !starts(keys, ranges[i]!.from, to));
    const kept = new Uint8Array(this.count);
    if (first < end) kept.fill(1, first, end);
    const { defaultIndex } = this.search;
    if (defaultIndex >= 0 && !this.covers(first, end, from, to)) kept[defaultIndex] = 1;
    return kept;
  }

  /** Whether the ranges from `first` to the one before `end` hold all keys between two ends, so that
   * none is left for the default partition; looked at where the key is one column. */
  private covers(first: number, end: number, from: KeyEnd, to: KeyEnd): boolean {
    const { keys } = this.pruning.partitioning;
    const unlimited = from.values.length === 0 && to.values.length === 0;
    if (keys.length > 1 || first >= end || unlimited) return false;
    const { ranges } = this;
    for (let i = first; i + 1 < end; i++) {
      if (compareRangeBounds(keys, ranges[i]!.to, ranges[i + 1]!.from) !== 0) return false;
    }
    const low = ranges[first]!.from;
    const high = ranges[end - 1]!.to;
    if (from.values.length === 0) {
      if (low[0]!.kind !== 'minvalue') return false;
    } else if (compareKeyToBound(keys, from.values, low) < 0) return false;
    if (to.values.length === 0) return high[0]!.kind === 'maxvalue';
    const order = compareKeyToBound(keys, to.values, high);
    return order < 0 || (order === 0 && !to.inclusive);
  }
}

const UNKNOWN = -2;

function pointOf({ conditions, partitioning }: PartitionPruning): readonly Expr[] | null {
  const { keys } = partitioning;
  if (conditions.length !== keys.length) return null;
  const values: Expr[] = [];
  for (let key = 0; key < keys.length; key++) {
    const equal = conditions.find(
      (one) => one.kind === 'compare' && one.key === key && one.strategy === 3,
    );
    if (equal?.kind !== 'compare') return null;
    values.push(equal.value);
  }
  return values;
}

/** The first of the numbers below `count` that passes a test which all after it pass too. */
function firstOf(count: number, test: (i: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

type RangeBound = Extract<PartitionBound, { kind: 'range' }>;
type RangeDatums = RangeBound['from'];

/** One end of the keys that are wanted: the first columns have these values (or more, or less). */
interface KeyEnd {
  readonly values: readonly Datum[];
  readonly inclusive: boolean;
}

function endOf(prefix: readonly Datum[], limit: Limit | null): KeyEnd {
  if (limit === null) return { values: prefix, inclusive: true };
  return { values: [...prefix, limit.value], inclusive: limit.inclusive };
}

/** Whether keys below `to` can be at or after the first key that is wanted. */
function reaches(
  keys: readonly PartitionKey[],
  to: RangeDatums,
  { values, inclusive }: KeyEnd,
  length: number,
): boolean {
  const order = compareKeyToBound(keys, values, to);
  if (order !== 0) return order < 0;
  return inclusive && values.length < length && to[values.length]!.kind !== 'minvalue';
}

/** Whether keys from `from` on can be at or before the last key that is wanted. */
function starts(
  keys: readonly PartitionKey[],
  from: RangeDatums,
  { values, inclusive }: KeyEnd,
): boolean {
  const order = compareKeyToBound(keys, values, from);
  return order === 0 ? inclusive : order > 0;
}

function both(a: KeptPartitions | null, b: KeptPartitions): KeptPartitions {
  if (a === null) return b;
  for (let i = 0; i < b.length; i++) b[i]! &= a[i]!;
  return b;
}

function either(parts: readonly KeptPartitions[], count: number): KeptPartitions {
  const kept = new Uint8Array(count);
  for (const part of parts) for (let i = 0; i < count; i++) kept[i]! |= part[i]!;
  return kept;
}

/** The share of the partitions that conditions whose values are not known yet are expected to leave:
 * one of them where all of the key is given. */
export function expectedShare(pruning: PartitionPruning): number {
  const { partitions, partitioning, conditions } = pruning;
  let values = 1;
  for (let key = 0; key < partitioning.keys.length; key++) {
    const condition = conditions.find(
      (one) =>
        one.kind !== 'or' &&
        one.key === key &&
        (one.kind === 'anyOf' || (one.kind === 'compare' && one.strategy === 3)),
    );
    if (condition === undefined) values = Number.POSITIVE_INFINITY;
    else if (condition.kind === 'anyOf') values *= condition.list?.length ?? ARRAY_LENGTH;
  }
  const open = partitions.filter(({ input, below }) => input >= 0 || below !== null);
  const own = Math.min(1, values / Math.max(1, open.length));
  const below = open.map((partition) =>
    partition.below === null ? 1 : expectedShare(partition.below),
  );
  return (own * below.reduce((sum, share) => sum + share, 0)) / Math.max(1, below.length);
}

/** Elements that an array is taken to have. */
const ARRAY_LENGTH = 10;
