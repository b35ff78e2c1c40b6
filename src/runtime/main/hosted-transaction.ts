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
  /** Once its COMMIT has gone to the writer: number of that. */
  commitNumber = 0;
  /** How that was answered. */
  outcome: 'open' | 'committed' | 'failed' = 'open';
  /** Transactions whose rows it has taken over while they were being committed, in the order of their
   * commits. */
  predecessors: HostedTransaction[] = NONE;
  /** Those rows. */
  private readonly taken: TakenRow[] = [];
  /** It has locked a row without changing it, or one whose mark was its own already. */
  private keepsRows = false;
  private lastRowId = 0;

  constructor(session: number) {
    this.session = session;
    this.transaction = new Transaction(session, 'read committed', MAIN_THREAD);
  }

  get writes() {
    return this.transaction.writes;
  }

  get isFull(): boolean {
    return this.rows.size >= ROWS_MAX || this.writes.byteCount >= WRITE_BYTES_MAX;
  }

  /** It is being committed: its changes are final, if the disk takes them. */
  get isCommitting(): boolean {
    return this.commitNumber !== 0 && this.outcome === 'open';
  }

  /** It is being committed, and its rows may go to others. */
  get givesRows(): boolean {
    return this.isCommitting && !this.keepsRows;
  }

  /** Its rows are to stay its own until its end. */
  keepRows(): void {
    this.keepsRows = true;
  }

  /** Some transaction that it has taken rows over from has not been committed so far, or never will be. */
  get isDependent(): boolean {
    while (this.predecessors.length > 0 && this.predecessors[0]!.outcome === 'committed') {
      this.predecessors.shift();
    }
    return this.predecessors.length > 0;
  }

  /** One of those could not be committed. */
  get isDoomed(): boolean {
    return this.predecessors.some(({ outcome }) => outcome === 'failed');
  }

  takeOver(tag: string, from: HostedTransaction, mode: number): void {
    this.taken.push({ tag, from, mode: from.rows.get(tag)! });
    from.rows.delete(tag);
    this.rows.set(tag, mode);
    if (this.predecessors.includes(from)) return;
    const later = this.predecessors.filter((other) => isAfter(other, from));
    const earlier = this.predecessors.filter((other) => !isAfter(other, from));
    this.predecessors = [...earlier, from, ...later];
  }

  /** Gives back what it has taken over from transactions that are still being committed. */
  *giveBack(): Iterable<TakenRow> {
    for (const row of this.taken) {
      if (!row.from.isCommitting) continue;
      this.rows.delete(row.tag);
      row.from.rows.set(row.tag, row.mode);
      yield row;
    }
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

interface TakenRow {
  readonly tag: string;
  readonly from: HostedTransaction;
  /** How that one had locked it. */
  readonly mode: number;
}

const NONE: HostedTransaction[] = [];

/** Numbers of commits are 32 bits wide, and few are on their way at a time. */
function isAfter(one: HostedTransaction, other: HostedTransaction): boolean {
  return ((one.commitNumber - other.commitNumber) | 0) > 0;
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
  /** The statement shows nothing of what it finds in rows. */
  isBlind = false;
  /** After 'waiting': the row has been taken over from a transaction that is being committed. The statement is to
   * begin anew, and finds that one's version of it. */
  hasTakenOver = false;
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
      const holder = this.held.get(tag);
      this.conflict = holder ?? null;
      const word = rowWord(tag);
      if (holder !== undefined) {
        if (!this.isBlind || !holder.givesRows) return 'waiting';
        if (!this.words.passRow(word, holder.session, current.session)) return 'waiting';
        this.held.set(tag, current);
        current.takeOver(tag, holder, mode);
        this.hasTakenOver = true;
        return 'waiting';
      }
      if (this.words.rowHolder(word) === current.session) current.keepRows();
      else if (!this.words.holdRow(word, current.session)) return 'waiting';
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

  /** Gives the rows back that the transaction has taken over from others that are not committed yet. */
  giveBack(transaction: HostedTransaction): void {
    for (const { tag, from } of transaction.giveBack()) {
      this.held.set(tag, from);
      this.words.returnRow(rowWord(tag), from.session);
    }
  }

  /** Takes the transaction's marks away; true when the writer waits for that. */
  freeMarks(transaction: HostedTransaction): boolean {
    let isAwaited = false;
    for (const tag of transaction.rows.keys()) {
      if (this.words.releaseRow(rowWord(tag), transaction.session)) isAwaited = true;
    }
    for (const oid of transaction.tables) if (this.words.releaseTable(oid)) isAwaited = true;
    return isAwaited;
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
  isRowTaken(): boolean {
    return false;
  }
}
