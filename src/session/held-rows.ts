import { type PgError, pgError } from '../errors/index.ts';
import type { ResultSink } from './session-port.ts';

/** Bytes of rows that are kept in memory for a client that does not take them as they come. */
export const KEPT_BYTES_MAX = 64 << 20;

/** Bytes of the DataRow message at `at`. */
export function dataRowLength(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at + 1, 4).getUint32(0) + 1;
}

export function tooManyKept(command: string, hint: string): PgError {
  return pgError('program_limit_exceeded', `too much data for one ${command}`, { hint });
}

/** The rows of a SHOW, EXPLAIN or FETCH, which are made all at once, for a portal whose client takes
 * them a few at a time. */
export class HeldRows {
  private readonly pieces: Uint8Array[] = [];
  private bytes = 0;
  /** The first row that has not been sent. */
  private piece = 0;
  private offset = 0;

  /** Keeps whole DataRow messages; beyond the limit they only count. */
  add(bytes: Uint8Array, start: number, end: number): void {
    this.bytes += end - start;
    if (this.isFull) this.pieces.length = 0;
    else this.pieces.push(bytes.slice(start, end));
  }

  /** More rows came than are kept. */
  get isFull(): boolean {
    return this.bytes > KEPT_BYTES_MAX;
  }

  /** Sends the next rows, at most `limit` (0 for all), and says how many there were. */
  send(limit: number, sink: ResultSink): number {
    let count = 0;
    for (; this.piece < this.pieces.length; this.piece++, this.offset = 0) {
      const bytes = this.pieces[this.piece]!;
      const start = this.offset;
      const before = count;
      while (this.offset < bytes.length && (limit === 0 || count < limit)) {
        this.offset += dataRowLength(bytes, this.offset);
        count++;
      }
      if (count > before) sink.dataRows(bytes, start, this.offset, count - before);
      if (this.offset < bytes.length) break;
    }
    return count;
  }
}
