import { compareByteRanges } from '../base/index.ts';
import type { Cursor, SeekMode, TreeId } from '../storage/index.ts';
import { visibleVersion, type WriteEntry, type WriteSet, type WriteTree } from './write-set.ts';

/** Cursor over the committed pages with a transaction's own changes laid over them.
 *
 * Two positions move in step: the base cursor's, and one in the write tree. The current entry is the
 * lesser key of the two (the greater going backward); at equal keys the write set's version hides
 * the page's. Entries that the command must not see, and deletions, are passed over.
 */
export class OverlayCursor implements Cursor {
  keyBytes: Uint8Array = NOTHING;
  keyStart = 0;
  keyEnd = 0;
  valueBytes: Uint8Array = NOTHING;
  valueStart = 0;
  valueEnd = 0;
  rowLsn = 0;

  private readonly base: Cursor;
  private readonly writes: WriteSet;
  private readonly command: number;
  private tree: WriteTree;
  private shape = 0;
  private run = 0;
  private slot = 0;
  private baseValid = false;
  private own: WriteEntry | null = null;
  private forward = true;
  private onOwn = false;
  /** Copy of the current key, to find the place again after other commands ran. */
  private place = new Uint8Array(64);
  private placeEnd = 0;

  /** `command` sees the versions of commands before it. */
  constructor(base: Cursor, writes: WriteSet, tree: TreeId, command: number) {
    this.base = base;
    this.writes = writes;
    this.command = command;
    this.tree = writes.tree(tree);
  }

  reset(tree: TreeId, snapshot: number): void {
    this.base.reset(tree, snapshot);
    this.tree = this.writes.tree(tree);
    this.baseValid = false;
    this.own = null;
  }

  seek(key: Uint8Array, keyEnd: number, mode: SeekMode): boolean {
    this.forward = mode === 'ge' || mode === 'gt';
    this.baseValid = this.base.seek(key, keyEnd, mode);
    this.seekOwn(key, keyEnd, mode);
    return this.settle();
  }

  first(): boolean {
    this.forward = true;
    this.baseValid = this.base.first();
    this.shape = this.tree.shape;
    this.run = 0;
    this.slot = 0;
    this.takeOwn();
    return this.settle();
  }

  last(): boolean {
    this.forward = false;
    this.baseValid = this.base.last();
    this.shape = this.tree.shape;
    this.run = this.tree.runs.length - 1;
    this.slot = this.run < 0 ? -1 : this.tree.runs[this.run]!.length - 1;
    this.takeOwn();
    return this.settle();
  }

  next(): boolean {
    if (!this.forward) return this.turn('gt');
    return this.advance();
  }

  prev(): boolean {
    if (this.forward) return this.turn('lt');
    return this.advance();
  }

  refresh(): void {
    this.seekAgain(this.forward ? 'ge' : 'le');
  }

  private turn(mode: SeekMode): boolean {
    return this.seekAgain(mode);
  }

  private seekAgain(mode: SeekMode): boolean {
    const key = this.place.slice(0, this.placeEnd);
    return this.seek(key, key.length, mode);
  }

  /** Steps past the current entry on whichever sides stand on it. */
  private advance(): boolean {
    if (this.tree.shape !== this.shape) return this.seekAgain(this.forward ? 'gt' : 'lt');
    const both = this.own !== null && this.baseValid && this.compareSides() === 0;
    if (this.onOwn || both) this.stepOwn();
    if (!this.onOwn || both) this.stepBase();
    return this.settle();
  }

  /** Moves past hidden entries and exposes the current one. */
  private settle(): boolean {
    for (;;) {
      if (this.own === null && !this.baseValid) return false;
      const order = this.own === null ? 1 : !this.baseValid ? -1 : this.compareSides();
      const ownFirst = this.forward
        ? order <= 0
        : this.own !== null && (!this.baseValid || order >= 0);
      if (!ownFirst) {
        this.exposeBase();
        return true;
      }
      const version = visibleVersion(this.own!, this.command);
      if (version === null) {
        this.stepOwn();
        continue;
      }
      if (version.bytes === null) {
        const hidesBase = this.baseValid && order === 0;
        this.stepOwn();
        if (hidesBase) this.stepBase();
        continue;
      }
      this.onOwn = true;
      this.keyBytes = this.own!.keyBytes;
      this.keyStart = this.own!.keyStart;
      this.keyEnd = this.own!.keyEnd;
      this.valueBytes = version.bytes;
      this.valueStart = version.start;
      this.valueEnd = version.end;
      this.rowLsn = 0;
      this.rememberPlace();
      return true;
    }
  }

  private exposeBase(): void {
    const base = this.base;
    this.onOwn = false;
    this.keyBytes = base.keyBytes;
    this.keyStart = base.keyStart;
    this.keyEnd = base.keyEnd;
    this.valueBytes = base.valueBytes;
    this.valueStart = base.valueStart;
    this.valueEnd = base.valueEnd;
    this.rowLsn = base.rowLsn;
    this.rememberPlace();
  }

  private rememberPlace(): void {
    const length = this.keyEnd - this.keyStart;
    if (this.place.length < length) this.place = new Uint8Array(length * 2);
    const place = this.place;
    const from = this.keyBytes;
    for (let i = 0; i < length; i++) place[i] = from[this.keyStart + i]!;
    this.placeEnd = length;
  }

  private compareSides(): number {
    const own = this.own!;
    const base = this.base;
    return compareByteRanges(
      own.keyBytes,
      own.keyStart,
      own.keyEnd,
      base.keyBytes,
      base.keyStart,
      base.keyEnd,
    );
  }

  private seekOwn(key: Uint8Array, keyEnd: number, mode: SeekMode): void {
    const found = this.tree.locate(key, 0, keyEnd);
    this.shape = this.tree.shape;
    this.run = this.tree.run;
    this.slot = this.tree.slot;
    if (mode === 'gt' && found) this.slot++;
    else if (mode === 'lt' || (mode === 'le' && !found)) this.slot--;
    this.takeOwn();
  }

  private stepOwn(): void {
    this.slot += this.forward ? 1 : -1;
    this.takeOwn();
  }

  private stepBase(): void {
    this.baseValid = this.forward ? this.base.next() : this.base.prev();
  }

  /** Loads `own` from run and slot, which may have stepped out of the run on either side. */
  private takeOwn(): void {
    const runs = this.tree.runs;
    let run = runs[this.run];
    if (run !== undefined && this.slot >= run.length) {
      run = runs[++this.run];
      this.slot = 0;
    } else if (run !== undefined && this.slot < 0) {
      run = runs[--this.run];
      this.slot = run === undefined ? -1 : run.length - 1;
    }
    this.own = run?.[this.slot] ?? null;
  }
}

const NOTHING = new Uint8Array(0);
