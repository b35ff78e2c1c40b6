import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  aggregateByOid,
  aggregateImplementation,
  allCasts,
  allFunctions,
  allOperators,
  btreeFamily,
  btreeMembers,
  btreeOperator,
  castBetween,
  EQUAL,
  functionByOid,
  functionsByName,
  isImplemented,
  LESS,
  operatorByOid,
  operatorsByName,
  scalarImplementation,
  setImplementation,
} from '../../../src/sql/functions/index.ts';
import { HEDDLE_VERSION } from '../../../src/sql/functions/session.ts';
import { OID } from '../../../src/types/index.ts';
import { context } from './context.ts';

describe('signatures', () => {
  it('finds rows by oid and by name', () => {
    expect(functionByOid(177)).toMatchObject({ name: 'int4pl', arguments: [23, 23], result: 23 });
    expect(functionsByName('length').map((row) => row.arguments[0])).toContain(OID.text);
    expect(functionsByName('no_such_function')).toEqual([]);
    expect(operatorByOid(96)).toMatchObject({ name: '=', left: 23, right: 23, function: 65 });
    expect(operatorsByName('~~').length).toBeGreaterThan(2);
    expect(castBetween(OID.int4, OID.int8)).toMatchObject({ context: 'i', method: 'f' });
    expect(castBetween(OID.text, OID.int4)).toBeUndefined();
    expect(aggregateByOid(2116)).toMatchObject({ transition: 'int4larger', sortOperator: 521 });
  });

  it('keeps every operator and cast of implemented types callable', () => {
    const missing = [
      ...allOperators().map((row) => row.function),
      ...allCasts().map((row) => row.function),
    ].filter((oid) => oid !== 0 && !isImplemented(oid));
    const names = missing
      .map((oid) => functionByOid(oid))
      .map((row) => `${row?.name}/${row?.source}`);
    const known = /^tid|tid$|^ts_match|xid_age/;
    expect(names.filter((name) => !known.test(name))).toEqual([]);
  });
});

describe('operator families', () => {
  it('orders a type, and types of one family against each other', () => {
    expect(btreeOperator(LESS, OID.int4, OID.int8)?.oid).toBe(37);
    expect(btreeOperator(EQUAL, OID.date, OID.timestamp)?.function).toBe(
      functionsByName('date_eq_timestamp')[0]?.oid,
    );
    expect(btreeOperator(EQUAL, OID.int4, OID.text)).toBeUndefined();
    expect(btreeFamily(OID.int2)).toBe(btreeFamily(OID.int8));
  });

  it('takes varchar as text and arrays as anyarray', () => {
    expect(btreeOperator(EQUAL, OID.varchar, OID.varchar)?.oid).toBe(98);
    expect(btreeOperator(LESS, OID._int4, OID._int4)?.oid).toBe(1072);
    expect(btreeOperator(EQUAL, 114, 114)).toBeUndefined();
  });

  it('knows the strategies of an operator', () => {
    expect(btreeMembers(521)).toEqual([
      { family: 1976, strategy: 5, left: 23, right: 23, operator: 521 },
    ]);
    expect(btreeMembers(551)).toEqual([]);
  });
});

describe('implementations', () => {
  it('needs the types of the call where the result depends on them', () => {
    const concat = functionsByName('concat')[0]!.oid;
    expect(isImplemented(concat)).toBe(true);
    expect(scalarImplementation(concat)).toBeUndefined();
    const call = { arguments: [OID.int4, OID.bool], result: OID.text };
    const code = scalarImplementation(concat, call) as unknown as (...args: unknown[]) => string;
    expect(code(context, 1, true)).toBe('1t');
  });

  it('takes the array of a variadic call apart', () => {
    const concatWs = functionsByName('concat_ws')[0]!.oid;
    const call = { arguments: [OID.text, OID._int4], result: OID.text, variadicArray: true };
    const code = scalarImplementation(concatWs, call) as unknown as (...args: unknown[]) => string;
    const array = { elementType: OID.int4, dimensions: [2], lowerBounds: [1], elements: [1, 2] };
    expect(code(context, ',', array)).toBe('1,2');
    expect(code(context, ',', null)).toBeNull();
  });

  it('shows what has no code as not implemented', () => {
    const create = functionsByName('lo_create')[0]!.oid;
    expect(isImplemented(create)).toBe(false);
    expect(aggregateImplementation(create)).toBeUndefined();
    expect(setImplementation(177)).toBeUndefined();
  });

  it('counts most of what is not of a missing type', () => {
    const count = allFunctions().filter((row) => isImplemented(row.oid)).length;
    expect(count).toBeGreaterThan(1250);
  });
});

it('reports the version of the package', () => {
  const file = new URL('../../../package.json', import.meta.url);
  expect(JSON.parse(readFileSync(file, 'utf8')).version).toBe(HEDDLE_VERSION);
  const version = scalarImplementation(89) as unknown as () => string;
  expect(version()).toMatch(/^PostgreSQL 15\.18 \(Heddle .*\) on /);
});
