import type { ReindexStmt } from '@pgsql/types';
import type { IndexDescriptor, RelationDescriptor } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { TABLE_LOCK } from '../../txn/index.ts';
import { type Command, writtenName } from './command.ts';
import type { UtilityExecution, UtilityPause } from './environment.ts';
import { buildIndex } from './index-build.ts';
import { findIndex, findRelation, undefinedRelation, undefinedSchema } from './object-names.ts';
import { booleanOption, knownOptions, optionText } from './option-list.ts';
import { lockPartitions } from './partition-scan.ts';
import { changeRelation, currentRelation, isTable } from './relation-change.ts';
import { isOthers, refuseOthers } from './temporary.ts';

/** REINDEX: secondary indexes are built anew. A primary index is the table itself and stays. */
export function* reindex(command: Command, statement: ReindexStmt): UtilityExecution {
  const tag = 'REINDEX';
  const { kind = 'REINDEX_OBJECT_TABLE', relation: name = {} } = statement;
  const verbose = checkOptions(command, statement);
  if (kind === 'REINDEX_OBJECT_INDEX') {
    const table = yield* command.lockNamed(() => {
      if (findRelation(command, name) !== undefined) {
        throw pgError('wrong_object_type', `"${name.relname}" is not an index`);
      }
      return findIndex(command, name)?.table;
    }, TABLE_LOCK.shareRowExclusive);
    const found = findIndex(command, name);
    if (table === undefined || found === undefined) {
      throw pgError('undefined_table', `relation "${writtenName(name)}" does not exist`);
    }
    yield* rebuildAll(command, table, found.index, verbose, 'REINDEX INDEX');
    return { tag };
  }
  if (kind === 'REINDEX_OBJECT_TABLE') {
    const table = yield* command.lockNamed(
      () => findRelation(command, name),
      TABLE_LOCK.shareRowExclusive,
    );
    const isIndex = table === undefined && findIndex(command, name) !== undefined;
    if (isIndex || (table !== undefined && !isTable(table))) {
      throw pgError('wrong_object_type', `"${name.relname}" is not a table or materialized view`);
    }
    if (table === undefined) throw undefinedRelation(command, name);
    yield* rebuildAll(command, table, null, verbose, 'REINDEX TABLE');
    return { tag };
  }
  if (command.environment.inBlock) {
    const what = kind.slice('REINDEX_OBJECT_'.length);
    throw pgError(
      'active_sql_transaction',
      `REINDEX ${what} cannot run inside a transaction block`,
    );
  }
  for (const { oid, name: tableName } of tablesOf(command, statement)) {
    yield* command.lock({ oid, name: tableName }, TABLE_LOCK.shareRowExclusive);
    const table = command.catalog.relationByOid(oid);
    if (table !== undefined) yield* rebuild(command, table, () => true, verbose);
  }
  return { tag };
}

/** Rebuilds an index, or all of a table; of a partitioned one what the partitions have of them. */
function* rebuildAll(
  command: Command,
  table: RelationDescriptor,
  wanted: IndexDescriptor | null,
  verbose: boolean,
  what: string,
): Generator<UtilityPause, void, undefined> {
  refuseOthers(command, table, 'reindex');
  if (table.kind === 'table') {
    const isWanted = ({ oid }: IndexDescriptor) => wanted === null || oid === wanted.oid;
    yield* rebuild(command, table, isWanted, verbose);
    return;
  }
  if (command.environment.inBlock) {
    throw pgError('active_sql_transaction', `${what} cannot run inside a transaction block`);
  }
  yield* lockPartitions(command, table, TABLE_LOCK.shareRowExclusive);
  for (const { oid } of command.catalog.partitionsOf(table.oid)) {
    const partition = currentRelation(command, oid)!;
    const part = partition.indexes.find(({ parent }) => parent === wanted?.oid) ?? null;
    if (wanted === null || part !== null) {
      yield* rebuildAll(command, partition, part, verbose, what);
    }
  }
}

const OPTIONS: ReadonlySet<string> = new Set(['verbose', 'concurrently', 'tablespace']);

/** Checks the options, and whether the statement may run where it does. True for VERBOSE. */
function checkOptions(command: Command, statement: ReindexStmt): boolean {
  const options = knownOptions(command, statement.params, 'REINDEX', OPTIONS);
  const flag = (name: string): boolean => {
    const option = options.get(name);
    return option !== undefined && booleanOption(option);
  };
  if (flag('concurrently') && command.environment.inBlock) {
    throw pgError(
      'active_sql_transaction',
      'REINDEX CONCURRENTLY cannot run inside a transaction block',
    );
  }
  const tablespace = options.get('tablespace');
  if (tablespace !== undefined) {
    const name = optionText(tablespace.arg);
    // There is one, which everything is in.
    if (name !== 'pg_default') {
      throw pgError('undefined_object', `tablespace "${name}" does not exist`);
    }
  }
  return flag('verbose');
}

/** The tables of a schema, or all. */
function tablesOf(command: Command, statement: ReindexStmt): RelationDescriptor[] {
  const tables = [...command.catalog.relations()].filter(
    (relation) => relation.kind === 'table' && !isOthers(command, relation),
  );
  if (statement.kind !== 'REINDEX_OBJECT_SCHEMA') {
    const { database } = command.environment.functions.session;
    if (statement.name !== undefined && statement.name !== database) {
      throw pgError('feature_not_supported', 'can only reindex the currently open database');
    }
    return statement.kind === 'REINDEX_OBJECT_SYSTEM' ? [] : tables;
  }
  const schema = command.catalog.schemaByName(statement.name ?? '');
  if (schema === undefined) throw undefinedSchema(statement.name ?? '');
  return tables.filter((table) => table.schema === schema.oid);
}

function* rebuild(
  command: Command,
  table: RelationDescriptor,
  isWanted: (index: IndexDescriptor) => boolean,
  verbose: boolean,
): Generator<UtilityPause, void, undefined> {
  const { environment } = command;
  const indexes: IndexDescriptor[] = [];
  for (const index of table.indexes) {
    if (index.clustered || !isWanted(index)) {
      indexes.push(index);
      continue;
    }
    const rebuilt = { ...index, tree: environment.createTree() };
    yield* buildIndex(command, table, rebuilt);
    environment.dropTree(index.tree);
    indexes.push(rebuilt);
    if (verbose) {
      environment.notice({ severity: 'INFO', message: `index "${index.name}" was reindexed` });
    }
  }
  changeRelation(command, table, { indexes });
}
