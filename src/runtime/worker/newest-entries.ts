import type { Cursor, TreeId } from '../../storage/index.ts';
import { EMPTY_CURSOR } from './empty-cursor.ts';

/** What the cursor needs of the writer. */
export interface CommittedTrees {
  readonly roots: { find(tree: TreeId, snapshot: number): number };
  /** A cursor on the newest committed entries of a tree; null when the tree is not committed yet. */
  newestCursor(tree: TreeId): (Cursor & { reset(tree: TreeId, snapshot: number): void }) | null;
}

/** Looks up newest entries, of trees that may not have been committed yet. */
export class NewestEntries implements Cursor {
  private readonly trees: CommittedTrees;
  private cursor: Cursor = EMPTY_CURSOR;
  private open: ReturnType<CommittedTrees['newestCursor']> = null;

  constructor(trees: CommittedTrees) {
    this.trees = trees;
  }

  reset(tree: TreeId, snapshot: number): void {
    if (this.trees.roots.find(tree, snapshot) === 0) {
      this.cursor = EMPTY_CURSOR;
      return;
    }
    this.open ??= this.trees.newestCursor(tree)!;
    this.open.reset(tree, snapshot);
    this.cursor = this.open;
  }

  seek(key: Uint8Array, keyEnd: number, mode: 'ge' | 'gt' | 'le' | 'lt'): boolean {
    return this.cursor.seek(key, keyEnd, mode);
  }
  first(): boolean {
    return this.cursor.first();
  }
  last(): boolean {
    return this.cursor.last();
  }
  next(): boolean {
    return this.cursor.next();
  }
  prev(): boolean {
    return this.cursor.prev();
  }
  refresh(): void {
    this.cursor.refresh();
  }
  get keyBytes(): Uint8Array {
    return this.cursor.keyBytes;
  }
  get keyStart(): number {
    return this.cursor.keyStart;
  }
  get keyEnd(): number {
    return this.cursor.keyEnd;
  }
  get valueBytes(): Uint8Array {
    return this.cursor.valueBytes;
  }
  get valueStart(): number {
    return this.cursor.valueStart;
  }
  get valueEnd(): number {
    return this.cursor.valueEnd;
  }
  get rowLsn(): number {
    return this.cursor.rowLsn;
  }
}
