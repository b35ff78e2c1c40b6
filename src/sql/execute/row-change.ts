import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import {
  type ColumnVector,
  type DataChunk,
  type NumberVector,
  sameDatum,
} from '../../chunk/index.ts';
import { typeByOid } from '../../types/index.ts';
import type { RowLockStrength } from '../bind/query.ts';
import { ChangeClaim } from './change-claim.ts';
import { type ColumnValue, generate } from './column-values.ts';
import type { ChangeOutcome, RowOperations } from './environment.ts';
import type { IndexValues } from './index-values.ts';
import { rowOperations } from './insert.ts';
import { type InsertTargets, TableColumns } from './insert-target.ts';
import type { PartitionRouter } from './partition-router.ts';
import type { RowConstraints } from './row-constraints.ts';
import type { Run, ScanBinding } from './run.ts';

/** What UPDATE or DELETE does to the rows of one table. */
export interface RowChange {
  readonly table: RelationDescriptor;
  /** The scan that the rows come from. */
  readonly scanId: number;
  /** How a row is to be locked before it is changed. */
  strengthOf(row: number): RowLockStrength;
  /** Whether rows are claimed rather than locked, being many. 'wait': to be asked again. */
  claim(operations: RowOperations): 'ready' | 'wait' | 'unfit';
  open(): void;
  close(): void;
  /** Computes what depends on input rows: of a chunk of the input, or the single row of a recheck. */
  prepare(rows: DataChunk): void;
  change(
    operations: RowOperations,
    key: Uint8Array,
    start: number,
    end: number,
    row: number,
  ): ChangeOutcome;
  /** The row for RETURNING, by position in the statement's table; of a partition with its oid. */
  changedRow(row: number): readonly ColumnVector[];
}

/** The tables that a statement changes rows of, by row. */
export interface ChangedTables {
  open(): void;
  close(): void;
  prepare(rows: DataChunk): void;
  of(row: number): RowChange;
  /** Scans that give no row while one of the table's rows is checked again. */
  readonly unread: readonly (readonly [scanId: number, binding: ScanBinding | null])[];
}

/** The statement's table is the only one. */
export class OneTable implements ChangedTables {
  readonly #change: RowChange;
  readonly unread = [];

  constructor(change: RowChange) {
    this.#change = change;
  }

  open(): void {
    this.#change.open();
  }

  close(): void {
    this.#change.close();
  }

  prepare(rows: DataChunk): void {
    this.#change.prepare(rows);
  }

  of(): RowChange {
    return this.#change;
  }
}

/** Each row is of the partition whose oid it carries. */
export class ChangedPartitions implements ChangedTables {
  readonly unread: readonly (readonly [number, null])[];
  readonly #tableOid: number;
  readonly #make: (oid: number) => RowChange;
  readonly #changes = new Map<number, RowChange>();
  readonly #selections = new Map<number, Int32Array>();
  #oids: NumberVector | null = null;

  /** `make` is called for a partition when its first row comes. */
  constructor(tableOid: number, scanIds: readonly number[], make: (oid: number) => RowChange) {
    this.#tableOid = tableOid;
    this.unread = scanIds.map((scanId) => [scanId, null] as const);
    this.#make = make;
  }

