/** Rows of partitioned tables between sessions, with PostgreSQL 15's answers: above all rows that go to
 * another partition, where who waits for them cannot follow. */
import { testServer } from '../server/server.ts';
import { type Interleavings, testInterleavings } from './interleave.ts';

const server = testServer({ deadlock_timeout: '500ms' });

const SETUP = `
  drop table if exists t;
  create table t (a int primary key, b int) partition by range (a);
  create table t1 partition of t for values from (0) to (10);
  create table t2 partition of t for values from (10) to (20);
  insert into t values (1, 0), (2, 0)`;

const CASES: Interleavings = {
  'who waits for a row that moves cannot follow it': {
    steps: [
      'a: begin; update t set a = 11 where a = 1',
      'b: update t set b = 5 where a = 1',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: 40001'],
  },
  'nor delete it': {
    steps: [
      'a: begin; update t set a = 11 where a = 1',
      'b: delete from t where a = 1',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: 40001'],
  },
  'nor lock it': {
    steps: [
      'a: begin; update t set a = 11 where a = 1',
      'b: select b from t where a = 1 for update',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: 40001'],
  },
  'not even for key share': {
    steps: [
      'a: begin; update t set a = 11 where a = 1',
      'b: select b from t where a = 1 for key share',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: 40001'],
  },
  'nor move it too': {
    steps: [
      'a: begin; update t set a = 11 where a = 1',
      'b: update t set a = 12 where a = 1',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: 40001'],
  },
  'a move that is rolled back': {
    steps: [
      'a: begin; update t set a = 11 where a = 1',
      'b: update t set b = 5 where a = 1',
      'a: rollback',
      'b: select a, b from t order by a',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: ROLLBACK', 'b: UPDATE 1', 'b: 1,5 2,0'],
  },
  'repeatable read: a row that moved': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from t',
      'a: update t set a = 11 where a = 1',
      'b: update t set b = 5 where a = 1',
      'b: rollback',
    ],
    answers: ['b: 2', 'a: UPDATE 1', 'b: 40001', 'b: ROLLBACK'],
  },
  'a row that changes before it moves': {
    steps: [
      'a: begin; update t set b = 7 where a = 1',
      'b: update t set a = a + 10, b = b + 1 where a = 1',
      'a: commit',
      'b: select a, b from t order by a',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: UPDATE 1', 'b: 2,0 11,8'],
  },
  'a row that changes stays in its partition': {
    steps: [
      'a: begin; update t set b = 7 where a = 1',
      'b: update t set b = b + 1 where a = 1 returning tableoid::regclass::text, b',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: t1,8'],
  },
  'a row that changes drops out': {
    steps: [
      'a: begin; update t set b = 7 where a = 1',
      'b: update t set b = b + 1 where a = 1 and b = 0',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: UPDATE 0'],
  },
  'a row that changes is locked as it is': {
    steps: [
      'a: begin; update t set b = 7 where a = 1',
      'b: select a, b from t where a = 1 for update',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: 1,7'],
  },
  'a key within a partition is taken once': {
    steps: [
      'a: begin; insert into t values (12, 0)',
      'b: insert into t values (12, 1)',
      'a: commit',
    ],
    answers: ['a: INSERT 1', 'b: waits', 'a: COMMIT', 'b: 23505'],
  },
  'a moved row waits for the key in its new partition': {
    steps: [
      'a: begin; insert into t values (12, 0)',
      'b: update t set a = a + 10 where a = 2',
      'a: rollback',
      'b: select a from t order by a',
    ],
    answers: ['a: INSERT 1', 'b: waits', 'a: ROLLBACK', 'b: UPDATE 1', 'b: 1 12'],
  },
  'rows of one partition are locked in it alone': {
    steps: [
      'a: begin; lock table t2 in access exclusive mode',
      'b: select b from t where a = 1',
      'b: insert into t values (3, 0)',
      'a: commit',
    ],
    answers: ['a: LOCK', 'b: 0', 'b: INSERT 1', 'a: COMMIT'],
  },
  'a partition is not dropped while rows are put into it': {
    steps: ['a: begin; insert into t values (12, 0)', 'b: drop table t2', 'a: commit'],
    answers: ['a: INSERT 1', 'b: waits', 'a: COMMIT', 'b: DROP'],
  },
  'a partition that comes is seen at once': {
    steps: [
      'a: begin; create table t3 partition of t for values from (20) to (30); insert into t values (25, 0)',
      'b: select count(*) from t',
      'a: commit',
      'b: insert into t values (26, 0)',
      'b: select count(*) from t',
    ],
    answers: ['a: INSERT 1', 'b: waits', 'a: COMMIT', 'b: 3', 'b: INSERT 1', 'b: 4'],
  },
};

testInterleavings(server, SETUP, CASES);
