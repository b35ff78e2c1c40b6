/** Waits awake for a moment before a thread goes to sleep, because waking it takes longer than most
 * statements do (5-10 µs on an idle machine, far more on a busy one).
 *
 * Waiting awake must not take a processor that others need: after MISSES_MAX waits in vain it is left
 * out for ever more turns, and when the thread finds that it was taken off its processor meanwhile it
 * rests for a while, longer each time that this comes soon again. (The main thread does the same:
 * wire/pgwire/busy-poll.ts.)
 */
const MISSES_MAX = 4;
const SKIP_MAX = 512;
const PREEMPTED_MS = 1;
const REST_MIN_MS = 20;
const REST_MAX_MS = 1000;

export class SpinWait {
  private readonly durationMs: number;
  private misses = 0;
  private skip = 0;
  private skipLength = 0;
  private restUntil = 0;
  private restMs = REST_MIN_MS;

  constructor(durationMicros: number) {
    this.durationMs = durationMicros / 1000;
  }

  /** True when `hasWork` said so within the time. */
  wait(hasWork: () => boolean): boolean {
    if (this.skip > 0) {
      this.skip--;
      return false;
    }
    let now = performance.now();
    if (now < this.restUntil) return false;
    const until = now + this.durationMs;
    let last = now;
    do {
      for (let i = 0; i < LOOKS; i++) {
        if (hasWork()) {
          this.misses = 0;
          this.skipLength = 0;
          return true;
        }
      }
      last = now;
      now = performance.now();
    } while (now < until);
    if (now - last > PREEMPTED_MS) this.rest(now);
    else this.miss();
    return false;
  }

  private miss(): void {
    if (++this.misses < MISSES_MAX) return;
    this.skipLength = Math.min(SKIP_MAX, Math.max(1, this.skipLength * 2));
    this.skip = this.skipLength;
    this.misses = MISSES_MAX - 1;
  }

  private rest(now: number): void {
    const again = now - this.restUntil < this.restMs;
    this.restMs = again ? Math.min(REST_MAX_MS, this.restMs * 2) : REST_MIN_MS;
    this.restUntil = now + this.restMs;
  }
}

/** Looks between two readings of the clock. */
const LOOKS = 32;
