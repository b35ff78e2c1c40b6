import type { Catalog } from '../catalog/index.ts';
import { type PgErrorFields, pgError } from '../errors/index.ts';
import {
  type PlanRun,
  type RunHandle,
  type RunListener,
  STALE_PLAN_SQLSTATE,
  type TransactionOperation,
  type UtilityRun,
} from './backend.ts';
import { commandTag } from './command-tag.ts';
import type { CursorFetch } from './cursor-fetch.ts';
import { fetchCursor } from './cursor-run.ts';
import { ANSWERED } from './message-flow.ts';
import type { Portal } from './portal.ts';
import type { PreparedStatement } from './prepared-statement.ts';
import { runAgain } from './rerun.ts';
import { ANSWERED_RUN } from './run-stubs.ts';
import type { ClientSession } from './session.ts';
import { sendRows } from './session-rows.ts';

/** What a run is answered with when it is complete: the tag of its statement, or what else there is to do. */
export type Answer = PreparedStatement | ((session: ClientSession, rowCount: number) => void);

/** What follows in a message. */
export type Continuation = (session: ClientSession) => void;

/** The last three: answered while it was started. */
type Phase = 'none' | 'starting' | 'running' | 'complete' | 'suspended' | 'failed';

/** The statement that the backend runs for a session, if any, and what its answers mean.
 *
 *   none ──start──► starting ──the call returns──► running ──last answer──► none
 *                       └──last answer──► answered ──the call returns──► none
 *
 * An answer that comes while the backend is being called is looked at when the call has returned: what
 * follows it may want the handle of the run, and may fail. The message goes on in whoever has started the run
 * then; after an answer that comes by itself, it goes on with `next`. */
export class CurrentRun implements RunListener {
  private readonly session: ClientSession;
  private phase: Phase = 'none';
  private handle: RunHandle = ANSWERED_RUN;
  private answer: Answer | null = null;
  private portal: Portal | null = null;
  private fetch: CursorFetch | null = null;
  /** Rows come as CopyData messages. */
  private isCopy = false;
  /** Takes the row of a run that computes values for the session itself. */
  private takeRow: ((row: Uint8Array) => void) | null = null;
  private inWriter = false;
  /** The client sends it COPY data. */
  takesData = false;
  /** What was wrong with a message in the midst of COPY data; the run is ended for it. */
  private refusal: PgErrorFields | null = null;
  /** A function that it calls has cancelled it while it was started. */
  private isCancelled = false;
  /** A row limit may stop it, and it goes on later. So its time is limited here, anew whenever it goes on;
   * others know their deadline. */
  private isLimited = false;
  private timer: NodeJS.Timeout | null = null;
  /** The answer that came while it was started. */
  private earlyRowCount = 0;
  private earlyTag: string | null = null;
  private earlyError: PgErrorFields | null = null;
  /** What follows the run in its message. */
  next: Continuation | null = null;

  constructor(session: ClientSession) {
    this.session = session;
  }

  get isRunning(): boolean {
    return this.phase !== 'none';
  }

  // ---------------------------------------------------------------- starting

  /** Runs a plan. `portal`: what a row limit stops. */
  execute(run: PlanRun, answer: Answer, portal: Portal | null): void {
    this.begin(answer, portal, null, run.inWriter, run.rowLimit > 0);
    this.isCopy = run.copy !== null;
    this.started(this.session.backend.execute(run, this));
  }

  /** Runs a plan whose one row is the session's own. */
  compute(run: PlanRun, takeRow: (row: Uint8Array) => void, answer: Answer): void {
    this.begin(answer, null, null, run.inWriter, false);
    this.takeRow = takeRow;
    this.started(this.session.backend.execute(run, this));
  }

  /** Runs a cursor's plan for a step of a FETCH. */
  executeStep(run: PlanRun, fetch: CursorFetch): void {
    this.begin(null, fetch.portal, fetch, run.inWriter, run.rowLimit > 0);
    this.started(this.session.backend.execute(run, this));
  }

