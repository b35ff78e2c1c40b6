/** Functions and operators of multiranges, and of ranges with multiranges, by types/range. */

import { pgError } from '../../errors/index.ts';
import {
  type ArrayDatum,
  type Datum,
  type MultirangeDatum,
  type RangeDatum,
  range,
} from '../../types/index.ts';
import type { AggregateFunction, CallTypes, FunctionContext, ScalarFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { orderFunctions, type Scalars } from './order.ts';

type Kind = range.MultirangeKind;
type Multirange = MultirangeDatum;
/** An operand of the operators that take ranges and multiranges alike. */
type Operand = RangeDatum | MultirangeDatum;
type Relation = (kind: range.RangeKind, a: RangeDatum, b: RangeDatum) => boolean;

function isRange(value: Operand): value is RangeDatum {
  return 'rangeType' in value;
}

function kindOf(value: Operand): Kind {
  return isRange(value)
    ? kindOfType(range.multirangeKindOf(value.rangeType)?.oid ?? 0)
    : kindOfType(value.multirangeType);
}

function kindOfType(oid: number): Kind {
  const kind = range.multirangeKind(oid);
  if (kind === undefined) throw pgError('internal_error', `type ${oid} is not a multirange type`);
  return kind;
}

const NO_RANGES: readonly RangeDatum[] = [];

/** The ranges of an operand, in order and apart. */
function rangesOf(value: Operand): readonly RangeDatum[] {
  if (!isRange(value)) return value.ranges;
  return value.empty ? NO_RANGES : [value];
}

function hullOf(kind: Kind, value: Operand): RangeDatum {
  return isRange(value) ? value : range.hull(kind, value);
}

/** A relation that depends on the outer ends alone. */
function ofHulls(relation: Relation) {
  return (_c: FunctionContext, a: Operand, b: Operand): boolean => {
    const kind = kindOf(a);
    return relation(kind.range, hullOf(kind, a), hullOf(kind, b));
  };
}

/** A function under its names for a range and a multirange, the other way round, and two multiranges. */
function mixed(relation: string, code: ScalarFunction): Scalars {
  return {
    [`range_${relation}_multirange`]: code,
    [`multirange_${relation}_range`]: code,
    [`multirange_${relation}_multirange`]: code,
  };
}

const contains = (_c: FunctionContext, whole: Operand, part: Operand): boolean =>
  range.holdsRanges(kindOf(whole), rangesOf(whole), rangesOf(part));

const relations: Scalars = {
  ...mixed('contains', contains),
  ...mixed('contained_by', (c: FunctionContext, a: Operand, b: Operand) => contains(c, b, a)),
  ...mixed(
    'overlaps',
    (_c: FunctionContext, a: Operand, b: Operand) =>
      range.commonRanges(kindOf(a), rangesOf(a), rangesOf(b)).length > 0,
  ),
  ...mixed('before', ofHulls(range.isBefore)),
  ...mixed(
    'after',
    ofHulls((kind, a, b) => range.isBefore(kind, b, a)),
  ),
  ...mixed('overleft', ofHulls(range.isWithinEnd)),
  ...mixed('overright', ofHulls(range.isWithinStart)),
  ...mixed('adjacent', ofHulls(range.isAdjacent)),
  multirange_contains_elem: (_c, whole: Multirange, element: Datum) =>
    range.holdsElement(kindOf(whole), whole.ranges, element),
  elem_contained_by_multirange: (_c, element: Datum, whole: Multirange) =>
    range.holdsElement(kindOf(whole), whole.ranges, element),
};

/** A function of the ranges of two multiranges. */
function ofRanges(
  combine: (kind: Kind, a: readonly RangeDatum[], b: readonly RangeDatum[]) => RangeDatum[],
) {
  return (_c: FunctionContext, a: Multirange, b: Multirange): Multirange => {
    const kind = kindOf(a);
    return range.makeMultirange(kind, combine(kind, a.ranges, b.ranges));
  };
}

const combinations: Scalars = {
  multirange_union: ofRanges((_kind, a, b) => [...a, ...b]),
  multirange_intersect: ofRanges(range.commonRanges),
  multirange_intersect_agg_transfn: ofRanges(range.commonRanges),
  multirange_minus: ofRanges(range.rangesWithout),
  range_merge_from_multirange: (_c, a: Multirange) => range.hull(kindOf(a), a),
};

const comparisons = orderFunctions<Multirange, Multirange>(
  { prefix: 'multirange_', compare: 'multirange_cmp' },
  (a, b) => range.compareMultiranges(kindOf(a), a, b),
);

const hull = (a: Multirange): RangeDatum => range.hull(kindOf(a), a);

const parts: Scalars = {
  multirange_lower: (_c, a: Multirange) => hull(a).lower,
  multirange_upper: (_c, a: Multirange) => hull(a).upper,
  multirange_empty: (_c, a: Multirange) => a.ranges.length === 0,
  multirange_lower_inc: (_c, a: Multirange) => hull(a).lowerInclusive,
  multirange_upper_inc: (_c, a: Multirange) => hull(a).upperInclusive,
  multirange_lower_inf: (_c, a: Multirange) => a.ranges[0]?.lower === null,
  multirange_upper_inf: (_c, a: Multirange) => a.ranges.at(-1)?.upper === null,
};

function membersOf(array: ArrayDatum): readonly RangeDatum[] {
  if (array.dimensions.length > 1) {
    throw pgError(
      'cardinality_violation',
      'multiranges cannot be constructed from multidimensional arrays',
    );
  }
  if (array.elements.includes(null)) {
    throw pgError('null_value_not_allowed', 'multirange values cannot contain null members');
  }
  return array.elements as readonly RangeDatum[];
}

/** Constructors go by the type of their result. */
const constructors: Readonly<Record<string, (call: CallTypes) => ScalarFunction>> = {
  multirange_constructor0({ result }) {
    const none = range.makeMultirange(kindOfType(result), []);
    return () => none;
  },
  multirange_constructor1:
    () =>
    (_c: FunctionContext, a: RangeDatum): Multirange =>
      range.makeMultirange(kindOf(a), [a]),
  multirange_constructor2({ result }) {
    const kind = kindOfType(result);
    return (_c: FunctionContext, members: ArrayDatum): Multirange =>
      range.makeMultirange(kind, membersOf(members));
  },
};

/** Bytes of a range in a state, about. */
const RANGE_BYTES = 160;

/** range_agg, which holds what any of its rows does. Rows of an empty multirange count as rows. */
const collectRanges: AggregateFunction<Operand[]> = {
  strict: false,
  initial: () => [],
  accumulate(_context, state, value) {
    if (value !== null) state.push(value as Operand);
    return state;
  },
  combine: (_context, state, other) => state.concat(other),
  finish: (_context, state) =>
    state[0] === undefined ? null : range.makeMultirange(kindOf(state[0]), state.flatMap(rangesOf)),
  sizeOf: (state) => 64 + state.length * RANGE_BYTES,
};

registerFunctions({
  scalars: { ...relations, ...combinations, ...comparisons, ...parts },
  typedScalars: constructors,
  sets: { multirange_unnest: (_c, a: Multirange) => a.ranges },
  aggregates: {
    'range_agg_transfn/range_agg_finalfn': collectRanges,
    'multirange_agg_transfn/multirange_agg_finalfn': collectRanges,
  },
});
