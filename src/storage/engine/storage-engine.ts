/** The store as the writer thread has it: log, pages, trees, checkpoints, recovery.
 *
 * A commit group, in this order, which is what makes an acknowledged commit durable:
 *
 *   1. engine.log.put/delete/… and engine.log.commit of each transaction of the group
 *   2. engine.flush()              one write, one sync; left out for synchronous_commit = off
 *   3. engine.apply((trees) => …)  the same changes to the pages, published as one version
 *   4. acknowledge
 *
 * An error while appending (a full disk) is that transaction's alone: it is caught for each, no commit
 * record is appended for it, and the group goes on. Once a commit record is appended, its changes have
 * to be applied, in the same group.
 *
 * A transaction whose records do not fit into memory calls `holdLog` and appends before it commits;
 * `releaseLog` when its commit is published, or when it is given up.
 *
 * When writing fails the engine is `failed`: reads go on, every write throws the LogFailure, and the
 * store is opened anew to recover. */

import type { Directory } from '../../io/index.ts';
import type { SharedMemory } from '../../shm/index.ts';
import { BTreeWriter, type CheckReport, checkStore } from '../btree/index.ts';
import { Checkpointer, ControlFile, copyJournal, type StoreFormat } from '../checkpoint/index.ts';
import { PAGE_SIZE } from '../page/index.ts';
import { formatDataFile, PageWriter } from '../pager/index.ts';
import { LockFile, redo } from '../recovery/index.ts';
import type { Lsn, TreeId } from '../tree.ts';
import { type LogFailure, WalWriter } from '../wal/index.ts';
import { type EngineOptions, type EngineSettings, engineSettings } from './options.ts';
import {
  beginMaking,
  closeStoreFiles,
  endMaking,
  noStore,
  openStoreFiles,
  refuseForeignFiles,
  type StoreFiles,
  storeExists,
} from './store-files.ts';

const NEVER = -1;
const FIRST_TREE_ID = 1;
const FIRST_XID = 1;
/** The log begins with its second segment, so that no record has LSN 0, which means "not committed". */
const FIRST_SEGMENT = 1;
/** Pages of dropped trees that one slice frees. */
const DROPPED_PAGES_PER_SLICE = 64;
/** Pages of a data file without trees. */
const NEW_PAGE_COUNT = 2;
/** The part of `maxWalSize` that the checkpoint journal may keep between checkpoints. Truncating a large
 * file stops the writer for tens of milliseconds. */
const JOURNAL_KEPT_FRACTION = 8;
/** After a checkpoint that a full disk stopped, how long until the next is tried. */
const CHECKPOINT_RETRY_MS = 5000;

/** What an opening had to do. */
export interface RecoveryReport {
  /** The store was made. */
  readonly isNew: boolean;
  /** The last stop was clean. */
  readonly wasClean: boolean;
  /** A checkpoint that a crash cut off was finished. */
  readonly finishedCheckpoint: boolean;
  /** Transactions redone from the log. */
  readonly redoneTransactionCount: number;
}

export class StorageEngine {
  readonly log: WalWriter;
  readonly pages: PageWriter;
  readonly trees: BTreeWriter;
  readonly recovery: RecoveryReport;
  readonly #settings: EngineSettings;
  readonly #lock: LockFile | null;
  readonly #files: StoreFiles;
  readonly #control: ControlFile;
  readonly #checkpointer: Checkpointer;
  #nextTreeId: number;
  #nextXid: number;
  #checkpoint: Generator<undefined, void, undefined> | null = null;
  #checkpointDueMs: number;
  /** Not before; set when one failed. */
  #checkpointRetryMs = 0;
  /** Redo LSN of the checkpoint before the one that runs or ran last. */
  #redoLsnBefore: Lsn;
  /** End of the log when the last checkpoint began. */
  #logAtCheckpoint: number;
  /** Since when `step` has seen something in the log that is not synced. */
  #unsyncedSinceMs = NEVER;
  readonly #held = new Map<number, Lsn>();
  /** There may be dropped trees whose pages are not free: after a crash, or after a drop. */
  #mayHaveDropped = true;
  #dropTreeCount = 0;
  #isClosed = false;

