import { ByteWriter } from '../../base/index.ts';
import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import {
  type BytesVector,
  type ColumnVector,
  createVector,
  type DataChunk,
  setAllNull,
} from '../../chunk/index.ts';
import { typeByOid } from '../../types/index.ts';
import type { RowLockStrength } from '../bind/query.ts';
import type { ChangeOutcome, RowOperations } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import { rowOperations } from './insert.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import type { Recheck } from './recheck.ts';
import type { Returning } from './returning.ts';
import type { RowConstraints } from './row-constraints.ts';
import type { Run } from './run.ts';

/** What UPDATE and DELETE share: each row is locked, and checked again if it has changed since the
 * snapshot, and then changed.
 *
 *   locking -> changing -> next row
 *      |          ^
 *      +-> rechecking (the row changed meanwhile; it may drop out)
 */
abstract class Modify extends Operator {
  protected readonly run: Run;
  protected readonly table: RelationDescriptor;
  readonly #input: Operator;
  readonly #locator: number;
  readonly #scanId: number;
  readonly #strength: RowLockStrength;
  readonly #recheck: Recheck;
  readonly #returning: Returning | null;
  readonly #changedKey = new ByteWriter(64);
  #rows: DataChunk = { columns: [], count: 0, selection: null };
  #position = 0;
  #inputDone = false;
  #phase: 'locking' | 'rechecking' | 'changing' | 'changingRechecked' = 'locking';

  constructor(
    run: Run,
    table: RelationDescriptor,
    input: Operator,
    locator: number,
    scanId: number,
    strength: RowLockStrength,
    recheck: Recheck,
    returning: Returning | null,
  ) {
    super();
    this.run = run;
    this.table = table;
    this.#input = input;
    this.#locator = locator;
    this.#scanId = scanId;
    this.#strength = strength;
    this.#recheck = recheck;
    this.#returning = returning;
  }

  /** Computes what depends on input rows: a chunk of the input, or the single row of a recheck. */
  protected abstract prepare(rows: DataChunk): void;
  protected abstract change(
    operations: RowOperations,
    key: Uint8Array,
    start: number,
    end: number,
    row: number,
  ): ChangeOutcome;
  /** The row for RETURNING, by position in the table. */
  protected abstract changedRow(): readonly ColumnVector[];

  override open(): void {
    this.#input.open();
    this.#rows.count = 0;
    this.#position = 0;
    this.#inputDone = false;
    this.#phase = 'locking';
    this.#returning?.reset();
  }

  override close(): void {
    this.#input.close();
    this.#recheck.close();
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
        this.#rows = this.#input.chunk;
        this.#position = 0;
        this.prepare(this.#rows);
      }
      if (!this.#changeRows()) return PAUSE;
      if (this.#returning !== null && this.#returning.count > 0) {
        this.#returning.emit(this.chunk);
        return CHUNK;
      }
    }
    return DONE;
  }

  /** False when a row has to wait. */
  #changeRows(): boolean {
    const rows = this.#rows;
    const operations = rowOperations(this.run);
    const locator = rows.columns[this.#locator] as BytesVector;
    while (this.#position < rows.count) {
      const row = rows.selection === null ? this.#position : rows.selection[this.#position]!;
      const start = locator.start[row]!;
      const end = start + locator.length[row]!;
      if (this.#phase === 'locking') {
        if (locator.isNull(row)) {
          this.#position++;
          continue;
        }
        const outcome = operations.lockRow(
          this.table,
          locator.buffer,
          start,
          end,
          this.#strength,
          'block',
        );
        if (outcome === 'wait') return false;
        if (outcome === 'locked') this.#phase = 'changing';
        else if (outcome === 'changed') this.#beginRecheck(operations);
        else {
          this.#position++;
          continue;
        }
      }
      if (this.#phase === 'rechecking' && !this.#finishRecheck()) return false;
      if (this.#phase === 'changing') {
        if (this.change(operations, locator.buffer, start, end, row) === 'wait') return false;
        this.#finishRow(rows, row);
      } else if (this.#phase === 'changingRechecked') {
        const key = this.#changedKey;
        if (this.change(operations, key.bytes, 0, key.position, 0) === 'wait') return false;
        this.#finishRow(this.#recheck.row, 0);
        this.prepare(rows);
      }
    }
    return true;
  }

  #finishRow(input: DataChunk, row: number): void {
    this.run.affectedRows++;
    this.#returning?.add(this.changedRow(), input.columns, row);
    this.#phase = 'locking';
    this.#position++;
  }

