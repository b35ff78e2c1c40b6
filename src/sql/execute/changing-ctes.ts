import type { Plan } from '../plan/plan.ts';
import type { CteStore } from './cte.ts';
import { CHUNK, DONE, Operator, type Status } from './operator.ts';

/** The root of a statement that has INSERT, UPDATE or DELETE in its WITH clause: they run to their
 * ends however much the statement reads of them, those that it has not finished after it, the last
 * one first, as in PostgreSQL.
 *
 * Those that subqueries of expressions read run before it, since they may wait for locks and such a
 * subquery cannot be left half-way. */
export class ChangingCtes extends Operator {
  readonly #root: Operator;
  readonly #early: readonly CteStore[];
  readonly #all: readonly CteStore[];
  #earlyDone = 0;
  #rootDone = false;
  #left = 0;

  constructor(root: Operator, early: readonly CteStore[], all: readonly CteStore[]) {
    super();
    this.#root = root;
    this.#early = early;
    this.#all = all;
  }

  override open(): void {
    this.#earlyDone = 0;
    this.#rootDone = false;
    this.#left = this.#all.length;
    this.#root.open();
  }

  override next(): Status {
    for (; this.#earlyDone < this.#early.length; this.#earlyDone++) {
      const status = this.#early[this.#earlyDone]!.complete();
      if (status !== DONE) return status;
    }
    if (!this.#rootDone) {
      const status = this.#root.next();
      if (status === CHUNK) this.chunk = this.#root.chunk;
      if (status !== DONE) return status;
      this.#rootDone = true;
    }
    for (; this.#left > 0; this.#left--) {
      const status = this.#all[this.#left - 1]!.complete();
      if (status !== DONE) return status;
    }
    return DONE;
  }

  override close(): void {
    this.#root.close();
  }
}

/** The changing common tables that subqueries of expressions read, in the order of WITH. */
export function readBySubplans(plan: Plan): number[] {
  const read = new Set<number>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
    const fields = value as { kind?: unknown; cte?: number };
    if (fields.kind === 'cteScan' && fields.cte !== undefined && !read.has(fields.cte)) {
      read.add(fields.cte);
      visit(plan.ctes[fields.cte]);
    }
    for (const field of Object.values(value)) visit(field);
  };
  visit(plan.subplans);
  return plan.changes.filter((cte) => read.has(cte));
}