  open(): void {
    for (const change of this.#changes.values()) change.open();
  }

  close(): void {
    for (const change of this.#changes.values()) change.close();
  }

  of(row: number): RowChange {
    return this.#at(this.#oids!.values[row]!);
  }

  #at(oid: number): RowChange {
    let change = this.#changes.get(oid);
    if (change === undefined) {
      change = this.#make(oid);
      this.#changes.set(oid, change);
      change.open();
    }
    return change;
  }

  prepare(rows: DataChunk): void {
    const oids = rows.columns[this.#tableOid] as NumberVector;
    this.#oids = oids;
    const counts = new Map<number, number>();
    const { count, selection } = rows;
    for (let i = 0; i < count; i++) {
      const row = selection === null ? i : selection[i]!;
      if (oids.isNull(row)) continue;
      const oid = oids.values[row]!;
      const at = counts.get(oid) ?? 0;
      this.#selection(oid, count)[at] = row;
      counts.set(oid, at + 1);
    }
    const { columns } = rows;
    for (const [oid, own] of counts) {
      this.#at(oid).prepare({ columns, count: own, selection: this.#selections.get(oid)! });
    }
  }

  #selection(oid: number, size: number): Int32Array {
    let selection = this.#selections.get(oid);
    if (selection === undefined || selection.length < size) {
      const larger = new Int32Array(size);
      larger.set(selection ?? []);
      selection = larger;
      this.#selections.set(oid, selection);
    }
    return selection;
  }
}

/** A row of a partition as the partitioned table has it, the partition's oid at the end. */
export interface WholeRow {
  /** For each column of the partitioned table its place in the partition, or -1. */
  readonly places: readonly number[];
  /** NULL for columns that the partition has not, and the oid. */
  readonly fixed: readonly (ColumnVector | null)[];
}

function fillWhole(whole: WholeRow, own: readonly ColumnVector[], out: ColumnVector[]): void {
  for (let i = 0; i < whole.fixed.length; i++) out[i] = whole.fixed[i] ?? own[whole.places[i]!]!;
}

export interface ChangeParts {
  readonly scanId: number;
  /** Input column of each column of the table, or -1. */
  readonly oldColumns: readonly number[];
  readonly capacity: number;
  /** Computes what indexes have of the rows as they were. */
  readonly oldValues: IndexValues | null;
  /** Of a partition. */
  readonly whole: WholeRow | null;
}

export interface UpdateParts extends ChangeParts {
  /** Assigned columns of keys that others may refer to. */
  readonly keys: readonly number[];
  readonly assignments: readonly ColumnValue[];
  /** Columns that are computed of the new row. */
  readonly generated: readonly ColumnValue[];
  readonly constraints: RowConstraints;
  /** Computes what indexes have of the rows as they are to be. */
  readonly newValues: IndexValues | null;
  /** Where rows go whose key is assigned to; null when they stay. */
  readonly move: RowMove | null;
}

/** How rows of a partition find another one. */
export interface RowMove {
  /** The statement's table. */
  readonly whole: RelationDescriptor;
  readonly router: PartitionRouter;
  readonly targets: InsertTargets;
  /** This partition's place among the router's. */
  readonly own: number;
  /** What the statement's table demands of the row, wherever it goes. */
  readonly demands: RowConstraints | null;
  /** The oid of a partition as RETURNING sees it. */
  readonly oidColumns: (place: number) => readonly ColumnVector[];
}

export class RowUpdate implements RowChange {
  readonly table: RelationDescriptor;
  readonly scanId: number;
  readonly #run: Run;
  readonly #parts: UpdateParts;
  readonly #claim: ChangeClaim;
  readonly #changed: readonly number[];
  readonly #old: TableColumns;
  readonly #new: DataChunk = { columns: [], count: 0, selection: null };
  readonly #whole: DataChunk = { columns: [], count: 0, selection: null };
  /** The row that is changed has left its partition already and waits to enter the other. */
  #hasLeft = false;

  constructor(run: Run, table: RelationDescriptor, parts: UpdateParts) {
    this.table = table;
    this.scanId = parts.scanId;
    this.#run = run;
    this.#parts = parts;
    this.#claim = new ChangeClaim(table);
    this.#changed = [...parts.assignments, ...parts.generated].map(({ column }) => column);
    this.#old = new TableColumns(table, parts.oldColumns, parts.capacity);
    this.#new.columns = new Array<ColumnVector>(table.columns.length);
  }

  open(): void {
    this.#hasLeft = false;
    this.#claim.open();
    this.#parts.move?.targets.open();
  }

  close(): void {
    this.#parts.move?.targets.close();
  }

