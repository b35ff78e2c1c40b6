import type { ColumnVector } from '../../../chunk/index.ts';
import { pgError } from '../../../errors/index.ts';
import type { WindowArgument } from './argument.ts';
import { FrameParts } from './frame-parts.ts';
import type { Frames } from './frames.ts';
import type { WindowCall } from './window-call.ts';

/** lag and lead: a value of the row so many rows before or after, in the partition. */
export class OffsetCall implements WindowCall {
  readonly #direction: 1 | -1;
  readonly #value: WindowArgument;
  readonly #offset: WindowArgument | null;
  readonly #default: WindowArgument | null;

  constructor(
    direction: 1 | -1,
    value: WindowArgument,
    offset: WindowArgument | null,
    otherwise: WindowArgument | null,
  ) {
    this.#direction = direction;
    this.#value = value;
    this.#offset = offset;
    this.#default = otherwise;
  }

  begin(): void {
    this.#value.begin();
    this.#offset?.begin();
    this.#default?.begin();
  }

  compute(frames: Frames, from: number, to: number, out: ColumnVector): void {
    for (let i = from; i < to; i++) {
      const { start, end } = frames.segments[i]!;
      const position = frames.first + i;
      const offset = this.#offset === null ? 1 : (this.#offset.value(position) as number | null);
      if (offset === null) {
        out.setNull(i);
        continue;
      }
      const target = position + this.#direction * offset;
      if (target >= start && target < end) this.#value.copy(target, out, i);
      else if (this.#default === null) out.setNull(i);
      else this.#default.copy(position, out, i);
    }
  }

  close(): void {}
}

/** first_value, last_value and nth_value: a value of a row of the frame. */
export class FrameValueCall implements WindowCall {
  readonly #which: 'first' | 'last' | 'nth';
  readonly #value: WindowArgument;
  readonly #nth: WindowArgument | null;
  readonly #parts = new FrameParts();

  constructor(which: 'first' | 'last' | 'nth', value: WindowArgument, nth: WindowArgument | null) {
    this.#which = which;
    this.#value = value;
    this.#nth = nth;
  }

  begin(): void {
    this.#value.begin();
    this.#nth?.begin();
  }

  compute(frames: Frames, from: number, to: number, out: ColumnVector): void {
    for (let i = from; i < to; i++) {
      this.#parts.locate(frames, i);
      const target = this.#locate(frames.first + i);
      if (target < 0) out.setNull(i);
      else this.#value.copy(target, out, i);
    }
  }

  #locate(position: number): number {
    if (this.#which === 'first') return this.#parts.at(0);
    if (this.#which === 'last') return this.#parts.last();
    const nth = this.#nth!.value(position) as number | null;
    if (nth === null) return -1;
    if (nth <= 0) {
      throw pgError(
        'invalid_argument_for_nth_value_function',
        'argument of nth_value must be greater than zero',
      );
    }
    return this.#parts.at(nth - 1);
  }

  close(): void {}
}
