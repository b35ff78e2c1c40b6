import { expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import { PgError } from '../../src/errors/index.ts';
import { SimulatedDisk } from '../../src/io/index.ts';
import { SharedMemory } from '../../src/shm/index.ts';
import { PageTreeCursor, StorageEngine, type TreeId, TreeRoots } from '../../src/storage/index.ts';

const TREE = 1 as TreeId;
const COMMITS = 60;
const SEGMENT_SIZE = 16 * 1024;

function open(disk: SimulatedDisk): StorageEngine {
  const memory = SharedMemory.create({
    frameCount: 64,
    threadCount: 2,
    snapshotSlotCount: 1,
    pageCountMax: 1024,
    spillSlotCountMax: 1024,
  });
  return StorageEngine.open(disk.directory(), memory, {
    segmentSize: SEGMENT_SIZE,
    minWalSize: 0,
  });
}

/** Commits one key after the other, with a checkpoint somewhere, and dies. */
function makeStore(random: SeededRandom): SimulatedDisk {
  const disk = new SimulatedDisk({ seed: 1 });
  const engine = open(disk);
  engine.log.createTree(1, TREE);
  engine.log.commit(1, 0);
  engine.apply((trees) => trees.createTree(TREE));
  const checkpointAt = random.below(COMMITS);
  const value = new Uint8Array(700).fill(1);
  for (let i = 0; i < COMMITS; i++) {
    const key = Uint8Array.of(i);
    const xid = engine.nextXid();
    engine.log.put(xid, TREE, key, value);
    engine.log.commit(xid, 0);
    engine.flush();
    engine.apply((trees) => trees.put(TREE, key, 0, 1, value, 0, value.length, 1));
    if (i === checkpointAt) engine.checkpoint();
  }
  disk.restartAfterProcessDeath();
  disk.directory().remove('heddle.pid');
  return disk;
}

/** How many keys there are; they have to be the first ones. */
function countKeys(engine: StorageEngine): number {
  const { reader } = engine.pages;
  const cursor = new PageTreeCursor(reader, new TreeRoots(reader));
  cursor.reset(TREE, engine.commitLsn);
  let count = 0;
  reader.enter();
  try {
    for (let more = cursor.first(); more; more = cursor.next()) {
      expect(cursor.keyBytes[cursor.keyStart]).toBe(count++);
      for (let i = cursor.valueStart; i < cursor.valueEnd; i++) {
        if (cursor.valueBytes[i] !== 1) expect.unreachable('a wrong byte was read');
      }
    }
  } finally {
    reader.leave();
  }
  return count;
}

it('never passes for data: a damaged byte is reported, or nothing but the very last commit is gone', () => {
  const outcomes = { reported: 0, harmless: 0, lastLost: 0 };
  for (let seed = 0; seed < 400; seed++) {
    const random = new SeededRandom(seed);
    const disk = makeStore(random);
    const directory = disk.directory();
    const wal = directory.makeDirectory('wal');
    const files = ['heddle.db', 'control', ...wal.list().map((name) => `wal/${name}`)];
    const path = files[random.below(files.length)]!;
    const [, segment] = path.split('/');
    const size = (
      segment === undefined ? directory.open(path, 'read') : wal.open(segment, 'read')
    ).size();
    const length = 1 + random.below(4);
    const bytes = Uint8Array.from({ length }, () => random.below(256));
    disk.corrupt(path, random.below(size - length), bytes);
    try {
      const count = countKeys(open(disk));
      expect(count).toBeGreaterThanOrEqual(COMMITS - 1);
      if (count < COMMITS) outcomes.lastLost++;
      else outcomes.harmless++;
    } catch (thrown) {
      if (!(thrown instanceof PgError)) throw thrown;
      expect(thrown.sqlstate).toBe('XX001');
      outcomes.reported++;
    }
  }
  expect(outcomes.reported).toBeGreaterThan(50);
  expect(outcomes.lastLost).toBeLessThan(30);
});

it('reports a control file that lost its newer slot', () => {
  const disk = makeStore(new SeededRandom(1));
  open(disk).close();
  const clean = new Uint8Array(8192);
  disk.directory().open('control', 'read').readAt(clean, 0);
  const engine = open(disk);
  engine.log.put(engine.nextXid(), TREE, Uint8Array.of(COMMITS), new Uint8Array(1));
  engine.flush();
  disk.restartAfterProcessDeath();
  disk.directory().remove('heddle.pid');
  disk.corrupt('control', 0, clean);
  for (let attempt = 0; attempt < 2; attempt++) {
    expect(() => open(disk)).toThrow('the control file is older than the log');
  }
});
