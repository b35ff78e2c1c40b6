/** The lock table by itself: who gets what, in which order, and which waits are deadlocks. */
import { expect, test } from 'vitest';
import { SharedWords } from '../../src/shm/index.ts';
import {
  ADVISORY_LOCK,
  ExclusiveTables,
  findDeadlock,
  type LockOwner,
  LockTable,
  ROW_LOCK,
  rowLockTag,
  TABLE_LOCK,
  tableLockTag,
} from '../../src/txn/index.ts';

interface Owner extends LockOwner {
  readonly name: string;
}

function setUp(exclusive: ExclusiveTables | null = null) {
  const granted: string[] = [];
  const table = new LockTable<Owner>((owner) => granted.push(owner.name), exclusive);
  let session = 0;
  const owner = (name: string, of?: Owner): Owner => ({
    name,
    session: of?.session ?? ++session,
    grants: [],
    waitingFor: null,
  });
  const lock = (who: Owner, oid: number, mode: keyof typeof TABLE_LOCK, wait = true) =>
    table.acquire(who, 'table', tableLockTag(oid), TABLE_LOCK[mode], wait);
  const row = (who: Owner, key: number, mode: keyof typeof ROW_LOCK, wait = true) =>
    table.acquire(
      who,
      'row',
      rowLockTag(9 as never, Uint8Array.of(key), 0, 1),
      ROW_LOCK[mode],
      wait,
    );
  return { table, granted, owner, lock, row };
}

test('conflicts of the eight table modes are those of PostgreSQL', () => {
  const modes = Object.keys(TABLE_LOCK) as (keyof typeof TABLE_LOCK)[];
  const matrix = modes.map((held) =>
    modes
      .map((wanted) => {
        const { owner, lock } = setUp();
        lock(owner('a'), 1, held);
        return lock(owner('b'), 1, wanted, false) === 'busy' ? 'x' : '.';
      })
      .join(''),
  );
  expect(matrix).toEqual([
    '.......x',
    '......xx',
    '....xxxx',
    '...xxxxx',
    '..xx.xxx',
    '..xxxxxx',
    '.xxxxxxx',
    'xxxxxxxx',
  ]);
});

test('conflicts of the four row strengths are those of PostgreSQL', () => {
  const modes = Object.keys(ROW_LOCK) as (keyof typeof ROW_LOCK)[];
  const matrix = modes.map((held) =>
    modes
      .map((wanted) => {
        const { owner, row } = setUp();
        row(owner('a'), 1, held);
        return row(owner('b'), 1, wanted, false) === 'busy' ? 'x' : '.';
      })
      .join(''),
  );
  expect(matrix).toEqual(['...x', '..xx', '.xxx', 'xxxx']);
});

test('waiters of a table get it in order; a reader does not pass a waiting writer', () => {
  const { table, granted, owner, lock } = setUp();
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => owner(name)) as [
    Owner,
    Owner,
    Owner,
    Owner,
  ];
  lock(a, 1, 'accessShare');
  expect(lock(b, 1, 'accessExclusive')).toBe('waiting');
  expect(lock(c, 1, 'accessShare')).toBe('waiting');
  expect(lock(d, 1, 'accessShare', false)).toBe('busy');
  table.releaseTo(a, 0);
  expect(granted).toEqual(['b']);
  table.releaseTo(b, 0);
  expect(granted).toEqual(['b', 'c']);
  expect(table.waiterOf(b.session)).toBeUndefined();
});

test('a row lock passes waiters when it conflicts with no holder', () => {
  const { granted, owner, row, table } = setUp();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => owner(name)) as [Owner, Owner, Owner];
  row(a, 1, 'keyShare');
  expect(row(b, 1, 'update')).toBe('waiting');
  expect(row(c, 1, 'keyShare')).toBe('granted');
  table.releaseTo(a, 0);
  expect(granted).toEqual([]);
  table.releaseTo(c, 0);
  expect(granted).toEqual(['b']);
});

test('releasing to a mark lets go of upgrades and keeps what was held before', () => {
  const { table, granted, owner, row } = setUp();
  const [a, b] = [owner('a'), owner('b')];
  row(a, 1, 'keyShare');
  const mark = table.mark(a);
  row(a, 1, 'noKeyUpdate');
  expect(row(b, 1, 'noKeyUpdate')).toBe('waiting');
  table.releaseTo(a, mark);
  expect(granted).toEqual(['b']);
  expect(row(b, 1, 'update', false)).toBe('busy');
});

test('who gives up waiting lets those behind go on', () => {
  const { table, granted, owner, lock } = setUp();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => owner(name)) as [Owner, Owner, Owner];
  lock(a, 1, 'accessShare');
  lock(b, 1, 'accessExclusive');
  lock(c, 1, 'accessShare');
  table.cancelWait(b);
  expect(granted).toEqual(['c']);
});

test('owners of one session do not conflict, and advisory locks nest', () => {
  const { table, owner } = setUp();
  const a = owner('a');
  const session = owner('session', a);
  const b = owner('b');
  const advisory = (who: Owner, holder: Owner, wait = false) =>
    table.acquireFor(who, holder, 'advisory', 'a1', ADVISORY_LOCK.exclusive, wait);
  expect(advisory(a, session)).toBe('granted');
  expect(advisory(a, session)).toBe('granted');
  expect(advisory(a, a)).toBe('granted');
  expect(advisory(b, b, true)).toBe('waiting');
  table.releaseTo(a, 0);
  expect(table.releaseOne(session, 'a1', ADVISORY_LOCK.exclusive)).toBe(true);
  expect(b.waitingFor).not.toBeNull();
  expect(table.releaseOne(session, 'a1', ADVISORY_LOCK.exclusive)).toBe(true);
  expect(b.waitingFor).toBeNull();
  expect(table.releaseOne(session, 'a1', ADVISORY_LOCK.exclusive)).toBe(false);
});

