/** Entry point of the thread that syncs the log. */
import { workerData } from 'node:worker_threads';
import { type LogSyncSetup, runLogSyncRole } from '../src/runtime/roles.ts';

runLogSyncRole(workerData as LogSyncSetup);