  private constructor(parts: EngineParts) {
    this.log = parts.log;
    this.pages = parts.pages;
    this.trees = parts.trees;
    this.recovery = parts.recovery;
    this.#settings = parts.settings;
    this.#lock = parts.lock;
    this.#files = parts.files;
    this.#control = parts.control;
    this.#nextTreeId = parts.nextTreeId;
    this.#nextXid = parts.nextXid;
    this.#checkpointer = new Checkpointer(
      parts.pages,
      parts.log,
      parts.files.data,
      parts.files.journal,
      parts.control,
      parts.settings.checkpointSlot ?? parts.pages.memory.threadCount - 1,
      parts.settings.maxWalSize / JOURNAL_KEPT_FRACTION,
    );
    this.#logAtCheckpoint = parts.control.state.checkpointLsn;
    this.#redoLsnBefore = parts.control.state.redoLsn;
    this.#checkpointDueMs = parts.settings.nowMs() + parts.settings.checkpointTimeoutMs;
  }

  /** Opens the store in a directory, made when there is none, recovered when it was not stopped
   * cleanly. One engine owns the directory at a time, and the shared memory has to be fresh. */
  static open(
    directory: Directory,
    memory: SharedMemory,
    options: EngineOptions = {},
  ): StorageEngine {
    const settings = engineSettings(options);
    const lock = settings.isLockHeld ? null : LockFile.acquire(directory, settings.processes);
    try {
      return new StorageEngine(openParts(directory, memory, settings, lock));
    } catch (thrown) {
      // The error that matters is the first; a lock file left behind is stale when we end.
      try {
        lock?.release();
      } catch {}
      throw thrown;
    }
  }

  /** Newest commit that readers see. */
  get commitLsn(): Lsn {
    return this.pages.commitLsn as Lsn;
  }

  /** Why the engine does not write any more, or null. */
  get failure(): LogFailure | null {
    return this.log.failure;
  }

  /** Random number that was given to this store when it was made. */
  get systemId(): number {
    return this.#control.state.systemId;
  }

  nextXid(): number {
    return this.#nextXid++;
  }

  nextTreeId(): TreeId {
    return this.#nextTreeId++ as TreeId;
  }

  /** Makes all that was appended to the log stable. */
  flush(): void {
    this.log.flush();
  }

  /** Changes the trees in a group of their own and publishes it. `end` is the end of the group's records
   * in the log; the changes have been committed there, so there is no way back: an error stops the
   * engine. */
  apply(change: (trees: BTreeWriter) => void, end = this.log.appendedLsn): Lsn {
    this.beginGroup(end);
    try {
      change(this.trees);
      return this.publish();
    } catch (thrown) {
      throw this.log.fail(thrown);
    }
  }

  /** `apply` in pieces, for callers that avoid the closure: between the two, `trees` may be changed,
   * and any error has to be passed to `fail`. */
  beginGroup(end = this.log.appendedLsn): Lsn {
    if (this.log.failure !== null) throw this.log.failure;
    this.pages.beginGroup(end);
    return end;
  }

  publish(): Lsn {
    this.pages.publish();
    if (this.log.dropTreeCount !== this.#dropTreeCount) {
      this.#dropTreeCount = this.log.dropTreeCount;
      this.#mayHaveDropped = true;
    }
    return this.commitLsn;
  }

  /** Stops all writing, after an error inside of a group. */
  fail(reason: unknown): LogFailure {
    return this.log.fail(reason);
  }

  /** Keeps the log from here on, for a transaction that is about to append records long before it
   * commits. */
  holdLog(xid: number): void {
    if (!this.#held.has(xid)) this.#held.set(xid, this.log.appendedLsn);
  }

  /** After the commit was published, or when the transaction has been given up. */
  releaseLog(xid: number): void {
    this.#held.delete(xid);
    if (this.#dropTreeCount > 0) this.#mayHaveDropped = true;
  }

  /** Frees frames of the pool when they run low; to be called when the writer's doorbell was rung. */
  reclaim(): void {
    this.pages.reclaim();
  }

  /** Bytes of log since the last checkpoint began. */
  get logSinceCheckpoint(): number {
    return this.log.appendedLsn - this.#logAtCheckpoint;
  }

  get isCheckpointRunning(): boolean {
    return this.#checkpoint !== null;
  }

  /** Whether it is time for a checkpoint, by the clock or by the size of the log. */
  get isCheckpointDue(): boolean {
    if (this.#settings.nowMs() < this.#checkpointRetryMs) return false;
    if (this.logSinceCheckpoint >= this.#settings.maxWalSize / 2) return true;
    if (this.#settings.nowMs() < this.#checkpointDueMs) return false;
    return this.pages.dirtyPageCount > 0;
  }

  /** Does a slice of background work, between groups: a flush of commits that did not wait for one, a
   * checkpoint that runs or is due, freeing the pages of dropped trees, the next segment of the log. Returns whether there is more to do. A full
   * disk is thrown as 53100 and costs the checkpoint or segment alone. */
  step(): boolean {
    if (this.log.failure !== null) return false;
    this.#flushLate();
    if (this.#checkpoint === null && this.isCheckpointDue) this.#beginCheckpoint(false);
    if (this.#checkpoint !== null) return this.#stepCheckpoint() || this.#mayHaveDropped;
    if (this.#mayHaveDropped && !this.#hasUnapplied) return this.#freeDropped();
    return this.log.prepareNextSegment();
  }

  /** Runs a checkpoint to its end, whether due or not. */
  checkpoint(): void {
    while (this.#checkpoint !== null) this.#stepCheckpoint();
    this.#beginCheckpoint(false);
    while (this.#checkpoint !== null) this.#stepCheckpoint();
  }

  /** Walks the whole store as of the newest commit, and tells what is wrong with it. */
  check(): CheckReport {
    return checkStore(this.pages.reader, this.commitLsn);
  }

  /** Stops cleanly: the next opening needs no recovery. After a failure it only lets go of the files,
   * and the next opening recovers. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      if (this.log.failure === null) this.#checkpointForStop();
    } finally {
      closeStoreFiles(this.#files);
      this.#control.close();
      this.#lock?.release();
    }
  }

  #checkpointForStop(): void {
    this.log.flush();
    // Then the stop is not clean, and recovery applies what was committed.
    if (this.#hasUnapplied) return;
    // Transactions that did not commit are over.
    this.#held.clear();
    while (this.#checkpoint !== null) this.#stepCheckpoint();
    if (this.commitLsn < this.log.appendedLsn) this.apply(() => {});
    this.#beginCheckpoint(true);
    while (this.#checkpoint !== null) this.#stepCheckpoint();
  }

  /** Flushes what has been in the log's buffer for long, such as commits that did not wait. */
  #flushLate(): void {
    if (this.log.appendedLsn === this.log.syncedLsn) {
      this.#unsyncedSinceMs = NEVER;
      return;
    }
    const nowMs = this.#settings.nowMs();
    if (this.#unsyncedSinceMs === NEVER) this.#unsyncedSinceMs = nowMs;
    if (nowMs - this.#unsyncedSinceMs < this.#settings.walWriterDelayMs) return;
    this.log.flush();
    this.#unsyncedSinceMs = NEVER;
  }

  /** Whether the log has commits that the pages do not have. */
  get #hasUnapplied(): boolean {
    return this.log.lastCommitLsn >= this.commitLsn;
  }

  /** The directory of trees remembers what is dropped and not free, so nothing of this is logged. */
  #freeDropped(): boolean {
    // A full disk is to show before there is a group that cannot be given up.
    this.pages.reserve();
    this.log.mark();
    this.apply((trees) => {
      this.#mayHaveDropped = trees.freeDropped(DROPPED_PAGES_PER_SLICE);
    });
    return this.#mayHaveDropped;
  }

  #beginCheckpoint(clean: boolean): void {
    let redoLsn = this.commitLsn;
    for (const lsn of this.#held.values()) if (lsn < redoLsn) redoLsn = lsn;
    this.#redoLsnBefore = this.#control.state.redoLsn;
    this.#logAtCheckpoint = this.log.appendedLsn;
    this.#checkpointDueMs = this.#settings.nowMs() + this.#settings.checkpointTimeoutMs;
    this.#checkpoint = this.#checkpointer.run({
      redoLsn,
      nextTreeId: this.#nextTreeId,
      nextXid: this.#nextXid,
      clean,
    });
  }

  #stepCheckpoint(): boolean {
    try {
      if (this.#checkpoint!.next().done !== true) return true;
      this.#checkpoint = null;
      this.#recycleLog();
    } catch (thrown) {
      this.#checkpoint = null;
      this.#checkpointRetryMs = this.#settings.nowMs() + CHECKPOINT_RETRY_MS;
      throw thrown;
    }
    return false;
  }

  /** Keeps as many segments for reuse as the log filled since the checkpoint before, within the
   * settings. */
  #recycleLog(): void {
    const { segmentSize, minWalSize, maxWalSize } = this.#settings;
    const { redoLsn } = this.#control.state;
    const used = redoLsn - this.#redoLsnBefore;
    const kept = Math.min(Math.max(minWalSize, used), maxWalSize);
    this.log.recycle(redoLsn, Math.ceil(kept / segmentSize));
  }
}

interface EngineParts {
  readonly settings: EngineSettings;
  readonly lock: LockFile | null;
  readonly files: StoreFiles;
  readonly control: ControlFile;
  readonly log: WalWriter;
  readonly pages: PageWriter;
  readonly trees: BTreeWriter;
  readonly nextTreeId: number;
  readonly nextXid: number;
  readonly recovery: RecoveryReport;
}

function openParts(
  directory: Directory,
  memory: SharedMemory,
  settings: EngineSettings,
  lock: LockFile | null,
): EngineParts {
  const format: StoreFormat = { pageSize: PAGE_SIZE, segmentSize: settings.segmentSize };
  const isNew = !storeExists(directory);
  if (isNew) {
    if (settings.mustExist) throw noStore(directory);
    refuseForeignFiles(directory);
    makeStore(directory, format, settings.systemId());
  }
  // The control file first: it says whether the rest can be understood.
  const control = ControlFile.open(directory, format);
  endMaking(directory);
  const files = openStoreFiles(directory, format);
  try {
    return { settings, lock, files, control, ...recover(files, control, memory, isNew) };
  } catch (thrown) {
    closeStoreFiles(files);
    control.close();
    throw thrown;
  }
}

function recover(
  files: StoreFiles,
  control: ControlFile,
  memory: SharedMemory,
  isNew: boolean,
): Omit<EngineParts, 'settings' | 'lock' | 'files' | 'control'> {
  const finishedCheckpoint = finishCheckpoint(files, control);
  const found = control.state;
  const pages = new PageWriter(memory, files);
  pages.open(found.checkpointLsn);
  const trees = new BTreeWriter(pages);
  const redone = redo(files.segments, found, pages, trees);
  files.segments.stabilize(found.redoLsn, redone.endLsn);
  // Only what was found to be sound is opened in a new epoch.
  control.write({ ...found, epoch: found.epoch + 1, clean: false });
  return {
    log: new WalWriter(files.segments, redone.endLsn, control.state.epoch),
    pages,
    trees,
    nextTreeId: redone.nextTreeId,
    nextXid: redone.nextXid,
    recovery: {
      isNew,
      wasClean: found.clean,
      finishedCheckpoint,
      redoneTransactionCount: redone.transactionCount,
    },
  };
}

/** Makes an empty store: the first two pages of the data file, then the control file. */
function makeStore(directory: Directory, format: StoreFormat, systemId: number): void {
  beginMaking(directory);
  const files = openStoreFiles(directory, format, 'create');
  const lsn = (FIRST_SEGMENT * format.segmentSize) as Lsn;
  formatDataFile(files.data, lsn);
  closeStoreFiles(files);
  ControlFile.create(directory, format, {
    systemId,
    checkpointLsn: lsn,
    redoLsn: lsn,
    pageCount: NEW_PAGE_COUNT,
    nextTreeId: FIRST_TREE_ID,
    nextXid: FIRST_XID,
    epoch: 0,
    clean: true,
  }).close();
}

/** Finishes the checkpoint whose journal is complete and which the control file does not have yet. */
function finishCheckpoint(files: StoreFiles, control: ControlFile): boolean {
  const state = files.journal.read();
  if (state === null || state.systemId !== control.state.systemId) return false;
  if (state.checkpointLsn <= control.state.checkpointLsn) return false;
  files.journal.stabilize();
  const steps = copyJournal(files.journal, files.data);
  while (steps.next().done !== true);
  control.write({ ...state, epoch: control.state.epoch });
  return true;
}
