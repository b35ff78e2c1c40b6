import type { Node } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';

/** WITH (fillfactor = 70): kept as `name=value`, as pg_class.reloptions shows them. They tell how
 * PostgreSQL would store a table, which is not how Heddle does; so they are checked and kept. */

const INTEGER_OPTIONS: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['fillfactor', [10, 100]],
  ['parallel_workers', [0, 1024]],
  ['toast_tuple_target', [128, 8160]],
  ['autovacuum_vacuum_threshold', [0, 2147483647]],
  ['autovacuum_analyze_threshold', [0, 2147483647]],
  ['autovacuum_vacuum_insert_threshold', [-1, 2147483647]],
  ['autovacuum_vacuum_cost_limit', [1, 10000]],
  ['autovacuum_freeze_min_age', [0, 1000000000]],
  ['autovacuum_freeze_max_age', [100000, 2000000000]],
  ['autovacuum_freeze_table_age', [0, 2000000000]],
  ['autovacuum_multixact_freeze_min_age', [0, 1000000000]],
  ['autovacuum_multixact_freeze_max_age', [10000, 2000000000]],
  ['autovacuum_multixact_freeze_table_age', [0, 2000000000]],
  ['log_autovacuum_min_duration', [-1, 2147483647]],
]);

const OTHER_OPTIONS: ReadonlySet<string> = new Set([
  'autovacuum_enabled',
  'autovacuum_vacuum_scale_factor',
  'autovacuum_vacuum_insert_scale_factor',
  'autovacuum_analyze_scale_factor',
  'autovacuum_vacuum_cost_delay',
  'user_catalog_table',
  'vacuum_truncate',
  'vacuum_index_cleanup',
]);

/** The options with those of `nodes` set or (`reset`) removed. */
export function storageOptions(
  present: readonly string[],
  nodes: readonly Node[] | undefined,
  reset: boolean,
): string[] {
  const options = new Map(present.map((option) => [option.split('=')[0] ?? '', option]));
  for (const node of nodes ?? []) {
    if (!('DefElem' in node)) continue;
    const { defnamespace, defname = '', arg } = node.DefElem;
    const name = defnamespace === undefined ? defname : `${defnamespace}.${defname}`;
    if (name === 'oids') {
      if (optionText(arg) === 'true') {
        throw pgError('feature_not_supported', 'tables declared WITH OIDS are not supported');
      }
      continue;
    }
    const known = defnamespace === 'toast' ? defname : name;
    if (!INTEGER_OPTIONS.has(known) && !OTHER_OPTIONS.has(known)) {
      throw pgError('invalid_parameter_value', `unrecognized parameter "${name}"`);
    }
    options.delete(name);
    if (!reset) options.set(name, `${name}=${checked(known, optionText(arg))}`);
  }
  return [...options.values()];
}

/** Value of an option as text; a bare option is true. */
export function optionText(arg: Node | undefined): string {
  if (arg === undefined) return 'true';
  if ('String' in arg) return arg.String.sval ?? '';
  if ('Integer' in arg) return String(arg.Integer.ival ?? 0);
  if ('Float' in arg) return arg.Float.fval ?? '';
  if ('Boolean' in arg) return String(arg.Boolean.boolval === true);
  if ('TypeName' in arg) {
    const last = arg.TypeName.names?.at(-1);
    return last !== undefined && 'String' in last ? (last.String.sval ?? '') : '';
  }
  return '';
}

function checked(name: string, text: string): string {
  const range = INTEGER_OPTIONS.get(name);
  if (range === undefined) return text;
  const [minimum, maximum] = range;
  if (!/^[+-]?\d+$/.test(text)) {
    throw pgError('invalid_parameter_value', `invalid value for integer option "${name}": ${text}`);
  }
  const value = Number(text);
  if (value >= minimum && value <= maximum) return text;
  throw pgError('invalid_parameter_value', `value ${text} out of bounds for option "${name}"`, {
    detail: `Valid values are between "${minimum}" and "${maximum}".`,
  });
}
