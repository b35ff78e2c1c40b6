import type { ExecuteStmt, RangeVar } from '@pgsql/types';
import type { Catalog } from '../catalog/index.ts';
import type {
  ActivityFacts,
  CursorFacts,
  PreparedStatementFacts,
} from '../catalog/system/index.ts';
import {
  type Condition,
  notSupported,
  PgError,
  type PgErrorFields,
  pgError,
  reportedErrorFields,
  SQLSTATES,
} from '../errors/index.ts';
import type { CopyFormat } from '../sql/execute/index.ts';
import type { Expr } from '../sql/expression.ts';
import { characterIndex, type ParsedStatement, parseStatements } from '../sql/parse/index.ts';
import type { Plan } from '../sql/plan/plan.ts';
import { characterCount, type Datum, findType, withTypes } from '../types/index.ts';
import {
  type DiscardOperation,
  type HeldSnapshot,
  isDiscard,
  type PlannedStatement,
  type PlanRun,
  type RunBase,
  type RunHandle,
  type RunListener,
  STALE_PLAN_SQLSTATE,
  type StatementBackend,
  type TransactionOperation,
} from './backend.ts';
import {
  commandTag,
  readOnlyTransaction,
  rowsTag,
  writesData,
  writingUtility,
} from './command-tag.ts';
import { findTable } from './copy-command.ts';
import type { CursorFetch } from './cursor-fetch.ts';
import { planArguments, rowValues } from './execute-arguments.ts';
import { HeldRows, tooManyKept } from './held-rows.ts';
import { IdleWatch } from './idle-watch.ts';
import { SessionNotifications } from './notifications.ts';
import { decodeParameters } from './parameter-values.ts';
import { type CursorState, Portal } from './portal.ts';
import { Portals } from './portals.ts';
import {
  type PrepareContext,
  type PreparedStatement,
  prepareParsed,
  type StatementCache,
} from './prepared-statement.ts';
import { expandFormats, inFormats } from './result-columns.ts';
import { IGNORE_ANSWER, PENDING_RUN } from './run-stubs.ts';
import {
  describeSessionCommand,
  endsBlock,
  mindsBlocks,
  runSessionCommand,
  setSetting,
} from './session-commands.ts';
import type { SessionControl, SessionPeers, SessionSignal } from './session-control.ts';
import type { SessionEnvironment } from './session-environment.ts';
import type {
  BindValues,
  ResultColumn,
  ResultSink,
  Session,
  StartupRequest,
} from './session-port.ts';
import { SessionStatements, type StatementOwner } from './session-statements.ts';
import { TransactionBlock } from './transaction-block.ts';

/** A client's state, and the one place where its statements are run from, whatever its door.
 *
 * Messages come one at a time (see session-port.ts). A statement either ends within the call or
 * `run` is set, the door is paused, and the answers come through the RunListener methods below;
 * what comes after the statement is in `continuation`.
 */
export class ClientSession implements Session, RunListener, SessionControl, StatementOwner {
  readonly processId: number;
  readonly secretKey: number;
  readonly sink: ResultSink;
  readonly backend: StatementBackend;
  readonly environment: SessionEnvironment;
  private readonly peers: SessionPeers;
  readonly block = new TransactionBlock();
  readonly statements = new SessionStatements(this);
  /** The catalog that the open transaction sees, when it has changed it. */
  private changedCatalog: Catalog | null = null;
  readonly cache: StatementCache;
  private readonly portals = new Portals();
  /** Runs a statement again whose plan was out of date; null for a portal, which is run by itself. */
  private retry: Continuation = null;
  private retryCount = 0;
  private retryLimit = 0;
  /** The statement is run again: its rows have been described. */
  private isRetry = false;
  /** What the client was last told of a statement's columns. */
  private described: readonly ResultColumn[] = [];
  private skipToSync = false;
  /** The text that locations in parse trees refer to. */
  queryText = '';
  /** When the last statement began. */
  private queryStart = 0;

  /** The statement that runs, if any, and what follows it. */
  private run: RunHandle | null = null;
  private runningTag: TagMaker = null;
  /** The run has failed during the call that started it. */
  private failedInCall = false;
  private runPortal: Portal | null = null;
  private runFetch: CursorFetch | null = null;
  private runCopies = false;
  /** Takes the row of a run that computes values for the session itself. */
  private runRow: ((row: Uint8Array) => true) | null = null;
  /** The portal that keeps the rows of the session command that runs, as it has a row limit. */
  private heldBy: Portal | null = null;
  /** The arguments of the EXECUTE that runs, which are not computed again when it is run again. */
  private given: { readonly statement: ExecuteStmt; readonly values: readonly Datum[] } | null =
    null;
  private runInWriter = false;
  /** The block's commit or rollback is on its way: what is to be done after it. A commit that fails has
   * ended the block all the same. */
  private settleBlock: ((committed: boolean) => void) | null = null;
  private continuation: Continuation = null;
  private paused = false;
  private finished = true;
  private terminated = false;
  /** Settings to tell the client of with the next ReadyForQuery, and what it was told before. */
  private reports: Map<string, string> | null = null;
  private readonly idle = new IdleWatch((error) => this.sink.error(error));
  /** Made when the first statement is about notifications; most sessions have none. */
  private madeNotifications: SessionNotifications | null = null;
  /** The client knows that it is outside of a transaction, and may send a command. */
  private awaitsCommand = false;

  constructor(options: {
    processId: number;
    secretKey: number;
    sink: ResultSink;
    backend: StatementBackend;
    cache: StatementCache;
    environment: SessionEnvironment;
    peers: SessionPeers;
  }) {
    this.processId = options.processId;
    this.secretKey = options.secretKey;
    this.sink = options.sink;
    this.backend = options.backend;
    this.cache = options.cache;
    this.environment = options.environment;
    this.peers = options.peers;
  }

  get hasFailed(): boolean {
    return this.block.state === 'failed';
  }

  get catalog(): Catalog {
    return this.changedCatalog ?? this.backend.catalog;
  }

