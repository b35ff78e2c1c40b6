import type { ByteWriter } from '../base/index.ts';
import type { TypeContext } from '../types/index.ts';
import { STORED, TUPLE_COLUMNS_MASK, TUPLE_HEADER_SIZE, type TupleLayout } from './tuple-layout.ts';
import { readTupleDatum, variableRange } from './tuple-reader.ts';
import {
  textFormOf,
  writeBytesValue,
  writeLength,
  writeNullValue,
  writeNumberValue,
} from './wire-value.ts';

const DATA_ROW = 0x44;

/** Which columns of a table a DataRow shows, and in which format. Made once a statement. */
export interface DataRowShape {
  readonly layout: TupleLayout;
  readonly columns: Int32Array;
  /** 0 text, 1 binary. */
  readonly formats: Uint8Array;
  readonly textForms: Uint8Array;
}

/** Prepares to write DataRows of some columns of a table. */
export function dataRowShape(
  layout: TupleLayout,
  columns: readonly number[],
  formats: ArrayLike<number>,
): DataRowShape {
  return {
    layout,
    columns: Int32Array.from(columns),
    formats: Uint8Array.from(columns, (_, i) => formats[i]!),
    textForms: Uint8Array.from(columns, (column) => textFormOf(layout.types[column]!)),
  };
}

/** Appends a whole DataRow message, straight from the bytes of a tuple. */
export function writeDataRowFromTuple(
  shape: DataRowShape,
  bytes: Uint8Array,
  start: number,
  out: ByteWriter,
  context: TypeContext,
): void {
  const { layout, columns, formats } = shape;
  out.reserve(7);
  const messageStart = out.position;
  out.bytes[messageStart] = DATA_ROW;
  out.bytes[messageStart + 5] = columns.length >> 8;
  out.bytes[messageStart + 6] = columns.length;
  out.position = messageStart + 7;
  const count = (bytes[start]! | (bytes[start + 1]! << 8)) & TUPLE_COLUMNS_MASK;
  const fixed = start + TUPLE_HEADER_SIZE + ((count + 7) >> 3);
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i]!;
    if (column >= count) {
      writeDatumColumn(shape, i, bytes, start, out, context);
      continue;
    }
    const nullByte = bytes[start + TUPLE_HEADER_SIZE + (column >> 3)]!;
    if ((nullByte & (1 << (column & 7))) !== 0) {
      writeNullValue(out);
      continue;
    }
    const stored = layout.stored[column]!;
    const binary = formats[i] === 1;
    const type = layout.types[column]!;
    if (stored === STORED.bytes) {
      const range = variableRange(layout, column, bytes, start);
      writeBytesValue(type, binary, bytes, range.start, range.end, out, context);
    } else if (stored === STORED.int4 && layout.infinite[column] === 0) {
      const at = fixed + layout.fixedOffset[column]!;
      const value =
        bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      writeNumberValue(type, shape.textForms[i]!, binary, value, out, context);
    } else writeDatumColumn(shape, i, bytes, start, out, context);
  }
  const length = out.position - messageStart - 1;
  const target = out.bytes;
  target[messageStart + 1] = length >> 24;
  target[messageStart + 2] = length >> 16;
  target[messageStart + 3] = length >> 8;
  target[messageStart + 4] = length;
}

function writeDatumColumn(
  shape: DataRowShape,
  index: number,
  bytes: Uint8Array,
  start: number,
  out: ByteWriter,
  context: TypeContext,
): void {
  const column = shape.columns[index]!;
  const value = readTupleDatum(shape.layout, column, bytes, start);
  if (value === null) {
    writeNullValue(out);
    return;
  }
  const type = shape.layout.types[column]!;
  const binary = shape.formats[index] === 1;
  if (type.lane === 'number') {
    const number = typeof value === 'boolean' ? (value ? 1 : 0) : (value as number | bigint);
    writeNumberValue(type, shape.textForms[index]!, binary, number, out, context);
    return;
  }
  const lengthAt = out.position;
  out.reserve(4);
  out.position = lengthAt + 4;
  if (binary) type.send(value, out);
  else type.writeText(value, out, context);
  writeLength(out, lengthAt);
}
