import { RowChanges } from '../../access/index.ts';
import { beginLimit, endLimit, OpenHashMap, TakesLong } from '../../base/index.ts';
import type { Catalog, RelationDescriptor } from '../../catalog/index.ts';
import {
  notSupported,
  type PgErrorFields,
  pgError,
  reportedErrorFields,
} from '../../errors/index.ts';
import {
  ANSWERED_RUN,
  type PlanRun,
  type RunHandle,
  type RunListener,
} from '../../session/index.ts';
import { MAIN_THREAD, type Snapshots } from '../../shm/index.ts';
import {
  type CompiledPlan,
  compilePlan,
  type DataRowEncoder,
  dataRowEncoder,
  hasForeignKeys,
  type SpillFile,
} from '../../sql/execute/index.ts';
import { pointChange, pointRead } from '../../sql/plan/index.ts';
import type { Plan } from '../../sql/plan/plan.ts';
import {
  type Cursor,
  isPageMiss,
  type PageReader,
  PageTreeCursor,
  type TreeId,
  type TreeRoots,
} from '../../storage/index.ts';
import { type FastPathWords, OverlayCursor, type Transaction } from '../../txn/index.ts';
import { currentSetting } from '../current-setting.ts';
import { CursorPool } from '../worker/cursor-pool.ts';
import { NewestEntries } from '../worker/newest-entries.ts';
import { RunningStatement, SLICE, type StatementHost } from '../worker/running-statement.ts';
import { StatementContext } from '../worker/statement-context.ts';
import { HostedRowLocks, HostedTransaction, ParkedRun } from './hosted-transaction.ts';

/** The way from the main thread to the writer. */
export interface WriterRoute {
  readonly catalog: Catalog;
  /** The writer takes the transaction over. */
  transfer(transaction: HostedTransaction): void;
  /** Marks are gone that somebody in the writer waits for. */
  marksFreed(): void;
  /** Runs a statement of a transaction that the writer has. */
  executeInWriter(run: PlanRun, listener: RunListener): RunHandle;
  /** Has a reader bring what leads to key[0, keyEnd) of a tree into memory, and calls `done`. False: there
   * is no reader. */
  loadPath(
    session: number,
    tree: TreeId,
    key: Uint8Array,
    keyEnd: number,
    done: () => void,
  ): boolean;
}

/** Transactions that the main thread runs by itself as long as each of their statements changes one row
 * by its key, or adds a row without one, or reads a row by its key: what most transactions do. Their
 * locks are marks in shared memory (txn/fast-path-words.ts), their changes stay here, and COMMIT
 * hands them to the writer, in one trip instead of one for each statement.
 *
 *   none ──a point change──► hosted ──ROLLBACK, error──► none
 *                              │  └──COMMIT──► committing ──answer──► none
 *                              └──anything else──► in the writer, with its locks
 *
 * Anything else: another statement, one that takes long to compute, a savepoint, somebody in the writer who wants
 * what it has locked. A statement that wants a row of another hosted transaction is parked until that one commits (below) or is rolled
 * back, and then begins anew, which in READ COMMITTED comes to the same as going on with the new version of the
 * row: there is but one. So is a statement whose pages are not in memory, until a reader has brought them
 * there. Statements that would wait for one another in a circle go to the writer, which
 * finds out about deadlocks and timeouts. A row that is locked in the writer is looked at again and again
 * for a while before its transaction goes there, too: otherwise one transaction in the writer would bring
 * all after it that want a row of its, and theirs.
 *
 * The newest version of a row is read under its lock: the lock is taken, and then the snapshot has to be
 * the newest commit still, or the statement begins anew (H1). A commit shows on the pages before its
 * locks are let go of, in the writer and here, so nothing is missed.
 *
 * A transaction that is being committed lets its rows go to others at once (early lock release: Johnson and
 * others, "Aether: a scalable approach to logging", 2010), as the wait for the disk is most of the time that rows
 * are locked:
 *
 * (H2) Who takes a row over finds the version of its predecessor, which is not on the pages yet: that one's changes
 *      lie over the pages for its statements, in the order of commits, and below its own changes. It keeps the
 *      mark, so nobody else changes the row meanwhile.
 * (H3) It is committed after its predecessors: their COMMITs were sent before, the writer appends in that order,
 *      and what is stable of a log is its beginning. It is not committed when one of them could not be: the writer
 *      knows them by number (worker/hosted-transfers.ts). It answers that a commit has failed when none is on its way
 *      on which that one depends.
 * (H4) Nobody is shown what may be lost yet: statements that show rows, or read others than the one they change, wait
 *      for the answers to the predecessors, and so does everything that the writer does for the transaction.
 *      What is shown is whether there was a row to change.
 * (H5) When it is rolled back before that, the rows are its predecessors' again.
 */
