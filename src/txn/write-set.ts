import { compareByteRanges, prefixNumber } from '../base/index.ts';
import type { TreeId, WalWriter } from '../storage/index.ts';
import { LockedKeys } from './locked-keys.ts';
import { ScatteredEntries } from './scattered-entries.ts';
import { logScattered, logScatteredBySegment, logVersions, logWrites } from './write-log.ts';
import {
  copyRange,
  mergeRuns,
  type RolledBack,
  type RunCursor,
  SharedWriteFile,
  SpilledRun,
  type WriteFile,
} from './write-run.ts';

/** Where a write set goes that is too large for memory, and where its records go. */
export interface WriteSpill {
  /** Bytes that a write set may hold in memory. */
  readonly budget: number;
  /** The storage engine's part in it. */
  readonly engine: {
    readonly log: WalWriter;
    nextXid(): number;
    holdLog(xid: number): void;
    releaseLog(xid: number): void;
  };
  createFile(): WriteFile;
}

/** A transaction's uncommitted changes, ordered by key for each tree.
 *
 * Keys and values are copied into buffers that the set owns, so that a change costs two small
 * objects whatever its size. An entry keeps a chain of versions, newest first: one for each command
 * that changed the key. A statement sees versions of earlier commands only. Once many keys of a tree have
 * come in no order, what follows is taken down without objects, see ScatteredEntries.
 *
 * Between savepoints lie segments, numbered in the order of time. Every version knows its segment, and
 * rolling back to a savepoint undoes the segments since: versions in memory are taken off again,
 * versions that were spilled count no more (`isRolledBack`).
 *
 * A set that outgrows its budget is spilled: its versions go to the log, under a transaction id of their
 * segment, of which the commit record lists those that were not rolled back; and for reading to a
 * run of each tree, see SpilledRun. Then memory is empty again. Keys that come in ascending order,
 * as in COPY and in building an index, do not even become entries: they are appended to the open
 * block of the tree's last run, which goes to the log when it is full, and is read from there.
 *
 * (W1) For each key, scattered versions are newer than entries in memory, those newer than versions in
 *      runs, and those in later runs newer than those in earlier runs: a tree has all its changes
 *      scattered from the first such on; a spill makes the last runs; and an append goes to the last run, with
 *      a key behind all that are in memory and in that run.
 * (W2) The log has the versions of a key in the order they were made, because blocks and spills are
 *      logged in that order, and all that is not logged yet is newer.
 * (W3) What is logged early is logged in a segment's own transaction id, never in the transaction's, so
 *      that every segment can be undone.
 */
export class WriteSet implements RolledBack {
  readonly trees = new Map<TreeId, WriteTree>();
  /** Versions in memory in the order they were made, without the scattered ones. */
  private readonly undo: WriteVersion[] = [];
  private buffer = EMPTY_BUFFER;
  private used = 0;
  /** Bytes held in memory: data, and an estimate of the objects. */
  byteCount = 0;
  private readonly spill: WriteSpill | null;
  private readonly budget: number;
  /** The present segment, whether it has changes, and the highest number given to one. */
  private segment = 0;
  private segmentChanged = false;
  private segmentMax = 0;
  /** Rolled back are the segments from[i] <= segment < to[i]; ascending, without overlap. */
  private rolledBackFrom = NO_NUMBERS;
  private rolledBackTo = NO_NUMBERS;
  /** The lowest segment that has versions in runs; NONE without runs. */
  private spilledMin = NONE;
  /** Transaction ids of segments that have records in the log. */
  private xids = NO_XIDS;
  /** The log is held in the name of this one; 0 when it is not. */
  private heldXid = 0;
  /** Rows that are locked and not changed, and have no entry in the lock table; null for none. */
  private lockedKeys: LockedKeys | null = null;
  /** Some tree has scattered changes, or had. */
  private hasScattered = false;

  /** Without a place to spill to, all stays in memory. */
  constructor(spill: WriteSpill | null = null) {
    this.spill = spill;
    this.budget = spill?.budget ?? Number.POSITIVE_INFINITY;
  }

  get isEmpty(): boolean {
    return this.undo.length === 0 && this.spilledMin === NONE && !this.holdsScattered;
  }

  private get holdsScattered(): boolean {
    if (!this.hasScattered) return false;
    for (const { scattered } of this.trees.values()) {
      if (scattered !== null && scattered.count > 0) return true;
    }
    return false;
  }

