import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import { type ColumnVector, createVector, type DataChunk, setAllNull } from '../../chunk/index.ts';
import { typeByOid } from '../../types/index.ts';
import type { ConflictUpdate } from './conflict-update.ts';
import type { ChangeOutcome, RowOperations } from './environment.ts';
import type { IndexValues } from './index-values.ts';
import type { RowConstraints } from './row-constraints.ts';

/** The columns of a table among those of other rows, NULL for dropped ones. */
export class TableColumns {
  readonly #from: readonly number[];
  readonly #nulls: (ColumnVector | null)[];
  readonly columns: ColumnVector[];

  /** `from`: for each column of the table its place in the rows, or -1. */
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

/** So many rows of a table are likely to be followed by others. */
const MANY_ROWS = 512;

/** A table that rows are inserted into. */
export class InsertTarget {
  readonly table: RelationDescriptor;
  readonly conflict: ConflictUpdate | null;
  readonly #constraints: RowConstraints | null;
  readonly #indexValues: IndexValues | null;
  readonly #arbiters: readonly number[] | null;
  /** Null where the rows are in the table's order as they come. */
  readonly #columns: TableColumns | null;
  readonly #rows: DataChunk = { columns: [], count: 0, selection: null };
  /** Rows since the last `open`. */
  #count = 0;

  constructor(
    table: RelationDescriptor,
    columns: TableColumns | null,
    constraints: RowConstraints | null,
    indexValues: IndexValues | null,
    arbiters: readonly number[] | null,
    conflict: ConflictUpdate | null,
  ) {
    this.table = table;
    this.#columns = columns;
    this.#constraints = constraints;
    this.#indexValues = indexValues;
    this.#arbiters = arbiters;
    this.conflict = conflict;
  }

  open(): void {
    this.#count = 0;
    this.conflict?.open();
  }

  close(): void {
    this.conflict?.close();
  }

  /** Takes the rows that are to be inserted next, which `verify` and `insert` name by their numbers. */
  take(rows: DataChunk, operations: RowOperations): void {
    const own = this.#rows;
    own.count = rows.count;
    own.selection = rows.selection;
    this.#columns?.take(rows);
    own.columns = this.#columns?.columns ?? rows.columns;
    this.#count += rows.count;
    if (this.#count >= MANY_ROWS) operations.expectInserts(this.table);
    this.#constraints?.prepare(own);
    this.#indexValues?.take(own);
  }

  /** Throws where a row violates a constraint. */
  verify(row: number): void {
    this.#constraints?.verify(row);
  }

  insert(operations: RowOperations, row: number): ChangeOutcome {
    const columns = this.#indexValues?.of(row) ?? this.#rows.columns;
    const outcome = operations.insert(this.table, columns, row, this.#arbiters);
    if (outcome === 'done') this.#constraints?.verifyShown(row);
    return outcome;
  }
}

/** The partitions that rows are inserted into, each made ready when the first row comes to it. */
export class InsertTargets {
  readonly #make: (place: number) => InsertTarget;
  readonly #targets = new Map<number, InsertTarget>();
  readonly #groups = new Map<number, Group>();

  constructor(make: (place: number) => InsertTarget) {
    this.#make = make;
  }

  at(place: number): InsertTarget {
    let target = this.#targets.get(place);
    if (target === undefined) {
      target = this.#make(place);
      this.#targets.set(place, target);
      target.open();
    }
    return target;
  }

  open(): void {
    for (const target of this.#targets.values()) target.open();
  }

  close(): void {
    for (const target of this.#targets.values()) target.close();
  }

  /** Hands each partition its rows; those with negative places are left out, and those at `except`. */
  take(rows: DataChunk, places: Int32Array, operations: RowOperations, except = -1): void {
    const groups = this.#groups;
    for (const group of groups.values()) group.count = 0;
    const { selection, count } = rows;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      const place = places[row]!;
      if (place < 0 || place === except) continue;
      let group = groups.get(place);
      if (group === undefined) {
        group = { count: 0, rows: new Int32Array(places.length) };
        groups.set(place, group);
      }
      group.rows[group.count++] = row;
    }
    for (const [place, group] of groups) {
      if (group.count === 0) continue;
      const { columns } = rows;
      const own = { columns, count: group.count, selection: group.rows };
      this.at(place).take(own, operations);
    }
  }
}

interface Group {
  count: number;
  readonly rows: Int32Array;
}
