import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { PgError, type PgErrorFields, pgError } from '../../errors/index.ts';
import { openNodeDirectory, systemProcesses } from '../../io/index.ts';
import { Settings, type SettingValues, StatementCache } from '../../session/index.ts';
import { createRing, Doorbell, MAIN_THREAD, SharedMemory, WRITER_THREAD } from '../../shm/index.ts';
import { loadParser } from '../../sql/parse/index.ts';
import { LockFile, type RecoveryReport } from '../../storage/index.ts';
import { ExclusiveTables, FastPathWords } from '../../txn/index.ts';
import { CancelWords } from '../cancel-words.ts';
import { REQUEST } from '../messages.ts';
import { createLogSyncWords, type LogSyncSetup } from '../worker/log-sync.ts';
import { nowMicros } from '../worker/statement-context.ts';
import type { WorkerSetup } from '../worker/worker-setup.ts';
import { Sessions } from './session-host.ts';
import { StatementRouter } from './statement-router.ts';
import { WorkerChannel } from './worker-channel.ts';

const REQUEST_RING_BYTES = 1 << 20;
const REPLY_RING_BYTES = 1 << 22;
const FIRST_READER_THREAD = 2;
/** Young generation of a worker: three halves of 32 MiB. What a statement leaves behind is dead by the
 * next, so collecting half as often costs half as much (TPC-B-like pgbench, 32 clients: 8% of all
 * processor time went to V8's own threads, now 4%). */
const YOUNG_GENERATION_MB = 96;
/** How long a clean stop waits for threads that have been told to end. */
const STOP_PATIENCE_MS = 10_000;
/** Plans and shapes kept for all sessions. */
const STATEMENT_CACHE_SIZE = 4096;

export interface EngineServerOptions {
  /** Data directory. */
  readonly dataDirectory: string;
  /** Server settings by lower-case name, as texts. */
  readonly settings: SettingValues;
  /** Folder with the compiled thread entry points. */
  readonly workerDirectory: string;
  readonly log: (message: string) => void;
}

/** The engine with all its threads: shared memory, the writer, the readers, and the sessions that the
 * doors open on it.
 *
 * When the writer dies, everything in shared memory is suspect: all workers are stopped, the memory is
 * made anew, and a new writer recovers from the log, while new connections wait.
 */
export class EngineServer {
  readonly sessions: Sessions;
  private readonly options: EngineServerOptions;
  private readonly lock: LockFile;
  private readonly cache: StatementCache;
  private readonly settings: Settings;
  private readonly startTimestamp = nowMicros();
  private generation: Generation | null = null;
  private starting: Promise<StatementRouter>;
  private closing = false;
  recovery: RecoveryReport | null = null;
  /** Is told when the engine cannot go on: recovery after the writer's death has failed. */
  onFatal: (error: unknown) => void = () => {};
  /** Is told of every request to a worker, so that the event loop can stay awake for the answer. */
  onRequest: () => void = () => {};
  /** Has something done when all messages of clients that have come are handled and answered. */
  atTurnEnd: (work: () => void) => void = (work) => work();

  static async start(options: EngineServerOptions): Promise<EngineServer> {
    await loadParser();
    // Held by the process, not by the writer, which may have to be replaced.
    const lock = LockFile.acquire(openNodeDirectory(options.dataDirectory), systemProcesses);
    try {
      const server = new EngineServer(options, lock);
      await server.starting;
      return server;
    } catch (thrown) {
      lock.release();
      throw thrown;
    }
  }

  private constructor(options: EngineServerOptions, lock: LockFile) {
    this.lock = lock;
    this.options = options;
    this.settings = new Settings(options.settings, () => {});
    this.cache = new StatementCache(STATEMENT_CACHE_SIZE);
    this.sessions = new Sessions({
      backend: () => this.generation?.readyRouter ?? this.starting,
      cache: this.cache,
      defaults: options.settings,
    });
    this.starting = this.begin();
  }

  /** For doors that poll: answers of workers are taken without being woken. */
  readonly pollSource = {
    begin: (): void => this.generation?.isAwake(),
    poll: (): number => this.generation?.router.receive() ?? 0,
    end: (): void => this.generation?.mustWake(),
  };

  /** Stops all threads; the data directory is left as after a clean shutdown. */
  async close(): Promise<void> {
    this.closing = true;
    await this.generation?.stop();
    this.lock.release();
  }

