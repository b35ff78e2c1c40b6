/** The files of the log.
 *
 * The log is one sequence of bytes; LSN is a position in it. Segment file k holds the bytes from
 * k * segmentSize on and is named by the LSN it starts with, in 16 hex digits. Records run across
 * segments. A segment is filled with zeros and synced, or renamed from one that is no longer needed,
 * and its name is synced, before a record is written to it: a commit then changes no metadata and
 * cannot meet a full disk. */

import { assert } from '../../base/index.ts';
import type { Directory, File } from '../../io/index.ts';
import { LogFailure } from './log-failure.ts';

/** PostgreSQL's default. */
export const WAL_SEGMENT_SIZE = 16 * 1024 * 1024;
const NAME = /^[0-9a-f]{16}$/;
/** A segment in the making. */
const NEW_NAME = 'new';
/** A segment that a SegmentFiller makes. */
export const AHEAD_NAME = 'ahead';
/** Written and synced at once while a segment is made, so that a commit in between waits a
 * millisecond or two and not for a whole segment. */
const PART_SIZE = 1024 * 1024;

/** Makes files of zeros ahead of need, somewhere else than on the thread that writes the log. */
export interface SegmentFiller {
  /** 'done': the file AHEAD_NAME of the log's directory is whole and synced. */
  readonly state: 'idle' | 'busy' | 'done' | 'failed';
  /** Begins to make such a file. */
  begin(size: number): void;
  /** The file has been taken, or given up. */
  end(): void;
}

export class WalSegments {
  filler: SegmentFiller | null = null;
  readonly segmentSize: number;
  readonly #directory: Directory;
  /** Indexes of the segments that exist under a synced name. */
  readonly #existing = new Set<number>();
  readonly #open = new Map<number, File>();
  /** The segment in the making, and how much of it is zeros on the disk. */
  #new: File | null = null;
  #newSize = 0;

  constructor(directory: Directory, segmentSize: number) {
    this.#directory = directory;
    this.segmentSize = segmentSize;
    for (const name of directory.list()) {
      if (NAME.test(name)) this.#existing.add(Number.parseInt(name, 16) / segmentSize);
    }
  }

  pathOf(index: number): string {
    return `${this.#directory.path}/${this.#nameOf(index)}`;
  }

