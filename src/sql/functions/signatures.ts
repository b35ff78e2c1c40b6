/** Signatures of functions, operators, casts and aggregates: PostgreSQL 15's catalog rows, indexed.
 * Each index is built when it is first asked for and never changes. */

import aggregateRows from '../../../schemas/catalog/pg_aggregate.json' with { type: 'json' };
import castRows from '../../../schemas/catalog/pg_cast.json' with { type: 'json' };
import operatorRows from '../../../schemas/catalog/pg_operator.json' with { type: 'json' };
import functionRows from '../../../schemas/catalog/pg_proc.json' with { type: 'json' };
import { once } from '../../base/index.ts';
import type {
  AggregateSignature,
  CastSignature,
  FunctionSignature,
  OperatorSignature,
} from './function.ts';

const NO_FUNCTIONS: readonly FunctionSignature[] = [];
const NO_OPERATORS: readonly OperatorSignature[] = [];

/** All signatures, implemented or not, in the order of pg_proc. */
export function allFunctions(): readonly FunctionSignature[] {
  return functionRows as unknown as readonly FunctionSignature[];
}

export function allOperators(): readonly OperatorSignature[] {
  return operatorRows as unknown as readonly OperatorSignature[];
}

export function allCasts(): readonly CastSignature[] {
  return castRows as unknown as readonly CastSignature[];
}

function allAggregates(): readonly AggregateSignature[] {
  return aggregateRows as unknown as readonly AggregateSignature[];
}

export function functionByOid(oid: number): FunctionSignature | undefined {
  return functionsByOidIndex().get(oid);
}

/** Every function of the name, aggregates and window functions too. */
export function functionsByName(name: string): readonly FunctionSignature[] {
  return functionsByNameIndex().get(name) ?? NO_FUNCTIONS;
}

export function operatorByOid(oid: number): OperatorSignature | undefined {
  return operatorsByOidIndex().get(oid);
}

export function operatorsByName(name: string): readonly OperatorSignature[] {
  return operatorsByNameIndex().get(name) ?? NO_OPERATORS;
}

/** The cast of pg_cast from exactly one type to exactly another. */
export function castBetween(source: number, target: number): CastSignature | undefined {
  return castIndex().get(castKey(source, target));
}

export function aggregateByOid(oid: number): AggregateSignature | undefined {
  return aggregateIndex().get(oid);
}

const functionsByOidIndex = once(() => new Map(allFunctions().map((row) => [row.oid, row])));
const functionsByNameIndex = once(() => groupByName(allFunctions()));
const operatorsByOidIndex = once(() => new Map(allOperators().map((row) => [row.oid, row])));
const operatorsByNameIndex = once(() => groupByName(allOperators()));
const castIndex = once(
  () => new Map(allCasts().map((row) => [castKey(row.source, row.target), row])),
);
const aggregateIndex = once(() => new Map(allAggregates().map((row) => [row.function, row])));

/** Oids are below 2^32 and those of casts below 2^20, so that the key is a safe integer. */
function castKey(source: number, target: number): number {
  return source * 0x10_0000 + target;
}

function groupByName<Row extends { readonly name: string }>(
  rows: readonly Row[],
): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.name);
    if (group === undefined) groups.set(row.name, [row]);
    else group.push(row);
  }
  return groups;
}
