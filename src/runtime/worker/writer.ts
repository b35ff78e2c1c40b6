import { deserialize, serialize } from 'node:v8';
import { RowChanges } from '../../access/index.ts';
import { assert, decodeUtf8 } from '../../base/index.ts';
import {
  CATALOG_TREE,
  Catalog,
  type CatalogChange,
  catalogKey,
  catalogValue,
  FIRST_USER_OID,
  readCatalog,
  SEQUENCE_TREE,
  temporaryOwner,
  temporarySchema,
} from '../../catalog/index.ts';
import { PgError, type PgErrorFields, pgError, reportedErrorFields } from '../../errors/index.ts';
import type { Directory } from '../../io/index.ts';
import { STALE_PLAN_SQLSTATE, type StatementSettings } from '../../session/index.ts';
import type { SharedMemory } from '../../shm/index.ts';
import {
  AddedPartitions,
  ForeignKeyChecks,
  hasForeignKeys,
  ReferenceCache,
  type SequenceOperations,
  type SystemViewSource,
} from '../../sql/execute/index.ts';
import type { Plan } from '../../sql/plan/plan.ts';
import { droppedOnCommit, emptiedOnCommit } from '../../sql/utility/index.ts';
import { type Cursor, openPageFiles, StorageEngine, type TreeId } from '../../storage/index.ts';
import {
  CommitHistory,
  dependencyFailure,
  ExclusiveTables,
  FastPathWords,
  type IsolationLevel,
  type LockRequest,
  LockTable,
  lockedRow,
  OverlayCursor,
  type Savepoint,
  SerializableReads,
  TABLE_LOCK,
  Transaction,
  tableLockTag,
  WatchedCursor,
  type WriteSpill,
} from '../../txn/index.ts';
import { int8, useTypes } from '../../types/index.ts';
import type { ControlMessage } from '../generated/control-message.ts';
import type { ExecuteMessage } from '../generated/execute-message.ts';
import { EXECUTE_FLAGS, ISOLATION, REPLY, REQUEST, TRANSACTION } from '../messages.ts';
import { factsOfState } from '../session-state.ts';
import { systemViewLookup, systemViewSource, type ThreadFacts } from '../system-views.ts';
import { AdvisoryCalls, AdvisoryWait } from './advisory-calls.ts';
import { bootstrap } from './bootstrap.ts';
import { CommitGroup } from './commit-group.ts';
import { EMPTY_CURSOR } from './empty-cursor.ts';
import { TransactionForeignKeys } from './foreign-key-services.ts';
import { type CommitAnswer, HostedTransfers } from './hosted-transfers.ts';
import { blockingSessions, lockFacts } from './lock-facts.ts';
import { type LockWaiter, LockWaits, WAITER_CHECK_MS } from './lock-waits.ts';
import { LogSync } from './log-sync.ts';
import { NewestEntries } from './newest-entries.ts';
import { MovedRows, RowIdCounters } from './row-ids.ts';
import type { RunningStatement } from './running-statement.ts';
import { encodeState, SequenceStore, sequenceKey } from './sequences.ts';
import { SessionSequences } from './session-sequences.ts';
import { SessionTypes } from './session-types.ts';
import { StalePlan } from './stale-plan.ts';
import type { StatementContext } from './statement-context.ts';
import { StatementThread } from './statement-thread.ts';
import { changedTables, locksOfRun, takesAdvisoryLocks } from './table-locks.ts';
import { UtilityRunner } from './utility-runner.ts';
import type { WorkerSetup } from './worker-setup.ts';
import { OpenTransaction, WriterSession } from './writer-session.ts';

/** Memory that the changes of one transaction may take. */
const WRITE_SET_BYTES = 64 * 1024 * 1024;

/** How long the same complaint is kept from the operator. */
const COMPLAINT_MS = 60_000;
/** What ends the statements of a client that is gone. */
const SESSION_IS_OVER = pgError('query_canceled', 'canceling statement due to user request').fields;

/** The writer worker: owner of the log, the trees, the locks and all transactions that write. */
export class Writer extends StatementThread {
  readonly engine: StorageEngine;
  readonly locks: LockTable<Transaction>;
  readonly catalog: Catalog;
  /** The types of users as the statement that runs sees them. */
  private readonly types: SessionTypes;
  readonly changes: RowChanges;
  readonly sequenceStore: SequenceStore;
  /** The open transactions that altered sequences, by sequence. */
  private readonly sequenceOwners = new Map<number, OpenTransaction>();
  readonly references = new ReferenceCache();
  private readonly moves = new MovedRows();
  readonly rowIds = new RowIdCounters((tree) => this.newestCursor(tree));
  private readonly fastPath: FastPathWords;
  private readonly sessions = new Map<number, WriterSession>();
  /** The statements and utilities of transactions, and which of them wait for locks. */
  readonly waits: LockWaits<RunningStatement | UtilityWaiter>;
  private readonly group: CommitGroup;
  /** What was committed, for SERIALIZABLE transactions. */
  private readonly history = new CommitHistory();
  private readonly sync: LogSync;
  private readonly spill: WriteSpill;
  /** Transactions that have begun and not ended. */
  private openCount = 0;
  private readonly utilities: UtilityRunner;
  /** Transactions that come from the main thread. */
  readonly hosted = new HostedTransfers(this);
  private nextOid_ = FIRST_USER_OID;
  private background = false;
  /** What the operator was last told, and when. */
  private complaint = '';
  private complainedMs = 0;

