/** What is taken down of the reads of a SERIALIZABLE transaction, and what is known of commits, by random ranges
 * and keys held against a list. */
import { expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import type { Cursor, SeekMode, TreeId } from '../../src/storage/index.ts';
import { CommitHistory, ReadSet, SerializableReads, WriteSet } from '../../src/txn/index.ts';

const TREE = 1 as TreeId;
const OTHER = 2 as TreeId;
const KEYS = 200;

const key = (n: number): Uint8Array => Uint8Array.of(n);

test('a read set includes what was added, and in little room more, never less', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const exact = new ReadSet();
    const small = new ReadSet(8);
    const isRead = new Array<boolean>(KEYS).fill(false);
    for (let i = 0; i < 60; i++) {
      const from = random.below(KEYS);
      const to = random.below(10) === 0 ? null : from + random.below(4);
      for (const set of [exact, small]) set.add(TREE, key(from), to === null ? null : key(to));
      if (to !== null || i < 50) for (let n = from; n < (to ?? KEYS); n++) isRead[n] = true;
      else isRead.fill(true, from);
    }
    for (let n = 0; n < KEYS; n++) {
      expect(exact.includesSome(TREE, [key(n)]), `seed ${seed}, key ${n}`).toBe(isRead[n]);
      if (isRead[n]) expect(small.includesSome(TREE, [key(n)]), `seed ${seed}`).toBe(true);
    }
    expect(small.ranges(TREE).length).toBeLessThanOrEqual(9);
    expect(small.includesSome(OTHER, [key(0)])).toBe(false);
  }
});

/** A cursor over the keys of a list. */
class ListCursor implements Cursor {
  readonly keys: readonly number[];
  readonly valueBytes = new Uint8Array(0);
  readonly valueStart = 0;
  readonly valueEnd = 0;
  readonly rowLsn = 0;
  readonly keyStart = 0;
  readonly keyEnd = 1;
  private at = -1;

  constructor(keys: readonly number[]) {
    this.keys = keys;
  }

  get keyBytes(): Uint8Array {
    return key(this.keys[this.at]!);
  }

  seek(bytes: Uint8Array, _end: number, mode: SeekMode): boolean {
    const sought = bytes[0]!;
    const isForward = mode === 'ge' || mode === 'gt';
    const fits = (n: number): boolean =>
      mode === 'ge'
        ? n >= sought
        : mode === 'gt'
          ? n > sought
          : mode === 'le'
            ? n <= sought
            : n < sought;
    this.at = isForward ? this.keys.findIndex(fits) : this.keys.findLastIndex(fits);
    return this.at >= 0;
  }

  first(): boolean {
    this.at = this.keys.length > 0 ? 0 : -1;
    return this.at >= 0;
  }

  last(): boolean {
    this.at = this.keys.length - 1;
    return this.at >= 0;
  }

  next(): boolean {
    this.at = this.at + 1 < this.keys.length ? this.at + 1 : -1;
    return this.at >= 0;
  }

  prev(): boolean {
    return --this.at >= 0;
  }

  refresh(): void {}
  reset(): void {}
}

function rangesRead(read: (cursor: ReturnType<SerializableReads['watch']>) => void): string {
  const reads = new SerializableReads(new CommitHistory(), 0);
  const cursor = reads.watch(new ListCursor([10, 20, 30]), TREE);
  read(cursor);
  cursor.close();
  const shown = ({ from, to }: { from: Uint8Array; to: Uint8Array | null }): string =>
    `${from.join('.')}-${to === null ? '' : to.join('.')}`;
  return reads.set.ranges(TREE).map(shown).join(' ');
}

