import { assert } from '../base/index.ts';
import type { Doorbell } from './doorbell.ts';
import { ceilPowerOfTwo } from './shared-memory.ts';

/** Byte ring of variable-length records from one thread to one other.
 *
 *   offset  size  field
 *        0     4  tail      position after the last published record; written by the producer
 *       64     4  head      position of the first record not released; written by the consumer
 *      128     4  starved   1 when the producer waits for room; set by it, cleared by the consumer
 *      192     …  data      a power of two of bytes
 *
 * Positions count bytes and wrap at 2^32. A record is 4 bytes of length, 4 unused, the payload, and
 * padding to a multiple of 8; a length of 2^32-1 says that the rest up to the end of data is unused,
 * so that every payload is contiguous and starts at a multiple of 8.
 *
 * Publish: write the record, Atomics.store(tail). Consume: Atomics.load(tail), then read the record.
 * A load that sees a store happens after it, so every byte written before the store is visible; the
 * same argument on `head` lets the producer reuse the bytes. Waking up is the doorbell's matter.
 * Room: the producer that finds none stores starved = 1 and looks at head once more; the consumer
 * stores head, then loads starved, and rings if it is set. One of the two sees the other's store.
 *
 * A record takes at most half of the data, so that one always fits into an empty ring, wherever the
 * positions stand. Never: two producers, two consumers, bytes touched after they were given up.
 */
const TAIL = 0;
const HEAD = 16;
const STARVED = 32;
const DATA_OFFSET = 192;
const RECORD_HEADER = 8;
const SKIP_TO_END = 0xffffffff;

function recordBytes(length: number): number {
  return RECORD_HEADER + ((length + 7) & ~7);
}

/** The memory of a ring of at least `capacity` bytes, for a RingProducer and a RingConsumer. */
export function createRing(capacity: number): SharedArrayBuffer {
  return new SharedArrayBuffer(DATA_OFFSET + ceilPowerOfTwo(Math.max(capacity, 64)));
}

abstract class RingEnd {
  /** The data. Payload offsets are indices of it. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Longest payload that a record can have. */
  readonly lengthMax: number;
  protected readonly words: Int32Array;
  protected readonly capacity: number;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer, 0, DATA_OFFSET / 4);
    this.capacity = buffer.byteLength - DATA_OFFSET;
    assert(this.capacity === ceilPowerOfTwo(this.capacity), 'not the memory of a ring');
    this.bytes = new Uint8Array(buffer, DATA_OFFSET);
    this.view = new DataView(buffer, DATA_OFFSET);
    this.lengthMax = this.capacity / 2 - RECORD_HEADER;
  }
}

export class RingProducer extends RingEnd {
  readonly #consumer: Doorbell;
  /** Private position: records before it are written, perhaps not yet published. */
  #tail: number;
  #reserved = -1;

  constructor(buffer: SharedArrayBuffer, consumer: Doorbell) {
    super(buffer);
    this.#consumer = consumer;
    this.#tail = Atomics.load(this.words, TAIL);
  }

  /** Room for a payload of up to `length` bytes: its offset in `bytes`, or -1 when the ring is full;
   * the consumer then rings the producer's bell once it has made room. */
  reserve(length: number): number {
    assert(length <= this.lengthMax, `a record of ${length} bytes in a ring of ${this.capacity}`);
    const needed = recordBytes(length);
    const at = this.#tail & (this.capacity - 1);
    const toEnd = this.capacity - at;
    const total = needed <= toEnd ? needed : toEnd + needed;
    if (this.#room() < total) {
      Atomics.store(this.words, STARVED, 1);
      if (this.#room() < total) return -1;
      Atomics.store(this.words, STARVED, 0);
    }
    this.#reserved = length;
    if (needed <= toEnd) return at + RECORD_HEADER;
    this.view.setUint32(at, SKIP_TO_END, true);
    this.#tail = (this.#tail + toEnd) | 0;
    return RECORD_HEADER;
  }

  /** Ends the reserved record with the length really used. It is seen at the next `publish`. */
  push(length: number = this.#reserved): void {
    assert(length >= 0 && length <= this.#reserved, 'a record longer than its reservation');
    this.view.setUint32(this.#tail & (this.capacity - 1), length, true);
    this.#tail = (this.#tail + recordBytes(length)) | 0;
    this.#reserved = -1;
  }

  /** Lets the consumer see all pushed records, and wakes it if it sleeps. */
  publish(): void {
    Atomics.store(this.words, TAIL, this.#tail);
    this.#consumer.ring();
  }

  commit(length?: number): void {
    this.push(length);
    this.publish();
  }

  #room(): number {
    return this.capacity - ((this.#tail - Atomics.load(this.words, HEAD)) | 0);
  }
}

export class RingConsumer extends RingEnd {
  readonly #producer: Doorbell;
  #head: number;
  /** Length of the payload that `peek` found. */
  length = 0;

  constructor(buffer: SharedArrayBuffer, producer: Doorbell) {
    super(buffer);
    this.#producer = producer;
    this.#head = Atomics.load(this.words, HEAD);
  }

  get isEmpty(): boolean {
    return Atomics.load(this.words, TAIL) === this.#head;
  }

  /** Offset of the first record's payload, `length` bytes long; -1 when there is none. */
  peek(): number {
    const tail = Atomics.load(this.words, TAIL);
    for (;;) {
      if (tail === this.#head) return -1;
      const at = this.#head & (this.capacity - 1);
      const length = this.view.getUint32(at, true);
      if (length !== SKIP_TO_END) {
        this.length = length;
        return at + RECORD_HEADER;
      }
      this.#head = (this.#head + this.capacity - at) | 0;
    }
  }

  /** Gives the record that `peek` found back to the producer. */
  release(): void {
    this.skip();
    this.releaseSkipped();
  }

  /** Passes over the record that `peek` found, and keeps its bytes: several records can be in use at
   * one time, until `releaseSkipped`. */
  skip(): void {
    this.#head = (this.#head + recordBytes(this.length)) | 0;
  }

  releaseSkipped(): void {
    Atomics.store(this.words, HEAD, this.#head);
    if (Atomics.load(this.words, STARVED) !== 0) {
      Atomics.store(this.words, STARVED, 0);
      this.#producer.ring();
    }
  }
}
