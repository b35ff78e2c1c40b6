import { isUtf8 } from 'node:buffer';
import { invalidUtf8, pgError } from '../../../errors/index.ts';
import type { CopyFormat, CopyRowSink, CopyTarget } from './copy-format.ts';
import { CopyLineParser, fourTimes, Special, skipOrdinary } from './copy-line-parser.ts';

/** COPY FROM's text format: fields between delimiters, a backslash takes away or gives meaning. */

const BACKSLASH = 0x5c;
const FOUR_BACKSLASHES = fourTimes(BACKSLASH);
const LF = 0x0a;
const CR = 0x0d;
const PERIOD = 0x2e;
const CAPITAL_N = 0x4e;

export class CopyTextParser extends CopyLineParser {
  private readonly fourDelimiters: number;
  /** NULL is `\N`, as it is unless the user says otherwise. */
  private readonly nullIsBackslashN: boolean;

  constructor(format: CopyFormat, target: CopyTarget, sink: CopyRowSink) {
    super(format, target, sink);
    this.special[BACKSLASH] = Special.escape;
    this.fourDelimiters = fourTimes(format.delimiter);
    const { nullText } = format;
    this.nullIsBackslashN =
      nullText.length === 2 && nullText[0] === BACKSLASH && nullText[1] === CAPITAL_N;
  }

  protected override scanRow(bytes: Buffer, at: number, end: number): number {
    const { special, starts, lengths, nullIsBackslashN, fourDelimiters } = this;
    const view = this.viewOf(bytes);
    const last = this.target.columns.length - 1;
    let index = 0;
    let fieldStart = at;
    let high = false;
    let i = at;
    for (;;) {
      i = skipOrdinary(view, i, end, FOUR_BACKSLASHES, fourDelimiters);
      while (i < end && special[bytes[i]!] === Special.none) i++;
      if (i === end) return 0;
      let length = i - fieldStart;
      let meaning = special[bytes[i]!]!;
      if (meaning === Special.high) {
        high = true;
        i++;
        continue;
      }
      if (meaning === Special.escape) {
        if (!nullIsBackslashN || length > 0 || i + 2 >= end || bytes[i + 1] !== CAPITAL_N) return 0;
        i += 2;
        meaning = special[bytes[i]!]!;
        length = -1;
      } else if (!nullIsBackslashN && this.isNullText(bytes, fieldStart, i)) {
        length = -1;
      }
      if (index > last) return 0;
      if (meaning === Special.delimiter) {
        starts[index] = fieldStart;
        lengths[index] = length;
        index++;
        i++;
        fieldStart = i;
        continue;
      }
      let next = i + 1;
      if (meaning === Special.newline) {
        if (this.lineEnd !== 'lf') return 0;
      } else {
        if (meaning !== Special.carriageReturn || this.lineEnd !== 'crlf') return 0;
        if (next >= end || bytes[next] !== LF) return 0;
        next++;
      }
      if (index !== last) return 0;
      starts[index] = fieldStart;
      lengths[index] = length;
      this.lineNumber++;
      if (high) this.verify(bytes, at, i);
      this.isAscii = !high;
      this.sink(bytes, starts, lengths);
      return next;
    }
  }

  protected override findLineEnd(bytes: Buffer, at: number, end: number, final: boolean): number {
    let i = at + this.scanned;
    while (i < end) {
      const byte = bytes[i]!;
      if (byte === LF) return this.endAtNewline(i);
      if (byte === CR) {
        const found = this.endAtCarriageReturn(bytes, i, end, final);
        if (found >= 0) return found;
        break;
      }
      if (byte === BACKSLASH) {
        if (i + 1 === end) {
          if (!final) break;
        } else if (bytes[i + 1] === PERIOD) {
          const after = this.endOfMarker(bytes, i, end, final);
          if (after === -1) break;
          if (after === -2) {
            throw this.failed(pgError('bad_copy_file_format', 'end-of-copy marker corrupt'), null);
          }
          this.ended = true;
          this.nextLine = after;
          return i;
        }
        i++;
      }
      i++;
    }
    if (final) {
      this.nextLine = end;
      return end;
    }
    this.scanned = i - at;
    return -1;
  }

  protected override splitLine(bytes: Buffer, start: number, end: number): number {
    this.reserveScratch(end - start);
    const { scratch } = this;
    const { delimiter } = this.format;
    let count = 0;
    let fieldStart = start;
    let out = 0;
    let outStart = 0;
    let high = false;
    let i = start;
    // A backslash that nothing follows counts for nothing.
    const cut = endsInLoneBackslash(bytes, start, end) ? end - 1 : end;
    for (;;) {
      const byte = i < cut ? bytes[i]! : delimiter;
      if (byte === delimiter) {
        const isNull = this.isNullText(bytes, fieldStart, i);
        if (high && !isNull && !isUtf8(scratch.subarray(outStart, out))) {
          throw invalidUtf8(scratch, outStart, out);
        }
        this.field(count++, outStart, isNull ? -1 : out - outStart);
        if (i >= cut) return count;
        outStart = out;
        high = false;
        i++;
        fieldStart = i;
        continue;
      }
      i++;
      if (byte !== BACKSLASH) {
        scratch[out++] = byte;
        continue;
      }
      const escaped = bytes[i++]!;
      let value = SIMPLE_ESCAPES[escaped]!;
      if (escaped >= 0x30 && escaped <= 0x37) {
        value = escaped - 0x30;
        for (let digits = 1; digits < 3 && i < end; digits++) {
          const digit = bytes[i]! - 0x30;
          if (digit < 0 || digit > 7) break;
          value = (value << 3) + digit;
          i++;
        }
        value &= 0xff;
        if (value === 0 || value > 0x7f) high = true;
      } else if (escaped === 0x78 && i < end && HEX_DIGITS[bytes[i]!]! >= 0) {
        value = HEX_DIGITS[bytes[i++]!]!;
        if (i < end && HEX_DIGITS[bytes[i]!]! >= 0) value = (value << 4) + HEX_DIGITS[bytes[i++]!]!;
        if (value === 0 || value > 0x7f) high = true;
      }
      if (value === 0) throw invalidUtf8(Uint8Array.of(0), 0, 1);
      scratch[out++] = value;
    }
  }
}

function endsInLoneBackslash(bytes: Buffer, start: number, end: number): boolean {
  let i = end;
  while (i > start && bytes[i - 1] === BACKSLASH) i--;
  return (end - i) % 2 === 1;
}

/** What a backslash before each byte makes of it. */
const SIMPLE_ESCAPES: Uint8Array = simpleEscapes();
/** Value of a hexadecimal digit, -1 for other bytes. */
const HEX_DIGITS: Int8Array = hexDigits();

function simpleEscapes(): Uint8Array {
  const escapes = new Uint8Array(256);
  for (let i = 0; i < 256; i++) escapes[i] = i;
  for (const [letter, code] of [
    ['b', 8],
    ['f', 12],
    ['n', 10],
    ['r', 13],
    ['t', 9],
    ['v', 11],
  ] as const) {
    escapes[letter.charCodeAt(0)] = code;
  }
  return escapes;
}

function hexDigits(): Int8Array {
  const digits = new Int8Array(256).fill(-1);
  for (let i = 0; i < 16; i++) {
    digits[i.toString(16).charCodeAt(0)] = i;
    digits[i.toString(16).toUpperCase().charCodeAt(0)] = i;
  }
  return digits;
}
