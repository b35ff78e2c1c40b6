import { SharedWords } from '../shm/index.ts';

/** Cancel requests that a worker sees in the middle of a slice, when it does not look at its ring: in a long
 * computation that asks `checkInterrupt`. The ring has the request as well, and is heard between slices.
 *
 *   word  what
 *      0  how many cancel requests there were
 *   1..8  the latest of them, by the numbers of the requests that are cancelled, which are never used again
 *
 * The main thread writes, the worker reads. One that is overwritten before it is seen is left to the ring. */
const KEPT = 8;

export class CancelWords {
  private readonly words: SharedWords;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new SharedWords(buffer);
  }

  static create(): SharedArrayBuffer {
    return SharedWords.create(1 + KEPT);
  }

  post(request: number): void {
    const { words } = this;
    const count = words.load(0);
    words.store(1 + (count & (KEPT - 1)), request);
    words.store(0, (count + 1) | 0);
  }

  has(request: number): boolean {
    for (let word = 1; word <= KEPT; word++) if (this.words.load(word) === request) return true;
    return false;
  }
}
