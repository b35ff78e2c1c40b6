import { ByteWriter, compareByteRanges } from '../base/index.ts';
import {
  computedParts,
  type IndexDescriptor,
  type RelationDescriptor,
} from '../catalog/descriptors.ts';
import type { ColumnVector } from '../chunk/index.ts';
import { createVector, readDatum, sameDatum } from '../chunk/index.ts';
import { type PgError, pgError } from '../errors/index.ts';
import type { Cursor, TreeId } from '../storage/index.ts';
import {
  changesLockTag,
  ROW_LOCK,
  type RowLocks,
  rowLockTag,
  TABLE_LOCK,
  type Transaction,
} from '../txn/index.ts';
import { DEFAULT_TYPE_CONTEXT, typeByOid } from '../types/index.ts';
import { BulkClaims } from './bulk-claims.ts';
import { KeyGap } from './key-gap.ts';
import { keyNames } from './key-names.ts';
import {
  type ClusterKey,
  checkKeyLength,
  clusterKeyOf,
  encodeClusterKey,
  encodeIndexColumns,
  encodeIndexEntry,
  encodeRowId,
  hasEntry,
  type IndexKey,
  indexKeyOf,
  indexPlaces,
  isUniqueEntry,
} from './keys.ts';
import { layoutOf, type TupleLayout } from './tuple-layout.ts';
import { readColumnOfTuple } from './tuple-reader.ts';
import { encodeTuple } from './tuple-writer.ts';

type RowLockStrength = 'keyShare' | 'share' | 'noKeyUpdate' | 'update';

/** Row changes of transactions, on the writer thread; and single changes of transactions that are still
 * on the main thread, whose locks are others.
 *
 * Who may change a key is decided by locks on it: (tree, key) for clustered and unique index keys
 * alike. The order is always: take every lock a change needs, look at the newest committed entries
 * and the transaction's own, and only then write to the write set. So an answer of 'wait' has
 * changed nothing, and the caller repeats the call when the lock has been granted.
 *
 * The newest committed state is what the pages hold, because a commit lets go of its locks after its
 * changes are on the pages and published.
 */
export class RowChanges {
  readonly changedKey = { bytes: NOTHING, start: 0, end: 0 };
  readonly changedTuple = { bytes: NOTHING, start: 0, end: 0 };
  readonly conflictKey = { bytes: NOTHING, start: 0, end: 0 };

  private readonly locks: RowLocks<Transaction>;
  /** Reads the pages at the newest commit. */
  private readonly newest: Cursor;
  private readonly newestLsn: () => number;
  private readonly rowIds: RowIds;
  private readonly moves: RowMoves;
  private readonly claims: BulkClaims;
  private readonly gap = new KeyGap();
  /** The same as of a transaction's snapshot. */
  private readonly snapshotGap = new KeyGap();
  private transaction!: Transaction;
  private readonly key = new ByteWriter(64);
  private readonly oldIndexKey = new ByteWriter(64);
  private readonly newIndexKey = new ByteWriter(64);
  private readonly tuple = new ByteWriter(256);
  private readonly shapes = new WeakMap<RelationDescriptor, TableShape>();

  constructor(options: {
    locks: RowLocks<Transaction>;
    newest: Cursor;
    newestLsn: () => number;
    rowIds: RowIds;
    moves: RowMoves;
  }) {
    this.locks = options.locks;
    this.newest = options.newest;
    this.newestLsn = options.newestLsn;
    this.rowIds = options.rowIds;
    this.moves = options.moves;
    this.claims = new BulkClaims(options.locks);
  }

  /** The calls that follow are for this transaction's current command. */
  use(transaction: Transaction): void {
    this.transaction = transaction;
    this.claims.refresh();
  }

  /** The commit that the pages show. */
  get newestCommit(): number {
    return this.newestLsn();
  }

  /** After `insert` and `update`: the clustered key that the row has now. */
  get writtenKey(): ByteWriter {
    return this.key;
  }

  /** Whether `writtenKey` is this key. */
  wroteAt(keyBytes: Uint8Array, keyStart: number, keyEnd: number): boolean {
    const { bytes, position } = this.key;
    return compareByteRanges(bytes, 0, position, keyBytes, keyStart, keyEnd) === 0;
  }

  /** Locks the row that has a key in a unique index, as FOR KEY SHARE does, if it is there for the
   * transaction now and the lock is free. False says no more than that this is not so. */
  shareKey(
    table: RelationDescriptor,
    index: IndexDescriptor,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const { transaction, newest } = this;
    if (transaction.hasWrites) {
      const own = transaction.writes.find(index.tree, bytes, start, end)?.latest ?? null;
      if (own !== null) return own.bytes !== null;
    }
    if (!this.findNewest(index.tree, bytes, start, end)) return false;
    const isNew = newest.rowLsn > transaction.snapshot;
    if (isNew && transaction.keepsSnapshot) return false;
    if (!index.clustered) {
      bytes = newest.valueBytes;
      start = newest.valueStart;
      end = newest.valueEnd;
    }
    const { keyShare } = ROW_LOCK;
    if (!this.claims.isFree(transaction, table.tree, bytes, start, end, keyShare)) return false;
    const tag = rowLockTag(table.tree, bytes, start, end);
    const answer = this.locks.acquire(transaction, 'row', tag, keyShare, false);
    if (answer === 'waiting') this.locks.cancelWait(transaction);
    return answer === 'granted';
  }

