import type { DataChunk } from '../../chunk/index.ts';
import { CHUNK, type Operator, type Status, UnaryOperator } from './operator.ts';

/** Hands on the rows of its input one by one, so that all that is computed of a row is computed before
 * anything of the next one (Plan.rowByRow). */
export class RowByRow extends UnaryOperator {
  readonly #selection = new Int32Array(1);
  #rows: DataChunk | null = null;
  #next = 0;

  constructor(input: Operator) {
    super(input);
    this.chunk = { columns: [], count: 1, selection: this.#selection };
  }

  override expectRows(count: number): void {
    this.input.expectRows(count);
  }

  protected override begin(): void {
    this.#rows = null;
  }

  override next(): Status {
    while (this.#rows === null || this.#next === this.#rows.count) {
      this.#rows = null;
      const status = this.input.next();
      if (status !== CHUNK) return status;
      this.#rows = this.input.chunk;
      this.#next = 0;
    }
    const { columns, selection } = this.#rows;
    const at = this.#next++;
    this.#selection[0] = selection === null ? at : selection[at]!;
    this.chunk.columns = columns;
    return CHUNK;
  }
}
