import { compareByteRanges } from '../base/index.ts';
import type { SeekMode } from '../storage/index.ts';
import { RunCursor } from './write-run.ts';
import { visibleVersion, type WriteEntry, type WriteSet, type WriteTree } from './write-set.ts';

/** Walks the keys that a transaction changed in one tree: those in memory, and those in its runs.
 *
 * Each source has a position, and the cursor stands on the least key among them (the greatest going
 * backward). Versions in memory are newer than those in runs, and those in later runs newer than those
 * in earlier ones, so the first version that is found in this order is the newest. */
export class WriteCursor {
  isValid = false;
  keyBytes = NOTHING;
  keyStart = 0;
  keyEnd = 0;
  /** The version that `resolve` found; null for a deletion. */
  valueBytes: Uint8Array | null = null;
  valueStart = 0;
  valueEnd = 0;

  private readonly writes: WriteSet;
  private readonly tree: WriteTree;
  private shape = 0;
  private isForward = true;
  // In memory: position and entry.
  private run = 0;
  private slot = 0;
  private entry: WriteEntry | null = null;
  private isAtEntry = false;
  /** Newest run first. */
  private runs: RunCursor[] = NO_RUNS;
  private runsShape = 0;
  /** For each run, whether it stands on the key. */
  private isAtRun: boolean[] = [];

  constructor(writes: WriteSet, tree: WriteTree) {
    this.writes = writes;
    this.tree = tree;
  }

  /** The tree has changed since the last seek, so the position is not to be used any more. */
  get isStale(): boolean {
    return this.tree.shape !== this.shape;
  }

  seek(key: Uint8Array, keyEnd: number, mode: SeekMode): void {
    const { tree } = this;
    this.begin(mode === 'ge' || mode === 'gt');
    const found = tree.locate(key, 0, keyEnd);
    this.run = tree.run;
    this.slot = tree.slot;
    if (mode === 'gt' && found) this.slot++;
    else if (mode === 'lt' || (mode === 'le' && !found)) this.slot--;
    this.takeEntry();
    const exclusive = mode === 'gt' || mode === 'lt';
    for (const run of this.runs) run.seek(key, 0, keyEnd, this.isForward, exclusive);
    this.pick();
  }

  first(): void {
    this.begin(true);
    this.run = 0;
    this.slot = 0;
    this.takeEntry();
    for (const run of this.runs) run.first();
    this.pick();
  }

  last(): void {
    this.begin(false);
    const { runs } = this.tree;
    this.run = runs.length - 1;
    this.slot = this.run < 0 ? -1 : runs[this.run]!.length - 1;
    this.takeEntry();
    for (const run of this.runs) run.last();
    this.pick();
  }

  /** To the next key in the direction of the last seek. */
  step(): void {
    if (this.isAtEntry) {
      this.slot += this.isForward ? 1 : -1;
      this.takeEntry();
    }
    const { runs } = this;
    for (let i = 0; i < runs.length; i++) {
      if (!this.isAtRun[i]) continue;
      if (this.isForward) runs[i]!.next();
      else runs[i]!.prev();
    }
    this.pick();
  }

  /** Finds the newest version of the key that commands before `command` made; false when there is none. */
  resolve(command: number): boolean {
    if (this.isAtEntry) {
      const version = visibleVersion(this.entry!, command);
      if (version !== null) {
        this.valueBytes = version.bytes;
        this.valueStart = version.start;
        this.valueEnd = version.end;
        return true;
      }
    }
    const { runs } = this;
    for (let i = 0; i < runs.length; i++) {
      const run = runs[i]!;
      if (!this.isAtRun[i] || !run.findVersion(command, this.writes)) continue;
      this.valueBytes = run.isDeletion ? null : run.bytes;
      this.valueStart = run.valueStart;
      this.valueEnd = run.valueEnd;
      return true;
    }
    return false;
  }

  private begin(isForward: boolean): void {
    const { tree } = this;
    this.isForward = isForward;
    this.shape = tree.shape;
    if (this.runsShape === tree.runsShape) return;
    this.runsShape = tree.runsShape;
    const known = this.runs;
    this.runs = tree.spilled
      .map((run) => known.find((cursor) => cursor.run === run) ?? new RunCursor(run))
      .reverse();
    this.isAtRun = this.runs.map(() => false);
  }

  /** Loads the entry from run and slot, which may have stepped out of the run on either side. */
  private takeEntry(): void {
    const { runs } = this.tree;
    let run = runs[this.run];
    if (run !== undefined && this.slot >= run.length) {
      run = runs[++this.run];
      this.slot = 0;
    } else if (run !== undefined && this.slot < 0) {
      run = runs[--this.run];
      this.slot = run === undefined ? -1 : run.length - 1;
    }
    this.entry = run?.[this.slot] ?? null;
  }

  /** Finds the key that comes first, and which sources stand on it. */
  private pick(): void {
    const { entry, runs } = this;
    this.isAtEntry = entry !== null;
    this.isValid = entry !== null;
    if (entry !== null) {
      this.keyBytes = entry.keyBytes;
      this.keyStart = entry.keyStart;
      this.keyEnd = entry.keyEnd;
    }
    for (let i = 0; i < runs.length; i++) {
      const run = runs[i]!;
      this.isAtRun[i] = run.isValid;
      if (!run.isValid) continue;
      if (this.isValid) {
        const order = this.compare(run);
        if (this.isForward ? order > 0 : order < 0) {
          this.isAtRun[i] = false;
          continue;
        }
        if (order === 0) continue;
      }
      this.isAtEntry = false;
      for (let newer = 0; newer < i; newer++) this.isAtRun[newer] = false;
      this.isValid = true;
      this.keyBytes = run.bytes;
      this.keyStart = run.keyStart;
      this.keyEnd = run.keyEnd;
    }
  }

  private compare(run: RunCursor): number {
    const { keyBytes, keyStart, keyEnd } = this;
    return compareByteRanges(run.bytes, run.keyStart, run.keyEnd, keyBytes, keyStart, keyEnd);
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);
const NO_RUNS: RunCursor[] = [];
