const CAPACITY_MIN = 512;

/** Buffers of the least size that no connection needs now. Every COMMIT needs one, for the Sync that comes
 * with it, and memory outside of the heap is dear to get and to give back. */
const IDLE_BUFFERS: Buffer[] = [];
const IDLE_BUFFERS_MAX = 64;

/** What a client has sent and nobody has handled yet: bytes[start, end). An idle connection owns no
 * buffer. */
export class PendingInput {
  bytes: Buffer | null = null;
  start = 0;
  end = 0;

  get length(): number {
    return this.end - this.start;
  }

  /** Keeps a copy of bytes[from, end) behind what there is. */
  add(bytes: Buffer, from: number, end: number): void {
    const count = end - from;
    const room = this.roomFor(count);
    bytes.copy(room, this.end, from, end);
    this.end += count;
  }

  /** All before `at` has been handled. */
  advance(at: number): void {
    this.start = at;
    if (at < this.end) return;
    if (this.bytes !== null) giveBuffer(this.bytes);
    this.clear();
  }

  /** Lets go of everything; whoever handles the bytes may go on with them. */
  clear(): void {
    this.bytes = null;
    this.start = 0;
    this.end = 0;
  }

  /** A buffer with room for `count` bytes at `end`. */
  private roomFor(count: number): Buffer {
    const { bytes, length } = this;
    if (bytes !== null && this.end + count <= bytes.length) return bytes;
    const needed = length + count;
    const target = bytes === null || needed > bytes.length ? takeBuffer(needed) : bytes;
    bytes?.copy(target, 0, this.start, this.end);
    this.bytes = target;
    this.start = 0;
    this.end = length;
    return target;
  }
}

function takeBuffer(needed: number): Buffer {
  let capacity = CAPACITY_MIN;
  while (capacity < needed) capacity *= 2;
  const idle = capacity === CAPACITY_MIN ? IDLE_BUFFERS.pop() : undefined;
  return idle ?? Buffer.allocUnsafeSlow(capacity);
}

function giveBuffer(buffer: Buffer): void {
  if (buffer.length === CAPACITY_MIN && IDLE_BUFFERS.length < IDLE_BUFFERS_MAX) {
    IDLE_BUFFERS.push(buffer);
  }
}
