/** What thread entry points start. */
export type { LogSyncSetup } from './worker/log-sync.ts';
export { runLogSyncRole, runReaderRole, runWriterRole } from './worker/roles.ts';
export type { WorkerSetup } from './worker/worker-setup.ts';