test('a cycle of holders is a deadlock, found by whoever looks', () => {
  const { table, owner, row } = setUp();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => owner(name)) as [Owner, Owner, Owner];
  row(a, 1, 'update');
  row(b, 2, 'update');
  row(c, 3, 'update');
  row(a, 2, 'update');
  row(b, 3, 'update');
  expect(findDeadlock(table, a)).toBeNull();
  row(c, 1, 'update');
  expect(findDeadlock(table, b)?.map(({ name }) => name)).toEqual(['b', 'c', 'a']);
  table.cancelWait(c);
  expect(findDeadlock(table, a)).toBeNull();
});

test('a cycle through the order of queues is resolved by another order', () => {
  const { table, granted, owner, lock } = setUp();
  const [d1, d2, e1, e2] = ['d1', 'd2', 'e1', 'e2'].map((name) => owner(name)) as [
    Owner,
    Owner,
    Owner,
    Owner,
  ];
  lock(d1, 1, 'accessShare');
  lock(d2, 2, 'accessShare');
  lock(e1, 1, 'accessExclusive');
  lock(e2, 2, 'accessExclusive');
  lock(d1, 2, 'accessShare');
  lock(d2, 1, 'accessShare');
  expect(findDeadlock(table, d2)).toBeNull();
  expect(granted).toEqual(['d1']);
  expect(findDeadlock(table, d2)).toBeNull();
});

test('of those who want a row the first waits for its holder, and the others for him', () => {
  const { table, owner } = setUp();
  const [holder, first, second] = [owner('a'), owner('b'), owner('c')];
  for (const who of [holder, first, second]) {
    table.acquire(who, 'row', 'r1/a', ROW_LOCK.update, true);
  }
  expect(table.hardBlockers(first)).toEqual([holder]);
  expect(table.hardBlockers(second)).toEqual([first]);
  expect(table.isBehind(second)).toBe(true);
  table.releaseTo(holder, 0);
  expect(table.hardBlockers(second)).toEqual([first]);
  expect(table.isBehind(second)).toBe(false);
});

test('two upgrades of one table are a deadlock at once', () => {
  const { owner, lock } = setUp();
  const [a, b] = [owner('a'), owner('b')];
  lock(a, 1, 'accessShare');
  lock(b, 1, 'accessShare');
  lock(a, 1, 'accessExclusive');
  expect((a.waitingFor as { isDeadlock: boolean }).isDeadlock).toBe(false);
  lock(b, 1, 'accessExclusive');
  expect((b.waitingFor as { isDeadlock: boolean }).isDeadlock).toBe(true);
});

test('words tell of tables that are locked against readers, from the request on', () => {
  const buffer = ExclusiveTables.create();
  const words = new SharedWords(buffer);
  const exclusive = new ExclusiveTables(buffer);
  const { table, owner, lock } = setUp(exclusive);
  const [a, b] = [owner('a'), owner('b')];
  lock(a, 70, 'rowExclusive');
  expect(exclusive.concerns([{ oid: 70 }])).toBe(false);
  lock(b, 70, 'accessExclusive');
  expect(exclusive.concerns([{ oid: 70 }])).toBe(true);
  expect(exclusive.concerns([{ oid: 71 }])).toBe(false);
  table.releaseTo(a, 0);
  expect(exclusive.concerns([{ oid: 70 }])).toBe(true);
  table.releaseTo(b, 0);
  lock(a, 70, 'accessShare');
  lock(b, 70, 'accessExclusive', false);
  lock(b, 70, 'accessExclusive');
  table.cancelWait(b);
  expect(exclusive.concerns([{ oid: 70 }])).toBe(false);
  expect(words.load(0)).toBe(0);
});

test('random requests: what is granted never conflicts, and nobody is forgotten', () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >>> 8) % below;
  };
  const { table, owner } = setUp();
  const owners = Array.from({ length: 6 }, (_, i) => owner(String(i)));
  for (let step = 0; step < 3_000; step++) {
    const who = owners[random(owners.length)]!;
    const action = random(10);
    if (who.waitingFor !== null) {
      if (action === 0) table.cancelWait(who);
      else if (findDeadlock(table, who) !== null) {
        table.cancelWait(who);
        table.releaseTo(who, 0);
      }
    } else if (action < 3) table.releaseTo(who, random(who.grants.length + 1));
    else table.acquire(who, 'table', tableLockTag(1 + random(3)), random(8), random(3) > 0);
    const entries = [...table.entries()];
    for (const a of entries) {
      for (const b of entries) {
        if (!a.granted || !b.granted || a.lock !== b.lock || a.owner === b.owner) continue;
        const other = setUp();
        other.table.acquire(other.owner('a'), 'table', 't1', a.mode, false);
        const answer = other.table.acquire(other.owner('b'), 'table', 't1', b.mode, false);
        expect(answer, `seed ${seed} step ${step}`).toBe('granted');
      }
    }
    for (const waiter of owners) {
      if (waiter.waitingFor === null) continue;
      expect(table.blockers(waiter).length, `seed ${seed} step ${step}`).toBeGreaterThan(0);
    }
  }
  for (const who of owners) table.cancelWait(who);
  for (const who of owners) table.releaseTo(who, 0);
  expect([...table.entries()]).toEqual([]);
});
