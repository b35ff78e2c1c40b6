import { assert } from '../base/index.ts';
import {
  CONTROL_COMMIT_INDEX,
  CONTROL_COMMIT_LSN,
  CONTROL_SNAPSHOT_HIGH,
  type SharedMemory,
} from './shared-memory.ts';

/** The commit LSN, and the slots in which threads announce the snapshots they read at.
 *
 * Commit. The writer numbers commits 1, 2, 3, … and keeps the LSN of commit i in the pair of words
 * i & 1. To publish i+1 it stores both words of the other pair, then stores the index i+1.
 *
 * Acquire. A reader loads the index i, loads the pair i & 1, stores i in its slot, and loads the
 * index again; if that is no longer i it starts over. All of these are Atomics operations, so they
 * have one total order, and:
 *
 * (S1) The LSN read is that of commit i. The pair i & 1 is next written for commit i+2, which is
 *      after the index became i+1. A reader that saw such a word would find index > i and start over.
 * (S2) The writer misses no snapshot. It reads the slots only after it published. If a reader kept i,
 *      its store to the slot precedes its second load, which saw i and so precedes the store of i+1,
 *      which precedes the writer's loads of the slots for any reclamation after commit i+1. Before
 *      commit i+1 the writer counts i, the current commit, as held whether it stands in a slot or not.
 * (S3) What the writer wrote before it published i (pages, page table) is visible to a reader at i,
 *      because its load of i saw the store of i.
 *
 * A slot names a commit by its 32-bit number, not by its 53-bit LSN, so that one atomic word holds
 * it; the writer alone maps numbers to LSNs, and it needs to only for those in slots. A number that
 * it does not know is one that its reader is about to give up.
 *
 * Never: a slot written by two threads at one time, a page read at an LSN that is in no slot.
 */
const COMMIT_INDEX_MAX = 0x7ffffffe;
/** What a slot holds that holds no snapshot. */
const SLOT_FREE = 0;

/** The acquiring side, for any thread. */
export class Snapshots {
  readonly #control: Int32Array;
  readonly #slots: Int32Array;

  constructor(memory: SharedMemory) {
    this.#control = memory.control;
    this.#slots = memory.snapshots;
  }

  /** The newest commit LSN, held by nothing. */
  current(): number {
    const control = this.#control;
    for (;;) {
      const index = Atomics.load(control, CONTROL_COMMIT_INDEX);
      const pair = CONTROL_COMMIT_LSN + (index & 1) * 2;
      const low = Atomics.load(control, pair);
      const high = Atomics.load(control, pair + 1);
      if (Atomics.load(control, CONTROL_COMMIT_INDEX) === index) {
        return high * 0x1_0000_0000 + (low >>> 0);
      }
    }
  }

  /** Takes a snapshot and holds it in `slot` until it is released or acquired anew. */
  acquire(slot: number): number {
    const control = this.#control;
    const slots = this.#slots;
    for (;;) {
      const index = Atomics.load(control, CONTROL_COMMIT_INDEX);
      const pair = CONTROL_COMMIT_LSN + (index & 1) * 2;
      const low = Atomics.load(control, pair);
      const high = Atomics.load(control, pair + 1);
      Atomics.store(slots, slot, index);
      if (Atomics.load(control, CONTROL_COMMIT_INDEX) === index) {
        return high * 0x1_0000_0000 + (low >>> 0);
      }
    }
  }

  release(slot: number): void {
    Atomics.store(this.#slots, slot, SLOT_FREE);
  }
}

/** Hands out the slots beyond the one that each thread owns. On the main thread alone. */
export class SnapshotSlotPool {
  readonly #memory: SharedMemory;
  readonly #free: number[] = [];
  #next: number;

  constructor(memory: SharedMemory) {
    this.#memory = memory;
    this.#next = memory.threadCount;
  }

  /** A slot, or -1 when all are taken. */
  allocate(): number {
    const reused = this.#free.pop();
    if (reused !== undefined) return reused;
    if (this.#next === this.#memory.snapshots.length) return -1;
    const slot = this.#next++;
    // Stored before the slot is ever used, so the writer that would see the slot sees this too.
    Atomics.store(this.#memory.control, CONTROL_SNAPSHOT_HIGH, this.#next);
    return slot;
  }

  free(slot: number): void {
    Atomics.store(this.#memory.snapshots, slot, SLOT_FREE);
    this.#free.push(slot);
  }
}

/** The publishing side, on the writer thread alone. */
export class CommitPublisher {
  readonly #memory: SharedMemory;
  /** Numbers and LSNs of the commits that may stand in a slot, and of the current one, in their order. The
   * arrays may be longer than `#count`. */
  readonly #indexes: number[] = [];
  readonly #lsns: number[] = [];
  readonly #isHeld: boolean[] = [];
  #count = 0;
  #index: number;
  #lsn: number;

  constructor(memory: SharedMemory) {
    this.#memory = memory;
    this.#index = Atomics.load(memory.control, CONTROL_COMMIT_INDEX);
    this.#lsn = new Snapshots(memory).current();
    this.#add(this.#index, this.#lsn);
  }

  get lsn(): number {
    return this.#lsn;
  }

  publish(lsn: number): void {
    assert(lsn >= this.#lsn && Number.isSafeInteger(lsn), `commit LSN ${lsn} after ${this.#lsn}`);
    const control = this.#memory.control;
    const index = this.#index === COMMIT_INDEX_MAX ? 1 : this.#index + 1;
    const pair = CONTROL_COMMIT_LSN + (index & 1) * 2;
    Atomics.store(control, pair, lsn | 0);
    Atomics.store(control, pair + 1, Math.floor(lsn / 0x1_0000_0000));
    Atomics.store(control, CONTROL_COMMIT_INDEX, index);
    this.#index = index;
    this.#lsn = lsn;
    this.#add(index, lsn);
  }

  /** Fills `held` with the LSNs that some snapshot reads at or may yet be taken at, ascending. */
  collectHeld(held: number[]): void {
    const { control, snapshots } = this.#memory;
    const high = Atomics.load(control, CONTROL_SNAPSHOT_HIGH);
    this.#isHeld[this.#count - 1] = true;
    for (let slot = 0; slot < high; slot++) {
      const index = Atomics.load(snapshots, slot);
      if (index === SLOT_FREE) continue;
      const at = this.#find(index);
      if (at >= 0) this.#isHeld[at] = true;
    }
    held.length = 0;
    let kept = 0;
    for (let at = 0; at < this.#count; at++) {
      if (!this.#isHeld[at]) continue;
      held.push(this.#lsns[at]!);
      this.#indexes[kept] = this.#indexes[at]!;
      this.#lsns[kept] = this.#lsns[at]!;
      this.#isHeld[at] = false;
      kept++;
    }
    this.#count = kept;
  }

  #add(index: number, lsn: number): void {
    this.#indexes[this.#count] = index;
    this.#lsns[this.#count] = lsn;
    this.#isHeld[this.#count] = false;
    this.#count++;
  }

  /** Where a commit's number stands, or -1. Numbers ascend but for beginning anew after the last, so it is
   * how long ago they were given that is compared. */
  #find(index: number): number {
    const age = this.#ageOf(index);
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ageOf(this.#indexes[middle]!) > age) low = middle + 1;
      else high = middle;
    }
    return low < this.#count && this.#indexes[low] === index ? low : -1;
  }

  #ageOf(index: number): number {
    const age = this.#index - index;
    return age < 0 ? age + COMMIT_INDEX_MAX : age;
  }
}
