import { expect, test } from 'vitest';
import { OpenHashMap, SeededRandom } from '../../src/base/index.ts';

const SEED = Number(process.env.SEED ?? 1);

/** Random changes, each also made to a Map, which has to come to the same. */
function compare<K extends string | number>(keyOf: (n: number) => K, seed: number): void {
  const random = new SeededRandom(seed);
  const map = new OpenHashMap<K, number>();
  const expected = new Map<K, number>();
  for (let round = 0; round < 30; round++) {
    // Fuller, then emptier, so that it grows and shrinks.
    const puts = random.below(100);
    for (let i = 0; i < 400; i++) {
      const key = keyOf(random.below(1 + random.below(3000)));
      if (random.below(100) < puts) {
        map.set(key, i);
        expected.set(key, i);
      } else if (map.delete(key) !== expected.delete(key)) expect.fail(`seed ${seed}`);
      if (map.get(key) !== expected.get(key)) expect.fail(`seed ${seed}`);
    }
    expect(map.size, `seed ${seed}`).toBe(expected.size);
    for (const [key, value] of expected) expect(map.get(key), `seed ${seed}`).toBe(value);
    expect([...map.keys()].sort(), `seed ${seed}`).toEqual([...expected.keys()].sort());
    expect([...map.values()].sort(), `seed ${seed}`).toEqual([...expected.values()].sort());
  }
}

test('it does what a Map does, with strings and with numbers', () => {
  compare((n) => `r${n}/key`, SEED);
  compare((n) => n, SEED + 1);
  // Many of one place.
  compare((n) => (n % 7) * 0x1_0000_0000 + (n % 97), SEED + 2);
});

test('keys that are not there, and undefined values', () => {
  const map = new OpenHashMap<string, number | undefined>();
  expect([map.has(''), map.get(''), map.delete('')]).toEqual([false, undefined, false]);
  map.set('', undefined);
  expect([map.has(''), map.size]).toEqual([true, 1]);
  map.clear();
  expect([map.has(''), map.size, [...map.values()]]).toEqual([false, 0, []]);
});
