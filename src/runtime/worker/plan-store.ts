import { deserialize } from 'node:v8';
import { assert } from '../../base/index.ts';
import {
  type CompiledPlan,
  compilePlan,
  type DataRowEncoder,
  dataRowEncoder,
} from '../../sql/execute/index.ts';
import type { Plan } from '../../sql/plan/plan.ts';

/** Plans that the main thread has sent, with compiled instances that wait for their next run. */
export class PlanStore {
  private readonly plans = new Map<number, StoredPlan>();

  add(id: number, bytes: Uint8Array, start: number, end: number): void {
    const plan = deserialize(bytes.slice(start, end)) as Plan;
    this.plans.set(id, { plan, idle: [], textEncoder: null });
  }

  forget(id: number): void {
    this.plans.delete(id);
  }

  plan(id: number): Plan {
    return this.stored(id).plan;
  }

  /** An instance for one run; give it back with `release`. */
  take(id: number): CompiledPlan {
    const stored = this.stored(id);
    return stored.idle.pop() ?? compilePlan(stored.plan);
  }

  release(id: number, compiled: CompiledPlan): void {
    const stored = this.plans.get(id);
    if (stored !== undefined && stored.idle.length < IDLE_MAX) stored.idle.push(compiled);
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
  readonly idle: CompiledPlan[];
  textEncoder: DataRowEncoder | null;
}

const IDLE_MAX = 32;
const TEXT_FORMATS = new Uint8Array(0);
