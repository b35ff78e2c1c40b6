/** Statements that wait for somebody who changes what they name, with PostgreSQL 15's answers: they go by the new
 * definition, or fail because of it. */
import { testServer } from '../server/server.ts';
import { type Interleavings, testInterleavings } from './interleave.ts';

const server = testServer({ deadlock_timeout: '500ms' });

const SETUP = `
  drop schema if exists public cascade;
  create schema public;
  create table t (id int primary key, v int, s text);
  insert into t values (1, 10, 'a'), (2, 20, 'b');
  create table c (id int primary key, t int references t);
  create view w as select id, v from t;
  create view ww as select * from w;
  create view one as select 1 as one;
  create table p (id int primary key) partition by range (id);
  create table p1 partition of p for values from (0) to (10);
  create table pd partition of p default;
  create table p2 (id int primary key);
  insert into p values (1), (20);
  insert into p2 values (15);
  create table cp (p int references p)`;

const ATTACH = 'a: begin; alter table p attach partition p2 for values from (10) to (20)';
const COUNTS =
  'b: select tableoid::regclass::text as part, count(*) from p group by part order by part';

const CASES: Interleavings = {
  'a view that is dropped': {
    steps: ['a: begin; drop view ww', 'b: select * from ww', 'a: commit'],
    answers: ['a: DROP', 'b: waits', 'a: COMMIT', 'b: 42P01'],
  },
  'a view without tables that is dropped': {
    steps: ['a: begin; drop view one', 'b: select * from one', 'a: commit'],
    answers: ['a: DROP', 'b: waits', 'a: COMMIT', 'b: 42P01'],
  },
  'a view in a view that is replaced': {
    steps: [
      'a: begin; create or replace view w as select id, v + 1 as v from t',
      'b: select v from ww where id = 1',
      'a: commit',
    ],
    answers: ['a: CREATE', 'b: waits', 'a: COMMIT', 'b: 11'],
  },
  'a view that is read in an open block': {
    steps: ['b: begin; select v from ww where id = 1', 'a: drop view ww', 'b: commit'],
    answers: ['b: 10', 'a: waits', 'b: COMMIT', 'a: DROP'],
  },
  'CREATE TABLE AS of a view that is replaced': {
    steps: [
      'a: begin; create or replace view w as select id, v + 1 as v from t',
      'b: create table k as select * from w',
      'a: commit',
      'b: select v from k order by v',
    ],
    answers: ['a: CREATE', 'b: waits', 'a: COMMIT', 'b: SELECT 2', 'b: 11 21'],
  },
  'LOCK TABLE of a view locks what it reads': {
    steps: ['a: begin; lock table ww', 'b: select id from t order by id', 'a: commit'],
    answers: ['a: LOCK', 'b: waits', 'a: COMMIT', 'b: 1 2'],
  },
  'a referenced table that is written anew': {
    steps: [
      'a: begin; alter table t alter s type varchar(10)',
      'b: insert into c values (1, 2)',
      'a: commit',
    ],
    answers: ['a: ALTER', 'b: waits', 'a: COMMIT', 'b: INSERT 1'],
  },
  'a referenced partition that is emptied': {
    steps: ['a: begin; truncate p1, cp', 'b: insert into cp values (1)', 'a: commit'],
    answers: ['a: TRUNCATE', 'b: waits', 'a: COMMIT', 'b: 23503'],
  },
  'a row for the default partition that has become another one’s': {
    steps: [ATTACH, 'b: insert into p values (2), (16)', 'a: commit', COUNTS],
    answers: ['a: ALTER', 'b: waits', 'a: COMMIT', 'b: 23514', 'b: p1,1 p2,1 pd,1'],
  },
  'and one that stays with the default partition': {
    steps: [ATTACH, 'b: insert into p values (21)', 'a: commit', COUNTS],
    answers: ['a: ALTER', 'b: waits', 'a: COMMIT', 'b: INSERT 1', 'b: p1,1 p2,1 pd,2'],
  },
  'a row that is put into the default partition itself': {
    steps: [ATTACH, 'b: insert into pd values (16)', 'a: commit', COUNTS],
    answers: ['a: ALTER', 'b: waits', 'a: COMMIT', 'b: 23514', 'b: p1,1 p2,1 pd,1'],
  },
  'a row that moves to the default partition': {
    steps: [ATTACH, 'b: update p set id = 16 where id = 1', 'a: commit', COUNTS],
    answers: ['a: ALTER', 'b: waits', 'a: COMMIT', 'b: 23514', 'b: p1,1 p2,1 pd,1'],
  },
  'a row that moves away from it': {
    steps: [ATTACH, 'b: update p set id = 16 where id = 20', 'a: commit', COUNTS],
    answers: ['a: ALTER', 'b: waits', 'a: COMMIT', 'b: UPDATE 1', 'b: p1,1 p2,2'],
  },
  'a query reads the partitions that it found': {
    steps: [ATTACH, 'b: select id from p order by id', 'a: commit', 'b: select count(*) from p'],
    answers: ['a: ALTER', 'b: waits', 'a: COMMIT', 'b: 1 20', 'b: 3'],
  },
};

testInterleavings(server, SETUP, CASES);