  /** Whether applying it takes long enough to be done in slices. Of one that is not, all changes are entries
   * in memory. */
  get isLarge(): boolean {
    return this.byteCount > LARGE_BYTES || this.spilledMin !== NONE || this.hasScattered;
  }

  /** A place to roll back to: the changes so far stay. */
  get mark(): number {
    if (this.segmentChanged) this.beginSegment();
    return this.segment;
  }

  /** The segment that changes go to now: at or behind every mark that was taken before them, and before
   * every later one. */
  get currentSegment(): number {
    return this.segment;
  }

  tree(id: TreeId): WriteTree {
    let tree = this.trees.get(id);
    if (tree === undefined) {
      tree = new WriteTree(id);
      this.trees.set(id, tree);
    }
    return tree;
  }

  /** Takes note that the transaction makes this tree, before it writes to it. */
  createTree(id: TreeId): void {
    this.tree(id).createdIn = this.segment;
    this.segmentChanged = true;
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
    const tree = this.tree(id);
    if (this.isAppended(tree, key, keyStart, keyEnd, value, valueStart, valueEnd, command)) return;
    const entry = this.entry(tree, key, keyStart, keyEnd);
    const length = valueEnd - valueStart;
    const at = this.claim(length);
    copyRange(value, valueStart, valueEnd, this.buffer, at);
    this.push(entry, this.buffer, at, at + length, command);
    if (this.byteCount > this.budget) this.spillMemory();
  }

  delete(id: TreeId, key: Uint8Array, keyStart: number, keyEnd: number, command: number): void {
    const tree = this.tree(id);
    if (this.isAppended(tree, key, keyStart, keyEnd, null, 0, 0, command)) return;
    this.push(this.entry(tree, key, keyStart, keyEnd), null, 0, 0, command);
    if (this.byteCount > this.budget) this.spillMemory();
  }

  /** Takes down one of many changes of a tree, without objects; false when it is none of many. */
  private isAppended(
    tree: WriteTree,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    command: number,
  ): boolean {
    const { segment } = this;
    const { scattered } = tree;
    if (scattered !== null) {
      const before = scattered.byteCount;
      scattered.add(key, keyStart, keyEnd, value, valueStart, valueEnd, command, segment);
      this.byteCount += scattered.byteCount - before;
      this.segmentChanged = true;
      tree.shape++;
      if (this.byteCount > this.budget) this.spillMemory();
      return true;
    }
    if (tree.appendCount < APPEND_MIN || this.spill === null) return false;
    const run = this.runToAppend(tree, key, keyStart, keyEnd);
    if (run === null) return false;
    run.append(key, keyStart, keyEnd, value, valueStart, valueEnd, command, segment);
    return true;
  }

  /** The entry of a key, or null when the transaction never changed it. Of a key that was spilled it
   * has the newest version alone; of one that is scattered that, and a deletion if there was one before. */
  find(id: TreeId, key: Uint8Array, keyStart: number, keyEnd: number): WriteEntry | null {
    const tree = this.trees.get(id);
    if (tree === undefined) return null;
    if (tree.isBehindAppended(key, keyStart, keyEnd)) return null;
    const entry = tree.find(key, keyStart, keyEnd);
    if (tree.scattered !== null) {
      const scattered = entryOfScattered(tree.scattered, key, keyStart, keyEnd, entry);
      if (scattered !== null) return scattered;
    }
    if (tree.spilled.length === 0 || (entry !== null && entry.latest !== null)) return entry;
    return this.findSpilled(tree, key, keyStart, keyEnd) ?? entry;
  }

  /** Takes down that a row is locked. It is so until the transaction rolls back to a mark before, or is over. */
  lock(id: TreeId, key: Uint8Array, keyStart: number, keyEnd: number, mode: number): void {
    this.lockedKeys ??= new LockedKeys();
    this.lockedKeys.lock(id, key, keyStart, keyEnd, mode, this.segment);
    this.segmentChanged = true;
  }

  /** The mode in which a row was so locked; -1 for none. */
  lockOf(id: TreeId, key: Uint8Array, keyStart: number, keyEnd: number): number {
    return this.lockedKeys === null ? -1 : this.lockedKeys.modeOf(id, key, keyStart, keyEnd);
  }

