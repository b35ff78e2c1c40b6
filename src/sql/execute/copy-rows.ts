import { textFormOf, writeInteger } from '../../access/index.ts';
import { ByteWriter } from '../../base/index.ts';
import { type ColumnVector, type DataChunk, readDatum } from '../../chunk/index.ts';
import { OID, type SqlType, type TypeContext, typeByOid } from '../../types/index.ts';
import type { CopyWriter } from './copy/index.ts';

const INTEGER_FORM = 0;
const STRING_TYPES: ReadonlySet<number> = new Set([OID.text, OID.varchar, OID.bpchar, OID.name]);
const scratch = new ByteWriter(256);

/** COPY TO: gives the rows of a chunk to a writer, value by value in text or binary form. */
export class CopyRowEncoder {
  readonly #types: readonly SqlType[];
  readonly #isInteger: readonly boolean[];
  readonly #isString: readonly boolean[];
  readonly #binary: boolean;

  constructor(typeOids: readonly number[], binary: boolean) {
    this.#types = typeOids.map(typeByOid);
    this.#isInteger = this.#types.map((type) => textFormOf(type) === INTEGER_FORM);
    this.#isString = this.#types.map((type) => STRING_TYPES.has(type.oid));
    this.#binary = binary;
  }

  /** Writes the rows from the `first` to the one before `end` in the order of the selection. */
  encode(
    chunk: DataChunk,
    first: number,
    end: number,
    writer: CopyWriter,
    context: TypeContext,
  ): void {
    const { columns, selection } = chunk;
    for (let i = first; i < end; i++) {
      const row = selection === null ? i : selection[i]!;
      writer.beginRow();
      for (let c = 0; c < this.#types.length; c++) {
        this.#field(columns[c]!, c, row, writer, context);
      }
      writer.endRow();
    }
  }

  #field(
    column: ColumnVector,
    index: number,
    row: number,
    writer: CopyWriter,
    context: TypeContext,
  ): void {
    if (column.isNull(row)) {
      writer.nullField();
      return;
    }
    if (column.lane === 'bytes' && this.#isString[index] === true) {
      const start = column.start[row]!;
      writer.field(column.buffer, start, start + column.length[row]!);
      return;
    }
    const type = this.#types[index]!;
    scratch.reset();
    if (this.#binary) type.send(readDatum(column, row, type), scratch);
    else if (column.lane === 'number' && this.#isInteger[index] === true) {
      writeInteger(column.get(row), scratch);
    } else type.writeText(readDatum(column, row, type), scratch, context);
    writer.field(scratch.bytes, 0, scratch.position);
  }
}
