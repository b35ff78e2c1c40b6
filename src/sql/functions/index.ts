import './int.ts';
import './bool.ts';
import './float.ts';
import './text.ts';
import './concat.ts';
import './like.ts';
import './bytea.ts';
import './regex-functions.ts';
import './numeric.ts';
import './series.ts';
import './array.ts';
import './range.ts';
import './multirange.ts';
import './enum.ts';
import './datetime.ts';
import './timetz.ts';
import './in-range.ts';
import './network.ts';
import './mac.ts';
import './bit.ts';
import './money.ts';
import './session.ts';
import './advisory.ts';
import './input-output.ts';
import './catalog.ts';
import './jsonb.ts';
import './json-build.ts';
import './json-aggregate.ts';
import './json.ts';
import './json-sets.ts';
import './json-records.ts';
import './jsonb-change.ts';
import './jsonpath.ts';
import './jsonb-subscript.ts';
import './aggregate-count.ts';
import './aggregate-sum.ts';
import './aggregate-variance.ts';
import './aggregate-regression.ts';
import './aggregate-collect.ts';

export { isAdvisoryFunction, isWriterFunction } from './advisory.ts';
export { isCatalogFunction, isCatalogType, isSessionFunction } from './catalog.ts';
export { currentSchema, objectNamesOf } from './catalog-names.ts';
export type * from './function.ts';
export {
  aggregateImplementation,
  isImplemented,
  scalarImplementation,
  setImplementation,
} from './implementations.ts';
export { JSONB_SUBSCRIPT } from './jsonb-subscript.ts';
export {
  btreeClass,
  btreeFamily,
  btreeMembers,
  btreeOperator,
  btreeSupport,
  EQUAL,
  GREATER,
  IN_RANGE,
  LESS,
  operatorClass,
  orderedTypeOf,
} from './operator-families.ts';
export {
  aggregateByOid,
  allCasts,
  allFunctions,
  allOperators,
  castBetween,
  functionByOid,
  functionsByName,
  operatorByOid,
  operatorsByName,
} from './signatures.ts';
export { quoteIdentifier, quoteLiteral } from './text.ts';