  /** Visits what was changed since a mark and is an entry in memory. */
  visitSince(mark: number, visit: (entry: WriteEntry) => void): void {
    const { undo } = this;
    for (let i = undo.length - 1; i >= 0 && undo[i]!.segment >= mark; i--) visit(undo[i]!.entry);
  }

  /** Undoes the changes since the mark. */
  rollbackTo(mark: number): void {
    const { undo } = this;
    while (undo.length > 0 && undo[undo.length - 1]!.segment >= mark) {
      const version = undo.pop()!;
      version.entry.latest = version.older;
      this.byteCount -= VERSION_BYTES + version.end - version.start;
    }
    this.lockedKeys?.rollBack(mark);
    if (this.hasScattered) this.rollBackScattered(mark);
    if (this.xids.size > 0 || this.spilledMin !== NONE) this.rollBackSpilled(mark);
    if (this.spilledMin !== NONE && mark <= this.spilledMin) this.closeRuns();
    this.beginSegment();
  }

  isRolledBack(segment: number): boolean {
    const { rolledBackFrom, rolledBackTo } = this;
    let low = 0;
    let high = rolledBackFrom.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (segment < rolledBackTo[middle]!) high = middle;
      else low = middle + 1;
    }
    return low < rolledBackFrom.length && segment >= rolledBackFrom[low]!;
  }

  /** Logs, for the commit of transaction `xid`, what is not in the log yet. Returns the ids of the
   * segments that the commit record has to list. */
  appendRest(log: WalWriter, xid: number): readonly number[] {
    for (const tree of this.trees.values()) {
      const run = tree.spilled.at(-1);
      if (run !== undefined && run.used > 0) run.logBlock(log, xid, tree.id);
      if (tree.runs.length > 0) logWrites(log, xid, tree);
      if (tree.scattered === null) continue;
      tree.putInOrder();
      logScattered(log, xid, tree.scattered);
    }
    if (this.xids.size === 0) return NO_NUMBERS;
    const surviving: number[] = [];
    for (const [segment, subXid] of this.xids) {
      if (!this.isRolledBack(segment)) surviving.push(subXid);
    }
    return surviving;
  }

  /** What was changed in a tree is not to be committed. The set is not read or changed after that. */
  discard(id: TreeId): void {
    const tree = this.trees.get(id);
    if (tree === undefined) return;
    for (const run of tree.spilled) run.close();
    tree.dropRuns();
    tree.clearMemory();
    tree.scattered = null;
    if (!tree.isOwn) this.trees.delete(id);
  }

  /** The transaction is over, and nobody reads its changes any more: its files and memory go, and the log
   * need not be kept for it. */
  close(): void {
    if (this.spilledMin !== NONE) this.closeRuns();
    if (this.heldXid !== 0) this.spill!.engine.releaseLog(this.heldXid);
    this.heldXid = 0;
    this.lockedKeys = null;
    this.trees.clear();
    this.undo.length = 0;
    if (this.buffer.length === BUFFER_BYTES_MIN && IDLE_BUFFERS.length < IDLE_BUFFERS_MAX) {
      IDLE_BUFFERS.push(this.buffer);
    }
    this.buffer = EMPTY_BUFFER;
    this.used = 0;
    this.byteCount = 0;
  }

  /** Gives the transaction up. */
  abort(): void {
    try {
      // Says nothing that recovery needs to know, so a full disk does not matter.
      for (const xid of this.xids.values()) this.spill!.engine.log.abort(xid);
    } catch {}
    this.close();
  }

  // ---------------------------------------------------------------- memory

  private entry(tree: WriteTree, key: Uint8Array, keyStart: number, keyEnd: number): WriteEntry {
    const known = tree.find(key, keyStart, keyEnd);
    if (known !== null) return known;
    const length = keyEnd - keyStart;
    const at = this.claim(length);
    copyRange(key, keyStart, keyEnd, this.buffer, at);
    const entry = new WriteEntry(tree.id, this.buffer, at, at + length);
    tree.insertLocated(entry);
    if (tree.scatteredCount === SCATTERED_MIN && this.spill !== null) this.beginScattered(tree);
    this.byteCount += ENTRY_BYTES + length;
    return entry;
  }

  /** From the next change on. */
  private beginScattered(tree: WriteTree): void {
    tree.scattered = new ScatteredEntries(tree.id);
    this.hasScattered = true;
  }

  private push(
    entry: WriteEntry,
    bytes: Uint8Array | null,
    start: number,
    end: number,
    command: number,
  ): void {
    const version = new WriteVersion(entry, bytes, start, end, command, this.segment);
    entry.latest = version;
    this.segmentChanged = true;
    this.undo.push(version);
    this.byteCount += VERSION_BYTES + end - start;
  }

  private claim(length: number): number {
    if (this.used + length > this.buffer.length) {
      if (this.buffer === EMPTY_BUFFER && length <= BUFFER_BYTES_MIN) {
        this.buffer = IDLE_BUFFERS.pop() ?? new Uint8Array(BUFFER_BYTES_MIN);
        this.used = length;
        return 0;
      }
      const size = Math.min(BUFFER_BYTES_MAX, Math.max(BUFFER_BYTES_MIN, this.buffer.length * 2));
      this.buffer = new Uint8Array(Math.max(size, length));
      this.used = 0;
    }
    const at = this.used;
    this.used += length;
    return at;
  }

  private beginSegment(): void {
    this.segment = ++this.segmentMax;
    this.segmentChanged = false;
  }

  // ---------------------------------------------------------------- runs

  /** The tree's last run, when the key belongs at its end; there is room in its open block then. */
  private runToAppend(
    tree: WriteTree,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): SpilledRun | null {
    if (!tree.isBehind(key, keyStart, keyEnd)) {
      tree.appendCount = 0;
      return null;
    }
    let run = tree.spilled.at(-1);
    if (run === undefined) {
      run = new SpilledRun(null);
      tree.addRun(run);
    } else if (run.compareLast(key, keyStart, keyEnd) >= 0) {
      tree.appendCount = 0;
      return null;
    } else if (run.isBlockFull || (run.used > 0 && tree.openSegment !== this.segment)) {
      this.closeBlock(tree, run);
    }
    if (run.used === 0) {
      tree.openSegment = this.segment;
      this.spilledMin = Math.min(this.spilledMin, this.segment);
      this.segmentChanged = true;
    }
    tree.shape++;
    return run;
  }

  /** Moves the open block of a run to the log. */
  private closeBlock(tree: WriteTree, run: SpilledRun): void {
    const { log } = this.spill!.engine;
    this.logCreation(tree);
    run.closeLogged(log, this.xidOf(tree.openSegment), tree.id);
    tree.shape++;
  }

  /** Moves all that is in memory to log and files. An error leaves it in memory, to be logged again. */
  private spillMemory(): void {
    const { engine, createFile } = this.spill!;
    const { undo } = this;
    for (const tree of this.trees.values()) {
      const run = tree.spilled.at(-1);
      if (run !== undefined && run.used > 0) this.closeBlock(tree, run);
      if (tree.hasMemory) this.logCreation(tree);
    }
    const lowest = undo[0]?.segment ?? NONE;
    const xidOf = (segment: number): number => this.xidOf(segment);
    if (lowest === undo.at(-1)?.segment) {
      const xid = this.xidOf(lowest);
      for (const tree of this.trees.values()) logWrites(engine.log, xid, tree);
    } else logVersions(engine.log, xidOf, undo);
    for (const { scattered } of this.trees.values()) {
      if (scattered !== null) logScatteredBySegment(engine.log, xidOf, scattered);
    }
    const file = new SharedWriteFile(createFile());
    const runs: [WriteTree, SpilledRun][] = [];
    try {
      for (const tree of this.trees.values()) {
        if (tree.runs.length > 0) tree.writeTo(addRun(runs, tree, file));
        const { scattered } = tree;
        if (scattered !== null) writeScattered(scattered, addRun(runs, tree, file));
      }
    } catch (thrown) {
      for (const [, run] of runs) run.close();
      throw thrown;
    }
    this.spilledMin = Math.min(this.spilledMin, lowest);
    for (const tree of new Set(runs.map(([tree]) => tree))) {
      const { scattered } = tree;
      if (scattered !== null && scattered.count > 0) {
        this.spilledMin = Math.min(this.spilledMin, scattered.firstSegment);
      }
      tree.clearMemory();
    }
    for (const [tree, run] of runs) {
      if (run.blockCount > 0) tree.addRun(run);
      else run.close();
    }
    undo.length = 0;
    this.buffer = EMPTY_BUFFER;
    this.used = 0;
    this.byteCount = 0;
    for (const [tree] of runs) this.limitRuns(tree);
  }

  /** Merges the newest runs when there are many; each with those before it that are not larger, so that
   * a version is rewritten a number of times that grows with the logarithm of the set. */
  private limitRuns(tree: WriteTree): void {
    const { spilled } = tree;
    if (spilled.length <= RUNS_MAX) return;
    let start = spilled.length - 2;
    let size = spilled[start]!.byteCount + spilled[start + 1]!.byteCount;
    while (start > 0 && spilled[start - 1]!.byteCount <= size) size += spilled[--start]!.byteCount;
    const file = new SharedWriteFile(this.spill!.createFile());
    const old = spilled.slice(start);
    const merged = mergeRuns(old, file, this);
    spilled.length = start;
    tree.addRun(merged);
    for (const run of old) run.close();
  }

  private findSpilled(
    tree: WriteTree,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): WriteEntry | null {
    for (let i = tree.spilled.length - 1; i >= 0; i--) {
      const cursor = tree.spilled[i]!.find(key, keyStart, keyEnd);
      if (cursor?.findVersion(Number.POSITIVE_INFINITY, this)) return copyOfEntry(cursor, tree.id);
    }
    return null;
  }

  private rollBackScattered(mark: number): void {
    for (const tree of this.trees.values()) {
      const { scattered } = tree;
      if (scattered === null) continue;
      const before = scattered.byteCount;
      if (!scattered.rollBack(mark)) continue;
      this.byteCount += scattered.byteCount - before;
      tree.shape++;
      tree.sourcesShape++;
    }
  }

  private rollBackSpilled(mark: number): void {
    if (this.rolledBackTo === NO_NUMBERS) {
      this.rolledBackFrom = [];
      this.rolledBackTo = [];
    }
    const { rolledBackFrom, rolledBackTo } = this;
    while (rolledBackTo.length > 0 && rolledBackTo.at(-1)! > mark) {
      rolledBackTo.pop();
      mark = Math.min(mark, rolledBackFrom.pop()!);
    }
    rolledBackFrom.push(mark);
    rolledBackTo.push(this.segmentMax + 1);
    for (const tree of this.trees.values()) {
      const run = tree.spilled.at(-1);
      if (run === undefined) continue;
      tree.shape++;
      if (run.used > 0 && tree.openSegment >= mark) run.dropBlock();
    }
  }

  /** Drops all runs. */
  private closeRuns(): void {
    for (const tree of this.trees.values()) {
      for (const run of tree.spilled) run.close();
      tree.dropRuns();
    }
    this.spilledMin = NONE;
  }

  private logCreation(tree: WriteTree): void {
    if (tree.createdIn === NONE || tree.isCreationLogged) return;
    this.spill!.engine.log.createTree(this.xidOf(tree.createdIn), tree.id);
    tree.isCreationLogged = true;
  }

  private xidOf(segment: number): number {
    let xid = this.xids.get(segment);
    if (xid === undefined) {
      const { engine } = this.spill!;
      xid = engine.nextXid();
      if (this.heldXid === 0) {
        this.heldXid = xid;
        engine.holdLog(xid);
      }
      if (this.xids === NO_XIDS) this.xids = new Map();
      this.xids.set(segment, xid);
    }
    return xid;
  }
}

