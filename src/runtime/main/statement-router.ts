import { deserialize, serialize } from 'node:v8';
import { ByteWriter, OpenHashMap } from '../../base/index.ts';
import { Catalog, type CatalogChange, type TypeDescriptor } from '../../catalog/index.ts';
import { type PgErrorFields, pgError } from '../../errors/index.ts';
import {
  ANSWERED_RUN,
  type HeldSnapshot,
  IGNORE_ANSWER,
  isDiscard,
  type PlannedStatement,
  type PlanRun,
  type PointReadRun,
  type RunHandle,
  type RunListener,
  type StatementBackend,
  type StatementSettings,
  type TransactionOperation,
  type UtilityRun,
} from '../../session/index.ts';
import {
  clearEndedThread,
  type SharedMemory,
  SnapshotSlotPool,
  Snapshots,
} from '../../shm/index.ts';
import type { Expr } from '../../sql/expression.ts';
import type { Plan } from '../../sql/plan/plan.ts';
import type { TreeId } from '../../storage/index.ts';
import type { ExclusiveTables, FastPathWords, IsolationLevel } from '../../txn/index.ts';
import { type Datum, type PlacedDefinition, useTypes } from '../../types/index.ts';
import type { ReplyMessage } from '../generated/reply-message.ts';
import { EXECUTE_FLAGS, REPLY, REQUEST, TRANSACTION } from '../messages.ts';
import { takeSessionState } from '../session-state.ts';
import { systemViewLookup } from '../system-views.ts';
import { encodeCommit, encodeTransfer } from '../transfer.ts';
import type { UtilityRequest } from '../worker/utility-runner.ts';
import { FastPath, type WriterRoute } from './fast-path.ts';
import type { HostedTransaction } from './hosted-transaction.ts';
import { MainRunner } from './main-runner.ts';
import { PointReader } from './point-reader.ts';
import {
  executeFlags,
  isolationNumber,
  type ReplyHandler,
  type WorkerChannel,
} from './worker-channel.ts';

/** Bytes of rows that are taken before the worker is told. */
/** Numbers of marks are 32 bits of a message, and come again behind the last. */
const CHANGE_MARK_MAX = 0xffff_ffff;
const CREDIT_BYTES = 128 * 1024;
/** What a reader that may be held up counts for, in statements. */
const SILENT_LOAD = 1_000_000;
/** COPY data is sent on in pieces of about this size. */
const COPY_PIECE_BYTES = 32 * 1024;
/** COPY data on its way to the writer before the client has to wait. */
const COPY_BYTES_MAX = 1 << 20;

interface CatalogUpdate {
  readonly changes: readonly CatalogChange[];
  readonly version: number;
}

interface CommittedUpdate extends CatalogUpdate {
  readonly commit: number;
}

/** Sends statements to the thread that is to run them, and their answers back to their sessions. */
export class StatementRouter implements StatementBackend, ReplyHandler, WriterRoute {
  readonly catalog = new Catalog(systemViewLookup);
  readonly serverStartTimestamp: number;
  private readonly snapshots: Snapshots;
  private readonly slots: SnapshotSlotPool;
  private writer: WorkerChannel | null = null;
  private readers: WorkerChannel[] = [];
  private readonly runs = new OpenHashMap<number, RoutedRun>();
  private nextRequest = 1;
  private nextPlan = 1;
  private lastChangeMark = 0;
  /** Plans that no cache, session or run holds any more are forgotten by the workers, too. */
  private readonly unusedPlans = new FinalizationRegistry<number>((id) => {
    this.writer?.forgetPlan(id);
    for (const reader of this.readers) reader.forgetPlan(id);
  });
  /** Snapshot slot of each session's open transaction in the writer. */
  private readonly writerSlots = new OpenHashMap<number, number>();
  private readonly mainRunner: MainRunner;
  private readonly points: PointReader;
  private readonly fastPath: FastPath;
  private readonly transferBytes = new ByteWriter(1024);
  /** Is told of every request to a worker. */
  onRequest: () => void = () => {};
  /** Has something done when all messages of clients that have come are handled and answered. */
  atTurnEnd: (work: () => void) => void = (work) => work();

