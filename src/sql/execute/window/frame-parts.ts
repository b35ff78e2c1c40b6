import type { Frames } from './frames.ts';

const PARTS_MAX = 3;

/** The rows of a frame that EXCLUDE leaves: up to three ranges, in order. */
export class FrameParts {
  count = 0;
  readonly from = new Float64Array(PARTS_MAX);
  readonly to = new Float64Array(PARTS_MAX);

  /** Finds the parts of the frame of row `i` of the chunk. */
  locate(frames: Frames, i: number): void {
    this.count = 0;
    const start = frames.starts[i]!;
    const end = frames.ends[i]!;
    const position = frames.first + i;
    switch (frames.frame.exclude) {
      case 'none':
        this.#add(start, end);
        return;
      case 'currentRow':
        this.#add(start, Math.min(end, position));
        this.#add(Math.max(start, position + 1), end);
        return;
      case 'group':
        this.#add(start, Math.min(end, frames.peerStarts[i]!));
        this.#add(Math.max(start, frames.peerEnds[i]!), end);
        return;
      case 'ties':
        this.#add(start, Math.min(end, frames.peerStarts[i]!));
        this.#add(Math.max(start, position), Math.min(end, position + 1));
        this.#add(Math.max(start, frames.peerEnds[i]!), end);
        return;
    }
  }

  #add(from: number, to: number): void {
    if (from >= to) return;
    this.from[this.count] = from;
    this.to[this.count++] = to;
  }

  /** Position of the row number `index`, counted from 0; -1 where there are not as many. */
  at(index: number): number {
    let left = index;
    for (let part = 0; part < this.count; part++) {
      const rows = this.to[part]! - this.from[part]!;
      if (left < rows) return this.from[part]! + left;
      left -= rows;
    }
    return -1;
  }

  /** Position of the last row; -1 where there is none. */
  last(): number {
    return this.count === 0 ? -1 : this.to[this.count - 1]! - 1;
  }
}