  /** A row id for a row that the caller writes to a tree by itself. */
  nextRowId(tree: TreeId): number {
    return this.rowIds.next(tree);
  }

  /** `locksOnly`: the row is not to be changed; PostgreSQL does not name a delete then when it refuses.
   * `snapshot`: the commit that the caller has seen the row as of, where it is not the transaction's
   * snapshot. */
  lockRow(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    strength: RowLockStrength,
    waitPolicy: 'block' | 'nowait' | 'skip',
    locksOnly = strength === 'keyShare' || strength === 'share',
    snapshot: number = this.transaction.snapshot,
  ): 'locked' | 'changed' | 'deleted' | 'own' | 'wait' | 'skipped' {
    this.locksOnly = locksOnly;
    let outcome = this.lockKey(table, keyBytes, keyStart, keyEnd, strength, waitPolicy, snapshot);
    if (outcome !== 'locked') return outcome;
    const own = this.ownState(table, keyBytes, keyStart, keyEnd);
    if (own !== null) return own;
    if (snapshot === this.newestLsn()) return 'locked';
    let state = this.compareWithNewest(table, keyBytes, keyStart, keyEnd, strength, snapshot);
    if (state === 'locked' || state === 'changed') return state;
    this.unlockKey(table, keyBytes, keyStart, keyEnd, strength);
    // The row may have gone to another key, and on from there: the lock is on where it is now.
    while (state === 'moved') {
      const { target } = this;
      outcome = this.lockKey(table, target, 0, target.length, strength, waitPolicy);
      if (outcome !== 'locked') return outcome;
      state = this.compareMoved(table, target);
      if (state !== 'changed') this.unlockKey(table, target, 0, target.length, strength);
    }
    return state;
  }

  /** Locks the row at a key that ON CONFLICT has met. Wherever the row went that the snapshot shows there, it
   * is the newest one that counts: 'changed' when the snapshot does not show it. */
  lockConflicting(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    strength: RowLockStrength,
  ): 'locked' | 'changed' | 'deleted' | 'own' | 'wait' {
    const { transaction } = this;
    if (this.lockKey(table, keyBytes, keyStart, keyEnd, strength, 'block') === 'wait')
      return 'wait';
    const own = this.ownState(table, keyBytes, keyStart, keyEnd);
    if (own !== null) return own;
    if (transaction.snapshot === this.newestLsn()) return 'locked';
    const isThere = this.findNewest(table.tree, keyBytes, keyStart, keyEnd);
    if (isThere && this.newest.rowLsn <= transaction.snapshot) return 'locked';
    this.refuseInRepeatableRead('update');
    if (isThere) return this.takeChanged(keyBytes, keyStart, keyEnd);
    this.unlockKey(table, keyBytes, keyStart, keyEnd, strength);
    return 'deleted';
  }

  /** Whether the row at a key has changed since a commit, or is gone. */
  hasChanged(tree: TreeId, key: Uint8Array, since: number): boolean {
    return !this.findNewest(tree, key, 0, key.length) || this.newest.rowLsn > since;
  }

  /** What the transaction itself has made of a row; null where it has not changed it. */
  private ownState(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): 'own' | 'deleted' | 'locked' | null {
    const { transaction } = this;
    if (!transaction.hasWrites) return null;
    const entry = transaction.writes.find(table.tree, keyBytes, keyStart, keyEnd);
    const version = entry?.latest ?? null;
    if (version === null) return null;
    if (version.command >= transaction.command) return 'own';
    return version.bytes === null ? 'deleted' : 'locked';
  }

  /** The row is not, or no longer, at the key that was locked: who wants the key need not wait. An earlier
   * statement cannot have locked it, or the row were still there. */
  private unlockKey(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    strength: RowLockStrength,
  ): void {
    const tag = rowLockTag(table.tree, keyBytes, keyStart, keyEnd);
    this.locks.releaseOne(this.transaction, tag, ROW_LOCK[strength]);
  }

  /** The current command is about to insert many rows into the table. */
  expectInserts(table: RelationDescriptor): void {
    const { cluster, uniqueIndexes } = this.shape(table);
    if (cluster.columns !== null) this.claims.begin(this.transaction, table.tree);
    for (const { tree } of uniqueIndexes) this.claims.begin(this.transaction, tree);
  }

  /** The current command is about to change many rows of the table, which need not be locked one by one:
   * `claimRow` says it of each. 'unfit': they have to; 'wait': to be asked again. */
  expectChanges(table: RelationDescriptor): 'ready' | 'wait' | 'unfit' {
    const { transaction } = this;
    // Of what it undoes, to a savepoint, a SERIALIZABLE transaction keeps the names of its locks.
    if (transaction.reads !== null) return 'unfit';
    const tag = changesLockTag(table.oid);
    const granted = this.locks.acquire(transaction, 'table', tag, TABLE_LOCK.share, true);
    if (granted === 'waiting') return 'wait';
    this.claims.begin(transaction, table.tree);
    for (const { tree } of this.shape(table).uniqueIndexes) this.claims.begin(transaction, tree);
    return 'ready';
  }

  /** Whether the row is the one that the snapshot shows, or the transaction's own of an earlier command, and
   * needs no lock if it is changed at once: nobody has locked it, and all see that it is changed. After
   * `expectChanges`. */
  claimRow(
    { tree }: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): boolean {
    const { transaction, claims } = this;
    if (!claims.covers(transaction, tree, keyBytes, keyStart, keyEnd)) return false;
    if (!claims.isFree(transaction, tree, keyBytes, keyStart, keyEnd)) return false;
    const { writes, command } = transaction;
    const own = writes.find(tree, keyBytes, keyStart, keyEnd)?.latest ?? null;
    if (own !== null) return own.bytes !== null && own.command < command;
    return this.isAsSeen(tree, keyBytes, keyStart, keyEnd);
  }

