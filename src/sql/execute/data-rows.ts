import {
  textFormOf,
  writeBytesValue,
  writeInteger,
  writeLength,
  writeNullValue,
  writeNumberValue,
} from '../../access/index.ts';
import type { ByteWriter } from '../../base/index.ts';
import type { DataChunk } from '../../chunk/index.ts';
import { type SqlType, type TypeContext, typeByOid } from '../../types/index.ts';

const DATA_ROW = 0x44;
const INTEGER_FORM = 0;

/** How to write rows of some types; made once a statement. */
export interface DataRowEncoder {
  readonly types: readonly SqlType[];
  /** 0 text, 1 binary. */
  readonly formats: Uint8Array;
  readonly textForms: Uint8Array;
}

/** Prepares to write rows. `formats` has one format for each column. */
export function dataRowEncoder(
  typeOids: readonly number[],
  formats: ArrayLike<number>,
): DataRowEncoder {
  const types = typeOids.map(typeByOid);
  return {
    types,
    formats: Uint8Array.from(types, (_, i) => formats[i] ?? 0),
    textForms: Uint8Array.from(types, textFormOf),
  };
}

/** Appends a DataRow message for each row of a chunk, from the `first` to the one before `end` in the
 * order of its selection. */
export function encodeDataRows(
  encoder: DataRowEncoder,
  chunk: DataChunk,
  first: number,
  end: number,
  out: ByteWriter,
  context: TypeContext,
): void {
  const { selection } = chunk;
  for (let i = first; i < end; i++) {
    encodeDataRow(encoder, chunk, selection === null ? i : selection[i]!, out, context);
  }
}

function encodeDataRow(
  encoder: DataRowEncoder,
  chunk: DataChunk,
  row: number,
  out: ByteWriter,
  context: TypeContext,
): void {
  const { types, formats, textForms } = encoder;
  const count = types.length;
  out.reserve(7);
  const start = out.position;
  out.bytes[start] = DATA_ROW;
  out.bytes[start + 5] = count >> 8;
  out.bytes[start + 6] = count;
  out.position = start + 7;
  for (let i = 0; i < count; i++) {
    const column = chunk.columns[i]!;
    if (!column.allValid && column.valid[row] === 0) {
      writeNullValue(out);
      continue;
    }
    const binary = formats[i] === 1;
    if (column.lane === 'number') {
      const value = column.big === null ? column.values[row]! : column.get(row);
      if (!binary && textForms[i] === INTEGER_FORM) {
        const lengthAt = out.position;
        out.reserve(24);
        out.position = lengthAt + 4;
        writeInteger(value, out);
        writeLength(out, lengthAt);
      } else writeNumberValue(types[i]!, textForms[i]!, binary, value, out, context);
    } else if (column.lane === 'bytes') {
      const from = column.start[row]!;
      writeBytesValue(
        types[i]!,
        binary,
        column.buffer,
        from,
        from + column.length[row]!,
        out,
        context,
      );
    } else {
      const lengthAt = out.position;
      out.reserve(4);
      out.position = lengthAt + 4;
      const value = column.values[row]!;
      if (binary) types[i]!.send(value, out);
      else types[i]!.writeText(value, out, context);
      writeLength(out, lengthAt);
    }
  }
  const length = out.position - start - 1;
  const bytes = out.bytes;
  bytes[start + 1] = length >> 24;
  bytes[start + 2] = length >> 16;
  bytes[start + 3] = length >> 8;
  bytes[start + 4] = length;
}
