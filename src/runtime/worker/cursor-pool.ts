import {
  type PageReader,
  PageTreeCursor,
  type TreeId,
  type TreeRoots,
} from '../../storage/index.ts';

/** Cursors on the pages that one thread uses again and again. */
export class CursorPool {
  private readonly reader: PageReader;
  private readonly roots: TreeRoots;
  private readonly idle: PageTreeCursor[] = [];

  constructor(reader: PageReader, roots: TreeRoots) {
    this.reader = reader;
    this.roots = roots;
  }

  take(tree: TreeId, snapshot: number): PageTreeCursor {
    const cursor = this.idle.pop() ?? new PageTreeCursor(this.reader, this.roots);
    cursor.reset(tree, snapshot);
    return cursor;
  }

  /** Takes a cursor back; others than its own are passed over. */
  give(cursor: unknown): void {
    if (cursor instanceof PageTreeCursor) this.idle.push(cursor);
  }
}
