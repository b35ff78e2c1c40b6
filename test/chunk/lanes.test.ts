import { expect, test } from 'vitest';
import {
  copyRow,
  createVector,
  fillVector,
  gatherRows,
  readDatum,
  setAllNull,
  writeDatum,
} from '../../src/chunk/index.ts';
import { type Datum, OID, typeByOid } from '../../src/types/index.ts';

const CASES: [number, Datum[]][] = [
  [OID.bool, [true, null, false]],
  [OID.int4, [1, -5, null]],
  [OID.int8, [2 ** 53 - 1, 9223372036854775807n, null]],
  [OID.timestamp, [Number.POSITIVE_INFINITY, 5, 2n ** 60n]],
  [OID.text, ['a', '', null]],
  [OID.bytea, [Uint8Array.of(0, 255), null, new Uint8Array(0)]],
  [OID.numeric, [{ kind: 'finite', unscaled: 15n, scale: 1 }, null, { kind: 'nan' }]],
];

test.each(CASES)('type %i: values come back, copied or gathered', (oid, values) => {
  const type = typeByOid(oid);
  const from = createVector(type, 8);
  values.forEach((value, row) => {
    writeDatum(from, row, type, value);
  });
  expect(values.map((_, row) => readDatum(from, row, type))).toEqual(values);
  const to = createVector(type, 8);
  copyRow(from, 1, to, 0);
  gatherRows(from, Int32Array.of(2, 0), 2, to, 1);
  expect([0, 1, 2].map((row) => readDatum(to, row, type))).toEqual([
    values[1],
    values[2],
    values[0],
  ]);
  setAllNull(to);
  expect(readDatum(to, 2, type)).toBe(null);
  fillVector(to, 5, type, values[0]!);
  expect(readDatum(to, 4, type)).toEqual(values[0]);
});