/** What a command made of a key. `bytes` is null for a deletion. */
export class WriteVersion {
  // A class, as WriteEntry is: once many of what a literal makes live long, as after a bulk load, V8
  // makes all that it makes in the old generation, which only whole collections clear.
  readonly entry: WriteEntry;
  readonly bytes: Uint8Array | null;
  readonly start: number;
  readonly end: number;
  readonly command: number;
  readonly segment: number;
  readonly older: WriteVersion | null;

  constructor(
    entry: WriteEntry,
    bytes: Uint8Array | null,
    start: number,
    end: number,
    command: number,
    segment: number,
  ) {
    this.entry = entry;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.command = command;
    this.segment = segment;
    this.older = entry.latest;
  }
}

export class WriteEntry {
  readonly tree: TreeId;
  readonly keyBytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  /** Null when every change of the key was rolled back. */
  latest: WriteVersion | null = null;

  constructor(tree: TreeId, keyBytes: Uint8Array, keyStart: number, keyEnd: number) {
    this.tree = tree;
    this.keyBytes = keyBytes;
    this.keyStart = keyStart;
    this.keyEnd = keyEnd;
  }
}

/** The newest version that a command sees: of an earlier command. */
export function visibleVersion(entry: WriteEntry, command: number): WriteVersion | null {
  let version = entry.latest;
  while (version !== null && version.command >= command) version = version.older;
  return version;
}

