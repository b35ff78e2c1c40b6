import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderByPrefix } from '../../../src/sql/execute/prefix-order.ts';

test('records come in the order of their prefixes, and of their numbers where these are equal', () => {
  const prefix = fc.oneof(
    fc.maxSafeNat().map((n) => n % 2 ** 48),
    fc.nat({ max: 3 }),
    fc.constantFrom(0, 2 ** 16, 2 ** 32, 2 ** 48 - 1, 2 ** 47, 2 ** 32 - 1, 2 ** 16 - 1),
  );
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 200 }), (prefixes) => {
      const expected = prefixes
        .map((_, i) => i)
        .sort((a, b) => prefixes[a]! - prefixes[b]! || a - b);
      const order = orderByPrefix(Float64Array.from(prefixes), prefixes.length);
      expect([...order]).toEqual(expected);
    }),
  );
});
