/** Short interleavings of SERIALIZABLE transactions: what must fail, and what need not. PostgreSQL 15 answers
 * alike where nothing else is said; differences are explained in docs/differences.md. */
import { testServer } from '../server/server.ts';
import { type Interleavings, testInterleavings } from './interleave.ts';

const server = testServer();

const BEGIN = 'begin isolation level serializable';

const SETUP = `
  drop table if exists doctor, mark, control, receipt, child, item, big, copied, whole, later;
  drop sequence if exists counter;
  create table doctor (id int primary key, on_call bool);
  insert into doctor values (1, true), (2, true);
  create table mark (id int primary key, class int, value int);
  create index on mark (class);
  insert into mark values (1, 1, 10), (2, 1, 20), (3, 2, 100), (4, 2, 200);
  insert into mark select g, g, g from generate_series(1000, 3000) g;
  create table control (batch int); insert into control values (1);
  create table receipt (id int primary key, batch int);
  create table item (id int primary key, v int); insert into item values (1, 10), (2, 20), (3, 30);
  create table child (id int primary key, item int references item);
  create table big (id int primary key, v int);
  insert into big select g from generate_series(1, 4000) g;
  create table whole (id int) partition by range (id);
  create table sooner partition of whole for values from (0) to (10);
  create table later (id int); insert into later values (11); insert into whole values (1);
  create sequence counter; analyze`;