  /** Goes on with what a row limit has stopped. */
  resume(portal: Portal, rowLimit: number, fetch: CursorFetch | null): void {
    const handle = portal.handle!;
    this.begin(portal.prepared, portal, fetch, portal.inWriter, true);
    handle.fetch(rowLimit);
    this.started(handle);
  }

  utility(run: UtilityRun, prepared: PreparedStatement): void {
    this.begin(prepared, null, null, true, false);
    this.started(this.session.backend.utility(run, this));
  }

  transaction(operation: TransactionOperation, name: string, answer: Answer): void {
    this.begin(answer, null, null, true, false);
    this.started(this.session.transactions.send(operation, name, this));
  }

  private begin(
    answer: Answer | null,
    portal: Portal | null,
    fetch: CursorFetch | null,
    inWriter: boolean,
    isLimited: boolean,
  ): void {
    this.phase = 'starting';
    this.answer = answer;
    this.portal = portal;
    this.fetch = fetch;
    this.inWriter = inWriter;
    this.isLimited = isLimited;
    this.isCopy = false;
    this.takeRow = null;
    this.isCancelled = false;
  }

  /** The backend has been called, and may have answered. */
  private started(handle: RunHandle): void {
    const { phase } = this;
    this.handle = handle;
    if (phase === 'starting') {
      this.phase = 'running';
      if (this.isCancelled) handle.cancel('user');
      if (this.isLimited) this.watch(handle);
      return;
    }
    if (phase === 'failed') {
      this.failed(this.earlyError!);
      throw ANSWERED;
    }
    if (this.isCancelled) {
      handle.close();
      this.failed(cancelled());
      throw ANSWERED;
    }
    if (phase === 'suspended') this.stopped();
    else this.completed(this.earlyRowCount, this.earlyTag);
  }

  private watch(handle: RunHandle): void {
    const { statementTimeoutMs } = this.session.environment;
    if (statementTimeoutMs === 0) return;
    this.timer = setTimeout(() => handle.cancel('timeout'), statementTimeoutMs);
  }

  private stopWatch(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
  }

  // ---------------------------------------------------------------- what the client does to it

  /** A new message comes. */
  beginMessage(): void {
    this.next = null;
    this.refusal = null;
  }

  cancel(): void {
    if (this.phase === 'starting') this.isCancelled = true;
    else if (this.phase === 'running') this.handle.cancel('user');
  }

  drained(): void {
    if (this.phase === 'running') this.handle.drained();
  }

  copyData(bytes: Uint8Array, start: number, end: number): void {
    if (!this.takesData || this.handle.copyData(bytes, start, end)) return;
    this.session.flow.hold();
  }

  copyDone(): void {
    if (!this.takesData) return;
    this.takesData = false;
    this.handle.copyDone();
    this.session.flow.settle();
  }

  /** Ends the COPY; with `refusal` as its error where there is one. */
  copyFail(message: string, refusal: PgErrorFields | null): void {
    if (!this.takesData) return;
    this.takesData = false;
    this.refusal = refusal;
    this.handle.copyFail(message);
    this.session.flow.settle();
  }

  /** What runs, or was about to, is given up, as its message has failed. */
  drop(): void {
    this.phase = 'none';
    this.next = null;
  }

  // ---------------------------------------------------------------- answers

  rows(bytes: Uint8Array, start: number, end: number, count: number): boolean {
    const { session, fetch } = this;
    if (session.isTerminated) return true;
    if (fetch !== null) {
      fetch.rows(bytes, start, end, count);
      if (!fetch.sendsRows) return true;
    }
    if (this.isCopy) return session.sink.copyData(bytes, start, end);
    if (this.takeRow !== null) {
      this.takeRow(bytes.slice(start, end));
      return true;
    }
    return sendRows(session, bytes, start, end, count);
  }

  complete(rowCount: number, tag: string | null): void {
    if (this.phase === 'starting') {
      this.phase = 'complete';
      this.earlyRowCount = rowCount;
      this.earlyTag = tag;
      return;
    }
    if (this.endsSession()) return;
    this.session.flow.guard(COMPLETED, rowCount, tag, null);
    this.goOn();
  }

