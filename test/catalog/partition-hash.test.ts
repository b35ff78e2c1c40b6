import { describe, expect, test } from 'vitest';
import { hashRemainder } from '../../src/catalog/index.ts';
import { DEFAULT_TYPE_CONTEXT as CONTEXT, type Datum, typeByName } from '../../src/types/index.ts';

/** Type, value, and the remainder modulo 997 that PostgreSQL's satisfies_hash_partition is true for. */
const ANSWERS: readonly (readonly [string, string, number])[] = [
  ['bool', 'true', 6],
  ['bool', 'false', 156],
  ['int2', '7', 439],
  ['int2', '-3', 400],
  ['int4', '0', 156],
  ['int4', '1', 6],
  ['int4', '-1', 733],
  ['int4', '42', 83],
  ['int4', '2147483647', 824],
  ['int4', '-2147483648', 269],
  ['int8', '0', 156],
  ['int8', '42', 83],
  ['int8', '-42', 860],
  ['int8', '5000000000', 960],
  ['int8', '-5000000000', 226],
  ['int8', '9223372036854775807', 269],
  ['int8', '9007199254740993', 816],
  ['oid', '4000000000', 784],
  ['float4', '0', 794],
  ['float4', '1.5', 503],
  ['float4', '-2.25', 249],
  ['float4', '3e10', 711],
  ['float8', '0', 794],
  ['float8', '-0', 794],
  ['float8', '1.5', 503],
  ['float8', '1e300', 270],
  ['float8', 'NaN', 822],
  ['float8', 'Infinity', 822],
  ['numeric', '0', 793],
  ['numeric', '1', 516],
  ['numeric', '1.50', 741],
  ['numeric', '1.5', 741],
  ['numeric', '12345.678', 804],
  ['numeric', '0.00001', 28],
  ['numeric', '-98765432109876543210.12345', 295],
  ['numeric', 'NaN', 794],
  ['numeric', '10000', 517],
  ['numeric', '100000000', 514],
  ['text', '', 597],
  ['text', 'a', 553],
  ['text', 'abc', 725],
  ['text', 'hello world!', 909],
  ['text', 'exactly12byt', 318],
  ['text', 'räksmörgås with a long tail of text', 8],
  ['varchar', 'abc', 725],
  ['name', 'abc', 725],
  ['bpchar', 'abc  ', 725],
  ['bytea', '\\x00ff10', 679],
  ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 420],
  ['date', '2020-01-01', 686],
  ['date', '1999-12-31', 733],
  ['date', 'infinity', 824],
  ['date', '-infinity', 269],
  ['time', '12:34:56.789', 566],
  ['timetz', '12:34:56.789+02', 861],
  ['timetz', '00:00:00-05:30', 220],
  ['timestamp', '2020-01-01 00:00:00', 128],
  ['timestamp', '1990-06-01 12:00:00.5', 440],
  ['timestamp', 'infinity', 269],
  ['timestamp', '-infinity', 824],
  ['timestamptz', '2020-01-01 00:00:00+00', 128],
  ['interval', '1 mon 2 days 03:04:05', 235],
  ['interval', '-1 year', 481],
  ['interval', '30 days', 672],
  ['inet', '1.2.3.4', 429],
  ['inet', '1.2.3.4/24', 425],
  ['inet', 'fe80::1/64', 694],
  ['cidr', '10.0.0.0/8', 436],
  ['cidr', '2001:db8::/32', 81],
  ['macaddr', '08:00:2b:01:02:03', 617],
  ['macaddr8', '08:00:2b:01:02:03:04:05', 127],
  ['_int4', '{1,2,3}', 968],
  ['_int4', '{}', 140],
  ['_int4', '{NULL,5}', 463],
  ['_text', '{a,b}', 407],
];

function keyOf(name: string) {
  return { column: 0, expression: null, type: typeByName(name)!.oid, operatorClass: 0 };
}

function parse(name: string, text: string): Datum {
  return typeByName(name)!.input(text, CONTEXT, -1);
}

describe('the hash of partition keys is that of PostgreSQL', () => {
  test.each(ANSWERS)('%s %s', (name, text, remainder) => {
    expect(hashRemainder([keyOf(name)], [parse(name, text)], 997)).toBe(remainder);
  });

  test('of several columns, of which nulls count as nothing', () => {
    const keys = [keyOf('int4'), keyOf('text'), keyOf('date')];
    expect(hashRemainder(keys, [5, 'abc', null], 997)).toBe(657);
    expect(hashRemainder(keys, [-5, 'x', parse('date', '2021-02-03')], 100)).toBe(76);
  });
});
