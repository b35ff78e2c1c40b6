import { parentPort, workerData } from 'node:worker_threads';
import {
  Doorbell,
  RingConsumer,
  RingProducer,
  SharedMemory,
  type SharedMemoryParts,
} from '../../src/shm/index.ts';
import { seededRandom } from './compiled.ts';

export interface RingTask {
  readonly role: 'produce' | 'consume';
  readonly parts: SharedMemoryParts;
  /** This thread's number, and the other's. */
  readonly own: number;
  readonly others: readonly number[];
  readonly rings: readonly SharedArrayBuffer[];
  readonly count: number;
  readonly seed: number;
}

/** Record n of a ring: its number, then bytes that follow from it. */
export function lengthOf(n: number, seed: number, max: number): number {
  const random = seededRandom(n * 2654435761 + seed);
  return 8 + (random(10) === 0 ? random(max - 8) : random(Math.min(64, max - 8)));
}

function pause(kind: number): void {
  if (kind === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  else for (let i = 0; i < kind * 50; i++) Math.sqrt(i);
}

export function produce(task: RingTask): void {
  const memory = SharedMemory.attach(task.parts);
  const bell = new Doorbell(memory, task.own);
  const ring = new RingProducer(task.rings[0]!, new Doorbell(memory, task.others[0]!));
  const random = seededRandom(task.seed + 99);
  for (let n = 0; n < task.count; n++) {
    const length = lengthOf(n, task.seed, ring.lengthMax);
    let at = -1;
    for (;;) {
      const heard = bell.listen();
      at = ring.reserve(length);
      if (at >= 0) break;
      ring.publish();
      bell.sleep(heard, 5000);
    }
    ring.view.setUint32(at, n, true);
    ring.view.setUint32(at + 4, length, true);
    ring.bytes.fill(n & 0xff, at + 8, at + length);
    ring.push(length);
    if (random(3) !== 0) ring.publish();
    if (random(100) === 0) pause(random(8));
  }
  ring.publish();
}

/** Checks a record; throws when it is not record n. */
export function verify(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  length: number,
  n: number,
): void {
  if (view.getUint32(at, true) !== n || view.getUint32(at + 4, true) !== length) {
    throw new Error(`record ${n}: found number ${view.getUint32(at, true)}, length ${length}`);
  }
  for (let i = 8; i < length; i++) {
    if (bytes[at + i] !== (n & 0xff)) throw new Error(`record ${n} is torn at ${i}`);
  }
}

/** Returns how often the thread slept. */
function consume(task: RingTask): number {
  const memory = SharedMemory.attach(task.parts);
  const bell = new Doorbell(memory, task.own);
  const rings = task.rings.map(
    (ring, i) => new RingConsumer(ring, new Doorbell(memory, task.others[i]!)),
  );
  const next = rings.map(() => 0);
  const random = seededRandom(task.seed + 7);
  let sleepCount = 0;
  while (next.some((n) => n < task.count)) {
    const heard = bell.listen();
    let isIdle = true;
    for (const [i, ring] of rings.entries()) {
      for (let at = ring.peek(); at >= 0; at = ring.peek()) {
        isIdle = false;
        verify(ring.bytes, ring.view, at, ring.length, next[i]!++);
        if (random(4) === 0) ring.skip();
        else ring.release();
        if (random(200) === 0) pause(random(8));
      }
      ring.releaseSkipped();
    }
    if (!isIdle) continue;
    sleepCount++;
    const before = performance.now();
    bell.sleep(heard, 5000);
    if (performance.now() - before > 4500) throw new Error('a wake-up was lost');
  }
  return sleepCount;
}

if (parentPort !== null && (workerData as RingTask | null)?.rings !== undefined) {
  const task = workerData as RingTask;
  if (task.role === 'produce') produce(task);
  parentPort.postMessage(task.role === 'consume' ? consume(task) : 0);
}