  static open(
    setup: WorkerSetup,
    memory: SharedMemory,
    directory: Directory,
    temporary: Directory,
  ): Writer {
    const engine = StorageEngine.open(directory, memory, {
      maxWalSize: setup.maxWalSize,
      checkpointTimeoutMs: setup.checkpointTimeoutMs,
      walWriterDelayMs: setup.walWriterDelayMs,
      isLockHeld: true,
    });
    if (engine.recovery.isNew) bootstrap(engine);
    return new Writer(setup, memory, engine, directory, temporary);
  }

  private constructor(
    setup: WorkerSetup,
    memory: SharedMemory,
    engine: StorageEngine,
    directory: Directory,
    temporary: Directory,
  ) {
    super(setup, openPageFiles(directory), temporary, memory);
    this.engine = engine;
    const exclusive = new ExclusiveTables(setup.exclusiveTables);
    exclusive.clear();
    this.fastPath = new FastPathWords(setup.fastPathWords);
    this.locks = new LockTable((owner) => this.waits.granted(owner), exclusive, {
      words: this.fastPath,
      surrender: (session, ask) => this.port.message(REPLY.surrender, ask, 0, session, NOTHING),
    });
    this.waits = new LockWaits(this);
    this.sync = new LogSync(engine.log, memory, setup.logSyncThread, setup.logSyncWords);
    this.group = new CommitGroup(engine, this.sync, this.history);
    this.spill = { budget: WRITE_SET_BYTES, engine, createFile: () => this.createSpillFile() };
    this.catalog = new Catalog(systemViewLookup);
    this.types = new SessionTypes(this.catalog);
    this.changes = new RowChanges({
      locks: this.locks,
      newest: new NewestEntries(this),
      newestLsn: () => engine.commitLsn,
      rowIds: this.rowIds,
      moves: this.moves,
    });
    this.sequenceStore = new SequenceStore(
      () => this.newestCursor(SEQUENCE_TREE)!,
      (relation, value) => this.storeSequence(relation, value),
    );
    this.utilities = new UtilityRunner(this);
    this.loadCatalog();
    this.dropLeftovers();
    this.port.message(REPLY.ready, 0, 0, 0, serialize(engine.recovery));
    this.port.publish();
  }

  // ---------------------------------------------------------------- the loop

  /** A commit that has become stable holds locks that others wait for, so it does not wait for the
   * statements that came at the same time. */
  override afterMessage(): void {
    if (!this.group.isStable) return;
    try {
      this.group.run(this.hasOthers());
    } catch (thrown) {
      this.afterFailure(thrown);
    }
    this.port.publish();
  }

  protected override afterTurn(): void {
    try {
      this.locks.checkMarks();
      this.utilities.runReady();
      this.group.run(this.hasOthers());
      if (!this.group.isApplying) this.background = this.engine.step();
      this.engine.reclaim();
    } catch (thrown) {
      this.afterFailure(thrown);
    }
    const { fullDisk } = this.group;
    if (fullDisk !== null) this.complain(`commits wait for room on the disk: ${fullDisk.message}`);
    this.waits.check();
  }

  protected override hasWork(): boolean {
    return this.background || this.group.hasWork || this.utilities.hasWork();
  }

  /** With several clients there is always somebody who needs the processor (8 of TPC-B-like pgbench on 2
   * cores: a fourth of this thread's time); with one it is this thread that he waits for. */
  protected override waitsAwake(): boolean {
    return this.openCount + this.fastPath.hostedCount <= 1;
  }

  protected override sleepMs(): number {
    return this.waits.isEmpty ? 200 : WAITER_CHECK_MS;
  }

  protected override atStop(): void {
    // What waits for room on the disk is in the log, from which the next start applies it.
    while (!this.group.isIdle && this.group.fullDisk === null) this.group.run(false);
    this.sync.stop();
    this.engine.close();
  }

  /** A group is on its way to the pages, so that no checkpoint can begin. Throws 53100 when it waits for
   * room on the disk, as what waits for it would do so for long. */
  get isApplying(): boolean {
    if (this.group.fullDisk !== null) throw this.group.fullDisk;
    return this.group.isApplying;
  }

  /** Transactions are open that can go on while the log is synced for those that end. */
  private hasOthers(): boolean {
    return this.openCount > this.group.pendingCount;
  }

  /** What a full disk refuses (a checkpoint, a log segment) is tried again later; once the log has
   * failed the store has to be opened anew. */
  private afterFailure(thrown: unknown): void {
    if (this.engine.failure === null && thrown instanceof PgError) {
      this.background = false;
      this.complain(thrown.message);
      return;
    }
    this.group.failPending(thrown);
    this.port.publish();
    throw thrown;
  }

  /** Tells the operator, once in a while when it is the same again. */
  private complain(message: string): void {
    const now = performance.now();
    if (message === this.complaint && now < this.complainedMs + COMPLAINT_MS) return;
    this.complaint = message;
    this.complainedMs = now;
    console.error(message);
  }

  // ---------------------------------------------------------------- statements

