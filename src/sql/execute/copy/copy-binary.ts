import type { ByteWriter } from '../../../base/index.ts';
import { type PgError, pgError } from '../../../errors/index.ts';
import {
  type CopyParser,
  type CopyRowSink,
  type CopyTarget,
  type CopyWriter,
  copyLineContext,
} from './copy-format.ts';

/** COPY's binary format. Integers are big-endian.
 *
 *   header   PGCOPY \n \xff \r \n \0    11 bytes
 *            flags                      4 bytes; bits 16..31 must be understood, none is defined
 *            length of an extension     4 bytes, and as many bytes, which are ignored
 *   row      number of fields           2 bytes
 *            for each field: length     4 bytes, -1 for NULL, and as many bytes
 *   trailer  -1                         2 bytes
 */

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const HEADER_LENGTH = SIGNATURE.length + 8;
const CRITICAL_FLAGS = 0xffff_0000 | 0;
/** PostgreSQL once stored oids; files that do are refused. */
const HAS_OIDS = 1 << 16;
const COPY_DATA = 0x64;

type State = 'header' | 'extension' | 'rows';

export class CopyBinaryParser implements CopyParser {
  lineNumber = 0;
  readonly isAscii = false;
  ended = false;

  private readonly target: CopyTarget;
  private readonly sink: CopyRowSink;
  private readonly starts: Int32Array;
  private readonly lengths: Int32Array;
  private state: State = 'header';
  private extensionLeft = 0;
  /** The beginning of a header or row whose end has not come yet. */
  private carry: Uint8Array = new Uint8Array(0);
  private carryEnd = 0;
  /** The column in which what is carried ends. */
  private columnAtEnd = 0;
  /** Length that what is carried has at least, so that a long row is not looked at in vain. */
  private needed = 0;

  constructor(target: CopyTarget, sink: CopyRowSink) {
    this.target = target;
    this.sink = sink;
    this.starts = new Int32Array(target.columns.length);
    this.lengths = new Int32Array(target.columns.length);
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    if (this.ended) throw this.failed('received copy data after EOF marker');
    if (this.carryEnd === 0) {
      this.keep(bytes, this.parse(bytes, start, end), end);
      return;
    }
    this.append(bytes, start, end);
    if (this.carryEnd < this.needed) return;
    const carried = this.carryEnd;
    this.keep(this.carry, this.parse(this.carry, 0, carried), carried);
  }

  finish(): void {
    if (this.state !== 'rows' && !this.ended) this.header(this.carry, 0, this.carryEnd, true);
    // A file may end without a trailer, even within the count of fields, but not behind that.
    if (this.carryEnd >= 2) {
      this.lineNumber++;
      throw this.failedIn(this.columnAtEnd, 'unexpected EOF in COPY data');
    }
    this.ended = true;
  }

  private parse(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    this.needed = 0;
    while (at < end) {
      if (this.ended) throw this.failed('received copy data after EOF marker');
      const next =
        this.state === 'rows' ? this.row(bytes, at, end) : this.header(bytes, at, end, false);
      if (next === at) break;
      at = next;
    }
    return at;
  }

  private header(bytes: Uint8Array, at: number, end: number, final: boolean): number {
    if (this.state === 'extension') {
      const next = Math.min(end, at + this.extensionLeft);
      this.extensionLeft -= next - at;
      if (final && this.extensionLeft > 0) {
        throw this.failed('invalid COPY file header (wrong length)');
      }
      if (this.extensionLeft === 0) this.state = 'rows';
      return next;
    }
    for (let i = 0; i < SIGNATURE.length; i++) {
      if (at + i === end && !final) return at;
      if (bytes[at + i] !== SIGNATURE[i] || at + i === end) {
        throw this.failed('COPY file signature not recognized');
      }
    }
    if (end - at < HEADER_LENGTH) {
      if (!final) return at;
      const missing = end - at < SIGNATURE.length + 4 ? 'missing flags' : 'missing length';
      throw this.failed(`invalid COPY file header (${missing})`);
    }
    const flags = int32(bytes, at + SIGNATURE.length);
    if ((flags & HAS_OIDS) !== 0) throw this.failed('invalid COPY file header (WITH OIDS)');
    if ((flags & CRITICAL_FLAGS) !== 0) {
      throw this.failed('unrecognized critical flags in COPY file header');
    }
    this.extensionLeft = int32(bytes, at + SIGNATURE.length + 4);
    if (this.extensionLeft < 0) throw this.failed('invalid COPY file header (missing length)');
    this.state = this.extensionLeft === 0 ? 'rows' : 'extension';
    return at + HEADER_LENGTH;
  }

