import { expect, test } from 'vitest';
import { CHUNK_ROWS, createVector, readDatum, writeDatum } from '../../../src/chunk/index.ts';
import { RowStore } from '../../../src/sql/execute/row-store.ts';
import { Run } from '../../../src/sql/execute/run.ts';
import { OID, typeByOid } from '../../../src/types/index.ts';
import { MemoryDatabase } from './support.ts';

const TYPES = [typeByOid(OID.int4), typeByOid(OID.text)];

function textOf(row: number): string {
  return `row ${row} ${'x'.repeat(row % 97)}`;
}

test.each([
  ['in memory', 1 << 20],
  ['with most of them in a file', 8 << 10],
])('rows are read back after each one that is added, %s', (_name, limit) => {
  const database = new MemoryDatabase();
  const run = new Run(0);
  run.begin(database.environment([]));
  const store = new RowStore(run, TYPES);
  const given = TYPES.map((type) => createVector(type));
  const read = TYPES.map((type) => createVector(type));
  for (let round = 0; round < 2; round++) {
    store.begin(limit);
    for (let row = 0; row < 2000; row++) {
      for (const vector of given) vector.reset();
      writeDatum(given[0]!, 0, TYPES[0]!, row);
      writeDatum(given[1]!, 0, TYPES[1]!, textOf(row));
      store.append({ columns: given, count: 1, selection: null });
      expect(store.count).toBe(row + 1);
      expect(store.read(row, CHUNK_ROWS, read)).toBe(1);
      expect(readDatum(read[1]!, 0, TYPES[1]!)).toBe(textOf(row));
    }
    expect(store.isSpilled).toBe(limit < 1 << 20);
    for (let first = 0; first < 2000; first += 100) {
      expect(store.read(first, 100, read)).toBe(100);
      expect(readDatum(read[0]!, 99, TYPES[0]!)).toBe(first + 99);
      expect(readDatum(read[1]!, 99, TYPES[1]!)).toBe(textOf(first + 99));
    }
    store.close();
  }
  expect(database.openSpillFiles).toBe(0);
});
