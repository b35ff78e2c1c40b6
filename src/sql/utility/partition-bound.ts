import type { ColumnRef, Node, PartitionBoundSpec } from '@pgsql/types';
import {
  boundsOverlap,
  compareRangeBounds,
  differingKey,
  type HashBound,
  type ListBound,
  listHolds,
  type PartitionBound,
  type Partitioning,
  type PartitionKey,
  type RangeBound,
  type RangeDatum,
  type RelationDescriptor,
  rangeBoundText,
} from '../../catalog/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import type { Datum } from '../../types/index.ts';
import { formatType } from '../../types/index.ts';
import { bindBoundValue } from '../bind/stored.ts';
import { nameList } from '../bind/syntax.ts';
import type { Command } from './command.ts';
import { constantValue } from './execution.ts';

/** FOR VALUES …: the bound of a partition. */

/** A bound, and where it was written. */
export interface WrittenBound {
  readonly bound: PartitionBound;
  readonly specification: PartitionBoundSpec;
}

const STRATEGIES: Readonly<Record<string, Partitioning['strategy']>> = {
  r: 'range',
  l: 'list',
  h: 'hash',
};

/** Reads the bound of a partition-to-be of `parent`. */
export function boundOf(
  command: Command,
  parent: RelationDescriptor,
  specification: PartitionBoundSpec,
): PartitionBound {
  const { strategy } = parent.partitioning!;
  if (specification.is_default === true) {
    if (strategy !== 'hash') return { kind: 'default' };
    throw pgError(
      'invalid_table_definition',
      'a hash-partitioned table may not have a default partition',
    );
  }
  if (STRATEGIES[specification.strategy ?? ''] !== strategy) {
    throw pgError(
      'invalid_table_definition',
      `invalid bound specification for a ${strategy} partition`,
      command.position(specification.location),
    );
  }
  switch (strategy) {
    case 'hash':
      return hashBound(specification);
    case 'list':
      return listBound(command, parent, specification);
    case 'range':
      return rangeBound(command, parent, specification);
  }
}

function hashBound({ modulus = 0, remainder = 0 }: PartitionBoundSpec): HashBound {
  if (modulus <= 0) {
    throw pgError(
      'invalid_table_definition',
      'modulus for hash partition must be an integer value greater than zero',
    );
  }
  if (remainder < 0) {
    throw pgError(
      'invalid_table_definition',
      'remainder for hash partition must be an integer value greater than or equal to zero',
    );
  }
  if (remainder >= modulus) {
    throw pgError(
      'invalid_table_definition',
      'remainder for hash partition must be less than modulus',
    );
  }
  return { kind: 'hash', modulus, remainder };
}

function listBound(
  command: Command,
  parent: RelationDescriptor,
  { listdatums = [] }: PartitionBoundSpec,
): ListBound {
  const key = parent.partitioning!.keys[0]!;
  const values: Datum[] = [];
  for (const node of listdatums) {
    const value = boundValue(command, parent, key, node);
    if (!listHolds(key, { kind: 'list', values }, value)) values.push(value);
  }
  return { kind: 'list', values };
}

function rangeBound(
  command: Command,
  parent: RelationDescriptor,
  { lowerdatums = [], upperdatums = [] }: PartitionBoundSpec,
): RangeBound {
  const { keys } = parent.partitioning!;
  for (const [word, datums] of [
    ['FROM', lowerdatums],
    ['TO', upperdatums],
  ] as const) {
    if (datums.length === keys.length) continue;
    throw pgError(
      'invalid_table_definition',
      `${word} must specify exactly one value per partitioning column`,
    );
  }
  return {
    kind: 'range',
    from: rangeDatums(command, parent, lowerdatums),
    to: rangeDatums(command, parent, upperdatums),
  };
}

function rangeDatums(
  command: Command,
  parent: RelationDescriptor,
  nodes: readonly Node[],
): RangeDatum[] {
  const { keys } = parent.partitioning!;
  const datums = nodes.map((node, i) => rangeDatum(command, parent, keys[i]!, node));
  for (let i = 1; i < datums.length; i++) {
    const { kind } = datums[i - 1]!;
    if (kind === 'value' || datums[i]!.kind === kind) continue;
    const word = kind.toUpperCase();
    throw pgError(
      'datatype_mismatch',
      `every bound following ${word} must also be ${word}`,
      command.position(locationOf(nodes[i]!)),
    );
  }
  return datums;
}

function rangeDatum(
  command: Command,
  parent: RelationDescriptor,
  key: PartitionKey,
  node: Node,
): RangeDatum {
  if ('ColumnRef' in node) {
    const word = onlyName(node.ColumnRef);
    if (word === 'minvalue' || word === 'maxvalue') return { kind: word };
  }
  const value = boundValue(command, parent, key, node);
  if (value !== null) return { kind: 'value', value };
  throw pgError('invalid_object_definition', 'cannot specify NULL in range bound');
}

/** The name of a reference that is one plain name. */
function onlyName({ fields }: ColumnRef): string {
  const names = nameList(fields);
  return names.length === 1 ? names[0]! : '';
}