  get notifications(): SessionNotifications {
    this.madeNotifications ??= new SessionNotifications({
      hub: this.peers.notifications,
      processId: this.processId,
      database: this.environment.database,
      sink: this.sink,
      isWaiting: () => this.awaitsCommand,
    });
    return this.madeNotifications;
  }

  // ---------------------------------------------------------------- simple protocol

  simpleQuery(text: string): void {
    if (this.skipToSync) return;
    this.beginMessage();
    this.closePortalNamed('');
    this.statements.remove('');
    this.guard(() => this.startSimple(text));
    this.endCall();
  }

  private startSimple(text: string): void {
    this.queryText = text;
    const scope = this.planScope();
    if (this.block.state !== 'failed') {
      const shaped = this.cache.find(text, scope, this.prepareContext());
      if (shaped !== null) {
        this.retry = () => this.startSimple(text);
        this.runPrepared(shaped.prepared, shaped.parameters, TEXT_FORMATS, 0, null, true);
        this.afterRun(() => this.finishSimple());
        return;
      }
    }
    const parsed = parseStatements(text);
    if (parsed.length === 0) {
      this.sink.emptyQuery();
      this.finishSimple();
      return;
    }
    this.runEach(text, parsed, 0);
  }

  /** Runs the statements of a query string one after the other. */
  private runEach(text: string, parsed: readonly ParsedStatement[], from: number): void {
    this.queryText = text;
    for (let i = from; i < parsed.length; i++) {
      const statement = parsed[i]!;
      if (parsed.length > 1) this.beginImplicitBlock();
      this.checkFailedBlock(statement);
      this.retry = () => this.runEach(text, parsed, i);
      if (!this.runSessionStatement(statement, null)) {
        const single = parsed.length === 1;
        const shaped = single
          ? this.cache.learn(text, this.planScope(), statement, this.prepareContext())
          : prepareOnce(statement, text, this.prepareContext());
        this.runPrepared(shaped.prepared, shaped.parameters, TEXT_FORMATS, 0, null, single);
      }
      if (this.run !== null) {
        this.continuation = () => this.runEach(text, parsed, i + 1);
        return;
      }
    }
    this.finishSimple();
  }

  private finishSimple(): void {
    this.endImplicitBlock(() => this.ready());
  }

  // ---------------------------------------------------------------- extended protocol

  parse(name: string, text: string, parameterTypes: readonly number[]): void {
    this.extended(() => {
      for (const oid of parameterTypes) {
        if (oid !== 0 && findType(oid) === undefined) {
          throw notSupported(`the type with OID ${oid}`);
        }
      }
      if (name === '') this.statements.remove('');
      const prepared = this.statements.prepare(text, parameterTypes);
      if (name !== '' && this.statements.has(name)) {
        throw pgError(
          'duplicate_prepared_statement',
          `prepared statement "${name}" already exists`,
        );
      }
      this.statements.add(name, prepared, prepared.text, this.environment.now(), false);
      this.sink.parseComplete();
    });
  }

  bind(portal: string, statement: string, values: BindValues): void {
    this.extended(() => {
      const prepared = this.statements.current(statement);
      if (values.count !== prepared.parameterTypes.length) {
        throw pgError(
          'protocol_violation',
          `bind message supplies ${values.count} parameters, but prepared statement "${statement}" requires ${prepared.parameterTypes.length}`,
        );
      }
      if (prepared.statement !== null) this.checkFailedBlock(prepared.statement);
      if (portal !== '' && this.portals.find(portal) !== undefined) {
        throw pgError('duplicate_cursor', `cursor "${portal}" already exists`);
      }
      const parameters = decodeParameters(
        values,
        prepared.parameterTypes,
        this.environment.types(),
        portal,
      );
      const formatCount = values.resultFormatCount;
      const columns =
        prepared.output ?? (formatCount === 0 ? null : describeSessionCommand(this, prepared));
      const columnCount = columns?.length ?? 0;
      // What has no result takes any formats.
      const formats =
        columns === null
          ? TEXT_FORMATS
          : expandFormats(columnCount, values.resultFormats, formatCount);
      if (formats === null) {
        throw pgError(
          'protocol_violation',
          `bind message has ${values.resultFormatCount} result formats but query has ${columnCount} columns`,
        );
      }
      this.closePortalNamed(portal);
      this.addPortal(new Portal(portal, prepared, parameters, formats));
      this.sink.bindComplete();
    });
  }

  describeStatement(name: string): void {
    this.extended(() => {
      const prepared = this.statements.current(name);
      this.sink.parameterDescription(prepared.parameterTypes.slice(0, prepared.parameterCount));
      this.describe(prepared, null);
    });
  }

  describePortal(name: string): void {
    this.extended(() => {
      const portal = this.requirePortal(name);
      this.describe(portal.prepared, portal);
    });
  }

  execute(portalName: string, rowCountMax: number, syncFollows: boolean): void {
    this.extended(() => {
      const portal = this.requirePortal(portalName);
      const { prepared } = portal;
      if (prepared.statement === null) {
        this.sink.emptyQuery();
        return;
      }
      this.checkFailedBlock(prepared.statement);
      portal.rowLimit = Math.max(0, rowCountMax);
      if (portal.state !== 'ready') {
        this.executeAgain(portal.executed ?? portal, portal.rowLimit);
        return;
      }
      portal.state = 'done';
      this.heldBy = portal.rowLimit > 0 && rowsTag(prepared.statement, 0) !== null ? portal : null;
      // With Sync next, what the statement does is committed with it, in one trip to the writer.
      const isLast = syncFollows && rowCountMax <= 0;
      if (!isLast && !mindsBlocks(prepared.statement)) this.beginImplicitBlock();
      this.retry = null;
      this.queryText = prepared.text;
      if (this.runSessionStatement(prepared.statement, portal)) return;
      this.runPrepared(prepared, portal.parameters, portal.formats, rowCountMax, portal, false);
    });
  }