  protected override prepare(statement: RunningStatement, message: ExecuteMessage): boolean {
    const inBlock = (statement.flags & EXECUTE_FLAGS.inBlock) !== 0;
    const open = this.transactionFor(
      message.session(),
      inBlock,
      message.isolation(),
      message.snapshotSlot(),
    );
    if (open.failed) throw failedTransaction();
    const { transaction } = open;
    statement.open = open;
    statement.command = this.commandOf(message, transaction);
    open.readOnly = (statement.flags & EXECUTE_FLAGS.readOnly) !== 0;
    this.waits.setRunning(transaction, statement);
    this.setSnapshot(transaction, message.snapshot());
    statement.snapshot = transaction.snapshot;
    statement.snapshotSlot = transaction.snapshotSlot;
    statement.holdsSnapshot = message.snapshot() < 0 && transaction.reads === null;
    statement.rows = this.changes;
    statement.completesFirst = statement.rowLimit > 0 && changedTables(statement.plan).length > 0;
    if (this.changesReferences(statement.plan, open)) {
      const checks = this.foreignKeysOf(open);
      open.settings = statement.settings;
      checks.begin(statement, inBlock);
      statement.rows = checks.rows;
      statement.checks = checks;
    }
    statement.sequences = statement.plan.needsWriter ? this.sequencesOf(open) : null;
    statement.systemViews = statement.plan.needsCatalog
      ? this.systemViews(statement.context, open, this.session(message.session()))
      : null;
    if (takesAdvisoryLocks(statement.plan)) {
      const session = this.session(message.session());
      statement.advisory = new AdvisoryCalls(this.locks, session, transaction);
      statement.writeMark = transaction.writes.mark;
    }
    statement.context.advisoryLocks = statement.advisory ?? undefined;
    return this.lockTables(statement);
  }

  /** The command whose view of the transaction a statement has: its own, or for a cursor that of its declaration. */
  private commandOf(message: ExecuteMessage, { command }: Transaction): number {
    const mark = message.seenChanges();
    return mark === 0
      ? command
      : (this.session(message.session()).changeMarks.get(mark) ?? command);
  }

  protected override useTypesOf(session: number, settings: StatementSettings): void {
    const open = this.sessions.get(session)?.open ?? null;
    const catalog = open === null ? this.catalog : this.catalogOf(open);
    this.types.use(catalog, settings.searchPath, session);
    useTypes(this.types);
  }

  /** Whether the plan changes rows of tables with foreign keys. */
  private changesReferences(plan: Plan, open: OpenTransaction): boolean {
    const tables = changedTables(plan);
    if (tables.length === 0) return false;
    const catalog = this.catalogOf(open);
    return tables.some((table) => hasForeignKeys(catalog, table));
  }

  foreignKeysOf(open: OpenTransaction): ForeignKeyChecks {
    open.foreignKeys ??= new ForeignKeyChecks(new TransactionForeignKeys(this, open));
    return open.foreignKeys;
  }

  /** What the writer tells functions and views that others cannot. */
  private readonly facts: ThreadFacts = {
    locks: () => lockFacts(this.locks, this.xidOf),
    blockingProcesses: (pid) => blockingSessions(this.locks, pid),
  };

  private systemViews(
    context: StatementContext,
    open: OpenTransaction,
    session: WriterSession,
  ): SystemViewSource {
    const sessions = factsOfState(session.shownSessions);
    session.shownSessions = null;
    return systemViewSource(this.catalogOf(open), context, this.factsOf(open, sessions));
  }

  factsOf(open: OpenTransaction, sessions: ThreadFacts): ThreadFacts {
    return {
      ...this.facts,
      ...sessions,
      sequenceValue: (oid) => {
        const catalog = this.catalogOf(open);
        if (catalog.relationByOid(oid)?.kind !== 'sequence') return undefined;
        const { last, isCalled, ahead } = this.sequenceStore.peek(catalog, oid);
        return { lastValue: int8(last), isCalled, logCount: ahead };
      },
    };
  }

  readonly xidOf = (transaction: Transaction): number => {
    if (transaction.xid === 0) transaction.xid = this.engine.nextXid();
    return transaction.xid;
  };

  /** Takes the table locks of the plan; false while one is awaited. */
  private lockTables(statement: RunningStatement): boolean {
    const open = statement.open!;
    const { transaction } = open;
    if (!this.hosted.awaitPredecessors(open)) {
      statement.awaitsTables = true;
      this.waits.startWaiting(transaction);
      return false;
    }
    // Partitions may have come to a table that was waited for.
    if (statement.awaitsTables && !statement.awaitsPartition) this.checkStillCurrent(statement);
    for (const { relation, tag, mode } of locksOfRun(statement.plan, statement.parameters)) {
      if (this.locks.acquire(transaction, 'table', tag, mode, true) === 'waiting') {
        statement.awaitsTables = true;
        const { plan, parameters } = statement;
        statement.awaitsPartition = AddedPartitions.mayComeBefore(plan, relation, parameters);
        this.waits.startWaiting(transaction);
        return false;
      }
    }
    this.checkStillCurrent(statement);
    if (transaction.reads !== null) readPartitioning(statement.plan, transaction.reads);
    if (statement.awaitsTables) {
      statement.awaitsTables = false;
      // What others committed meanwhile is to be seen.
      if (transaction.isolation === 'read committed') {
        this.setSnapshot(transaction, -1);
        statement.snapshot = transaction.snapshot;
      }
    }
    return true;
  }

  /** The tables, now that they are locked, may be others than those that were planned for: the
   * main thread had not heard of a change, or the statement waited for its end. */
  private checkStillCurrent(statement: RunningStatement): void {
    const { plan } = statement;
    const open = statement.open!;
    const catalog = this.catalogOf(open);
    if (plan.catalogVersion === catalog.version) return;
    for (const table of plan.tables) {
      if (catalog.relationByOid(table.oid)?.version === table.version) continue;
      if (statement.awaitsPartition) {
        statement.addedPartitions = AddedPartitions.of(plan, catalog);
        if (statement.addedPartitions !== null) return;
      }
      if (open.catalog !== null) this.tellSessionCatalog(statement.request, open);
      throw new StalePlan();
    }
  }

