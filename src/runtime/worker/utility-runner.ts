import {
  BOOTSTRAP_ROLE,
  type Catalog,
  type CatalogChange,
  resolveSearchPath,
  type SearchPath,
} from '../../catalog/index.ts';
import { type PgErrorFields, pgError, reportedErrorFields, SQLSTATES } from '../../errors/index.ts';
import type { StatementSettings } from '../../session/index.ts';
import type {
  ForeignKeyChecks,
  SequenceOperations,
  SpillFile,
  SystemViewSource,
} from '../../sql/execute/index.ts';
import {
  discardTemporary,
  dropTemporarySchema,
  executeUtility,
  prepareCommit,
  type UtilityEnvironment,
  type UtilityExecution,
} from '../../sql/utility/index.ts';
import type { Cursor, TreeId } from '../../storage/index.ts';
import { tableLockTag } from '../../txn/index.ts';
import { useTypes } from '../../types/index.ts';
import { currentSetting } from '../current-setting.ts';
import type { ControlMessage } from '../generated/control-message.ts';
import { EXECUTE_FLAGS, REPLY } from '../messages.ts';
import { factsOfState, type SessionState } from '../session-state.ts';
import { systemViewSource } from '../system-views.ts';
import { INTERNAL_SETTINGS } from './internal-settings.ts';
import { StatementContext } from './statement-context.ts';
import type { UtilityWaiter, Writer } from './writer.ts';
import { failedTransaction } from './writer.ts';
import type { OpenTransaction } from './writer-session.ts';

/** What the main thread sends to have a utility statement run. Plain data. */
export interface UtilityRequest {
  readonly statement: unknown;
  readonly text: string;
  readonly settings: StatementSettings;
  readonly role: number;
  readonly snapshotSlot: number;
  /** LSN, or -1 for the newest. */
  readonly snapshot: number;
  /** What views of sessions show; null where no query reads them. */
  readonly sessions: SessionState | null;
  readonly deadlineMs: number;
  readonly statementTimestamp: number;
  readonly transactionTimestamp: number;
}

const SLICE_MS = 5;

/** Runs the utility statements of all sessions, in slices. */
export class UtilityRunner {
  private readonly writer: Writer;
  private readonly byRequest = new Map<number, RunningUtility>();
  private ready: RunningUtility[] = [];
  /** Numbers below 0 are of utilities that no client has asked for. */
  private nextUnasked = -1;

  constructor(writer: Writer) {
    this.writer = writer;
  }

  hasWork(): boolean {
    return this.ready.length > 0;
  }

  begin(message: ControlMessage, request: UtilityRequest): void {
    const number = message.request();
    const inBlock = (message.flags() & EXECUTE_FLAGS.inBlock) !== 0;
    const open = this.writer.transactionFor(
      message.session(),
      inBlock,
      message.isolation(),
      request.snapshotSlot,
    );
    if (open.failed) {
      this.writer.port.error(number, failedTransaction().fields);
      return;
    }
    this.writer.setSnapshot(open.transaction, request.snapshot);
    const utility = new RunningUtility(this.writer, this, number, open, inBlock, request);
    const execution = executeUtility(request.statement as never, request.text, utility);
    utility.execution =
      open.predecessors.length === 0
        ? execution
        : this.afterPredecessors(open, request.snapshot, execution);
    this.start(message, utility);
  }

  private *afterPredecessors(
    open: OpenTransaction,
    snapshot: number,
    execution: UtilityExecution,
  ): UtilityExecution {
    while (!this.writer.hosted.awaitPredecessors(open)) yield 'wait';
    this.writer.setSnapshot(open.transaction, snapshot);
    return yield* execution;
  }

  /** The commit of a block with deferred constraints, which are to be checked first, or with tables that
   * are dropped with it. */
  beginCommit(message: ControlMessage, open: OpenTransaction): void {
    const utility = this.internal(message.request(), open, open.settings ?? INTERNAL_SETTINGS);
    utility.execution = prepareCommit(utility);
    this.start(message, utility);
  }

  /** DISCARD ALL: all that is in the session's temporary schema goes. */
  beginDiscard(message: ControlMessage): void {
    const open = this.writer.ownTransaction(message.session());
    const utility = this.internal(message.request(), open, INTERNAL_SETTINGS);
    utility.execution = discardTemporary(utility);
    this.start(message, utility);
  }