export class FastPath implements StatementHost {
  private readonly reader: PageReader;
  private readonly snapshots: Snapshots;
  private readonly words: FastPathWords;
  private readonly route: WriterRoute;
  private readonly hosted = new OpenHashMap<number, HostedTransaction>();
  private readonly committing = new OpenHashMap<number, HostedTransaction>();
  private readonly locks: HostedRowLocks;
  private readonly changes: RowChanges;
  private readonly programs = new WeakMap<Plan, Program | 'none'>();
  private readonly statement: RunningStatement;
  private readonly cursors: CursorPool;
  private listener!: RunListener;
  /** The statement's cursor on the pages, and its tree. */
  private opened: PageTreeCursor | null = null;
  private openedTree = 0 as TreeId;
  /** What long computations asked before the statement that runs. */
  private checkBefore: ReturnType<typeof beginLimit> | null = null;
  private nextCommit = 1;
  /** Transactions whose waiters are being woken. */
  private readonly awakening: HostedTransaction[] = [];
  /** Statements that want rows which are locked in the writer. */
  private polled: ParkedRun[] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(
    reader: PageReader,
    roots: TreeRoots,
    snapshots: Snapshots,
    words: FastPathWords,
    route: WriterRoute,
  ) {
    this.reader = reader;
    this.snapshots = snapshots;
    this.words = words;
    this.route = route;
    this.locks = new HostedRowLocks(words);
    this.cursors = new CursorPool(reader, roots);
    this.changes = new RowChanges({
      locks: this.locks,
      newest: new NewestEntries({
        roots,
        newestCursor: () => new PageTreeCursor(reader, roots),
      }),
      newestLsn: () => snapshots.current(),
      rowIds: { next: (tree) => this.locks.current.nextRowId(tree) },
      moves: NO_MOVES,
    });
    const context = new StatementContext(currentSetting, (fields) => this.listener.notice(fields));
    this.statement = new RunningStatement(this, context);
  }

  /** Runs a statement of a block, when it can be run here: it has been answered then, or waits. Null:
   * it is for the writer, after `handOver`. */
  execute(run: PlanRun, listener: RunListener): RunHandle | null {
    const program = this.programOf(run.plan.plan);
    if (program === 'none' || !isPlain(run)) return null;
    let transaction = this.hosted.get(run.session);
    if (transaction === undefined) {
      if (!program.isChange) return null;
      transaction = new HostedTransaction(run.session);
    }
    if (!this.mayRun(transaction, program, run.plan.plan)) return null;
    this.host(transaction);
    return this.attempt(transaction, program, run, listener, null);
  }

  /** The session's transaction has changed nothing: there is nothing to commit. */
  isUnchanged(session: number): boolean {
    return this.hosted.get(session)?.transaction.hasWrites === false;
  }

  /** COMMIT: what is to be sent to the writer, and given to `wake` then; null when the transaction is there. */
  commit(session: number): HostedTransaction | null {
    const transaction = this.hosted.get(session);
    if (transaction === undefined) return null;
    this.unhost(session);
    this.committing.set(session, transaction);
    transaction.commitNumber = this.nextCommit;
    this.nextCommit = transaction.commitNumber === 0xffff_ffff ? 1 : transaction.commitNumber + 1;
    return transaction;
  }

  /** The writer has answered the COMMIT. The result is for `wake`, after the client has been told. */
  committed(session: number, outcome: 'committed' | 'failed'): HostedTransaction | null {
    const transaction = this.committing.get(session);
    if (transaction === undefined) return null;
    this.committing.delete(session);
    transaction.outcome = outcome;
    this.release(transaction);
    return transaction;
  }

  /** Lets those go on who wait for a transaction that is over, or lets its rows go. */
  wake(transaction: HostedTransaction): void {
    // Who goes on may end a transaction that others wait for.
    this.awakening.push(transaction);
    if (this.awakening.length > 1) return;
    for (let i = 0; i < this.awakening.length; i++) this.wakeWaiters(this.awakening[i]!);
    this.awakening.length = 0;
  }

  private wakeWaiters(transaction: HostedTransaction): void {
    for (const parked of transaction.waiters.slice()) {
      // Others that went on may have taken it along.
      if (parked.holder !== transaction) continue;
      parked.unpark();
      const holder = this.locks.holderOf(parked.tag);
      if (holder === undefined || holder.givesRows) this.retry(parked);
      else this.parkAgain(parked, holder);
    }
  }

