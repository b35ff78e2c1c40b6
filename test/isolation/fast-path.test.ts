/** Transactions that begin on the main thread: what PostgreSQL 15 answers to short interleavings of them
 * with one another and with transactions of the writer, and random ones that must keep a sum. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { type TestServer, testServer } from '../server/server.ts';
import { answerOf, type Interleavings, interleave, setUpEach } from './interleave.ts';

const server = testServer({ deadlock_timeout: '300ms' });

const SETUP = `
  drop table if exists u, t, h;
  create table t (id int primary key, v int check (v < 1000), w text);
  create table u (id int primary key, k int unique, v int);
  create table h (id int, note text);
  insert into t select g, g * 10, 'w' || g from generate_series(1, 9) g;
  insert into u select g, g, 0 from generate_series(1, 9) g;
  create index on t (w)`;

const CASES: Interleavings = {
  'a waiter sees what was committed': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: begin; update t set v = v + 1 where id = 2',
      'b: update t set v = v * 10 where id = 1',
      'a: commit',
      'b: select v from t where id = 1',
      'b: commit',
      'a: select id, v from t where id < 3 order by id',
    ],
    answers: [
      'a: UPDATE 1',
      'b: UPDATE 1',
      'b: waits',
      'a: COMMIT',
      'b: UPDATE 1',
      'b: 110',
      'b: COMMIT',
      'a: 1,110 2,21',
    ],
  },
  'a waiter sees nothing of what was rolled back': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: begin; update t set v = v * 10 where id = 1',
      'a: rollback',
      'b: select v from t where id = 1',
      'b: commit',
      'a: select v from t where id = 1',
    ],
    answers: [
      'a: UPDATE 1',
      'b: waits',
      'b: UPDATE 1',
      'a: ROLLBACK',
      'b: 100',
      'b: COMMIT',
      'a: 100',
    ],
  },
  'waiters go on in their order': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      "b: begin; update t set w = w || 'b' where id = 1",
      "c: begin; update t set w = w || 'c' where id = 1",
      'a: commit',
      'b: commit',
      'c: commit',
      'a: select w from t where id = 1',
    ],
    answers: [
      'a: UPDATE 1',
      'b: waits',
      'c: waits',
      'a: COMMIT',
      'b: UPDATE 1',
      'b: COMMIT',
      'c: UPDATE 1',
      'c: COMMIT',
      'a: w1bc',
    ],
  },
  'a chain of waiters': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: begin; update t set v = v + 1 where id = 2',
      'c: begin; update t set v = v + 1 where id = 3',
      'b: update t set v = v + 1 where id = 1',
      'c: update t set v = v + 1 where id = 2',
      'a: commit',
      'b: commit',
      'c: commit',
      'a: select v from t where id < 4 order by id',
    ],
    answers: [
      'a: UPDATE 1',
      'b: UPDATE 1',
      'c: UPDATE 1',
      'b: waits',
      'c: waits',
      'a: COMMIT',
      'b: UPDATE 1',
      'b: COMMIT',
      'c: UPDATE 1',
      'c: COMMIT',
      'a: 12 22 31',
    ],
  },
  'a deadlock of two': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: begin; update t set v = v + 1 where id = 2',
      'a: update t set v = v + 1 where id = 2',
      'b: update t set v = v + 1 where id = 1',
      'b: rollback',
      'a: rollback',
    ],
    answers: [
      'a: UPDATE 1',
      'b: UPDATE 1',
      'a: waits',
      'b: waits',
      'a: 40P01',
      'b: UPDATE 1',
      'b: ROLLBACK',
      'a: ROLLBACK',
    ],
  },
  'a deadlock of three': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: begin; update t set v = v + 1 where id = 2',
      'c: begin; update t set v = v + 1 where id = 3',
      'a: update t set v = v + 1 where id = 2',
      'b: update t set v = v + 1 where id = 3',
      'c: update t set v = v + 1 where id = 1',
      'c: rollback',
      'b: rollback',
      'a: rollback',
    ],
    answers: [
      'a: UPDATE 1',
      'b: UPDATE 1',
      'c: UPDATE 1',
      'a: waits',
      'b: waits',
      'c: waits',
      'a: 40P01',
      'c: UPDATE 1',
      'b: UPDATE 1',
      'c: ROLLBACK',
      'b: ROLLBACK',
      'a: ROLLBACK',
    ],
  },
  'nowait and skip locked': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: select id from t where id = 1 for update nowait',
      'b: select id from t where id = 2 for update nowait',
      'b: select id from t where id < 4 order by id for update skip locked',
      'a: commit',
      'b: select id from t where id = 1 for update nowait',
    ],
    answers: ['a: UPDATE 1', 'b: 55P03', 'b: 2', 'b: 2 3', 'a: COMMIT', 'b: 1'],
  },
  'a key share does not wait for an update of other columns': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: select id from t where id = 1 for key share',
      'b: select id from t where id = 1 for share',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: 1', 'b: waits', 'a: COMMIT', 'b: 1'],
  },
  'for update by another transaction': {
    steps: [
      'b: begin; select v from t where id = 1 for update',
      'a: begin; update t set v = v + 1 where id = 2',
      'a: update t set v = v + 1 where id = 1',
      'b: commit',
      'a: commit',
      'b: select v from t where id < 3 order by id',
    ],
    answers: [
      'b: 10',
      'a: UPDATE 1',
      'a: waits',
      'b: COMMIT',
      'a: UPDATE 1',
      'a: COMMIT',
      'b: 11 21',
    ],
  },
  'an update of all rows waits for a single one': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 5',
      'b: update t set v = v + 100',
      'a: commit',
      'b: select sum(v) from t',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: UPDATE 9', 'b: 1351'],
  },
  'a single update waits for one of all rows': {
    steps: [
      'b: begin; update t set v = v + 100',
      'a: begin; update t set v = v + 1 where id = 5',
      'b: commit',
      'a: commit',
      'b: select v from t where id = 5',
    ],
    answers: ['b: UPDATE 9', 'a: waits', 'b: COMMIT', 'a: UPDATE 1', 'a: COMMIT', 'b: 151'],
  },
  'an insert of the same key waits for the delete': {
    steps: [
      'a: begin; delete from t where id = 1',
      "b: insert into t values (1, 77, 'new')",
      'a: commit',
      'b: select v from t where id = 1',
    ],
    answers: ['a: DELETE 1', 'b: waits', 'a: COMMIT', 'b: INSERT 1', 'b: 77'],
  },
  'and fails when the delete is rolled back': {
    steps: [
      'a: begin; delete from t where id = 1',
      "b: insert into t values (1, 77, 'new')",
      'a: rollback',
      'b: select v from t where id = 1',
    ],
    answers: ['a: DELETE 1', 'b: waits', 'a: ROLLBACK', 'b: 23505', 'b: 10'],
  },
  'on conflict waits for the update': {
    steps: [
      'a: begin; update t set v = 500 where id = 1',
      "b: insert into t values (1, 1, 'x') on conflict (id) do update set v = t.v + excluded.v",
      'a: commit',
      'b: select v from t where id = 1',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: INSERT 1', 'b: 501'],
  },
  'on conflict after a delete': {
    steps: [
      'a: begin; delete from t where id = 1',
      "b: insert into t values (1, 1, 'x') on conflict (id) do update set v = t.v + excluded.v",
      'a: commit',
      'b: select v from t where id = 1',
    ],
    answers: ['a: DELETE 1', 'b: waits', 'a: COMMIT', 'b: INSERT 1', 'b: 1'],
  },
  'an update waits for a delete and finds nothing': {
    steps: [
      'a: begin; delete from t where id = 1',
      'b: begin; update t set v = v + 1 where id = 1',
      'a: commit',
      'b: commit',
    ],
    answers: ['a: DELETE 1', 'b: waits', 'a: COMMIT', 'b: UPDATE 0', 'b: COMMIT'],
  },
  'a delete waits for an update': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: begin; delete from t where id = 1',
      'a: commit',
      'b: commit',
      'a: select count(*) from t',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: DELETE 1', 'b: COMMIT', 'a: 8'],
  },
  'a row whose key moves': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: begin; update t set v = v + 1 where id = 1',
      'a: update t set id = 11 where id = 1',
      'a: commit',
      'b: commit',
      'a: select id, v from t where v < 20 order by id',
    ],
    answers: [
      'a: UPDATE 1',
      'b: waits',
      'a: UPDATE 1',
      'a: COMMIT',
      'b: UPDATE 0',
      'b: COMMIT',
      'a: 11,11',
    ],
  },
  'a row that another takes the place of': {
    steps: [
      'a: begin; delete from t where id = 1',
      'b: begin; update t set v = v + 1 where id = 1',
      "a: insert into t values (1, 77, 'x')",
      'a: commit',
      'b: commit',
      'a: select v from t where id = 1',
    ],
    answers: [
      'a: DELETE 1',
      'b: waits',
      'a: INSERT 1',
      'b: UPDATE 0',
      'a: COMMIT',
      'b: COMMIT',
      'a: 77',
    ],
  },
  'its own changes': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'a: select v from t where id = 1',
      'a: select sum(v) from t',
      'a: update t set v = v + 1 where id = 1',
      'a: delete from t where id = 2',
      'a: select count(*) from t where id < 4',
      'a: rollback',
      'a: select sum(v) from t',
    ],
    answers: [
      'a: UPDATE 1',
      'a: 11',
      'a: 451',
      'a: UPDATE 1',
      'a: DELETE 1',
      'a: 2',
      'a: ROLLBACK',
      'a: 450',
    ],
  },
  'its own changes by key alone': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'a: update t set v = v + 1 where id = 1',
      'a: delete from t where id = 1',
      'a: select v from t where id = 1',
      'a: update t set v = v + 1 where id = 1',
      'a: rollback',
      'a: select v from t where id = 1',
    ],
    answers: [
      'a: UPDATE 1',
      'a: UPDATE 1',
      'a: DELETE 1',
      'a: no rows',
      'a: UPDATE 0',
      'a: ROLLBACK',
      'a: 10',
    ],
  },
  'rows without a key': {
    steps: [
      "a: begin; insert into h values (1, 'a')",
      "b: begin; insert into h values (2, 'b')",
      "a: insert into h values (3, 'a')",
      'b: select count(*) from h',
      'a: commit',
      'b: select id from h order by id',
      'b: commit',
      'a: select id, note from h order by id',
    ],
    answers: [
      'a: INSERT 1',
      'b: INSERT 1',
      'a: INSERT 1',
      'b: 1',
      'a: COMMIT',
      'b: 1 2 3',
      'b: COMMIT',
      'a: 1,a 2,b 3,a',
    ],
  },
  savepoints: {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'a: savepoint s; update t set v = 900 where id = 1',
      'a: rollback to s',
      'a: update t set v = v + 1 where id = 2',
      'a: commit',
      'a: select v from t where id < 3 order by id',
    ],
    answers: ['a: UPDATE 1', 'a: UPDATE 1', 'a: ROLLBACK', 'a: UPDATE 1', 'a: COMMIT', 'a: 11 21'],
  },
  'a savepoint gives the rows of before not up': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'a: savepoint s; update t set v = v + 1 where id = 2',
      'a: rollback to s',
      'b: update t set v = v + 1 where id = 2',
      'b: update t set v = v + 1 where id = 1',
      'a: commit',
    ],
    answers: [
      'a: UPDATE 1',
      'a: UPDATE 1',
      'a: ROLLBACK',
      'b: UPDATE 1',
      'b: waits',
      'a: COMMIT',
      'b: UPDATE 1',
    ],
  },
  'an error frees the rows': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: begin; update t set v = v + 1 where id = 2',
      'b: update t set v = v + 1 where id = 1',
      'a: update t set v = v / 0 where id = 3',
      'b: commit',
      'a: update t set v = v + 1 where id = 4',
      'a: commit',
      'a: select v from t where id < 5 order by id',
    ],
    answers: [
      'a: UPDATE 1',
      'b: UPDATE 1',
      'b: waits',
      'a: 22012',
      'b: UPDATE 1',
      'b: COMMIT',
      'a: 25P02',
      'a: ROLLBACK',
      'a: 11 21 30 40',
    ],
  },
  'a check is kept': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'a: update t set v = 5000 where id = 2',
      'a: update t set v = v + 1 where id = 3',
      'a: rollback',
      'b: update t set v = v + 1 where id = 1',
      'b: select v from t where id = 1',
    ],
    answers: ['a: UPDATE 1', 'a: 23514', 'a: 25P02', 'a: ROLLBACK', 'b: UPDATE 1', 'b: 11'],
  },
  'lock table waits for changes': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: begin; lock table t in share mode',
      'a: update t set v = v + 1 where id = 2',
      'a: commit',
      'c: begin; update t set v = v + 1 where id = 3',
      'b: commit',
      'c: commit',
      'a: select v from t where id < 4 order by id',
    ],
    answers: [
      'a: UPDATE 1',
      'b: waits',
      'a: UPDATE 1',
      'a: COMMIT',
      'b: LOCK',
      'c: waits',
      'b: COMMIT',
      'c: UPDATE 1',
      'c: COMMIT',
      'a: 11 21 31',
    ],
  },
  'lock table nowait': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: begin; lock table t in share mode nowait',
      'b: rollback',
      'b: begin; lock table u in share mode nowait',
      'b: commit',
      'a: commit',
      'b: begin; lock table t in share mode nowait',
      'b: commit',
    ],
    answers: [
      'a: UPDATE 1',
      'b: 55P03',
      'b: ROLLBACK',
      'b: LOCK',
      'b: COMMIT',
      'a: COMMIT',
      'b: LOCK',
      'b: COMMIT',
    ],
  },
  'a weak table lock does not wait': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: begin; lock table t in row exclusive mode nowait',
      'b: commit',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: LOCK', 'b: COMMIT', 'a: COMMIT'],
  },
  'alter table waits, and changes go on after it': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: alter table t add x int default 5',
      'a: update t set v = v + 1 where id = 2',
      'a: commit',
      'a: begin; update t set v = v + 1 where id = 3',
      'a: select x, v from t where id = 3',
      'a: commit',
    ],
    answers: [
      'a: UPDATE 1',
      'b: waits',
      'a: UPDATE 1',
      'a: COMMIT',
      'b: ALTER',
      'a: UPDATE 1',
      'a: 5,31',
      'a: COMMIT',
    ],
  },
  'changes wait for alter table': {
    steps: [
      'b: begin; alter table t add x int default 5',
      'a: begin; update t set v = v + 1 where id = 1',
      'b: commit',
      'a: update t set x = 6 where id = 1',
      'a: commit',
      'b: select v, x from t where id < 3 order by id',
    ],
    answers: [
      'b: ALTER',
      'a: waits',
      'b: COMMIT',
      'a: UPDATE 1',
      'a: UPDATE 1',
      'a: COMMIT',
      'b: 11,6 20,5',
    ],
  },
  'truncate waits': {
    steps: [
      "a: begin; insert into h values (1, 'a')",
      'b: truncate h',
      'a: commit',
      'b: select count(*) from h',
    ],
    answers: ['a: INSERT 1', 'b: waits', 'a: COMMIT', 'b: TRUNCATE', 'b: 0'],
  },
  'create index waits': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: create index on t (v)',
      'a: update t set v = v + 1 where id = 2',
      'a: commit',
      'b: select count(*) from t where v = 11',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: UPDATE 1', 'a: COMMIT', 'b: CREATE', 'b: 1'],
  },
  'drop table waits': {
    steps: [
      "a: begin; insert into h values (1, 'a')",
      'b: drop table h',
      "a: insert into h values (2, 'a')",
      'a: commit',
      "a: begin; insert into h values (3, 'a')",
      'a: rollback',
    ],
    answers: [
      'a: INSERT 1',
      'b: waits',
      'a: INSERT 1',
      'a: COMMIT',
      'b: DROP',
      'a: 42P01',
      'a: ROLLBACK',
    ],
  },
  'repeatable read meets a change': {
    steps: [
      'b: begin isolation level repeatable read; select v from t where id = 1',
      'a: begin; update t set v = v + 1 where id = 1',
      'b: update t set v = v + 1 where id = 1',
      'a: commit',
      'b: rollback',
    ],
    answers: ['b: 10', 'a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: 40001', 'b: ROLLBACK'],
  },
  'repeatable read and a change rolled back': {
    steps: [
      'b: begin isolation level repeatable read; select v from t where id = 1',
      'a: begin; update t set v = v + 1 where id = 1',
      'b: update t set v = v + 1 where id = 1',
      'a: rollback',
      'b: commit',
      'a: select v from t where id = 1',
    ],
    answers: [
      'b: 10',
      'a: UPDATE 1',
      'b: waits',
      'a: ROLLBACK',
      'b: UPDATE 1',
      'b: COMMIT',
      'a: 11',
    ],
  },
  'a lock timeout': {
    steps: [
      "b: set lock_timeout = '250ms'",
      'a: begin; update t set v = v + 1 where id = 1',
      'b: begin; update t set v = v + 1 where id = 2',
      'b: update t set v = v + 1 where id = 1',
      'b: rollback',
      'a: commit',
    ],
    answers: [
      'b: SET',
      'a: UPDATE 1',
      'b: UPDATE 1',
      'b: waits',
      'b: 55P03',
      'b: ROLLBACK',
      'a: COMMIT',
    ],
  },
  'unique columns': {
    steps: [
      'a: begin; update u set v = 1 where id = 1',
      'b: begin; update u set k = 100 where id = 2',
      'a: update u set k = 100 where id = 1',
      'b: rollback',
      'a: commit',
      'b: select k from u where id < 3 order by id',
    ],
    answers: [
      'a: UPDATE 1',
      'b: UPDATE 1',
      'a: waits',
      'b: ROLLBACK',
      'a: UPDATE 1',
      'a: COMMIT',
      'b: 100 2',
    ],
  },
  returning: {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1 returning v, w',
      'a: delete from t where id = 2 returning id',
      "a: insert into h values (5, 'x') returning note",
      'a: commit',
    ],
    answers: ['a: 11,w1', 'a: 2', 'a: x', 'a: COMMIT'],
  },
  'a foreign key made meanwhile': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: alter table u add foreign key (v) references t',
      'a: commit',
      'a: begin; update u set v = 99 where id = 1',
      'a: rollback',
      'a: begin; delete from t where id = 9',
      'a: commit',
    ],
    answers: [
      'a: UPDATE 1',
      'b: waits',
      'a: COMMIT',
      'b: 23503',
      'a: UPDATE 1',
      'a: ROLLBACK',
      'a: DELETE 1',
      'a: COMMIT',
    ],
  },
};

/** How long a step is watched that is to wait. */
const WAIT_MS = 20;