  private readonly memory: SharedMemory;
  private readonly exclusiveTables: ExclusiveTables;

  constructor(
    memory: SharedMemory,
    serverStartTimestamp: number,
    exclusiveTables: ExclusiveTables,
    fastPathWords: FastPathWords,
  ) {
    this.memory = memory;
    this.serverStartTimestamp = serverStartTimestamp;
    useTypes(this.catalog);
    this.exclusiveTables = exclusiveTables;
    this.snapshots = new Snapshots(memory);
    this.slots = new SnapshotSlotPool(memory);
    this.mainRunner = new MainRunner(memory, this);
    const { reader, roots } = this.mainRunner;
    this.points = new PointReader(reader, roots, this.snapshots);
    this.fastPath = new FastPath(reader, roots, this.snapshots, fastPathWords, this);
  }

  setWriter(channel: WorkerChannel | null): void {
    this.writer = channel;
  }

  setReaders(channels: WorkerChannel[]): void {
    const added = channels.filter((channel) => !this.readers.includes(channel));
    this.readers = channels;
    tellTypes(added, this.allTypes());
  }

  /** Takes what has come from all workers; returns how many messages. */
  receive(): number {
    let count = this.writer?.receive(this) ?? 0;
    for (const reader of this.readers) count += reader.receive(this);
    if (count > 0) this.fastPath.poll();
    return count;
  }

  /** A worker has died: its statements fail, those that are suspended when they are to go on. */
  channelLost(channel: WorkerChannel, error: PgErrorFields): void {
    for (const run of [...this.runs.values()]) {
      if (run.channel !== channel) continue;
      this.end(run, 'failed');
      run.lose(error);
    }
  }

  /** A reader has died: what it held of the buffer pool is taken back. */
  threadEnded(thread: number): void {
    this.snapshots.release(thread);
    const frame = clearEndedThread(this.memory, thread);
    if (frame >= 0) this.writer?.control({ kind: REQUEST.frameLeft, argument: frame });
  }

  /** The workers are gone, and with them all that they ran. */
  failAll(error: PgErrorFields): void {
    this.writer = null;
    this.readers = [];
    this.fastPath.failAll(error);
    for (const run of [...this.runs.values()]) {
      this.end(run, 'failed');
      run.listener.error(error);
    }
  }

  // ---------------------------------------------------------------- StatementBackend

  estimateRows(tree: number): number | null {
    return this.points.estimateEntries(tree);
  }

  pointRead(read: PointReadRun): boolean {
    return this.points.run(read);
  }

  execute(run: PlanRun, listener: RunListener): RunHandle {
    if (run.plan.id === 0) {
      run.plan.id = this.nextPlan++;
      this.unusedPlans.register(run.plan, run.plan.id);
    }
    if (run.inWriter) {
      return this.executeOnFastPath(run, listener) ?? this.executeInWriter(run, listener);
    }
    if (run.plan.plan.needsCatalog) return this.mainRunner.execute(run, listener);
    return this.send(run, listener, this.leastLoadedReader());
  }

  private executeOnFastPath(run: PlanRun, listener: RunListener): RunHandle | null {
    if (!run.inBlock || this.writer === null || this.writerSlots.has(run.session)) return null;
    return this.fastPath.execute(run, listener);
  }

  /** Runs a plan in the writer, whatever `inWriter` says. */
  executeInWriter(run: PlanRun, listener: RunListener): RunHandle {
    this.handOver(run.session, run.plan.plan.needsCatalog);
    if (run.plan.plan.needsSessionState === true) this.sendSessionState(run);
    const inWriter = run.inWriter ? run : { ...run, inWriter: true };
    return this.send(inWriter, listener, this.writer);
  }

  /** What shows all locks shows those of the main thread, too. */
  private handOver(session: number, showsLocks: boolean): void {
    if (showsLocks) this.fastPath.handOverAll();
    else this.fastPath.handOver(session);
  }

  private sendSessionState({ session, control }: PlanRun): void {
    const state = serialize(takeSessionState(control));
    this.writer?.control({ kind: REQUEST.sessionState, session }, state);
  }

