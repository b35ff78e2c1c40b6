/** Two rings between the main thread and a worker: a round trip alone, and with many in flight.
 *
 * Run `npm run build`, then `node dist/bench/micro/ring.js`. */

import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { Bench } from 'tinybench';
import {
  createRing,
  Doorbell,
  MAIN_THREAD,
  RingConsumer,
  RingProducer,
  SharedMemory,
  type SharedMemoryParts,
} from '../../src/shm/index.ts';

const WORKER = 2;
const RECORD_LENGTH = 64;
/** A record that begins with this ends the worker. */
const STOP = -1;

interface EchoTask {
  readonly parts: SharedMemoryParts;
  readonly requests: SharedArrayBuffer;
  readonly answers: SharedArrayBuffer;
}

/** Answers each request with the same bytes, all that are there before it rings. */
function echo({ parts, requests, answers }: EchoTask): void {
  const memory = SharedMemory.attach(parts);
  const bell = new Doorbell(memory, WORKER);
  const mainBell = new Doorbell(memory, MAIN_THREAD);
  const consumer = new RingConsumer(requests, mainBell);
  const producer = new RingProducer(answers, mainBell);
  for (;;) {
    const heard = bell.listen();
    let isIdle = true;
    for (let at = consumer.peek(); at >= 0; at = consumer.peek()) {
      isIdle = false;
      if (consumer.view.getInt32(at, true) === STOP) return;
      const to = producer.reserve(RECORD_LENGTH);
      if (to < 0) throw new Error('the bench has more in flight than fits into a ring');
      producer.bytes.set(consumer.bytes.subarray(at, at + RECORD_LENGTH), to);
      producer.push();
      consumer.skip();
    }
    if (isIdle) {
      bell.sleep(heard, 1000);
    } else {
      consumer.releaseSkipped();
      producer.publish();
    }
  }
}

export async function benchRing(): Promise<Bench> {
  const memory = SharedMemory.create({ frameCount: 64, threadCount: 4 });
  const requests = createRing(1 << 16);
  const answers = createRing(1 << 16);
  const workerData: EchoTask = { parts: memory.parts(), requests, answers };
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData });
  const bell = new Doorbell(memory, MAIN_THREAD);
  const producer = new RingProducer(requests, new Doorbell(memory, WORKER));
  const consumer = new RingConsumer(answers, new Doorbell(memory, WORKER));
  const send = (n: number) => {
    const at = producer.reserve(RECORD_LENGTH);
    producer.view.setInt32(at, n, true);
    producer.push();
  };
  const roundTrips = async (count: number) => {
    for (let n = 0; n < count; n++) send(n);
    producer.publish();
    for (let n = 0; n < count; ) {
      const heard = bell.listen();
      for (let at = consumer.peek(); at >= 0; at = consumer.peek()) {
        if (consumer.view.getInt32(at, true) !== n++) throw new Error('wrong answer');
        consumer.release();
      }
      if (n < count) await bell.sleepAsync(heard);
    }
  };
  const bench = new Bench({ name: 'ring round trip', time: 500, warmupTime: 100 });
  for (const count of [1, 8, 32]) bench.add(`${count} in flight`, () => roundTrips(count));
  await bench.run();
  send(STOP);
  producer.publish();
  await new Promise((resolve) => worker.once('exit', resolve));
  return bench;
}

if (!isMainThread && workerData !== null) {
  echo(workerData as EchoTask);
} else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bench = await benchRing();
  console.table(
    bench.tasks.map(({ name, result }) => {
      if (!('latency' in result)) return { task: name, 'µs each': String(result.state) };
      const each = (ms: number) => ((ms * 1000) / Number.parseInt(name, 10)).toFixed(2);
      return {
        task: name,
        'µs each': each(result.latency.p50),
        'p99 µs': each(result.latency.p99),
      };
    }),
  );
}
