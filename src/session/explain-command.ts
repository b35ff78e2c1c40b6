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
import { withArguments } from './execute-command.ts';
import type { Portal } from './portal.ts';
import { describeColumns, TEXT_FORMATS, textColumns } from './result-columns.ts';
import type { ClientSession } from './session.ts';
import type { ResultColumn } from './session-port.ts';
import { finishRows, sendTextRows } from './session-rows.ts';
import { blockRun, requireWritable, runsInWriter } from './statement-start.ts';

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
  if (prepared.planned === null) throw notSupported(`EXPLAIN of ${utilityTag(query)}`);
  const { planned } = prepared;
  const columns = explainColumns(explain);
  const explained = (parameters: readonly Datum[]): void => {
    if (!options.analyze) {
      const selected = selectInputs(planned.plan, parameters, (exprs) => session.evaluate(exprs));
      const rows = explainPlan(planned.plan, options, null, selected).map((line) => [line]);
      sendTextRows(session, columns, rows, portal);
      finishRows(session, 'EXPLAIN');
      return;
    }
    requireWritable(session, prepared);
    const described = describeColumns(columns, null);
    if (portal === null && session.rerun.describes(described)) {
      session.sink.rowDescription(described);
    }
    analyze(session, planned, options, parameters);
  };
  if ('ExecuteStmt' in query) withArguments(session, query.ExecuteStmt, explained);
  else explained(portal?.parameters ?? []);
}

/** Runs the plan; what comes back is the plan with its figures. */
function analyze(
  session: ClientSession,
  planned: PlannedStatement,
  explain: ExplainOptions,
  parameters: readonly Datum[],
): void {
  // Plans that read the catalog run on this thread, which keeps no figures.
  const inWriter = runsInWriter(session, planned) || planned.plan.needsCatalog;
  const run = blockRun(session, planned, parameters, TEXT_FORMATS, inWriter);
  session.run.execute({ ...run, explain }, () => finishRows(session, 'EXPLAIN'), null);
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
