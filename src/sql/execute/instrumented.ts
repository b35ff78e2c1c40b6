import type { NodeInstrumentation } from './environment.ts';
import { CHUNK, Operator, type Status } from './operator.ts';

/** Counts what an operator gives and how long it takes; only in plans compiled for EXPLAIN ANALYZE. */
export class Instrumented extends Operator {
  readonly #inner: Operator;
  readonly #counters: NodeInstrumentation;
  #sawRow = false;

  constructor(inner: Operator, counters: NodeInstrumentation) {
    super();
    this.#inner = inner;
    this.#counters = counters;
  }

  override open(): void {
    this.#time(() => this.#inner.open());
    this.#counters.loops++;
    this.#sawRow = false;
  }

  override rescan(): void {
    this.#time(() => this.#inner.rescan());
    this.#counters.loops++;
    this.#sawRow = false;
  }

  override next(): Status {
    const status = this.#time(() => this.#inner.next());
    if (status === CHUNK) {
      this.chunk = this.#inner.chunk;
      this.#counters.rows += this.chunk.count;
      this.#counters.batches++;
      if (!this.#sawRow && this.#counters.loops === 1) {
        this.#counters.startupTime = this.#counters.totalTime;
      }
      this.#sawRow = true;
    }
    return status;
  }

  override close(): void {
    this.#inner.close();
  }

  #time<Value>(work: () => Value): Value {
    const before = performance.now();
    const value = work();
    this.#counters.totalTime += performance.now() - before;
    return value;
  }
}

export function newCounters(): NodeInstrumentation {
  return {
    loops: 0,
    rows: 0,
    batches: 0,
    rowsRemoved: 0,
    startupTime: 0,
    totalTime: 0,
    spillBytes: 0,
    memoryBytes: 0,
  };
}