  /** The end of the last segment that exists. */
  end(): number {
    let last = -1;
    for (const index of this.#existing) if (index > last) last = index;
    return (last + 1) * this.segmentSize;
  }

  /** The file of a segment, or null when it does not exist. */
  file(index: number): File | null {
    let file = this.#open.get(index);
    if (file === undefined) {
      if (!this.#existing.has(index)) return null;
      file = this.#directory.open(this.#nameOf(index), 'write');
      this.#open.set(index, file);
    }
    return file;
  }

  /** Makes the segments from one LSN up to another exist, ready for records. */
  ensure(from: number, end: number): void {
    for (let index = this.indexOf(from); index * this.segmentSize < end; index++) {
      while (!this.#prepare(index, false));
    }
  }

  /** Does a part of what makes a segment exist; true when it does. */
  prepare(index: number): boolean {
    return this.#prepare(index, true);
  }

  /** Nobody can do anything else while a segment is needed, so its parts need no syncs of their own. */
  #prepare(index: number, syncsParts: boolean): boolean {
    if (this.#existing.has(index)) return true;
    if (this.filler?.state === 'done') this.#adoptAhead(this.filler, index);
    else if (this.#fillNew(syncsParts)) this.#adoptNew(index);
    return this.#existing.has(index);
  }

  /** The same for a segment that is not needed yet, which the filler makes if there is one; true when
   * there is nothing to do here. */
  prepareAhead(index: number): boolean {
    const { filler } = this;
    if (filler === null || this.#existing.has(index)) return this.prepare(index);
    switch (filler.state) {
      case 'idle':
        filler.begin(this.segmentSize);
        return true;
      case 'busy':
        return true;
      case 'done':
        return this.prepare(index);
      default:
        // Tried again here, for the error.
        filler.end();
        return this.prepare(index);
    }
  }

  /** Reuses segments that end at or before `before` as the next ones behind the end, up to `spares`
   * of those behind `appended`, and removes the rest. */
  recycle(before: number, appended: number, spares: number): void {
    const limit = this.indexOf(appended) + spares;
    let next = this.indexOf(appended) + 1;
    let changed = false;
    for (const index of [...this.#existing].sort((a, b) => a - b)) {
      if ((index + 1) * this.segmentSize > before) break;
      this.#release(index);
      while (this.#existing.has(next)) next++;
      // A segment whose size is not right is from a crash in the middle of a copy or a restore.
      if (next <= limit && this.#sizeIsRight(index)) {
        this.#directory.rename(this.#nameOf(index), this.#nameOf(next));
        this.#existing.add(next);
      } else {
        this.#directory.remove(this.#nameOf(index));
      }
      this.#existing.delete(index);
      changed = true;
    }
    if (changed) this.#directory.sync();
  }

  /** Makes the names of all segments, and the bytes from `from` to `end`, stable. After a crash they
   * may have been read from the system's memory alone, and after a sync that failed, the system does
   * not even know that they are not on the disk; written again, they are. */
  stabilize(from: number, end: number): void {
    this.#directory.sync();
    const buffer = new Uint8Array(Math.min(this.segmentSize, PART_SIZE));
    for (let lsn = from; lsn < end; ) {
      const index = this.indexOf(lsn);
      const offset = lsn - index * this.segmentSize;
      const file = this.file(index);
      assert(file !== null, 'a segment that was read exists');
      const length = Math.min(buffer.length, this.segmentSize - offset, end - lsn);
      const part = buffer.subarray(0, length);
      file.readAt(part, offset);
      file.writeAt(part, offset);
      lsn += length;
      if (offset + length === this.segmentSize || lsn === end) file.sync();
    }
  }

  indexOf(lsn: number): number {
    return Math.floor(lsn / this.segmentSize);
  }

  close(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
    this.#new?.close();
    this.#new = null;
  }

  #nameOf(index: number): string {
    return (index * this.segmentSize).toString(16).padStart(16, '0');
  }

  /** Adds a part of zeros to the segment in the making; true when it is whole. */
  #fillNew(syncsPart: boolean): boolean {
    this.#new ??= this.#directory.open(NEW_NAME, 'create');
    const file = this.#new;
    const size = Math.min(PART_SIZE, this.segmentSize - this.#newSize);
    try {
      file.writeAt(new Uint8Array(size), this.#newSize);
      if (syncsPart || this.#newSize + size === this.segmentSize) file.sync();
    } catch (thrown) {
      this.#abandonNew(file);
      throw thrown;
    }
    this.#newSize += size;
    return this.#newSize === this.segmentSize;
  }

  #adoptNew(index: number): void {
    this.#new?.close();
    this.#new = null;
    this.#newSize = 0;
    this.#adopt(NEW_NAME, index);
  }

  #adoptAhead(filler: SegmentFiller, index: number): void {
    filler.end();
    this.#adopt(AHEAD_NAME, index);
  }

  #adopt(name: string, index: number): void {
    try {
      this.#directory.rename(name, this.#nameOf(index));
      this.#directory.sync();
    } catch (thrown) {
      // Whether the name is stable is unknown, and a second sync could not tell.
      throw new LogFailure(thrown);
    }
    this.#existing.add(index);
  }

  /** Gives back the space of a segment that did not fit. The next one is written from its first byte,
   * so that no byte is left whose sync failed. */
  #abandonNew(file: File): void {
    this.#new = null;
    this.#newSize = 0;
    try {
      file.truncate(0);
      file.close();
    } catch {
      // The first error is the one to report.
    }
  }

  #sizeIsRight(index: number): boolean {
    const file = this.#directory.open(this.#nameOf(index), 'read');
    const right = file.size() === this.segmentSize;
    file.close();
    return right;
  }

  #release(index: number): void {
    this.#open.get(index)?.close();
    this.#open.delete(index);
  }
}
