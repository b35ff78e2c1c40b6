import { deserialize } from 'node:v8';
import { assert } from '../../base/index.ts';
import {
  type CompiledPlan,
  compilePlan,
  type DataRowEncoder,
  dataRowEncoder,
} from '../../sql/execute/index.ts';
import type { Plan } from '../../sql/plan/plan.ts';

/** Plans that the main thread has sent, with compiled instances that wait for their next run.
 *
 * An instance holds a vector for nearly every expression of its plan, some 70 bytes for each byte of
 * the plan as it is sent. So those that wait are bounded by the bytes of their plans; the instances
 * of plans that have not run for the longest time go first. */
export class PlanStore {
  private readonly plans = new Map<number, StoredPlan>();
  private readonly idleBytesMax: number;
  /** Of all waiting instances, the sizes of their plans. */
  private idleBytes = 0;
  private runCount = 0;

  constructor(idleBytesMax: number = IDLE_BYTES_MAX) {
    this.idleBytesMax = idleBytesMax;
  }

  add(id: number, bytes: Uint8Array, start: number, end: number): void {
    this.forget(id);
    const plan = deserialize(bytes.slice(start, end)) as Plan;
    this.plans.set(id, { plan, size: end - start, idle: [], lastRun: 0, textEncoder: null });
  }

  forget(id: number): void {
    const stored = this.plans.get(id);
    if (stored === undefined) return;
    this.dropIdle(stored);
    this.plans.delete(id);
  }

  plan(id: number): Plan {
    return this.stored(id).plan;
  }

  /** An instance for one run; give it back with `release`. */
  take(id: number): CompiledPlan {
    const stored = this.stored(id);
    stored.lastRun = ++this.runCount;
    const compiled = stored.idle.pop();
    if (compiled === undefined) return compilePlan(stored.plan);
    this.idleBytes -= stored.size;
    return compiled;
  }

  release(id: number, compiled: CompiledPlan): void {
    const stored = this.plans.get(id);
    if (stored === undefined || stored.idle.length >= IDLE_MAX) return;
    stored.idle.push(compiled);
    this.idleBytes += stored.size;
    if (this.idleBytes > this.idleBytesMax) this.dropOldest();
  }

  /** Drops a quarter at once, as it looks at all plans for it. */
  private dropOldest(): void {
    const waiting = [...this.plans.values()].filter((stored) => stored.idle.length > 0);
    waiting.sort((a, b) => a.lastRun - b.lastRun);
    for (const stored of waiting) {
      if (this.idleBytes <= this.idleBytesMax * 0.75) return;
      this.dropIdle(stored);
    }
  }

  private dropIdle(stored: StoredPlan): void {
    this.idleBytes -= stored.idle.length * stored.size;
    stored.idle.length = 0;
  }

  /** Encodes the plan's rows as text; what most statements ask for. */
  textEncoder(id: number): DataRowEncoder {
    const stored = this.stored(id);
    stored.textEncoder ??= dataRowEncoder(
      stored.plan.output.map((column) => column.type),
      TEXT_FORMATS,
    );
    return stored.textEncoder;
  }

  private stored(id: number): StoredPlan {
    const stored = this.plans.get(id);
    assert(stored !== undefined, `plan ${id} was not sent`);
    return stored;
  }
}

interface StoredPlan {
  readonly plan: Plan;
  /** Bytes of the plan as it was sent. */
  readonly size: number;
  readonly idle: CompiledPlan[];
  /** Counts runs of all plans. */
  lastRun: number;
  textEncoder: DataRowEncoder | null;
}

/** Instances of one plan. */
const IDLE_MAX = 32;
/** About 70 MiB of vectors. */
const IDLE_BYTES_MAX = 1 << 20;
const TEXT_FORMATS = new Uint8Array(0);
