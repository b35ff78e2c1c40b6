/** Walks the records of the log from an LSN to its end, across segments, in bounded memory. */

import { crc32 } from '../../base/index.ts';
import { pgError } from '../../errors/index.ts';
import type { Lsn, TreeId } from '../tree.ts';
import {
  BATCH_DELETED,
  CRC_OFFSET,
  EPOCH_OFFSET,
  KIND_OFFSET,
  LENGTH_OFFSET,
  LSN_OFFSET,
  PADDING_OFFSET,
  readU48,
  readU64,
  UNSYNCED_MAX,
  UNSYNCED_OFFSET,
  WAL_ALIGNMENT,
  WAL_HEADER_SIZE,
  WAL_RECORD_MAX,
  WAL_RECORD_MIN,
  WalRecordKind,
  XID_OFFSET,
} from './record.ts';
import type { WalSegments } from './segments.ts';

const WINDOW_SIZE = 256 * 1024;
/** What a disk writes whole or not at all. */
const SECTOR_SIZE = 512;

/** Why a record is not valid, or null when it is. */
type Defect = { readonly expected: string; readonly found: string } | null;

/** The record a reader stands on. Its ranges are views of the reader's window, good until the next
 * move. */
export class WalReader {
  readonly #segments: WalSegments;
  readonly #epochMax: number;
  readonly #segmentsEnd: number;
  #epoch = 0;
  #bytes = new Uint8Array(WINDOW_SIZE);
  #view = new DataView(this.#bytes.buffer);
  /** LSN of the first byte of the window, and the count of bytes in it. */
  #windowStart = 0;
  #windowLength = 0;
  #next: number;
  #defect: Defect = null;

  lsn = 0 as Lsn;
  kind: WalRecordKind = WalRecordKind.abort;
  xid = 0;
  /** Window bytes; the ranges below index them. */
  bytes: Uint8Array = this.#bytes;
  treeId = 0 as TreeId;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  /** Of an entry of a batch. */
  isDeletion = false;
  #payload = 0;
  #payloadEnd = 0;
  #entriesLeft = 0;
  #entryAt = 0;

  /** `epochMax` is the epoch of the last opening, from the control file. */
  constructor(segments: WalSegments, from: Lsn, epochMax: number) {
    this.#segments = segments;
    this.#epochMax = epochMax;
    this.#segmentsEnd = segments.end();
    this.#next = from;
  }

  /** LSN behind the current record; the end of the log once `next` has returned false. */
  get endLsn(): Lsn {
    return this.#next as Lsn;
  }

