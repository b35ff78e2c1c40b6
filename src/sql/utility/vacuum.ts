import type { DefElem, Node, RangeVar, VacuumStmt } from '@pgsql/types';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { hasCondition, pgError, SQLSTATES } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { nameList } from '../bind/syntax.ts';
import { requireColumn } from './alter-column.ts';
import { analyzeTable } from './analyze.ts';
import type { Command } from './command.ts';
import type { UtilityExecution, UtilityPause } from './environment.ts';
import { findIndex, findRelation, isSystemView, undefinedRelation } from './object-names.ts';
import { booleanOption, knownOptions, optionText } from './option-list.ts';
import { partitionsBelow } from './partition-scan.ts';
import { isTable } from './relation-change.ts';
import { isOthers } from './temporary.ts';

/** VACUUM and ANALYZE. There is nothing to reclaim, so VACUUM alone only looks whether it may run. */
export function* vacuum(command: Command, statement: VacuumStmt): UtilityExecution {
  const isVacuum = statement.is_vacuumcmd === true;
  const tag = isVacuum ? 'VACUUM' : 'ANALYZE';
  const options = vacuumOptions(command, statement.options, tag);
  if (isVacuum && command.environment.inBlock) {
    throw pgError('active_sql_transaction', 'VACUUM cannot run inside a transaction block');
  }
  const run: Run = {
    command,
    isVacuum,
    analyze: !isVacuum || options.has('analyze'),
    verbose: options.has('verbose'),
    skipLocked: options.has('skip_locked'),
    mode: options.has('full') ? TABLE_LOCK.accessExclusive : TABLE_LOCK.shareUpdateExclusive,
  };
  if (statement.rels === undefined) {
    const tables = [...command.catalog.relations()].filter(isTable);
    for (const { oid } of tables) {
      const table = yield* lock(run, () => command.catalog.relationByOid(oid), null);
      if (table !== undefined) yield* process(run, table, null);
    }
    return { tag };
  }
  for (const node of statement.rels) {
    if (!('VacuumRelation' in node)) continue;
    const { relation: name = {}, va_cols } = node.VacuumRelation;
    if (va_cols !== undefined && !run.analyze) {
      throw pgError(
        'feature_not_supported',
        'ANALYZE option must be specified when a column list is provided',
      );
    }
    const table = yield* lockForVacuum(run, name);
    if (table !== undefined) yield* processWithPartitions(run, table, nameList(va_cols));
  }
  return { tag };
}

/** A partitioned table, and then the partitions, as if they were named one by one. */
function* processWithPartitions(
  run: Run,
  table: RelationDescriptor,
  columns: readonly string[],
): Generator<UtilityPause, void, undefined> {
  yield* process(run, table, columns);
  for (const { oid } of partitionsBelow(run.command, table)) {
    const partition = yield* lock(run, () => run.command.catalog.relationByOid(oid), null);
    if (partition !== undefined) yield* process(run, partition, columns);
  }
}

/** What the tables of one statement have in common. */
interface Run {
  readonly command: Command;
  readonly isVacuum: boolean;
  readonly analyze: boolean;
  readonly verbose: boolean;
  readonly skipLocked: boolean;
  /** The lock to take. */
  readonly mode: number;
}

function* process(
  { command, isVacuum, analyze, verbose }: Run,
  table: RelationDescriptor,
  columns: readonly string[] | null,
): Generator<UtilityPause, void, undefined> {
  if (isOthers(command, table)) return;
  const schema = command.catalog.schemaByOid(table.schema)?.name ?? '';
  const tell = (message: string, detail?: string): void => {
    if (!verbose) return;
    const fields = detail === undefined ? {} : { detail };
    command.environment.notice({ severity: 'INFO', message, ...fields });
  };
  if (isVacuum && table.kind === 'table') {
    tell(
      `vacuuming "${schema}.${table.name}"`,
      'Old versions of rows never reach a table, so there is nothing to remove.',
    );
  }
  if (!analyze) return;
  tell(`analyzing "${schema}.${table.name}"`);
  const found = yield* analyzeTable(command, table, analyzedColumns(table, columns ?? []));
  tell(
    `"${table.name}": scanned ${found.pages} of ${found.pages} pages, containing ${found.rows} live rows and 0 dead rows; ${found.sampled} rows in sample, ${found.rows} estimated total rows`,
  );
}

const VACUUM_OPTIONS: ReadonlySet<string> = new Set([
  'analyze',
  'verbose',
  'skip_locked',
  'freeze',
  'full',
  'disable_page_skipping',
  'process_toast',
  'truncate',
  'index_cleanup',
  'parallel',
]);

