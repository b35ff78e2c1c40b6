import { type PgError, pgError } from '../errors/index.ts';
import type { Cursor, PageCursor, TreeId } from '../storage/index.ts';
import type { CommitHistory } from './commit-history.ts';
import { copyOfKey, ReadSet } from './read-set.ts';
import { WatchedCursor, WatchedPageCursor } from './watched-cursor.ts';
import type { WriteSet } from './write-set.ts';

/** What a SERIALIZABLE transaction has read at its snapshot, and whether that still is so.
 *
 * Such a transaction reads at one snapshot S and changes rows as in REPEATABLE READ. Before its commit
 * record is written, `verify` compares the keys that it read with those that were written by all that
 * committed since S (`CommitHistory`), and fails it with 40001 when they meet. Why that is enough:
 *
 * (V1) Commits have one order, that of their records in the log. `verify`, and the taking down of what a
 *      transaction writes, are done where its record is appended, in one go on one thread. So what is
 *      verified at place C of that order is verified against all commits between S and C: those of the same
 *      group, and those whose sync or whose way to the pages is under way, among them.
 * (V2) A transaction that passes would have read the same at C: whatever it read, there or not, as it was
 *      at S has been written by nobody since. What it changed it has locked, and nobody else changed it since S
 *      (first updater wins). What it learnt of newer commits (a key that is free, a parent row that is
 *      there) it has locked, too, so that it still is so at C, or it is added to what it read; and so
 *      are the rows whose locks a rollback to a savepoint lets go of.
 * (V3) So everything that changes something has the effect, and gets the answers, of running alone at its
 *      place in the order of commits; and one that only reads, those of running alone behind the last
 *      commit that S shows. That is a serial order of all of them, and the one in which clients saw them end.
 *
 * Nothing is to be verified for a transaction that only reads, therefore, nor taken down when it is
 * known that it will not write. The price of the simple rule is that transactions fail which could be put
 * in another order than that of their commits; PostgreSQL lets some of these pass, and fails others. */
export class SerializableReads {
  readonly set = new ReadSet();
  /** Cursors that may have read more than they have taken down. */
  readonly open = new Set<WatchedCursor>();
  private readonly history: CommitHistory;
  private readonly snapshot: number;

  constructor(history: CommitHistory, snapshot: number) {
    this.history = history;
    this.snapshot = snapshot;
  }

  watch(cursor: Cursor, tree: TreeId): WatchedCursor {
    if (!('leafRun' in cursor)) return new WatchedCursor(cursor, tree, this);
    return new WatchedPageCursor(cursor as PageCursor, tree, this);
  }

  /** Takes down that one key was looked for. */
  addKey(tree: TreeId, bytes: Uint8Array, start: number, end: number): void {
    const key = bytes.slice(start, end);
    this.set.add(tree, key, copyOfKey(key, key.length, true));
  }

  /** Takes down the keys that were changed since a mark, and which are about to be given up. */
  addChanged(writes: WriteSet, mark: number): void {
    writes.visitSince(mark, ({ tree, keyBytes, keyStart, keyEnd }) =>
      this.addKey(tree, keyBytes, keyStart, keyEnd),
    );
    if (!writes.isLarge) return;
    for (const tree of writes.trees.keys()) this.set.add(tree, FIRST_KEY, null);
  }

  /** Takes down a key of something that is read as it is now, and not at the snapshot: throws 40001 when that is
   * not the same. */
  addNewest(tree: TreeId, key: Uint8Array): void {
    const one = new ReadSet();
    one.add(tree, key, copyOfKey(key, key.length, true));
    this.refuse(one, 'during conflict out checking');
    this.addKey(tree, key, 0, key.length);
  }

  /** Looks ahead to the commit: throws 40001 when that is to fail, as far as this is seen at little cost. */
  verifyEarly(): void {
    if (!this.history.hasMany(this.snapshot)) this.verify('during conflict out checking');
  }

  /** Throws 40001 when something of what was read has been written since. */
  verify(when: Moment): void {
    for (const cursor of this.open) cursor.note();
    this.refuse(this.set, when);
  }

  private refuse(set: ReadSet, when: Moment): void {
    if (!this.history.hasWritten(set, this.snapshot)) return;
    throw dependencyFailure(`Reason code: Canceled on identification as a pivot, ${when}.`);
  }
}

/** In the words of PostgreSQL. */
type Moment = 'during commit attempt' | 'during conflict out checking' | 'during write';

const FIRST_KEY = new Uint8Array(0);

/** 40001: a SERIALIZABLE transaction cannot be put in the order of commits. */
export function dependencyFailure(detail: string): PgError {
  return pgError(
    'serialization_failure',
    'could not serialize access due to read/write dependencies among transactions',
    { detail, hint: 'The transaction might succeed if retried.' },
  );
}
