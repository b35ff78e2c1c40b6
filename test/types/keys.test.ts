import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter, compareBytes } from '../../src/base/index.ts';
import {
  arrayOf,
  bits,
  builtinTypes,
  compareKeys,
  type Datum,
  encodeKey,
  encodeKeyPart,
  encodeStoredKeyPart,
  int8,
  json,
  type KeyColumn,
  network,
  numeric,
  OID,
  type SqlType,
  typeByOid,
} from '../../src/types/index.ts';
import { CONTEXT } from './context.ts';

const int64 = fc
  .oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(-300n, 300n))
  .map((value): Datum => int8(value));
const float8 = fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity));
const float4 = fc.oneof(fc.float(), fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity));
const letters = fc.string({
  unit: fc.constantFrom('a', 'b', ' ', '\u0001', '\u007f', 'é', '\ud7ff', '\ue000', '\uffff', '😀'),
  maxLength: 5,
});
const bytes = fc.uint8Array({ maxLength: 5, min: 0, max: 255 });
const someBytes = fc.array(fc.constantFrom(0, 1, 2, 254, 255), { maxLength: 5 });
const decimal = fc.oneof(
  fc
    .tuple(fc.bigInt(-(10n ** 40n), 10n ** 40n), fc.nat(60))
    .map(([unscaled, scale]): Datum => numeric.finite(unscaled, scale)),
  fc
    .tuple(fc.bigInt(-1200n, 1200n), fc.nat(4))
    .map(([unscaled, scale]): Datum => numeric.finite(unscaled, scale)),
  fc
    .tuple(fc.integer({ min: -99, max: 99 }), fc.nat(400))
    .map(([digits, power]): Datum => numeric.finite(BigInt(digits) * 10n ** BigInt(power), 0)),
  fc.constantFrom<Datum>(numeric.NAN, numeric.INFINITY, numeric.NEGATIVE_INFINITY, numeric.ZERO),
);

const bitString = fc
  .array(fc.constantFrom('0', '1', '00000000', '11111111'), { maxLength: 6 })
  .map((parts): Datum => bits.parseBits(parts.join('')));

const VALUES: ReadonlyArray<readonly [oid: number, values: fc.Arbitrary<Datum>]> = [
  [OID.bool, fc.boolean()],
  [OID.int2, fc.integer({ min: -32768, max: 32767 })],
  [OID.int4, fc.integer()],
  [OID.int8, int64],
  [OID.money, int64],
  [OID.oid, fc.nat(0xffff_ffff)],
  [OID.float4, float4.map(Math.fround)],
  [OID.float8, float8],
  [OID.text, letters],
  [OID.varchar, letters],
  [OID.bpchar, letters],
  [OID.name, letters],
  [OID.char, fc.nat(255).map((code) => (code === 0 ? '' : String.fromCharCode(code)))],
  [
    OID.bytea,
    fc.oneof(
      bytes,
      someBytes.map((list) => Uint8Array.from(list)),
    ),
  ],
  [OID.uuid, fc.uint8Array({ minLength: 16, maxLength: 16 })],
  [OID.inet, address()],
  [OID.cidr, address().map((value): Datum => network.networkOf(value, network.bitsOf(value)))],
  [OID.macaddr, fc.uint8Array({ minLength: 6, maxLength: 6 })],
  [OID.macaddr8, fc.uint8Array({ minLength: 8, maxLength: 8 })],
  [OID.bit, bitString],
  [OID.varbit, bitString],
  [OID.numeric, decimal],
  [OID._int4, array(OID.int4, fc.integer({ min: -1, max: 2 }))],
  [OID._text, array(OID.text, letters)],
  [OID._numeric, array(OID.numeric, decimal)],
  [OID.record, record()],
  [OID.jsonb, jsonb()],
];

/** Addresses of few bits, so that many are near one another. */
function address(): fc.Arbitrary<Uint8Array> {
  const octet = fc.constantFrom(0, 1, 128, 255);
  const ofSize = (family: number, size: number) =>
    fc
      .tuple(fc.integer({ min: 0, max: size * 8 }), fc.array(octet, { minLength: 4, maxLength: 4 }))
      .map(([length, head]) => {
        const value = new Uint8Array(2 + size);
        value.set([family, length, ...head]);
        return value;
      });
  return fc.oneof(ofSize(2, 4), ofSize(3, 16));
}