  /** Locks a row that could be claimed and that the transaction has not changed itself, without an entry for
   * it in the lock table. After `expectChanges`; false: it has to be locked by itself. */
  claimLock(
    { tree }: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    strength: RowLockStrength,
  ): boolean {
    const { transaction, claims } = this;
    const { writes } = transaction;
    const mode = ROW_LOCK[strength];
    if (!claims.covers(transaction, tree, keyBytes, keyStart, keyEnd)) return false;
    if (!claims.isFree(transaction, tree, keyBytes, keyStart, keyEnd, mode)) return false;
    const own = writes.find(tree, keyBytes, keyStart, keyEnd)?.latest ?? null;
    if (own !== null || !this.isAsSeen(tree, keyBytes, keyStart, keyEnd)) return false;
    writes.lock(tree, keyBytes, keyStart, keyEnd, mode);
    return true;
  }

  /** Whether the newest row at a key, which the transaction has not changed, is the one that its snapshot
   * shows. */
  private isAsSeen(tree: TreeId, bytes: Uint8Array, start: number, end: number): boolean {
    const { newest, moves } = this;
    const { snapshot } = this.transaction;
    if (snapshot === this.newestLsn()) return true;
    if (moves.target(tree, bytes, start, end, snapshot) !== undefined) return false;
    return this.findNewest(tree, bytes, start, end) && newest.rowLsn <= snapshot;
  }

  private lockKey(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    strength: RowLockStrength,
    waitPolicy: 'block' | 'nowait' | 'skip',
    snapshot = -1,
  ): 'locked' | 'wait' | 'skipped' {
    const { transaction, claims } = this;
    const { tree } = table;
    const mode = ROW_LOCK[strength];
    const wait = waitPolicy === 'block';
    let granted = claims.awaitOthers(transaction, tree, keyBytes, keyStart, keyEnd, mode, wait);
    if (granted === 'granted') {
      const tag = rowLockTag(tree, keyBytes, keyStart, keyEnd);
      granted = this.locks.acquire(transaction, 'row', tag, mode, wait);
    }
    if (granted === 'granted') return 'locked';
    // Nobody waits for a row that he will be refused, as it has changed since.
    if (snapshot >= 0 && transaction.keepsSnapshot) {
      this.compareWithNewest(table, keyBytes, keyStart, keyEnd, strength, snapshot);
    }
    if (granted === 'waiting') return 'wait';
    if (waitPolicy === 'skip') return 'skipped';
    throw pgError('lock_not_available', `could not obtain lock on row in relation "${table.name}"`);
  }

  insert(
    table: RelationDescriptor,
    columns: readonly ColumnVector[],
    row: number,
    arbiters: readonly number[] | null,
  ): 'done' | 'conflict' | 'wait' {
    const shape = this.shape(table);
    const { transaction, key } = this;
    key.reset();
    if (shape.cluster.columns !== null) {
      encodeClusterKey(shape.cluster, columns, row, key);
      checkKeyLength(key, shape.clusteredIndex);
    }
    // A row that conflicts where that is foreseen conflicts there, whatever its other keys are, and
    // claims none of them.
    if (
      arbiters !== null &&
      shape.uniqueIndexes.length > 0 &&
      !this.hasPassedArbiters(table, shape, arbiters)
    ) {
      const taken = this.checkArbiters(table, shape, columns, row, arbiters);
      if (taken !== 'free') return taken;
    }
    let isSuccessor = false;
    if (shape.cluster.columns === null) {
      encodeRowId(this.rowIds.next(table.tree), key);
    } else {
      const taken = this.claimClustered(table, shape, columns, row, arbiters, true);
      if (taken !== 'free') return taken;
      isSuccessor = this.followsOwnDelete;
    }
    const taken = this.claimUnique(table, shape, columns, row, arbiters, true);
    if (taken !== 'free') return taken;
    // Who waits for the row that was at this key is not to take the new one for it.
    if (isSuccessor) this.moves.record(transaction, table.tree, key.bytes, 0, key.position, null);
    const tuple = this.tuple.reset();
    encodeTuple(shape.layout, columns, row, tuple);
    const { writes, command } = transaction;
    writes.put(table.tree, key.bytes, 0, key.position, tuple.bytes, 0, tuple.position, command);
    for (const index of shape.indexes) {
      const out = this.newIndexKey.reset();
      if (!this.encodeEntry(index, columns, row, key.bytes, 0, key.position, out)) continue;
      checkKeyLength(out, index.descriptor);
      writes.put(index.tree, out.bytes, 0, out.position, key.bytes, 0, key.position, command);
    }
    return 'done';
  }

  /** The command has found the row's keys free where a conflict is foreseen, and has waited for another of them since. */
  private hasPassedArbiters(
    { tree }: RelationDescriptor,
    { clusteredIndex, uniqueIndexes }: TableShape,
    arbiters: readonly number[],
  ): boolean {
    const { keyWait, command } = this.transaction;
    if (keyWait === null || keyWait.command !== command) return false;
    const index =
      keyWait.tree === tree
        ? clusteredIndex
        : uniqueIndexes.find((unique) => unique.tree === keyWait.tree)?.descriptor;
    return index != null && !isArbiter(arbiters, index);
  }

