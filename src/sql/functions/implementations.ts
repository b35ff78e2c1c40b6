/** Code of functions and aggregates, joined to their signatures.
 *
 * A table is keyed by pg_proc's `source`, or by the decimal oid where the source does not name one
 * function (SQL-language functions). Aggregates are keyed by their transition and final functions,
 * `int4_avg_accum/int8_avg`, or the transition alone when there is no final function. */

import type { Datum } from '../../types/index.ts';
import type {
  AggregateFunction,
  AggregateSignature,
  CallTypes,
  FunctionContext,
  ScalarFunction,
  SetFunction,
} from './function.ts';
import { aggregateByOid, functionByOid, functionsByName } from './signatures.ts';

interface FunctionTable {
  readonly scalars?: Readonly<Record<string, ScalarFunction>>;
  /** Functions that depend on the types of the call. */
  readonly typedScalars?: Readonly<Record<string, (call: CallTypes) => ScalarFunction>>;
  readonly sets?: Readonly<Record<string, SetFunction>>;
  readonly typedSets?: Readonly<Record<string, (call: CallTypes) => SetFunction>>;
  readonly aggregates?: Readonly<Record<string, AggregateFunction>>;
  readonly typedAggregates?: Readonly<Record<string, (call: CallTypes) => AggregateFunction>>;
}

const scalars = new Map<string, ScalarFunction>();
const typedScalars = new Map<string, (call: CallTypes) => ScalarFunction>();
const sets = new Map<string, SetFunction>();
const typedSets = new Map<string, (call: CallTypes) => SetFunction>();
const aggregates = new Map<string, AggregateFunction>();
const typedAggregates = new Map<string, (call: CallTypes) => AggregateFunction>();

/** Adds implementations; a later table wins over an earlier one. Call it while modules load. */
export function registerFunctions(table: FunctionTable): void {
  addAll(scalars, table.scalars);
  addAll(typedScalars, table.typedScalars);
  addAll(sets, table.sets);
  addAll(typedSets, table.typedSets);
  addAll(aggregates, table.aggregates);
  addAll(typedAggregates, table.typedAggregates);
}

function addAll<Value>(
  target: Map<string, Value>,
  source: Readonly<Record<string, Value>> | undefined,
): void {
  if (source === undefined) return;
  for (const [key, value] of Object.entries(source)) target.set(key, value);
}

/** The code of a scalar function. Without the types of the call, functions that depend on them
 * (array_append, concat, pg_typeof, …) are not found. */
export function scalarImplementation(oid: number, call?: CallTypes): ScalarFunction | undefined {
  const key = keyIn(oid, scalars);
  if (key !== undefined) return scalars.get(key);
  const typedKey = keyIn(oid, typedScalars);
  if (typedKey === undefined || call === undefined) return undefined;
  return typedScalars.get(typedKey)?.(call);
}

/** The code of a function that returns a set; `call` as for scalarImplementation. */
export function setImplementation(oid: number, call?: CallTypes): SetFunction | undefined {
  const key = keyIn(oid, sets);
  if (key !== undefined) return sets.get(key);
  const typedKey = keyIn(oid, typedSets);
  if (typedKey === undefined || call === undefined) return undefined;
  return typedSets.get(typedKey)?.(call);
}

/** The code of an aggregate; `call` as for scalarImplementation. */
export function aggregateImplementation(
  oid: number,
  call?: CallTypes,
): AggregateFunction | undefined {
  const aggregate = aggregateByOid(oid);
  if (aggregate === undefined) return undefined;
  const key = aggregateKey(aggregate);
  const found = aggregates.get(key) ?? (call && typedAggregates.get(key)?.(call));
  if (found !== undefined) return found;
  const transition = strictTransition(aggregate);
  return transition && foldingAggregate(transition);
}

/** An aggregate that is no more than its transition function over the values: min, max, bit_and,
 * bool_or, sum of floats. The first value is the first state, and two states combine as values. */
function foldingAggregate(transition: ScalarFunction): AggregateFunction<Datum> {
  const apply = transition as (context: FunctionContext, a: Datum, b: Datum) => Datum;
  return {
    strict: true,
    initial: () => null,
    accumulate: (context, state, value) =>
      state === null ? (value as Datum) : apply(context, state, value as Datum),
    combine: (context, state, other) => {
      if (state === null || other === null) return state ?? other;
      return apply(context, state, other);
    },
    finish: (_context, state) => state,
  };
}

/** The transition function of an aggregate that a fold can stand for: strict, of two values of the
 * type of the state, without a final function. */
function strictTransition(aggregate: AggregateSignature): ScalarFunction | undefined {
  if (aggregate.final !== '-' || aggregate.kind !== 'n') return undefined;
  const { transitionType } = aggregate;
  const found = functionsByName(aggregate.transition).find(
    (row) =>
      row.strict &&
      row.arguments.length === 2 &&
      row.arguments.every((argument) => argument === transitionType),
  );
  return found && scalarImplementation(found.oid);
}

/** Whether a call of the function can run: if not, it answers 0A000 and pg_proc does not show it. */
export function isImplemented(oid: number): boolean {
  const aggregate = aggregateByOid(oid);
  if (aggregate !== undefined) {
    // What aggregates with WITHIN GROUP compute is in their executor.
    if (aggregate.kind !== 'n') return true;
    const key = aggregateKey(aggregate);
    return (
      aggregates.has(key) || typedAggregates.has(key) || strictTransition(aggregate) !== undefined
    );
  }
  // What window functions compute is in their executor.
  if (functionByOid(oid)?.kind === 'w') return true;
  return (
    keyIn(oid, scalars) !== undefined ||
    keyIn(oid, typedScalars) !== undefined ||
    keyIn(oid, sets) !== undefined ||
    keyIn(oid, typedSets) !== undefined
  );
}

function keyIn(oid: number, table: ReadonlyMap<string, unknown>): string | undefined {
  const byOid = String(oid);
  if (table.has(byOid)) return byOid;
  const source = functionByOid(oid)?.source;
  return source !== undefined && table.has(source) ? source : undefined;
}

function aggregateKey({ transition, final }: AggregateSignature): string {
  return final === '-' ? transition : `${transition}/${final}`;
}
