import type { Node, RangeVar } from '@pgsql/types';
import type { Datum } from '../types/index.ts';
import type { PlannedStatement, PlanRun, RunBase } from './backend.ts';
import { commandTag, readOnlyTransaction, writesData, writingUtility } from './command-tag.ts';
import { findTable } from './named-table.ts';
import type { Portal } from './portal.ts';
import type { PreparedStatement } from './prepared-statement.ts';
import type { ClientSession } from './session.ts';
import { refuseTablesInUse } from './tables-in-use.ts';

/** Starting statements: where they run, and what the thread that runs them is told. */

/** Starts a statement. `portal`: what it is run through, and what limits its rows; null in the simple
 * protocol, where `isAlone` says that it is the only statement of its query string. */
export function startPrepared(
  session: ClientSession,
  prepared: PreparedStatement,
  parameters: readonly Datum[],
  formats: Uint8Array,
  portal: Portal | null,
  isAlone: boolean,
): void {
  const { planned } = prepared;
  if (planned === null) {
    startUtility(session, prepared, parameters);
    return;
  }
  requireWritable(session, prepared);
  const { block, sink } = session;
  // Portals are described on request.
  if (portal === null && prepared.columns !== null && session.rerun.describes(prepared.columns)) {
    sink.rowDescription(prepared.columns);
  }
  const rowLimit = portal === null ? 0 : portal.rowLimit;
  const inWriter = runsInWriter(session, planned);
  const readsNewest = block.isolation === 'read committed' || !block.isBlock;
  if (!inWriter && readsNewest && rowLimit === 0) {
    const read = session.environment.pointReadRun(planned, parameters, formats, sink);
    if (session.backend.pointRead(read)) {
      sink.commandComplete(commandTag(prepared, read.rowCount));
      return;
    }
  }
  const inBlock = block.isBlock && !(isAlone && block.state === 'implicit');
  const run = planRun(session, planned, parameters, formats, rowLimit, inWriter, inBlock);
  session.run.execute(run, prepared, portal);
}

/** Starts DDL, COPY FROM, LOCK and what else the writer does without a plan. */
function startUtility(
  session: ClientSession,
  prepared: PreparedStatement,
  parameters: readonly Datum[],
): void {
  const { block } = session;
  const isTemporary = ({ schemaname, relname = '' }: RangeVar): boolean =>
    findTable(session, schemaname, relname)?.persistence === 't';
  const writing = block.readOnly ? writingUtility(prepared, isTemporary) : null;
  if (writing !== null) throw readOnlyTransaction(writing);
  refuseTablesInUse(session, prepared.statement!.node as Node);
  const run = {
    ...runBase(session),
    statement: prepared.statement!.node,
    // All of the query string: the locations of the tree count from its start.
    text: session.queryText,
    parameters,
    hasQuery: prepared.statement!.kind === 'createTableAs',
    control: session,
  };
  if (run.inBlock) block.inWriter = true;
  session.run.utility(run, prepared);
}

/** A run of all rows of a plan, in the block where there is one. */
export function blockRun(
  session: ClientSession,
  planned: PlannedStatement,
  parameters: readonly Datum[],
  formats: Uint8Array,
  inWriter: boolean,
): PlanRun {
  return planRun(session, planned, parameters, formats, 0, inWriter, session.block.isBlock);
}

export function planRun(
  session: ClientSession,
  planned: PlannedStatement,
  parameters: readonly Datum[],
  formats: Uint8Array,
  rowLimit: number,
  inWriter: boolean,
  inBlock: boolean,
): PlanRun {
  const base = runBase(session);
  if (inWriter && inBlock) session.block.inWriter = true;
  // Spelled out, as spreading an object costs a microsecond for each statement.
  return {
    session: base.session,
    settings: base.settings,
    isolation: base.isolation,
    readOnly: base.readOnly,
    snapshot: base.snapshot,
    // What a row limit may stop is watched by the session (current-run.ts).
    deadlineMs: rowLimit > 0 ? 0 : base.deadlineMs,
    statementTimestamp: base.statementTimestamp,
    transactionTimestamp: base.transactionTimestamp,
    asynchronousCommit: base.asynchronousCommit,
    inBlock,
    plan: planned,
    parameters,
    formats,
    rowLimit,
    inWriter,
    seenChanges: 0,
    catalog: session.catalog,
    explain: null,
    copy: null,
    control: session,
  };
}

/** What every run of the session is told now. Takes the snapshot of a block that needs one. */
export function runBase(session: ClientSession): RunBase {
  const { backend, block, environment } = session;
  const now = environment.now();
  session.queryStart = now;
  if (block.startTimestamp === 0) block.startTimestamp = now;
  const isolation = block.settleLevel();
  if (isolation === 'repeatable read' && block.snapshot === null && block.isBlock) {
    block.snapshot = backend.holdSnapshot();
  }
  block.hasRead = true;
  const timeout = environment.statementTimeoutMs;
  return {
    session: session.processId,
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

/** Whether a plan is for the writer, which alone sees what changed in the block; a plan without tables need not
 * see it. What a block reads elsewhere is locked from here on. */
export function runsInWriter(session: ClientSession, { plan }: PlannedStatement): boolean {
  const { backend, block } = session;
  if (plan.needsWriter || block.changedCatalog?.changesTypes === true) return true;
  if (plan.tables.length === 0) return false;
  if (block.inWriter || block.recordsReads || backend.isLocked(plan)) return true;
  if (block.state === 'open') session.transactions.lockReads(plan);
  return false;
}

/** Refuses what a READ ONLY transaction does not run. */
export function requireWritable(session: ClientSession, prepared: PreparedStatement): void {
  const { plan } = prepared.planned!;
  if (!plan.needsWriter || !session.block.readOnly || !writesData(plan)) return;
  throw readOnlyTransaction(commandTag(prepared, 0).split(' ')[0]!);
}
