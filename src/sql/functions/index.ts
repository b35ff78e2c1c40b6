import './int.ts';
import './bool.ts';
import './float.ts';
import './text.ts';
import './concat.ts';
import './like.ts';
import './bytea.ts';
import './regex-functions.ts';

export type * from './function.ts';
export {
  aggregateImplementation,
  type FunctionTable,
  isImplemented,
  registerFunctions,
  scalarImplementation,
  setImplementation,
} from './implementations.ts';
export {
  btreeFamily,
  btreeMembers,
  btreeOperator,
  EQUAL,
  equalityOperator,
  GREATER,
  GREATER_OR_EQUAL,
  LESS,
  LESS_OR_EQUAL,
  lessThanOperator,
  type SortOperators,
  sortOperators,
} from './operator-families.ts';
export {
  aggregateByOid,
  allAggregates,
  allCasts,
  allFunctions,
  allOperators,
  castBetween,
  functionByOid,
  functionsByName,
  operatorByOid,
  operatorsByName,
} from './signatures.ts';
