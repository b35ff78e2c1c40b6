export type { DeferredMark } from './events.ts';
export { ForeignKeyChecks } from './foreign-key-checks.ts';
export { Reference, ReferenceCache } from './reference.ts';
export { partitionReference } from './referenced-partition.ts';
export type { ForeignKeyServices, ForeignKeyWork } from './services.ts';
export { hasForeignKeys } from './table-keys.ts';
export { missingParent, mixedNulls } from './violations.ts';
