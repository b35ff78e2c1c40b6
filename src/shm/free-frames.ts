import {
  CONTROL_FREE_HEAD,
  CONTROL_FREE_TAIL,
  CONTROL_RECLAIM_WANTED,
  type SharedMemory,
  THREAD_FRAME_IN_HAND,
} from './shared-memory.ts';

/** The free frames: a ring with one producer, the writer, and every thread as consumer.
 *
 * `tail` counts frames ever put in, `head` frames ever taken. Put: store the entry, store tail+1.
 * Take: load head h, load tail, load entry h, and compare-and-exchange head from h to h+1. If the
 * exchange succeeds, head was h throughout, so the entry was not overwritten: the ring has more
 * entries than there are frames, and entry h is next written when head has passed h. For the same
 * reason the count seen (tail - h) is at most the true count at the exchange: a consumer that
 * leaves `reserve` frames really leaves them. Both counters wrap at 2^32.
 */
export class FreeFrames {
  readonly #control: Int32Array;
  readonly #entries: Int32Array;
  readonly #mask: number;

  constructor(memory: SharedMemory) {
    this.#control = memory.control;
    this.#entries = memory.freeFrames;
    this.#mask = memory.freeFrames.length - 1;
  }

  get count(): number {
    const head = Atomics.load(this.#control, CONTROL_FREE_HEAD);
    return (Atomics.load(this.#control, CONTROL_FREE_TAIL) - head) | 0;
  }

  /** Takes a frame if more than `reserve` are free; -1 otherwise. */
  take(reserve: number): number {
    const control = this.#control;
    for (;;) {
      const head = Atomics.load(control, CONTROL_FREE_HEAD);
      const count = (Atomics.load(control, CONTROL_FREE_TAIL) - head) | 0;
      if (count <= reserve) return -1;
      const frame = Atomics.load(this.#entries, head & this.#mask);
      if (Atomics.compareExchange(control, CONTROL_FREE_HEAD, head, (head + 1) | 0) === head) {
        return frame;
      }
    }
  }

  /** On the writer thread alone. */
  put(frame: number): void {
    const tail = Atomics.load(this.#control, CONTROL_FREE_TAIL);
    Atomics.store(this.#entries, tail & this.#mask, frame);
    Atomics.store(this.#control, CONTROL_FREE_TAIL, (tail + 1) | 0);
  }

  /** True for the one caller that should ring the writer. */
  wantReclaim(): boolean {
    return Atomics.compareExchange(this.#control, CONTROL_RECLAIM_WANTED, 0, 1) === 0;
  }

  isReclaimWanted(): boolean {
    return Atomics.load(this.#control, CONTROL_RECLAIM_WANTED) !== 0;
  }

  clearReclaimWanted(): void {
    Atomics.store(this.#control, CONTROL_RECLAIM_WANTED, 0);
  }
}

/** The frame that a thread took and has not published: it keeps it for its next load, and when the
 * thread dies the writer takes it back. Word: frame + 1, or 0. Written by the thread, and by the
 * main thread after it has ended (ended-thread.ts). */
export class FrameInHand {
  readonly #control: Int32Array;
  readonly #word: number;

  constructor(memory: SharedMemory, thread: number) {
    this.#control = memory.control;
    this.#word = memory.threadWord(thread, THREAD_FRAME_IN_HAND);
  }

  /** The frame, or -1. */
  get(): number {
    return Atomics.load(this.#control, this.#word) - 1;
  }

  set(frame: number): void {
    Atomics.store(this.#control, this.#word, frame + 1);
  }

  clear(): void {
    Atomics.store(this.#control, this.#word, 0);
  }
}