  /** Looks whether the new row's keys are free where a conflict is foreseen, without claiming them. */
  private checkArbiters(
    table: RelationDescriptor,
    shape: TableShape,
    columns: readonly ColumnVector[],
    row: number,
    arbiters: readonly number[],
  ): 'free' | 'conflict' | 'wait' {
    const { clusteredIndex } = shape;
    if (clusteredIndex !== null && isArbiter(arbiters, clusteredIndex)) {
      const taken = this.claimClustered(table, shape, columns, row, arbiters, false);
      if (taken !== 'free') return taken;
    }
    return this.claimUnique(table, shape, columns, row, arbiters, false);
  }

  /** Claims the clustered key of a new row, which `key` has. */
  private claimClustered(
    table: RelationDescriptor,
    { clusteredIndex }: TableShape,
    columns: readonly ColumnVector[],
    row: number,
    arbiters: readonly number[] | null,
    claims: boolean,
  ): 'free' | 'conflict' | 'wait' {
    const { bytes, position } = this.key;
    const taken = this.claimKey(table, table.tree, bytes, 0, position, claims);
    if (taken !== 'exists') return taken;
    return this.duplicate(table, clusteredIndex, columns, row, arbiters, bytes, 0, position);
  }

  /** Claims the keys of a new row in the unique indexes; or only looks at those that are arbiters. */
  private claimUnique(
    table: RelationDescriptor,
    shape: TableShape,
    columns: readonly ColumnVector[],
    row: number,
    arbiters: readonly number[] | null,
    claims: boolean,
  ): 'free' | 'conflict' | 'wait' {
    for (const index of shape.uniqueIndexes) {
      if (!claims && !isArbiter(arbiters, index.descriptor)) continue;
      if (!hasEntry(index.key, columns, row)) continue;
      const out = this.newIndexKey.reset();
      if (!isUniqueEntry(index.key, encodeIndexColumns(index.key, columns, row, out))) continue;
      checkKeyLength(out, index.descriptor);
      const taken = this.claimKey(table, index.tree, out.bytes, 0, out.position, claims);
      if (taken === 'wait') return 'wait';
      if (taken === 'exists') {
        const { found } = this;
        const { descriptor } = index;
        const { bytes, start, end } = found;
        return this.duplicate(table, descriptor, columns, row, arbiters, bytes, start, end);
      }
    }
    return 'free';
  }

  update(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    oldColumns: readonly ColumnVector[],
    newColumns: readonly ColumnVector[],
    row: number,
    changed: readonly number[],
  ): 'done' | 'conflict' | 'wait' {
    const shape = this.shape(table);
    const { transaction } = this;
    const key = this.key.reset();
    if (shape.cluster.columns !== null && intersects(shape.cluster.columns, changed)) {
      encodeClusterKey(shape.cluster, newColumns, row, key);
    } else {
      key.range(keyBytes, keyStart, keyEnd);
    }
    const moved = compareByteRanges(key.bytes, 0, key.position, keyBytes, keyStart, keyEnd) !== 0;
    if (moved || this.changesUnique(table, shape, oldColumns, newColumns, row, changed)) {
      if (!this.lockIdentity(table.tree, keyBytes, keyStart, keyEnd)) return 'wait';
    }
    if (moved) {
      checkKeyLength(key, shape.clusteredIndex);
      const taken = this.claimKey(table, table.tree, key.bytes, 0, key.position);
      if (taken === 'wait') return this.waitToChange(table, keyBytes, keyStart, keyEnd);
      if (taken === 'exists') {
        const { bytes, position } = key;
        const index = shape.clusteredIndex!;
        throw this.duplicateError(table, index, newColumns, row, bytes, 0, position);
      }
    }
    for (const index of shape.uniqueIndexes) {
      if (!intersects(index.key.reads, changed) || !hasEntry(index.key, newColumns, row)) continue;
      const out = this.newIndexKey.reset();
      if (!isUniqueEntry(index.key, encodeIndexColumns(index.key, newColumns, row, out))) continue;
      checkKeyLength(out, index.descriptor);
      if (hasEntry(index.key, oldColumns, row)) {
        const old = this.oldIndexKey.reset();
        const oldNull = encodeIndexColumns(index.key, oldColumns, row, old);
        const { bytes, position } = old;
        if (compareByteRanges(out.bytes, 0, out.position, bytes, 0, position) === 0) continue;
        if (isUniqueEntry(index.key, oldNull) && !this.lockEntry(index.tree, old)) return 'wait';
      }
      const taken = this.claimKey(table, index.tree, out.bytes, 0, out.position);
      if (taken === 'wait') return this.waitToChange(table, keyBytes, keyStart, keyEnd);
      if (taken === 'exists') {
        const { bytes, start, end } = this.found;
        throw this.duplicateError(table, index.descriptor, newColumns, row, bytes, start, end);
      }
    }
    const { writes, command } = transaction;
    const tuple = this.tuple.reset();
    encodeTuple(shape.layout, newColumns, row, tuple);
    if (moved) {
      writes.delete(table.tree, keyBytes, keyStart, keyEnd, command);
      this.moves.record(transaction, table.tree, keyBytes, keyStart, keyEnd, key.copy());
    }
    writes.put(table.tree, key.bytes, 0, key.position, tuple.bytes, 0, tuple.position, command);
    for (const index of shape.indexes) {
      if (!moved && !intersects(index.key.reads, changed)) continue;
      const { tree } = index;
      const old = this.oldIndexKey.reset();
      const had = this.encodeEntry(index, oldColumns, row, keyBytes, keyStart, keyEnd, old);
      const out = this.newIndexKey.reset();
      const has = this.encodeEntry(index, newColumns, row, key.bytes, 0, key.position, out);
      if (has) checkKeyLength(out, index.descriptor);
      const same =
        had &&
        has &&
        compareByteRanges(out.bytes, 0, out.position, old.bytes, 0, old.position) === 0;
      if (same && !moved) continue;
      if (had && !same) writes.delete(tree, old.bytes, 0, old.position, command);
      if (has) writes.put(tree, out.bytes, 0, out.position, key.bytes, 0, key.position, command);
    }
    return 'done';
  }

