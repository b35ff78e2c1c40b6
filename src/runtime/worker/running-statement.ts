import { ByteWriter } from '../../base/index.ts';
import type { DataChunk } from '../../chunk/index.ts';
import { pgError } from '../../errors/index.ts';
import type { StatementSettings } from '../../session/index.ts';
import {
  type AddedPartitions,
  CHUNK,
  type CompiledPlan,
  type CopyFormat,
  CopyRowEncoder,
  type CopyWriter,
  copyWriter,
  type DataRowEncoder,
  DONE,
  dataRowEncoder,
  type ExecutionEnvironment,
  encodeDataRows,
  type Instrumentation,
  type RowOperations,
  type SequenceOperations,
  type SpillFile,
  type StatementChecks,
  type SystemViewSource,
} from '../../sql/execute/index.ts';
import type { FunctionContext } from '../../sql/functions/index.ts';
import type { Plan } from '../../sql/plan/plan.ts';
import type { Cursor, TreeId } from '../../storage/index.ts';
import type { Datum } from '../../types/index.ts';
import type { AdvisoryCalls } from './advisory-calls.ts';
import type { StatementContext } from './statement-context.ts';
import type { OpenTransaction } from './writer-session.ts';

/** Bytes of rows that a statement sends ahead of what its client has taken. */
export const WINDOW_BYTES = 512 * 1024;
/** Rows of a chunk that are encoded at a time, so that the window holds even for wide rows. */
const ENCODE_BYTES = 64 * 1024;

/** How a slice of a statement ended. */
export const SLICE = {
  /** All rows are sent. */
  done: 0,
  /** The row limit is reached. */
  suspended: 1,
  /** Time is up, or a lock is awaited: run it again when it can go on. */
  paused: 2,
  /** The client has to take rows first. */
  blocked: 3,
  /** It waits for the time `wakeAt`. */
  sleeping: 4,
} as const;
export type Slice = (typeof SLICE)[keyof typeof SLICE];

/** What a thread does for the statements it runs. */
export interface StatementHost {
  openCursor(statement: RunningStatement, tree: TreeId): Cursor;
  closeCursor(cursor: Cursor): void;
  createSpillFile(): SpillFile;
  rows(request: number, count: number, bytes: Uint8Array, start: number, end: number): void;
}

/** One statement on its way: the environment that its operators run in, and how far its rows have
 * been sent. Objects are reused for one statement after another. */
export class RunningStatement implements ExecutionEnvironment {
  request = 0;
  session = 0;
  planId = 0;
  plan!: Plan;
  compiled: CompiledPlan | null = null;
  snapshot = 0;
  snapshotSlot = 0;
  /** In the writer: it sees what earlier commands of its transaction have changed. */
  command = 0;
  /** The snapshot is the statement's own, to be released when it ends. */
  holdsSnapshot = false;
  /** It waits for its client to take rows. */
  isBlocked = false;
  /** In the writer: its transaction, and whether it still waits for its table locks. */
  open: OpenTransaction | null = null;
  awaitsTables = false;
  /** The table that it waits for is a partition of one that it has locked. */
  awaitsPartition = false;
  addedPartitions: AddedPartitions | null = null;
  /** It begins anew when its advisory lock is granted; null for plans without such locks. */
  advisory: AdvisoryCalls | null = null;
  awaitsRestart = false;
  /** Where the transaction's write set stood when it began. */
  writeMark = 0;
  private rowsToSkip = 0;
  /** How often its computations have asked whether to go on. */
  askCount = 0;
  flags = 0;
  startedMs = 0;
  /** Options of EXPLAIN ANALYZE, when that is what runs it. */
  explainOptions: unknown = null;
  readonly context: StatementContext;
  readonly parameters: Datum[] = [];
  settings!: StatementSettings;
  rows: RowOperations | null = null;
  checks: StatementChecks | null = null;
  completesFirst = false;
  sequences: SequenceOperations | null = null;
  systemViews: SystemViewSource | null = null;
  instrumentation: Instrumentation | null = null;
  /** Milliseconds of the wall clock; 0 for none. */
  deadlineMs = 0;
  /** Set by a cancel message. */
  cancelled: 'no' | 'user' | 'timeout' = 'no';
  rowLimit = 0;
  /** Rows sent since the statement began or was resumed. */
  private sentSinceResume = 0;
  totalRows = 0;
  /** Bytes sent and not yet taken by the client. */
  unacknowledged = 0;
  private readonly host: StatementHost;
  private readonly out = new ByteWriter(16 * 1024);
  private encoder!: DataRowEncoder;
  private copy: CopyOut | null = null;
  /** performance.now() at which pg_sleep() is over; 0 when none goes on. */
  wakeAt = 0;
  /** All rows are computed; the wait for the last of them goes on. */
  private finished = false;
  private changesRows = false;
  /** What is left of the current chunk. */
  private chunk: DataChunk | null = null;
  private chunkRow = 0;
  private rowsAtOnce = 0;
  private sliceEnd = 0;

