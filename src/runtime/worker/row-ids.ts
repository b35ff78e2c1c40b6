import { OUT_OF_TABLE, type RowIds, type RowMove, type RowMoves } from '../../access/index.ts';
import type { Cursor, TreeId } from '../../storage/index.ts';
import type { Transaction } from '../../txn/index.ts';

/** Hidden row ids: one more than the highest that the tree ever held while this process ran. */
export class RowIdCounters implements RowIds {
  private readonly next_ = new Map<TreeId, number>();
  private readonly openNewest: (tree: TreeId) => Cursor | null;

  /** `openNewest` gives a cursor on the newest committed entries of a tree that exists. */
  constructor(openNewest: (tree: TreeId) => Cursor | null) {
    this.openNewest = openNewest;
  }

  next(tree: TreeId): number {
    const id = this.next_.get(tree) ?? this.firstFree(tree);
    this.next_.set(tree, id + 1);
    return id;
  }

  /** The trees are gone. */
  forget(trees: readonly TreeId[]): void {
    for (const tree of trees) this.next_.delete(tree);
  }

  private firstFree(tree: TreeId): number {
    const cursor = this.openNewest(tree);
    if (cursor === null || !cursor.last()) return 1;
    const { keyBytes, keyStart } = cursor;
    let id = 0;
    for (let i = 0; i < 8; i++) id = id * 256 + keyBytes[keyStart + i]!;
    return id + 1;
  }
}

/** Where rows went whose clustering key was updated by a transaction that committed lately, and keys
 * at which another row took the place of a deleted one. An entry is needed while a statement may still
 * see the old row at the key, so they are dropped when no older snapshot is left. */
export class MovedRows implements RowMoves {
  private readonly pending = new Map<Transaction, Move[]>();
  /** Moves by old key, oldest first. */
  private readonly committed = new Map<string, Move[]>();
  /** The oldest commit in it. */
  private oldestLsn = Number.POSITIVE_INFINITY;

  record(
    transaction: Transaction,
    tree: TreeId,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    target: RowMove['target'],
  ): void {
    const moves = this.pending.get(transaction) ?? [];
    const key = moveKey(tree, keyBytes, keyStart, keyEnd);
    moves.push({ tree, key, target, lsn: 0, mark: transaction.writes.currentSegment });
    this.pending.set(transaction, moves);
  }

  target(
    tree: TreeId,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    snapshot: number,
  ): RowMove | undefined {
    if (this.committed.size === 0) return undefined;
    const moves = this.committed.get(moveKey(tree, keyBytes, keyStart, keyEnd));
    return moves?.find(({ lsn }) => lsn > snapshot);
  }

  /** Forgets what was done since a mark of the transaction's write set. */
  rollbackTo(transaction: Transaction, writeMark: number): void {
    const moves = this.pending.get(transaction);
    while (moves !== undefined && moves.length > 0 && moves.at(-1)!.mark >= writeMark) moves.pop();
  }

  commit(transaction: Transaction, lsn: number): void {
    const moves = this.pending.get(transaction);
    if (moves === undefined) return;
    this.pending.delete(transaction);
    this.oldestLsn = Math.min(this.oldestLsn, lsn);
    for (const move of netMoves(moves)) {
      const known = this.committed.get(move.key);
      if (known === undefined) this.committed.set(move.key, [{ ...move, lsn }]);
      else known.push({ ...move, lsn });
    }
  }

  abort(transaction: Transaction): void {
    this.pending.delete(transaction);
  }

  /** Forgets moves that every remaining snapshot sees as done. */
  trim(oldestSnapshot: number): void {
    if (oldestSnapshot < this.oldestLsn) return;
    this.oldestLsn = Number.POSITIVE_INFINITY;
    for (const [key, moves] of this.committed) {
      const kept = moves.filter(({ lsn }) => lsn > oldestSnapshot);
      for (const { lsn } of kept) this.oldestLsn = Math.min(this.oldestLsn, lsn);
      if (kept.length === 0) this.committed.delete(key);
      else if (kept.length < moves.length) this.committed.set(key, kept);
    }
  }

  get isEmpty(): boolean {
    return this.committed.size === 0;
  }
}

/** What the moves of one transaction come to for others: of several from one key the first is that of
 * the row they saw there, and a row that went on from where it went is at its last key. */
function netMoves(moves: readonly Move[]): Iterable<Move> {
  const net = new Map<string, Move>();
  /** Keys of `net` by the key that their rows have come to. */
  const arrived = new Map<string, string[]>();
  const put = (move: Move): void => {
    net.set(move.key, move);
    const { target } = move;
    if (target === null || target === OUT_OF_TABLE) return;
    const at = moveKey(move.tree, target, 0, target.length);
    const keys = arrived.get(at);
    if (keys === undefined) arrived.set(at, [move.key]);
    else keys.push(move.key);
  };
  for (const move of moves) {
    const keys = arrived.get(move.key) ?? [];
    arrived.delete(move.key);
    for (const key of keys) put({ ...net.get(key)!, target: move.target });
    if (!net.has(move.key)) put(move);
  }
  return net.values();
}

interface Move extends RowMove {
  readonly tree: TreeId;
  readonly key: string;
  /** The segment of the transaction's write set that it belongs to. */
  readonly mark: number;
}

function moveKey(tree: TreeId, key: Uint8Array, start: number, end: number): string {
  return `${tree}/${Buffer.from(key.buffer, key.byteOffset + start, end - start).toString('latin1')}`;
}