  /** A session is over, and leaves a temporary schema. Nobody waits for an answer. */
  beginTemporaryDrop(session: number): void {
    const open = this.writer.ownTransaction(session);
    const utility = this.internal(this.nextUnasked--, open, INTERNAL_SETTINGS);
    utility.execution = dropTemporarySchema(utility);
    utility.asynchronousCommit = true;
    this.add(utility);
  }

  /** What is no statement of a client; the session knows by itself what it answers. */
  private internal(
    number: number,
    open: OpenTransaction,
    settings: StatementSettings,
  ): RunningUtility {
    const { transaction } = open;
    const request: UtilityRequest = {
      statement: null,
      text: '',
      settings,
      role: BOOTSTRAP_ROLE,
      snapshotSlot: transaction.snapshotSlot,
      snapshot: transaction.snapshot,
      sessions: null,
      deadlineMs: 0,
      statementTimestamp: 0,
      transactionTimestamp: 0,
    };
    const utility = new RunningUtility(this.writer, this, number, open, false, request);
    utility.isInternal = true;
    return utility;
  }

  private start(message: ControlMessage, utility: RunningUtility): void {
    utility.asynchronousCommit = (message.flags() & EXECUTE_FLAGS.asynchronousCommit) !== 0;
    this.add(utility);
  }

  private add(utility: RunningUtility): void {
    this.byRequest.set(utility.request, utility);
    this.writer.waits.setRunning(utility.open.transaction, utility);
    this.ready.push(utility);
  }

  runReady(): void {
    const turn = this.ready;
    if (turn.length === 0) return;
    this.ready = [];
    for (const utility of turn) if (this.byRequest.has(utility.request)) utility.runSlice();
  }

  resume(utility: RunningUtility): void {
    if (!this.ready.includes(utility)) this.ready.push(utility);
  }

  forget(utility: RunningUtility): void {
    this.byRequest.delete(utility.request);
  }

  copyData(request: number, bytes: Uint8Array, start: number, end: number): void {
    this.byRequest.get(request)?.addCopyData(bytes.slice(start, end));
  }

  copyDone(request: number): void {
    this.byRequest.get(request)?.endCopy(null);
  }

  copyFail(request: number, message: string): void {
    this.byRequest.get(request)?.endCopy(message);
  }

  /** True when the message was for a utility. */
  cancel(message: ControlMessage): boolean {
    const utility = this.byRequest.get(message.request());
    if (utility === undefined) return false;
    utility.cancelled = message.operation() === 1 ? 'timeout' : 'user';
    this.resume(utility);
    return true;
  }

  endSession(session: number, reason: PgErrorFields): void {
    for (const utility of [...this.byRequest.values()]) {
      if (utility.open.transaction.session === session && utility.isAsked) utility.fail(reason);
    }
  }
}

/** One utility statement on its way, and the environment that it runs in. */
class RunningUtility implements UtilityEnvironment, UtilityWaiter {
  readonly isUtility = true;
  readonly request: number;
  readonly open: OpenTransaction;
  readonly inBlock: boolean;
  readonly functions: StatementContext;
  readonly role: number;
  readonly settings: StatementSettings;
  cancelled: 'no' | 'user' | 'timeout' = 'no';
  asynchronousCommit = false;
  /** It is no statement of a client, but what a commit, DISCARD ALL or the end of a session does. */
  isInternal = false;
  private readonly writer: Writer;
  private readonly runner: UtilityRunner;
  private readonly deadlineMs: number;
  /** Set before it is started. */
  execution!: UtilityExecution;
  /** Pieces that came; those before `copyHead` have been taken. */
  private readonly copyQueue: Uint8Array[] = [];
  private copyHead = 0;
  private copyEnded: 'no' | 'done' | { readonly failure: string } = 'no';
  private readonly sessions: SessionState | null;
  private sliceEnd = 0;
  private catalogChanged = false;

