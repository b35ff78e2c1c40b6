import type { IndexStmt } from '@pgsql/types';
import { notSupported, pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import type { Command } from './command.ts';
import type { UtilityExecution } from './environment.ts';
import { includedColumns, indexColumnsOf, indexPredicate } from './index-columns.ts';
import { makeIndex } from './keys.ts';
import { duplicateRelation, findRelation, isNameTaken, undefinedRelation } from './object-names.ts';
import { putIndex, spreadIndex } from './partition-indexes.ts';
import { lockPartitions } from './partition-scan.ts';
import { refusePendingEvents } from './referencing.ts';
import { isTable } from './relation-change.ts';
import { checkIndexOptions } from './storage-options.ts';
import { refuseOthers } from './temporary.ts';
import { areNotSupported } from './unsupported.ts';

/** Access methods that PostgreSQL has and that are not there yet. */
const OTHER_METHODS: ReadonlySet<string> = new Set(['hash', 'gin', 'gist', 'spgist', 'brin']);

/** CREATE INDEX. */
export function* createIndex(command: Command, statement: IndexStmt): UtilityExecution {
  const { environment } = command;
  const tag = 'CREATE INDEX';
  if (statement.concurrent === true && environment.inBlock) {
    throw pgError(
      'active_sql_transaction',
      'CREATE INDEX CONCURRENTLY cannot run inside a transaction block',
    );
  }
  const method = statement.accessMethod ?? 'btree';
  if (OTHER_METHODS.has(method)) throw notSupported(`access method "${method}"`);
  if (method !== 'btree') {
    throw pgError('undefined_object', `access method "${method}" does not exist`);
  }
  if (statement.tableSpace !== undefined) throw areNotSupported('tablespaces');
  const name = statement.relation ?? {};
  // CONCURRENTLY is a plain build too: writers wait until it is done. The mode is stronger than
  // PostgreSQL's SHARE, because two builds at a time would each change the table's descriptor.
  const table = yield* command.lockNamed(
    () => findRelation(command, name),
    TABLE_LOCK.shareRowExclusive,
  );
  if (table === undefined) throw undefinedRelation(command, name);
  if (!isTable(table)) {
    throw pgError('wrong_object_type', `cannot create index on relation "${table.name}"`, {
      detail: `This operation is not supported for ${table.kind}s.`,
    });
  }
  refuseOthers(command, table, 'create indexes on');
  if (table.partitioning !== null && statement.concurrent === true) {
    throw pgError(
      'feature_not_supported',
      `cannot create index on partitioned table "${table.name}" concurrently`,
    );
  }
  yield* lockPartitions(command, table, TABLE_LOCK.shareRowExclusive);
  refusePendingEvents(command, table, 'CREATE INDEX');
  const predicate = indexPredicate(command, table, statement.whereClause);
  const columns = indexColumnsOf(command, table, statement.indexParams ?? []);
  const included = includedColumns(table, statement);
  const { idxname } = statement;
  if (idxname !== undefined) yield* command.claimName(table.schema, idxname);
  if (idxname !== undefined && isNameTaken(command.catalog, table.schema, idxname)) {
    if (statement.if_not_exists !== true) throw duplicateRelation(idxname);
    environment.notice({
      sqlstate: '42P07',
      message: `relation "${idxname}" already exists, skipping`,
    });
    return { tag };
  }
  checkIndexOptions(statement.options, false);
  const index = makeIndex(command, table, {
    name: idxname,
    columns,
    included,
    predicate,
    unique: statement.unique === true,
    nullsNotDistinct: statement.nulls_not_distinct === true,
  });
  const changed = yield* putIndex(command, table, index, []);
  if (name.inh === true) yield* spreadIndex(command, changed, index);
  return { tag };
}