  protected override runStatement(statement: RunningStatement): void {
    const open = statement.open!;
    if (statement.awaitsRestart) {
      try {
        statement.checkInterrupts();
      } catch (thrown) {
        this.fail(statement, reportedErrorFields(thrown));
        return;
      }
      if (open.transaction.waitingFor !== null) return;
      statement.awaitsRestart = false;
      this.start(statement);
      return;
    }
    if (statement.awaitsTables) {
      try {
        statement.checkInterrupts();
        if (!this.lockTables(statement)) return;
      } catch (thrown) {
        this.fail(statement, reportedErrorFields(thrown));
        return;
      }
      this.start(statement);
      return;
    }
    this.changes.use(open.transaction);
    super.runStatement(statement);
  }

  protected override start(statement: RunningStatement): void {
    this.changes.use(statement.open!.transaction);
    super.start(statement);
  }

  /** An advisory lock is awaited: the statement is taken back to its beginning. */
  protected override beginAnew(statement: RunningStatement, thrown: unknown): boolean {
    if (!(thrown instanceof AdvisoryWait)) return false;
    const { transaction } = statement.open!;
    statement.compiled?.close();
    statement.compiled = null;
    transaction.writes.rollbackTo(statement.writeMark);
    this.moves.rollbackTo(transaction, statement.writeMark);
    statement.restart();
    if (statement.checks !== null) statement.open!.foreignKeys!.restart();
    statement.awaitsRestart = true;
    this.waits.startWaiting(transaction);
    return true;
  }

  protected override isWaiting(statement: RunningStatement): boolean {
    const { transaction } = statement.open!;
    if (transaction.waitingFor === null) return false;
    this.waits.startWaiting(transaction);
    return true;
  }

  protected override suspend(statement: RunningStatement): void {
    // What it did is seen by the block's next statement, whether or not it goes on.
    if (statement.completesFirst) statement.open!.transaction.command++;
    super.suspend(statement);
  }

  protected override finish(statement: RunningStatement): void {
    const open = statement.open!;
    const { request } = statement;
    const rowCount = statement.affectedRows();
    const inBlock = (statement.flags & EXECUTE_FLAGS.inBlock) !== 0;
    const asynchronous = (statement.flags & EXECUTE_FLAGS.asynchronousCommit) !== 0;
    const refusal = inBlock ? refusalOf(open.transaction) : null;
    if (refusal !== null) {
      this.fail(statement, refusal);
      return;
    }
    open.transaction.command++;
    this.forget(statement);
    if (inBlock) {
      this.port.complete(request, rowCount, null);
      return;
    }
    this.commit(open, asynchronous, this.answer(open, request, rowCount));
  }

  /** Answers a request with what becomes of a commit. */
  private answer(open: OpenTransaction, request: number, rowCount: number): CommitAnswer {
    return {
      done: () => this.port.complete(request, rowCount, null),
      failed: (fields) => {
        this.abort(open);
        this.port.error(request, fields);
      },
    };
  }

  protected override fail(statement: RunningStatement, fields: PgErrorFields): void {
    const { open, request } = statement;
    const inBlock = (statement.flags & EXECUTE_FLAGS.inBlock) !== 0;
    this.forget(statement);
    if (open !== null) {
      // A plan that is out of date has done nothing, and is run again.
      if (inBlock && fields.sqlstate === STALE_PLAN_SQLSTATE) open.transaction.command++;
      else if (inBlock) this.failBlock(open);
      else this.abort(open);
    }
    this.port.error(request, fields);
  }

  protected override forget(statement: RunningStatement): void {
    const { open } = statement;
    super.forget(statement);
    if (open !== null) {
      this.waits.ended(open.transaction);
    }
    statement.open = null;
    statement.awaitsTables = false;
    statement.awaitsPartition = false;
    statement.addedPartitions = null;
  }

  override closeCursor(cursor: Cursor): void {
    if (cursor instanceof WatchedCursor) {
      cursor.close();
      this.closeCursor(cursor.base);
    } else super.closeCursor(cursor instanceof OverlayCursor ? cursor.base : cursor);
  }

  override openCursor(statement: RunningStatement, tree: TreeId): Cursor {
    const { open, snapshot, command } = statement;
    return this.readCursor(open!.transaction, tree, snapshot, command);
  }

  /** A cursor for what clients ask for, which a SERIALIZABLE transaction is held to when it commits. */
  readCursor(
    transaction: Transaction,
    tree: TreeId,
    snapshot = transaction.snapshot,
    command = transaction.command,
  ): Cursor {
    const cursor = this.transactionCursor(transaction, tree, snapshot, command);
    const { reads } = transaction;
    if (reads === null) return cursor;
    const isYounger = this.roots.find(tree, snapshot) === 0;
    if (isYounger && transaction.writes.trees.get(tree)?.isOwn !== true) throw youngTable();
    return reads.watch(cursor, tree);
  }

  /** A cursor at the transaction's snapshot and present command, or others. */
  transactionCursor(
    transaction: Transaction,
    tree: TreeId,
    snapshot = transaction.snapshot,
    command = transaction.command,
  ): Cursor {
    const base = this.committedCursor(tree, snapshot);
    if (!transaction.writes.trees.has(tree)) return base;
    return new OverlayCursor(base, transaction.writes, tree, command);
  }

  /** A cursor at a commit; without entries where the tree is younger. */
  committedCursor(tree: TreeId, commit: number): Cursor {
    const exists = this.roots.find(tree, commit) !== 0;
    return exists ? this.pageCursor(tree, commit) : EMPTY_CURSOR;
  }

