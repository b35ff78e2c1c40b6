import { describe, expect, it } from 'vitest';
import {
  arrayOf,
  arrayTypeOf,
  builtinTypes,
  formatType,
  numeric,
  OID,
  parseTypeName,
  resolveTypeName,
  typeByName,
  typeByOid,
} from '../../src/types/index.ts';
import { CONTEXT } from './context.ts';
import { PINNED_FORMAT_TYPE, PINNED_PG_TYPE } from './pinned-catalog.ts';

describe('the registry', () => {
  it('holds the rows of pg_type', () => {
    const rows = [...builtinTypes.all()]
      .sort((a, b) => a.oid - b.oid)
      .map((type) =>
        [
          type.oid,
          type.name,
          type.length,
          type.byValue ? 't' : 'f',
          type.category,
          type.preferred ? 't' : 'f',
          type.arrayOid,
          type.elementOid,
          type.align,
          type.storage,
          type.collation,
          formatType(type.oid),
        ].join('|'),
      );
    expect(rows).toEqual(PINNED_PG_TYPE);
  });

  it('knows every OID constant by its name', () => {
    for (const [name, oid] of Object.entries(OID)) expect(typeByOid(oid).name).toBe(name);
    expect(() => typeByOid(1)).toThrow('cache lookup failed for type 1');
    expect(typeByName('nothing')).toBe(undefined);
  });

  it('formats types with their modifiers', () => {
    for (const [oid, typmod, expected] of PINNED_FORMAT_TYPE) {
      expect([oid, typmod, formatType(oid, typmod)]).toEqual([oid, typmod, expected]);
    }
  });

  it('resolves the names of an AST and those that users spell', () => {
    expect(resolveTypeName(['int4'])?.oid).toBe(OID.int4);
    expect(resolveTypeName(['pg_catalog', 'bpchar'])?.oid).toBe(OID.bpchar);
    expect(resolveTypeName(['public', 'int4'])).toBe(undefined);
    expect(resolveTypeName(['integer'])).toBe(undefined);
    const spelled: ReadonlyArray<readonly [string, string]> = [
      ['int4[]', 'integer[]'],
      ['integer array', 'integer[]'],
      [' double  precision', 'double precision'],
      ['pg_catalog.text', 'text'],
      ['"char"', '"char"'],
      ['char', 'character'],
      ['timestamp(3)', 'timestamp without time zone'],
      ['timestamp(3) with time zone', 'timestamp with time zone'],
      ['character varying(10)', 'character varying'],
      ['INT4', 'integer'],
      ['int[3][]', 'integer[]'],
      ['float(3)', 'real'],
      ['float(25)', 'double precision'],
      ['dec(10, 2)', 'numeric'],
    ];
    for (const [text, expected] of spelled) {
      expect([text, parseTypeName(text)?.sqlName]).toEqual([text, expected]);
    }
    expect(parseTypeName('"INT4"')).toBe(undefined);
    expect(arrayTypeOf(typeByOid(OID._int4))?.oid).toBe(OID._int4);
    expect(arrayTypeOf(typeByOid(OID.int2vector))?.oid).toBe(OID._int2vector);
  });
});

