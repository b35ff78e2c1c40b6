/** INSERTs of many rows in the simple protocol, whose literals go past the parser: they answer as in PostgreSQL. */
import { describe, expect, test } from 'vitest';
import { query, readFields, summarize } from '../support/wire-client.ts';
import { expectAnswers } from './answers.ts';
import { testServer } from './server.ts';

const server = testServer();

const LATE_ROWS = 5000;

function manyRows(row: (i: number) => string, count: number): string {
  return Array.from({ length: count }, (_, i) => row(i)).join(', ');
}

test('rows of many kinds answer as in PostgreSQL', async () => {
  await expectAnswers(server, 'inserted-rows.txt');
});

describe('errors stand where the literal does', () => {
  const rows = (last: string) =>
    `insert into placed values ${manyRows((i) => `(${i}, 'é😀', '2020-01-01')`, LATE_ROWS)}, ${last}`;

  test.each([
    ['a date that is none', rows("(-1, 'x', '2020-02-30')"), '22008', "'2020-02-30'"],
    ['text for a number', rows("('one', 'x', null)"), '22P02', "'one'"],
    ['an unknown column', rows('(-1, nothing, null)'), '42703', 'nothing'],
    ['a row that is too short', rows('(-1, null)'), '42601', '-1, null'],
    ['no comma', rows("(-1, 'x', null) (-2, 'y', null)"), '42601', "(-2, 'y'"],
    ['RETURNING', `${rows("(-1, 'x', null)")} returning nowhere`, '42703', 'nowhere'],
  ])('%s', async (_, text, code, where) => {
    const wire = await server.wire();
    wire.send(query('create table if not exists placed (a int primary key, b text, c date)'));
    await wire.untilReady();
    wire.send(query(text));
    const error = (await wire.untilReady()).find(({ type }) => type === 'E');
    const fields = readFields(error!.body);
    expect([fields.C, fields.P]).toEqual([
      code,
      String([...text.slice(0, text.lastIndexOf(where))].length + 1),
    ]);
    wire.send(query('select count(*) from placed'));
    expect(summarize(await wire.untilReady()).rows).toEqual([['0']]);
    await wire.end();
  });
});

test('all literals are read before a row is inserted, or a sequence asked', async () => {
  const client = await server.driver();
  await client.query('create table drawn (a serial, b int unique, c date)');
  const rows = manyRows((i) => `(${i % 3000}, null)`, LATE_ROWS);
  await expect(client.query(`insert into drawn (b, c) values ${rows}, (1, 'x')`)).rejects.toThrow(
    'invalid input syntax for type date: "x"',
  );
  expect((await client.query('insert into drawn (b) values (1), (2) returning a')).rows).toEqual([
    { a: 1 },
    { a: 2 },
  ]);
  await client.end();
});

test('rows keep their order, whatever kinds they are of', async () => {
  const client = await server.driver();
  await client.query('create table ordered (a serial, b numeric, c text)');
  const row = (i: number) =>
    [`(${i}, 'x${i}')`, `(-${i}, null)`, `(${i}.0, 'y' || ${i})`][(i * 7) % 3]!;
  const text = `insert into ordered (b, c) values ${manyRows(row, LATE_ROWS)} returning a, b::int, c`;
  const { rows } = await client.query(text);
  expect(rows).toHaveLength(LATE_ROWS);
  rows.forEach(({ a, b, c }, i) => {
    const expected = [
      [i, `x${i}`],
      [-i || 0, null],
      [i, `y${i}`],
    ][(i * 7) % 3];
    expect([a, b, c]).toEqual([i + 1, ...expected!]);
  });
  await client.end();
});

test.each([
  ['of one kind', (i: number) => `(${i}, 'name ${i}', ${i}.5, now())`],
  [
    'of which some have NULLs',
    (i: number) => `(${i % 2 ? -i : i}, 'a', ${i % 2 ? null : 1}, null)`,
  ],
])(
  'an INSERT of many rows %s does not keep others waiting',
  async (_, row) => {
    const [client, other] = [await server.driver(), await server.driver()];
    await client.query('drop table if exists long');
    await client.query('create table long (a int, b text, c numeric, d timestamptz)');
    const rows = manyRows(row, 100_000);
    const inserted = client.query(`insert into long values ${rows}`);
    let longest = 0;
    let isOver = false;
    void inserted.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const start = performance.now();
      await other.query('select 1');
      longest = Math.max(longest, performance.now() - start);
    }
    expect((await inserted).rowCount).toBe(100_000);
    expect(longest).toBeLessThan(1500);
    await Promise.all([client.end(), other.end()]);
  },
  30_000,
);