  transfer(transaction: HostedTransaction): void {
    const out = this.transferBytes.reset();
    encodeTransfer(transaction, out);
    const { session } = transaction;
    const argument = this.writerSlot(session);
    const message = { kind: REQUEST.transfer, session, argument };
    // What the transfer is for comes next.
    this.writer?.queue(message, out.bytes, 0, out.position);
  }

  marksFreed(): void {
    this.writer?.control({ kind: REQUEST.marksFreed });
  }

  loadPath(
    session: number,
    tree: TreeId,
    key: Uint8Array,
    keyEnd: number,
    done: () => void,
  ): boolean {
    const channel = this.leastLoadedReader();
    if (channel === null) return false;
    const slot = this.newSlot();
    // After an error the statement meets it where that is for its client to know.
    const listener = { ...IGNORE_ANSWER, complete: done, error: done };
    const { request } = this.route(channel, session, listener, slot);
    const out = this.transferBytes.reset();
    out.u32le(tree);
    out.range(key, 0, keyEnd);
    channel.control({ kind: REQUEST.load, request, argument: slot }, out.bytes, 0, out.position);
    return true;
  }

  private send(run: PlanRun, listener: RunListener, channel: WorkerChannel | null): RunHandle {
    if (channel === null) throw recovering();
    const ownsSlot = !(run.inWriter && run.inBlock) && run.snapshot === null;
    const slot =
      run.inWriter && run.inBlock ? this.writerSlot(run.session) : ownsSlot ? this.newSlot() : 0;
    const routed = this.route(channel, run.session, listener, ownsSlot ? slot : -1);
    // A transaction of the writer has its own slot, whatever snapshot a statement reads at.
    const isOwn = run.inWriter && run.inBlock;
    routed.plan = run.plan;
    channel.execute(routed.request, run, isOwn ? slot : (run.snapshot?.slot ?? slot));
    return routed;
  }

  utility(run: UtilityRun, listener: RunListener): RunHandle {
    const channel = this.requireWriter();
    this.handOver(run.session, run.hasQuery);
    const slot = run.inBlock ? this.writerSlot(run.session) : this.newSlot();
    const routed = this.route(channel, run.session, listener, run.inBlock ? -1 : slot);
    const request: UtilityRequest = {
      statement: run.statement,
      text: run.text,
      settings: run.settings,
      role: this.catalog.roleByName(run.settings.user)?.oid ?? 0,
      snapshotSlot: slot,
      snapshot: run.snapshot?.lsn ?? -1,
      sessions: run.hasQuery ? takeSessionState(run.control) : null,
      deadlineMs: run.deadlineMs,
      statementTimestamp: run.statementTimestamp,
      transactionTimestamp: run.transactionTimestamp,
    };
    channel.control(
      {
        kind: REQUEST.utility,
        flags: executeFlags(run),
        isolation: isolationNumber(run),
        session: run.session,
        request: routed.request,
      },
      serialize(request),
    );
    return routed;
  }

  transaction(
    session: number,
    operation: TransactionOperation,
    name: string,
    listener: RunListener,
    options: { isolation: IsolationLevel; asynchronousCommit: boolean },
  ): RunHandle {
    const channel = this.requireWriter();
    if (this.endsHere(session, operation)) {
      listener.complete(0, null);
      return ANSWERED_RUN;
    }
    const routed = this.route(channel, session, listener, -1);
    const ends = operation === 'commit' || operation === 'rollback';
    if (ends) routed.endsTransaction = true;
    const { request } = routed;
    const flags = options.asynchronousCommit ? EXECUTE_FLAGS.asynchronousCommit : 0;
    const hosted = operation === 'commit' ? this.fastPath.commit(session) : null;
    if (hosted !== null) {
      const out = this.transferBytes.reset();
      encodeCommit(hosted, out);
      const argument = hosted.commitNumber;
      const message = { kind: REQUEST.commit, session, request, flags, argument };
      channel.queue(message, out.bytes, 0, out.position);
      this.atTurnEnd(this.publishCommits);
      this.fastPath.wake(hosted);
      return routed;
    }
    channel.control(
      {
        kind: REQUEST.transaction,
        operation: TRANSACTION[operation],
        session,
        request,
        isolation: isolationNumber(options),
        flags,
        argument: ends || isDiscard(operation) ? 0 : this.writerSlot(session),
      },
      Buffer.from(name, 'utf8'),
    );
    return routed;
  }