  /** A row waits for its new key. To others it is changed already, so that they wait for what becomes of it. */
  private waitToChange(
    { tree }: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): 'wait' {
    const { keyWait } = this.transaction;
    if (keyWait !== null) keyWait.row = rowLockTag(tree, keyBytes, keyStart, keyEnd);
    return 'wait';
  }

  private changesUnique(
    table: RelationDescriptor,
    { uniqueColumns }: TableShape,
    oldColumns: readonly ColumnVector[],
    newColumns: readonly ColumnVector[],
    row: number,
    changed: readonly number[],
  ): boolean {
    return changed.some((column) => {
      if (!uniqueColumns.includes(column)) return false;
      const type = typeByOid(table.columns[column]!.type);
      return !sameDatum(type, oldColumns[column]!, row, newColumns[column]!, row);
    });
  }

  /** Appends the key of a row's entry in an index; false where it has none. */
  private encodeEntry(
    { key }: IndexShape,
    columns: readonly ColumnVector[],
    row: number,
    clusterKey: Uint8Array,
    start: number,
    end: number,
    out: ByteWriter,
  ): boolean {
    if (!hasEntry(key, columns, row)) return false;
    encodeIndexEntry(key, columns, row, clusterKey, start, end, out);
    return true;
  }

  delete(
    table: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    oldColumns: readonly ColumnVector[],
    row: number,
  ): 'done' | 'conflict' | 'wait' {
    const shape = this.shape(table);
    const { writes, command } = this.transaction;
    for (const index of shape.uniqueIndexes) {
      if (!hasEntry(index.key, oldColumns, row)) continue;
      const old = this.oldIndexKey.reset();
      if (!isUniqueEntry(index.key, encodeIndexColumns(index.key, oldColumns, row, old))) continue;
      if (!this.lockEntry(index.tree, old)) return 'wait';
    }
    writes.delete(table.tree, keyBytes, keyStart, keyEnd, command);
    for (const index of shape.indexes) {
      const old = this.oldIndexKey.reset();
      if (!this.encodeEntry(index, oldColumns, row, keyBytes, keyStart, keyEnd, old)) continue;
      writes.delete(index.tree, old.bytes, 0, old.position, command);
    }
    return 'done';
  }

  /** Deletes a row as it goes to another partition of `whole`. What it looks like there matters to
   * those alone who watch changes. */
  moveOut(
    table: RelationDescriptor,
    _whole: RelationDescriptor,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    oldColumns: readonly ColumnVector[],
    _newColumns: readonly ColumnVector[],
    row: number,
  ): 'done' | 'conflict' | 'wait' {
    const { transaction, moves, claims } = this;
    const free = claims.awaitOthers(transaction, table.tree, keyBytes, keyStart, keyEnd);
    if (free === 'waiting') return 'wait';
    const tag = rowLockTag(table.tree, keyBytes, keyStart, keyEnd);
    const granted = this.locks.acquire(transaction, 'row', tag, ROW_LOCK.update, true);
    if (granted === 'waiting') return 'wait';
    const outcome = this.delete(table, keyBytes, keyStart, keyEnd, oldColumns, row);
    if (outcome === 'done') {
      moves.record(transaction, table.tree, keyBytes, keyStart, keyEnd, OUT_OF_TABLE);
    }
    return outcome;
  }

  /** The row's identity changes, which conflicts with those who rely on it (FOR KEY SHARE). False when it
   * has to wait for them. */
  private lockIdentity(tree: TreeId, bytes: Uint8Array, start: number, end: number): boolean {
    const { transaction, claims } = this;
    if (claims.awaitOthers(transaction, tree, bytes, start, end) === 'waiting') return false;
    if (claims.covers(transaction, tree, bytes, start, end)) {
      claims.changeIdentity(transaction, tree);
      return true;
    }
    const tag = rowLockTag(tree, bytes, start, end);
    return this.locks.acquire(transaction, 'row', tag, ROW_LOCK.update, true) !== 'waiting';
  }

  /** Locks a unique index entry that is to go away, so that who wants its key waits for the end of
   * the transaction. False when it has to wait itself. */
  private lockEntry(tree: TreeId, entry: ByteWriter): boolean {
    const { bytes, position } = entry;
    if (this.claims.covers(this.transaction, tree, bytes, 0, position)) return true;
    const tag = rowLockTag(tree, bytes, 0, position);
    return this.locks.acquire(this.transaction, 'row', tag, ROW_LOCK.update, true) !== 'waiting';
  }

  /** Value of the entry that `claimKey` found in the way. */
  private readonly found = { bytes: NOTHING, start: 0, end: 0 };