function keyText(key: Uint8Array, start: number, end: number): string {
  return Buffer.from(key.buffer, key.byteOffset + start, end - start).toString('latin1');
}

/** The changed keys of one tree. In memory they are ordered in runs of at most RUN_ENTRIES_MAX entries;
 * `run` and `slot` are where the last `locate` ended. `spilled` are the runs in files, oldest first. */
export class WriteTree {
  readonly id: TreeId;
  /** All entries in memory, in order. */
  readonly runs: WriteEntry[][] = [];
  /** How many keys came before others in memory. */
  scatteredCount = 0;
  /** All changes since there have been so many of those; null before. */
  scattered: ScatteredEntries | null = null;
  run = 0;
  slot = 0;
  /** The shape in which `run` and `slot` were found. */
  private locatedShape = -1;
  /** Of the keys in `runs`, the first bytes as numbers; only while there is more than one run. Most
   * comparisons are of these, which lie together, and not of keys all over memory. */
  private heads: number[][] = NO_HEADS;
  spilled = NO_RUNS;
  /** Grows with every new key and every spill, so that cursors notice that their position moved. */
  shape = 0;
  /** Grows when the lists of runs in files, and of levels of scattered changes, change. */
  sourcesShape = 0;
  /** How many keys in a row were behind all in memory. */
  appendCount = 0;
  /** Segment of all versions in the open block of the last run. */
  openSegment = 0;
  /** Segment in which the transaction made the tree; NONE when it did not. */
  createdIn = NONE;
  isCreationLogged = false;
  /** Keys that the transaction gave to rows of its own although its snapshot shows others there, which have
   * been deleted since; null for none. */
  private twofold: Set<string> | null = null;