describe('type modifiers', () => {
  const fit = (
    oid: number,
    modifiers: readonly number[],
    text: string,
    explicit = false,
  ): string => {
    const type = typeByOid(oid);
    const typmod = type.typmodIn!(modifiers);
    const value = type.applyTypmod!(type.input(text, CONTEXT, typmod), typmod, explicit);
    return type.output(value, CONTEXT);
  };

  it('cut and pad strings', () => {
    expect(fit(OID.varchar, [3], 'abc  ')).toBe('abc');
    expect(fit(OID.varchar, [3], 'abcdef', true)).toBe('abc');
    expect(() => fit(OID.varchar, [5], 'abcdef')).toThrow(
      'value too long for type character varying(5)',
    );
    expect(fit(OID.varchar, [2], '😀😀')).toBe('😀😀');
    expect(fit(OID.varchar, [1], '😀😀', true)).toBe('😀');
    expect(fit(OID.bpchar, [3], 'éé')).toBe('éé ');
    expect(fit(OID.bpchar, [3], 'abc   ')).toBe('abc');
    expect(() => fit(OID.bpchar, [3], 'abcd')).toThrow('value too long for type character(3)');
    expect(() => fit(OID.varchar, [0], '')).toThrow('length for type varchar must be at least 1');
    expect(() => fit(OID.bpchar, [10485761], '')).toThrow(
      'length for type char cannot exceed 10485760',
    );
    expect(() => fit(OID._varchar, [3], '{a,abcd}')).toThrow('character varying(3)');
  });

  it('round numerics, and refuse those that do not fit', () => {
    expect(fit(OID.numeric, [4, 2], '99.994')).toBe('99.99');
    expect(fit(OID.numeric, [4, 2], '-99.994')).toBe('-99.99');
    expect(fit(OID.numeric, [4, -2], '1234.5')).toBe('1200');
    expect(fit(OID.numeric, [4, -2], '49')).toBe('0');
    expect(fit(OID.numeric, [2, 4], '0.00099')).toBe('0.0010');
    expect(fit(OID.numeric, [5], '1.5')).toBe('2');
    expect(fit(OID.numeric, [5, 2], 'NaN')).toBe('NaN');
    expect(fit(OID._numeric, [3, 1], '{1.555,2,NULL}')).toBe('{1.6,2.0,NULL}');
    const overflow = (modifiers: readonly number[], text: string): unknown => {
      try {
        return fit(OID.numeric, modifiers, text);
      } catch (error) {
        return error;
      }
    };
    const detail = (limit: string, precision: number, scale: number) => ({
      fields: {
        sqlstate: '22003',
        message: 'numeric field overflow',
        detail: `A field with precision ${precision}, scale ${scale} must round to an absolute value less than ${limit}.`,
      },
    });
    expect(overflow([4, 2], '99.995')).toMatchObject(detail('10^2', 4, 2));
    expect(overflow([2, 2], '0.999')).toMatchObject(detail('1', 2, 2));
    expect(overflow([2, 4], '0.01')).toMatchObject(detail('10^-2', 2, 4));
    expect(overflow([4, -2], '1e10')).toMatchObject(detail('10^6', 4, -2));
    expect(overflow([5, 2], 'inf')).toMatchObject({
      fields: { detail: 'A field with precision 5, scale 2 cannot hold an infinite value.' },
    });
    expect(() => fit(OID.numeric, [1001], '1')).toThrow(
      'NUMERIC precision 1001 must be between 1 and 1000',
    );
    expect(() => fit(OID.numeric, [5, -1001], '1')).toThrow(
      'NUMERIC scale -1001 must be between -1000 and 1000',
    );
    expect(() => fit(OID.numeric, [1, 2, 3], '1')).toThrow('invalid NUMERIC type modifier');
  });
});

describe('records', () => {
  const type = typeByOid(OID.record);
  const row = {
    fieldTypes: [OID.int4, OID.text, OID.text, OID.text, OID.text, OID._int4, OID.bool, OID.text],
    fields: [1, 'a b', null, '', 'x"y\\', arrayOf(OID.int4, [1, 2]), true, 'a,b'],
  };

  it('print their fields with quotes where they need them', () => {
    expect(type.output(row, CONTEXT)).toBe('(1,"a b",,"","x""y\\\\","{1,2}",t,"a,b")');
    const nested = { fieldTypes: [OID.int4, OID.record], fields: [1, row] };
    expect(type.output(nested, CONTEXT)).toContain('(1,"(1,""a b"",,"""",');
    expect(() => type.input('(1)', CONTEXT, -1)).toThrow(
      'input of anonymous composite types is not implemented',
    );
  });

  it('compare field by field', () => {
    const of = (...fields: (number | null)[]) => ({
      fieldTypes: fields.map(() => OID.int4),
      fields,
    });
    expect(type.compare(of(1, 2), of(1, 3))).toBeLessThan(0);
    expect(type.compare(of(1, null), of(1, 3))).toBeGreaterThan(0);
    expect(() => type.compare(of(1), of(1, 3))).toThrow('different numbers of columns');
    expect(() => type.compare(of(1), { fieldTypes: [OID.numeric], fields: [numeric.ONE] })).toThrow(
      'cannot compare dissimilar column types integer and numeric at record column 1',
    );
  });
});
