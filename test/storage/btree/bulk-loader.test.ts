import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes } from '../../../src/base/index.ts';
import { BulkLoader } from '../../../src/storage/btree/index.ts';
import { cursorKey, cursorValue, intKey, Store, T1, T2 } from '../store.ts';

test('a bulk load makes the tree that puts would make, in pages filled as asked', () => {
  const store = new Store(256);
  const count = 30_000;
  store.group((trees, lsn) => {
    trees.createTree(T1);
    trees.createTree(T2);
    const loader = new BulkLoader(trees, T1, 1);
    for (let n = 0; n < count; n++) loader.add(intKey(n), 0, 8, intKey(n), 0, 8, lsn);
    loader.finish();
    new BulkLoader(trees, T2).finish();
    expect(loader.entryCount).toBe(count);
  });
  const report = store.check();
  expect(report.defects).toEqual([]);
  // 34 bytes an entry, 240 of them in a page.
  expect(report.trees).toMatchObject([
    { tree: 1, entryCount: count, pageCount: 126, depth: 2 },
    { tree: 2, entryCount: 0, pageCount: 1, depth: 1 },
  ]);
  store.group((_, lsn) => {
    for (let n = 0; n < count; n += 3) store.put(T1, intKey(n), new Uint8Array(50), lsn);
  });
  expect(store.check().defects).toEqual([]);
  store.reading(() => {
    const cursor = store.cursor(T1);
    expect(cursor.seek(intKey(29_998), 8, 'ge')).toBe(true);
    expect(cursor.next()).toBe(true);
    expect(cursor.next()).toBe(false);
  });
});

test('a bulk load refuses keys that do not ascend', () => {
  const store = new Store();
  store.group((trees, lsn) => {
    trees.createTree(T1);
    const loader = new BulkLoader(trees, T1);
    loader.add(intKey(2), 0, 8, intKey(2), 0, 8, lsn);
    expect(() => loader.add(intKey(2), 0, 8, intKey(2), 0, 8, lsn)).toThrow('ascending');
  });
});

test('any ascending entries can be loaded, and then changed', () => {
  const entry = fc.record({
    key: fc.oneof(
      fc.uint8Array({ minLength: 0, maxLength: 12 }),
      fc.uint8Array({ minLength: 1000, maxLength: 2000, max: 2 }),
    ),
    size: fc.oneof(fc.nat(100), fc.nat(2000), fc.nat(20_000)),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 200, size: 'max' }), (unsorted) => {
      const entries = unsorted
        .sort((a, b) => compareBytes(a.key, b.key))
        .filter((e, i, all) => i === 0 || compareBytes(all[i - 1]!.key, e.key) !== 0);
      const store = new Store(256);
      store.group((trees, lsn) => {
        trees.createTree(T1);
        const loader = new BulkLoader(trees, T1);
        for (const { key, size } of entries) {
          loader.add(key, 0, key.length, new Uint8Array(size).fill(7), 0, size, lsn);
        }
        loader.finish();
      });
      expect(store.check().defects).toEqual([]);
      store.reading(() => {
        const cursor = store.cursor(T1);
        let on = cursor.first();
        for (const { key, size } of entries) {
          expect(on).toBe(true);
          expect(compareBytes(cursorKey(cursor), key)).toBe(0);
          expect(cursorValue(cursor).length).toBe(size);
          on = cursor.next();
        }
        expect(on).toBe(false);
      });
      entries.forEach(({ key }, i) => {
        store.group((trees) => {
          if (i % 2 === 0) trees.delete(T1, key, 0, key.length);
          else store.put(T1, key, new Uint8Array(10));
        });
      });
      expect(store.check().defects).toEqual([]);
      store.group((trees) => {
        for (const { key } of entries) trees.delete(T1, key, 0, key.length);
      });
      expect(store.check()).toMatchObject({
        defects: [],
        trees: [{ entryCount: 0, pageCount: 1 }],
      });
    }),
    { numRuns: 40 },
  );
});
