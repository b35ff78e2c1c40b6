import { compareByteRanges } from '../base/index.ts';
import type { Cursor, LeafRun, PageCursor, SeekMode, TreeId } from '../storage/index.ts';
import { copyOfKey } from './read-set.ts';
import type { SerializableReads } from './serializable-reads.ts';

/** A cursor of a SERIALIZABLE transaction, which takes down the key ranges that are read through it.
 *
 * A search and the steps after it cover one range: from the key that was looked for to where the cursor
 * has come, or to the end of the tree. The entry that it stands on belongs to the range when its value
 * is asked for: who looks at the key alone wants to know whether it lies behind what he looks for, and
 * then he has learnt only that there is nothing before it. Who knows up to where he would look says so
 * (`limit`), and what lies behind is left out. */
export class WatchedCursor implements Cursor {
  readonly base: Cursor;
  private readonly reads: SerializableReads;
  private tree: TreeId;
  /** A range is under way. */
  private isReading = false;
  private isForward = true;
  /** Where the range begins, in the direction of the steps; null at the end of the tree. */
  private edge: Uint8Array | null = NOTHING;
  /** Where the scan would end; null for the end of the tree. */
  private limitKey: Uint8Array | null = null;
  /** Key of the entry that the cursor stands on, if it does, and whether that was read. */
  private readonly place: Place = { bytes: new Uint8Array(64), length: 0 };
  private isOnEntry = false;
  private isEntryRead = false;

  constructor(base: Cursor, tree: TreeId, reads: SerializableReads) {
    this.base = base;
    this.tree = tree;
    this.reads = reads;
    reads.open.add(this);
  }

  /** Takes down what has been read, and watches no more. */
  close(): void {
    this.note();
    this.isReading = false;
    this.reads.open.delete(this);
  }

  /** Takes down what has been read up to now. */
  note(): void {
    if (!this.isReading) return;
    if (this.isForward) this.reads.set.add(this.tree, this.edge!, this.forwardEnd());
    else this.reads.set.add(this.tree, this.backwardEnd(), this.edge);
  }

  /** The scan does not care for keys at and behind bytes[start, end), going forward; for keys before it,
   * going backward. To be said after a search. */
  limit(bytes: Uint8Array, start: number, end: number): void {
    this.limitKey = bytes.slice(start, end);
  }

  seek(key: Uint8Array, keyEnd: number, mode: SeekMode): boolean {
    const isBehind = mode === 'gt' || mode === 'le';
    this.begin(mode === 'ge' || mode === 'gt', copyOfKey(key, keyEnd, isBehind));
    return this.stand(this.base.seek(key, keyEnd, mode));
  }

  first(): boolean {
    this.begin(true, NOTHING);
    return this.stand(this.base.first());
  }

  last(): boolean {
    this.begin(false, null);
    return this.stand(this.base.last());
  }

  next(): boolean {
    if (!this.isForward) this.begin(true, copyOfKey(this.place.bytes, this.place.length, false));
    return this.stand(this.base.next());
  }

  prev(): boolean {
    if (this.isForward) this.begin(false, copyOfKey(this.place.bytes, this.place.length, true));
    return this.stand(this.base.prev());
  }

  refresh(): void {
    this.base.refresh();
  }

  reset(tree: TreeId, snapshot: number): void {
    this.note();
    this.isReading = false;
    this.base.reset(tree, snapshot);
    this.tree = tree;
  }

  get keyBytes(): Uint8Array {
    return this.base.keyBytes;
  }
  get keyStart(): number {
    return this.base.keyStart;
  }
  get keyEnd(): number {
    return this.base.keyEnd;
  }
  get valueBytes(): Uint8Array {
    this.isEntryRead = true;
    return this.base.valueBytes;
  }
  get valueStart(): number {
    return this.base.valueStart;
  }
  get valueEnd(): number {
    return this.base.valueEnd;
  }
  get rowLsn(): number {
    return this.base.rowLsn;
  }

  private begin(isForward: boolean, edge: Uint8Array | null): void {
    this.note();
    this.isReading = true;
    this.isForward = isForward;
    this.edge = edge;
    this.limitKey = null;
  }

  private stand(found: boolean): boolean {
    this.isOnEntry = found;
    this.isEntryRead = false;
    if (found) this.rememberPlace();
    return found;
  }

  /** The base has gone on within a leaf, and all up to where it stands was read. */
  protected standRead(): void {
    this.isEntryRead = true;
    this.rememberPlace();
  }

  /** The bytes of a page may be others when the range is taken down. */
  private rememberPlace(): void {
    const { base, place } = this;
    const { keyBytes, keyStart } = base;
    const length = base.keyEnd - keyStart;
    if (place.bytes.length < length) place.bytes = new Uint8Array(length * 2);
    const { bytes } = place;
    for (let i = 0; i < length; i++) bytes[i] = keyBytes[keyStart + i]!;
    place.length = length;
  }

  private forwardEnd(): Uint8Array | null {
    const { place, limitKey } = this;
    if (!this.isOnEntry) return limitKey;
    if (limitKey !== null && comparePlace(place, limitKey) >= 0) return limitKey;
    return copyOfKey(place.bytes, place.length, this.isEntryRead);
  }

  private backwardEnd(): Uint8Array {
    const { place, limitKey } = this;
    if (!this.isOnEntry) return limitKey ?? NOTHING;
    if (limitKey !== null && comparePlace(place, limitKey) < 0) return limitKey;
    return copyOfKey(place.bytes, place.length, !this.isEntryRead);
  }
}

/** The same over committed pages alone, which hands out whole leaves. */
export class WatchedPageCursor extends WatchedCursor implements PageCursor {
  private readonly pages: PageCursor;

  constructor(base: PageCursor, tree: TreeId, reads: SerializableReads) {
    super(base, tree, reads);
    this.pages = base;
  }

  leafRun(max: number): LeafRun | null {
    const run = this.pages.leafRun(max);
    if (run !== null) this.standRead();
    return run;
  }
}

interface Place {
  bytes: Uint8Array;
  length: number;
}

const NOTHING = new Uint8Array(0);

function comparePlace({ bytes, length }: Place, key: Uint8Array): number {
  return compareByteRanges(bytes, 0, length, key, 0, key.length);
}
