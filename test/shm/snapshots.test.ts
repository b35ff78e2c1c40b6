import { expect, test } from 'vitest';
import { CommitPublisher, SharedMemory, SnapshotSlotPool, Snapshots } from '../../src/shm/index.ts';

function fixture() {
  const memory = SharedMemory.create({
    frameCount: 64,
    threadCount: 3,
    snapshotSlotCount: 2,
    pageCountMax: 64,
    spillSlotCountMax: 64,
  });
  const publisher = new CommitPublisher(memory);
  return {
    memory,
    publisher,
    snapshots: new Snapshots(SharedMemory.attach(memory.parts())),
    pool: new SnapshotSlotPool(memory),
    held: () => {
      const held: number[] = [];
      publisher.collectHeld(held);
      return held;
    },
  };
}

test('a snapshot is the last published LSN, also beyond 32 bits', () => {
  const { publisher, snapshots } = fixture();
  expect(snapshots.current()).toBe(0);
  for (const lsn of [1, 0x7fffffff, 0x80000000, 0xffffffff, 0x1_0000_0000, 2 ** 53 - 1]) {
    publisher.publish(lsn);
    expect(snapshots.current()).toBe(lsn);
    expect(snapshots.acquire(0)).toBe(lsn);
    expect(publisher.lsn).toBe(lsn);
  }
});

test('held LSNs are those in slots and the current one, until they are released', () => {
  const { publisher, snapshots, pool, held } = fixture();
  publisher.publish(10);
  snapshots.acquire(2);
  publisher.publish(20);
  const slot = pool.allocate();
  snapshots.acquire(slot);
  publisher.publish(30);
  publisher.publish(40);
  expect(held()).toEqual([10, 20, 40]);
  snapshots.release(2);
  expect(held()).toEqual([20, 40]);
  snapshots.acquire(2);
  expect(held()).toEqual([20, 40]);
  pool.free(slot);
  publisher.publish(50);
  expect(held()).toEqual([40, 50]);
});

test('a writer that is started anew goes on from the words', () => {
  const { memory, publisher, snapshots } = fixture();
  publisher.publish(77);
  expect(new CommitPublisher(memory).lsn).toBe(77);
  expect(snapshots.current()).toBe(77);
});

test('slots run out and are used again', () => {
  const { pool } = fixture();
  const a = pool.allocate();
  const b = pool.allocate();
  expect([a, b, pool.allocate()]).toEqual([3, 4, -1]);
  pool.free(a);
  expect(pool.allocate()).toBe(a);
});
