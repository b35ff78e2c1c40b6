/** Functions and operators of ranges, by types/range. A range tells its type, so that one function
 * serves them all; the constructors go by the type of their result. */

import { pgError } from '../../errors/index.ts';
import {
  type Datum,
  type Int8,
  int4FromDate,
  int8FromTimestamp,
  type Numeric,
  numeric,
  type RangeDatum,
  range,
} from '../../types/index.ts';
import type { CallTypes, FunctionContext, ScalarFunction } from './function.ts';
import { registerFunctions } from './implementations.ts';
import { orderFunctions, type Scalars } from './order.ts';

type Kind = range.RangeKind;
type Range = RangeDatum;

function kindOf({ rangeType }: Range): Kind {
  return kindOfType(rangeType);
}

function kindOfType(oid: number): Kind {
  const kind = range.rangeKind(oid);
  if (kind === undefined) throw pgError('internal_error', `type ${oid} is not a range type`);
  return kind;
}

/** A function of two ranges of one type. */
function ofTwo<Result extends Datum>(compute: (kind: Kind, a: Range, b: Range) => Result) {
  return (_c: FunctionContext, a: Range, b: Range): Result => {
    if (a.rangeType !== b.rangeType) {
      throw pgError('internal_error', 'range types do not match');
    }
    return compute(kindOf(a), a, b);
  };
}

const relations: Scalars = {
  range_contains_elem: (_c, whole: Range, element: Datum) =>
    range.containsElement(kindOf(whole), whole, element),
  elem_contained_by_range: (_c, element: Datum, whole: Range) =>
    range.containsElement(kindOf(whole), whole, element),
  range_contains: ofTwo(range.containsRange),
  range_contained_by: ofTwo((kind, a, b) => range.containsRange(kind, b, a)),
  range_overlaps: ofTwo(range.overlap),
  range_before: ofTwo(range.isBefore),
  range_after: ofTwo((kind, a, b) => range.isBefore(kind, b, a)),
  range_overleft: ofTwo(range.isWithinEnd),
  range_overright: ofTwo(range.isWithinStart),
  range_adjacent: ofTwo(range.isAdjacent),
  range_union: ofTwo(range.unite),
  range_merge: ofTwo(range.merge),
  range_intersect: ofTwo(range.intersect),
  range_intersect_agg_transfn: ofTwo(range.intersect),
  range_minus: ofTwo(range.subtract),
};

const comparisons = orderFunctions<Range, Range>(
  { prefix: 'range_', compare: 'range_cmp' },
  (a, b) => range.compareRanges(kindOf(a).subtype, a, b),
);

const parts: Scalars = {
  range_lower: (_c, a: Range) => a.lower,
  range_upper: (_c, a: Range) => a.upper,
  range_empty: (_c, a: Range) => a.empty,
  range_lower_inc: (_c, a: Range) => a.lowerInclusive,
  range_upper_inc: (_c, a: Range) => a.upperInclusive,
  range_lower_inf: (_c, a: Range) => !a.empty && a.lower === null,
  range_upper_inf: (_c, a: Range) => !a.empty && a.upper === null,
};

/** The brackets of a constructor's third argument. */
const BRACKETS: ReadonlySet<string> = new Set(['[]', '[)', '(]', '()']);

function construct(kind: Kind, lower: Datum, upper: Datum, brackets: string | null): Range {
  if (brackets === null) {
    throw pgError('data_exception', 'range constructor flags argument must not be null');
  }
  if (!BRACKETS.has(brackets)) {
    throw pgError('syntax_error', 'invalid range bound flags', {
      hint: 'Valid values are "[]", "[)", "(]", and "()".',
    });
  }
  return range.makeRange(
    kind,
    { value: lower, inclusive: brackets[0] === '[', isLower: true },
    { value: upper, inclusive: brackets[1] === ']', isLower: false },
  );
}

function constructorOf(isDefault: boolean) {
  return ({ result }: CallTypes): ScalarFunction => {
    const kind = kindOfType(result);
    return isDefault
      ? (_c: FunctionContext, lower: Datum, upper: Datum) => construct(kind, lower, upper, '[)')
      : (_c: FunctionContext, lower: Datum, upper: Datum, brackets: string | null) =>
          construct(kind, lower, upper, brackets);
  };
}

/** Every range is in its one form already. */
const same = (_c: FunctionContext, a: Range): Datum => a;

const seconds = (_c: FunctionContext, a: Int8, b: Int8) =>
  Number(BigInt(int8FromTimestamp(a)) - BigInt(int8FromTimestamp(b))) / 1e6;

const support: Scalars = {
  int4range_canonical: same,
  int8range_canonical: same,
  daterange_canonical: same,
  int4range_subdiff: (_c, a: number, b: number) => a - b,
  int8range_subdiff: (_c, a: Int8, b: Int8) => Number(a) - Number(b),
  numrange_subdiff: (_c, a: Numeric, b: Numeric) => numeric.toFloat8(numeric.subtract(a, b)),
  daterange_subdiff: (_c, a: number, b: number) => int4FromDate(a) - int4FromDate(b),
  tsrange_subdiff: seconds,
  tstzrange_subdiff: seconds,
};

registerFunctions({
  scalars: { ...relations, ...comparisons, ...parts, ...support },
  typedScalars: {
    range_constructor2: constructorOf(true),
    range_constructor3: constructorOf(false),
  },
});
