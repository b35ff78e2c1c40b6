import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import { SimulatedDisk } from '../../src/io/index.ts';
import { CommitGroup } from '../../src/runtime/worker/commit-group.ts';
import { createLogSyncWords, LogSync } from '../../src/runtime/worker/log-sync.ts';
import { SharedMemory } from '../../src/shm/index.ts';
import { PageTreeCursor, StorageEngine, type TreeId, TreeRoots } from '../../src/storage/index.ts';
import { CommitHistory, Transaction, type WriteSpill } from '../../src/txn/index.ts';
import { bytesOf, MemoryFile, text } from './support.ts';

type Trees = Map<TreeId, Map<string, string>>;

/** A store that large and small transactions change, and that crashes and recovers. `states` are what
 * it may hold after a crash: the first what was acknowledged, the others what was committed since. */
class Life {
  readonly engine: StorageEngine;
  readonly group: CommitGroup;
  readonly random: SeededRandom;
  readonly states: Trees[];
  private readonly spill: WriteSpill;
  private readonly files: MemoryFile[] = [];
  private failure: unknown = null;

  constructor(disk: SimulatedDisk, random: SeededRandom, state: Trees, budget = 30_000) {
    this.random = random;
    const memory = SharedMemory.create({
      frameCount: 160,
      threadCount: 4,
      pageCountMax: 1 << 16,
      spillSlotCountMax: 1 << 14,
    });
    this.states = [state];
    this.engine = StorageEngine.open(disk.directory(), memory, {
      segmentSize: 128 * 1024,
      minWalSize: 0,
      maxWalSize: 1024 * 1024,
      isLockHeld: true,
    });
    const sync = new LogSync(this.engine.log, memory, 2, createLogSyncWords());
    this.group = new CommitGroup(this.engine, sync, new CommitHistory());
    const createFile = (): MemoryFile => {
      const file = new MemoryFile();
      this.files.push(file);
      return file;
    };
    this.spill = { budget, engine: this.engine, createFile };
  }

  /** Runs some transactions; throws when the power is cut. */
  run(): void {
    for (let i = 0; i < 12; i++) {
      if (this.random.chance(0.5)) this.large();
      else this.small();
      while (!this.group.isIdle) this.turn();
    }
    for (const file of this.files) expect(file.isClosed).toBe(true);
    // What readers see does not come from the log.
    this.holds(this.states);
  }

  /** Two transactions of many keys in no order; the second replaces and deletes. */
  scatter(): void {
    const tree = this.engine.nextTreeId();
    for (const made of [[tree], []]) {
      const transaction = this.begin();
      const trees = this.newest;
      if (made.length > 0) {
        transaction.writes.createTree(tree);
        trees.set(tree, new Map());
      }
      for (let i = 0; i < 2000; i++) {
        const number = this.random.below(4000);
        if (made.length > 0 || i % 2 === 0) this.put(transaction, trees, tree, number);
        else this.delete(transaction, trees, tree, number);
      }
      this.commit(transaction, trees, made, []);
      while (!this.group.isIdle) this.turn();
    }
  }

  private turn(): void {
    try {
      this.group.run(false);
      if (!this.group.isApplying) this.engine.step();
    } catch (thrown) {
      this.group.failPending(thrown);
      throw thrown;
    }
    if (this.failure !== null) throw this.failure;
    // While a large transaction is applied, others come.
    if (this.group.isApplying && this.random.chance(0.3)) this.small();
  }

  private begin(): Transaction {
    return new Transaction(1, 'read committed', 0, this.spill);
  }

  private get newest(): Trees {
    return copyOf(this.states.at(-1)!);
  }

  private commit(transaction: Transaction, trees: Trees, made: TreeId[], dropped: TreeId[]): void {
    this.states.push(trees);
    this.group.add(
      {
        transaction,
        createdTrees: made,
        droppedTrees: dropped,
        verify() {},
        committed: () => this.states.splice(0, this.states.indexOf(trees)),
        failed: (error) => {
          this.failure = error;
        },
      },
      false,
    );
  }

  private small(): void {
    const transaction = this.begin();
    const trees = this.newest;
    const [tree] = [...trees.keys()];
    if (tree === undefined) return;
    this.put(transaction, trees, tree, this.random.below(2000));
    this.commit(transaction, trees, [], []);
  }

