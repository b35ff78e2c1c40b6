import { type Catalog, resolveSearchPath } from '../catalog/index.ts';
import { SystemNames } from '../catalog/system/index.ts';
import type { Severity } from '../errors/index.ts';
import type { IsolationLevel } from '../txn/index.ts';
import { type Datum, DEFAULT_TYPE_CONTEXT, type TypeContext } from '../types/index.ts';
import type {
  HeldSnapshot,
  PlannedStatement,
  PointReadRun,
  StatementBackend,
  StatementSettings,
} from './backend.ts';
import type { PrepareContext } from './prepared-statement.ts';
import type { ResultSink, StartupRequest } from './session-port.ts';
import { initialText, Settings, type SettingValues, settingDefinition } from './settings.ts';

const EPOCH_2000_MS = 946_684_800_000;

/** Interned by content, so that the threads are told of each set of settings once. */
const INTERNED = new Map<string, StatementSettings>();
const INTERNED_MAX = 4096;

/** A session's settings, and what is worked out of them when they change. */
export class SessionEnvironment {
  readonly settings: Settings;
  readonly processId: number;
  readonly user: string;
  readonly database: string;
  readonly peer: StartupRequest['peer'];
  readonly startTimestamp = this.now();
  private readonly serverStartTimestamp: number;
  private version = -1;
  private derived!: Derived;
  private readonly typeContext: { -readonly [K in keyof TypeContext]: TypeContext[K] };
  private names: SystemNames | null = null;
  private pathFor: KnownPath | null = null;

  constructor(options: {
    processId: number;
    user: string;
    database: string;
    peer: StartupRequest['peer'];
    defaults: SettingValues;
    serverStartTimestamp: number;
    onReported: (name: string, before: string) => void;
  }) {
    this.processId = options.processId;
    this.user = options.user;
    this.database = options.database;
    this.peer = options.peer;
    this.serverStartTimestamp = options.serverStartTimestamp;
    this.settings = new Settings(options.defaults, options.onReported);
    this.typeContext = { ...DEFAULT_TYPE_CONTEXT };
  }

  /** Microseconds since 2000-01-01 UTC. */
  now(): number {
    return Math.round((performance.timeOrigin + performance.now() - EPOCH_2000_MS) * 1000);
  }

  types(): TypeContext {
    this.refresh();
    return this.typeContext;
  }

  get statementTimeoutMs(): number {
    return this.refresh().statementTimeoutMs;
  }

  get idleInBlockTimeoutMs(): number {
    return this.refresh().idleInBlockTimeoutMs;
  }

  get idleTimeoutMs(): number {
    return this.refresh().idleTimeoutMs;
  }

  get asynchronousCommit(): boolean {
    return this.refresh().asynchronousCommit;
  }

  get defaultIsolation(): IsolationLevel {
    return isolationOf(this.settings.get('default_transaction_isolation'));
  }

  get defaultReadOnly(): boolean {
    return this.settings.isOn('default_transaction_read_only');
  }

  get defaultDeferrable(): boolean {
    return this.settings.isOn('default_transaction_deferrable');
  }

  statementSettings(): StatementSettings {
    return this.refresh().forStatements;
  }

  /** What the plan of a text depends on besides the text: how names and literals are read. Names mean
   * the same to all sessions without a temporary schema. */
  planScope(catalog: Catalog): string {
    const { planScope } = this.refresh();
    return this.knownPath(catalog).temporary === 0 ? planScope : `${this.processId}!${planScope}`;
  }

  /** Schemas where names are looked for, in order. */
  searchPath(catalog: Catalog): readonly number[] {
    return this.knownPath(catalog).schemas;
  }

  private knownPath(catalog: Catalog): KnownPath {
    const { schemaNames } = this.refresh();
    const known = this.pathFor;
    if (known !== null && known.catalog === catalog && known.version === catalog.version) {
      return known;
    }
    const { schemas, temporary } = resolveSearchPath(catalog, schemaNames, this.processId);
    this.pathFor = { catalog, version: catalog.version, schemas, temporary };
    return this.pathFor;
  }

  /** Literals such as 'now' mean the start of the transaction. */
  prepareContext(
    catalog: Catalog,
    backend: StatementBackend,
    transactionTimestamp: number,
    snapshot: HeldSnapshot | null,
  ): PrepareContext {
    const types = this.types();
    this.typeContext.objectNames = this.namesOf(catalog);
    this.typeContext.transactionTimestamp = transactionTimestamp;
    const { schemas, temporary } = this.knownPath(catalog);
    return {
      catalog,
      catalogVersion: catalog.versionFor(temporary),
      searchPath: schemas,
      processId: this.processId,
      types,
      snapshot: snapshot !== null && snapshot.lsn < catalog.newestIndexCommit ? snapshot.lsn : null,
      estimateRows: (tree) => backend.estimateRows(tree),
    };
  }

