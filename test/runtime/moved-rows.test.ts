import { expect, test } from 'vitest';
import { MovedRows } from '../../src/runtime/worker/row-ids.ts';
import type { TreeId } from '../../src/storage/index.ts';
import type { Transaction } from '../../src/txn/index.ts';

const TREE = 20 as TreeId;
const transaction = { writes: { currentSegment: 0 } } as unknown as Transaction;

function key(id: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, id);
  return bytes;
}

function move(moves: MovedRows, from: number, to: number): void {
  moves.record(transaction, TREE, key(from), 0, 4, key(to));
}

test('a row that went on is where it went last', () => {
  const moves = new MovedRows();
  move(moves, 1, 2);
  move(moves, 2, 3);
  move(moves, 3, 4);
  moves.commit(transaction, 10);
  expect(moves.target(TREE, key(1), 0, 4, 9)?.target).toEqual(key(4));
  expect(moves.target(TREE, key(1), 0, 4, 10)).toBeUndefined();
});

test('an update of many keys ends in time that grows with their number', () => {
  const moves = new MovedRows();
  const count = 100_000;
  for (let id = 1; id <= count; id++) move(moves, id, id + count);
  const started = performance.now();
  moves.commit(transaction, 10);
  expect(performance.now() - started).toBeLessThan(5000);
  expect(moves.target(TREE, key(count), 0, 4, 9)?.target).toEqual(key(2 * count));
  moves.trim(9);
  expect(moves.isEmpty).toBe(false);
  moves.trim(10);
  expect(moves.isEmpty).toBe(true);
});
