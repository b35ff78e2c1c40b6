import { compareByteRanges } from '../base/index.ts';
import type { SeekMode } from '../storage/index.ts';
import { ScatteredCursor } from './scattered-cursor.ts';
import { type RolledBack, RunCursor } from './write-run.ts';
import { visibleVersion, type WriteEntry, type WriteSet, type WriteTree } from './write-set.ts';

/** Walks the keys of one source in either direction, with the versions that the source has of them. */
export interface KeyCursor {
  /** What it walks. */
  readonly source: object;
  /** Whether it stands on a key; `bytes` has it, and the version that `findVersion` found. */
  readonly isValid: boolean;
  readonly bytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** The version has no value. */
  readonly isDeletion: boolean;
  first(): void;
  last(): void;
  /** To the first key at or behind a key (`exclusive`: behind it), or to the last at or before it. */
  seek(key: Uint8Array, start: number, end: number, isForward: boolean, exclusive: boolean): void;
  next(): void;
  prev(): void;
  /** Finds the newest version that a command before `command` made and that was not rolled back. */
  findVersion(command: number, rolledBack: RolledBack): boolean;
}

/** Walks the keys that a transaction changed in one tree, in all the places where it keeps versions (W1).
 *
 * Each source has a position, and the cursor stands on the least key among them (the greatest going
 * backward). The sources are asked for a version from the newest to the oldest, so the first that is
 * found is the newest. */
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
  /** All other sources, newest first; so many of them are newer than what is in memory. */
  private others: readonly KeyCursor[] = NO_CURSORS;
  private newerCount = 0;
  /** That of the tree when `others` were found; -1 before. */
  private sourcesShape = -1;
  /** For each of the others, whether it stands on the key. */
  private isAtOther: boolean[] = [];

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
    for (const other of this.others) other.seek(key, 0, keyEnd, this.isForward, exclusive);
    this.pick();
  }

  first(): void {
    this.begin(true);
    this.run = 0;
    this.slot = 0;
    this.takeEntry();
    for (const other of this.others) other.first();
    this.pick();
  }

  last(): void {
    this.begin(false);
    const { runs } = this.tree;
    this.run = runs.length - 1;
    this.slot = this.run < 0 ? -1 : runs[this.run]!.length - 1;
    this.takeEntry();
    for (const other of this.others) other.last();
    this.pick();
  }

  /** To the next key in the direction of the last seek. */
  step(): void {
    if (this.isAtEntry) {
      this.slot += this.isForward ? 1 : -1;
      this.takeEntry();
    }
    const { others } = this;
    for (let i = 0; i < others.length; i++) {
      if (!this.isAtOther[i]) continue;
      if (this.isForward) others[i]!.next();
      else others[i]!.prev();
    }
    this.pick();
  }

  /** Finds the newest version of the key that commands before `command` made; false when there is none. */
  resolve(command: number): boolean {
    const { newerCount } = this;
    if (this.resolveIn(0, newerCount, command)) return true;
    if (this.isAtEntry) {
      const version = visibleVersion(this.entry!, command);
      if (version !== null) {
        this.valueBytes = version.bytes;
        this.valueStart = version.start;
        this.valueEnd = version.end;
        return true;
      }
    }
    return this.resolveIn(newerCount, this.others.length, command);
  }

  private resolveIn(from: number, to: number, command: number): boolean {
    for (let i = from; i < to; i++) {
      if (!this.isAtOther[i]) continue;
      const other = this.others[i]!;
      if (!other.findVersion(command, this.writes)) continue;
      this.valueBytes = other.isDeletion ? null : other.bytes;
      this.valueStart = other.valueStart;
      this.valueEnd = other.valueEnd;
      return true;
    }
    return false;
  }

  private begin(isForward: boolean): void {
    const { tree, others: known } = this;
    this.isForward = isForward;
    tree.putInOrder();
    this.shape = tree.shape;
    if (this.sourcesShape === tree.sourcesShape) return;
    this.sourcesShape = tree.sourcesShape;
    const others: KeyCursor[] = [];
    const add = (source: object, make: () => KeyCursor) =>
      others.push(known.find((cursor) => cursor.source === source) ?? make());
    const { scattered, spilled } = tree;
    if (scattered !== null) {
      for (const level of scattered.levels.toReversed()) {
        add(level, () => new ScatteredCursor(scattered, level));
      }
    }
    this.newerCount = others.length;
    for (const run of spilled.toReversed()) add(run, () => new RunCursor(run));
    this.others = others;
    this.isAtOther = others.map(() => false);
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
    const { entry, others, isAtOther } = this;
    this.isAtEntry = entry !== null;
    this.isValid = entry !== null;
    if (entry !== null) {
      this.keyBytes = entry.keyBytes;
      this.keyStart = entry.keyStart;
      this.keyEnd = entry.keyEnd;
    }
    for (let i = 0; i < others.length; i++) {
      const other = others[i]!;
      isAtOther[i] = other.isValid;
      if (!other.isValid) continue;
      if (this.isValid) {
        const order = this.compare(other);
        if (this.isForward ? order > 0 : order < 0) {
          isAtOther[i] = false;
          continue;
        }
        if (order === 0) continue;
      }
      this.isAtEntry = false;
      for (let before = 0; before < i; before++) isAtOther[before] = false;
      this.isValid = true;
      this.keyBytes = other.bytes;
      this.keyStart = other.keyStart;
      this.keyEnd = other.keyEnd;
    }
  }

  private compare(other: KeyCursor): number {
    const { keyBytes, keyStart, keyEnd } = this;
    return compareByteRanges(other.bytes, other.keyStart, other.keyEnd, keyBytes, keyStart, keyEnd);
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);
const NO_CURSORS: readonly KeyCursor[] = [];
