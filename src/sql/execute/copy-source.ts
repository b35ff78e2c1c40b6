import { decodeUtf8 } from '../../base/index.ts';
import {
  type BytesVector,
  CHUNK_ROWS,
  type ColumnVector,
  createVector,
  type NumberVector,
  writeDatum,
} from '../../chunk/index.ts';
import { PgError } from '../../errors/index.ts';
import { type Datum, OID, type SqlType, verifyUtf8 } from '../../types/index.ts';
import { type CopyRowSink, copyValueContext } from './copy/index.ts';
import { CHUNK, DONE, Operator, PAUSE, type Status } from './operator.ts';
import type { Run } from './run.ts';

/** Typmods of varchar(n) and char(n) are n and this. */
const LENGTH_TYPMOD_BASE = 4;
/** Digits that are read by the loop; longer numbers go to the type's input function. */
const FAST_DIGITS = 15;

/** A column that a file holds. */
export interface CopyColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly typmod: number;
}

interface Buffered {
  readonly columns: ColumnVector[];
  count: number;
}

/** Rows of a COPY FROM as an operator: a parser pushes rows in, INSERT pulls them out.
 *
 * With no rows at hand it answers PAUSE until `finish` was called. What one push brings is kept, so
 * the caller bounds memory by pulling until PAUSE before it pushes more. */
export class CopySource extends Operator {
  readonly #run: Run;
  readonly #table: string;
  readonly #columns: readonly CopyColumn[];
  readonly #binary: boolean;
  readonly #ready: Buffered[] = [];
  readonly #free: Buffered[] = [];
  #filling: Buffered | null = null;
  #inUse: Buffered | null = null;
  #ended = false;

  constructor(run: Run, table: string, columns: readonly CopyColumn[], binary: boolean) {
    super();
    this.#run = run;
    this.#table = table;
    this.#columns = columns;
    this.#binary = binary;
  }

  /** Takes rows from a parser; `lineNumber` tells the line for the context of errors. */
  sink(lineNumber: () => number): CopyRowSink {
    return (bytes, starts, lengths) => {
      const target = this.#target();
      const row = target.count;
      for (let i = 0; i < this.#columns.length; i++) {
        const start = starts[i]!;
        const length = lengths[i]!;
        if (length < 0) target.columns[i]!.setNull(row);
        else this.#read(target.columns[i]!, row, i, bytes, start, start + length, lineNumber);
      }
      target.count++;
      if (target.count === CHUNK_ROWS) {
        this.#ready.push(target);
        this.#filling = null;
      }
    };
  }

  #target(): Buffered {
    if (this.#filling === null) {
      const buffered = this.#free.pop() ?? {
        columns: this.#columns.map((column) => createVector(column.type)),
        count: 0,
      };
      buffered.count = 0;
      for (const column of buffered.columns) column.reset();
      this.#filling = buffered;
    }
    return this.#filling;
  }

  #read(
    vector: ColumnVector,
    row: number,
    index: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    lineNumber: () => number,
  ): void {
    const column = this.#columns[index]!;
    if (!this.#binary && readPlain(column, vector, row, bytes, start, end)) return;
    try {
      writeDatum(vector, row, column.type, this.#datum(column, bytes, start, end));
    } catch (error) {
      if (!(error instanceof PgError)) throw error;
      const text = this.#binary ? null : decodeUtf8(bytes, start, end);
      const where = copyValueContext(this.#table, lineNumber(), column.name, text);
      throw error.with({ where });
    }
  }

  #datum(column: CopyColumn, bytes: Uint8Array, start: number, end: number): Datum {
    const { type, typmod } = column;
    const context = this.#run.environment.functions;
    if (!this.#binary && type.lane === 'bytes') verifyUtf8(bytes, start, end);
    const value = this.#binary
      ? type.receive(bytes, start, end)
      : type.input(decodeUtf8(bytes, start, end), context, typmod);
    if (value === null || typmod < 0 || type.applyTypmod === undefined) return value;
    return type.applyTypmod(value, typmod, false);
  }

  /** No more rows come. */
  finish(): void {
    this.#ended = true;
  }

  override open(): void {
    this.#ended = false;
    this.#ready.length = 0;
    this.#filling = null;
    this.#inUse = null;
  }

  override next(): Status {
    if (this.#inUse !== null) this.#free.push(this.#inUse);
    this.#inUse = null;
    this.#run.environment.checkInterrupts();
    const next = this.#ready.shift() ?? this.#filling;
    if (next === null) return this.#ended ? DONE : PAUSE;
    if (next === this.#filling) this.#filling = null;
    this.#inUse = next;
    this.chunk.columns = next.columns;
    this.chunk.count = next.count;
    return CHUNK;
  }

  override close(): void {
    this.#ready.length = 0;
    this.#filling = null;
  }
}

/** Reads the plain forms of integers and texts from their bytes; false leaves it to the type. */
function readPlain(
  column: CopyColumn,
  vector: ColumnVector,
  row: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  switch (column.type.oid) {
    case OID.int2:
      return readInteger(vector as NumberVector, row, bytes, start, end, 0x7fff);
    case OID.int4:
      return readInteger(vector as NumberVector, row, bytes, start, end, 0x7fff_ffff);
    case OID.int8:
      return readInteger(vector as NumberVector, row, bytes, start, end, Number.MAX_SAFE_INTEGER);
    case OID.text:
      return readAscii(vector as BytesVector, row, bytes, start, end, -1, false);
    case OID.varchar:
    case OID.bpchar: {
      const length = column.typmod < 0 ? -1 : column.typmod - LENGTH_TYPMOD_BASE;
      const padded = column.type.oid === OID.bpchar;
      return readAscii(vector as BytesVector, row, bytes, start, end, length, padded);
    }
    default:
      return false;
  }
}

function readInteger(
  vector: NumberVector,
  row: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  maximum: number,
): boolean {
  let at = start;
  const negative = bytes[at] === 45;
  if (negative) at++;
  const digits = end - at;
  if (digits < 1 || digits > FAST_DIGITS) return false;
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return false;
    value = value * 10 + digit;
  }
  if (value > maximum) return false;
  vector.set(row, negative ? 0 - value : value);
  return true;
}

/** Takes ASCII text that fits `length` characters (any, when it is -1), padding it if told so. */
function readAscii(
  vector: BytesVector,
  row: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  length: number,
  padded: boolean,
): boolean {
  if (length >= 0 && end - start > length) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte > 0x7f || byte === 0) return false;
  }
  vector.setRange(row, bytes, start, end);
  const missing = length - (end - start);
  if (padded && missing > 0) {
    vector.reserve(missing);
    vector.buffer.fill(0x20, vector.used, vector.used + missing);
    vector.used += missing;
    vector.length[row]! += missing;
  }
  return true;
}
