import { deserialize } from 'node:v8';
import { OpenHashMap, useInterruptCheck } from '../../base/index.ts';
import { CATALOG_TREE, placedTypes, readCatalog } from '../../catalog/index.ts';
import { type PgErrorFields, reportedErrorFields } from '../../errors/index.ts';
import type { Directory } from '../../io/index.ts';
import type { StatementSettings } from '../../session/index.ts';
import { MAIN_THREAD, SharedMemory, type SharedMemoryParts, Snapshots } from '../../shm/index.ts';
import { compilePlan } from '../../sql/execute/index.ts';
import { explainAnalyzed } from '../../sql/plan/index.ts';
import {
  type Cursor,
  type PageFiles,
  PageReader,
  type PageTreeCursor,
  type TreeId,
  TreeRoots,
} from '../../storage/index.ts';
import { CommittedTypes, useTypes } from '../../types/index.ts';
import { CancelWords } from '../cancel-words.ts';
import { copyFormatOf } from '../copy-format-text.ts';
import { currentSetting } from '../current-setting.ts';
import type { ControlMessage } from '../generated/control-message.ts';
import type { ExecuteMessage } from '../generated/execute-message.ts';
import { EXECUTE_FLAGS, REQUEST } from '../messages.ts';
import { decodeParameters } from '../parameters.ts';
import { CursorPool } from './cursor-pool.ts';
import { EMPTY_CURSOR } from './empty-cursor.ts';
import { checkHeap } from './heap-limit.ts';
import { PlanStore } from './plan-store.ts';
import { RunningStatement, SLICE, type StatementHost, WINDOW_BYTES } from './running-statement.ts';
import { SpillFiles } from './spill-files.ts';
import { SpinWait } from './spin-wait.ts';
import { StalePlan } from './stale-plan.ts';
import { StatementContext } from './statement-context.ts';
import { type RequestHandler, WorkerPort } from './worker-port.ts';

/** What a worker thread is started with. Plain data. */
export interface ThreadSetup {
  readonly thread: number;
  readonly memory: SharedMemoryParts;
  readonly requestRing: SharedArrayBuffer;
  readonly replyRing: SharedArrayBuffer;
  /** See `CancelWords`. */
  readonly cancels: SharedArrayBuffer;
}

/** A statement that a long computation may ask whether to go on. */
export interface Interruptible {
  readonly request: number;
  cancelled: 'no' | 'user' | 'timeout';
  checkInterrupts(): void;
}

type CommittedChanges = Parameters<CommittedTypes['learn']>[0];

/** A statement runs so long before others get their turn. */
const SLICE_MS = 2;
/** A plan that ran long computations which asked so often whether to go on is not kept. */
const KEPT_ASKS_MAX = 64;
/** How long a thread waits awake before it sleeps. */
const SPIN_MICROS = 150;

/** A thread that runs statements: takes requests from its ring, gives each statement slices of time in
 * turn, and sleeps when there is nothing to do. The writer adds transactions to this (writer.ts). */
export class StatementThread implements RequestHandler, StatementHost {
  readonly memory: SharedMemory;
  readonly port: WorkerPort;
  readonly reader: PageReader;
  readonly roots: TreeRoots;
  readonly snapshots: Snapshots;
  protected readonly plans = new PlanStore();
  protected readonly contexts = new Map<number, StatementSettings>();
  protected readonly statements = new OpenHashMap<number, RunningStatement>();
  /** Statements that can go on at once. */
  protected ready: RunningStatement[] = [];
  private readyNext: RunningStatement[] = [];
  /** Statements that wait for a time. */
  private sleepers: RunningStatement[] = [];
  private readonly idleStatements: RunningStatement[] = [];
  /** What the main thread has told, or where that was too late what the catalog says at the snapshot of the
   * statement that runs. */
  private readonly committedTypes = new CommittedTypes(() => this.readTypes());
  private typesSnapshot = 0;
  private readonly cursors: CursorPool;
  private readonly spillFiles: SpillFiles;
  protected stopping = false;
  private readonly cancels: CancelWords;
  private running: Interruptible | null = null;

  constructor(setup: ThreadSetup, files: PageFiles, temporary: Directory, memory?: SharedMemory) {
    this.memory = memory ?? SharedMemory.attach(setup.memory);
    this.port = new WorkerPort(
      this.memory,
      setup.thread,
      MAIN_THREAD,
      setup.requestRing,
      setup.replyRing,
    );
    this.reader = new PageReader(this.memory, setup.thread, files);
    this.roots = new TreeRoots(this.reader);
    this.cursors = new CursorPool(this.reader, this.roots);
    this.snapshots = new Snapshots(this.memory);
    this.spillFiles = new SpillFiles(temporary, setup.thread);
    this.cancels = new CancelWords(setup.cancels);
    useInterruptCheck(() => this.checkRunning());
  }

