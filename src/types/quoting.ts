import { inPieces } from '../base/index.ts';
import { pgError } from '../errors/index.ts';

/** Longer values would run the server out of memory: each level of nesting doubles their quotes. */
const QUOTED_MAX = 1 << 26;

/** A text with each quote and backslash in it doubled (`$&$&`) or behind a backslash (`\\$&`). */
export function escapeQuotes(text: string, replacement: '$&$&' | '\\$&'): string {
  if (text.length > QUOTED_MAX) {
    throw pgError('program_limit_exceeded', 'out of memory', {
      detail: 'A value is longer than the server can hold.',
    });
  }
  // In pieces, as V8 needs many times the length of what it replaces in.
  return inPieces(text, (piece) => piece.replace(/["\\]/g, replacement));
}
