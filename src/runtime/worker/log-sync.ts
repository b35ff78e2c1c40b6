import { basename } from 'node:path';
import { hasCondition } from '../../errors/index.ts';
import type { Directory, File } from '../../io/index.ts';
import {
  Doorbell,
  SharedMemory,
  type SharedMemoryParts,
  SharedWords,
  WRITER_THREAD,
} from '../../shm/index.ts';
import {
  AHEAD_NAME,
  type SegmentFiller,
  type WalSync,
  type WalWriter,
} from '../../storage/index.ts';

/** A thread that syncs the log for the writer, which meanwhile goes on running statements: a sync
 * takes as long as many of them. One sync at a time; the commits that come meanwhile form the next
 * group. Between syncs it makes the next segment of the log.
 *
 * Words, each written by one thread (the writer W, the sync thread S):
 *
 *   REQUESTED  W  number of the newest sync that was asked for; STOP ends the thread
 *   DONE       S  number of the newest sync that has ended
 *   FAILED     S  1 when that one failed
 *   COUNT      W  number of files
 *   NAMES …    W  two words a file: its name, a number in hexadecimal
 *
 *   FILL_REQUESTED  W  number of the newest segment that was asked for
 *   FILL_SIZE       W  its size
 *   FILL_DONE       S  number of the newest segment that has been made, or given up
 *   FILL_FAILED     S  1 when it was given up
 *
 * W stores COUNT and NAMES, then REQUESTED, then rings S, which loads REQUESTED before it loads the
 * others; so it sees them. S stores FAILED, then DONE, then rings W. All are Atomics operations. W
 * asks for nothing new before DONE is what it asked for, so S never reads words that W is changing.
 * The same goes for FILL_SIZE, FILL_REQUESTED, FILL_FAILED and FILL_DONE, but that a writer that takes the
 * place of a dead one does not wait for what that one had asked for: S begins anew with what is asked
 * for last, and by then its size has been stored.
 */
const REQUESTED = 0;
const DONE = 1;
const FAILED = 2;
const COUNT = 3;
const NAMES = 4;
const FILES_MAX = 8;
const FILL_REQUESTED = NAMES + 2 * FILES_MAX;
const FILL_SIZE = FILL_REQUESTED + 1;
const FILL_DONE = FILL_REQUESTED + 2;
const FILL_FAILED = FILL_REQUESTED + 3;
const WORD_COUNT = FILL_REQUESTED + 4;
/** Written between two looks at what else is to be done. */
const FILL_PART_SIZE = 1024 * 1024;
const STOP = -1;
const SLEEP_MS = 10_000;

export interface LogSyncSetup {
  readonly thread: number;
  readonly memory: SharedMemoryParts;
  readonly words: SharedArrayBuffer;
  readonly dataDirectory: string;
}

export function createLogSyncWords(): SharedArrayBuffer {
  return SharedWords.create(WORD_COUNT);
}

/** The writer's side. */
export class LogSync {
  private readonly log: WalWriter;
  private readonly words: SharedWords;
  private readonly bell: Doorbell;
  private running: WalSync | null = null;
  private number = 0;

  constructor(log: WalWriter, memory: SharedMemory, thread: number, words: SharedArrayBuffer) {
    this.log = log;
    this.words = new SharedWords(words);
    this.bell = new Doorbell(memory, thread);
    log.fillSegmentsWith(new RemoteFiller(this.words, this.bell));
  }

  /** Starts making all that was appended stable; false when it has to be done here. */
  start(): boolean {
    const sync = this.log.beginSync();
    if (sync.paths.length > FILES_MAX) return false;
    const { words } = this;
    words.store(COUNT, sync.paths.length);
    sync.paths.forEach((path, i) => {
      const name = basename(path);
      words.store(NAMES + 2 * i, Number.parseInt(name.slice(0, 8), 16) | 0);
      words.store(NAMES + 2 * i + 1, Number.parseInt(name.slice(8), 16) | 0);
    });
    this.running = sync;
    this.number = (this.number + 1) & 0x7fff_ffff;
    words.store(REQUESTED, this.number);
    this.bell.ring();
    return true;
  }

  /** The sync that was started has ended, well or not. */
  get hasEnded(): boolean {
    return this.words.load(DONE) === this.number;
  }

  /** True once the sync that was started has ended well. After a failed sync nothing is known of what
   * is stable, so it is not tried again: this throws, and the log is failed. */
  isDone(): boolean {
    if (!this.hasEnded) return false;
    if (this.words.load(FAILED) !== 0) throw this.log.fail(new Error('could not fsync the log'));
    if (this.running !== null) this.log.endSync(this.running);
    this.running = null;
    return true;
  }

