import { isDeepStrictEqual } from 'node:util';
import { type CatalogView, PartitionSearch, type RelationDescriptor } from '../../catalog/index.ts';
import type { Datum } from '../../types/index.ts';
import { UsedTables } from '../plan/index.ts';
import type { Plan } from '../plan/plan.ts';

/** Partitions that others have attached to the tables of a statement while it waited for one of the partitions
 * that it found when it had locked those tables. As in PostgreSQL it goes on with the ones that it found: others are
 * not read, and rows go where they would have gone before. But a default partition does not take what is now for
 * another. */
export class AddedPartitions {
  readonly #plan: Plan;
  readonly #searches = new Map<number, PartitionSearch>();

  /** Whether PostgreSQL locks a table when it has looked at the partitions already: the table is one of those. */
  static mayComeBefore(plan: Plan, relation: number, parameters: readonly Datum[]): boolean {
    const place = plan.tables.findIndex(({ oid }) => oid === relation);
    return isInParent(plan, place) && !mayMoveFrom(plan, place, parameters);
  }

  /** Null where the tables of the plan have changed in another way, or not at all. */
  static of(plan: Plan, catalog: CatalogView): AddedPartitions | null {
    const changed: RelationDescriptor[] = [];
    for (const table of plan.tables) {
      const now = catalog.relationByOid(table.oid);
      if (now?.version === table.version) continue;
      if (now === undefined || !isSameButVersion(now, table)) return null;
      const isAbove = plan.tables.some(
        ({ partitionOf }, place) => partitionOf?.parent === table.oid && !isInParent(plan, place),
      );
      if (isAbove) return null;
      changed.push(now);
    }
    return changed.length === 0 ? null : new AddedPartitions(plan, catalog, changed);
  }

  private constructor(plan: Plan, catalog: CatalogView, changed: readonly RelationDescriptor[]) {
    this.#plan = plan;
    for (const { oid, partitioning } of changed) {
      const added = catalog
        .partitionsOf(oid)
        .filter((partition) => !plan.tables.some((table) => table.oid === partition.oid));
      const bounds = added.map(({ partitionOf }) => partitionOf!.bound);
      this.#searches.set(oid, new PartitionSearch(partitioning!, bounds));
    }
  }

  /** Whether a new partition of the table takes a key. */
  takes(table: number, key: readonly Datum[]): boolean {
    const search = this.#searches.get(table);
    return search !== undefined && search.find(key) >= 0;
  }

  /** The default partition of a table. */
  defaultOf(table: number): string {
    const found = this.#plan.tables.find(
      ({ partitionOf }) => partitionOf?.parent === table && partitionOf.bound.kind === 'default',
    );
    return found?.name ?? '';
  }
}

function isSameButVersion(now: RelationDescriptor, before: RelationDescriptor): boolean {
  if (before.partitioning === null) return false;
  return isDeepStrictEqual({ ...now, version: before.version }, before);
}

/** Whether a table is read or filled as a partition, and not by its own name: it comes after its parent. */
function isInParent({ tables }: Plan, place: number): boolean {
  const parent = tables[place]?.partitionOf?.parent;
  return tables.some(({ oid }, at) => oid === parent && at < place);
}

/** Whether rows are read from a table that may go to other partitions, which are looked for when the first does. */
function mayMoveFrom(plan: Plan, place: number, parameters: readonly Datum[]): boolean {
  return [plan.root, ...plan.ctes].some((node) => {
    if (node.kind !== 'update' || (node.partitions?.routing ?? null) === null) return false;
    return UsedTables.under(plan, node.input).by(parameters).has(place);
  });
}
