import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../src/base/index.ts';
import { PgError } from '../../src/errors/index.ts';
import {
  type Datum,
  formatFloat4,
  formatFloat8,
  OID,
  type SqlType,
  typeByName,
  typeByOid,
} from '../../src/types/index.ts';
import { CONTEXT } from './context.ts';
import { PINNED_TEXT } from './pinned-text.ts';

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function written(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(1);
  write(out);
  return out.copy();
}

function evaluate(type: SqlType, text: string): string {
  try {
    const value = type.input(text, CONTEXT, -1);
    const binary = hex(written((out) => type.send(value, out)));
    return `${type.output(value, CONTEXT)}|${binary}`.replaceAll('\n', '<NL>');
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    const { sqlstate, message, detail } = error.fields;
    return `${sqlstate} ${message}${detail === undefined ? '' : ` / ${detail}`}`;
  }
}

/** Every other form of a value must lead back to the same text. */
function expectFormsAgree(type: SqlType, value: Datum): void {
  const text = type.output(value, CONTEXT);
  const direct = written((out) => type.writeText(value, out, CONTEXT));
  expect(Buffer.from(direct).toString()).toBe(text);
  const binary = written((out) => type.send(value, out));
  const padded = Buffer.concat([Buffer.from('xx'), binary, Buffer.from('y')]);
  expect(type.output(type.receive(padded, 2, 2 + binary.length), CONTEXT)).toBe(text);
  const stored = written((out) => type.toBytes(value, out));
  const page = new Uint8Array(new SharedArrayBuffer(stored.length + 3));
  page.set(stored, 2);
  const end = 2 + stored.length;
  expect(type.output(type.fromBytes(page, 2, end), CONTEXT)).toBe(text);
  if (type.lane !== 'bytes') return;
  const fromStored = written((out) => type.textFromBytes?.(page, 2, end, out, CONTEXT));
  expect(Buffer.from(fromStored).toString()).toBe(text);
  expect(hex(written((out) => type.binaryFromBytes?.(page, 2, end, out)))).toBe(hex(binary));
  expect(hex(written((out) => type.keyFromBytes?.(page, 2, end, out)))).toBe(
    hex(written((out) => type.encodeKey(value, out))),
  );
}

describe('text and binary forms', () => {
  it.each([...new Set(PINNED_TEXT.map(([name]) => name))])('are PostgreSQL’s for %s', (name) => {
    const type = typeByName(name);
    if (type === undefined) throw new Error(`no type ${name}`);
    for (const [, text, expected] of PINNED_TEXT.filter(([of]) => of === name)) {
      expect([text, evaluate(type, text)]).toEqual([text, expected]);
      if (/^[0-9A-Z]{5} /.test(expected)) continue;
      expectFormsAgree(type, type.input(text, CONTEXT, -1));
    }
  });

  it('round floats to fewer digits on request, ties to even', () => {
    expect(formatFloat8(1e23, 0)).toBe('1e+23');
    expect(formatFloat8(5.684341886080801e-14, 0)).toBe('5.6843418860808e-14');
    expect(formatFloat8(100000000000000.5, 0)).toBe('100000000000000');
    expect(formatFloat8(100000000000001.5, 0)).toBe('100000000000002');
    expect(formatFloat8(2.5, -14)).toBe('2');
    expect(formatFloat8(3.5, -20)).toBe('4');
    expect(formatFloat8(Number.NaN, 0)).toBe('NaN');
    expect(formatFloat4(Math.fround(0.1), 0)).toBe('0.1');
    expect(formatFloat4(16777216, 0)).toBe('1.67772e+07');
  });

  it('print bytea in both styles', () => {
    const type = typeByOid(OID.bytea);
    const escapeStyle = { ...CONTEXT, byteaOutput: 'escape' } as const;
    const value = Uint8Array.of(0, 0x41, 0x5c, 0x7f, 0xff, 0x20);
    expect(type.output(value, escapeStyle)).toBe('\\000A\\\\\\177\\377 ');
    const direct = written((out) => type.writeText(value, out, escapeStyle));
    expect(Buffer.from(direct).toString()).toBe('\\000A\\\\\\177\\377 ');
    expect(type.input('\\000A\\\\\\177\\377 ', escapeStyle, -1)).toEqual(value);
    expect(type.output(value, CONTEXT)).toBe('\\x00415c7fff20');
  });

  it('refuse zero characters and broken UTF-8', () => {
    const type = typeByOid(OID.text);
    expect(() => type.input('a\0b', CONTEXT, -1)).toThrow(
      'invalid byte sequence for encoding "UTF8": 0x00',
    );
    const receive = (...bytes: number[]) => type.receive(Uint8Array.from(bytes), 0, bytes.length);
    expect(receive(0xf0, 0x9f, 0x98, 0x80)).toBe('😀');
    expect(() => receive(0x61, 0xff)).toThrow('encoding "UTF8": 0xff');
    expect(() => receive(0xe2, 0x82)).toThrow('encoding "UTF8": 0xe2 0x82');
    expect(() => receive(0xed, 0xa0, 0x80)).toThrow('encoding "UTF8": 0xed 0xa0 0x80');
    expect(() => receive(0xc0, 0x80)).toThrow('encoding "UTF8": 0xc0 0x80');
    expect(() => receive(0xf4, 0x90, 0x80, 0x80)).toThrow('0xf4 0x90 0x80 0x80');
    expect(() => receive(0x61, 0)).toThrow('0x00');
  });

  it('refuse binary values of the wrong length', () => {
    const type = typeByOid(OID.int4);
    expect(() => type.receive(new Uint8Array(3), 0, 3)).toThrow('insufficient data left');
    expect(() => type.receive(new Uint8Array(5), 0, 5)).toThrow('incorrect binary data format');
  });

  it('name catalog objects when a catalog is at hand', () => {
    const type = typeByOid(OID.regclass);
    expect(type.input('-', CONTEXT, -1)).toBe(0);
    expect(type.output(0, CONTEXT)).toBe('-');
    expect(type.output(1259, CONTEXT)).toBe('1259');
    const context = {
      ...CONTEXT,
      objectNames: {
        nameOf: (kind: string, oid: number) => (oid === 1259 ? `${kind}:pg_class` : null),
        oidOf: () => 1259,
      },
    };
    expect(type.output(1259, context)).toBe('regclass:pg_class');
    expect(type.output(1260, context)).toBe('1260');
    expect(type.input('pg_class', context, -1)).toBe(1259);
  });
});