  constructor(host: StatementHost, context: StatementContext) {
    this.host = host;
    this.context = context;
  }

  get functions(): FunctionContext {
    return this.context;
  }

  get workMem(): number {
    return this.settings.workMem;
  }

  /** Prepares for a run; the fields above have been set. `textEncoder` encodes the plan's rows as text. */
  begin(textEncoder: DataRowEncoder, formats: Uint8Array, start: number, count: number): void {
    this.encoder = isAllText(formats, start, count)
      ? textEncoder
      : dataRowEncoder(
          this.plan.output.map((column) => column.type),
          formats.slice(start, start + count),
        );
    const { kind } = this.plan.root;
    this.changesRows = kind === 'insert' || kind === 'update' || kind === 'delete';
    this.rowsAtOnce = FIRST_ROWS;
    this.sentSinceResume = 0;
    this.totalRows = 0;
    this.unacknowledged = 0;
    this.cancelled = 'no';
    this.askCount = 0;
    this.finished = false;
    this.wakeAt = 0;
    this.context.sleepMs = 0;
    this.chunk = null;
    this.chunkRow = 0;
  }

  /** Rows leave as CopyData messages of this format. */
  beginCopy(format: CopyFormat): void {
    const { output } = this.plan;
    const types = output.map((column) => column.type);
    this.copy = {
      encoder: new CopyRowEncoder(types, format.kind === 'binary'),
      writer: copyWriter(format, types.length, this.out, true),
      names: output.map((column) => column.name),
      begun: false,
    };
  }

  /** Prepares for another run from the beginning, which passes over the rows that were sent. */
  restart(): void {
    this.rowsToSkip = this.totalRows;
    this.chunk = null;
    this.advisory?.restart();
  }

  /** Goes on with a suspended statement, for so many rows more. */
  resume(rowLimit: number): void {
    this.rowLimit = rowLimit;
    this.sentSinceResume = 0;
  }

  /** Runs until something ends the slice; errors are thrown. */
  runSlice(sliceMs: number): Slice {
    this.sliceEnd = performance.now() + sliceMs;
    this.checkInterrupts();
    const compiled = this.compiled!;
    for (;;) {
      if (this.wakeAt !== 0) {
        if (performance.now() < this.wakeAt) return SLICE.sleeping;
        this.wakeAt = 0;
      }
      if (this.chunk !== null) {
        const sent = this.sendChunk();
        if (sent !== SLICE.done) return sent;
        this.chunk = null;
      }
      const status = this.finished ? DONE : compiled.next();
      if (this.context.sleepMs > 0) {
        this.wakeAt = performance.now() + this.context.sleepMs;
        this.context.sleepMs = 0;
        this.finished = status === DONE;
      }
      if (status === DONE && this.wakeAt !== 0) continue;
      if (status === CHUNK) {
        this.chunk = compiled.chunk;
        this.chunkRow = 0;
      } else if (status === DONE) {
        if (this.copy !== null) this.endCopy(this.copy);
        return SLICE.done;
      } else return SLICE.paused;
    }
  }

  end(): void {
    this.chunk = null;
    this.copy = null;
    this.rows = null;
    this.checks = null;
    this.completesFirst = false;
    this.sequences = null;
    this.systemViews = null;
    this.instrumentation = null;
    this.compiled = null;
    this.explainOptions = null;
    this.holdsSnapshot = false;
    this.isBlocked = false;
    this.advisory = null;
    this.awaitsRestart = false;
    this.rowsToSkip = 0;
  }

