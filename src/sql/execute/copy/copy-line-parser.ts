import { isUtf8 } from 'node:buffer';
import { invalidUtf8, PgError, pgError } from '../../../errors/index.ts';
import {
  type CopyFormat,
  type CopyParser,
  type CopyRowSink,
  type CopyTarget,
  copyLineContext,
} from './copy-format.ts';

/** What COPY FROM's text and CSV formats have in common: bytes come in chunks cut anywhere, lines
 * end in the style of the first one, and each line becomes a row of fields.
 *
 * Most rows pass in one go where they lie (`scanRow`). A row that needs more, because it holds an
 * escape or a quote, ends the chunk, or ends with an error, takes the long way: `findLineEnd`, which
 * resumes where the last chunk ended, so that a row of any length is scanned once; then `splitLine`.
 */

/** What a byte means to `scanRow`; ordinary bytes are 0. */
export const Special = {
  none: 0,
  delimiter: 1,
  newline: 2,
  carriageReturn: 3,
  escape: 4,
  high: 5,
  nul: 6,
} as const;

/** How lines end, decided by the first. */
export type LineEnd = 'unknown' | 'lf' | 'crlf' | 'cr';

const LF = 0x0a;
const CR = 0x0d;

export abstract class CopyLineParser implements CopyParser {
  lineNumber = 0;
  /** True after the end-of-copy marker `\.` too. */
  ended = false;
  isAscii = false;

  protected readonly format: CopyFormat;
  protected readonly target: CopyTarget;
  protected readonly sink: CopyRowSink;
  protected readonly special: Uint8Array;
  protected lineEnd: LineEnd = 'unknown';
  protected starts: Int32Array;
  protected lengths: Int32Array;
  /** Unescaped values of the row being split. */
  protected scratch: Buffer = Buffer.allocUnsafeSlow(1024);
  protected scratchEnd = 0;
  /** Bytes of the line at hand that `findLineEnd` has seen in vain. */
  protected scanned = 0;
  /** Where the next line starts, after `findLineEnd` found the end of one. */
  protected nextLine = 0;

  private viewed: Buffer = Buffer.alloc(0);
  private view = new DataView(this.viewed.buffer);
  private headerLeft: boolean;
  /** The beginning of a line whose end has not come yet. */
  private carry: Buffer = Buffer.alloc(0);
  private carryEnd = 0;

  constructor(format: CopyFormat, target: CopyTarget, sink: CopyRowSink) {
    this.format = format;
    this.target = target;
    this.sink = sink;
    this.headerLeft = format.header !== 'none';
    const room = target.columns.length + 1;
    this.starts = new Int32Array(room);
    this.lengths = new Int32Array(room);
    this.special = new Uint8Array(256);
    this.special.fill(Special.high, 0x80);
    this.special[0] = Special.nul;
    this.special[LF] = Special.newline;
    this.special[CR] = Special.carriageReturn;
    this.special[format.delimiter] = Special.delimiter;
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    if (this.ended || start === end) return;
    if (this.carryEnd === 0) {
      const chunk = asBuffer(bytes);
      this.keep(chunk, this.parse(chunk, start, end, false), end);
      return;
    }
    this.append(bytes, start, end);
    const carried = this.carry;
    const carriedEnd = this.carryEnd;
    this.carryEnd = 0;
    this.keep(carried, this.parse(carried, 0, carriedEnd, false), carriedEnd);
  }

  /** The last line needs no line end. */
  finish(): void {
    const end = this.carryEnd;
    this.carryEnd = 0;
    if (!this.ended && end > 0) this.parse(this.carry, 0, end, true);
    this.ended = true;
  }

  /** Passes on a row that lies whole in bytes[at, end) and needs no unescaping, and returns where
   * the next line starts; 0 sends it the long way. */
  protected abstract scanRow(bytes: Buffer, at: number, end: number): number;

  /** Finds the end of the line from `at` on and sets `nextLine`; -1 when it is not there yet. May
   * set `ended`. */
  protected abstract findLineEnd(bytes: Buffer, at: number, end: number, final: boolean): number;

  /** Splits a line into `starts` and `lengths` within `scratch`; returns the number of fields. */
  protected abstract splitLine(bytes: Buffer, start: number, end: number): number;

