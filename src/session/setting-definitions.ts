import { INERT_SETTINGS } from './planner-settings.ts';

/** The run-time settings (GUCs) that Heddle knows, spelled and bounded as PostgreSQL has them. */

interface SettingBase {
  readonly name: string;
  /** Category of pg_settings, shortened to its last part. */
  readonly category: string;
  readonly description: string;
  /** internal: cannot be changed; startup: only when the server starts; session: with SET. */
  readonly scope: 'internal' | 'startup' | 'session';
  /** Changes are told to the client by ParameterStatus. */
  readonly reported?: boolean;
  /** Accepted for the sake of clients; a NOTICE says that it has no effect. */
  readonly inert?: boolean;
  /** SET takes several values. */
  readonly isList?: boolean;
  /** EXPLAIN (SETTINGS) tells when it is changed. */
  readonly planner?: boolean;
}

export type SettingDefinition = SettingBase &
  (
    | { readonly kind: 'bool'; readonly initial: boolean }
    | {
        readonly kind: 'integer';
        readonly initial: number;
        readonly minimum: number;
        readonly maximum: number;
        /** Unit of the bare number: ms, s, kB, 8kB, or none. */
        readonly unit: '' | 'ms' | 's' | 'min' | 'kB' | '8kB' | 'MB' | 'B';
      }
    | {
        readonly kind: 'real';
        readonly initial: number;
        readonly minimum: number;
        readonly maximum: number;
      }
    | { readonly kind: 'enum'; readonly initial: string; readonly values: readonly string[] }
    | { readonly kind: 'string'; readonly initial: string }
  );

const CLIENT = 'Client Connection Defaults';
const PLANNER = 'Query Tuning';
const RESOURCES = 'Resource Usage';
const WAL = 'Write-Ahead Log';
const PRESET = 'Preset Options';
const LOCKS = 'Lock Management';

const isolationLevels = [
  'serializable',
  'repeatable read',
  'read committed',
  'read uncommitted',
] as const;

function planner(name: string): SettingDefinition {
  return {
    name,
    category: PLANNER,
    description: `Planner switch ${name}.`,
    scope: 'session',
    inert: true,
    planner: true,
    kind: 'bool',
    initial: true,
  };
}

function preset(name: string, initial: string, description: string): SettingDefinition {
  return { name, category: PRESET, description, scope: 'internal', kind: 'string', initial };
}

function milliseconds(name: string, category: string, description: string): SettingDefinition {
  return {
    name,
    category,
    description,
    scope: 'session',
    kind: 'integer',
    initial: 0,
    minimum: 0,
    maximum: 2147483647,
    unit: 'ms',
  };
}

