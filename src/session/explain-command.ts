import type { ExplainStmt } from '@pgsql/types';
import { notSupported } from '../errors/index.ts';
import type { ParsedStatement } from '../sql/parse/index.ts';
import {
  type ExplainOptions,
  explainFormat,
  explainOptions,
  explainPlan,
  selectInputs,
} from '../sql/plan/index.ts';
import type { ResultColumn as PlanColumn } from '../sql/plan/plan.ts';
import { utilityTag } from '../sql/utility/index.ts';
import { type Datum, OID } from '../types/index.ts';
import type { PlannedStatement } from './backend.ts';
import type { Portal } from './portal.ts';
import { describeColumns, textColumns } from './result-columns.ts';
import type { ClientSession } from './session.ts';
import { sendTextRows } from './session-commands.ts';
import type { ResultColumn } from './session-port.ts';

/** EXPLAIN. The plan is made as for a run; with ANALYZE it is run, where it would be run, and the
 * thread that runs it prints the plan with its figures. */
export function runExplain(
  session: ClientSession,
  explain: ExplainStmt,
  parsed: ParsedStatement,
  portal: Portal | null,
): void {
  const { settings } = session.environment;
  const options = explainOptions(explain, () => settings.plannerSettings());
  const query = explain.query!;
  const prepared = portal?.prepared.inner ?? session.statements.prepareExplained(query, parsed);
  if (prepared.planned === null) {
    throw notSupported(`EXPLAIN of ${utilityTag(query)}`);
  }
  const { planned } = prepared;
  const explained = (parameters: readonly Datum[]): void => {
    explainPrepared(session, explain, options, planned, parameters, portal);
  };
  if ('ExecuteStmt' in query) session.withArguments(query.ExecuteStmt, explained);
  else explained(portal?.parameters ?? []);
}

function explainPrepared(
  session: ClientSession,
  explain: ExplainStmt,
  options: ExplainOptions,
  planned: PlannedStatement,
  parameters: readonly Datum[],
  portal: Portal | null,
): void {
  const columns = explainColumns(explain);
  if (!options.analyze) {
    const { plan } = planned;
    const selected = selectInputs(plan, parameters, (exprs) => session.evaluate(exprs));
    const lines = explainPlan(plan, options, null, selected);
    sendTextRows(
      session,
      columns,
      lines.map((line) => [line]),
      portal,
    );
    session.finishRows('EXPLAIN');
    return;
  }
  if (portal === null) session.sink.rowDescription(describeColumns(columns, null));
  session.runExplained(planned, options, parameters);
}

export function describeExplain(explain: ExplainStmt): readonly ResultColumn[] {
  return describeColumns(explainColumns(explain), null);
}

/** One column: of type json where the plan is to be printed as JSON. */
function explainColumns(explain: ExplainStmt): PlanColumn[] {
  const columns = textColumns(['QUERY PLAN']);
  return explainFormat(explain) === 'json'
    ? columns.map((column) => ({ ...column, type: OID.json }))
    : columns;
}