  private parse(bytes: Buffer, start: number, end: number, final: boolean): number {
    let at = start;
    while (at < end && !this.ended) {
      if (this.scanned === 0 && !this.headerLeft && this.lineEnd !== 'unknown') {
        const next = this.scanRow(bytes, at, end);
        if (next > 0) {
          at = next;
          continue;
        }
      }
      if (this.scanned === 0) this.lineNumber++;
      const lineEnd = this.findLineEnd(bytes, at, end, final);
      if (lineEnd < 0) {
        // Counted when it is complete, unless the search for its end has begun.
        if (this.scanned === 0) this.lineNumber--;
        break;
      }
      this.scanned = 0;
      if (!this.ended || lineEnd > at) this.takeLine(bytes, at, lineEnd);
      at = this.nextLine;
    }
    return at;
  }

  /** A view of the bytes at hand. */
  protected viewOf(bytes: Buffer): DataView {
    if (this.viewed !== bytes) {
      this.viewed = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.view;
  }

  private takeLine(bytes: Buffer, start: number, end: number): void {
    const range = bytes.subarray(start, end);
    if (!isUtf8(range) || range.includes(0)) {
      throw this.failed(invalidUtf8(bytes, start, end), null);
    }
    if (this.headerLeft) {
      this.headerLeft = false;
      if (this.format.header === 'match') this.matchHeader(bytes, start, end);
      return;
    }
    // A table without columns has rows of nothing, which split into one empty field.
    let count = 0;
    try {
      count = this.splitLine(bytes, start, end);
    } catch (thrown) {
      throw thrown instanceof PgError ? this.failed(thrown, range) : thrown;
    }
    if (this.target.columns.length === 0 && start === end) count = 0;
    this.checkCount(count, range);
    this.isAscii = false;
    this.sink(this.scratch, this.starts, this.lengths);
  }

  /** Every column must have its field. */
  private checkCount(count: number, line: Buffer): void {
    const { columns } = this.target;
    if (count === columns.length) return;
    const message =
      count > columns.length
        ? 'extra data after last expected column'
        : `missing data for column "${columns[count]}"`;
    throw this.failed(pgError('bad_copy_file_format', message), line);
  }

  private matchHeader(bytes: Buffer, start: number, end: number): void {
    const { columns } = this.target;
    const line = bytes.subarray(start, end);
    const count = this.splitLine(bytes, start, end);
    if (count !== columns.length) {
      throw this.failed(
        pgError(
          'bad_copy_file_format',
          `wrong number of fields in header line: got ${count}, expected ${columns.length}`,
        ),
        line,
      );
    }
    for (let i = 0; i < count; i++) {
      const length = this.lengths[i]!;
      const at = this.starts[i]!;
      const name = length < 0 ? null : this.scratch.toString('utf8', at, at + length);
      if (name === columns[i]) continue;
      const got = name === null ? `null value ("${nullName(this.format)}")` : `"${name}"`;
      throw this.failed(
        pgError(
          'bad_copy_file_format',
          `column name mismatch in header line field ${i + 1}: got ${got}, expected "${columns[i]}"`,
        ),
        line,
      );
    }
  }

  /** The field that just ended; fields beyond the table's columns are only counted. */
  protected field(index: number, start: number, length: number): void {
    if (index >= this.starts.length) return;
    this.starts[index] = start;
    this.lengths[index] = length;
  }

  protected isNullText(bytes: Uint8Array, start: number, end: number): boolean {
    const { nullText } = this.format;
    if (end - start !== nullText.length) return false;
    for (let i = 0; i < nullText.length; i++) if (bytes[start + i] !== nullText[i]) return false;
    return true;
  }

  /** Whether bytes[start, end) of a row taken where it lies are text; used when some are high. */
  protected verify(bytes: Buffer, start: number, end: number): void {
    if (!isUtf8(bytes.subarray(start, end))) {
      throw this.failed(invalidUtf8(bytes, start, end), null);
    }
  }

  protected reserveScratch(size: number): void {
    if (this.scratch.length < size) this.scratch = Buffer.allocUnsafeSlow(2 * size);
    this.scratchEnd = 0;
  }

  /** Adds the line, and its content once it is known. */
  protected failed(error: PgError, line: Buffer | null): PgError {
    const content = line === null ? null : line.toString('utf8');
    return error.with({ where: copyLineContext(this.target.table, this.lineNumber, content) });
  }

  /** Decides whether a CR at `at` ends the line; -1 when that depends on a byte yet to come. Sets
   * `nextLine`. */
  protected endAtCarriageReturn(bytes: Buffer, at: number, end: number, final: boolean): number {
    if (this.lineEnd === 'unknown' || this.lineEnd === 'crlf') {
      if (at + 1 === end && !final) return -1;
      if (at + 1 < end && bytes[at + 1] === LF) {
        this.lineEnd = 'crlf';
        this.nextLine = at + 2;
        return at;
      }
      if (this.lineEnd === 'crlf') throw this.failed(this.straySign('carriage return'), null);
      this.lineEnd = 'cr';
    } else if (this.lineEnd === 'lf') {
      throw this.failed(this.straySign('carriage return'), null);
    }
    this.nextLine = at + 1;
    return at;
  }

  protected endAtNewline(at: number): number {
    if (this.lineEnd === 'cr' || this.lineEnd === 'crlf') {
      throw this.failed(this.straySign('newline'), null);
    }
    this.lineEnd = 'lf';
    this.nextLine = at + 1;
    return at;
  }

  /** Where the line end after a marker `\.` at `at` ends the data: the position behind it, -1 when
   * it has not come yet, -2 when the marker is followed by something else. */
  protected endOfMarker(bytes: Buffer, at: number, end: number, final: boolean): number {
    const next = at + 2;
    if (next >= end) return final ? -2 : -1;
    const byte = bytes[next]!;
    if (byte !== LF && byte !== CR) return -2;
    if (byte === LF && (this.lineEnd === 'lf' || this.lineEnd === 'unknown')) return next + 1;
    if (byte === CR && this.lineEnd === 'cr') return next + 1;
    if (byte === CR && this.lineEnd !== 'lf') {
      if (next + 1 >= end) return final ? -2 : -1;
      if (bytes[next + 1] === LF) return next + 2;
      if (this.lineEnd === 'unknown') return next + 1;
    }
    throw this.failed(
      pgError('bad_copy_file_format', 'end-of-copy marker does not match previous newline style'),
      null,
    );
  }

  private straySign(sign: 'newline' | 'carriage return'): PgError {
    const csv = this.format.kind === 'csv';
    const written = sign === 'newline' ? '\\n' : '\\r';
    return pgError(
      'bad_copy_file_format',
      `${csv ? 'unquoted' : 'literal'} ${sign} found in data`,
      {
        hint: csv
          ? `Use quoted CSV field to represent ${sign}.`
          : `Use "${written}" to represent ${sign}.`,
      },
    );
  }

  private keep(bytes: Buffer, start: number, end: number): void {
    this.carryEnd = 0;
    if (!this.ended && start < end) this.append(bytes, start, end);
  }

  private append(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.carryEnd + end - start;
    if (needed > this.carry.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(2 * needed, 1024));
      this.carry.copy(grown, 0, 0, this.carryEnd);
      grown.set(bytes.subarray(start, end), this.carryEnd);
      this.carry = grown;
    } else {
      // Also moves the rest of `carry` to its own beginning.
      this.carry.set(bytes.subarray(start, end), this.carryEnd);
    }
    this.carryEnd = needed;
  }
}

/** A byte four times, for `skipOrdinary`. */
export function fourTimes(byte: number): number {
  return Math.imul(byte, 0x0101_0101);
}

/** Skips bytes that are ordinary, four at a time: ASCII, no control characters, and neither of two bytes,
 * given four times each. What it stops before may be ordinary still. */
export function skipOrdinary(
  view: DataView,
  at: number,
  end: number,
  a: number,
  b: number,
): number {
  let i = at;
  for (; i + 4 <= end; i += 4) {
    // The top bit of a byte is set when it is below a space, above ASCII, or after the exclusive
    // or zero; borrows set more only above a byte that is one of these.
    const four = view.getInt32(i, true);
    const found =
      (four - 0x2020_2020) | four | ((four ^ a) - 0x0101_0101) | ((four ^ b) - 0x0101_0101);
    if ((found & 0x8080_8080) !== 0) break;
  }
  return i;
}

function asBuffer(bytes: Uint8Array): Buffer {
  if (bytes instanceof Buffer) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function nullName(format: CopyFormat): string {
  return Buffer.from(format.nullText).toString('utf8');
}
