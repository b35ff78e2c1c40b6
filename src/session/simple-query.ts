import { type ParsedStatement, parseStatements } from '../sql/parse/index.ts';
import { type PrepareContext, prepareParsed } from './prepared-statement.ts';
import { TEXT_FORMATS } from './result-columns.ts';
import type { ClientSession } from './session.ts';
import { runSessionCommand } from './session-commands.ts';
import type { ShapedStatement } from './statement-cache.ts';
import { startPrepared } from './statement-start.ts';

/** The simple protocol: the statements of a query string, one after the other. Several of them are one
 * transaction, and so is one by itself. */

/** The statements of the query string that are run, and the one that is now. */
export class QueryString {
  statements: readonly ParsedStatement[] = NONE;
  at = 0;

  /** Lets go of the trees. */
  forget(): void {
    this.statements = NONE;
  }
}

const NONE: readonly ParsedStatement[] = [];

export function startQuery(session: ClientSession, text: string): void {
  session.statements.remove('');
  session.queryText = text;
  runQuery(session);
}

/** A text of one statement whose shape is known needs no parsing. */
function runQuery(session: ClientSession): void {
  const { block, cache, query, queryText, run } = session;
  if (block.state !== 'failed') {
    const shaped = cache.find(queryText, session.planScope(), session.prepareContext());
    if (shaped !== null) {
      session.portals.close('');
      session.rerun.begin = runQuery;
      startShaped(session, shaped, true);
      if (run.isRunning) run.next = finishQuery;
      else finishQuery(session);
      return;
    }
  }
  query.statements = parseStatements(queryText);
  query.at = 0;
  if (query.statements.length === 0) session.sink.emptyQuery();
  else session.portals.close('');
  runStatements(session);
}

/** Runs the statements from the present one on. */
function runStatements(session: ClientSession): void {
  const { query, run } = session;
  for (; query.at < query.statements.length; query.at++) {
    session.rerun.begin = runStatements;
    runStatement(session, query.statements[query.at]!, query.statements.length === 1);
    if (run.isRunning) {
      run.next = runNextStatement;
      return;
    }
  }
  finishQuery(session);
}

function runNextStatement(session: ClientSession): void {
  session.query.at++;
  runStatements(session);
}

function runStatement(session: ClientSession, statement: ParsedStatement, isAlone: boolean): void {
  if (!isAlone) session.transactions.beginImplicit();
  session.checkFailedBlock(statement);
  if (runSessionCommand(session, statement, null)) return;
  const text = session.queryText;
  const context = session.prepareContext();
  const shaped = isAlone
    ? session.cache.learn(text, session.planScope(), statement, context)
    : prepareOnce(statement, text, context);
  startShaped(session, shaped, isAlone);
}

function startShaped(
  session: ClientSession,
  { prepared, parameters }: ShapedStatement,
  isAlone: boolean,
): void {
  startPrepared(session, prepared, parameters, TEXT_FORMATS, null, isAlone);
}

function prepareOnce(
  statement: ParsedStatement,
  text: string,
  context: PrepareContext,
): ShapedStatement {
  const { prepared } = prepareParsed(statement, text, context, [], [], 0, false);
  return { prepared, parameters: [] };
}

/** The end of a query string, and Sync. */
export function finishQuery(session: ClientSession): void {
  session.transactions.endImplicit(READY);
}

const READY = (session: ClientSession): void => session.flow.ready();