  /** After `claimKey` said 'free': the transaction itself had deleted what was there. */
  private followsOwnDelete = false;

  /** Makes sure that no other transaction can take the key, and says whether it is taken already. Without
   * `isClaim` it only says so, where it need not wait for another transaction to know. */
  private claimKey(
    table: RelationDescriptor,
    tree: TreeId,
    bytes: Uint8Array,
    start: number,
    end: number,
    isClaim = true,
  ): 'free' | 'exists' | 'wait' {
    const taken = this.takeKey(table, tree, bytes, start, end, isClaim);
    const { transaction } = this;
    if (taken === 'free' && isClaim && transaction.keepsSnapshot && !this.followsOwnDelete) {
      this.noteTwofold(tree, bytes, start, end);
    }
    return taken;
  }

  /** What is free by now may be a row's to the transaction's snapshot. */
  private noteTwofold(tree: TreeId, bytes: Uint8Array, start: number, end: number): void {
    const { newest, snapshotGap } = this;
    const { snapshot, writes } = this.transaction;
    if (snapshot === this.newestLsn()) return;
    if (snapshotGap.includes(tree, snapshot, bytes, start, end)) return;
    if (this.find(tree, snapshot, bytes, start, end)) {
      writes.tree(tree).noteTwofold(bytes, start, end);
    } else snapshotGap.learn(tree, snapshot, bytes, start, end, newest, this.hasNext);
  }

  private takeKey(
    table: RelationDescriptor,
    tree: TreeId,
    bytes: Uint8Array,
    start: number,
    end: number,
    isClaim: boolean,
  ): 'free' | 'exists' | 'wait' {
    const { transaction, locks, claims } = this;
    const own = transaction.writes.find(tree, bytes, start, end)?.latest ?? null;
    this.followsOwnDelete = false;
    if (own !== null) {
      this.followsOwnDelete = own.bytes === null;
      if (own.bytes === null) return 'free';
      setRange(this.found, own.bytes, own.start, own.end);
      return 'exists';
    }
    const isInGap = this.gap.includes(tree, this.newestLsn(), bytes, start, end);
    const exists = !isInGap && this.findNewest(tree, bytes, start, end);
    if (claims.awaitChanges(transaction, tree, bytes, start, end) === 'waiting') return 'wait';
    if (!exists && claims.covers(transaction, tree, bytes, start, end)) {
      if (!isInGap) this.learnGap(tree, bytes, start, end);
      if (transaction.keyWait !== null) this.endWait(tree, null);
      return 'free';
    }
    const tag = rowLockTag(tree, bytes, start, end);
    if (exists) {
      const pending = locks.holders(tag).some((holder) => {
        if (holder === transaction) return false;
        if (waitsToChange(holder, tag)) return true;
        const entry = holder.writes.find(tree, bytes, start, end);
        return entry !== null && entry.latest !== null;
      });
      if (!pending && !locks.isMarked(tag)) {
        const { valueBytes, valueStart, valueEnd } = this.newest;
        setRange(this.found, valueBytes, valueStart, valueEnd);
        if (tree !== table.tree && !this.awaitRow(table, tree)) return 'wait';
        if (transaction.keyWait !== null) this.endWait(tree, null);
        return 'exists';
      }
      // Who relies on the row's key alone has nothing to do with whether it stays.
      if (!this.awaitLock(tree, tag, ROW_LOCK.share)) return 'wait';
      locks.releaseOne(transaction, tag, ROW_LOCK.share);
    } else if (!isClaim && !locks.isTaken(tag) && !locks.isMarked(tag)) return 'free';
    // The row that was waited for is gone: others may have waited with this one.
    if (transaction.keyWait?.mode === ROW_LOCK.share) this.endWait(tree, null);
    if (!this.awaitLock(tree, tag, ROW_LOCK.update)) return 'wait';
    // Who only looks keeps what he has waited for until he claims it.
    if (isClaim && transaction.keyWait !== null) this.endWait(tree, tag);
    return 'free';
  }

  /** Waits for who is changing the row that has the key `found` in an index, as he may yet give it up.
   * False while it has to wait. */
  private awaitRow(table: RelationDescriptor, index: TreeId): boolean {
    const { transaction, locks, claims } = this;
    const { bytes, start, end } = this.found;
    if (claims.awaitChanges(transaction, table.tree, bytes, start, end) === 'waiting') return false;
    const tag = rowLockTag(table.tree, bytes, start, end);
    if (locks.isHeld(transaction, tag, ROW_LOCK.share)) return true;
    const isChanging = (other: Transaction): boolean =>
      other.writes.find(table.tree, bytes, start, end)?.latest != null || waitsToChange(other, tag);
    if (!locks.isMarked(tag) && !locks.holders(tag).some(isChanging)) return true;
    if (!this.awaitLock(index, tag, ROW_LOCK.share)) return false;
    locks.releaseOne(transaction, tag, ROW_LOCK.share);
    return true;
  }

  private awaitLock(tree: TreeId, tag: string, mode: number): boolean {
    const { transaction } = this;
    if (this.locks.acquire(transaction, 'row', tag, mode, true, true) === 'granted') return true;
    transaction.keyWait = { tree, tag, mode, command: transaction.command, row: null };
    return false;
  }

