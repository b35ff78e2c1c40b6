export { foldConstants } from './constant-folding.ts';
