/** Foreign keys between sessions: short interleavings with PostgreSQL 15's answers, and random
 * transactions that must leave no row without the one it refers to. */
import type pg from 'pg';
import { expect, test } from 'vitest';
import { testServer } from '../server/server.ts';
import { type Interleavings, testInterleavings } from './interleave.ts';

const server = testServer({ deadlock_timeout: '500ms' });

const SETUP = `
  drop table if exists n, c, p;
  create table p (id int primary key, k int unique, v int);
  create table c (id int primary key, p int references p, v int);
  create index on c (p);
  create table n (id int primary key, k int references p (k) on delete cascade on update cascade);
  insert into p values (1, 10, 0), (2, 20, 0), (3, 30, 0);
  insert into c values (1, 1, 0);
  insert into n values (1, 20), (2, 20)`;

const CASES: Interleavings = {
  'a reference keeps the row referred to': {
    steps: [
      'a: begin; insert into c values (10, 3)',
      'b: delete from p where id = 3',
      'a: commit',
      'b: select count(*) from p',
    ],
    answers: ['a: INSERT 1', 'b: waits', 'a: COMMIT', 'b: 23503', 'b: 3'],
  },
  'and lets it go when it is rolled back': {
    steps: [
      'a: begin; insert into c values (10, 3)',
      'b: delete from p where id = 3',
      'a: rollback',
      'b: select count(*) from p',
    ],
    answers: ['a: INSERT 1', 'b: waits', 'a: ROLLBACK', 'b: DELETE 1', 'b: 2'],
  },
  'a reference waits for the delete of what it refers to': {
    steps: [
      'a: begin; delete from p where id = 3',
      'b: insert into c values (10, 3)',
      'a: commit',
      'b: select count(*) from c',
    ],
    answers: ['a: DELETE 1', 'b: waits', 'a: COMMIT', 'b: 23503', 'b: 1'],
  },
  'and is made when the delete is rolled back': {
    steps: [
      'a: begin; delete from p where id = 3',
      'b: insert into c values (10, 3)',
      'a: rollback',
      'b: select count(*) from c',
    ],
    answers: ['a: DELETE 1', 'b: waits', 'a: ROLLBACK', 'b: INSERT 1', 'b: 2'],
  },
  'other columns of the row referred to can change': {
    steps: [
      'a: begin; insert into c values (10, 3)',
      'b: update p set v = 1 where id = 3',
      'a: commit',
    ],
    answers: ['a: INSERT 1', 'b: UPDATE 1', 'a: COMMIT'],
  },
  'and a reference does not wait for their change': {
    steps: [
      'a: begin; update p set v = 1 where id = 3',
      'b: insert into c values (10, 3)',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: INSERT 1', 'a: COMMIT'],
  },
  'a reference waits for a change of the key': {
    steps: [
      'a: begin; update p set id = 33 where id = 3',
      'b: insert into c values (10, 3)',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: 23503'],
  },
  'of whatever unique key': {
    steps: [
      'a: begin; update p set k = 33 where id = 3',
      'b: insert into c values (10, 3)',
      'a: commit',
      'b: select count(*) from c',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: INSERT 1', 'b: 2'],
  },
  'a reference to another key waits for it too': {
    steps: [
      'a: begin; update p set k = 33 where id = 3',
      'b: insert into n values (10, 30)',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: 23503'],
  },
  'a key change waits for references': {
    steps: [
      'a: begin; insert into n values (10, 30)',
      'b: update p set k = 31 where id = 3',
      'a: commit',
      'b: select * from n where id = 10',
    ],
    answers: ['a: INSERT 1', 'b: waits', 'a: COMMIT', 'b: UPDATE 1', 'b: 10,31'],
  },
  'two references do not wait for one another': {
    steps: [
      'a: begin; insert into c values (10, 3)',
      'b: insert into c values (11, 3)',
      'a: commit',
    ],
    answers: ['a: INSERT 1', 'b: INSERT 1', 'a: COMMIT'],
  },
  'references and an update of the row, twice': {
    steps: [
      'a: begin; insert into c values (10, 3)',
      'b: begin; insert into c values (11, 3)',
      'a: update p set v = v + 1 where id = 3',
      'b: update p set v = v + 1 where id = 3',
      'a: commit',
      'b: commit',
      'a: select v from p where id = 3',
    ],
    answers: [
      'a: INSERT 1',
      'b: INSERT 1',
      'a: UPDATE 1',
      'b: waits',
      'a: COMMIT',
      'b: UPDATE 1',
      'b: COMMIT',
      'a: 2',
    ],
  },
  'a deadlock of two references': {
    steps: [
      'a: begin; delete from p where id = 2',
      'b: begin; delete from p where id = 3',
      'a: insert into c values (10, 3)',
      'b: insert into c values (11, 2)',
      'a: commit',
      'b: commit',
    ],
    answers: [
      'a: DELETE 1',
      'b: DELETE 1',
      'a: waits',
      'b: waits',
      'a: 40P01',
      'b: INSERT 1',
      'a: ROLLBACK',
      'b: COMMIT',
    ],
  },
  'a delete waits for a reference that is deleted': {
    steps: [
      'a: begin; delete from c where id = 1',
      'b: delete from p where id = 1',
      'a: commit',
      'b: select count(*) from p',
    ],
    answers: ['a: DELETE 1', 'b: waits', 'a: COMMIT', 'b: DELETE 1', 'b: 2'],
  },
  'and fails when that is rolled back': {
    steps: [
      'a: begin; delete from c where id = 1',
      'b: delete from p where id = 1',
      'a: rollback',
      'b: select count(*) from p',
    ],
    answers: ['a: DELETE 1', 'b: waits', 'a: ROLLBACK', 'b: 23503', 'b: 3'],
  },
  'a delete waits for a reference that changes': {
    steps: [
      'a: begin; update c set p = 2 where id = 1',
      'b: delete from p where id = 1',
      'a: commit',
      'b: select count(*) from p',
    ],
    answers: ['a: UPDATE 1', 'b: 23503', 'a: COMMIT', 'b: 3'],
  },
  'a delete does not wait for a change beside the reference': {
    steps: [
      'a: begin; update c set v = 2 where id = 1',
      'b: delete from p where id = 1',
      'a: commit',
    ],
    answers: ['a: UPDATE 1', 'b: 23503', 'a: COMMIT'],
  },
  'a cascade waits for a row that changes': {
    steps: [
      'a: begin; update n set k = 30 where id = 1',
      'b: delete from p where k = 20',
      'a: commit',
      'b: select * from n order by id',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: DELETE 1', 'b: 1,30'],
  },
  'a cascade waits for a row that is deleted': {
    steps: [
      'a: begin; delete from n where id = 1',
      'b: update p set k = 21 where k = 20',
      'a: commit',
      'b: select * from n order by id',
    ],
    answers: ['a: DELETE 1', 'b: waits', 'a: COMMIT', 'b: UPDATE 1', 'b: 2,21'],
  },
  'a cascade changes what another has changed beside the key': {
    steps: [
      'a: begin; update n set id = 100 where id = 1',
      'b: update p set k = 21 where k = 20',
      'a: commit',
      'b: select * from n order by id',
    ],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: UPDATE 1', 'b: 2,21 100,21'],
  },
  'a reference to a row not committed yet': {
    steps: [
      'a: begin; insert into p values (4, 40, 0)',
      'b: insert into c values (10, 4)',
      'a: commit',
      'b: insert into c values (10, 4)',
    ],
    answers: ['a: INSERT 1', 'b: 23503', 'a: COMMIT', 'b: INSERT 1'],
  },
  'repeatable read: a key that came later is not there': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from p',
      'a: insert into p values (4, 40, 0)',
      'b: insert into c values (10, 4)',
      'b: rollback',
    ],
    answers: ['b: 3', 'a: INSERT 1', 'b: 23503', 'b: ROLLBACK'],
  },
  'repeatable read: a key that went is a conflict': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from p',
      'a: delete from p where id = 3',
      'b: insert into c values (10, 3)',
      'b: rollback',
    ],
    answers: ['b: 3', 'a: DELETE 1', 'b: 40001', 'b: ROLLBACK'],
  },
  'repeatable read: a key that changed is a conflict': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from p',
      'a: update p set id = 33 where id = 3',
      'b: insert into c values (10, 3)',
      'b: rollback',
    ],
    answers: ['b: 3', 'a: UPDATE 1', 'b: 40001', 'b: ROLLBACK'],
  },
  'repeatable read: a row changed beside its key can be referred to': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from p',
      'a: update p set v = 3 where id = 3',
      'b: insert into c values (10, 3)',
      'b: commit',
    ],
    answers: ['b: 3', 'a: UPDATE 1', 'b: INSERT 1', 'b: COMMIT'],
  },
  'repeatable read: a reference that came later is in the way of a delete': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from p',
      'a: insert into c values (10, 3)',
      'b: delete from p where id = 3',
      'b: rollback',
    ],
    answers: ['b: 3', 'a: INSERT 1', 'b: 23503', 'b: ROLLBACK'],
  },
  'repeatable read: a reference that went is not': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from c',
      'a: delete from c where id = 1',
      'b: delete from p where id = 1',
      'b: commit',
    ],
    answers: ['b: 1', 'a: DELETE 1', 'b: DELETE 1', 'b: COMMIT'],
  },
  'repeatable read: a reference that changed is not, or is where it went': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from c',
      'a: update c set p = 2 where id = 1',
      'b: delete from p where id = 1',
      'b: delete from p where id = 2',
      'b: rollback',
    ],
    answers: ['b: 1', 'a: UPDATE 1', 'b: DELETE 1', 'b: 23503', 'b: ROLLBACK'],
  },
  'repeatable read: a cascade to a row that came later': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from p',
      'a: insert into n values (10, 30)',
      'b: delete from p where id = 3',
      'b: rollback',
    ],
    answers: ['b: 3', 'a: INSERT 1', 'b: 40001', 'b: ROLLBACK'],
  },
  'repeatable read: a cascade to a row that changed': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from p',
      'a: update n set id = 11 where id = 1',
      'b: delete from p where id = 2',
      'b: rollback',
    ],
    answers: ['b: 3', 'a: UPDATE 1', 'b: 40001', 'b: ROLLBACK'],
  },
  'repeatable read: a reference waits, and the delete commits': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from p',
      'a: begin; delete from p where id = 3',
      'b: insert into c values (10, 3)',
      'a: commit',
      'b: rollback',
    ],
    answers: ['b: 3', 'a: DELETE 1', 'b: waits', 'a: COMMIT', 'b: 40001', 'b: ROLLBACK'],
  },
  'repeatable read: a delete waits for a reference': {
    steps: [
      'b: begin isolation level repeatable read; select count(*) from p',
      'a: begin; insert into c values (10, 3)',
      'b: delete from p where id = 3',
      'a: commit',
      'b: rollback',
    ],
    answers: ['b: 3', 'a: INSERT 1', 'b: waits', 'a: COMMIT', 'b: 23503', 'b: ROLLBACK'],
  },
  'a key deleted and made again': {
    steps: [
      'a: begin; delete from p where id = 3; insert into p values (3, 30, 1)',
      'b: insert into c values (10, 3)',
      'a: commit',
    ],
    answers: ['a: INSERT 1', 'b: waits', 'a: COMMIT', 'b: 23503'],
  },
  'a lock for key share alone': {
    steps: [
      'a: begin; select id from p where id = 3 for no key update',
      'b: insert into c values (10, 3)',
      'a: commit',
    ],
    answers: ['a: 3', 'b: INSERT 1', 'a: COMMIT'],
  },
  'a lock for update is waited for': {
    steps: [
      'a: begin; select id from p where id = 3 for update',
      'b: insert into c values (10, 3)',
      'a: commit',
    ],
    answers: ['a: 3', 'b: waits', 'a: COMMIT', 'b: INSERT 1'],
  },
  'a lock for share is not': {
    steps: [
      'a: begin; select id from p where id = 3 for share',
      'b: insert into c values (10, 3)',
      'a: commit',
    ],
    answers: ['a: 3', 'b: INSERT 1', 'a: COMMIT'],
  },
  'dropping the referring table waits for who changes the other': {
    steps: ['a: begin; update p set v = 1 where id = 2', 'b: drop table c', 'a: commit'],
    answers: ['a: UPDATE 1', 'b: waits', 'a: COMMIT', 'b: DROP'],
  },
  'a foreign key waits for who writes': {
    steps: [
      'a: begin; insert into c values (10, 3)',
      'b: alter table n add foreign key (id) references p',
      'a: commit',
    ],
    answers: ['a: INSERT 1', 'b: ALTER', 'a: COMMIT'],
  },
  'and is seen by who waited': {
    steps: [
      'a: begin; alter table n add z int references p',
      'b: delete from p where id = 3',
      'a: insert into n values (10, 30, 3)',
      'a: commit',
      'b: select count(*) from p',
    ],
    answers: ['a: ALTER', 'b: waits', 'a: INSERT 1', 'a: COMMIT', 'b: DELETE 1', 'b: 2'],
  },
  'rows are read while a foreign key is added, and not changed': {
    steps: [
      'a: begin; alter table n add constraint f foreign key (id) references p not valid',
      'b: select count(*) from n',
      'b: select count(*) from p',
      'b: insert into n values (9, 30)',
      'a: commit',
    ],
    answers: ['a: ALTER', 'b: 2', 'b: 3', 'b: waits', 'a: COMMIT', 'b: 23503'],
  },
  'rows are changed while it is validated': {
    steps: [
      'a: alter table n add constraint f foreign key (id) references p not valid',
      'a: begin; alter table n validate constraint f',
      'b: insert into n values (9, 30)',
      'b: insert into n values (3, 30)',
      'b: delete from p where id = 2',
      'a: commit',
      'b: select id from n order by id',
    ],
    answers: [
      'a: ALTER',
      'a: ALTER',
      'b: 23503',
      'b: INSERT 1',
      'b: DELETE 1',
      'a: COMMIT',
      'b: 3',
    ],
  },
  'truncate of the referring table is waited for': {
    steps: [
      'a: begin; truncate c',
      'b: delete from p where id = 1',
      'a: commit',
      'b: select count(*) from p',
    ],
    answers: ['a: TRUNCATE', 'b: waits', 'a: COMMIT', 'b: DELETE 1', 'b: 2'],
  },
  'and not by who does not look there': {
    steps: ['a: begin; truncate c', 'b: update p set v = 1 where id = 1', 'a: commit'],
    answers: ['a: TRUNCATE', 'b: UPDATE 1', 'a: COMMIT'],
  },
  'a rollback to a savepoint lets the key go': {
    steps: [
      'a: begin; savepoint s; insert into c values (10, 3)',
      'b: delete from p where id = 3',
      'a: rollback to s',
      'a: commit',
    ],
    answers: ['a: INSERT 1', 'b: waits', 'a: ROLLBACK', 'b: DELETE 1', 'a: COMMIT'],
  },
};

