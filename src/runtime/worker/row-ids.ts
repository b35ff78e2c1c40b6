import type { RowIds, RowMoves } from '../../access/index.ts';
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

  private firstFree(tree: TreeId): number {
    const cursor = this.openNewest(tree);
    if (cursor === null || !cursor.last()) return 1;
    const { keyBytes, keyStart } = cursor;
    let id = 0;
    for (let i = 0; i < 8; i++) id = id * 256 + keyBytes[keyStart + i]!;
    return id + 1;
  }
}

/** Where rows went whose clustering key was updated by a transaction that committed lately. An entry
 * is needed while a statement may still see the row at its old key, so they are dropped when no
 * statement or transaction that is older than the commit is left. */
export class MovedRows implements RowMoves {
  private readonly pending = new Map<Transaction, Move[]>();
  private readonly committed = new Map<string, Move>();

  record(
    transaction: Transaction,
    tree: TreeId,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    target: Uint8Array,
  ): void {
    const moves = this.pending.get(transaction) ?? [];
    moves.push({ key: moveKey(tree, keyBytes, keyStart, keyEnd), target, lsn: 0 });
    this.pending.set(transaction, moves);
  }

  target(tree: TreeId, keyBytes: Uint8Array, keyStart: number, keyEnd: number): Uint8Array | null {
    if (this.committed.size === 0) return null;
    return this.committed.get(moveKey(tree, keyBytes, keyStart, keyEnd))?.target ?? null;
  }

  commit(transaction: Transaction, lsn: number): void {
    const moves = this.pending.get(transaction);
    if (moves === undefined) return;
    this.pending.delete(transaction);
    for (const move of moves) this.committed.set(move.key, { ...move, lsn });
  }

  abort(transaction: Transaction): void {
    this.pending.delete(transaction);
  }

  /** Forgets moves that every remaining snapshot sees as done. */
  trim(oldestSnapshot: number): void {
    for (const [key, move] of this.committed) {
      if (move.lsn <= oldestSnapshot) this.committed.delete(key);
    }
  }

  get isEmpty(): boolean {
    return this.committed.size === 0;
  }
}

interface Move {
  readonly key: string;
  readonly target: Uint8Array;
  readonly lsn: number;
}

function moveKey(tree: TreeId, key: Uint8Array, start: number, end: number): string {
  return `${tree}/${Buffer.from(key.buffer, key.byteOffset + start, end - start).toString('latin1')}`;
}