  #beginRecheck(operations: RowOperations): void {
    const { changedKey, changedTuple } = operations;
    this.#changedKey.reset();
    this.#changedKey.range(changedKey.bytes, changedKey.start, changedKey.end);
    const key = this.#changedKey.copy();
    const tuple = changedTuple.bytes.slice(changedTuple.start, changedTuple.end);
    this.#recheck.begin([[this.#scanId, { key, tuple }]]);
    this.#phase = 'rechecking';
  }

  /** False when the recheck itself has to pause. */
  #finishRecheck(): boolean {
    const status = this.#recheck.next();
    if (status === PAUSE) return false;
    if (status === CHUNK) {
      this.prepare(this.#recheck.row);
      this.#phase = 'changingRechecked';
    } else {
      this.#phase = 'locking';
      this.#position++;
    }
    return true;
  }
}

/** The columns of a table among those of an input, NULL for dropped ones. */
class TableColumns {
  readonly #from: readonly number[];
  readonly #nulls: (ColumnVector | null)[];
  readonly columns: ColumnVector[];

  constructor(table: RelationDescriptor, from: readonly number[], capacity: number) {
    this.#from = from;
    this.#nulls = from.map((column, i) => {
      if (column >= 0) return null;
      const vector = createVector(typeByOid(table.columns[i]!.type), capacity);
      setAllNull(vector);
      return vector;
    });
    this.columns = new Array<ColumnVector>(from.length);
  }

  take(rows: DataChunk): void {
    for (let i = 0; i < this.#from.length; i++) {
      this.columns[i] = this.#nulls[i] ?? rows.columns[this.#from[i]!]!;
    }
  }
}

export class Update extends Modify {
  readonly #assignments: readonly { readonly column: number; readonly value: Evaluator }[];
  readonly #changed: readonly number[];
  readonly #old: TableColumns;
  readonly #constraints: RowConstraints;
  readonly #new: DataChunk = { columns: [], count: 0, selection: null };

  constructor(
    run: Run,
    table: RelationDescriptor,
    input: Operator,
    parts: {
      readonly locator: number;
      readonly scanId: number;
      readonly strength: RowLockStrength;
      readonly oldColumns: readonly number[];
      readonly assignments: readonly { readonly column: number; readonly value: Evaluator }[];
      readonly constraints: RowConstraints;
      readonly recheck: Recheck;
      readonly returning: Returning | null;
      readonly capacity: number;
    },
  ) {
    super(
      run,
      table,
      input,
      parts.locator,
      parts.scanId,
      parts.strength,
      parts.recheck,
      parts.returning,
    );
    this.#assignments = parts.assignments;
    this.#changed = parts.assignments.map((assignment) => assignment.column);
    this.#old = new TableColumns(table, parts.oldColumns, parts.capacity);
    this.#constraints = parts.constraints;
    this.#new.columns = new Array<ColumnVector>(table.columns.length);
  }

  protected override prepare(rows: DataChunk): void {
    this.#old.take(rows);
    const target = this.#new;
    for (let i = 0; i < target.columns.length; i++) target.columns[i] = this.#old.columns[i]!;
    for (const { column, value } of this.#assignments) {
      target.columns[column] = value.evaluate(rows);
    }
    target.count = rows.count;
    target.selection = rows.selection;
    this.#constraints.prepare(target);
  }

  protected override change(
    operations: RowOperations,
    key: Uint8Array,
    start: number,
    end: number,
    row: number,
  ): ChangeOutcome {
    this.#constraints.verify(row);
    return operations.update(
      this.table,
      key,
      start,
      end,
      this.#old.columns,
      this.#new.columns,
      row,
      this.#changed,
    );
  }

  protected override changedRow(): readonly ColumnVector[] {
    return this.#new.columns;
  }
}

export class Delete extends Modify {
  readonly #old: TableColumns;

  constructor(
    run: Run,
    table: RelationDescriptor,
    input: Operator,
    parts: {
      readonly locator: number;
      readonly scanId: number;
      readonly oldColumns: readonly number[];
      readonly recheck: Recheck;
      readonly returning: Returning | null;
      readonly capacity: number;
    },
  ) {
    super(run, table, input, parts.locator, parts.scanId, 'update', parts.recheck, parts.returning);
    this.#old = new TableColumns(table, parts.oldColumns, parts.capacity);
  }

  protected override prepare(rows: DataChunk): void {
    this.#old.take(rows);
  }

  protected override change(
    operations: RowOperations,
    key: Uint8Array,
    start: number,
    end: number,
    row: number,
  ): ChangeOutcome {
    return operations.delete(this.table, key, start, end, this.#old.columns, row);
  }

  protected override changedRow(): readonly ColumnVector[] {
    return this.#old.columns;
  }
}
