import type {
  CatalogView,
  PartitionBound,
  Partitioning,
  PartitionKey,
  RelationDescriptor,
} from '../../catalog/descriptors.ts';
import { boundHolds } from '../../catalog/index.ts';
import { pgError } from '../../errors/index.ts';
import type { Datum } from '../../types/index.ts';
import type { Expr } from '../expression.ts';
import { mapInputs } from '../expression-tree.ts';

/** What a partition demands of its rows: for it and for each partitioned table above it whose partition
 * it is in, that the key is one that the bound takes. Plain data, good as long as the catalog does not
 * change. */
export interface PartitionCheck {
  /** The key over the columns of the partition that is checked. */
  readonly keys: readonly Expr[];
  readonly partitioning: Partitioning;
  readonly bound: PartitionBound;
  /** Of a default partition, the bounds beside it. */
  readonly siblings: readonly PartitionBound[];
}

/** The checks of a relation's rows, outermost first; none for what is no partition. */
export function partitionChecks(
  catalog: CatalogView,
  relation: RelationDescriptor,
): PartitionCheck[] {
  const checks: PartitionCheck[] = [];
  let child = relation;
  while (child.partitionOf !== null) {
    const { parent: oid, bound } = child.partitionOf;
    const parent = catalog.relationByOid(oid);
    if (parent === undefined || parent.partitioning === null) {
      throw pgError('internal_error', `parent ${oid} of partition "${child.name}" not found`);
    }
    checks.push(partitionCheck(catalog, parent, bound, relation));
    child = parent;
  }
  return checks.reverse();
}

/** The check of rows of `relation` against a bound of `parent`'s partitions. */
export function partitionCheck(
  catalog: CatalogView,
  parent: RelationDescriptor,
  bound: PartitionBound,
  relation: RelationDescriptor,
): PartitionCheck {
  return {
    keys: keyExpressions(parent, relation),
    partitioning: parent.partitioning!,
    bound,
    siblings: bound.kind === 'default' ? boundsOf(catalog, parent) : [],
  };
}

function boundsOf(catalog: CatalogView, parent: RelationDescriptor): PartitionBound[] {
  return catalog.partitionsOf(parent.oid).map(({ partitionOf }) => partitionOf!.bound);
}

/** Whether a row with this key belongs where the check is. */
export function passesCheck(check: PartitionCheck, values: readonly Datum[]): boolean {
  return boundHolds(check.partitioning, check.bound, check.siblings, values);
}

/** The partition key of a table over the columns of `relation`, which is the table itself or below it:
 * partitions have the columns of their parent by name, at positions of their own. */
export function keyExpressions(parent: RelationDescriptor, relation: RelationDescriptor): Expr[] {
  const position = columnMap(parent, relation);
  return parent.partitioning!.keys.map((key) => keyExpression(parent, key, position));
}

function keyExpression(
  parent: RelationDescriptor,
  key: PartitionKey,
  position: (column: number) => number,
): Expr {
  if (key.expression !== null) return mapInputs(key.expression.expr as Expr, position);
  const { type, typmod } = parent.columns[key.column]!;
  return { kind: 'input', type, typmod, column: position(key.column) };
}

/** Where the columns of one table are in another that has columns of the same names. */
export function columnMap(
  from: Pick<RelationDescriptor, 'columns' | 'oid'>,
  to: Pick<RelationDescriptor, 'columns' | 'oid' | 'name'>,
): (column: number) => number {
  if (from.oid === to.oid) return (column) => column;
  const positions = from.columns.map(({ name, dropped }) =>
    dropped ? -1 : to.columns.findIndex((other) => !other.dropped && other.name === name),
  );
  return (column) => {
    const found = positions[column] ?? -1;
    if (found >= 0) return found;
    throw pgError('internal_error', `column ${column + 1} has no counterpart in "${to.name}"`);
  };
}
