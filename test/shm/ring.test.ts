import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createRing,
  Doorbell,
  RingConsumer,
  RingProducer,
  SharedMemory,
} from '../../src/shm/index.ts';

const memory = SharedMemory.create({
  frameCount: 64,
  threadCount: 2,
  pageCountMax: 64,
  spillSlotCountMax: 64,
});
const producerBell = new Doorbell(memory, 0);
const consumerBell = new Doorbell(memory, 1);

test('records come out as they went in, whatever their lengths', () => {
  const step = fc.record({ length: fc.nat(248), takes: fc.nat(3), publishes: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const buffer = createRing(512);
      const producer = new RingProducer(buffer, consumerBell);
      const consumer = new RingConsumer(buffer, producerBell);
      const pushed: number[] = [];
      let publishedCount = 0;
      let takenCount = 0;
      for (const [n, { length, takes, publishes }] of steps.entries()) {
        const at = producer.reserve(length);
        if (at >= 0) {
          expect(at % 8).toBe(0);
          producer.bytes.fill(n, at, at + length);
          const used = length - (length % 3);
          producer.push(used);
          pushed.push(n * 1000 + used);
        }
        if (publishes || at < 0) {
          producer.publish();
          publishedCount = pushed.length;
        }
        for (let i = 0; i < takes + (at < 0 ? 5 : 0); i++) {
          const from = consumer.peek();
          expect(from >= 0).toBe(takenCount < publishedCount);
          if (from < 0) break;
          const expected = pushed[takenCount++]!;
          expect(consumer.length).toBe(expected % 1000);
          for (let b = 0; b < consumer.length; b++) {
            if (consumer.bytes[from + b] !== (Math.floor(expected / 1000) & 0xff)) {
              expect.unreachable();
            }
          }
          consumer.release();
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('a full ring says so, and rings the producer when there is room', () => {
  const buffer = createRing(256);
  const producer = new RingProducer(buffer, consumerBell);
  const consumer = new RingConsumer(buffer, producerBell);
  for (let i = 0; i < 2; i++) {
    expect(producer.reserve(120)).toBeGreaterThanOrEqual(0);
    producer.commit();
  }
  const heard = producerBell.listen();
  expect(producer.reserve(1)).toBe(-1);
  expect(consumer.peek()).toBeGreaterThanOrEqual(0);
  consumer.skip();
  expect(producerBell.listen()).toBe(heard);
  consumer.releaseSkipped();
  expect(producerBell.listen()).not.toBe(heard);
  expect(producer.reserve(1)).toBeGreaterThanOrEqual(0);
  expect(() => producer.reserve(121)).toThrow('a record of 121 bytes');
});

test('a bell that has rung does not let its owner sleep', async () => {
  const heard = consumerBell.listen();
  consumerBell.ring();
  const started = performance.now();
  consumerBell.sleep(heard, 10_000);
  expect(consumerBell.sleepAsync(heard)).toBe(null);
  expect(performance.now() - started).toBeLessThan(1000);
  const waiting = consumerBell.sleepAsync(consumerBell.listen());
  consumerBell.ring();
  await waiting;
  await consumerBell.sleepAsync(consumerBell.listen(), 5);
});
