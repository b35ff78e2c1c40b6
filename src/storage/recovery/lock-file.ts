/** Lock file: one process owns a data directory. Text, a line each: the owner's pid, what tells it from
 * a later process with that pid, the directory. */

import { PgError, pgError, SQLSTATES } from '../../errors/index.ts';
import type { Directory, File, Processes } from '../../io/index.ts';

const LOCK_FILE_NAME = 'heddle.pid';
const LOCK_FILE_SIZE_MAX = 4096;
const ATTEMPTS_MAX = 100;
/** Another starter may have made the file and not yet written it; after so many looks it is a crash
 * that left it empty. */
const EMPTY_LOOKS_MAX = 50;

/** The lock on a data directory that this process holds. */
export class LockFile {
  readonly #directory: Directory;

  private constructor(directory: Directory) {
    this.#directory = directory;
  }

  /** Takes the directory, over from a dead owner too; fails when its owner is alive. */
  static acquire(directory: Directory, processes: Processes): LockFile {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (tryCreate(directory, processes)) return new LockFile(directory);
      const owner = readOwner(directory, LOCK_FILE_NAME);
      if (owner === null && attempt < EMPTY_LOOKS_MAX) continue;
      if (owner !== null && isAlive(owner, processes)) throw inUse(directory, owner.pid);
      moveAside(directory, processes, owner);
    }
    throw inUse(directory, null);
  }

  release(): void {
    this.#directory.remove(LOCK_FILE_NAME);
  }
}

interface Owner {
  readonly pid: number;
  readonly identity: string;
}

function tryCreate(directory: Directory, processes: Processes): boolean {
  let file: File;
  try {
    file = directory.open(LOCK_FILE_NAME, 'exclusive');
  } catch (thrown) {
    if (thrown instanceof PgError && thrown.sqlstate === SQLSTATES.duplicate_file) return false;
    throw thrown;
  }
  const identity = processes.identify(processes.pid) ?? '';
  file.writeAt(new TextEncoder().encode(`${processes.pid}\n${identity}\n${directory.path}\n`), 0);
  file.sync();
  file.close();
  return true;
}

/** Null when the file is gone or does not say, as after a crash before its bytes were stable. */
function readOwner(directory: Directory, name: string): Owner | null {
  if (!directory.exists(name)) return null;
  const file = directory.open(name, 'read');
  const bytes = new Uint8Array(Math.min(file.size(), LOCK_FILE_SIZE_MAX));
  file.readAt(bytes, 0);
  file.close();
  const [pid, identity] = new TextDecoder().decode(bytes).split('\n');
  if (pid === undefined || !/^[1-9][0-9]*$/.test(pid)) return null;
  return { pid: Number(pid), identity: identity ?? '' };
}

function isAlive(owner: Owner, processes: Processes): boolean {
  const identity = processes.identify(owner.pid);
  if (identity === null) return false;
  // A container gives its processes the same pids again and again.
  return identity === '' || owner.identity === '' || identity === owner.identity;
}

/** Renaming takes a stale file away from one starter only; who finds that it took a fresh one, which
 * another starter made meanwhile, puts it back. */
function moveAside(directory: Directory, processes: Processes, stale: Owner | null): void {
  if (!directory.exists(LOCK_FILE_NAME)) return;
  const aside = `${LOCK_FILE_NAME}.${processes.pid}`;
  directory.rename(LOCK_FILE_NAME, aside);
  const taken = readOwner(directory, aside);
  const wasStale =
    taken === null || (taken.pid === stale?.pid && taken.identity === stale.identity);
  if (wasStale) directory.remove(aside);
  else directory.rename(aside, LOCK_FILE_NAME);
}

function inUse(directory: Directory, pid: number | null) {
  const path = `${directory.path}/${LOCK_FILE_NAME}`;
  const hint =
    pid === null
      ? 'Is another server starting in this data directory?'
      : `Is another server (PID ${pid}) running in data directory "${directory.path}"?`;
  return pgError('lock_file_exists', `lock file "${path}" already exists`, {
    severity: 'FATAL',
    hint,
  });
}
