import type { StorageEngine, TreeId } from '../../storage/index.ts';
import type { Transaction } from '../../txn/index.ts';

/** A transaction that is to be committed, and whom to tell. */
export interface PendingCommit {
  readonly transaction: Transaction;
  /** Trees that it made and dropped. */
  readonly createdTrees: readonly TreeId[];
  readonly droppedTrees: readonly TreeId[];
  /** Durable and visible. */
  committed(): void;
  failed(error: unknown): void;
}

/** Commits transactions in groups that share one sync and one version of every page.
 *
 * All transactions of the group append their records; one flush makes them stable; then their changes
 * are put on the pages and published together; then each is acknowledged. Locks are let go of by
 * `committed`, so what a transaction waited for is on the pages when it goes on.
 */
export class CommitGroup {
  private readonly engine: StorageEngine;
  private pending: PendingCommit[] = [];
  private spare: PendingCommit[] = [];
  private needsFlush = false;
  /** Transactions committed, and groups, so far. */
  commitCount = 0;
  groupCount = 0;

  constructor(engine: StorageEngine) {
    this.engine = engine;
  }

  get size(): number {
    return this.pending.length;
  }

  /** Adds a transaction; `asynchronous` ones are acknowledged without waiting for the disk. */
  add(commit: PendingCommit, asynchronous: boolean): void {
    this.pending.push(commit);
    if (!asynchronous) this.needsFlush = true;
  }

  /** Commits all that was added. */
  run(): void {
    const group = this.pending;
    if (group.length === 0) return;
    this.pending = this.spare;
    try {
      // A disk that is too full for what the pages will need shows now, while nothing is committed.
      this.engine.pages.reserve();
      for (const commit of group) this.append(commit);
      if (this.needsFlush) this.engine.flush();
      this.engine.beginGroup();
      try {
        for (const commit of group) this.apply(commit);
        this.engine.publish();
      } catch (thrown) {
        throw this.engine.fail(thrown);
      }
    } catch (thrown) {
      for (const commit of group) commit.failed(thrown);
      group.length = 0;
      this.spare = group;
      throw thrown;
    }
    this.needsFlush = false;
    this.commitCount += group.length;
    this.groupCount++;
    for (const commit of group) commit.committed();
    group.length = 0;
    this.spare = group;
  }

  private append(commit: PendingCommit): void {
    const { log } = this.engine;
    const { transaction } = commit;
    if (transaction.xid === 0) transaction.xid = this.engine.nextXid();
    const { xid } = transaction;
    for (const tree of commit.createdTrees) log.createTree(xid, tree);
    for (const tree of transaction.writes.trees.values()) {
      for (const run of tree.runs) {
        for (const entry of run) {
          const version = entry.latest;
          if (version === null) continue;
          const { keyBytes, keyStart, keyEnd } = entry;
          if (version.bytes === null) {
            log.deleteRange(xid, tree.id, keyBytes, keyStart, keyEnd);
          } else {
            log.putRange(
              xid,
              tree.id,
              keyBytes,
              keyStart,
              keyEnd,
              version.bytes,
              version.start,
              version.end,
            );
          }
        }
      }
    }
    for (const tree of commit.droppedTrees) log.dropTree(xid, tree);
    log.commit(xid, Date.now());
  }

  private apply(commit: PendingCommit): void {
    const { trees, pages } = this.engine;
    const lsn = pages.groupLsn;
    for (const tree of commit.createdTrees) trees.createTree(tree);
    for (const tree of commit.transaction.writes.trees.values()) {
      for (const run of tree.runs) {
        for (const entry of run) {
          const version = entry.latest;
          if (version === null) continue;
          const { keyBytes, keyStart, keyEnd } = entry;
          if (version.bytes === null) trees.delete(tree.id, keyBytes, keyStart, keyEnd);
          else {
            trees.put(
              tree.id,
              keyBytes,
              keyStart,
              keyEnd,
              version.bytes,
              version.start,
              version.end,
              lsn,
            );
          }
        }
      }
    }
    for (const tree of commit.droppedTrees) trees.dropTree(tree);
  }
}
