import type { PartitionKey, RelationDescriptor } from '../../catalog/descriptors.ts';
import { type ArrayDatum, type Datum, OID } from '../../types/index.ts';
import { columnMap } from '../bind/partition-checks.ts';
import type { Expr } from '../expression.ts';
import { mapChildren, sameExpr, stripRelabel } from '../expression-tree.ts';
import { btreeFamily, btreeMembers, operatorByOid } from '../functions/index.ts';
import { foldAll } from '../optimize/index.ts';
import {
  type Clause,
  conjuncts,
  hasSubquery,
  isVolatile,
  makeClause,
  relBit,
  relsOf,
} from './clauses.ts';
import { anyOn, comparisonOn, type KeyTarget } from './index-match.ts';
import type { KeyValue } from './key-limits.ts';
import { type KeyValueSource, PartitionPruner } from './partition-pruning.ts';
import type { KeyCondition, PartitionPruning, PrunedPartition } from './plan.ts';
import type { QueryPlanner } from './query-planner.ts';
import type { TableEntry } from './scans.ts';

/** A partitioned table of a query with its partitions, but for those that constants rule out. */
export interface PartitionLevel {
  readonly entry: TableEntry;
  readonly relation: number;
  /** In bound order: a leaf by its number, a level, or null where it is ruled out. */
  readonly places: readonly (number | PartitionLevel | null)[];
  readonly partitions: readonly RelationDescriptor[];
}

/** Finds the partitions that the conditions leave; the entries of the leaves go to `leaves`. */
export function expandPartitions(
  planner: QueryPlanner,
  relation: number,
  entry: TableEntry,
  clauses: readonly Clause[],
  leaves: TableEntry[],
): PartitionLevel {
  const { statement } = planner;
  statement.tableIndex(entry.table);
  const partitions = statement.context.catalog.partitionsOf(entry.table.oid);
  const conditions = keyConditions(relation, entry, clauses);
  const kept = new PartitionPruner({
    partitioning: entry.table.partitioning!,
    partitions: partitions.map(leafOf),
    conditions,
  }).keep(constantValues);
  const places = partitions.map((partition, i) => {
    if (kept[i] === 0) return null;
    const inner = partitionEntry(entry, partition);
    if (partition.kind === 'partitioned') {
      return expandPartitions(planner, relation, inner, clauses, leaves);
    }
    leaves.push(inner);
    return leaves.length - 1;
  });
  return { entry, relation, places, partitions };
}

function leafOf({ partitionOf }: RelationDescriptor): PrunedPartition {
  return { bound: partitionOf!.bound, input: -1, below: null };
}

/** The partition as the query sees the whole table: with its columns. */
function partitionEntry(entry: TableEntry, partition: RelationDescriptor): TableEntry {
  const position = columnMap(entry.table, partition);
  return { ...entry, table: partition, attributes: entry.attributes.map(position) };
}

/** What rules out partitions when the plan is run; null when the conditions say nothing that was not
 * known before. `input` is the place of a leaf among the inputs. */
export function runTimePruning(
  level: PartitionLevel,
  clauses: readonly Clause[],
  input: (leaf: number) => number,
): PartitionPruning | null {
  const pruning = pruningOf(level, clauses, input);
  return decidesLater(pruning) ? pruning : null;
}

function pruningOf(
  { entry, relation, places, partitions }: PartitionLevel,
  clauses: readonly Clause[],
  input: (leaf: number) => number,
): PartitionPruning {
  return {
    partitioning: entry.table.partitioning!,
    conditions: keyConditions(relation, entry, clauses),
    partitions: partitions.map(({ partitionOf }, i) => {
      const place = places[i] ?? null;
      return {
        bound: partitionOf!.bound,
        input: typeof place === 'number' ? input(place) : -1,
        below:
          place === null || typeof place === 'number' ? null : pruningOf(place, clauses, input),
      };
    }),
  };
}

function decidesLater({ conditions, partitions }: PartitionPruning): boolean {
  return (
    conditions.some(isOpen) || partitions.some(({ below }) => below !== null && decidesLater(below))
  );
}

function isOpen(condition: KeyCondition): boolean {
  switch (condition.kind) {
    case 'compare':
    case 'notEqual':
      return condition.value.kind !== 'const';
    case 'anyOf':
      return [condition.array, ...(condition.list ?? [])].some(
        (expr) => expr !== null && expr.kind !== 'const',
      );
    case 'or':
      return condition.branches.some((branch) => branch.some(isOpen));
    case 'isNull':
      return false;
  }
}

/** The pruning with the values of its conditions changed. */
export function mapPruning(
  pruning: PartitionPruning,
  value: (expr: Expr) => Expr,
): PartitionPruning {
  return {
    ...pruning,
    conditions: pruning.conditions.map((condition) => mapCondition(condition, value)),
    partitions: pruning.partitions.map((partition) => ({
      ...partition,
      below: partition.below && mapPruning(partition.below, value),
    })),
  };
}

function mapCondition(condition: KeyCondition, value: (expr: Expr) => Expr): KeyCondition {
  switch (condition.kind) {
    case 'compare':
    case 'notEqual':
      return { ...condition, value: value(condition.value) };
    case 'anyOf':
      return {
        ...condition,
        array: condition.array && value(condition.array),
        list: condition.list?.map(value) ?? null,
      };
    case 'or':
      return {
        ...condition,
        branches: condition.branches.map((branch) =>
          branch.map((part) => mapCondition(part, value)),
        ),
      };
    case 'isNull':
      return condition;
  }
}

