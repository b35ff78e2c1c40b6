import type { ExplainStmt } from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';

/** Options of EXPLAIN. */
export interface ExplainOptions {
  readonly analyze: boolean;
  readonly verbose: boolean;
  readonly costs: boolean;
  readonly buffers: boolean;
  readonly timing: boolean;
  readonly summary: boolean;
  readonly format: 'text' | 'json';
}

/** Reads the options of an EXPLAIN statement. */
export function explainOptions(statement: ExplainStmt): ExplainOptions {
  const given = new Map<string, boolean>();
  let format: 'text' | 'json' = 'text';
  for (const option of statement.options ?? []) {
    if (!('DefElem' in option)) continue;
    const { defname = '', arg, location } = option.DefElem;
    if (defname === 'format') {
      const name = arg !== undefined && 'String' in arg ? (arg.String.sval ?? '') : '';
      if (name === 'text' || name === 'json') format = name;
      else if (name === 'xml' || name === 'yaml') throw notSupported(`EXPLAIN (FORMAT ${name})`);
      else {
        throw pgError(
          'invalid_parameter_value',
          `unrecognized value for EXPLAIN option "format": "${name}"`,
        );
      }
    } else if (KNOWN.has(defname)) given.set(defname, booleanArgument(defname, arg));
    else {
      throw pgError('syntax_error', `unrecognized EXPLAIN option "${defname}"`, {
        ...(location === undefined ? {} : { position: location + 1 }),
      });
    }
  }
  const analyze = given.get('analyze') ?? false;
  if (given.get('wal') === true && !analyze) {
    throw pgError('invalid_parameter_value', 'EXPLAIN option WAL requires ANALYZE');
  }
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
