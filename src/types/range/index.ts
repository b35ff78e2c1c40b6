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
export { compareRanges, makeRange, RANGE_KINDS, type RangeKind, rangeKind } from './value.ts';
