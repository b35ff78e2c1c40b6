/** Every function against what PostgreSQL 15 answered (cases/, written by generate.ts). */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PgError } from '../../../src/errors/index.ts';
import {
  type AggregateFunction,
  aggregateImplementation,
  type CallTypes,
  type FunctionSignature,
  functionsByName,
  isImplemented,
  scalarImplementation,
  setImplementation,
} from '../../../src/sql/functions/index.ts';
import { type Datum, OID, range, typeByName, typeByOid } from '../../../src/types/index.ts';
import type { CaseGroup, CaseRow } from './case.ts';
import { context } from './context.ts';

const directory = new URL('./cases/', import.meta.url);

for (const file of readdirSync(directory).sort()) {
  const groups = JSON.parse(readFileSync(new URL(file, directory), 'utf8')) as CaseGroup[];
  describe(file.replace('.json', ''), () => {
    for (const group of groups) {
      it(`${group.name}(${group.types.join(', ')})`, () => {
        const wrong: string[] = [];
        for (const row of group.rows) {
          const expected = row.error ?? row.result ?? null;
          const actual = answer(group, row);
          if (!same(expected, actual) && !sameSign(group, expected, actual)) {
            const shown = [row.args, expected, actual].map((value) => JSON.stringify(value));
            wrong.push(`${shown[0]}: expected ${shown[1]}, got ${shown[2]}`);
          }
        }
        if (wrong.length > 0) throw new Error(wrong.join('\n'));
      });
    }
  });
}

type Answer = string | null | readonly (string | null)[];

/** Of a comparison only the sign counts. */
function sameSign(group: CaseGroup, expected: Answer, actual: Answer): boolean {
  return group.name.endsWith('cmp') && Math.sign(Number(expected)) === Math.sign(Number(actual));
}

/** The C library and V8 may differ in the last digit of a transcendental function. */
function same(expected: Answer, actual: Answer): boolean {
  if (JSON.stringify(expected) === JSON.stringify(actual)) return true;
  if (typeof expected !== 'string' || typeof actual !== 'string') return false;
  if (!/^-?[0-9.]+(e[-+][0-9]+)?$/.test(expected) || expected.length < 15) return false;
  const difference = Math.abs(Number(expected) - Number(actual));
  return difference <= Math.abs(Number(expected)) * 4e-16;
}

function answer(group: CaseGroup, row: CaseRow): Answer {
  try {
    return run(group, row);
  } catch (error) {
    if (error instanceof PgError) return `${error.sqlstate} ${error.message}`;
    throw error;
  }
}

function run(group: CaseGroup, row: CaseRow): Answer {
  const types = group.types.map(oidOf);
  const signature = resolve(group, types);
  expect(isImplemented(signature.oid), `${group.name} is implemented`).toBe(true);
  const resultType = group.result === 0 ? signature.result : group.result;
  const call: CallTypes = { arguments: types, result: resultType };
  const parse = (list: readonly (string | null)[]) =>
    list.map((text, i) => (text === null ? null : typeByOid(types[i]!).input(text, context, -1)));
  const show = (value: Datum) =>
    value === null ? null : typeByOid(resultType).output(value, context);

  if (group.kind === 'aggregate') {
    const aggregate = aggregateImplementation(signature.oid, call)!;
    return show(aggregateRows(aggregate, (row.args as (string | null)[][]).map(parse)));
  }
  const args = parse(row.args as (string | null)[]);
  const nullArgument = signature.strict && args.includes(null);
  if (group.kind === 'set') {
    if (nullArgument) return [];
    const code = setImplementation(signature.oid, call) as (...list: unknown[]) => Iterable<Datum>;
    return Array.from(code(context, ...args), show);
  }
  if (nullArgument) return null;
  const code = scalarImplementation(signature.oid, call) as (...list: unknown[]) => Datum;
  return show(code(context, ...args));
}

/** Runs an aggregate twice, in one piece and as two combined parts, which must agree. */
function aggregateRows(aggregate: AggregateFunction, rows: readonly Datum[][]): Datum {
  const accumulate = (part: readonly Datum[][]) => {
    let state = aggregate.initial(context);
    for (const args of part) {
      if (aggregate.strict && args.includes(null)) continue;
      state = aggregate.accumulate(context, state, ...args);
    }
    return state;
  };
  const whole = aggregate.finish(context, accumulate(rows));
  if (aggregate.combine) {
    const middle = rows.length >> 1;
    const first = accumulate(rows.slice(0, middle));
    const combined = aggregate.combine(context, first, accumulate(rows.slice(middle)));
    const parts = aggregate.finish(context, combined);
    if (Number.isFinite(whole) && Number.isFinite(parts))
      expect(parts as number).toBeCloseTo(whole as number, 5);
    else expect(parts).toEqual(whole);
  }
  return whole;
}

function oidOf(name: string): number {
  const type = typeByName(name.replaceAll('"', ''));
  if (type === undefined) throw new Error(`no type ${name}`);
  return type.oid;
}

const POLYMORPHIC: readonly number[] = [
  OID.any,
  OID.anyelement,
  OID.anyarray,
  OID.anynonarray,
  OID.anycompatible,
  OID.anycompatiblearray,
  OID.anyrange,
  OID.anymultirange,
];

/** The signature that PostgreSQL would choose; samples give their arguments the exact types. */
function resolve(group: CaseGroup, types: readonly number[]): FunctionSignature {
  const kinds = group.kind === 'aggregate' ? 'a' : 'f';
  const candidates = functionsByName(group.name).filter((row) => row.kind === kinds);
  const fits = (row: FunctionSignature, exact: boolean) => {
    const declared = [...row.arguments];
    if (row.variadic !== 0) while (declared.length < types.length) declared.push(row.variadic);
    if (declared.length !== types.length) return false;
    return declared.every((type, i) => type === types[i] || (!exact && matches(type, types[i]!)));
  };
  const found =
    candidates.find((row) => fits(row, true)) ?? candidates.find((row) => fits(row, false));
  if (found === undefined) throw new Error(`no function ${group.name}(${group.types.join(', ')})`);
  return found;
}

function matches(declared: number, actual: number): boolean {
  if (!POLYMORPHIC.includes(declared)) return false;
  const isArray = typeByOid(actual).elementOid !== 0;
  if (declared === OID.anyrange) return range.rangeKind(actual) !== undefined;
  if (declared === OID.anymultirange) return range.multirangeKind(actual) !== undefined;
  if (declared === OID.anyarray || declared === OID.anycompatiblearray) return isArray;
  return declared !== OID.anynonarray || !isArray;
}