/** The values that are known while planning: constants of the key's type, or that compare as such. */
export const constantValues: KeyValueSource = {
  value: constantValue,
  elements: (array, key) => {
    if (array.kind !== 'const' || array.value === null) return undefined;
    const { elementType, elements } = array.value as ArrayDatum;
    const values = elements.map((value) =>
      constantValue({ kind: 'const', type: elementType, typmod: -1, value }, key),
    );
    return values.includes(undefined) ? undefined : (values as KeyValue[]);
  },
};

/** Values of conditions that are constants or parameters. */
export function parameterValues(parameters: readonly Datum[]): KeyValueSource {
  const constant = (expr: Expr): Expr => {
    if (expr.kind !== 'param') return expr;
    const { type, typmod } = expr;
    return { kind: 'const', type, typmod, value: parameters[expr.index] ?? null };
  };
  return {
    value: (expr, key) => constantValues.value(constant(expr), key),
    elements: (array, key) => constantValues.elements(constant(array), key),
  };
}

function constantValue(expr: Expr, { type }: PartitionKey): KeyValue | undefined {
  const inner = stripRelabel(expr);
  if (inner.kind !== 'const') return undefined;
  const comparable =
    inner.type === type ||
    inner.value === null ||
    COMPARABLE.some((types) => types.has(type) && types.has(inner.type));
  return comparable ? { value: inner.value, rest: 0 } : undefined;
}

const COMPARABLE: readonly ReadonlySet<number>[] = [
  new Set<number>([OID.int2, OID.int4, OID.int8]),
  new Set<number>([OID.text, OID.varchar]),
  new Set<number>([OID.inet, OID.cidr]),
];

/** Which clauses are about the partition key. */
function keyConditions(
  relation: number,
  entry: TableEntry,
  clauses: readonly Clause[],
): KeyCondition[] {
  const keys = entry.table.partitioning!.keys.map((key) => keyTarget(relation, entry, key));
  return clauses.flatMap((clause) => conditionsOf(keys, clause));
}

function keyTarget(relation: number, entry: TableEntry, key: PartitionKey): KeyTarget {
  const column = (position: number): Expr => {
    const { type = 0, typmod = -1 } = entry.table.columns[position] ?? {};
    const attribute = entry.attributes.indexOf(position);
    return { kind: 'column', type, typmod, level: 0, relation, column: attribute };
  };
  const expr =
    key.expression === null ? column(key.column) : overColumns(key.expression.expr as Expr, column);
  const bare = stripRelabel(expr);
  return {
    relation,
    family: btreeFamily(key.type) ?? 0,
    isKey: (other) => sameExpr(stripRelabel(other), bare),
  };
}

function overColumns(expr: Expr, column: (position: number) => Expr): Expr {
  if (expr.kind === 'input') return column(expr.column);
  return mapChildren(expr, (child) => overColumns(child, column));
}

function conditionsOf(keys: readonly KeyTarget[], clause: Clause): KeyCondition[] {
  const { expr } = clause;
  if (expr.kind === 'or') {
    const branches = expr.arguments.map((part) =>
      conjuncts(part).flatMap((inner) => conditionsOf(keys, makeClause(inner))),
    );
    return branches.some((branch) => branch.length === 0) ? [] : [{ kind: 'or', branches }];
  }
  return keys.flatMap((target, key) => {
    const condition = conditionOn(target, key, clause);
    return condition === null ? differences(target, key, expr) : [condition];
  });
}

/** `key <> value`, or NOT IN a list of values. */
function differences(target: KeyTarget, key: number, expr: Expr): KeyCondition[] {
  const pairs =
    expr.kind === 'all'
      ? (expr.list ?? []).map((value) => [expr.left, value] as const)
      : expr.kind === 'call'
        ? [[expr.arguments[0], expr.arguments[1]] as const]
        : [];
  const operator = expr.kind === 'all' || expr.kind === 'call' ? expr.operator : 0;
  const negator = operatorByOid(operator)?.negator ?? 0;
  const isEquality = btreeMembers(negator).some(
    ({ family, strategy }) => family === target.family && strategy === 3,
  );
  if (!isEquality) return [];
  return pairs.flatMap(([left, value]): KeyCondition[] => {
    if (left === undefined || value === undefined || !target.isKey(left)) return [];
    const isFree = (relsOf(value) & relBit(target.relation)) === 0n;
    if (!isFree || isVolatile(value) || hasSubquery(value)) return [];
    return [{ kind: 'notEqual', key, value: foldAll(value) }];
  });
}

function conditionOn(target: KeyTarget, key: number, clause: Clause): KeyCondition | null {
  const { expr } = clause;
  const comparison = comparisonOn(target, clause);
  if (comparison !== null) {
    const { strategy, value } = comparison;
    return hasSubquery(value) ? null : { kind: 'compare', key, strategy, value: foldAll(value) };
  }
  const any = anyOn(target, clause);
  if (any !== null) {
    const { array, list } = any;
    const values = list ?? (array === null ? [] : [array]);
    if (values.some(hasSubquery)) return null;
    return { kind: 'anyOf', key, array: array && foldAll(array), list: list?.map(foldAll) ?? null };
  }
  if (expr.kind === 'isNull' && target.isKey(expr.argument)) {
    return { kind: 'isNull', key, negated: expr.negated };
  }
  return null;
}
