import type { NodeInstrumentation, PageCounts } from './environment.ts';
import { CHUNK, Operator, type Status } from './operator.ts';

/** Counts what an operator gives and how long it takes; only in plans compiled for EXPLAIN ANALYZE. */
export class Instrumented extends Operator {
  readonly #inner: Operator;
  readonly #counters: NodeInstrumentation;
  readonly #pages: PageCounts;
  #sawRow = false;

  constructor(inner: Operator, counters: NodeInstrumentation, pages: PageCounts) {
    super();
    this.#inner = inner;
    this.#counters = counters;
    this.#pages = pages;
  }

  override expectRows(count: number): void {
    this.#inner.expectRows(count);
  }

  override open(): void {
    this.#measure(() => this.#inner.open());
    this.#counters.loops++;
    this.#sawRow = false;
  }

  override rescan(): void {
    this.#measure(() => this.#inner.rescan());
    this.#counters.loops++;
    this.#sawRow = false;
  }

  override next(): Status {
    const status = this.#measure(() => this.#inner.next());
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

  #measure<Value>(work: () => Value): Value {
    const { requestCount, loadCount } = this.#pages;
    const before = performance.now();
    const value = work();
    this.#counters.totalTime += performance.now() - before;
    this.#counters.pageRequests += this.#pages.requestCount - requestCount;
    this.#counters.pageLoads += this.#pages.loadCount - loadCount;
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
    pageRequests: 0,
    pageLoads: 0,
  };
}
