import type { ByteWriter } from '../base/index.ts';
import { OID, type SqlType, type TypeContext } from '../types/index.ts';

/** How a value of the number lane becomes text; small integers for hot loops. */
export const TEXT_FORM = { integer: 0, bool: 1, type: 2 } as const;

const INTEGER_TYPES: ReadonlySet<number> = new Set([
  OID.int2,
  OID.int4,
  OID.int8,
  OID.oid,
  OID.xid,
  OID.cid,
]);

/** The text form of a type of the number lane. */
export function textFormOf(type: SqlType): number {
  if (type.oid === OID.bool) return TEXT_FORM.bool;
  return INTEGER_TYPES.has(type.oid) ? TEXT_FORM.integer : TEXT_FORM.type;
}

/** Appends the text or binary form of a value of the number lane, with its length before it. */
export function writeNumberValue(
  type: SqlType,
  form: number,
  binary: boolean,
  value: number | bigint,
  out: ByteWriter,
  context: TypeContext,
): void {
  const lengthAt = out.position;
  out.reserve(24);
  out.position = lengthAt + 4;
  if (binary) type.send(form === TEXT_FORM.bool ? value !== 0 : value, out);
  else if (form === TEXT_FORM.integer) writeInteger(value, out);
  else if (form === TEXT_FORM.bool) out.u8(value !== 0 ? 0x74 : 0x66);
  else type.writeText(value, out, context);
  writeLength(out, lengthAt);
}

/** Appends the text or binary form of stored bytes, with its length before it. */
export function writeBytesValue(
  type: SqlType,
  binary: boolean,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
  context: TypeContext,
): void {
  const lengthAt = out.position;
  out.reserve(4);
  out.position = lengthAt + 4;
  if (binary) {
    if (type.binaryFromBytes !== undefined) type.binaryFromBytes(bytes, start, end, out);
    else type.send(type.fromBytes(bytes, start, end), out);
  } else if (type.textFromBytes !== undefined) {
    type.textFromBytes(bytes, start, end, out, context);
  } else type.writeText(type.fromBytes(bytes, start, end), out, context);
  writeLength(out, lengthAt);
}

/** Fills in the length of what was written after the four bytes at `lengthAt`. */
export function writeLength(out: ByteWriter, lengthAt: number): void {
  const length = out.position - lengthAt - 4;
  const bytes = out.bytes;
  bytes[lengthAt] = length >> 24;
  bytes[lengthAt + 1] = length >> 16;
  bytes[lengthAt + 2] = length >> 8;
  bytes[lengthAt + 3] = length;
}

/** Appends the length -1, which stands for NULL. */
export function writeNullValue(out: ByteWriter): void {
  out.reserve(4);
  out.bytes.fill(0xff, out.position, out.position + 4);
  out.position += 4;
}

const BILLION = 1e9;

/** Appends an integer in decimal without making a string of it. */
export function writeInteger(value: number | bigint, out: ByteWriter): void {
  if (typeof value === 'bigint') {
    out.utf8(String(value));
    return;
  }
  if (value > -BILLION && value < BILLION) {
    out.decimal(value);
    return;
  }
  let rest = value;
  if (rest < 0) {
    out.u8(45);
    rest = -rest;
  }
  const high = Math.floor(rest / BILLION);
  let low = rest - high * BILLION;
  out.decimal(high);
  out.reserve(9);
  const bytes = out.bytes;
  out.position += 9;
  let at = out.position;
  for (let i = 0; i < 9; i++) {
    const quotient = (low / 10) | 0;
    bytes[--at] = 48 + (low - quotient * 10);
    low = quotient;
  }
}
