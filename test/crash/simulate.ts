/** npm run crash:sim -- [--seeds N] [--seed S]
 *
 * Runs the store over the simulated disk with N seeds from S on, a third of them each with power cuts
 * alone, with I/O errors too, and with full disks too. The first failure prints its seed and the
 * command that repeats it, and ends the run with exit code 1. */

import { parseArgs } from 'node:util';
import { type Faults, type SimulationResult, simulate } from './simulation.ts';

const FAULTS: readonly Faults[] = ['none', 'errors', 'full'];

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
});
const first = Number(values.seed);
const count = values.seeds === undefined ? 1 : Number(values.seeds);

const total: Record<string, number> = {};
const startedMs = performance.now();
for (let seed = first; seed < first + count; seed++) {
  let result: SimulationResult;
  try {
    result = simulate(seed, FAULTS[seed % FAULTS.length]!);
  } catch (thrown) {
    console.error(thrown);
    console.error(`seed ${seed} failed; repeat it with:`);
    console.error(`  npm run crash:sim -- --seeds 1 --seed ${seed}`);
    process.exit(1);
  }
  for (const [name, value] of Object.entries(result)) total[name] = (total[name] ?? 0) + value;
}
const seconds = (performance.now() - startedMs) / 1000;
const counts = Object.entries(total).map(([name, value]) => `${name} ${value}`);
console.log(`${count} seeds from ${first} in ${seconds.toFixed(1)} s: ${counts.join(', ')}`);
