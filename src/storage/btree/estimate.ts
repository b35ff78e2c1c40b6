import {
  childAt,
  OFFSET_KIND,
  PAGE_KIND_BRANCH,
  type PageNumber,
  slotCount,
} from '../page/index.ts';
import { isPageMiss, type PageReader, PageRef } from '../pager/index.ts';

/** Ways down the tree that are looked at. */
const DESCENTS = 8;

/** A guess at the number of entries below a root page. The fan-outs on one way down, multiplied, would be
 * right if all pages had as many children; as the last pages of a level often have few, the mean of
 * several ways is taken, which are spread evenly over the tree. Exact for a tree of one page. */
export function estimateEntries(reader: PageReader, root: PageNumber, snapshot: number): number {
  const ref = new PageRef();
  let sum = 0;
  let count = 0;
  let missed: unknown = null;
  for (let i = 0; i < DESCENTS; i++) {
    try {
      const entries = descend(reader, root, snapshot, ref, (i + 0.5) / DESCENTS);
      if (entries < 0) return slotCount(ref.view, ref.base);
      sum += entries;
      count++;
    } catch (thrown) {
      // Of a thread that reads no files, those ways count that are in memory.
      if (!isPageMiss(thrown)) throw thrown;
      missed = thrown;
    }
  }
  if (count === 0) throw missed;
  return Math.round(sum / count);
}

/** What one way down says, the one at `place` of the tree (0 .. 1); -1 where the root is a leaf. */
function descend(
  reader: PageReader,
  root: PageNumber,
  snapshot: number,
  ref: PageRef,
  place: number,
): number {
  reader.resolve(root, snapshot, ref);
  if (ref.bytes[ref.base + OFFSET_KIND] !== PAGE_KIND_BRANCH) return -1;
  let estimate = 1;
  let within = place;
  while (ref.bytes[ref.base + OFFSET_KIND] === PAGE_KIND_BRANCH) {
    const children = slotCount(ref.view, ref.base) + 1;
    const at = within * children;
    const child = Math.min(children - 1, Math.floor(at));
    estimate *= children;
    within = at - child;
    reader.resolve(childAt(ref.view, ref.base, child), snapshot, ref);
  }
  return estimate * slotCount(ref.view, ref.base);
}