  /** The key of the tree that the command has waited for is known now: of the lock that it waited for it
   * keeps that of a key it claims, and no other. A row that has the key is for others to lock. */
  private endWait(tree: TreeId, claimed: string | null): void {
    const { transaction } = this;
    const wait = transaction.keyWait!;
    if (wait.tree !== tree) return;
    transaction.keyWait = null;
    if (wait.command !== transaction.command || wait.tag === claimed) return;
    this.locks.releaseOne(transaction, wait.tag, wait.mode);
  }

  private findNewest(tree: TreeId, bytes: Uint8Array, start: number, end: number): boolean {
    return this.find(tree, this.newestLsn(), bytes, start, end);
  }

  /** Whether a tree has a key as of a commit; the cursor `newest` stands on it or the next one. */
  private find(
    tree: TreeId,
    commit: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const { newest } = this;
    newest.reset(tree, commit);
    const key = start === 0 ? bytes : bytes.subarray(start, end);
    this.hasNext = newest.seek(key, end - start, 'ge');
    if (!this.hasNext) return false;
    const { keyBytes, keyStart, keyEnd } = newest;
    return compareByteRanges(keyBytes, keyStart, keyEnd, bytes, start, end) === 0;
  }

  /** After `find`: whether the cursor `newest` stands on the key or the next one. */
  private hasNext = false;

  private learnGap(tree: TreeId, bytes: Uint8Array, start: number, end: number): void {
    this.gap.learn(tree, this.newestLsn(), bytes, start, end, this.newest, this.hasNext);
  }

  /** After 'moved': the key that the row was given, and the commit that did it. */
  private target: Uint8Array = NOTHING;
  private movedLsn = 0;
  /** What `lockRow` was called for. */
  private locksOnly = false;

  /** Compares the row that the snapshot shows with the newest one, the lock being held. */
  private compareWithNewest(
    table: RelationDescriptor,
    bytes: Uint8Array,
    start: number,
    end: number,
    strength: RowLockStrength,
    snapshot: number,
  ): 'locked' | 'changed' | 'deleted' | 'moved' {
    const { newest } = this;
    const moved = this.moves.target(table.tree, bytes, start, end, snapshot);
    if (moved === undefined && this.findNewest(table.tree, bytes, start, end)) {
      if (newest.rowLsn <= snapshot) return 'locked';
      // Who relies on the row's key alone need not care for changes of the rest.
      if (strength === 'keyShare' && this.keepsKeys(table, bytes, start, end, snapshot)) {
        return 'locked';
      }
      this.refuseInRepeatableRead('update');
      return this.takeChanged(bytes, start, end);
    }
    return this.follow(moved);
  }

  /** Whether the newest row, at which the cursor `newest` stands, has the unique keys of the one that
   * the snapshot shows. Where it has not, the cursor stands as before. */
  private keepsKeys(
    table: RelationDescriptor,
    bytes: Uint8Array,
    start: number,
    end: number,
    snapshot: number,
  ): boolean {
    const { uniqueColumns, layout } = this.shape(table);
    if (uniqueColumns.length === 0) return true;
    const { newest } = this;
    const now = newest.valueBytes.slice(newest.valueStart, newest.valueEnd);
    newest.reset(table.tree, snapshot);
    const key = start === 0 ? bytes : bytes.subarray(start, end);
    const seen = newest.seek(key, end - start, 'ge');
    const { valueBytes, valueStart } = newest;
    const keeps =
      seen &&
      uniqueColumns.every((column) => {
        const type = typeByOid(table.columns[column]!.type);
        const vector = createVector(type, 2);
        readColumnOfTuple(layout, column, now, 0, vector, 0);
        readColumnOfTuple(layout, column, valueBytes, valueStart, vector, 1);
        return sameDatum(type, vector, 0, vector, 1);
      });
    if (!keeps) this.findNewest(table.tree, bytes, start, end);
    return keeps;
  }

  /** The same of a row that went to the key `target`, which the transaction has locked. */
  private compareMoved(
    table: RelationDescriptor,
    target: Uint8Array,
  ): 'changed' | 'deleted' | 'moved' {
    const moved = this.moves.target(table.tree, target, 0, target.length, this.movedLsn);
    if (moved === undefined && this.findNewest(table.tree, target, 0, target.length)) {
      return this.takeChanged(target, 0, target.length);
    }
    return this.follow(moved);
  }

  private follow(move: RowMove | undefined): 'deleted' | 'moved' {
    const target = move?.target ?? null;
    this.refuseInRepeatableRead(target === null && !this.locksOnly ? 'delete' : 'update');
    if (target === null) return 'deleted';
    if (target === OUT_OF_TABLE) {
      throw pgError(
        'serialization_failure',
        'tuple to be locked was already moved to another partition due to concurrent update',
      );
    }
    this.target = target;
    this.movedLsn = move!.lsn;
    return 'moved';
  }

  private takeChanged(bytes: Uint8Array, start: number, end: number): 'changed' {
    const { newest } = this;
    setRange(this.changedKey, bytes, start, end);
    setRange(this.changedTuple, newest.valueBytes, newest.valueStart, newest.valueEnd);
    return 'changed';
  }

  private refuseInRepeatableRead(change: 'update' | 'delete'): void {
    if (!this.transaction.keepsSnapshot) return;
    throw pgError(
      'serialization_failure',
      `could not serialize access due to concurrent ${change}`,
    );
  }

