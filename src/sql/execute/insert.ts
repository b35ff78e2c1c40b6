import { assert } from '../../base/index.ts';
import type { ColumnVector, DataChunk } from '../../chunk/index.ts';
import { type ColumnValue, generate } from './column-values.ts';
import type { RowOperations } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import type { InsertTarget, InsertTargets } from './insert-target.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import type { PartitionRouter } from './partition-router.ts';
import type { Returning } from './returning.ts';
import type { RowConstraints } from './row-constraints.ts';
import type { Run } from './run.ts';
import type { SequenceDraws } from './sequence-draws.ts';

/** What the operators that change rows need of their environment. */
export function rowOperations(run: Run): RowOperations {
  const { rows } = run.environment;
  assert(rows !== null, 'only the writer changes rows');
  return rows;
}

/** Where INSERT's rows go: into one table, or each into its partition. */
export type InsertPlace =
  | { readonly kind: 'table'; readonly target: InsertTarget }
  | {
      readonly kind: 'partitions';
      readonly router: PartitionRouter;
      readonly targets: InsertTargets;
      /** What the partitioned table itself demands of the rows; null: nothing. */
      readonly whole: RowConstraints | null;
      /** The oid of a partition, as the column that RETURNING sees after the table's. */
      readonly oidColumns: (place: number) => readonly ColumnVector[];
    };

/** INSERT. Waits and time slices end `next` between two rows; it goes on with the row that waited. */
export class Insert extends Operator {
  readonly #run: Run;
  readonly #input: Operator;
  readonly #values: readonly Evaluator[];
  readonly #generated: readonly ColumnValue[];
  readonly #place: InsertPlace;
  readonly #returning: Returning | null;
  /** Of the sequences that give values to rows; null when there are none. */
  readonly #draws: SequenceDraws | null;
  readonly #rows: DataChunk = { columns: [], count: 0, selection: null };
  #position = 0;
  #inputDone = false;
  #updating = false;

  constructor(
    run: Run,
    input: Operator,
    values: readonly Evaluator[],
    generated: readonly ColumnValue[],
    place: InsertPlace,
    returning: Returning | null,
    draws: SequenceDraws | null,
  ) {
    super();
    this.#run = run;
    this.#input = input;
    this.#values = values;
    this.#generated = generated;
    this.#place = place;
    this.#returning = returning;
    this.#draws = draws;
    this.#rows.columns = new Array<ColumnVector>(values.length);
  }

  override open(): void {
    this.#input.open();
    this.#rows.count = 0;
    this.#position = 0;
    this.#inputDone = false;
    this.#updating = false;
    this.#returning?.reset();
    const place = this.#place;
    if (place.kind === 'table') place.target.open();
    else place.targets.open();
  }

  override close(): void {
    this.#input.close();
    const place = this.#place;
    if (place.kind === 'table') place.target.close();
    else place.targets.close();
  }

  override next(): Status {
    while (!this.#inputDone) {
      if (this.#position >= this.#rows.count) {
        if (this.#draws?.ofInput === true) this.#draws.begin();
        const status = this.#input.next();
        if (status !== CHUNK) this.#draws?.end();
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
    if (this.#draws?.ofInput === false) this.#draws.begin();
    for (let i = 0; i < this.#values.length; i++) {
      rows.columns[i] = this.#values[i]!.evaluate(input);
    }
    this.#draws?.end();
    rows.count = input.count;
    rows.selection = input.selection;
    generate(rows, this.#generated);
    this.#position = 0;
    const operations = rowOperations(this.#run);
    const place = this.#place;
    if (place.kind === 'table') place.target.take(rows, operations);
    else {
      place.router.route(rows);
      place.whole?.prepare(rows);
      place.targets.take(rows, place.router.places, operations);
    }
  }

  /** False when a row has to wait. */
  #insertRows(): boolean {
    if (this.#draws === null) return this.#insertEach();
    try {
      return this.#insertEach();
    } catch (thrown) {
      this.#draws.putBack(this.#run.environment.sequences!, this.#position, this.#rows.count);
      throw thrown;
    }
  }

  #insertEach(): boolean {
    const rows = this.#rows;
    const operations = rowOperations(this.#run);
    for (; this.#position < rows.count; this.#position++) {
      const row = rows.selection === null ? this.#position : rows.selection[this.#position]!;
      const target = this.#targetOf(row);
      if (!this.#updating) {
        target.verify(row);
        const outcome = target.insert(operations, row);
        if (outcome === 'wait') return false;
        if (outcome === 'done') {
          this.#finishRow(rows.columns, row, row);
          continue;
        }
        if (target.conflict === null) continue;
        target.conflict.begin(operations.conflictKey);
        this.#updating = true;
      }
      const conflict = target.conflict!;
      const updated = conflict.update(operations, rows.columns, row);
      if (updated === 'wait') return false;
      this.#updating = false;
      if (updated === 'gone') this.#position--;
      else if (updated === 'done') this.#finishRow(conflict.newColumns, 0, row);
    }
    return true;
  }

  #targetOf(row: number): InsertTarget {
    const place = this.#place;
    if (place.kind === 'table') return place.target;
    place.whole?.verify(row);
    const found = place.router.places[row]!;
    if (found < 0) throw place.router.failure(row, this.#run.environment.functions);
    return place.targets.at(found);
  }

  /** `row` of `columns` is the row as it is stored, `proposed` the number that it came with. */
  #finishRow(columns: readonly ColumnVector[], row: number, proposed: number): void {
    this.#run.affectedRows++;
    if (this.#returning === null) return;
    const place = this.#place;
    if (place.kind === 'table') this.#returning.add(columns, columns, row);
    else {
      const oids = place.oidColumns(place.router.places[proposed]!);
      this.#returning.add(columns, oids, row);
    }
  }
}
