import type { Catalog } from '../catalog/index.ts';
import type {
  ActivityFacts,
  CursorFacts,
  PreparedStatementFacts,
} from '../catalog/system/index.ts';
import { type Condition, type PgErrorFields, pgError } from '../errors/index.ts';
import type { Expr } from '../sql/expression.ts';
import { characterIndex, type ParsedStatement } from '../sql/parse/index.ts';
import { characterCount, type Datum } from '../types/index.ts';
import type { StatementBackend } from './backend.ts';
import { CurrentRun } from './current-run.ts';
import {
  bindPortal,
  closePortal,
  closeStatement,
  describePortal,
  describeStatement,
  executePortal,
  parseStatement,
} from './extended-query.ts';
import { MessageFlow, refuse } from './message-flow.ts';
import { SessionNotifications } from './notifications.ts';
import type { Portal } from './portal.ts';
import { Portals } from './portals.ts';
import type { PrepareContext } from './prepared-statement.ts';
import { Rerun } from './rerun.ts';
import type { SessionControl, SessionPeers, SessionSignal } from './session-control.ts';
import type { SessionEnvironment } from './session-environment.ts';
import type { BindValues, ResultSink, Session, StartupRequest } from './session-port.ts';
import { SessionStatements, type StatementOwner } from './session-statements.ts';
import { setSetting } from './setting-commands.ts';
import { finishQuery, QueryString, startQuery } from './simple-query.ts';
import type { StatementCache } from './statement-cache.ts';
import { TransactionBlock } from './transaction-block.ts';
import { endsBlock } from './transaction-commands.ts';
import { Transactions } from './transactions.ts';

/** A client's state, and the one place where its statements are run from, whatever its door.
 *
 * The parts of a session know one another by it: what runs (`run`), what the client has asked for (`flow`,
 * `query`, `executing`), what it has (`statements`, `portals`, `block`). */
