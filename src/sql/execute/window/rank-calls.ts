import type { ColumnVector, NumberVector } from '../../../chunk/index.ts';
import { pgError } from '../../../errors/index.ts';
import type { WindowArgument } from './argument.ts';
import type { Frames } from './frames.ts';
import type { Segment } from './window-batch.ts';
import type { WindowCall } from './window-call.ts';

/** Functions of a row's place in its partition. */
export type RankFunction = 'row_number' | 'rank' | 'dense_rank' | 'percent_rank' | 'cume_dist';

export class RankCall implements WindowCall {
  readonly #function: RankFunction;

  constructor(name: RankFunction) {
    this.#function = name;
  }

  begin(): void {}

  compute(frames: Frames, from: number, to: number, out: ColumnVector): void {
    const target = out as NumberVector;
    for (let i = from; i < to; i++) target.set(i, this.#rank(frames, i));
  }

  #rank(frames: Frames, i: number): number {
    const segment = frames.segments[i]!;
    const { start, end, rowsBefore } = segment;
    switch (this.#function) {
      case 'row_number':
        return rowsBefore + frames.first + i - start + 1;
      case 'rank':
        return rowsBefore + frames.peerStarts[i]! - start + 1;
      case 'dense_rank':
        return segment.groupsBefore + frames.groups[i]! - segment.firstGroup + 1;
      case 'percent_rank':
        return end - start <= 1 ? 0 : (frames.peerStarts[i]! - start) / (end - start - 1);
      case 'cume_dist':
        return (frames.peerEnds[i]! - start) / (end - start);
    }
  }

  close(): void {}
}

/** ntile(n): the first buckets have a row more than the others, where the rows do not come out even. */
export class NtileCall implements WindowCall {
  readonly #argument: WindowArgument;
  #segment: Segment | null = null;
  /** 0 while the partition has met no number of buckets that is not NULL. */
  #buckets = 0;
  #firstRow = 0;

  constructor(argument: WindowArgument) {
    this.#argument = argument;
  }

  begin(): void {
    this.#segment = null;
    this.#argument.begin();
  }

  compute(frames: Frames, from: number, to: number, out: ColumnVector): void {
    for (let i = from; i < to; i++) {
      const segment = frames.segments[i]!;
      const position = frames.first + i;
      if (segment !== this.#segment) {
        this.#segment = segment;
        this.#buckets = 0;
      }
      if (this.#buckets === 0) this.#readBuckets(position);
      if (this.#buckets === 0) out.setNull(i);
      else (out as NumberVector).set(i, this.#bucket(position - this.#firstRow, segment));
    }
  }

  #readBuckets(position: number): void {
    const value = this.#argument.value(position) as number | null;
    if (value === null) return;
    if (value <= 0) {
      throw pgError(
        'invalid_argument_for_ntile_function',
        'argument of ntile must be greater than zero',
      );
    }
    this.#buckets = value;
    this.#firstRow = position;
  }

  #bucket(row: number, segment: Segment): number {
    const total = segment.end - segment.start;
    const size = Math.floor(total / this.#buckets);
    if (size === 0) return row + 1;
    const larger = total % this.#buckets;
    const inLarger = larger * (size + 1);
    if (row < inLarger) return Math.floor(row / (size + 1)) + 1;
    return larger + Math.floor((row - inLarger) / size) + 1;
  }

  close(): void {}
}
