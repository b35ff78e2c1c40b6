import { compareByteRanges } from '../base/index.ts';
import type { TreeId } from '../storage/index.ts';

/** A transaction's uncommitted changes, in memory, ordered by key for each tree.
 *
 * Keys and values are copied into segments that the set owns, so that a change costs two small
 * objects whatever its size. An entry keeps a chain of versions, newest first: one for each command
 * that changed the key. A statement sees versions of earlier commands only; rolling back to a
 * savepoint takes versions off again, through the undo list.
 */
export class WriteSet {
  readonly trees = new Map<TreeId, WriteTree>();
  /** All versions in the order they were made. */
  private readonly undo: WriteVersion[] = [];
  private segment = EMPTY_SEGMENT;
  private used = 0;
  /** Bytes held: data, and an estimate of the objects. */
  byteCount = 0;

  get isEmpty(): boolean {
    return this.undo.length === 0;
  }

  /** Position in the list of changes, to roll back to. */
  get mark(): number {
    return this.undo.length;
  }

  tree(id: TreeId): WriteTree {
    let tree = this.trees.get(id);
    if (tree === undefined) {
      tree = new WriteTree(id);
      this.trees.set(id, tree);
    }
    return tree;
  }

  put(
    id: TreeId,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    command: number,
  ): void {
    const entry = this.entry(id, key, keyStart, keyEnd);
    const length = valueEnd - valueStart;
    const at = this.claim(length);
    copyRange(value, valueStart, valueEnd, this.segment, at);
    this.push(entry, this.segment, at, at + length, command);
  }

  delete(id: TreeId, key: Uint8Array, keyStart: number, keyEnd: number, command: number): void {
    this.push(this.entry(id, key, keyStart, keyEnd), null, 0, 0, command);
  }

  /** The entry of a key, or null when the transaction never changed it. */
  find(id: TreeId, key: Uint8Array, keyStart: number, keyEnd: number): WriteEntry | null {
    return this.trees.get(id)?.find(key, keyStart, keyEnd) ?? null;
  }

  rollbackTo(mark: number): void {
    while (this.undo.length > mark) {
      const version = this.undo.pop()!;
      version.entry.latest = version.older;
      this.byteCount -= VERSION_BYTES + version.end - version.start;
    }
  }

  private entry(id: TreeId, key: Uint8Array, keyStart: number, keyEnd: number): WriteEntry {
    const tree = this.tree(id);
    if (tree.locate(key, keyStart, keyEnd)) return tree.located();
    const length = keyEnd - keyStart;
    const at = this.claim(length);
    copyRange(key, keyStart, keyEnd, this.segment, at);
    const entry: WriteEntry = {
      keyBytes: this.segment,
      keyStart: at,
      keyEnd: at + length,
      latest: null,
    };
    tree.insertLocated(entry);
    this.byteCount += ENTRY_BYTES + length;
    return entry;
  }

  private push(
    entry: WriteEntry,
    bytes: Uint8Array | null,
    start: number,
    end: number,
    command: number,
  ): void {
    const version: WriteVersion = { entry, bytes, start, end, command, older: entry.latest };
    entry.latest = version;
    this.undo.push(version);
    this.byteCount += VERSION_BYTES + end - start;
  }

  private claim(length: number): number {
    if (this.used + length > this.segment.length) {
      const size = Math.min(
        SEGMENT_BYTES_MAX,
        Math.max(SEGMENT_BYTES_MIN, this.segment.length * 2),
      );
      this.segment = new Uint8Array(Math.max(size, length));
      this.used = 0;
    }
    const at = this.used;
    this.used += length;
    return at;
  }
}

/** What a command made of a key. `bytes` is null for a deletion. */
export interface WriteVersion {
  readonly entry: WriteEntry;
  readonly bytes: Uint8Array | null;
  readonly start: number;
  readonly end: number;
  readonly command: number;
  readonly older: WriteVersion | null;
}

export interface WriteEntry {
  readonly keyBytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  /** Null when every change of the key was rolled back. */
  latest: WriteVersion | null;
}

/** The newest version that a command sees: of an earlier command. */
export function visibleVersion(entry: WriteEntry, command: number): WriteVersion | null {
  let version = entry.latest;
  while (version !== null && version.command >= command) version = version.older;
  return version;
}

/** The changed keys of one tree, ordered: runs of at most RUN_ENTRIES_MAX sorted entries. `run` and
 * `slot` are where the last `locate` ended. */
export class WriteTree {
  readonly id: TreeId;
  readonly runs: WriteEntry[][] = [];
  run = 0;
  slot = 0;
  /** Grows with every new entry, so that cursors notice that their position moved. */
  shape = 0;

  constructor(id: TreeId) {
    this.id = id;
  }

  /** Finds the first entry at or after the key; true when it is the key itself. */
  locate(key: Uint8Array, start: number, end: number): boolean {
    const runs = this.runs;
    let low = 0;
    let high = runs.length - 1;
    // The last run whose first key is at or before the key, else the first run.
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (compareEntry(runs[middle]![0]!, key, start, end) <= 0) low = middle;
      else high = middle - 1;
    }
    this.run = low;
    const run = runs[low];
    if (run === undefined) {
      this.slot = 0;
      return false;
    }
    let from = 0;
    let to = run.length;
    // Ascending keys are common: look at the end of the run first.
    if (to > 0 && compareEntry(run[to - 1]!, key, start, end) < 0) from = to;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (compareEntry(run[middle]!, key, start, end) < 0) from = middle + 1;
      else to = middle;
    }
    this.slot = from;
    return from < run.length && compareEntry(run[from]!, key, start, end) === 0;
  }

  located(): WriteEntry {
    return this.runs[this.run]![this.slot]!;
  }

  find(key: Uint8Array, start: number, end: number): WriteEntry | null {
    return this.locate(key, start, end) ? this.located() : null;
  }

  insertLocated(entry: WriteEntry): void {
    this.shape++;
    const run = this.runs[this.run];
    if (run === undefined) {
      this.runs.push([entry]);
      return;
    }
    run.splice(this.slot, 0, entry);
    if (run.length <= RUN_ENTRIES_MAX) return;
    // An append keeps runs full; an insertion elsewhere halves the run.
    const keep = this.slot === run.length - 1 ? run.length - 1 : run.length >>> 1;
    this.runs.splice(this.run + 1, 0, run.splice(keep));
  }
}

const RUN_ENTRIES_MAX = 256;
const SEGMENT_BYTES_MIN = 1024;
const SEGMENT_BYTES_MAX = 1 << 20;
const ENTRY_BYTES = 64;
const VERSION_BYTES = 64;
const EMPTY_SEGMENT = new Uint8Array(0);

function compareEntry(entry: WriteEntry, key: Uint8Array, start: number, end: number): number {
  return compareByteRanges(entry.keyBytes, entry.keyStart, entry.keyEnd, key, start, end);
}

function copyRange(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start < 32) {
    for (let i = start; i < end; i++) to[at + i - start] = from[i]!;
  } else {
    to.set(from.subarray(start, end), at);
  }
}
