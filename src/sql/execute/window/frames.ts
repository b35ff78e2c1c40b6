import { CHUNK_ROWS, readDatum } from '../../../chunk/index.ts';
import { pgError } from '../../../errors/index.ts';
import type { Datum, SqlType } from '../../../types/index.ts';
import type { WindowFrame } from '../../expression.ts';
import type { FunctionContext } from '../../functions/index.ts';
import type { ConstantEvaluator } from '../expression/evaluator.ts';
import type { Run } from '../run.ts';
import type { PagedColumns } from './paged-columns.ts';
import type { Segment, WindowBatch } from './window-batch.ts';

/** in_range(value, base, offset, subtract, less). */
export type InRange = (
  context: FunctionContext,
  value: Datum,
  base: Datum,
  offset: Datum,
  subtract: boolean,
  less: boolean,
) => Datum;

export type CompiledBound = { readonly kind: 'unbounded' | 'currentRow' } | OffsetBound;

interface OffsetBound {
  readonly kind: 'preceding' | 'following';
  readonly offset: ConstantEvaluator;
  /** Null where the mode is not range. */
  readonly inRange: InRange | null;
}

export interface CompiledFrame {
  readonly mode: WindowFrame['mode'];
  readonly start: CompiledBound;
  readonly end: CompiledBound;
  readonly exclude: WindowFrame['exclude'];
}

/** The order key of a RANGE frame with an offset: read at the row, at the start and at the end of its frame. */
export interface RangeKey {
  readonly type: SqlType;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  readonly current: PagedColumns;
  readonly start: PagedColumns;
  readonly end: PagedColumns;
}

/** Where the rows of a chunk lie in their partitions, and their frames. */
export class Frames {
  readonly frame: CompiledFrame;
  readonly #run: Run;
  readonly #batch: WindowBatch;
  readonly #usesPeers: boolean;
  readonly #usesFrame: boolean;
  readonly #key: RangeKey | null;
  /** Position of the chunk's first row. */
  first = 0;
  readonly segments: Segment[] = [];
  /** Group of each row, where it begins and where the next one does. */
  readonly groups = new Float64Array(CHUNK_ROWS);
  readonly peerStarts = new Float64Array(CHUNK_ROWS);
  readonly peerEnds = new Float64Array(CHUNK_ROWS);
  /** The frame of each row without regard to EXCLUDE; empty where the end is not beyond the start. */
  readonly starts = new Float64Array(CHUNK_ROWS);
  readonly ends = new Float64Array(CHUNK_ROWS);
  #startOffset: Datum = null;
  #endOffset: Datum = null;
  #segmentIndex = 0;
  #group = -1;
  #groupStart = 0;
  #groupEnd = 0;
  #rangeSegment: Segment | null = null;
  #rangeStart = 0;
  #rangeEnd = 0;

  constructor(
    run: Run,
    batch: WindowBatch,
    frame: CompiledFrame,
    uses: { readonly peers: boolean; readonly frame: boolean },
    key: RangeKey | null,
  ) {
    this.#run = run;
    this.#batch = batch;
    this.frame = frame;
    this.#usesPeers = uses.peers;
    this.#usesFrame = uses.frame;
    this.#key = key;
  }

  /** Computes the offsets of the frame, once a run. */
  open(): void {
    this.#startOffset = this.#offsetOf(this.frame.start, 'starting');
    this.#endOffset = this.#offsetOf(this.frame.end, 'ending');
  }

