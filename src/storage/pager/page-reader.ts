import { AssertionError } from '../../base/index.ts';
import type { PgError } from '../../errors/index.ts';
import type { File } from '../../io/index.ts';
import {
  Doorbell,
  EpochSlot,
  FrameInHand,
  FreeFrames,
  frameLocation,
  HOME_LOCATION,
  Locations,
  type SharedMemory,
  spillSlotOf,
  WRITER_THREAD,
} from '../../shm/index.ts';
import {
  corruptPage,
  isPageValid,
  PAGE_SIZE,
  type PageNumber,
  pageLsn,
  shortPage,
} from '../page/index.ts';
import type { PageRef } from './page-ref.ts';
import { type PoolLimits, poolLimits } from './pool-limits.ts';

/** What a frame's bytes are also found in: nothing, the page's home, or slot `backing - 1`. */
export const BACKING_NONE = 0;
export const BACKING_HOME = -1;

/** A snapshot that sees every version, for the writer. */
export const NEWEST = Number.MAX_SAFE_INTEGER;

/** The data file and the spill file, each thread with handles of its own. */
export interface PageFiles {
  readonly data: File;
  readonly spill: File;
}

/** Thrown on the main thread, which never reads a file, when a page is not in memory. One object for
 * all, without a stack, because it is flow and not failure: the statement goes to a worker. */
class PageMiss extends Error {
  override readonly name = 'PageMiss';
}
const PAGE_MISS = new PageMiss('the page is not in memory');
delete (PAGE_MISS as { stack?: string }).stack;

export function isPageMiss(thrown: unknown): boolean {
  return thrown === PAGE_MISS;
}

/** Finds pages as of a snapshot, on any thread.
 *
 * Assumes that the thread is in an epoch (`enter`) from before a resolve until it is done with the
 * page, and that its snapshot is in a slot. See shm/locations.ts for L1 to L3.
 */
export class PageReader {
  readonly memory: SharedMemory;
  /** Pages read from a file so far. */
  loadCount = 0;
  /** Pages asked for so far. */
  requestCount = 0;
  readonly #locations: Locations;
  readonly #free: FreeFrames;
  readonly #inHand: FrameInHand;
  readonly #epoch: EpochSlot;
  readonly #writerBell: Doorbell;
  readonly #files: PageFiles | null;
  readonly #limits: PoolLimits;
  readonly #isWriter: boolean;
  #lastReadSize = 0;

  /** Without `files` a page that is not in memory throws a PageMiss. */
  constructor(memory: SharedMemory, thread: number, files: PageFiles | null) {
    this.memory = memory;
    this.#locations = new Locations(memory);
    this.#free = new FreeFrames(memory);
    this.#inHand = new FrameInHand(memory, thread);
    this.#epoch = EpochSlot.of(memory, thread);
    this.#writerBell = new Doorbell(memory, WRITER_THREAD);
    this.#files = files;
    this.#limits = poolLimits(memory.frameCount);
    this.#isWriter = thread === WRITER_THREAD;
  }

  /** Begins a stretch in which resolved pages stay where they are. Stretches nest, and end before the
   * thread sleeps or lets another statement run. */
  enter(): void {
    this.#epoch.enter();
  }

  leave(): void {
    this.#epoch.leave();
  }

  get isEntered(): boolean {
    return this.#epoch.active;
  }

  /** Points `ref` at the newest version of the page at or below `snapshot`. */
  resolve(page: PageNumber, snapshot: number, ref: PageRef): void {
    this.requestCount++;
    const location = this.#locations.load(page);
    if (location > 0) {
      const frame = location - 1;
      const memory = this.memory;
      if (memory.frameLsn[frame]! <= snapshot) {
        ref.bytes = memory.bytesOf(frame);
        ref.view = memory.viewOf(frame);
        ref.base = memory.baseOf(frame);
        if (memory.frameReferenced[frame] === 0) memory.frameReferenced[frame] = 1;
        return;
      }
    }
    this.#resolveSlowly(page, snapshot, ref);
  }

