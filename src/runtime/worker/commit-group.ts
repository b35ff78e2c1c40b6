import type { Lsn, StorageEngine, TreeId } from '../../storage/index.ts';
import type { Transaction } from '../../txn/index.ts';
import type { LogSync } from './log-sync.ts';

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
  private readonly sync: LogSync;
  private pending: PendingCommit[] = [];
  private spare: PendingCommit[] = [];
  /** The group whose records are being synced by another thread, and where they end in the log. */
  private syncing: PendingCommit[] | null = null;
  private syncingEnd = 0 as Lsn;
  private needsFlush = false;
  /** Transactions committed, and groups, so far. */
  commitCount = 0;
  groupCount = 0;

  constructor(engine: StorageEngine, sync: LogSync) {
    this.engine = engine;
    this.sync = sync;
  }

  get isIdle(): boolean {
    return this.syncing === null && this.pending.length === 0;
  }

  /** Something is to be done that need not be waited for. */
  get hasWork(): boolean {
    return this.syncing === null && this.pending.length > 0;
  }

  /** Adds a transaction; `asynchronous` ones are acknowledged without waiting for the disk. */
  add(commit: PendingCommit, asynchronous: boolean): void {
    this.pending.push(commit);
    if (!asynchronous) this.needsFlush = true;
  }

  /** Commits what was added, and what has been synced. With `others` the sync is left to another
   * thread, so that this one can go on with them; alone, syncing here is faster.
   *
   * A transaction whose records the log refuses fails alone: it has no commit record. */
  run(others: boolean): void {
    if (this.syncing !== null) {
      if (!this.sync.isDone()) return;
      const group = this.syncing;
      this.syncing = null;
      this.complete(group, this.syncingEnd);
    }
    if (this.pending.length === 0) return;
    const group = this.takePending();
    const { needsFlush } = this;
    this.needsFlush = false;
    if (group.length === 0) {
      this.spare = group;
      return;
    }
    const end = this.engine.log.appendedLsn;
    if (needsFlush && others && this.sync.start()) {
      this.syncing = group;
      this.syncingEnd = end;
      return;
    }
    try {
      if (needsFlush) this.engine.flush();
    } catch (thrown) {
      this.failAll(group, thrown);
      throw thrown;
    }
    this.complete(group, end);
  }

  /** Waits for nothing any more: the engine has failed. */
  failPending(thrown: unknown): void {
    if (this.syncing !== null) this.failAll(this.syncing, thrown);
    this.failAll(this.pending, thrown);
    this.syncing = null;
  }

  /** The group that is to be committed now, its records appended. */
  private takePending(): PendingCommit[] {
    const added = this.pending;
    const group = this.spare;
    this.pending = group;
    this.spare = [];
    let kept = 0;
    for (const commit of added) {
      try {
        // A disk that is too full for what the pages will need shows now, while nothing is committed.
        this.engine.pages.reserve();
        this.append(commit);
        added[kept++] = commit;
      } catch (thrown) {
        if (this.engine.failure !== null) throw thrown;
        commit.failed(thrown);
      }
    }
    added.length = kept;
    return added;
  }

  /** The group's records are stable: puts its changes on the pages and tells everyone. */
  private complete(group: PendingCommit[], end: Lsn): void {
    try {
      this.engine.beginGroup(end);
      try {
        for (const commit of group) this.apply(commit);
        this.engine.publish();
      } catch (thrown) {
        throw this.engine.fail(thrown);
      }
    } catch (thrown) {
      this.failAll(group, thrown);
      throw thrown;
    }
    this.commitCount += group.length;
    this.groupCount++;
    for (const commit of group) commit.committed();
    group.length = 0;
    this.spare = group;
  }

  private failAll(group: PendingCommit[], thrown: unknown): void {
    for (const commit of group) commit.failed(thrown);
    group.length = 0;
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
