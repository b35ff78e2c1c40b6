import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SharedMemory, SharedWords, SnapshotSlotPool, Snapshots } from '../../src/shm/index.ts';
import { isPageMiss, PageReader, PageTreeCursor, TreeRoots } from '../../src/storage/index.ts';
import { resultOf, startThread } from './compiled.ts';
import {
  ACCOUNT_COUNT,
  BALANCE,
  FLAG_READY,
  FLAG_STOP,
  type StoreResult,
  type StoreTask,
  TREE,
} from './store-thread.ts';

const RUN_MS = 3000;
const seed = Date.now() & 0xffff;

/** Readers sum all balances while the writer moves money, checkpoints, and evicts. */
async function stress(frameCount: number): Promise<StoreResult[]> {
  const path = mkdtempSync(join(tmpdir(), 'heddle-threads-'));
  const memory = SharedMemory.create({
    frameCount,
    threadCount: 4,
    snapshotSlotCount: 16,
    pageCountMax: 1 << 16,
    spillSlotCountMax: 1 << 16,
  });
  const flagBuffer = SharedWords.create(2);
  const words = new SharedWords(flagBuffer);
  try {
    const task = { parts: memory.parts(), flags: flagBuffer, directory: path, seed };
    const results = [1, 2, 3].map((thread) => {
      const data: StoreTask = { ...task, role: thread === 1 ? 'write' : 'read', thread };
      return resultOf<StoreResult>(startThread('store-thread', data));
    });
    const all = Promise.all(results);
    const failed = all.then(
      () => true,
      () => true,
    );
    let deadline = Number.POSITIVE_INFINITY;
    const snapshots = new Snapshots(memory);
    const slots = new SnapshotSlotPool(memory);
    const reader = new PageReader(memory, 0, null);
    const cursor = new PageTreeCursor(reader, new TreeRoots(reader));
    let held = -1;
    let heldLsn = 0;
    // The main thread reads too, at a snapshot that it holds for a while, from memory alone.
    while (performance.now() < deadline) {
      const isOver = await Promise.race([failed, new Promise((r) => setTimeout(r, 20, false))]);
      if (isOver === true) break;
      if (words.load(FLAG_READY) === 0) continue;
      // On a busy machine the threads take their time to start.
      deadline = Math.min(deadline, performance.now() + RUN_MS);
      if (held >= 0 && Math.random() < 0.1) {
        slots.free(held);
        held = -1;
      }
      if (held < 0) {
        held = slots.allocate();
        heldLsn = snapshots.acquire(held);
      }
      let sum = 0;
      reader.enter();
      try {
        cursor.reset(TREE, heldLsn);
        for (let on = cursor.first(); on; on = cursor.next()) {
          sum += new DataView(cursor.valueBytes.buffer).getInt32(cursor.valueStart);
        }
        expect(sum).toBe(ACCOUNT_COUNT * BALANCE);
      } catch (error) {
        if (!isPageMiss(error)) throw error;
      } finally {
        reader.leave();
      }
    }
    words.store(FLAG_STOP, 1);
    return await all;
  } finally {
    words.store(FLAG_STOP, 1);
    rmSync(path, { recursive: true });
  }
}

test(`readers see whole commits while pages are evicted and spilled (seed ${seed})`, async () => {
  const [writer, ...readers] = await stress(96);
  expect(writer!.defects).toEqual([]);
  expect(writer!.count).toBeGreaterThan(10);
  expect(writer!.checkpointCount).toBeGreaterThan(0);
  expect(writer!.spilledCountMax).toBeGreaterThan(0);
  for (const { count, loadCount } of readers) {
    expect(count).toBeGreaterThan(5);
    expect(loadCount).toBeGreaterThan(100);
  }
}, 30_000);

test(`readers see whole commits with most pages in memory (seed ${seed})`, async () => {
  const [writer, ...readers] = await stress(1536);
  expect(writer!.defects).toEqual([]);
  expect(writer!.count).toBeGreaterThan(10);
  for (const { count } of readers) expect(count).toBeGreaterThan(5);
}, 30_000);
