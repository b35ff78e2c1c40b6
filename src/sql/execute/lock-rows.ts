import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import {
  type BytesVector,
  type ColumnVector,
  copyRow,
  createVector,
  type DataChunk,
  type NumberVector,
} from '../../chunk/index.ts';
import type { SqlType } from '../../types/index.ts';
import type { RowLockStrength } from '../bind/query.ts';
import { ChangeClaim } from './change-claim.ts';
import type { LockOutcome, RowOperations, WaitPolicy } from './environment.ts';
import { rowOperations } from './insert.ts';
import { CHUNK, type Operator, PAUSE, type Status, UnaryOperator } from './operator.ts';
import type { Recheck } from './recheck.ts';
import type { Run, ScanBinding } from './run.ts';

interface RowLock extends LockedTable {
  readonly locator: number;
  readonly strength: RowLockStrength;
  readonly waitPolicy: WaitPolicy;
  /** Of a partitioned table: the input's column with the partition's oid, and the partitions by it. */
  readonly partitions: {
    readonly tableOid: number;
    readonly byOid: ReadonlyMap<number, LockedTable>;
  } | null;
}

/** A table, and the scan that gives its rows. */
interface LockedTable {
  readonly table: RelationDescriptor;
  readonly scanId: number;
}

/** SELECT … FOR UPDATE and its kin: locks the rows that a row was made of, and passes it on without
 * its locators. When one has changed since the snapshot, the row is made anew from the newest
 * versions of the locked rows and drops out if it does not belong to the result any more. */
export class LockRows extends UnaryOperator {
  readonly #run: Run;
  readonly #locks: readonly RowLock[];
  readonly #recheck: Recheck;
  readonly #passed: readonly number[];
  readonly #vectors: ColumnVector[];
  #rows: DataChunk | null = null;
  #position = 0;
  /** The lock of the present row that is to be taken next. */
  #lock = 0;
  #bindings: [number, ScanBinding | null][] = [];
  /** Of each table, whether its rows are locked one by one. */
  readonly #claims = new Map<number, ChangeClaim>();
  #hasChanged = false;

  constructor(
    run: Run,
    input: Operator,
    types: readonly SqlType[],
    locks: readonly RowLock[],
    recheck: Recheck,
  ) {
    super(input);
    this.#run = run;
    this.#locks = locks;
    this.#recheck = recheck;
    const locators = new Set(locks.map((lock) => lock.locator));
    this.#passed = types.map((_, i) => i).filter((i) => !locators.has(i));
    this.#vectors = this.#passed.map((i) => createVector(types[i]!, 1));
    this.chunk.columns = this.#vectors;
  }

  override expectRows(count: number): void {
    this.input.expectRows(count);
  }

  protected override begin(): void {
    this.#rows = null;
    this.#position = 0;
    for (const claim of this.#claims.values()) claim.open();
    this.#startRow();
    this.#clear();
  }

  #startRow(): void {
    this.#lock = 0;
    this.#bindings = [];
    this.#hasChanged = false;
  }

  #clear(): void {
    this.chunk.count = 0;
    for (const vector of this.#vectors) vector.reset();
  }

  /** Gives one row at a time, so that a LIMIT above locks no more rows than it returns. */
  override next(): Status {
    const operations = rowOperations(this.#run);
    this.#clear();
    for (;;) {
      if (this.#rows === null || this.#position >= this.#rows.count) {
        this.#rows = null;
        const status = this.input.next();
        if (status !== CHUNK) return status;
        this.#rows = this.input.chunk;
        this.#position = 0;
      }
      if (!this.#lockRow(operations, this.#rows)) return PAUSE;
      this.#startRow();
      this.#position++;
      if (this.chunk.count > 0) return CHUNK;
    }
  }

  /** Locks and passes on one row; false when it has to wait. */
  #lockRow(operations: RowOperations, rows: DataChunk): boolean {
    const row = rows.selection === null ? this.#position : rows.selection[this.#position]!;
    for (; this.#lock < this.#locks.length; this.#lock++) {
      const lock = this.#locks[this.#lock]!;
      const locator = rows.columns[lock.locator] as BytesVector;
      if (locator.isNull(row)) continue;
      const start = locator.start[row]!;
      const end = start + locator.length[row]!;
      const locked = lockedTable(lock, rows.columns, row);
      const outcome = this.#lockKey(operations, lock, locked, locator.buffer, start, end);
      if (outcome === 'wait') return false;
      if (outcome === 'deleted' || outcome === 'skipped' || outcome === 'own') return true;
      if (outcome === 'locked' && this.#locks.length === 1) break;
      for (const { scanId } of lock.partitions?.byOid.values() ?? []) {
        if (scanId !== locked.scanId) this.#bindings.push([scanId, null]);
      }
      if (outcome === 'changed') this.#bindChanged(locked, operations);
      else {
        const key = locator.buffer.slice(start, end);
        this.#bindings.push([locked.scanId, { key, tuple: null }]);
      }
    }
    if (!this.#hasChanged) {
      this.#pass(rows.columns, row);
      return true;
    }
    if (!this.#recheck.isRunning) this.#recheck.begin(this.#bindings);
    const status = this.#recheck.next();
    if (status === PAUSE) return false;
    if (status === CHUNK) this.#pass(this.#recheck.row.columns, 0);
    return true;
  }

  #lockKey(
    operations: RowOperations,
    { strength, waitPolicy }: RowLock,
    { table }: LockedTable,
    key: Uint8Array,
    start: number,
    end: number,
  ): LockOutcome {
    const claim = this.#claimOf(table);
    claim.expect(1);
    const claimed = claim.begin(operations);
    if (claimed === 'wait') return 'wait';
    if (claimed === 'ready' && operations.claimLock(table, key, start, end, strength)) {
      return 'locked';
    }
    return operations.lockRow(table, key, start, end, strength, waitPolicy, true);
  }

  #claimOf(table: RelationDescriptor): ChangeClaim {
    let claim = this.#claims.get(table.oid);
    if (claim === undefined) {
      claim = new ChangeClaim(table);
      this.#claims.set(table.oid, claim);
    }
    return claim;
  }

  #bindChanged({ scanId }: LockedTable, operations: RowOperations): void {
    const { changedKey, changedTuple } = operations;
    this.#hasChanged = true;
    this.#bindings.push([
      scanId,
      {
        key: changedKey.bytes.slice(changedKey.start, changedKey.end),
        tuple: changedTuple.bytes.slice(changedTuple.start, changedTuple.end),
      },
    ]);
  }

  #pass(columns: readonly ColumnVector[], row: number): void {
    const at = this.chunk.count++;
    for (let i = 0; i < this.#passed.length; i++) {
      copyRow(columns[this.#passed[i]!]!, row, this.#vectors[i]!, at);
    }
  }

  override close(): void {
    super.close();
    this.#recheck.close();
  }
}

function lockedTable(lock: RowLock, columns: readonly ColumnVector[], row: number): LockedTable {
  const { partitions } = lock;
  if (partitions === null) return lock;
  const oid = (columns[partitions.tableOid] as NumberVector).values[row]!;
  return partitions.byOid.get(oid)!;
}
