/** What the server is doing: sessions, locks, prepared statements, and statistics of use.
 *
 * Heddle does not count the uses of tables and indexes; those columns are 0. */

import { arrayOf, network, OID } from '../../types/index.ts';
import type { CatalogView, RelationDescriptor } from '../descriptors.ts';
import { isSystemSchema } from './cluster.ts';
import { SYSTEM_RELATIONS } from './shapes.ts';
import type { ActivityFacts, ProducerTable, SystemRow, SystemState } from './system-state.ts';

function* activityRows(state: SystemState): Iterable<SystemRow> {
  const { catalog, server, session } = state;
  const sessions = server.activity?.();
  if (sessions !== undefined) {
    for (const facts of sessions) yield activityRow(catalog, facts);
    return;
  }
  yield {
    datid: catalog.databaseByName(session.database)?.oid ?? null,
    datname: session.database,
    pid: session.processId,
    usesysid: catalog.roleByName(session.user)?.oid ?? null,
    usename: session.user,
    state: 'active',
    backend_type: 'client backend',
  };
}

function activityRow(catalog: CatalogView, facts: ActivityFacts): SystemRow {
  return {
    datid: catalog.databaseByName(facts.database)?.oid ?? null,
    datname: facts.database,
    pid: facts.pid,
    usesysid: catalog.roleByName(facts.user)?.oid ?? null,
    usename: facts.user,
    application_name: facts.applicationName,
    client_addr: network.ofSocket(facts.clientAddress ?? undefined),
    client_port: facts.clientPort,
    backend_start: facts.backendStart,
    xact_start: facts.transactionStart,
    query_start: facts.queryStart,
    state_change: facts.stateChange,
    wait_event_type: facts.waitEventType,
    wait_event: facts.waitEvent,
    state: facts.state,
    query: facts.query,
    backend_type: 'client backend',
  };
}

function* lockRows({ catalog, server, session }: SystemState): Iterable<SystemRow> {
  const database = catalog.databaseByName(session.database)?.oid ?? null;
  for (const facts of server.locks?.() ?? []) {
    const isRelation = facts.relation !== null;
    yield {
      locktype: facts.type,
      database: isRelation || facts.advisory !== undefined ? database : null,
      relation: facts.relation,
      transactionid: facts.transaction ?? null,
      classid: facts.advisory?.classId ?? null,
      objid: facts.advisory?.objectId ?? null,
      objsubid: facts.advisory?.subId ?? null,
      virtualtransaction: facts.virtualTransaction,
      pid: facts.pid,
      mode: facts.mode,
      granted: facts.granted,
      fastpath: false,
      waitstart: facts.waitStart,
    };
  }
}

function* preparedStatementRows({ server }: SystemState): Iterable<SystemRow> {
  for (const facts of server.preparedStatements?.() ?? []) {
    yield {
      name: facts.name,
      statement: facts.statement,
      prepare_time: facts.prepareTime,
      parameter_types: arrayOf(OID.regtype, facts.parameterTypes),
      from_sql: facts.fromSql,
      generic_plans: 0,
      custom_plans: 0,
    };
  }
}

function* cursorRows({ server }: SystemState): Iterable<SystemRow> {
  for (const facts of server.cursors?.() ?? []) {
    yield {
      name: facts.name,
      statement: facts.statement,
      is_holdable: facts.isHoldable,
      is_binary: facts.isBinary,
      is_scrollable: facts.scrollable,
      creation_time: facts.createTime,
    };
  }
}

function* databaseStatisticsRows(state: SystemState): Iterable<SystemRow> {
  const sessions = [...(state.server.activity?.() ?? [])];
  for (const { oid, name } of state.catalog.databases()) {
    yield {
      datid: oid,
      datname: name,
      numbackends: Math.max(1, sessions.filter(({ database }) => database === name).length),
      xact_commit: 0,
      xact_rollback: 0,
      blks_read: 0,
      blks_hit: 0,
      tup_returned: 0,
      tup_fetched: 0,
      tup_inserted: 0,
      tup_updated: 0,
      tup_deleted: 0,
      conflicts: 0,
      temp_files: 0,
      temp_bytes: 0,
      deadlocks: 0,
    };
  }
}

const UNCOUNTED: SystemRow = {
  seq_scan: 0,
  seq_tup_read: 0,
  idx_scan: 0,
  idx_tup_fetch: 0,
  n_tup_ins: 0,
  n_tup_upd: 0,
  n_tup_del: 0,
  n_tup_hot_upd: 0,
  n_live_tup: 0,
  n_dead_tup: 0,
  n_mod_since_analyze: 0,
  n_ins_since_vacuum: 0,
  vacuum_count: 0,
  autovacuum_count: 0,
  analyze_count: 0,
  autoanalyze_count: 0,
};

function* systemTableRows(): Iterable<SystemRow> {
  for (const { oid, schema, name, kind } of SYSTEM_RELATIONS) {
    if (kind === 'r') yield { ...UNCOUNTED, relid: oid, schemaname: schema, relname: name };
  }
}

function* userTables(catalog: CatalogView): Iterable<RelationDescriptor> {
  for (const relation of catalog.relations()) {
    if (relation.kind === 'table' && !isSystemSchema(relation.schema)) yield relation;
  }
}

function* userTableRows({ catalog, server }: SystemState): Iterable<SystemRow> {
  for (const table of userTables(catalog)) {
    yield {
      ...UNCOUNTED,
      relid: table.oid,
      schemaname: catalog.schemaByOid(table.schema)?.name ?? '',
      relname: table.name,
      n_live_tup: server.relationRows?.(table.oid) ?? table.statistics?.rows ?? 0,
    };
  }
}

function* allTableRows(state: SystemState): Iterable<SystemRow> {
  yield* systemTableRows();
  yield* userTableRows(state);
}

function* userIndexRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const table of userTables(catalog)) {
    for (const index of table.indexes) {
      yield {
        relid: table.oid,
        indexrelid: index.oid,
        schemaname: catalog.schemaByOid(table.schema)?.name ?? '',
        relname: table.name,
        indexrelname: index.name,
        idx_scan: 0,
        idx_tup_read: 0,
        idx_tup_fetch: 0,
      };
    }
  }
}

export const ACTIVITY_VIEWS: ProducerTable = {
  'pg_catalog.pg_stat_activity': activityRows,
  'pg_catalog.pg_locks': lockRows,
  'pg_catalog.pg_cursors': cursorRows,
  'pg_catalog.pg_prepared_statements': preparedStatementRows,
  'pg_catalog.pg_stat_database': databaseStatisticsRows,
  'pg_catalog.pg_stat_all_tables': allTableRows,
  'pg_catalog.pg_stat_sys_tables': systemTableRows,
  'pg_catalog.pg_stat_user_tables': userTableRows,
  'pg_catalog.pg_stat_all_indexes': userIndexRows,
  'pg_catalog.pg_stat_user_indexes': userIndexRows,
};
