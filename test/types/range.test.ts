import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter, compareBytes, decodeUtf8 } from '../../src/base/index.ts';
import { PgError } from '../../src/errors/index.ts';
import {
  type Datum,
  int8,
  numeric,
  type RangeDatum,
  range,
  type SqlType,
  typeByOid,
} from '../../src/types/index.ts';
import { CONTEXT } from './context.ts';

const small = fc.integer({ min: -4, max: 4 });
const VALUES: Readonly<Record<string, fc.Arbitrary<Datum>>> = {
  int4range: fc.oneof(small, fc.integer({ min: -2147483648, max: 2147483646 })),
  int8range: fc.oneof(small, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 2n }).map(int8)),
  numrange: fc
    .tuple(small, fc.integer({ min: 0, max: 2 }))
    .map(([unscaled, scale]) => numeric.parseNumeric((unscaled / 10 ** scale).toFixed(scale))),
  daterange: fc.oneof(small, fc.constantFrom(Infinity, -Infinity)),
  tsrange: fc.oneof(small, fc.constantFrom(Infinity, -Infinity)),
  tstzrange: fc.oneof(small, fc.constantFrom(Infinity, -Infinity)),
};

function bytesOf(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(16);
  write(out);
  return out.copy();
}

function rangesOf(kind: range.RangeKind): fc.Arbitrary<RangeDatum> {
  const end = fc.record({
    value: fc.option(VALUES[kind.name]!, { freq: 5 }),
    inclusive: fc.boolean(),
  });
  return fc.tuple(end, end).map(([a, b]) => {
    const isTurned =
      a.value !== null && b.value !== null && kind.subtype.compare(a.value, b.value) > 0;
    const [lower, upper] = isTurned ? [b, a] : [a, b];
    return range.makeRange(kind, { ...lower, isLower: true }, { ...upper, isLower: false });
  });
}

const TYPES: readonly (readonly [SqlType, fc.Arbitrary<Datum>])[] = [
  ...range.RANGE_KINDS.map((kind) => [typeByOid(kind.oid), rangesOf(kind)] as const),
  ...range.MULTIRANGE_KINDS.map((kind) => {
    const values = fc.array(rangesOf(kind.range), { maxLength: 4 });
    return [
      typeByOid(kind.oid),
      values.map((ranges) => range.makeMultirange(kind, ranges)),
    ] as const;
  }),
];

describe.each(TYPES)('$name', (type, values) => {
  it('reads its text, binary and stored forms back', () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = type.output(value, CONTEXT);
        expect(type.input(text, CONTEXT, -1)).toEqual(value);
        const written = bytesOf((out) => type.writeText(value, out, CONTEXT));
        expect(decodeUtf8(written, 0, written.length)).toBe(text);
        const sent = bytesOf((out) => type.send(value, out));
        expect(type.receive(sent, 0, sent.length)).toEqual(value);
        const stored = bytesOf((out) => type.toBytes(value, out));
        expect(type.fromBytes(stored, 0, stored.length)).toEqual(value);
      }),
    );
  });

  it('orders keys as values, and ends them', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, next) => {
        const key = (value: Datum) => bytesOf((out) => type.encodeKey(value, out));
        const order = Math.sign(type.compare(a, b));
        expect(Math.sign(compareBytes(key(a), key(b)))).toBe(order);
        if (order === 0) return;
        const followed = (value: Datum, tail: Datum) =>
          bytesOf((out) => {
            type.encodeKey(value, out);
            type.encodeKey(tail, out);
          });
        expect(Math.sign(compareBytes(followed(a, next), followed(b, a)))).toBe(order);
      }),
    );
  });
});

describe.each(range.RANGE_KINDS)('what lies in values of $name', (kind) => {
  const ranges = rangesOf(kind);

  it('is what operators say', () => {
    fc.assert(
      fc.property(ranges, ranges, VALUES[kind.name]!, (a, b, value) => {
        const has = (whole: RangeDatum) => range.containsElement(kind, whole, value);
        expect(has(range.intersect(kind, a, b))).toBe(has(a) && has(b));
        if (has(a) || has(b)) expect(has(range.merge(kind, a, b))).toBe(true);
        if (range.containsRange(kind, a, b) && has(b)) expect(has(a)).toBe(true);
        if (range.overlap(kind, a, b)) {
          expect(range.isBefore(kind, a, b) || range.isBefore(kind, b, a)).toBe(false);
          expect(has(range.unite(kind, a, b))).toBe(has(a) || has(b));
        }
      }),
    );
  });
});

describe.each(range.MULTIRANGE_KINDS)('what lies in values of $name', (kind) => {
  const lists = fc
    .array(rangesOf(kind.range), { maxLength: 4 })
    .map((ranges) => range.makeMultirange(kind, ranges).ranges);

  it('is what operators say', () => {
    fc.assert(
      fc.property(lists, lists, VALUES[kind.range.name]!, (a, b, value) => {
        const has = (ranges: readonly RangeDatum[]) => range.holdsElement(kind, ranges, value);
        const { ranges: both } = range.makeMultirange(kind, [...a, ...b]);
        expect(has(both)).toBe(has(a) || has(b));
        const common = range.commonRanges(kind, a, b);
        expect(has(common)).toBe(has(a) && has(b));
        const rest = range.rangesWithout(kind, a, b);
        expect(has(rest)).toBe(has(a) && !has(b));
        expect(range.commonRanges(kind, rest, b)).toEqual([]);
        expect(range.holdsRanges(kind, a, b)).toBe(range.rangesWithout(kind, b, a).length === 0);
      }),
    );
  });
});

it('refuses binary forms that end early or late', () => {
  const type = typeByOid(3904);
  const code = (...bytes: number[]) => {
    try {
      type.receive(Uint8Array.from(bytes), 0, bytes.length);
      return 'read';
    } catch (thrown) {
      return thrown instanceof PgError ? thrown.sqlstate : String(thrown);
    }
  };
  expect(code(1)).toBe('read');
  expect(code()).toBe('08P01');
  expect(code(2, 0, 0, 0, 4, 0, 0)).toBe('08P01');
  expect(code(0x18, 0)).toBe('22P03');
  expect(code(2, 0, 0, 0, 3, 0, 0, 1)).toBe('08P01');
  expect(code(6, 0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0, 4, 0, 0, 0, 1)).toBe('22000');
});