  /** Says whose slice it is; null when it is over. */
  runs(statement: Interruptible | null): void {
    this.running = statement;
  }

  private checkRunning(): void {
    const { running } = this;
    if (running === null) return;
    if (this.cancels.has(running.request)) running.cancelled = 'user';
    running.checkInterrupts();
    if (running instanceof RunningStatement) running.askCount++;
    checkHeap();
  }

  /** Serves until it is told to stop. */
  run(): void {
    const { port } = this;
    const spin = new SpinWait(SPIN_MICROS);
    while (!this.stopping) {
      const heard = port.bell.listen();
      port.receive(this);
      if (this.sleepers.length > 0) this.wakeSleepers();
      this.runReady();
      this.afterTurn();
      port.publish();
      if (this.ready.length > 0 || this.stopping || this.hasWork()) continue;
      if (this.waitsAwake() && spin.wait(() => port.bell.listen() !== heard)) continue;
      port.bell.sleep(heard, this.sleepTime());
    }
    this.atStop();
    port.stopped(null);
  }

  // ---------------------------------------------------------------- for the writer to refine

  protected afterTurn(): void {}

  afterMessage(): void {}

  protected hasWork(): boolean {
    return false;
  }

  protected sleepMs(): number {
    return 1000;
  }

  /** Whether to wait awake for a moment before sleeping. */
  protected waitsAwake(): boolean {
    return true;
  }

  protected atStop(): void {}

  /** Sets the statement's snapshot, and what it may write with. False: it was refused or has to wait. */
  protected prepare(statement: RunningStatement, message: ExecuteMessage): boolean {
    const snapshot = message.snapshot();
    statement.snapshotSlot = message.snapshotSlot();
    statement.snapshot = snapshot < 0 ? this.snapshots.acquire(statement.snapshotSlot) : snapshot;
    statement.holdsSnapshot = snapshot < 0;
    return true;
  }

  /** Has the types of users be those that a session sees. */
  protected useTypesOf(_session: number, settings: StatementSettings): void {
    this.committedTypes.searchPath = settings.searchPath;
    useTypes(this.committedTypes);
  }

  /** The statement has sent all its rows. */
  protected finish(statement: RunningStatement): void {
    this.port.complete(statement.request, statement.affectedRows(), null);
    this.forget(statement);
  }

  /** The statement has sent as many rows as were asked for. */
  protected suspend(statement: RunningStatement): void {
    this.port.suspended(statement.request);
  }

  protected fail(statement: RunningStatement, fields: PgErrorFields): void {
    this.port.error(statement.request, fields);
    this.forget(statement);
  }

  /** A statement paused although it had time: it waits for something. */
  protected isWaiting(_statement: RunningStatement): boolean {
    return false;
  }

  /** What was thrown says that the statement has to wait, and is to be run anew then. */
  protected beginAnew(_statement: RunningStatement, _thrown: unknown): boolean {
    return false;
  }

  /** Messages that only the writer knows. */
  protected writerControl(
    _message: ControlMessage,
    _payload: Uint8Array,
    _start: number,
    _end: number,
  ): void {}

  openCursor(statement: RunningStatement, tree: TreeId): Cursor {
    if (this.roots.find(tree, statement.snapshot) === 0) {
      // It was dropped after the plan was made; or the block's snapshot is older than the table.
      if (statement.holdsSnapshot && statement.totalRows === 0) throw new StalePlan();
      return EMPTY_CURSOR;
    }
    return this.pageCursor(tree, statement.snapshot);
  }

  // ---------------------------------------------------------------- messages

