/** The canonical text of a jsonb as bytes, straight from its stored form. */
import { type ByteWriter, countWork } from '../../base/index.ts';
import { loadNumeric, smallInteger } from '../numeric/stored.ts';
import { formatNumeric } from '../numeric/text.ts';
import { writeAscii } from '../scalar.ts';
import { countAt, itemEnd, itemStart, TAG, tagAt } from './stored.ts';
import { quoteJson } from './text.ts';

/** What is done for a value, in units of work. */
const VALUE_WORK = 8;
/** Strings count their work at every multiple of this. */
const PIECE = 1 << 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const SPACE = 0x20;

/** Appends the text of the stored value of bytes[start, end). */
export function writeStoredText(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
): void {
  countWork(VALUE_WORK);
  switch (tagAt(bytes, start)) {
    case TAG.null:
      writeAscii('null', out);
      return;
    case TAG.false:
      writeAscii('false', out);
      return;
    case TAG.true:
      writeAscii('true', out);
      return;
    case TAG.string:
      writeString(bytes, start + 1, end, out);
      return;
    case TAG.number:
      writeNumber(bytes, start + 1, end, out);
      return;
    case TAG.array:
      writeArray(bytes, start, out);
      return;
    default:
      writeObject(bytes, start, out);
  }
}

function writeNumber(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  const integer = smallInteger(bytes, start, end);
  if (integer !== null) out.decimal(integer);
  else writeAscii(formatNumeric(loadNumeric(bytes, start, end)), out);
}

function writeString(bytes: Uint8Array, start: number, end: number, out: ByteWriter): void {
  if (hasEscapes(bytes, start, end)) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
    out.utf8(quoteJson(text));
    return;
  }
  out.u8(QUOTE);
  out.range(bytes, start, end);
  out.u8(QUOTE);
}

function hasEscapes(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if ((i & (PIECE - 1)) === 0) countWork(PIECE);
    const byte = bytes[i]!;
    if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) return true;
  }
  return false;
}

function writeArray(bytes: Uint8Array, start: number, out: ByteWriter): void {
  const count = countAt(bytes, start);
  out.u8(0x5b);
  let at = itemStart(bytes, start, 0);
  for (let i = 0; i < count; i++) {
    if (i > 0) writePair(COMMA, SPACE, out);
    const end = itemEnd(bytes, start, i);
    writeStoredText(bytes, at, end, out);
    at = end;
  }
  out.u8(0x5d);
}

function writeObject(bytes: Uint8Array, start: number, out: ByteWriter): void {
  const count = countAt(bytes, start);
  out.u8(0x7b);
  let name = itemStart(bytes, start, 0);
  let value = itemStart(bytes, start, count);
  for (let i = 0; i < count; i++) {
    if (i > 0) writePair(COMMA, SPACE, out);
    const nameEnd = itemEnd(bytes, start, i);
    const valueEnd = itemEnd(bytes, start, count + i);
    writeString(bytes, name, nameEnd, out);
    writePair(COLON, SPACE, out);
    writeStoredText(bytes, value, valueEnd, out);
    name = nameEnd;
    value = valueEnd;
  }
  out.u8(0x7d);
}

function writePair(first: number, second: number, out: ByteWriter): void {
  out.u8(first);
  out.u8(second);
}
