import { layoutOf, readColumnOfTuple, type TupleLayout } from '../../access/index.ts';
import { ByteWriter } from '../../base/index.ts';
import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import { type ColumnVector, copyRow, createVector, type DataChunk } from '../../chunk/index.ts';
import { pgError } from '../../errors/index.ts';
import type { Cursor } from '../../storage/index.ts';
import { typeByOid } from '../../types/index.ts';
import type { RowLockStrength } from '../bind/query.ts';
import type { ByteRange, RowOperations } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import type { RowConstraints } from './row-constraints.ts';
import type { Run } from './run.ts';

/** ON CONFLICT DO UPDATE of one row: lock the row that exists, test WHERE, assign, update.
 *
 *   begin -> locking -> updating -> done | skipped
 *               |
 *               +-> gone: the row was deleted meanwhile, the insert is tried again
 */
export class ConflictUpdate {
  readonly #run: Run;
  readonly #table: RelationDescriptor;
  readonly #layout: TupleLayout;
  readonly #strength: RowLockStrength;
  readonly #assignments: readonly { readonly column: number; readonly value: Evaluator }[];
  readonly #changed: readonly number[];
  readonly #where: Evaluator | null;
  readonly #constraints: RowConstraints;
  readonly #key = new ByteWriter(64);
  readonly #old: ColumnVector[];
  /** The existing row's columns, then the proposed one's: row 0. */
  readonly #both: DataChunk;
  readonly #selection = new Int32Array(1);
  #locked = false;
  #cursor: Cursor | null = null;
  /** After 'done': the row as it is now, in row 0. */
  newColumns: ColumnVector[] = [];

  constructor(
    run: Run,
    table: RelationDescriptor,
    strength: RowLockStrength,
    assignments: readonly { readonly column: number; readonly value: Evaluator }[],
    where: Evaluator | null,
    constraints: RowConstraints,
  ) {
    this.#run = run;
    this.#table = table;
    this.#layout = layoutOf(table);
    this.#strength = strength;
    this.#assignments = assignments;
    this.#changed = assignments.map((assignment) => assignment.column);
    this.#where = where;
    this.#constraints = constraints;
    const vectors = (): ColumnVector[] =>
      table.columns.map((column) => createVector(typeByOid(column.type), 1));
    this.#old = vectors();
    this.#both = { columns: [...this.#old, ...vectors()], count: 1, selection: null };
  }

  open(): void {
    this.#locked = false;
  }

  close(): void {
    if (this.#cursor !== null) this.#run.environment.closeCursor(this.#cursor);
    this.#cursor = null;
  }

  begin(key: ByteRange): void {
    this.#key.reset();
    this.#key.range(key.bytes, key.start, key.end);
    this.#locked = false;
  }

  update(
    operations: RowOperations,
    proposed: readonly ColumnVector[],
    row: number,
  ): 'done' | 'skipped' | 'gone' | 'wait' {
    if (!this.#locked) {
      const key = this.#key;
      const outcome = operations.lockRow(
        this.#table,
        key.bytes,
        0,
        key.position,
        this.#strength,
        'block',
      );
      if (outcome === 'wait') return 'wait';
      if (outcome === 'deleted') return 'gone';
      if (outcome === 'own') throw secondTime();
      if (outcome === 'changed') this.#readChanged(operations);
      else this.#readCurrent();
      this.#locked = true;
      if (!this.#compute(proposed, row)) return 'skipped';
    }
    const outcome = operations.update(
      this.#table,
      this.#key.bytes,
      0,
      this.#key.position,
      this.#old,
      this.newColumns,
      0,
      this.#changed,
    );
    return outcome === 'wait' ? 'wait' : 'done';
  }

  #readChanged(operations: RowOperations): void {
    const { changedTuple } = operations;
    this.begin(operations.changedKey);
    this.#readOld(changedTuple.bytes, changedTuple.start);
  }

  #readCurrent(): void {
    const { environment } = this.#run;
    this.#cursor ??= environment.openCursor(this.#table.tree);
    const found = this.#cursor.seek(this.#key.bytes, this.#key.position, 'ge');
    if (!found) throw new Error('a locked row is not in its table');
    this.#readOld(this.#cursor.valueBytes, this.#cursor.valueStart);
  }

  #readOld(bytes: Uint8Array, start: number): void {
    for (let i = 0; i < this.#old.length; i++) {
      this.#old[i]!.reset();
      readColumnOfTuple(this.#layout, i, bytes, start, this.#old[i]!, 0);
    }
  }

  /** False when WHERE leaves the row alone. */
  #compute(proposed: readonly ColumnVector[], row: number): boolean {
    const both = this.#both;
    const count = this.#old.length;
    for (let i = 0; i < count; i++) {
      both.columns[count + i]!.reset();
      copyRow(proposed[i]!, row, both.columns[count + i]!, 0);
    }
    if (this.#where !== null && this.#where.narrow(both, this.#selection) === 0) return false;
    this.newColumns = [...this.#old];
    for (const { column, value } of this.#assignments) {
      this.newColumns[column] = value.evaluate(both);
    }
    this.#constraints.prepare({ columns: this.newColumns, count: 1, selection: null });
    this.#constraints.verify(0);
    return true;
  }
}

function secondTime(): Error {
  return pgError(
    'cardinality_violation',
    'ON CONFLICT DO UPDATE command cannot affect row a second time',
    {
      hint: 'Ensure that no rows proposed for insertion within the same command have duplicate constrained values.',
    },
  );
}
