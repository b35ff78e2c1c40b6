import { expect, test } from 'vitest';
import { BulkLoader, estimateEntries } from '../../../src/storage/btree/index.ts';
import { intKey, Store, T1 } from '../store.ts';

test.each([0, 1, 200])('the entries of one page are counted: %d', (count) => {
  expect(estimate(count)).toBe(count);
});

// The last pages of a level have few children, so that one way down alone may be far off.
test.each([1_000, 30_000, 60_000, 62_000, 120_000])('about %d entries', (count) => {
  const guess = estimate(count);
  expect(guess).toBeGreaterThan(count / 1.6);
  expect(guess).toBeLessThan(count * 1.6);
});

function estimate(count: number): number {
  const store = new Store(1024);
  store.group((trees, lsn) => {
    trees.createTree(T1);
    const loader = new BulkLoader(trees, T1, 1);
    for (let n = 0; n < count; n++) loader.add(intKey(n), 0, 8, intKey(n), 0, 8, lsn);
    loader.finish();
  });
  const snapshot = store.snapshots.current();
  return store.reading(() =>
    estimateEntries(store.reader, store.roots.rootOf(T1, snapshot), snapshot),
  );
}
