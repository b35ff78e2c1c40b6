import type { ColumnVector } from '../../../chunk/index.ts';
import type { Frames } from './frames.ts';

/** A call of a window function or aggregate, computed for the rows of a batch in order. */
export interface WindowCall {
  /** A batch begins. */
  begin(): void;
  /** Computes rows `from` to `to` - 1 of the chunk that the frames were found for. */
  compute(frames: Frames, from: number, to: number, out: ColumnVector): void;
  close(): void;
}
