import { BulkLoader, type StorageEngine, type TreeId } from '../../storage/index.ts';
import { type Transaction, WriteCursor, type WriteTree } from '../../txn/index.ts';

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

/** How long one call of `run` may work on the pages for a large transaction. */
const SLICE_MS = 5;
/** Entries that are applied between two looks at the clock. */
const ENTRIES_PER_LOOK = 64;
/** Smaller sets are put into an empty tree one by one. */
const BULK_LOAD_BYTES_MIN = 64 * 1024;

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
 * Nothing is put on the pages before the commit record is in the log, so an aborted or unfinished
 * transaction leaves nothing there, and no checkpoint ever has to tell its trees from others.
 */
export class CommitGroup {
  private readonly engine: StorageEngine;
  private pending: PendingCommit[] = [];
  private spare: PendingCommit[] = [];
  private needsFlush = false;
  /** The transaction that is being applied in slices. */
  private large: PendingCommit | null = null;
  private steps: Generator<undefined, void, undefined> | null = null;
  /** Transactions committed, and groups, so far. */
  commitCount = 0;
  groupCount = 0;

  constructor(engine: StorageEngine) {
    this.engine = engine;
  }

  /** Transactions that are not committed yet. */
  get size(): number {
    return this.pending.length + (this.large === null ? 0 : 1);
  }

  /** A group is open: the engine is not to do any background work. */
  get isApplying(): boolean {
    return this.large !== null;
  }

  /** Adds a transaction; `asynchronous` ones are acknowledged without waiting for the disk. */
  add(commit: PendingCommit, asynchronous: boolean): void {
    this.pending.push(commit);
    if (!asynchronous) this.needsFlush = true;
  }

  /** Commits what was added, up to a large transaction, or does a slice of one. */
  run(): void {
    if (this.large !== null) {
      this.runSlice(this.large);
      return;
    }
    if (this.pending.length === 0) return;
    const group = this.takeGroup();
    try {
      // A disk that is too full for what the pages will need shows now, while nothing is committed.
      this.engine.pages.reserve();
    } catch (thrown) {
      this.failAll(group, thrown);
      throw thrown;
    }
    this.appendAll(group);
    if (group.length === 0) {
      this.spare = group;
      return;
    }
    const [first] = group;
    try {
      if (this.needsFlush) this.engine.flush();
      if (this.pending.length === 0) this.needsFlush = false;
      this.engine.beginGroup();
      if (first!.transaction.writes.isLarge) {
        this.large = first!;
        this.steps = this.applyLarge(first!);
        group.length = 0;
        this.spare = group;
      } else {
        for (const commit of group) this.apply(commit);
        this.engine.publish();
      }
    } catch (thrown) {
      const failure = this.engine.fail(thrown);
      this.failAll(group, failure);
      throw failure;
    }
    if (this.large !== null) {
      this.runSlice(this.large);
      return;
    }
    this.commitCount += group.length;
    this.groupCount++;
    for (const commit of group) this.finish(commit);
    group.length = 0;
    this.spare = group;
  }

  /** Commits all that was added. */
  runAll(): void {
    while (this.size > 0) this.run();
  }

  /** The transactions before the first large one, or that one alone. */
  private takeGroup(): PendingCommit[] {
    const all = this.pending;
    const at = all.findIndex((commit) => commit.transaction.writes.isLarge);
    if (at < 0 || all.length === 1) {
      this.pending = this.spare;
      return all;
    }
    return all.splice(0, Math.max(at, 1));
  }

  private failAll(group: PendingCommit[], thrown: unknown): void {
    for (const commit of group) commit.failed(thrown);
    group.length = 0;
    this.spare = group;
  }

  /** Appends the records of each; those that fail, as on a full disk, leave the group. */
  private appendAll(group: PendingCommit[]): void {
    let kept = 0;
    for (const commit of group) {
      try {
        this.append(commit);
        group[kept++] = commit;
      } catch (thrown) {
        commit.failed(thrown);
        const { failure } = this.engine;
        if (failure !== null) {
          // The failed one has been told, the others have not.
          for (const other of group) if (other !== commit) other.failed(failure);
          group.length = 0;
          throw failure;
        }
      }
    }
    group.length = kept;
  }

  private append(commit: PendingCommit): void {
    const { log } = this.engine;
    const { transaction } = commit;
    const { writes } = transaction;
    if (transaction.xid === 0) transaction.xid = this.engine.nextXid();
    const { xid } = transaction;
    for (const tree of commit.createdTrees) {
      if (writes.trees.get(tree)?.isCreationLogged !== true) log.createTree(xid, tree);
    }
    const subXids = writes.appendRest(log, xid);
    for (const tree of commit.droppedTrees) log.dropTree(xid, tree);
    log.commit(xid, Date.now(), subXids);
  }

  private finish(commit: PendingCommit): void {
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

  // ---------------------------------------------------------------- large transactions

  private runSlice(commit: PendingCommit): void {
    const steps = this.steps!;
    const end = performance.now() + SLICE_MS;
    try {
      do {
        if (steps.next().done === true) {
          this.engine.publish();
          this.large = null;
          this.steps = null;
          break;
        }
      } while (performance.now() < end);
    } catch (thrown) {
      this.large = null;
      this.steps = null;
      const failure = this.engine.fail(thrown);
      commit.failed(failure);
      throw failure;
    }
    if (this.large !== null) return;
    this.commitCount++;
    this.groupCount++;
    this.finish(commit);
  }

  private *applyLarge(commit: PendingCommit): Generator<undefined, void, undefined> {
    const { trees } = this.engine;
    for (const tree of commit.createdTrees) trees.createTree(tree);
    for (const tree of commit.transaction.writes.trees.values()) {
      // Nobody will see what is in it; and a tree that a rolled back command made is not there.
      if (commit.droppedTrees.includes(tree.id)) continue;
      yield* this.applyTree(commit, tree);
    }
    for (const tree of commit.droppedTrees) trees.dropTree(tree);
  }

  /** Applies the newest version of each key; bottom-up when the tree is empty. */
  private *applyTree(
    commit: PendingCommit,
    tree: WriteTree,
  ): Generator<undefined, void, undefined> {
    const { trees, pages } = this.engine;
    const { writes } = commit.transaction;
    const { id } = tree;
    const lsn = pages.groupLsn;
    const cursor = new WriteCursor(writes, tree);
    let loader: BulkLoader | null = null;
    let isFirst = true;
    let left = ENTRIES_PER_LOOK;
    for (cursor.first(); cursor.isValid; cursor.step()) {
      if (--left === 0) {
        left = ENTRIES_PER_LOOK;
        yield;
      }
      if (!cursor.resolve(Number.POSITIVE_INFINITY)) continue;
      const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = cursor;
      if (isFirst) {
        isFirst = false;
        if (trees.isEmpty(id)) loader = new BulkLoader(trees, id);
      }
      if (loader !== null) {
        // A key that is deleted is not there.
        if (valueBytes === null) continue;
        loader.add(keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, lsn);
      } else if (valueBytes === null) trees.delete(id, keyBytes, keyStart, keyEnd);
      else trees.put(id, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, lsn);
    }
    loader?.finish();
  }
}