  suspended(): void {
    if (this.phase === 'starting') {
      this.phase = 'suspended';
      return;
    }
    if (this.endsSession()) return;
    this.session.flow.guard(STOPPED, null, null, null);
    this.goOn();
  }

  error(fields: PgErrorFields): void {
    if (this.phase === 'starting') {
      this.phase = 'failed';
      this.earlyError = fields;
      return;
    }
    if (this.endsSession()) return;
    const { session, fetch } = this;
    if (fields.sqlstate === STALE_PLAN_SQLSTATE && session.rerun.isAllowed) {
      this.phase = 'none';
      // A FETCH takes its step again; others begin anew, and say again what follows them.
      if (fetch === null) this.next = null;
      session.flow.guard(runAgain, fetch, null, null);
    } else this.failed(fields);
    this.goOn();
  }

  /** It has run to its end. */
  completed(rowCount: number, tag: string | null): void {
    const { session, answer, portal, fetch } = this;
    const { sink } = session;
    this.phase = 'none';
    portal?.finish();
    if (fetch !== null) {
      fetch.ended();
      fetchCursor(session, fetch);
      return;
    }
    if (this.isCopy) sink.copyDone();
    if (tag !== null) sink.commandComplete(tag);
    else if (typeof answer === 'function') answer(session, rowCount);
    else if (answer !== null) sink.commandComplete(commandTag(answer, rowCount));
  }

  /** Its row limit has stopped it. */
  stopped(): void {
    const { session, portal, fetch } = this;
    this.phase = 'none';
    portal?.suspend(this.handle, this.inWriter);
    if (fetch !== null) fetchCursor(session, fetch);
    else session.sink.portalSuspended();
  }

  private failed(fields: PgErrorFields): void {
    const { session } = this;
    this.drop();
    this.takesData = false;
    this.portal?.fail(fields);
    session.flow.fail(this.refusal ?? this.withSchema(fields), this.inWriter);
  }

  /** The session is over, and what it reads at can go with its last answer. */
  private endsSession(): boolean {
    const { session } = this;
    this.stopWatch();
    if (!session.isTerminated) return false;
    this.phase = 'none';
    session.releaseSnapshots();
    return true;
  }

  /** After an answer that came by itself: the message goes on, unless another run has been started. */
  private goOn(): void {
    const { next } = this;
    const { flow } = this.session;
    if (this.phase === 'none' && next !== null) {
      this.next = null;
      flow.guard(next, null, null, null);
    }
    flow.settle();
  }

  /** Threads know a table's schema by its number alone; the client is told its name. */
  private withSchema(fields: PgErrorFields): PgErrorFields {
    const { table } = fields;
    if (table === undefined || fields.schema !== undefined) return fields;
    const { catalog, environment } = this.session;
    const { answer } = this;
    const planned = answer === null || typeof answer === 'function' ? null : answer.planned;
    const oid =
      planned?.plan.tables.find(({ name }) => name === table)?.schema ??
      environment
        .searchPath(catalog)
        .find((schema) => catalog.relationByName(schema, table) !== undefined);
    const schema = oid === undefined ? undefined : catalog.schemaByOid(oid)?.name;
    return schema === undefined ? fields : { ...fields, schema };
  }

  notice(fields: PgErrorFields): void {
    this.session.notice(fields);
  }

  sessionCatalog(catalog: Catalog | null): void {
    this.session.block.changedCatalog = catalog;
  }

  copyIn(format: 0 | 1, columnCount: number): void {
    this.takesData = true;
    this.session.sink.copyIn(format, columnCount);
    this.session.flow.settle();
  }

  copyReady(): void {
    this.session.flow.settle();
  }
}

/** Steps of a message, for `MessageFlow.guard`. */
const COMPLETED = (session: ClientSession, rowCount: number, tag: string | null): void =>
  session.run.completed(rowCount, tag);
const STOPPED = (session: ClientSession): void => session.run.stopped();

function cancelled(): PgErrorFields {
  return pgError('query_canceled', 'canceling statement due to user request').fields;
}
