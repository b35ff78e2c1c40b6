/** Who waits for whom where rows change under those who want them, with PostgreSQL 15's answers. Those that come
 * of one step may come in any order. */
import { testServer } from '../server/server.ts';
import { type Interleavings, testInterleavings } from './interleave.ts';

const server = testServer();

const SETUP = `
  drop table if exists t, p;
  create table t (id int primary key, v int);
  create table p (id int primary key, k int unique, v int);
  insert into t select g, 0 from generate_series(1, 4) g;
  insert into p select g, g, 0 from generate_series(1, 4) g`;

const REFUSED = ['c: 0', 'a: UPDATE 1', 'b: UPDATE 1', 'c: 40001', 'b: COMMIT'];
const CHANGED_TWICE = [
  'c: begin isolation level repeatable read; select v from t where id = 1',
  'a: update t set v = 1 where id = 1',
  'b: begin; update t set v = 2 where id = 1',
];

const CASES: Interleavings = {
  'nobody waits for a row that has changed since his snapshot': {
    steps: [...CHANGED_TWICE, 'c: update t set v = 3 where id = 1', 'b: commit'],
    answers: REFUSED,
  },
  'nor does he skip it': {
    steps: [
      ...CHANGED_TWICE,
      'c: select v from t where id = 1 for update skip locked',
      'b: commit',
    ],
    answers: REFUSED,
  },
  'who waits is refused as soon as it has changed, whoever gets it': {
    steps: [
      'a: begin; update t set v = 1 where id = 1',
      'b: begin; update t set v = 2 where id = 1',
      'c: begin isolation level repeatable read; update t set v = 3 where id = 1',
      'a: commit',
      'b: commit',
    ],
    answers: [
      'a: UPDATE 1',
      'b: waits',
      'c: waits',
      'a: COMMIT',
      'b: UPDATE 1',
      'c: 40001',
      'b: COMMIT',
    ],
  },
  'a row that waits for its new key is waited for at its old one': {
    steps: [
      'b: begin; delete from t where id = 3',
      'a: update t set id = 3 where id = 2',
      'c: insert into t values (2, 9) on conflict do nothing',
      'b: commit',
      'c: select * from t order by id',
    ],
    answers: [
      'b: DELETE 1',
      'a: waits',
      'c: waits',
      'b: COMMIT',
      'a: UPDATE 1',
      'c: INSERT 1',
      'c: 1,0 2,9 3,0 4,0',
    ],
  },
  'and at all others': {
    steps: [
      'b: begin; delete from p where k = 3',
      'a: update p set k = 3 where id = 2',
      'c: insert into p values (2, 8, 9)',
      'b: commit',
    ],
    answers: ['b: DELETE 1', 'a: waits', 'c: waits', 'b: COMMIT', 'a: UPDATE 1', 'c: 23505'],
  },
  'a conflict that comes after keys were found free is none that was foreseen': {
    steps: [
      'b: begin; update p set v = 1 where id = 2',
      'a: insert into p values (2, 5, 0) on conflict (k) do update set v = p.v + 1',
      'b: update p set k = 5 where id = 2; commit',
    ],
    answers: ['b: UPDATE 1', 'a: waits', 'b: COMMIT', 'a: 23505'],
  },
};

testInterleavings(server, SETUP, CASES, (answers) => [...answers].sort());
