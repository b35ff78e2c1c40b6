import { describe, expect, it } from 'vitest';
import { PgError } from '../../../src/errors/index.ts';
import { type Directory, openMemoryDirectory, SimulatedDisk } from '../../../src/io/index.ts';
import { SharedMemory, WRITER_THREAD } from '../../../src/shm/index.ts';
import {
  LogFailure,
  openPageFiles,
  PAGE_SIZE,
  PageReader,
  PageTreeCursor,
  StorageEngine,
  type TreeId,
  TreeRoots,
} from '../../../src/storage/index.ts';

const text = (value: string) => new TextEncoder().encode(value);

function memory(): SharedMemory {
  return SharedMemory.create({
    frameCount: 128,
    threadCount: 4,
    snapshotSlotCount: 8,
    pageCountMax: 4096,
    spillSlotCountMax: 4096,
  });
}

function open(directory: Directory): StorageEngine {
  return StorageEngine.open(directory, memory(), {
    segmentSize: 64 * 1024,
    minWalSize: 0,
    maxWalSize: 1024 * 1024,
  });
}

function commit(engine: StorageEngine, tree: TreeId, entries: Record<string, string | null>) {
  const xid = engine.nextXid();
  for (const [key, value] of Object.entries(entries)) {
    if (value === null) engine.log.delete(xid, tree, text(key));
    else engine.log.put(xid, tree, text(key), text(value));
  }
  engine.log.commit(xid, 0);
  engine.flush();
  engine.apply((trees) => {
    for (const [key, value] of Object.entries(entries)) {
      const k = text(key);
      if (value === null) trees.delete(tree, k, 0, k.length);
      else {
        const v = text(value);
        trees.put(tree, k, 0, k.length, v, 0, v.length, engine.pages.groupLsn);
      }
    }
  });
}

function createTree(engine: StorageEngine): TreeId {
  const xid = engine.nextXid();
  const tree = engine.nextTreeId();
  engine.log.createTree(xid, tree);
  engine.log.commit(xid, 0);
  engine.flush();
  engine.apply((trees) => trees.createTree(tree));
  return tree;
}

function content(engine: StorageEngine, tree: TreeId, reader = engine.pages.reader) {
  const cursor = new PageTreeCursor(reader, new TreeRoots(reader));
  const found: Record<string, string> = {};
  reader.enter();
  cursor.reset(tree, engine.commitLsn);
  for (let more = cursor.first(); more; more = cursor.next()) {
    const key = new TextDecoder().decode(cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd));
    const { valueBytes, valueStart, valueEnd } = cursor;
    found[key] = new TextDecoder().decode(valueBytes.slice(valueStart, valueEnd));
  }
  reader.leave();
  return found;
}

describe('an engine', () => {
  it('has what was committed after a clean stop, without recovery', () => {
    const directory = openMemoryDirectory();
    const first = open(directory);
    expect(first.recovery.isNew).toBe(true);
    const tree = createTree(first);
    commit(first, tree, { a: '1', b: '2' });
    commit(first, tree, { a: null, c: 'x'.repeat(50_000) });
    const { systemId } = first;
    first.close();
    const second = open(directory);
    expect(second.recovery).toEqual({
      isNew: false,
      wasClean: true,
      finishedCheckpoint: false,
      redoneTransactionCount: 0,
    });
    expect(second.systemId).toBe(systemId);
    expect(content(second, tree)).toEqual({ b: '2', c: 'x'.repeat(50_000) });
    expect(second.nextTreeId()).toBe(tree + 1);
    second.close();
  });

  it('redoes what was committed when it was not stopped', () => {
    const directory = openMemoryDirectory();
    const first = open(directory);
    const tree = createTree(first);
    for (let i = 0; i < 500; i++) commit(first, tree, { [`key ${i}`]: `value ${i}` });
    first.checkpoint();
    for (let i = 250; i < 800; i++) {
      commit(first, tree, { [`key ${i}`]: i % 3 === 0 ? null : `changed ${i}` });
    }
    const expected = content(first, tree);
    const xid = first.nextXid();
    first.log.put(xid, tree, text('not committed'), text('x'));
    first.flush();

    directory.remove('heddle.pid');
    const second = open(directory);
    expect(second.recovery).toMatchObject({ wasClean: false, redoneTransactionCount: 550 });
    expect(content(second, tree)).toEqual(expected);
    expect(second.nextXid()).toBeGreaterThan(xid);
    commit(second, tree, { more: '1' });
    second.close();
    const third = open(directory);
    expect(content(third, tree)).toEqual({ ...expected, more: '1' });
    third.close();
  });

  it('lets readers on other threads load pages from its files', () => {
    const directory = openMemoryDirectory();
    const engine = open(directory);
    const tree = createTree(engine);
    for (let i = 0; i < 300; i++) commit(engine, tree, { [`key ${i}`]: 'v'.repeat(1500) });
    engine.checkpoint();
    const reader = new PageReader(engine.pages.memory, WRITER_THREAD + 1, openPageFiles(directory));
    expect(content(engine, tree, reader)).toEqual(content(engine, tree));
    engine.close();
  });

  it('tells a second owner that there is a first', () => {
    const directory = openMemoryDirectory('data');
    const engine = open(directory);
    expect(() => open(directory)).toThrow('lock file "data/heddle.pid" already exists');
    engine.close();
    open(directory).close();
  });

  it('does not take a directory that lost its control file for an empty one', () => {
    const directory = openMemoryDirectory('data');
    open(directory).close();
    directory.remove('control');
    expect(() => open(directory)).toThrow('control file "data/control" is missing');
  });

  it('appends after large transactions that never committed, and frees dropped trees in steps', () => {
    const directory = openMemoryDirectory();
    const first = open(directory);
    const tree = createTree(first);
    const doomed = createTree(first);
    for (let i = 0; i < 200; i++) commit(first, doomed, { [`key ${i}`]: 'v'.repeat(1000) });
    const large = first.nextXid();
    first.holdLog(large);
    first.log.put(large, tree, text('early'), text('1'));
    first.checkpoint();
    const drop = first.nextXid();
    first.log.dropTree(drop, doomed);
    first.log.commit(drop, 0);
    first.flush();
    first.apply((trees) => trees.dropTree(doomed));
    while (first.step());
    expect(first.check().freePageCount).toBeGreaterThan(20);
    first.log.commit(large, 0);
    first.flush();
    first.apply((trees) => trees.put(tree, text('early'), 0, 5, text('1'), 0, 1, 1));
    first.releaseLog(large);

    directory.remove('heddle.pid');
    const second = open(directory);
    // The record of the large transaction is older than the checkpoint.
    expect(content(second, tree)).toEqual({ early: '1' });
    expect(second.check().defects).toEqual([]);
    second.close();
  });
});