function array(oid: number, element: fc.Arbitrary<Datum>): fc.Arbitrary<Datum> {
  const elements = fc.array(fc.option(element), { maxLength: 4 });
  const plain = elements.map((list): Datum => arrayOf(oid, list));
  const shaped = fc
    .tuple(fc.array(fc.option(element), { minLength: 4, maxLength: 4 }), fc.boolean(), fc.integer())
    .map(
      ([list, square, bound]): Datum => ({
        elementType: oid,
        dimensions: square ? [2, 2] : [4],
        lowerBounds: square ? [1, bound] : [bound],
        elements: list,
      }),
    );
  return fc.oneof(plain, shaped);
}

function jsonb(): fc.Arbitrary<Datum> {
  const name = fc.constantFrom('', 'a', 'b', 'ab', 'é');
  const number = decimal.map((value) => value as json.JsonbValue).filter(json.isNumber);
  const { value } = fc.letrec<{ value: json.JsonbValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.oneof<fc.Arbitrary<json.JsonbValue>[]>(
        fc.constantFrom(null, true, false),
        letters,
        number,
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.array(fc.tuple(name, tie('value')), { maxLength: 3 }).map(json.jsonbObject),
    ) as fc.Arbitrary<json.JsonbValue>,
  }));
  return value.map((tree): Datum => json.encodeJsonb(tree));
}

function record(): fc.Arbitrary<Datum> {
  return fc
    .tuple(fc.option(fc.integer({ min: 0, max: 2 })), fc.option(letters))
    .map((fields): Datum => ({ fieldTypes: [OID.int4, OID.text], fields }));
}

function keyOf(type: SqlType, value: Datum): Uint8Array {
  const out = new ByteWriter(1);
  type.encodeKey(value, out);
  return out.copy();
}

describe('keys', () => {
  it.each(VALUES.map(([oid, values]) => [typeByOid(oid).name, typeByOid(oid), values] as const))(
    'of %s order as its values',
    (_name, type, values) => {
      fc.assert(
        fc.property(values, values, (a, b) => {
          const order = Math.sign(type.compare(a, b));
          expect(Math.sign(compareBytes(keyOf(type, a), keyOf(type, b)))).toBe(order);
          expect(Math.sign(type.compare(b, a)) + order).toBe(0);
        }),
        { numRuns: 400 },
      );
    },
  );

  it.each(VALUES.map(([oid, values]) => [typeByOid(oid).name, typeByOid(oid), values] as const))(
    'of %s end themselves, and their stored form leads back',
    (_name, type, values) => {
      fc.assert(
        fc.property(values, values, (a, b) => {
          const left = keyOf(type, a);
          const right = keyOf(type, b);
          if (type.compare(a, b) !== 0) {
            expect(compareBytes(left, right.subarray(0, left.length))).not.toBe(0);
          }
          const out = new ByteWriter(1);
          type.toBytes(a, out);
          const stored = out.copy();
          const loaded = type.fromBytes(stored, 0, stored.length);
          expect(type.compare(loaded, a)).toBe(0);
          expect(keyOf(type, loaded)).toEqual(left);
          if (type.lane === 'bytes') {
            const direct = new ByteWriter(1);
            encodeStoredKeyPart(type, stored, 0, stored.length, true, direct);
            const byValue = new ByteWriter(1);
            encodeKeyPart(type, a, true, false, byValue);
            expect(direct.copy()).toEqual(byValue.copy());
          }
        }),
      );
    },
  );

  it('of several columns order as the rows, whatever the directions', () => {
    const column = (i: number, descending: boolean, nullsFirst: boolean): KeyColumn => ({
      type: typeByOid(VALUES[i]![0]),
      descending,
      nullsFirst,
    });
    const shape = fc
      .array(fc.tuple(fc.nat(VALUES.length - 1), fc.boolean(), fc.boolean()), {
        minLength: 1,
        maxLength: 3,
      })
      .chain((columns) => {
        const row = fc.tuple(
          ...columns.map(([i]) => fc.option(VALUES[i]![1], { freq: 4, nil: null })),
        );
        return fc.tuple(fc.constant(columns.map((c) => column(...c))), row, row);
      });
    fc.assert(
      fc.property(shape, ([columns, a, b]) => {
        const left = new ByteWriter(1);
        const right = new ByteWriter(1);
        encodeKey(columns, a, left);
        encodeKey(columns, b, right);
        const order = Math.sign(compareBytes(left.written(), right.written()));
        expect(order).toBe(Math.sign(compareKeys(columns, a, b)));
      }),
      { numRuns: 1000 },
    );
  });

  it('put NULLs last unless told otherwise', () => {
    const type = typeByOid(OID.int4);
    const part = (value: Datum, descending: boolean, nullsFirst: boolean): Uint8Array => {
      const out = new ByteWriter();
      encodeKeyPart(type, value, descending, nullsFirst, out);
      return out.copy();
    };
    for (const descending of [false, true]) {
      expect(
        compareBytes(part(null, descending, false), part(5, descending, false)),
      ).toBeGreaterThan(0);
      expect(compareBytes(part(null, descending, true), part(5, descending, true))).toBeLessThan(0);
    }
    expect(compareBytes(part(1, true, true), part(2, true, true))).toBeGreaterThan(0);
  });

  it('of equal numerics are equal whatever their scales', () => {
    const type = typeByOid(OID.numeric);
    expect(keyOf(type, numeric.parseNumeric('1.500'))).toEqual(
      keyOf(type, numeric.parseNumeric('1.5')),
    );
    expect(keyOf(type, numeric.parseNumeric('100'))).toHaveLength(2);
    expect(keyOf(type, numeric.parseNumeric('0.000'))).toHaveLength(1);
  });

  it('ignore the padding of char(n)', () => {
    const type = typeByOid(OID.bpchar);
    expect(type.compare('ab  ', 'ab')).toBe(0);
    expect(type.compare('ab', 'ab\u0001')).toBeLessThan(0);
    expect(keyOf(type, 'ab  ')).toEqual(keyOf(type, 'ab'));
  });
});

