import { expect, test } from 'vitest';
import { FastPathWords } from '../../src/txn/index.ts';
import { resultOf, startThread } from './compiled.ts';
import { type FastPathTask, WORD } from './fast-path-thread.ts';

const COUNT = 100_000;
const seed = Number(process.env.SEED ?? Date.now() & 0xffff);

test(`a row is never had by both threads, nor a table used at an old version (seed ${seed})`, async () => {
  const task = {
    words: FastPathWords.create(),
    facts: new SharedArrayBuffer(4 * WORD.count),
    count: COUNT,
    seed,
  };
  const roles = ['main', 'writer'] as const;
  const [main, writer] = await Promise.all(
    roles.map((role) =>
      resultOf<number[]>(startThread('fast-path-thread', { ...task, role } satisfies FastPathTask)),
    ),
  );
  // Each of them got its turn, in each of the ways.
  for (const count of [...main!, ...writer!]) expect(count).toBeGreaterThan(0);
}, 30_000);