  /** Goes on with a portal that a row limit has stopped, or that is done. */
  private executeAgain(portal: Portal, rowLimit: number): void {
    const { prepared, held } = portal;
    if (held !== null) this.sendHeld(portal, held, rowLimit);
    else if (portal.state === 'suspended') this.resumePortal(portal, rowLimit);
    else {
      const tag =
        prepared.output === null ? rowsTag(prepared.statement!, 0) : commandTag(prepared, 0);
      if (tag === null) {
        const message = `portal "${portal.name}" cannot be run`;
        throw pgError('object_not_in_prerequisite_state', message);
      }
      this.sink.commandComplete(tag);
    }
  }

  closeStatement(name: string): void {
    this.extended(() => {
      this.statements.remove(name);
      this.sink.closeComplete();
    });
  }

  closePortal(name: string): void {
    this.extended(() => {
      this.closePortalNamed(name);
      this.sink.closeComplete();
    });
  }

  sync(): void {
    this.beginMessage();
    this.skipToSync = false;
    this.guard(() => this.endImplicitBlock(() => this.ready()));
    this.endCall();
  }

  reject(error: PgErrorFields, extended: boolean): void {
    if (this.skipToSync) return;
    this.beginMessage();
    this.inExtended = extended;
    this.guard(() => {
      throw new PgError(error);
    });
    if (extended) this.finished = true;
    this.endCall();
  }

  // ---------------------------------------------------------------- COPY, cancel, end

  copyData(bytes: Uint8Array, start: number, end: number): void {
    if (this.run === null) return;
    if (!this.run.copyData(bytes, start, end)) {
      this.paused = true;
      this.sink.pauseInput();
    }
  }

  copyReady(): void {
    this.resumeDoor();
  }

  copyDone(): void {
    this.copyOpen = false;
    this.run?.copyDone();
    this.endCall();
  }

  copyFail(message: string): void {
    this.copyOpen = false;
    this.run?.copyFail(message);
    this.endCall();
  }

  cancel(): void {
    this.run?.cancel('user');
  }

  drained(): void {
    this.run?.drained();
    this.madeNotifications?.drained();
  }

  terminate(): void {
    if (this.terminated) return;
    this.terminated = true;
    this.idle.stop();
    this.madeNotifications?.end();
    const running = this.run;
    this.backend.endSession(this.processId);
    // What still runs reads at the session's snapshots until it answers for the last time.
    if (running === null) this.releaseAll();
    else running.cancel('user');
  }

  private releaseAll(): void {
    this.portals.clear(this.endPortal, IS_NOTHING);
    this.releaseSnapshot();
  }

  /** The connection is to end, by an order of the server or of another session. */
  end(error: PgErrorFields): void {
    if (!this.terminated) this.sink.error(error);
  }

  // ---------------------------------------------------------------- SessionControl

  setting(name: string): string | null {
    return this.environment.settings.find(name) ?? null;
  }

  setSetting(name: string, value: string | null, local: boolean): string {
    return setSetting(this, name, value, local);
  }

  signal(processId: number, signal: SessionSignal): boolean {
    return this.peers.signal(processId, signal);
  }

  notify(channel: string, payload: string): void {
    this.notifications.notify(channel, payload);
  }

  listeningChannels(): Iterable<string> {
    return this.notifications.listening();
  }

  notificationQueueUsage(): number {
    return this.peers.notifications.usage;
  }

  activity(): Iterable<ActivityFacts> {
    return this.peers.activity();
  }

  get connection(): StartupRequest['peer'] {
    return this.environment.peer;
  }

  /** Its row of pg_stat_activity. */
  activityFacts(): ActivityFacts {
    const { block, environment } = this;
    return {
      pid: this.processId,
      user: environment.user,
      database: environment.database,
      applicationName: environment.settings.get('application_name'),
      clientAddress: environment.peer?.address ?? null,
      clientPort: environment.peer?.port ?? null,
      backendStart: environment.startTimestamp,
      transactionStart: block.startTimestamp || null,
      queryStart: this.queryStart || null,
      stateChange: this.queryStart || null,
      waitEventType: this.finished ? 'Client' : null,
      waitEvent: this.finished ? 'ClientRead' : null,
      state: this.finished ? IDLE_STATES[block.status] : 'active',
      query: this.queryText,
    };
  }

  preparedStatements(): Iterable<PreparedStatementFacts> {
    return this.statements.facts();
  }

  cursors(): Iterable<CursorFacts> {
    return this.portals.cursors();
  }

  // ---------------------------------------------------------------- running statements

  /** What session commands use, too: starts a run whose answers come to this session. */
  start(
    handle: (listener: RunListener) => RunHandle,
    tag: TagMaker,
    inWriter: boolean,
    portal: Portal | null = null,
    fetch: CursorFetch | null = null,
  ): void {
    this.runningTag = tag;
    this.runInWriter = inWriter;
    this.runPortal = portal;
    this.runFetch = fetch;
    this.runCopies = false;
    this.runRow = null;
    this.run = PENDING_RUN;
    this.failedInCall = false;
    const run = handle(this);
    if (this.failedInCall) throw ANSWERED;
    if (this.run === PENDING_RUN) this.run = run;
    // It has been suspended during the call.
    else if (portal?.handle === PENDING_RUN) portal.handle = run;
  }

  /** Fields that every run of this session has now. Starts the snapshot of a block that needs it. */
  runBase(): RunBase {
    const { block, environment } = this;
    const now = environment.now();
    this.queryStart = now;
    if (block.startTimestamp === 0) block.startTimestamp = now;
    const isolation = block.settleLevel();
    if (isolation === 'repeatable read' && block.snapshot === null && block.isBlock) {
      block.snapshot = this.backend.holdSnapshot();
    }
    block.hasRead = true;
    const timeout = environment.statementTimeoutMs;
    return {
      session: this.processId,
      settings: environment.statementSettings(),
      isolation,
      inBlock: block.isBlock,
      readOnly: block.readOnly,
      snapshot: block.snapshot,
      deadlineMs: timeout === 0 ? 0 : Date.now() + timeout,
      statementTimestamp: now,
      transactionTimestamp: block.startTimestamp,
      asynchronousCommit: environment.asynchronousCommit,
    };
  }

