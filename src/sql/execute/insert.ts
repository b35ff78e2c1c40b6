import { assert } from '../../base/index.ts';
import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import type { ColumnVector, DataChunk } from '../../chunk/index.ts';
import type { ConflictUpdate } from './conflict-update.ts';
import type { RowOperations } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import type { Returning } from './returning.ts';
import type { RowConstraints } from './row-constraints.ts';
import type { Run } from './run.ts';

/** What the operators that change rows need of their environment. */
export function rowOperations(run: Run): RowOperations {
  const { rows } = run.environment;
  assert(rows !== null, 'only the writer changes rows');
  return rows;
}

/** A chunk of so many rows is likely to be followed by others. */
const MANY_ROWS = 512;

/** INSERT. Waits and time slices end `next` between two rows; it goes on with the row that waited. */
export class Insert extends Operator {
  readonly #run: Run;
  readonly #input: Operator;
  readonly #table: RelationDescriptor;
  readonly #values: readonly Evaluator[];
  readonly #constraints: RowConstraints;
  readonly #arbiters: readonly number[] | null;
  readonly #conflict: ConflictUpdate | null;
  readonly #returning: Returning | null;
  readonly #rows: DataChunk = { columns: [], count: 0, selection: null };
  #position = 0;
  #inputDone = false;
  #updating = false;

  constructor(
    run: Run,
    input: Operator,
    table: RelationDescriptor,
    values: readonly Evaluator[],
    constraints: RowConstraints,
    arbiters: readonly number[] | null,
    conflict: ConflictUpdate | null,
    returning: Returning | null,
  ) {
    super();
    this.#run = run;
    this.#input = input;
    this.#table = table;
    this.#values = values;
    this.#constraints = constraints;
    this.#arbiters = arbiters;
    this.#conflict = conflict;
    this.#returning = returning;
    this.#rows.columns = new Array<ColumnVector>(values.length);
  }

  override open(): void {
    this.#input.open();
    this.#rows.count = 0;
    this.#position = 0;
    this.#inputDone = false;
    this.#updating = false;
    this.#returning?.reset();
    this.#conflict?.open();
  }

  override close(): void {
    this.#input.close();
    this.#conflict?.close();
  }

  override next(): Status {
    while (!this.#inputDone) {
      if (this.#position >= this.#rows.count) {
        const status = this.#input.next();
        if (status === PAUSE) return PAUSE;
        if (status === DONE) {
          this.#inputDone = true;
          break;
        }
        this.#takeRows(this.#input.chunk);
      }
      if (!this.#insertRows()) return PAUSE;
      if (this.#returning !== null && this.#returning.count > 0) {
        this.#returning.emit(this.chunk);
        return CHUNK;
      }
    }
    return DONE;
  }

  #takeRows(input: DataChunk): void {
    const rows = this.#rows;
    for (let i = 0; i < this.#values.length; i++) {
      rows.columns[i] = this.#values[i]!.evaluate(input);
    }
    rows.count = input.count;
    rows.selection = input.selection;
    this.#position = 0;
    if (rows.count >= MANY_ROWS) rowOperations(this.#run).expectInserts(this.#table);
    this.#constraints.prepare(rows);
  }

  /** False when a row has to wait. */
  #insertRows(): boolean {
    const rows = this.#rows;
    const operations = rowOperations(this.#run);
    for (; this.#position < rows.count; this.#position++) {
      const row = rows.selection === null ? this.#position : rows.selection[this.#position]!;
      if (!this.#updating) {
        this.#constraints.verify(row);
        const outcome = operations.insert(this.#table, rows.columns, row, this.#arbiters);
        if (outcome === 'wait') return false;
        if (outcome === 'done') {
          this.#run.affectedRows++;
          this.#returning?.add(rows.columns, rows.columns, row);
          continue;
        }
        if (this.#conflict === null) continue;
        this.#conflict.begin(operations.conflictKey);
        this.#updating = true;
      }
      const updated = this.#conflict!.update(operations, rows.columns, row);
      if (updated === 'wait') return false;
      this.#updating = false;
      if (updated === 'gone') this.#position--;
      else if (updated === 'done') {
        this.#run.affectedRows++;
        this.#returning?.add(this.#conflict!.newColumns, rows.columns, 0);
      }
    }
    return true;
  }
}
