/** Appends records to the log. There is one, on the writer thread.
 *
 * Records gather in a buffer that is reused. `flush` hands them to the system in one write and makes
 * them stable with one sync; whoever appended before may then acknowledge. Before a record is
 * appended, the segments it will lie in exist: a full disk is met there, as an error that leaves the
 * log as it was, and costs one transaction. An error of a write or a sync is never retried: from then
 * on all calls throw the same LogFailure. */

import { assert, crc32 } from '../../base/index.ts';
import { type PgError, pgError } from '../../errors/index.ts';
import type { File } from '../../io/index.ts';
import { KEY_LENGTH_MAX } from '../page/index.ts';
import type { Lsn, TreeId } from '../tree.ts';
import { LogFailure } from './log-failure.ts';
import {
  BATCH_DELETED,
  CRC_OFFSET,
  EPOCH_OFFSET,
  KIND_OFFSET,
  LENGTH_OFFSET,
  LSN_OFFSET,
  PADDING_OFFSET,
  UNSYNCED_MAX,
  UNSYNCED_OFFSET,
  WAL_ALIGNMENT,
  WAL_HEADER_SIZE,
  WAL_RECORD_MAX,
  WalRecordKind,
  writeU48,
  writeU64,
  XID_OFFSET,
} from './record.ts';
import type { SegmentFiller, WalSegments } from './segments.ts';

const BUFFER_SIZE = 256 * 1024;
/** With this much in the buffer it is handed to the system without waiting for a flush. */
const DRAIN_SIZE = 1024 * 1024;
const TREE_ID_SIZE = 8;
const LENGTH_SIZE = 4;
const XID_SIZE = 8;
const TIMESTAMP_SIZE = 8;
const NO_XIDS: readonly number[] = [];
const NO_BYTES = new Uint8Array(0);

/** A sync of the log that another thread does. */
export interface WalSync {
  /** What is stable afterwards. */
  readonly end: Lsn;
  /** Paths of the files to be synced. */
  readonly paths: readonly string[];
}

export class WalWriter {
  readonly #segments: WalSegments;
  readonly #epoch: number;
  #bytes = new Uint8Array(BUFFER_SIZE);
  #view = new DataView(this.#bytes.buffer);
  /** LSN of the first byte of the buffer. */
  #start: number;
  #length = 0;
  #synced: number;
  /** End of the segments that are known to exist. */
  #ensured: number;
  #unsyncedFiles: File[] = [];
  #failure: LogFailure | null = null;

  /** LSN of the last commit record; 0 before the first. */
  lastCommitLsn = 0 as Lsn;
  /** Records so far that drop a tree. */
  dropTreeCount = 0;

  // An open batch record.
  #batchLength = 0;
  #batchXid = 0;
  #batchCount = 0;

  /** `position` is the end of the log, all of which is synced. */
  constructor(segments: WalSegments, position: Lsn, epoch: number) {
    this.#segments = segments;
    this.#epoch = epoch;
    this.#start = position;
    this.#synced = position;
    this.#ensured = position;
  }

