import { type SharedMemory, THREAD_SIGNAL, THREAD_SLEEPING } from './shared-memory.ts';

/** How a thread sleeps until another has something for it. Each thread has one, for all its rings.
 *
 * The owner reads `signal` (`listen`), looks whether there is work, and if not sleeps: it stores what
 * it read, h, in `sleepingAt`, and waits while `signal` is h. A caller first makes its work visible,
 * then adds 1 to `signal`, then loads `sleepingAt`, and notifies if that is what `signal` was before
 * its own addition. All are Atomics operations in one total order.
 *
 * (D1) No wake-up is lost. Take a sleep at h, and the first addition after the owner read h, which
 *      finds h. If its caller loads `sleepingAt` = h, it notifies: an owner that waits by then wakes, and
 *      one that does not wait yet finds `signal` changed and does not sleep. If it loads something
 *      else, the owner's store comes later, so its wait does too, and finds `signal` changed.
 * (D2) Later callers find a value past h and do not notify: the owner has been woken already, and looks
 *      for work again after it has read `signal` anew. So a sleep costs its callers one system call in
 *      all, and a busy owner none.
 * (D3) A value of `sleepingAt` that is left over from an earlier sleep can only be met by an addition
 *      after exactly 2^32 others, or after a sleep that timed out, and then costs a needless notify.
 */
export class Doorbell {
  readonly #control: Int32Array;
  readonly #signal: number;
  readonly #sleepingAt: number;

  constructor(memory: SharedMemory, thread: number) {
    this.#control = memory.control;
    this.#signal = memory.threadWord(thread, THREAD_SIGNAL);
    this.#sleepingAt = memory.threadWord(thread, THREAD_SLEEPING);
  }

  /** Called by others, after their work is visible. */
  ring(): void {
    const before = Atomics.add(this.#control, this.#signal, 1);
    if (Atomics.load(this.#control, this.#sleepingAt) === before) {
      Atomics.notify(this.#control, this.#signal);
    }
  }

  /** Called by the owner before it looks for work; the result is for `sleep`. */
  listen(): number {
    return Atomics.load(this.#control, this.#signal);
  }

  /** Blocks until the bell has rung since `heard`, or for `timeoutMs`. Not on the main thread. */
  sleep(heard: number, timeoutMs: number): void {
    Atomics.store(this.#control, this.#sleepingAt, heard);
    Atomics.wait(this.#control, this.#signal, heard, timeoutMs);
  }

  /** As `sleep`, for the main thread: null when the bell has rung already. */
  sleepAsync(heard: number, timeoutMs?: number): Promise<void> | null {
    Atomics.store(this.#control, this.#sleepingAt, heard);
    const waiting = Atomics.waitAsync(this.#control, this.#signal, heard, timeoutMs);
    return waiting.async ? waiting.value.then(() => {}) : null;
  }

  /** The main thread looks at its rings again and again from now on: callers need not wake it. */
  isAwake(): void {
    Atomics.store(this.#control, this.#sleepingAt, (this.listen() - 1) | 0);
  }

  /** It stops looking, and a `sleepAsync` is under way: the next caller wakes it. What rang before goes
   * unnoticed, so the owner looks once more after this. The value stored has to be that of the next
   * addition: an addition in between would leave every later one unheard. */
  mustWake(): void {
    let heard: number;
    do {
      heard = this.listen();
      Atomics.store(this.#control, this.#sleepingAt, heard);
    } while (this.listen() !== heard);
  }
}
