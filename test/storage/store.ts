import { openMemoryDirectory } from '../../src/io/index.ts';
import { SharedMemory, SnapshotSlotPool, Snapshots } from '../../src/shm/index.ts';
import {
  BTreeWriter,
  type CheckReport,
  checkStore,
  PageTreeCursor,
  TreeLookup,
  TreeRoots,
} from '../../src/storage/btree/index.ts';
import type { TreeId } from '../../src/storage/index.ts';
import {
  formatDataFile,
  type PageFiles,
  PageReader,
  PageWriter,
} from '../../src/storage/pager/index.ts';

/** A store without a log: writer and one reader in the same thread, files in memory. */
export class Store {
  readonly memory: SharedMemory;
  readonly files: PageFiles;
  readonly pager: PageWriter;
  readonly trees: BTreeWriter;
  readonly reader: PageReader;
  readonly roots: TreeRoots;
  readonly snapshots: Snapshots;
  readonly slots: SnapshotSlotPool;
  lsn = 1;

  constructor(frameCount = 1024, existing?: { files: PageFiles; lsn: number }) {
    this.memory = SharedMemory.create({
      frameCount,
      threadCount: 4,
      snapshotSlotCount: 64,
      pageCountMax: 1 << 18,
      spillSlotCountMax: 1 << 16,
    });
    const directory = openMemoryDirectory();
    this.files = existing?.files ?? {
      data: directory.open('data', 'create'),
      spill: directory.open('spill', 'create'),
    };
    if (existing === undefined) formatDataFile(this.files.data, this.lsn);
    else this.lsn = existing.lsn;
    this.pager = new PageWriter(this.memory, this.files);
    this.pager.open(this.lsn);
    this.trees = new BTreeWriter(this.pager);
    this.reader = new PageReader(this.memory, 2, this.files);
    this.roots = new TreeRoots(this.reader);
    this.snapshots = new Snapshots(this.memory);
    this.slots = new SnapshotSlotPool(this.memory);
  }

  /** Runs `change` as one commit group and returns its LSN. */
  group(change: (trees: BTreeWriter, lsn: number) => void): number {
    this.lsn += 8;
    this.pager.beginGroup(this.lsn);
    change(this.trees, this.lsn);
    this.pager.publish();
    return this.lsn;
  }

  put(tree: TreeId, key: Uint8Array, value: Uint8Array, rowLsn = this.lsn): void {
    this.trees.put(tree, key, 0, key.length, value, 0, value.length, rowLsn);
  }

  /** Runs `read` in an epoch. */
  reading<T>(read: () => T): T {
    this.reader.enter();
    try {
      return read();
    } finally {
      this.reader.leave();
    }
  }

  cursor(tree: TreeId, snapshot = this.snapshots.current()): PageTreeCursor {
    const cursor = new PageTreeCursor(this.reader, this.roots);
    cursor.reset(tree, snapshot);
    return cursor;
  }

  check(snapshot = this.snapshots.current()): CheckReport {
    return checkStore(this.reader, snapshot);
  }

  lookup(): TreeLookup {
    return new TreeLookup(this.reader);
  }
}

export const T1 = 1 as TreeId;
export const T2 = 2 as TreeId;

/** An 8-byte big-endian key, as integer columns have. */
export function intKey(value: number): Uint8Array {
  const key = new Uint8Array(8);
  new DataView(key.buffer).setBigInt64(0, BigInt(value) ^ -0x8000_0000_0000_0000n);
  return key;
}

export function cursorKey(cursor: PageTreeCursor): Uint8Array {
  return cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd);
}

export function cursorValue(cursor: PageTreeCursor): Uint8Array {
  const bytes = cursor.valueBytes;
  return bytes.slice(cursor.valueStart, cursor.valueEnd);
}
