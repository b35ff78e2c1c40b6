/** A sorted run of a write set that was moved out of memory: blocks of about BLOCK_BYTES in a temporary
 * file or in the log, found through an index of their first keys in memory. The last block may still be
 * open, in memory.
 *
 * A block in a file is a sequence of versions, by key, and for each key newest first. Integers are
 * little-endian.
 *
 *   offset  size  field
 *        0     4  key length; OLDER for another version of the key before it, without key bytes
 *        4     4  value length; DELETED for a deletion, without value bytes
 *        8     4  command that made the version
 *       12     4  segment of the transaction in which it was made, see WriteSet
 *       16     …  key, value
 *
 * All versions of a key are in one block. The files are temporary, so the format has no version.
 *
 * What is appended to a run has to go to the log as well, and is read from there again. Such a block is
 * the entries of a batch record (storage/wal/record.ts): one version of each key, all of one segment.
 * Its commands are in memory. */

import { assert, compareByteRanges, prefixNumber } from '../base/index.ts';
import { BATCH_DELETED, KEY_LENGTH_MAX, type TreeId, type WalWriter } from '../storage/index.ts';
import type { KeyCursor } from './write-cursor.ts';

/** Where closed blocks are read from. */
interface BlockSource {
  read(position: number, length: number, target: Uint8Array, at: number): void;
}

/** A temporary file, removed when it is closed. */
export interface WriteFile extends BlockSource {
  /** Appends bytes; answers their position. */
  write(bytes: Uint8Array, start: number, end: number): number;
  close(): void;
}

/** A file that several runs share; closed by the last of them. */
export class SharedWriteFile {
  readonly file: WriteFile;
  private users = 0;

  constructor(file: WriteFile) {
    this.file = file;
  }

  share(): void {
    this.users++;
  }

  release(): void {
    if (--this.users === 0) this.file.close();
  }
}

const BLOCK_BYTES = 32 * 1024;
/** Most blocks end a little above the limit. */
const BLOCK_SPARE = 4 * 1024;
const HEADER_BYTES = 16;
/** Header of an entry in a batch record: the two lengths. */
const LOGGED_HEADER_BYTES = 8;
const OLDER = 0xffff_ffff;
const DELETED = BATCH_DELETED;
const FILTER_BITS_PER_KEY = 8;
const EMPTY_BYTES = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY_BYTES.buffer);

/** What an entry in the log does not say of itself. */
class LoggedFacts {
  readonly segment: number;
  /** Entries from starts[i] on, up to starts[i + 1], are of commands[i]. */
  private readonly starts: number[] = [];
  private readonly commands: number[] = [];

  constructor(segment: number) {
    this.segment = segment;
  }

  add(start: number, command: number): void {
    if (this.commands.at(-1) === command) return;
    this.starts.push(start);
    this.commands.push(command);
  }

