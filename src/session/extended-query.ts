import { notSupported, pgError } from '../errors/index.ts';
import { findType } from '../types/index.ts';
import { commandTag, rowsTag } from './command-tag.ts';
import { fetchForward } from './cursor-run.ts';
import { decodeParameters } from './parameter-values.ts';
import { cannotRun, Portal } from './portal.ts';
import type { PreparedStatement } from './prepared-statement.ts';
import { expandFormats, inFormats, TEXT_FORMATS } from './result-columns.ts';
import type { ClientSession } from './session.ts';
import { describeSessionCommand, mindsBlocks, runSessionCommand } from './session-commands.ts';
import type { BindValues, ResultColumn } from './session-port.ts';
import { sendHeldRows } from './session-rows.ts';
import { startPrepared } from './statement-start.ts';

/** The messages of the extended protocol, each a step of its own (`MessageFlow.extended`). What is done between
 * two Syncs is one transaction, where no block is open. */

export function parseStatement(
  session: ClientSession,
  name: string,
  text: string,
  parameterTypes: readonly number[],
): void {
  const { environment, sink, statements } = session;
  for (const oid of parameterTypes) {
    if (oid !== 0 && findType(oid) === undefined) throw notSupported(`the type with OID ${oid}`);
  }
  if (name === '') statements.remove('');
  const prepared = statements.prepare(text, parameterTypes);
  if (name !== '' && statements.has(name)) {
    throw pgError('duplicate_prepared_statement', `prepared statement "${name}" already exists`);
  }
  statements.add(name, prepared, prepared.text, environment.now(), false);
  sink.parseComplete();
}

export function bindPortal(
  session: ClientSession,
  name: string,
  statement: string,
  values: BindValues,
): void {
  const { environment, portals, sink } = session;
  const prepared = session.statements.current(statement);
  if (values.count !== prepared.parameterTypes.length) {
    throw pgError(
      'protocol_violation',
      `bind message supplies ${values.count} parameters, but prepared statement "${statement}" requires ${prepared.parameterTypes.length}`,
    );
  }
  session.checkFailedBlock(prepared.statement);
  if (name !== '' && portals.find(name) !== undefined) {
    throw pgError('duplicate_cursor', `cursor "${name}" already exists`);
  }
  const parameters = decodeParameters(values, prepared.parameterTypes, environment.types(), name);
  const formats = resultFormats(session, prepared, values);
  portals.close(name);
  portals.add(new Portal(name, prepared, parameters, formats));
  sink.bindComplete();
}

/** One format for each column of the result. What has no result takes any formats. */
function resultFormats(
  session: ClientSession,
  prepared: PreparedStatement,
  { resultFormats: given, resultFormatCount: count }: BindValues,
): Uint8Array {
  const columns =
    prepared.output ?? (count === 0 ? null : describeSessionCommand(session, prepared));
  if (columns === null) return TEXT_FORMATS;
  const formats = expandFormats(columns.length, given, count);
  if (formats !== null) return formats;
  throw pgError(
    'protocol_violation',
    `bind message has ${count} result formats but query has ${columns.length} columns`,
  );
}

export function describeStatement(session: ClientSession, name: string): void {
  const { sink } = session;
  const prepared = session.statements.current(name);
  const columns = describedColumns(session, prepared, prepared.columns);
  sink.parameterDescription(prepared.parameterTypes.slice(0, prepared.parameterCount));
  if (columns === null) sink.noData();
  else sink.rowDescription(columns);
}

export function describePortal(session: ClientSession, name: string): void {
  const { sink } = session;
  const portal = session.portals.require(name);
  const known = portal.columns();
  const columns = describedColumns(session, portal.prepared, known);
  if (columns === null) sink.noData();
  else sink.rowDescription(known ?? inFormats(columns, portal.formats));
}

/** The columns of a result. In a failed block there are none to be had. */
function describedColumns(
  session: ClientSession,
  prepared: PreparedStatement,
  known: readonly ResultColumn[] | null,
): readonly ResultColumn[] | null {
  const columns = known ?? describeSessionCommand(session, prepared);
  if (columns !== null) session.checkFailedBlock(null);
  return columns;
}

/** `syncFollows`: with Sync next, what the statement does is committed with it, in one trip to the writer. */
export function executePortal(
  session: ClientSession,
  name: string,
  rowCountMax: number,
  syncFollows: boolean,
): void {
  const portal = session.portals.require(name);
  const { statement } = portal.prepared;
  if (statement === null) {
    session.sink.emptyQuery();
    return;
  }
  session.checkFailedBlock(statement);
  portal.rowLimit = Math.max(0, rowCountMax);
  session.executing = portal;
  if (portal.hasFailed) throw cannotRun(portal);
  if (portal.cursor !== null) fetchForward(session, portal);
  else if (portal.state !== 'ready') executeAgain(session, portal);
  else {
    const isLast = syncFollows && portal.rowLimit === 0;
    if (!isLast && !mindsBlocks(statement)) session.transactions.beginImplicit();
    portal.state = 'done';
    session.rerun.begin = startAgain;
    start(session, portal);
  }
}

function start(session: ClientSession, portal: Portal): void {
  const { prepared, parameters, formats } = portal;
  session.queryText = prepared.text;
  if (runSessionCommand(session, prepared.statement!, portal)) return;
  startPrepared(session, prepared, parameters, formats, portal, false);
}

/** Starts what was out of date. */
function startAgain(session: ClientSession): void {
  const portal = session.executing!;
  portal.prepared = session.statements.currentVersion(portal.prepared);
  start(session, portal);
}

/** Goes on with a portal that a row limit has stopped, or that is done. */
function executeAgain(session: ClientSession, outer: Portal): void {
  if (outer.held !== null) {
    sendHeldRows(session, outer, outer.held);
    return;
  }
  const portal = outer.executed ?? outer;
  if (portal.state === 'suspended') {
    session.run.resume(portal, outer.rowLimit, null);
    return;
  }
  const { prepared } = portal;
  const tag = prepared.output === null ? rowsTag(prepared.statement!, 0) : commandTag(prepared, 0);
  if (tag === null) throw cannotRun(portal);
  session.sink.commandComplete(tag);
}

export function closeStatement(session: ClientSession, name: string): void {
  session.statements.remove(name);
  session.sink.closeComplete();
}

export function closePortal(session: ClientSession, name: string): void {
  session.portals.close(name);
  session.sink.closeComplete();
}
