import type { PgErrorFields } from '../../errors/index.ts';
import type { Format, ResultColumn, TransactionStatus } from '../../session/index.ts';
import { Backend } from './message-types.ts';

/** Capacity of a fresh buffer, and the size of a write when much is to be sent. */
export const OUTPUT_BUFFER_SIZE = 32 * 1024;
/** Buffers kept for reuse; what a burst needed beyond them goes back to the heap. */
export const POOL_SIZE_MAX = 64;

/** Encodes backend messages one after the other into one buffer.
 *
 * A connection holds one only while it has something to send, so that an idle connection holds
 * none. It grows for a message that is larger than itself. */
export class OutputBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(OUTPUT_BUFFER_SIZE);
  position = 0;

  reserve(count: number): void {
    const needed = this.position + count;
    if (needed > this.bytes.length) this.grow(needed);
  }

  private grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.position);
    this.bytes = grown;
  }

  /** A message without a body: ParseComplete and the like. */
  bare(type: number): void {
    this.reserve(5);
    const bytes = this.bytes;
    const at = this.position;
    bytes[at] = type;
    bytes[at + 1] = 0;
    bytes[at + 2] = 0;
    bytes[at + 3] = 0;
    bytes[at + 4] = 4;
    this.position = at + 5;
  }

  /** Messages that somebody else has encoded, or a piece of them. */
  messages(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    const bytes = this.bytes;
    let at = this.position;
    if (count <= 64) {
      for (let i = start; i < end; i++) bytes[at++] = source[i]!;
    } else {
      bytes.set(
        start === 0 && end === source.length ? source : source.subarray(start, end),
        this.position,
      );
    }
    this.position += count;
  }

  authenticationOk(): void {
    const start = this.begin(Backend.authentication);
    this.int32(0);
    this.end(start);
  }

  negotiateProtocolVersion(version: number, unknownOptions: readonly string[]): void {
    const start = this.begin(Backend.negotiateProtocolVersion);
    this.int32(version);
    this.int32(unknownOptions.length);
    for (const option of unknownOptions) this.text(option);
    this.end(start);
  }

  backendKeyData(processId: number, secretKey: number): void {
    const start = this.begin(Backend.backendKeyData);
    this.int32(processId);
    this.int32(secretKey);
    this.end(start);
  }

  parameterStatus(name: string, value: string): void {
    const start = this.begin(Backend.parameterStatus);
    this.text(name);
    this.text(value);
    this.end(start);
  }

  readyForQuery(status: TransactionStatus): void {
    this.reserve(6);
    const bytes = this.bytes;
    const at = this.position;
    bytes[at] = Backend.readyForQuery;
    bytes[at + 1] = 0;
    bytes[at + 2] = 0;
    bytes[at + 3] = 0;
    bytes[at + 4] = 5;
    bytes[at + 5] = status.charCodeAt(0);
    this.position = at + 6;
  }

  rowDescription(columns: readonly ResultColumn[]): void {
    const start = this.begin(Backend.rowDescription);
    this.int16(columns.length);
    for (const column of columns) {
      this.text(column.name);
      this.int32(column.tableOid);
      this.int16(column.columnNumber);
      this.int32(column.typeOid);
      this.int16(column.typeLength);
      this.int32(column.typmod);
      this.int16(column.format);
    }
    this.end(start);
  }

  parameterDescription(typeOids: readonly number[]): void {
    const start = this.begin(Backend.parameterDescription);
    this.int16(typeOids.length);
    for (const oid of typeOids) this.int32(oid);
    this.end(start);
  }

  commandComplete(tag: string): void {
    const start = this.begin(Backend.commandComplete);
    this.text(tag);
    this.end(start);
  }

  copyResponse(
    type: typeof Backend.copyInResponse | typeof Backend.copyOutResponse,
    format: Format,
    columnCount: number,
  ): void {
    const start = this.begin(type);
    this.int8(format);
    this.int16(columnCount);
    for (let i = 0; i < columnCount; i++) this.int16(format);
    this.end(start);
  }

  notification(processId: number, channel: string, payload: string): void {
    const start = this.begin(Backend.notificationResponse);
    this.int32(processId);
    this.text(channel);
    this.text(payload);
    this.end(start);
  }

  /** ErrorResponse or NoticeResponse, its fields in PostgreSQL's order. */
  report(
    type: typeof Backend.errorResponse | typeof Backend.noticeResponse,
    error: PgErrorFields,
  ): void {
    const start = this.begin(type);
    this.field(0x53 /* S */, error.severity);
    this.field(0x56 /* V */, error.severity);
    this.field(0x43 /* C */, error.sqlstate);
    this.field(0x4d /* M */, error.message);
    this.field(0x44 /* D */, error.detail);
    this.field(0x48 /* H */, error.hint);
    this.field(0x50 /* P */, error.position);
    this.field(0x70 /* p */, error.internalPosition);
    this.field(0x71 /* q */, error.internalQuery);
    this.field(0x57 /* W */, error.where);
    this.field(0x73 /* s */, error.schema);
    this.field(0x74 /* t */, error.table);
    this.field(0x63 /* c */, error.column);
    this.field(0x64 /* d */, error.dataType);
    this.field(0x6e /* n */, error.constraint);
    this.field(0x52 /* R */, error.routine);
    this.int8(0);
    this.end(start);
  }

  private field(code: number, value: string | number | undefined): void {
    if (value === undefined) return;
    this.int8(code);
    this.text(String(value));
  }

  private begin(type: number): number {
    this.reserve(5);
    const start = this.position;
    this.bytes[start] = type;
    this.position = start + 5;
    return start;
  }

  private end(start: number): void {
    const bytes = this.bytes;
    const length = this.position - start - 1;
    bytes[start + 1] = length >>> 24;
    bytes[start + 2] = length >>> 16;
    bytes[start + 3] = length >>> 8;
    bytes[start + 4] = length;
  }

  private int8(value: number): void {
    this.reserve(1);
    this.bytes[this.position++] = value;
  }

  private int16(value: number): void {
    this.reserve(2);
    const at = this.position;
    this.bytes[at] = value >>> 8;
    this.bytes[at + 1] = value;
    this.position = at + 2;
  }

  private int32(value: number): void {
    this.reserve(4);
    const bytes = this.bytes;
    const at = this.position;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
    this.position = at + 4;
  }

  /** UTF-8 and a NUL. A NUL within the text would end it early and leave the message malformed, so
   * the text ends there. */
  private text(value: string): void {
    const length = value.length;
    this.reserve(length + 1);
    const bytes = this.bytes;
    let at = this.position;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code === 0 || code > 0x7f) {
        this.longText(value);
        return;
      }
      bytes[at++] = code;
    }
    bytes[at++] = 0;
    this.position = at;
  }

  private longText(value: string): void {
    const nul = value.indexOf('\0');
    const text = nul < 0 ? value : value.slice(0, nul);
    this.reserve(Buffer.byteLength(text) + 1);
    this.position += this.bytes.write(text, this.position, 'utf8');
    this.bytes[this.position++] = 0;
  }
}

/** Output buffers that no connection uses at the moment, the one used last first. */
export class OutputPool {
  private readonly free: OutputBuffer[] = [];

  take(): OutputBuffer {
    return this.free.pop() ?? new OutputBuffer();
  }

  give(buffer: OutputBuffer): void {
    if (buffer.bytes.length !== OUTPUT_BUFFER_SIZE || this.free.length === POOL_SIZE_MAX) return;
    buffer.position = 0;
    this.free.push(buffer);
  }
}