export class ClientSession implements Session, SessionControl, StatementOwner {
  readonly processId: number;
  readonly secretKey: number;
  readonly sink: ResultSink;
  readonly backend: StatementBackend;
  readonly environment: SessionEnvironment;
  readonly cache: StatementCache;
  private readonly peers: SessionPeers;
  readonly block = new TransactionBlock();
  readonly transactions = new Transactions(this);
  readonly statements = new SessionStatements(this);
  readonly portals = new Portals(this);
  readonly flow = new MessageFlow(this);
  readonly run = new CurrentRun(this);
  readonly rerun = new Rerun();
  readonly query = new QueryString();
  /** The portal that the present Execute runs; null in other messages. */
  executing: Portal | null = null;
  /** The text that locations in parse trees refer to. */
  queryText = '';
  /** When the last statement began. */
  queryStart = 0;
  isTerminated = false;
  /** Made when the first statement is about notifications; most sessions have none. */
  private madeNotifications: SessionNotifications | null = null;

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
    // What the client starts with no rollback takes back.
    this.environment.settings.commit();
  }

  // ---------------------------------------------------------------- messages

  simpleQuery(text: string): void {
    this.flow.simple(startQuery, text);
  }

  parse(name: string, text: string, parameterTypes: readonly number[]): void {
    this.flow.extended(parseStatement, name, text, parameterTypes);
  }

  bind(portal: string, statement: string, values: BindValues): void {
    this.flow.extended(bindPortal, portal, statement, values);
  }

  describeStatement(name: string): void {
    this.flow.extended(describeStatement, name, null, null);
  }

  describePortal(name: string): void {
    this.flow.extended(describePortal, name, null, null);
  }

  execute(portal: string, rowCountMax: number, syncFollows: boolean): void {
    this.flow.extended(executePortal, portal, rowCountMax, syncFollows);
  }

  closeStatement(name: string): void {
    this.flow.extended(closeStatement, name, null, null);
  }

  closePortal(name: string): void {
    this.flow.extended(closePortal, name, null, null);
  }

  sync(): void {
    this.flow.sync(finishQuery);
  }

  reject(error: PgErrorFields, extended: boolean): void {
    if (this.run.takesData) this.run.copyFail(error.message, error);
    else if (extended) this.flow.extended(refuse, error, null, null);
    else this.flow.simple(refuse, error);
  }

  copyData(bytes: Uint8Array, start: number, end: number): void {
    this.run.copyData(bytes, start, end);
  }

  copyDone(): void {
    this.run.copyDone();
  }

  copyFail(message: string): void {
    this.run.copyFail(message, null);
  }

  cancel(): void {
    this.run.cancel();
  }

  drained(): void {
    this.run.drained();
    this.madeNotifications?.drained();
  }

  terminate(): void {
    if (this.isTerminated) return;
    this.isTerminated = true;
    this.flow.end();
    this.madeNotifications?.end();
    const { run } = this;
    const { isRunning } = run;
    this.backend.endSession(this.processId);
    // What still runs reads at the session's snapshots until it answers for the last time.
    if (isRunning) run.cancel();
    else this.releaseSnapshots();
  }

  releaseSnapshots(): void {
    this.portals.closeForGood();
    this.transactions.releaseSnapshot();
  }

  /** The connection is to end, by an order of the server or of another session. */
  end(error: PgErrorFields): void {
    if (!this.isTerminated) this.sink.error(error);
  }

  // ---------------------------------------------------------------- preparing

  get catalog(): Catalog {
    return this.block.changedCatalog ?? this.backend.catalog;
  }

  prepareContext(snapshot = this.block.snapshot): PrepareContext {
    const { block, environment } = this;
    if (block.startTimestamp === 0) block.startTimestamp = environment.now();
    const { startTimestamp } = block;
    return environment.prepareContext(this.catalog, this.backend, startTimestamp, snapshot);
  }

  /** Plans are shared among sessions that resolve names alike. */
  planScope(): string {
    const scope = this.environment.planScope(this.catalog);
    return this.block.changedCatalog === null ? scope : `${this.processId}?${scope}`;
  }

  get hasFailed(): boolean {
    return this.block.state === 'failed';
  }

  /** Refuses what a failed block does not do; null for what is no statement that ends it. */
  checkFailedBlock(statement: ParsedStatement | null): void {
    if (!this.hasFailed || (statement !== null && endsBlock(statement))) return;
    throw pgError(
      'in_failed_sql_transaction',
      'current transaction is aborted, commands ignored until end of transaction block',
    );
  }

  /** The values of expressions without columns. */
  evaluate(exprs: readonly Expr[]): Datum[] {
    return this.backend.evaluate(exprs, this.environment.statementSettings(), this.catalog);
  }

  // ---------------------------------------------------------------- notices and notifications

  notice(fields: PgErrorFields): void {
    if (this.environment.wantsNotice(fields.severity)) this.sink.notice(fields);
  }

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

  get notifications(): SessionNotifications {
    this.madeNotifications ??= new SessionNotifications({
      hub: this.peers.notifications,
      processId: this.processId,
      database: this.environment.database,
      sink: this.sink,
      isWaiting: () => this.flow.awaitsCommand,
    });
    return this.madeNotifications;
  }

  /** A transaction has ended. */
  settleNotifications(committed: boolean): void {
    if (committed) this.madeNotifications?.commit();
    else this.madeNotifications?.rollback();
  }

  /** Outside of a transaction: those of a statement that was one of its own take effect, and the client gets what has
   * come. */
  deliverNotifications(): void {
    this.madeNotifications?.commit();
    this.madeNotifications?.deliver();
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

  preparedStatements(): Iterable<PreparedStatementFacts> {
    return this.statements.facts();
  }

  cursors(): Iterable<CursorFacts> {
    return this.portals.cursors();
  }

  // ---------------------------------------------------------------- what its host asks

  /** Its row of pg_stat_activity. */
  activityFacts(): ActivityFacts {
    const { block, environment } = this;
    const { isRunning } = this.run;
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
      waitEventType: isRunning ? null : 'Client',
      waitEvent: isRunning ? null : 'ClientRead',
      state: isRunning ? 'active' : IDLE_STATES[block.status],
      query: this.queryText,
    };
  }

  /** A setting that the client is told of has changed; it had the value `before`. */
  reportLater(name: string, before: string): void {
    this.flow.reportLater(name, before);
  }

  adoptDefaults(): void {
    this.transactions.adoptDefaults();
  }

  /** The message is over. */
  forgetQuery(): void {
    this.query.forget();
    if (this.queryText.length > QUERY_TEXT_MAX) this.queryText = '';
  }
}

/** Longer texts are not kept for pg_stat_activity when their statement is over. */
const QUERY_TEXT_MAX = 4096;

const IDLE_STATES = {
  I: 'idle',
  T: 'idle in transaction',
  E: 'idle in transaction (aborted)',
} as const;
