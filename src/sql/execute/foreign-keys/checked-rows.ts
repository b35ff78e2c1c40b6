import type { RowChanges } from '../../../access/index.ts';
import type { RelationDescriptor } from '../../../catalog/descriptors.ts';
import type { ColumnVector } from '../../../chunk/index.ts';
import type { RowLockStrength } from '../../bind/query.ts';
import type {
  ByteRange,
  ChangeOutcome,
  LockOutcome,
  RowOperations,
  WaitPolicy,
} from '../environment.ts';

/** Who is told of each change of a row, once it is made. */
export interface RowChangeListener {
  inserted(table: RelationDescriptor, columns: readonly ColumnVector[], row: number): void;
  updated(
    table: RelationDescriptor,
    oldColumns: readonly ColumnVector[],
    newColumns: readonly ColumnVector[],
    row: number,
    changed: readonly number[],
    moved: boolean,
  ): void;
  deleted(table: RelationDescriptor, columns: readonly ColumnVector[], row: number): void;
  /** The row is updated, and goes to another partition of the table `whole`. */
  movedOut(
    table: RelationDescriptor,
    whole: RelationDescriptor,
    oldColumns: readonly ColumnVector[],
    newColumns: readonly ColumnVector[],
    row: number,
  ): void;
}

/** Row changes with somebody who watches: what statements use that change tables with foreign keys. */
export class CheckedRows implements RowOperations {
  readonly #changes: RowChanges;
  readonly #listener: RowChangeListener;

  constructor(changes: RowChanges, listener: RowChangeListener) {
    this.#changes = changes;
    this.#listener = listener;
  }

  get changedKey(): ByteRange {
    return this.#changes.changedKey;
  }

  get changedTuple(): ByteRange {
    return this.#changes.changedTuple;
  }

  get conflictKey(): ByteRange {
    return this.#changes.conflictKey;
  }

  lockRow(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    strength: RowLockStrength,
    waitPolicy: WaitPolicy,
    locksOnly?: boolean,
  ): LockOutcome {
    return this.#changes.lockRow(
      table,
      keyBytes,
      keyStart,
      keyEnd,
      strength,
      waitPolicy,
      locksOnly,
    );
  }

  lockConflicting(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    strength: RowLockStrength,
  ): Exclude<LockOutcome, 'skipped'> {
    return this.#changes.lockConflicting(table, keyBytes, keyStart, keyEnd, strength);
  }

  expectInserts(table: RelationDescriptor): void {
    this.#changes.expectInserts(table);
  }

  expectChanges(table: RelationDescriptor): 'ready' | 'wait' | 'unfit' {
    return this.#changes.expectChanges(table);
  }

  claimRow(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): boolean {
    return this.#changes.claimRow(table, keyBytes, keyStart, keyEnd);
  }

  claimLock(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    strength: RowLockStrength,
  ): boolean {
    return this.#changes.claimLock(table, keyBytes, keyStart, keyEnd, strength);
  }

  insert(
    table: RelationDescriptor,
    columns: readonly ColumnVector[],
    row: number,
    arbiters: readonly number[] | null,
  ): ChangeOutcome {
    const outcome = this.#changes.insert(table, columns, row, arbiters);
    if (outcome === 'done') this.#listener.inserted(table, columns, row);
    return outcome;
  }

  update(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    oldColumns: readonly ColumnVector[],
    newColumns: readonly ColumnVector[],
    row: number,
    changed: readonly number[],
  ): ChangeOutcome {
    const changes = this.#changes;
    const outcome = changes.update(
      table,
      keyBytes,
      keyStart,
      keyEnd,
      oldColumns,
      newColumns,
      row,
      changed,
    );
    if (outcome === 'done') {
      const moved = !changes.wroteAt(keyBytes, keyStart, keyEnd);
      this.#listener.updated(table, oldColumns, newColumns, row, changed, moved);
    }
    return outcome;
  }

  delete(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    oldColumns: readonly ColumnVector[],
    row: number,
  ): ChangeOutcome {
    const outcome = this.#changes.delete(table, keyBytes, keyStart, keyEnd, oldColumns, row);
    if (outcome === 'done') this.#listener.deleted(table, oldColumns, row);
    return outcome;
  }

  moveOut(
    table: RelationDescriptor,
    whole: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    oldColumns: readonly ColumnVector[],
    newColumns: readonly ColumnVector[],
    row: number,
  ): ChangeOutcome {
    const outcome = this.#changes.moveOut(
      table,
      whole,
      keyBytes,
      keyStart,
      keyEnd,
      oldColumns,
      newColumns,
      row,
    );
    if (outcome === 'done') this.#listener.movedOut(table, whole, oldColumns, newColumns, row);
    return outcome;
  }
}
