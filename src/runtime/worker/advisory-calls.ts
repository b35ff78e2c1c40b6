import type { AdvisoryKey, AdvisoryLocks } from '../../sql/functions/index.ts';
import {
  ADVISORY_LOCK,
  advisoryLockTag,
  type LockTable,
  type Transaction,
} from '../../txn/index.ts';
import type { WriterSession } from './writer-session.ts';

/** Thrown out of an expression whose advisory lock is held by another session. */
export class AdvisoryWait extends Error {}

/** The calls of advisory lock functions of one statement.
 *
 * An expression cannot pause. One that has to wait throws AdvisoryWait instead, the statement waits
 * for the lock, and is then run anew from its beginning, at the same snapshot and with what it had
 * changed undone. So that no lock is taken twice, the outcomes of all calls are kept in order, and the
 * new run is given them until it comes to the call that waited.
 */
export class AdvisoryCalls implements AdvisoryLocks {
  private readonly locks: LockTable<Transaction>;
  private readonly session: WriterSession;
  private readonly transaction: Transaction;
  private readonly outcomes: boolean[] = [];
  private next = 0;
  /** The call after the known outcomes was queued, and has its lock when the statement runs again. */
  private waited = false;

  constructor(locks: LockTable<Transaction>, session: WriterSession, transaction: Transaction) {
    this.locks = locks;
    this.session = session;
    this.transaction = transaction;
  }

  /** The statement is run from its beginning. */
  restart(): void {
    this.next = 0;
  }

  lock(
    key: AdvisoryKey,
    shared: boolean,
    scope: 'session' | 'transaction',
    wait: boolean,
  ): boolean {
    return this.call(() => {
      if (this.waited) {
        this.waited = false;
        return true;
      }
      const { transaction } = this;
      const holder = scope === 'session' ? this.session.lockOwner() : transaction;
      const tag = tagOf(key);
      const mode = modeOf(shared);
      const answer = this.locks.acquireFor(transaction, holder, 'advisory', tag, mode, wait);
      if (answer !== 'waiting') return answer === 'granted';
      this.waited = true;
      throw new AdvisoryWait();
    });
  }

  unlock(key: AdvisoryKey, shared: boolean): boolean {
    return this.call(() =>
      this.locks.releaseOne(this.session.lockOwner(), tagOf(key), modeOf(shared)),
    );
  }

  unlockAll(): void {
    this.call(() => {
      this.locks.releaseTo(this.session.lockOwner(), 0);
      return true;
    });
  }

  private call(body: () => boolean): boolean {
    const known = this.outcomes[this.next];
    const outcome = known ?? body();
    if (known === undefined) this.outcomes.push(outcome);
    this.next++;
    return outcome;
  }
}

function tagOf({ high, low, space }: AdvisoryKey): string {
  return advisoryLockTag(`${high},${low},${space}`);
}

function modeOf(shared: boolean): number {
  return shared ? ADVISORY_LOCK.share : ADVISORY_LOCK.exclusive;
}
