import { createHash } from 'node:crypto';
import { countWork } from '../../base/index.ts';

/** Bytes, or characters, that are hashed at a time. */
const PIECE = 1 << 20;

/** The digest of bytes, or of a text's UTF-8 form. */
export function digestOf(algorithm: string, data: string | Uint8Array): Buffer {
  const hash = createHash(algorithm);
  countWork(data.length);
  const bytes = typeof data === 'string' && data.length > PIECE ? Buffer.from(data, 'utf8') : data;
  if (typeof bytes === 'string' || bytes.length <= PIECE) return hash.update(bytes).digest();
  for (let at = 0; at < bytes.length; at += PIECE) {
    countWork(PIECE);
    hash.update(bytes.subarray(at, at + PIECE));
  }
  return hash.digest();
}