  /** Lets those go on whose rows are locked in the writer no more; who has waited for long goes there. */
  poll(): void {
    if (this.polled.length === 0) return;
    const { polled } = this;
    this.polled = [];
    const latest = performance.now() - POLL_MS;
    for (const parked of polled) {
      if (!parked.isPolled) continue;
      const { transaction, tag } = parked;
      const holder = this.locks.holderOf(tag);
      if (holder !== undefined) {
        parked.unpark();
        this.parkAgain(parked, holder);
      } else if (this.locks.isFree(tag, transaction.session)) {
        parked.unpark();
        this.retry(parked);
      } else if (parked.polledSince < latest) this.toWriter(parked);
      else this.polled.push(parked);
    }
    if (this.polled.length > 0) this.pollLater();
  }

  private pollLater(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.poll();
    }, POLL_INTERVAL_MS);
  }

  /** Gives the session's transaction up; false when there is none here. */
  discard(session: number): boolean {
    const transaction = this.hosted.get(session);
    if (transaction === undefined) return false;
    this.unhost(session);
    transaction.parked?.unpark();
    this.locks.giveBack(transaction);
    this.release(transaction);
    this.wake(transaction);
    return true;
  }

  private release(transaction: HostedTransaction): void {
    this.locks.forget(transaction);
    if (this.locks.freeMarks(transaction)) this.route.marksFreed();
    transaction.writes.close();
  }

  /** The session is gone. */
  endSession(session: number): void {
    const parked = this.hosted.get(session)?.parked ?? null;
    this.discard(session);
    parked?.listener.error(
      pgError('query_canceled', 'canceling statement due to user request').fields,
    );
  }

  /** The session's transaction goes on in the writer, and those that wait for it do so there. */
  handOver(session: number): void {
    const transaction = this.hosted.get(session);
    if (transaction === undefined) return;
    this.unhost(session);
    this.locks.forget(transaction);
    this.route.transfer(transaction);
    transaction.writes.close();
    const { parked } = transaction;
    if (parked !== null) {
      parked.unpark();
      parked.goOn(this.route.executeInWriter(parked.run, parked.listener));
    }
    for (const waiter of transaction.waiters.splice(0)) this.handOver(waiter.transaction.session);
  }

  handOverAll(): void {
    for (const session of [...this.hosted.keys()]) this.handOver(session);
  }

  /** The writer is gone, and all transactions with it. */
  failAll(error: PgErrorFields): void {
    const parked = [...this.hosted.values()].flatMap((transaction) => transaction.parked ?? []);
    this.hosted.clear();
    this.committing.clear();
    this.awakening.length = 0;
    this.polled = [];
    for (const run of parked) {
      run.unpark();
      run.listener.error(error);
    }
  }

  private host(transaction: HostedTransaction): void {
    this.hosted.set(transaction.session, transaction);
    this.words.hostedCount = this.hosted.size;
  }

  private unhost(session: number): void {
    this.hosted.delete(session);
    this.words.hostedCount = this.hosted.size;
  }

  // ---------------------------------------------------------------- running

  /** Whether the table is as the plan has it, and free for changes; it is marked as changed then. */
  private mayRun(transaction: HostedTransaction, program: Program, plan: Plan): boolean {
    if (transaction.isFull || transaction.isDoomed) return false;
    const { oid, version } = program.table;
    const isUsed = transaction.tables.has(oid);
    if (!isUsed && (!program.isChange || !this.words.useTable(oid))) return false;
    const { catalog } = this.route;
    const isCurrent =
      this.words.catalogVersion === catalog.version &&
      (plan.catalogVersion === catalog.version ||
        catalog.relationByOid(oid)?.version === version) &&
      program.isFreeOfReferences(catalog);
    if (isUsed) return isCurrent;
    if (isCurrent) transaction.tables.add(oid);
    else this.words.freeTable(oid);
    return isCurrent;
  }

  private attempt(
    transaction: HostedTransaction,
    program: Program,
    run: PlanRun,
    listener: RunListener,
    parked: ParkedRun | null,
  ): RunHandle | null {
    const { statement } = this;
    if (!program.isBlind && transaction.isDependent) {
      return this.awaitPredecessors(transaction, run, listener, parked);
    }
    let outcome: Outcome;
    let rowCount = 0;
    try {
      outcome = this.runOnce(transaction, program, run, listener);
      if (outcome === 'done') rowCount = statement.affectedRows();
    } catch (thrown) {
      statement.end();
      this.discard(run.session);
      listener.error(reportedErrorFields(thrown));
      return ANSWERED_RUN;
    }
    statement.end();
    if (outcome === 'done') {
      transaction.transaction.command++;
      // It may have locked a row that it did not change then.
      if (rowCount === 0 && program.isChange) transaction.keepRows();
      listener.complete(rowCount, null);
      return ANSWERED_RUN;
    }
    if (outcome === 'elsewhere') return null;
    if (outcome === 'not in memory') return this.load(transaction, run, listener, parked);
    return this.park(transaction, run, listener, parked);
  }

  private runOnce(
    transaction: HostedTransaction,
    program: Program,
    run: PlanRun,
    listener: RunListener,
  ): Outcome {
    const { statement, reader } = this;
    const { writes } = transaction.transaction;
    const mark = writes.mark;
    this.listener = listener;
    this.locks.current = transaction;
    this.locks.isBlind = program.isBlind;
    this.changes.use(transaction.transaction);
    statement.plan = run.plan.plan;
    statement.session = run.session;
    statement.settings = run.settings;
    statement.deadlineMs = run.deadlineMs;
    statement.rowLimit = 0;
    statement.rows = this.changes;
    statement.parameters.length = 0;
    for (const parameter of run.parameters) statement.parameters.push(parameter);
    statement.context.use(
      run.settings,
      run.session,
      run.statementTimestamp,
      run.transactionTimestamp,
    );
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      statement.begin(program.textEncoder, run.formats, 0, run.formats.length);
      statement.compiled = program.compiled;
      this.opened = null;
      this.locks.hasTakenOver = false;
      statement.snapshot = this.snapshots.acquire(MAIN_THREAD);
      transaction.transaction.snapshot = statement.snapshot;
      reader.enter();
      this.checkBefore = beginLimit();
      try {
        program.compiled.open(statement);
        const slice = statement.runSlice(Number.POSITIVE_INFINITY);
        if (slice === SLICE.done) return 'done';
        if (!this.locks.hasTakenOver) return 'conflict';
      } catch (thrown) {
        if (isPageMiss(thrown)) return 'not in memory';
        if (thrown instanceof TakesLong) {
          // It may be what is returned of the changed row.
          writes.rollbackTo(mark);
          return 'elsewhere';
        }
        if (thrown !== NEWER_COMMIT) throw thrown;
      } finally {
        this.liftLimit();
        program.compiled.close();
        reader.leave();
        this.snapshots.release(MAIN_THREAD);
      }
    }
    return 'elsewhere';
  }

  private liftLimit(): void {
    if (this.checkBefore !== null) endLimit(this.checkBefore);
    this.checkBefore = null;
  }

  /** Lets a statement wait for who has its row; null when it has to wait in the writer. */
  private park(
    transaction: HostedTransaction,
    run: PlanRun,
    listener: RunListener,
    known: ParkedRun | null,
  ): RunHandle | null {
    const { conflict, wanted } = this.locks;
    // The writer counts the time that a statement waits for locks.
    if (run.settings.lockTimeoutMs !== 0 || conflict?.waitsFor(transaction)) {
      if (conflict !== null) this.handOver(conflict.session);
      return null;
    }
    const parked = known ?? new ParkedRun(transaction, run, listener, this.toWriter);
    parked.park(wanted, conflict);
    if (conflict === null) {
      this.polled.push(parked);
      this.pollLater();
    }
    return parked;
  }

  /** Lets a statement wait until all that its transaction has seen is stable. */
  private awaitPredecessors(
    transaction: HostedTransaction,
    run: PlanRun,
    listener: RunListener,
    known: ParkedRun | null,
  ): RunHandle {
    const parked = known ?? new ParkedRun(transaction, run, listener, this.toWriter);
    parked.park('', transaction.predecessors.at(-1)!);
    return parked;
  }

  /** Lets a statement wait for its pages; null when it had better go where they can be read. */
  private load(
    transaction: HostedTransaction,
    run: PlanRun,
    listener: RunListener,
    known: ParkedRun | null,
  ): RunHandle | null {
    const { opened } = this;
    const parked = known ?? new ParkedRun(transaction, run, listener, this.toWriter);
    if (opened === null || parked.loadCount === LOADS_MAX) return null;
    const { session } = transaction;
    const { soughtKey, soughtEnd } = opened;
    const isAsked = this.route.loadPath(session, this.openedTree, soughtKey, soughtEnd, () => {
      if (!parked.isLoading) return;
      parked.unpark();
      this.retry(parked);
    });
    if (!isAsked) return null;
    parked.parkForPages();
    return parked;
  }

  private parkAgain(parked: ParkedRun, holder: HostedTransaction): void {
    if (holder.waitsFor(parked.transaction)) this.toWriter(parked);
    else parked.park(parked.tag, holder);
  }

  private retry(parked: ParkedRun): void {
    const { transaction, run, listener } = parked;
    const program = this.programOf(run.plan.plan) as Program;
    const handle = this.mayRun(transaction, program, run.plan.plan)
      ? this.attempt(transaction, program, run, listener, parked)
      : null;
    if (handle === null) this.toWriter(parked);
  }

  private readonly toWriter = (parked: ParkedRun): void => {
    // It goes along with its transaction.
    parked.transaction.parked = parked;
    this.handOver(parked.transaction.session);
  };

  private programOf(plan: Plan): Program | 'none' {
    let program = this.programs.get(plan);
    if (program === undefined) {
      program = programFor(plan) ?? 'none';
      this.programs.set(plan, program);
    }
    return program;
  }

  // ---------------------------------------------------------------- StatementHost

  openCursor(statement: RunningStatement, tree: TreeId): Cursor {
    const cursor = this.cursors.take(tree, statement.snapshot);
    this.opened = cursor;
    this.openedTree = tree;
    const { transaction, predecessors } = this.locks.current;
    if (predecessors.length === 0) return withChanges(cursor, transaction, tree);
    let seen: Cursor = cursor;
    for (const predecessor of predecessors) {
      // What has been committed is on the pages.
      if (predecessor.isCommitting) seen = withChanges(seen, predecessor.transaction, tree);
    }
    return withChanges(seen, transaction, tree);
  }

  closeCursor(cursor: Cursor): void {
    let base = cursor;
    while (base instanceof OverlayCursor) base = base.base;
    this.cursors.give(base);
  }

  createSpillFile(): SpillFile {
    throw notSupported('spilling on the main thread');
  }

  rows(_request: number, count: number, bytes: Uint8Array, start: number, end: number): void {
    // All is computed; what the client's connection does is not the statement's.
    this.liftLimit();
    this.listener.rows(bytes, start, end, count);
  }
}