  execute(message: ExecuteMessage, payload: Uint8Array, start: number, end: number): void {
    const request = message.request();
    let statement: RunningStatement | null = null;
    try {
      statement = this.newStatement(request);
      statement.session = message.session();
      statement.planId = message.plan();
      statement.plan = this.plans.plan(statement.planId);
      statement.settings = this.contexts.get(message.context())!;
      this.useTypesOf(statement.session, statement.settings);
      statement.context.use(
        statement.settings,
        statement.session,
        message.statementTimestamp(),
        message.transactionTimestamp(),
      );
      statement.rowLimit = message.rowLimit();
      statement.deadlineMs = message.deadline();
      statement.flags = message.flags();
      decodeParameters(payload, start, statement.plan.parameterTypes, statement.parameters);
      const formatsAt = start + message.parameterBytes();
      const columnCount = Math.min(statement.plan.output.length, end - formatsAt);
      statement.begin(this.plans.textEncoder(statement.planId), payload, formatsAt, columnCount);
      if (statement.flags & EXECUTE_FLAGS.explain) {
        const text = Buffer.from(payload.slice(formatsAt, end)).toString('utf8');
        statement.explainOptions = JSON.parse(text);
        statement.instrumentation = new Map();
      }
      if (statement.flags & EXECUTE_FLAGS.copyOut) {
        const text = Buffer.from(payload.slice(formatsAt + columnCount, end)).toString('utf8');
        statement.beginCopy(copyFormatOf(text));
      }
      if (this.prepare(statement, message)) this.start(statement);
    } catch (thrown) {
      if (statement === null) this.port.error(request, reportedErrorFields(thrown));
      else this.fail(statement, reportedErrorFields(thrown));
    }
  }

  /** Opens the plan and runs its first slice. */
  protected start(statement: RunningStatement): void {
    this.runs(statement);
    this.useTypesOf(statement.session, statement.settings);
    try {
      statement.compiled =
        statement.instrumentation === null
          ? this.plans.take(statement.planId)
          : compilePlan(statement.plan, {
              nodes: statement.instrumentation,
              pages: this.reader,
            });
      this.reader.enter();
      try {
        statement.compiled.open(statement);
      } finally {
        this.runs(null);
        this.reader.leave();
      }
    } catch (thrown) {
      this.runs(null);
      if (!this.beginAnew(statement, thrown)) this.fail(statement, reportedErrorFields(thrown));
      return;
    }
    this.runStatement(statement);
  }

  control(message: ControlMessage, payload: Uint8Array, start: number, end: number): void {
    const statement = this.statements.get(message.request());
    switch (message.kind()) {
      case REQUEST.plan:
        this.plans.add(message.argument(), payload, start, end);
        return;
      case REQUEST.forgetPlan:
        this.plans.forget(message.argument());
        return;
      case REQUEST.context:
        this.contexts.set(
          message.argument(),
          deserialize(payload.slice(start, end)) as StatementSettings,
        );
        return;
      case REQUEST.forgetContext:
        this.contexts.delete(message.argument());
        return;
      case REQUEST.types:
        this.committedTypes.learn(deserialize(payload.slice(start, end)) as CommittedChanges);
        return;
      case REQUEST.load:
        this.load(message, payload, start, end);
        return;
      case REQUEST.fetch:
        if (statement === undefined) return;
        statement.resume(message.argument());
        this.ready.push(statement);
        return;
      case REQUEST.credit:
        if (statement === undefined) return;
        this.credit(statement, message.argument());
        return;
      case REQUEST.close:
        if (statement !== undefined) this.forget(statement);
        return;
      case REQUEST.cancel:
        if (statement !== undefined) this.cancel(statement, message.operation() === 1);
        return;
      case REQUEST.shutdown:
        this.stopping = true;
        return;
      default:
        this.writerControl(message, payload, start, end);
    }
  }

  protected cancel(statement: RunningStatement, isTimeout: boolean): void {
    statement.cancelled = isTimeout ? 'timeout' : 'user';
    // Whatever it waits for, it notices when it runs.
    if (!this.ready.includes(statement)) this.ready.push(statement);
  }

  /** Has what leads to a key in memory, for the main thread, which never reads a file. */
  private load(message: ControlMessage, payload: Uint8Array, start: number, end: number): void {
    const request = message.request();
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    const tree = view.getUint32(start, true);
    const key = payload.slice(start + 4, end);
    const slot = message.argument();
    const snapshot = this.snapshots.acquire(slot);
    this.reader.enter();
    try {
      if (this.roots.find(tree as TreeId, snapshot) !== 0) {
        const cursor = this.pageCursor(tree as TreeId, snapshot);
        // A long value is on pages of its own.
        if (cursor.seek(key, key.length, 'ge')) cursor.valueBytes;
        this.closeCursor(cursor);
      }
      this.port.complete(request, 0, null);
    } catch (thrown) {
      this.port.error(request, reportedErrorFields(thrown));
    } finally {
      this.reader.leave();
      this.snapshots.release(slot);
    }
  }

  private readTypes(): CommittedChanges {
    const cursor = this.pageCursor(CATALOG_TREE, this.typesSnapshot);
    try {
      const catalog = readCatalog(cursor);
      return placedTypes(catalog);
    } finally {
      this.closeCursor(cursor);
    }
  }

