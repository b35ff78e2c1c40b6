import { toErrorFields } from '../../errors/index.ts';
import { openNodeDirectory } from '../../io/index.ts';
import { SharedMemory } from '../../shm/index.ts';
import { loadParser } from '../../sql/parse/index.ts';
import type { WriterStart } from '../main/server.ts';
import { type LogSyncSetup, runLogSync } from './log-sync.ts';
import { runReader } from './reader.ts';
import { SpillFiles } from './spill-files.ts';
import type { WorkerSetup } from './worker-setup.ts';
import { Writer } from './writer.ts';

const TEMPORARY_NAME = 'temporary';

/** The writer thread: opens the store, recovers it, and serves until it is told to stop. It parses
 * too: the queries of views, and stored expressions. */
export async function runWriterRole(
  setup: WorkerSetup,
  tell: (message: WriterStart) => void,
): Promise<void> {
  let writer: Writer;
  try {
    await loadParser();
    const memory = SharedMemory.attach(setup.memory);
    const directory = openNodeDirectory(setup.dataDirectory);
    const temporary = directory.makeDirectory(TEMPORARY_NAME);
    SpillFiles.removeAll(temporary);
    writer = Writer.open(setup, memory, directory, temporary);
  } catch (thrown) {
    tell({ kind: 'failed', error: toErrorFields(thrown) });
    return;
  }
  tell({ kind: 'ready', recovery: writer.engine.recovery });
  writer.run();
}

/** A reader thread: serves until it is told to stop. */
export function runReaderRole(setup: WorkerSetup): void {
  const directory = openNodeDirectory(setup.dataDirectory);
  runReader(setup, directory, directory.makeDirectory(TEMPORARY_NAME));
}

/** The thread that syncs the log for the writer. */
export function runLogSyncRole(setup: LogSyncSetup): void {
  runLogSync(setup, () => openNodeDirectory(setup.dataDirectory).makeDirectory('wal'));
}
