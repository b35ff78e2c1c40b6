import type { TreeId } from '../storage/index.ts';
import {
  CLAIMS_LOCK,
  claimsLockTag,
  ROW_LOCK,
  type RowLocks,
  rowLocksConflict,
  type Transaction,
  type WriteEntry,
} from '../txn/index.ts';

interface Claimant {
  readonly transaction: Transaction;
  /** The lock that it holds while its keys are claimed, and on which others wait for them. */
  readonly tag: string;
  /** It has changed keys that others may refer to, of rows that it has not deleted. */
  changesIdentity: boolean;
}

/** Keys that are inserted, changed, deleted or locked in large number, and not locked one by one.
 *
 * A key that a transaction has put into its write set, changed or as one that it has locked, is as good as
 * locked if all who want it look there. So a transaction that changes many rows takes one lock for a tree, which says "look at my write
 * set", and none for each key. Whoever finds one of its keys waits for that one lock, which is let go of
 * at the end of the transaction, or with the savepoint after which it was taken; then he looks again.
 * A savepoint before which the lock was taken gives the keys up and keeps the lock, so who has begun
 * to wait by then waits longer than he would in PostgreSQL.
 *
 * Between looking whether a key is free and putting it into the write set nothing else may run. A key
 * that somebody has locked by itself is not claimed: who wants it waits in the queue of that lock.
 */
export class BulkClaims {
  private readonly locks: RowLocks<Transaction>;
  private readonly byTree = new Map<TreeId, Claimant[]>();
  private nextNumber = 1;
  /** Whose claims `own` has, as they were when they were looked for; null for nobody. */
  private owner: Transaction | null = null;
  private own: readonly { readonly tree: TreeId; readonly claimant: Claimant }[] = [];

  constructor(locks: RowLocks<Transaction>) {
    this.locks = locks;
  }

  /** Another command has come: what a transaction has claimed may have been given up. */
  refresh(): void {
    this.owner = null;
    if (this.byTree.size > 0) this.forgetEnded();
  }

  /** The transaction is about to insert or change many keys of the tree. */
  begin(transaction: Transaction, tree: TreeId): void {
    this.forgetEnded();
    if (this.find(transaction, tree) !== undefined) return;
    this.owner = null;
    const tag = claimsLockTag(this.nextNumber++);
    this.locks.acquire(transaction, 'claims', tag, CLAIMS_LOCK.hold, false);
    const claimants = this.byTree.get(tree);
    const claimant = { transaction, tag, changesIdentity: false };
    if (claimants === undefined) this.byTree.set(tree, [claimant]);
    else claimants.push(claimant);
  }

  /** From now on those who rely on the keys of rows (FOR KEY SHARE) wait for the transaction where it has
   * updated a row of the tree. */
  changeIdentity(transaction: Transaction, tree: TreeId): void {
    const claimant = this.find(transaction, tree);
    if (claimant !== undefined) claimant.changesIdentity = true;
  }

  /** Whether the transaction may put a key into its write set, which is in no other, without a lock of its
   * own: it has claims on the tree, and nobody has locked the key. */
  covers(
    transaction: Transaction,
    tree: TreeId,
    key: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (this.byTree.size === 0 || this.find(transaction, tree) === undefined) return false;
    return !this.locks.isRowTaken(tree, key, start, end);
  }

  /** Whether no other transaction has changed the key in this way, or locked it, so that it conflicts with
   * a lock of this mode. */
  isFree(
    transaction: Transaction,
    tree: TreeId,
    key: Uint8Array,
    start: number,
    end: number,
    mode: number = ROW_LOCK.update,
  ): boolean {
    return this.findOther(transaction, tree, key, start, end, mode, true) === undefined;
  }

  /** Waits for who has changed the key, whatever is locked. */
  awaitChanges(
    transaction: Transaction,
    tree: TreeId,
    key: Uint8Array,
    start: number,
    end: number,
  ): 'granted' | 'waiting' | 'busy' {
    return this.await(transaction, tree, key, start, end, ROW_LOCK.update, true, false);
  }

  /** As `isFree`; 'waiting': the transaction waits for the one that has, or does not (`wait`) and is 'busy'. */
  awaitOthers(
    transaction: Transaction,
    tree: TreeId,
    key: Uint8Array,
    start: number,
    end: number,
    mode: number = ROW_LOCK.update,
    wait = true,
  ): 'granted' | 'waiting' | 'busy' {
    return this.await(transaction, tree, key, start, end, mode, wait, true);
  }

  private await(
    transaction: Transaction,
    tree: TreeId,
    key: Uint8Array,
    start: number,
    end: number,
    mode: number,
    wait: boolean,
    heedsLocks: boolean,
  ): 'granted' | 'waiting' | 'busy' {
    for (;;) {
      const other = this.findOther(transaction, tree, key, start, end, mode, heedsLocks);
      if (other === undefined) return 'granted';
      const { tag } = other;
      const granted = this.locks.acquire(transaction, 'claims', tag, CLAIMS_LOCK.await, wait);
      if (granted !== 'granted') return granted;
    }
  }

  private findOther(
    transaction: Transaction,
    tree: TreeId,
    key: Uint8Array,
    start: number,
    end: number,
    mode: number,
    heedsLocks: boolean,
  ): Claimant | undefined {
    if (this.byTree.size === 0) return undefined;
    const claimants = this.byTree.get(tree);
    if (claimants === undefined) return undefined;
    for (const claimant of claimants) {
      if (claimant.transaction === transaction || !this.isHeld(claimant)) continue;
      const { writes } = claimant.transaction;
      const locked = heedsLocks ? writes.lockOf(tree, key, start, end) : -1;
      if (locked >= 0 && rowLocksConflict(mode, locked)) return claimant;
      const entry = writes.find(tree, key, start, end);
      if (entry === null || entry.latest === null) continue;
      if (mode > ROW_LOCK.keyShare || claimant.changesIdentity || isDeleted(entry)) return claimant;
    }
    return undefined;
  }

  private find(transaction: Transaction, tree: TreeId): Claimant | undefined {
    if (transaction !== this.owner) this.findOwn(transaction);
    for (const { tree: claimed, claimant } of this.own) if (claimed === tree) return claimant;
    return undefined;
  }

  private findOwn(transaction: Transaction): void {
    this.owner = transaction;
    this.own = [...this.byTree].flatMap(([tree, claimants]) =>
      claimants
        .filter((claimant) => claimant.transaction === transaction && this.isHeld(claimant))
        .map((claimant) => ({ tree, claimant })),
    );
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

/** Whether the row at a key was deleted, whatever has taken its place. */
function isDeleted(entry: WriteEntry): boolean {
  for (let version = entry.latest; version !== null; version = version.older) {
    if (version.bytes === null) return true;
  }
  return false;
}
