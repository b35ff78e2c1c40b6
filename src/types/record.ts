/** record, the type of ROW(…): text form `(1,"a b",)`.
 *
 * Stored form, integers little-endian: a head, then each field.
 *
 *   offset  size  field
 *        0     2  shape        bits 0..14: number of fields; bit 15: they have names
 *
 *        0     2  name length  where the fields have names
 *        2     …  name         UTF-8, likewise
 *        …     4  type         its OID
 *        …     4  length       of the value; FFFFFFFF for NULL
 *        …     …  value        the stored form of the type
 *
 * Valid if and only if (1) the last field ends where the record does, (2) each type is one that the
 * server has, (3) each value is valid in its type's form. Versions: 1, first release.
 *
 * Key: for each field 01 and its key, or 02 for NULL; then 00.
 */
import { type ByteWriter, decodeUtf8 } from '../base/index.ts';
import { pgError } from '../errors/index.ts';
import { sendField } from './array.ts';
import type { Datum, RecordDatum } from './datum.ts';
import { escapeQuotes } from './quoting.ts';
import { COMMON, readInt32le } from './scalar.ts';
import type { SqlType, TypeContext } from './sql-type.ts';

const NULL_LENGTH = -1;
const HAS_NAMES = 0x8000;

/** Makes the record type; it finds the types of fields through `typeOf`. */
export function recordType(typeOf: (oid: number) => SqlType): SqlType {
  const fieldType = (record: RecordDatum, i: number): SqlType => typeOf(record.fieldTypes[i]!);
  const format = (record: RecordDatum, context: TypeContext): string =>
    `(${record.fields
      .map((field, i) =>
        field === null ? '' : quoteField(fieldType(record, i).output(field, context)),
      )
      .join(',')})`;
  const refuseInput = (): never => {
    throw pgError('feature_not_supported', 'input of anonymous composite types is not implemented');
  };
  return {
    ...COMMON,
    oid: 2249,
    name: 'record',
    sqlName: 'record',
    arrayOid: 2287,
    category: 'P',
    length: -1,
    byValue: false,
    align: 'd',
    storage: 'x',
    lane: 'object',
    stored: 'bytes',
    input: refuseInput,
    receive: refuseInput,
    output: (value, context) => format(value as RecordDatum, context),
    writeText: (value, out, context) => out.utf8(format(value as RecordDatum, context)),
    send(value, out) {
      const record = value as RecordDatum;
      out.u32be(record.fields.length);
      record.fields.forEach((field, i) => {
        out.u32be(record.fieldTypes[i]!);
        sendField(fieldType(record, i), field, out);
      });
    },
    compare: (a, b) => compareRecords(a as RecordDatum, b as RecordDatum, typeOf),
    encodeKey(value, out) {
      const record = value as RecordDatum;
      record.fields.forEach((field, i) => {
        out.u8(field === null ? 2 : 1);
        if (field !== null) fieldType(record, i).encodeKey(field, out);
      });
      out.u8(0);
    },
    toBytes: (value, out) => storeRecord(value as RecordDatum, typeOf, out),
    fromBytes: (bytes, start) => loadRecord(bytes, start, typeOf),
  };
}

const NEEDS_QUOTES = /^$|[(),"\\ \t\n\v\f\r]/;

function quoteField(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${escapeQuotes(text, '$&$&')}"` : text;
}

function compareRecords(a: RecordDatum, b: RecordDatum, typeOf: (oid: number) => SqlType): number {
  const count = Math.min(a.fields.length, b.fields.length);
  for (let i = 0; i < count; i++) {
    const type = typeOf(a.fieldTypes[i]!);
    if (a.fieldTypes[i] !== b.fieldTypes[i]) {
      const other = typeOf(b.fieldTypes[i]!);
      throw pgError(
        'datatype_mismatch',
        `cannot compare dissimilar column types ${type.sqlName} and ${other.sqlName} at record column ${i + 1}`,
      );
    }
    const left = a.fields[i] ?? null;
    const right = b.fields[i] ?? null;
    if (left === null || right === null) {
      if (left !== right) return left === null ? 1 : -1;
      continue;
    }
    const order = type.compare(left, right);
    if (order !== 0) return order;
  }
  if (a.fields.length !== b.fields.length) {
    throw pgError(
      'datatype_mismatch',
      'cannot compare record types with different numbers of columns',
    );
  }
  return 0;
}

function storeRecord(record: RecordDatum, typeOf: (oid: number) => SqlType, out: ByteWriter): void {
  const { fieldNames } = record;
  out.u16le(record.fields.length | (fieldNames === undefined ? 0 : HAS_NAMES));
  record.fields.forEach((field, i) => {
    if (fieldNames !== undefined) storeName(fieldNames[i]!, out);
    out.u32le(record.fieldTypes[i]!);
    out.u32le(NULL_LENGTH >>> 0);
    if (field === null) return;
    const start = out.position;
    typeOf(record.fieldTypes[i]!).toBytes(field, out);
    out.view.setUint32(start - 4, out.position - start, true);
  });
}

function storeName(name: string, out: ByteWriter): void {
  out.u16le(0);
  const start = out.position;
  out.utf8(name);
  out.view.setUint16(start - 2, out.position - start, true);
}

function loadRecord(
  bytes: Uint8Array,
  start: number,
  typeOf: (oid: number) => SqlType,
): RecordDatum {
  const header = readUint16le(bytes, start);
  const count = header & ~HAS_NAMES;
  const fieldNames: string[] | undefined = (header & HAS_NAMES) !== 0 ? [] : undefined;
  const fieldTypes: number[] = [];
  const fields: Datum[] = [];
  let at = start + 2;
  for (let i = 0; i < count; i++) {
    if (fieldNames !== undefined) {
      const end = at + 2 + readUint16le(bytes, at);
      fieldNames.push(decodeUtf8(bytes, at + 2, end));
      at = end;
    }
    const oid = readInt32le(bytes, at) >>> 0;
    const length = readInt32le(bytes, at + 4);
    at += 8;
    fieldTypes.push(oid);
    if (length === NULL_LENGTH) {
      fields.push(null);
      continue;
    }
    fields.push(typeOf(oid).fromBytes(bytes, at, at + length));
    at += length;
  }
  return { fieldTypes, fields, fieldNames };
}

function readUint16le(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}