  /** The transaction makes the tree itself, or made it before it rolled back to a savepoint. */
  get isOwn(): boolean {
    return this.createdIn !== NONE;
  }

  constructor(id: TreeId) {
    this.id = id;
  }

  get hasMemory(): boolean {
    return this.runs.length > 0 || (this.scattered !== null && this.scattered.count > 0);
  }

  /** Puts scattered changes in order, for cursors. */
  putInOrder(): void {
    if (this.scattered?.putInOrder() === true) this.sourcesShape++;
  }

  /** Takes note that the snapshot shows another row at a key of the transaction's own. */
  noteTwofold(key: Uint8Array, start: number, end: number): void {
    this.twofold ??= new Set();
    this.twofold.add(keyText(key, start, end));
  }

  isTwofold(key: Uint8Array, start: number, end: number): boolean {
    return this.twofold?.has(keyText(key, start, end)) === true;
  }

  /** Finds the first entry at or after the key; true when it is the key itself. */
  locate(key: Uint8Array, start: number, end: number): boolean {
    const { runs, heads } = this;
    const head = heads === NO_HEADS ? 0 : prefixNumber(key, start, end);
    // A key is often looked for before it is put.
    if (this.locatedShape === this.shape && this.isBetween(head, key, start, end)) {
      return this.isAtLocated(head, key, start, end);
    }
    let low = 0;
    let high = runs.length - 1;
    // The last run whose first key is at or before the key, else the first run.
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.compare(middle, 0, head, key, start, end) <= 0) low = middle;
      else high = middle - 1;
    }
    this.run = low;
    this.locatedShape = this.shape;
    const run = runs[low];
    if (run === undefined) {
      this.slot = 0;
      return false;
    }
    let from = 0;
    let to = run.length;
    // Ascending keys are common: look at the end of the run first.
    if (to > 0 && this.compare(low, to - 1, head, key, start, end) < 0) from = to;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.compare(low, middle, head, key, start, end) < 0) from = middle + 1;
      else to = middle;
    }
    this.slot = from;
    return this.isAtLocated(head, key, start, end);
  }

  /** Whether `run` and `slot` are where `locate` would end. */
  private isBetween(head: number, key: Uint8Array, start: number, end: number): boolean {
    const { run, slot, runs } = this;
    const length = runs[run]?.length;
    if (length === undefined || slot === 0) return false;
    if (this.compare(run, slot - 1, head, key, start, end) >= 0) return false;
    if (slot < length) return this.compare(run, slot, head, key, start, end) >= 0;
    return run + 1 === runs.length || this.compare(run + 1, 0, head, key, start, end) > 0;
  }

  private isAtLocated(head: number, key: Uint8Array, start: number, end: number): boolean {
    const { run, slot } = this;
    if (slot >= this.runs[run]!.length) return false;
    return this.compare(run, slot, head, key, start, end) === 0;
  }

  /** Order of an entry relative to a key. */
  private compare(
    run: number,
    slot: number,
    head: number,
    key: Uint8Array,
    start: number,
    end: number,
  ): number {
    if (this.heads !== NO_HEADS) {
      const difference = this.heads[run]![slot]! - head;
      if (difference !== 0) return difference;
    }
    return compareEntry(this.runs[run]![slot]!, key, start, end);
  }

  find(key: Uint8Array, start: number, end: number): WriteEntry | null {
    return this.locate(key, start, end) ? this.runs[this.run]![this.slot]! : null;
  }

  /** Adds the entry of a key that `find` has just missed. */
  insertLocated(entry: WriteEntry): void {
    this.shape++;
    const { slot } = this;
    const run = this.runs[this.run];
    const isLast = run === undefined || (slot === run.length && this.run === this.runs.length - 1);
    this.place(entry);
    this.appendCount = isLast ? this.appendCount + 1 : 0;
    if (!isLast) this.scatteredCount++;
  }

  /** Inserts an entry where `locate` ended. */
  private place(entry: WriteEntry): void {
    const { heads, slot } = this;
    const run = this.runs[this.run];
    if (run === undefined) {
      this.runs.push([entry]);
      return;
    }
    insertAt(run, slot, entry);
    if (heads !== NO_HEADS) insertAt(heads[this.run]!, slot, headOf(entry));
    if (run.length <= RUN_ENTRIES_MAX) return;
    // An append keeps runs full; an insertion elsewhere halves the run.
    const keep = slot === run.length - 1 ? run.length - 1 : run.length >>> 1;
    if (heads === NO_HEADS) this.heads = [run.map(headOf)];
    this.heads.splice(this.run + 1, 0, this.heads[this.run]!.splice(keep));
    this.runs.splice(this.run + 1, 0, run.splice(keep));
  }

  /** Whether a key is behind all that are in memory. */
  isBehind(key: Uint8Array, start: number, end: number): boolean {
    const entry = this.runs.at(-1)?.at(-1);
    return entry === undefined || compareEntry(entry, key, start, end) < 0;
  }

  /** Whether a key is behind all that there are, as is found at once while keys are appended. */
  isBehindAppended(key: Uint8Array, start: number, end: number): boolean {
    if (this.appendCount < APPEND_MIN || this.spilled.length !== 1) return false;
    const run = this.spilled[0]!;
    if (run.blockCount === 0 || run.compareLast(key, start, end) >= 0) return false;
    return this.isBehind(key, start, end);
  }

  /** Writes all versions in memory to an empty run. */
  writeTo(target: SpilledRun): void {
    for (const run of this.runs) {
      for (const entry of run) {
        let version = entry.latest;
        if (version === null) continue;
        if (target.isBlockFull) target.closeBlock();
        const { keyBytes, keyStart, keyEnd } = entry;
        const { bytes, start, end, command, segment } = version;
        target.add(keyBytes, keyStart, keyEnd, bytes, start, end, command, segment);
        for (version = version.older; version !== null; version = version.older) {
          const { bytes, start, end, command, segment } = version;
          target.addOlder(bytes, start, end, command, segment);
        }
      }
    }
    target.closeBlock();
  }

  clearMemory(): void {
    this.runs.length = 0;
    this.heads = NO_HEADS;
    this.scatteredCount = 0;
    if (this.scattered !== null) this.scattered = new ScatteredEntries(this.id);
    this.shape++;
    this.sourcesShape++;
  }

  addRun(run: SpilledRun): void {
    if (this.spilled === NO_RUNS) this.spilled = [];
    this.spilled.push(run);
    this.shape++;
    this.sourcesShape++;
  }

  dropRuns(): void {
    this.spilled = NO_RUNS;
    this.shape++;
    this.sourcesShape++;
  }
}

