export {
  commonRanges,
  compareMultiranges,
  holdsElement,
  holdsRanges,
  hull,
  MULTIRANGE_KINDS,
  type MultirangeKind,
  makeMultirange,
  multirangeKind,
  multirangeKindOf,
  rangesWithout,
} from './multirange.ts';
export { MULTIRANGE_TYPES } from './multirange-type.ts';
export {
  containsElement,
  containsRange,
  intersect,
  isAdjacent,
  isBefore,
  isWithinEnd,
  isWithinStart,
  merge,
  overlap,
  subtract,
  unite,
} from './operations.ts';
export { RANGE_TYPES } from './types.ts';
export {
  compareRanges,
  makeRange,
  RANGE_KINDS,
  type RangeKind,
  rangeKind,
} from './value.ts';
