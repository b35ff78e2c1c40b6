export { utilityTag } from './command-tags.ts';
export { copyColumns, copyOptions } from './copy-from.ts';
export { viewRelations } from './dependencies.ts';
export type {
  UtilityEnvironment,
  UtilityExecution,
  UtilityPause,
  UtilityResult,
} from './environment.ts';
export { executeUtility } from './execute-utility.ts';
export {
  discardTemporary,
  droppedOnCommit,
  dropTemporarySchema,
  emptiedOnCommit,
  prepareCommit,
} from './on-commit.ts';