  private begin(): Promise<StatementRouter> {
    const generation = new Generation(this.options, this.settings, this.startTimestamp);
    this.generation = generation;
    generation.onWriterLost = (reason) => this.recover(reason);
    generation.router.onRequest = () => this.onRequest();
    generation.router.atTurnEnd = (work) => this.atTurnEnd(work);
    return generation.start().then((report) => {
      this.recovery = report;
      return generation.router;
    });
  }

  private recover(reason: string): void {
    if (this.closing) return;
    this.options.log(`the writer thread ended (${reason}); recovering from the log`);
    const lost = this.generation;
    this.generation = null;
    this.sessions.endAll(crashed());
    // The old readers must be gone before a new writer starts over with the spill file.
    this.starting = (lost?.abandon() ?? Promise.resolve()).then(() => this.begin());
    this.starting.then(
      () => this.options.log('recovered; the database system is ready'),
      (thrown) => this.onFatal(thrown),
    );
  }
}

/** One life of the shared memory: from a start, or a recovery, to the next. */
class Generation {
  readonly router: StatementRouter;
  readyRouter: StatementRouter | null = null;
  onWriterLost: (reason: string) => void = () => {};
  private readonly options: EngineServerOptions;
  private readonly memory: SharedMemory;
  private readonly mainBell: Doorbell;
  private readonly settings: Settings;
  private writer: Worker | null = null;
  private writerChannel: WorkerChannel | null = null;
  private logSync: Worker | null = null;
  private logSyncEnded: Promise<void> = Promise.resolve();
  private readonly logSyncThread: number;
  private readonly logSyncWords = createLogSyncWords();
  private readonly exclusiveTables = ExclusiveTables.create();
  private readonly fastPathWords = FastPathWords.create();
  /** One pool a reader, of one thread. */
  private readonly readerPools: Piscina[] = [];
  /** Of each reader: resolves when it has ended. */
  private readonly readerRuns: Promise<void>[] = [];
  private readonly readerCount: number;
  private readers: (WorkerChannel | null)[] = [];
  private over = false;

  constructor(options: EngineServerOptions, settings: Settings, startTimestamp: number) {
    this.options = options;
    this.settings = settings;
    this.readerCount = readerCount(settings.integer('read_workers'));
    this.memory = SharedMemory.create({
      frameCount: settings.integer('shared_buffers'),
      // Beside main thread, writer and readers: the log's sync thread, and the number that stands for
      // checkpoints.
      threadCount: FIRST_READER_THREAD + this.readerCount + 2,
    });
    this.logSyncThread = FIRST_READER_THREAD + this.readerCount;
    this.mainBell = new Doorbell(this.memory, MAIN_THREAD);
    this.router = new StatementRouter(
      this.memory,
      startTimestamp,
      new ExclusiveTables(this.exclusiveTables),
      new FastPathWords(this.fastPathWords),
    );
  }

  async start(): Promise<RecoveryReport> {
    const report = await this.startWriter();
    this.startLogSync();
    for (let i = 0; i < this.readerCount; i++) this.startReader(i);
    void this.pump();
    this.readyRouter = this.router;
    return report;
  }

  isAwake(): void {
    this.mainBell.isAwake();
  }

  mustWake(): void {
    this.mainBell.mustWake();
    this.router.receive();
  }

  /** A clean stop. */
  async stop(): Promise<void> {
    this.over = true;
    for (const reader of this.readers) reader?.control({ kind: REQUEST.shutdown });
    const { writer } = this;
    if (writer !== null) {
      const ended = new Promise<void>((resolve) => writer.once('exit', () => resolve()));
      this.writerChannel?.control({ kind: REQUEST.shutdown });
      await ended;
    }
    // They end by themselves. To end a thread that is still loading its modules may abort the process.
    await Promise.race([
      Promise.all([this.logSyncEnded, ...this.readerRuns]),
      sleep(STOP_PATIENCE_MS, undefined, { ref: false }),
    ]);
    // It may be making a segment of the log, in a directory that is somebody else's after this.
    await this.logSync?.terminate();
    await this.destroyReaders();
    this.mainBell.ring();
  }

  /** After the writer's death: whatever the workers still do is of no account. Resolves when they have
   * ended. */
  async abandon(): Promise<void> {
    this.over = true;
    this.readyRouter = null;
    this.router.failAll(crashed());
    this.mainBell.ring();
    await Promise.all([this.destroyReaders(), this.writer?.terminate(), this.logSync?.terminate()]);
  }

