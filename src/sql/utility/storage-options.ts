import type { DefElem, Node } from '@pgsql/types';
import { pgError } from '../../errors/index.ts';
import { optionText } from './option-list.ts';

/** WITH (fillfactor = 70): kept as `name=value`, as pg_class.reloptions shows them. Those of tables and indexes
 * tell how PostgreSQL would store a relation, which is not how Heddle does; so those of tables are checked and
 * kept, and those of indexes checked. */

type OptionKind =
  | { readonly kind: 'integer'; readonly minimum: number; readonly maximum: number }
  | { readonly kind: 'real'; readonly minimum: number; readonly maximum: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'enum'; readonly values: readonly string[]; readonly list: string };

const BOOLEAN: OptionKind = { kind: 'boolean' };
const INDEX_CLEANUP: OptionKind = {
  kind: 'enum',
  values: ['on', 'off', 'auto', 'true', 'false', 'yes', 'no', '1', '0'],
  list: '"on", "off", and "auto"',
};

function integer(minimum: number, maximum: number): OptionKind {
  return { kind: 'integer', minimum, maximum };
}

function real(minimum: number, maximum: number): OptionKind {
  return { kind: 'real', minimum, maximum };
}

/** Options that a table shares with the table of its long values, which is named `toast.`. */
const SHARED_OPTIONS: readonly (readonly [string, OptionKind])[] = [
  ['autovacuum_enabled', BOOLEAN],
  ['autovacuum_vacuum_threshold', integer(0, 2147483647)],
  ['autovacuum_vacuum_insert_threshold', integer(-1, 2147483647)],
  ['autovacuum_vacuum_cost_limit', integer(1, 10000)],
  ['autovacuum_vacuum_cost_delay', real(0, 100)],
  ['autovacuum_vacuum_scale_factor', real(0, 100)],
  ['autovacuum_vacuum_insert_scale_factor', real(0, 100)],
  ['autovacuum_freeze_min_age', integer(0, 1000000000)],
  ['autovacuum_freeze_max_age', integer(100000, 2000000000)],
  ['autovacuum_freeze_table_age', integer(0, 2000000000)],
  ['autovacuum_multixact_freeze_min_age', integer(0, 1000000000)],
  ['autovacuum_multixact_freeze_max_age', integer(10000, 2000000000)],
  ['autovacuum_multixact_freeze_table_age', integer(0, 2000000000)],
  ['log_autovacuum_min_duration', integer(-1, 2147483647)],
  ['vacuum_index_cleanup', INDEX_CLEANUP],
  ['vacuum_truncate', BOOLEAN],
];

const TABLE_OPTIONS: ReadonlyMap<string, OptionKind> = new Map([
  ...SHARED_OPTIONS,
  ['fillfactor', integer(10, 100)],
  ['parallel_workers', integer(0, 1024)],
  ['toast_tuple_target', integer(128, 8160)],
  ['autovacuum_analyze_threshold', integer(0, 2147483647)],
  ['autovacuum_analyze_scale_factor', real(0, 100)],
  ['user_catalog_table', BOOLEAN],
]);

const TOAST_OPTIONS: ReadonlyMap<string, OptionKind> = new Map(SHARED_OPTIONS);

const INDEX_OPTIONS: ReadonlyMap<string, OptionKind> = new Map([
  ['fillfactor', integer(10, 100)],
  ['deduplicate_items', BOOLEAN],
]);

/** Those of views have effects, but for security_invoker: there is one role. */
const VIEW_OPTIONS: ReadonlyMap<string, OptionKind> = new Map<string, OptionKind>([
  ['security_barrier', BOOLEAN],
  ['security_invoker', BOOLEAN],
  ['check_option', { kind: 'enum', values: ['local', 'cascaded'], list: '"local" and "cascaded"' }],
]);

/** A view's options, likewise. */
export function viewOptions(
  present: readonly string[],
  nodes: readonly Node[] | undefined,
  reset: boolean,
): string[] {
  const options = new Map(present.map((option) => [option.split('=')[0] ?? '', option]));
  for (const { name, option } of namedOptions(nodes, [], reset)) {
    const text = optionText(option.arg);
    options.delete(name);
    if (reset) continue;
    checkOption(VIEW_OPTIONS, name, text);
    options.set(name, `${name}=${text}`);
  }
  return [...options.values()];
}

