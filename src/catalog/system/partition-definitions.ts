/** Partition keys, bounds and constraints as SQL: what pg_get_partkeydef, pg_get_expr of a bound and
 * pg_get_partition_constraintdef print. */

import { keyExpression, quoteIdentifier } from '../../base/index.ts';
import { DEFAULT_TYPE_CONTEXT, type TypeContext } from '../../types/index.ts';
import type {
  CatalogView,
  PartitionBound,
  PartitionKey,
  RelationDescriptor,
} from '../descriptors.ts';
import { literalText, rangeBoundText } from '../partition-text.ts';
import { operatorClassName } from './functions.ts';

/** `RANGE (a, lower(b))`. */
export function partitionKeyDefinition(table: RelationDescriptor): string | null {
  const { partitioning } = table;
  if (partitioning === null) return null;
  const keys = partitioning.keys.map((key) => {
    const name = operatorClassName(key.operatorClass);
    return `${keyText(table, key)}${name === null ? '' : ` ${name}`}`;
  });
  return `${partitioning.strategy.toUpperCase()} (${keys.join(', ')})`;
}

/** A key as it is written in an index or a partition key: a column or a call, or in parentheses. */
function keyText(table: RelationDescriptor, key: PartitionKey): string {
  if (key.expression === null) return quoteIdentifier(table.columns[key.column]?.name ?? '?');
  return keyExpression(key.expression.text);
}

/** The bound of a partition; null for what is none. */
export function boundText(
  catalog: CatalogView,
  { partitionOf }: RelationDescriptor,
  context: TypeContext,
): string | null {
  const parent = catalog.relationByOid(partitionOf?.parent ?? 0);
  if (partitionOf === null || parent === undefined) return null;
  return boundDefinition(parent, partitionOf.bound, context);
}

/** What pg_class.relpartbound has for a bound: its text under settings that never change. */
export function storedBound(catalog: CatalogView, relation: RelationDescriptor): string | null {
  return boundText(catalog, relation, DEFAULT_TYPE_CONTEXT);
}

/** `FOR VALUES FROM (1) TO (10)`. */
export function boundDefinition(
  { partitioning }: RelationDescriptor,
  bound: PartitionBound,
  context: TypeContext,
): string {
  const keys = partitioning?.keys ?? [];
  switch (bound.kind) {
    case 'default':
      return 'DEFAULT';
    case 'hash':
      return `FOR VALUES WITH (modulus ${bound.modulus}, remainder ${bound.remainder})`;
    case 'list': {
      const { type } = keys[0]!;
      const values = bound.values.map((value) => literalText(type, value, context));
      return `FOR VALUES IN (${values.join(', ')})`;
    }
    case 'range': {
      const from = rangeBoundText(keys, bound.from, context);
      return `FOR VALUES FROM ${from} TO ${rangeBoundText(keys, bound.to, context)}`;
    }
  }
}
