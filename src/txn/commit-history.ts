import type { TreeId } from '../storage/index.ts';
import type { ReadSet } from './read-set.ts';
import type { WriteSet } from './write-set.ts';

/** What a commit has written. */
export interface CommittedChanges {
  readonly writes: WriteSet;
  readonly createdTrees: readonly TreeId[];
  readonly droppedTrees: readonly TreeId[];
}

/** The keys that were written by commits since the oldest snapshot of an open SERIALIZABLE transaction, for
 * `SerializableReads` to compare with what was read. Without such a transaction nothing is kept.
 *
 * Of a large commit, and of all but the newest when there are too many, it is known only which trees they
 * wrote to; and so it is of trees that were made or dropped, which is what TRUNCATE does, too. */
export class CommitHistory {
  /** Snapshots of the open SERIALIZABLE transactions, by transaction, oldest first. */
  private readonly snapshots = new Map<object, number>();
  /** Oldest first. */
  private commits: CommittedKeys[] = [];
  private keyCount = 0;
  /** Where in the log the last commit ended that wrote somewhere in the tree. */
  private readonly wholeTrees = new Map<TreeId, number>();
  private readonly keysMax: number;

  constructor(keysMax: number = KEYS_MAX) {
    this.keysMax = keysMax;
  }

  /** Commits are to be taken down. */
  get isNeeded(): boolean {
    return this.snapshots.size > 0;
  }

  /** A SERIALIZABLE transaction has taken its snapshot, the newest there is. */
  begin(transaction: object, snapshot: number): void {
    this.snapshots.set(transaction, snapshot);
  }

  end(transaction: object): void {
    if (!this.snapshots.delete(transaction)) return;
    const oldest = this.snapshots.values().next();
    if (oldest.done === true) this.clear();
    else this.forget(oldest.value);
  }

  /** Takes down a commit whose record ends at `lsn` of the log. */
  record(lsn: number, { writes, createdTrees, droppedTrees }: CommittedChanges): void {
    for (const tree of createdTrees) this.wholeTrees.set(tree, lsn);
    for (const tree of droppedTrees) this.wholeTrees.set(tree, lsn);
    if (writes.isLarge) {
      for (const tree of writes.trees.keys()) this.wholeTrees.set(tree, lsn);
      return;
    }
    const trees: TreeKeys[] = [];
    for (const { id, runs } of writes.trees.values()) {
      const keys: Uint8Array[] = [];
      for (const run of runs) {
        for (const { latest, keyBytes, keyStart, keyEnd } of run) {
          if (latest !== null) keys.push(keyBytes.slice(keyStart, keyEnd));
        }
      }
      if (keys.length === 0) continue;
      trees.push({ tree: id, keys });
      this.keyCount += keys.length;
    }
    if (trees.length === 0) return;
    this.commits.push({ lsn, trees });
    if (this.keyCount > this.keysMax) this.coarsen();
  }

  /** Whether there are so many commits behind the snapshot that to look at them all takes long. */
  hasMany(snapshot: number): boolean {
    const { commits } = this;
    return commits.length > MANY && commits[commits.length - MANY]!.lsn > snapshot;
  }

  /** Whether a commit behind the snapshot wrote something that is in the read set. */
  hasWritten(reads: ReadSet, snapshot: number): boolean {
    for (const tree of reads.trees()) {
      if ((this.wholeTrees.get(tree) ?? 0) > snapshot) return true;
    }
    const { commits } = this;
    for (let i = commits.length - 1; i >= 0 && commits[i]!.lsn > snapshot; i--) {
      for (const { tree, keys } of commits[i]!.trees) {
        if (reads.includesSome(tree, keys)) return true;
      }
    }
    return false;
  }

  /** Keeps of the older half only which trees they wrote to. */
  private coarsen(): void {
    let count = 0;
    while (this.keyCount > this.keysMax / 2 && count < this.commits.length) {
      const { lsn, trees } = this.commits[count++]!;
      for (const { tree, keys } of trees) {
        this.keyCount -= keys.length;
        if ((this.wholeTrees.get(tree) ?? 0) < lsn) this.wholeTrees.set(tree, lsn);
      }
    }
    this.commits = this.commits.slice(count);
  }

  /** Forgets the commits that all open transactions see; some at a time, as it costs a copy. */
  private forget(snapshot: number): void {
    const { commits } = this;
    let count = 0;
    while (count < commits.length && commits[count]!.lsn <= snapshot) count++;
    if (count < FORGOTTEN_MIN && count * 2 < commits.length) return;
    for (let i = 0; i < count; i++) {
      for (const { keys } of commits[i]!.trees) this.keyCount -= keys.length;
    }
    this.commits = commits.slice(count);
  }

  private clear(): void {
    this.commits = [];
    this.keyCount = 0;
    this.wholeTrees.clear();
  }
}

interface CommittedKeys {
  readonly lsn: number;
  readonly trees: readonly TreeKeys[];
}

interface TreeKeys {
  readonly tree: TreeId;
  readonly keys: readonly Uint8Array[];
}

/** Keys that are kept, at about 150 bytes each. */
const KEYS_MAX = 200_000;
const FORGOTTEN_MIN = 256;
/** Commits of a few keys that are looked at in less than a millisecond. */
const MANY = 256;