const CASES: Interleavings = {
  'write skew: of two who rely on one another one fails': {
    steps: [
      `a: ${BEGIN}; select count(*) from doctor where on_call`,
      `b: ${BEGIN}; select count(*) from doctor where on_call`,
      'a: update doctor set on_call = false where id = 1',
      'b: update doctor set on_call = false where id = 2',
      'a: commit',
      'b: commit',
      'a: select count(*) from doctor where on_call',
    ],
    answers: ['a: 2', 'b: 2', 'a: UPDATE 1', 'b: UPDATE 1', 'a: COMMIT', 'b: 40001', 'a: 1'],
  },
  'write skew, told at the statement once the other has committed': {
    steps: [
      `a: ${BEGIN}; select count(*) from doctor where on_call`,
      `b: ${BEGIN}; select count(*) from doctor where on_call`,
      'a: update doctor set on_call = false where id = 1',
      'a: commit',
      'b: update doctor set on_call = false where id = 2',
      'b: select 1',
      'b: commit',
    ],
    answers: ['a: 2', 'b: 2', 'a: UPDATE 1', 'a: COMMIT', 'b: 40001', 'b: 25P02', 'b: ROLLBACK'],
  },
  'phantoms: rows that come into what the other has counted': {
    steps: [
      `a: ${BEGIN}; select count(*) from mark where class = 1`,
      `b: ${BEGIN}; select count(*) from mark where class = 2`,
      'a: insert into mark values (100, 2, 0)',
      'b: insert into mark values (101, 1, 0)',
      'a: commit',
      'b: commit',
    ],
    answers: ['a: 2', 'b: 2', 'a: INSERT 1', 'b: INSERT 1', 'a: COMMIT', 'b: 40001'],
  },
  'phantoms of another class are none, as the index tells': {
    steps: [
      `a: ${BEGIN}; select count(*) from mark where class = 1`,
      `b: ${BEGIN}; select count(*) from mark where class = 2`,
      'a: insert into mark values (100, 1, 0)',
      'b: insert into mark values (101, 2, 0)',
      'a: commit',
      'b: commit',
    ],
    answers: ['a: 2', 'b: 2', 'a: INSERT 1', 'b: INSERT 1', 'a: COMMIT', 'b: COMMIT'],
  },
  'a row that leaves what the other has counted': {
    steps: [
      `a: ${BEGIN}; select count(*) from mark where class = 1`,
      'b: update mark set class = 3 where id = 1',
      'a: update doctor set on_call = false where id = 1',
    ],
    answers: ['a: 2', 'b: UPDATE 1', 'a: 40001'],
  },
  'batch processing: a report of a closed batch is final': {
    steps: [
      `new: ${BEGIN}; select batch from control`,
      `close: ${BEGIN}; update control set batch = batch + 1`,
      'close: commit',
      `report: ${BEGIN}; select batch from control`,
      'report: select count(*) from receipt where batch = 1',
      'report: commit',
      'new: insert into receipt values (10, 1)',
      'new: commit',
    ],
    answers: [
      'new: 1',
      'close: UPDATE 1',
      'close: COMMIT',
      'report: 2',
      'report: 0',
      'report: COMMIT',
      'new: 40001',
      'new: ROLLBACK',
    ],
  },
  'the same with a report that says that it only reads, and so runs in another thread': {
    steps: [
      `new: ${BEGIN}; select batch from control`,
      `close: ${BEGIN}; update control set batch = batch + 1`,
      'close: commit',
      `report: ${BEGIN} read only deferrable; select batch from control`,
      'report: select count(*) from receipt where batch = 1',
      'report: commit',
      'new: insert into receipt values (10, 1)',
    ],
    answers: [
      'new: 1',
      'close: UPDATE 1',
      'close: COMMIT',
      'report: 2',
      'report: 0',
      'report: COMMIT',
      'new: 40001',
    ],
  },
  'read-only anomaly: accounts that are seen in no order': {
    steps: [
      `a: ${BEGIN}; select v from item where id in (1, 2) order by id`,
      `b: ${BEGIN}; select v from item where id = 2`,
      'b: update item set v = v + 20 where id = 2',
      'b: commit',
      `c: ${BEGIN}; select v from item where id in (1, 2) order by id`,
      'c: commit',
      'a: update item set v = v - 11 where id = 1',
    ],
    answers: ['a: 10 20', 'b: 20', 'b: UPDATE 1', 'b: COMMIT', 'c: 10 40', 'c: COMMIT', 'a: 40001'],
  },
  'the first updater wins, as in REPEATABLE READ': {
    steps: [
      `a: ${BEGIN}; update item set v = 0 where id = 1`,
      `b: ${BEGIN}; update item set v = 0 where id = 1`,
      'a: commit',
      'b: commit',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: 40001', 'b: ROLLBACK'],
  },
  'who only reads is never refused': {
    steps: [
      `a: ${BEGIN}; select sum(v) from item`,
      'b: update item set v = 0 where id = 1',
      'a: select sum(v) from item',
      'a: commit',
    ],
    answers: ['a: 60', 'b: UPDATE 1', 'a: 60', 'a: COMMIT'],
  },
  'rows of other keys disturb nobody': {
    steps: [
      `a: ${BEGIN}; select v from item where id = 1`,
      `b: ${BEGIN}; select v from item where id = 2`,
      'a: update item set v = 0 where id = 1',
      'b: update item set v = 0 where id = 2',
      'a: commit',
      'b: commit',
    ],
    answers: ['a: 10', 'b: 20', 'a: UPDATE 1', 'b: UPDATE 1', 'a: COMMIT', 'b: COMMIT'],
  },
  // PostgreSQL locks the whole page of the index, and fails one of the two.
  'two make what each has missed': {
    steps: [
      `a: ${BEGIN}; select v from item where id = 5`,
      `b: ${BEGIN}; select v from item where id = 6`,
      'a: insert into item values (5, 0)',
      'b: insert into item values (6, 0)',
      'a: commit',
      'b: commit',
    ],
    answers: ['a: no rows', 'b: no rows', 'a: INSERT 1', 'b: INSERT 1', 'a: COMMIT', 'b: COMMIT'],
  },
  'two make the same that both have missed: try again, and no duplicate key': {
    steps: [
      `a: ${BEGIN}; select v from item where id = 5`,
      `b: ${BEGIN}; select v from item where id = 5`,
      'a: insert into item values (5, 0)',
      'b: insert into item values (5, 0)',
      'a: commit',
    ],
    answers: ['a: no rows', 'b: no rows', 'a: INSERT 1', 'b: waits', 'a: COMMIT', 'b: 40001'],
  },
  'a duplicate key of one who has not looked is one': {
    steps: [
      `b: ${BEGIN}; select v from item where id = 1`,
      'a: insert into item values (5, 0)',
      'b: insert into item values (5, 0)',
    ],
    answers: ['b: 10', 'a: INSERT 1', 'b: 23505'],
  },
  'a duplicate key has been read, and is gone before the end': {
    steps: [
      `a: ${BEGIN}; savepoint s; insert into item values (1, 0)`,
      'a: rollback to s; insert into item values (7, 1)',
      'b: delete from item where id = 1',
      'a: commit',
    ],
    answers: ['a: 23505', 'a: INSERT 1', 'b: DELETE 1', 'a: 40001'],
  },
  'so has a conflict that INSERT gave way to': {
    steps: [
      `a: ${BEGIN}; insert into item values (1, 0), (7, 1) on conflict do nothing`,
      'b: delete from item where id = 1',
      'a: commit',
    ],
    answers: ['a: INSERT 1', 'b: DELETE 1', 'a: 40001'],
  },
  'what was read before a rollback to a savepoint counts': {
    steps: [
      `a: ${BEGIN}; savepoint s; select v from item where id = 1`,
      'a: rollback to s',
      'b: update item set v = 11 where id = 1',
      'a: update item set v = 10 where id = 2',
    ],
    answers: ['a: 10', 'a: ROLLBACK', 'b: UPDATE 1', 'a: 40001'],
  },
  'a key that was free, and was given up with a savepoint': {
    steps: [
      `a: ${BEGIN}; savepoint s; insert into item values (5, 5)`,
      'a: rollback to s',
      'b: insert into item values (5, 6)',
      'a: insert into receipt values (1, 1)',
    ],
    answers: ['a: INSERT 1', 'a: ROLLBACK', 'b: INSERT 1', 'a: 40001'],
  },
  'the parent of a child that was given up with a savepoint': {
    steps: [
      `a: ${BEGIN}; savepoint s; insert into child values (5, 3)`,
      'a: rollback to s',
      'b: delete from item where id = 3',
      'a: insert into receipt values (1, 1)',
    ],
    answers: ['a: INSERT 1', 'a: ROLLBACK', 'b: DELETE 1', 'a: 40001'],
  },
  'many keys that were given up with a savepoint': {
    steps: [
      `a: ${BEGIN}; savepoint s; insert into item select g, g from generate_series(100, 3000) g`,
      'a: insert into item values (100, 5)',
      'a: rollback to s',
      'b: insert into item values (2000, 6)',
      'a: insert into receipt values (1, 1)',
    ],
    answers: ['a: INSERT 2901', 'a: 23505', 'a: ROLLBACK', 'b: INSERT 1', 'a: 40001'],
  },
  'changes that were rolled back to a savepoint do not': {
    steps: [
      `a: ${BEGIN}; select v from item where id = 1; savepoint s; update item set v = 0 where id = 2`,
      'a: rollback to s',
      'b: update item set v = 11 where id = 1',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'a: ROLLBACK', 'b: UPDATE 1', 'a: COMMIT'],
  },
  // PostgreSQL leaves transactions of other levels out of account.
  'a change of a READ COMMITTED transaction counts, also of one that runs on the main thread': {
    steps: [
      `a: ${BEGIN}; select v from item where id = 1`,
      'b: begin; update item set v = 11 where id = 1',
      'b: commit',
      'a: update item set v = 0 where id = 2',
    ],
    answers: ['a: 10', 'b: UPDATE 1', 'b: COMMIT', 'a: 40001'],
  },
  'a scan in order reads up to where it stops': {
    steps: [
      `a: ${BEGIN}; select id from big order by id limit 1`,
      `b: ${BEGIN}; select id from big order by id desc limit 1`,
      'a: insert into big values (4001)',
      'b: insert into big values (-1)',
      'a: commit',
      'b: commit',
    ],
    answers: ['a: 1', 'b: 4000', 'a: INSERT 1', 'b: INSERT 1', 'a: COMMIT', 'b: 40001'],
  },
  'ranges that were read, and keys beside them': {
    steps: [
      `a: ${BEGIN}; select count(*) from big where id between 11 and 20`,
      `b: ${BEGIN}; select count(*) from big where id > 20 and id <= 30`,
      'a: update big set v = 1 where id = 21',
      'a: commit',
      'b: insert into big values (5001)',
    ],
    answers: ['a: 10', 'b: 10', 'a: UPDATE 1', 'a: COMMIT', 'b: 40001'],
  },
  'a key just beside the range': {
    steps: [
      `a: ${BEGIN}; select count(*) from big where id between 11 and 20`,
      'b: update big set v = 1 where id = 21; delete from big where id = 10',
      'a: insert into big values (5001)',
      'a: commit',
    ],
    answers: ['a: 10', 'b: DELETE 1', 'a: INSERT 1', 'a: COMMIT'],
  },
  'going backward as well': {
    steps: [
      `a: ${BEGIN}; select id from big where id between 11 and 20 order by id desc limit 100`,
      'b: update big set v = 1 where id = 21; delete from big where id = 10',
      'a: savepoint s; insert into big values (5001)',
      'b: delete from big where id = 11',
      'a: commit',
    ],
    answers: [
      'a: 20 19 18 17 16 15 14 13 12 11',
      'b: DELETE 1',
      'a: INSERT 1',
      'b: DELETE 1',
      'a: 40001',
    ],
  },
  'a cursor has read what was fetched': {
    steps: [
      `a: ${BEGIN}; declare c cursor for select id from big order by id; fetch 1 from c`,
      'b: update big set v = 1 where id = 1',
      'a: update item set v = 0 where id = 1',
    ],
    answers: ['a: 1', 'b: UPDATE 1', 'a: 40001'],
  },
  'a cursor shows what was there when it was declared': {
    steps: [
      `a: ${BEGIN}; declare c cursor for select count(*) from item`,
      'b: insert into item values (9, 9)',
      'a: fetch c',
      'a: commit',
    ],
    answers: ['a: DECLARE', 'b: INSERT 1', 'a: 3', 'a: COMMIT'],
  },
  'tables that are made anew have not been read': {
    steps: [
      `a: ${BEGIN}; select v from item where id = 1`,
      'b: truncate receipt',
      'a: select count(*) from receipt',
    ],
    answers: ['a: 10', 'b: TRUNCATE', 'a: 40001'],
  },
  'at REPEATABLE READ they are empty, in the writer too': {
    steps: [
      'a: begin isolation level repeatable read; insert into receipt values (1, 1)',
      'b: truncate control',
      'b: begin; insert into control values (5), (6); select count(*) from control',
      'b: commit',
      'a: select count(*) from control',
      'a: commit',
    ],
    answers: ['a: INSERT 1', 'b: TRUNCATE', 'b: 2', 'b: COMMIT', 'a: 0', 'a: COMMIT'],
  },
  'a single statement that changes something is a transaction of its own': {
    steps: [
      `a: ${BEGIN}; update control set batch = 2`,
      'b: set default_transaction_isolation = serializable; select batch from control',
      'b: insert into receipt select batch, batch from control',
      'a: commit',
      'b: update control set batch = 3',
      'b: select batch from control',
    ],
    answers: ['a: UPDATE 1', 'b: 1', 'b: INSERT 1', 'a: COMMIT', 'b: UPDATE 1', 'b: 3'],
  },
  'a table that was read, let go of by a rollback, and emptied': {
    steps: [
      `a: ${BEGIN}; savepoint s; select count(*) from control`,
      'a: rollback to s',
      'b: truncate control',
      'a: insert into receipt values (1, 1)',
    ],
    answers: ['a: 1', 'a: ROLLBACK', 'b: TRUNCATE', 'a: 40001'],
  },
  // PostgreSQL shows the rows of the new partition from then on.
  'partitions that others attach': {
    steps: [
      `a: ${BEGIN}; select count(*) from whole`,
      `b: ${BEGIN}; select count(*) from whole`,
      'c: alter table whole attach partition later for values from (10) to (20)',
      'a: select count(*) from whole',
      'b: insert into receipt values (1, 1)',
      'b: commit',
      'c: select count(*) from whole',
    ],
    answers: ['a: 1', 'b: 1', 'c: ALTER', 'a: 40001', 'b: 40001', 'b: ROLLBACK', 'c: 2'],
  },
  'a large change counts for the whole table': {
    steps: [
      `a: ${BEGIN}; select id from big where id = 1`,
      'b: insert into big select g from generate_series(10001, 16000) g',
      'a: update item set v = 0 where id = 1',
    ],
    answers: ['a: 1', 'b: INSERT 6000', 'a: 40001'],
  },
  'a foreign key that finds its row does not read the rest of it': {
    steps: [
      `a: ${BEGIN}; insert into child values (1, 1)`,
      'b: update item set v = 11 where id = 1',
      'a: commit',
    ],
    answers: ['a: INSERT 1', 'b: UPDATE 1', 'a: COMMIT'],
  },
  'a foreign key that finds no row has read so': {
    steps: [
      `a: ${BEGIN}; savepoint s; insert into child values (1, 50)`,
      'a: rollback to s; insert into receipt values (1, 1)',
      'b: insert into item values (50, 0)',
      'a: commit',
    ],
    answers: ['a: 23503', 'a: INSERT 1', 'b: INSERT 1', 'a: 40001'],
  },
  'two children of one parent': {
    steps: [
      `a: ${BEGIN}; insert into child values (1, 1)`,
      `b: ${BEGIN}; insert into child values (2, 1)`,
      'a: commit',
      'b: commit',
    ],
    answers: ['a: INSERT 1', 'b: INSERT 1', 'a: COMMIT', 'b: COMMIT'],
  },
  'queries of CREATE TABLE AS are reads': {
    steps: [
      `a: ${BEGIN}; create table copied as select * from item`,
      'b: update item set v = 11 where id = 1',
      'a: commit',
    ],
    answers: ['a: SELECT 3', 'b: UPDATE 1', 'a: 40001'],
  },
  'sequences are outside of transactions': {
    steps: [
      `a: ${BEGIN}; select nextval('counter')`,
      "b: select nextval('counter')",
      'a: insert into receipt values (2, 2)',
      'a: commit',
    ],
    answers: ['a: 1', 'b: 2', 'a: INSERT 1', 'a: COMMIT'],
  },
  'levels, and when they can be set': {
    steps: [
      'a: set default_transaction_isolation = serializable',
      'a: show transaction_isolation',
      'a: begin; commit and chain; show transaction_isolation',
      'a: select 1; set transaction isolation level repeatable read',
      'a: rollback; begin; savepoint s; set transaction isolation level repeatable read',
      'a: rollback; begin; select 1; set transaction deferrable',
      'a: rollback; begin read only, deferrable; commit and chain; show transaction_deferrable',
      'a: rollback; show transaction_deferrable',
      'a: set session characteristics as transaction isolation level read committed, deferrable',
      'a: show transaction_isolation',
      'a: show transaction_deferrable',
    ],
    answers: [
      'a: SET',
      'a: serializable',
      'a: serializable',
      'a: 25001',
      'a: 25001',
      'a: 25001',
      'a: on',
      'a: off',
      'a: SET',
      'a: read committed',
      'a: on',
    ],
  },
  'FOR UPDATE locks as in REPEATABLE READ': {
    steps: [
      `a: ${BEGIN}; select v from item where id = 1 for update`,
      `b: ${BEGIN}; select v from item where id = 1 for update`,
      'a: update item set v = 11 where id = 1',
      'a: commit',
      'b: rollback',
    ],
    answers: ['a: 10', 'b: waits', 'a: UPDATE 1', 'a: COMMIT', 'b: 40001', 'b: ROLLBACK'],
  },
};

testInterleavings(server, SETUP, CASES);