  /** End of what was appended: the LSN of the next record. */
  get appendedLsn(): Lsn {
    return (this.#start + this.#length) as Lsn;
  }

  /** All records below it are on stable storage. */
  get syncedLsn(): Lsn {
    return this.#synced as Lsn;
  }

  /** The error after which nothing is written any more. */
  get failure(): LogFailure | null {
    return this.#failure;
  }

  put(xid: number, tree: TreeId, key: Uint8Array, value: Uint8Array): Lsn {
    return this.putRange(xid, tree, key, 0, key.length, value, 0, value.length);
  }

  /** `put` of byte ranges, for callers that would have to allocate views. */
  putRange(
    xid: number,
    tree: TreeId,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): Lsn {
    const keyLength = keyEnd - keyStart;
    const valueLength = valueEnd - valueStart;
    if (keyLength > KEY_LENGTH_MAX) throw tooLong('index row', keyLength, KEY_LENGTH_MAX);
    const at = this.#reserve(TREE_ID_SIZE + LENGTH_SIZE + keyLength + valueLength);
    writeU64(this.#view, at, tree);
    this.#view.setUint32(at + TREE_ID_SIZE, keyLength, true);
    const keyAt = at + TREE_ID_SIZE + LENGTH_SIZE;
    copyRange(this.#bytes, keyAt, key, keyStart, keyEnd);
    copyRange(this.#bytes, keyAt + keyLength, value, valueStart, valueEnd);
    return this.#finish(WalRecordKind.put, xid, keyAt + keyLength + valueLength);
  }

  delete(xid: number, tree: TreeId, key: Uint8Array): Lsn {
    return this.deleteRange(xid, tree, key, 0, key.length);
  }

  deleteRange(xid: number, tree: TreeId, key: Uint8Array, keyStart: number, keyEnd: number): Lsn {
    const at = this.#reserve(TREE_ID_SIZE + keyEnd - keyStart);
    writeU64(this.#view, at, tree);
    copyRange(this.#bytes, at + TREE_ID_SIZE, key, keyStart, keyEnd);
    return this.#finish(WalRecordKind.delete, xid, at + TREE_ID_SIZE + keyEnd - keyStart);
  }

  /** Opens a record of many changes of one tree, best in key order; `batchEntry` and `batchDeletion` add
   * to it and `finishBatch` closes it. Any other record, a write or a flush in between abandons it. */
  beginBatch(xid: number, tree: TreeId): void {
    const at = this.#reserve(TREE_ID_SIZE + LENGTH_SIZE);
    writeU64(this.#view, at, tree);
    this.#batchXid = xid;
    this.#batchCount = 0;
    this.#batchLength = TREE_ID_SIZE + LENGTH_SIZE;
  }

  batchEntry(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const valueLength = valueEnd - valueStart;
    const valueAt = this.#batchKey(key, keyStart, keyEnd, valueLength, valueLength);
    copyRange(this.#bytes, valueAt, value, valueStart, valueEnd);
  }

  batchDeletion(key: Uint8Array, keyStart: number, keyEnd: number): void {
    this.#batchKey(key, keyStart, keyEnd, BATCH_DELETED, 0);
  }

  /** Adds an entry to the open batch but for its value, and returns where that goes. */
  #batchKey(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    lengthField: number,
    valueLength: number,
  ): number {
    assert(this.#batchLength > 0, 'a batch is open');
    const keyLength = keyEnd - keyStart;
    if (keyLength > KEY_LENGTH_MAX) {
      this.#batchLength = 0;
      throw tooLong('index row', keyLength, KEY_LENGTH_MAX);
    }
    const length = this.#batchLength + 2 * LENGTH_SIZE + keyLength + valueLength;
    const at = this.#reserve(length) + this.#batchLength;
    this.#view.setUint32(at, keyLength, true);
    this.#view.setUint32(at + LENGTH_SIZE, lengthField, true);
    const keyAt = at + 2 * LENGTH_SIZE;
    copyRange(this.#bytes, keyAt, key, keyStart, keyEnd);
    this.#batchLength = length;
    this.#batchCount++;
    return keyAt + keyLength;
  }

  /** Bytes of the open batch, so that callers close it at a size they like. */
  get batchSize(): number {
    return this.#batchLength;
  }

  finishBatch(): Lsn {
    const at = this.#length + WAL_HEADER_SIZE;
    assert(this.#batchLength > 0, 'a batch is open');
    this.#view.setUint32(at + TREE_ID_SIZE, this.#batchCount, true);
    return this.#finish(WalRecordKind.batch, this.#batchXid, at + this.#batchLength);
  }

  /** Appends a batch record of `count` entries that are laid out as in the record (record.ts).
   * Returns where in the log they lie, for `read`. */
  appendBlock(xid: number, tree: TreeId, count: number, entries: Uint8Array, end: number): number {
    const at = this.#reserve(TREE_ID_SIZE + LENGTH_SIZE + end);
    writeU64(this.#view, at, tree);
    this.#view.setUint32(at + TREE_ID_SIZE, count, true);
    const entriesAt = at + TREE_ID_SIZE + LENGTH_SIZE;
    copyRange(this.#bytes, entriesAt, entries, 0, end);
    const position = this.#start + entriesAt;
    this.#finish(WalRecordKind.batch, xid, entriesAt + end);
    return position;
  }

  /** Reads back what was appended, and whose segments are held (StorageEngine.holdLog). */
  read(position: number, length: number, target: Uint8Array, at: number): void {
    if (position >= this.#start) {
      copyRange(target, at, this.#bytes, position - this.#start, position - this.#start + length);
      return;
    }
    const { segmentSize } = this.#segments;
    for (let done = 0; done < length; ) {
      const index = this.#segments.indexOf(position + done);
      const offset = position + done - index * segmentSize;
      const part = Math.min(segmentSize - offset, length - done);
      const file = this.#segments.file(index);
      assert(file !== null, 'a segment that is held exists');
      file.readAt(target.subarray(at + done, at + done + part), offset);
      done += part;
    }
  }

  createTree(xid: number, tree: TreeId): Lsn {
    return this.#treeRecord(WalRecordKind.createTree, xid, tree);
  }

  dropTree(xid: number, tree: TreeId): Lsn {
    this.dropTreeCount++;
    return this.#treeRecord(WalRecordKind.dropTree, xid, tree);
  }

  /** Makes the records of `xid` and of the listed sub-transactions count, once it is synced. Records of
   * sub-transactions that are not listed were rolled back. */
  commit(
    xid: number,
    timestampMs: number,
    subXids: readonly number[] = NO_XIDS,
    payload: Uint8Array = NO_BYTES,
  ): Lsn {
    const xidsSize = subXids.length * XID_SIZE;
    const at = this.#reserve(TIMESTAMP_SIZE + LENGTH_SIZE + xidsSize + payload.length);
    this.#view.setFloat64(at, timestampMs, true);
    this.#view.setUint32(at + TIMESTAMP_SIZE, subXids.length, true);
    let end = at + TIMESTAMP_SIZE + LENGTH_SIZE;
    for (let i = 0; i < subXids.length; i++) {
      writeU64(this.#view, end, subXids[i]!);
      end += XID_SIZE;
    }
    copyRange(this.#bytes, end, payload, 0, payload.length);
    this.lastCommitLsn = this.#finish(WalRecordKind.commit, xid, end + payload.length);
    return this.lastCommitLsn;
  }

  abort(xid: number): Lsn {
    return this.#finish(WalRecordKind.abort, xid, this.#reserve(0));
  }

  /** A record that says nothing and gives a group of changes that are not logged a place in the log. */
  mark(): Lsn {
    return this.#finish(WalRecordKind.mark, 0, this.#reserve(0));
  }

  /** Hands the buffer to the system, without making it stable. */
  write(): void {
    this.#throwIfFailed();
    this.#batchLength = 0;
    if (this.#length === 0) return;
    try {
      this.#writeOut();
    } catch (thrown) {
      throw this.#fail(thrown);
    }
  }

  /** Makes all that was appended stable: one write, one sync. */
  flush(): void {
    this.write();
    const end = this.#start;
    try {
      for (const file of this.#unsyncedFiles) file.sync();
    } catch (thrown) {
      throw this.#fail(thrown);
    }
    this.#unsyncedFiles.length = 0;
    this.#synced = end;
  }

  /** Writes all that was appended, for a sync by another thread. `endSync` is called with the result when
   * every file named has been synced. */
  beginSync(): WalSync {
    this.write();
    return { end: this.#start as Lsn, paths: this.#unsyncedFiles.map((file) => file.path) };
  }

  /** What `beginSync` wrote is on stable storage. */
  endSync(sync: WalSync): void {
    if (sync.end <= this.#synced) return;
    this.#synced = sync.end;
    if (this.#start === sync.end) this.#unsyncedFiles.length = 0;
  }

  /** Leaves making segments ahead of need to somebody else. */
  fillSegmentsWith(filler: SegmentFiller): void {
    this.#segments.filler = filler;
  }

  /** Does a part of making the next segment ahead of need; true while there is more to do. */
  prepareNextSegment(): boolean {
    this.#throwIfFailed();
    try {
      return !this.#segments.prepareAhead(this.#segments.indexOf(this.appendedLsn) + 1);
    } catch (thrown) {
      throw thrown instanceof LogFailure ? this.#fail(thrown) : thrown;
    }
  }

  /** Frees the segments below an LSN that no recovery will need. */
  recycle(before: Lsn, spares: number): void {
    this.#throwIfFailed();
    try {
      this.#segments.recycle(Math.min(before, this.#synced), this.appendedLsn, spares);
    } catch (thrown) {
      throw this.#fail(thrown);
    }
  }

  /** Stops all writing, for the failure of something that the log depends on. */
  fail(reason: unknown): LogFailure {
    return this.#fail(reason);
  }

  #treeRecord(kind: WalRecordKind, xid: number, tree: TreeId): Lsn {
    const at = this.#reserve(TREE_ID_SIZE);
    writeU64(this.#view, at, tree);
    return this.#finish(kind, xid, at + TREE_ID_SIZE);
  }

  /** Makes room for a record with such a payload and returns where the payload goes. */
  #reserve(payloadSize: number): number {
    this.#throwIfFailed();
    const size = WAL_HEADER_SIZE + payloadSize + WAL_ALIGNMENT;
    if (size > WAL_RECORD_MAX) {
      this.#batchLength = 0;
      throw tooLong('log record', size, WAL_RECORD_MAX);
    }
    const end = this.#start + this.#length + size;
    if (end > this.#ensured) this.#ensure(end);
    const needed = this.#length + size;
    if (needed > this.#bytes.length) this.#grow(needed);
    return this.#length + WAL_HEADER_SIZE;
  }

  #finish(kind: WalRecordKind, xid: number, payloadEnd: number): Lsn {
    this.#batchLength = 0;
    const start = this.#length;
    const end = (payloadEnd + (WAL_ALIGNMENT - 1)) & -WAL_ALIGNMENT;
    const bytes = this.#bytes;
    const view = this.#view;
    for (let i = payloadEnd; i < end; i++) bytes[i] = 0;
    const lsn = this.#start + start;
    view.setUint32(start + LENGTH_OFFSET, end - start, true);
    writeU64(view, start + LSN_OFFSET, lsn);
    writeU48(view, start + XID_OFFSET, xid);
    bytes[start + KIND_OFFSET] = kind;
    bytes[start + PADDING_OFFSET] = end - payloadEnd;
    view.setUint32(start + EPOCH_OFFSET, this.#epoch, true);
    view.setUint32(start + UNSYNCED_OFFSET, Math.min(lsn - this.#synced, UNSYNCED_MAX), true);
    view.setUint32(start + CRC_OFFSET, crc32(bytes, start + LSN_OFFSET, end), true);
    this.#length = end;
    if (end >= DRAIN_SIZE) this.write();
    return lsn as Lsn;
  }

  #ensure(end: number): void {
    try {
      this.#segments.ensure(this.#start + this.#length, end);
    } catch (thrown) {
      this.#batchLength = 0;
      throw thrown instanceof LogFailure ? this.#fail(thrown) : thrown;
    }
    this.#ensured = (this.#segments.indexOf(end - 1) + 1) * this.#segments.segmentSize;
  }

  #grow(needed: number): void {
    let capacity = this.#bytes.length;
    while (capacity < needed) capacity *= 2;
    const grown = new Uint8Array(capacity);
    // An open batch lies behind the length.
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  #writeOut(): void {
    const { segmentSize } = this.#segments;
    let done = 0;
    while (done < this.#length) {
      const lsn = this.#start + done;
      const index = this.#segments.indexOf(lsn);
      const offset = lsn - index * segmentSize;
      const part = Math.min(segmentSize - offset, this.#length - done);
      const file = this.#segments.file(index);
      assert(file !== null, 'the segment was made before the record');
      if (!this.#unsyncedFiles.includes(file)) this.#unsyncedFiles.push(file);
      file.writeAt(this.#bytes.subarray(done, done + part), offset);
      done += part;
    }
    this.#start += this.#length;
    this.#length = 0;
    // A record of a very long value must not hold its memory for ever.
    if (this.#bytes.length > 4 * DRAIN_SIZE) {
      this.#bytes = new Uint8Array(BUFFER_SIZE);
      this.#view = new DataView(this.#bytes.buffer);
    }
  }

  #throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  #fail(reason: unknown): LogFailure {
    this.#failure ??= reason instanceof LogFailure ? reason : new LogFailure(reason);
    return this.#failure;
  }
}

/** Refused here, since what is in the log has to be redone, and no tree would take it. */
function tooLong(what: string, length: number, lengthMax: number): PgError {
  return pgError('program_limit_exceeded', `${what} size ${length} exceeds maximum ${lengthMax}`);
}

/** Views cost more than a loop for the short keys and rows that most records hold. */
const LOOP_MAX = 48;

function copyRange(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  if (end - start > LOOP_MAX) {
    target.set(source.subarray(start, end), at);
    return;
  }
  let to = at;
  for (let i = start; i < end; i++) target[to++] = source[i]!;
}
