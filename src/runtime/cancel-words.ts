import { SharedWords } from '../shm/index.ts';

/** Requests to be cancelled that a worker sees in the middle of a slice, when it does not look at its ring: in a long
 * computation that asks `checkInterrupt`. The ring has the request as well, and is heard between slices.
 *
 * Eight words, each the number of a request or 0. The main thread writes, the worker reads. A ninth takes the place of
 * the one that was posted first, which is left to the ring.
 *
 * (C1) A word stands for itself: nothing else is read on the ground of it, so its order among other stores does not
 *      matter. All accesses are Atomics, so a worker that looks again and again sees it.
 * (C2) A worker that runs a request never sees the number of an earlier one that was the same. The main thread withdraws a
 *      number when it has the last answer to it, and gives it to another request after that: what the ring brings
 *      to the worker happens after what the main thread stored before it put it there.
 */
export class CancelWords {
  private readonly words: SharedWords;
  /** Of the main thread: numbers that are posted, and where the next one goes. */
  private readonly posted: number[] = new Array<number>(KEPT).fill(NONE);
  private postedCount = 0;
  private next = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new SharedWords(buffer);
  }

  static create(): SharedArrayBuffer {
    return SharedWords.create(KEPT);
  }

  post(request: number): void {
    this.set(this.next, request);
    this.next = (this.next + 1) % KEPT;
  }

  /** The request has been answered. */
  withdraw(request: number): void {
    if (this.postedCount === 0) return;
    for (let word = 0; word < KEPT; word++) {
      if (this.posted[word] === request) this.set(word, NONE);
    }
  }

  has(request: number): boolean {
    for (let word = 0; word < KEPT; word++) {
      if (this.words.load(word) === (request | 0)) return true;
    }
    return false;
  }

  private set(word: number, request: number): void {
    if (this.posted[word] !== NONE) this.postedCount--;
    if (request !== NONE) this.postedCount++;
    this.posted[word] = request;
    this.words.store(word, request | 0);
  }
}

const KEPT = 8;
const NONE = 0;
