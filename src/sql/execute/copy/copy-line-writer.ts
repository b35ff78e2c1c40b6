import type { ByteWriter } from '../../../base/index.ts';
import type { CopyFormat, CopyWriter } from './copy-format.ts';

/** COPY TO's text and CSV formats: one row at a time into a ByteWriter, as a whole CopyData message
 * ('d', length, line) where `framed`, for the wire. */

const COPY_DATA = 0x64;
const LF = 0x0a;
const CR = 0x0d;
const BACKSLASH = 0x5c;
const PERIOD = 0x2e;

abstract class CopyLineWriter implements CopyWriter {
  protected readonly format: CopyFormat;
  protected readonly out: ByteWriter;
  protected readonly columnCount: number;
  protected column = 0;
  private readonly framed: boolean;
  private rowStart = 0;

  constructor(format: CopyFormat, columnCount: number, out: ByteWriter, framed: boolean) {
    this.format = format;
    this.columnCount = columnCount;
    this.out = out;
    this.framed = framed;
  }

  header(columns: readonly string[]): void {
    if (this.format.header === 'none') return;
    this.beginRow();
    for (const column of columns) {
      this.separate();
      const name = Buffer.from(column);
      this.value(name, 0, name.length, false);
    }
    this.endRow();
  }

  beginRow(): void {
    this.rowStart = this.out.position;
    this.column = 0;
    if (!this.framed) return;
    this.out.u8(COPY_DATA);
    this.out.u32be(0);
  }

  field(bytes: Uint8Array, start: number, end: number): void {
    const column = this.column;
    this.separate();
    this.value(bytes, start, end, this.format.forceQuote[column] === true);
  }

  nullField(): void {
    this.separate();
    this.out.raw(this.format.nullText);
  }

  endRow(): void {
    const { out } = this;
    out.u8(LF);
    if (this.framed) out.view.setUint32(this.rowStart + 1, out.position - this.rowStart - 1);
  }

  end(): void {}

  protected abstract value(
    bytes: Uint8Array,
    start: number,
    end: number,
    forceQuote: boolean,
  ): void;

  private separate(): void {
    if (this.column++ > 0) this.out.u8(this.format.delimiter);
  }
}

export class CopyTextWriter extends CopyLineWriter {
  /** Bytes that a backslash must precede: what then stands for them, 0 for ordinary ones. */
  private readonly escapes: Uint8Array;

  constructor(format: CopyFormat, columnCount: number, out: ByteWriter, framed: boolean) {
    super(format, columnCount, out, framed);
    this.escapes = new Uint8Array(256);
    for (const [code, letter] of [
      [8, 'b'],
      [9, 't'],
      [10, 'n'],
      [11, 'v'],
      [12, 'f'],
      [13, 'r'],
    ] as const) {
      this.escapes[code] = letter.charCodeAt(0);
    }
    this.escapes[BACKSLASH] = BACKSLASH;
    if (this.escapes[format.delimiter] === 0) this.escapes[format.delimiter] = format.delimiter;
  }

  protected override value(bytes: Uint8Array, start: number, end: number): void {
    const { out, escapes } = this;
    out.reserve(2 * (end - start));
    const target = out.bytes;
    let at = out.position;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      const meaning = escapes[byte]!;
      if (meaning !== 0) {
        target[at++] = BACKSLASH;
        target[at++] = meaning;
      } else {
        target[at++] = byte;
      }
    }
    out.position = at;
  }
}

export class CopyCsvWriter extends CopyLineWriter {
  protected override value(
    bytes: Uint8Array,
    start: number,
    end: number,
    forceQuote: boolean,
  ): void {
    const { out } = this;
    if (!forceQuote && !this.mustQuote(bytes, start, end)) {
      out.range(bytes, start, end);
      return;
    }
    const { quote, escape: escapeByte } = this.format;
    out.reserve(2 * (end - start) + 2);
    const target = out.bytes;
    let at = out.position;
    target[at++] = quote;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte === quote || byte === escapeByte) target[at++] = escapeByte;
      target[at++] = byte;
    }
    target[at++] = quote;
    out.position = at;
  }

  /** Whether a value would be taken for something else: NULL, the end-of-copy marker, or more
   * than one field or line. */
  private mustQuote(bytes: Uint8Array, start: number, end: number): boolean {
    const { delimiter, quote, nullText } = this.format;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte === delimiter || byte === quote || byte === LF || byte === CR) return true;
    }
    const length = end - start;
    if (length === 2 && this.columnCount === 1) {
      if (bytes[start] === BACKSLASH && bytes[start + 1] === PERIOD) return true;
    }
    if (length !== nullText.length) return false;
    for (let i = 0; i < length; i++) if (bytes[start + i] !== nullText[i]) return false;
    return true;
  }
}
