import type { Directory, File } from '../../io/index.ts';
import type { SpillFile } from '../../sql/execute/index.ts';

/** Temporary files of one thread in one directory; removed as soon as they are closed, and all that
 * a crash left behind when the server starts. */
export class SpillFiles {
  private readonly directory: Directory;
  private readonly prefix: string;
  private next = 1;

  constructor(directory: Directory, thread: number) {
    this.directory = directory;
    this.prefix = `spill-${thread}-`;
  }

  create(): SpillFile {
    const name = `${this.prefix}${this.next++}`;
    return new OpenSpillFile(this.directory, name);
  }

  /** Removes what an earlier run of the server left behind. */
  static removeAll(directory: Directory): void {
    for (const name of directory.list()) {
      if (name.startsWith('spill-')) directory.remove(name);
    }
  }
}

const BUFFER_BYTES = 64 * 1024;

class OpenSpillFile implements SpillFile {
  private readonly directory: Directory;
  private readonly name: string;
  private readonly file: File;
  /** What was appended last and is not in the file yet. */
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private buffered = 0;
  private flushed = 0;
  private open = true;

  constructor(directory: Directory, name: string) {
    this.directory = directory;
    this.name = name;
    this.file = directory.open(name, 'create');
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (this.buffered + length > BUFFER_BYTES) this.flush();
    const position = this.flushed + this.buffered;
    if (length > BUFFER_BYTES) {
      this.file.writeAt(bytes.subarray(start, end), position);
      this.flushed += length;
    } else {
      this.buffer.set(bytes.subarray(start, end), this.buffered);
      this.buffered += length;
    }
    return position;
  }

  read(position: number, length: number, target: Uint8Array, at: number): void {
    if (position + length > this.flushed) this.flush();
    this.file.readAt(target.subarray(at, at + length), position);
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.file.close();
    this.directory.remove(this.name);
  }

  private flush(): void {
    if (this.buffered === 0) return;
    this.file.writeAt(this.buffer.subarray(0, this.buffered), this.flushed);
    this.flushed += this.buffered;
    this.buffered = 0;
  }
}
