export { AddedPartitions } from './added-partitions.ts';
export { type CompiledPlan, compilePlan } from './compile-plan.ts';
export * from './copy/index.ts';
export { CopyRowEncoder } from './copy-rows.ts';
export { type DataRowEncoder, dataRowEncoder, encodeDataRows } from './data-rows.ts';
export type * from './environment.ts';
export { ExpressionCompiler } from './expression/compile.ts';
export * from './foreign-keys/index.ts';
export { CHUNK, DONE, PAUSE, type Status } from './operator.ts';
