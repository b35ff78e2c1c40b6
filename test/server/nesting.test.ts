/** Statements that nest deeper than any stack: each ends in its answer or in an error of its own, as in
 * PostgreSQL 15, whose limits lie elsewhere, and leaves the server as it was. */
import { expect, test } from 'vitest';
import { testServer } from './server.ts';

const server = testServer();

const around = (open: string, close: string) => (depth: number) =>
  `select ${open.repeat(depth)}1${close.repeat(depth)}`;
const after = (part: string) => (depth: number) => `select 1${part.repeat(depth)}`;
const joins = (depth: number) =>
  Array.from({ length: depth }, (_, i) => ` cross join (select 1) j${i}`).join('');

const DEEP: Readonly<Record<string, (depth: number) => string>> = {
  parentheses: around('(', ')'),
  additions: after(' + 1'),
  negations: (depth) => `select ${'not '.repeat(depth)}true`,
  conjunctions: (depth) => `select true${' and true'.repeat(depth)}`,
  casts: after('::int'),
  calls: around('abs(', ')'),
  coalesce: around('coalesce(', ', 2)'),
  'cases in THEN': around('case when true then ', ' end'),
  'cases in ELSE': around('case when false then 0 else ', ' end'),
  'ARRAY[]': around('array[', ']'),
  'array literals': (depth) => `select '${'{'.repeat(depth)}1${'}'.repeat(depth)}'::int[]`,
  rows: (depth) => `select length(${'row('.repeat(depth)}1${')'.repeat(depth)}::text)`,
  'scalar subqueries': around('(select ', ')'),
  'subqueries in FROM': (depth) =>
    `select * from ${'(select * from '.repeat(depth)}(select 1) q${') q'.repeat(depth)}`,
  'EXISTS within EXISTS': (depth) =>
    `select 1 where ${'exists (select 1 where '.repeat(depth)}true${')'.repeat(depth)}`,
  'UNION to the left': after(' union all select 1'),
  'UNION to the right': (depth) =>
    `${'(select 1 union all '.repeat(depth)}select 1${')'.repeat(depth)}`,
  WITH: (depth) => `${'with a as ('.repeat(depth)}select 1${') select * from a'.repeat(depth)}`,
  'a regular expression': (depth) => `select 'a' ~ '${'(?:a|'.repeat(depth)}b${')'.repeat(depth)}'`,
  'a default': (depth) => `create table deep (a int default 1${' + 1'.repeat(depth)})`,
};

/** Stack or limit exceeded; memory of PostgreSQL's own parser exhausted. */
const REFUSED = ['54001', '54000', '42601', '2201B'];

test.each(Object.entries(DEEP))('%s', async (_name, statement) => {
  const client = await server.driver();
  for (const depth of [24, 300, 12_000]) {
    const outcome = await client.query(statement(depth)).then(
      () => 'answered',
      (error: { code?: string }) => error.code ?? String(error),
    );
    expect(['answered', ...REFUSED]).toContain(outcome);
    await client.query('drop table if exists deep');
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  }
  await client.end();
});

test('hundreds of joins do not hold the server up', async () => {
  const client = await server.driver();
  const started = performance.now();
  const { rows } = await client.query(`select 1 as one from (select 1) first${joins(150)}`);
  expect(rows).toEqual([{ one: 1 }]);
  expect(performance.now() - started).toBeLessThan(10_000);
  await client.end();
});
