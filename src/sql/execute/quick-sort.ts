/** Sorts numbers by PostgreSQL's quicksort (sort_template.h, after Bentley and McIlroy), so that what
 * compares as equal comes in the order that it has in PostgreSQL. */

type Compare = (a: number, b: number) => number;

const INSERTION_MAX = 6;
const NINTHER_MIN = 41;

/** Sorts order[from .. to-1]. */
export function quickSort(order: Int32Array, from: number, to: number, compare: Compare): void {
  let start = from;
  let count = to - from;
  while (count > 1) {
    if (count <= INSERTION_MAX) {
      insertionSort(order, start, count, compare);
      return;
    }
    if (isSorted(order, start, count, compare)) return;
    const [less, greater] = partition(order, start, count, compare);
    const end = start + count;
    // The smaller part by recursion, so that its depth stays small.
    if (less <= greater) {
      quickSort(order, start, start + less, compare);
      start = end - greater;
      count = greater;
    } else {
      quickSort(order, end - greater, end, compare);
      count = less;
    }
  }
}

function insertionSort(order: Int32Array, start: number, count: number, compare: Compare): void {
  for (let i = start + 1; i < start + count; i++) {
    for (let k = i; k > start && compare(order[k - 1]!, order[k]!) > 0; k--) swap(order, k, k - 1);
  }
}

function isSorted(order: Int32Array, start: number, count: number, compare: Compare): boolean {
  for (let i = start + 1; i < start + count; i++) {
    if (compare(order[i - 1]!, order[i]!) > 0) return false;
  }
  return true;
}

/** Moves what is less than a pivot to the front and what is greater to the end; gives how many are. */
function partition(
  order: Int32Array,
  start: number,
  count: number,
  compare: Compare,
): readonly [less: number, greater: number] {
  swap(order, start, pivotOf(order, start, count, compare));
  const pivot = order[start]!;
  const end = start + count;
  // Equal ones gather at both ends: [start, a) and (d, end).
  let a = start + 1;
  let b = a;
  let c = end - 1;
  let d = c;
  for (;;) {
    while (b <= c) {
      const sign = compare(order[b]!, pivot);
      if (sign > 0) break;
      if (sign === 0) swap(order, a++, b);
      b++;
    }
    while (b <= c) {
      const sign = compare(order[c]!, pivot);
      if (sign < 0) break;
      if (sign === 0) swap(order, c, d--);
      c--;
    }
    if (b > c) break;
    swap(order, b++, c--);
  }
  swapRanges(order, start, b, Math.min(a - start, b - a));
  swapRanges(order, b, end, Math.min(d - c, end - d - 1));
  return [b - a, d - c];
}

function pivotOf(order: Int32Array, start: number, count: number, compare: Compare): number {
  let middle = start + (count >> 1);
  if (count === INSERTION_MAX + 1) return middle;
  let low = start;
  let high = start + count - 1;
  if (count >= NINTHER_MIN) {
    const step = count >> 3;
    low = medianOf(order, low, low + step, low + 2 * step, compare);
    middle = medianOf(order, middle - step, middle, middle + step, compare);
    high = medianOf(order, high - 2 * step, high - step, high, compare);
  }
  return medianOf(order, low, middle, high, compare);
}

function medianOf(order: Int32Array, i: number, j: number, k: number, compare: Compare): number {
  const a = order[i]!;
  const b = order[j]!;
  const c = order[k]!;
  if (compare(a, b) < 0) {
    if (compare(b, c) < 0) return j;
    return compare(a, c) < 0 ? k : i;
  }
  if (compare(b, c) > 0) return j;
  return compare(a, c) < 0 ? i : k;
}

/** Swaps `count` numbers from `start` on with those before `end`. */
function swapRanges(order: Int32Array, start: number, end: number, count: number): void {
  for (let i = 0; i < count; i++) swap(order, start + i, end - count + i);
}

function swap(order: Int32Array, i: number, j: number): void {
  const value = order[i]!;
  order[i] = order[j]!;
  order[j] = value;
}
