import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PgError, pgError } from '../../../src/errors/index.ts';
import type { File } from '../../../src/io/index.ts';
import { clearEndedThread, FrameInHand, FreeFrames } from '../../../src/shm/index.ts';
import { TreeLookup, TreeRoots } from '../../../src/storage/btree/index.ts';
import {
  cellAt,
  childAt,
  keyLengthAt,
  LEAF_CELL_HEADER,
  PAGE_SIZE,
  pageNumber,
  sealPage,
} from '../../../src/storage/page/index.ts';
import { isPageMiss, PageReader, PageRef } from '../../../src/storage/pager/index.ts';
import { cursorValue, intKey, Store, T1 } from '../store.ts';

/** What the checkpoint does: writes the pages as of its snapshot, all of them. */
function checkpoint(store: Store, between: () => void = () => {}): void {
  const snapshot = store.snapshots.acquire(3);
  const pages = store.pager.checkpointStarted();
  const ref = new PageRef();
  const image = new Uint8Array(PAGE_SIZE);
  between();
  for (const page of pages) {
    store.reading(() => {
      store.reader.resolve(page, snapshot, ref);
      image.set(ref.bytes.subarray(ref.base, ref.base + PAGE_SIZE));
    });
    sealPage(image);
    store.files.data.writeAt(image, page * PAGE_SIZE);
  }
  store.snapshots.release(3);
  store.pager.checkpointFinished();
}

function valueAt(store: Store, key: number, snapshot: number): number {
  return store.reading(() => {
    const cursor = store.cursor(T1, snapshot);
    if (!cursor.seek(intKey(key), 8, 'ge')) return -1;
    return new DataView(cursorValue(cursor).buffer).getUint32(4);
  });
}

describe('versions', () => {
  test('every held snapshot sees what was committed at its LSN, and no frame is lost', () => {
    const store = new Store(128);
    store.group((trees, lsn) => {
      trees.createTree(T1);
      for (let n = 0; n < 500; n++) store.put(T1, intKey(n), intKey(0), lsn);
    });
    const held: { slot: number; lsn: number; round: number }[] = [];
    for (let round = 1; round <= 60; round++) {
      store.group((_, lsn) => {
        for (let n = 0; n < 500; n += 50) store.put(T1, intKey(n), intKey(round), lsn);
      });
      if (round % 10 === 0) {
        const slot = store.slots.allocate();
        held.push({ slot, lsn: store.snapshots.acquire(slot), round });
      }
      for (const { lsn, round: expected } of held) {
        expect(valueAt(store, 450, lsn)).toBe(expected);
        expect(store.check(lsn).defects).toEqual([]);
      }
      if (held.length > 3) store.slots.free(held.splice(round % 3, 1)[0]!.slot);
    }
    for (const { slot } of held) store.slots.free(slot);
    const pageCount = store.pager.pageCount;
    store.group(() => store.put(T1, intKey(0), intKey(1)));
    store.group(() => store.put(T1, intKey(0), intKey(1)));
    // What the pages of the last group had before is retired by now, so only newest versions remain.
    expect(store.pager.spilledCount + 128 - store.pager.freeFrameCount).toBe(pageCount);
  });

  test('a reader between two commits of one page sees neither half of the second', () => {
    const store = new Store(128);
    store.group((trees) => trees.createTree(T1));
    store.group(() => store.put(T1, intKey(1), intKey(1)));
    const snapshot = store.snapshots.acquire(2);
    store.lsn += 8;
    store.pager.beginGroup(store.lsn);
    store.put(T1, intKey(1), intKey(2));
    expect(valueAt(store, 1, snapshot)).toBe(1);
    expect(store.snapshots.current()).toBe(snapshot);
    store.pager.publish();
    expect(valueAt(store, 1, snapshot)).toBe(1);
    store.snapshots.release(2);
    expect(valueAt(store, 1, store.snapshots.acquire(2))).toBe(2);
  });
});

