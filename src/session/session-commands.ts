import type {
  ClosePortalStmt,
  CopyStmt,
  DeallocateStmt,
  DeclareCursorStmt,
  DiscardStmt,
  DropStmt,
  ExecuteStmt,
  ExplainStmt,
  FetchStmt,
  IndexStmt,
  ListenStmt,
  NotifyStmt,
  PrepareStmt,
  TransactionStmt,
  TypeName,
  UnlistenStmt,
  VariableSetStmt,
  VariableShowStmt,
} from '@pgsql/types';
import { pgError } from '../errors/index.ts';
import type { ParsedStatement } from '../sql/parse/index.ts';
import { runCopyTo } from './copy-command.ts';
import { runClosePortal, runDeclare, runFetch } from './cursor-commands.ts';
import { parameterType } from './execute-arguments.ts';
import { runExecute } from './execute-command.ts';
import { describeExplain, runExplain } from './explain-command.ts';
import type { Portal } from './portal.ts';
import type { PreparedStatement } from './prepared-statement.ts';
import { describeColumns } from './result-columns.ts';
import type { ClientSession } from './session.ts';
import type { ResultColumn } from './session-port.ts';
import { runSet, runShow, showColumns } from './setting-commands.ts';
import { refuseBlock, runTransaction } from './transaction-commands.ts';

/** Commands that concern the session alone, and so run on the main thread: transaction control, SET
 * and SHOW, PREPARE and EXECUTE, cursors, EXPLAIN, LISTEN and NOTIFY, DISCARD. */

/** Runs the statement when it is such a command, and says whether it was. */
export function runSessionCommand(
  session: ClientSession,
  statement: ParsedStatement,
  portal: Portal | null,
): boolean {
  const node = statement.node as Record<string, unknown>;
  switch (statement.tag) {
    case 'TransactionStmt':
      runTransaction(session, node.TransactionStmt as TransactionStmt);
      return true;
    case 'VariableSetStmt':
      runSet(session, node.VariableSetStmt as VariableSetStmt);
      return true;
    case 'VariableShowStmt':
      runShow(session, node.VariableShowStmt as VariableShowStmt, portal);
      return true;
    case 'PrepareStmt':
      runPrepare(session, node.PrepareStmt as PrepareStmt, statement);
      return true;
    case 'ExecuteStmt':
      runExecute(session, node.ExecuteStmt as ExecuteStmt, portal);
      return true;
    case 'DeallocateStmt':
      runDeallocate(session, node.DeallocateStmt as DeallocateStmt);
      return true;
    case 'DiscardStmt':
      return runDiscard(session, (node.DiscardStmt as { target?: string }).target ?? 'DISCARD_ALL');
    case 'ListenStmt':
      session.notifications.listen((node.ListenStmt as ListenStmt).conditionname ?? '');
      session.sink.commandComplete('LISTEN');
      return true;
    case 'UnlistenStmt':
      runUnlisten(session, node.UnlistenStmt as UnlistenStmt);
      return true;
    case 'NotifyStmt':
      runNotify(session, node.NotifyStmt as NotifyStmt);
      return true;
    case 'DeclareCursorStmt':
      runDeclare(session, node.DeclareCursorStmt as DeclareCursorStmt, statement, portal);
      return true;
    case 'FetchStmt':
      runFetch(session, node.FetchStmt as FetchStmt, portal);
      return true;
    case 'ClosePortalStmt':
      runClosePortal(session, node.ClosePortalStmt as ClosePortalStmt);
      return true;
    case 'CopyStmt':
      return runCopyTo(session, node.CopyStmt as CopyStmt, statement);
    case 'ExplainStmt':
      runExplain(session, node.ExplainStmt as ExplainStmt, statement, portal);
      return true;
    default:
      return false;
  }
}

