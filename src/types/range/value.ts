import { pgError } from '../../errors/index.ts';
import { addDaysToDate, dateType, timestampType, timestamptzType } from '../datetime/index.ts';
import { type Datum, type Int8, int8, type RangeDatum } from '../datum.ts';
import { INT4_MAX, INT8_MAX, int4Type, int8Type } from '../integer.ts';
import { numericType } from '../numeric/index.ts';
import type { SqlType } from '../sql-type.ts';

/** Ranges: how they are made, and how their bounds compare.
 *
 * A range of a discrete type has one form, `[lower,upper)`, and what holds no value is `empty`. So two
 * ranges are equal exactly when their bounds are. */

/** A built-in range type. */
export interface RangeKind {
  readonly oid: number;
  readonly name: string;
  readonly arrayOid: number;
  readonly subtype: SqlType;
  /** Of discrete types: the value that comes next. The infinities have none. */
  readonly successor?: (value: Datum) => Datum;
}

export const RANGE_KINDS: readonly RangeKind[] = [
  { oid: 3904, name: 'int4range', arrayOid: 3905, subtype: int4Type, successor: nextInt4 },
  { oid: 3926, name: 'int8range', arrayOid: 3927, subtype: int8Type, successor: nextInt8 },
  { oid: 3906, name: 'numrange', arrayOid: 3907, subtype: numericType },
  { oid: 3912, name: 'daterange', arrayOid: 3913, subtype: dateType, successor: nextDate },
  { oid: 3908, name: 'tsrange', arrayOid: 3909, subtype: timestampType },
  { oid: 3910, name: 'tstzrange', arrayOid: 3911, subtype: timestamptzType },
];

const KINDS = new Map(RANGE_KINDS.map((kind) => [kind.oid, kind]));

/** The range type of an OID, or undefined. */
export function rangeKind(oid: number): RangeKind | undefined {
  return KINDS.get(oid);
}

function nextInt4(value: Datum): Datum {
  if (value === INT4_MAX) throw pgError('numeric_value_out_of_range', 'integer out of range');
  return (value as number) + 1;
}

function nextInt8(value: Datum): Datum {
  if (typeof value === 'number' && value < Number.MAX_SAFE_INTEGER) return value + 1;
  if (value === INT8_MAX) throw pgError('numeric_value_out_of_range', 'bigint out of range');
  return int8(BigInt(value as Int8) + 1n);
}

function nextDate(value: Datum): Datum {
  return addDaysToDate(value as number, 1);
}

/** One end of a range; null is infinite. */
export interface Bound {
  readonly value: Datum;
  readonly inclusive: boolean;
  readonly isLower: boolean;
}

export function lowerBound(range: RangeDatum): Bound {
  return { value: range.lower, inclusive: range.lowerInclusive, isLower: true };
}

export function upperBound(range: RangeDatum): Bound {
  return { value: range.upper, inclusive: range.upperInclusive, isLower: false };
}

/** Orders two ends by their values alone. */
export function compareValues(subtype: SqlType, a: Bound, b: Bound): number {
  if (a.value === null) {
    if (b.value === null && a.isLower === b.isLower) return 0;
    return a.isLower ? -1 : 1;
  }
  if (b.value === null) return b.isLower ? 1 : -1;
  return subtype.compare(a.value, b.value);
}

/** Orders two ends by where they cut: an exclusive lower end lies behind its value, an exclusive upper
 * end before it. */
export function compareBounds(subtype: SqlType, a: Bound, b: Bound): number {
  return compareValues(subtype, a, b) || sideOf(a) - sideOf(b);
}

function sideOf({ value, inclusive, isLower }: Bound): number {
  if (inclusive || value === null) return 0;
  return isLower ? 1 : -1;
}

export function emptyRange(kind: RangeKind): RangeDatum {
  return {
    rangeType: kind.oid,
    empty: true,
    lower: null,
    upper: null,
    lowerInclusive: false,
    upperInclusive: false,
  };
}

/** The range between two ends, in its one form. */
export function makeRange(kind: RangeKind, lower: Bound, upper: Bound): RangeDatum {
  const range = rangeBetween(kind, lower, upper);
  const { successor } = kind;
  if (successor === undefined || range.empty) return range;
  const isBehind = range.lower !== null && !range.lowerInclusive;
  const isWithin = range.upper !== null && range.upperInclusive;
  if (!isBehind && !isWithin) return range;
  const next = (bound: Bound): Bound =>
    isEndless(bound.value)
      ? bound
      : { ...bound, value: successor(bound.value), inclusive: bound.isLower };
  return rangeBetween(
    kind,
    isBehind ? next(lowerBound(range)) : lowerBound(range),
    isWithin ? next(upperBound(range)) : upperBound(range),
  );
}

/** The infinities of dates are values that have no neighbours. */
function isEndless(value: Datum): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}

function rangeBetween(kind: RangeKind, lower: Bound, upper: Bound): RangeDatum {
  const order = compareValues(kind.subtype, lower, upper);
  if (order > 0) {
    throw pgError(
      'data_exception',
      'range lower bound must be less than or equal to range upper bound',
    );
  }
  if (order === 0 && !(lower.inclusive && upper.inclusive)) return emptyRange(kind);
  return {
    rangeType: kind.oid,
    empty: false,
    lower: lower.value,
    upper: upper.value,
    lowerInclusive: lower.inclusive && lower.value !== null,
    upperInclusive: upper.inclusive && upper.value !== null,
  };
}

/** The order of btree: the empty range, then by the lower end, then by the upper one. */
export function compareRanges(subtype: SqlType, a: RangeDatum, b: RangeDatum): number {
  if (a.empty || b.empty) return Number(b.empty) - Number(a.empty);
  return (
    compareBounds(subtype, lowerBound(a), lowerBound(b)) ||
    compareBounds(subtype, upperBound(a), upperBound(b))
  );
}
