import type { Directory, File, OpenMode } from './file.ts';
import { ioError } from './io-error.ts';

/** Blocks are allocated when first written, so that sparse and growing files are never copied. */
const BLOCK_SIZE = 65536;

/** Opens a directory that lives in this process's memory and is gone with it (`memory:`). */
export function openMemoryDirectory(path = 'memory:'): Directory {
  return new MemoryDirectory(path);
}

class MemoryDirectory implements Directory {
  readonly path: string;
  readonly #files = new Map<string, MemoryContent>();
  readonly #directories = new Map<string, MemoryDirectory>();

  constructor(path: string) {
    this.path = path;
  }

  open(name: string, mode: OpenMode): File {
    const path = `${this.path}/${name}`;
    let content = this.#files.get(name);
    if (content !== undefined && mode === 'exclusive') throw ioError('create file', path, 'EEXIST');
    if (content === undefined) {
      if (this.#directories.has(name)) throw ioError('open file', path, 'EISDIR');
      if (mode === 'read' || mode === 'write') throw ioError('open file', path, 'ENOENT');
      content = new MemoryContent();
      this.#files.set(name, content);
    }
    return new MemoryFile(path, content);
  }

  exists(name: string): boolean {
    return this.#files.has(name) || this.#directories.has(name);
  }

  remove(name: string): void {
    if (!this.#files.delete(name)) throw ioError('remove file', `${this.path}/${name}`, 'ENOENT');
  }

  rename(from: string, to: string): void {
    const content = this.#files.get(from);
    if (content === undefined) {
      throw ioError('rename file', `${this.path}/${from}`, 'ENOENT', `${this.path}/${to}`);
    }
    this.#files.delete(from);
    this.#files.set(to, content);
  }

  list(): string[] {
    return [...this.#files.keys(), ...this.#directories.keys()].sort();
  }

  makeDirectory(name: string): Directory {
    const path = `${this.path}/${name}`;
    if (this.#files.has(name)) throw ioError('create directory', path, 'EEXIST');
    let directory = this.#directories.get(name);
    if (directory === undefined) {
      directory = new MemoryDirectory(path);
      this.#directories.set(name, directory);
    }
    return directory;
  }

  sync(): void {}
}

/** The bytes of a file; blocks that were never written are zeros. */
class MemoryContent {
  readonly blocks: (Uint8Array | undefined)[] = [];
  size = 0;
}

class MemoryFile implements File {
  readonly path: string;
  readonly #content: MemoryContent;

  constructor(path: string, content: MemoryContent) {
    this.path = path;
    this.#content = content;
  }

  readAt(buffer: Uint8Array, position: number): number {
    const { blocks, size } = this.#content;
    const count = Math.max(0, Math.min(buffer.length, size - position));
    let done = 0;
    while (done < count) {
      const at = position + done;
      const offset = at % BLOCK_SIZE;
      const part = Math.min(BLOCK_SIZE - offset, count - done);
      const block = blocks[(at - offset) / BLOCK_SIZE];
      if (block === undefined) buffer.fill(0, done, done + part);
      else buffer.set(block.subarray(offset, offset + part), done);
      done += part;
    }
    return count;
  }

  writeAt(buffer: Uint8Array, position: number): void {
    const content = this.#content;
    let done = 0;
    while (done < buffer.length) {
      const at = position + done;
      const offset = at % BLOCK_SIZE;
      const part = Math.min(BLOCK_SIZE - offset, buffer.length - done);
      const index = (at - offset) / BLOCK_SIZE;
      let block = content.blocks[index];
      if (block === undefined) {
        block = new Uint8Array(BLOCK_SIZE);
        content.blocks[index] = block;
      }
      block.set(buffer.subarray(done, done + part), offset);
      done += part;
    }
    content.size = Math.max(content.size, position + buffer.length);
  }

  sync(): void {}

  truncate(size: number): void {
    const content = this.#content;
    if (size < content.size) {
      const kept = Math.ceil(size / BLOCK_SIZE);
      if (content.blocks.length > kept) content.blocks.length = kept;
      if (size % BLOCK_SIZE !== 0) content.blocks[kept - 1]?.fill(0, size % BLOCK_SIZE);
    }
    content.size = size;
  }

  size(): number {
    return this.#content.size;
  }

  close(): void {}
}