  commandAt(at: number): number {
    const { starts } = this;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (starts[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    return this.commands[low]!;
  }
}

interface RunBlock {
  readonly source: BlockSource;
  /** Null in a temporary file. */
  readonly facts: LoggedFacts | null;
  readonly firstKey: Uint8Array;
  readonly position: number;
  readonly length: number;
  /** Bloom filter of the keys, with two bits for each; its length is a power of two. */
  readonly filter: Uint8Array;
}

export class SpilledRun {
  /** Null for a run that is in the log as a whole. */
  private readonly shared: SharedWriteFile | null;
  readonly blocks: RunBlock[] = [];
  /** The first bytes of each closed block's first key, as a number. */
  private readonly heads: number[] = [];
  byteCount = 0;
  /** The open block. */
  bytes: Uint8Array = EMPTY_BYTES;
  view: DataView = EMPTY_VIEW;
  used = 0;
  /** Of the open block, when it will go to the log. */
  facts: LoggedFacts | null = null;
  /** Of the newest key in the open block. */
  private tailKeyStart = 0;
  private tailKeyEnd = 0;
  private keyCount = 0;
  /** Last key of the closed blocks. */
  private closedKey: Uint8Array = EMPTY_BYTES;
  /** A cursor stands on the open block's bytes: they must not be written over. */
  isWatched = false;
  private finder: RunCursor | null = null;

  constructor(shared: SharedWriteFile | null) {
    this.shared = shared;
    shared?.share();
  }

  private get headerBytes(): number {
    return headerBytes(this.facts);
  }

  get isBlockFull(): boolean {
    return this.used >= BLOCK_BYTES;
  }

  /** Compares the run's last key with a key. The run is not empty. */
  compareLast(key: Uint8Array, start: number, end: number): number {
    if (this.used > 0) {
      return compareByteRanges(this.bytes, this.tailKeyStart, this.tailKeyEnd, key, start, end);
    }
    const last = this.closedKey;
    return compareByteRanges(last, 0, last.length, key, start, end);
  }

  /** Adds the newest version of a key, which is behind all keys of the run. `value` is null for a
   * deletion. The caller closes full blocks. */
  add(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    command: number,
    segment: number,
  ): void {
    const keyLength = keyEnd - keyStart;
    const at = this.claim(HEADER_BYTES + keyLength + valueEnd - valueStart);
    const keyAt = at + HEADER_BYTES;
    this.view.setUint32(at, keyLength, true);
    copyRange(key, keyStart, keyEnd, this.bytes, keyAt);
    this.tailKeyStart = keyAt;
    this.tailKeyEnd = keyAt + keyLength;
    this.keyCount++;
    this.finishVersion(at, keyAt + keyLength, value, valueStart, valueEnd, command, segment);
  }

  /** Adds the next older version of the key added last. */
  addOlder(
    value: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    command: number,
    segment: number,
  ): void {
    const at = this.claim(HEADER_BYTES + valueEnd - valueStart);
    this.view.setUint32(at, OLDER, true);
    this.finishVersion(at, at + HEADER_BYTES, value, valueStart, valueEnd, command, segment);
  }

  /** Appends the only version of a key that is behind all keys of the run, to a block that will go to
   * the log. All of a block are of one segment. The caller closes full blocks. */
  append(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    command: number,
    segment: number,
  ): void {
    const keyLength = keyEnd - keyStart;
    assert(keyLength <= KEY_LENGTH_MAX, 'keys are checked when they are made');
    if (this.used === 0) this.facts = new LoggedFacts(segment);
    const at = this.claim(LOGGED_HEADER_BYTES + keyLength + valueEnd - valueStart);
    const keyAt = at + LOGGED_HEADER_BYTES;
    const { bytes, view } = this;
    view.setUint32(at, keyLength, true);
    view.setUint32(at + 4, value === null ? DELETED : valueEnd - valueStart, true);
    copyRange(key, keyStart, keyEnd, bytes, keyAt);
    if (value !== null) copyRange(value, valueStart, valueEnd, bytes, keyAt + keyLength);
    this.tailKeyStart = keyAt;
    this.tailKeyEnd = keyAt + keyLength;
    this.keyCount++;
    this.facts!.add(at, command);
  }

  /** Logs the open block, to which keys were appended; answers where it lies in the log. */
  logBlock(log: WalWriter, xid: number, tree: TreeId): number {
    return log.appendBlock(xid, tree, this.keyCount, this.bytes, this.used);
  }

  /** Logs the open block, to which keys were appended, and begins another. */
  closeLogged(log: WalWriter, xid: number, tree: TreeId): void {
    this.endBlock(log, this.logBlock(log, xid, tree));
  }

  /** Writes the open block to the file. */
  closeBlock(): void {
    if (this.used === 0) return;
    const { file } = this.shared!;
    this.endBlock(file, file.write(this.bytes, 0, this.used));
  }

  private endBlock(source: BlockSource, position: number): void {
    const { bytes, used, headerBytes, facts } = this;
    const keyLength = this.view.getUint32(0, true);
    this.blocks.push({
      source,
      facts,
      firstKey: bytes.slice(headerBytes, headerBytes + keyLength),
      position,
      length: used,
      filter: this.buildFilter(),
    });
    this.heads.push(prefixNumber(bytes, headerBytes, headerBytes + keyLength));
    this.closedKey = bytes.slice(this.tailKeyStart, this.tailKeyEnd);
    this.byteCount += used;
    this.dropBlock();
  }

  /** Forgets the open block. */
  dropBlock(): void {
    this.used = 0;
    this.keyCount = 0;
    this.facts = null;
    if (this.isWatched || this.bytes.length > 2 * BLOCK_BYTES) {
      this.isWatched = false;
      this.bytes = EMPTY_BYTES;
      this.view = EMPTY_VIEW;
    }
  }

  get blockCount(): number {
    return this.blocks.length + (this.used > 0 ? 1 : 0);
  }

  /** The last block whose first key is at or before a key, else the first. */
  blockFor(key: Uint8Array, start: number, end: number): number {
    const head = prefixNumber(key, start, end);
    let low = 0;
    let high = this.blockCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.compareFirst(middle, head, key, start, end) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private compareFirst(
    index: number,
    head: number,
    key: Uint8Array,
    start: number,
    end: number,
  ): number {
    const block = this.blocks[index];
    if (block !== undefined) {
      const difference = this.heads[index]! - head;
      if (difference !== 0) return difference;
      return compareByteRanges(block.firstKey, 0, block.firstKey.length, key, start, end);
    }
    const { headerBytes } = this;
    const keyEnd = headerBytes + this.view.getUint32(0, true);
    return compareByteRanges(this.bytes, headerBytes, keyEnd, key, start, end);
  }

  /** A cursor on the key, good until the next call; null when the run does not have it. */
  find(key: Uint8Array, start: number, end: number): RunCursor | null {
    if (this.blockCount === 0 || this.compareLast(key, start, end) < 0) return null;
    const index = this.blockFor(key, start, end);
    const block = this.blocks[index];
    if (block !== undefined && !mayContain(block.filter, hashRange(key, start, end))) return null;
    this.finder ??= new RunCursor(this);
    return this.finder.seekInBlock(index, key, start, end) ? this.finder : null;
  }

  close(): void {
    this.finder = null;
    this.shared?.release();
  }

  private finishVersion(
    at: number,
    valueAt: number,
    value: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    command: number,
    segment: number,
  ): void {
    const { view } = this;
    view.setUint32(at + 4, value === null ? DELETED : valueEnd - valueStart, true);
    view.setUint32(at + 8, command, true);
    view.setUint32(at + 12, segment, true);
    if (value !== null) copyRange(value, valueStart, valueEnd, this.bytes, valueAt);
  }

  private claim(length: number): number {
    const at = this.used;
    const end = at + length;
    if (end > this.bytes.length) {
      const size = Math.max(BLOCK_BYTES + BLOCK_SPARE, end, at === 0 ? 0 : 2 * this.bytes.length);
      const grown = new Uint8Array(size);
      grown.set(this.bytes.subarray(0, at));
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
      this.isWatched = false;
    }
    this.used = end;
    return at;
  }

  private buildFilter(): Uint8Array {
    let size = 8;
    while (size * 8 < this.keyCount * FILTER_BITS_PER_KEY) size *= 2;
    const filter = new Uint8Array(size);
    const { bytes, view, used, headerBytes } = this;
    const mask = size * 8 - 1;
    for (let at = 0; at < used; at = versionEnd(view, at, headerBytes)) {
      const keyLength = view.getUint32(at, true);
      if (keyLength === OLDER) continue;
      const hash = hashRange(bytes, at + headerBytes, at + headerBytes + keyLength);
      const a = hash & mask;
      const b = (hash >>> 15) & mask;
      filter[a >>> 3] = filter[a >>> 3]! | (1 << (a & 7));
      filter[b >>> 3] = filter[b >>> 3]! | (1 << (b & 7));
    }
    return filter;
  }
}

/** Says which segments of the transaction were rolled back. */
export interface RolledBack {
  isRolledBack(segment: number): boolean;
}

/** Walks the keys of a run in either direction. */
export class RunCursor implements KeyCursor {
  readonly source: SpilledRun;
  /** Whether it stands on a key; `key…` are its bytes. */
  isValid = false;
  bytes: Uint8Array = EMPTY_BYTES;
  keyStart = 0;
  keyEnd = 0;
  /** The version that `findVersion` found; `isDeletion` is true when it has no value. */
  valueStart = 0;
  valueEnd = 0;
  isDeletion = false;
  command = 0;
  segment = 0;
  private view: DataView = EMPTY_VIEW;
  private used = 0;
  /** Null for a block in a temporary file. */
  private facts: LoggedFacts | null = null;
  private headerBytes = HEADER_BYTES;
  private block = 0;
  private slot = 0;
  /** The closed block that is loaded; null for the open one, or none. */
  private loaded: RunBlock | null = null;
  private buffer: Uint8Array = EMPTY_BYTES;
  private bufferView: DataView = EMPTY_VIEW;
  /** Where the keys of the block start, and how many there are. */
  private offsets = new Int32Array(64);
  private count = 0;
  private nextVersion = 0;

  constructor(run: SpilledRun) {
    this.source = run;
  }

  first(): void {
    this.block = -1;
    this.slot = 0;
    this.count = 0;
    this.stepForward();
  }

  last(): void {
    this.block = this.source.blockCount;
    this.slot = -1;
    this.stepBackward();
  }

  /** To the first key at or behind a key (`exclusive`: behind it), or to the last at or before it. */
  seek(key: Uint8Array, start: number, end: number, isForward: boolean, exclusive: boolean): void {
    const run = this.source;
    if (run.blockCount === 0) {
      this.isValid = false;
      return;
    }
    const found = this.seekInBlock(run.blockFor(key, start, end), key, start, end);
    if (isForward) {
      if (found && exclusive) this.slot++;
      this.stepForward();
    } else {
      if (!found || exclusive) this.slot--;
      this.stepBackward();
    }
  }

  next(): void {
    this.slot++;
    this.stepForward();
  }

  prev(): void {
    this.slot--;
    this.stepBackward();
  }

  /** Looks for a key in one block, and stands at or behind where it is. */
  seekInBlock(index: number, key: Uint8Array, start: number, end: number): boolean {
    this.load(index);
    const { bytes, view, offsets, headerBytes } = this;
    let from = 0;
    let to = this.count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const at = offsets[middle]!;
      const keyAt = at + headerBytes;
      const keyEnd = keyAt + view.getUint32(at, true);
      const order = compareByteRanges(bytes, keyAt, keyEnd, key, start, end);
      if (order === 0) {
        this.slot = middle;
        this.expose();
        return true;
      }
      if (order < 0) from = middle + 1;
      else to = middle;
    }
    this.slot = from;
    return false;
  }

  /** Finds the newest version that a command before `command` made and that was not rolled back. */
  findVersion(command: number, rolledBack: RolledBack): boolean {
    this.nextVersion = this.offsets[this.slot]!;
    while (this.moveToOlder()) {
      if (this.command < command && !rolledBack.isRolledBack(this.segment)) return true;
    }
    return false;
  }

  /** Before the newest version of the key. */
  rewindVersions(): void {
    this.nextVersion = this.offsets[this.slot]!;
  }

  /** To the next older version of the key. */
  moveToOlder(): boolean {
    const at = this.nextVersion;
    if (at >= this.used) return false;
    const { view, facts } = this;
    const keyLength = view.getUint32(at, true);
    if (facts !== null) {
      if (at !== this.offsets[this.slot]) return false;
      this.valueStart = at + LOGGED_HEADER_BYTES + keyLength;
      const length = view.getUint32(at + 4, true);
      this.isDeletion = length === DELETED;
      this.valueEnd = this.valueStart + (this.isDeletion ? 0 : length);
      this.command = facts.commandAt(at);
      this.segment = facts.segment;
      this.nextVersion = this.valueEnd;
      return true;
    }
    if (keyLength === OLDER) {
      this.valueStart = at + HEADER_BYTES;
    } else {
      if (at !== this.offsets[this.slot]) return false;
      this.valueStart = at + HEADER_BYTES + keyLength;
    }
    const length = view.getUint32(at + 4, true);
    this.isDeletion = length === DELETED;
    this.valueEnd = this.valueStart + (this.isDeletion ? 0 : length);
    this.command = view.getUint32(at + 8, true);
    this.segment = view.getUint32(at + 12, true);
    this.nextVersion = this.valueEnd;
    return true;
  }

  private stepForward(): void {
    while (this.slot >= this.count) {
      if (this.block + 1 >= this.source.blockCount) {
        this.isValid = false;
        return;
      }
      this.load(this.block + 1);
      this.slot = 0;
    }
    this.expose();
  }

  private stepBackward(): void {
    while (this.slot < 0) {
      if (this.block <= 0) {
        this.isValid = false;
        return;
      }
      this.load(this.block - 1);
      this.slot = this.count - 1;
    }
    this.expose();
  }

  private expose(): void {
    const at = this.offsets[this.slot]!;
    this.keyStart = at + this.headerBytes;
    this.keyEnd = this.keyStart + this.view.getUint32(at, true);
    this.isValid = true;
  }

  private load(index: number): void {
    const run = this.source;
    const block = run.blocks[index];
    this.block = index;
    if (block === undefined) {
      run.isWatched = true;
      this.loaded = null;
      this.decode(run.bytes, run.view, run.used, run.facts);
      return;
    }
    if (this.loaded === block) return;
    if (this.buffer.length < block.length) {
      this.buffer = new Uint8Array(Math.max(block.length, BLOCK_BYTES + BLOCK_SPARE));
      this.bufferView = new DataView(this.buffer.buffer);
    }
    this.loaded = null;
    block.source.read(block.position, block.length, this.buffer, 0);
    this.decode(this.buffer, this.bufferView, block.length, block.facts);
    this.loaded = block;
  }

  private decode(bytes: Uint8Array, view: DataView, used: number, facts: LoggedFacts | null): void {
    const header = headerBytes(facts);
    this.bytes = bytes;
    this.view = view;
    this.used = used;
    this.facts = facts;
    this.headerBytes = header;
    let count = 0;
    for (let at = 0; at < used; at = versionEnd(view, at, header)) {
      if (view.getUint32(at, true) === OLDER) continue;
      if (count === this.offsets.length) {
        const grown = new Int32Array(2 * count);
        grown.set(this.offsets);
        this.offsets = grown;
      }
      this.offsets[count++] = at;
    }
    this.count = count;
  }
}

/** Writes several runs, oldest first, as one, without what was rolled back. */
export function mergeRuns(
  runs: readonly SpilledRun[],
  file: SharedWriteFile,
  rolledBack: RolledBack,
): SpilledRun {
  const merged = new SpilledRun(file);
  const cursors = runs.map((run) => new RunCursor(run)).reverse();
  try {
    for (const cursor of cursors) cursor.first();
    for (;;) {
      const least = leastKey(cursors);
      if (least === null) break;
      if (merged.isBlockFull) merged.closeBlock();
      addVersions(merged, cursors, least, rolledBack);
    }
    merged.closeBlock();
    return merged;
  } catch (thrown) {
    merged.close();
    throw thrown;
  }
}

function leastKey(cursors: readonly RunCursor[]): RunCursor | null {
  let least: RunCursor | null = null;
  for (const cursor of cursors) {
    if (cursor.isValid && (least === null || compareKeys(cursor, least) < 0)) least = cursor;
  }
  return least;
}

/** Adds the versions of the least key, from the newest run to the oldest, and moves on behind it. */
function addVersions(
  merged: SpilledRun,
  cursors: readonly RunCursor[],
  least: RunCursor,
  rolledBack: RolledBack,
): void {
  let isFirst = true;
  // The least cursor is the newest of those on its key, and moves on after all have been compared.
  for (const cursor of cursors) {
    if (!cursor.isValid || (cursor !== least && compareKeys(cursor, least) !== 0)) continue;
    cursor.rewindVersions();
    while (cursor.moveToOlder()) {
      const { command, segment, valueStart, valueEnd } = cursor;
      if (rolledBack.isRolledBack(segment)) continue;
      const value = cursor.isDeletion ? null : cursor.bytes;
      if (isFirst) {
        const { bytes, keyStart, keyEnd } = cursor;
        merged.add(bytes, keyStart, keyEnd, value, valueStart, valueEnd, command, segment);
      } else {
        merged.addOlder(value, valueStart, valueEnd, command, segment);
      }
      isFirst = false;
    }
    if (cursor !== least) cursor.next();
  }
  least.next();
}

function compareKeys(a: RunCursor, b: RunCursor): number {
  return compareByteRanges(a.bytes, a.keyStart, a.keyEnd, b.bytes, b.keyStart, b.keyEnd);
}

function headerBytes(facts: LoggedFacts | null): number {
  return facts === null ? HEADER_BYTES : LOGGED_HEADER_BYTES;
}

function versionEnd(view: DataView, at: number, header: number): number {
  const keyLength = view.getUint32(at, true);
  const valueLength = view.getUint32(at + 4, true);
  return (
    at +
    header +
    (keyLength === OLDER ? 0 : keyLength) +
    (valueLength === DELETED ? 0 : valueLength)
  );
}

function mayContain(filter: Uint8Array, hash: number): boolean {
  const mask = filter.length * 8 - 1;
  const a = hash & mask;
  const b = (hash >>> 15) & mask;
  return (filter[a >>> 3]! & (1 << (a & 7))) !== 0 && (filter[b >>> 3]! & (1 << (b & 7))) !== 0;
}

/** FNV-1a, with its bits mixed at the end, because both ends of the result are used. */
function hashRange(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Views cost more than a loop for short ranges. */
export function copyRange(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  at: number,
): void {
  if (end - start < 32) {
    for (let i = start; i < end; i++) to[at + i - start] = from[i]!;
  } else {
    to.set(from.subarray(start, end), at);
  }
}
