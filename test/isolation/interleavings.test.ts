/** Short interleavings of sessions, and what PostgreSQL 15 answers to each. */
import { testServer } from '../server/server.ts';
import { type Interleavings, testInterleavings } from './interleave.ts';

const server = testServer();

const SETUP = `
  drop table if exists t; drop table if exists u;
  create table t (id int primary key, v int);
  create table u (id int primary key, k text unique);
  insert into t values (1, 10), (2, 20); insert into u values (1, 'x')`;

const CASES: Interleavings = {
  'an update waits and is made to the newest row': {
    steps: [
      'a: begin; update t set v = v + 1 where id = 1',
      'b: update t set v = v * 10 where id = 1',
      'a: commit',
      'b: select v from t where id = 1',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: UPDATE 1', 'b: 110'],
  },
  'an update whose condition no longer holds does nothing': {
    steps: [
      'a: begin; update t set v = 99 where id = 1',
      'b: update t set v = 0 where v = 10',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: UPDATE 0'],
  },
  'an update of a row deleted meanwhile does nothing': {
    steps: [
      'a: begin; delete from t where id = 1',
      'b: update t set v = 0 where id = 1',
      'a: commit',
    ],
    answers: ['a: DELETE 1', 'b: waits', 'a: COMMIT', 'b: UPDATE 0'],
  },
  'who waited for a row that was deleted has no lock on its key': {
    steps: [
      'a: begin; delete from t where id = 1',
      'b: begin; update t set v = 0 where id = 1',
      'a: commit',
      'a: insert into t values (1, 77)',
      'b: commit',
    ],
    answers: ['a: DELETE 1', 'b: waits', 'a: COMMIT', 'b: UPDATE 0', 'a: INSERT 1', 'b: COMMIT'],
  },
  'who waited for a row that moved has no lock on its old key': {
    steps: [
      'a: begin; update t set id = 11 where id = 1',
      'b: begin; update t set v = 12 where v = 10',
      'a: commit',
      'a: insert into t values (1, 77)',
      'b: commit',
      'b: select id, v from t order by id',
    ],
    answers: [
      'a: UPDATE 1',
      'b: waits',
      'a: COMMIT',
      'b: UPDATE 1',
      'a: INSERT 1',
      'b: COMMIT',
      'b: 1,77 2,20 11,12',
    ],
  },
  'a row that took the place of a deleted one is another row': {
    steps: [
      'a: begin; delete from t where id = 1',
      'b: update t set v = 0 where id = 1',
      'a: insert into t values (1, 77)',
      'a: commit',
      'b: select v from t where id = 1',
    ],
    answers: ['a: DELETE 1', 'b: waits', 'a: INSERT 1', 'a: COMMIT', 'b: UPDATE 0', 'b: 77'],
  },
  'an update follows a row to its new key': {
    steps: [
      'a: begin; update t set id = 11 where id = 1',
      'b: update t set v = v + 5 where v = 10',
      'a: update t set id = 12 where id = 11',
      'a: commit',
      'b: select id, v from t order by id',
    ],
    answers: [
      'a: UPDATE 1',
      'b: waits',
      'a: UPDATE 1',
      'a: COMMIT',
      'b: UPDATE 1',
      'b: 2,20 12,15',
    ],
  },
  'repeatable read: the first updater wins': {
    steps: [
      'b: begin isolation level repeatable read; select v from t where id = 1',
      'a: update t set v = 11 where id = 1',
      'b: update t set v = 0 where id = 1',
      'b: rollback',
    ],
    answers: ['b: 10', 'a: UPDATE 1', 'b: 40001', 'b: ROLLBACK'],
  },
  'repeatable read: waits, and fails only when the other commits': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from t',
      'a: begin; update t set v = 11 where id = 1',
      'b: delete from t where id = 1',
      'a: rollback',
      'b: commit',
    ],
    answers: ['b: 2', 'a: UPDATE 1', 'b: waits', 'a: ROLLBACK', 'b: DELETE 1', 'b: COMMIT'],
  },
  'repeatable read: FOR UPDATE and ON CONFLICT of rows that came later': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from t',
      'a: insert into t values (3, 30)',
      'b: savepoint s',
      'b: insert into t values (3, 0) on conflict do nothing',
      'b: rollback to s',
      'a: update t set v = 21 where id = 2',
      'b: select * from t where id = 2 for update',
      'b: rollback',
    ],
    answers: [
      'b: 2',
      'a: INSERT 1',
      'b: SAVEPOINT',
      'b: 40001',
      'b: ROLLBACK',
      'a: UPDATE 1',
      'b: 40001',
      'b: ROLLBACK',
    ],
  },
  'repeatable read: definitions take in what the transaction does not see': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from t',
      'a: insert into t values (3, 30)',
      'b: alter table t alter v type bigint',
      'b: create index on t (v)',
      'b: commit',
      'a: select id from t where v = 30',
      'a: select count(*), sum(v) from t',
    ],
    answers: ['b: 2', 'a: INSERT 1', 'b: ALTER', 'b: CREATE', 'b: COMMIT', 'a: 3', 'a: 3,60'],
  },
  'repeatable read: FOR KEY SHARE does not mind a change of other columns': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from t',
      'a: update t set v = 11 where id = 1',
      'b: select v from t where id = 1 for key share',
      'b: commit',
    ],
    answers: ['b: 2', 'a: UPDATE 1', 'b: 10', 'b: COMMIT'],
  },
  'an equal key that is not committed is waited for': {
    steps: ['a: begin; insert into t values (3, 0)', 'b: insert into t values (3, 1)', 'a: commit'],
    answers: ['a: INSERT 1', 'b: waits', 'a: COMMIT', 'b: 23505'],
  },
  'and taken when the other rolls back': {
    steps: [
      'a: begin; insert into t values (3, 0)',
      'b: insert into t values (3, 1)',
      'a: rollback',
      'b: select v from t where id = 3',
    ],
    answers: ['a: INSERT 1', 'b: waits', 'a: ROLLBACK', 'b: INSERT 1', 'b: 1'],
  },
  'a unique value whose row is being deleted is waited for': {
    steps: [
      'a: begin; delete from u where id = 1',
      "b: insert into u values (2, 'x')",
      'a: commit',
    ],
    answers: ['a: DELETE 1', 'b: waits', 'a: COMMIT', 'b: INSERT 1'],
  },
  'ON CONFLICT DO NOTHING keeps none of the keys that it did not insert': {
    steps: [
      "a: begin; insert into u values (5, 'x') on conflict do nothing",
      "b: insert into u values (5, 'z')",
      'a: commit',
    ],
    answers: ['a: INSERT 0', 'b: INSERT 1', 'a: COMMIT'],
  },
  'who asks for a key waits for its holder, and not for those who queue for the row': {
    steps: [
      'b: begin; update t set v = v + 1 where id = 2',
      'a: begin; update t set v = v + 1 where id = 1',
      'c: begin; update t set v = v + 1 where id = 2',
      'a: insert into t values (2, 0)',
      'b: update t set v = v + 1 where id = 1',
      'b: commit',
      'c: commit',
      'a: rollback',
      'a: select id, v from t order by id',
    ],
    answers: [
      'b: UPDATE 1',
      'a: UPDATE 1',
      'c: waits',
      'a: waits',
      'b: waits',
      'a: 40P01',
      'b: UPDATE 1',
      'b: COMMIT',
      'c: UPDATE 1',
      'c: COMMIT',
      'a: ROLLBACK',
      'a: 1,11 2,22',
    ],
  },
  'who asks for a key does not wait for those who rely on it': {
    steps: [
      'a: begin; update t set v = 5 where id = 1',
      'b: begin; select id from t where id = 1 for key share',
      'c: insert into t values (1, 0)',
      'a: commit',
      'b: commit',
    ],
    answers: ['a: UPDATE 1', 'b: 1', 'c: waits', 'a: COMMIT', 'c: 23505', 'b: COMMIT'],
  },
  'an update that leaves a key as it is does not keep out who relies on it': {
    steps: [
      "a: begin; update u set id = 1, k = 'x' where id = 1",
      'b: select id from u where id = 1 for key share',
      "a: update u set k = 'y' where id = 1",
      'b: select id from u where id = 1 for key share',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: 1', 'a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: 1'],
  },
  'ON CONFLICT DO NOTHING locks nothing, though it had to wait': {
    steps: [
      'a: begin; update t set v = 11 where id = 1',
      'b: begin; insert into t values (1, 0) on conflict do nothing',
      'a: commit',
      "a: begin; update u set k = 'y' where id = 1",
      "b: insert into u values (2, 'x') on conflict do nothing",
      'a: rollback',
      'a: select v from t where id = 1 for update nowait',
      'a: delete from u where id = 1',
      'b: commit',
    ],
    answers: [
      'a: UPDATE 1',
      'b: waits',
      'a: COMMIT',
      'b: INSERT 0',
      'a: UPDATE 1',
      'b: waits',
      'a: ROLLBACK',
      'b: INSERT 0',
      'a: 11',
      'a: DELETE 1',
      'b: COMMIT',
    ],
  },
  'a unique value whose row is being changed is waited for': {
    steps: [
      'a: begin; update u set k = k where id = 1',
      "b: insert into u values (2, 'x')",
      'a: delete from u where id = 1',
      'a: commit',
      'a: begin; update u set k = k where id = 2',
      "b: begin; insert into u values (3, 'x') on conflict do nothing",
      'a: commit',
      'a: delete from u',
      'b: commit',
    ],
    answers: [
      'a: UPDATE 1',
      'b: waits',
      'a: DELETE 1',
      'a: COMMIT',
      'b: INSERT 1',
      'a: UPDATE 1',
      'b: waits',
      'a: COMMIT',
      'b: INSERT 0',
      'a: DELETE 1',
      'b: COMMIT',
    ],
  },
  'a unique value that is being given up is waited for': {
    steps: [
      "a: begin; update u set k = 'y' where id = 1",
      "b: insert into u values (2, 'x')",
      'a: rollback',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: ROLLBACK', 'b: 23505'],
  },
  'ON CONFLICT waits, then updates what was inserted': {
    steps: [
      'a: begin; insert into t values (3, 1)',
      'b: insert into t values (3, 0) on conflict (id) do update set v = t.v + 100',
      'a: commit',
      'b: select v from t where id = 3',
    ],
    answers: ['a: INSERT 1', 'b: waits', 'a: COMMIT', 'b: INSERT 1', 'b: 101'],
  },
  'ON CONFLICT inserts where the row it met has gone to another key': {
    steps: [
      'a: begin; select id from t where id = 1 for update',
      'b: insert into t values (1, 0) on conflict (id) do update set v = t.v + 100',
      'a: update t set id = 11 where id = 1',
      'a: commit',
      'b: select id, v from t order by id',
    ],
    answers: ['a: 1', 'b: waits', 'a: UPDATE 1', 'a: COMMIT', 'b: INSERT 1', 'b: 1,0 2,20 11,10'],
  },
  'ON CONFLICT updates the row that has come to the key meanwhile': {
    steps: [
      'a: begin; select id from t where id = 1 for update',
      'b: insert into t values (1, 0) on conflict (id) do update set v = t.v + 100',
      'a: update t set id = 11 where id = 1; insert into t values (1, 7)',
      'a: commit',
      'b: select id, v from t order by id',
    ],
    answers: ['a: 1', 'b: waits', 'a: INSERT 1', 'a: COMMIT', 'b: INSERT 1', 'b: 1,107 2,20 11,10'],
  },
  'ON CONFLICT inserts where the row it met has another key in the index': {
    steps: [
      'a: begin; select id from u where id = 1 for update',
      "b: insert into u values (9, 'x') on conflict (k) do update set k = 'met'",
      "a: update u set k = 'y' where id = 1",
      'a: commit',
      'b: select id, k from u order by id',
    ],
    answers: ['a: 1', 'b: waits', 'a: UPDATE 1', 'a: COMMIT', 'b: INSERT 1', 'b: 1,y 9,x'],
  },
  'ON CONFLICT sees what the row that it met has become': {
    steps: [
      'a: begin; select id from t where id = 1 for update',
      'b: insert into t values (1, 5) on conflict (id) do update set v = t.v + excluded.v',
      'a: update t set v = 50 where id = 1',
      'a: commit',
      'b: select v from t where id = 1',
    ],
    answers: ['a: 1', 'b: waits', 'a: UPDATE 1', 'a: COMMIT', 'b: INSERT 1', 'b: 55'],
  },
  'FOR KEY SHARE and an update of other columns do not conflict, of the key do': {
    steps: [
      'a: begin; select id from t where id = 1 for key share',
      'b: update t set v = 0 where id = 1',
      'b: update t set id = 9 where id = 1',
      'a: commit',
    ],
    answers: ['a: 1', 'b: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: UPDATE 1'],
  },
  'NOWAIT and SKIP LOCKED': {
    steps: [
      'a: begin; select id from t where id = 1 for update',
      'b: select id from t order by id for update skip locked',
      'b: select id from t order by id for share nowait',
      'a: rollback',
    ],
    answers: ['a: 1', 'b: 2', 'b: 55P03', 'a: ROLLBACK'],
  },
  'rolling back to a savepoint gives row locks back': {
    steps: [
      'a: begin; savepoint s; update t set v = 0 where id = 1',
      'b: update t set v = 5 where id = 1',
      'a: rollback to s',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: ROLLBACK', 'b: UPDATE 1', 'a: COMMIT'],
  },
  'a deadlock ends the one who looks': {
    steps: [
      "a: set deadlock_timeout = '10s'; begin; update t set v = 0 where id = 1",
      "b: set deadlock_timeout = '500ms'; begin; update t set v = 0 where id = 2",
      'a: update t set v = 1 where id = 2',
      'b: update t set v = 1 where id = 1',
      'a: commit',
      'b: rollback',
    ],
    answers: [
      'a: UPDATE 1',
      'b: UPDATE 1',
      'a: waits',
      'b: waits',
      'b: 40P01',
      'a: UPDATE 1',
      'a: COMMIT',
      'b: ROLLBACK',
    ],
  },
  'a read waits for who has locked the table': {
    steps: [
      'a: begin; lock table t',
      'b: select count(*) from t',
      'a: insert into t values (3, 3)',
      'a: commit',
      'b: select count(*) from t',
    ],
    answers: ['a: LOCK', 'b: waits', 'a: INSERT 1', 'a: COMMIT', 'b: 3', 'b: 3'],
  },
  'a block that has read keeps the table': {
    steps: [
      'a: begin; select count(*) from t',
      'b: alter table t add column w int',
      'a: select count(*) from t',
      'a: commit',
      'a: select * from t where id = 1',
    ],
    answers: ['a: 2', 'b: waits', 'a: 2', 'a: COMMIT', 'b: ALTER', 'a: 1,10,'],
  },
  'a statement that waited for a change of its table is planned again': {
    steps: [
      'a: begin; alter table t add column w int default 7',
      'b: select * from t where id = 1',
      'a: commit',
      'b: update t set w = 8 where id = 1 returning *',
    ],
    answers: ['a: ALTER', 'b: waits', 'a: COMMIT', 'b: 1,10,7', 'b: 1,10,8'],
  },
  'advisory locks outlive transactions; those of a transaction do not': {
    steps: [
      'a: begin; select pg_advisory_lock(1), pg_advisory_xact_lock(2)',
      'b: select pg_try_advisory_lock(1), pg_try_advisory_lock(2)',
      'a: rollback',
      'b: select pg_try_advisory_lock(1), pg_try_advisory_lock(2)',
      'b: select pg_advisory_lock(1), 1',
      'a: select pg_advisory_unlock(1)',
    ],
    answers: [
      'a: ,',
      'b: false,false',
      'a: ROLLBACK',
      'b: false,true',
      'b: waits',
      'a: true',
      'b: ,1',
    ],
  },
  'lock_timeout and statement_timeout end a wait': {
    steps: [
      'a: begin; update t set v = 0',
      "b: set lock_timeout = '250ms'",
      'b: delete from t',
      "b: set lock_timeout = 0; set statement_timeout = '250ms'",
      'b: delete from t',
      'b: select 1',
      'a: rollback',
    ],
    answers: [
      'a: UPDATE 2',
      'b: SET',
      'b: waits',
      'b: 55P03',
      'b: SET',
      'b: waits',
      'b: 57014',
      'b: 1',
      'a: ROLLBACK',
    ],
  },
  'who wants a key that many rows are inserted with waits, and is refused': {
    steps: [
      'a: begin; insert into t select g, 0 from generate_series(3, 3000) g',
      'b: insert into t values (2500, 1)',
      'a: commit',
      'b: insert into t values (3001, 1)',
    ],
    answers: ['a: INSERT 2998', 'b: waits', 'a: COMMIT', 'b: 23505', 'b: INSERT 1'],
  },
  'who wants a key that many rows were inserted with gets it after a rollback': {
    steps: [
      'a: begin; insert into t select g, 0 from generate_series(3, 3000) g',
      'b: insert into t values (2500, 1), (5000, 1)',
      'c: insert into t values (2500, 2) on conflict (id) do update set v = 77',
      'a: rollback',
      'b: select id, v from t order by id',
    ],
    answers: [
      'a: INSERT 2998',
      'b: waits',
      'c: waits',
      'a: ROLLBACK',
      'b: INSERT 2',
      'c: INSERT 1',
      'b: 1,10 2,20 2500,77 5000,1',
    ],
  },
  'a rollback to a savepoint gives up the keys of the rows inserted since': {
    steps: [
      'a: begin; savepoint s; insert into t select g, 0 from generate_series(3, 3000) g',
      'b: insert into t values (2500, 1)',
      'a: rollback to s',
      'a: insert into t select g, 0 from generate_series(3, 2499) g; commit',
      'b: select count(*), sum(v) from t',
    ],
    answers: [
      'a: INSERT 2998',
      'b: waits',
      'a: ROLLBACK',
      'b: INSERT 1',
      'a: COMMIT',
      'b: 2500,31',
    ],
  },
  'many rows wait for a key that somebody else has inserted': {
    steps: [
      'a: begin; insert into t values (2500, 1)',
      'b: insert into t select g, 0 from generate_series(3, 3000) g',
      'a: rollback',
      'a: begin; delete from t where id = 2500',
      'b: begin; insert into t select g, 0 from generate_series(3001, 6000) g',
      'b: insert into t select g, 1 from generate_series(2500, 2500) g',
      'a: commit',
      'b: commit',
      'a: select count(*), sum(v) from t',
    ],
    answers: [
      'a: INSERT 1',
      'b: waits',
      'a: ROLLBACK',
      'b: INSERT 2998',
      'a: DELETE 1',
      'b: INSERT 3000',
      'b: waits',
      'a: COMMIT',
      'b: INSERT 1',
      'b: COMMIT',
      'a: 6000,31',
    ],
  },
  'two sessions that insert many rows each meet in a deadlock': {
    steps: [
      "a: begin; insert into u select g, g from generate_series(3, 3000) g; set deadlock_timeout = '500ms'",
      "b: begin; insert into u select g, g from generate_series(4001, 8000) g; set deadlock_timeout = '1h'",
      "b: insert into u values (9000, '2000')",
      "a: insert into u values (9001, '5000')",
      'b: commit',
      "a: insert into u values (9001, '5000')",
    ],
    answers: [
      'a: SET',
      'b: SET',
      'b: waits',
      'a: waits',
      'a: 40P01',
      'b: INSERT 1',
      'b: COMMIT',
      'a: 25P02',
    ],
  },
};

testInterleavings(server, SETUP, CASES);
