import type { TreeId } from '../storage/index.ts';
import {
  CLAIMS_LOCK,
  claimsLockTag,
  type RowLocks,
  rowLockTag,
  type Transaction,
} from '../txn/index.ts';

interface Claimant {
  readonly transaction: Transaction;
  /** The lock that it holds while its keys are claimed, and on which others wait for them. */
  readonly tag: string;
}

/** Keys that are inserted in large number, and not locked one by one.
 *
 * A key that a transaction has put into its write set is as good as locked if all who want it look
 * there. So a transaction that loads many rows takes one lock for a tree, which says "look at my write
 * set", and none for each key. Whoever finds one of its keys waits for that one lock, which is let go of
 * at the end of the transaction, or with the savepoint after which it was taken; then he looks again.
 * A savepoint before which the lock was taken gives the keys up and keeps the lock, so who has begun
 * to wait by then waits longer than he would in PostgreSQL.
 */
export class BulkClaims {
  private readonly locks: RowLocks<Transaction>;
  private readonly byTree = new Map<TreeId, Claimant[]>();
  private nextNumber = 1;

  constructor(locks: RowLocks<Transaction>) {
    this.locks = locks;
  }

  /** The transaction is about to insert many keys into the tree. */
  begin(transaction: Transaction, tree: TreeId): void {
    this.forgetEnded();
    if (this.find(transaction, tree) !== undefined) return;
    const tag = claimsLockTag(this.nextNumber++);
    this.locks.acquire(transaction, 'claims', tag, CLAIMS_LOCK.hold, false);
    const claimants = this.byTree.get(tree);
    if (claimants === undefined) this.byTree.set(tree, [{ transaction, tag }]);
    else claimants.push({ transaction, tag });
  }

  /** Whether the transaction may put a key into its write set, which is in no other and not on the
   * pages, without a lock of its own. */
  covers(
    transaction: Transaction,
    tree: TreeId,
    key: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (this.byTree.size === 0 || this.find(transaction, tree) === undefined) return false;
    return !this.locks.hasRows || !this.locks.isTaken(rowLockTag(tree, key, start, end));
  }

  /** Whether no other transaction has inserted the key in this way. False: the transaction has to wait
   * for the one that has. */
  awaitOthers(
    transaction: Transaction,
    tree: TreeId,
    key: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (this.byTree.size === 0) return true;
    const claimants = this.byTree.get(tree);
    if (claimants === undefined) return true;
    for (const claimant of claimants) {
      if (claimant.transaction === transaction || !this.isHeld(claimant)) continue;
      const entry = claimant.transaction.writes.find(tree, key, start, end);
      if (entry === null || entry.latest === null) continue;
      const { await: mode } = CLAIMS_LOCK;
      if (this.locks.acquire(transaction, 'claims', claimant.tag, mode, true) === 'waiting') {
        return false;
      }
    }
    return true;
  }

  private find(transaction: Transaction, tree: TreeId): Claimant | undefined {
    const claimants = this.byTree.get(tree);
    if (claimants === undefined) return undefined;
    for (const claimant of claimants) {
      if (claimant.transaction === transaction && this.isHeld(claimant)) return claimant;
    }
    return undefined;
  }

  private isHeld({ transaction, tag }: Claimant): boolean {
    return this.locks.isHeld(transaction, tag, CLAIMS_LOCK.hold);
  }

  private forgetEnded(): void {
    for (const [tree, claimants] of this.byTree) {
      const left = claimants.filter((claimant) => this.isHeld(claimant));
      if (left.length > 0) this.byTree.set(tree, left);
      else this.byTree.delete(tree);
    }
  }
}
