/** Rows that a statement changes in large number are not locked one by one: others find them in its changes. What
 * they wait for, and what they then see, is what PostgreSQL answers. */
import { testServer } from '../server/server.ts';
import { type Interleavings, testInterleavings } from './interleave.ts';

const server = testServer();

const SETUP = `
  drop table if exists r, t;
  create table t (id int primary key, k int unique, v int);
  create index on t (v);
  create table r (id int, t int references t);
  insert into t select g, g, 0 from generate_series(1, 2000) g;
  analyze t`;

const CASES: Interleavings = {
  'a row among those that were updated': {
    steps: [
      'a: begin; update t set v = v + 1',
      'b: update t set v = v + 10 where id = 1999',
      'a: commit',
      'b: select v from t where id = 1999',
    ],
    answers: ['a: UPDATE 2000', 'b: waits', 'a: COMMIT', 'b: UPDATE 1', 'b: 11'],
  },
  'the update is given up': {
    steps: [
      'a: begin; update t set v = v + 1',
      'b: update t set v = v + 10 where id = 1999',
      'a: rollback',
      'b: select v from t where id = 1999',
    ],
    answers: ['a: UPDATE 2000', 'b: waits', 'a: ROLLBACK', 'b: UPDATE 1', 'b: 10'],
  },
  'the update is given up to a savepoint': {
    steps: [
      'a: begin; savepoint s; update t set v = v + 1',
      'b: update t set v = v + 10 where id = 1999',
      'a: rollback to s',
      'a: commit',
      'b: select v from t where id = 1999',
    ],
    answers: ['a: UPDATE 2000', 'b: waits', 'a: ROLLBACK', 'b: UPDATE 1', 'a: COMMIT', 'b: 10'],
  },
  'all rows, by both': {
    steps: [
      'a: begin; update t set v = v + 1',
      'b: update t set v = v + 10',
      'a: commit',
      'b: select sum(v), min(v), count(*) from t where v > 0',
    ],
    answers: ['a: UPDATE 2000', 'b: waits', 'a: COMMIT', 'b: UPDATE 2000', 'b: 22000,11,2000'],
  },
  'the index of a column that was updated': {
    steps: [
      'a: update t set v = id % 7 where id > 500',
      'a: analyze t',
      'b: select count(*), sum(v), max(v) from t where v > 0',
      'a: begin; savepoint s; update t set v = v + 10; rollback to s; update t set v = v + 20; commit',
      'b: select count(*), sum(v), max(v) from t where v > 0',
    ],
    answers: ['a: UPDATE 1500', 'a: ANALYZE', 'b: 1286,4503,6', 'a: COMMIT', 'b: 2000,44503,26'],
  },
  'a row that is locked by itself': {
    steps: [
      'b: begin; select id from t where id = 1500 for update',
      'a: update t set v = v + 1',
      'b: update t set v = 100 where id = 1500',
      'b: commit',
      'a: select v from t where id = 1500',
    ],
    answers: ['b: 1500', 'a: waits', 'b: UPDATE 1', 'b: COMMIT', 'a: UPDATE 2000', 'a: 101'],
  },
  'a row that a block has changed by its key': {
    steps: [
      'b: begin',
      'b: update t set v = 7 where id = 1300',
      'a: update t set v = v + 1',
      'b: commit',
      'a: select v from t where id = 1300',
    ],
    answers: ['b: BEGIN', 'b: UPDATE 1', 'a: waits', 'b: COMMIT', 'a: UPDATE 2000', 'a: 8'],
  },
  'the key of a row whose other columns were updated': {
    steps: [
      'a: begin; update t set v = v + 1',
      'b: select id from t where id = 1999 for key share',
      'b: insert into r values (1, 1998)',
      'a: commit',
    ],
    answers: ['a: UPDATE 2000', 'b: 1999', 'b: INSERT 1', 'a: COMMIT'],
  },
  'the key of a row whose keys were updated': {
    steps: [
      'a: begin; update t set k = -k',
      'b: select k from t where id = 1999 for key share',
      'a: commit',
    ],
    answers: ['a: UPDATE 2000', 'b: waits', 'a: COMMIT', 'b: -1999'],
  },
  'a reference to a row that was deleted': {
    steps: ['a: begin; delete from t', 'b: insert into r values (1, 1999)', 'a: commit'],
    answers: ['a: DELETE 2000', 'b: waits', 'a: COMMIT', 'b: 23503'],
  },
  'a reference to a row whose deletion is given up': {
    steps: ['a: begin; delete from t', 'b: insert into r values (1, 1999)', 'a: rollback'],
    answers: ['a: DELETE 2000', 'b: waits', 'a: ROLLBACK', 'b: INSERT 1'],
  },
  'the key of a row that was deleted': {
    steps: ['a: begin; delete from t', 'b: insert into t values (1999, 0, 0)', 'a: commit'],
    answers: ['a: DELETE 2000', 'b: waits', 'a: COMMIT', 'b: INSERT 1'],
  },
  'the key of a row whose deletion is given up': {
    steps: ['a: begin; delete from t', 'b: insert into t values (1999, 0, 0)', 'a: rollback'],
    answers: ['a: DELETE 2000', 'b: waits', 'a: ROLLBACK', 'b: 23505'],
  },
  'a unique key of a row that was deleted': {
    steps: ['a: begin; delete from t', 'b: insert into t values (0, 1999, 0)', 'a: commit'],
    answers: ['a: DELETE 2000', 'b: waits', 'a: COMMIT', 'b: INSERT 1'],
  },
  'a unique key that was taken, and one that was left': {
    steps: [
      'a: begin; update t set k = k + 5000',
      'b: insert into t values (0, 6999, 0)',
      'a: commit',
      'b: insert into t values (0, 1999, 0)',
    ],
    answers: ['a: UPDATE 2000', 'b: waits', 'a: COMMIT', 'b: 23505', 'b: INSERT 1'],
  },
  'who does not wait': {
    steps: [
      'a: begin; update t set v = v + 1',
      'b: select id from t where id = 1999 for update nowait',
      'b: select count(*) from (select id from t where id > 1000 for share skip locked) s',
      'a: rollback',
    ],
    answers: ['a: UPDATE 2000', 'b: 55P03', 'b: 0', 'a: ROLLBACK'],
  },
  'a transaction that keeps its snapshot': {
    steps: [
      'a: begin; update t set v = v + 1',
      'b: begin isolation level repeatable read; select v from t where id = 1999',
      'b: update t set v = 5 where id = 1999',
      'a: commit',
      'b: rollback',
    ],
    answers: ['a: UPDATE 2000', 'b: 0', 'b: waits', 'a: COMMIT', 'b: 40001', 'b: ROLLBACK'],
  },
  'rows of the transaction itself, again and again': {
    steps: [
      'a: begin; update t set v = v + 1; update t set v = v + 1, k = k + 5000',
      'a: delete from t where k > 6000',
      'a: insert into t select g, g, 3 from generate_series(1001, 1600) g',
      'a: commit',
      'a: select count(*), sum(v), max(k), (select count(*) from t where v = 3) from t',
    ],
    answers: [
      'a: UPDATE 2000',
      'a: DELETE 1000',
      'a: INSERT 600',
      'a: COMMIT',
      'a: 1600,3800,6000,600',
    ],
  },
  'rows of the transaction itself, one of them changed by its key before': {
    steps: [
      'a: begin',
      'a: update t set v = 7 where id = 1300',
      'a: update t set v = v + 1',
      'a: select v from t where id = 1300',
      'a: commit',
    ],
    answers: ['a: BEGIN', 'a: UPDATE 1', 'a: UPDATE 2000', 'a: 8', 'a: COMMIT'],
  },
  'a row whose key was updated': {
    steps: [
      'a: begin; update t set id = id + 5000 where id <= 1500',
      'b: update t set v = 9 where id = 7',
      'a: commit',
      'b: select id, v from t where v = 9',
    ],
    answers: ['a: UPDATE 1500', 'b: waits', 'a: COMMIT', 'b: UPDATE 0', 'b: no rows'],
  },
};

testInterleavings(server, SETUP, CASES);