  // ---------------------------------------------------------------- messages

  protected override writerControl(
    message: ControlMessage,
    payload: Uint8Array,
    start: number,
    end: number,
  ): void {
    switch (message.kind()) {
      case REQUEST.transaction:
        this.transactionControl(message, decodeUtf8(payload, start, end));
        return;
      case REQUEST.utility:
        this.utilities.begin(message, deserialize(payload.slice(start, end)));
        return;
      case REQUEST.copyData:
        this.utilities.copyData(message.request(), payload, start, end);
        return;
      case REQUEST.copyDone:
        this.utilities.copyDone(message.request());
        return;
      case REQUEST.copyFail:
        this.utilities.copyFail(message.request(), decodeUtf8(payload, start, end));
        return;
      case REQUEST.transfer:
        this.hosted.takeOver(message, payload, start, end);
        return;
      case REQUEST.commit:
        this.hosted.commit(message, payload, start, end);
        return;
      case REQUEST.failureSeen:
        this.hosted.failureSeen(message.argument());
        return;
      case REQUEST.marksFreed:
        // The turn that it begins looks at the marks.
        return;
      case REQUEST.surrendered:
        this.locks.surrendered(message.argument());
        return;
      case REQUEST.lockRead:
        this.lockRead(message.session(), message.argument());
        return;
      case REQUEST.unlockReads:
        this.unlockReads(this.session(message.session()));
        return;
      case REQUEST.markChanges: {
        const { changeMarks, open } = this.session(message.session());
        changeMarks.set(message.argument(), open?.transaction.command ?? NO_COMMAND);
        return;
      }
      case REQUEST.forgetChanges:
        this.sessions.get(message.session())?.changeMarks.delete(message.argument());
        return;
      case REQUEST.sessionState:
        this.session(message.session()).shownSessions = deserialize(payload.slice(start, end));
        return;
      case REQUEST.endSession:
        this.endSession(message.session());
        return;
      case REQUEST.frameLeft:
        this.engine.pages.takeBack(message.argument());
        return;
      default:
        assert(false, `unknown message ${message.kind()}`);
    }
  }

  override control(message: ControlMessage, payload: Uint8Array, start: number, end: number): void {
    if (message.kind() === REQUEST.cancel && this.utilities.cancel(message)) return;
    super.control(message, payload, start, end);
  }

  private transactionControl(message: ControlMessage, name: string): void {
    const request = message.request();
    const session = this.session(message.session());
    try {
      switch (message.operation()) {
        case TRANSACTION.commit: {
          const { open } = session;
          session.open = null;
          if (open === null) this.port.complete(request, 0, null);
          else if (open.failed) {
            this.abort(open);
            this.port.complete(request, 0, null);
          } else if (this.hasCommitWork(open)) {
            this.utilities.beginCommit(message, open);
          } else {
            const asynchronous = (message.flags() & EXECUTE_FLAGS.asynchronousCommit) !== 0;
            this.commit(open, asynchronous, this.answer(open, request, 0));
          }
          return;
        }
        case TRANSACTION.rollback: {
          const { open } = session;
          session.open = null;
          if (open !== null) this.abort(open);
          break;
        }
        case TRANSACTION.savepoint:
          this.transactionFor(
            session.id,
            true,
            message.isolation(),
            message.argument(),
          ).defineSavepoint(name);
          break;
        case TRANSACTION.begin: {
          const { id } = session;
          const open = this.transactionFor(id, true, message.isolation(), message.argument());
          this.setSnapshot(open.transaction, -1);
          break;
        }
        case TRANSACTION.release:
          session.open?.releaseSavepoint(name);
          break;
        case TRANSACTION.rollbackTo:
          if (session.open !== null) this.rollbackTo(session.open, name, request);
          break;
        case TRANSACTION.discardSequences:
          session.discardSequences();
          break;
        case TRANSACTION.discardAll:
          session.discardSequences();
          this.locks.releaseTo(session.lockOwner(), 0);
          if (temporarySchema(this.catalog, session.id) === undefined) break;
          this.utilities.beginDiscard(message);
          return;
        case TRANSACTION.fail:
          if (session.open !== null) this.failBlock(session.open);
          break;
        default:
          assert(false, `unknown transaction operation ${message.operation()}`);
      }
      this.port.complete(request, 0, null);
    } catch (thrown) {
      this.port.error(request, reportedErrorFields(thrown));
    }
  }

  /** A block reads a table in another thread. Who has locked the table before it heard of that goes
   * on, as if the block had read it earlier. */
  private lockRead(id: number, relation: number): void {
    const { readOwner } = this.session(id);
    const tag = tableLockTag(relation);
    this.locks.acquire(readOwner, 'table', tag, TABLE_LOCK.accessShare, false);
  }

  private unlockReads(session: WriterSession): void {
    this.locks.releaseTo(session.readOwner, 0);
  }

