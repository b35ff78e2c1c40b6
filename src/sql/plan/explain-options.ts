import type { ExplainStmt, Node } from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';

/** Options of EXPLAIN. */
export interface ExplainOptions {
  readonly analyze: boolean;
  readonly verbose: boolean;
  readonly costs: boolean;
  readonly buffers: boolean;
  readonly timing: boolean;
  readonly summary: boolean;
  /** The settings to print: of those that bear on plans, what differs from the default. */
  readonly settings: readonly ExplainedSetting[];
  readonly format: 'text' | 'json';
}

export interface ExplainedSetting {
  readonly name: string;
  readonly value: string;
}

/** Reads the options of an EXPLAIN statement; `changedSettings` answers those that SETTINGS prints. */
export function explainOptions(
  statement: ExplainStmt,
  changedSettings: () => readonly ExplainedSetting[],
): ExplainOptions {
  const given = new Map<string, boolean>();
  let format: 'text' | 'json' = 'text';
  for (const option of statement.options ?? []) {
    if (!('DefElem' in option)) continue;
    const { defname = '', arg, location } = option.DefElem;
    const position = location === undefined ? {} : { position: location + 1 };
    if (defname === 'format') {
      const name = formatName(arg);
      if (name === 'text' || name === 'json') format = name;
      else if (name === 'xml' || name === 'yaml') throw notSupported(`EXPLAIN (FORMAT ${name})`);
      else {
        throw pgError(
          'invalid_parameter_value',
          `unrecognized value for EXPLAIN option "format": "${name}"`,
          position,
        );
      }
    } else if (KNOWN.has(defname)) given.set(defname, booleanArgument(defname, arg));
    else {
      throw pgError('syntax_error', `unrecognized EXPLAIN option "${defname}"`, position);
    }
  }
  const analyze = given.get('analyze') ?? false;
  if (given.get('wal') === true && !analyze) {
    throw pgError('invalid_parameter_value', 'EXPLAIN option WAL requires ANALYZE');
  }
  // A statement writes no log: its transaction does when it commits.
  if (given.get('wal') === true) throw notSupported('EXPLAIN option WAL');
  if (given.get('timing') === true && !analyze) {
    throw pgError('invalid_parameter_value', 'EXPLAIN option TIMING requires ANALYZE');
  }
  return {
    analyze,
    verbose: given.get('verbose') ?? false,
    costs: given.get('costs') ?? true,
    buffers: given.get('buffers') ?? false,
    timing: given.get('timing') ?? analyze,
    summary: given.get('summary') ?? analyze,
    settings: given.get('settings') === true ? changedSettings() : [],
    format,
  };
}

const KNOWN: ReadonlySet<string> = new Set([
  'analyze',
  'verbose',
  'costs',
  'buffers',
  'timing',
  'summary',
  'settings',
  'wal',
]);

/** The name of the format that an EXPLAIN statement asks for, whether or not there is such a format. */
export function explainFormat(statement: ExplainStmt): string {
  let format = 'text';
  for (const option of statement.options ?? []) {
    if ('DefElem' in option && option.DefElem.defname === 'format') {
      format = formatName(option.DefElem.arg);
    }
  }
  return format;
}

function formatName(arg: Node | undefined): string {
  if (arg === undefined) return '';
  if ('String' in arg) return arg.String.sval ?? '';
  return 'Integer' in arg ? String(arg.Integer.ival ?? 0) : '';
}

function booleanArgument(name: string, arg: unknown): boolean {
  if (arg === undefined) return true;
  const node = arg as {
    String?: { sval?: string };
    Integer?: { ival?: number };
    Boolean?: { boolval?: boolean };
  };
  if (node.Boolean !== undefined) return node.Boolean.boolval ?? false;
  if (node.Integer !== undefined) return (node.Integer.ival ?? 0) !== 0;
  const text = (node.String?.sval ?? '').toLowerCase();
  if (['true', 'on', '1', 'yes', ''].includes(text)) return true;
  if (['false', 'off', '0', 'no'].includes(text)) return false;
  throw pgError('syntax_error', `${name} requires a Boolean value`);
}
