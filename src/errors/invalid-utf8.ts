import { isUtf8 } from 'node:buffer';
import { type PgError, pgError } from './pg-error.ts';

/** PostgreSQL's error for bytes[start, end), which are not UTF-8 or hold a NUL: it shows the first
 * sequence that is not a character. */
export function invalidUtf8(bytes: Uint8Array, start: number, end: number): PgError {
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
