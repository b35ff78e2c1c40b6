/** Partition pruning against all keys of a small domain: a partition that some key which meets the
 * conditions belongs to is never left out. */
import { expect, test } from 'vitest';
import type { PartitionBound, Partitioning } from '../../../src/catalog/descriptors.ts';
import { inBoundOrder, PartitionSearch } from '../../../src/catalog/index.ts';
import type { Expr } from '../../../src/sql/expression.ts';
import { PartitionPruner } from '../../../src/sql/plan/index.ts';
import type { KeyCondition, PartitionPruning } from '../../../src/sql/plan/plan.ts';
import { type Datum, OID } from '../../../src/types/index.ts';
import { makeTable } from '../support/test-catalog.ts';

const DOMAIN: readonly Datum[] = [null, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

type Random = (below: number) => number;

function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const constant = (value: Datum): Expr => ({ kind: 'const', type: OID.int4, typmod: -1, value });

const SOURCE = {
  value: (expr: Expr) => ({ value: expr.kind === 'const' ? expr.value : null, rest: 0 }),
  elements: () => undefined,
};

function keysOf(count: number): Partitioning['keys'] {
  return Array.from({ length: count }, (_, column) => ({
    column,
    expression: null,
    type: OID.int4,
    operatorClass: 0,
  }));
}

function randomBounds(random: Random, strategy: Partitioning['strategy'], keys: number) {
  const bounds: PartitionBound[] = [];
  if (strategy === 'hash') {
    const modulus = 1 + random(4);
    for (let remainder = 0; remainder < modulus; remainder++) {
      if (random(4) > 0) bounds.push({ kind: 'hash', modulus, remainder });
    }
  } else if (strategy === 'list') {
    const places = DOMAIN.map(() => random(5));
    for (let place = 1; place < 5; place++) {
      const values = DOMAIN.filter((_, i) => places[i] === place);
      if (values.length > 0) bounds.push({ kind: 'list', values });
    }
  } else bounds.push(...randomRanges(random, keys));
  if (strategy !== 'hash' && random(2) === 0) bounds.push({ kind: 'default' });
  return inOrder({ strategy, keys: keysOf(keys) }, bounds);
}

/** Ranges between ascending points, some of them missing. */
function randomRanges(random: Random, keys: number): PartitionBound[] {
  const points = new Map<number, number[]>();
  for (let i = 0; i < 4; i++) {
    const point = Array.from({ length: keys }, () => random(10));
    points.set(
      point.reduce((sum, part) => sum * 10 + part, 0),
      point,
    );
  }
  const sorted = [...points].sort(([a], [b]) => a - b).map(([, point]) => point);
  const ends = sorted.map((point) => point.map((value) => ({ kind: 'value', value }) as const));
  const all = [
    Array.from({ length: keys }, () => ({ kind: 'minvalue' }) as const),
    ...ends,
    Array.from({ length: keys }, () => ({ kind: 'maxvalue' }) as const),
  ];
  const bounds: PartitionBound[] = [];
  for (let i = 0; i + 1 < all.length; i++) {
    if (random(3) > 0) bounds.push({ kind: 'range', from: all[i]!, to: all[i + 1]! });
  }
  return bounds;
}

function inOrder(partitioning: Partitioning, bounds: readonly PartitionBound[]): PartitionBound[] {
  const parent = { ...makeTable({ name: 'p', columns: ['a int4', 'b int4'] }), partitioning };
  const partitions = bounds.map((bound) => ({
    ...parent,
    partitionOf: { parent: parent.oid, bound },
  }));
  return inBoundOrder(parent, partitions).map(({ partitionOf }) => partitionOf!.bound);
}

function randomCondition(random: Random, keys: number, depth = 0): KeyCondition {
  const key = random(keys);
  const value = () => constant(random(12) === 0 ? null : random(12) - 1);
  switch (random(depth < 2 ? 9 : 7)) {
    case 0:
      return { kind: 'isNull', key, negated: random(2) === 0 };
    case 1:
      return { kind: 'anyOf', key, array: null, list: [value(), value()].slice(random(2)) };
    case 7:
      return { kind: 'notEqual', key, value: value() };
    case 8: {
      const branch = () =>
        Array.from({ length: 1 + random(2) }, () => randomCondition(random, keys, depth + 1));
      return { kind: 'or', branches: [branch(), branch()] };
    }
    default:
      return { kind: 'compare', key, strategy: 1 + random(5), value: value() };
  }
}

function meets(condition: KeyCondition, key: readonly Datum[]): boolean {
  switch (condition.kind) {
    case 'isNull':
      return (key[condition.key] === null) !== condition.negated;
    case 'or':
      return condition.branches.some((branch) => branch.every((part) => meets(part, key)));
    case 'anyOf':
      return condition.list!.some((value) => compares(3, key[condition.key]!, value));
    case 'notEqual':
      return (
        compares(1, key[condition.key]!, condition.value) ||
        compares(5, key[condition.key]!, condition.value)
      );
    case 'compare':
      return compares(condition.strategy, key[condition.key]!, condition.value);
  }
}

function compares(strategy: number, key: Datum, expr: Expr): boolean {
  const value = expr.kind === 'const' ? expr.value : null;
  if (key === null || value === null) return false;
  const order = Math.sign((key as number) - (value as number));
  return [[-1], [-1, 0], [0], [0, 1], [1]][strategy - 1]!.includes(order);
}

test.each([
  ['range', 1],
  ['range', 2],
  ['list', 1],
  ['hash', 1],
  ['hash', 2],
] as const)('%s by %i columns', (strategy, keys) => {
  const random = generator(20_260_101 + keys);
  const domain =
    keys === 1 ? DOMAIN.map((a) => [a]) : DOMAIN.flatMap((a) => DOMAIN.map((b) => [a, b]));
  let leftOut = 0;
  for (let round = 0; round < 400; round++) {
    const partitioning: Partitioning = { strategy, keys: keysOf(keys) };
    const bounds = randomBounds(random, strategy, keys);
    const conditions = Array.from({ length: 1 + random(3) }, () => randomCondition(random, keys));
    const pruning: PartitionPruning = {
      partitioning,
      conditions,
      partitions: bounds.map((bound, input) => ({ bound, input, below: null })),
    };
    const kept = new PartitionPruner(pruning).keep(SOURCE);
    const search = new PartitionSearch(partitioning, bounds);
    for (const key of domain) {
      const place = search.find(key);
      if (place < 0 || !conditions.every((condition) => meets(condition, key))) continue;
      expect(kept[place], JSON.stringify({ bounds, conditions, key })).toBe(1);
    }
    leftOut += kept.filter((one) => one === 0).length;
  }
  expect(leftOut).toBeGreaterThan(100);
});