const ANALYZE_OPTIONS: ReadonlySet<string> = new Set(['verbose', 'skip_locked']);

/** Names of the options that are on. */
function vacuumOptions(
  command: Command,
  nodes: readonly Node[] | undefined,
  tag: 'VACUUM' | 'ANALYZE',
): ReadonlySet<string> {
  const known = tag === 'VACUUM' ? VACUUM_OPTIONS : ANALYZE_OPTIONS;
  const options = knownOptions(command, nodes, tag, known);
  const on = new Set<string>();
  for (const [name, option] of options) if (isOn(command, name, option)) on.add(name);
  if (!on.has('full')) return on;
  if (on.has('parallel')) {
    throw pgError('feature_not_supported', 'VACUUM FULL cannot be performed in parallel');
  }
  if (on.has('disable_page_skipping')) {
    const message = 'VACUUM option DISABLE_PAGE_SKIPPING cannot be used with FULL';
    throw pgError('feature_not_supported', message);
  }
  if (options.has('process_toast') && !on.has('process_toast')) {
    throw pgError('feature_not_supported', 'PROCESS_TOAST required with VACUUM FULL');
  }
  return on;
}

function isOn(command: Command, name: string, option: DefElem): boolean {
  if (name === 'parallel') return parallelWorkers(command, option) > 0;
  if (name === 'index_cleanup' && optionText(option.arg).toLowerCase() === 'auto') return true;
  return booleanOption(option);
}

function parallelWorkers(command: Command, { arg, location }: DefElem): number {
  const position = command.position(location);
  if (arg === undefined) {
    const message = 'parallel option requires a value between 0 and 1024';
    throw pgError('syntax_error', message, position);
  }
  const count = Number(optionText(arg));
  if (!Number.isInteger(count)) {
    throw pgError('syntax_error', 'parallel requires an integer value');
  }
  if (count >= 0 && count <= 1024) return count;
  const message = 'parallel workers for vacuum must be between 0 and 1024';
  throw pgError('syntax_error', message, position);
}

/** Locks what `find` finds. With SKIP_LOCKED, what is locked is passed over: undefined. A table that
 * the statement names is then warned of. */
function* lock(
  { command, isVacuum, skipLocked, mode }: Run,
  find: () => RelationDescriptor | undefined,
  name: RangeVar | null,
): Generator<UtilityPause, RelationDescriptor | undefined, undefined> {
  if (!skipLocked) return yield* command.lockNamed(find, mode);
  try {
    return yield* command.lockNamed(find, mode, true);
  } catch (thrown) {
    if (!hasCondition(thrown, 'lock_not_available')) throw thrown;
    if (name !== null) {
      command.environment.notice({
        severity: 'WARNING',
        sqlstate: SQLSTATES.lock_not_available,
        message: `skipping ${isVacuum ? 'vacuum' : 'analyze'} of "${name.relname}" --- lock not available`,
      });
    }
    return undefined;
  }
}

/** Finds and locks a table; undefined, with a warning, for what cannot be vacuumed. */
function* lockForVacuum(
  run: Run,
  name: RangeVar,
): Generator<UtilityPause, RelationDescriptor | undefined, undefined> {
  const { command, isVacuum } = run;
  const find = (): RelationDescriptor | undefined => findRelation(command, name);
  const relation = yield* lock(run, find, name);
  if (relation !== undefined && isTable(relation)) return relation;
  const passedOver = relation === undefined ? find() : undefined;
  if (passedOver !== undefined && isTable(passedOver)) return undefined;
  const isOther = relation !== undefined || findIndex(command, name) !== undefined;
  if (!isOther && !isSystemView(command, name)) throw undefinedRelation(command, name);
  if (isOther) {
    const verb = isVacuum ? 'vacuum' : 'analyze';
    command.environment.notice({
      severity: 'WARNING',
      sqlstate: '01000',
      message: `skipping "${name.relname}" --- cannot ${verb} non-tables or special system tables`,
    });
  }
  return undefined;
}

/** Positions of the columns to analyze; null for all. */
function analyzedColumns(table: RelationDescriptor, names: readonly string[]): number[] | null {
  if (names.length === 0) return null;
  return names.map((name, i) => {
    const position = requireColumn(table, name);
    if (names.indexOf(name) !== i) {
      throw pgError(
        'duplicate_column',
        `column "${name}" of relation "${table.name}" appears more than once`,
      );
    }
    return position;
  });
}
