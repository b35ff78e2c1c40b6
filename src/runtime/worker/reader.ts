import type { Directory } from '../../io/index.ts';
import { openPageFiles } from '../../storage/index.ts';
import { StatementThread, type ThreadSetup } from './statement-thread.ts';

/** The read worker: answers statements that only read, each at a snapshot of its own. */
export function runReader(setup: ThreadSetup, directory: Directory, temporary: Directory): void {
  new StatementThread(setup, openPageFiles(directory), temporary).run();
}
