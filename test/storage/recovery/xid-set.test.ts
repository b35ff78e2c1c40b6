import { expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/index.ts';
import { XidSet } from '../../../src/storage/recovery/xid-set.ts';

it('has what was added, for ids of any size', () => {
  const random = new SeededRandom(4);
  const set = new XidSet();
  const model = new Set<number>();
  for (let i = 0; i < 5000; i++) {
    const xid = random.chance(0.5) ? random.below(100_000) : 2 ** 45 + random.below(100_000);
    set.add(xid);
    model.add(xid);
  }
  for (let i = 0; i < 100_000; i += 7) {
    expect(set.has(i)).toBe(model.has(i));
    expect(set.has(2 ** 45 + i)).toBe(model.has(2 ** 45 + i));
  }
});
