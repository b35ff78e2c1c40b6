import { assert } from '../base/index.ts';
import { CONTROL_EPOCH, type SharedMemory, THREAD_EPOCH } from './shared-memory.ts';

/** When memory that was unlinked may be used again.
 *
 * A thread stores the global epoch in its slot before it follows any location word, and 0 after it
 * dropped every page it looked at. The writer unlinks frames (and slots of the spill file) while the
 * epoch is t, then advances it to t+1, and reuses them once every slot is 0 or later than t.
 *
 * Why that is safe: let a thread enter and the writer then scan the slots. All are Atomics operations
 * in one total order. Either the scan sees the thread's store; the stored epoch was loaded before it,
 * and if it is later than t, the thread entered after the advance, so after the unlinking, and
 * cannot find the frame. Or the scan precedes the store; then every location word that the thread
 * loads, it loads after the unlinking, and again it cannot find the frame. A stale, smaller epoch in
 * a slot only delays reuse. Epochs wrap; they are compared by their distance.
 */
const EPOCH_MAX = 0x7fffffff;

function isLater(epoch: number, than: number): boolean {
  const distance = epoch - than;
  return distance > 0 ? distance < 0x40000000 : distance < -0x40000000;
}

/** One thread's slot. Calls nest, also those of different parts of the thread: all of them have the
 * same object. */
export class EpochSlot {
  static readonly #slots = new WeakMap<SharedMemory, EpochSlot[]>();
  readonly #control: Int32Array;
  readonly #word: number;
  #depth = 0;

  private constructor(memory: SharedMemory, thread: number) {
    this.#control = memory.control;
    this.#word = memory.threadWord(thread, THREAD_EPOCH);
  }

  static of(memory: SharedMemory, thread: number): EpochSlot {
    let slots = EpochSlot.#slots.get(memory);
    if (slots === undefined) {
      slots = [];
      EpochSlot.#slots.set(memory, slots);
    }
    const slot = slots[thread] ?? new EpochSlot(memory, thread);
    slots[thread] = slot;
    return slot;
  }

  get active(): boolean {
    return this.#depth !== 0;
  }

  enter(): void {
    if (this.#depth++ === 0) {
      Atomics.store(this.#control, this.#word, Atomics.load(this.#control, CONTROL_EPOCH));
    }
  }

  leave(): void {
    assert(this.#depth > 0, 'left an epoch that was not entered');
    if (--this.#depth === 0) Atomics.store(this.#control, this.#word, 0);
  }
}

/** The writer's side. */
export class EpochClock {
  readonly #memory: SharedMemory;

  constructor(memory: SharedMemory) {
    this.#memory = memory;
  }

  current(): number {
    return Atomics.load(this.#memory.control, CONTROL_EPOCH);
  }

  advance(): void {
    const next = this.current() === EPOCH_MAX ? 1 : this.current() + 1;
    Atomics.store(this.#memory.control, CONTROL_EPOCH, next);
  }

  /** The earliest epoch that a thread is in, or the current one when none is in any. */
  oldestActive(): number {
    const { control, threadCount } = this.#memory;
    let oldest = this.current();
    for (let thread = 0; thread < threadCount; thread++) {
      const epoch = Atomics.load(control, this.#memory.threadWord(thread, THREAD_EPOCH));
      if (epoch !== 0 && isLater(oldest, epoch)) oldest = epoch;
    }
    return oldest;
  }

  /** Clears the slot of a thread that has ended. */
  expel(thread: number): void {
    Atomics.store(this.#memory.control, this.#memory.threadWord(thread, THREAD_EPOCH), 0);
  }

  /** Whether what was unlinked in epoch `unlinked` is out of reach when `oldest` is the oldest active. */
  isPast(unlinked: number, oldest: number): boolean {
    return isLater(oldest, unlinked);
  }
}
