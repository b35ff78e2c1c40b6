/** One run of the store over a disk that fails, from a seed.
 *
 * A run is a few lives. In each, random transactions are logged, flushed, applied and checkpointed
 * until the power is cut (or the process dies, the disk answers with an error, or it stops cleanly) at
 * a random operation of the disk. Then the store is opened again, sometimes with another cut in the
 * middle of that, and must hold every commit that was acknowledged, of the later ones the first so
 * many, each whole, and nothing else. */

import { compareBytes, decodeUtf8, SeededRandom } from '../../src/base/index.ts';
import { PgError } from '../../src/errors/index.ts';
import { type Processes, SimulatedDisk } from '../../src/io/index.ts';
import { SharedMemory, Snapshots } from '../../src/shm/index.ts';
import {
  type BTreeWriter,
  LogFailure,
  PageReader,
  PageTreeCursor,
  StorageEngine,
  type TreeId,
  TreeRoots,
} from '../../src/storage/index.ts';
import { type Change, type Committed, cloneTrees, Model, type Trees, valueBytes } from './model.ts';

/** Which faults a run meets beside the end of each life. */
export type Faults = 'none' | 'errors' | 'full';

export interface SimulationResult {
  commits: number;
  lives: number;
  powerCuts: number;
  cutRecoveries: number;
  checkpoints: number;
  redone: number;
  finishedCheckpoints: number;
  errors: number;
  refusals: number;
}

const LIVES = 3;
/** Bounds of the operations of the disk after which the power is cut. */
const LIFE_OPERATIONS = [10, 60, 60, 500, 500];
const SEGMENT_SIZE = 16 * 1024;
/** The clock of the store. */
const MS_PER_OPERATION = 100;
const FRAME_COUNT = 64;
const READER_THREAD = 0;
const TREES_MAX = 5;
/** Key under which every transaction writes its number, into the first tree. */
const NUMBER_KEY = 'number';
const encoder = new TextEncoder();

/** Runs a seed; throws when the store broke a promise. */
export function simulate(seed: number, faults: Faults): SimulationResult {
  return new Simulation(seed, faults).run();
}

/** A transaction that logs as it goes, over several groups. Its keys are its own. */
interface LargeTransaction {
  readonly xid: number;
  readonly subXids: number[];
  readonly changes: Change[];
  readonly prefix: string;
}