  /** Rows of a session command, for the client or for the portal that hands them out. */
  sendRows(bytes: Uint8Array, start: number, end: number, count: number): boolean {
    const { heldBy } = this;
    if (heldBy === null) return this.sink.dataRows(bytes, start, end, count);
    heldBy.held ??= new HeldRows();
    heldBy.held.add(bytes, start, end);
    return true;
  }

  /** The end of a session command that answers with rows. */
  finishRows(tag: string): void {
    const { heldBy } = this;
    if (heldBy === null) {
      this.sink.commandComplete(tag);
      return;
    }
    this.heldBy = null;
    const held = heldBy.held ?? new HeldRows();
    if (held.isFull) throw tooManyKept('portal', 'Ask for all rows at once.');
    this.sendHeld(heldBy, held, heldBy.rowLimit);
  }

  private sendHeld(portal: Portal, held: HeldRows, rowLimit: number): void {
    const count = held.send(rowLimit, this.sink);
    const isSuspended = rowLimit > 0 && count === rowLimit;
    portal.held = isSuspended ? held : null;
    if (isSuspended) this.sink.portalSuspended();
    else this.sink.commandComplete(rowsTag(portal.prepared.statement!, count)!);
  }

  private runPrepared(
    prepared: PreparedStatement,
    parameters: readonly Datum[],
    formats: Uint8Array,
    rowLimit: number,
    portal: Portal | null,
    single: boolean,
  ): void {
    const { planned } = prepared;
    if (planned === null) {
      this.runUtility(prepared, parameters);
      return;
    }
    const { block } = this;
    this.requireWritable(prepared, planned);
    // Simple queries describe their rows themselves; portals have been described on request.
    if (portal === null && prepared.columns !== null) {
      // Run again after its tables changed, it may have other columns than those announced.
      const isKnown = this.isRetry && sameColumns(this.described, prepared.columns);
      if (!isKnown) this.sink.rowDescription(prepared.columns);
      this.described = prepared.columns;
    }
    const inWriter = this.runsInWriter(planned);
    const readsNewest = block.isolation === 'read committed' || !block.isBlock;
    if (!inWriter && readsNewest && rowLimit === 0) {
      const read = this.environment.pointReadRun(planned, parameters, formats, this.sink);
      if (this.backend.pointRead(read)) {
        this.sink.commandComplete(commandTag(prepared, read.rowCount));
        return;
      }
    }
    const inBlock = block.isBlock && !(single && block.state === 'implicit');
    const run = this.planRun(planned, parameters, formats, rowLimit, inWriter, inBlock);
    this.retryLimit = rowLimit;
    this.start((listener) => this.backend.execute(run, listener), prepared, inWriter, portal);
  }

  /** What changed in the block is seen by the writer alone; a plan without tables need not see it. */
  private runsInWriter({ plan }: PlannedStatement): boolean {
    if (plan.needsWriter || this.changedCatalog?.changesTypes === true) return true;
    if (plan.tables.length === 0) return false;
    const { block } = this;
    if (block.inWriter || block.recordsReads || this.backend.isLocked(plan)) return true;
    if (this.block.state === 'open') this.lockReads(plan);
    return false;
  }

  /** What a block reads is locked until its end, as in PostgreSQL, so that nobody drops it. */
  private lockReads(plan: Plan): void {
    const { readTables } = this.block;
    for (const { oid } of plan.tables) {
      if (readTables.has(oid)) continue;
      readTables.add(oid);
      this.backend.lockRead(this.processId, oid);
    }
  }

  private unlockReads(): void {
    const { readTables } = this.block;
    if (readTables.size === 0) return;
    readTables.clear();
    this.backend.unlockReads(this.processId);
  }

  private planRun(
    planned: PlannedStatement,
    parameters: readonly Datum[],
    formats: Uint8Array,
    rowLimit: number,
    inWriter: boolean,
    inBlock: boolean,
  ): PlanRun {
    const base = this.runBase();
    if (inWriter && inBlock) this.block.inWriter = true;
    // Spelled out, as spreading an object costs a microsecond for each statement.
    return {
      session: base.session,
      settings: base.settings,
      isolation: base.isolation,
      readOnly: base.readOnly,
      snapshot: base.snapshot,
      deadlineMs: base.deadlineMs,
      statementTimestamp: base.statementTimestamp,
      transactionTimestamp: base.transactionTimestamp,
      asynchronousCommit: base.asynchronousCommit,
      inBlock,
      plan: planned,
      parameters,
      formats,
      rowLimit,
      inWriter,
      catalog: this.catalog,
      explain: null,
      copy: null,
      control: this,
    };
  }

  private requireWritable(prepared: PreparedStatement, { plan }: PlannedStatement): void {
    if (!plan.needsWriter || !this.block.readOnly || !writesData(plan)) return;
    throw readOnlyTransaction(commandTag(prepared, 0).split(' ')[0]!);
  }

  private runUtility(prepared: PreparedStatement, parameters: readonly Datum[]): void {
    const { block } = this;
    const writing = block.readOnly ? writingUtility(prepared, this.isTemporary) : null;
    if (writing !== null) throw readOnlyTransaction(writing);
    const run = {
      ...this.runBase(),
      statement: prepared.statement!.node,
      // All of the query string: the locations of the tree count from its start.
      text: this.queryText,
      parameters,
    };
    if (run.inBlock) block.inWriter = true;
    this.start((listener) => this.backend.utility(run, listener), prepared, true);
  }

  private readonly isTemporary = ({ schemaname, relname = '' }: RangeVar): boolean =>
    findTable(this, schemaname, relname)?.persistence === 't';