  /** Rows for the command tag: what was sent since it was resumed, or what a change without RETURNING
   * processed. */
  affectedRows(): number {
    return this.changesRows && this.plan.output.length === 0
      ? this.compiled!.affectedRows
      : this.sentSinceResume;
  }

  openCursor(tree: TreeId): Cursor {
    return this.host.openCursor(this, tree);
  }

  closeCursor(cursor: Cursor): void {
    this.host.closeCursor(cursor);
  }

  createSpillFile(): SpillFile {
    return this.host.createSpillFile();
  }

  /** When a sleeping statement has something to do: its time is over, or its deadline has come. */
  get nextWake(): number {
    if (this.deadlineMs === 0) return this.wakeAt;
    return Math.min(this.wakeAt, this.deadlineMs - performance.timeOrigin);
  }

  shouldPause(): boolean {
    return performance.now() >= this.sliceEnd;
  }

  checkInterrupts(): void {
    if (this.cancelled === 'user') {
      throw pgError('query_canceled', 'canceling statement due to user request');
    }
    if (this.cancelled === 'timeout' || (this.deadlineMs !== 0 && Date.now() >= this.deadlineMs)) {
      throw pgError('query_canceled', 'canceling statement due to statement timeout');
    }
  }

  /** Sends what is left of the chunk, as far as limit and window allow. */
  private sendChunk(): Slice {
    const chunk = this.chunk!;
    if (this.rowsToSkip > 0) {
      const skipped = Math.min(this.rowsToSkip, chunk.count - this.chunkRow);
      this.chunkRow += skipped;
      this.rowsToSkip -= skipped;
    }
    while (this.chunkRow < chunk.count) {
      if (this.rowLimit > 0 && this.sentSinceResume >= this.rowLimit) return SLICE.suspended;
      if (this.unacknowledged >= WINDOW_BYTES) return SLICE.blocked;
      let count = chunk.count - this.chunkRow;
      if (this.rowLimit > 0) count = Math.min(count, this.rowLimit - this.sentSinceResume);
      if (this.explainOptions === null) {
        count = Math.min(count, this.rowsAtOnce);
        this.sendRows(chunk, count);
      }
      this.chunkRow += count;
      this.sentSinceResume += count;
      this.totalRows += count;
    }
    // A statement that reaches its limit with its last row is suspended before it is done, as in
    // PostgreSQL.
    if (this.rowLimit > 0 && this.sentSinceResume >= this.rowLimit) return SLICE.suspended;
    return SLICE.done;
  }

  /** The header leaves with the first rows, or with the end. */
  private beginCopyPiece(copy: CopyOut): void {
    if (copy.begun) return;
    copy.begun = true;
    copy.writer.header(copy.names);
  }

  private endCopy(copy: CopyOut): void {
    const out = this.out.reset();
    this.beginCopyPiece(copy);
    copy.writer.end();
    if (out.position > 0) this.host.rows(this.request, 0, out.bytes, 0, out.position);
  }

  private sendRows(chunk: DataChunk, count: number): void {
    const out = this.out.reset();
    const first = this.chunkRow;
    if (this.copy === null) {
      encodeDataRows(this.encoder, chunk, first, first + count, out, this.context);
    } else {
      this.beginCopyPiece(this.copy);
      this.copy.encoder.encode(chunk, first, first + count, this.copy.writer, this.context);
    }
    this.unacknowledged += out.position;
    this.host.rows(this.request, count, out.bytes, 0, out.position);
    // Few rows at first; more when rows turn out to be short.
    const average = Math.max(1, out.position / count);
    this.rowsAtOnce = Math.max(1, Math.floor(ENCODE_BYTES / average));
  }
}

/** A COPY TO on its way. */
interface CopyOut {
  readonly encoder: CopyRowEncoder;
  readonly writer: CopyWriter;
  readonly names: readonly string[];
  begun: boolean;
}

const FIRST_ROWS = 64;

function isAllText(formats: Uint8Array, start: number, count: number): boolean {
  for (let i = start; i < start + count; i++) if (formats[i] !== 0) return false;
  return true;
}