  constructor(
    writer: Writer,
    runner: UtilityRunner,
    number: number,
    open: OpenTransaction,
    inBlock: boolean,
    request: UtilityRequest,
  ) {
    this.writer = writer;
    this.runner = runner;
    this.request = number;
    this.open = open;
    this.inBlock = inBlock;
    this.settings = request.settings;
    this.role = request.role;
    this.deadlineMs = request.deadlineMs;
    this.sessions = request.sessions;
    this.functions = new StatementContext(currentSetting, (fields) => this.notice(fields));
    this.functions.sleep = undefined;
    this.functions.use(
      request.settings,
      open.transaction.session,
      request.statementTimestamp,
      request.transactionTimestamp,
    );
    this.functions.useCatalog(this.catalog, {});
  }

  /** Somebody waits for its answer. */
  get isAsked(): boolean {
    return this.request > 0;
  }

  runSlice(): void {
    const { writer } = this;
    const { transaction } = this.open;
    this.sliceEnd = performance.now() + SLICE_MS;
    this.useCatalog();
    writer.runs(this);
    writer.changes.use(transaction);
    writer.reader.enter();
    let step: ReturnType<UtilityExecution['next']>;
    try {
      this.checkInterrupts();
      step = this.execution.next();
    } catch (thrown) {
      this.fail(reportedErrorFields(thrown));
      return;
    } finally {
      writer.runs(null);
      writer.reader.leave();
    }
    if (step.done === true) this.finish(step.value.tag);
    else if (step.value === 'pause') this.runner.resume(this);
    else if (transaction.waitingFor !== null) writer.waits.startWaiting(transaction);
  }

  // ---------------------------------------------------------------- UtilityWaiter

  resume(): void {
    this.runner.resume(this);
  }

  fail(fields: PgErrorFields): void {
    this.end();
    if (this.inBlock) this.writer.failBlock(this.open);
    else this.writer.abort(this.open);
    if (this.isAsked) this.writer.port.error(this.request, fields);
    else console.error(`temporary objects could not be dropped: ${fields.message}`);
  }

  checkInterrupts(): void {
    if (this.cancelled === 'user') {
      throw pgError('query_canceled', 'canceling statement due to user request');
    }
    if (this.cancelled === 'timeout' || (this.deadlineMs !== 0 && Date.now() >= this.deadlineMs)) {
      throw pgError('query_canceled', 'canceling statement due to statement timeout');
    }
  }

  private finish(tag: string): void {
    this.end();
    this.open.transaction.command++;
    const { port } = this.writer;
    const shown = this.isInternal ? null : tag;
    const complete = (): void => {
      if (this.isAsked) port.complete(this.request, 0, shown);
    };
    if (this.inBlock) {
      if (this.catalogChanged) this.writer.tellSessionCatalog(this.request, this.open);
      complete();
      return;
    }
    this.writer.commit(this.open, this.asynchronousCommit, {
      done: complete,
      failed: (fields) => {
        this.writer.abort(this.open);
        if (this.isAsked) port.error(this.request, fields);
      },
    });
  }

  private end(): void {
    this.execution.return({ tag: '' });
    this.runner.forget(this);
    this.writer.waits.ended(this.open.transaction);
    this.writer.locks.cancelWait(this.open.transaction);
  }

  // ---------------------------------------------------------------- UtilityEnvironment

  get catalog(): Catalog {
    return this.writer.catalogOf(this.open);
  }

  get searchPath(): SearchPath {
    const { session } = this.open.transaction;
    return resolveSearchPath(this.catalog, this.settings.searchPath, session);
  }

  get workMem(): number {
    return this.settings.workMem;
  }

  change(change: CatalogChange): void {
    this.catalogChanged = true;
    this.writer.changeCatalog(this.open, change);
    this.useCatalog();
  }

  /** Names and types are those of the catalog as it is now. */
  private useCatalog(): void {
    if (this.functions.catalog !== this.catalog) this.functions.useCatalog(this.catalog, {});
    useTypes(this.functions.objectNames ?? this.catalog);
  }

  nextOid(): number {
    return this.writer.nextOid();
  }

  createTree(): TreeId {
    const tree = this.writer.engine.nextTreeId();
    this.open.createdTrees.push(tree);
    this.open.transaction.writes.createTree(tree);
    return tree;
  }

  dropTree(tree: TreeId): void {
    this.open.droppedTrees.push(tree);
  }

