export { foldAll, foldConstants } from './constant-folding.ts';
export { flatten, type SemiJoinItem } from './pull-up.ts';
export { havingToWhere, pushDown } from './push-down.ts';
