import { AssertionError, assert, OpenHashMap } from '../../base/index.ts';
import { hasCondition, type PgError, pgError } from '../../errors/index.ts';
import {
  CommitPublisher,
  Doorbell,
  EpochClock,
  FrameInHand,
  FreeFrames,
  frameLocation,
  HOME_LOCATION,
  isSpilled,
  Locations,
  type SharedMemory,
  spillLocation,
  spillSlotOf,
  WRITER_THREAD,
} from '../../shm/index.ts';
import {
  META_PAGE,
  metaPageCount,
  PAGE_SIZE,
  type PageNumber,
  sealPage,
  setPageLsn,
  verifyMeta,
} from '../page/index.ts';
import { FreeList } from './free-list.ts';
import { BACKING_HOME, BACKING_NONE, NEWEST, type PageFiles, PageReader } from './page-reader.ts';
import { PageRef } from './page-ref.ts';
import { PageSet } from './page-set.ts';
import { FRAME_COUNT_MIN, type PoolLimits, poolLimits } from './pool-limits.ts';
import { Retired } from './retired.ts';

/** How long an operation waits for readers to let go of frames before that is taken for a bug. */
const RESERVE_TIMEOUT_MS = 60_000;

/** Makes, publishes, evicts and frees versions of pages; on the writer thread alone.
 *
 * A commit group: `beginGroup`, then operations, then `publish`. An operation starts with `reserve`,
 * which may evict anything, and ends before the next one; between the two every PageRef that it
 * resolved stays good. What a group changes is in the log before the group begins, so there is no way
 * back: a failure inside a group ends the writer, and recovery repeats the group.
 *
 * (P1) A version V is needed while some snapshot S has V.lsn <= S < the LSN of the version after it.
 *      The commit LSN counts as such a snapshot, because the next reader may take it.
 * (P2) The home of a page below `checkpointPageCount` is never written here: the data file is the
 *      last checkpoint, and pages beyond its count are not part of it.
 * (P3) Only a version without an older one behind it goes home; any other goes to the spill file,
 *      whose slots have a link.
 */