  private credit(statement: RunningStatement, bytes: number): void {
    const wasBlocked = statement.isBlocked;
    statement.unacknowledged -= bytes;
    if (wasBlocked && statement.unacknowledged < WINDOW_BYTES / 2) {
      statement.isBlocked = false;
      this.ready.push(statement);
    }
  }

  // ---------------------------------------------------------------- running

  private runReady(): void {
    if (this.ready.length === 0) return;
    const turn = this.ready;
    this.ready = this.readyNext;
    this.readyNext = turn;
    for (const statement of turn) {
      if (this.statements.get(statement.request) === statement) this.runStatement(statement);
    }
    turn.length = 0;
  }

  protected runStatement(statement: RunningStatement): void {
    this.runs(statement);
    this.useTypesOf(statement.session, statement.settings);
    this.typesSnapshot = statement.snapshot;
    this.reader.enter();
    let fields: PgErrorFields | null = null;
    let slice: number = SLICE.paused;
    try {
      slice = statement.runSlice(SLICE_MS);
    } catch (thrown) {
      if (this.beginAnew(statement, thrown)) return;
      fields = reportedErrorFields(thrown);
    } finally {
      this.runs(null);
      this.reader.leave();
    }
    if (fields !== null) {
      this.fail(statement, fields);
      return;
    }
    switch (slice) {
      case SLICE.done:
        if (statement.explainOptions !== null) this.sendExplained(statement);
        this.finish(statement);
        return;
      case SLICE.suspended:
        this.suspend(statement);
        return;
      case SLICE.blocked:
        statement.isBlocked = true;
        return;
      case SLICE.sleeping:
        if (!this.sleepers.includes(statement)) this.sleepers.push(statement);
        return;
      default:
        if (!this.isWaiting(statement)) this.ready.push(statement);
    }
  }

  private wakeSleepers(): void {
    const now = performance.now();
    this.sleepers = this.sleepers.filter((statement) => {
      if (this.statements.get(statement.request) !== statement) return false;
      if (statement.nextWake > now) return true;
      if (!this.ready.includes(statement)) this.ready.push(statement);
      return false;
    });
  }

  /** Until something is due: a pg_sleep(), or what the thread itself waits for. */
  private sleepTime(): number {
    let time = this.sleepMs();
    for (const { nextWake } of this.sleepers) {
      time = Math.min(time, Math.max(1, nextWake - performance.now()));
    }
    return time;
  }

  /** EXPLAIN ANALYZE: the plan with its figures is the result. */
  private sendExplained(statement: RunningStatement): void {
    const out = explainAnalyzed(
      statement.plan,
      statement.explainOptions,
      statement.instrumentation!,
      performance.now() - statement.startedMs,
    );
    this.rows(statement.request, out.count, out.bytes, 0, out.length);
  }

  rows(request: number, count: number, bytes: Uint8Array, start: number, end: number): void {
    this.port.rows(request, count, bytes, start, end);
  }

  createSpillFile() {
    return this.spillFiles.create();
  }

  closeCursor(cursor: Cursor): void {
    this.cursors.give(cursor);
  }

  protected pageCursor(tree: TreeId, snapshot: number): PageTreeCursor {
    return this.cursors.take(tree, snapshot);
  }

  private newStatement(request: number): RunningStatement {
    const statement = this.idleStatements.pop() ?? this.makeStatement();
    statement.request = request;
    statement.startedMs = performance.now();
    this.statements.set(request, statement);
    return statement;
  }

  private makeStatement(): RunningStatement {
    const context = new StatementContext(currentSetting, (fields) =>
      this.port.notice(statement.request, fields),
    );
    const statement: RunningStatement = new RunningStatement(this, context);
    return statement;
  }

  /** The statement is over: frees what it held. */
  protected forget(statement: RunningStatement): void {
    this.statements.delete(statement.request);
    const { compiled } = statement;
    if (compiled !== null) {
      try {
        compiled.close();
        // After long computations it may hold large values.
        if (statement.instrumentation === null && statement.askCount < KEPT_ASKS_MAX) {
          this.plans.release(statement.planId, compiled);
        }
      } catch (thrown) {
        console.error(thrown);
      }
    }
    if (statement.holdsSnapshot) this.snapshots.release(statement.snapshotSlot);
    statement.end();
    // In the place of one that is to run, another that has the same object would run before it is its turn.
    const isListed = this.ready.includes(statement) || this.sleepers.includes(statement);
    if (!isListed && this.idleStatements.length < 64) this.idleStatements.push(statement);
  }
}
