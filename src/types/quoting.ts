import { pgError } from '../errors/index.ts';

/** Longer values would run the server out of memory: each level of nesting doubles their quotes. */
const QUOTED_MAX = 1 << 26;
/** What is replaced at a time: V8 needs many times the length of what it replaces in. */
const PIECE = 1 << 16;

/** A text with each quote and backslash in it doubled (`$&$&`) or behind a backslash (`\\$&`). */
export function escapeQuotes(text: string, replacement: '$&$&' | '\\$&'): string {
  if (text.length <= PIECE) return text.replace(/["\\]/g, replacement);
  if (text.length > QUOTED_MAX) {
    throw pgError('program_limit_exceeded', 'out of memory', {
      detail: 'A value is longer than the server can hold.',
    });
  }
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += PIECE) {
    pieces.push(text.slice(at, at + PIECE).replace(/["\\]/g, replacement));
  }
  return pieces.join('');
}
