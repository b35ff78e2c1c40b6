/** A REPEATABLE READ transaction gives a row of its own the key of one that its snapshot shows and that others
 * have deleted since. PostgreSQL shows it both; here the key is the row, so reading it answers 40001. */
import { testServer } from '../server/server.ts';
import { type Interleavings, testInterleavings } from './interleave.ts';

const server = testServer();

const SETUP = `
  drop table if exists t;
  create table t (id int primary key, k int unique, v int);
  insert into t select g, g, 0 from generate_series(1, 2000) g;
  analyze t`;

const BEGIN = 'a: begin isolation level repeatable read; select count(*) from t';

const CASES: Interleavings = {
  'the key is free, and read by nobody': {
    steps: [
      BEGIN,
      'b: delete from t where id = 1',
      'a: insert into t values (1, 5000, 7)',
      'a: select id, k from t where id = 2',
      'a: commit',
      'b: select id, k, v from t where id = 1',
    ],
    answers: ['a: 2000', 'b: DELETE 1', 'a: INSERT 1', 'a: 2,2', 'a: COMMIT', 'b: 1,5000,7'],
  },
  'the key is read': {
    steps: [
      BEGIN,
      'b: delete from t where id = 1',
      'a: insert into t values (1, 5000, 7)',
      'a: select id, k, v from t where id = 1',
      'a: rollback',
    ],
    answers: ['a: 2000', 'b: DELETE 1', 'a: INSERT 1', 'a: 40001', 'a: ROLLBACK'],
  },
  'the key is among those that are read, and the new row gone again': {
    steps: [
      BEGIN,
      'b: delete from t where id = 1',
      'a: insert into t values (1, 5000, 7)',
      'a: delete from t where k = 5000',
      'a: rollback',
    ],
    answers: ['a: 2000', 'b: DELETE 1', 'a: INSERT 1', 'a: 40001', 'a: ROLLBACK'],
  },
  'a row is moved to the key': {
    steps: [
      BEGIN,
      'b: delete from t where id = 1',
      'a: update t set id = 1 where id = 2',
      'a: select sum(id) from t where id < 4',
      'a: rollback',
    ],
    answers: ['a: 2000', 'b: DELETE 1', 'a: UPDATE 1', 'a: 40001', 'a: ROLLBACK'],
  },
  'a second key': {
    steps: [
      BEGIN,
      'b: delete from t where id = 1',
      'a: insert into t values (5000, 1, 7)',
      'a: select count(*), sum(v) from t',
      'a: select id from t where k = 1',
      'a: rollback',
    ],
    answers: ['a: 2000', 'b: DELETE 1', 'a: INSERT 1', 'a: 2001,7', 'a: 40001', 'a: ROLLBACK'],
  },
  'a savepoint takes the new row back': {
    steps: [
      BEGIN,
      'b: delete from t where id = 1',
      'a: savepoint s; insert into t values (1, 5000, 7)',
      'a: rollback to s',
      'a: select id, k from t where id = 1',
      'a: commit',
    ],
    answers: ['a: 2000', 'b: DELETE 1', 'a: INSERT 1', 'a: ROLLBACK', 'a: 1,1', 'a: COMMIT'],
  },
  'its own delete makes room': {
    steps: [
      BEGIN,
      'b: update t set v = 1 where id = 9',
      'a: delete from t where id = 1',
      'a: insert into t values (1, 5000, 7)',
      'a: select k from t where id = 1',
      'a: commit',
    ],
    answers: ['a: 2000', 'b: UPDATE 1', 'a: DELETE 1', 'a: INSERT 1', 'a: 5000', 'a: COMMIT'],
  },
};

testInterleavings(server, SETUP, CASES);