  /** Literals and parameters of regclass and its kin are read by this catalog's names, and types of users
   * are known by it. */
  namesOf(catalog: Catalog): SystemNames {
    const { searchPath } = this.refresh().forStatements;
    if (this.names?.catalog !== catalog) {
      this.names = new SystemNames(catalog, { searchPath, processId: this.processId });
    }
    return this.names;
  }

  pointReadRun(
    plan: PlannedStatement,
    parameters: readonly Datum[],
    formats: Uint8Array,
    sink: ResultSink,
  ): PointReadRun {
    return {
      plan,
      parameters,
      formats,
      sink,
      types: this.refresh().forStatements.types,
      rowCount: 0,
    };
  }

  wantsNotice(severity: Severity): boolean {
    const level = this.settings.get('client_min_messages');
    return (LEVELS[severity] ?? 9) >= (LEVELS[level.toUpperCase()] ?? 0);
  }

  private refresh(): Derived {
    if (this.version === this.settings.version) return this.derived;
    this.version = this.settings.version;
    this.pathFor = null;
    this.names = null;
    const { settings } = this;
    const [dateStyle = 'ISO', dateOrder = 'MDY'] = settings.get('DateStyle').split(', ');
    const schemaNames = parseSearchPath(settings.get('search_path'), this.user);
    const types: StatementSettings['types'] = {
      timeZone: settings.get('TimeZone'),
      dateStyle: dateStyle as StatementSettings['types']['dateStyle'],
      dateOrder: dateOrder as StatementSettings['types']['dateOrder'],
      intervalStyle: settings.get('IntervalStyle') as StatementSettings['types']['intervalStyle'],
      extraFloatDigits: settings.integer('extra_float_digits'),
      byteaOutput: settings.get('bytea_output') as 'hex' | 'escape',
    };
    Object.assign(this.typeContext, types);
    const forStatements = intern({
      user: this.user,
      sessionUser: this.user,
      database: this.database,
      searchPath: schemaNames,
      serverStartTimestamp: this.serverStartTimestamp,
      types,
      workMem: settings.integer('work_mem') * 1024,
      lockTimeoutMs: settings.integer('lock_timeout'),
      deadlockTimeoutMs: settings.integer('deadlock_timeout'),
      settings: changedSettings(settings),
    });
    this.derived = {
      forStatements,
      schemaNames,
      planScope: `${settings.get('search_path')}\u0001${JSON.stringify(types)}\u0001${this.user}\u0001`,
      statementTimeoutMs: settings.integer('statement_timeout'),
      idleInBlockTimeoutMs: settings.integer('idle_in_transaction_session_timeout'),
      idleTimeoutMs: settings.integer('idle_session_timeout'),
      asynchronousCommit: settings.get('synchronous_commit') === 'off',
    };
    return this.derived;
  }
}

/** What the search path means under a version of a catalog. */
interface KnownPath {
  readonly catalog: Catalog;
  readonly version: number;
  readonly schemas: readonly number[];
  /** Oid of the session's temporary schema; 0 before it has one. */
  readonly temporary: number;
}

interface Derived {
  readonly forStatements: StatementSettings;
  readonly schemaNames: readonly string[];
  readonly planScope: string;
  readonly statementTimeoutMs: number;
  readonly idleInBlockTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly asynchronousCommit: boolean;
}

const LEVELS: Readonly<Record<string, number>> = {
  DEBUG: 1,
  DEBUG1: 1,
  DEBUG2: 1,
  DEBUG3: 1,
  DEBUG4: 1,
  DEBUG5: 1,
  LOG: 2,
  NOTICE: 3,
  WARNING: 4,
  ERROR: 5,
  INFO: 9,
};

export function isolationOf(text: string): IsolationLevel {
  if (text === 'serializable') return text;
  return text === 'repeatable read' ? text : 'read committed';
}

/** The names of a search_path, with "$user" replaced. */
export function parseSearchPath(text: string, user: string): string[] {
  const names: string[] = [];
  for (const match of text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^",\s]+))\s*(?:,|$)/g)) {
    const name = match[1] === undefined ? match[2]!.toLowerCase() : match[1].replaceAll('""', '"');
    names.push(name === '$user' ? user : name);
  }
  return names;
}

function changedSettings(settings: Settings): Record<string, string> {
  const changed: Record<string, string> = {};
  for (const { name, value } of settings.changed()) {
    const definition = settingDefinition(name);
    if (definition === undefined || initialText(definition) !== value) changed[name] = value;
  }
  return changed;
}

function intern(settings: StatementSettings): StatementSettings {
  const key = JSON.stringify(settings);
  const known = INTERNED.get(key);
  if (known !== undefined) return known;
  if (INTERNED.size >= INTERNED_MAX) INTERNED.clear();
  INTERNED.set(key, settings);
  return settings;
}
