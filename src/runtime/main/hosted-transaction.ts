import { OpenHashMap } from '../../base/index.ts';
import type { PlanRun, RunHandle, RunListener } from '../../session/index.ts';
import { MAIN_THREAD } from '../../shm/index.ts';
import type { TreeId } from '../../storage/index.ts';
import { type FastPathWords, type RowLocks, rowWord, Transaction } from '../../txn/index.ts';
import type { Transfer } from '../transfer.ts';

/** What a transaction may hold on the main thread; beyond that it goes to the writer. */
const ROWS_MAX = 256;
const WRITE_BYTES_MAX = 256 * 1024;

/** A transaction on the main thread: its changes, and the marks it has left for its locks. */
export class HostedTransaction implements Transfer {
  readonly session: number;
  readonly transaction: Transaction;
  readonly rows = new Map<string, number>();
  readonly tables = new Set<number>();
  readonly keyless = new Set<TreeId>();
  /** Statements that wait for its end, in the order they came. */
  readonly waiters: ParkedRun[] = [];
  /** Its own statement, when that waits for another's end. */
  parked: ParkedRun | null = null;
  private lastRowId = 0;

  constructor(session: number) {
    this.session = session;
    this.transaction = new Transaction(session, 'read committed', MAIN_THREAD);
  }

  get tableCount(): number {
    return this.tables.size;
  }

  get writes() {
    return this.transaction.writes;
  }

  get isFull(): boolean {
    return this.rows.size >= ROWS_MAX || this.writes.byteCount >= WRITE_BYTES_MAX;
  }

  /** Whether it waits, through whomever, for the other's end. */
  waitsFor(other: HostedTransaction): boolean {
    let holder = this.parked?.holder ?? null;
    while (holder !== null && holder !== other) holder = holder.parked?.holder ?? null;
    return holder !== null;
  }

  /** A stand-in for the row id that the writer will give. */
  nextRowId(tree: TreeId): number {
    this.keyless.add(tree);
    return ++this.lastRowId;
  }
}

/** A statement that waits for the end of the transaction that has its row, on the main thread or, in the
 * end, in the writer. */
export class ParkedRun implements RunHandle {
  readonly transaction: HostedTransaction;
  readonly run: PlanRun;
  readonly listener: RunListener;
  /** The row it waits for, and who has it; null when that is in the writer. */
  tag = '';
  holder: HostedTransaction | null = null;
  /** When it first met a row of the writer's, in milliseconds of the monotonic clock; 0 when it has not.
   * All its waits for such rows share one patience. */
  polledSince = 0;
  /** It waits for pages to come into memory; and how often it has done so. */
  isLoading = false;
  loadCount = 0;
  /** Where it went on. */
  private moved: RunHandle | null = null;
  /** Ends its wait when its time is up. */
  private timer: NodeJS.Timeout | null = null;
  private readonly toWriter: (parked: ParkedRun) => void;

  constructor(
    transaction: HostedTransaction,
    run: PlanRun,
    listener: RunListener,
    toWriter: (parked: ParkedRun) => void,
  ) {
    this.transaction = transaction;
    this.run = run;
    this.listener = listener;
    this.toWriter = toWriter;
  }

  park(tag: string, holder: HostedTransaction | null): void {
    this.tag = tag;
    this.holder = holder;
    this.wait();
    if (holder === null) this.polledSince ||= performance.now();
    else holder.waiters.push(this);
  }

  /** Has it wait for pages. */
  parkForPages(): void {
    this.isLoading = true;
    this.loadCount++;
    this.wait();
  }

  private wait(): void {
    this.transaction.parked = this;
    const { deadlineMs } = this.run;
    // The writer tells the client.
    if (deadlineMs !== 0) this.timer = setTimeout(this.toWriter, deadlineMs - Date.now(), this);
  }

  /** It waits for a row that is locked in the writer. */
  get isPolled(): boolean {
    return this.transaction.parked === this && this.holder === null && !this.isLoading;
  }

  /** It waits no more. */
  unpark(): void {
    const waiters = this.holder?.waiters ?? [];
    const at = waiters.indexOf(this);
    if (at >= 0) waiters.splice(at, 1);
    this.holder = null;
    this.isLoading = false;
    this.transaction.parked = null;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  goOn(moved: RunHandle): void {
    this.moved = moved;
  }

  cancel(reason: 'user' | 'timeout'): void {
    if (this.moved === null) this.toWriter(this);
    this.moved?.cancel(reason);
  }

  fetch(rowLimit: number): void {
    this.moved?.fetch(rowLimit);
  }
  close(): void {
    this.moved?.close();
  }
  drained(): void {
    this.moved?.drained();
  }
  copyData(): boolean {
    return true;
  }
  copyDone(): void {}
  copyFail(): void {}
}

/** The row locks of hosted transactions, as row changes ask for them. Nothing waits here: 'waiting' ends
 * the statement, and `conflict` says for whom it may be parked. */
export class HostedRowLocks implements RowLocks<Transaction> {
  /** Whose statement runs. */
  current!: HostedTransaction;
  /** After 'waiting': the row, and the transaction that has it; null when that is in the writer, or
   * has another row of the same hash. */
  wanted = '';
  conflict: HostedTransaction | null = null;
  private readonly words: FastPathWords;
  private readonly held = new OpenHashMap<string, HostedTransaction>();

  constructor(words: FastPathWords) {
    this.words = words;
  }

  acquire(_owner: Transaction, _kind: string, tag: string, mode: number): 'granted' | 'waiting' {
    const { current } = this;
    const heldMode = current.rows.get(tag);
    if (heldMode === undefined) {
      this.wanted = tag;
      this.conflict = this.held.get(tag) ?? null;
      if (this.conflict !== null) return 'waiting';
      if (!this.words.holdRow(rowWord(tag), current.session)) return 'waiting';
      this.held.set(tag, current);
    }
    if (heldMode === undefined || mode > heldMode) current.rows.set(tag, mode);
    return 'granted';
  }

  /** Whether a row that was not to be had could be had now. */
  isFree(tag: string, session: number): boolean {
    return this.words.isRowFree(rowWord(tag), session);
  }

  holderOf(tag: string): HostedTransaction | undefined {
    return this.held.get(tag);
  }

  /** The transaction's rows are no longer its own; the marks are the caller's business. */
  forget(transaction: HostedTransaction): void {
    for (const tag of transaction.rows.keys()) this.held.delete(tag);
  }

  /** Takes the transaction's marks away. */
  freeMarks(transaction: HostedTransaction): void {
    for (const tag of transaction.rows.keys()) this.words.freeRow(rowWord(tag));
    for (const oid of transaction.tables) this.words.freeTable(oid);
  }

  // Nobody queues here, and only row locks are taken: what key locks of unique indexes and foreign keys
  // would ask is not asked by changes of one row that leave its keys alone (sql/plan/point-change.ts). Nor is
  // a lock given back before the end: where the row has gone meanwhile, the statement begins anew (H1).
  cancelWait(): void {}
  holders(): Transaction[] {
    return [];
  }
  isHeld(): boolean {
    return false;
  }
  isMarked(): boolean {
    return false;
  }
  isTaken(): boolean {
    return false;
  }
  releaseOne(): boolean {
    return false;
  }
  get hasRows(): boolean {
    return false;
  }
}