function withChanges(base: Cursor, { writes, command }: Transaction, tree: TreeId): Cursor {
  return writes.trees.has(tree) ? new OverlayCursor(base, writes, tree, command) : base;
}

/** How an attempt ended without an error. */
type Outcome = 'done' | 'conflict' | 'not in memory' | 'elsewhere';

/** How long, and how often, a row that is locked in the writer is looked at. */
const POLL_MS = 20;
const POLL_INTERVAL_MS = 2;

/** A statement whose pages are gone again this often goes to the writer. */
const LOADS_MAX = 4;

/** A statement whose snapshot turns out to be old this often goes to the writer. */
const TRIES_MAX = 8;

/** Thrown by (H1). */
const NEWER_COMMIT = new Error('the snapshot is not the newest any more');

/** Where rows went is known in the writer alone; here it is not asked unless the snapshot is old. */
const NO_MOVES = {
  record() {},
  target(): never {
    throw NEWER_COMMIT;
  },
};

/** A plan that can be run here. */
class Program {
  readonly isChange: boolean;
  /** Its client is shown no rows. */
  readonly isBlind: boolean;
  readonly table: RelationDescriptor;
  readonly compiled: CompiledPlan;
  readonly textEncoder: DataRowEncoder;
  private checkedVersion = -1;
  private isFree = false;

  constructor(plan: Plan, table: RelationDescriptor, isChange: boolean) {
    this.isChange = isChange;
    this.isBlind = isChange && plan.output.length === 0;
    this.table = table;
    this.compiled = compilePlan(plan);
    this.textEncoder = dataRowEncoder(
      plan.output.map((column) => column.type),
      new Uint8Array(0),
    );
  }

  /** Whether no foreign key has to be checked for the table. */
  isFreeOfReferences(catalog: Catalog): boolean {
    if (this.checkedVersion !== catalog.version) {
      this.checkedVersion = catalog.version;
      this.isFree = !hasForeignKeys(catalog, this.table);
    }
    return this.isFree;
  }
}

function programFor(plan: Plan): Program | null {
  const changed = pointChange(plan);
  if (changed !== null) return new Program(plan, changed, true);
  const read = pointRead(plan);
  return read === null || plan.tables.length > 1 ? null : new Program(plan, read.table, false);
}

/** All rows of a statement at once, in READ COMMITTED. */
function isPlain(run: PlanRun): boolean {
  return (
    run.isolation === 'read committed' &&
    run.rowLimit === 0 &&
    run.explain === null &&
    run.copy === null &&
    run.snapshot === null
  );
}