/** The rows that a session command answers with, for Describe; null when it answers with none. */
export function describeSessionCommand(
  session: ClientSession,
  prepared: PreparedStatement,
): readonly ResultColumn[] | null {
  const node = prepared.statement?.node as Record<string, unknown> | undefined;
  if (node === undefined) return null;
  if (node.VariableShowStmt !== undefined) {
    const { name = '' } = node.VariableShowStmt as VariableShowStmt;
    return describeColumns(showColumns(name), null);
  }
  if (node.ExplainStmt !== undefined) return describeExplain(node.ExplainStmt as ExplainStmt);
  if (node.FetchStmt !== undefined) {
    const { portalname = '', ismove } = node.FetchStmt as FetchStmt;
    const cursor = ismove === true ? undefined : session.portals.find(portalname);
    return cursor?.prepared.columns ?? null;
  }
  if (node.ExecuteStmt !== undefined) {
    const { name = '' } = node.ExecuteStmt as ExecuteStmt;
    return session.statements.has(name) ? session.statements.current(name).columns : null;
  }
  return null;
}

/** Statements that do not run in a block, or not outside of one, and so do not begin one unasked. */
export function mindsBlocks({ tag, node }: ParsedStatement): boolean {
  switch (tag) {
    case 'VacuumStmt':
    case 'ReindexStmt':
    case 'LockStmt':
    case 'ConstraintsSetStmt':
      return true;
    case 'DiscardStmt':
      return (node as { DiscardStmt: DiscardStmt }).DiscardStmt.target === 'DISCARD_ALL';
    case 'IndexStmt':
      return (node as { IndexStmt: IndexStmt }).IndexStmt.concurrent === true;
    case 'DropStmt':
      return (node as { DropStmt: DropStmt }).DropStmt.concurrent === true;
    default:
      return false;
  }
}

function runPrepare(session: ClientSession, statement: PrepareStmt, parsed: ParsedStatement): void {
  const name = statement.name ?? '';
  const types = (statement.argtypes ?? []).map((argument) =>
    parameterType((argument as { TypeName: TypeName }).TypeName, session),
  );
  const prepared = session.statements.prepareWithin(statement.query!, parsed, types);
  if (session.statements.has(name)) {
    throw pgError('duplicate_prepared_statement', `prepared statement "${name}" already exists`);
  }
  session.statements.add(name, prepared, session.queryText, session.environment.now(), true);
  session.sink.commandComplete('PREPARE');
}

function runDeallocate(session: ClientSession, statement: DeallocateStmt): void {
  if (statement.isall || statement.name === undefined) {
    session.statements.clear();
    session.sink.commandComplete('DEALLOCATE ALL');
    return;
  }
  if (!session.statements.remove(statement.name)) {
    throw pgError(
      'invalid_sql_statement_name',
      `prepared statement "${statement.name}" does not exist`,
    );
  }
  session.sink.commandComplete('DEALLOCATE');
}

/** UNLISTEN of one channel, or of all (`*`). */
function runUnlisten(session: ClientSession, { conditionname }: UnlistenStmt): void {
  if (conditionname === undefined) session.notifications.unlistenAll();
  else session.notifications.unlisten(conditionname);
  session.sink.commandComplete('UNLISTEN');
}

function runNotify(session: ClientSession, { conditionname = '', payload = '' }: NotifyStmt): void {
  session.notifications.notify(conditionname, payload);
  session.sink.commandComplete('NOTIFY');
}

/** False for DISCARD TEMP, which the writer runs. */
function runDiscard(session: ClientSession, target: string): boolean {
  if (target === 'DISCARD_ALL') {
    refuseBlock(session, 'DISCARD ALL');
    session.portals.closeAll();
    session.statements.clear();
    session.notifications.unlistenAll();
    session.environment.settings.resetAll();
    session.transactions.adoptDefaults();
    session.transactions.operate('discardAll', '', 'DISCARD ALL');
  } else if (target === 'DISCARD_PLANS') {
    session.sink.commandComplete('DISCARD PLANS');
  } else if (target === 'DISCARD_SEQUENCES') {
    session.transactions.operate('discardSequences', '', 'DISCARD SEQUENCES');
  } else return false;
  return true;
}
