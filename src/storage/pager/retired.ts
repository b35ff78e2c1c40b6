import type { EpochClock } from '../../shm/index.ts';

/** Frames and spill slots that are unlinked but may still be read, in the order of their epochs. */
export class Retired {
  readonly #clock: EpochClock;
  #locations: number[] = [];
  #epochs: number[] = [];
  #first = 0;
  /** How many of them are frames. */
  frameCount = 0;

  constructor(clock: EpochClock) {
    this.#clock = clock;
  }

  add(location: number): void {
    this.#locations.push(location);
    this.#epochs.push(this.#clock.current());
    if (location > 0) this.frameCount++;
  }

  /** Ends the epoch in which the latest were unlinked, and passes those that no thread can reach any
   * more to `reuse`. */
  drain(reuse: (location: number) => void): void {
    const count = this.#locations.length;
    if (this.#first === count) return;
    if (this.#epochs[count - 1] === this.#clock.current()) this.#clock.advance();
    const oldest = this.#clock.oldestActive();
    let i = this.#first;
    for (; i < count && this.#clock.isPast(this.#epochs[i]!, oldest); i++) {
      const location = this.#locations[i]!;
      if (location > 0) this.frameCount--;
      reuse(location);
    }
    this.#first = i;
    if (i === count) {
      this.#locations.length = 0;
      this.#epochs.length = 0;
      this.#first = 0;
    } else if (i > 4096) {
      this.#locations = this.#locations.slice(i);
      this.#epochs = this.#epochs.slice(i);
      this.#first = 0;
    }
  }
}