setUpEach(server, SETUP);

// Whoever asks who waits for whom has all transactions handed over to the writer.
test.each(Object.entries(CASES))('looked at: %s', async (_, { steps, answers }) => {
  const given = await interleave(server, steps);
  expect(bySession(given)).toEqual(bySession(answers));
});

test.each(Object.entries(CASES))('left alone: %s', async (_, { steps, answers }) => {
  const expected = bySession(answers);
  expect(await runAlone(server, steps, expected)).toEqual(expected);
});

function bySession(answers: readonly string[]): Record<string, string[]> {
  const sessions: Record<string, string[]> = {};
  for (const answer of answers) {
    const [name, ...text] = answer.split(': ');
    sessions[name!] ??= [];
    sessions[name!]!.push(text.join(': '));
  }
  return sessions;
}

/** Runs steps without a look at the locks: what is expected says which of them wait. */
async function runAlone(
  to: TestServer,
  steps: readonly string[],
  expected: Record<string, string[]>,
): Promise<Record<string, string[]>> {
  const given: Record<string, string[]> = {};
  const sessions = new Map<string, { client: pg.Client; pending: Promise<void> }>();
  for (const step of steps) {
    const name = step.slice(0, step.indexOf(':'));
    let session = sessions.get(name);
    if (session === undefined) {
      session = { client: await to.driver(), pending: Promise.resolve() };
      sessions.set(name, session);
      given[name] = [];
    }
    await session.pending;
    const answers = given[name]!;
    const waits = expected[name]![answers.length] === 'waits';
    let isOver = false;
    session.pending = answerOf(session.client, step.slice(name.length + 1)).then((answer) => {
      isOver = true;
      answers.push(answer);
    });
    if (!waits) {
      await session.pending;
      continue;
    }
    await sleep(WAIT_MS);
    if (!isOver) answers.push('waits');
  }
  for (const { client, pending } of sessions.values()) {
    await pending;
    await client.end();
  }
  return given;
}