  private startWriter(): Promise<RecoveryReport> {
    const { setup, channel } = this.connect(WRITER_THREAD);
    this.writerChannel = channel;
    this.router.setWriter(channel);
    const writer = new Worker(join(this.options.workerDirectory, 'writer.js'), {
      workerData: setup,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.writer = writer;
    return new Promise((resolve, reject) => {
      let failure: PgErrorFields | null = null;
      writer.on('message', (message: WriterStart) => {
        if (message.kind === 'failed') failure = message.error;
        else {
          this.router.receive();
          resolve(message.recovery);
        }
      });
      writer.on('error', (error) => {
        this.options.log(`writer thread: ${error.stack ?? error}`);
      });
      writer.on('exit', () => {
        if (failure !== null) reject(new PgError(failure));
        else reject(new Error('the writer thread ended during start-up'));
        // What fails at the start would fail again; only a writer that has served is replaced.
        if (!this.over && this.readyRouter !== null) this.onWriterLost('exit');
      });
    });
  }

  private startLogSync(): void {
    const setup: LogSyncSetup = {
      thread: this.logSyncThread,
      memory: this.memory.parts(),
      words: this.logSyncWords,
      dataDirectory: this.options.dataDirectory,
    };
    const worker = new Worker(join(this.options.workerDirectory, 'log-sync.js'), {
      workerData: setup,
    });
    this.logSync = worker;
    worker.on('error', (error) => this.options.log(`log sync thread: ${error.stack ?? error}`));
    this.logSyncEnded = new Promise((resolve) => worker.once('exit', () => resolve()));
    worker.on('exit', () => {
      // Without it no commit ends; the writer is as good as lost.
      if (!this.over) void this.writer?.terminate();
    });
  }

  private startReader(index: number): void {
    const { setup, channel } = this.connect(FIRST_READER_THREAD + index);
    // A new pool hands its task out at once. One whose thread has ended keeps it until the next thread is
    // up, and for ever when that one ends before.
    const pool = new Piscina({
      filename: join(this.options.workerDirectory, 'reader.js'),
      minThreads: 1,
      maxThreads: 1,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.readerPools[index] = pool;
    this.readers[index] = channel;
    this.router.setReaders(this.readers.filter((reader) => reader !== null));
    const ended = (reason: unknown): void => {
      if (this.over) return;
      this.options.log(`reader thread ${index} ended (${reason}); starting another`);
      this.readers[index] = null;
      this.router.setReaders(this.readers.filter((reader) => reader !== null));
      this.router.channelLost(
        channel,
        pgError('crash_shutdown', 'the thread that ran the statement has ended').fields,
      );
      this.router.threadEnded(FIRST_READER_THREAD + index);
      void pool.destroy();
      this.startReader(index);
    };
    this.readerRuns[index] = pool.run(setup).then(() => ended('stopped'), ended);
  }

  private async destroyReaders(): Promise<void> {
    await Promise.all(this.readerPools.map((pool) => pool.destroy()));
  }

  private connect(thread: number): { setup: WorkerSetup; channel: WorkerChannel } {
    const requestRing = createRing(REQUEST_RING_BYTES);
    const replyRing = createRing(REPLY_RING_BYTES);
    const cancels = CancelWords.create();
    const setup: WorkerSetup = {
      thread,
      memory: this.memory.parts(),
      requestRing,
      replyRing,
      cancels,
      dataDirectory: this.options.dataDirectory,
      maxWalSize: this.settings.integer('max_wal_size') * 1024 * 1024,
      checkpointTimeoutMs: this.settings.integer('checkpoint_timeout') * 1000,
      walWriterDelayMs: this.settings.integer('wal_writer_delay'),
      logSyncThread: this.logSyncThread,
      logSyncWords: this.logSyncWords,
      exclusiveTables: this.exclusiveTables,
      fastPathWords: this.fastPathWords,
    };
    const channel = new WorkerChannel(this.memory, thread, requestRing, replyRing, cancels);
    return { setup, channel };
  }

  /** Takes replies whenever a worker rings. */
  private async pump(): Promise<void> {
    while (!this.over) {
      const heard = this.mainBell.listen();
      this.router.receive();
      const sleep = this.mainBell.sleepAsync(heard);
      if (sleep !== null) await sleep;
    }
  }
}

/** First words of the writer thread, by postMessage: it is up, or it could not start. */
export type WriterStart =
  | { readonly kind: 'ready'; readonly recovery: RecoveryReport }
  | { readonly kind: 'failed'; readonly error: PgErrorFields };

/** What clients hear when the writer has died; as with PostgreSQL, all of them have to connect anew. */
function crashed(): PgErrorFields {
  return pgError(
    'crash_shutdown',
    'terminating connection because of crash of another server process',
    { severity: 'FATAL' },
  ).fields;
}

function readerCount(setting: number): number {
  return setting > 0 ? setting : Math.max(1, availableParallelism() - 1);
}
