/** The ports on a real file system. */

import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { PgError } from '../errors/index.ts';
import type { Directory, File, OpenMode } from './file.ts';
import { type IoOperation, ioError } from './io-error.ts';

/** Only the owner may read a data directory or what is in it, as PostgreSQL has it. */
const FILE_PERMISSIONS = 0o600;
const DIRECTORY_PERMISSIONS = 0o700;

const OPEN_FLAGS: Readonly<Record<Exclude<OpenMode, 'create'>, string>> = {
  read: 'r',
  write: 'r+',
  exclusive: 'wx+',
};

/** Opens a directory of the file system, made with its parents when it is absent. */
export function openNodeDirectory(path: string): Directory {
  return new NodeDirectory(resolve(path));
}

class NodeDirectory implements Directory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    try {
      makeDirectories(path);
    } catch (thrown) {
      throw fromNode('create directory', path, thrown);
    }
  }

  open(name: string, mode: OpenMode): File {
    const path = join(this.path, name);
    try {
      if (mode !== 'create') {
        return new NodeFile(path, openSync(path, OPEN_FLAGS[mode], FILE_PERMISSIONS));
      }
      const flags = existsSync(path) ? 'r+' : 'wx+';
      return new NodeFile(path, openSync(path, flags, FILE_PERMISSIONS));
    } catch (thrown) {
      throw fromNode(mode === 'exclusive' ? 'create file' : 'open file', path, thrown);
    }
  }

  exists(name: string): boolean {
    return existsSync(join(this.path, name));
  }

  remove(name: string): void {
    const path = join(this.path, name);
    try {
      unlinkSync(path);
    } catch (thrown) {
      throw fromNode('remove file', path, thrown);
    }
  }

  rename(from: string, to: string): void {
    const source = join(this.path, from);
    const target = join(this.path, to);
    try {
      renameSync(source, target);
    } catch (thrown) {
      throw fromNode('rename file', source, thrown, target);
    }
  }

  list(): string[] {
    try {
      return readdirSync(this.path).sort();
    } catch (thrown) {
      throw fromNode('open directory', this.path, thrown);
    }
  }

  makeDirectory(name: string): Directory {
    return new NodeDirectory(join(this.path, name));
  }

  sync(): void {
    // Windows cannot open a directory; its file systems journal names by themselves.
    if (process.platform === 'win32') return;
    try {
      const descriptor = openSync(this.path, 'r');
      try {
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    } catch (thrown) {
      throw fromNode('fsync file', this.path, thrown);
    }
  }
}

/** Makes a directory and those above it that are absent. Node's recursive mkdir never returns where a
 * file system takes no directories, as /proc does. */
function makeDirectories(path: string): void {
  if (isDirectory(path)) return;
  const above = dirname(path);
  if (above !== path) makeDirectories(above);
  try {
    mkdirSync(path, { mode: DIRECTORY_PERMISSIONS });
  } catch (thrown) {
    // Somebody else may have made it meanwhile.
    if (!isDirectory(path)) throw thrown;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

class NodeFile implements File {
  readonly path: string;
  readonly #descriptor: number;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  readAt(buffer: Uint8Array, position: number): number {
    let done = 0;
    try {
      while (done < buffer.length) {
        const left = buffer.length - done;
        const count = readSync(this.#descriptor, buffer, done, left, position + done);
        if (count === 0) break;
        done += count;
      }
    } catch (thrown) {
      throw fromNode('read file', this.path, thrown);
    }
    return done;
  }

  writeAt(buffer: Uint8Array, position: number): void {
    let done = 0;
    try {
      // The system may write less than asked for when a disk fills up; the next call says why.
      while (done < buffer.length) {
        const left = buffer.length - done;
        done += writeSync(this.#descriptor, buffer, done, left, position + done);
      }
    } catch (thrown) {
      throw fromNode('write to file', this.path, thrown);
    }
  }

  sync(): void {
    try {
      fdatasyncSync(this.#descriptor);
    } catch (thrown) {
      throw fromNode('fsync file', this.path, thrown);
    }
  }

  truncate(size: number): void {
    try {
      ftruncateSync(this.#descriptor, size);
    } catch (thrown) {
      throw fromNode('truncate file', this.path, thrown);
    }
  }

  size(): number {
    try {
      return fstatSync(this.#descriptor).size;
    } catch (thrown) {
      throw fromNode('stat file', this.path, thrown);
    }
  }

  close(): void {
    try {
      closeSync(this.#descriptor);
    } catch (thrown) {
      throw fromNode('close file', this.path, thrown);
    }
  }
}

function fromNode(
  operation: IoOperation,
  path: string,
  thrown: unknown,
  renamedTo?: string,
): PgError {
  const code = (thrown as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') throw thrown;
  return ioError(operation, path, code, renamedTo);
}
