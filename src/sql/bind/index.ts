export { type BoundStatement, bindStatement } from './bind-statement.ts';
export type { BindContext } from './binder.ts';
export {
  type DeparseNames,
  deparseExpression,
  deparseKeys,
  quoteIdentifier,
} from './deparse.ts';
export { UnlikeRows } from './lifted-rows.ts';
export { bindParameterType } from './parameter-type.ts';
export {
  columnMap,
  keyExpressions,
  type PartitionCheck,
  partitionCheck,
  partitionChecks,
  passesCheck,
} from './partition-checks.ts';
export type * from './query.ts';
export {
  bindBoundValue,
  bindExpression,
  type StoredPlace,
  type StoredTable,
  type StoredTarget,
} from './stored.ts';
