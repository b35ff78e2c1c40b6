import { ByteBuffer } from 'flatbuffers';
import { ByteWriter } from '../base/index.ts';
import type { RingConsumer, RingProducer } from '../shm/index.ts';

/** Records over a pair of rings: a fixed head (a struct of schemas/messages.fbs), then a payload.
 *
 * A payload too long for the ring goes ahead in pieces, as records of kind `part` with the request's
 * number at the same place, and is put together by the receiver (see `PartBuffer`).
 */

/** Where a head of some size is built before it is copied to a ring. */
export class HeadScratch {
  readonly bytes: Uint8Array;
  readonly buffer: ByteBuffer;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.buffer = new ByteBuffer(this.bytes);
  }
}

/** Size of ControlMessage and ReplyMessage, the heads of parts. */
const PART_HEAD_SIZE = 16;

export interface HeadLayout {
  readonly size: number;
  /** Byte offset of the request number. */
  readonly requestOffset: number;
}

export class RecordSender {
  private readonly ring: RingProducer;
  private readonly partHead = new Uint8Array(PART_HEAD_SIZE);
  private readonly partRequestOffset: number;
  /** What to do while the ring is full: block until there may be room, or keep records aside. */
  private readonly onFull: (() => void) | null;
  private readonly backlog: Uint8Array[] = [];
  /** Bytes kept aside, so that those who send much can hold back. */
  backlogBytes = 0;
  private readonly partLength: number;

  /** `part` says how the head of a part is written: its kind, and where the request's number is. */
  constructor(
    ring: RingProducer,
    part: { readonly kind: number; readonly requestOffset: number },
    onFull: (() => void) | null,
  ) {
    this.ring = ring;
    this.partHead[0] = part.kind;
    this.partRequestOffset = part.requestOffset;
    this.onFull = onFull;
    this.partLength = Math.min(64 * 1024, ring.lengthMax);
  }

  /** Queues a record. It is seen by the receiver after `publish`. */
  send(
    head: Uint8Array,
    layout: HeadLayout,
    payload: Uint8Array,
    start: number,
    end: number,
  ): void {
    let from = start;
    if (layout.size + end - from > this.partLength) {
      const { partHead } = this;
      for (let i = 0; i < 4; i++) {
        partHead[this.partRequestOffset + i] = head[layout.requestOffset + i]!;
      }
      const room = this.partLength - layout.size;
      while (end - from > room) {
        this.write(partHead, PART_HEAD_SIZE, payload, from, from + room);
        from += room;
      }
    }
    this.write(head, layout.size, payload, from, end);
  }

  publish(): void {
    this.ring.publish();
  }

  /** Sends what was kept aside, as far as there is room; true when nothing is left. */
  flushBacklog(): boolean {
    const { backlog } = this;
    let sent = 0;
    for (const record of backlog) {
      if (!this.tryWrite(record, record.length, EMPTY, 0, 0)) break;
      this.backlogBytes -= record.length;
      sent++;
    }
    if (sent > 0) {
      backlog.splice(0, sent);
      this.ring.publish();
    }
    return backlog.length === 0;
  }

  private write(
    head: Uint8Array,
    headSize: number,
    payload: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (this.backlog.length === 0) {
      if (this.tryWrite(head, headSize, payload, start, end)) return;
      if (this.onFull !== null) {
        do {
          this.ring.publish();
          this.onFull();
        } while (!this.tryWrite(head, headSize, payload, start, end));
        return;
      }
    }
    const record = new Uint8Array(headSize + end - start);
    record.set(head.subarray(0, headSize));
    record.set(payload.subarray(start, end), headSize);
    this.backlog.push(record);
    this.backlogBytes += record.length;
  }

  private tryWrite(
    head: Uint8Array,
    headSize: number,
    payload: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const at = this.ring.reserve(headSize + end - start);
    if (at < 0) return false;
    const { bytes } = this.ring;
    for (let i = 0; i < headSize; i++) bytes[at + i] = head[i]!;
    if (end > start) {
      if (end - start < 64) {
        const to = at + headSize - start;
        for (let i = start; i < end; i++) bytes[to + i] = payload[i]!;
      } else {
        bytes.set(payload.subarray(start, end), at + headSize);
      }
    }
    this.ring.push();
    return true;
  }
}

/** Puts payloads together that came in parts. */
export class PartBuffer {
  private readonly parts = new Map<number, ByteWriter>();

  add(request: number, bytes: Uint8Array, start: number, end: number): void {
    let writer = this.parts.get(request);
    if (writer === undefined) {
      writer = new ByteWriter(4 * (end - start));
      this.parts.set(request, writer);
    }
    writer.range(bytes, start, end);
  }

  /** The whole payload whose last piece is bytes[start, end); null when it came in one. */
  take(request: number, bytes: Uint8Array, start: number, end: number): Uint8Array | null {
    if (this.parts.size === 0) return null;
    const writer = this.parts.get(request);
    if (writer === undefined) return null;
    this.parts.delete(request);
    writer.range(bytes, start, end);
    return writer.written();
  }

  forget(request: number): void {
    this.parts.delete(request);
  }
}

/** A consumer's bytes as flatbuffers wants them. */
export function recordBuffer(ring: RingConsumer): ByteBuffer {
  return new ByteBuffer(ring.bytes);
}

const EMPTY = new Uint8Array(0);
