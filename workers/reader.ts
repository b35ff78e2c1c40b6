/** Entry point of a reader thread: a task that ends when the server stops. */
import { runReaderRole, type WorkerSetup } from '../src/runtime/roles.ts';

export default function read(setup: WorkerSetup): void {
  runReaderRole(setup);
}