  /** COPY (query) TO STDOUT: rows come as CopyData messages. */
  copyOut(prepared: PreparedStatement, format: CopyFormat, parameters: readonly Datum[]): void {
    const planned = prepared.planned!;
    const { block } = this;
    this.requireWritable(prepared, planned);
    const columnCount = planned.plan.output.length;
    const formats = new Uint8Array(columnCount);
    const inWriter = this.runsInWriter(planned);
    const run: PlanRun = {
      ...this.planRun(planned, parameters, formats, 0, inWriter, block.isBlock),
      copy: format,
    };
    if (!this.isRetry) this.sink.copyOut(format.kind === 'binary' ? 1 : 0, columnCount);
    this.start(
      (listener) => {
        this.runCopies = true;
        return this.backend.execute(run, listener);
      },
      (rowCount) => this.sink.commandComplete(`COPY ${rowCount}`),
      inWriter,
    );
  }

  /** The tables of a plan had changed when it got its locks: plans and runs the statement again. */
  private runAgain(): void {
    this.retryCount++;
    this.isRetry = true;
    try {
      const portal = this.runPortal;
      if (portal === null) this.retry?.();
      else {
        const snapshot = portal.cursor?.snapshot;
        portal.prepared = this.statements.currentVersion(portal.prepared, snapshot);
        const { runFetch } = this;
        if (runFetch !== null) {
          this.fetchCursor(runFetch, runFetch.current);
          return;
        }
        const { prepared, parameters, formats } = portal;
        this.runPrepared(prepared, parameters, formats, this.retryLimit, portal, false);
      }
    } finally {
      this.isRetry = false;
    }
  }

  // ---------------------------------------------------------------- cursors

  /** Takes the next step of a FETCH, or answers it. */
  fetchCursor(fetch: CursorFetch, step = fetch.next()): void {
    if (step === null) {
      const rows = fetch.reversedRows();
      if (rows !== null) this.sendRows(rows, 0, rows.length, fetch.rowCount);
      this.finishRows(fetch.tag);
      return;
    }
    const { portal } = fetch;
    const cursor = portal.cursor!;
    if (step.restart) {
      portal.handle?.close();
      portal.handle = null;
      portal.state = 'ready';
    }
    if (portal.state === 'suspended') {
      this.resumePortal(portal, step.limit, fetch);
      return;
    }
    const planned = portal.prepared.planned!;
    // What a holdable one reads was committed before its snapshot.
    const inWriter = !cursor.isHoldable && this.runsInWriter(planned);
    const { parameters, formats } = portal;
    const run: PlanRun = {
      ...this.planRun(planned, parameters, formats, step.limit, inWriter, true),
      snapshot: cursor.snapshot,
      transactionTimestamp: cursor.transactionTimestamp,
    };
    const execute = (listener: RunListener): RunHandle => this.backend.execute(run, listener);
    this.start(execute, null, inWriter, portal, fetch);
  }

  /** Gives a cursor's rows the formats of the portal that FETCH runs in, from here on. */
  useFormats(cursor: Portal, formats: Uint8Array): void {
    if (formats.every((format, i) => format === cursor.formats[i])) return;
    cursor.formats = formats;
    if (cursor.state === 'ready') return;
    // The rows that are left are read by a new run.
    cursor.close();
  }

  /** What a cursor reads at from now on: the block's snapshot, or one of its own. */
  cursorStart(): Pick<CursorState, 'snapshot' | 'transactionTimestamp'> {
    const { snapshot, transactionTimestamp } = this.runBase();
    if (this.block.recordsReads) {
      this.block.inWriter = true;
      this.sendTransaction('begin', '', IGNORE_ANSWER);
    }
    return { snapshot: snapshot ?? this.backend.holdSnapshot(), transactionTimestamp };
  }

  findPortal(name: string): Portal | undefined {
    return this.portals.find(name);
  }

  addPortal(portal: Portal): void {
    portal.level = this.block.savepoints.length;
    this.portals.add(portal);
  }

  get hasCursors(): boolean {
    return this.portals.all().some((portal) => portal.cursor !== null);
  }

  closeCursors(): void {
    for (const { name, cursor } of this.portals.all()) {
      if (cursor !== null) this.closePortalNamed(name);
    }
  }

  /** ROLLBACK TO: what was opened since the savepoint is gone. */
  closePortalsAbove(level: number): void {
    for (const portal of this.portals.all()) {
      if (portal.level > level) this.closePortalNamed(portal.name);
    }
  }

  /** RELEASE: what was opened since the savepoint belongs to the one around it. */
  lowerPortals(level: number): void {
    for (const portal of this.portals.all()) portal.level = Math.min(portal.level, level);
  }

  private resumePortal(portal: Portal, rowLimit: number, fetch: CursorFetch | null = null): void {
    const run = portal.handle!;
    const resume = (): RunHandle => {
      run.fetch(rowLimit);
      return run;
    };
    this.start(resume, portal.prepared, portal.inWriter, portal, fetch);
  }

  // ---------------------------------------------------------------- answers of runs

  rows(bytes: Uint8Array, start: number, end: number, count: number): boolean {
    if (this.terminated) return true;
    const fetch = this.runFetch;
    if (fetch !== null) {
      fetch.rows(bytes, start, end, count);
      return fetch.sendsRows ? this.sendRows(bytes, start, end, count) : true;
    }
    if (this.runCopies) return this.sink.copyData(bytes, start, end);
    if (this.runRow !== null) return this.runRow(bytes.slice(start, end));
    return this.sendRows(bytes, start, end, count);
  }

  complete(rowCount: number, tag: string | null): void {
    const inCall = this.run === PENDING_RUN;
    const portal = this.runPortal;
    if (portal !== null) {
      portal.state = 'done';
      portal.handle = null;
    }
    this.run = null;
    if (this.terminated) {
      this.releaseAll();
      return;
    }
    const fetch = this.runFetch;
    if (fetch !== null) {
      fetch.ended();
      this.goOn(inCall, () => this.fetchCursor(fetch));
      return;
    }
    if (this.runCopies) this.sink.copyDone();
    const maker = this.runningTag;
    if (tag !== null) this.sink.commandComplete(tag);
    else if (typeof maker === 'function') {
      this.goOn(inCall, () => maker(rowCount));
      return;
    } else if (maker !== null) this.sink.commandComplete(commandTag(maker, rowCount));
    this.proceed();
  }