  stop(): void {
    this.words.store(REQUESTED, STOP);
    this.bell.ring();
  }
}

/** Has segments made by the sync thread. */
class RemoteFiller implements SegmentFiller {
  private readonly words: SharedWords;
  private readonly bell: Doorbell;
  private number: number;
  private isAsked = false;

  constructor(words: SharedWords, bell: Doorbell) {
    this.words = words;
    this.bell = bell;
    this.number = words.load(FILL_REQUESTED);
  }

  get state(): SegmentFiller['state'] {
    if (!this.isAsked) return 'idle';
    if (this.words.load(FILL_DONE) !== this.number) return 'busy';
    return this.words.load(FILL_FAILED) === 0 ? 'done' : 'failed';
  }

  begin(size: number): void {
    this.isAsked = true;
    this.number = (this.number + 1) & 0x7fff_ffff;
    this.words.store(FILL_SIZE, size);
    this.words.store(FILL_REQUESTED, this.number);
    this.bell.ring();
  }

  end(): void {
    this.isAsked = false;
  }
}

/** Makes segments that the writer asks for, a part at a time. */
class SegmentFilling {
  private readonly words: SharedWords;
  private readonly directory: Directory;
  private readonly zeros = new Uint8Array(FILL_PART_SIZE);
  private number: number;
  private file: File | null = null;
  private filled = 0;

  constructor(words: SharedWords, directory: Directory) {
    this.words = words;
    this.directory = directory;
    this.number = words.load(FILL_DONE);
  }

  get isWanted(): boolean {
    return this.words.load(FILL_REQUESTED) !== this.words.load(FILL_DONE);
  }

  /** Fills a part; true when the file is whole, or given up. */
  step(): boolean {
    const { words } = this;
    const requested = words.load(FILL_REQUESTED);
    if (requested !== this.number) {
      this.close();
      this.number = requested;
    }
    let failed = false;
    try {
      if (!this.fill(words.load(FILL_SIZE))) return false;
    } catch (thrown) {
      // On a full disk the writer, which then makes the segment itself, tells the operator.
      if (!hasCondition(thrown, 'disk_full')) console.error(thrown);
      failed = true;
    }
    this.close();
    words.store(FILL_FAILED, failed ? 1 : 0);
    words.store(FILL_DONE, requested);
    return true;
  }

  close(): void {
    this.file?.close();
    this.file = null;
    this.filled = 0;
  }

  private fill(size: number): boolean {
    this.file ??= this.directory.open(AHEAD_NAME, 'create');
    const part = Math.min(FILL_PART_SIZE, size - this.filled);
    this.file.writeAt(this.zeros.subarray(0, part), this.filled);
    this.file.sync();
    this.filled += part;
    return this.filled === size;
  }
}

/** The sync thread. */
export function runLogSync(setup: LogSyncSetup, openLog: () => Directory): void {
  const memory = SharedMemory.attach(setup.memory);
  const words = new SharedWords(setup.words);
  const bell = new Doorbell(memory, setup.thread);
  const writerBell = new Doorbell(memory, WRITER_THREAD);
  const directory = openLog();
  const files = new Map<string, File>();
  const filling = new SegmentFilling(words, directory);
  let done = 0;
  for (;;) {
    const heard = bell.listen();
    const requested = words.load(REQUESTED);
    if (requested === STOP) break;
    if (requested === done) {
      if (!filling.isWanted) bell.sleep(heard, SLEEP_MS);
      else if (filling.step()) writerBell.ring();
      continue;
    }
    words.store(FAILED, syncFiles(words, directory, files) ? 0 : 1);
    done = requested;
    words.store(DONE, done);
    writerBell.ring();
  }
  filling.close();
  for (const file of files.values()) file.close();
}

function syncFiles(words: SharedWords, directory: Directory, files: Map<string, File>): boolean {
  const count = words.load(COUNT);
  try {
    const names: string[] = [];
    for (let i = 0; i < count; i++) {
      const high = words.load(NAMES + 2 * i) >>> 0;
      const low = words.load(NAMES + 2 * i + 1) >>> 0;
      names.push(high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0'));
    }
    for (const name of names) {
      let file = files.get(name);
      if (file === undefined) {
        file = directory.open(name, 'write');
        files.set(name, file);
      }
      file.sync();
    }
    // Older segments are renamed and removed; their handles would keep them alive.
    for (const [name, file] of files) {
      if (names.includes(name)) continue;
      file.close();
      files.delete(name);
    }
    return true;
  } catch (thrown) {
    console.error(thrown);
    return false;
  }
}