  private row(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 2) return start;
    const count = ((bytes[start]! << 24) >> 16) | bytes[start + 1]!;
    if (count === -1) {
      this.ended = true;
      this.lineNumber++;
      return start + 2;
    }
    const { starts, lengths } = this;
    if (count !== lengths.length) {
      this.lineNumber++;
      throw this.failed(`row field count is ${count}, expected ${lengths.length}`);
    }
    let at = start + 2;
    for (let i = 0; i < count; i++) {
      this.columnAtEnd = i;
      if (end - at < 4) return start;
      const length = int32(bytes, at);
      at += 4;
      if (length < -1) {
        this.lineNumber++;
        throw this.failedIn(i, 'invalid field size');
      }
      starts[i] = at;
      lengths[i] = length;
      if (length > end - at) {
        this.needed = at - start + length;
        return start;
      }
      if (length > 0) at += length;
    }
    this.lineNumber++;
    this.sink(bytes, starts, lengths);
    return at;
  }

  /** Errors in the header have no context. */
  private failed(message: string): PgError {
    const where = copyLineContext(this.target.table, this.lineNumber, null);
    return pgError('bad_copy_file_format', message, this.lineNumber === 0 ? {} : { where });
  }

  private failedIn(column: number, message: string): PgError {
    const where = copyLineContext(this.target.table, this.lineNumber, null);
    return pgError('bad_copy_file_format', message, {
      where: `${where}, column ${this.target.columns[column]}`,
    });
  }

  private keep(bytes: Uint8Array, start: number, end: number): void {
    this.carryEnd = 0;
    if (start < end) this.append(bytes, start, end);
  }

  private append(bytes: Uint8Array, start: number, end: number): void {
    const length = this.carryEnd + end - start;
    let target = this.carry;
    if (length > target.length) {
      target = new Uint8Array(Math.max(2 * length, 1024));
      target.set(this.carry.subarray(0, this.carryEnd));
    }
    // Within the same buffer `set` moves bytes as memmove does.
    target.set(bytes.subarray(start, end), this.carryEnd);
    this.carry = target;
    this.carryEnd = length;
  }
}

export class CopyBinaryWriter implements CopyWriter {
  private readonly columnCount: number;
  private readonly out: ByteWriter;
  private readonly framed: boolean;
  private messageStart = 0;
  /** The message that is open holds the header and nothing else. */
  private hasHeader = false;

  constructor(columnCount: number, out: ByteWriter, framed: boolean) {
    this.columnCount = columnCount;
    this.out = out;
    this.framed = framed;
  }

  /** The header shares the message of the first row, or of the end; clients rely on it. */
  header(): void {
    this.beginMessage();
    this.out.raw(SIGNATURE);
    this.out.u32be(0);
    this.out.u32be(0);
    this.hasHeader = true;
  }

  beginRow(): void {
    this.beginMessage();
    this.out.u16be(this.columnCount);
  }

  field(bytes: Uint8Array, start: number, end: number): void {
    this.out.u32be(end - start);
    this.out.range(bytes, start, end);
  }

  nullField(): void {
    this.out.u32be(0xffff_ffff);
  }

  endRow(): void {
    const { out } = this;
    if (this.framed)
      out.view.setUint32(this.messageStart + 1, out.position - this.messageStart - 1);
  }

  end(): void {
    this.beginMessage();
    this.out.u16be(0xffff);
    this.endRow();
  }

  private beginMessage(): void {
    if (this.hasHeader) {
      this.hasHeader = false;
      return;
    }
    this.messageStart = this.out.position;
    if (!this.framed) return;
    this.out.u8(COPY_DATA);
    this.out.u32be(0);
  }
}

function int32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