  /** The writer hears of the COMMITs of a turn together, after the answers: it wakes once, and syncs the log once, for
   * all of them. */
  private readonly publishCommits = (): void => this.writer?.publish();

  /** Whether the operation concerns a transaction of the main thread alone, and is done with that. Any
   * other finds the transaction in the writer. */
  private endsHere(session: number, operation: TransactionOperation): boolean {
    switch (operation) {
      case 'commit':
        return this.fastPath.isUnchanged(session) && this.fastPath.discard(session);
      case 'rollback':
      case 'fail':
        return this.fastPath.discard(session);
      default:
        this.fastPath.handOver(session);
        return false;
    }
  }

  holdSnapshot(): HeldSnapshot {
    const slot = this.newSlot();
    return { slot, lsn: this.snapshots.acquire(slot) };
  }

  releaseSnapshot(snapshot: HeldSnapshot): void {
    this.slots.free(snapshot.slot);
  }

  markChanges(session: number): number {
    this.fastPath.handOver(session);
    this.lastChangeMark = (this.lastChangeMark % CHANGE_MARK_MAX) + 1;
    const argument = this.lastChangeMark;
    this.writer?.control({ kind: REQUEST.markChanges, session, argument });
    return argument;
  }

  forgetChanges(session: number, argument: number): void {
    this.writer?.control({ kind: REQUEST.forgetChanges, session, argument });
  }

  isLocked(plan: Plan): boolean {
    return this.exclusiveTables.concerns(plan.tables);
  }

  lockRead(session: number, relation: number): void {
    this.writer?.control({ kind: REQUEST.lockRead, session, argument: relation });
  }

  unlockReads(session: number): void {
    this.writer?.control({ kind: REQUEST.unlockReads, session });
  }

  endSession(session: number): void {
    this.fastPath.endSession(session);
    for (const run of [...this.runs.values()]) if (run.session === session) run.abandon();
    this.writer?.control({ kind: REQUEST.endSession, session });
    this.freeWriterSlot(session);
  }

  evaluate(exprs: readonly Expr[], settings: StatementSettings, catalog: Catalog): Datum[] {
    return this.mainRunner.evaluate(exprs, settings, catalog);
  }

  // ---------------------------------------------------------------- replies

  reply(message: ReplyMessage, payload: Uint8Array, start: number, end: number): void {
    const kind = message.kind();
    if (kind === REPLY.catalog) {
      const update = deserialize(payload.slice(start, end)) as CommittedUpdate;
      this.catalog.apply(update.changes, update.version, update.commit);
      const movesTypes = update.changes.some(({ kind }) => kind === 'schema');
      tellTypes(this.readers, movesTypes ? this.allTypes() : this.typesAmong(update.changes));
      return;
    }
    if (kind === REPLY.surrender) {
      this.surrender(message.count(), message.request());
      return;
    }
    const run = this.runs.get(message.request());
    if (run === undefined) return;
    const { listener } = run;
    switch (kind) {
      case REPLY.rows:
        run.taken(end - start, listener.rows(payload, start, end, message.count()));
        return;
      case REPLY.complete: {
        const ended = this.end(run, 'committed');
        const tag = message.status() === 1 ? textOf(payload, start, end) : null;
        listener.complete(message.count(), tag);
        if (ended !== null) this.fastPath.wake(ended);
        return;
      }
      case REPLY.suspended:
        run.isSuspended = true;
        listener.suspended();
        return;
      case REPLY.error: {
        const ended = this.end(run, 'failed');
        listener.error(JSON.parse(textOf(payload, start, end)) as PgErrorFields);
        if (ended !== null) this.fastPath.wake(ended);
        return;
      }
      case REPLY.notice:
        listener.notice(JSON.parse(textOf(payload, start, end)) as PgErrorFields);
        return;
      case REPLY.sessionCatalog: {
        const update = deserialize(payload.slice(start, end)) as CatalogUpdate;
        const catalog =
          update.changes.length === 0 ? null : this.catalog.with(update.changes, update.version);
        listener.sessionCatalog(catalog);
        return;
      }
      case REPLY.copyIn:
        listener.copyIn(message.status() === 1 ? 1 : 0, message.count());
        return;
      case REPLY.copyTaken:
        run.copyTaken(message.count());
        return;
      default:
        return;
    }
  }