const NONE = Number.POSITIVE_INFINITY;
// Shared by all sets that have nothing of the kind, and never changed.
const NO_NUMBERS: number[] = [];
const NO_XIDS = new Map<number, number>();
const NO_RUNS: SpilledRun[] = [];
const NO_HEADS: number[][] = [];
/** Keys in a row that are behind all others, before more of them are appended to a run. */
const APPEND_MIN = 1024;
/** Runs of a tree in files. */
const RUNS_MAX = 8;
/** Applying so much takes a millisecond or more. */
const LARGE_BYTES = 256 * 1024;
const RUN_ENTRIES_MAX = 256;
/** Keys that came before others, before changes are taken down without objects. */
const SCATTERED_MIN = 1024;
const BUFFER_BYTES_MIN = 1024;
/** First buffers of sets that are over: memory outside of the heap is dear to get and to give back. */
const IDLE_BUFFERS: Uint8Array<ArrayBuffer>[] = [];
const IDLE_BUFFERS_MAX = 256;
const BUFFER_BYTES_MAX = 1 << 20;
const ENTRY_BYTES = 88;
const VERSION_BYTES = 72;
const EMPTY_BUFFER = new Uint8Array(0);

function headOf({ keyBytes, keyStart, keyEnd }: WriteEntry): number {
  return prefixNumber(keyBytes, keyStart, keyEnd);
}

