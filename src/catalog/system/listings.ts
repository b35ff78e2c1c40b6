/** The views that list tables, indexes, views and sequences by name: pg_tables, pg_indexes, … */

import { type Int8, int8 } from '../../types/index.ts';
import type { CatalogView } from '../descriptors.ts';
import { isOtherTemporary } from '../search-path.ts';
import { indexDefinition, viewDefinition } from './definitions.ts';
import { OWNER } from './object-identity.ts';
import { SystemNames } from './object-names.ts';
import { isReferencing } from './relations.ts';
import { SYSTEM_RELATIONS } from './shapes.ts';
import type { ProducerTable, SystemRow, SystemState } from './system-state.ts';

function ownerName(catalog: CatalogView, owner: number): string {
  return catalog.roleByOid(owner)?.name ?? `unknown (OID=${owner})`;
}

function schemaName(catalog: CatalogView, schema: number): string {
  return catalog.schemaByOid(schema)?.name ?? '';
}

function* tableRows({ catalog }: SystemState): Iterable<SystemRow> {
  const row = { hasrules: false, hastriggers: false, rowsecurity: false };
  for (const shape of SYSTEM_RELATIONS) {
    if (shape.kind !== 'r') continue;
    yield {
      ...row,
      schemaname: shape.schema,
      tablename: shape.name,
      tableowner: ownerName(catalog, OWNER),
      hasindexes: false,
    };
  }
  for (const table of catalog.relations()) {
    if (table.kind !== 'table' && table.kind !== 'partitioned') continue;
    yield {
      ...row,
      hastriggers: isReferencing(catalog, table),
      schemaname: schemaName(catalog, table.schema),
      tablename: table.name,
      tableowner: ownerName(catalog, table.owner),
      hasindexes: table.indexes.length > 0,
    };
  }
}

function* viewRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const shape of SYSTEM_RELATIONS) {
    if (shape.kind !== 'v') continue;
    yield {
      schemaname: shape.schema,
      viewname: shape.name,
      viewowner: ownerName(catalog, OWNER),
    };
  }
  for (const view of catalog.relations()) {
    if (view.kind !== 'view') continue;
    yield {
      schemaname: schemaName(catalog, view.schema),
      viewname: view.name,
      viewowner: ownerName(catalog, view.owner),
      definition: viewDefinition(view),
    };
  }
}

function* indexRows({ catalog, session }: SystemState): Iterable<SystemRow> {
  const names = new SystemNames(catalog, session);
  for (const table of catalog.relations()) {
    for (const index of table.indexes) {
      yield {
        schemaname: schemaName(catalog, table.schema),
        tablename: table.name,
        indexname: index.name,
        indexdef: indexDefinition(names, table, index),
      };
    }
  }
}

/** pg_sequence */
function* sequenceRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const { oid, sequence } of catalog.relations()) {
    if (sequence === null) continue;
    yield {
      seqrelid: oid,
      seqtypid: sequence.type,
      seqstart: int8(sequence.start),
      seqincrement: int8(sequence.increment),
      seqmax: int8(sequence.maximum),
      seqmin: int8(sequence.minimum),
      seqcache: int8(sequence.cache),
      seqcycle: sequence.cycle,
    };
  }
}

/** pg_sequences */
function* sequenceListRows({ catalog, server, session }: SystemState): Iterable<SystemRow> {
  for (const relation of catalog.relations()) {
    const { sequence } = relation;
    if (sequence === null) continue;
    if (isOtherTemporary(catalog, relation.schema, session.processId)) continue;
    const value = server.sequenceValue?.(relation.oid);
    const last: Int8 | null = value?.isCalled === true ? value.lastValue : null;
    yield {
      schemaname: schemaName(catalog, relation.schema),
      sequencename: relation.name,
      sequenceowner: ownerName(catalog, relation.owner),
      data_type: sequence.type,
      start_value: int8(sequence.start),
      min_value: int8(sequence.minimum),
      max_value: int8(sequence.maximum),
      increment_by: int8(sequence.increment),
      cycle: sequence.cycle,
      cache_size: int8(sequence.cache),
      last_value: last,
    };
  }
}

function* statisticsRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const table of catalog.relations()) {
    for (const [position, column] of table.columns.entries()) {
      const statistics = table.statistics?.columns[position] ?? null;
      if (statistics === null || column.dropped) continue;
      yield {
        schemaname: schemaName(catalog, table.schema),
        tablename: table.name,
        attname: column.name,
        inherited: false,
        null_frac: statistics.nullFraction,
        avg_width: Math.round(statistics.averageWidth),
        n_distinct: statistics.distinct,
      };
    }
  }
}

export const LISTING_VIEWS: ProducerTable = {
  'pg_catalog.pg_tables': tableRows,
  'pg_catalog.pg_views': viewRows,
  'pg_catalog.pg_indexes': indexRows,
  'pg_catalog.pg_sequence': sequenceRows,
  'pg_catalog.pg_sequences': sequenceListRows,
  'pg_catalog.pg_stats': statisticsRows,
};