  /** Moves to the next record; false at the first that is not valid. */
  next(): boolean {
    const at = this.#next;
    if (!this.#load(at, WAL_HEADER_SIZE)) {
      this.#defect = { expected: 'a log record', found: 'the end of the file' };
      return false;
    }
    let offset = at - this.#windowStart;
    this.#defect = this.#headerDefect(at, offset) ?? this.#epochDefect(offset);
    if (this.#defect !== null) return false;
    const length = this.#view.getUint32(offset + LENGTH_OFFSET, true);
    if (!this.#load(at, length)) {
      this.#defect = { expected: `a record of ${length} bytes`, found: 'the end of the file' };
      return false;
    }
    offset = at - this.#windowStart;
    this.#defect = this.#checksumDefect(offset, length);
    if (this.#defect !== null) return false;
    this.#decode(at, offset, length);
    return true;
  }

  /** Moves to the next entry of a batch record; `isDeletion` says that it has no value. */
  nextEntry(): boolean {
    if (this.#entriesLeft === 0) return false;
    this.#entriesLeft--;
    const at = this.#entryAt;
    this.keyStart = at + 8;
    this.keyEnd = this.keyStart + this.#view.getUint32(at, true);
    this.valueStart = this.keyEnd;
    const valueLength = this.#view.getUint32(at + 4, true);
    this.isDeletion = valueLength === BATCH_DELETED;
    this.valueEnd = this.valueStart + (this.isDeletion ? 0 : valueLength);
    this.#entryAt = this.valueEnd;
    return true;
  }

  /** When the transaction of a commit record committed, in milliseconds since 1970. */
  get timestampMs(): number {
    return this.#view.getFloat64(this.#payload, true);
  }

  get subXidCount(): number {
    return this.#view.getUint32(this.#payload + 8, true);
  }

  subXid(index: number): number {
    return readU64(this.#view, this.#payload + 12 + 8 * index);
  }

  /** A copy of what the transaction layer put into a commit record. */
  commitPayload(): Uint8Array {
    return this.bytes.slice(this.#payload + 12 + 8 * this.subXidCount, this.#payloadEnd);
  }

  /** After `next` has returned false: throws data_corrupted when the log goes on behind the invalid
   * record and that record had been synced, when it goes on in an epoch that the control file does
   * not know, or when the file is gone in which it went on. `syncedBefore` is an LSN known to be synced. */
  verifyEnd(syncedBefore: Lsn): void {
    const end = this.#next;
    this.#verifySegments(end);
    this.verifyEpoch();
    if (end < syncedBefore) this.#throwCorrupted(end, syncedBefore);
    const epoch = this.#epoch;
    for (let at = end + WAL_ALIGNMENT; at < this.#segmentsEnd; at += WAL_ALIGNMENT) {
      if (!this.#load(at, WAL_HEADER_SIZE)) {
        // A segment is missing or short: go on with the next one.
        const size = this.#segments.segmentSize;
        at = (this.#segments.indexOf(at) + 1) * size - WAL_ALIGNMENT;
        continue;
      }
      const offset = at - this.#windowStart;
      if (readU64(this.#view, offset + LSN_OFFSET) !== at) continue;
      const unsynced = this.#view.getUint32(offset + UNSYNCED_OFFSET, true);
      const found = this.#view.getUint32(offset + EPOCH_OFFSET, true);
      if (!this.#isWholeRecord(at)) continue;
      if (found > this.#epochMax) this.#throwOldControl(found);
      if (found < epoch || unsynced === UNSYNCED_MAX || at - unsynced <= end) continue;
      this.#throwCorrupted(end, at - unsynced);
    }
  }

  /** Throws data_corrupted when the log goes on right here in an epoch that the control file does not
   * know. The epoch is made stable before its first record, so the control file has lost it. */
  verifyEpoch(): void {
    const at = this.#next;
    if (!this.#load(at, WAL_HEADER_SIZE)) return;
    const epoch = this.#view.getUint32(at - this.#windowStart + EPOCH_OFFSET, true);
    if (epoch > this.#epochMax && this.#isWholeRecord(at)) this.#throwOldControl(epoch);
  }

  /** Segments are whole before a record is written to them. So one in whose middle the log ends is there,
   * and so are those that the next record was to fill, if its header has come to the disk. */
  #verifySegments(end: number): void {
    const size = this.#segments.segmentSize;
    if (end % size > 0) this.#verifySegment(this.#segments.indexOf(end));
    if (!this.#hasWrittenHeader(end)) return;
    const length = this.#view.getUint32(end - this.#windowStart + LENGTH_OFFSET, true);
    const last = this.#segments.indexOf(end + length - 1);
    for (let index = this.#segments.indexOf(end) + 1; index <= last; index++) {
      this.#verifySegment(index);
    }
  }

  #verifySegment(index: number): void {
    const expected = this.#segments.segmentSize;
    const found = this.#segments.file(index)?.size() ?? null;
    if (found === expected) return;
    throw pgError(
      'data_corrupted',
      `log file "${this.#segments.pathOf(index)}" is ${found === null ? 'missing' : 'too short'}`,
      {
        severity: 'FATAL',
        ...(found === null ? {} : { detail: `It has ${found} bytes instead of ${expected}.` }),
        hint: 'Restore the data directory from a backup.',
      },
    );
  }

  /** Whether there is the header of a record, written in one piece as it lies in one sector. */
  #hasWrittenHeader(at: number): boolean {
    if ((at % SECTOR_SIZE) + WAL_HEADER_SIZE > SECTOR_SIZE) return false;
    if (!this.#load(at, WAL_HEADER_SIZE)) return false;
    const offset = at - this.#windowStart;
    return this.#headerDefect(at, offset) === null && this.#epochDefect(offset) === null;
  }

  /** Whether there is a record here but for its epoch. */
  #isWholeRecord(at: number): boolean {
    if (this.#headerDefect(at, at - this.#windowStart) !== null) return false;
    const length = this.#view.getUint32(at - this.#windowStart + LENGTH_OFFSET, true);
    return this.#load(at, length) && this.#checksumDefect(at - this.#windowStart, length) === null;
  }

  #throwOldControl(epoch: number): never {
    throw pgError('data_corrupted', 'the control file is older than the log', {
      severity: 'FATAL',
      detail: `The log has records of epoch ${epoch}, the control file knows ${this.#epochMax}.`,
      hint: 'Restore the data directory from a backup.',
    });
  }

  #throwCorrupted(end: number, synced: number): never {
    const index = this.#segments.indexOf(end);
    const offset = end - index * this.#segments.segmentSize;
    const defect = this.#defect ?? { expected: 'a log record', found: 'none' };
    throw pgError(
      'data_corrupted',
      `invalid log record in file "${this.#segments.pathOf(index)}" at offset ${offset}: ` +
        `expected ${defect.expected}, found ${defect.found}`,
      {
        severity: 'FATAL',
        detail: `The log had been written to disk up to position ${synced}, this is position ${end}.`,
        hint: 'Restore the data directory from a backup.',
      },
    );
  }

  #headerDefect(at: number, offset: number): Defect {
    const view = this.#view;
    const lsn = readU64(view, offset + LSN_OFFSET);
    if (lsn !== at) return { expected: `position ${at}`, found: `${lsn}` };
    const length = view.getUint32(offset + LENGTH_OFFSET, true);
    if (length >= WAL_RECORD_MIN && length <= WAL_RECORD_MAX && length % WAL_ALIGNMENT === 0) {
      return null;
    }
    return { expected: `a length of ${WAL_RECORD_MIN} to ${WAL_RECORD_MAX}`, found: `${length}` };
  }

  #epochDefect(offset: number): Defect {
    const epoch = this.#view.getUint32(offset + EPOCH_OFFSET, true);
    if (epoch >= this.#epoch && epoch <= this.#epochMax) return null;
    return { expected: `an epoch of ${this.#epoch} to ${this.#epochMax}`, found: `${epoch}` };
  }

  #checksumDefect(offset: number, length: number): Defect {
    const found = this.#view.getUint32(offset + CRC_OFFSET, true);
    const expected = crc32(this.#bytes, offset + LSN_OFFSET, offset + length);
    if (found === expected) return null;
    return { expected: `checksum ${expected.toString(16)}`, found: found.toString(16) };
  }

  #decode(at: number, offset: number, length: number): void {
    const view = this.#view;
    this.lsn = at as Lsn;
    this.bytes = this.#bytes;
    this.kind = this.#bytes[offset + KIND_OFFSET] as WalRecordKind;
    this.xid = readU48(view, offset + XID_OFFSET);
    this.#epoch = view.getUint32(offset + EPOCH_OFFSET, true);
    this.#next = at + length;
    const payload = offset + WAL_HEADER_SIZE;
    this.#payload = payload;
    this.#payloadEnd = offset + length - this.#bytes[offset + PADDING_OFFSET]!;
    switch (this.kind) {
      case WalRecordKind.put:
        this.treeId = readU64(view, payload) as TreeId;
        this.keyStart = payload + 12;
        this.keyEnd = this.keyStart + view.getUint32(payload + 8, true);
        this.valueStart = this.keyEnd;
        this.valueEnd = this.#payloadEnd;
        return;
      case WalRecordKind.delete:
        this.treeId = readU64(view, payload) as TreeId;
        this.keyStart = payload + 8;
        this.keyEnd = this.#payloadEnd;
        return;
      case WalRecordKind.batch:
        this.treeId = readU64(view, payload) as TreeId;
        this.#entriesLeft = view.getUint32(payload + 8, true);
        this.#entryAt = payload + 12;
        return;
      case WalRecordKind.createTree:
      case WalRecordKind.dropTree:
        this.treeId = readU64(view, payload) as TreeId;
    }
  }

  /** Has `length` bytes from `at` on in the window; false when the log's files do not hold them. */
  #load(at: number, length: number): boolean {
    const windowEnd = this.#windowStart + this.#windowLength;
    if (at >= this.#windowStart && at + length <= windowEnd) return true;
    if (length > this.#bytes.length) {
      if (at + length > this.#segmentsEnd) return false;
      this.#bytes = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#windowStart = at;
    this.#windowLength = 0;
    const { segmentSize } = this.#segments;
    while (this.#windowLength < this.#bytes.length) {
      const lsn = at + this.#windowLength;
      const index = this.#segments.indexOf(lsn);
      const offset = lsn - index * segmentSize;
      const file = this.#segments.file(index);
      if (file === null) break;
      const want = Math.min(segmentSize - offset, this.#bytes.length - this.#windowLength);
      const into = this.#bytes.subarray(this.#windowLength, this.#windowLength + want);
      const count = file.readAt(into, offset);
      this.#windowLength += count;
      if (count < want) break;
    }
    return this.#windowLength >= length;
  }
}
