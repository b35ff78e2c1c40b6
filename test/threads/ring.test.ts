import { expect, test } from 'vitest';
import { createRing, Doorbell, RingConsumer, SharedMemory } from '../../src/shm/index.ts';
import { resultOf, startThread } from './compiled.ts';
import { type RingTask, verify } from './ring-thread.ts';

const COUNT = 100_000;
const seed = Date.now() & 0xffff;

test(`two producers and a consumer that sleeps on one bell lose nothing (seed ${seed})`, async () => {
  const parts = SharedMemory.create({ frameCount: 64, threadCount: 4, pageCountMax: 64 }).parts();
  const rings = [createRing(1024), createRing(16384)];
  const task = { parts, count: COUNT, seed };
  const threads = [
    { ...task, role: 'produce', own: 1, others: [3], rings: [rings[0]!] },
    { ...task, role: 'produce', own: 2, others: [3], rings: [rings[1]!] },
    { ...task, role: 'consume', own: 3, others: [1, 2], rings },
  ] satisfies RingTask[];
  const results = await Promise.all(
    threads.map((data) => resultOf<number>(startThread('ring-thread', data))),
  );
  expect(results[2]).toBeGreaterThan(0);
}, 30_000);

test(`the main thread is woken by waitAsync (seed ${seed})`, async () => {
  const memory = SharedMemory.create({ frameCount: 64, threadCount: 4, pageCountMax: 64 });
  const buffer = createRing(4096);
  const count = COUNT / 5;
  const data: RingTask = {
    role: 'produce',
    parts: memory.parts(),
    own: 1,
    others: [0],
    rings: [buffer],
    count,
    seed,
  };
  const done = resultOf(startThread('ring-thread', data));
  const bell = new Doorbell(memory, 0);
  const ring = new RingConsumer(buffer, new Doorbell(memory, 1));
  for (let n = 0; n < count; ) {
    const heard = bell.listen();
    for (let at = ring.peek(); at >= 0; at = ring.peek()) {
      verify(ring.bytes, ring.view, at, ring.length, n++);
      ring.release();
    }
    if (n < count) await bell.sleepAsync(heard);
  }
  await done;
  expect(ring.isEmpty).toBe(true);
}, 30_000);