describe('recovery', () => {
  it('redoes more records from before the checkpoint than the log has positions after it', () => {
    const directory = openMemoryDirectory();
    const first = open(directory);
    const tree = createTree(first);
    const large = first.nextXid();
    const rolledBack = first.nextXid();
    first.holdLog(large);
    for (let i = 0; i < 5000; i++) {
      first.log.put(i % 5 === 0 ? rolledBack : large, tree, text(`key ${i}`), text(`${i}`));
    }
    first.checkpoint();
    first.log.commit(large, 0);
    first.flush();

    directory.remove('heddle.pid');
    const second = open(directory);
    expect(second.recovery.redoneTransactionCount).toBe(1);
    const found = content(second, tree);
    expect(Object.keys(found)).toHaveLength(4000);
    expect(found['key 4999']).toBe('4999');
    commit(second, tree, { 'key 0': 'again' });
    second.close();
    const third = open(directory);
    expect(Object.keys(content(third, tree))).toHaveLength(4001);
    third.close();
  });

  it('has what did not wait for the disk after a while', () => {
    const directory = openMemoryDirectory();
    let nowMs = 0;
    const engine = StorageEngine.open(directory, memory(), { nowMs: () => nowMs });
    engine.log.createTree(1, 1 as TreeId);
    engine.log.commit(1, 0);
    engine.step();
    nowMs = 199;
    engine.step();
    expect(engine.log.syncedLsn).toBeLessThan(engine.log.appendedLsn);
    nowMs = 200;
    engine.step();
    expect(engine.log.syncedLsn).toBe(engine.log.appendedLsn);
  });
});

describe('damage', () => {
  function store(): { disk: SimulatedDisk; tree: TreeId } {
    const disk = new SimulatedDisk({ seed: 1 });
    const engine = open(disk.directory());
    const tree = createTree(engine);
    for (let i = 0; i < 100; i++) commit(engine, tree, { [`key ${i}`]: 'v'.repeat(500) });
    engine.checkpoint();
    for (let i = 0; i < 100; i++) commit(engine, tree, { [`key ${i}`]: 'w'.repeat(500) });
    disk.restartAfterProcessDeath();
    disk.directory().remove('heddle.pid');
    return { disk, tree };
  }

  function failure(run: () => void): string {
    try {
      run();
    } catch (thrown) {
      if (!(thrown instanceof PgError)) throw thrown;
      return `${thrown.fields.severity} ${thrown.sqlstate} ${thrown.message}`;
    }
    return 'none';
  }

  it('of the log is named and not taken for its end, again and again', () => {
    const { disk } = store();
    // The second record after the checkpoint lies in the first two segments of the log.
    disk.corrupt('wal/0000000000020000', 4000, text('damage'));
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(failure(() => open(disk.directory()))).toMatch(
        /^FATAL XX001 invalid log record in file "disk:\/wal\/0000000000020000" at offset \d+: /,
      );
      expect(disk.directory().exists('heddle.pid')).toBe(false);
    }
  });

  it('of a page is named when the page is read, and the store stays open', () => {
    const { disk, tree } = store();
    const first = open(disk.directory());
    first.close();
    disk.corrupt('heddle.db', 3 * PAGE_SIZE + 1000, text('damage'));
    const engine = open(disk.directory());
    expect(failure(() => content(engine, tree))).toMatch(
      /^ERROR XX001 invalid page 3 of file "disk:\/heddle.db"/,
    );
    expect(engine.check().defects.join()).toContain('page 3');
    expect(engine.failure).toBeNull();
  });
});

describe('a disk that fails while committing', () => {
  it('leaves what was published readable, and loses nothing after reopening', () => {
    for (let distance = 1; distance < 3; distance++) {
      const disk = new SimulatedDisk({ seed: 2 });
      const engine = open(disk.directory());
      const tree = createTree(engine);
      commit(engine, tree, { a: '1' });
      disk.failAt(disk.operations + distance);
      expect(() => commit(engine, tree, { b: '2' })).toThrow(LogFailure);
      expect(content(engine, tree)).toEqual({ a: '1' });
      expect(() => commit(engine, tree, { c: '3' })).toThrow(LogFailure);
      expect(() => engine.beginGroup()).toThrow(LogFailure);
      expect(engine.step()).toBe(false);
      engine.close();
      const again = open(disk.directory());
      expect(content(again, tree)).toMatchObject({ a: '1' });
      commit(again, tree, { d: '4' });
      again.close();
    }
  });
});