export class PageWriter {
  readonly memory: SharedMemory;
  /** Reads the newest versions, committed or not; needs no epoch, since only this thread evicts. */
  readonly reader: PageReader;
  readonly #files: PageFiles;
  readonly #limits: PoolLimits;
  readonly #locations: Locations;
  readonly #free: FreeFrames;
  readonly #inHand: FrameInHand;
  readonly #publisher: CommitPublisher;
  readonly #clock: EpochClock;
  readonly #bell: Doorbell;
  readonly #retired: Retired;
  /** 1 for a frame that holds a version which is not its page's newest. */
  readonly #isOld: Uint8Array;
  readonly #freeList = new FreeList(this);
  readonly #sealed = new Uint8Array(PAGE_SIZE);
  readonly #held: number[] = [];
  readonly #groupPages: PageNumber[] = [];
  /** Pages that may have versions before their newest. */
  readonly #retained = new OpenHashMap<PageNumber, true>();
  #retainedAtSweep = 0;
  #oldestAtSweep = -1;
  #groupLsn = 0;
  #isGroupOpen = false;
  #dirty = new PageSet();
  #checkpointing: PageSet | null = null;
  #checkpointPageCount = 0;
  #hand = 0;
  readonly #freeSlots: number[] = [];
  #slotCount = 0;
  /** Why the last eviction that had to write could not. */
  #evictionError: unknown = null;
  /** The disk has been found too full for a file to grow. Until the next round of eviction, what would
   * make one grow is not tried again. */
  #fullDisk: PgError | null = null;
  readonly #reuse = (location: number): void => {
    if (location > 0) this.#free.put(location - 1);
    else this.#freeSlots.push(spillSlotOf(location));
  };

  constructor(memory: SharedMemory, files: PageFiles) {
    assert(memory.frameCount >= FRAME_COUNT_MIN, `a pool of ${memory.frameCount} frames`);
    this.memory = memory;
    this.reader = new PageReader(memory, WRITER_THREAD, files);
    this.#files = files;
    this.#limits = poolLimits(memory.frameCount);
    this.#locations = new Locations(memory);
    this.#free = new FreeFrames(memory);
    this.#inHand = new FrameInHand(memory, WRITER_THREAD);
    this.#publisher = new CommitPublisher(memory);
    this.#clock = new EpochClock(memory);
    this.#bell = new Doorbell(memory, WRITER_THREAD);
    this.#retired = new Retired(this.#clock);
    this.#isOld = new Uint8Array(memory.frameCount);
  }

  /** Starts from the data file, which is the checkpoint at `lsn`. */
  open(lsn: number): void {
    const ref = new PageRef();
    this.reader.resolve(META_PAGE, NEWEST, ref);
    verifyMeta(ref.bytes, ref.view, ref.base, this.#files.data.path);
    this.#checkpointPageCount = metaPageCount(ref.view, ref.base);
    this.#groupLsn = lsn;
    this.#publisher.publish(lsn);
  }

  /** LSN of the last published group. */
  get commitLsn(): number {
    return this.#publisher.lsn;
  }

  /** LSN of the open group. */
  get groupLsn(): number {
    return this.#groupLsn;
  }

  /** Pages of the data file, as of the newest version of the meta page. */
  get pageCount(): number {
    return this.#freeList.pageCount;
  }

  /** Pages changed since the last checkpoint started. */
  get dirtyPageCount(): number {
    return this.#dirty.size + (this.#checkpointing?.size ?? 0);
  }

  get freeFrameCount(): number {
    return this.#free.count;
  }

  /** Slots of the spill file that hold something. */
  get spilledCount(): number {
    return this.#slotCount - this.#freeSlots.length;
  }

  beginGroup(lsn: number): void {
    assert(!this.#isGroupOpen, 'a group within a group');
    assert(lsn > this.#groupLsn, `group at ${lsn} after ${this.#groupLsn}`);
    this.#groupLsn = lsn;
    this.#isGroupOpen = true;
  }

  /** Starts an operation: afterwards at least `limits.operation` frames are free. */
  reserve(): void {
    if (this.#free.count < this.#limits.operation) this.#makeRoom();
  }

  /** As `reserve`, for callers that can wait: the error when the disk is too full for it, else null. */
  tryReserve(): PgError | null {
    try {
      this.reserve();
      return null;
    } catch (thrown) {
      if (hasCondition(thrown, 'disk_full')) return thrown;
      throw thrown;
    }
  }

  #makeRoom(): void {
    let deadline = 0;
    for (;;) {
      const heard = this.#bell.listen();
      this.reclaim();
      if (this.#free.count >= this.#limits.operation) return;
      assert(!this.reader.isEntered, 'the writer waits for frames that it looks at itself');
      if (this.#evictionError !== null && this.#retired.frameCount === 0) throw this.#evictionError;
      const now = performance.now();
      if (deadline === 0) deadline = now + RESERVE_TIMEOUT_MS;
      if (now > deadline) throw new AssertionError('no frame of the buffer pool comes free');
      this.#bell.sleep(heard, 1);
    }
  }

  /** Points `ref` at the page's newest version, for reading. */
  read(page: PageNumber, ref: PageRef): void {
    this.reader.resolve(page, NEWEST, ref);
  }

  /** Points `ref` at the open group's version of the page, which may be changed. */
  writable(page: PageNumber, ref: PageRef): void {
    let location = this.#locations.load(page);
    if (location <= 0) {
      location = this.#bringIn(page, ref);
    }
    const memory = this.memory;
    const frame = location - 1;
    if (memory.frameLsn[frame] === this.#groupLsn) {
      this.#dropBacking(frame);
      this.#point(frame, ref);
      return;
    }
    const from = memory.bytesOf(frame);
    const base = memory.baseOf(frame);
    this.#addVersion(page, location, ref);
    if (ref.bytes === from) from.copyWithin(ref.base, base, base + PAGE_SIZE);
    else ref.bytes.set(from.subarray(base, base + PAGE_SIZE), ref.base);
    setPageLsn(ref.view, ref.base, this.#groupLsn);
  }

  /** Loads the page's newest version into a frame; returns where it is. */
  #bringIn(page: PageNumber, ref: PageRef): number {
    this.reader.resolve(page, NEWEST, ref);
    const location = this.#locations.load(page);
    if (location <= 0) throw new AssertionError('an operation needs more frames than it reserved');
    return location;
  }

  /** Hands out a page that is in no use and points `ref` at it. Its bytes are arbitrary. */
  allocate(ref: PageRef): PageNumber {
    return this.#freeList.allocate(ref);
  }

  /** Gives a page back. Snapshots that reach it go on reading its old versions. */
  free(page: PageNumber): void {
    this.#freeList.free(page);
  }

  /** As `writable`, for a page whose bytes do not matter. */
  renew(page: PageNumber, ref: PageRef): void {
    let location = this.#locations.load(page);
    if (location <= 0) {
      // A snapshot may still need what is there, and a link cannot lead to a home.
      location = this.#bringIn(page, ref);
    }
    if (this.memory.frameLsn[location - 1] === this.#groupLsn) {
      this.#dropBacking(location - 1);
      this.#point(location - 1, ref);
    } else {
      this.#addVersion(page, location, ref);
    }
  }

  /** As `renew`, for a page that has no version yet. */
  addPage(page: PageNumber, ref: PageRef): void {
    this.#addVersion(page, 0, ref);
  }

  #point(frame: number, ref: PageRef): void {
    ref.bytes = this.memory.bytesOf(frame);
    ref.view = this.memory.viewOf(frame);
    ref.base = this.memory.baseOf(frame);
    this.memory.frameReferenced[frame] = 1;
  }

  /** The open group's version is about to change, so its copy in the spill file is worth nothing. */
  #dropBacking(frame: number): void {
    const backing = this.memory.frameBacking[frame]!;
    if (backing > 0) this.#retired.add(spillLocation(backing - 1));
    this.memory.frameBacking[frame] = BACKING_NONE;
  }

  /** Links a new frame before the version at `previous` (0: none). */
  #addVersion(page: PageNumber, previous: number, ref: PageRef): void {
    assert(this.#isGroupOpen, 'a page is changed outside of a group');
    const frame = this.#takeFrame();
    const memory = this.memory;
    memory.framePage[frame] = page;
    memory.frameLsn[frame] = this.#groupLsn;
    memory.frameBacking[frame] = BACKING_NONE;
    this.#locations.setPrevious(frameLocation(frame), previous);
    this.#isOld[frame] = 0;
    if (previous > 0) this.#isOld[previous - 1] = 1;
    this.#point(frame, ref);
    this.#locations.store(page, frameLocation(frame));
    this.#groupPages.push(page);
    this.#dirty.add(page);
  }

  #takeFrame(): number {
    const kept = this.#inHand.get();
    if (kept >= 0) {
      this.#inHand.clear();
      return kept;
    }
    const frame = this.#free.take(0);
    if (frame < 0) throw new AssertionError('an operation needs more frames than it reserved');
    return frame;
  }

  /** Makes the group visible, and lets go of the versions that nobody can see any more. */
  publish(): void {
    assert(this.#isGroupOpen, 'no group is open');
    this.#isGroupOpen = false;
    this.#publisher.publish(this.#groupLsn);
    this.#publisher.collectHeld(this.#held);
    for (const page of this.#groupPages) {
      if (this.#prune(page)) this.#retained.set(page, true);
    }
    this.#groupPages.length = 0;
    // Pages that an old snapshot retains are looked at again when that snapshot is gone, or when
    // their number has doubled, so that a commit does not pay for all of them.
    if (
      this.#held[0] !== this.#oldestAtSweep ||
      this.#retained.size > 2 * this.#retainedAtSweep + 64
    ) {
      this.#sweepRetained();
    }
    this.#retired.drain(this.#reuse);
    if (this.#free.count < this.#limits.low) this.reclaim();
  }

  #sweepRetained(): void {
    this.#retained.deleteWhere(this.#isPruned);
    this.#retainedAtSweep = this.#retained.size;
    this.#oldestAtSweep = this.#held[0]!;
  }

  readonly #isPruned = (page: PageNumber): boolean => !this.#prune(page);

  /** Unlinks the page's versions that are not needed (P1); false when none but the newest is left. */
  #prune(page: PageNumber): boolean {
    const locations = this.#locations;
    let newer = locations.load(page);
    if (newer === HOME_LOCATION) return false;
    let newerLsn = locations.lsnOf(newer);
    let isAnyLeft = false;
    let location = locations.previousOf(newer);
    // Versions and held LSNs are both walked from the newest to the oldest.
    let held = this.#held.length - 1;
    while (location !== 0) {
      const lsn = locations.lsnOf(location);
      const previous = locations.previousOf(location);
      while (held >= 0 && this.#held[held]! >= newerLsn) held--;
      if (held >= 0 && this.#held[held]! >= lsn) {
        newer = location;
        newerLsn = lsn;
        isAnyLeft = true;
      } else {
        // The slot of a spilled newest version may have been loaded into a frame since `newer` was
        // read, but readers publish only slots without a link, so the link set here is the only one.
        locations.setPrevious(newer, previous);
        this.#retire(location);
      }
      location = previous;
    }
    if (!isAnyLeft && isSpilled(newer) && !this.#isDirty(page)) this.#markClean(page);
    return isAnyLeft;
  }

  #isDirty(page: PageNumber): boolean {
    return this.#dirty.has(page) || (this.#checkpointing?.has(page) ?? false);
  }

  #retire(location: number): void {
    if (location > 0) {
      const frame = location - 1;
      const backing = this.memory.frameBacking[frame]!;
      if (backing > 0) this.#retired.add(spillLocation(backing - 1));
      this.#isOld[frame] = 0;
    }
    this.#retired.add(location);
  }

  /** Frees frames up to the high-water mark if readers or the writer run low. Called by the writer's
   * loop whenever it has been rung; cheap when there is nothing to do. Never inside an operation. */
  reclaim(): void {
    this.#free.clearReclaimWanted();
    this.#retired.drain(this.#reuse);
    if (this.#free.count >= this.#limits.low) return;
    this.#publisher.collectHeld(this.#held);
    this.#sweepRetained();
    this.#evictionError = null;
    this.#fullDisk = null;
    this.#evict(this.#limits.high - this.#free.count - this.#retired.frameCount);
    this.#retired.drain(this.#reuse);
  }

  /** CLOCK: two rounds at most, the first of which may only clear reference bytes. */
  #evict(count: number): void {
    const { frameCount, framePage, frameReferenced } = this.memory;
    let wanted = count;
    for (let step = 2 * frameCount; step > 0 && wanted > 0; step--) {
      const frame = this.#hand;
      this.#hand = frame + 1 === frameCount ? 0 : frame + 1;
      // A frame is its page's newest if the page table says so, whatever races on framePage.
      const isNewest = this.#locations.load(framePage[frame]!) === frameLocation(frame);
      if (!isNewest && this.#isOld[frame] === 0) continue;
      if (frameReferenced[frame] !== 0) {
        frameReferenced[frame] = 0;
        continue;
      }
      try {
        if (isNewest) this.#evictNewest(frame);
        else this.#evictOld(frame);
        wanted--;
      } catch (error) {
        // Without room for spilling, clean pages can still go; an operation that needs more fails.
        this.#evictionError = error;
        if (hasCondition(error, 'disk_full')) this.#fullDisk = error;
      }
    }
  }

  #evictNewest(frame: number): void {
    const page = this.memory.framePage[frame]! as PageNumber;
    const backing = this.memory.frameBacking[frame]!;
    const previous = this.#locations.previousOf(frameLocation(frame));
    let location: number;
    if (previous === 0 && backing === BACKING_HOME) {
      location = HOME_LOCATION;
    } else if (previous === 0 && backing === BACKING_NONE && page >= this.#checkpointPageCount) {
      if (this.#fullDisk !== null) throw this.#fullDisk;
      this.#writeFrame(frame, this.#files.data, page);
      location = HOME_LOCATION;
    } else {
      location = this.#spill(frame, previous);
    }
    this.#locations.store(page, location);
    this.#retired.add(frameLocation(frame));
  }

  #evictOld(frame: number): void {
    const page = this.memory.framePage[frame]! as PageNumber;
    const target = frameLocation(frame);
    let newer = this.#locations.load(page);
    for (;;) {
      const previous = this.#locations.previousOf(newer);
      if (previous === target) break;
      assert(previous !== 0, `frame ${frame} is not linked to page ${page}`);
      newer = previous;
    }
    this.#locations.setPrevious(newer, this.#spill(frame, this.#locations.previousOf(target)));
    this.#isOld[frame] = 0;
    this.#retired.add(target);
  }

  /** Makes sure that the frame's bytes are in a slot, and returns that location. */
  #spill(frame: number, previous: number): number {
    const memory = this.memory;
    const backing = memory.frameBacking[frame]!;
    let slot = backing - 1;
    if (backing <= 0) {
      slot = this.#freeSlots.pop() ?? this.#slotCount;
      if (slot === this.#slotCount && this.#fullDisk !== null) throw this.#fullDisk;
      if (slot >= memory.spillSlotCountMax) {
        throw pgError('disk_full', `file "${this.#files.spill.path}" has reached its largest size`);
      }
      try {
        this.#writeFrame(frame, this.#files.spill, slot);
      } catch (error) {
        if (slot < this.#slotCount) this.#freeSlots.push(slot);
        throw error;
      }
      if (slot === this.#slotCount) this.#slotCount++;
      memory.spillLsn[slot] = memory.frameLsn[frame]!;
      memory.spillPage[slot] = memory.framePage[frame]!;
    }
    this.#locations.setPrevious(spillLocation(slot), previous);
    return spillLocation(slot);
  }

  #writeFrame(frame: number, file: PageFiles['data'], position: number): void {
    const base = this.memory.baseOf(frame);
    this.#sealed.set(this.memory.bytesOf(frame).subarray(base, base + PAGE_SIZE));
    sealPage(this.#sealed);
    file.writeAt(this.#sealed, position * PAGE_SIZE);
  }

  /** Begins a checkpoint at the commit LSN, between groups. Returns the pages that changed since the
   * last one; the caller writes their versions at that LSN to the data file, all or none of them, and
   * then calls `checkpointFinished`, or `checkpointAbandoned` if the data file was left as it was. */
  checkpointStarted(): PageSet {
    assert(!this.#isGroupOpen, 'a checkpoint begins within a group');
    assert(this.#checkpointing === null, 'a checkpoint is running');
    this.#checkpointPageCount = Math.max(this.#checkpointPageCount, this.pageCount);
    this.#checkpointing = this.#dirty;
    this.#dirty = new PageSet();
    return this.#checkpointing;
  }

  /** The data file is that checkpoint now. Its pages are clean, unless they changed since. */
  checkpointFinished(): void {
    const pages = this.#checkpointing;
    assert(pages !== null, 'no checkpoint is running');
    this.#checkpointing = null;
    this.#publisher.collectHeld(this.#held);
    this.#sweepRetained();
    for (const page of pages) {
      if (!this.#dirty.has(page)) this.#markClean(page);
    }
    this.#retired.drain(this.#reuse);
  }

  checkpointAbandoned(): void {
    assert(this.#checkpointing !== null, 'no checkpoint is running');
    this.#dirty.addAll(this.#checkpointing);
    this.#checkpointing = null;
  }

  #markClean(page: PageNumber): void {
    for (;;) {
      const location = this.#locations.load(page);
      if (location > 0) {
        this.#dropBacking(location - 1);
        this.memory.frameBacking[location - 1] = BACKING_HOME;
        return;
      }
      if (!isSpilled(location) || this.#locations.previousOf(location) !== 0) return;
      // A reader may exchange the slot for a frame at this moment; then it is the frame's turn.
      if (this.#locations.exchange(page, location, HOME_LOCATION)) {
        this.#retired.add(location);
        return;
      }
    }
  }

  /** Takes back a frame that a thread had taken and not published when it ended. */
  takeBack(frame: number): void {
    this.#free.put(frame);
  }
}