  private endSession(id: number): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    this.sessions.delete(id);
    this.utilities.endSession(id, SESSION_IS_OVER);
    // The main thread holds snapshots until it has the last answer, and a statement may have a transaction of
    // its own.
    for (const statement of [...this.statements.values()]) {
      if (statement.session === id) this.fail(statement, SESSION_IS_OVER);
    }
    if (session.open !== null) this.abort(session.open);
    this.unlockReads(session);
    if (session.holdsLocks) this.locks.releaseTo(session.lockOwner(), 0);
    this.dropTemporary(id);
  }

  // ---------------------------------------------------------------- temporary objects

  /** A session is over: what it had in its temporary schema goes. */
  private dropTemporary(id: number): void {
    if (!this.catalog.hasTemporary || this.sessions.has(id)) return;
    if (temporarySchema(this.catalog, id) !== undefined) this.utilities.beginTemporaryDrop(id);
  }

  /** Drops what the sessions of an earlier life have left, before there are new ones. */
  private dropLeftovers(): void {
    for (const { name } of [...this.catalog.schemas()]) {
      const id = temporaryOwner(name);
      if (id !== null) this.utilities.beginTemporaryDrop(id);
    }
    while (this.utilities.hasWork() || this.group.hasWork) {
      this.utilities.runReady();
      this.group.run(false);
    }
  }

  /** Something is to be done before the commit that may have to wait. */
  private hasCommitWork(open: OpenTransaction): boolean {
    if (open.foreignKeys?.deferred.isEmpty === false) return true;
    if (open.catalogChanges.length === 0) return false;
    const catalog = this.catalogOf(open);
    const schema = temporarySchema(catalog, open.transaction.session);
    return schema !== undefined && droppedOnCommit(catalog, schema.oid).length > 0;
  }

  /** What a commit does to the session's temporary tables: rows of ON COMMIT DELETE ROWS are not
   * committed. True when nothing but temporary objects is changed, which need not survive a crash. */
  private settleTemporary(open: OpenTransaction): boolean {
    const { transaction } = open;
    const catalog = this.catalogOf(open);
    if (!catalog.hasTemporary) return false;
    const schema = temporarySchema(catalog, transaction.session);
    if (schema === undefined) return false;
    const { writes } = transaction;
    for (const { tree, indexes } of emptiedOnCommit(catalog, schema.oid)) {
      writes.discard(tree);
      for (const index of indexes) writes.discard(index.tree);
    }
    if (open.changesShared || open.needsFlush) return false;
    const own = new Set<TreeId>([CATALOG_TREE, ...open.createdTrees, ...open.droppedTrees]);
    for (const { tree, indexes } of catalog.temporaryRelations(schema.oid)) {
      own.add(tree);
      for (const index of indexes) own.add(index.tree);
    }
    for (const tree of writes.trees.keys()) {
      if (!own.has(tree) && tree !== SEQUENCE_TREE) return false;
    }
    return true;
  }

  /** A transaction of the server's own, which reads no rows. */
  ownTransaction(session: number): OpenTransaction {
    const open = this.newTransaction(session, 'repeatable read');
    open.transaction.snapshot = this.engine.commitLsn;
    return open;
  }

  // ---------------------------------------------------------------- transactions

  session(id: number): WriterSession {
    let session = this.sessions.get(id);
    if (session === undefined) {
      session = new WriterSession(id);
      this.sessions.set(id, session);
    }
    return session;
  }

  newTransaction(
    session: number,
    level: IsolationLevel = 'read committed',
    snapshotSlot = 0,
  ): OpenTransaction {
    this.openCount++;
    return new OpenTransaction(new Transaction(session, level, snapshotSlot, this.spill));
  }

  /** The session's open transaction, or a new one; outside of a block always a new one. */
  transactionFor(
    sessionId: number,
    inBlock: boolean,
    isolation: number,
    snapshotSlot: number,
  ): OpenTransaction {
    const session = this.session(sessionId);
    const level = levelOf(isolation);
    if (inBlock && session.open !== null) {
      const { transaction } = session.open;
      // Until its first query a block that has savepoints may still be given another level.
      if (transaction.snapshot === 0) transaction.isolation = level;
      return session.open;
    }
    const open = this.newTransaction(sessionId, level, snapshotSlot);
    if (inBlock) session.open = open;
    return open;
  }

  /** The snapshot of the next command: the given one, or the newest; that of a SERIALIZABLE transaction is
   * taken here, before its first command, so that no commit behind it is missed. */
  setSnapshot(transaction: Transaction, snapshot: number): void {
    if (transaction.reads !== null) return;
    const isSerializable = transaction.isolation === 'serializable';
    transaction.snapshot =
      snapshot >= 0 && !isSerializable
        ? snapshot
        : this.snapshots.acquire(transaction.snapshotSlot);
    if (!isSerializable) return;
    if (!this.history.isNeeded) this.group.recordUnpublished();
    this.history.begin(transaction, transaction.snapshot);
    transaction.reads = new SerializableReads(this.history, transaction.snapshot);
  }

  commit(open: OpenTransaction, asynchronous: boolean, answer: CommitAnswer): void {
    const { transaction } = open;
    if (!open.hasChanges && !open.needsFlush) {
      transaction.writes.abort();
      this.release(transaction);
      answer.done();
      return;
    }
    let isTemporary: boolean;
    try {
      isTemporary = this.settleTemporary(open);
    } catch (thrown) {
      answer.failed(reportedErrorFields(thrown));
      return;
    }
    for (const { relation } of open.alteredSequences) this.sequenceOwners.delete(relation);
    this.group.add(
      {
        transaction,
        createdTrees: open.createdTrees,
        droppedTrees: open.droppedTrees,
        verify: () => this.hosted.verify(open),
        committed: () => {
          this.moves.commit(transaction, this.engine.commitLsn);
          this.publishCatalog(open.catalogChanges, this.engine.commitLsn);
          this.rowIds.forget(open.droppedTrees);
          this.release(transaction);
          answer.done();
          if (open.catalogChanges.length > 0) this.dropTemporary(transaction.session);
        },
        failed: (thrown) => answer.failed(reportedErrorFields(thrown)),
      },
      asynchronous || isTemporary,
    );
  }

  abort(open: OpenTransaction): void {
    const { transaction } = open;
    this.locks.cancelWait(transaction);
    this.moves.abort(transaction);
    this.undoSequences(open, 0);
    this.rowIds.forget(open.createdTrees);
    transaction.writes.abort();
    this.release(transaction);
  }

  /** A statement of a block failed: what it and others did since the last savepoint is undone, and the
   * locks they took are let go of. */
  failBlock(open: OpenTransaction): void {
    open.failed = true;
    const { transaction } = open;
    this.locks.cancelWait(transaction);
    this.undoSequences(open, open.sequenceMark);
    const last = transaction.savepoints.at(-1);
    this.moves.rollbackTo(transaction, last?.writeMark ?? 0);
    if (last === undefined) {
      transaction.writes.rollbackTo(0);
      this.locks.releaseTo(transaction, 0);
    } else {
      this.keepUndone(transaction, last);
      transaction.writes.rollbackTo(last.writeMark);
      this.locks.releaseTo(transaction, last.lockMark);
    }
  }

  /** A SERIALIZABLE transaction undoes what it did since a savepoint. Clients have been told of it, so that the keys that it
   * changed, or locked, count as read: for them the locks stand no longer. */
  private keepUndone(transaction: Transaction, { writeMark, lockMark }: Savepoint): void {
    const { reads } = transaction;
    if (reads === null) return;
    reads.addChanged(transaction.writes, writeMark);
    for (const tag of this.locks.rowsSince(transaction, lockMark)) {
      const { tree, key } = lockedRow(tag);
      reads.addKey(tree, key, 0, key.length);
    }
  }

  private rollbackTo(open: OpenTransaction, name: string, request: number): void {
    this.keepUndone(open.transaction, open.transaction.savepoint(name));
    const { lockMark, catalogChanged } = open.rollbackTo(name);
    const { writeMark } = open.transaction.savepoints.at(-1)!;
    this.moves.rollbackTo(open.transaction, writeMark);
    this.undoSequences(open, open.sequenceMark);
    this.locks.releaseTo(open.transaction, lockMark);
    open.failed = false;
    if (catalogChanged) {
      open.catalog =
        open.catalogChanges.length === 0
          ? null
          : this.catalog.with(open.catalogChanges, this.nextCatalogVersion());
      this.tellSessionCatalog(request, open);
    }
  }

  private release(transaction: Transaction): void {
    this.openCount--;
    if (transaction.reads !== null) this.history.end(transaction);
    this.locks.releaseTo(transaction, 0);
    if (!this.moves.isEmpty) this.trimMoves();
  }

  /** Forgets where rows went that all transactions and statements see where they are now. */
  private trimMoves(): void {
    let oldest: number = this.engine.commitLsn;
    for (const { open } of this.sessions.values()) {
      if (open !== null) oldest = Math.min(oldest, open.transaction.snapshot);
    }
    for (const { snapshot } of this.waits.transactions()) oldest = Math.min(oldest, snapshot);
    this.moves.trim(oldest);
  }

  // ---------------------------------------------------------------- waiting

  resumeWaiter(waiter: RunningStatement | UtilityWaiter): void {
    if (isStatement(waiter)) this.ready.push(waiter);
    else waiter.resume();
  }

  failWaiter(waiter: RunningStatement | UtilityWaiter, fields: PgErrorFields): void {
    if (isStatement(waiter)) this.fail(waiter, fields);
    else waiter.fail(fields);
  }

  isOvertaken(transaction: Transaction): boolean {
    const { commitLsn } = this.engine;
    if (!transaction.keepsSnapshot || transaction.overtakenCheck === commitLsn) return false;
    transaction.overtakenCheck = commitLsn;
    const { lock, isCheck } = transaction.waitingFor as LockRequest<Transaction>;
    if (lock.kind !== 'row' || isCheck) return false;
    const { tree, key } = lockedRow(lock.tag);
    this.reader.enter();
    try {
      return this.changes.hasChanged(tree, key, transaction.snapshot);
    } finally {
      this.reader.leave();
    }
  }

  databaseOid(): number {
    for (const { oid, name } of this.catalog.databases()) if (name === 'postgres') return oid;
    return 0;
  }

  // ---------------------------------------------------------------- catalog

  catalogOf(open: OpenTransaction): Catalog {
    if (open.catalog === null) return this.catalog;
    if (open.catalogBase !== this.catalog.version) {
      // Others have committed changes; they are of other objects, as changed ones are locked.
      open.catalog = this.catalog.with(open.catalogChanges, this.nextCatalogVersion());
      open.catalogBase = this.catalog.version;
    }
    return open.catalog;
  }

  /** Records a change of the catalog in a transaction. */
  changeCatalog(open: OpenTransaction, change: CatalogChange): void {
    const before = this.catalogOf(open);
    if (!before.isTemporaryChange(change)) open.changesShared = true;
    open.catalog = before.with([change], this.nextCatalogVersion());
    open.catalogBase = this.catalog.version;
    open.catalogChanges.push(change);
    const key = catalogKey(change.kind, change.oid);
    const value = catalogValue(change);
    const { writes, command } = open.transaction;
    if (value === null) writes.delete(CATALOG_TREE, key, 0, key.length, command);
    else writes.put(CATALOG_TREE, key, 0, key.length, value, 0, value.length, command);
  }

  tellSessionCatalog(request: number, open: OpenTransaction): void {
    this.port.message(
      REPLY.sessionCatalog,
      request,
      0,
      0,
      serialize({ changes: open.catalogChanges, version: this.nextCatalogVersion() }),
    );
  }

  nextOid(): number {
    return this.nextOid_++;
  }

  private catalogVersion = 1;

  private nextCatalogVersion(): number {
    return ++this.catalogVersion;
  }

  /** Tells of changes whose commit has been published (see `TreeAges`); 0: at the start. */
  private publishCatalog(changes: readonly CatalogChange[], commit: number): void {
    if (changes.length === 0) return;
    const version = this.nextCatalogVersion();
    this.catalog.apply(changes, version, commit);
    this.port.message(REPLY.catalog, 0, 0, 0, serialize({ changes, version, commit }));
    this.fastPath.publishCatalog(version);
  }

  private loadCatalog(): void {
    this.reader.enter();
    try {
      const cursor = this.newestCursor(CATALOG_TREE)!;
      const changes = readCatalog(cursor);
      this.closeCursor(cursor);
      this.publishCatalog(changes, 0);
    } finally {
      this.reader.leave();
    }
    this.nextOid_ = Math.max(FIRST_USER_OID, this.catalog.highestOid() + 1);
  }

  // ---------------------------------------------------------------- trees and sequences

  /** A cursor on the newest committed entries of a tree; null when the tree is not committed yet. */
  newestCursor(tree: TreeId): Cursor | null {
    const lsn = this.engine.commitLsn;
    return this.roots.find(tree, lsn) === 0 ? null : this.pageCursor(tree, lsn);
  }

  /** A state takes effect at once, in a transaction of its own; that of a sequence which a transaction has
   * altered takes effect with that one. */
  private storeSequence(relation: number, value: Uint8Array): void {
    const owner = this.sequenceOwners.get(relation);
    const key = sequenceKey(relation);
    if (owner !== undefined) {
      const { writes, command } = owner.transaction;
      writes.put(SEQUENCE_TREE, key, 0, key.length, value, 0, value.length, command);
      return;
    }
    const transaction = new Transaction(0, 'read committed', 0);
    transaction.writes.put(SEQUENCE_TREE, key, 0, key.length, value, 0, value.length, 1);
    this.group.add(
      { transaction, createdTrees: [], droppedTrees: [], verify() {}, committed() {}, failed() {} },
      true,
    );
  }

  /** Sequence functions for the statements of a transaction. */
  sequencesOf(open: OpenTransaction): SequenceOperations {
    open.sequences ??= new SessionSequences(this, this.session(open.transaction.session), open);
    return open.sequences;
  }

  setSequence(
    open: OpenTransaction,
    relation: number,
    value: { last: bigint; isCalled: boolean } | null,
  ): void {
    open.alteredSequences.push({ relation, before: this.sequenceStore.known(relation) });
    this.sequenceStore.set(relation, value && { ...value, ahead: 0n });
    if (value === null) {
      const key = sequenceKey(relation);
      const { writes, command } = open.transaction;
      writes.delete(SEQUENCE_TREE, key, 0, key.length, command);
      return;
    }
    this.sequenceOwners.set(relation, open);
    this.storeSequence(relation, encodeState(value.last, value.isCalled));
  }

  /** Sequences are again what they were before a transaction altered all but the first `count`. */
  private undoSequences(open: OpenTransaction, count: number): void {
    const { alteredSequences } = open;
    while (alteredSequences.length > count) {
      const { relation, before } = alteredSequences.pop()!;
      this.sequenceStore.set(relation, before);
      const isStillAltered = alteredSequences.some((earlier) => earlier.relation === relation);
      if (!isStillAltered) this.sequenceOwners.delete(relation);
    }
    // What was stored of the others since is undone with the rest of the writes.
    for (const { relation } of alteredSequences) {
      const state = this.sequenceStore.known(relation);
      if (state !== null) state.ahead = 0n;
    }
  }
}