  suspended(): void {
    const inCall = this.run === PENDING_RUN;
    const portal = this.runPortal;
    if (portal !== null) {
      portal.state = 'suspended';
      portal.handle = this.run;
      portal.inWriter = this.runInWriter;
    }
    this.run = null;
    if (this.terminated) {
      this.releaseAll();
      return;
    }
    const fetch = this.runFetch;
    if (fetch !== null) {
      this.goOn(inCall, () => this.fetchCursor(fetch));
      return;
    }
    this.sink.portalSuspended();
    this.proceed();
  }

  error(fields: PgErrorFields): void {
    this.failedInCall = this.run === PENDING_RUN;
    if (this.terminated) {
      this.run = null;
      this.releaseAll();
      return;
    }
    if (fields.sqlstate === STALE_PLAN_SQLSTATE && this.retryCount < RETRY_COUNT_MAX) {
      this.run = null;
      // A FETCH takes its step again; what follows it stays. Others begin anew and say again what does.
      if (this.runFetch === null) this.continuation = null;
      this.guard(() => this.runAgain());
      this.resumeIfDone();
      return;
    }
    const portal = this.runPortal;
    if (portal !== null) {
      portal.state = 'done';
      portal.handle = null;
      // That a thread has ended says nothing of the query: a cursor reads again.
      portal.hasFailed = fields.sqlstate !== SQLSTATES.crash_shutdown;
    }
    this.run = null;
    this.copyOpen = false;
    this.continuation = null;
    this.settleBlock?.(false);
    this.fail(this.withSchema(fields), this.runInWriter);
    this.resumeIfDone();
  }

  /** Threads know a table's schema by its number alone; the client is told its name. */
  private withSchema(fields: PgErrorFields): PgErrorFields {
    const { table } = fields;
    if (table === undefined || fields.schema !== undefined) return fields;
    const { catalog } = this;
    const maker = this.runningTag;
    const planned = maker === null || typeof maker === 'function' ? null : maker.planned;
    const oid =
      planned?.plan.tables.find(({ name }) => name === table)?.schema ??
      this.environment
        .searchPath(catalog)
        .find((schema) => catalog.relationByName(schema, table) !== undefined);
    const schema = oid === undefined ? undefined : catalog.schemaByOid(oid)?.name;
    return schema === undefined ? fields : { ...fields, schema };
  }

  notice(fields: PgErrorFields): void {
    if (this.environment.wantsNotice(fields.severity)) this.sink.notice(fields);
  }

  sessionCatalog(catalog: Catalog | null): void {
    this.changedCatalog = catalog;
  }

  copyIn(format: 0 | 1, columnCount: number): void {
    this.copyOpen = true;
    this.sink.copyIn(format, columnCount);
    this.resumeDoor();
  }

  // ---------------------------------------------------------------- transactions

  /** Ends the block: commits (or rolls back a failed one), then goes on with `then`. */
  endBlock(commit: boolean, then: () => void): void {
    const { block } = this;
    this.portals.clear(this.endPortal, IS_HOLDABLE);
    const inWriter = block.inWriter;
    const settle = (committed: boolean): void => {
      this.settleBlock = null;
      this.unlockReads();
      this.settlePortals(committed);
      this.releaseSnapshot();
      if (committed) {
        this.environment.settings.commit();
        this.madeNotifications?.commit();
      } else {
        this.environment.settings.rollback();
        this.madeNotifications?.rollback();
      }
      this.changedCatalog = null;
      block.reset();
      this.adoptDefaults();
    };
    if (!inWriter) {
      settle(commit);
      then();
      return;
    }
    this.settleBlock = settle;
    this.start(
      (listener) => this.sendTransaction(commit ? 'commit' : 'rollback', '', listener),
      () => {
        settle(commit);
        then();
      },
      true,
    );
  }

  /** BEGIN: a block of its own, or what an implicit one becomes. */
  openBlock(): void {
    this.block.state = 'open';
    if (this.block.startTimestamp === 0) this.block.startTimestamp = this.environment.now();
    this.environment.settings.begin();
  }

  /** SAVEPOINT and its kin, in the writer, where the transaction's changes are; and what it keeps of
   * the session besides. */
  transactionOperation(
    operation: 'savepoint' | 'release' | 'rollbackTo' | DiscardOperation,
    name: string,
    tag: string,
  ): void {
    if (!isDiscard(operation)) this.block.inWriter = true;
    this.start(
      (listener) => this.sendTransaction(operation, name, listener),
      () => this.sink.commandComplete(tag),
      true,
    );
  }

  private sendTransaction(
    operation: TransactionOperation,
    name: string,
    listener: RunListener,
  ): RunHandle {
    return this.backend.transaction(this.processId, operation, name, listener, {
      isolation: this.block.isolation,
      asynchronousCommit: this.environment.asynchronousCommit,
    });
  }

  /** Takes the defaults of new transactions over, when no block is open. */
  adoptDefaults(): void {
    if (this.block.state !== 'idle') return;
    this.block.isolation = this.environment.defaultIsolation;
    this.block.readOnly = this.environment.defaultReadOnly;
    this.block.deferrable = this.environment.defaultDeferrable;
  }

  private beginImplicitBlock(): void {
    if (this.block.state !== 'idle') return;
    this.block.state = 'implicit';
    this.environment.settings.begin();
  }

  private endImplicitBlock(then: () => void): void {
    if (this.block.state === 'implicit') this.endBlock(true, then);
    else {
      if (this.block.state === 'idle') {
        this.settlePortals(true);
        this.block.startTimestamp = 0;
        this.block.hasRead = false;
      }
      then();
    }
  }

  private releaseSnapshot(): void {
    const { snapshot } = this.block;
    if (snapshot === null) return;
    this.block.snapshot = null;
    this.releaseUnused(snapshot);
  }

