import { type SharedMemory, THREAD_SIGNAL, THREAD_SLEEPING } from './shared-memory.ts';

/** How a thread sleeps until another has something for it. Each thread has one, for all its rings.
 *
 * The owner reads `signal` (`listen`), looks whether there is work, and if not sleeps: it stores
 * sleeping = 1 and waits while `signal` is what it read. A caller first makes its work visible, then
 * adds 1 to `signal`, then loads `sleeping`, and notifies if that is 1. In the one total order of
 * Atomics operations, either the add precedes the owner's wait, which then returns at once because
 * the value differs, or the owner's store of `sleeping` precedes its wait, which precedes the add,
 * which precedes the load, and the caller notifies. So no wake-up is lost, and a busy owner costs its
 * callers no system call.
 */
export class Doorbell {
  readonly #control: Int32Array;
  readonly #signal: number;
  readonly #sleeping: number;

  constructor(memory: SharedMemory, thread: number) {
    this.#control = memory.control;
    this.#signal = memory.threadWord(thread, THREAD_SIGNAL);
    this.#sleeping = memory.threadWord(thread, THREAD_SLEEPING);
  }

  /** Called by others, after their work is visible. */
  ring(): void {
    Atomics.add(this.#control, this.#signal, 1);
    if (Atomics.load(this.#control, this.#sleeping) !== 0) {
      Atomics.notify(this.#control, this.#signal);
    }
  }

  /** Called by the owner before it looks for work; the result is for `sleep`. */
  listen(): number {
    return Atomics.load(this.#control, this.#signal);
  }

  /** Blocks until the bell has rung since `heard`, or for `timeoutMs`. Not on the main thread. */
  sleep(heard: number, timeoutMs: number): void {
    Atomics.store(this.#control, this.#sleeping, 1);
    Atomics.wait(this.#control, this.#signal, heard, timeoutMs);
    Atomics.store(this.#control, this.#sleeping, 0);
  }

  /** The main thread, while it looks at its rings again and again: callers need not notify. Work that
   * comes between the last look and `mustWake` rings in vain, so the owner looks once more after. */
  isAwake(): void {
    Atomics.store(this.#control, this.#sleeping, 0);
  }

  mustWake(): void {
    Atomics.store(this.#control, this.#sleeping, 1);
  }

  /** As `sleep`, for the main thread: null when the bell has rung already. */
  sleepAsync(heard: number, timeoutMs?: number): Promise<void> | null {
    Atomics.store(this.#control, this.#sleeping, 1);
    const waiting = Atomics.waitAsync(this.#control, this.#signal, heard, timeoutMs);
    if (!waiting.async) {
      Atomics.store(this.#control, this.#sleeping, 0);
      return null;
    }
    return waiting.value.then(() => {
      Atomics.store(this.#control, this.#sleeping, 0);
    });
  }
}
