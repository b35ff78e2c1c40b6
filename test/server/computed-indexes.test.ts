/** Indexes on expressions and partial indexes. */
import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/index.ts';
import { expectAnswers } from './answers.ts';
import { testServer } from './server.ts';

const server = testServer();

test('they answer as in PostgreSQL', async () => {
  await expectAnswers(server, 'computed-indexes.txt');
}, 60_000);

test('who wants a key that a transaction may yet give up waits for its end', async () => {
  const [a, b] = [await server.driver(), await server.driver()];
  await a.query('create table waits (id int primary key, email text, live bool)');
  await a.query('create unique index on waits (lower(email)) where live');
  const wanted = "insert into waits values (2, 'ME@x', true)";

  await a.query("begin; insert into waits values (1, 'me@X', true)");
  let second = b.query(wanted);
  await a.query('commit');
  await expect(second).rejects.toMatchObject({
    code: '23505',
    detail: 'Key (lower(email))=(me@x) already exists.',
  });

  await a.query('begin; update waits set live = false');
  second = b.query(wanted);
  await a.query('rollback');
  await expect(second).rejects.toMatchObject({ code: '23505' });

  await a.query('begin; update waits set live = false');
  second = b.query(wanted);
  await a.query('commit');
  expect((await second).rowCount).toBe(1);
  await a.query('begin; update waits set live = true where id = 1').catch(({ code }) => {
    expect(code).toBe('23505');
  });
  await a.query('rollback');

  await a.query('begin; delete from waits where id = 2');
  second = b.query("insert into waits values (3, 'me@x', true)");
  await a.query('commit');
  expect((await second).rowCount).toBe(1);
  await a.query('drop table waits');
  await Promise.all([a.end(), b.end()]);
});

test('a row that changed while it was waited for is tested for what the index holds now', async () => {
  const [a, b] = [await server.driver(), await server.driver()];
  await a.query('create table changes (id int primary key, name text, live bool, n int)');
  await a.query("insert into changes select g, 'N' || g, true, 0 from generate_series(1, 2000) g");
  await a.query('create index on changes (lower(name)); create index on changes (n) where live');
  await a.query("begin; update changes set name = 'other' where id = 7");
  const renamed = b.query("update changes set n = 1 where lower(name) = 'n7'");
  await a.query('commit');
  expect((await renamed).rowCount).toBe(0);

  await a.query(
    'update changes set n = 5 where id = 8; begin; update changes set live = false where id = 8',
  );
  const dead = b.query('select id from changes where live and n = 5 for update');
  await a.query('commit');
  expect((await dead).rows).toEqual([]);
  await a.query('drop table changes');
  await Promise.all([a.end(), b.end()]);
});

interface Row {
  readonly id: number;
  readonly name: string | null;
  readonly n: number | null;
  readonly live: boolean | null;
}

/** Queries through indexes, and what they are to give. */
const QUERIES: readonly {
  readonly index: string;
  readonly where: (name: string, n: number) => string;
  readonly test: (row: Row, name: string, n: number) => boolean;
}[] = [
  {
    index: 'r_name',
    where: (name) => `lower(name) = '${name}'`,
    test: (row, name) => row.name?.toLowerCase() === name,
  },
  {
    index: 'r_part',
    where: (_, n) => `live and n = ${n}`,
    test: (row, _, n) => row.live === true && row.n === n,
  },
  {
    index: 'r_both',
    where: (name, n) => `live and n > 10 and n % 50 = ${n % 50} and lower(name) = '${name}'`,
    test: (row, name, n) =>
      row.live === true &&
      (row.n ?? 0) > 10 &&
      (row.n ?? 0) % 50 === n % 50 &&
      row.name?.toLowerCase() === name,
  },
];

