import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import type { SeekMode, TreeId } from '../../src/storage/index.ts';
import { OverlayCursor, WriteCursor, WriteSet } from '../../src/txn/index.ts';
import { bytesOf, MapCursor, MemorySpill, text } from './support.ts';

const TREE = 7 as TreeId;
const OTHER = 8 as TreeId;
const XID = 50;

/** What a transaction of the model has done, with one change list of its keys after each command. */
interface Model {
  /** The newest content, committed entries included. */
  entries: Map<string, string>;
  /** Keys that were changed and not rolled back, with null for a deletion. */
  changes: Map<string, string | null>;
}

class Simulation {
  readonly random: SeededRandom;
  readonly spill: MemorySpill;
  readonly writes: WriteSet;
  readonly base = new Map<string, string>();
  model: Model;
  /** The content as the command before the present one left it. */
  visible = new Map<string, string>();
  command = 1;
  savepoints: { mark: number; model: Model; visible: Map<string, string> }[] = [];
  private readonly keyCount: number;
  private ascending = 0;
  private stamp = 0;

  constructor(seed: number, budget: number, keyCount: number, hasBase: boolean) {
    this.random = new SeededRandom(seed);
    this.keyCount = keyCount;
    this.spill = new MemorySpill(budget);
    this.writes = new WriteSet(this.spill);
    if (hasBase) {
      for (let i = 0; i < keyCount; i += 3) this.base.set(key(i), `base ${i}`);
    }
    this.model = { entries: new Map(this.base), changes: new Map() };
    this.visible = new Map(this.base);
    this.writes.createTree(TREE);
    this.writes.createTree(OTHER);
  }

  step(): void {
    if (this.model.changes.size > 0) expect(this.writes.isEmpty).toBe(false);
    const action = this.random.below(100);
    if (action < 50) this.put(this.random.below(this.keyCount));
    else if (action < 65) this.delete(this.random.below(this.keyCount));
    else if (action < 67) this.append();
    else if (action < 68) this.scatter();
    else if (action < 78) this.nextCommand();
    else if (action < 82) this.defineSavepoint();
    else if (action < 85) this.rollBack();
    else if (action < 86) this.savepoints.length = this.random.below(this.savepoints.length + 1);
    else if (action < 93) this.find();
    else this.walk();
  }

  private put(number: number): void {
    const value = `${this.stamp++}`.padEnd(this.random.below(60), '.');
    this.putEntry(TREE, key(number), value);
    if (this.random.below(4) === 0) this.putOther(number);
    this.model.entries.set(key(number), value);
    this.model.changes.set(key(number), value);
  }

  /** A second tree, so that a spill has more than one. */
  private putOther(number: number): void {
    this.putEntry(OTHER, key(number), 'other');
  }

  private putEntry(tree: TreeId, key: string, value: string): void {
    const keyBytes = bytesOf(`..${key}`);
    const valueBytes = bytesOf(`.${value}`);
    const { command } = this;
    this.writes.put(tree, keyBytes, 2, keyBytes.length, valueBytes, 1, valueBytes.length, command);
  }

  private delete(number: number): void {
    const bytes = bytesOf(key(number));
    this.writes.delete(TREE, bytes, 0, bytes.length, this.command);
    this.model.entries.delete(key(number));
    this.model.changes.set(key(number), null);
  }

  /** Many keys in ascending order, behind all others. */
  private append(): void {
    const count = this.random.below(3000);
    for (let i = 0; i < count; i++) this.put(1_000_000 + this.ascending++);
  }

  /** Many keys in no order. */
  private scatter(): void {
    for (let count = this.random.below(1500); count > 0; count--) {
      const number = this.random.below(this.keyCount);
      if (this.random.below(3) === 0) this.delete(number);
      else this.put(number);
      if (this.random.below(200) === 0) this.nextCommand();
    }
  }

  private nextCommand(): void {
    this.command++;
    this.visible = new Map(this.model.entries);
  }

  private defineSavepoint(): void {
    this.nextCommand();
    this.savepoints.push({
      mark: this.writes.mark,
      model: copyOf(this.model),
      visible: new Map(this.visible),
    });
  }

  private rollBack(): void {
    if (this.savepoints.length === 0) return;
    const at = this.random.below(this.savepoints.length);
    const { mark, model } = this.savepoints[at]!;
    this.savepoints.length = at + 1;
    this.writes.rollbackTo(mark);
    this.model = copyOf(model);
    this.nextCommand();
  }

  private find(): void {
    const name = key(this.random.below(this.keyCount));
    const bytes = bytesOf(name);
    const version = this.writes.find(TREE, bytes, 0, bytes.length)?.latest ?? null;
    const expected = this.model.changes.get(name);
    if (version === null) expect(expected).toBeUndefined();
    else if (version.bytes === null) expect(expected).toBeNull();
    else expect(text(version.bytes, version.start, version.end)).toBe(expected);
  }

  /** Moves a cursor about, while more is written, which it must not see. */
  private walk(): void {
    const names = [...this.visible.keys()].sort();
    const cursor = this.cursor(this.command);
    let at = this.startWalk(cursor, names);
    for (let moves = this.random.below(30); moves > 0; moves--) {
      const isThere = at >= 0 && at < names.length;
      if (isThere) this.verify(cursor, names[at]!);
      else return;
      if (this.random.below(3) === 0) {
        this.put(this.random.below(this.keyCount));
        if (this.random.below(2) === 0) {
          cursor.refresh();
          this.verify(cursor, names[at]!);
        }
      }
      const isForward = this.random.below(4) > 0;
      at += isForward ? 1 : -1;
      const moved = isForward ? cursor.next() : cursor.prev();
      expect(moved).toBe(at >= 0 && at < names.length);
    }
  }

