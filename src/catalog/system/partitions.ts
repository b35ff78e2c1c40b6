/** pg_inherits and pg_partitioned_table, and who is the part of whom. */

import { typeByOid } from '../../types/index.ts';
import type {
  CatalogView,
  IndexDescriptor,
  PartitionKey,
  RelationDescriptor,
} from '../descriptors.ts';
import {
  int2Vector,
  oidVector,
  type ProducerTable,
  type SystemRow,
  type SystemState,
} from './system-state.ts';

function* inheritanceRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const relation of catalog.relations()) {
    const { partitionOf, indexes } = relation;
    if (partitionOf !== null) yield inheritanceRow(relation.oid, partitionOf.parent);
    for (const { oid, parent = 0 } of indexes) if (parent !== 0) yield inheritanceRow(oid, parent);
  }
}

function inheritanceRow(child: number, parent: number): SystemRow {
  return { inhrelid: child, inhparent: parent, inhseqno: 1, inhdetachpending: false };
}

const STRATEGIES = { range: 'r', list: 'l', hash: 'h' } as const;

function* partitionedRows({ catalog }: SystemState): Iterable<SystemRow> {
  for (const { oid, partitioning } of catalog.relations()) {
    if (partitioning === null) continue;
    const { strategy, keys } = partitioning;
    const fallback = catalog
      .partitionsOf(oid)
      .find(({ partitionOf }) => partitionOf!.bound.kind === 'default');
    yield {
      partrelid: oid,
      partstrat: STRATEGIES[strategy],
      partnatts: keys.length,
      partdefid: fallback?.oid ?? 0,
      partattrs: int2Vector(keys.map(({ column }) => column + 1)),
      partclass: oidVector(keys.map(({ operatorClass }) => operatorClass)),
      partcollation: oidVector(keys.map(({ type }) => typeByOid(type).collation)),
      partexprs: keyExpressions(keys),
    };
  }
}

/** The expressions of a key, one after the other; null where all keys are columns. */
function keyExpressions(keys: readonly PartitionKey[]): string | null {
  const texts = keys.flatMap(({ expression }) => (expression === null ? [] : [expression.text]));
  return texts.length === 0 ? null : texts.join(', ');
}

/** The index of a partitioned table is valid when all partitions have valid parts of it. */
export function isValidIndex(
  catalog: CatalogView,
  table: RelationDescriptor,
  index: IndexDescriptor,
): boolean {
  return catalog.partitionsOf(table.oid).every((partition) => {
    const part = partition.indexes.find(({ parent }) => parent === index.oid);
    return part !== undefined && isValidIndex(catalog, partition, part);
  });
}

/** A relation or index, and its parents up to the first of them. */
export function ancestorsOf(catalog: CatalogView, oid: number): number[] {
  const ancestors: number[] = [];
  for (let next = oid; next !== 0; next = parentOf(catalog, next)) ancestors.push(next);
  return ancestors;
}

function parentOf(catalog: CatalogView, oid: number): number {
  const relation = catalog.relationByOid(oid);
  if (relation !== undefined) return relation.partitionOf?.parent ?? 0;
  return catalog.indexByOid(oid)?.index.parent ?? 0;
}

/** A row of pg_partition_tree. */
export interface PartitionTreeRow {
  readonly oid: number;
  readonly parent: number | null;
  readonly isLeaf: boolean;
  readonly level: number;
}

/** A partitioned table or index and all below it, level by level. */
export function* partitionTree(catalog: CatalogView, oid: number): Iterable<PartitionTreeRow> {
  let level = 0;
  for (let row: readonly number[] = [oid]; row.length > 0; level++) {
    for (const member of row) {
      const parent = parentOf(catalog, member);
      const isLeaf = !isPartitioned(catalog, member);
      yield { oid: member, parent: parent === 0 ? null : parent, isLeaf, level };
    }
    row = row.flatMap((member) => childrenOf(catalog, member));
  }
}

/** True for what pg_partition_tree and its kin tell of: partitioned, or a part. */
export function isInPartitionTree(catalog: CatalogView, oid: number): boolean {
  return isPartitioned(catalog, oid) || parentOf(catalog, oid) !== 0;
}

function isPartitioned(catalog: CatalogView, oid: number): boolean {
  const table = catalog.relationByOid(oid) ?? catalog.indexByOid(oid)?.table;
  return table?.kind === 'partitioned';
}

function childrenOf(catalog: CatalogView, oid: number): number[] {
  const place = catalog.indexByOid(oid);
  if (place === undefined) return catalog.partitionsOf(oid).map((partition) => partition.oid);
  return partsOf(catalog, place.table, place.index).map((part) => part.oid);
}

/** The parts that partitions have of an index of a partitioned table. */
export function partsOf(
  catalog: CatalogView,
  table: RelationDescriptor,
  { oid }: IndexDescriptor,
): IndexDescriptor[] {
  return catalog
    .partitionsOf(table.oid)
    .flatMap(({ indexes }) => indexes.filter(({ parent }) => parent === oid));
}

export const PARTITION_VIEWS: ProducerTable = {
  'pg_catalog.pg_inherits': inheritanceRows,
  'pg_catalog.pg_partitioned_table': partitionedRows,
};
