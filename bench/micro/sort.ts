/** Milliseconds of putting a million records in order by the prefixes of their keys.
 *
 * Run `npm run build`, then `node dist/bench/micro/sort.js`. */
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { SeededRandom } from '../../src/base/index.ts';
import { orderByPrefix } from '../../src/sql/execute/prefix-order.ts';

const COUNT = 1_000_000;

export function benchSort(): Bench {
  const bench = new Bench({ name: `sort ${COUNT} prefixes`, time: 500, warmupTime: 200 });
  const random = new SeededRandom(1);
  const scattered = new Float64Array(COUNT).map(() => random.below(2 ** 31) * 2 ** 17);
  const few = new Float64Array(COUNT).map(() => random.below(10_000) * 2 ** 8);
  const tasks = { 'random prefixes': scattered, 'few prefixes': few };
  for (const [name, prefixes] of Object.entries(tasks)) {
    bench.add(`${name}, radix`, () => {
      verify(prefixes, orderByPrefix(prefixes, COUNT));
    });
    bench.add(`${name}, by comparison`, () => {
      const order = new Int32Array(COUNT);
      for (let i = 0; i < COUNT; i++) order[i] = i;
      verify(
        prefixes,
        order.sort((a, b) => prefixes[a]! - prefixes[b]! || a - b),
      );
    });
  }
  return bench;
}

function verify(prefixes: Float64Array, order: Int32Array): void {
  for (let i = 1000; i < COUNT; i += 1000) {
    if (prefixes[order[i - 1]!]! > prefixes[order[i]!]!) throw new Error('not in order');
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bench = benchSort();
  await bench.run();
  console.table(bench.table());
}
