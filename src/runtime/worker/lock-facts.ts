import type { LockFacts } from '../../catalog/system/index.ts';
import { pgError } from '../../errors/index.ts';
import {
  type LockTable,
  lockedTable,
  TABLE_LOCK_NAMES,
  type Transaction,
} from '../../txn/index.ts';

/** What the lock table says of itself: pg_locks, pg_blocking_pids, and the report of a deadlock. */

/** Sessions that a session waits for, whether they hold its lock or wait for it further ahead. */
export function blockingSessions(locks: LockTable<Transaction>, session: number): number[] {
  const waiter = locks.waiterOf(session);
  if (waiter === undefined) return [];
  return [...new Set(locks.blockers(waiter).map((blocker) => blocker.session))];
}

/** Rows of pg_locks. A row lock that was granted is no lock of its own there, but the transaction's;
 * who waits for a row waits for the transaction that has it. */
export function* lockFacts(
  locks: LockTable<Transaction>,
  xidOf: (transaction: Transaction) => number,
): Iterable<LockFacts> {
  const holders = new Set<Transaction>();
  for (const { lock, owner, mode, granted } of locks.entries()) {
    const base = {
      pid: owner.session,
      virtualTransaction: `${owner.session}/1`,
      granted,
      relation: null,
      waitStart: null,
    };
    if (lock.kind === 'table') {
      const relation = lockedTable(lock.tag);
      // Names that are about to be given are locked, too, but are no relations.
      if (relation > 0)
        yield { ...base, type: 'relation', relation, mode: TABLE_LOCK_NAMES[mode]! };
    } else if (lock.kind === 'advisory') {
      const advisory = advisoryParts(lock.tag);
      yield { ...base, type: 'advisory', advisory, mode: advisoryMode(mode) };
    } else if (granted) holders.add(owner);
    else {
      for (const holder of locks.hardBlockers(owner).slice(0, 1)) {
        holders.add(holder);
        const transaction = xidOf(holder);
        yield { ...base, type: 'transactionid', transaction, mode: 'ShareLock' };
      }
    }
  }
  for (const owner of holders) {
    yield {
      type: 'transactionid',
      relation: null,
      transaction: xidOf(owner),
      pid: owner.session,
      virtualTransaction: `${owner.session}/1`,
      mode: 'ExclusiveLock',
      granted: true,
      waitStart: null,
    };
  }
}

/** 40P01 for a cycle of waiting transactions. */
export function deadlock(
  cycle: readonly Transaction[],
  xidOf: (transaction: Transaction) => number,
  database: number,
) {
  const lines = cycle.map((waiter, i) => {
    const blocker = cycle[(i + 1) % cycle.length]!;
    const what = waitedLock(waiter, () => xidOf(blocker), database);
    return `Process ${waiter.session} waits for ${what}; blocked by process ${blocker.session}.`;
  });
  return pgError('deadlock_detected', 'deadlock detected', {
    detail: lines.join('\n'),
    hint: 'See server log for query details.',
  });
}

function waitedLock(waiter: Transaction, xid: () => number, database: number): string {
  const { lock, mode } = waiter.waitingFor as {
    lock: { tag: string; kind: string };
    mode: number;
  };
  if (lock.kind === 'table') {
    return `${TABLE_LOCK_NAMES[mode]} on relation ${lock.tag.slice(1)} of database ${database}`;
  }
  if (lock.kind === 'advisory') {
    const { classId, objectId, subId } = advisoryParts(lock.tag);
    return `${advisoryMode(mode)} on advisory lock [${database},${classId},${objectId},${subId}]`;
  }
  return `ShareLock on transaction ${xid()}`;
}

function advisoryParts(tag: string): { classId: number; objectId: number; subId: number } {
  const [classId = 0, objectId = 0, subId = 0] = tag.slice(1).split(',').map(Number);
  return { classId, objectId, subId };
}

function advisoryMode(mode: number): string {
  return mode === 0 ? 'ShareLock' : 'ExclusiveLock';
}