class Simulation {
  readonly #random: SeededRandom;
  readonly #disk: SimulatedDisk;
  readonly #faults: Faults;
  readonly #model = new Model();
  readonly #result: SimulationResult = {
    commits: 0,
    lives: 0,
    powerCuts: 0,
    cutRecoveries: 0,
    checkpoints: 0,
    redone: 0,
    finishedCheckpoints: 0,
    errors: 0,
    refusals: 0,
  };
  #pid = 0;
  #stamp = 0;
  /** Number of the last commit that was logged, and of the last that was applied. */
  #number = 0;
  #applied = 0;
  /** Highest id of a tree so far. */
  #treesSeen = 0;
  #large: LargeTransaction | null = null;
  /** The snapshot that a reader holds, and what it has to see. */
  #reading: { readonly snapshot: number; readonly trees: Trees } | null = null;
  #reader: PageReader | null = null;

  constructor(seed: number, faults: Faults) {
    this.#random = new SeededRandom(seed);
    this.#disk = new SimulatedDisk({ seed: seed + 0x5eed });
    this.#faults = faults;
  }

  run(): SimulationResult {
    for (let life = 0; life < LIVES; life++) {
      this.#result.lives++;
      const engine = this.#open(life);
      this.#verifyAfterOpening(engine);
      this.#live(engine);
    }
    const engine = this.#open(LIVES);
    this.#verifyAfterOpening(engine);
    engine.close();
    const last = this.#open(LIVES + 1);
    check(last.recovery.wasClean, 'a clean stop needs no recovery');
    this.#verifyAfterOpening(last);
    last.close();
    return this.#result;
  }

  /** Opens the store, sometimes with power cuts in the middle. */
  #open(life: number): StorageEngine {
    for (let attempt = 0; ; attempt++) {
      const { operations } = this.#disk;
      const mayFail = life <= LIVES && attempt < 3;
      if (mayFail && this.#random.chance(0.4)) {
        this.#disk.cutPowerAt(operations + 1 + this.#random.below(60));
      } else if (mayFail && this.#faults === 'errors' && this.#random.chance(0.2)) {
        this.#disk.failAt(operations + 1 + this.#random.below(40));
      }
      try {
        const engine = StorageEngine.open(this.#disk.directory(), newMemory(), {
          segmentSize: SEGMENT_SIZE,
          maxWalSize: 8 * SEGMENT_SIZE,
          minWalSize: 2 * SEGMENT_SIZE,
          checkpointSlot: 1,
          processes: this.#nextProcess(),
          nowMs: () => this.#disk.operations * MS_PER_OPERATION,
          checkpointTimeoutMs: 20_000,
          systemId: () => 42,
        });
        this.#disk.cutPowerAt(Number.POSITIVE_INFINITY);
        this.#disk.failAt(Number.POSITIVE_INFINITY);
        this.#result.redone += engine.recovery.redoneTransactionCount;
        if (engine.recovery.finishedCheckpoint) this.#result.finishedCheckpoints++;
        return engine;
      } catch (thrown) {
        if (this.#disk.powerIsCut) {
          this.#disk.restartAfterPowerCut();
          this.#result.cutRecoveries++;
        } else {
          check(this.#faults === 'errors' && isRefusal(thrown), describeError(thrown), thrown);
          this.#disk.restartAfterProcessDeath();
          this.#result.errors++;
        }
      }
    }
  }

  #nextProcess(): Processes {
    const pid = ++this.#pid;
    return { pid, identify: (each) => (each === pid ? '' : null) };
  }

  #verifyAfterOpening(engine: StorageEngine): void {
    const number = readNumber(engine);
    const { promised } = this.#model;
    check(number >= promised, `commit ${promised} was acknowledged, ${number} is the last there`);
    check(number <= this.#number, `commit ${number} never was`);
    this.#model.forgetAfter(number);
    this.#number = number;
    this.#applied = number;
    verifyTrees(this.#model.trees, engine.commitLsn, engine.pages.reader);
    this.#verifyDropped(engine);
    const { defects } = engine.check();
    check(defects.length === 0, `check found ${defects.slice(0, 5).join('; ')}`);
  }

  /** Trees that were dropped, or whose making was rolled back, are not there. */
  #verifyDropped(engine: StorageEngine): void {
    for (let tree = 1; tree <= this.#treesSeen; tree++) {
      if (this.#model.trees.has(tree as TreeId)) continue;
      check(!engine.trees.hasTree(tree as TreeId), `tree ${tree} is there too much`);
    }
  }

  #live(engine: StorageEngine): void {
    const random = this.#random;
    const disk = this.#disk;
    this.#reader = new PageReader(engine.pages.memory, READER_THREAD, {
      data: disk.directory().open('heddle.db', 'read'),
      spill: disk.directory().open('heddle.spill', 'read'),
    });
    const operationsMax = LIFE_OPERATIONS[random.below(LIFE_OPERATIONS.length)]!;
    disk.cutPowerAt(disk.operations + 1 + random.below(operationsMax));
    if (this.#faults === 'errors') disk.failAt(disk.operations + 1 + random.below(300));
    if (this.#faults === 'full') disk.limitCapacity(disk.used + random.below(400_000));
    try {
      this.#work(engine);
      if (random.chance(0.3)) {
        engine.close();
        this.#model.promised = this.#number;
      }
    } catch (thrown) {
      if (!disk.powerIsCut) this.#endOfFailure(engine, thrown);
    }
    disk.limitCapacity(Number.POSITIVE_INFINITY);
    this.#large = null;
    this.#reading = null;
    // Whatever ended the life, the next begins after a cut or after the death of the process.
    if (disk.powerIsCut || random.chance(0.5)) {
      if (disk.powerIsCut) this.#result.powerCuts++;
      disk.restartAfterPowerCut();
    } else {
      disk.restartAfterProcessDeath();
    }
  }

  #endOfFailure(engine: StorageEngine, thrown: unknown): void {
    if (engine.failure === null) {
      // A stop that a full disk made unclean. Nothing was lost by it.
      check(isRefusal(thrown), `the engine goes on after ${describeError(thrown)}`, thrown);
      this.#result.refusals++;
      return;
    }
    check(
      thrown instanceof PgError && engine.failure.fields.sqlstate !== 'XX000',
      `the engine failed with ${describeError(thrown)}`,
      thrown,
    );
    this.#result.errors++;
    try {
      // Readers go on with what was published.
      const snapshots = new Snapshots(engine.pages.memory);
      const snapshot = snapshots.acquire(READER_THREAD);
      verifyTrees(this.#model.at(this.#applied), snapshot, this.#reader!);
      snapshots.release(READER_THREAD);
      engine.close();
    } catch (closing) {
      if (!this.#disk.powerIsCut) throw closing;
    }
  }

  #work(engine: StorageEngine): void {
    const random = this.#random;
    const steps = 5 + random.below(60);
    for (let step = 0; step < steps; step++) {
      const action = random.below(20);
      if (action < 13) this.#commitGroup(engine);
      else if (action < 15) this.#advanceLarge(engine);
      else if (action < 18) this.#background(engine, 1 + random.below(10));
      else if (action === 18) this.#readSnapshot(engine);
      else this.#checkpoint(engine);
    }
    if (this.#large !== null) {
      engine.releaseLog(this.#large.xid);
      this.#large = null;
    }
    this.#finishReading(engine);
  }

  #background(engine: StorageEngine, slices: number): void {
    try {
      for (let i = 0; i < slices; i++) engine.step();
    } catch (thrown) {
      this.#tolerateRefusal(engine, thrown);
    }
  }

  #checkpoint(engine: StorageEngine): void {
    try {
      engine.checkpoint();
      this.#result.checkpoints++;
      // Whatever reached the checkpoint is in the data file.
      this.#model.promised = this.#number;
    } catch (thrown) {
      this.#tolerateRefusal(engine, thrown);
    }
  }

  #tolerateRefusal(engine: StorageEngine, thrown: unknown): void {
    if (engine.failure !== null || !isRefusal(thrown)) throw thrown;
    this.#result.refusals++;
  }

  #commitGroup(engine: StorageEngine): void {
    const random = this.#random;
    const first = this.#number + 1;
    const count = 1 + random.below(3);
    let trees = this.#model.at(this.#number);
    for (let i = 0; i < count; i++) {
      try {
        if (!this.#logTransaction(engine, trees)) trees = this.#model.at(this.#number);
      } catch (thrown) {
        this.#tolerateRefusal(engine, thrown);
        trees = this.#model.at(this.#number);
      }
    }
    const group = this.#model.pending.filter((each) => each.number >= first);
    if (group.length === 0) return;
    // Some do not wait for the disk (synchronous_commit = off).
    if (random.chance(0.85)) {
      engine.flush();
      this.#model.promised = this.#number;
    }
    if (random.chance(0.1)) this.#background(engine, 1 + random.below(4));
    if (random.chance(0.8)) {
      applyGroup(engine, group);
    } else {
      // Logged together, applied one after the other, as when a group forms while another is synced.
      for (const committed of group) {
        applyGroup(engine, [committed]);
        this.#applied = committed.number;
        if (random.chance(0.5)) this.#background(engine, 1);
      }
    }
    this.#published(group.length);
  }

  /** Logs a transaction with savepoints; `trees` is the state before, and after. False when it was
   * rolled back, and `trees` is worth nothing. */
  #logTransaction(engine: StorageEngine, trees: Trees): boolean {
    const random = this.#random;
    const xid = engine.nextXid();
    const changes: Change[] = [];
    const subXids: number[] = [];
    this.#ensureFirstTree(engine, xid, trees, changes);
    const parts = random.chance(0.3) ? 3 : 1;
    for (let part = 0; part < parts; part++) {
      const isSub = part > 0;
      const writer = isSub ? engine.nextXid() : xid;
      const isRolledBack = isSub && random.chance(0.4);
      const kept = isRolledBack ? cloneTrees(trees) : null;
      const partChanges: Change[] = [];
      this.#logChanges(engine, writer, trees, partChanges);
      if (kept !== null) {
        trees.clear();
        for (const [tree, entries] of kept) trees.set(tree, entries);
      } else {
        changes.push(...partChanges);
        if (isSub) subXids.push(writer);
      }
    }
    if (random.chance(0.1)) {
      engine.log.abort(xid);
      return false;
    }
    this.#logCommit(engine, xid, subXids, changes);
    return true;
  }

  #logCommit(
    engine: StorageEngine,
    xid: number,
    subXids: readonly number[],
    changes: Change[],
  ): void {
    const number = this.#number + 1;
    const stamp = numberStamp(number);
    this.#logChange(
      engine,
      xid,
      { kind: 'put', tree: FIRST_TREE, key: NUMBER_KEY, stamp },
      changes,
    );
    engine.log.commit(xid, number, subXids);
    this.#number = number;
    this.#model.pending.push({ number, changes, end: engine.log.appendedLsn });
  }

  /** The first tree is made by the first transaction and stays. */
  #ensureFirstTree(engine: StorageEngine, xid: number, trees: Trees, changes: Change[]): void {
    if (trees.size > 0) return;
    const tree = FIRST_TREE;
    while (engine.nextTreeId() < tree);
    trees.set(tree, new Map());
    this.#logChange(engine, xid, { kind: 'createTree', tree }, changes);
  }

  #logChanges(engine: StorageEngine, xid: number, trees: Trees, changes: Change[]): void {
    const random = this.#random;
    if (random.chance(0.1) && trees.size < TREES_MAX) {
      const tree = engine.nextTreeId();
      this.#treesSeen = Math.max(this.#treesSeen, tree);
      trees.set(tree, new Map());
      this.#logChange(engine, xid, { kind: 'createTree', tree }, changes);
      if (random.chance(0.5)) this.#logBatch(engine, xid, tree, trees.get(tree)!, changes);
    } else if (random.chance(0.05) && trees.size > 2) {
      const candidates = [...trees.keys()].filter((each) => each !== FIRST_TREE);
      const tree = candidates[random.below(candidates.length)]!;
      trees.delete(tree);
      this.#logChange(engine, xid, { kind: 'dropTree', tree }, changes);
    }
    const ids = [...trees.keys()];
    const count = 1 + random.below(8);
    for (let i = 0; i < count; i++) {
      const tree = ids[random.below(ids.length)]!;
      const entries = trees.get(tree)!;
      const key = `key ${random.below(400)}`;
      if (random.chance(0.3)) {
        entries.delete(key);
        this.#logChange(engine, xid, { kind: 'delete', tree, key }, changes);
      } else {
        const stamp = ++this.#stamp;
        entries.set(key, stamp);
        this.#logChange(engine, xid, { kind: 'put', tree, key, stamp }, changes);
      }
    }
  }

  #logBatch(
    engine: StorageEngine,
    xid: number,
    tree: TreeId,
    entries: Map<string, number>,
    changes: Change[],
  ): void {
    const { log } = engine;
    log.beginBatch(xid, tree);
    const count = this.#random.below(60);
    for (let i = 0; i < count; i++) {
      const key = `key ${String(i).padStart(4, '0')}`;
      const stamp = ++this.#stamp;
      const keyBytes = encoder.encode(key);
      const value = valueBytes(stamp);
      log.batchEntry(keyBytes, 0, keyBytes.length, value, 0, value.length);
      entries.set(key, stamp);
      changes.push({ kind: 'put', tree, key, stamp });
    }
    log.finishBatch();
  }

  #logChange(engine: StorageEngine, xid: number, change: Change, changes: Change[]): void {
    const { log } = engine;
    switch (change.kind) {
      case 'put':
        log.put(xid, change.tree, encoder.encode(change.key), valueBytes(change.stamp));
        break;
      case 'delete':
        log.delete(xid, change.tree, encoder.encode(change.key));
        break;
      case 'createTree':
        log.createTree(xid, change.tree);
        break;
      case 'dropTree':
        log.dropTree(xid, change.tree);
    }
    changes.push(change);
  }

  /** Begins, continues, commits or gives up the transaction that logs as it goes. */
  #advanceLarge(engine: StorageEngine): void {
    const random = this.#random;
    if (this.#number === 0) return;
    try {
      const large = this.#large;
      if (large === null) {
        const xid = engine.nextXid();
        engine.holdLog(xid);
        this.#large = { xid, subXids: [], changes: [], prefix: `large ${xid}` };
      } else if (random.chance(0.3)) {
        this.#endLarge(engine, large);
      } else {
        this.#continueLarge(engine, large);
      }
    } catch (thrown) {
      if (this.#large !== null && engine.failure === null) {
        engine.releaseLog(this.#large.xid);
        this.#large = null;
      }
      this.#tolerateRefusal(engine, thrown);
    }
  }

  #continueLarge(engine: StorageEngine, large: LargeTransaction): void {
    const random = this.#random;
    const isSub = random.chance(0.5);
    const xid = isSub ? engine.nextXid() : large.xid;
    const changes: Change[] = [];
    const count = 1 + random.below(20);
    for (let i = 0; i < count; i++) {
      const key = `${large.prefix} ${random.below(100)}`;
      const stamp = ++this.#stamp;
      this.#logChange(engine, xid, { kind: 'put', tree: FIRST_TREE, key, stamp }, changes);
    }
    if (random.chance(0.5)) engine.log.write();
    if (isSub && random.chance(0.4)) return;
    if (isSub) large.subXids.push(xid);
    large.changes.push(...changes);
  }

  #endLarge(engine: StorageEngine, large: LargeTransaction): void {
    if (this.#random.chance(0.3)) {
      engine.log.abort(large.xid);
      engine.releaseLog(large.xid);
      this.#large = null;
      return;
    }
    this.#logCommit(engine, large.xid, large.subXids, large.changes);
    engine.flush();
    this.#model.promised = this.#number;
    engine.apply((writer) => {
      for (const change of large.changes) applyToPages(writer, change);
    });
    engine.releaseLog(large.xid);
    this.#large = null;
    this.#published(1);
  }

  #published(commitCount: number): void {
    this.#applied = this.#number;
    this.#model.settle(this.#model.promised);
    this.#result.commits += commitCount;
  }

  /** A reader takes a snapshot, holds it for a while, and must see that very state. */
  #readSnapshot(engine: StorageEngine): void {
    if (this.#reading !== null) {
      this.#finishReading(engine);
      return;
    }
    const snapshot = new Snapshots(engine.pages.memory).acquire(READER_THREAD);
    this.#reading = { snapshot, trees: this.#model.at(this.#number) };
  }

  #finishReading(engine: StorageEngine): void {
    const reading = this.#reading;
    if (reading === null) return;
    try {
      verifyTrees(reading.trees, reading.snapshot, this.#reader!);
    } catch (thrown) {
      // A page that could not be read costs the reader its statement.
      this.#tolerateRefusal(engine, thrown);
    }
    new Snapshots(engine.pages.memory).release(READER_THREAD);
    this.#reading = null;
  }
}

