import type { ExecuteStmt } from '@pgsql/types';
import type { Datum } from '../types/index.ts';
import { planArguments, rowValues } from './execute-arguments.ts';
import { Portal } from './portal.ts';
import { TEXT_FORMATS } from './result-columns.ts';
import type { ClientSession } from './session.ts';
import { blockRun, runsInWriter, startPrepared } from './statement-start.ts';

/** EXECUTE name (arguments). In the extended protocol what it runs has a portal of its own, by which that of
 * EXECUTE goes on. */
export function runExecute(
  session: ClientSession,
  statement: ExecuteStmt,
  through: Portal | null,
): void {
  withArguments(session, statement, (parameters) => {
    const prepared = session.statements.current(statement.name ?? '');
    if (through === null) {
      startPrepared(session, prepared, parameters, TEXT_FORMATS, null, false);
      return;
    }
    const portal = new Portal(through.name, prepared, parameters, through.formats);
    portal.state = 'done';
    portal.rowLimit = through.rowLimit;
    through.executed = portal;
    startPrepared(session, prepared, parameters, portal.formats, portal, false);
  });
}

/** Computes the arguments of EXECUTE, as a query of them would be, and goes on with their values. */
export function withArguments(
  session: ClientSession,
  statement: ExecuteStmt,
  then: (parameters: readonly Datum[]) => void,
): void {
  const { rerun } = session;
  const known = rerun.argumentsOf(statement);
  if (known !== null) {
    then(known);
    return;
  }
  const types = session.statements.parameterTypes(statement.name ?? '');
  const plan = planArguments(statement, types, session);
  if (plan === null) {
    then([]);
    return;
  }
  const { needsWriter } = plan;
  // What they lock is kept for the statement. Others are computed on this thread.
  if (needsWriter) session.transactions.beginImplicit();
  const planned = { plan: needsWriter ? plan : { ...plan, needsCatalog: true }, id: 0 };
  const formats = new Uint8Array(types.length).fill(1);
  const run = blockRun(session, planned, [], formats, runsInWriter(session, planned));
  let row: Uint8Array;
  const takeRow = (bytes: Uint8Array): void => {
    row = bytes;
  };
  session.run.compute(run, takeRow, () => {
    const values = rowValues(row, types);
    rerun.keepArguments(statement, values);
    then(values);
  });
}
