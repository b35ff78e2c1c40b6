export { invalidUtf8 } from './invalid-utf8.ts';
export {
  hasCondition,
  inContext,
  notSupported,
  PgError,
  type PgErrorFields,
  type PgErrorOptions,
  pgError,
  reportedErrorFields,
  type Severity,
  stackDepthExceeded,
  toErrorFields,
  withoutPosition,
} from './pg-error.ts';
export { type Condition, SQLSTATES } from './sqlstates.ts';
