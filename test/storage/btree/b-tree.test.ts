import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareBytes } from '../../../src/base/index.ts';
import { cursorKey, cursorValue, intKey, Store, T1 } from '../store.ts';

describe('B+tree', () => {
  test('keeps many integer keys in order', () => {
    const store = new Store(4096);
    const count = 20_000;
    store.group((trees, lsn) => {
      trees.createTree(T1);
      for (let n = 0; n < count; n++) {
        const key = (n * 7919) % count;
        store.put(T1, intKey(key), intKey(key * 2), lsn);
      }
    });
    store.reading(() => {
      const cursor = store.cursor(T1);
      let n = 0;
      for (let on = cursor.first(); on; on = cursor.next()) {
        expect(compareBytes(cursorKey(cursor), intKey(n))).toBe(0);
        expect(compareBytes(cursorValue(cursor), intKey(n * 2))).toBe(0);
        n++;
      }
      expect(n).toBe(count);
      for (let on = cursor.last(); on; on = cursor.prev()) n--;
      expect(n).toBe(0);
      expect(store.check()).toMatchObject({ defects: [], trees: [{ entryCount: count }] });
      const lookup = store.lookup();
      const root = store.roots.rootOf(T1, store.lsn);
      for (let i = 0; i < count; i += 37) {
        expect(lookup.find(root, store.lsn, intKey(i), 0, 8)).toBe(true);
        expect(lookup.valueEnd - lookup.valueStart).toBe(8);
      }
      expect(lookup.find(root, store.lsn, intKey(count), 0, 8)).toBe(false);
    });
  });

  const keys = fc.oneof(
    fc.uint8Array({ minLength: 0, maxLength: 6, max: 3 }),
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    fc.uint8Array({ minLength: 1500, maxLength: 2000, max: 1 }),
  );
  const operation = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('put' as const),
        key: keys,
        size: fc.oneof(fc.nat(200), fc.nat(2100), fc.nat(30000)),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('delete' as const), key: keys, size: fc.nat(1) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('deleteNth' as const),
        key: keys,
        size: fc.nat(1000),
      }),
    },
  );

  test('agrees with a sorted array', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 1, maxLength: 300, size: 'max' }),
        (operations) => {
          const store = new Store(256);
          const model: { key: Uint8Array; value: Uint8Array }[] = [];
          store.group((trees) => trees.createTree(T1));
          let fill = 0;
          for (const { kind, key, size } of operations) {
            store.group((trees, lsn) => {
              if (kind === 'put') {
                const value = new Uint8Array(size).fill(++fill & 0xff);
                store.put(T1, key, value, lsn);
                const at = model.findIndex((entry) => compareBytes(entry.key, key) >= 0);
                const found = at >= 0 && compareBytes(model[at]!.key, key) === 0;
                model.splice(at < 0 ? model.length : at, found ? 1 : 0, { key, value });
              } else {
                const nth = model[size % Math.max(1, model.length)];
                const target = kind === 'deleteNth' && nth !== undefined ? nth.key : key;
                const at = model.findIndex((entry) => compareBytes(entry.key, target) === 0);
                expect(trees.delete(T1, target, 0, target.length)).toBe(at >= 0);
                if (at >= 0) model.splice(at, 1);
              }
            });
          }
          store.reading(() => {
            const cursor = store.cursor(T1);
            let n = 0;
            for (let on = cursor.first(); on; on = cursor.next(), n++) {
              const entry = model[n]!;
              expect(compareBytes(cursorKey(cursor), entry.key)).toBe(0);
              expect(compareBytes(cursorValue(cursor), entry.value)).toBe(0);
            }
            expect(n).toBe(model.length);
            for (const { key } of operations) {
              const ge = model.findIndex((entry) => compareBytes(entry.key, key) >= 0);
              const gt = model.findIndex((entry) => compareBytes(entry.key, key) > 0);
              const before = (i: number) => (i < 0 ? model.length : i) - 1;
              for (const [mode, at] of [
                ['ge', ge],
                ['gt', gt],
                ['le', before(gt)],
                ['lt', before(ge)],
              ] as const) {
                expect(cursor.seek(key, key.length, mode)).toBe(at >= 0);
                if (at >= 0) expect(compareBytes(cursorKey(cursor), model[at]!.key)).toBe(0);
              }
            }
          });
        },
      ),
      { numRuns: 60, verbose: 1 },
    );
  });
});