export interface UtilityWaiter extends LockWaiter {
  readonly isUtility: true;
  resume(): void;
  fail(fields: PgErrorFields): void;
}

function isStatement(waiter: RunningStatement | UtilityWaiter): waiter is RunningStatement {
  return !('isUtility' in waiter);
}

/** Which partitions a table has is seen as it is now, and no lock on the table keeps others from attaching more,
 * which writes the table's entry in the catalog anew. */
function readPartitioning({ tables }: Plan, reads: SerializableReads): void {
  for (const { oid, partitioning } of tables) {
    if (partitioning !== null) reads.addNewest(CATALOG_TREE, catalogKey('relation', oid));
  }
}

/** Why a SERIALIZABLE transaction that has changed something will not be committed, if that is known after a
 * statement already. It is told at once, so that it does no more in vain. */
function refusalOf({ reads, hasWrites }: Transaction): PgErrorFields | null {
  if (reads === null || !hasWrites) return null;
  try {
    reads.verifyEarly();
    return null;
  } catch (thrown) {
    return reportedErrorFields(thrown);
  }
}

function levelOf(isolation: number): IsolationLevel {
  if (isolation === ISOLATION.serializable) return 'serializable';
  return isolation === ISOLATION.repeatableRead ? 'repeatable read' : 'read committed';
}

/** What is in a table that others have made, or written anew as TRUNCATE does, since the snapshot, is nothing
 * that the snapshot shows; nor was it empty then. */
function youngTable(): PgError {
  return dependencyFailure(
    'A table was created or rewritten since the snapshot of the transaction.',
  );
}

export function failedTransaction(): PgError {
  return pgError(
    'in_failed_sql_transaction',
    'current transaction is aborted, commands ignored until end of transaction block',
  );
}

const NOTHING = new Uint8Array(0);
/** Before the first of a transaction: it sees no changes. */
const NO_COMMAND = 0;
