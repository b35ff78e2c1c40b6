import { countWork } from '../base/index.ts';
import { pgError } from '../errors/index.ts';

/** Loops over texts count their work at every multiple of this. */
const PIECE = 1 << 16;

/** Checks that bytes are text: valid UTF-8 and no zero byte; 22021 names the first bytes that are not. */
export function verifyUtf8(bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; ) {
    at = verifyPiece(bytes, at, Math.min(at + PIECE, end), end);
    countWork(Math.min(end - start, PIECE));
  }
}

/** Checks the characters that begin before `pieceEnd`; returns where the next one begins. */
function verifyPiece(bytes: Uint8Array, start: number, pieceEnd: number, end: number): number {
  let at = start;
  while (at < pieceEnd) {
    const lead = bytes[at]!;
    if (lead > 0 && lead < 0x80) {
      at++;
      continue;
    }
    const length = sequenceLength(lead);
    if (length === 0 || !isSequence(bytes, at, end, length)) throw invalidSequence(bytes, at, end);
    at += length;
  }
  return at;
}

/** Bytes of the sequence that a lead byte opens; 0 when no sequence opens with it. */
function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

/** Whether the sequence is whole, not overlong, no surrogate, and at most U+10FFFF. */
function isSequence(bytes: Uint8Array, at: number, end: number, length: number): boolean {
  if (at + length > end) return false;
  const lead = bytes[at]!;
  const second = bytes[at + 1]!;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return false;
  for (let i = 2; i < length; i++) {
    if ((bytes[at + i]! & 0xc0) !== 0x80) return false;
  }
  return true;
}

function invalidSequence(bytes: Uint8Array, at: number, end: number): Error {
  const lead = bytes[at]!;
  const announced = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 1;
  const shown: string[] = [];
  for (let i = at; i < Math.min(end, at + announced); i++) {
    shown.push(`0x${bytes[i]!.toString(16).padStart(2, '0')}`);
  }
  return pgError(
    'character_not_in_repertoire',
    `invalid byte sequence for encoding "UTF8": ${shown.join(' ')}`,
  );
}

/** A text may not hold the zero character, on which the key encoding of text relies. */
export function verifyText(text: string): string {
  countWork(text.length);
  if (text.indexOf('\0') >= 0) {
    throw pgError('character_not_in_repertoire', 'invalid byte sequence for encoding "UTF8": 0x00');
  }
  return text;
}

/** Orders strings by code point, which is the order of their UTF-8 bytes: the C collation. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if ((i & (PIECE - 1)) === PIECE - 1) countWork(PIECE);
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** Puts surrogates, which stand for code points above U+FFFF, after all other code units. */
function codePointRank(unit: number): number {
  return unit < 0xd800 ? unit : unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Length in bytes of a string as UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  let counted = PIECE;
  for (let i = 0; i < text.length; i++) {
    if (i >= counted) {
      countWork(PIECE);
      counted += PIECE;
    }
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes++;
    else if (unit >= 0xd800 && unit < 0xdc00) {
      bytes += 2;
      i++;
    } else bytes += 2;
  }
  return bytes;
}

/** Number of characters (code points) of a string. */
export function characterCount(text: string): number {
  let count = text.length;
  let counted = PIECE;
  for (let i = 0; i < text.length; i++) {
    if (i >= counted) {
      countWork(PIECE);
      counted += PIECE;
    }
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit < 0xdc00) {
      count--;
      i++;
    }
  }
  return count;
}

/** Index in code units of the character at a position; the length when there are fewer. */
export function characterOffset(text: string, characters: number): number {
  let at = 0;
  for (let count = 0; count < characters && at < text.length; count++) {
    if ((count & (PIECE - 1)) === PIECE - 1) countWork(PIECE);
    const unit = text.charCodeAt(at);
    at += unit >= 0xd800 && unit < 0xdc00 ? 2 : 1;
  }
  return Math.min(at, text.length);
}