  private duplicate(
    table: RelationDescriptor,
    index: IndexDescriptor | null,
    columns: readonly ColumnVector[],
    row: number,
    arbiters: readonly number[] | null,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): 'conflict' {
    if (index === null || !isArbiter(arbiters, index))
      throw this.duplicateError(table, index!, columns, row, keyBytes, keyStart, keyEnd);
    const { transaction } = this;
    // The row in the way must be one that the transaction can see, or there is no telling what to do.
    const key = keyBytes.slice(keyStart, keyEnd);
    const own = transaction.writes.find(table.tree, key, 0, key.length)?.latest ?? null;
    if (own === null && transaction.keepsSnapshot) {
      const exists = this.findNewest(table.tree, key, 0, key.length);
      if (exists && this.newest.rowLsn > transaction.snapshot)
        this.refuseInRepeatableRead('update');
    }
    transaction.reads?.addKey(table.tree, key, 0, key.length);
    setRange(this.conflictKey, key, 0, key.length);
    return 'conflict';
  }

  /** The error says that the row at a key is there, so a SERIALIZABLE transaction has read that. When
   * what it had read before has changed, the key may be in the way for that very reason, and to try
   * again is the answer. */
  private duplicateError(
    table: RelationDescriptor,
    index: IndexDescriptor,
    columns: readonly ColumnVector[],
    row: number,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): PgError {
    const { reads } = this.transaction;
    if (reads !== null) {
      reads.verify('during write');
      reads.addKey(table.tree, keyBytes, keyStart, keyEnd);
    }
    return duplicateKey(table, index, columns, row);
  }

  private shape(table: RelationDescriptor): TableShape {
    let shape = this.shapes.get(table);
    if (shape === undefined) {
      shape = shapeOf(table);
      this.shapes.set(table, shape);
    }
    return shape;
  }
}

/** Whether a transaction changes a row and waits for the key that the row is to have. */
function waitsToChange({ waitingFor, keyWait }: Transaction, row: string): boolean {
  return waitingFor !== null && keyWait?.row === row;
}

/** Whether a conflict in the index is foreseen: an empty list names them all. */
function isArbiter(arbiters: readonly number[] | null, { oid }: IndexDescriptor): boolean {
  return arbiters !== null && (arbiters.length === 0 || arbiters.includes(oid));
}

/** Hands out hidden row ids, ascending, for tables without a primary key. */
export interface RowIds {
  next(tree: TreeId): number;
}

/** Remembers where rows went whose clustering key was updated, so that those who waited for the old
 * key find the row again; and at which keys other rows took the place of deleted ones. */
export interface RowMoves {
  /** `target`: the row's new key; null when the row at this key is another one from now on. */
  record(
    transaction: Transaction,
    tree: TreeId,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    target: RowMove['target'],
  ): void;
  /** What happened to the row at a key first after a snapshot; undefined when it never moved. */
  target(
    tree: TreeId,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    snapshot: number,
  ): RowMove | undefined;
}

/** In the place of a key: the row is in another partition, where nobody finds it by its old key. */
export const OUT_OF_TABLE = 'out of table';

export interface RowMove {
  readonly target: Uint8Array | typeof OUT_OF_TABLE | null;
  /** The commit of the transaction that did it. */
  readonly lsn: number;
}

interface IndexShape {
  readonly descriptor: IndexDescriptor;
  readonly tree: TreeId;
  readonly key: IndexKey;
}

/** What of a descriptor row changes need, worked out once. */
interface TableShape {
  readonly layout: TupleLayout;
  readonly cluster: ClusterKey;
  readonly clusteredIndex: IndexDescriptor | null;
  /** Secondary indexes: all, and the unique ones. */
  readonly indexes: readonly IndexShape[];
  readonly uniqueIndexes: readonly IndexShape[];
  /** Columns of the unique indexes that foreign keys can refer to. */
  readonly uniqueColumns: readonly number[];
}

function shapeOf(table: RelationDescriptor): TableShape {
  const indexes = indexPlaces(table)
    .filter(({ index }) => !index.clustered)
    .map(({ index, first }) => ({
      descriptor: index,
      tree: index.tree,
      key: indexKeyOf(table, index, first),
    }));
  const uniqueIndexes = indexes.filter((index) => index.key.unique);
  return {
    layout: layoutOf(table),
    cluster: clusterKeyOf(table),
    clusteredIndex: table.indexes.find((index) => index.clustered) ?? null,
    indexes,
    uniqueIndexes,
    uniqueColumns: uniqueIndexes
      .filter(({ descriptor }) => computedParts(descriptor).length === 0)
      .flatMap(({ key }) => key.columns),
  };
}

const NOTHING = new Uint8Array(0);

function duplicateKey(
  table: RelationDescriptor,
  index: IndexDescriptor,
  columns: readonly ColumnVector[],
  row: number,
) {
  const place = indexPlaces(table).find((one) => one.index === index);
  const key = indexKeyOf(table, index, place?.first);
  const values = key.columns.map((position, i) => {
    const type = key.types[i]!;
    const value = readDatum(columns[position]!, row, type);
    return value === null ? 'null' : type.output(value, DEFAULT_TYPE_CONTEXT);
  });
  return pgError(
    'unique_violation',
    `duplicate key value violates unique constraint "${index.name}"`,
    {
      detail: `Key (${keyNames(table, index)})=(${values.join(', ')}) already exists.`,
      table: table.name,
      constraint: index.name,
    },
  );
}

function intersects(a: readonly number[], b: readonly number[]): boolean {
  for (const item of a) if (b.includes(item)) return true;
  return false;
}

function setRange(
  range: { bytes: Uint8Array; start: number; end: number },
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  range.bytes = bytes;
  range.start = start;
  range.end = end;
}