  // ---------------------------------------------------------------- helpers

  private route(
    channel: WorkerChannel,
    session: number,
    listener: RunListener,
    slot: number,
  ): RoutedRun {
    const request = this.nextRequest;
    this.nextRequest = request === 0xffff_ffff ? 1 : request + 1;
    const run = new RoutedRun(this, channel, request, session, listener, slot);
    this.runs.set(request, run);
    channel.begin();
    this.onRequest();
    return run;
  }

  /** The writer needs what a transaction of the main thread has locked, or all of them (0). */
  private surrender(session: number, ask: number): void {
    if (session === 0) this.fastPath.handOverAll();
    else this.fastPath.handOver(session);
    this.writer?.control({ kind: REQUEST.surrendered, argument: ask });
  }

  private typesAmong(changes: readonly CatalogChange[]): TypeChange[] {
    return changes
      .filter(({ kind }) => kind === 'type')
      .map(({ oid, descriptor }) => [oid, this.placed(descriptor as TypeDescriptor | null)]);
  }

  private allTypes(): TypeChange[] {
    return Array.from(this.catalog.types(), (type) => [type.oid, this.placed(type)]);
  }

  private placed(type: TypeDescriptor | null): PlacedDefinition | null {
    return type && { ...type, schemaName: this.catalog.schemaByOid(type.schema)?.name ?? '' };
  }

  /** A run has answered for the last time. Returns the transaction that has ended with it, if it had been
   * begun on the main thread. */
  end(run: RoutedRun, outcome: 'committed' | 'failed'): HostedTransaction | null {
    this.runs.delete(run.request);
    run.channel.ended(run.request);
    if (run.slot >= 0) this.slots.free(run.slot);
    if (!run.endsTransaction) return null;
    this.freeWriterSlot(run.session);
    const hosted = this.fastPath.committed(run.session, outcome);
    if (hosted?.outcome === 'failed') {
      run.channel.control({ kind: REQUEST.failureSeen, argument: hosted.commitNumber });
    }
    return hosted;
  }

  private writerSlot(session: number): number {
    let slot = this.writerSlots.get(session);
    if (slot === undefined) {
      slot = this.newSlot();
      this.writerSlots.set(session, slot);
    }
    return slot;
  }

  private freeWriterSlot(session: number): void {
    const slot = this.writerSlots.get(session);
    if (slot === undefined) return;
    this.writerSlots.delete(session);
    this.slots.free(slot);
  }

  private newSlot(): number {
    const slot = this.slots.allocate();
    if (slot >= 0) return slot;
    throw pgError('configuration_limit_exceeded', 'too many snapshots are held at one time');
  }

  private requireWriter(): WorkerChannel {
    if (this.writer === null) throw recovering();
    return this.writer;
  }

  /** The reader with the fewest statements; one that is silent only where all are. */
  private leastLoadedReader(): WorkerChannel | null {
    let least: WorkerChannel | null = null;
    let leastLoad = Number.POSITIVE_INFINITY;
    for (const reader of this.readers) {
      const load = reader.isSilent ? reader.load + SILENT_LOAD : reader.load;
      if (load >= leastLoad) continue;
      least = reader;
      leastLoad = load;
    }
    return least;
  }
}

