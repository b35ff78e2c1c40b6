import { describe, expect, test } from 'vitest';
import {
  dataRowShape,
  encodeTuple,
  encodeTupleFromDatums,
  layoutOfTypes,
  readColumn,
  readTupleDatums,
  TupleLayout,
  writeDataRowFromTuple,
} from '../../src/access/index.ts';
import { ByteWriter } from '../../src/base/index.ts';
import { createVector, readDatum, writeDatum } from '../../src/chunk/index.ts';
import {
  DEFAULT_TYPE_CONTEXT as context,
  type Datum,
  OID,
  typeByOid,
} from '../../src/types/index.ts';

const TYPES = [
  OID.bool,
  OID.int2,
  OID.int4,
  OID.int8,
  OID.float4,
  OID.float8,
  OID.text,
  OID.bytea,
  OID.timestamp,
  OID.date,
  OID.numeric,
  OID.text,
].map(typeByOid);
const ROWS: Datum[][] = [
  [
    true,
    -5,
    70000,
    2 ** 40,
    1.5,
    -0.25,
    'grüße',
    Uint8Array.of(1, 2),
    12345,
    -3,
    { kind: 'finite', unscaled: 12345n, scale: 2 },
    '',
  ],
  [
    false,
    32767,
    -2147483648,
    9223372036854775807n,
    -2,
    1e300,
    '',
    new Uint8Array(0),
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    { kind: 'nan' },
    'x'.repeat(100),
  ],
  TYPES.map(() => null),
  [
    null,
    1,
    null,
    -9007199254740993n,
    null,
    null,
    null,
    null,
    -(2 ** 60) as number,
    null,
    null,
    'z',
  ],
];

/** Canonical form: int8 beyond the safe integers are BigInts. */
function canonical(row: Datum[]): Datum[] {
  return row.map((value) =>
    typeof value === 'number' &&
    Number.isInteger(value) &&
    !Number.isSafeInteger(value) &&
    Math.abs(value) < 2 ** 63
      ? BigInt(value)
      : value,
  );
}

describe('tuples', () => {
  const layout = layoutOfTypes(TYPES);
  test('give back the datums they were made of', () => {
    for (const row of ROWS) {
      const out = new ByteWriter();
      out.u8(7);
      encodeTupleFromDatums(layout, canonical(row), out);
      expect(readTupleDatums(layout, out.bytes, 1)).toEqual(canonical(row));
    }
  });

  test('are the same bytes from vectors, and decode a column at a time', () => {
    const vectors = TYPES.map((type) => createVector(type, 8));
    const out = new ByteWriter();
    const starts: number[] = [];
    ROWS.forEach((row, r) => {
      canonical(row).forEach((value, i) => {
        writeDatum(vectors[i]!, r, TYPES[i]!, value);
      });
    });
    ROWS.forEach((row, r) => {
      starts.push(out.position);
      encodeTuple(layout, vectors, r, out);
      const other = new ByteWriter();
      encodeTupleFromDatums(layout, canonical(row), other);
      expect(out.bytes.slice(starts[r], out.position)).toEqual(other.copy());
    });
    const run = { bytes: out.bytes, view: out.view, valueStart: Int32Array.from(starts) };
    TYPES.forEach((type, i) => {
      const vector = createVector(type, 8);
      readColumn(layout, i, run, 0, ROWS.length, vector, 2);
      const got = ROWS.map((_, r) => readDatum(vector, r + 2, type));
      expect(got).toEqual(ROWS.map((row) => canonical(row)[i]));
    });
  });

  test('use wide ends for long data', () => {
    const types = [OID.text, OID.text].map(typeByOid);
    const wide = layoutOfTypes(types);
    const row = ['a'.repeat(70000), 'b'.repeat(10)];
    const out = new ByteWriter();
    encodeTupleFromDatums(wide, row, out);
    expect(readTupleDatums(wide, out.bytes, 0)).toEqual(row);
  });

  test('of fewer columns have the missing values', () => {
    const short = layoutOfTypes(TYPES.slice(0, 7));
    const out = new ByteWriter();
    encodeTupleFromDatums(short, ROWS[0]!.slice(0, 7), out);
    const long = new TupleLayout(
      TYPES,
      TYPES.map((_, i) => (i === 11 ? 'default' : null)),
    );
    const got = readTupleDatums(long, out.bytes, 0);
    expect(got.slice(0, 7)).toEqual(ROWS[0]!.slice(0, 7));
    expect(got[11]).toBe('default');
    expect(got[7]).toBe(null);
  });

  test('become DataRows without a detour', () => {
    const out = new ByteWriter();
    encodeTupleFromDatums(layout, canonical(ROWS[0]!), out);
    const message = new ByteWriter();
    writeDataRowFromTuple(
      dataRowShape(layout, [2, 0, 6, 3, 10, 5], [0, 0, 0, 0, 0, 1]),
      out.bytes,
      0,
      message,
      context,
    );
    const bytes = Buffer.from(message.copy());
    expect(bytes[0]).toBe(0x44);
    expect(bytes.readUInt32BE(1)).toBe(bytes.length - 1);
    expect(bytes.readUInt16BE(5)).toBe(6);
    const texts: string[] = [];
    let at = 7;
    for (let i = 0; i < 6; i++) {
      const length = bytes.readInt32BE(at);
      texts.push(bytes.subarray(at + 4, at + 4 + length).toString(i === 5 ? 'hex' : 'utf8'));
      at += 4 + length;
    }
    expect(at).toBe(bytes.length);
    expect(texts).toEqual(['70000', 't', 'grüße', '1099511627776', '123.45', 'bfd0000000000000']);
  });
});

test('text that lies together in a run is read as that of single tuples', () => {
  const types = [OID.int4, OID.text, OID.bytea, OID.text].map(typeByOid);
  const layout = layoutOfTypes(types);
  const out = new ByteWriter();
  const starts: number[] = [];
  const rows: Datum[][] = [];
  for (let i = 0; i < 60; i++) {
    const long = i % 20 === 7 ? 'x'.repeat(5000) : `value ${i}`;
    rows.push([i, i % 7 === 3 ? null : long, Uint8Array.of(i), i % 5 === 0 ? '' : `ü${i}`]);
    // Some lie far from the others.
    if (i === 50) out.raw(new Uint8Array(100_000));
    starts.push(out.position);
    encodeTupleFromDatums(layout, rows[i]!, out);
  }
  const bytes = out.copy();
  const run = { bytes, view: new DataView(bytes.buffer), valueStart: Int32Array.from(starts) };
  for (const [from, count] of [
    [0, 60],
    [0, 40],
    [3, 20],
    [45, 15],
    [10, 2],
  ] as const) {
    types.forEach((type, column) => {
      const vector = createVector(type);
      // Behind rows of another run.
      readColumn(layout, column, run, 0, 5, vector, 0);
      readColumn(layout, column, run, from, count, vector, 5);
      for (let i = 0; i < 5 + count; i++) {
        const row = i < 5 ? i : from + i - 5;
        expect(readDatum(vector, i, type)).toEqual(rows[row]![column]);
      }
    });
  }
});
