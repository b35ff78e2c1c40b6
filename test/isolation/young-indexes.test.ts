/** Indexes, and tables that were moved, behind a snapshot that is held: what PostgreSQL 15 answers. */
import { testServer } from '../server/server.ts';
import { type Interleavings, testInterleavings } from './interleave.ts';

const server = testServer();

const BEGIN = 'a: begin isolation level repeatable read; select count(*) from other';

const SETUP = `
  drop table if exists child, t, u, p, other;
  create table other (x int);
  insert into other values (30), (10);
  create table child (v int);
  create table t (id int primary key, v int);
  insert into t select g, g * 10 from generate_series(1, 2000) g;
  create table u (id int not null, v int);
  insert into u values (2, 20), (1, 10);
  create table p (k int, v int) partition by range (k);
  create table p1 partition of p for values from (0) to (1000);
  create table p2 partition of p for values from (1000) to (3000);
  insert into p select g, g + 1 from generate_series(1, 2000) g;
  analyze t`;

const CASES: Interleavings = {
  'an index that is younger than the snapshot hides no rows': {
    steps: [
      BEGIN,
      'b: update t set v = 99 where id = 2',
      'b: create index on t (v)',
      'a: select id from t where v = 20',
      'a: select min(v), max(v) from t',
      'a: select id from t order by v limit 1',
      'a: select count(*) from other join t on t.v = other.x',
      'a: explain (costs off) select id from t where v = 20',
      'a: commit',
      'a: select id from t where v = 20',
      'a: select id from t where v = 99',
    ],
    answers: [
      'a: 2',
      'b: UPDATE 1',
      'b: CREATE',
      'a: 2',
      'a: 10,20000',
      'a: 1',
      'a: 2',
      'a: Seq Scan on t   Filter: (v = 20)',
      'a: COMMIT',
      'a: no rows',
      'a: 2',
    ],
  },
  'it is kept up by changes of rows, and decides conflicts': {
    steps: [
      BEGIN,
      'b: alter table t add unique (v)',
      'a: insert into t values (9000, 20) on conflict (v) do nothing',
      'a: insert into t values (9000, 20) on conflict (v) do update set v = 21',
      'a: update t set v = 31 where v = 30',
      'a: select id from t where v in (21, 31) order by id',
      'a: delete from t where v = 40',
      'a: select id from t where v = 50 for update',
      'a: commit',
      'b: select id from t where v in (20, 21, 30, 31, 40) order by id',
    ],
    answers: [
      'a: 2',
      'b: ALTER',
      'a: INSERT 0',
      'a: INSERT 1',
      'a: UPDATE 1',
      'a: 2 3',
      'a: DELETE 1',
      'a: 5',
      'a: COMMIT',
      'b: 2 3',
    ],
  },
  'prepared statements leave it out in the block alone': {
    steps: [
      'a: prepare p as select id from t where v = 20',
      'b: create index on t (v)',
      BEGIN,
      'b: reindex table t',
      'a: execute p',
      'a: select id from t where v = 20',
      'a: commit',
      'a: explain (costs off) execute p',
    ],
    answers: [
      'a: PREPARE',
      'b: CREATE',
      'a: 2',
      'b: REINDEX',
      'a: 2',
      'a: 2',
      'a: COMMIT',
      'a: Index Only Scan using t_v_idx on t   Index Cond: (v = 20)',
    ],
  },
  'a cursor reads at its snapshot when it is planned anew': {
    steps: [
      'a: begin; insert into other values (1); declare c cursor for select id from t where v = 20',
      'b: update t set v = 21 where id = 2; create index on t (v)',
      'a: fetch c',
      'a: fetch backward c',
      'a: fetch all from c',
      'a: select id from t where v = 20',
      'a: commit',
    ],
    answers: ['a: DECLARE', 'b: CREATE', 'a: 2', 'a: no rows', 'a: 2', 'a: no rows', 'a: COMMIT'],
  },
  'an index of the transaction itself': {
    steps: [
      BEGIN,
      'b: update t set v = 99 where id = 2',
      'a: create index on t (v)',
      'a: select id from t where v = 20',
      'a: create table made as select id from t where v = 20',
      'a: select id from made',
      'a: rollback',
    ],
    answers: ['a: 2', 'b: UPDATE 1', 'a: CREATE', 'a: 2', 'a: SELECT 1', 'a: 2', 'a: ROLLBACK'],
  },
  'CREATE TABLE AS': {
    steps: [
      BEGIN,
      'b: create index on t (v)',
      'a: create table made as select id from t where v = 20',
      'a: select id from made',
      'a: rollback',
    ],
    answers: ['a: 2', 'b: CREATE', 'a: SELECT 1', 'a: 2', 'a: ROLLBACK'],
  },
  'partitions that are merged in the order of an index': {
    steps: [
      BEGIN,
      'b: create index on p (k, v)',
      'a: select k, v from p order by k limit 2',
      'a: select v from p where k = 7 and v = 8',
      'a: commit',
    ],
    answers: ['a: 2', 'b: CREATE', 'a: 1,2 2,3', 'a: 8', 'a: COMMIT'],
  },
  'a foreign key to a younger unique constraint': {
    steps: [
      BEGIN,
      'b: alter table t add unique (v); alter table child add foreign key (v) references t (v)',
      'a: insert into child values (20)',
      'a: insert into child values (21)',
      'a: rollback',
    ],
    answers: ['a: 2', 'b: ALTER', 'a: INSERT 1', 'a: 23503', 'a: ROLLBACK'],
  },
  'a table that was emptied': {
    steps: [
      BEGIN,
      'b: alter table u add primary key (id); truncate u',
      'a: select v from u where id = 1',
      'a: rollback',
    ],
    answers: ['a: 2', 'b: TRUNCATE', 'a: no rows', 'a: ROLLBACK'],
  },
  // PostgreSQL shows the rows where they were.
  'a table whose primary key came answers that it cannot be read': {
    steps: [
      BEGIN,
      'b: alter table u add primary key (id)',
      'a: select v from u where id = 1',
      'a: rollback',
      'a: select v from u where id = 1',
    ],
    answers: ['a: 2', 'b: ALTER', 'a: 40001', 'a: ROLLBACK', 'a: 10'],
  },
  'a table whose primary key went, too': {
    steps: [
      BEGIN,
      'b: alter table t drop constraint t_pkey',
      'a: select v from t where id = 1',
      'a: rollback',
      'a: select v from t where id = 1',
    ],
    answers: ['a: 2', 'b: ALTER', 'a: 40001', 'a: ROLLBACK', 'a: 10'],
  },
};

testInterleavings(server, SETUP, CASES);
