import { compareByteRanges } from '../base/index.ts';
import { pgError } from '../errors/index.ts';
import type { Cursor, SeekMode, TreeId } from '../storage/index.ts';
import { WriteCursor } from './write-cursor.ts';
import type { WriteSet, WriteTree } from './write-set.ts';

/** Cursor over the committed pages with a transaction's own changes laid over them.
 *
 * Two positions move in step: the base cursor's, and one in the write set. The current entry is the
 * lesser key of the two (the greater going backward); at equal keys the write set's version hides
 * the page's. Entries that the command must not see, and deletions, are passed over.
 *
 * Where the snapshot shows a row that others have deleted since and whose key the transaction has given to
 * a row of its own, there would be two rows at one key, and the cursor fails with 40001.
 */
export class OverlayCursor implements Cursor {
  keyBytes: Uint8Array = NOTHING;
  keyStart = 0;
  keyEnd = 0;
  valueBytes: Uint8Array = NOTHING;
  valueStart = 0;
  valueEnd = 0;
  rowLsn = 0;

  /** The cursor on the pages, to be taken back when this one is closed. */
  readonly base: Cursor;
  private readonly writes: WriteSet;
  private readonly command: number;
  private own: WriteCursor;
  private written: WriteTree;
  private baseValid = false;
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
    this.written = writes.tree(tree);
    this.own = new WriteCursor(writes, this.written);
  }

  reset(tree: TreeId, snapshot: number): void {
    this.base.reset(tree, snapshot);
    this.written = this.writes.tree(tree);
    this.own = new WriteCursor(this.writes, this.written);
    this.baseValid = false;
  }

  seek(key: Uint8Array, keyEnd: number, mode: SeekMode): boolean {
    this.forward = mode === 'ge' || mode === 'gt';
    this.baseValid = this.base.seek(key, keyEnd, mode);
    this.own.seek(key, keyEnd, mode);
    return this.settle();
  }

  first(): boolean {
    this.forward = true;
    this.baseValid = this.base.first();
    this.own.first();
    return this.settle();
  }

  last(): boolean {
    this.forward = false;
    this.baseValid = this.base.last();
    this.own.last();
    return this.settle();
  }

  next(): boolean {
    if (!this.forward) return this.seekAgain('gt');
    return this.advance();
  }

  prev(): boolean {
    if (this.forward) return this.seekAgain('lt');
    return this.advance();
  }

  refresh(): void {
    this.seekAgain(this.forward ? 'ge' : 'le');
  }

  private seekAgain(mode: SeekMode): boolean {
    const key = this.place.slice(0, this.placeEnd);
    return this.seek(key, key.length, mode);
  }

  /** Steps past the current entry on whichever sides stand on it. */
  private advance(): boolean {
    const { own } = this;
    if (own.isStale) return this.seekAgain(this.forward ? 'gt' : 'lt');
    const both = own.isValid && this.baseValid && this.compareSides() === 0;
    if (this.onOwn || both) own.step();
    if (!this.onOwn || both) this.stepBase();
    return this.settle();
  }

  /** Moves past hidden entries and exposes the current one. */
  private settle(): boolean {
    const { own } = this;
    for (;;) {
      if (!own.isValid && !this.baseValid) return false;
      const order = !own.isValid ? 1 : !this.baseValid ? -1 : this.compareSides();
      const ownFirst = this.forward ? order <= 0 : own.isValid && (!this.baseValid || order >= 0);
      if (!ownFirst) {
        this.exposeBase();
        return true;
      }
      if (!own.resolve(this.command)) {
        own.step();
        continue;
      }
      const hidesBase = this.baseValid && order === 0;
      if (hidesBase && this.written.isTwofold(own.keyBytes, own.keyStart, own.keyEnd)) {
        throw pgError(
          'serialization_failure',
          'could not serialize access due to concurrent delete',
        );
      }
      if (own.valueBytes === null) {
        own.step();
        if (hidesBase) this.stepBase();
        continue;
      }
      this.onOwn = true;
      this.keyBytes = own.keyBytes;
      this.keyStart = own.keyStart;
      this.keyEnd = own.keyEnd;
      this.valueBytes = own.valueBytes;
      this.valueStart = own.valueStart;
      this.valueEnd = own.valueEnd;
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
    const { own, base } = this;
    return compareByteRanges(
      own.keyBytes,
      own.keyStart,
      own.keyEnd,
      base.keyBytes,
      base.keyStart,
      base.keyEnd,
    );
  }

  private stepBase(): void {
    this.baseValid = this.forward ? this.base.next() : this.base.prev();
  }
}

const NOTHING = new Uint8Array(0);
