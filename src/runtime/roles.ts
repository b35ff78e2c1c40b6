/** What thread entry points start. */
export { runReaderRole, runWriterRole } from './worker/roles.ts';
export type { WorkerSetup } from './worker/worker-setup.ts';
