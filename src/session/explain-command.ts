import type { DefElem, ExplainStmt, Node } from '@pgsql/types';
import { notSupported, pgError } from '../errors/index.ts';
import type { ParsedStatement } from '../sql/parse/index.ts';
import { type ExplainOptions, explainPlan } from '../sql/plan/index.ts';
import type { Portal } from './portal.ts';
import { isPlannable } from './prepared-statement.ts';
import { describeColumns, textColumns } from './result-columns.ts';
import { type ClientSession, innerStatement } from './session.ts';
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
  const options = explainOptions(explain.options ?? []);
  const inner = innerStatement(explain.query!, parsed);
  const prepared = session.prepareExplained(explain.query!, parsed);
  if (!isPlannable(inner) || prepared.planned === null) {
    throw notSupported(`EXPLAIN of ${inner.tag.replace(/Stmt$/, '')}`);
  }
  const columns = textColumns(['QUERY PLAN']);
  if (!options.analyze) {
    const lines = explainPlan(prepared.planned.plan, options, null);
    sendTextRows(
      session,
      columns,
      lines.map((line) => [line]),
      portal,
    );
    session.sink.commandComplete('EXPLAIN');
    return;
  }
  if (portal === null) session.sink.rowDescription(describeColumns(columns, null));
  session.runExplained(prepared, options);
}

export function describeExplain(_explain: ExplainStmt): readonly ResultColumn[] {
  return describeColumns(textColumns(['QUERY PLAN']), null);
}

function explainOptions(elements: readonly Node[]): ExplainOptions {
  const given = new Map<string, string>();
  for (const element of elements) {
    const { defname = '', arg } = (element as { DefElem: DefElem }).DefElem;
    given.set(defname, optionText(arg));
  }
  const flag = (name: string, initial: boolean): boolean => {
    const text = given.get(name);
    if (text === undefined) return initial;
    if (/^(|true|on|1)$/i.test(text)) return true;
    if (/^(false|off|0)$/i.test(text)) return false;
    throw pgError('syntax_error', `${name} requires a Boolean value`);
  };
  for (const name of given.keys()) {
    if (!OPTIONS.has(name)) {
      throw pgError('syntax_error', `unrecognized EXPLAIN option "${name}"`);
    }
  }
  const analyze = flag('analyze', false);
  const format = (given.get('format') ?? 'text').toLowerCase();
  if (format !== 'text' && format !== 'json') {
    if (format === 'xml' || format === 'yaml') throw notSupported(`EXPLAIN format ${format}`);
    throw pgError(
      'invalid_parameter_value',
      `unrecognized value for EXPLAIN option "format": "${format}"`,
    );
  }
  if (flag('wal', false)) throw notSupported('EXPLAIN option WAL');
  if (given.has('timing') && flag('timing', false) && !analyze) {
    throw pgError('invalid_parameter_value', 'EXPLAIN option TIMING requires ANALYZE');
  }
  return {
    analyze,
    verbose: flag('verbose', false),
    costs: flag('costs', true),
    buffers: flag('buffers', false),
    timing: flag('timing', analyze),
    summary: flag('summary', analyze),
    format,
  };
}

const OPTIONS = new Set([
  'analyze',
  'verbose',
  'costs',
  'settings',
  'buffers',
  'wal',
  'timing',
  'summary',
  'format',
]);

function optionText(node: Node | undefined): string {
  if (node === undefined) return '';
  const fields = node as unknown as Record<string, Record<string, unknown>>;
  const [kind] = Object.keys(fields);
  const value = kind === undefined ? undefined : fields[kind];
  return String(value?.sval ?? value?.ival ?? value?.boolval ?? '');
}
