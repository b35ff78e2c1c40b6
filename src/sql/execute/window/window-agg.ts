import { CHUNK_ROWS, type ColumnVector, createVector } from '../../../chunk/index.ts';
import type { SqlType } from '../../../types/index.ts';
import { CHUNK, DONE, type Operator, PAUSE, type Status, UnaryOperator } from '../operator.ts';
import type { Run } from '../run.ts';
import type { Frames } from './frames.ts';
import type { WindowBatch } from './window-batch.ts';
import type { WindowCall } from './window-call.ts';

/** Rows between looks at the time slice: the frames of a few rows may be large. */
const STEP_ROWS = 64;
/** Bytes of a call's results after which a chunk ends: those of string_agg grow from row to row. */
const RESULT_BYTES_MAX = 1 << 20;

/** Window functions over sorted rows.
 *
 *   reading -> emitting -> reading …    (a batch of rows at a time)
 */
export class WindowAgg extends UnaryOperator {
  readonly #run: Run;
  readonly #batch: WindowBatch;
  readonly #frames: Frames;
  readonly #calls: readonly WindowCall[];
  readonly #inputColumns: readonly ColumnVector[];
  readonly #results: readonly ColumnVector[];
  #phase: 'opening' | 'reading' | 'emitting' = 'opening';
  /** Number of the first row of the input's chunk that is not in the batch; -1 without a chunk. */
  #pending = -1;
  #inputDone = false;
  #emitted = 0;
  /** Rows of the next chunk, at the most: fewer after one that ended early. */
  #chunkRows = CHUNK_ROWS;

  constructor(
    run: Run,
    input: Operator,
    batch: WindowBatch,
    frames: Frames,
    calls: readonly WindowCall[],
    inputTypes: readonly SqlType[],
    resultTypes: readonly SqlType[],
  ) {
    super(input);
    this.#run = run;
    this.#batch = batch;
    this.#frames = frames;
    this.#calls = calls;
    this.#inputColumns = inputTypes.map((type) => createVector(type));
    this.#results = resultTypes.map((type) => createVector(type));
    this.chunk.columns = [...this.#inputColumns, ...this.#results];
  }

  protected override begin(): void {
    this.#batch.reset(this.#run.environment.workMem);
    this.#phase = 'opening';
    this.#pending = -1;
    this.#inputDone = false;
  }

  override next(): Status {
    if (this.#phase === 'opening') {
      this.#frames.open();
      this.#phase = 'reading';
    }
    for (;;) {
      if (this.#phase === 'reading') {
        if (this.#read() === PAUSE) return PAUSE;
        if (this.#batch.rows.count === 0) return DONE;
        this.#beginEmit();
      }
      if (this.#emitted < this.#batch.rows.count) return this.#emit();
      this.#batch.restart(this.#run.environment.workMem);
      this.#phase = 'reading';
    }
  }

  /** Reads a batch. */
  #read(): Status {
    while (!this.#inputDone) {
      if (this.#pending < 0) {
        const status = this.input.next();
        if (status === PAUSE) return PAUSE;
        if (status === DONE) {
          this.#inputDone = true;
          break;
        }
        this.#batch.begin(this.input.chunk);
        this.#pending = 0;
      }
      const { chunk } = this.input;
      const taken = this.#batch.add(chunk, this.#pending);
      this.#pending = taken < chunk.count ? taken : -1;
      if (this.#pending >= 0) break;
    }
    return DONE;
  }

  #beginEmit(): void {
    this.#phase = 'emitting';
    this.#emitted = 0;
    this.#frames.begin();
    for (const call of this.#calls) call.begin();
  }

  #emit(): Status {
    this.#run.environment.checkInterrupts();
    if (this.#run.shouldPause()) return PAUSE;
    const first = this.#emitted;
    const read = this.#batch.rows.read(first, this.#chunkRows, this.#inputColumns);
    for (const result of this.#results) result.reset();
    let count = 0;
    do {
      const to = Math.min(read, count + STEP_ROWS);
      this.#frames.fill(first, count, to);
      for (let k = 0; k < this.#calls.length; k++) {
        this.#calls[k]!.compute(this.#frames, count, to, this.#results[k]!);
      }
      count = to;
    } while (count < read && !this.#results.some(isLarge) && !this.#run.shouldPause());
    this.#chunkRows = Math.min(CHUNK_ROWS, count < read ? count : 2 * this.#chunkRows);
    this.#emitted += count;
    this.chunk.count = count;
    return CHUNK;
  }

  override close(): void {
    super.close();
    this.#batch.close();
    for (const call of this.#calls) call.close();
  }
}

function isLarge(result: ColumnVector): boolean {
  return result.lane === 'bytes' && result.used > RESULT_BYTES_MAX;
}