describe.each([
  ['clustered by a key', 'id int primary key'],
  ['clustered by row ids', 'id int'],
])('after random changes of a table %s', (_, id) => {
  const seed = 4711;

  test(`indexes hold what the rows say (seed ${seed})`, async () => {
    const random = new SeededRandom(seed);
    const pick = (count: number) => random.below(count);
    const name = () => (pick(20) === 0 ? 'null' : `'${pick(2) === 0 ? 'N' : 'n'}${pick(400)}'`);
    const number = () => (pick(20) === 0 ? 'null' : String(pick(300)));
    const live = () => ['true', 'false', 'null'][pick(3)]!;
    const values = () => `(${pick(4000)}, ${name()}, ${number()}, ${live()})`;
    const client = await server.driver();
    await client.query(
      `create table r (${id}, name text, n int, live bool, filler text default repeat('x', 300))`,
    );
    await client.query(
      "insert into r select g, 'n' || g % 400, g % 300, g % 3 = 0 from generate_series(1, 3000) g",
    );
    await client.query('create index r_name on r (lower(name))');
    await client.query(
      'delete from r a using r b where a.id > b.id and a.n % 50 = b.n % 50 and a.name = b.name',
    );
    await client.query('create index r_part on r (n) where live');
    await client.query(
      'create unique index r_both on r (lower(name), (n % 50)) where live and n > 10',
    );
    await client.query('analyze r');
    for (const query of QUERIES) {
      const plan = await client.query(
        `explain (costs off) select id from r where ${query.where('n7', 7)}`,
      );
      expect(JSON.stringify(plan.rows)).toContain(query.index);
    }
    const change = (): string => {
      const some = `id % ${20 + pick(80)} = ${pick(20)}`;
      switch (pick(7)) {
        case 0:
          return `insert into r values ${values()}, ${values()}`;
        case 1:
          return `insert into r values ${values()} on conflict do nothing`;
        case 2:
          return `insert into r values ${values()}
            on conflict ((n % 50), lower(name)) where live and n > 10 do update set n = excluded.n + 50`;
        case 3:
          return `delete from r where ${some} and n % 3 = ${pick(3)}`;
        case 4:
          return `update r set id = id + 5000 where ${some}`;
        case 5:
          return `update r set live = ${live()} where ${some}`;
        default:
          return `update r set name = ${name()}, n = ${number()} where id = ${pick(4000)}`;
      }
    };
    for (let round = 0; round < 24; round++) {
      await changeSome(client, change, pick);
      if (round % 6 === 5) await compare(client, pick);
    }
    await server.running.kill();
    await server.start();
    const again = await server.driver();
    await compare(again, pick);
    await again.query('reindex table r');
    await compare(again, pick);
    await again.query('drop table r');
    await again.end();
  }, 60_000);
});

/** Some changes in a transaction, of which some are given up. */
async function changeSome(
  client: pg.Client,
  change: () => string,
  pick: (count: number) => number,
): Promise<void> {
  await client.query('begin');
  for (let i = 0; i < 5; i++) {
    await client.query('savepoint s');
    try {
      await client.query(change());
      if (pick(5) === 0) await client.query('rollback to s');
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: '23505' });
      await client.query('rollback to s');
    }
  }
  await client.query(pick(6) === 0 ? 'rollback' : 'commit');
}

async function compare(client: pg.Client, pick: (count: number) => number): Promise<void> {
  const { rows } = await client.query<Row>('select id, name, n, live from r');
  const keys = rows.flatMap(({ name, n, live }) =>
    live === true && n !== null && n > 10 && name !== null
      ? [`${name.toLowerCase()}/${n % 50}`]
      : [],
  );
  expect(new Set(keys).size).toBe(keys.length);
  for (let i = 0; i < 8; i++) {
    const sample = rows[pick(rows.length)]!;
    const [name, n] = [(sample.name ?? 'n1').toLowerCase(), sample.n ?? 1];
    for (const query of QUERIES) {
      const found = await client.query<Row>(
        `select id from r where ${query.where(name, n)} order by id`,
      );
      const expected = rows.filter((row) => query.test(row, name, n)).map((row) => row.id);
      expect(found.rows.map((row) => row.id)).toEqual(expected.sort((a, b) => a - b));
    }
  }
}
