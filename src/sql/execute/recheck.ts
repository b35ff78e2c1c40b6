import { type ColumnVector, copyRow, createVector, type DataChunk } from '../../chunk/index.ts';
import type { SqlType } from '../../types/index.ts';
import { CHUNK, DONE, type Operator, type Status } from './operator.ts';
import type { ScanBinding, ScanBindings } from './run.ts';

/** Runs a copy of a plan in which scans are bound to given rows, to see whether a row that changed
 * still belongs to the result, and what it looks like now (PostgreSQL's EvalPlanQual). The copy is
 * compiled when the first row has changed. */
export class Recheck {
  readonly #compile: (bindings: ScanBindings) => Operator;
  readonly #bindings: ScanBindings = new Map();
  #plan: Operator | null = null;
  #isOpen = false;
  /** After CHUNK: the row, as row 0. */
  readonly row: DataChunk;

  constructor(types: readonly SqlType[], compile: (bindings: ScanBindings) => Operator) {
    this.#compile = compile;
    this.row = {
      columns: types.map((type): ColumnVector => createVector(type, 1)),
      count: 1,
      selection: null,
    };
  }

  get isRunning(): boolean {
    return this.#isOpen;
  }

  begin(bindings: Iterable<readonly [scanId: number, binding: ScanBinding | null]>): void {
    this.#bindings.clear();
    for (const [scanId, binding] of bindings) this.#bindings.set(scanId, binding);
    this.#plan ??= this.#compile(this.#bindings);
    this.#isOpen = true;
    this.#plan.open();
  }

  /** CHUNK when the row is still one of the result, DONE when not. */
  next(): Status {
    const plan = this.#plan!;
    const status = plan.next();
    if (status === CHUNK) this.#take(plan.chunk);
    if (status === CHUNK || status === DONE) this.close();
    return status;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#plan!.close();
  }

  #take(chunk: DataChunk): void {
    const first = chunk.selection === null ? 0 : chunk.selection[0]!;
    for (let i = 0; i < this.row.columns.length; i++) {
      this.row.columns[i]!.reset();
      copyRow(chunk.columns[i]!, first, this.row.columns[i]!, 0);
    }
  }
}