testInterleavings(server, SETUP, CASES);

const SESSIONS = 6;
const STATEMENTS = 150;
const KEYS = 8;

/** What a statement may end with here. */
const EXPECTED = new Set(['23503', '23505', '40001', '40P01']);

/** Rows that refer to nothing, in any of the tables. */
const ORPHANS = `
  select 'c' as of, c.p as key from c left join p on p.id = c.p where c.p is not null and p.id is null
  union all
  select 'n', n.k from n left join p on p.k = n.k where n.k is not null and p.k is null
  union all
  select 'd', d.p from d left join p on p.id = d.p where d.p is not null and p.id is null`;

test('random transactions leave no orphan', async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const control = await server.driver();
  await control.query(
    `drop table if exists d; create table d (p int constraint d_p references p
       on delete set null on update cascade deferrable initially deferred)`,
  );
  const counts = new Map<string, number>();
  const run = async (client: pg.Client, text: string): Promise<boolean> => {
    try {
      await client.query(text);
      return true;
    } catch (thrown) {
      const { code = '' } = thrown as { code?: string };
      expect(EXPECTED, `seed ${seed}: ${text}: ${thrown}`).toContain(code);
      counts.set(code, (counts.get(code) ?? 0) + 1);
      return false;
    }
  };
  const work = async (client: pg.Client, random: (below: number) => number): Promise<void> => {
    const key = () => 1 + random(KEYS);
    const statement = (): string => {
      const fresh = random(1_000_000_000);
      switch (random(8)) {
        case 0:
          return `insert into p values (${key()}, ${key()}0, 0)`;
        case 1:
          return `delete from p where id = ${key()}`;
        case 2:
          return `update p set ${random(2) === 0 ? `id = ${key()}` : `k = ${key()}0`} where id = ${key()}`;
        case 3:
          return `insert into n values (${fresh}, ${key()}0)`;
        case 4:
          return `delete from c where p = ${key()}`;
        case 5:
          return `insert into d values (${key()})`;
        case 6:
          return `update c set p = ${key()} where p = ${key()}`;
        default:
          return `insert into c values (${fresh}, ${key()}, 0)`;
      }
    };
    for (let i = 0; i < STATEMENTS; i++) {
      const isolation = random(2) === 0 ? 'read committed' : 'repeatable read';
      await client.query(`begin isolation level ${isolation}`);
      let count = 1 + random(3);
      while (count > 0 && (await run(client, statement()))) count--;
      await run(client, count > 0 || random(6) === 0 ? 'rollback' : 'commit');
    }
  };
  const clients = await Promise.all(Array.from({ length: SESSIONS }, () => server.driver()));
  await Promise.all(clients.map((client, i) => work(client, generator(seed + i))));
  expect((await control.query(ORPHANS)).rows, `seed ${seed}`).toEqual([]);
  // Something did collide, or nothing was tested.
  expect(counts.get('23503') ?? 0, `seed ${seed}`).toBeGreaterThan(0);
  for (const client of [...clients, control]) await client.end();
});

function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