  private startWalk(cursor: OverlayCursor, names: readonly string[]): number {
    const how = this.random.below(6);
    if (how === 0) {
      expect(cursor.first()).toBe(names.length > 0);
      return 0;
    }
    if (how === 1) {
      expect(cursor.last()).toBe(names.length > 0);
      return names.length - 1;
    }
    const mode = (['ge', 'gt', 'le', 'lt'] as const)[how - 2]!;
    const name = key(this.random.below(this.keyCount));
    const at = position(names, name, mode);
    const bytes = bytesOf(name);
    expect(cursor.seek(bytes, bytes.length, mode)).toBe(at >= 0 && at < names.length);
    return at;
  }

  private verify(cursor: OverlayCursor, name: string): void {
    expect(text(cursor.keyBytes, cursor.keyStart, cursor.keyEnd)).toBe(name);
    expect(text(cursor.valueBytes, cursor.valueStart, cursor.valueEnd)).toBe(
      this.visible.get(name),
    );
  }

  cursor(command: number): OverlayCursor {
    return new OverlayCursor(new MapCursor(this.base), this.writes, TREE, command);
  }

  verifyAll(): void {
    this.nextCommand();
    const names = [...this.visible.keys()].sort();
    const cursor = this.cursor(this.command);
    const found: string[] = [];
    for (let more = cursor.first(); more; more = cursor.next()) {
      found.push(text(cursor.keyBytes, cursor.keyStart, cursor.keyEnd));
      this.verify(cursor, found.at(-1)!);
    }
    expect(found).toEqual(names);
    const backward: string[] = [];
    for (let more = cursor.last(); more; more = cursor.prev()) {
      backward.push(text(cursor.keyBytes, cursor.keyStart, cursor.keyEnd));
    }
    expect(backward.reverse()).toEqual(names);
  }

  /** Commits, and redoes what the log has then. */
  verifyLog(): void {
    const { recorded } = this.spill;
    for (const tree of [TREE, OTHER]) {
      if (!this.writes.tree(tree).isCreationLogged) recorded.createTree(XID, tree);
    }
    const subXids = this.writes.appendRest(this.spill.engine.log, XID);
    const redone = recorded.redo(TREE, new Set([XID, ...subXids]));
    const expected = [...this.model.changes].filter(([, value]) => value !== null);
    expect(new Map([...redone].sort())).toEqual(new Map(expected.sort() as [string, string][]));
    expect(this.applied()).toEqual([...this.model.changes].sort());
    this.writes.close();
    expect(this.spill.openFileCount).toBe(0);
    expect(this.spill.held.size).toBe(0);
  }

  /** What a commit puts into the pages once the log has it: a cursor made then has all changes. */
  private applied(): [string, string | null][] {
    const changes: [string, string | null][] = [];
    const cursor = new WriteCursor(this.writes, this.writes.tree(TREE));
    for (cursor.first(); cursor.isValid; cursor.step()) {
      if (!cursor.resolve(Number.POSITIVE_INFINITY)) continue;
      const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = cursor;
      const value = valueBytes === null ? null : text(valueBytes, valueStart, valueEnd);
      changes.push([text(keyBytes, keyStart, keyEnd), value]);
    }
    return changes;
  }
}

function copyOf(model: Model): Model {
  return { entries: new Map(model.entries), changes: new Map(model.changes) };
}

function key(number: number): string {
  return `key ${`${number}`.padStart(8, '0')}`;
}

function position(names: readonly string[], name: string, mode: SeekMode): number {
  const found = names.findIndex((n) => n >= name);
  const behind = found < 0 ? names.length : found;
  const isThere = names[behind] === name;
  if (mode === 'ge') return behind;
  if (mode === 'gt') return isThere ? behind + 1 : behind;
  if (mode === 'lt') return behind - 1;
  return isThere ? behind : behind - 1;
}

describe('write set', () => {
  const shapes = [
    { name: 'in memory', budget: 1 << 30, keyCount: 100 },
    { name: 'a budget of a few changes', budget: 2_000, keyCount: 60 },
    { name: 'a small budget and many keys', budget: 20_000, keyCount: 4_000 },
    { name: 'many keys in memory', budget: 1 << 30, keyCount: 4_000 },
    { name: 'many keys, beyond the budget now and then', budget: 300_000, keyCount: 4_000 },
  ];
  for (const { name, budget, keyCount } of shapes) {
    for (const hasBase of [false, true]) {
      it(`does what a sorted map does: ${name}, ${hasBase ? 'over pages' : 'alone'}`, () => {
        for (let seed = 1; seed <= 6; seed++) {
          const simulation = new Simulation(seed, budget, keyCount, hasBase);
          try {
            for (let i = 0; i < 400; i++) simulation.step();
            simulation.verifyAll();
            simulation.verifyLog();
          } catch (thrown) {
            throw new Error(`seed ${seed}`, { cause: thrown });
          }
        }
      });
    }
  }

  it('has changes that come after many that were rolled back', () => {
    const writes = new WriteSet(new MemorySpill(1 << 30));
    const put = (number: number) => {
      const bytes = bytesOf(key(number));
      writes.put(TREE, bytes, 0, bytes.length, bytes, 0, bytes.length, 1);
    };
    const { mark } = writes;
    for (let i = 0; i < 10_000; i++) put((i * 7919) % 100_003);
    writes.rollbackTo(mark);
    expect(writes.isEmpty).toBe(true);
    put(5);
    expect(writes.isEmpty).toBe(false);
  });
});
