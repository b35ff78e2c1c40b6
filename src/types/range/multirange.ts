import type { Datum, MultirangeDatum, RangeDatum } from '../datum.ts';
import {
  containsElement,
  containsRange,
  intersect,
  isAdjacent,
  isBefore,
  merge,
  turned,
} from './operations.ts';
import {
  compareBounds,
  compareRanges,
  emptyRange,
  lowerBound,
  makeRange,
  RANGE_KINDS,
  type RangeKind,
  upperBound,
} from './value.ts';

/** Multiranges: ranges in order, none of them empty, with a gap between each and the next. That is
 * their one form, so that two are equal exactly when their ranges are. */

/** A built-in multirange type. */
export interface MultirangeKind {
  readonly oid: number;
  readonly name: string;
  readonly arrayOid: number;
  readonly range: RangeKind;
}

const OIDS: Readonly<Record<string, readonly [oid: number, arrayOid: number]>> = {
  int4range: [4451, 6150],
  numrange: [4532, 6151],
  tsrange: [4533, 6152],
  tstzrange: [4534, 6153],
  daterange: [4535, 6155],
  int8range: [4536, 6157],
};

export const MULTIRANGE_KINDS: readonly MultirangeKind[] = RANGE_KINDS.map((range) => {
  const [oid, arrayOid] = OIDS[range.name]!;
  return { oid, name: range.name.replace('range', 'multirange'), arrayOid, range };
});

const KINDS = new Map(MULTIRANGE_KINDS.map((kind) => [kind.oid, kind]));
const KINDS_BY_RANGE = new Map(MULTIRANGE_KINDS.map((kind) => [kind.range.oid, kind]));

/** The multirange type of an OID, or undefined. */
export function multirangeKind(oid: number): MultirangeKind | undefined {
  return KINDS.get(oid);
}

/** The multirange type over a range type, or undefined. */
export function multirangeKindOf(rangeType: number): MultirangeKind | undefined {
  return KINDS_BY_RANGE.get(rangeType);
}

/** The multirange that holds what the ranges do. */
export function makeMultirange(
  kind: MultirangeKind,
  ranges: readonly RangeDatum[],
): MultirangeDatum {
  const { range } = kind;
  const filled = ranges.filter(({ empty }) => !empty);
  filled.sort((a, b) => compareRanges(range.subtype, a, b));
  const merged: RangeDatum[] = [];
  for (const next of filled) {
    const last = merged.at(-1);
    if (last === undefined || (isBefore(range, last, next) && !isAdjacent(range, last, next))) {
      merged.push(next);
    } else merged[merged.length - 1] = merge(range, last, next);
  }
  return { multirangeType: kind.oid, ranges: merged };
}

/** The order of btree: by the first range that differs; what begins another is less. */
export function compareMultiranges(
  kind: MultirangeKind,
  a: MultirangeDatum,
  b: MultirangeDatum,
): number {
  const count = Math.min(a.ranges.length, b.ranges.length);
  for (let i = 0; i < count; i++) {
    const order = compareRanges(kind.range.subtype, a.ranges[i]!, b.ranges[i]!);
    if (order !== 0) return order;
  }
  return a.ranges.length - b.ranges.length;
}

/** The least range that holds all of it. */
export function hull(kind: MultirangeKind, { ranges }: MultirangeDatum): RangeDatum {
  const first = ranges[0];
  const last = ranges.at(-1);
  if (first === undefined || last === undefined) return emptyRange(kind.range);
  return makeRange(kind.range, lowerBound(first), upperBound(last));
}

export function holdsElement(
  kind: MultirangeKind,
  ranges: readonly RangeDatum[],
  element: Datum,
): boolean {
  return ranges.some((range) => containsElement(kind.range, range, element));
}

/** Whether each of the parts lies in one of the ranges. Both are in order and apart. */
export function holdsRanges(
  kind: MultirangeKind,
  ranges: readonly RangeDatum[],
  parts: readonly RangeDatum[],
): boolean {
  let i = 0;
  for (const part of parts) {
    while (i < ranges.length && isBefore(kind.range, ranges[i]!, part)) i++;
    const range = ranges[i];
    if (range === undefined || !containsRange(kind.range, range, part)) return false;
  }
  return true;
}

/** What ranges have in common; both are in order and apart. */
export function commonRanges(
  kind: MultirangeKind,
  a: readonly RangeDatum[],
  b: readonly RangeDatum[],
): RangeDatum[] {
  const { range } = kind;
  const common: RangeDatum[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = a[i]!;
    const right = b[j]!;
    const both = intersect(range, left, right);
    if (!both.empty) common.push(both);
    if (compareBounds(range.subtype, upperBound(left), upperBound(right)) <= 0) i++;
    else j++;
  }
  return common;
}

/** What `a` has and `b` has not; both are in order and apart. */
export function rangesWithout(
  kind: MultirangeKind,
  a: readonly RangeDatum[],
  b: readonly RangeDatum[],
): RangeDatum[] {
  const rest: RangeDatum[] = [];
  for (const whole of a) rest.push(...rangeWithout(kind.range, whole, b));
  return rest;
}

function rangeWithout(
  kind: RangeKind,
  whole: RangeDatum,
  holes: readonly RangeDatum[],
): RangeDatum[] {
  const pieces: RangeDatum[] = [];
  let rest = whole;
  for (const hole of holes) {
    if (isBefore(kind, hole, rest)) continue;
    if (isBefore(kind, rest, hole)) break;
    if (compareBounds(kind.subtype, lowerBound(rest), lowerBound(hole)) < 0) {
      pieces.push(makeRange(kind, lowerBound(rest), turned(lowerBound(hole))));
    }
    if (compareBounds(kind.subtype, upperBound(rest), upperBound(hole)) <= 0) return pieces;
    rest = makeRange(kind, turned(upperBound(hole)), upperBound(rest));
  }
  pieces.push(rest);
  return pieces;
}
