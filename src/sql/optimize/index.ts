export { foldAll, foldConstants } from './constant-folding.ts';
export {
  type IndexedRelation,
  indexedExpr,
  keyTest,
  type UsablePart,
  usablePart,
} from './index-keys.ts';
export { flatten, type SemiJoinItem } from './pull-up.ts';
export { havingToWhere, pushDown } from './push-down.ts';
