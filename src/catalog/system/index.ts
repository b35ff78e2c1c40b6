export { ownerAccess } from './access.ts';
export { COLLATIONS } from './cluster.ts';
export {
  constraintDefinition,
  expressionWithText,
  functionArguments,
  functionDefault,
  functionDefinition,
  functionResult,
  indexColumnDefinition,
  indexDefinition,
  shownExpression,
  viewDefinition,
} from './definitions.ts';
export {
  anyDescription,
  columnDescription,
  objectDescription,
  sharedDescription,
} from './descriptions.ts';
export {
  type FunctionFacts,
  functionFactsOf,
  operatorClassExists,
  operatorFactsOf,
  operatorFamilyExists,
} from './functions.ts';
export { type NamingSession, type RelationPlace, SystemNames } from './object-names.ts';
export { partitionConstraintDefinition } from './partition-constraints.ts';
export {
  boundText,
  partitionKeyDefinition,
  storedBound,
} from './partition-definitions.ts';
export {
  ancestorsOf,
  isInPartitionTree,
  partitionTree,
} from './partitions.ts';
export { parseQualifiedName } from './qualified-name.ts';
export {
  SYSTEM_RELATIONS,
  type SystemColumn,
  type SystemRelation,
  systemRelation,
  systemRelationByOid,
  systemRelationOfRowType,
} from './shapes.ts';
export type * from './system-state.ts';
export { systemViewProducers, systemViewRows, systemViewShape } from './views.ts';
