import { pgError } from '../../errors/index.ts';
import type { Datum, RangeDatum } from '../datum.ts';
import {
  type Bound,
  compareBounds,
  compareValues,
  emptyRange,
  lowerBound,
  makeRange,
  type RangeKind,
  upperBound,
} from './value.ts';

/** What the operators on ranges compute. The ranges of a call are of one kind. */

export function containsElement(kind: RangeKind, range: RangeDatum, element: Datum): boolean {
  if (range.empty) return false;
  const { subtype } = kind;
  const { lower, upper, lowerInclusive, upperInclusive } = range;
  if (lower !== null) {
    const order = subtype.compare(lower, element);
    if (order > 0 || (order === 0 && !lowerInclusive)) return false;
  }
  if (upper === null) return true;
  const order = subtype.compare(element, upper);
  return order < 0 || (order === 0 && upperInclusive);
}

export function containsRange(kind: RangeKind, whole: RangeDatum, part: RangeDatum): boolean {
  if (part.empty) return true;
  if (whole.empty) return false;
  return lowers(kind, whole, part) <= 0 && uppers(kind, whole, part) >= 0;
}

/** Whether all of `a` lies before all of `b`. */
export function isBefore(kind: RangeKind, a: RangeDatum, b: RangeDatum): boolean {
  return bothFilled(a, b) && compareBounds(kind.subtype, upperBound(a), lowerBound(b)) < 0;
}

/** Whether `a` does not reach beyond the end of `b`. */
export function isWithinEnd(kind: RangeKind, a: RangeDatum, b: RangeDatum): boolean {
  return bothFilled(a, b) && uppers(kind, a, b) <= 0;
}

/** Whether `a` does not begin before `b`. */
export function isWithinStart(kind: RangeKind, a: RangeDatum, b: RangeDatum): boolean {
  return bothFilled(a, b) && lowers(kind, a, b) >= 0;
}

export function overlap(kind: RangeKind, a: RangeDatum, b: RangeDatum): boolean {
  if (!bothFilled(a, b)) return false;
  const { subtype } = kind;
  return (
    compareBounds(subtype, lowerBound(a), upperBound(b)) <= 0 &&
    compareBounds(subtype, lowerBound(b), upperBound(a)) <= 0
  );
}

export function isAdjacent(kind: RangeKind, a: RangeDatum, b: RangeDatum): boolean {
  if (!bothFilled(a, b)) return false;
  return touches(kind, upperBound(a), lowerBound(b)) || touches(kind, upperBound(b), lowerBound(a));
}

/** Whether no value lies between an upper and a lower end, and none on both sides. */
function touches(kind: RangeKind, upper: Bound, lower: Bound): boolean {
  const order = compareValues(kind.subtype, upper, lower);
  if (order === 0) return upper.inclusive !== lower.inclusive;
  if (order > 0 || kind.successor === undefined) return false;
  return makeRange(kind, turned(upper), turned(lower)).empty;
}

/** The end of what lies on the other side of an end. */
export function turned({ value, inclusive, isLower }: Bound): Bound {
  return { value, inclusive: !inclusive, isLower: !isLower };
}

/** The least range that holds both. */
export function merge(kind: RangeKind, a: RangeDatum, b: RangeDatum): RangeDatum {
  if (a.empty) return b;
  if (b.empty) return a;
  return makeRange(
    kind,
    lowerBound(lowers(kind, a, b) < 0 ? a : b),
    upperBound(uppers(kind, a, b) > 0 ? a : b),
  );
}

export function unite(kind: RangeKind, a: RangeDatum, b: RangeDatum): RangeDatum {
  if (bothFilled(a, b) && !overlap(kind, a, b) && !isAdjacent(kind, a, b)) {
    throw pgError('data_exception', 'result of range union would not be contiguous');
  }
  return merge(kind, a, b);
}

export function intersect(kind: RangeKind, a: RangeDatum, b: RangeDatum): RangeDatum {
  if (!overlap(kind, a, b)) return emptyRange(kind);
  return makeRange(
    kind,
    lowerBound(lowers(kind, a, b) >= 0 ? a : b),
    upperBound(uppers(kind, a, b) <= 0 ? a : b),
  );
}

/** What `a` has and `b` has not. */
export function subtract(kind: RangeKind, a: RangeDatum, b: RangeDatum): RangeDatum {
  if (!overlap(kind, a, b)) return a;
  const beginsBefore = lowers(kind, a, b) < 0;
  const endsAfter = uppers(kind, a, b) > 0;
  if (beginsBefore && endsAfter) {
    throw pgError('data_exception', 'result of range difference would not be contiguous');
  }
  if (beginsBefore) return makeRange(kind, lowerBound(a), turned(lowerBound(b)));
  if (endsAfter) return makeRange(kind, turned(upperBound(b)), upperBound(a));
  return emptyRange(kind);
}

function bothFilled(a: RangeDatum, b: RangeDatum): boolean {
  return !a.empty && !b.empty;
}

function lowers(kind: RangeKind, a: RangeDatum, b: RangeDatum): number {
  return compareBounds(kind.subtype, lowerBound(a), lowerBound(b));
}

function uppers(kind: RangeKind, a: RangeDatum, b: RangeDatum): number {
  return compareBounds(kind.subtype, upperBound(a), upperBound(b));
}
