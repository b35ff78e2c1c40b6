/** Rows that a statement locks in large number have no entry in the lock table each: others find them in a list of the
 * transaction's. What they wait for, and what they then see, is what PostgreSQL answers. */
import { testServer } from '../server/server.ts';
import { type Interleavings, testInterleavings } from './interleave.ts';

const server = testServer();

const SETUP = `
  drop table if exists r, t;
  create table t (id int primary key, k int unique, v int);
  create table r (id int, t int references t);
  insert into t select g, g, 0 from generate_series(1, 2000) g;
  analyze t`;

/** Locks rows, and says how many. */
function lock(strength: string, where = 'true'): string {
  return `select count(*) from (select id from t where ${where} for ${strength}) s`;
}

const CASES: Interleavings = {
  'a row among those that are locked': {
    steps: [
      `a: begin; ${lock('update')}`,
      'b: update t set v = v + 10 where id = 1999',
      'a: update t set v = 1 where id = 1999',
      'a: commit',
      'b: select v from t where id = 1999',
    ],
    answers: ['a: 2000', 'b: waits', 'a: UPDATE 1', 'a: COMMIT', 'b: UPDATE 1', 'b: 11'],
  },
  'many rows among those that are locked': {
    steps: [
      `a: begin; ${lock('update')}`,
      'b: update t set v = v + 10',
      'a: update t set v = v + 1',
      'a: commit',
      'b: select min(v), max(v) from t',
    ],
    answers: ['a: 2000', 'b: waits', 'a: UPDATE 2000', 'a: COMMIT', 'b: UPDATE 2000', 'b: 11,11'],
  },
  'rows that are read alone': {
    steps: [`a: begin; ${lock('update')}`, 'b: select count(*) from t', 'a: commit'],
    answers: ['a: 2000', 'b: 2000', 'a: COMMIT'],
  },
  'given up to a savepoint': {
    steps: [
      `a: begin; savepoint s; ${lock('update')}; rollback to s`,
      'b: update t set v = 1 where id = 1999',
      'a: commit',
    ],
    answers: ['a: ROLLBACK', 'b: UPDATE 1', 'a: COMMIT'],
  },
  'given up to a savepoint behind others': {
    steps: [
      `a: begin; ${lock('update', 'id <= 1000')}; savepoint s; ${lock('update', 'id > 1000')}`,
      'a: rollback to s',
      'b: update t set v = 1 where id = 1999',
      'b: update t set v = 1 where id = 999',
      'a: commit',
    ],
    answers: ['a: 1000', 'a: ROLLBACK', 'b: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: UPDATE 1'],
  },
  'who does not wait': {
    steps: [
      `a: begin; ${lock('update', 'id > 500')}`,
      'b: select id from t where id = 1999 for update nowait',
      `b: ${lock('share skip locked')}`,
      'a: rollback',
    ],
    answers: ['a: 1500', 'b: 55P03', 'b: 500', 'a: ROLLBACK'],
  },
  'rows that several share': {
    steps: [
      `a: begin; ${lock('share')}`,
      `b: begin; ${lock('share')}`,
      'c: update t set v = 1 where id = 1999',
      'a: commit',
      'b: commit',
    ],
    answers: ['a: 2000', 'b: 2000', 'c: waits', 'a: COMMIT', 'b: COMMIT', 'c: UPDATE 1'],
  },
  'who shares rows wants one for himself': {
    steps: [
      `a: begin; ${lock('share')}`,
      `b: begin; ${lock('share')}`,
      'a: update t set v = 1 where id = 1999',
      'b: commit',
      'a: commit',
    ],
    answers: ['a: 2000', 'b: 2000', 'a: waits', 'b: COMMIT', 'a: UPDATE 1', 'a: COMMIT'],
  },
  'keys that others rely on': {
    steps: [
      `a: begin; ${lock('key share')}`,
      'b: update t set v = 1',
      'b: update t set k = -k where id = 1999',
      'a: commit',
    ],
    answers: ['a: 2000', 'b: UPDATE 2000', 'b: waits', 'a: COMMIT', 'b: UPDATE 1'],
  },
  'keys that others rely on, of rows that are updated in large number': {
    steps: [`a: begin; ${lock('key share')}`, 'b: update t set k = -k', 'a: commit'],
    answers: ['a: 2000', 'b: waits', 'a: COMMIT', 'b: UPDATE 2000'],
  },
  'a reference to a row that is locked': {
    steps: [
      `a: begin; ${lock('no key update')}`,
      'b: insert into r values (1, 1999)',
      'a: commit',
      `a: begin; ${lock('update')}`,
      'b: insert into r values (1, 1998)',
      'a: commit',
    ],
    answers: [
      'a: 2000',
      'b: INSERT 1',
      'a: COMMIT',
      'a: 2000',
      'b: waits',
      'a: COMMIT',
      'b: INSERT 1',
    ],
  },
  'the key of a row that is locked': {
    steps: [
      `a: begin; ${lock('update')}`,
      'b: insert into t values (1999, 0, 0)',
      'b: insert into t values (0, 1999, 0)',
      'b: insert into t values (0, 0, 0)',
      'a: commit',
    ],
    answers: ['a: 2000', 'b: 23505', 'b: 23505', 'b: INSERT 1', 'a: COMMIT'],
  },
  'rows that have changed since the snapshot': {
    steps: [
      'b: begin; update t set v = 5 where id > 1990',
      `a: ${lock('update', 'v = 0')}`,
      'b: commit',
    ],
    answers: ['b: UPDATE 10', 'a: waits', 'b: COMMIT', 'a: 1990'],
  },
  'a transaction that keeps its snapshot': {
    steps: [
      'a: begin isolation level repeatable read; select count(*) from t',
      'b: update t set v = 5 where id = 1999',
      `a: ${lock('update')}`,
      'a: rollback',
    ],
    answers: ['a: 2000', 'b: UPDATE 1', 'a: 40001', 'a: ROLLBACK'],
  },
  'a deadlock': {
    steps: [
      `a: begin; ${lock('update', 'id <= 1000')}`,
      `b: begin; ${lock('update', 'id > 1000')}`,
      'a: update t set v = 1 where id = 1999',
      'b: update t set v = 1 where id = 7',
      'a: rollback',
      'b: rollback',
    ],
    answers: [
      'a: 1000',
      'b: 1000',
      'a: waits',
      'b: waits',
      'a: 40P01',
      'b: UPDATE 1',
      'a: ROLLBACK',
      'b: ROLLBACK',
    ],
  },
};

testInterleavings(server, SETUP, CASES);
