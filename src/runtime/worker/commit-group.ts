import { assert } from '../../base/index.ts';
import { hasCondition, type PgError } from '../../errors/index.ts';
import { BulkLoader, type Lsn, type StorageEngine, type TreeId } from '../../storage/index.ts';
import {
  type CommitHistory,
  type Transaction,
  WriteCursor,
  type WriteTree,
} from '../../txn/index.ts';
import type { LogSync } from './log-sync.ts';

/** A transaction that is to be committed, and whom to tell. */
export interface PendingCommit {
  readonly transaction: Transaction;
  /** Trees that it made and dropped. */
  readonly createdTrees: readonly TreeId[];
  readonly droppedTrees: readonly TreeId[];
  /** Throws when it must not be committed after all. */
  verify(): void;
  /** Durable and visible. */
  committed(): void;
  failed(error: unknown): void;
}

/** How long one call of `run` may work on the pages for a large transaction. */
const SLICE_MS = 5;
/** How long an open group waits before it looks again whether the disk has room. */
const ROOM_RETRY_MS = 200;
/** Entries that are applied between two looks at the clock. */
const ENTRIES_PER_LOOK = 64;

/** Commits transactions in groups that share one sync and one version of every page.
 *
 * All transactions of the group append their records; one flush makes them stable; then their changes
 * are put on the pages and published together; then each is acknowledged. Locks are let go of by
 * `committed`, so what a transaction waited for is on the pages when it goes on.
 *
 * A large transaction is a group of its own, whose changes are put on the pages in slices, one in each
 * call of `run`. The group stays open between them: nothing of it is visible before all of it is
 * published, no checkpoint begins, and the commits that come meanwhile are the next group. A crash in
 * between finds its commit record, and recovery applies it whole. So the writer serves statements all
 * the time, and it is only commits that wait for a large one.
 *
 * Pages that the pool has no room for go to the disk. When it is full, the open group waits for room
 * with what it has, and begins no operation that it could not end; the commits that come meanwhile
 * fail with 53100, and reads go on.
 *
 * Nothing is put on the pages before the commit record is stable, so an aborted or unfinished
 * transaction leaves nothing there, and no checkpoint ever has to tell its trees from others.
 */
export class CommitGroup {
  private readonly engine: StorageEngine;
  private readonly sync: LogSync;
  private readonly history: CommitHistory;
  private pending: PendingCommit[] = [];
  private spare: PendingCommit[] = [];
  /** The group whose records are being synced by another thread, and where they end in the log. */
  private syncing: PendingCommit[] | null = null;
  private syncingEnd = 0 as Lsn;
  private needsFlush = false;
  /** The group that is being applied in slices. */
  private opened: PendingCommit[] | null = null;
  private steps: Steps | null = null;
  /** Why the open group waits for the disk to have room; null when it does not. */
  fullDisk: PgError | null = null;
  private retryAtMs = 0;
  /** Trees that are known to be committed and not dropped. */
  private readonly existing = new Set<TreeId>();
  /** Transactions committed, and groups, so far. */
  commitCount = 0;
  groupCount = 0;

  constructor(engine: StorageEngine, sync: LogSync, history: CommitHistory) {
    this.engine = engine;
    this.sync = sync;
    this.history = history;
  }

  get isIdle(): boolean {
    return this.syncing === null && this.opened === null && this.pending.length === 0;
  }

  /** A group is open: the engine must not do background work, nor begin a checkpoint. */
  get isApplying(): boolean {
    return this.opened !== null;
  }

  /** A group's records are stable, and those who wait for it have not been told. */
  get isStable(): boolean {
    return this.syncing !== null && this.sync.hasEnded;
  }

  /** Something is to be done that need not be waited for. */
  get hasWork(): boolean {
    if (this.opened !== null) return this.fullDisk === null;
    return this.syncing === null && this.pending.length > 0;
  }

  /** How many transactions the next group has so far. */
  get pendingCount(): number {
    return this.pending.length;
  }

  /** Adds a transaction; `asynchronous` ones are acknowledged without waiting for the disk. */
  add(commit: PendingCommit, asynchronous: boolean): void {
    this.pending.push(commit);
    if (!asynchronous) this.needsFlush = true;
  }

