import { beforeEach, describe, expect, test } from 'vitest';
import {
  cellAt,
  childAt,
  LEAF_CELL_HEADER,
  META_PAGE,
  OFFSET_CELL_START,
  OFFSET_LEVEL,
  PAGE_HEADER_SIZE,
  type PageNumber,
  pageLink,
  pageNumber,
  setChildAt,
  setMetaFree,
  setPageLink,
} from '../../../src/storage/page/index.ts';
import { PageRef } from '../../../src/storage/pager/index.ts';
import { intKey, Store, T1 } from '../store.ts';

describe('check names', () => {
  let store: Store;
  let root: PageNumber;
  let leaf: PageNumber;
  const ref = new PageRef();

  beforeEach(() => {
    store = new Store();
    store.group((trees, lsn) => {
      trees.createTree(T1);
      for (let n = 0; n < 1000; n++) store.put(T1, intKey(n), new Uint8Array(100), lsn);
      store.put(T1, intKey(0), new Uint8Array(20_000), lsn);
    });
    root = store.reading(() => store.roots.rootOf(T1, store.lsn));
    store.pager.read(root, ref);
    leaf = childAt(ref.view, ref.base, 2);
    expect(store.check().defects).toEqual([]);
  });

  /** Damages a page, and returns what `check` says. */
  function damage(page: number, change: (ref: PageRef) => void): readonly string[] {
    store.group(() => {
      store.pager.reserve();
      store.pager.writable(pageNumber(page), ref);
      change(ref);
    });
    return store.check().defects;
  }

  test('keys out of order', () => {
    const defects = damage(leaf, ({ bytes, view, base }) => {
      bytes[cellAt(view, base, 3) + LEAF_CELL_HEADER + 7]!++;
    });
    expect(defects).toContain(`page ${leaf} of tree 1 has keys out of order at slot 4`);
    expect(defects).toContain(`page ${leaf} of tree 1 has slot 3 with the head of another key`);
  });

  test('keys beyond their separators', () => {
    const defects = damage(root, ({ view, base }) => {
      const first = childAt(view, base, 1);
      setChildAt(view, base, 1, childAt(view, base, 2));
      setChildAt(view, base, 2, first);
    });
    expect(defects).toEqual([
      `page ${leaf} of tree 1 has a key at or above the separator to its right`,
      expect.stringMatching(/^page \d+ of tree 1 has a key below the separator to its left$/),
    ]);
  });

  test('pages that are used twice, and others that are lost', () => {
    const defects = damage(root, ({ view, base }) => {
      setChildAt(view, base, 2, childAt(view, base, 1));
    });
    expect(defects).toContain(`page ${leaf} is lost: neither in use nor free`);
    expect(defects[0]).toMatch(/^page \d+ is reached twice, the second time from tree 1$/);
  });

  test('children that do not exist', () => {
    const defects = damage(root, ({ view, base }) => setChildAt(view, base, 2, 9999));
    expect(defects[0]).toMatch(
      /^page 9999 is reached from tree 1, beyond the \d+ pages there are$/,
    );
  });

  test('wrong levels, kinds and slots', () => {
    expect(
      damage(leaf, ({ bytes, base }) => bytes.fill(3, base + OFFSET_LEVEL, base + 18)),
    ).toContain(`page ${leaf} of tree 1 has level 3, expected 0`);
    expect(damage(leaf, ({ bytes, base }) => bytes.fill(9, base + 16, base + 17))).toContain(
      `page ${leaf} of tree 1 has kind 9, expected 3`,
    );
  });

  test('cells outside of the page', () => {
    const slot = damage(leaf, ({ view, base }) =>
      view.setUint16(base + PAGE_HEADER_SIZE + 4, 8190, true),
    );
    expect(slot).toContain(`page ${leaf} of tree 1 has slot 0 with a cell outside of the page`);
    const start = damage(leaf, ({ view, base }) =>
      view.setUint16(base + OFFSET_CELL_START, 40, true),
    );
    expect(start[0]).toMatch(/^page \d+ of tree 1 has \d+ slots that run into cells at 40$/);
  });

  test('bytes that are not accounted for', () => {
    const defects = damage(leaf, ({ view, base }) => view.setUint16(base + 22, 77, true));
    expect(defects[0]).toMatch(/^page \d+ of tree 1 uses \d+ bytes and says \d+$/);
  });

  test('broken chains of long values', () => {
    store.pager.read(root, ref);
    const first = childAt(ref.view, ref.base, 0);
    store.pager.read(first, ref);
    const cell = cellAt(ref.view, ref.base, 0) + LEAF_CELL_HEADER + 8;
    const overflow = ref.view.getUint32(cell, true);
    store.pager.read(pageNumber(overflow), ref);
    const second = pageLink(ref.view, ref.base);
    const defects = damage(overflow, ({ view, base }) => setPageLink(view, base, 0));
    expect(defects).toContain(
      `page ${first} of tree 1 has a long value that ends 11840 bytes early`,
    );
    expect(defects).toContain(`page ${second} is lost: neither in use nor free`);
  });

  test('a free list that is wrong', () => {
    store.group((trees) => trees.delete(T1, intKey(0), 0, 8));
    expect(store.check().defects).toEqual([]);
    const counted = damage(META_PAGE, ({ view, base }) =>
      setMetaFree(view, base, view.getUint32(base + 52, true), 99),
    );
    expect(counted).toEqual(['page 0 counts 99 free pages, the free list has 3']);
    const used = damage(META_PAGE, ({ view, base }) => setMetaFree(view, base, leaf, 3));
    expect(used[0]).toBe(`page ${leaf} is reached twice, the second time from the free list`);
  });
});
