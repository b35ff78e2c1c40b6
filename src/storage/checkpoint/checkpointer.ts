/** Makes the data file the image of a newer snapshot, as a whole or not at all.
 *
 * The data file is, at every moment that a crash may show, the image of the checkpoint that the
 * control file names (K1). A checkpoint at LSN C:
 *
 *   1. The log is flushed, so that it reaches C, and the snapshot C is held.
 *   2. Changed pages, as of C: those beyond the page count of the last checkpoint go to their homes,
 *      which that checkpoint does not contain; the others go to the journal. Both are synced.
 *   3. The journal's header is written and synced. From here on the checkpoint has happened: recovery
 *      finishes it from the journal. Before, recovery finds an invalid journal and the old image.
 *   4. Pages of the journal are copied to their homes, synced.
 *   5. The control file names C. The log before C (or before the first record of a transaction that is
 *      still open) is not needed any more.
 *
 * It runs in slices, each a few pages or one sync, between which commits go on. A full disk before
 * step 3 abandons it: what it would have written stays changed, in memory, the spill file and the log.
 * Any other failure, or a failure of a sync, is a LogFailure. */

import { assert } from '../../base/index.ts';
import { hasCondition } from '../../errors/index.ts';
import type { File } from '../../io/index.ts';
import { isSpilled, Locations, Snapshots } from '../../shm/index.ts';
import { PAGE_SIZE, type PageNumber, sealPage } from '../page/index.ts';
import { PageRef, type PageWriter } from '../pager/index.ts';
import type { Lsn } from '../tree.ts';
import { LogFailure, type WalWriter } from '../wal/index.ts';
import type { ControlFile, ControlState } from './control-file.ts';
import type { CheckpointJournal } from './journal.ts';

/** Pages of one slice: a fraction of a millisecond when they are in memory. */
const PAGES_PER_SLICE = 32;
/** Pages after which the file is synced, 4 MiB, so that no sync waits for much. */
const PAGES_PER_SYNC = 512;

/** What the engine knows and the control file must. */
export interface CheckpointFacts {
  readonly redoLsn: Lsn;
  readonly nextTreeId: number;
  readonly nextXid: number;
  readonly clean: boolean;
}

export class Checkpointer {
  readonly #pages: PageWriter;
  readonly #log: WalWriter;
  readonly #data: File;
  readonly #journal: CheckpointJournal;
  readonly #control: ControlFile;
  readonly #locations: Locations;
  readonly #snapshots: Snapshots;
  readonly #slot: number;
  readonly #journalKeptSize: number;
  readonly #ref = new PageRef();
  readonly #sealed = new Uint8Array(PAGE_SIZE);

  /** `slot` is a snapshot slot that nothing else uses; `journalKeptSize` the space that the journal keeps
   * between checkpoints. */
  constructor(
    pages: PageWriter,
    log: WalWriter,
    data: File,
    journal: CheckpointJournal,
    control: ControlFile,
    slot: number,
    journalKeptSize: number,
  ) {
    this.#pages = pages;
    this.#log = log;
    this.#data = data;
    this.#journal = journal;
    this.#control = control;
    this.#locations = new Locations(pages.memory);
    this.#snapshots = new Snapshots(pages.memory);
    this.#slot = slot;
    this.#journalKeptSize = journalKeptSize;
  }

  /** Steps of a checkpoint of the newest commit; begins and yields between commit groups. */
  *run(facts: CheckpointFacts): Generator<undefined, void, undefined> {
    this.#log.flush();
    const lsn = this.#snapshots.acquire(this.#slot) as Lsn;
    try {
      const state: ControlState = {
        ...this.#control.state,
        ...facts,
        checkpointLsn: lsn,
        pageCount: this.#pages.pageCount,
      };
      const changed = this.#pages.checkpointStarted();
      yield* this.#write(changed, lsn, state);
      this.#pages.checkpointFinished();
    } finally {
      this.#snapshots.release(this.#slot);
    }
    this.#dropJournal();
  }

  *#write(
    changed: Iterable<PageNumber>,
    lsn: Lsn,
    state: ControlState,
  ): Generator<undefined, void, undefined> {
    try {
      yield* this.#prepare(changed, lsn);
    } catch (thrown) {
      this.#pages.checkpointAbandoned();
      if (isDiskFull(thrown)) throw thrown;
      throw this.#log.fail(thrown);
    }
    try {
      if (this.#journal.pageCount > 0) this.#journal.commit(state);
      yield;
      yield* copyJournal(this.#journal, this.#data);
      this.#control.write(state);
    } catch (thrown) {
      throw this.#log.fail(thrown);
    }
  }

  /** Step 2. */
  *#prepare(changed: Iterable<PageNumber>, lsn: Lsn): Generator<undefined, void, undefined> {
    const pageCount = this.#control.state.pageCount;
    const journal = this.#journal;
    let handled = 0;
    let unsynced = 0;
    journal.begin();
    for (const page of changed) {
      if (page < pageCount) {
        this.#seal(page, lsn);
        journal.add(this.#sealed, 0);
        if (journal.pageCount % PAGES_PER_SYNC === 0) {
          yield;
          sync(journal);
        }
      } else {
        if (!this.#isHome(page)) {
          this.#seal(page, lsn);
          this.#data.writeAt(this.#sealed, page * PAGE_SIZE);
        }
        // A page that is at home already was evicted to it, and not synced.
        unsynced++;
      }
      if (unsynced === PAGES_PER_SYNC) {
        yield;
        sync(this.#data);
        unsynced = 0;
      }
      if (++handled % PAGES_PER_SLICE === 0) yield;
    }
    yield;
    if (unsynced > 0) sync(this.#data);
    if (journal.pageCount === 0) return;
    yield;
    sync(journal);
  }

  /** A page of the set that is at home was there when the checkpoint began, and is not written by
   * eviction while it runs (P2). */
  #isHome(page: PageNumber): boolean {
    const location = this.#locations.load(page);
    return location <= 0 && !isSpilled(location);
  }

  #seal(page: PageNumber, lsn: Lsn): void {
    const ref = this.#ref;
    this.#pages.reader.resolve(page, lsn, ref);
    this.#sealed.set(ref.bytes.subarray(ref.base, ref.base + PAGE_SIZE));
    sealPage(this.#sealed);
  }

  /** The space is worth having back, but the checkpoint is complete without. */
  #dropJournal(): void {
    try {
      this.#journal.drop(this.#journalKeptSize);
    } catch {}
  }
}

/** Step 4, also of recovery: copies the journal's pages to their homes and makes them stable. */
export function* copyJournal(
  journal: CheckpointJournal,
  data: File,
): Generator<undefined, void, undefined> {
  const { page } = journal;
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  let unsynced = 0;
  for (let index = 0; index < journal.pageCount; index++) {
    assert(journal.readPage(index), 'the journal has the pages that its header counts');
    data.writeAt(page, view.getUint32(PAGE_NUMBER_OFFSET, true) * PAGE_SIZE);
    if (++unsynced === PAGES_PER_SYNC) {
      yield;
      data.sync();
      unsynced = 0;
    }
    if (index % PAGES_PER_SLICE === PAGES_PER_SLICE - 1) yield;
  }
  yield;
  if (unsynced > 0) data.sync();
}

/** See page/page-header.ts. */
const PAGE_NUMBER_OFFSET = 4;

function sync(file: Pick<File, 'sync'>): void {
  try {
    file.sync();
  } catch (thrown) {
    throw new LogFailure(thrown);
  }
}

function isDiskFull(thrown: unknown): boolean {
  return hasCondition(thrown, 'disk_full') && !(thrown instanceof LogFailure);
}