  private large(): void {
    const { random, engine } = this;
    const transaction = this.begin();
    let trees = this.newest;
    let made: TreeId[] = [];
    const dropped: TreeId[] = [];
    let saved: { trees: Trees; made: TreeId[] } | null = null;
    for (let step = random.below(8) + 1; step > 0; step--) {
      const action = random.below(10);
      if (action < 2 || trees.size === 0) {
        const tree = engine.nextTreeId();
        transaction.writes.createTree(tree);
        made.push(tree);
        trees.set(tree, new Map());
      } else if (action < 3) {
        saved = { trees: copyOf(trees), made: [...made] };
        transaction.defineSavepoint('s');
      } else if (action < 4 && saved !== null) {
        transaction.rollbackToSavepoint('s');
        trees = copyOf(saved.trees);
        made = [...saved.made];
      } else this.fill(transaction, trees);
      transaction.command++;
      engine.step();
      if (random.chance(0.2)) engine.checkpoint();
    }
    if (random.chance(0.2)) {
      transaction.writes.abort();
      return;
    }
    if (random.chance(0.2) && trees.size > 3) {
      const tree = [...trees.keys()].at(random.below(trees.size))!;
      trees.delete(tree);
      dropped.push(tree);
    }
    this.commit(transaction, trees, made, dropped);
  }

  private fill(transaction: Transaction, trees: Trees): void {
    const { random } = this;
    const tree = [...trees.keys()][random.below(trees.size)]!;
    const how = random.below(3);
    const count = random.below(1800);
    const start = how === 0 ? 10_000 + random.below(50_000) : 0;
    for (let i = 0; i < count; i++) {
      if (how === 0) this.put(transaction, trees, tree, start + i);
      else if (how === 1) this.put(transaction, trees, tree, random.below(4000));
      else if (i < 200) this.delete(transaction, trees, tree, random.below(4000));
    }
  }

  private put(transaction: Transaction, trees: Trees, tree: TreeId, number: number): void {
    const key = keyOf(number);
    const value = `${this.random.u32()}`.padEnd(this.random.below(50), '.');
    const { writes, command } = transaction;
    writes.put(tree, bytesOf(key), 0, key.length, bytesOf(value), 0, value.length, command);
    trees.get(tree)!.set(key, value);
  }

  private delete(transaction: Transaction, trees: Trees, tree: TreeId, number: number): void {
    const key = keyOf(number);
    transaction.writes.delete(tree, bytesOf(key), 0, key.length, transaction.command);
    trees.get(tree)!.delete(key);
  }

  /** Which of the states the store holds; fails when it is none of them. */
  holds(states: readonly Trees[]): Trees {
    const report = this.engine.check();
    expect(report.defects).toEqual([]);
    const found = this.content(
      report.trees.filter(({ isDropped }) => !isDropped).map(({ tree }) => tree),
    );
    const state = states.find((one) => isSame(one, found));
    if (state === undefined) throw new Error(`it holds none of ${states.length} states`);
    return state;
  }

  private content(ids: readonly TreeId[]): Trees {
    const { reader } = this.engine.pages;
    const trees: Trees = new Map();
    reader.enter();
    for (const id of ids) {
      const cursor = new PageTreeCursor(reader, new TreeRoots(reader));
      cursor.reset(id, this.engine.commitLsn);
      const entries = new Map<string, string>();
      for (let more = cursor.first(); more; more = cursor.next()) {
        const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = cursor;
        entries.set(text(keyBytes, keyStart, keyEnd), text(valueBytes, valueStart, valueEnd));
      }
      trees.set(id, entries);
    }
    reader.leave();
    return trees;
  }
}

function isSame(a: Trees, b: Trees): boolean {
  if (a.size !== b.size) return false;
  for (const [tree, entries] of a) {
    const other = b.get(tree);
    if (other === undefined || other.size !== entries.size) return false;
    for (const [key, value] of entries) if (other.get(key) !== value) return false;
  }
  return true;
}

function copyOf(trees: Trees): Trees {
  return new Map([...trees].map(([tree, entries]) => [tree, new Map(entries)]));
}

function keyOf(number: number): string {
  return `k${`${number}`.padStart(8, '0')}`;
}

describe('large commits', () => {
  it('have all keys on the pages that came in no order', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const disk = new SimulatedDisk({ seed });
      const life = new Life(disk, new SeededRandom(seed), new Map(), ROOMY);
      life.scatter();
      life.holds([life.states.at(-1)!]);
      life.engine.close();
    }
  });

  it('are there whole or not at all after a crash at any moment', () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = new SeededRandom(seed);
      const disk = new SimulatedDisk({ seed });
      let states: readonly Trees[] = [new Map()];
      try {
        for (let life = 0; life < 4; life++) {
          const now = new Life(disk, random, states[0]!, life % 2 === 0 ? 30_000 : ROOMY);
          const state = now.holds(states);
          now.states[0] = state;
          const cuts = random.chance(0.7);
          if (cuts) disk.cutPowerAt(disk.operations + random.below(600));
          try {
            now.run();
            if (random.chance(0.3)) now.engine.close();
          } catch (thrown) {
            if (!disk.powerIsCut) throw thrown;
          }
          states = now.states;
          if (disk.powerIsCut) disk.restartAfterPowerCut();
          else disk.restartAfterProcessDeath();
        }
      } catch (thrown) {
        throw new Error(`seed ${seed}`, { cause: thrown });
      }
    }
  });
});

const SEEDS = 8;
/** A budget with which changes in no order stay in memory. */
const ROOMY = 1_000_000;
