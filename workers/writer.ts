/** Entry point of the writer thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { runWriterRole, type WorkerSetup } from '../src/runtime/roles.ts';

await runWriterRole(workerData as WorkerSetup, (message) => parentPort?.postMessage(message));
