import { type PgError, pgError } from '../../errors/index.ts';
import type { BindValues } from '../../session/index.ts';
import { decodeAscii, decodeClientText, verifyClientText } from './client-text.ts';

/** A message that breaks the protocol; it ends the connection. */
export function protocolViolation(message: string): PgError {
  return pgError('protocol_violation', message, { severity: 'FATAL' });
}

/** Reads the body of one frontend message at a time, in place.
 *
 * There is one reader for all connections, since a message is handled before the next is read. */
export class MessageReader {
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;
  private limit = 0;
  private lastName = '';

  open(bytes: Buffer, start: number, end: number): this {
    this.bytes = bytes;
    this.at = start;
    this.limit = end;
    return this;
  }

  /** After the last field: nothing may follow. */
  close(): void {
    if (this.at !== this.limit) throw protocolViolation('invalid message format');
  }

  byte(): number {
    if (this.at >= this.limit) throw protocolViolation('no data left in message');
    return this.bytes[this.at++]!;
  }

  /** An unsigned 16-bit integer: counts and formats. */
  count(): number {
    const at = this.advance(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  int32(): number {
    const bytes = this.bytes;
    const at = this.advance(4);
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }

  /** Takes `count` bytes and returns where they start. */
  advance(count: number): number {
    const at = this.at;
    if (count < 0 || count > this.limit - at) {
      throw protocolViolation('insufficient data left in message');
    }
    this.at = at + count;
    return at;
  }

  /** Text that ends with NUL. */
  text(): string {
    const bytes = this.bytes;
    const limit = this.limit;
    const start = this.at;
    let end = start;
    let bits = 0;
    while (end < limit) {
      const byte = bytes[end]!;
      if (byte === 0) break;
      bits |= byte;
      end++;
    }
    if (end === limit) throw protocolViolation('invalid string in message');
    this.at = end + 1;
    return bits > 0x7f ? decodeClientText(bytes, start, end) : decodeAscii(bytes, start, end);
  }

  /** The name of a statement or portal. Clients repeat the same few, so that comparing with the
   * last one saves making, and then hashing, a string. */
  name(): string {
    const bytes = this.bytes;
    const start = this.at;
    const limit = this.limit;
    if (start < limit && bytes[start] === 0) {
      this.at = start + 1;
      return '';
    }
    const last = this.lastName;
    const length = last.length;
    let i = 0;
    while (i < length && start + i < limit && bytes[start + i] === last.charCodeAt(i)) i++;
    if (i === length && start + i < limit && bytes[start + i] === 0) {
      this.at = start + i + 1;
      return last;
    }
    const name = this.text();
    this.lastName = name;
    return name;
  }

  /** The parameter types at the end of Parse. */
  parameterTypes(): readonly number[] {
    const count = this.count();
    if (count === 0) return NO_TYPES;
    const types: number[] = [];
    for (let i = 0; i < count; i++) types.push(this.int32() >>> 0);
    return types;
  }

  /** All of Bind that follows the two names. */
  bindValues(into: BindMessage): void {
    const formatCount = this.count();
    const formatsAt = this.advance(formatCount * 2);
    const count = this.count();
    if (formatCount > 1 && formatCount !== count) {
      this.at = this.limit;
      throw pgError(
        'protocol_violation',
        `bind message has ${formatCount} parameter formats but ${count} parameters`,
      );
    }
    into.open(this.bytes, count);
    for (let i = 0; i < count; i++) {
      const length = this.int32();
      if (length < -1) throw protocolViolation('insufficient data left in message');
      into.lengths[i] = length;
      into.starts[i] = length > 0 ? this.advance(length) : this.at;
    }
    const resultFormatCount = this.count();
    const resultFormatsAt = this.advance(resultFormatCount * 2);
    this.close();
    into.setFormats(formatsAt, formatCount);
    into.setResultFormats(resultFormatsAt, resultFormatCount);
  }
}

const NO_TYPES: readonly number[] = [];
/** Room for the parameters and result columns of nearly every Bind; more are allocated. */
const BIND_VALUES_TYPICAL = 64;

/** The values of the Bind message being handled, in arrays that every Bind reuses. */
export class BindMessage implements BindValues {
  bytes: Buffer = Buffer.alloc(0);
  count = 0;
  starts = new Int32Array(BIND_VALUES_TYPICAL);
  lengths = new Int32Array(BIND_VALUES_TYPICAL);
  formats = new Uint8Array(BIND_VALUES_TYPICAL);
  resultFormatCount = 0;
  resultFormats = new Uint8Array(BIND_VALUES_TYPICAL);

  open(bytes: Buffer, count: number): void {
    this.bytes = bytes;
    this.count = count;
    if (count <= this.starts.length) return;
    this.starts = new Int32Array(count);
    this.lengths = new Int32Array(count);
    this.formats = new Uint8Array(count);
  }

  /** Spreads the parameter formats as sent, and verifies the values that are text. */
  setFormats(at: number, sentCount: number): void {
    const { bytes, formats, starts, lengths, count } = this;
    for (let i = 0; i < count; i++) {
      const format = sentCount === 0 ? 0 : formatCode(bytes, at + (sentCount === 1 ? 0 : 2 * i));
      formats[i] = format;
      const length = lengths[i]!;
      if (format === 0 && length > 0) verifyClientText(bytes, starts[i]!, starts[i]! + length);
    }
  }

  setResultFormats(at: number, count: number): void {
    this.resultFormatCount = count;
    if (count > this.resultFormats.length) this.resultFormats = new Uint8Array(count);
    for (let i = 0; i < count; i++) this.resultFormats[i] = formatCode(this.bytes, at + 2 * i);
  }
}

function formatCode(bytes: Buffer, at: number): 0 | 1 {
  const code = (bytes[at]! << 8) | bytes[at + 1]!;
  if (code !== 0 && code !== 1) {
    throw pgError('invalid_parameter_value', `unsupported format code: ${(code << 16) >> 16}`);
  }
  return code;
}