  isNewTree(tree: TreeId): boolean {
    return this.open.isNewTree(tree);
  }

  lockTable(relation: number, name: string, mode: number, nowait = false): 'granted' | 'wait' {
    const { locks } = this.writer;
    const { transaction } = this.open;
    const answer = locks.acquire(transaction, 'table', tableLockTag(relation), mode, !nowait);
    if (answer === 'busy') {
      throw pgError('lock_not_available', `could not obtain lock on relation "${name}"`);
    }
    if (answer === 'waiting') {
      this.waited = true;
      return 'wait';
    }
    if (this.waited && transaction.isolation === 'read committed') {
      // What others committed meanwhile is to be seen.
      this.waited = false;
      this.writer.setSnapshot(transaction, -1);
    }
    return 'granted';
  }

  private waited = false;

  get rows() {
    return this.writer.changes;
  }

  get foreignKeys(): ForeignKeyChecks {
    this.open.settings = this.settings;
    return this.writer.foreignKeysOf(this.open);
  }

  get heldSnapshot(): number | null {
    const { keepsSnapshot, snapshot } = this.open.transaction;
    return keepsSnapshot ? snapshot : null;
  }

  openCursor(tree: TreeId): Cursor {
    return this.writer.readCursor(this.open.transaction, tree);
  }

  newestCursor(tree: TreeId): Cursor {
    const { engine } = this.writer;
    return this.writer.transactionCursor(this.open.transaction, tree, engine.commitLsn);
  }

  closeCursor(cursor: Cursor): void {
    this.writer.closeCursor(cursor);
  }

  putEntry(
    tree: TreeId,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { writes, command } = this.open.transaction;
    writes.put(tree, key, keyStart, keyEnd, value, valueStart, valueEnd, command);
  }

  nextCommand(): void {
    this.open.transaction.command++;
  }

  setSequence(relation: number, value: { last: bigint; isCalled: boolean } | null): void {
    this.writer.setSequence(this.open, relation, value);
  }

  sequenceValue(relation: number): { last: bigint; isCalled: boolean } {
    return this.writer.sequenceStore.peek(this.catalog, relation);
  }

  get sequences(): SequenceOperations {
    return this.writer.sequencesOf(this.open);
  }

  get systemViews(): SystemViewSource {
    const facts = this.writer.factsOf(this.open, factsOfState(this.sessions));
    return systemViewSource(this.catalog, this.functions, facts);
  }

  checkpoint(): boolean {
    if (this.writer.isApplying) return false;
    this.writer.engine.checkpoint();
    return true;
  }

  createSpillFile(): SpillFile {
    return this.writer.createSpillFile();
  }

  shouldPause(): boolean {
    return performance.now() >= this.sliceEnd;
  }

  notice(fields: Partial<PgErrorFields> & { readonly message: string }): void {
    this.writer.port.notice(this.request, {
      severity: 'NOTICE',
      sqlstate: SQLSTATES.successful_completion,
      ...fields,
    });
  }

  // ---------------------------------------------------------------- COPY

  startCopyIn(format: 0 | 1, columnCount: number): void {
    this.writer.port.message(REPLY.copyIn, this.request, format, columnCount, NOTHING);
  }

  addCopyData(bytes: Uint8Array): void {
    this.copyQueue.push(bytes);
    this.runner.resume(this);
  }

  endCopy(failure: string | null): void {
    this.copyEnded = failure === null ? 'done' : { failure };
    this.runner.resume(this);
  }

  nextCopyData(): Uint8Array | null | 'done' {
    if (this.copyHead < this.copyQueue.length) {
      const bytes = this.copyQueue[this.copyHead++]!;
      if (this.copyHead === this.copyQueue.length) {
        this.copyQueue.length = 0;
        this.copyHead = 0;
      }
      this.writer.port.message(REPLY.copyTaken, this.request, 0, bytes.length, NOTHING);
      return bytes;
    }
    if (this.copyEnded === 'no') return null;
    if (this.copyEnded === 'done') return 'done';
    throw pgError('query_canceled', `COPY from stdin failed: ${this.copyEnded.failure}`);
  }
}

const NOTHING = new Uint8Array(0);