  /** Lets go of a snapshot, unless the block or a cursor still reads at it. */
  private releaseUnused(snapshot: HeldSnapshot): void {
    if (snapshot === this.block.snapshot) return;
    if (this.portals.all().some(({ cursor }) => cursor?.snapshot === snapshot)) return;
    this.backend.releaseSnapshot(snapshot);
  }

  /** A statement failed: tells the client and takes the block along. */
  private fail(fields: PgErrorFields, writerKnows: boolean): void {
    this.sink.error(fields);
    const { block } = this;
    if (block.state === 'open') {
      block.state = 'failed';
      if (block.savepoints.length === 0) this.unlockReads();
      if (block.inWriter && !writerKnows) {
        this.sendTransaction('fail', '', IGNORE_ANSWER);
      }
    } else if (block.state === 'implicit') {
      if (block.inWriter) this.sendTransaction('rollback', '', IGNORE_ANSWER);
      this.settlePortals(false);
      this.releaseSnapshot();
      this.environment.settings.rollback();
      this.madeNotifications?.rollback();
      this.changedCatalog = null;
      block.reset();
      this.adoptDefaults();
    } else if (block.state === 'idle') {
      this.madeNotifications?.rollback();
      block.reset();
      this.adoptDefaults();
    }
    if (this.inExtended) this.skipToSync = true;
    else this.ready();
  }

  private inExtended = false;

  checkFailedBlock(statement: ParsedStatement): void {
    if (this.block.state !== 'failed' || endsBlock(statement)) return;
    throw pgError(
      'in_failed_sql_transaction',
      'current transaction is aborted, commands ignored until end of transaction block',
    );
  }

  /** Commands that are the session's own matter. False for what is to be planned or sent on. */
  private runSessionStatement(statement: ParsedStatement, portal: Portal | null): boolean {
    return runSessionCommand(this, statement, portal);
  }

  // ---------------------------------------------------------------- session commands

  warn(condition: Condition, message: string): void {
    this.notice(pgError(condition, message, { severity: 'WARNING' }).fields);
  }

  noticeText(message: string): void {
    this.notice(pgError('successful_completion', message, { severity: 'NOTICE' }).fields);
  }

  /** Error fields that point to a byte of the query string. */
  position(location: number | undefined): { position?: number } {
    if (location === undefined || location < 0) return {};
    const before = this.queryText.slice(0, characterIndex(this.queryText, location));
    return { position: characterCount(before) + 1 };
  }

  /** EXPLAIN ANALYZE: runs the plan; what comes back is the plan with its figures. */
  runExplained(planned: PlannedStatement, options: unknown, parameters: readonly Datum[]): void {
    // Plans that read the catalog run on this thread, which keeps no figures.
    const inWriter = this.runsInWriter(planned) || planned.plan.needsCatalog;
    const run: PlanRun = {
      ...this.planRun(planned, parameters, TEXT_FORMATS, 0, inWriter, this.block.isBlock),
      explain: options,
    };
    this.start(
      (listener) => this.backend.execute(run, listener),
      () => this.finishRows('EXPLAIN'),
      inWriter,
    );
  }

  /** EXECUTE name (arguments). */
  executePrepared(statement: ExecuteStmt, portal: Portal | null): void {
    this.withArguments(statement, (parameters) => {
      const prepared = this.statements.current(statement.name ?? '');
      if (portal === null) {
        this.runPrepared(prepared, parameters, TEXT_FORMATS, 0, null, false);
        return;
      }
      const executed = new Portal(portal.name, prepared, parameters, portal.formats);
      executed.state = 'done';
      portal.executed = executed;
      const { formats, rowLimit } = portal;
      this.runPrepared(prepared, parameters, formats, rowLimit, executed, false);
    });
  }

  /** Computes the arguments of EXECUTE, as a query of them would be, and goes on with their values. */
  withArguments(statement: ExecuteStmt, then: (parameters: readonly Datum[]) => void): void {
    const types = this.statements.parameterTypes(statement.name ?? '');
    const { given } = this;
    if (this.isRetry && given?.statement === statement) {
      then(given.values);
      return;
    }
    const plan = planArguments(statement, types, this);
    if (plan === null) {
      then([]);
      return;
    }
    const { needsWriter } = plan;
    // What they lock is kept for the statement. Others are computed on this thread.
    if (needsWriter) this.beginImplicitBlock();
    const planned = { plan: needsWriter ? plan : { ...plan, needsCatalog: true }, id: 0 };
    const formats = new Uint8Array(types.length).fill(1);
    const inWriter = this.runsInWriter(planned);
    const run = this.planRun(planned, [], formats, 0, inWriter, this.block.isBlock);
    let row: Uint8Array;
    this.start(
      (listener) => {
        this.runRow = (bytes) => {
          row = bytes;
          return true;
        };
        return this.backend.execute(run, listener);
      },
      () => {
        const values = rowValues(row, types);
        this.given = { statement, values };
        then(values);
      },
      inWriter,
    );
  }

  /** The values of expressions without columns. */
  evaluate(exprs: readonly Expr[]): Datum[] {
    return this.backend.evaluate(exprs, this.environment.statementSettings(), this.catalog);
  }

  // ---------------------------------------------------------------- helpers

  prepareContext(snapshot = this.block.snapshot): PrepareContext {
    const { block, environment } = this;
    if (block.startTimestamp === 0) block.startTimestamp = environment.now();
    const { startTimestamp } = block;
    return environment.prepareContext(this.catalog, this.backend, startTimestamp, snapshot);
  }

  /** Plans are shared among sessions that resolve names alike. */
  planScope(): string {
    const scope = this.environment.planScope(this.catalog);
    return this.changedCatalog === null ? scope : `${this.processId}?${scope}`;
  }

  private describe(prepared: PreparedStatement, portal: Portal | null): void {
    const columns = portal === null ? prepared.columns : portal.columns();
    const described = columns ?? describeSessionCommand(this, prepared);
    if (described === null) this.sink.noData();
    else if (columns !== null || portal === null) this.sink.rowDescription(described);
    else this.sink.rowDescription(inFormats(described, portal.formats));
  }

