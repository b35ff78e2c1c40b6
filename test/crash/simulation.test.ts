import { describe, it } from 'vitest';
import { type Faults, simulate } from './simulation.ts';

/** `npm run crash:sim` runs many more. */
const SEEDS_PER_FAULT = 100;
const FIRST_SEED = 1_000_000;

describe('the store on a disk that fails', () => {
  const cases: Record<Faults, string> = {
    none: 'keeps every acknowledged commit through power cuts',
    errors: 'keeps every acknowledged commit when the disk answers with errors',
    full: 'keeps every acknowledged commit when the disk is full',
  };
  for (const [faults, title] of Object.entries(cases)) {
    it(title, { timeout: 60_000 }, () => {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS_PER_FAULT; seed++) {
        try {
          simulate(seed, faults as Faults);
        } catch (thrown) {
          throw new Error(`seed ${seed} with ${faults} failed`, { cause: thrown });
        }
      }
    });
  }
});