// A key and a 0 behind it is the first key that comes after it.
test.each<[string, (cursor: ReturnType<SerializableReads['watch']>) => void, string]>([
  ['a found key', (c) => c.seek(key(20), 1, 'ge') && c.valueBytes, '20-20.0'],
  ['a key that is missed', (c) => c.seek(key(15), 1, 'ge'), '15-20'],
  ['a key that is missed at the end', (c) => c.seek(key(40), 1, 'ge'), '40-'],
  [
    'a missed key of a scan with an end',
    (c) => {
      c.seek(key(15), 1, 'ge');
      c.limit(key(17), 0, 1);
    },
    '15-17',
  ],
  [
    'a scan up to its end',
    (c) => {
      for (let found = c.seek(key(5), 1, 'gt'); found; found = c.next()) void c.valueBytes;
    },
    '5.0-',
  ],
  [
    'a scan that stops',
    (c) => {
      c.first();
      void c.valueBytes;
      c.next();
      void c.valueBytes;
    },
    '-20.0',
  ],
  [
    'backward',
    (c) => {
      c.last();
      void c.valueBytes;
      c.prev();
    },
    '20.0-',
  ],
  [
    'backward to an end',
    (c) => {
      c.seek(key(30), 1, 'lt');
      c.limit(key(15), 0, 1);
      void c.valueBytes;
      c.prev();
    },
    '15-30',
  ],
  [
    'there and back',
    (c) => {
      c.seek(key(20), 1, 'ge');
      void c.valueBytes;
      c.prev();
      void c.valueBytes;
    },
    '10-20.0',
  ],
  [
    'two places',
    (c) => {
      c.seek(key(10), 1, 'ge');
      void c.valueBytes;
      c.seek(key(30), 1, 'ge');
      void c.valueBytes;
    },
    '10-10.0 30-30.0',
  ],
])('a cursor takes down %s', (_name, read, expected) => {
  expect(rangesRead(read)).toBe(expected);
});

function commitOf(keys: readonly number[]): WriteSet {
  const writes = new WriteSet();
  for (const n of keys) writes.put(TREE, key(n), 0, 1, key(0), 0, 1, 1);
  return writes;
}

const NO_TREES = { createdTrees: [], droppedTrees: [] };

test('commits count from the snapshot on, and are forgotten when no older one is left', () => {
  const history = new CommitHistory();
  expect(history.isNeeded).toBe(false);
  const [first, second] = [{}, {}];
  history.begin(first, 100);
  history.record(110, { writes: commitOf([1]), ...NO_TREES });
  history.begin(second, 110);
  history.record(120, { writes: commitOf([2]), ...NO_TREES });
  const one = new ReadSet();
  one.add(TREE, key(1), key(2));
  const two = new ReadSet();
  two.add(TREE, key(2), key(3));
  expect([history.hasWritten(one, 100), history.hasWritten(two, 100)]).toEqual([true, true]);
  expect([history.hasWritten(one, 110), history.hasWritten(two, 110)]).toEqual([false, true]);
  history.end(first);
  expect(history.isNeeded).toBe(true);
  history.end(second);
  expect(history.isNeeded).toBe(false);
  expect(history.hasWritten(two, 0)).toBe(false);
});

test('of many keys, and of trees made and dropped, only the tree is known', () => {
  const history = new CommitHistory(10);
  history.begin({}, 100);
  const far = new ReadSet();
  far.add(TREE, key(190), key(191));
  for (let n = 0; n < 8; n++) history.record(101 + n, { writes: commitOf([n]), ...NO_TREES });
  expect(history.hasWritten(far, 100)).toBe(false);
  history.record(120, { writes: commitOf([20, 21, 22]), ...NO_TREES });
  expect(history.hasWritten(far, 100)).toBe(true);
  expect(history.hasWritten(far, 119)).toBe(false);
  const other = new ReadSet();
  other.add(OTHER, key(0), null);
  expect(history.hasWritten(other, 100)).toBe(false);
  history.record(130, { writes: new WriteSet(), createdTrees: [], droppedTrees: [OTHER] });
  expect(history.hasWritten(other, 100)).toBe(true);
  expect(history.hasWritten(other, 130)).toBe(false);
});
