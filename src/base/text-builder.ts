import { countWork } from './interrupt.ts';

/** Pieces that are joined at a time. */
const BLOCK_PIECES = 4096;
/** What a piece is in units of work, besides its characters. */
const PIECE_WORK = 8;
/** V8 has no longer strings. */
const LENGTH_MAX = 2 ** 29 - 24;

/** A text that may become long, from pieces: a string that was made by adding pieces keeps all of them until it is read,
 * and takes many times the memory of its characters. */
export class TextBuilder {
  private readonly blocks: string[] = [];
  private pieces: string[] = [];
  private length = 0;

  add(piece: string): void {
    countWork(piece.length + PIECE_WORK);
    this.length += piece.length;
    if (this.length > LENGTH_MAX) throw new RangeError('Invalid string length');
    this.pieces.push(piece);
    if (this.pieces.length < BLOCK_PIECES) return;
    this.blocks.push(this.pieces.join(''));
    this.pieces = [];
  }

  toString(): string {
    const last = this.pieces.join('');
    return this.blocks.length === 0 ? last : this.blocks.join('') + last;
  }
}