  private requirePortal(name: string): Portal {
    const portal = this.portals.find(name);
    if (portal !== undefined) return portal;
    throw pgError('invalid_cursor_name', `portal "${name}" does not exist`);
  }

  closePortalNamed(name: string): void {
    const portal = this.portals.find(name);
    if (portal === undefined) return;
    this.portals.remove(name);
    this.endPortal(portal);
  }

  private readonly endPortal = (portal: Portal): void => {
    portal.close();
    if (portal.cursor !== null) this.releaseUnused(portal.cursor.snapshot);
  };

  /** A transaction has ended: only cursors WITH HOLD stay, its own if it was committed. */
  private settlePortals(committed: boolean): void {
    this.portals.clear(this.endPortal, committed ? IS_HOLDABLE : IS_HELD);
    if (this.portals.isEmpty) return;
    for (const portal of this.portals.all()) {
      portal.cursor!.isHeld = true;
      portal.level = 0;
    }
  }

  private ready(): void {
    const { block } = this;
    if (block.status === 'I' && this.madeNotifications !== null) {
      // Those of a statement that was a transaction of its own; a block has settled its own before.
      this.madeNotifications.commit();
      this.madeNotifications.deliver();
    }
    if (this.reports !== null) this.reportSettings(this.reports);
    this.sink.readyForQuery(block.status);
    this.awaitsCommand = block.status === 'I';
    if (this.queryText.length > QUERY_TEXT_MAX) this.queryText = '';
    this.finished = true;
    const timeoutMs =
      block.status === 'I' ? this.environment.idleTimeoutMs : this.environment.idleInBlockTimeoutMs;
    this.idle.start(timeoutMs, block.status !== 'I');
  }

  /** A setting that the client is told of has changed; it had the value `before`. */
  reportLater(name: string, before: string): void {
    this.reports ??= new Map();
    if (!this.reports.has(name)) this.reports.set(name, before);
  }

  private reportSettings(reports: ReadonlyMap<string, string>): void {
    this.reports = null;
    for (const [name, before] of reports) {
      const value = this.environment.settings.get(name);
      if (value !== before) this.sink.parameterStatus(name, value);
    }
  }

  /** Body of an extended-protocol message. */
  private extended(body: () => void): void {
    if (this.skipToSync) return;
    this.beginMessage();
    this.inExtended = true;
    this.guard(body);
    if (this.run === null) this.finished = true;
    this.endCall();
  }

  private beginMessage(): void {
    this.retryCount = 0;
    this.given = null;
    this.heldBy = null;
    this.finished = false;
    this.awaitsCommand = false;
    this.inExtended = false;
    this.idle.stop();
  }

  /** After a call: pauses the door when the message is not finished. */
  private endCall(): void {
    if (this.finished || this.paused || this.copyOpen) return;
    this.paused = true;
    this.sink.pauseInput();
  }

  /** The client is sending COPY data, so the door stays open while the statement runs. */
  private copyOpen = false;

  private afterRun(body: () => void): void {
    if (this.run === null) body();
    else this.continuation = body;
  }

  /** A run has ended: goes on with what follows it. */
  /** Does what follows a run, which may have been answered while it was started; goes on unless that has
   * started another or has failed. */
  private goOn(inCall: boolean, body: () => void): void {
    if (this.guard(body)) {
      if (this.run === null) this.proceed();
      return;
    }
    this.failedInCall = inCall;
    this.resumeIfDone();
  }

  private proceed(): void {
    const { continuation } = this;
    this.continuation = null;
    if (continuation !== null) this.guard(continuation);
    else if (this.inExtended && this.run === null) this.finished = true;
    this.resumeIfDone();
  }

  private resumeIfDone(): void {
    if (this.run !== null) return;
    if (this.inExtended) this.finished = true;
    if (this.finished) this.resumeDoor();
  }

  private resumeDoor(): void {
    if (!this.paused) return;
    this.paused = false;
    this.sink.resumeInput();
  }

  /** False when the body has thrown, and the client has been told. */
  private guard(body: () => void): boolean {
    try {
      const { catalog } = this;
      if (catalog.hasTypes) withTypes(this.environment.namesOf(catalog), body);
      else body();
      return true;
    } catch (thrown) {
      if (thrown === ANSWERED) return false;
      this.run = null;
      this.continuation = null;
      this.fail(reportedErrorFields(thrown), false);
      return false;
    }
  }
}

/** What makes the command tag of a run: a prepared statement, or a body that does more. */
type TagMaker = PreparedStatement | ((rowCount: number) => void) | null;

type Continuation = (() => void) | null;

/** Longer texts are not kept for pg_stat_activity when their statement is over. */
const QUERY_TEXT_MAX = 4096;

const IDLE_STATES = {
  I: 'idle',
  T: 'idle in transaction',
  E: 'idle in transaction (aborted)',
} as const;

/** How often a statement is planned anew because its tables change while it waits for them. */
const RETRY_COUNT_MAX = 10;

const TEXT_FORMATS = new Uint8Array(0);

/** Which cursors the end of a transaction, or of the session, leaves. */
const IS_HOLDABLE = (cursor: CursorState): boolean => cursor.isHoldable;
const IS_HELD = (cursor: CursorState): boolean => cursor.isHeld;
const IS_NOTHING = (): boolean => false;

/** Thrown to leave out what would follow a statement whose error has been dealt with. */
const ANSWERED = Symbol('answered');

function prepareOnce(
  statement: ParsedStatement,
  text: string,
  context: PrepareContext,
): { prepared: PreparedStatement; parameters: readonly Datum[] } {
  const { prepared } = prepareParsed(statement, text, context, [], [], 0, false);
  return { prepared, parameters: [] };
}

function sameColumns(a: readonly ResultColumn[], b: readonly ResultColumn[]): boolean {
  return (
    a.length === b.length &&
    a.every((column, i) => column.name === b[i]!.name && column.typeOid === b[i]!.typeOid)
  );
}
