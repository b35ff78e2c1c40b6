import { assert } from '../../base/index.ts';
import type { PageNumber } from '../page/index.ts';
import { DEPTH_MAX } from './page-tree-cursor.ts';

/** The branch pages from the root to a leaf, and the child taken in each. */
export class TreePath {
  readonly pages = new Int32Array(DEPTH_MAX);
  readonly indexes = new Int32Array(DEPTH_MAX);
  depth = 0;
  /** Whether every step took the last child. */
  isRightmost = true;

  reset(): void {
    this.depth = 0;
    this.isRightmost = true;
  }

  push(page: PageNumber, index: number, isLast: boolean): void {
    assert(this.depth < DEPTH_MAX, 'a tree is too deep');
    this.pages[this.depth] = page;
    this.indexes[this.depth] = index;
    this.depth++;
    if (!isLast) this.isRightmost = false;
  }

  pageAt(depth: number): PageNumber {
    return this.pages[depth]! as PageNumber;
  }

  /** The root's content moved to a new page, its first child. */
  pushRoot(root: PageNumber): void {
    assert(this.depth < DEPTH_MAX, 'a tree is too deep');
    this.pages.copyWithin(1, 0, this.depth);
    this.indexes.copyWithin(1, 0, this.depth);
    this.pages[0] = root;
    this.indexes[0] = 0;
    this.depth++;
  }
}
