/** Keeps the event loop awake for a moment after an answer, because the client's next message is
 * likely to come at once, and waking a sleeping processor takes longer than answering.
 *
 * One pgbench client on an idle 2-core machine (bench/micro/canned-server.ts): 17,700 transactions
 * a second when the loop sleeps between messages, 44,500 when it polls for 30 µs first.
 *
 * Polling must not take what others could use, so it stops where it does not help:
 *   (1) no message comes in time. After MISSES_MAX misses in a row polling is left out for ever
 *       more answers.
 *   (2) processors are scarce. Whoever polls then is taken off his processor for milliseconds, and
 *       takes it from those he waits for: with two busy processes beside, 1 client got 40,000
 *       transactions a second without polling and 20,000 with it. Such a gap ends polling for a
 *       while, longer each time that polling then lasts for less than the rest did. (Gaps now and then
 *       come from elsewhere, as from the host of a virtual machine.)
 *
 * Even then the loop looks LOOKS_MIN more times for what has come before it sleeps. With several clients
 * something mostly has: a look takes 2 to 3 µs, and a loop that sleeps is woken 15 µs late.
 */
const LOOKS_MIN = 4;
const MISSES_MAX = 8;
const SKIP_MAX = 1024;
const PREEMPTED_MS = 1.5;
const REST_MIN_MS = 50;
const REST_MAX_MS = 3200;

/** What else can come while the event loop is kept awake: answers of worker threads, say. */
export interface PollSource {
  /** Polling begins: nobody needs to wake this thread. */
  begin(): void;
  /** Takes what has come, and says how much. */
  poll(): number;
  /** Polling ends: from now on this thread has to be woken. */
  end(): void;
}

export class BusyPoll {
  private readonly durationMs: number;
  private readonly source: PollSource | null;
  /** The event loop is kept awake: `look` is under way. */
  private isAwake = false;
  private looksLeft = 0;
  /** It is until this time at least. */
  private polling = false;
  private until = 0;
  /** When the poller was last seen running. */
  private last = 0;
  /** Answers after which polling is still to be left out, and how many it was the last time. */
  private skip = 0;
  private skipLength = 0;
  private misses = 0;
  private restUntil = 0;
  private restMs = 0;

  /** Polls for so long after each answer; 0 never polls. */
  constructor(durationMicros: number, source: PollSource | null = null) {
    this.durationMs = durationMicros / 1000;
    this.source = source;
  }

  /** An answer has been sent, or something that will be answered soon. */
  answered(): void {
    if (this.durationMs === 0) return;
    this.looksLeft = LOOKS_MIN;
    this.extend();
    if (this.isAwake) return;
    this.isAwake = true;
    this.source?.begin();
    setImmediate(this.look);
  }

  /** Polls for the whole time from now on, unless that is to be left out. */
  private extend(): void {
    if (this.polling) {
      // A message came while we polled, and this is its answer.
      this.misses = 0;
      this.skipLength = 0;
    } else if (this.skip > 0) {
      this.skip--;
      return;
    }
    const now = performance.now();
    if (now < this.restUntil) return;
    this.until = now + this.durationMs;
    if (this.polling) this.watch(now);
    else {
      this.polling = true;
      this.last = now;
    }
  }

  private readonly look = (): void => {
    this.looksLeft--;
    if (this.source !== null && this.source.poll() > 0) this.answered();
    if (this.polling) this.checkTime();
    if (this.polling || this.looksLeft > 0) {
      setImmediate(this.look);
      return;
    }
    this.isAwake = false;
    this.source?.end();
  };

  private checkTime(): void {
    const now = performance.now();
    this.watch(now);
    if (now < this.until) return;
    this.polling = false;
    this.misses++;
    if (this.misses < MISSES_MAX) return;
    this.skipLength = Math.min(SKIP_MAX, Math.max(1, this.skipLength * 2));
    this.skip = this.skipLength;
    this.misses = MISSES_MAX - 1;
  }

  /** Notices that others needed the processor, and leaves it to them. */
  private watch(now: number): void {
    if (now - this.last > PREEMPTED_MS) {
      const again = now - this.restUntil < this.restMs;
      this.restMs = again
        ? Math.min(REST_MAX_MS, Math.max(REST_MIN_MS, this.restMs * 2))
        : REST_MIN_MS;
      this.restUntil = now + this.restMs;
      this.until = now;
    }
    this.last = now;
  }
}
