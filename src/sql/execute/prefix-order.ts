/** Sorting by numbers of 48 bits: a radix sort from the lowest digit to the highest, which is stable.
 *
 * Measured by bench/micro/sort.ts: a million random prefixes take 0.02 s, and 0.32 s by comparison. */

const DIGIT_BITS = 16;
const DIGIT_VALUES = 1 << DIGIT_BITS;
const DIGIT_MASK = DIGIT_VALUES - 1;
const DIGITS = 3;

/** Below this many the counting costs more than it saves. */
export const RADIX_MIN = 4096;

/** The numbers 0 .. count-1 in the order of their prefixes, whole numbers below 2^48. */
export function orderByPrefix(prefixes: Float64Array, count: number): Int32Array {
  let order = new Int32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  let spare = new Int32Array(count);
  const digits = new Uint16Array(count);
  for (let digit = 0; digit < DIGITS; digit++) {
    takeDigit(prefixes, count, digit, digits);
    const ends = bucketEnds(digits);
    if (ends === null) continue;
    for (let i = count - 1; i >= 0; i--) {
      const record = order[i]!;
      const at = --ends[digits[record]!]!;
      spare[at] = record;
    }
    const sorted = spare;
    spare = order;
    order = sorted;
  }
  return order;
}

function takeDigit(prefixes: Float64Array, count: number, digit: number, out: Uint16Array): void {
  const scale = 2 ** (-DIGIT_BITS * digit);
  for (let i = 0; i < count; i++) {
    const shifted = prefixes[i]! * scale;
    // Below 2^48: the upper part first, so that both are within 32 bits.
    const upper = (shifted / DIGIT_VALUES) | 0;
    out[i] = (shifted - upper * DIGIT_VALUES) & DIGIT_MASK;
  }
}

/** Where the bucket of each digit ends; null when all are in one. */
function bucketEnds(digits: Uint16Array): Int32Array | null {
  const ends = new Int32Array(DIGIT_VALUES);
  for (let i = 0; i < digits.length; i++) ends[digits[i]!]!++;
  if (ends[digits[0]!] === digits.length) return null;
  let end = 0;
  for (let value = 0; value < DIGIT_VALUES; value++) {
    end += ends[value]!;
    ends[value] = end;
  }
  return ends;
}