  #resolveSlowly(page: PageNumber, snapshot: number, ref: PageRef): void {
    const locations = this.#locations;
    for (;;) {
      let location = locations.load(page);
      if (location === HOME_LOCATION) {
        if (this.#loadHome(page, snapshot, ref)) return;
        continue;
      }
      const newest = location;
      while (locations.lsnOf(location) > snapshot) {
        location = locations.previousOf(location);
        if (location === 0) {
          throw new AssertionError(`page ${page} has no version at snapshot ${snapshot}`);
        }
      }
      if (location > 0) {
        this.#point(location - 1, ref);
        return;
      }
      if (this.#loadSpilled(page, location, location === newest, ref)) return;
    }
  }

  #point(frame: number, ref: PageRef): void {
    ref.bytes = this.memory.bytesOf(frame);
    ref.view = this.memory.viewOf(frame);
    ref.base = this.memory.baseOf(frame);
    this.memory.frameReferenced[frame] = 1;
  }

  /** False when the page moved meanwhile, and the caller looks again. */
  #loadHome(page: PageNumber, snapshot: number, ref: PageRef): boolean {
    const frame = this.#frameOrScratch(ref);
    const file = this.#files!.data;
    const isValid = this.#read(file, page, page, ref);
    // (L2) A page that moved may have been read while its home was written.
    if (this.#locations.load(page) !== HOME_LOCATION) return false;
    if (!isValid) throw this.#unreadable(file, page, ref);
    const lsn = pageLsn(ref.view, ref.base);
    if (lsn > snapshot) {
      throw new AssertionError(`home of page ${page} is at ${lsn}, the snapshot at ${snapshot}`);
    }
    return frame < 0 || this.#publish(page, frame, lsn, 0, BACKING_HOME, HOME_LOCATION);
  }

  #loadSpilled(page: PageNumber, location: number, isNewest: boolean, ref: PageRef): boolean {
    const previous = this.#locations.previousOf(location);
    // The writer may cut the link of a spilled version at any time, and would not find a copy of it
    // that a reader is about to publish. Versions with an older one behind them go to scratch.
    const mayPublish = isNewest && (previous === 0 || this.#isWriter);
    if (this.#files === null) throw PAGE_MISS;
    const frame = mayPublish ? this.#frameOrScratch(ref) : -1;
    if (!mayPublish) ref.useScratch();
    const slot = spillSlotOf(location);
    if (!this.#read(this.#files.spill, slot, page, ref)) {
      throw this.#unreadable(this.#files.spill, page, ref);
    }
    if (frame < 0) return true;
    const lsn = this.#locations.lsnOf(location);
    return this.#publish(page, frame, lsn, previous, slot + 1, location);
  }

  /** Reads a page; false unless it is there and valid. */
  #read(file: File, position: number, page: PageNumber, ref: PageRef): boolean {
    this.loadCount++;
    const target = ref.bytes.subarray(ref.base, ref.base + PAGE_SIZE);
    const count = file.readAt(target, position * PAGE_SIZE);
    this.#lastReadSize = count;
    if (count < PAGE_SIZE) target.fill(0, count);
    return count === PAGE_SIZE && isPageValid(ref.bytes, ref.base, page);
  }

  /** Why the page that was read last is not valid. */
  #unreadable(file: File, page: PageNumber, ref: PageRef): PgError {
    if (this.#lastReadSize < PAGE_SIZE) return shortPage(file.path, page, this.#lastReadSize);
    return corruptPage(file.path, page, ref.bytes, ref.base);
  }

  #publish(
    page: PageNumber,
    frame: number,
    lsn: number,
    previous: number,
    backing: number,
    expected: number,
  ): boolean {
    const memory = this.memory;
    memory.framePage[frame] = page;
    memory.frameLsn[frame] = lsn;
    memory.frameBacking[frame] = backing;
    memory.frameReferenced[frame] = 1;
    this.#locations.setPrevious(frameLocation(frame), previous);
    if (!this.#locations.exchange(page, expected, frameLocation(frame))) return false;
    this.#inHand.clear();
    return true;
  }

  /** Points the ref at a free frame, which it returns, or at scratch: then -1. */
  #frameOrScratch(ref: PageRef): number {
    if (this.#files === null) throw PAGE_MISS;
    let frame = this.#inHand.get();
    if (frame < 0) {
      frame = this.#free.take(this.#isWriter ? 0 : this.#limits.operation);
      if (!this.#isWriter && this.#free.count < this.#limits.low && this.#free.wantReclaim()) {
        this.#writerBell.ring();
      }
      if (frame < 0) {
        ref.useScratch();
        return -1;
      }
      this.#inHand.set(frame);
    }
    this.#point(frame, ref);
    return frame;
  }
}