  #offsetOf(bound: CompiledBound, which: 'starting' | 'ending'): Datum {
    if (!('offset' in bound)) return null;
    const value = bound.offset.value();
    if (value === null) {
      throw pgError('null_value_not_allowed', `frame ${which} offset must not be null`);
    }
    if (this.frame.mode !== 'range' && (value as number | bigint) < 0) {
      throw pgError(
        'invalid_preceding_or_following_size',
        `frame ${which} offset must not be negative`,
      );
    }
    return value;
  }

  /** A batch begins. */
  begin(): void {
    this.#segmentIndex = 0;
    this.#group = -1;
    this.#groupEnd = 0;
    this.#rangeSegment = null;
    if (this.#key === null) return;
    this.#key.current.begin();
    this.#key.start.begin();
    this.#key.end.begin();
  }

  /** Finds the frames of rows `from` to `to` - 1 of a chunk, which follow those of the last call. */
  fill(first: number, from: number, to: number): void {
    this.first = first;
    const { segments } = this.#batch;
    for (let i = from; i < to; i++) {
      const position = first + i;
      while (position >= segments[this.#segmentIndex]!.end) this.#segmentIndex++;
      const segment = segments[this.#segmentIndex]!;
      this.segments[i] = segment;
      if (this.#usesPeers) this.#fillPeers(position, i, segment);
      if (this.#usesFrame) this.#fillFrame(position, i, segment);
    }
  }

  #fillPeers(position: number, i: number, segment: Segment): void {
    if (position >= this.#groupEnd) {
      this.#group++;
      this.#groupStart = position;
      this.#groupEnd = this.#batch.groupStart(this.#group + 1, segment);
    }
    this.groups[i] = this.#group;
    this.peerStarts[i] = this.#groupStart;
    this.peerEnds[i] = this.#groupEnd;
  }

  #fillFrame(position: number, i: number, segment: Segment): void {
    const { mode, start, end } = this.frame;
    let from = segment.start;
    let to = segment.end;
    if (mode === 'rows') {
      if (start.kind !== 'unbounded') from = position + rowsOf(start, this.#startOffset);
      if (end.kind !== 'unbounded') to = position + rowsOf(end, this.#endOffset) + 1;
    } else if (mode === 'groups') {
      const group = this.groups[i]!;
      if (start.kind !== 'unbounded') {
        from = this.#startOf(group + rowsOf(start, this.#startOffset), segment);
      }
      if (end.kind !== 'unbounded') {
        to = this.#startOf(group + rowsOf(end, this.#endOffset) + 1, segment);
      }
    } else {
      if (start.kind === 'currentRow') from = this.peerStarts[i]!;
      else if ('offset' in start) from = this.#searchStart(position, segment, start);
      if (end.kind === 'currentRow') to = this.peerEnds[i]!;
      else if ('offset' in end) to = this.#searchEnd(position, segment, end);
    }
    this.starts[i] = Math.min(Math.max(from, segment.start), segment.end);
    this.ends[i] = Math.min(Math.max(to, segment.start), segment.end);
  }

  #startOf(group: number, segment: Segment): number {
    return this.#batch.groupStart(Math.max(group, segment.firstGroup), segment);
  }

  #beginRange(segment: Segment): void {
    if (this.#rangeSegment === segment) return;
    this.#rangeSegment = segment;
    this.#rangeStart = segment.start;
    this.#rangeEnd = segment.start;
  }

  /** Frames only move forward, so the search goes on where it ended for the row before. */
  #searchStart(position: number, segment: Segment, bound: OffsetBound): number {
    this.#beginRange(segment);
    const { descending, nullsFirst, current, start, type } = this.#key!;
    const base = valueAt(current, position, type);
    const subtract = (bound.kind === 'preceding') !== descending;
    while (this.#rangeStart < segment.end) {
      const value = valueAt(start, this.#rangeStart, type);
      if (value === null || base === null) {
        if (nullsFirst ? value !== null || base === null : value === null || base !== null) break;
      } else if (this.#inRange(bound, value, base, this.#startOffset, subtract, descending)) {
        break;
      }
      this.#rangeStart++;
    }
    return this.#rangeStart;
  }

  #searchEnd(position: number, segment: Segment, bound: OffsetBound): number {
    this.#beginRange(segment);
    const { descending, nullsFirst, current, end, type } = this.#key!;
    const base = valueAt(current, position, type);
    const subtract = (bound.kind === 'preceding') !== descending;
    while (this.#rangeEnd < segment.end) {
      const value = valueAt(end, this.#rangeEnd, type);
      if (value === null || base === null) {
        if (nullsFirst ? value !== null : base !== null) break;
      } else if (!this.#inRange(bound, value, base, this.#endOffset, subtract, !descending)) {
        break;
      }
      this.#rangeEnd++;
    }
    return this.#rangeEnd;
  }

  #inRange(
    bound: OffsetBound,
    value: Datum,
    base: Datum,
    offset: Datum,
    subtract: boolean,
    less: boolean,
  ): boolean {
    const context = this.#run.environment.functions;
    return bound.inRange!(context, value, base, offset, subtract, less) === true;
  }
}

/** How many rows (or groups) a bound lies behind the current one; below 0 before it. An offset that is no
 * safe integer leads out of any partition. */
function rowsOf(bound: CompiledBound, offset: Datum): number {
  if (bound.kind === 'preceding') return -Number(offset);
  return bound.kind === 'following' ? Number(offset) : 0;
}

function valueAt(column: PagedColumns, position: number, type: SqlType): Datum {
  const row = column.seek(position);
  return readDatum(column.vectors[0]!, row, type);
}
