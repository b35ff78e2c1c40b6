import { ByteWriter } from '../../base/index.ts';
import type { BytesVector, DataChunk } from '../../chunk/index.ts';
import type { LockOutcome, RowOperations } from './environment.ts';
import { rowOperations } from './insert.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import type { Recheck } from './recheck.ts';
import type { Returning } from './returning.ts';
import type { ChangedTables, RowChange } from './row-change.ts';
import type { Run } from './run.ts';

/** UPDATE and DELETE: each row is locked, and checked again if it has changed since the snapshot, and
 * then changed.
 *
 *   locking -> changing -> next row
 *    |   |         ^
 *    |   +-> rechecking (the row changed meanwhile; it may drop out)
 *    +-> changingClaimed -> next row (of many that are not locked one by one)
 *
 * A change that has to wait is made when it need not; that of a row which was only claimed begins anew.
 */
export class Modify extends Operator {
  readonly #run: Run;
  readonly #tables: ChangedTables;
  readonly #input: Operator;
  readonly #locator: number;
  readonly #recheck: Recheck;
  readonly #returning: Returning | null;
  readonly #changedKey = new ByteWriter(64);
  #rows: DataChunk | null = null;
  #position = 0;
  #inputDone = false;
  #phase: 'locking' | 'rechecking' | 'changing' | 'changingRechecked' | 'changingClaimed' =
    'locking';

  constructor(
    run: Run,
    tables: ChangedTables,
    input: Operator,
    locator: number,
    recheck: Recheck,
    returning: Returning | null,
  ) {
    super();
    this.#run = run;
    this.#tables = tables;
    this.#input = input;
    this.#locator = locator;
    this.#recheck = recheck;
    this.#returning = returning;
  }

  override open(): void {
    this.#input.open();
    this.#tables.open();
    this.#rows = null;
    this.#position = 0;
    this.#inputDone = false;
    this.#phase = 'locking';
    this.#returning?.reset();
  }

  override close(): void {
    this.#input.close();
    this.#recheck.close();
    this.#tables.close();
  }

  override next(): Status {
    while (!this.#inputDone) {
      if (this.#rows === null || this.#position >= this.#rows.count) {
        this.#rows = null;
        const status = this.#input.next();
        if (status === PAUSE) return PAUSE;
        if (status === DONE) {
          this.#inputDone = true;
          break;
        }
        this.#rows = this.#input.chunk;
        this.#position = 0;
        this.#tables.prepare(this.#rows);
      }
      if (!this.#changeRows(this.#rows)) return PAUSE;
      if (this.#returning !== null && this.#returning.count > 0) {
        this.#returning.emit(this.chunk);
        return CHUNK;
      }
    }
    return DONE;
  }

  /** False when a row has to wait. */
  #changeRows(rows: DataChunk): boolean {
    const operations = rowOperations(this.#run);
    const locator = rows.columns[this.#locator] as BytesVector;
    while (this.#position < rows.count) {
      const row = rows.selection === null ? this.#position : rows.selection[this.#position]!;
      if (locator.isNull(row)) {
        this.#position++;
        continue;
      }
      const start = locator.start[row]!;
      const end = start + locator.length[row]!;
      const change = this.#tables.of(row);
      if (this.#phase === 'locking') {
        const outcome = this.#lock(operations, change, locator.buffer, start, end, row);
        if (outcome === 'wait') return false;
        if (outcome === 'locked') this.#phase = 'changing';
        else if (outcome === 'claimed') this.#phase = 'changingClaimed';
        else if (outcome === 'changed') this.#beginRecheck(operations, change);
        else {
          this.#position++;
          continue;
        }
      }
      if (this.#phase === 'rechecking' && !this.#finishRecheck()) return false;
      if (this.#phase === 'changing') {
        if (change.change(operations, locator.buffer, start, end, row) === 'wait') return false;
        this.#finishRow(change, rows, row);
      } else if (this.#phase === 'changingClaimed') {
        this.#phase = 'locking';
        if (change.change(operations, locator.buffer, start, end, row) === 'wait') return false;
        this.#finishRow(change, rows, row);
      } else if (this.#phase === 'changingRechecked') {
        const key = this.#changedKey;
        if (change.change(operations, key.bytes, 0, key.position, 0) === 'wait') return false;
        this.#finishRow(change, this.#recheck.row, 0);
        this.#tables.prepare(rows);
      }
    }
    return true;
  }

  #lock(
    operations: RowOperations,
    change: RowChange,
    key: Uint8Array,
    start: number,
    end: number,
    row: number,
  ): LockOutcome | 'claimed' {
    const { table } = change;
    const claim = change.claim(operations);
    if (claim === 'wait') return 'wait';
    if (claim === 'ready' && operations.claimRow(table, key, start, end)) return 'claimed';
    return operations.lockRow(table, key, start, end, change.strengthOf(row), 'block');
  }

  #finishRow(change: RowChange, input: DataChunk, row: number): void {
    this.#run.affectedRows++;
    this.#returning?.add(change.changedRow(row), input.columns, row);
    this.#phase = 'locking';
    this.#position++;
  }

  #beginRecheck(operations: RowOperations, { scanId }: RowChange): void {
    const { changedKey, changedTuple } = operations;
    this.#changedKey.reset();
    this.#changedKey.range(changedKey.bytes, changedKey.start, changedKey.end);
    const key = this.#changedKey.copy();
    const tuple = changedTuple.bytes.slice(changedTuple.start, changedTuple.end);
    this.#recheck.begin([...this.#tables.unread, [scanId, { key, tuple }]]);
    this.#phase = 'rechecking';
  }

  /** False when the recheck itself has to pause. */
  #finishRecheck(): boolean {
    const status = this.#recheck.next();
    if (status === PAUSE) return false;
    if (status === CHUNK) {
      this.#tables.prepare(this.#recheck.row);
      this.#phase = 'changingRechecked';
    } else {
      this.#phase = 'locking';
      this.#position++;
    }
    return true;
  }
}
