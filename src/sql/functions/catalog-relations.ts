/** Facts about relations: sizes, what can be done with them, sequences' values; and who waits for whom. */

import { type Updatability, updatabilityOf } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import { arrayOf, type Datum, OID } from '../../types/index.ts';
import { catalogOf } from './catalog-context.ts';
import type { FunctionContext } from './function.ts';
import type { Scalars } from './order.ts';

type C = FunctionContext;

const PAGE_SIZE = 8192;
const DATABASE_TABLESPACE = 1663;

/** Bytes of a relation's or an index's own tree; null where there is none of the oid. A clustered
 * primary index is the table itself. */
function ownSize(context: C, oid: number): number | null {
  const catalog = catalogOf(context);
  const place = catalog.indexByOid(oid);
  if (place?.index.clustered === true) return 0;
  const relation = catalog.relationByOid(oid);
  if (place === undefined && relation === undefined) {
    const isSystemView = context.objectNames?.nameOf('regclass', oid) != null;
    return isSystemView ? 0 : null;
  }
  const pages = context.server?.relationPages?.(oid) ?? relation?.statistics?.pages ?? 0;
  return pages * PAGE_SIZE;
}

function indexesSize(context: C, oid: number): number | null {
  const own = ownSize(context, oid);
  if (own === null) return null;
  const indexes = catalogOf(context).relationByOid(oid)?.indexes ?? [];
  return indexes.reduce((sum, index) => sum + (ownSize(context, index.oid) ?? 0), 0);
}

function totalSize(context: C, oid: number): number | null {
  const own = ownSize(context, oid);
  return own === null ? null : own + (indexesSize(context, oid) ?? 0);
}

function forkSize(context: C, oid: number, fork: string): number | null {
  if (fork === 'main') return ownSize(context, oid);
  if (fork === 'fsm' || fork === 'vm' || fork === 'init') {
    return ownSize(context, oid) === null ? null : 0;
  }
  throw pgError('invalid_parameter_value', 'invalid fork name', {
    hint: 'Valid fork names are "main", "fsm", "vm", and "init".',
  });
}

function databaseSize(context: C): number {
  let size = 0;
  for (const relation of catalogOf(context).relations()) {
    size += totalSize(context, relation.oid) ?? 0;
  }
  return size;
}

function databaseSizeByName(context: C, name: string): number {
  if (catalogOf(context).databaseByName(name) === undefined) {
    throw pgError('invalid_catalog_name', `database "${name}" does not exist`);
  }
  return databaseSize(context);
}

function databaseSizeByOid(context: C, oid: number): number | null {
  for (const database of catalogOf(context).databases()) {
    if (database.oid === oid) return databaseSize(context);
  }
  return null;
}

function tablespaceSizeByName(context: C, name: string): number {
  if (name === 'pg_default') return databaseSize(context);
  if (name === 'pg_global') return 0;
  throw pgError('undefined_object', `tablespace "${name}" does not exist`);
}

/** Relations are stored under their own oids. */
function fileNode(context: C, oid: number): number | null {
  const catalog = catalogOf(context);
  const relation = catalog.relationByOid(oid);
  if (relation === undefined) return catalog.indexByOid(oid) === undefined ? null : oid;
  return relation.kind === 'view' || relation.kind === 'partitioned' ? null : oid;
}

function sequenceLastValue(context: C, oid: number): Datum {
  const value = context.server?.sequenceValue?.(oid);
  return value?.isCalled === true ? value.lastValue : null;
}

/** Bits of the commands that change a relation: UPDATE, INSERT, DELETE. */
const TAKES_VALUES = 4 | 8;
const TAKES_DELETE = 16;

function updatability(context: C, oid: number): Updatability | null {
  const catalog = catalogOf(context);
  const relation = catalog.relationByOid(oid);
  return relation === undefined ? null : updatabilityOf(catalog, relation);
}

/** What can be done with a relation, as bits. */
function changesTaken(context: C, oid: number): number {
  const found = updatability(context, oid);
  return (found?.takesValues ? TAKES_VALUES : 0) | (found?.takesDelete ? TAKES_DELETE : 0);
}

function isUpdatableColumn(context: C, oid: number, column: number): boolean {
  const found = updatability(context, oid);
  return found?.takesDelete === true && found.columns[column - 1] === true;
}

function isPublishable(context: C, oid: number): boolean {
  const relation = catalogOf(context).relationByOid(oid);
  const isTable = relation?.kind === 'table' || relation?.kind === 'partitioned';
  return isTable && relation.persistence === 'p';
}

/** The index that names a row to others: the primary key's. */
function identityIndex(context: C, oid: number): number | null {
  const indexes = catalogOf(context).relationByOid(oid)?.indexes ?? [];
  return indexes.find(({ primary }) => primary)?.oid ?? null;
}

export const RELATION_FUNCTIONS: Scalars = {
  // pg_relation_size(regclass)
  '2325': ownSize,
  pg_relation_size: forkSize,
  pg_table_size: ownSize,
  pg_indexes_size: indexesSize,
  pg_total_relation_size: totalSize,
  pg_database_size_name: databaseSizeByName,
  pg_database_size_oid: databaseSizeByOid,
  pg_tablespace_size_name: tablespaceSizeByName,
  pg_tablespace_size_oid: (c: C, oid: number) =>
    oid === DATABASE_TABLESPACE ? databaseSize(c) : 0,
  pg_relation_filenode: fileNode,
  pg_sequence_last_value: sequenceLastValue,
  pg_relation_is_updatable: changesTaken,
  pg_column_is_updatable: isUpdatableColumn,
  pg_relation_is_publishable: isPublishable,
  pg_get_replica_identity_index: identityIndex,
  pg_blocking_pids: (c: C, pid: number) =>
    arrayOf(OID.int4, c.server?.blockingProcesses?.(pid) ?? []),
  pg_safe_snapshot_blocking_pids: () => arrayOf(OID.int4, []),
};