/** A table's options with those of `nodes` set or (`reset`) removed. */
export function storageOptions(
  present: readonly string[],
  nodes: readonly Node[] | undefined,
  reset: boolean,
): string[] {
  const options = new Map(present.map((option) => [option.split('=')[0] ?? '', option]));
  for (const { name, option } of namedOptions(nodes, ['toast'], reset)) {
    const text = optionText(option.arg);
    if (reset) options.delete(name);
    else if (name === 'oids') refuseOids(text);
    else {
      const known = option.defnamespace === 'toast' ? TOAST_OPTIONS : TABLE_OPTIONS;
      checkOption(known, option.defname ?? '', text);
      options.delete(name);
      options.set(name, `${name}=${text}`);
    }
  }
  return [...options.values()];
}

/** Refuses all options: a partitioned table, which stores nothing, has none. */
export function refuseOptions(nodes: readonly Node[] | undefined): void {
  for (const { option } of namedOptions(nodes, ['toast'], false)) {
    throw pgError('invalid_parameter_value', `unrecognized parameter "${option.defname}"`);
  }
}

/** Checks the options of an index. They have no effect. */
export function checkIndexOptions(nodes: readonly Node[] | undefined, reset: boolean): void {
  for (const { option } of namedOptions(nodes, [], reset)) {
    if (!reset) checkOption(INDEX_OPTIONS, option.defname ?? '', optionText(option.arg));
  }
}

/** The options with their full names, which differ. */
function namedOptions(
  nodes: readonly Node[] | undefined,
  namespaces: readonly string[],
  reset: boolean,
): { readonly name: string; readonly option: DefElem }[] {
  const named: { readonly name: string; readonly option: DefElem }[] = [];
  for (const node of nodes ?? []) {
    if (!('DefElem' in node)) continue;
    const option = node.DefElem;
    const { defnamespace, defname = '' } = option;
    if (defnamespace !== undefined && !namespaces.includes(defnamespace)) {
      throw pgError(
        'invalid_parameter_value',
        `unrecognized parameter namespace "${defnamespace}"`,
      );
    }
    if (reset && option.arg !== undefined) {
      throw pgError('syntax_error', 'RESET must not include values for parameters');
    }
    const name = defnamespace === undefined ? defname : `${defnamespace}.${defname}`;
    if (!reset && named.some((other) => other.name === name)) {
      throw pgError('invalid_parameter_value', `parameter "${defname}" specified more than once`);
    }
    named.push({ name, option });
  }
  return named;
}

function refuseOids(text: string): void {
  if (text !== 'true') return;
  throw pgError('feature_not_supported', 'tables declared WITH OIDS are not supported');
}

function checkOption(known: ReadonlyMap<string, OptionKind>, name: string, text: string): void {
  const option = known.get(name);
  if (option === undefined) {
    throw pgError('invalid_parameter_value', `unrecognized parameter "${name}"`);
  }
  switch (option.kind) {
    case 'integer':
    case 'real':
      checkNumber(option, name, text);
      return;
    case 'boolean':
      if (BOOLEAN_WORD.test(text)) return;
      throw invalidValue('boolean', name, text);
    case 'enum':
      if (option.values.includes(text.toLowerCase())) return;
      throw invalidValue('enum', name, text, `Valid values are ${option.list}.`);
  }
}

function checkNumber(
  { kind, minimum, maximum }: OptionKind & { readonly kind: 'integer' | 'real' },
  name: string,
  text: string,
): void {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw invalidValue(kind === 'real' ? 'floating point' : 'integer', name, text);
  }
  if (value >= minimum && value <= maximum) return;
  const bound = (limit: number) => (kind === 'real' ? limit.toFixed(6) : String(limit));
  throw pgError('invalid_parameter_value', `value ${text} out of bounds for option "${name}"`, {
    detail: `Valid values are between "${bound(minimum)}" and "${bound(maximum)}".`,
  });
}

/** What PostgreSQL reads as a boolean: its words, and the beginnings that only one of them has. */
const BOOLEAN_WORD = /^(t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|n|no|on|of|off|1|0)$/i;

function invalidValue(kind: string, name: string, text: string, detail?: string) {
  return pgError(
    'invalid_parameter_value',
    `invalid value for ${kind} option "${name}": ${text}`,
    detail === undefined ? {} : { detail },
  );
}