  /** Commits what was added, and what has been synced. With `others` the sync is left to another
   * thread, so that this one can go on with them; alone, syncing here is faster.
   *
   * A transaction whose records the log refuses fails alone, as does a SERIALIZABLE one that has read what
   * is not so any more: it has no commit record. */
  run(others: boolean): void {
    if (this.opened !== null) this.runSlice(this.opened);
    if (this.syncing !== null) {
      if (!this.sync.isDone()) return;
      const group = this.syncing;
      this.syncing = null;
      this.complete(group, this.syncingEnd);
    }
    if (this.fullDisk !== null) this.failAll(this.pending, this.fullDisk);
    if (this.pending.length === 0 || this.opened !== null) return;
    const { needsFlush } = this;
    const group = this.takePending();
    if (this.pending.length === 0) this.needsFlush = false;
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

  /** Takes down the commits that no snapshot shows yet; those that come are taken down one by one. */
  recordUnpublished(): void {
    const group = this.opened ?? this.syncing;
    if (group === null) return;
    const end = this.opened === null ? this.syncingEnd : this.engine.pages.groupLsn;
    for (const commit of group) this.record(commit, end);
  }

  private record({ transaction, createdTrees, droppedTrees }: PendingCommit, end: number): void {
    this.history.record(end, { writes: transaction.writes, createdTrees, droppedTrees });
  }

  /** Waits for nothing any more: the engine has failed. */
  failPending(thrown: unknown): void {
    if (this.opened !== null) this.failAll(this.opened, thrown);
    this.opened = null;
    this.steps = null;
    if (this.syncing !== null) this.failAll(this.syncing, thrown);
    this.failAll(this.pending, thrown);
    this.syncing = null;
  }

  /** The group that is to be committed now, its records appended. */
  private takePending(): PendingCommit[] {
    const added = this.takeGroup();
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

  /** The transactions before the first large one, or that one alone. */
  private takeGroup(): PendingCommit[] {
    const { pending } = this;
    let count = 0;
    while (count < pending.length && !pending[count]!.transaction.writes.isLarge) count++;
    if (count === 0) count = 1;
    if (count < pending.length) return pending.splice(0, count);
    this.pending = this.spare;
    this.spare = [];
    return pending;
  }

  /** The group's records are stable: puts its changes on the pages and tells everyone. */
  private complete(group: PendingCommit[], end: Lsn): void {
    try {
      this.engine.beginGroup(end);
      if (group[0]!.transaction.writes.isLarge || !this.applyAtOnce(group)) {
        this.opened = group;
        this.steps = this.applyInSlices(group);
        return;
      }
    } catch (thrown) {
      this.failAll(group, thrown);
      throw thrown;
    }
    this.acknowledge(group);
  }

  private acknowledge(group: PendingCommit[]): void {
    this.commitCount += group.length;
    this.groupCount++;
    for (const commit of group) this.finish(commit);
    group.length = 0;
    this.spare = group;
  }

  /** Puts the changes of small transactions on the pages and publishes them. False when the disk is too
   * full for that: it is done again, in slices. Putting, removing, making and dropping something twice
   * in a group is as good as once. */
  private applyAtOnce(group: PendingCommit[]): boolean {
    try {
      for (const commit of group) this.apply(commit);
      this.engine.publish();
      return true;
    } catch (thrown) {
      if (hasCondition(thrown, 'disk_full')) return false;
      throw this.engine.fail(thrown);
    }
  }

  private failAll(group: PendingCommit[], thrown: unknown): void {
    for (const commit of group) commit.failed(thrown);
    group.length = 0;
  }

  private append(commit: PendingCommit): void {
    const { log } = this.engine;
    const { transaction } = commit;
    const { writes } = transaction;
    commit.verify();
    if (transaction.reads !== null && changesSomething(commit)) {
      transaction.reads.verify('during commit attempt');
    }
    if (transaction.xid === 0) transaction.xid = this.engine.nextXid();
    const { xid } = transaction;
    for (const tree of writes.trees.values()) {
      if (!tree.isOwn) this.requireTree(tree.id);
    }
    for (const tree of commit.createdTrees) {
      if (writes.trees.get(tree)?.isCreationLogged !== true) log.createTree(xid, tree);
    }
    const subXids = writes.appendRest(log, xid);
    for (const tree of commit.droppedTrees) log.dropTree(xid, tree);
    log.commit(xid, Date.now(), subXids);
    for (const tree of commit.createdTrees) this.existing.add(tree);
    if (this.history.isNeeded) this.record(commit, log.appendedLsn);
  }

  /** Table locks keep a tree from being dropped under a transaction that changes it. Should one be gone
   * all the same, this transaction fails, before its commit record, and not the engine behind it. */
  private requireTree(tree: TreeId): void {
    if (this.existing.has(tree)) return;
    assert(this.engine.trees.hasTree(tree), `tree ${tree} does not exist`);
    this.existing.add(tree);
  }

  private finish(commit: PendingCommit): void {
    for (const tree of commit.droppedTrees) this.existing.delete(tree);
    commit.transaction.writes.close();
    commit.committed();
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

  // ---------------------------------------------------------------- in slices

  private runSlice(group: PendingCommit[]): void {
    const steps = this.steps!;
    const now = performance.now();
    if (this.fullDisk !== null && now < this.retryAtMs) return;
    this.fullDisk = null;
    const end = now + SLICE_MS;
    try {
      for (let step = steps.next(); step.done !== true; step = steps.next()) {
        if (step.value !== undefined) {
          this.fullDisk = step.value;
          this.retryAtMs = performance.now() + ROOM_RETRY_MS;
          return;
        }
        if (performance.now() >= end) return;
      }
      this.engine.publish();
    } catch (thrown) {
      // `failPending` tells those that wait.
      throw this.engine.fail(thrown);
    }
    this.opened = null;
    this.steps = null;
    this.acknowledge(group);
  }

  private *applyInSlices(group: readonly PendingCommit[]): Steps {
    const { trees } = this.engine;
    for (const commit of group) {
      for (const tree of commit.createdTrees) {
        yield* this.room();
        trees.createTree(tree);
      }
      for (const tree of commit.transaction.writes.trees.values()) {
        // What goes away with the tree need not be in it.
        if (!commit.droppedTrees.includes(tree.id)) yield* this.applyTree(commit, tree);
      }
      for (const tree of commit.droppedTrees) {
        yield* this.room();
        trees.dropTree(tree);
      }
    }
    yield* this.room();
    trees.freeAbandoned();
  }

  /** Waits until the next operation finds the frames that it needs. */
  private *room(): Steps {
    const { pages } = this.engine;
    for (let error = pages.tryReserve(); error !== null; error = pages.tryReserve()) yield error;
  }

  /** Applies the newest version of each key; bottom-up when the tree is empty. */
  private *applyTree(commit: PendingCommit, tree: WriteTree): Steps {
    const { trees, pages } = this.engine;
    const { id } = tree;
    const lsn = pages.groupLsn;
    const cursor = new WriteCursor(commit.transaction.writes, tree);
    let loader: BulkLoader | null = null;
    let isFirst = true;
    let left = ENTRIES_PER_LOOK;
    for (cursor.first(); cursor.isValid; cursor.step()) {
      if (--left === 0) {
        left = ENTRIES_PER_LOOK;
        yield;
      }
      if (!cursor.resolve(Number.POSITIVE_INFINITY)) continue;
      if (pages.tryReserve() !== null) yield* this.room();
      const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = cursor;
      if (isFirst) {
        // Not before there is a version: a tree whose making was rolled back is not there.
        isFirst = false;
        if (trees.isEmpty(id)) loader = new BulkLoader(trees, id);
      }
      if (loader !== null) {
        if (valueBytes === null) continue;
        loader.add(keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, lsn);
      } else if (valueBytes === null) trees.delete(id, keyBytes, keyStart, keyEnd);
      else trees.put(id, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, lsn);
    }
    if (loader === null) return;
    yield* this.room();
    loader.finish();
  }
}

/** Others than those that only have to wait for what a sequence has logged. */
function changesSomething({ transaction, createdTrees, droppedTrees }: PendingCommit): boolean {
  return transaction.hasWrites || createdTrees.length > 0 || droppedTrees.length > 0;
}

/** Work in pieces. What it yields is why it cannot go on, if it cannot. */
type Steps = Generator<PgError | undefined, void, undefined>;
