import { openNodeDirectory } from '../io/index.ts';
import { SharedMemory } from '../shm/index.ts';
import { type CheckReport, StorageEngine } from '../storage/index.ts';

/** Frames of a check, 64 MiB. */
const FRAME_COUNT = 8192;

/** Walks everything in a data directory that no server has open, recovering it first when it was not
 * stopped cleanly, and reports what is wrong. */
export function checkDataDirectory(path: string): CheckReport {
  const memory = SharedMemory.create({ frameCount: FRAME_COUNT, threadCount: 4 });
  const engine = StorageEngine.open(openNodeDirectory(path), memory, { mustExist: true });
  try {
    return engine.check();
  } finally {
    engine.close();
  }
}