const FIRST_TREE = 1 as TreeId;
const NUMBER_STAMP_STEP = 16;
const NUMBER_STAMP_KIND = 4;

/** A stamp whose value is short and whose bytes give the number back. */
function numberStamp(number: number): number {
  return number * NUMBER_STAMP_STEP + NUMBER_STAMP_KIND;
}

function newMemory(): SharedMemory {
  return SharedMemory.create({
    frameCount: FRAME_COUNT,
    threadCount: 2,
    snapshotSlotCount: 1,
    pageCountMax: 4096,
    spillSlotCountMax: 4096,
  });
}

function applyGroup(engine: StorageEngine, group: readonly Committed[]): void {
  engine.apply((writer) => {
    for (const committed of group) {
      for (const change of committed.changes) applyToPages(writer, change);
    }
  }, group.at(-1)!.end);
}

function applyToPages(writer: BTreeWriter, change: Change): void {
  switch (change.kind) {
    case 'put': {
      const key = encoder.encode(change.key);
      const value = valueBytes(change.stamp);
      const lsn = writer.pager.groupLsn;
      writer.put(change.tree, key, 0, key.length, value, 0, value.length, lsn);
      return;
    }
    case 'delete': {
      const key = encoder.encode(change.key);
      writer.delete(change.tree, key, 0, key.length);
      return;
    }
    case 'createTree':
      writer.createTree(change.tree);
      return;
    case 'dropTree':
      writer.dropTree(change.tree);
  }
}

