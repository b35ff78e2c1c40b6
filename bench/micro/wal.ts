/** The log: append to the buffer, append and sync to a real disk, checksums, and a commit of one row
 * through the whole engine.
 *
 * Run `npm run build`, then `node dist/bench/micro/wal.js`. The log is made in the system's temporary
 * directory, or in the one that TMPDIR names. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { crc32 } from '../../src/base/index.ts';
import { type Directory, openMemoryDirectory, openNodeDirectory } from '../../src/io/index.ts';
import { SharedMemory } from '../../src/shm/index.ts';
import { type Lsn, StorageEngine, type TreeId } from '../../src/storage/index.ts';
import { WalSegments, WalWriter } from '../../src/storage/wal/index.ts';

/** About a row of pgbench_accounts. */
const KEY = new Uint8Array(8).fill(7);
const VALUE = new Uint8Array(100).fill(9);
const TREE = 1 as TreeId;
const SEGMENT_SIZE = 16 * 1024 * 1024;
/** Operations in one run of a task that does not sync. */
const BATCH = 1000;
const KEPT_SEGMENTS = 4;

function newLog(directory: Directory): WalWriter {
  const segments = new WalSegments(directory.makeDirectory('wal'), SEGMENT_SIZE);
  return new WalWriter(segments, SEGMENT_SIZE as Lsn, 1);
}

function appendCommit(log: WalWriter): void {
  log.putRange(1, TREE, KEY, 0, KEY.length, VALUE, 0, VALUE.length);
  log.commit(1, 0);
}

export async function benchWal(directory: Directory): Promise<Bench> {
  const memoryLog = newLog(openMemoryDirectory());
  const diskLog = newLog(directory);
  const engine = StorageEngine.open(
    openMemoryDirectory(),
    SharedMemory.create({ frameCount: 4096, threadCount: 4, spillSlotCountMax: 4096 }),
    { maxWalSize: 8 * SEGMENT_SIZE, minWalSize: SEGMENT_SIZE },
  );
  engine.log.createTree(1, TREE);
  engine.log.commit(1, 0);
  engine.apply((trees) => trees.createTree(TREE));
  let next = 0;
  const key = new Uint8Array(8);
  const keyView = new DataView(key.buffer);
  const checked = new Uint8Array(8192);

  const bench = new Bench({ name: 'log', time: 1000, warmupTime: 200 });
  bench.add(`append: put of 108 bytes and commit, ${BATCH}`, () => {
    for (let i = 0; i < BATCH; i++) appendCommit(memoryLog);
    memoryLog.flush();
    memoryLog.recycle(memoryLog.syncedLsn, KEPT_SEGMENTS);
  });
  bench.add('append + sync: put and commit, on disk', () => {
    appendCommit(diskLog);
    diskLog.flush();
  });
  bench.add('append + sync: 32 transactions, on disk', () => {
    for (let i = 0; i < 32; i++) appendCommit(diskLog);
    diskLog.flush();
  });
  bench.add(`engine: ${BATCH} commits of one row, in memory`, () => {
    for (let i = 0; i < BATCH; i++) {
      keyView.setUint32(4, (next++ * 7919) % 100_000);
      engine.log.putRange(1, TREE, key, 0, 8, VALUE, 0, VALUE.length);
      engine.log.commit(1, 0);
      engine.flush();
      engine.beginGroup();
      engine.trees.put(TREE, key, 0, 8, VALUE, 0, VALUE.length, engine.pages.groupLsn);
      engine.publish();
      engine.step();
    }
  });
  for (const size of [64, 256, 1024, 8192]) {
    bench.add(`crc32: ${size} bytes, ${BATCH}`, () => {
      for (let i = 0; i < BATCH; i++) crc32(checked, 0, size);
    });
  }
  await bench.run();
  engine.close();
  return bench;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = mkdtempSync(join(tmpdir(), 'heddle-wal-'));
  try {
    const bench = await benchWal(openNodeDirectory(path));
    console.table(bench.table());
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}
