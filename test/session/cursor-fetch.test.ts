import type { FetchStmt } from '@pgsql/types';
import { expect, test } from 'vitest';
import type { Catalog } from '../../src/catalog/index.ts';
import { CursorFetch } from '../../src/session/cursor-fetch.ts';
import { Portal } from '../../src/session/portal.ts';
import { emptyStatement } from '../../src/session/prepared-statement.ts';

/** A cursor over rows 1 .. total, run as a session runs one; gives the rows that FETCH sends. */
class ModelCursor {
  readonly portal: Portal;
  private readonly total: number;
  private at = 0;

  constructor(total: number, scrollable = true) {
    this.total = total;
    this.portal = new Portal('c', emptyStatement({ version: 1 } as Catalog), [], new Uint8Array(0));
    this.portal.cursor = {
      snapshot: { slot: 0, lsn: 0 },
      seenChanges: 0,
      transactionTimestamp: 0,
      isHoldable: false,
      isHeld: false,
      scrollable,
      isBinary: false,
      statement: '',
      createTime: 0,
      position: 0,
      runPosition: 0,
      total: null,
    };
  }

  fetch(direction: FetchStmt['direction'], howMany: number): number[] {
    const fetch = new CursorFetch(this.portal, { direction, howMany } as unknown as FetchStmt);
    const sent: number[] = [];
    for (let step = fetch.next(); step !== null; step = fetch.next()) {
      if (step.restart) this.at = 0;
      const left = step.limit === 0 ? Number.POSITIVE_INFINITY : step.limit;
      const count = Math.min(left, this.total - this.at);
      for (let i = 0; i < count; i++) {
        const row = rowMessage(++this.at);
        if (fetch.sendsRows) sent.push(this.at);
        fetch.rows(row, 0, row.length, 1);
      }
      this.portal.state = count < left ? 'done' : 'suspended';
      if (count < left) fetch.ended();
    }
    const reversed = fetch.reversedRows();
    for (let at = 0; reversed !== null && at < reversed.length; at += 9) {
      sent.push(Buffer.from(reversed).readUInt32BE(at + 5));
    }
    expect(fetch.rowCount).toBe(sent.length);
    return sent;
  }
}

function rowMessage(row: number): Uint8Array {
  const bytes = Buffer.alloc(9);
  bytes.write('D');
  bytes.writeUInt32BE(8, 1);
  bytes.writeUInt32BE(row, 5);
  return bytes;
}

/** What PostgreSQL gives: a list, and a position in it. */
function expected(total: number, position: number, direction: string, howMany: number) {
  const rows: number[] = [];
  const clamp = (row: number): number => Math.max(0, Math.min(total + 1, row));
  const single = (row: number) => {
    const at = clamp(row);
    return { rows: at >= 1 && at <= total ? [at] : [], position: at };
  };
  if (direction === 'FETCH_ABSOLUTE') return single(howMany < 0 ? total + 1 + howMany : howMany);
  if (direction === 'FETCH_RELATIVE' || howMany === 0) return single(position + howMany);
  const step = (direction === 'FETCH_BACKWARD' ? -1 : 1) * Math.sign(howMany);
  let at = position;
  for (let i = 0; i < Math.abs(howMany) && at + step >= 0 && at + step <= total + 1; i++) {
    at += step;
    if (at < 1 || at > total) break;
    rows.push(at);
  }
  return { rows, position: at };
}

test('FETCH in any direction gives the rows of a list', () => {
  let seed = 7;
  const random = (bound: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % bound;
  };
  const directions = [
    'FETCH_FORWARD',
    'FETCH_BACKWARD',
    'FETCH_ABSOLUTE',
    'FETCH_RELATIVE',
  ] as const;
  for (let round = 0; round < 300; round++) {
    const total = random(7);
    const cursor = new ModelCursor(total);
    let position = 0;
    for (let i = 0; i < 12; i++) {
      const direction = directions[random(4)]!;
      const howMany = random(9) - 4;
      const want = expected(total, position, direction, howMany);
      expect([round, i, direction, howMany, cursor.fetch(direction, howMany)]).toEqual([
        round,
        i,
        direction,
        howMany,
        want.rows,
      ]);
      position = want.position;
    }
  }
});

test('a cursor that goes forward only refuses to go back', () => {
  const cursor = new ModelCursor(5, false);
  expect(cursor.fetch('FETCH_FORWARD', 2)).toEqual([1, 2]);
  expect(() => cursor.fetch('FETCH_BACKWARD', 1)).toThrow('cursor can only scan forward');
  expect(() => cursor.fetch('FETCH_ABSOLUTE', -1)).toThrow('cursor can only scan forward');
  expect(cursor.fetch('FETCH_FORWARD', 2147483647)).toEqual([3, 4, 5]);
});