function boundValue(
  command: Command,
  parent: RelationDescriptor,
  key: PartitionKey,
  node: Node,
): Datum {
  const column = parent.columns[key.column];
  const expr = bindBoundValue(node, command.bindContext(), key.type, column?.typmod ?? -1);
  if (expr !== undefined) return constantValue(command.environment, expr);
  throw pgError(
    'datatype_mismatch',
    `specified value cannot be cast to type ${formatType(key.type)} for column "${column?.name ?? key.expression?.text}"`,
    command.position(locationOf(node)),
  );
}

/** The first location in a tree, as PostgreSQL's exprLocation finds it. */
function locationOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  const { location } = node as { location?: number };
  const inside = Object.values(node).map(locationOf);
  const locations = [location, ...inside].filter((found) => found !== undefined);
  return locations.length === 0 ? undefined : Math.min(...locations);
}

/** Tests that a new partition can be beside those that `parent` has. */
export function checkBound(
  command: Command,
  parent: RelationDescriptor,
  name: string,
  { bound, specification }: WrittenBound,
): void {
  const partitions = command.catalog.partitionsOf(parent.oid);
  const { keys } = parent.partitioning!;
  if (bound.kind === 'default') {
    refuseSecondDefault(command, partitions, name, specification);
    return;
  }
  if (bound.kind === 'range') refuseEmptyRange(command, keys, name, bound, specification);
  if (bound.kind === 'hash') checkModulus(partitions, bound);
  const other = overlapped(parent.partitioning!, partitions, bound);
  if (other === undefined) return;
  const { bound: present } = other.partitionOf!;
  throw pgError(
    'invalid_object_definition',
    `partition "${name}" would overlap partition "${other.name}"`,
    command.position(overlapLocation(keys, bound, present, specification)),
  );
}

function refuseSecondDefault(
  command: Command,
  partitions: readonly RelationDescriptor[],
  name: string,
  specification: PartitionBoundSpec,
): void {
  const present = partitions.find(({ partitionOf }) => partitionOf!.bound.kind === 'default');
  if (present === undefined) return;
  throw pgError(
    'invalid_object_definition',
    `partition "${name}" conflicts with existing default partition "${present.name}"`,
    command.position(specification.location),
  );
}

function refuseEmptyRange(
  command: Command,
  keys: readonly PartitionKey[],
  name: string,
  { from, to }: RangeBound,
  { lowerdatums = [] }: PartitionBoundSpec,
): void {
  if (compareRangeBounds(keys, from, to) < 0) return;
  const context = command.environment.functions;
  const [lower, upper] = [from, to].map((bound) => rangeBoundText(keys, bound, context));
  const at = Math.max(differingKey(keys, from, to), 0);
  throw pgError(
    'invalid_object_definition',
    `empty range bound specified for partition "${name}"`,
    {
      detail: `Specified lower bound ${lower} is greater than or equal to upper bound ${upper}.`,
      ...command.position(locationOf(lowerdatums[at])),
    },
  );
}

/** Each modulus must divide the next larger one. */
function checkModulus(partitions: readonly RelationDescriptor[], { modulus }: HashBound): void {
  const moduli = partitions.map((partition) => ({
    name: partition.name,
    modulus: (partition.partitionOf!.bound as HashBound).modulus,
  }));
  const smaller = moduli.findLast((other) => other.modulus <= modulus);
  if (smaller !== undefined && modulus % smaller.modulus !== 0) {
    throw badModulus(
      `The new modulus ${modulus} is not divisible by ${smaller.modulus}, the modulus of existing partition "${smaller.name}".`,
    );
  }
  const larger = moduli.find((other) => other.modulus > modulus);
  if (larger !== undefined && larger.modulus % modulus !== 0) {
    throw badModulus(
      `The new modulus ${modulus} is not a factor of ${larger.modulus}, the modulus of existing partition "${larger.name}".`,
    );
  }
}

function badModulus(detail: string): PgError {
  return pgError(
    'invalid_object_definition',
    'every hash partition modulus must be a factor of the next larger modulus',
    { detail },
  );
}

/** The partition that a bound overlaps first; of lists, by the order of the new values. */
function overlapped(
  partitioning: Partitioning,
  partitions: readonly RelationDescriptor[],
  bound: PartitionBound,
): RelationDescriptor | undefined {
  const overlaps = (part: PartitionBound) =>
    partitions.find(({ partitionOf }) => boundsOverlap(partitioning, partitionOf!.bound, part));
  if (bound.kind !== 'list') return overlaps(bound);
  for (const value of bound.values) {
    const found = overlaps({ kind: 'list', values: [value] });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where PostgreSQL points at in an overlap. */
function overlapLocation(
  keys: readonly PartitionKey[],
  bound: PartitionBound,
  present: PartitionBound,
  specification: PartitionBoundSpec,
): number | undefined {
  const { lowerdatums = [], upperdatums = [], listdatums = [], location } = specification;
  if (bound.kind === 'range' && present.kind === 'range') {
    const isInside = compareRangeBounds(keys, present.from, bound.from) <= 0;
    const at = differingKey(keys, present.from, isInside ? bound.from : bound.to);
    return locationOf((isInside ? lowerdatums : upperdatums)[Math.max(at, 0)]);
  }
  if (bound.kind === 'list' && present.kind === 'list') {
    const at = bound.values.findIndex((value) => listHolds(keys[0]!, present, value));
    return locationOf(listdatums[at]);
  }
  return location;
}