test('a statement that waits on the main thread can be cancelled and timed out', async () => {
  const holder = await server.driver();
  const waiter = await server.driver();
  const { rows } = await waiter.query('select pg_backend_pid() as pid');
  await holder.query('begin; update t set v = 1 where id = 1');
  await waiter.query('begin; update t set v = 2 where id = 2');
  const waiting = answerOf(waiter, 'update t set v = 2 where id = 1');
  await sleep(WAIT_MS);
  await holder.query('select pg_cancel_backend($1)', [rows[0].pid]);
  expect(await waiting).toBe('57014');
  await waiter.query('rollback');
  await waiter.query("set statement_timeout = '50ms'");
  await waiter.query('begin; update t set v = 2 where id = 2');
  expect(await answerOf(waiter, 'update t set v = 2 where id = 1')).toBe('57014');
  await waiter.query('rollback');
  await holder.query('commit');
  expect(await answerOf(waiter, 'select v from t where id < 3 order by id')).toBe('1 20');
  await holder.end();
  await waiter.end();
});

test('sessions that end let go of what they have and what they wait for', async () => {
  const [a, b, c] = [await server.driver(), await server.driver(), await server.driver()];
  b.on('error', () => {});
  const { rows } = await b.query('select pg_backend_pid() as pid');
  await a.query('begin; update t set v = 1 where id = 1');
  await b.query('begin; update t set v = 2 where id = 2');
  const lost = answerOf(b, 'update t set v = 2 where id = 1');
  await sleep(WAIT_MS);
  const waiting = answerOf(c, 'begin; update t set v = 3 where id = 2');
  await sleep(WAIT_MS);
  await a.query('select pg_terminate_backend($1)', [rows[0].pid]);
  expect(await lost).toBe('57P01');
  expect(await waiting).toBe('UPDATE 1');
  await a.end();
  expect(await answerOf(c, 'update t set v = 3 where id = 1')).toBe('UPDATE 1');
  expect(await answerOf(c, 'commit; select v from t where id < 3 order by id')).toBe('3 3');
  await c.end();
});

