import { CHUNK_ROWS, type ColumnVector, createVector } from '../../chunk/index.ts';
import type { KeyColumn, SqlType } from '../../types/index.ts';
import type { NodeInstrumentation } from './environment.ts';
import type { ConstantEvaluator, Evaluator } from './expression/evaluator.ts';
import { CHUNK, DONE, type Operator, PAUSE, type Status, UnaryOperator } from './operator.ts';
import { rowCount } from './row-sources.ts';
import type { Run } from './run.ts';
import { Sorter } from './sorter.ts';

/** A sort key: its value and its order. */
export interface CompiledSortKey {
  readonly value: Evaluator;
  readonly order: KeyColumn;
}

/** ORDER BY, with a limit top-N. */
export class Sort extends UnaryOperator {
  readonly #run: Run;
  readonly #keys: readonly Evaluator[];
  readonly #limit: ConstantEvaluator | null;
  readonly #sorter: Sorter;
  readonly #keyVectors: ColumnVector[];
  #isSorted = false;
  counters: NodeInstrumentation | null = null;

  constructor(
    run: Run,
    input: Operator,
    types: readonly SqlType[],
    keys: readonly CompiledSortKey[],
    limit: ConstantEvaluator | null,
  ) {
    super(input);
    this.#run = run;
    this.#keys = keys.map((key) => key.value);
    this.#limit = limit;
    this.#sorter = new Sorter(
      run,
      types,
      keys.map((key) => key.order),
    );
    this.#keyVectors = new Array<ColumnVector>(keys.length);
    this.chunk.columns = types.map((type) => createVector(type));
  }

  protected override begin(): void {
    const limit = rowCount(
      this.#limit,
      Number.POSITIVE_INFINITY,
      'LIMIT',
      'invalid_row_count_in_limit_clause',
    );
    this.#sorter.begin(limit);
    this.#isSorted = false;
  }

  override next(): Status {
    if (!this.#isSorted) {
      if (this.#readInput() === PAUSE) return PAUSE;
      this.#sorter.sort();
      this.#isSorted = true;
      if (this.counters !== null) {
        this.counters.spillBytes += this.#sorter.spilledBytes;
        this.counters.memoryBytes = Math.max(this.counters.memoryBytes, this.#sorter.peakBytes);
      }
    }
    this.#run.environment.checkInterrupts();
    if (this.#run.shouldPause()) return PAUSE;
    const count = this.#sorter.read(this.chunk.columns, CHUNK_ROWS);
    this.chunk.count = count;
    return count === 0 ? DONE : CHUNK;
  }

  #readInput(): Status {
    for (;;) {
      const status = this.input.next();
      if (status !== CHUNK) return status;
      const rows = this.input.chunk;
      for (let k = 0; k < this.#keys.length; k++) {
        this.#keyVectors[k] = this.#keys[k]!.evaluate(rows);
      }
      for (let i = 0; i < rows.count; i++) {
        const row = rows.selection === null ? i : rows.selection[i]!;
        this.#sorter.add(this.#keyVectors, rows.columns, row);
      }
    }
  }

  override close(): void {
    super.close();
    this.#sorter.close();
  }
}
