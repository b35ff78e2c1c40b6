import { isUtf8 } from 'node:buffer';
import { type PgError, pgError } from '../../errors/index.ts';

/** Text from a client: decoded only if it is UTF-8, as PostgreSQL verifies what it receives. */

/** Below this length a loop of our own beats a call into Node (bench/micro/codec.ts). */
const SHORT_TEXT_MAX = 16;

/** Decodes bytes[start, end), which hold no NUL; 22021 if they are not UTF-8. */
export function decodeClientText(bytes: Buffer, start: number, end: number): string {
  if (!isUtf8(bytes.subarray(start, end))) throw invalidUtf8(bytes, start, end);
  return bytes.toString('utf8', start, end);
}

/** Decodes bytes[start, end), which are known to be ASCII. */
export function decodeAscii(bytes: Buffer, start: number, end: number): string {
  if (end - start > SHORT_TEXT_MAX) return bytes.toString('latin1', start, end);
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** Fails with 22021 unless bytes[start, end) is UTF-8 without NUL: a text value in place. */
export function verifyClientText(bytes: Buffer, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0 || byte > 0x7f) {
      const rest = bytes.subarray(i, end);
      if (rest.indexOf(0) < 0 && isUtf8(rest)) return;
      throw invalidUtf8(bytes, i, end);
    }
  }
}

/** PostgreSQL's error for the first sequence in bytes[start, end) that is not a character. */
function invalidUtf8(bytes: Buffer, start: number, end: number): PgError {
  let at = start;
  while (at < end) {
    const length = sequenceLength(bytes[at]!);
    if (bytes[at] === 0 || at + length > end || !isUtf8(bytes.subarray(at, at + length))) break;
    at += length;
  }
  const shown = Math.min(sequenceLength(bytes[at]!), end - at);
  const hex: string[] = [];
  for (let i = at; i < at + shown; i++) hex.push(`0x${bytes[i]!.toString(16).padStart(2, '0')}`);
  return pgError(
    'character_not_in_repertoire',
    `invalid byte sequence for encoding "UTF8": ${hex.join(' ')}`,
  );
}

/** Length of the sequence that a byte opens, 1 for a byte that opens none. */
function sequenceLength(lead: number): number {
  if ((lead & 0x80) === 0) return 1;
  if ((lead & 0xe0) === 0xc0) return 2;
  if ((lead & 0xf0) === 0xe0) return 3;
  if ((lead & 0xf8) === 0xf0) return 4;
  return 1;
}