describe('stored forms', () => {
  const WIDTH = { bool: 1, int2: 2, int4: 4, int8: 8, float4: 4, float8: 8 };
  const SAMPLES: ReadonlyArray<readonly [oid: number, text: string]> = [
    [OID.bool, 't'],
    [OID.int2, '-2'],
    [OID.int4, '-2147483648'],
    [OID.int8, '-9223372036854775808'],
    [OID.oid, '4294967295'],
    [OID.xid, '7'],
    [OID.regclass, '1259'],
    [OID.float4, '-2.5'],
    [OID.float8, '0.1'],
    [OID.date, '2024-02-29'],
    [OID.date, 'infinity'],
    [OID.time, '23:59:59.999999'],
    [OID.timestamp, '2024-02-29 12:34:56.789'],
    [OID.timestamp, '-infinity'],
    [OID.timestamptz, '2024-02-29 12:34:56.789+00'],
  ];

  it.each(SAMPLES)('of type %i have the width of their kind, alone and in arrays', (oid, text) => {
    const type = typeByOid(oid);
    const value = type.input(text, CONTEXT, -1);
    const out = new ByteWriter(1);
    type.toBytes(value, out);
    expect(out.position).toBe(WIDTH[type.stored as keyof typeof WIDTH]);
    expect(type.output(type.fromBytes(out.bytes, 0, out.position), CONTEXT)).toBe(text);
    const arrays = typeByOid(type.arrayOid);
    const list = arrayOf(oid, [value, null, value]);
    out.reset();
    arrays.toBytes(list, out);
    expect(arrays.fromBytes(out.bytes, 0, out.position)).toEqual(list);
    expect(arrays.compare(arrays.input(arrays.output(list, CONTEXT), CONTEXT, -1), list)).toBe(0);
  });

  it('hold integers of every size', () => {
    const type = typeByOid(OID.numeric);
    const values = fc.tuple(fc.nat(4000), fc.boolean(), fc.nat(16383));
    fc.assert(
      fc.property(values, ([bits, negative, scale]) => {
        const magnitude = (1n << BigInt(bits)) - 1n;
        const value = numeric.finite(negative ? -magnitude : magnitude, scale);
        const out = new ByteWriter(1);
        type.toBytes(value, out);
        expect(type.fromBytes(out.bytes, 0, out.position)).toEqual(value);
      }),
    );
  });
});

describe('binary forms', () => {
  it.each(
    VALUES.filter(([oid]) => oid !== OID.record).map(
      ([oid, values]) => [typeByOid(oid).name, typeByOid(oid), values] as const,
    ),
  )('of %s lead back to the value', (_name, type, values) => {
    fc.assert(
      fc.property(values, (value) => {
        const out = new ByteWriter(1);
        type.send(value, out);
        const back = type.receive(out.bytes, 0, out.position);
        expect(type.compare(back, value)).toBe(0);
        const again = new ByteWriter(1);
        type.send(back, again);
        expect(again.copy()).toEqual(out.copy());
      }),
    );
  });

  it('survive any bytes: a value or a PgError', () => {
    const types = [...builtinTypes.all()].filter((type) => type.category !== 'P');
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 40 }), (type, input) => {
        try {
          type.receive(input, 0, input.length);
        } catch (error) {
          expect((error as Error).name).toBe('PgError');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
