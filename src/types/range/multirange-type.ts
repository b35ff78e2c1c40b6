/** The multirange types: text form `{[1,3),[7,9)}`.
 *
 * Stored form, integers little-endian: each range, one after the other, up to the end.
 *
 *   offset  size  field
 *        0     4  length  of the range
 *        4     …  range   its stored form, see types.ts
 *
 * Valid if and only if the last range ends where the multirange does, and they are in its one form
 * (multirange.ts). Versions: 1, first release.
 *
 * The binary form is the number of ranges in 4 bytes, then each range's length in 4 and its binary form,
 * big-endian.
 *
 * Key: for each range 01 and its key; then 00.
 */
import type { ByteWriter } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import type { MultirangeDatum, RangeDatum } from '../datum.ts';
import {
  COMMON,
  insufficientData,
  isSpace,
  readInt32,
  readInt32le,
  surplusData,
} from '../scalar.ts';
import type { SqlType, TypeContext } from '../sql-type.ts';
import {
  compareMultiranges,
  MULTIRANGE_KINDS,
  type MultirangeKind,
  makeMultirange,
} from './multirange.ts';
import { rangeTypeOf } from './types.ts';

function multirangeType(kind: MultirangeKind): SqlType {
  const element = rangeTypeOf(kind.range);
  const format = (value: MultirangeDatum, context: TypeContext): string =>
    `{${value.ranges.map((range) => element.output(range, context)).join(',')}}`;
  return {
    ...COMMON,
    oid: kind.oid,
    name: kind.name,
    sqlName: kind.name,
    arrayOid: kind.arrayOid,
    category: 'R',
    length: -1,
    byValue: false,
    align: element.align,
    storage: 'x',
    lane: 'object',
    stored: 'bytes',
    input: (text, context) => parseMultirange(text, kind, element, context),
    output: (value, context) => format(value as MultirangeDatum, context),
    writeText: (value, out, context) => out.utf8(format(value as MultirangeDatum, context)),
    receive: (bytes, start, end) => receiveRanges(kind, element, bytes, start, end),
    send: (value, out) => sendRanges(element, value as MultirangeDatum, out),
    compare: (a, b) => compareMultiranges(kind, a as MultirangeDatum, b as MultirangeDatum),
    encodeKey(value, out) {
      for (const range of (value as MultirangeDatum).ranges) {
        out.u8(1);
        element.encodeKey(range, out);
      }
      out.u8(0);
    },
    toBytes: (value, out) => storeRanges(element, value as MultirangeDatum, out),
    fromBytes: (bytes, start, end) => loadRanges(kind, element, bytes, start, end),
  };
}

export const MULTIRANGE_TYPES: readonly SqlType[] = MULTIRANGE_KINDS.map(multirangeType);

// ---- Text ----

function malformed(text: string, detail: string): Error {
  return pgError('invalid_text_representation', `malformed multirange literal: "${text}"`, {
    detail,
  });
}

function parseMultirange(
  text: string,
  kind: MultirangeKind,
  element: SqlType,
  context: TypeContext,
): MultirangeDatum {
  const texts = new RangeCutter(text).cut();
  const ranges = texts.map((range) => element.input(range, context, -1) as RangeDatum);
  return makeMultirange(kind, ranges);
}

const EMPTY = 'empty';

/** Cuts the text of a multirange into those of its ranges, without the empty ones. */
class RangeCutter {
  private readonly text: string;
  private readonly ranges: string[] = [];
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  cut(): readonly string[] {
    this.skipSpaces();
    if (this.text[this.at] !== '{') throw malformed(this.text, 'Missing left brace.');
    this.at++;
    if (this.peek() === '}') this.at++;
    else this.readRanges();
    this.skipSpaces();
    if (this.at < this.text.length) throw malformed(this.text, 'Junk after closing right brace.');
    return this.ranges;
  }

  private readRanges(): void {
    for (;;) {
      this.readRange();
      const separator = this.peek();
      if (separator !== ',' && separator !== '}') {
        throw malformed(this.text, 'Expected comma or end of multirange.');
      }
      this.at++;
      if (separator === '}') return;
    }
  }

  private readRange(): void {
    const first = this.peek();
    const start = this.at;
    if (first === '[' || first === '(') {
      this.skipRange();
      this.ranges.push(this.text.slice(start, this.at));
    } else if (this.text.slice(start, start + EMPTY.length).toLowerCase() === EMPTY) {
      this.at += EMPTY.length;
    } else throw malformed(this.text, 'Expected range start.');
  }

  /** Goes behind the bracket that ends a range; quotes and backslashes may hide others. */
  private skipRange(): void {
    let quoted = false;
    for (;;) {
      const character = this.peek();
      this.at++;
      if (character === '\\') {
        this.peek();
        this.at++;
      } else if (character === '"') quoted = !quoted;
      else if (!quoted && (character === ']' || character === ')')) return;
    }
  }

  /** The next character that is no blank. */
  private peek(): string {
    this.skipSpaces();
    const character = this.text[this.at];
    if (character === undefined) throw malformed(this.text, 'Unexpected end of input.');
    return character;
  }

  private skipSpaces(): void {
    while (this.at < this.text.length && isSpace(this.text.charCodeAt(this.at))) this.at++;
  }
}

// ---- Binary and stored forms ----

function sendRanges(element: SqlType, { ranges }: MultirangeDatum, out: ByteWriter): void {
  out.u32be(ranges.length);
  for (const range of ranges) {
    out.u32be(0);
    const start = out.position;
    element.send(range, out);
    out.view.setUint32(start - 4, out.position - start);
  }
}

function receiveRanges(
  kind: MultirangeKind,
  element: SqlType,
  bytes: Uint8Array,
  start: number,
  end: number,
): MultirangeDatum {
  let at = start;
  const readInteger = (): number => {
    if (at + 4 > end) throw insufficientData();
    at += 4;
    return readInt32(bytes, at - 4);
  };
  const count = readInteger() >>> 0;
  const ranges: RangeDatum[] = [];
  for (let i = 0; i < count; i++) {
    const length = readInteger();
    if (length < 0 || length > end - at) throw insufficientData();
    ranges.push(element.receive(bytes, at, at + length) as RangeDatum);
    at += length;
  }
  if (at !== end) throw surplusData();
  return makeMultirange(kind, ranges);
}

function storeRanges(element: SqlType, { ranges }: MultirangeDatum, out: ByteWriter): void {
  for (const range of ranges) {
    out.u32le(0);
    const start = out.position;
    element.toBytes(range, out);
    out.view.setUint32(start - 4, out.position - start, true);
  }
}

function loadRanges(
  kind: MultirangeKind,
  element: SqlType,
  bytes: Uint8Array,
  start: number,
  end: number,
): MultirangeDatum {
  const ranges: RangeDatum[] = [];
  for (let at = start; at < end; ) {
    const from = at + 4;
    at = from + readInt32le(bytes, at);
    ranges.push(element.fromBytes(bytes, from, at) as RangeDatum);
  }
  return { multirangeType: kind.oid, ranges };
}
