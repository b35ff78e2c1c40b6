/** The map of the memory that all threads share.
 *
 * The main thread creates it, hands `parts()` to each worker, and the worker attaches. Everything in
 * it is allocated at its largest size at once: untouched memory costs address space only, so no
 * thread ever has to notice that an array grew.
 *
 *   control     Int32 words, see CONTROL_* below; a word that threads fight for has a line of its own
 *   frames      WebAssembly memories of at most 1 GiB, frame f at byte (f % FRAMES_PER_MEMORY) * 8192
 *   frameTable  per frame: version LSN, page number, older version, backing (frame-table.ts)
 *   pageTable   per page: where its newest version is (page-table.ts)
 *   spillTable  per slot of the spill file: version LSN, page number, older version
 */

export const FRAME_BYTES = 8192;
const FRAME_SHIFT = 13;
/** 1 GiB per memory. Larger ones work too, but offsets then leave the small integers of V8. */
const FRAMES_PER_MEMORY_SHIFT = 17;
const FRAMES_PER_MEMORY = 1 << FRAMES_PER_MEMORY_SHIFT;
const WASM_PAGE_BYTES = 65536;

/** Threads have small numbers, fixed for two of them; the runtime hands out the others. */
export const MAIN_THREAD = 0;
export const WRITER_THREAD = 1;

// Word offsets in the control block. 16 words are one cache line.
/** Number of the current commit: counts 1 .. 2^31-2 and starts over; written by the writer. */
export const CONTROL_COMMIT_INDEX = 0;
/** LSN of commits with even and with odd number: low word, high word, each; written by the writer. */
export const CONTROL_COMMIT_LSN = 1;
/** One past the highest snapshot slot in use so far; written by the main thread. */
export const CONTROL_SNAPSHOT_HIGH = 16;
/** Reclamation epoch, 1 .. 2^31-1 and over again; written by the writer. */
export const CONTROL_EPOCH = 32;
/** Ring of free frames: consumers' position, producer's position. */
export const CONTROL_FREE_HEAD = 48;
export const CONTROL_FREE_TAIL = 64;
/** 1 when a reader found the free frames running low and has rung for it. */
export const CONTROL_RECLAIM_WANTED = 80;
const CONTROL_THREADS = 96;
/** Per thread, one line: epoch, frame in hand, doorbell signal, what the doorbell sleeps at. */
const THREAD_WORDS = 16;
export const THREAD_EPOCH = 0;
export const THREAD_FRAME_IN_HAND = 1;
export const THREAD_SIGNAL = 2;
export const THREAD_SLEEPING = 3;

export interface SharedMemoryOptions {
  /** Frames of the buffer pool, 8 KiB each: the bound on page memory. */
  readonly frameCount: number;
  /** Threads that may ever be attached at one time. */
  readonly threadCount?: number;
  /** Snapshots that may be held at one time, beside the one that each thread always can hold. */
  readonly snapshotSlotCount?: number;
  /** Largest size of the database, in pages. 4 bytes of address space each. */
  readonly pageCountMax?: number;
  /** Largest size of the spill file, in pages. 16 bytes of address space each. */
  readonly spillSlotCountMax?: number;
}

/** What another thread needs to attach: plain data that postMessage and workerData carry. */
export interface SharedMemoryParts {
  readonly frameCount: number;
  readonly threadCount: number;
  readonly snapshotSlotCount: number;
  readonly pageCountMax: number;
  readonly spillSlotCountMax: number;
  readonly control: SharedArrayBuffer;
  readonly snapshots: SharedArrayBuffer;
  readonly freeFrames: SharedArrayBuffer;
  readonly frameTable: SharedArrayBuffer;
  readonly frames: readonly WebAssembly.Memory[];
  readonly pageTable: SharedArrayBuffer;
  readonly spillTable: SharedArrayBuffer;
}