/** Number of the last transaction that the store holds. */
function readNumber(engine: StorageEngine): number {
  if (!engine.trees.hasTree(FIRST_TREE)) return 0;
  const { reader } = engine.pages;
  const cursor = new PageTreeCursor(reader, new TreeRoots(reader));
  const key = encoder.encode(NUMBER_KEY);
  reader.enter();
  cursor.reset(FIRST_TREE, engine.commitLsn);
  const isThere = cursor.seek(key, key.length, 'ge');
  check(isThere, 'the first tree has the number of the last commit');
  const { valueBytes: bytes, valueStart: at } = cursor;
  const stamp = bytes[at]! + bytes[at + 1]! * 256 + bytes[at + 2]! * 65536;
  reader.leave();
  return (stamp - NUMBER_STAMP_KIND) / NUMBER_STAMP_STEP;
}

/** Compares all trees as of a snapshot with what they have to hold. */
function verifyTrees(trees: Trees, snapshot: number, reader: PageReader): void {
  const roots = new TreeRoots(reader);
  const cursor = new PageTreeCursor(reader, roots);
  reader.enter();
  try {
    for (const [tree, entries] of trees) {
      check(roots.find(tree, snapshot) !== 0, `tree ${tree} is gone`);
      cursor.reset(tree, snapshot);
      verifyTree(tree, cursor, entries);
    }
  } finally {
    reader.leave();
  }
}

function verifyTree(tree: TreeId, cursor: PageTreeCursor, entries: Map<string, number>): void {
  let count = 0;
  for (let more = cursor.first(); more; more = cursor.next()) {
    const key = decodeUtf8(cursor.keyBytes, cursor.keyStart, cursor.keyEnd);
    const stamp = entries.get(key);
    check(stamp !== undefined, `tree ${tree} has the key "${key}" too much`);
    const found = cursor.valueBytes.subarray(cursor.valueStart, cursor.valueEnd);
    check(compareBytes(found, valueBytes(stamp)) === 0, `"${key}" of tree ${tree} is wrong`);
    count++;
  }
  check(count === entries.size, `tree ${tree} has ${count} entries of ${entries.size}`);
}

/** An error that cost one transaction or checkpoint, and left the engine working. */
function isRefusal(thrown: unknown): boolean {
  const sqlstates: readonly string[] = ['53100', '58030'];
  return (
    thrown instanceof PgError &&
    !(thrown instanceof LogFailure) &&
    sqlstates.includes(thrown.sqlstate)
  );
}

function describeError(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

function check(condition: boolean, message: string, cause?: unknown): asserts condition {
  if (!condition) throw new Error(message, { cause });
}