function insertAt<T>(items: T[], at: number, item: T): void {
  if (at === items.length) items.push(item);
  else items.splice(at, 0, item);
}

function compareEntry(entry: WriteEntry, key: Uint8Array, start: number, end: number): number {
  return compareByteRanges(entry.keyBytes, entry.keyStart, entry.keyEnd, key, start, end);
}

/** A copy of the version that a cursor on a run has found. */
function copyOfEntry(cursor: RunCursor, tree: TreeId): WriteEntry {
  const { bytes, keyStart, keyEnd, valueStart, valueEnd, isDeletion, command, segment } = cursor;
  const entry = new WriteEntry(tree, bytes.slice(keyStart, keyEnd), 0, keyEnd - keyStart);
  const value = isDeletion ? null : bytes.slice(valueStart, valueEnd);
  entry.latest = new WriteVersion(entry, value, 0, valueEnd - valueStart, command, segment);
  return entry;
}

/** The newest version of a scattered key, and a deletion if there was one before; null for other keys. `before`
 * is the entry of the key that is older. */
function entryOfScattered(
  scattered: ScatteredEntries,
  key: Uint8Array,
  start: number,
  end: number,
  before: WriteEntry | null,
): WriteEntry | null {
  const number = scattered.find(key, start, end);
  if (number < 0) return null;
  const bytes = scattered.bytesOf(number);
  const keyEnd = scattered.keyEndOf(number);
  const valueEnd = scattered.valueEndOf(number);
  const command = scattered.commandOf(number);
  const segment = scattered.segmentOf(number);
  const entry = new WriteEntry(scattered.tree, bytes, scattered.keyStartOf(number), keyEnd);
  if (scattered.followsDeletion(number) || (before !== null && hasDeletion(before))) {
    entry.latest = new WriteVersion(entry, null, 0, 0, command, segment);
  }
  const value = scattered.isDeletion(number) ? null : bytes;
  entry.latest = new WriteVersion(entry, value, keyEnd, valueEnd, command, segment);
  return entry;
}

function hasDeletion(entry: WriteEntry): boolean {
  let version = entry.latest;
  while (version !== null && version.bytes !== null) version = version.older;
  return version !== null;
}

function addRun(
  runs: [WriteTree, SpilledRun][],
  tree: WriteTree,
  file: SharedWriteFile,
): SpilledRun {
  const run = new SpilledRun(file);
  runs.push([tree, run]);
  return run;
}

/** Writes all versions to an empty run. */
function writeScattered(scattered: ScatteredEntries, target: SpilledRun): void {
  const order = scattered.inOrder();
  for (let i = 0; i < order.length; i++) {
    const number = order[i]!;
    const bytes = scattered.bytesOf(number);
    const keyStart = scattered.keyStartOf(number);
    const keyEnd = scattered.keyEndOf(number);
    const value = scattered.isDeletion(number) ? null : bytes;
    const valueEnd = scattered.valueEndOf(number);
    const command = scattered.commandOf(number);
    const segment = scattered.segmentOf(number);
    if (i > 0 && scattered.isSameKey(order[i - 1]!, number)) {
      target.addOlder(value, keyEnd, valueEnd, command, segment);
      continue;
    }
    if (target.isBlockFull) target.closeBlock();
    target.add(bytes, keyStart, keyEnd, value, keyEnd, valueEnd, command, segment);
  }
  target.closeBlock();
}
