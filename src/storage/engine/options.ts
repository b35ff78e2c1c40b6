import { type Processes, systemProcesses } from '../../io/index.ts';
import { WAL_SEGMENT_SIZE } from '../wal/index.ts';

/** Settings of a storage engine; sizes in bytes, times in milliseconds. */
export interface EngineOptions {
  /** Fixed when the store is made. */
  readonly segmentSize?: number;
  /** The log since the last checkpoint is kept below this, by checkpoints at half of it. */
  readonly maxWalSize?: number;
  /** Segments that are kept for reuse rather than removed amount to at least this. */
  readonly minWalSize?: number;
  readonly checkpointTimeoutMs?: number;
  /** How long commits that do not wait for the disk may stay unsynced, if `step` is called as often. */
  readonly walWriterDelayMs?: number;
  /** Snapshot slot that checkpoints hold; by default the one of the highest thread number. */
  readonly checkpointSlot?: number;
  /** The caller holds the lock of the directory (`LockFile`), as a runtime does that may have to open
   * the store anew while its process lives. */
  readonly isLockHeld?: boolean;
  /** Fails where there is no store, instead of making one. */
  readonly mustExist?: boolean;
  readonly processes?: Processes;
  /** A monotonic clock. */
  readonly nowMs?: () => number;
  /** Gives the number that tells this store from all others, below 2^48. */
  readonly systemId?: () => number;
}

export interface EngineSettings extends Required<Omit<EngineOptions, 'checkpointSlot'>> {
  readonly checkpointSlot: number | undefined;
}

/** PostgreSQL's defaults for what PostgreSQL has. */
export function engineSettings(options: EngineOptions): EngineSettings {
  return {
    segmentSize: WAL_SEGMENT_SIZE,
    maxWalSize: 1024 * 1024 * 1024,
    minWalSize: 80 * 1024 * 1024,
    checkpointTimeoutMs: 300_000,
    walWriterDelayMs: 200,
    checkpointSlot: undefined,
    isLockHeld: false,
    mustExist: false,
    processes: systemProcesses,
    nowMs: () => performance.now(),
    systemId: randomSystemId,
    ...options,
  };
}

function randomSystemId(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return (high! & 0xffff) * 0x1_0000_0000 + low!;
}
