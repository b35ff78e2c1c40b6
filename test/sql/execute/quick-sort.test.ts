import { expect, test } from 'vitest';
import { quickSort } from '../../../src/sql/execute/quick-sort.ts';

/** PostgreSQL 15's answers to `select array_agg(i) from (select i from generate_series(0, n - 1) i order by
 * key) q`. */
const ORDERS: readonly { name: string; key: (i: number) => number; order: readonly number[] }[] = [
  {
    name: 'i*37%10',
    key: (i) => (i * 37) % 10,
    order: [
      40, 90, 10, 0, 80, 20, 70, 30, 60, 50, 93, 73, 83, 23, 43, 33, 13, 3, 63, 53, 16, 96, 46, 6,
      76, 56, 36, 86, 26, 66, 9, 59, 79, 19, 99, 69, 29, 49, 39, 89, 12, 2, 22, 32, 42, 52, 62, 72,
      82, 92, 25, 65, 95, 5, 85, 55, 35, 15, 45, 75, 38, 58, 28, 68, 18, 78, 98, 88, 8, 48, 91, 81,
      71, 31, 21, 61, 11, 41, 51, 1, 54, 74, 34, 94, 44, 14, 84, 24, 4, 64, 7, 57, 37, 17, 97, 77,
      27, 67, 47, 87,
    ],
  },
  { name: '-(i%2)', key: (i) => -(i % 2), order: [1, 3, 5, 0, 2, 4] },
  {
    name: 'i/10 desc',
    key: (i) => -Math.floor(i / 10),
    order: [
      29, 28, 27, 26, 25, 20, 24, 23, 22, 21, 15, 10, 11, 12, 13, 14, 16, 17, 18, 19, 0, 9, 8, 7, 6,
      5, 4, 3, 2, 1,
    ],
  },
];

test.each(ORDERS)('ties come in the order of PostgreSQL: $name', ({ key, order }) => {
  const sorted = Int32Array.from(order.keys());
  quickSort(sorted, 0, sorted.length, (a, b) => key(a) - key(b));
  expect([...sorted]).toEqual(order);
});

test('what is sorted or backwards or all the same comes out sorted', () => {
  for (const key of [
    (i: number) => i,
    (i: number) => -i,
    () => 0,
    (i: number) => (i * 7919) % 1013,
  ]) {
    const order = Int32Array.from({ length: 5000 }, (_, i) => i);
    quickSort(order, 0, order.length, (a, b) => key(a) - key(b));
    const keys = [...order].map(key);
    expect(keys).toEqual([...keys].sort((a, b) => a - b));
    expect(new Set(order).size).toBe(order.length);
  }
});