test('locks of the main thread are among those of pg_locks', async () => {
  const a = await server.driver();
  await a.query('begin; update t set v = 1 where id = 1');
  const { rows } = await a.query(
    "select mode, granted from pg_locks where relation = 't'::regclass order by 1",
  );
  expect(rows).toEqual([{ mode: 'RowExclusiveLock', granted: true }]);
  await a.query('rollback');
  await a.end();
});

test('more changes than the main thread keeps', async () => {
  const a = await server.driver();
  await a.query('begin');
  for (let i = 0; i < 600; i++)
    await a.query('insert into h values ($1, $2)', [i, 'x'.repeat(999)]);
  for (let i = 0; i < 9; i++) await a.query('update t set v = 0 where id = $1', [i]);
  await a.query('commit');
  const { rows } = await a.query('select count(*)::int, sum(id)::int from h');
  expect(rows).toEqual([{ count: 600, sum: (599 * 600) / 2 }]);
  await a.end();
});

const SESSIONS = 8;
const TRANSACTIONS = 40;
const ROWS = 9;

test('random transactions on both sides keep the sum', async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const clients = await Promise.all(Array.from({ length: SESSIONS }, () => server.driver()));
  const control = clients[0]!;
  const before = await control.query('select sum(v)::int as sum from t');
  let committed = 0;
  const work = async (client: pg.Client, random: (below: number) => number): Promise<void> => {
    for (let i = 0; i < TRANSACTIONS; i++) {
      try {
        await client.query('begin');
        for (const text of transaction(random)) await client.query(text);
        const ends = random(8) === 0 ? 'rollback' : 'commit';
        await client.query(ends);
        if (ends === 'commit') committed++;
      } catch (thrown) {
        await client.query('rollback');
        const { code } = thrown as { code?: string };
        if (code !== '40P01' && code !== '40001') throw thrown;
      }
    }
  };
  await Promise.all(clients.map((client, i) => work(client, generator(seed + i))));
  const after = await control.query('select sum(v)::int as sum from t');
  expect(after.rows, `seed ${seed}`).toEqual(before.rows);
  const notes = await control.query('select count(*)::int as notes from h');
  expect(notes.rows, `seed ${seed}`).toEqual([{ notes: committed }]);
  for (const client of clients) await client.end();
}, 60_000);

/** The statements of one transaction, which moves an amount from row to row and leaves a note. */
function transaction(random: (below: number) => number): string[] {
  const texts: string[] = ["insert into h values (1, 'x')"];
  for (let moves = 1 + random(2); moves > 0; moves--) {
    const from = 1 + random(ROWS);
    const to = 1 + random(ROWS);
    const amount = 1 + random(5);
    texts.push(`update t set v = v - ${amount} where id = ${from}`);
    texts.push(`update t set v = v + ${amount} where id = ${to}`);
  }
  const also = [
    `select v from t where id = ${1 + random(ROWS)}`,
    'select sum(v) from t',
    `select * from t where id = ${1 + random(ROWS)} for update`,
    'savepoint s',
    'update t set w = w where id > 4',
    'lock table t in share row exclusive mode',
    'select count(*) from pg_locks',
    `update t set v = v where id = ${1 + random(ROWS)} returning v`,
  ];
  if (random(3) === 0) texts.splice(random(texts.length), 0, also[random(also.length)]!);
  return texts;
}

function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
