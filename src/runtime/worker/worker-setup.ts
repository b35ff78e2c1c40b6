import type { ThreadSetup } from './statement-thread.ts';

/** What the entry points in workers/ are started with. Plain data. */
export interface WorkerSetup extends ThreadSetup {
  readonly dataDirectory: string;
  /** Bytes. */
  readonly maxWalSize: number;
  readonly checkpointTimeoutMs: number;
  readonly walWriterDelayMs: number;
  /** Number of the thread that syncs the log, and the words that it shares with the writer. */
  readonly logSyncThread: number;
  readonly logSyncWords: SharedArrayBuffer;
  /** Memory of ExclusiveTables. */
  readonly exclusiveTables: SharedArrayBuffer;
  /** Memory of FastPathWords. */
  readonly fastPathWords: SharedArrayBuffer;
}
