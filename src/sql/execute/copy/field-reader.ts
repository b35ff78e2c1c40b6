import { decodeUtf8 } from '../../../base/index.ts';
import type { BytesVector, ColumnVector, NumberVector } from '../../../chunk/index.ts';
import { writeDatum } from '../../../chunk/index.ts';
import { OID, type SqlType, type TypeContext, typeByOid } from '../../../types/index.ts';

/** Reads a value of COPY, or a literal, into a row of a vector. `ascii`: it is known to be ASCII. */
export type FieldReader = (
  vector: ColumnVector,
  row: number,
  bytes: Uint8Array,
  start: number,
  length: number,
  ascii: boolean,
) => void;

/** The reader of a column: straight from bytes to the vector where the type allows, else through the
 * type's own input. */
export function fieldReader(
  type: number,
  typmod: number,
  binary: boolean,
  context: TypeContext,
): FieldReader {
  const sqlType = typeByOid(type);
  const general = binary ? binaryReader(sqlType, typmod) : textReader(sqlType, typmod, context);
  if (binary) return general;
  switch (type) {
    case OID.int2:
      return integerReader(4, general);
    case OID.int4:
      return integerReader(9, general);
    case OID.int8:
      return integerReader(15, general);
    case OID.text:
      return readBytes;
    case OID.varchar:
      return typmod < 0 ? readBytes : charactersReader(typmod - TYPMOD_BASE, false, general);
    case OID.bpchar:
      return typmod < 0 ? general : charactersReader(typmod - TYPMOD_BASE, true, general);
    default:
      return general;
  }
}

/** varchar(n) has the typmod n + 4. */
const TYPMOD_BASE = 4;
const SPACE = 0x20;
const MINUS = 0x2d;

function textReader(type: SqlType, typmod: number, context: TypeContext): FieldReader {
  return (vector, row, bytes, start, length) => {
    const value = type.input(decodeUtf8(bytes, start, start + length), context, typmod);
    writeDatum(vector, row, type, fit(type, typmod, value));
  };
}

function binaryReader(type: SqlType, typmod: number): FieldReader {
  return (vector, row, bytes, start, length) => {
    const value = type.receive(bytes, start, start + length);
    writeDatum(vector, row, type, fit(type, typmod, value));
  };
}

function fit(type: SqlType, typmod: number, value: Parameters<SqlType['compare']>[0]) {
  return typmod >= 0 && type.applyTypmod !== undefined && value !== null
    ? type.applyTypmod(value, typmod, false)
    : value;
}

/** Plain decimal numbers of so many digits, which are within the range of the type; everything else
 * goes the general way. */
function integerReader(digitsMax: number, general: FieldReader): FieldReader {
  return (vector, row, bytes, start, length, ascii) => {
    const end = start + length;
    const negative = bytes[start] === MINUS;
    let at = negative ? start + 1 : start;
    if (at === end || end - at > digitsMax) {
      general(vector, row, bytes, start, length, ascii);
      return;
    }
    let value = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - 48;
      if (digit < 0 || digit > 9) {
        general(vector, row, bytes, start, length, ascii);
        return;
      }
      value = value * 10 + digit;
    }
    const target = vector as NumberVector;
    target.set(row, negative ? 0 - value : value);
  };
}

/** Text is stored as it comes; that it is UTF-8 the parser has seen to. */
function readBytes(
  vector: ColumnVector,
  row: number,
  bytes: Uint8Array,
  start: number,
  length: number,
): void {
  (vector as BytesVector).setRange(row, bytes, start, start + length);
}

/** char(n) and varchar(n): ASCII that fits is copied and padded. */
function charactersReader(characters: number, padded: boolean, general: FieldReader): FieldReader {
  return (vector, row, bytes, start, length, ascii) => {
    if (length > characters || !(ascii || isAscii(bytes, start, start + length))) {
      general(vector, row, bytes, start, length, ascii);
      return;
    }
    const target = vector as BytesVector;
    target.setRange(row, bytes, start, start + length);
    if (!padded || length === characters) return;
    const missing = characters - length;
    target.reserve(missing);
    target.buffer.fill(SPACE, target.used, target.used + missing);
    target.used += missing;
    target.length[row] = characters;
  };
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! > 0x7f) return false;
  return true;
}
