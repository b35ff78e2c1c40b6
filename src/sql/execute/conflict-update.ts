import { layoutOf, readColumnOfTuple, type TupleLayout } from '../../access/index.ts';
import { ByteWriter, compareByteRanges } from '../../base/index.ts';
import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import { type ColumnVector, copyRow, createVector, type DataChunk } from '../../chunk/index.ts';
import { pgError } from '../../errors/index.ts';
import type { Cursor } from '../../storage/index.ts';
import { typeByOid } from '../../types/index.ts';
import type { RowLockStrength } from '../bind/query.ts';
import { type ColumnValue, generate } from './column-values.ts';
import type { ByteRange, RowOperations } from './environment.ts';
import type { Evaluator } from './expression/evaluator.ts';
import type { IndexValues } from './index-values.ts';
import type { PartitionRouter } from './partition-router.ts';
import type { WholeRow } from './row-change.ts';
import type { RowConstraints } from './row-constraints.ts';
import type { Run } from './run.ts';

/** What ON CONFLICT DO UPDATE has to know of a partition, whose rows the statement's expressions see as
 * those of the partitioned table. */
export interface ConflictPartition {
  readonly whole: WholeRow;
  /** Finds the partition of a row; null when no column of a key is assigned. */
  readonly router: PartitionRouter | null;
  /** The partition's place among the router's. */
  readonly own: number;
}

/** Compute what indexes have of the row as it was, and as it is to be. */
export interface ConflictIndexValues {
  readonly old: IndexValues | null;
  readonly new: IndexValues | null;
}

/** ON CONFLICT DO UPDATE of one row: lock the row that exists, test WHERE, assign, update.
 *
 *   begin -> locking -> updating -> done | skipped
 *               |
 *               +-> gone: the row was deleted or changed meanwhile, and may conflict no more: the insert
 *                   is tried again, now that nobody else can change the row
 */
export class ConflictUpdate {
  readonly #run: Run;
  readonly #table: RelationDescriptor;
  readonly #layout: TupleLayout;
  readonly #strength: RowLockStrength;
  readonly #assignments: readonly ColumnValue[];
  readonly #generated: readonly ColumnValue[];
  readonly #changed: readonly number[];
  readonly #where: Evaluator | null;
  readonly #constraints: RowConstraints;
  readonly #indexValues: ConflictIndexValues;
  readonly #partition: ConflictPartition | null;
  readonly #key = new ByteWriter(64);
  /** Key of the row that turned out to have been changed, and is locked. */
  readonly #lockedKey = new ByteWriter(64);
  readonly #old: ColumnVector[];
  /** The existing row's columns, then the proposed one's, as the statement's table has them: row 0. */
  readonly #both: DataChunk;
  readonly #proposed: readonly ColumnVector[];
  readonly #selection = new Int32Array(1);
  #locked = false;
  #cursor: Cursor | null = null;
  /** The row as it is to be, as the table has it. */
  #new: ColumnVector[] = [];
  /** After 'done': the row as it is now, in row 0, as the statement's table has it. */
  newColumns: readonly ColumnVector[] = [];

  constructor(
    run: Run,
    table: RelationDescriptor,
    strength: RowLockStrength,
    assignments: readonly ColumnValue[],
    generated: readonly ColumnValue[],
    where: Evaluator | null,
    constraints: RowConstraints,
    indexValues: ConflictIndexValues,
    target: RelationDescriptor,
    partition: ConflictPartition | null,
  ) {
    this.#run = run;
    this.#table = table;
    this.#layout = layoutOf(table);
    this.#strength = strength;
    this.#assignments = assignments;
    this.#generated = generated;
    this.#changed = [...assignments, ...generated].map(({ column }) => column);
    this.#where = where;
    this.#constraints = constraints;
    this.#indexValues = indexValues;
    this.#partition = partition;
    const vectors = (of: RelationDescriptor): ColumnVector[] =>
      of.columns.map((column) => createVector(typeByOid(column.type), 1));
    this.#old = vectors(table);
    this.#proposed = vectors(target);
    const existing = this.#whole(this.#old);
    const oid = existing.slice(target.columns.length);
    const columns = [...existing, ...this.#proposed, ...oid];
    this.#both = { columns, count: 1, selection: null };
  }

  /** A row of the table as the statement's table has it, of a partition with its oid. */
  #whole(own: readonly ColumnVector[]): readonly ColumnVector[] {
    if (this.#partition === null) return own;
    const { fixed, places } = this.#partition.whole;
    return fixed.map((vector, i) => vector ?? own[places[i]!]!);
  }

  open(): void {
    this.#locked = false;
    this.#lockedKey.reset();
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
      const { bytes, position } = this.#key;
      const outcome = operations.lockConflicting(this.#table, bytes, 0, position, this.#strength);
      if (outcome === 'wait') return 'wait';
      if (outcome === 'deleted') return 'gone';
      if (outcome === 'own') throw secondTime();
      if (outcome === 'locked') this.#readCurrent();
      else if (this.#isLockedKey()) {
        const { changedTuple } = operations;
        this.#readOld(changedTuple.bytes, changedTuple.start);
      } else {
        this.#lockedKey.reset().range(bytes, 0, position);
        return 'gone';
      }
      this.#locked = true;
      if (!this.#compute(proposed, row)) return 'skipped';
    }
    const outcome = operations.update(
      this.#table,
      this.#key.bytes,
      0,
      this.#key.position,
      this.#indexValues.old?.of(0) ?? this.#old,
      this.#indexValues.new?.of(0) ?? this.#new,
      0,
      this.#changed,
    );
    if (outcome === 'wait') return 'wait';
    this.#constraints.verifyShown(0);
    return 'done';
  }

  #isLockedKey(): boolean {
    const [a, b] = [this.#key, this.#lockedKey];
    return compareByteRanges(a.bytes, 0, a.position, b.bytes, 0, b.position) === 0;
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
    for (let i = 0; i < this.#proposed.length; i++) {
      this.#proposed[i]!.reset();
      copyRow(proposed[i]!, row, this.#proposed[i]!, 0);
    }
    if (this.#where !== null && this.#where.narrow(both, this.#selection) === 0) return false;
    this.#new = [...this.#old];
    for (const { column, value } of this.#assignments) {
      this.#new[column] = value.evaluate(both);
    }
    const changed = { columns: this.#new, count: 1, selection: null };
    generate(changed, this.#generated);
    this.newColumns = this.#whole(this.#new);
    this.#checkPlace();
    this.#constraints.prepare(changed);
    this.#constraints.verify(0);
    this.#indexValues.old?.take({ ...changed, columns: this.#old });
    this.#indexValues.new?.take(changed);
    return true;
  }

  #checkPlace(): void {
    const { router, own } = this.#partition ?? { router: null, own: 0 };
    if (router === null) return;
    router.route({ columns: [...this.newColumns], count: 1, selection: null });
    const place = router.places[0]!;
    if (place < 0) throw router.failure(0, this.#run.environment.functions);
    if (place === own) return;
    throw pgError('feature_not_supported', 'invalid ON UPDATE specification', {
      detail: 'The result tuple would appear in a different partition than the original tuple.',
    });
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
