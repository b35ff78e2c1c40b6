import { assert } from '../../base/index.ts';
import type { Datum } from '../../types/index.ts';
import type { ExecutionEnvironment } from './environment.ts';
import { WORK_TABLES } from './plan-slots.ts';
import type { SequenceDraws } from './sequence-draws.ts';

/** The row that a scan is bound to while a changed row is checked again (EvalPlanQual). Without a
 * tuple the scan reads the row with this key as the statement sees it. */
export interface ScanBinding {
  readonly key: Uint8Array;
  readonly tuple: Uint8Array | null;
}

/** Bindings by scanId: scans that are not among them are free, and one that is bound to null gives no
 * row. Null for the plan itself. */
export type ScanBindings = Map<number, ScanBinding | null>;

/** What all operators and evaluators of one compiled plan share. */
export class Run {
  #environment: ExecutionEnvironment | null = null;
  /** Values of `outer` slots. */
  readonly slots: Datum[];
  /** Counts runs, so that what was computed from parameters knows when it is stale. */
  epoch = 0;
  /** Counts changes of slots, likewise. */
  slotEpoch = 0;
  /** Counts the changes of each slot, for what depends on a few of them. */
  readonly #slotChanges: Float64Array;
  #roundChanges = 0;

  constructor(slotCount: number) {
    this.slots = new Array<Datum>(slotCount).fill(null);
    this.#slotChanges = new Float64Array(slotCount);
  }

  get environment(): ExecutionEnvironment {
    assert(this.#environment !== null, 'the plan is not open');
    return this.#environment;
  }

  /** Counts calls from outside, across which no cursor's bytes are good. */
  resumes = 0;
  /** Rows inserted, updated or deleted so far. */
  affectedRows = 0;

  /** Takes down what sequences give while an INSERT computes rows. */
  draws: SequenceDraws | null = null;

  /** Above 0 while a subquery of an expression runs, which cannot be left half-way. */
  pinned = 0;

  /** Whether an operator should return PAUSE as the time slice is over. */
  shouldPause(): boolean {
    return this.pinned === 0 && this.environment.shouldPause();
  }

  begin(environment: ExecutionEnvironment): void {
    this.#environment = environment;
    this.epoch++;
    this.slotEpoch++;
    this.affectedRows = 0;
    this.pinned = 0;
    this.draws = null;
  }

  end(): void {
    this.#environment = null;
    this.slots.fill(null);
  }

  setSlot(slot: number, value: Datum): void {
    this.slots[slot] = value;
    this.slotEpoch++;
    this.#slotChanges[slot]!++;
  }

  /** A recursive union goes on to its next round: work tables have other rows. */
  beginRound(): void {
    this.#roundChanges++;
  }

  /** A number that grows whenever one of these slots, WORK_TABLES among them, changes. */
  changesOf(slots: readonly number[]): number {
    let changes = 0;
    for (const slot of slots) {
      changes += slot === WORK_TABLES ? this.#roundChanges : this.#slotChanges[slot]!;
    }
    return changes;
  }
}