describe('a pool smaller than the data', () => {
  const count = 5 * 64 * 55;
  const fill = (store: Store, seed: number, step = 1) => {
    for (let from = 0; from < count; from += 1000) {
      store.group((_, lsn) => {
        for (let n = from; n < from + 1000 && n < count; n += step) {
          const value = new Uint8Array(120);
          new DataView(value.buffer).setUint32(4, n + seed);
          store.put(T1, intKey(n), value, lsn);
        }
      });
    }
  };
  const expectAll = (store: Store, snapshot: number, expected: (n: number) => number) => {
    const cursor = store.cursor(T1, snapshot);
    for (let n = 0; n < count; n++) {
      store.reading(() => {
        // Every so often the statement pauses, and its frames may go.
        if (n === 0) expect(cursor.first()).toBe(true);
        else {
          if (n % 100 === 0) cursor.refresh();
          expect(cursor.next()).toBe(true);
        }
        const value = new DataView(cursorValue(cursor).buffer).getUint32(4);
        if (value !== expected(n)) expect(value).toBe(expected(n));
      });
      if (n % 100 === 99) store.pager.reclaim();
      else store.reading(() => cursor.refresh());
    }
  };

  test('keeps new, changed and retained pages through eviction, checkpoints and a restart', () => {
    const store = new Store(64);
    store.group((trees) => trees.createTree(T1));
    fill(store, 0);
    expect(store.pager.pageCount).toBeGreaterThan(5 * 64);
    expectAll(store, store.lsn, (n) => n);
    // Nothing is part of a checkpoint yet, so nearly all goes to the data file itself.
    expect(store.files.data.size()).toBeGreaterThan(4 * 64 * PAGE_SIZE);
    checkpoint(store);
    const slot = store.slots.allocate();
    const old = store.snapshots.acquire(slot);
    const image = new Uint8Array(store.files.data.size());
    store.files.data.readAt(image, 0);
    fill(store, 1_000_000, 2);
    expect(store.pager.spilledCount).toBeGreaterThan(4 * 64);
    // (P2) The data file is that checkpoint still.
    const now = new Uint8Array(image.length);
    store.files.data.readAt(now, 0);
    expect(Buffer.compare(now, image)).toBe(0);
    expectAll(store, store.lsn, (n) => (n % 2 === 0 ? n + 1_000_000 : n));
    expectAll(store, old, (n) => n);
    store.slots.free(slot);
    checkpoint(store, () => fill(store, 2_000_000, 3));
    const expected = (n: number) =>
      (n % 1000) % 3 === 0 ? n + 2_000_000 : n % 2 === 0 ? n + 1_000_000 : n;
    expectAll(store, store.lsn, expected);
    expect(store.check().defects).toEqual([]);
    checkpoint(store);
    store.group(() => store.put(T1, intKey(0), new Uint8Array(120)));
    expect(store.pager.spilledCount).toBe(0);

    const lsn = store.lsn - 8;
    const reopened = new Store(64, { files: store.files, lsn });
    expect(reopened.check().defects).toEqual([]);
    expectAll(reopened, lsn, expected);
  });

  test('holds a value longer than the pool', () => {
    const store = new Store(64);
    const value = new Uint8Array(3_000_000).map((_, i) => i * 7);
    store.group((trees, lsn) => {
      trees.createTree(T1);
      store.put(T1, intKey(1), value, lsn);
    });
    store.reading(() => {
      const cursor = store.cursor(T1);
      expect(cursor.first()).toBe(true);
      expect(Buffer.compare(cursorValue(cursor), value)).toBe(0);
    });
    store.group((trees) => trees.delete(T1, intKey(1), 0, 8));
    expect(store.check()).toMatchObject({ defects: [], trees: [{ pageCount: 1 }] });
  });

  test('the main thread is told of a miss instead of reading a file', () => {
    const store = new Store(64);
    store.group((trees) => trees.createTree(T1));
    fill(store, 0);
    const reader = new PageReader(store.memory, 0, null);
    const roots = new TreeRoots(reader);
    const lookup = new TreeLookup(reader);
    let missCount = 0;
    for (let n = 0; n < count; n += 50) {
      reader.enter();
      try {
        expect(lookup.find(roots.rootOf(T1, store.lsn), store.lsn, intKey(n), 0, 8)).toBe(true);
      } catch (error) {
        if (!isPageMiss(error)) throw error;
        missCount++;
      } finally {
        reader.leave();
      }
    }
    expect(missCount).toBeGreaterThan(100);
  });

  test('any mixture of commits, snapshots, checkpoints and reads agrees with a model', () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('commit' as const),
          at: fc.nat(5999),
          size: fc.integer({ min: 1, max: 400 }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('hold' as const),
          at: fc.nat(9),
          size: fc.constant(0),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('release' as const),
          at: fc.nat(9),
          size: fc.constant(0),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('read' as const),
          at: fc.nat(5999),
          size: fc.integer({ min: 1, max: 2000 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('checkpoint' as const),
          at: fc.nat(5999),
          size: fc.nat(200),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), (steps) => {
        const store = new Store(64);
        let model = new Uint32Array(6000);
        store.group((trees, lsn) => {
          trees.createTree(T1);
          for (let n = 0; n < 6000; n++) store.put(T1, intKey(n), new Uint8Array(200), lsn);
        });
        const held: { slot: number; lsn: number; model: Uint32Array }[] = [];
        let stamp = 0;
        const commit = (at: number, size: number) => {
          model = model.slice();
          stamp++;
          store.group((_, lsn) => {
            for (let i = 0; i < size; i++) {
              const key = (at + i * 13) % 6000;
              model[key] = stamp;
              const value = new Uint8Array(200);
              new DataView(value.buffer).setUint32(4, stamp);
              store.put(T1, intKey(key), value, lsn);
            }
          });
        };
        for (const { kind, at, size } of steps) {
          if (kind === 'commit') commit(at, size);
          else if (kind === 'hold' && held.length < 5) {
            const slot = store.slots.allocate();
            held.push({ slot, lsn: store.snapshots.acquire(slot), model });
          } else if (kind === 'release' && held.length > 0) {
            store.slots.free(held.splice(at % held.length, 1)[0]!.slot);
          } else if (kind === 'checkpoint') checkpoint(store, () => commit(at, size));
          else {
            for (const state of [...held, { lsn: store.lsn, model }]) {
              store.reading(() => {
                const cursor = store.cursor(T1, state.lsn);
                let on = cursor.seek(intKey(at), 8, 'ge');
                for (let key = at; key < Math.min(6000, at + size); key++, on = cursor.next()) {
                  expect(on).toBe(true);
                  const value = cursor.valueBytes;
                  const found = new DataView(value.buffer).getUint32(cursor.valueStart + 4);
                  if (found !== state.model[key]) expect(found).toBe(state.model[key]);
                }
              });
            }
          }
        }
        for (const { lsn } of held) expect(store.check(lsn).defects).toEqual([]);
        expect(store.check().defects).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });
});

describe('frames', () => {
  test('of several memories hold versions of one page', () => {
    const perMemory = (1 << 30) / PAGE_SIZE;
    const store = new Store(perMemory + 64);
    const free = new FreeFrames(store.memory);
    const kept: number[] = [];
    for (let frame = free.take(90); frame >= 0; frame = free.take(90)) kept.push(frame);
    store.group((trees, lsn) => {
      trees.createTree(T1);
      for (let n = 0; n < 1500; n++) store.put(T1, intKey(n), intKey(n), lsn);
    });
    for (let round = 0; round < 200; round++) {
      store.group(() => store.put(T1, intKey(round), intKey(round + 1)));
    }
    expect(store.check()).toMatchObject({ defects: [], trees: [{ entryCount: 1500 }] });
    expect(valueAt(store, 199, store.lsn)).toBe(200);
  });

  test('and epochs of a thread that has ended are taken back', () => {
    const store = new Store(64);
    const free = new FreeFrames(store.memory);
    new FrameInHand(store.memory, 2).set(free.take(0));
    store.reader.enter();
    store.pager.takeBack(clearEndedThread(store.memory, 2));
    const before = store.pager.freeFrameCount;
    store.group((trees) => trees.createTree(T1));
    store.group(() => store.put(T1, intKey(1), intKey(1)));
    store.group(() => store.put(T1, intKey(1), intKey(2)));
    // The meta page, the directory and the tree, newest versions; the first two were in a frame before.
    expect(before - store.pager.freeFrameCount).toBeLessThanOrEqual(3);
    expect(store.pager.freeFrameCount).toBe(64 - 3);
  });

  test('that a reader keeps are waited for, not taken', () => {
    const store = new Store(64);
    store.group((trees) => trees.createTree(T1));
    const ref = new PageRef();
    store.pager.reader.enter();
    expect(() => {
      store.pager.beginGroup(++store.lsn);
      for (let n = 0; n < 9000; n++) store.put(T1, intKey(n), new Uint8Array(100));
    }).toThrow('the writer waits for frames that it looks at itself');
    store.pager.reader.leave();
    store.pager.read(pageNumber(1), ref);
  });
});

describe('a load', () => {
  /** A store with everything at home, a reader of its own, and what happens during its first load. */
  function loading(during: (store: Store, target: Uint8Array) => void) {
    const first = new Store(128);
    first.group((trees, lsn) => {
      trees.createTree(T1);
      for (let n = 0; n < 1000; n++) putRow(first, n, 1, lsn);
    });
    checkpoint(first);
    const store = new Store(128, { files: first.files, lsn: first.lsn });
    const { data } = store.files;
    let isFirst = true;
    const hooked: File = Object.create(data, {
      path: { value: data.path },
      readAt: {
        value: (target: Uint8Array, position: number) => {
          const count = data.readAt(target, position);
          if (position === leaf * PAGE_SIZE && isFirst) {
            isFirst = false;
            during(store, target);
          }
          return count;
        },
      },
    });
    const root = first.reading(() => first.roots.rootOf(T1, first.lsn));
    const ref = new PageRef();
    first.pager.read(root, ref);
    const leaf = childAt(ref.view, ref.base, 1);
    return {
      store,
      leaf,
      reader: new PageReader(store.memory, 0, { ...store.files, data: hooked }),
    };
  }

  const putRow = (store: Store, key: number, value: number, lsn: number) =>
    store.put(T1, intKey(key), new Uint8Array(100).fill(value), lsn);

  const firstValue = (ref: PageRef) => {
    const cell = cellAt(ref.view, ref.base, 0) + LEAF_CELL_HEADER;
    return ref.bytes[cell + keyLengthAt(ref.view, ref.base, 0)];
  };

  test('that meets a checkpoint of the page finds the version of its snapshot', () => {
    const { store, leaf, reader } = loading((at, target) => {
      at.group((_, lsn) => {
        for (let n = 0; n < 1000; n++) putRow(at, n, 2, lsn);
      });
      checkpoint(at);
      target.fill(0, 4000);
    });
    const snapshot = store.snapshots.acquire(0);
    const ref = new PageRef();
    reader.enter();
    reader.resolve(leaf, snapshot, ref);
    expect(firstValue(ref)).toBe(1);
    reader.resolve(leaf, store.snapshots.acquire(0), ref);
    expect(firstValue(ref)).toBe(2);
    reader.leave();
    expect(store.check().defects).toEqual([]);
  });

  test('that comes second uses the frame of the first, and keeps its own for the next', () => {
    const other = new PageRef();
    const { store, leaf, reader } = loading((at) => {
      at.reading(() => at.reader.resolve(pageNumber(3), at.lsn, other));
      at.reading(() => at.reader.resolve(leafOf(), at.lsn, other));
    });
    const leafOf = () => leaf;
    const ref = new PageRef();
    reader.enter();
    reader.resolve(leaf, store.lsn, ref);
    expect(ref.base).toBe(other.base);
    const free = store.pager.freeFrameCount;
    reader.resolve(pageNumber(4), store.lsn, ref);
    expect(store.pager.freeFrameCount).toBe(free);
    reader.leave();
  });
});

describe('a spill file that cannot grow', () => {
  test('fails what needs frames, and leaves clean pages readable', () => {
    const store = new Store(64);
    store.group((trees, lsn) => {
      trees.createTree(T1);
      for (let n = 0; n < 9000; n++) store.put(T1, intKey(n), new Uint8Array(100), lsn);
    });
    checkpoint(store);
    const { spill } = store.files;
    const writeAt = spill.writeAt.bind(spill);
    spill.writeAt = () => {
      throw pgError('disk_full', 'could not write file "spill": No space left on device');
    };
    store.pager.beginGroup(++store.lsn);
    expect(() => {
      for (let n = 0; n < 9000; n += 10) store.put(T1, intKey(n), new Uint8Array(100));
    }).toThrow('No space left');
    expect(store.check(store.lsn - 1).trees[0]!.entryCount).toBe(9000);
    spill.writeAt = writeAt;
    for (let n = 0; n < 9000; n += 10) store.put(T1, intKey(n), new Uint8Array(100));
    store.pager.publish();
    expect(store.check().defects).toEqual([]);
  });
});

describe('damage', () => {
  test('a page that fails its checksum is an error that names file, page, expected and found', () => {
    const store = new Store(64);
    store.group((trees, lsn) => {
      trees.createTree(T1);
      for (let n = 0; n < 9000; n++) store.put(T1, intKey(n), new Uint8Array(100), lsn);
    });
    checkpoint(store);
    store.files.data.writeAt(Uint8Array.of(1, 2, 3), 40 * PAGE_SIZE + 5000);
    const reopened = new Store(64, { files: store.files, lsn: store.lsn });
    try {
      reopened.reading(() => {
        reopened.reader.resolve(pageNumber(40), reopened.lsn, new PageRef());
      });
      expect.unreachable();
    } catch (error) {
      expect((error as PgError).sqlstate).toBe('XX001');
      expect((error as PgError).message).toMatch(/^invalid page 40 of file ".*data"$/);
      expect((error as PgError).fields.detail).toMatch(
        /^Expected checksum [0-9a-f]{8}, found [0-9a-f]{8}\.$/,
      );
    }
    const { defects } = reopened.check();
    expect(defects[0]).toMatch(/^page 40 of tree 1 cannot be read: invalid page 40/);
  });

  test('a page written to a wrong place is told by its number', () => {
    const store = new Store(64);
    store.group((trees, lsn) => {
      trees.createTree(T1);
      for (let n = 0; n < 2000; n++) store.put(T1, intKey(n), new Uint8Array(100), lsn);
    });
    checkpoint(store);
    const image = new Uint8Array(PAGE_SIZE);
    store.files.data.readAt(image, 10 * PAGE_SIZE);
    store.files.data.writeAt(image, 9 * PAGE_SIZE);
    const reopened = new Store(64, { files: store.files, lsn: store.lsn });
    expect(reopened.check().defects[0]).toMatch(/page 9 .*Expected page number 9, found 10/);
  });
});
