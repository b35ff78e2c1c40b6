import { isUtf8 } from 'node:buffer';
import { invalidUtf8 } from '../../errors/index.ts';

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
