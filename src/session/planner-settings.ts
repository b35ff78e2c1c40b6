import type { SettingDefinition } from './setting-definitions.ts';

/** Settings of PostgreSQL's planner, workers and log that change no answer: they are accepted so that
 * scripts run, and change nothing. */

const CATEGORY = 'Query Tuning';

function inert(name: string) {
  const description = `PostgreSQL's ${name}.`;
  return { name, category: CATEGORY, description, scope: 'session', inert: true } as const;
}

/** Name, initial value, bounds, unit. */
type Whole = readonly [string, number, number, number, ('kB' | '8kB' | 'ms' | 'B')?];

const WHOLE: readonly Whole[] = [
  ['backend_flush_after', 0, 0, 256, '8kB'],
  ['default_statistics_target', 100, 1, 10000],
  ['effective_cache_size', 524288, 1, 2147483647, '8kB'],
  ['effective_io_concurrency', 1, 0, 1000],
  ['from_collapse_limit', 8, 1, 2147483647],
  ['geqo_effort', 5, 1, 10],
  ['geqo_generations', 0, 0, 2147483647],
  ['geqo_pool_size', 0, 0, 2147483647],
  ['geqo_threshold', 12, 2, 2147483647],
  ['join_collapse_limit', 8, 1, 2147483647],
  ['log_min_duration_statement', -1, -1, 2147483647, 'ms'],
  ['log_temp_files', -1, -1, 2147483647, 'kB'],
  ['maintenance_io_concurrency', 10, 0, 1000],
  ['max_parallel_maintenance_workers', 2, 0, 1024],
  ['max_parallel_workers', 8, 0, 1024],
  ['max_parallel_workers_per_gather', 2, 0, 1024],
  ['max_stack_depth', 2048, 100, 2147483647, 'kB'],
  ['min_parallel_index_scan_size', 64, 0, 715827882, '8kB'],
  ['min_parallel_table_scan_size', 1024, 0, 715827882, '8kB'],
  ['temp_buffers', 1024, 100, 1073741823, '8kB'],
  ['vacuum_cost_limit', 200, 1, 10000],
  ['vacuum_freeze_min_age', 50000000, 0, 1000000000],
  ['vacuum_freeze_table_age', 150000000, 0, 2000000000],
];

/** Name, initial value, bounds. */
type Real = readonly [string, number, number, number];

const COST_MAX = Number.MAX_VALUE;

const REAL: readonly Real[] = [
  ['cpu_index_tuple_cost', 0.005, 0, COST_MAX],
  ['cpu_operator_cost', 0.0025, 0, COST_MAX],
  ['cpu_tuple_cost', 0.01, 0, COST_MAX],
  ['cursor_tuple_fraction', 0.1, 0, 1],
  ['geqo_seed', 0, 0, 1],
  ['geqo_selection_bias', 2, 1.5, 2],
  ['hash_mem_multiplier', 2, 1, 1000],
  ['jit_above_cost', 100000, -1, COST_MAX],
  ['jit_inline_above_cost', 500000, -1, COST_MAX],
  ['jit_optimize_above_cost', 500000, -1, COST_MAX],
  ['parallel_setup_cost', 1000, 0, COST_MAX],
  ['parallel_tuple_cost', 0.1, 0, COST_MAX],
  ['random_page_cost', 4, 0, COST_MAX],
  ['recursive_worktable_factor', 10, 0.001, 1000000],
  ['seq_page_cost', 1, 0, COST_MAX],
];

const LOG_LEVELS = [
  ...['debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'info', 'notice'],
  ...['warning', 'error', 'log', 'fatal', 'panic'],
];

const CHOICES: readonly (readonly [string, readonly string[], string])[] = [
  ['compute_query_id', ['auto', 'regress', 'on', 'off'], 'auto'],
  ['constraint_exclusion', ['partition', 'on', 'off'], 'partition'],
  ['force_parallel_mode', ['off', 'on', 'regress'], 'off'],
  ['log_error_verbosity', ['terse', 'default', 'verbose'], 'default'],
  ['log_min_error_statement', LOG_LEVELS, 'error'],
  ['log_min_messages', LOG_LEVELS, 'warning'],
  ['log_statement', ['none', 'ddl', 'mod', 'all'], 'none'],
  ['plan_cache_mode', ['auto', 'force_generic_plan', 'force_custom_plan'], 'auto'],
  ['track_functions', ['none', 'pl', 'all'], 'none'],
];

const SWITCHES: readonly (readonly [string, boolean])[] = [
  ['jit_expressions', true],
  ['jit_tuple_deforming', true],
  ['log_duration', false],
  ['log_lock_waits', false],
  ['track_activities', true],
  ['track_counts', true],
  ['track_io_timing', false],
];

export const INERT_SETTINGS: readonly SettingDefinition[] = [
  ...WHOLE.map(
    ([name, initial, minimum, maximum, unit]): SettingDefinition => ({
      ...inert(name),
      kind: 'integer',
      initial,
      minimum,
      maximum,
      unit: unit ?? '',
    }),
  ),
  ...REAL.map(
    ([name, initial, minimum, maximum]): SettingDefinition => ({
      ...inert(name),
      kind: 'real',
      initial,
      minimum,
      maximum,
    }),
  ),
  ...CHOICES.map(
    ([name, values, initial]): SettingDefinition => ({
      ...inert(name),
      kind: 'enum',
      values,
      initial,
    }),
  ),
  ...SWITCHES.map(
    ([name, initial]): SettingDefinition => ({ ...inert(name), kind: 'bool', initial }),
  ),
];
