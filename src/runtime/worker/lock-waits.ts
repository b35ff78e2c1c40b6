import { type PgErrorFields, pgError, toErrorFields } from '../../errors/index.ts';
import { findDeadlock, type LockTable, type Transaction } from '../../txn/index.ts';
import { deadlock } from './lock-facts.ts';

/** How often those who wait for a lock are looked at: for timeouts and deadlocks. */
export const WAITER_CHECK_MS = 5;

/** What runs for a transaction and may have to wait for locks: a statement, or a utility. */
export interface LockWaiter {
  readonly settings: { readonly lockTimeoutMs: number; readonly deadlockTimeoutMs: number };
  /** Throws when it has been cancelled or its time is up. */
  checkInterrupts(): void;
}

export interface LockWaitHost<W extends LockWaiter> {
  readonly locks: LockTable<Transaction>;
  readonly xidOf: (transaction: Transaction) => number;
  databaseOid(): number;
  /** The row that it waits for has been changed since its snapshot, so that it need not wait to be refused. */
  isOvertaken(transaction: Transaction): boolean;
  /** It has got its lock. */
  resumeWaiter(waiter: W): void;
  failWaiter(waiter: W, fields: PgErrorFields): void;
}

/** What runs for each transaction of the writer, and which of it waits for a lock: until it is granted,
 * its time is up, or it turns out to be part of a deadlock. */
export class LockWaits<W extends LockWaiter> {
  private readonly host: LockWaitHost<W>;
  private readonly running = new Map<Transaction, W>();
  private readonly waiting = new Set<Transaction>();
  private nextCheck = 0;

  constructor(host: LockWaitHost<W>) {
    this.host = host;
  }

  get isEmpty(): boolean {
    return this.waiting.size === 0;
  }

  /** Transactions that run something. */
  transactions(): Iterable<Transaction> {
    return this.running.keys();
  }

  /** What is to be resumed when a lock of the transaction is granted. */
  setRunning(transaction: Transaction, waiter: W): void {
    this.running.set(transaction, waiter);
  }

  ended(transaction: Transaction): void {
    this.running.delete(transaction);
    this.waiting.delete(transaction);
  }

  startWaiting(transaction: Transaction): void {
    if (this.waiting.has(transaction)) return;
    transaction.waitingSince = performance.now();
    transaction.deadlockChecked = false;
    transaction.isBehind = this.host.locks.isBehind(transaction);
    this.waiting.add(transaction);
  }

  granted(transaction: Transaction): void {
    this.waiting.delete(transaction);
    // Those who have waited behind it begin another wait.
    this.nextCheck = 0;
    const waiter = this.running.get(transaction);
    if (waiter !== undefined) this.host.resumeWaiter(waiter);
  }

  /** Timeouts of those who wait, and the search for deadlocks, every WAITER_CHECK_MS. */
  check(): void {
    if (this.waiting.size === 0) return;
    const now = performance.now();
    if (now < this.nextCheck) return;
    this.nextCheck = now + WAITER_CHECK_MS;
    for (const transaction of [...this.waiting]) {
      const waiter = this.running.get(transaction);
      if (waiter === undefined || transaction.waitingFor === null) {
        this.waiting.delete(transaction);
        continue;
      }
      if (transaction.isBehind && !this.host.locks.isBehind(transaction)) {
        this.waiting.delete(transaction);
        this.startWaiting(transaction);
      }
      if (this.host.isOvertaken(transaction)) {
        this.waiting.delete(transaction);
        this.host.locks.cancelWait(transaction);
        this.host.resumeWaiter(waiter);
        continue;
      }
      const error = this.reasonToStop(transaction, waiter, now - transaction.waitingSince);
      if (error === null) continue;
      this.waiting.delete(transaction);
      this.host.locks.cancelWait(transaction);
      this.host.failWaiter(waiter, error);
    }
  }

  private reasonToStop(
    transaction: Transaction,
    waiter: W,
    waitedMs: number,
  ): PgErrorFields | null {
    const { lockTimeoutMs, deadlockTimeoutMs } = waiter.settings;
    try {
      waiter.checkInterrupts();
      if (lockTimeoutMs > 0 && waitedMs >= lockTimeoutMs) {
        throw pgError('lock_not_available', 'canceling statement due to lock timeout');
      }
      const { isDeadlock } = transaction.waitingFor as { isDeadlock: boolean };
      if (!transaction.deadlockChecked && (isDeadlock || waitedMs >= deadlockTimeoutMs)) {
        transaction.deadlockChecked = true;
        this.checkDeadlock(transaction);
      }
      return null;
    } catch (thrown) {
      return toErrorFields(thrown);
    }
  }

  private checkDeadlock(transaction: Transaction): void {
    const { locks, xidOf } = this.host;
    const cycle = findDeadlock(locks, transaction);
    if (cycle !== null) throw deadlock(cycle, xidOf, this.host.databaseOid());
  }
}
