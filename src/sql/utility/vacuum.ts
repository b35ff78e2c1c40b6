import type { Node, RangeVar, VacuumStmt } from '@pgsql/types';
import type { RelationDescriptor } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { nameList } from '../bind/syntax.ts';
import { requireColumn } from './alter-column.ts';
import { analyzeTable } from './analyze.ts';
import type { Command } from './command.ts';
import { booleanOption } from './copy-from.ts';
import type { UtilityExecution, UtilityPause } from './environment.ts';
import { findIndex, findRelation, isSystemView, undefinedRelation } from './object-names.ts';

/** VACUUM and ANALYZE. There is nothing to reclaim, so VACUUM alone only looks whether it may run. */
export function* vacuum(command: Command, statement: VacuumStmt): UtilityExecution {
  const isVacuum = statement.is_vacuumcmd === true;
  const tag = isVacuum ? 'VACUUM' : 'ANALYZE';
  const options = vacuumOptions(command, statement.options ?? [], tag);
  if (isVacuum && command.environment.inBlock) {
    throw pgError('active_sql_transaction', 'VACUUM cannot run inside a transaction block');
  }
  const analyze = !isVacuum || options.has('analyze');
  const mode = options.has('full') ? TABLE_LOCK.accessExclusive : TABLE_LOCK.shareUpdateExclusive;
  if (statement.rels === undefined) {
    const tables = [...command.catalog.relations()].filter(({ kind }) => kind === 'table');
    for (const { oid, name } of tables) {
      yield* command.lock({ oid, name }, mode);
      const table = command.catalog.relationByOid(oid);
      if (table !== undefined && analyze) yield* analyzeTable(command, table, null);
    }
    return { tag };
  }
  for (const node of statement.rels) {
    if (!('VacuumRelation' in node)) continue;
    const { relation: name = {}, va_cols } = node.VacuumRelation;
    if (va_cols !== undefined && !analyze) {
      throw pgError(
        'feature_not_supported',
        'ANALYZE option must be specified when a column list is provided',
      );
    }
    const table = yield* lockForVacuum(command, name, mode, isVacuum);
    if (table === undefined || !analyze) continue;
    yield* analyzeTable(command, table, analyzedColumns(table, nameList(va_cols)));
  }
  return { tag };
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

/** Names of the options that are on. */
function vacuumOptions(command: Command, nodes: readonly Node[], tag: string): ReadonlySet<string> {
  const on = new Set<string>();
  for (const node of nodes) {
    if (!('DefElem' in node)) continue;
    const { defname = '', location } = node.DefElem;
    const known =
      tag === 'VACUUM' ? VACUUM_OPTIONS.has(defname) : /^(verbose|skip_locked)$/.test(defname);
    if (!known) {
      throw pgError(
        'syntax_error',
        `unrecognized ${tag} option "${defname}"`,
        command.position(location),
      );
    }
    const free = defname === 'index_cleanup' || defname === 'parallel';
    if (free || booleanOption(node.DefElem)) on.add(defname);
  }
  return on;
}

/** Finds and locks a table; undefined, with a warning, for what cannot be vacuumed. */
function* lockForVacuum(
  command: Command,
  name: RangeVar,
  mode: number,
  isVacuum: boolean,
): Generator<UtilityPause, RelationDescriptor | undefined, undefined> {
  const relation = yield* command.lockNamed(() => findRelation(command, name), mode);
  if (relation?.kind === 'table') return relation;
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
