import {
  childAt,
  OFFSET_KIND,
  PAGE_KIND_BRANCH,
  type PageNumber,
  slotCount,
} from '../page/index.ts';
import { type PageReader, PageRef } from '../pager/index.ts';

/** A guess at the number of entries below a root page: the fan-outs on the way down the middle of the
 * tree, multiplied. Exact for a tree of one page. */
export function estimateEntries(reader: PageReader, root: PageNumber, snapshot: number): number {
  const ref = new PageRef();
  let estimate = 1;
  reader.resolve(root, snapshot, ref);
  while (ref.bytes[ref.base + OFFSET_KIND] === PAGE_KIND_BRANCH) {
    const children = slotCount(ref.view, ref.base) + 1;
    estimate *= children;
    reader.resolve(childAt(ref.view, ref.base, children >> 1), snapshot, ref);
  }
  return estimate * slotCount(ref.view, ref.base);
}
