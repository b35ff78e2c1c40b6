import {
  BATCH_DELETED,
  type Cursor,
  type SeekMode,
  type TreeId,
  type WalWriter,
} from '../../src/storage/index.ts';
import type { WriteFile, WriteSpill } from '../../src/txn/index.ts';

/** A temporary file in memory. */
export class MemoryFile implements WriteFile {
  bytes = new Uint8Array(1024);
  length = 0;
  isClosed = false;

  write(bytes: Uint8Array, start: number, end: number): number {
    const position = this.length;
    this.length += end - start;
    if (this.length > this.bytes.length) {
      const grown = new Uint8Array(2 * this.length);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes.set(bytes.subarray(start, end), position);
    return position;
  }

  read(position: number, length: number, target: Uint8Array, at: number): void {
    if (this.isClosed) throw new Error('the file is closed');
    target.set(this.bytes.subarray(position, position + length), at);
  }

  close(): void {
    if (this.isClosed) throw new Error('the file is closed twice');
    this.isClosed = true;
  }
}

/** A record as a recovery would see it. */
type Record =
  | { readonly kind: 'put'; xid: number; tree: number; key: string; value: string }
  | { readonly kind: 'delete'; xid: number; tree: number; key: string }
  | { readonly kind: 'createTree'; xid: number; tree: number };

/** A log that remembers its records, and redoes them. */
export class RecordedLog {
  readonly records: Record[] = [];
  batchSize = 0;
  private xid = 0;
  private tree = 0;

  putRange(
    xid: number,
    tree: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.noBatch();
    this.add(xid, tree, key, keyStart, keyEnd, value, valueStart, valueEnd);
  }

  deleteRange(xid: number, tree: number, key: Uint8Array, start: number, end: number): void {
    this.noBatch();
    this.records.push({ kind: 'delete', xid, tree, key: text(key, start, end) });
  }

  createTree(xid: number, tree: number): void {
    this.noBatch();
    this.records.push({ kind: 'createTree', xid, tree });
  }

  abort(): void {}

  beginBatch(xid: number, tree: number): void {
    this.noBatch();
    this.xid = xid;
    this.tree = tree;
    this.batchSize = 12;
  }

  batchEntry(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.add(this.xid, this.tree, key, keyStart, keyEnd, value, valueStart, valueEnd);
    this.batchSize += 8 + keyEnd - keyStart + valueEnd - valueStart;
  }

  batchDeletion(key: Uint8Array, start: number, end: number): void {
    this.records.push({
      kind: 'delete',
      xid: this.xid,
      tree: this.tree,
      key: text(key, start, end),
    });
    this.batchSize += 8 + end - start;
  }

  finishBatch(): void {
    if (this.batchSize === 0) throw new Error('no batch is open');
    this.batchSize = 0;
  }

  private readonly blocks: Uint8Array[] = [];

  appendBlock(xid: number, tree: number, count: number, entries: Uint8Array, end: number): number {
    this.noBatch();
    const view = new DataView(entries.buffer, entries.byteOffset);
    let at = 0;
    for (let i = 0; i < count; i++) {
      const keyAt = at + 8;
      const valueAt = keyAt + view.getUint32(at, true);
      const length = view.getUint32(at + 4, true);
      const isDeletion = length === BATCH_DELETED;
      at = valueAt + (isDeletion ? 0 : length);
      if (!isDeletion) this.add(xid, tree, entries, keyAt, valueAt, entries, valueAt, at);
      else {
        this.records.push({ kind: 'delete', xid, tree, key: text(entries, keyAt, valueAt) });
      }
    }
    if (at !== end) throw new Error('a block that is not its entries');
    return this.blocks.push(entries.slice(0, end)) - 1;
  }

  read(position: number, length: number, target: Uint8Array, at: number): void {
    target.set(this.blocks[position]!.subarray(0, length), at);
  }

  /** The entries of a tree that these transactions leave. A put must come behind the tree's making. */
  redo(tree: number, xids: ReadonlySet<number>): Map<string, string> {
    const entries = new Map<string, string>();
    let isThere = false;
    for (const record of this.records) {
      if (record.tree !== tree || !xids.has(record.xid)) continue;
      if (record.kind === 'createTree') {
        if (isThere) throw new Error('the tree is made twice');
        isThere = true;
        continue;
      }
      if (!isThere) throw new Error('the tree is not made yet');
      if (record.kind === 'put') entries.set(record.key, record.value);
      else entries.delete(record.key);
    }
    return entries;
  }

  private add(
    xid: number,
    tree: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.records.push({
      kind: 'put',
      xid,
      tree,
      key: text(key, keyStart, keyEnd),
      value: text(value, valueStart, valueEnd),
    });
  }

  private noBatch(): void {
    if (this.batchSize > 0) throw new Error('a batch is open');
  }
}

/** A place to spill to, in memory. */
export class MemorySpill implements WriteSpill {
  readonly files: MemoryFile[] = [];
  readonly held = new Set<number>();
  readonly recorded = new RecordedLog();
  readonly budget: number;
  readonly engine: WriteSpill['engine'];
  private xid = 100;

  constructor(budget: number) {
    this.budget = budget;
    this.engine = {
      log: this.recorded as unknown as WalWriter,
      nextXid: () => this.xid++,
      holdLog: (xid) => this.held.add(xid),
      releaseLog: (xid) => this.held.delete(xid),
    };
  }

  createFile = (): WriteFile => {
    const file = new MemoryFile();
    this.files.push(file);
    return file;
  };

  get openFileCount(): number {
    return this.files.filter((file) => !file.isClosed).length;
  }
}

/** Entries that are committed. */
export class MapCursor implements Cursor {
  keyBytes = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;
  valueBytes = new Uint8Array(0);
  valueStart = 0;
  valueEnd = 0;
  rowLsn = 1;
  private readonly entries: readonly (readonly [string, string])[];
  private at = -1;

  constructor(entries: ReadonlyMap<string, string>) {
    this.entries = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  seek(key: Uint8Array, keyEnd: number, mode: SeekMode): boolean {
    const wanted = text(key, 0, keyEnd);
    const { entries } = this;
    let from = 0;
    let to = entries.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (entries[middle]![0] < wanted) from = middle + 1;
      else to = middle;
    }
    const isThere = entries[from]?.[0] === wanted;
    if (mode === 'ge') return this.stand(from);
    if (mode === 'gt') return this.stand(isThere ? from + 1 : from);
    if (mode === 'lt') return this.stand(from - 1);
    return this.stand(isThere ? from : from - 1);
  }
  first = (): boolean => this.stand(0);
  last = (): boolean => this.stand(this.entries.length - 1);
  next = (): boolean => this.stand(this.at + 1);
  prev = (): boolean => this.stand(this.at - 1);
  refresh(): void {}
  reset(_tree: TreeId, _snapshot: number): void {}

  private stand(at: number): boolean {
    this.at = at;
    const entry = this.entries[at];
    if (entry === undefined) return false;
    this.keyBytes = bytesOf(entry[0]);
    this.keyEnd = this.keyBytes.length;
    this.valueBytes = bytesOf(entry[1]);
    this.valueEnd = this.valueBytes.length;
    return true;
  }
}

export function bytesOf(value: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(value, 'latin1'));
}

export function text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString('latin1');
}
