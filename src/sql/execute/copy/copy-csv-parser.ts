import { pgError } from '../../../errors/index.ts';
import type { CopyFormat, CopyRowSink, CopyTarget } from './copy-format.ts';
import { CopyLineParser, fourTimes, Special, skipOrdinary } from './copy-line-parser.ts';

/** COPY FROM's CSV format: within quotes everything but the quote and the escape is data. */

const BACKSLASH = 0x5c;
const LF = 0x0a;
const CR = 0x0d;
const PERIOD = 0x2e;

export class CopyCsvParser extends CopyLineParser {
  private readonly fourQuotes: number;
  private readonly fourDelimiters: number;
  /** Where `findLineEnd` stands with the quotes of a line whose end has not come. */
  private inQuote = false;
  private afterEscape = false;

  constructor(format: CopyFormat, target: CopyTarget, sink: CopyRowSink) {
    super(format, target, sink);
    this.special[format.quote] = Special.escape;
    this.fourQuotes = fourTimes(format.quote);
    this.fourDelimiters = fourTimes(format.delimiter);
  }

  protected override scanRow(bytes: Buffer, at: number, end: number): number {
    if (bytes[at] === BACKSLASH) return 0;
    const { special, starts, lengths, fourQuotes, fourDelimiters } = this;
    const view = this.viewOf(bytes);
    const { forceNotNull } = this.format;
    const last = this.target.columns.length - 1;
    let index = 0;
    let fieldStart = at;
    let high = false;
    let i = at;
    for (;;) {
      i = skipOrdinary(view, i, end, fourQuotes, fourDelimiters);
      while (i < end && special[bytes[i]!] === Special.none) i++;
      if (i === end || index > last) return 0;
      const meaning = special[bytes[i]!]!;
      if (meaning === Special.high) {
        high = true;
        i++;
        continue;
      }
      if (meaning === Special.escape || meaning === Special.nul) return 0;
      starts[index] = fieldStart;
      lengths[index] =
        this.isNullText(bytes, fieldStart, i) && forceNotNull[index] !== true ? -1 : i - fieldStart;
      if (meaning === Special.delimiter) {
        index++;
        i++;
        fieldStart = i;
        continue;
      }
      let next = i + 1;
      if (meaning === Special.newline) {
        if (this.lineEnd !== 'lf') return 0;
      } else {
        if (this.lineEnd !== 'crlf' || next >= end || bytes[next] !== LF) return 0;
        next++;
      }
      if (index !== last) return 0;
      this.lineNumber++;
      if (high) this.verify(bytes, at, i);
      this.isAscii = !high;
      this.sink(bytes, starts, lengths);
      return next;
    }
  }

  protected override findLineEnd(bytes: Buffer, at: number, end: number, final: boolean): number {
    const { quote } = this.format;
    // An escape that is the quote needs no notice: doubled quotes leave and enter again.
    const escapeByte = this.format.escape === quote ? -1 : this.format.escape;
    let { inQuote, afterEscape } = this;
    let i = at + this.scanned;
    if (i === at) {
      inQuote = false;
      afterEscape = false;
      if (bytes[at] === BACKSLASH) {
        const found = this.findMarker(bytes, at, end, final);
        if (found === -1) return -1;
        if (found > 0) return at;
      }
    }
    const counted = this.lineEnd === 'lf' ? LF : CR;
    for (; i < end; i++) {
      const byte = bytes[i]!;
      if (inQuote) {
        if (byte === escapeByte) afterEscape = !afterEscape;
        else {
          if (byte === quote && !afterEscape) inQuote = false;
          else if (byte === counted) this.lineNumber++;
          afterEscape = false;
        }
      } else if (byte === quote) {
        inQuote = true;
        afterEscape = false;
      } else if (byte === LF) {
        return this.endAtNewline(i);
      } else if (byte === CR) {
        const found = this.endAtCarriageReturn(bytes, i, end, final);
        if (found >= 0) return found;
        break;
      }
    }
    if (final) {
      this.nextLine = end;
      return end;
    }
    this.inQuote = inQuote;
    this.afterEscape = afterEscape;
    this.scanned = i - at;
    return -1;
  }

  /** A line `\.` ends the data: its position, -1 when more must come to know, -2 when it is data. */
  private findMarker(bytes: Buffer, at: number, end: number, final: boolean): number {
    if (at + 1 === end) return final ? -2 : -1;
    if (bytes[at + 1] !== PERIOD) return -2;
    const after = this.endOfMarker(bytes, at, end, final);
    if (after < 0) return after;
    this.ended = true;
    this.nextLine = after;
    return after;
  }

  protected override splitLine(bytes: Buffer, start: number, end: number): number {
    this.reserveScratch(end - start);
    const { scratch } = this;
    const { delimiter, quote, escape: escapeByte, forceNotNull, forceNull } = this.format;
    let count = 0;
    let out = 0;
    let i = start;
    for (;;) {
      const fieldStart = i;
      const outStart = out;
      let quoted = false;
      while (i < end && bytes[i] !== delimiter) {
        const byte = bytes[i++]!;
        if (byte !== quote) {
          scratch[out++] = byte;
          continue;
        }
        quoted = true;
        for (;;) {
          if (i === end) throw pgError('bad_copy_file_format', 'unterminated CSV quoted field');
          const inner = bytes[i++]!;
          if (inner === escapeByte && i < end && (bytes[i] === escapeByte || bytes[i] === quote)) {
            scratch[out++] = bytes[i++]!;
          } else if (inner === quote) {
            break;
          } else {
            scratch[out++] = inner;
          }
        }
      }
      const isNull = quoted
        ? forceNull[count] === true && this.isNullText(scratch, outStart, out)
        : this.isNullText(bytes, fieldStart, i) && forceNotNull[count] !== true;
      this.field(count++, outStart, isNull ? -1 : out - outStart);
      if (i === end) return count;
      i++;
    }
  }
}