function sharedWasmMemory(byteLength: number): WebAssembly.Memory {
  const pages = Math.max(1, Math.ceil(byteLength / WASM_PAGE_BYTES));
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

export function ceilPowerOfTwo(value: number): number {
  let power = 1;
  while (power < value) power *= 2;
  return power;
}

export class SharedMemory {
  readonly frameCount: number;
  readonly threadCount: number;
  readonly snapshotSlotCount: number;
  readonly pageCountMax: number;
  readonly spillSlotCountMax: number;
  readonly control: Int32Array;
  /** Word per snapshot slot; the first `threadCount` belong to the thread of that number. */
  readonly snapshots: Int32Array;
  readonly freeFrames: Int32Array;
  /** Frame memory as bytes, and as a DataView, by frame >>> FRAMES_PER_MEMORY_SHIFT. */
  readonly frameBytes: readonly Uint8Array[];
  readonly frameViews: readonly DataView[];
  readonly frameLsn: Float64Array;
  readonly framePage: Int32Array;
  readonly framePrevious: Int32Array;
  readonly frameBacking: Int32Array;
  /** CLOCK reference bytes. Always accessed plainly: they are hints, and a byte does not tear. */
  readonly frameReferenced: Uint8Array;
  readonly pageTable: Int32Array;
  readonly spillLsn: Float64Array;
  readonly spillPrevious: Int32Array;
  readonly spillPage: Int32Array;
  readonly #parts: SharedMemoryParts;

  private constructor(parts: SharedMemoryParts) {
    this.#parts = parts;
    this.frameCount = parts.frameCount;
    this.threadCount = parts.threadCount;
    this.snapshotSlotCount = parts.snapshotSlotCount;
    this.pageCountMax = parts.pageCountMax;
    this.spillSlotCountMax = parts.spillSlotCountMax;
    this.control = new Int32Array(parts.control);
    this.snapshots = new Int32Array(parts.snapshots);
    this.freeFrames = new Int32Array(parts.freeFrames);
    this.frameBytes = parts.frames.map((memory) => new Uint8Array(memory.buffer));
    this.frameViews = parts.frames.map((memory) => new DataView(memory.buffer));
    const n = parts.frameCount;
    this.frameLsn = new Float64Array(parts.frameTable, 0, n);
    this.framePage = new Int32Array(parts.frameTable, n * 8, n);
    this.framePrevious = new Int32Array(parts.frameTable, n * 12, n);
    this.frameBacking = new Int32Array(parts.frameTable, n * 16, n);
    this.frameReferenced = new Uint8Array(parts.frameTable, n * 20, n);
    this.pageTable = new Int32Array(parts.pageTable, 0, parts.pageCountMax);
    const s = parts.spillSlotCountMax;
    this.spillLsn = new Float64Array(parts.spillTable, 0, s);
    this.spillPrevious = new Int32Array(parts.spillTable, s * 8, s);
    this.spillPage = new Int32Array(parts.spillTable, s * 12, s);
  }

  static create(options: SharedMemoryOptions): SharedMemory {
    const {
      frameCount,
      threadCount = 64,
      snapshotSlotCount = 16384,
      pageCountMax = 1 << 26,
      spillSlotCountMax = 1 << 22,
    } = options;
    const frames: WebAssembly.Memory[] = [];
    for (let first = 0; first < frameCount; first += FRAMES_PER_MEMORY) {
      const count = Math.min(FRAMES_PER_MEMORY, frameCount - first);
      frames.push(sharedWasmMemory(count * FRAME_BYTES));
    }
    const memory = new SharedMemory({
      frameCount,
      threadCount,
      snapshotSlotCount,
      pageCountMax,
      spillSlotCountMax,
      control: new SharedArrayBuffer((CONTROL_THREADS + threadCount * THREAD_WORDS) * 4),
      snapshots: new SharedArrayBuffer((threadCount + snapshotSlotCount) * 4),
      freeFrames: new SharedArrayBuffer(ceilPowerOfTwo(frameCount + 1) * 4),
      frameTable: new SharedArrayBuffer(frameCount * 21),
      frames,
      pageTable: new SharedArrayBuffer(pageCountMax * 4),
      spillTable: new SharedArrayBuffer(spillSlotCountMax * 16),
    });
    // No other thread has attached yet, so these plain stores precede all that they do.
    memory.control[CONTROL_COMMIT_INDEX] = 1;
    memory.control[CONTROL_SNAPSHOT_HIGH] = threadCount;
    memory.control[CONTROL_EPOCH] = 1;
    for (let frame = 0; frame < frameCount; frame++) memory.freeFrames[frame] = frame;
    memory.control[CONTROL_FREE_TAIL] = frameCount;
    return memory;
  }

  static attach(parts: SharedMemoryParts): SharedMemory {
    return new SharedMemory(parts);
  }

  parts(): SharedMemoryParts {
    return this.#parts;
  }

  /** Bytes of the memory that holds a frame; the frame starts at `frameBase`. */
  bytesOf(frame: number): Uint8Array {
    return this.frameBytes[frame >>> FRAMES_PER_MEMORY_SHIFT]!;
  }

  viewOf(frame: number): DataView {
    return this.frameViews[frame >>> FRAMES_PER_MEMORY_SHIFT]!;
  }

  baseOf(frame: number): number {
    return (frame & (FRAMES_PER_MEMORY - 1)) << FRAME_SHIFT;
  }

  /** Offset of a thread's line in the control block. */
  threadWord(thread: number, word: number): number {
    if (thread < 0 || thread >= this.threadCount) throw new RangeError(`no thread ${thread}`);
    return CONTROL_THREADS + thread * THREAD_WORDS + word;
  }
}
