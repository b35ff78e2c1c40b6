import { expect, test } from 'vitest';
import type { PgError } from '../../../src/errors/index.ts';
import type { TreeId } from '../../../src/storage/index.ts';
import { cursorValue, intKey, Store, T1, T2 } from '../store.ts';

test('creating and dropping trees can be repeated, and gives all pages back', () => {
  const store = new Store();
  store.group((trees) => {
    trees.createTree(T1);
    trees.createTree(T2);
    trees.createTree(T1);
  });
  store.group((_, lsn) => {
    for (let n = 0; n < 5000; n++) store.put(T1, intKey(n), new Uint8Array(100), lsn);
    for (let n = 0; n < 20; n++) store.put(T1, intKey(n), new Uint8Array(50_000), lsn);
  });
  const before = store.check();
  expect(before).toMatchObject({ defects: [], trees: [{ entryCount: 5000 }, { entryCount: 0 }] });
  store.group((trees) => {
    trees.dropTree(T1);
    trees.dropTree(T1);
    expect(trees.hasTree(T1)).toBe(false);
    expect(trees.freeDropped(10)).toBe(true);
  });
  expect(store.check()).toMatchObject({
    defects: [],
    trees: [{ tree: 2 }, { tree: 1, isDropped: true }],
  });
  let isMore = true;
  while (isMore) {
    store.group((trees) => {
      isMore = trees.freeDropped(50);
    });
    expect(store.check().defects).toEqual([]);
  }
  const after = store.check();
  expect(after.trees).toHaveLength(1);
  expect(after.freePageCount).toBe(before.trees[0]!.pageCount);
  // The pages are used again before the file grows.
  store.group((trees, lsn) => {
    trees.createTree(3 as TreeId);
    for (let n = 0; n < 5000; n++) store.put(3 as TreeId, intKey(n), new Uint8Array(100), lsn);
  });
  expect(store.check()).toMatchObject({ defects: [], pageCount: before.pageCount });
});

test('a tree that does not exist cannot be read or written', () => {
  const store = new Store();
  expect(() => store.reading(() => store.cursor(T1).first())).toThrow('tree 1 does not exist');
  expect(() => store.group(() => store.put(T1, intKey(1), intKey(1)))).toThrow();
});

test('a key of 2000 bytes is stored and a longer one refused', () => {
  const store = new Store();
  store.group((trees) => {
    trees.createTree(T1);
    store.put(T1, new Uint8Array(2000), intKey(1));
    try {
      store.put(T1, new Uint8Array(2001), intKey(1));
      expect.unreachable();
    } catch (error) {
      expect((error as PgError).sqlstate).toBe('54000');
      expect((error as PgError).message).toBe(
        'index row size 2001 exceeds btree version 4 maximum 2000',
      );
    }
  });
});

test('a long value is read whole through cursor, lookup and leaf run, and its pages are freed', () => {
  const store = new Store();
  const value = new Uint8Array(1_000_000).map((_, i) => i * 31);
  store.group((trees, lsn) => {
    trees.createTree(T1);
    store.put(T1, intKey(1), intKey(1), lsn);
    store.put(T1, intKey(2), value, lsn);
    store.put(T1, intKey(3), intKey(3), lsn);
  });
  expect(store.check().trees[0]!.pageCount).toBe(1 + Math.ceil(1_000_000 / 8160));
  store.reading(() => {
    const cursor = store.cursor(T1);
    expect(cursor.seek(intKey(2), 8, 'ge')).toBe(true);
    expect(Buffer.compare(cursorValue(cursor), value)).toBe(0);
    cursor.refresh();
    expect(Buffer.compare(cursorValue(cursor), value)).toBe(0);
    const lookup = store.lookup();
    expect(lookup.find(store.roots.rootOf(T1, store.lsn), store.lsn, intKey(2), 0, 8)).toBe(true);
    const found = lookup.valueBytes.subarray(lookup.valueStart, lookup.valueEnd);
    expect(Buffer.compare(found, value)).toBe(0);
    expect(lookup.rowLsn).toBe(store.lsn);
    expect(cursor.first()).toBe(true);
    const run = cursor.leafRun(100)!;
    expect(run).toMatchObject({ count: 3, inPlace: false });
    for (const [i, expected] of [intKey(1), value, intKey(3)].entries()) {
      const bytes = run.bytesOf(i).subarray(run.valueStart[i], run.valueEnd[i]);
      expect(Buffer.compare(bytes, expected)).toBe(0);
    }
    expect(cursor.next()).toBe(false);
  });
  store.group(() => store.put(T1, intKey(2), intKey(2)));
  expect(store.check()).toMatchObject({ defects: [], trees: [{ pageCount: 1 }] });
});

test('leaf runs visit every entry once, whatever their size', () => {
  const store = new Store();
  store.group((trees, lsn) => {
    trees.createTree(T1);
    for (let n = 0; n < 3000; n++) store.put(T1, intKey(n), intKey(n), lsn);
  });
  for (const max of [1, 7, 100, 10_000]) {
    store.reading(() => {
      const cursor = store.cursor(T1);
      let n = 0;
      for (let on = cursor.first(); on; on = cursor.next()) {
        const run = cursor.leafRun(max)!;
        expect(run.count).toBeLessThanOrEqual(max);
        expect(run.inPlace).toBe(true);
        for (let i = 0; i < run.count; i++) {
          const value = run.bytes.slice(run.valueStart[i], run.valueEnd[i]);
          if (Buffer.compare(value, intKey(n++)) !== 0) expect.unreachable();
        }
      }
      expect(n).toBe(3000);
      expect(cursor.leafRun(1)).toBe(null);
    });
  }
});

test('a free list of several trunk pages is used up before the file grows', () => {
  const store = new Store();
  const value = new Uint8Array(40_000_000);
  const pageCount = Math.ceil(value.length / 8160);
  store.group((trees) => {
    trees.createTree(T1);
    store.put(T1, intKey(1), value);
  });
  const before = store.check();
  expect(before).toMatchObject({ defects: [], freePageCount: 0 });
  store.group((trees) => trees.delete(T1, intKey(1), 0, 8));
  expect(store.check()).toMatchObject({ defects: [], freePageCount: pageCount });
  store.group(() => store.put(T1, intKey(1), value.subarray(0, value.length / 2)));
  expect(store.check().defects).toEqual([]);
  store.group(() => store.put(T1, intKey(2), value.subarray(0, value.length / 2)));
  expect(store.check()).toMatchObject({ defects: [], pageCount: before.pageCount });
});
