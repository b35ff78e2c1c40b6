/** Functions about partitioned tables: what hash partition takes a key, and who is whose partition. */

import type { RelationDescriptor } from '../../catalog/descriptors.ts';
import { hashRemainder } from '../../catalog/index.ts';
import { ancestorsOf, isInPartitionTree, partitionTree } from '../../catalog/system/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import { type ArrayDatum, type Datum, typeByOid } from '../../types/index.ts';
import { catalogOf } from './catalog-context.ts';
import type { CallTypes, FunctionContext, ScalarFunction, SetFunction } from './function.ts';
import type { Scalars } from './order.ts';

type C = FunctionContext;

function invalid(message: string): PgError {
  return pgError('invalid_parameter_value', message);
}

/** satisfies_hash_partition(parent, modulus, remainder, key…): the types of the call have the key's. */
function satisfiesHashPartition(call: CallTypes): ScalarFunction {
  const satisfies = (
    context: C,
    oid: number | null,
    modulus: number | null,
    remainder: number | null,
    ...values: Datum[]
  ): boolean => {
    if (oid === null || modulus === null || remainder === null) return false;
    const table = catalogOf(context).relationByOid(oid);
    if (table === undefined) {
      throw pgError('undefined_table', `could not open relation with OID ${oid}`);
    }
    checkModulus(modulus, remainder);
    const key = call.variadicArray === true ? elementsOf(values[0] ?? null) : values;
    const types =
      call.variadicArray === true
        ? key.map(() => typeByOid(call.arguments[3] ?? 0).elementOid)
        : call.arguments.slice(3);
    return hashRemainder(keysOf(table, types), key, modulus) === remainder;
  };
  return satisfies as ScalarFunction;
}

function elementsOf(array: Datum): readonly Datum[] {
  return array === null ? [] : (array as ArrayDatum).elements;
}

function checkModulus(modulus: number, remainder: number): void {
  if (modulus <= 0) {
    throw invalid('modulus for hash partition must be an integer value greater than zero');
  }
  if (remainder < 0) {
    throw invalid(
      'remainder for hash partition must be an integer value greater than or equal to zero',
    );
  }
  if (remainder >= modulus) {
    throw invalid('remainder for hash partition must be less than modulus');
  }
}

/** The keys of a table, of which the values must have the types. */
function keysOf({ name, partitioning }: RelationDescriptor, types: readonly number[]) {
  if (partitioning?.strategy !== 'hash') {
    throw invalid(`"${name}" is not a hash partitioned table`);
  }
  const { keys } = partitioning;
  if (keys.length !== types.length) {
    throw invalid(
      `number of partitioning columns (${keys.length}) does not match number of partition keys provided (${types.length})`,
    );
  }
  keys.forEach(({ type }, i) => {
    if (type === types[i]) return;
    const [wanted, given] = [type, types[i]!].map((oid) => typeByOid(oid).sqlName);
    throw invalid(
      `column ${i + 1} of the partition key has type ${wanted}, but supplied value is of type ${given}`,
    );
  });
  return keys;
}

export const TYPED_PARTITION_FUNCTIONS: Readonly<
  Record<string, (call: CallTypes) => ScalarFunction>
> = { satisfies_hash_partition: satisfiesHashPartition };

export const PARTITION_FUNCTIONS: Scalars = {
  pg_partition_root: (c: C, oid: number) =>
    isInPartitionTree(catalogOf(c), oid) ? ancestorsOf(catalogOf(c), oid).at(-1)! : null,
};

function* ancestors(context: C, oid: number): Iterable<Datum> {
  const catalog = catalogOf(context);
  if (isInPartitionTree(catalog, oid)) yield* ancestorsOf(catalog, oid);
}

function* tree(context: C, oid: number): Iterable<Datum[]> {
  const catalog = catalogOf(context);
  if (!isInPartitionTree(catalog, oid)) return;
  for (const row of partitionTree(catalog, oid)) {
    yield [row.oid, row.parent, row.isLeaf, row.level];
  }
}

export const PARTITION_SETS: Readonly<Record<string, SetFunction>> = {
  pg_partition_ancestors: ancestors,
  pg_partition_tree: tree,
};