  prepare(rows: DataChunk): void {
    this.#claim.expect(rows.count);
    this.#old.take(rows);
    const target = this.#new;
    for (let i = 0; i < target.columns.length; i++) target.columns[i] = this.#old.columns[i]!;
    for (const { column, value } of this.#parts.assignments) {
      target.columns[column] = value.evaluate(rows);
    }
    target.count = rows.count;
    target.selection = rows.selection;
    generate(target, this.#parts.generated);
    const { whole, move, constraints, oldValues, newValues } = this.#parts;
    if (whole !== null) fillWhole(whole, target.columns, this.#whole.columns);
    if (move !== null) this.#route(move);
    constraints.prepare(target);
    oldValues?.take({ ...target, columns: this.#old.columns });
    newValues?.take(target);
  }

  strengthOf(row: number): RowLockStrength {
    for (const column of this.#parts.keys) {
      const type = typeByOid(this.table.columns[column]!.type);
      const before = this.#old.columns[column]!;
      if (!sameDatum(type, before, row, this.#new.columns[column]!, row)) return 'update';
    }
    return 'noKeyUpdate';
  }

  /** A row that leaves for another partition is changed in two steps, and may wait in between. */
  claim(operations: RowOperations): 'ready' | 'wait' | 'unfit' {
    return this.#parts.move === null ? this.#claim.begin(operations) : 'unfit';
  }

  #route({ router, targets, own, demands }: RowMove): void {
    const whole = this.#whole;
    whole.count = this.#new.count;
    whole.selection = this.#new.selection;
    router.route(whole);
    demands?.prepare(whole);
    targets.take(whole, router.places, rowOperations(this.#run), own);
  }

  change(
    operations: RowOperations,
    key: Uint8Array,
    start: number,
    end: number,
    row: number,
  ): ChangeOutcome {
    const { move, constraints, oldValues, newValues } = this.#parts;
    if (move !== null) {
      move.demands?.verify(row);
      const place = move.router.places[row]!;
      if (place < 0) throw move.router.failure(row, this.#run.environment.functions);
      if (place !== move.own) return this.#move(operations, key, start, end, row, move, place);
    }
    constraints.verify(row);
    const outcome = operations.update(
      this.table,
      key,
      start,
      end,
      oldValues?.of(row) ?? this.#old.columns,
      newValues?.of(row) ?? this.#new.columns,
      row,
      this.#changed,
    );
    if (outcome === 'done') constraints.verifyShown(row);
    return outcome;
  }

  /** Takes the row out of this partition and puts it into another one. */
  #move(
    operations: RowOperations,
    key: Uint8Array,
    start: number,
    end: number,
    row: number,
    { targets, whole }: RowMove,
    place: number,
  ): ChangeOutcome {
    const target = targets.at(place);
    if (!this.#hasLeft) {
      target.verify(row);
      const left = operations.moveOut(
        this.table,
        whole,
        key,
        start,
        end,
        this.#parts.oldValues?.of(row) ?? this.#old.columns,
        this.#new.columns,
        row,
      );
      if (left === 'wait') return 'wait';
      this.#hasLeft = true;
    }
    const outcome = target.insert(operations, row);
    if (outcome !== 'wait') this.#hasLeft = false;
    return outcome;
  }

  changedRow(row: number): readonly ColumnVector[] {
    const { whole, move } = this.#parts;
    if (whole === null) return this.#new.columns;
    const { columns } = this.#whole;
    if (move !== null) {
      const [oid] = move.oidColumns(move.router.places[row]!);
      columns[columns.length - 1] = oid!;
    }
    return columns;
  }
}

export class RowDelete implements RowChange {
  readonly table: RelationDescriptor;
  readonly scanId: number;
  readonly #claim: ChangeClaim;
  readonly #old: TableColumns;
  readonly #oldValues: IndexValues | null;
  readonly #wholeRow: WholeRow | null;
  readonly #whole: ColumnVector[] = [];

  constructor(table: RelationDescriptor, parts: ChangeParts) {
    this.table = table;
    this.scanId = parts.scanId;
    this.#claim = new ChangeClaim(table);
    this.#old = new TableColumns(table, parts.oldColumns, parts.capacity);
    this.#oldValues = parts.oldValues;
    this.#wholeRow = parts.whole;
  }

  strengthOf(): RowLockStrength {
    return 'update';
  }

  claim(operations: RowOperations): 'ready' | 'wait' | 'unfit' {
    return this.#claim.begin(operations);
  }

  open(): void {
    this.#claim.open();
  }

  close(): void {}

  prepare(rows: DataChunk): void {
    this.#claim.expect(rows.count);
    this.#old.take(rows);
    this.#oldValues?.take({ ...rows, columns: this.#old.columns });
    if (this.#wholeRow !== null) fillWhole(this.#wholeRow, this.#old.columns, this.#whole);
  }

  change(
    operations: RowOperations,
    key: Uint8Array,
    start: number,
    end: number,
    row: number,
  ): ChangeOutcome {
    const old = this.#oldValues?.of(row) ?? this.#old.columns;
    return operations.delete(this.table, key, start, end, old, row);
  }

  changedRow(): readonly ColumnVector[] {
    return this.#wholeRow === null ? this.#old.columns : this.#whole;
  }
}
