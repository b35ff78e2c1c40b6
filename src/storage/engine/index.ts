export type { EngineOptions } from './options.ts';
export { type RecoveryReport, StorageEngine } from './storage-engine.ts';
export { openPageFiles } from './store-files.ts';