/** A statement in a worker, as its session sees it. */
class RoutedRun implements RunHandle {
  readonly channel: WorkerChannel;
  readonly request: number;
  readonly session: number;
  listener: RunListener;
  /** Snapshot slot to be freed when it ends, or -1. */
  readonly slot: number;
  endsTransaction = false;
  /** It waits for a fetch. */
  isSuspended = false;
  /** Why it is gone, when its worker has died while it was suspended. */
  private lost: PgErrorFields | null = null;
  /** Held while it runs, so that the worker is not told to forget it. */
  plan: PlannedStatement | null = null;
  private readonly router: StatementRouter;
  /** Bytes that the client has taken and the worker has not been told of. */
  private owed = 0;
  private stalled = false;
  private copyBytes = 0;
  private copyBlocked = false;
  private copyPiece: ByteWriter | null = null;

  constructor(
    router: StatementRouter,
    channel: WorkerChannel,
    request: number,
    session: number,
    listener: RunListener,
    slot: number,
  ) {
    this.router = router;
    this.channel = channel;
    this.request = request;
    this.session = session;
    this.listener = listener;
    this.slot = slot;
  }

  taken(bytes: number, isFast: boolean): void {
    this.owed += bytes;
    if (!isFast) this.stalled = true;
    else if (this.owed >= CREDIT_BYTES) this.credit();
  }

  drained(): void {
    if (!this.stalled) return;
    this.stalled = false;
    this.credit();
  }

  lose(error: PgErrorFields): void {
    if (this.isSuspended) this.lost = error;
    else this.listener.error(error);
  }

  fetch(rowLimit: number): void {
    if (this.lost !== null) {
      this.listener.error(this.lost);
      return;
    }
    this.isSuspended = false;
    this.channel.control({ kind: REQUEST.fetch, request: this.request, argument: rowLimit });
  }

  close(): void {
    if (this.lost !== null) return;
    this.channel.control({ kind: REQUEST.close, request: this.request });
    this.router.end(this, 'failed');
  }

  cancel(reason: 'user' | 'timeout'): void {
    this.channel.cancel(this.request, reason);
  }

  /** The session is gone; it waits for the last answer alone. */
  abandon(): void {
    this.cancel('user');
    this.stalled = false;
  }

  /** Clients send a message a row; the writer gets what came in one turn in one piece. */
  copyData(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.copyPiece === null) this.copyPiece = new ByteWriter(2 * COPY_PIECE_BYTES);
    if (this.copyPiece.position === 0) queueMicrotask(this.flushCopy);
    this.copyPiece.range(bytes, start, end);
    this.copyBytes += end - start;
    if (this.copyPiece.position >= COPY_PIECE_BYTES) this.flushCopy();
    this.copyBlocked = this.copyBytes > COPY_BYTES_MAX;
    return !this.copyBlocked;
  }

  private readonly flushCopy = (): void => {
    const piece = this.copyPiece;
    if (piece === null || piece.position === 0) return;
    const message = { kind: REQUEST.copyData, request: this.request };
    this.channel.control(message, piece.bytes, 0, piece.position);
    piece.reset();
  };

  copyTaken(bytes: number): void {
    this.copyBytes -= bytes;
    if (!this.copyBlocked || this.copyBytes > COPY_BYTES_MAX / 2) return;
    this.copyBlocked = false;
    this.listener.copyReady();
  }

  copyDone(): void {
    this.flushCopy();
    this.channel.control({ kind: REQUEST.copyDone, request: this.request });
  }

  copyFail(message: string): void {
    this.channel.control(
      { kind: REQUEST.copyFail, request: this.request },
      Buffer.from(message, 'utf8'),
    );
  }

  private credit(): void {
    this.channel.control({ kind: REQUEST.credit, request: this.request, argument: this.owed });
    this.owed = 0;
  }
}

type TypeChange = readonly [oid: number, definition: PlacedDefinition | null];

/** Tells readers of types before the statements that need them. */
function tellTypes(readers: readonly WorkerChannel[], changes: readonly TypeChange[]): void {
  if (changes.length === 0) return;
  const payload = serialize(changes);
  for (const reader of readers) reader.control({ kind: REQUEST.types }, payload);
}

function recovering() {
  return pgError('cannot_connect_now', 'the database system is in recovery mode');
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.slice(start, end)).toString('utf8');
}
