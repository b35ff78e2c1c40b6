import { countWork } from './interrupt.ts';

/** Longer texts are handled in pieces of about this length: what the engine does to one text it does without looking
 * up. */
const PIECE = 1 << 16;

/** What a function of each character makes of a text. What it makes of a piece is to be in one piece itself: a string
 * that was made by adding characters takes many times their memory. */
export function inPieces(text: string, map: (piece: string) => string): string {
  countWork(text.length);
  if (text.length <= PIECE) return map(text);
  const mapped: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = pieceEnd(text, at);
    countWork(end - at);
    mapped.push(map(text.slice(at, end)));
    at = end;
  }
  return mapped.join('');
}

/** Where the piece from `start` on ends: not in the middle of a character. */
function pieceEnd(text: string, start: number): number {
  const end = start + PIECE;
  if (end >= text.length) return text.length;
  const unit = text.charCodeAt(end);
  return unit >= 0xdc00 && unit < 0xe000 ? end + 1 : end;
}