export const SETTING_DEFINITIONS: readonly SettingDefinition[] = [
  {
    name: 'application_name',
    category: 'Reporting and Logging',
    description: 'Sets the application name to be reported in statistics and logs.',
    scope: 'session',
    reported: true,
    kind: 'string',
    initial: '',
  },
  {
    name: 'bytea_output',
    category: CLIENT,
    description: 'Sets the output format for bytea.',
    scope: 'session',
    kind: 'enum',
    initial: 'hex',
    values: ['escape', 'hex'],
  },
  {
    name: 'check_function_bodies',
    category: CLIENT,
    description: 'Check routine bodies during CREATE FUNCTION and CREATE PROCEDURE.',
    scope: 'session',
    inert: true,
    kind: 'bool',
    initial: true,
  },
  {
    name: 'client_encoding',
    category: CLIENT,
    description: "Sets the client's character set encoding.",
    scope: 'session',
    reported: true,
    kind: 'string',
    initial: 'UTF8',
  },
  {
    name: 'client_min_messages',
    category: CLIENT,
    description: 'Sets the message levels that are sent to the client.',
    scope: 'session',
    kind: 'enum',
    initial: 'notice',
    values: [
      'debug5',
      'debug4',
      'debug3',
      'debug2',
      'debug1',
      'debug',
      'log',
      'notice',
      'warning',
      'error',
    ],
  },
  {
    name: 'DateStyle',
    isList: true,
    category: CLIENT,
    description: 'Sets the display format for date and time values.',
    scope: 'session',
    reported: true,
    kind: 'string',
    initial: 'ISO, MDY',
  },
  milliseconds(
    'idle_in_transaction_session_timeout',
    CLIENT,
    'Sets the maximum allowed idle time between queries, when in a transaction.',
  ),
  milliseconds(
    'idle_session_timeout',
    CLIENT,
    'Sets the maximum allowed idle time between queries, when not in a transaction.',
  ),
  milliseconds('lock_timeout', CLIENT, 'Sets the maximum allowed duration of any wait for a lock.'),
  milliseconds('statement_timeout', CLIENT, 'Sets the maximum allowed duration of any statement.'),
  {
    name: 'deadlock_timeout',
    category: LOCKS,
    description: 'Sets the time to wait on a lock before checking for deadlock.',
    scope: 'session',
    kind: 'integer',
    initial: 1000,
    minimum: 1,
    maximum: 2147483647,
    unit: 'ms',
  },
  {
    name: 'default_transaction_isolation',
    category: CLIENT,
    description: 'Sets the transaction isolation level of each new transaction.',
    scope: 'session',
    kind: 'enum',
    initial: 'read committed',
    values: isolationLevels,
  },
  {
    name: 'default_transaction_read_only',
    category: CLIENT,
    description: 'Sets the default read-only status of new transactions.',
    scope: 'session',
    reported: true,
    kind: 'bool',
    initial: false,
  },
  {
    name: 'default_transaction_deferrable',
    category: CLIENT,
    description: 'Sets the default deferrable status of new transactions.',
    scope: 'session',
    kind: 'bool',
    initial: false,
  },
  {
    name: 'default_tablespace',
    category: CLIENT,
    description: 'Sets the default tablespace to create tables and indexes in.',
    scope: 'session',
    inert: true,
    kind: 'string',
    initial: '',
  },
  {
    name: 'default_table_access_method',
    category: CLIENT,
    description: 'Sets the default table access method for new tables.',
    scope: 'session',
    inert: true,
    kind: 'string',
    initial: 'heap',
  },
  {
    name: 'extra_float_digits',
    category: CLIENT,
    description: 'Sets the number of digits displayed for floating-point values.',
    scope: 'session',
    kind: 'integer',
    initial: 1,
    minimum: -15,
    maximum: 3,
    unit: '',
  },
  {
    name: 'IntervalStyle',
    category: CLIENT,
    description: 'Sets the display format for interval values.',
    scope: 'session',
    reported: true,
    kind: 'enum',
    initial: 'postgres',
    values: ['postgres', 'postgres_verbose', 'sql_standard', 'iso_8601'],
  },
  {
    name: 'lc_monetary',
    category: CLIENT,
    description: 'Sets the locale for formatting monetary amounts.',
    scope: 'session',
    kind: 'string',
    initial: 'C',
  },
  {
    name: 'xmloption',
    category: CLIENT,
    description:
      'Sets whether XML data in implicit parsing and serialization operations is to be considered as documents or content fragments.',
    scope: 'session',
    inert: true,
    kind: 'enum',
    initial: 'content',
    values: ['content', 'document'],
  },
  {
    name: 'row_security',
    category: CLIENT,
    description: 'Enable row security.',
    scope: 'session',
    inert: true,
    kind: 'bool',
    initial: true,
  },
  {
    name: 'search_path',
    isList: true,
    planner: true,
    category: CLIENT,
    description: 'Sets the schema search order for names that are not schema-qualified.',
    scope: 'session',
    kind: 'string',
    initial: '"$user", public',
  },
  {
    name: 'standard_conforming_strings',
    category: 'Version and Platform Compatibility',
    description: "Causes '...' strings to treat backslashes literally.",
    scope: 'session',
    reported: true,
    kind: 'bool',
    initial: true,
  },
  {
    name: 'synchronous_commit',
    category: WAL,
    description: "Sets the current transaction's synchronization level.",
    scope: 'session',
    kind: 'enum',
    initial: 'on',
    values: ['local', 'remote_write', 'remote_apply', 'on', 'off'],
  },
  {
    name: 'TimeZone',
    category: CLIENT,
    description: 'Sets the time zone for displaying and interpreting time stamps.',
    scope: 'session',
    reported: true,
    kind: 'string',
    initial: 'UTC',
  },
  {
    name: 'transaction_isolation',
    category: CLIENT,
    description: "Sets the current transaction's isolation level.",
    scope: 'session',
    kind: 'enum',
    initial: 'read committed',
    values: isolationLevels,
  },
  {
    name: 'transaction_read_only',
    category: CLIENT,
    description: "Sets the current transaction's read-only status.",
    scope: 'session',
    kind: 'bool',
    initial: false,
  },
  {
    name: 'transaction_deferrable',
    category: CLIENT,
    description:
      'Whether to defer a read-only serializable transaction until it can be executed with no possible serialization failures.',
    scope: 'session',
    kind: 'bool',
    initial: false,
  },
  {
    name: 'work_mem',
    planner: true,
    category: RESOURCES,
    description: 'Sets the maximum memory to be used for query workspaces.',
    scope: 'session',
    kind: 'integer',
    initial: 4096,
    minimum: 64,
    maximum: 2147483647,
    unit: 'kB',
  },
  {
    name: 'maintenance_work_mem',
    category: RESOURCES,
    description: 'Sets the maximum memory to be used for maintenance operations.',
    scope: 'session',
    inert: true,
    kind: 'integer',
    initial: 65536,
    minimum: 1024,
    maximum: 2147483647,
    unit: 'kB',
  },
  {
    name: 'shared_buffers',
    category: RESOURCES,
    description: 'Sets the number of page frames in the shared buffer pool.',
    scope: 'startup',
    kind: 'integer',
    initial: 65536,
    minimum: 128,
    maximum: 1073741823,
    unit: '8kB',
  },
  {
    name: 'max_connections',
    category: 'Connections and Authentication',
    description: 'Sets the maximum number of concurrent connections.',
    scope: 'startup',
    kind: 'integer',
    initial: 10000,
    minimum: 1,
    maximum: 262143,
    unit: '',
  },
  {
    name: 'read_workers',
    category: RESOURCES,
    description: 'Sets the number of reader threads; 0 stands for the number of cores less one.',
    scope: 'startup',
    kind: 'integer',
    initial: 0,
    minimum: 0,
    maximum: 60,
    unit: '',
  },
  {
    name: 'checkpoint_timeout',
    category: WAL,
    description: 'Sets the maximum time between automatic WAL checkpoints.',
    scope: 'startup',
    kind: 'integer',
    initial: 300,
    minimum: 1,
    maximum: 86400,
    unit: 's',
  },
  {
    name: 'max_wal_size',
    category: WAL,
    description: 'Sets the WAL size that triggers a checkpoint.',
    scope: 'startup',
    kind: 'integer',
    initial: 1024,
    minimum: 2,
    maximum: 2147483647,
    unit: 'MB',
  },
  {
    name: 'wal_writer_delay',
    category: WAL,
    description: 'Time within which commits made with synchronous_commit = off reach the disk.',
    scope: 'startup',
    kind: 'integer',
    initial: 200,
    minimum: 1,
    maximum: 10000,
    unit: 'ms',
  },
  preset('server_version', '15.18', 'Shows the server version.'),
  preset('server_version_num', '150018', 'Shows the server version as an integer.'),
  preset('server_encoding', 'UTF8', 'Shows the server (database) character set encoding.'),
  preset('integer_datetimes', 'on', 'Shows whether datetimes are integer based.'),
  preset('is_superuser', 'on', 'Shows whether the current user is a superuser.'),
  preset('session_authorization', 'postgres', 'Sets the session user name.'),
  preset('lc_collate', 'C', 'Shows the collation order locale.'),
  preset('lc_ctype', 'C', 'Shows the character classification and case conversion locale.'),
  preset('max_identifier_length', '63', 'Shows the maximum identifier length.'),
  preset('max_index_keys', '32', 'Shows the maximum number of index keys.'),
  preset('block_size', '8192', 'Shows the size of a disk block.'),
  preset('wal_block_size', '8192', 'Shows the block size in the write ahead log.'),
  preset('fsync', 'on', 'Forces synchronization of updates to disk.'),
  preset('full_page_writes', 'on', 'Torn pages are repaired after a crash.'),
  preset('wal_level', 'minimal', 'Sets the level of information written to the WAL.'),
  preset('data_checksums', 'on', 'Shows whether data checksums are turned on.'),
  preset('in_hot_standby', 'off', 'Shows whether hot standby is currently active.'),
  ...[
    'enable_async_append',
    'enable_bitmapscan',
    'enable_gathermerge',
    'enable_hashagg',
    'enable_hashjoin',
    'enable_incremental_sort',
    'enable_indexonlyscan',
    'enable_indexscan',
    'enable_material',
    'enable_memoize',
    'enable_mergejoin',
    'enable_nestloop',
    'enable_parallel_append',
    'enable_parallel_hash',
    'enable_partition_pruning',
    'enable_partitionwise_aggregate',
    'enable_partitionwise_join',
    'enable_seqscan',
    'enable_sort',
    'enable_tidscan',
    'jit',
    'geqo',
    'parallel_leader_participation',
    'synchronize_seqscans',
  ].map(planner),
  ...INERT_SETTINGS,
];
