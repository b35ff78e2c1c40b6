import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import type { RowOperations } from './environment.ts';

/** Fewer rows are locked one by one, which costs less then, and leaves the table to the main thread. */
const MANY_ROWS = 512;

/** Decides whether the rows that a statement changes or locks in a table are locked one by one. */
export class ChangeClaim {
  readonly #table: RelationDescriptor;
  #rowCount = 0;
  #isReady = false;

  constructor(table: RelationDescriptor) {
    this.#table = table;
  }

  open(): void {
    this.#rowCount = 0;
    this.#isReady = false;
  }

  /** So many more rows have come. */
  expect(rowCount: number): void {
    this.#rowCount += rowCount;
  }

  /** 'ready': rows that can be claimed need no lock. 'wait': to be asked again. */
  begin(operations: RowOperations): 'ready' | 'wait' | 'unfit' {
    if (this.#isReady) return 'ready';
    if (this.#rowCount < MANY_ROWS) return 'unfit';
    const answer = operations.expectChanges(this.#table);
    this.#isReady = answer === 'ready';
    return answer;
  }
}
