import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadParser } from '../../../src/sql/parse/index.ts';
import { Database } from './database.ts';

let database: Database;

beforeAll(loadParser);
beforeEach(() => {
  database = new Database();
});

function copyNumbers(table: string, count: number, row: (i: number) => string): void {
  let data = '';
  for (let i = 1; i <= count; i++) data += `${row(i)}\n`;
  // Cut anywhere, as the network does.
  const pieces = data.match(/[\s\S]{1,4001}/g) ?? [];
  expect(database.run(`copy ${table} from stdin`, ...pieces)).toBe(`COPY ${count}`);
}

/** Every index has an entry for each row, and no tree is left behind or missing. */
function checkTrees(table: string, rows: number): void {
  for (const size of Object.values(database.indexSizes(table))) expect(size).toBe(rows);
  expect([...database.trees].sort()).toEqual([...database.usedTrees()].sort());
}

describe('COPY FROM', () => {
  test('fills in defaults and fits values to their types', () => {
    database.run(`create table t (a serial primary key, b numeric(6,2) default 1.5, c char(4),
      d varchar(3), e int generated always as identity (start 5), f date default '2024-02-29')`);
    expect(database.run('copy t (c, d) from stdin', 'ab\tx\n\\N\täöü\nabcd  \t\\N\n')).toBe(
      'COPY 3',
    );
    expect(database.rowsOf('t')).toEqual([
      '1|1.50|ab  |x|5|2024-02-29',
      '2|1.50|null|äöü|6|2024-02-29',
      '3|1.50|abcd|null|7|2024-02-29',
    ]);
  });

  test('reads CSV with its options, and rows that WHERE wants', () => {
    database.run('create table t (a int, b text)');
    const options = "with (format csv, header, delimiter ';', null 'nil')";
    const data = 'a;b\n1;"x;""y"\n2;nil\n3;z\n';
    expect(database.run(`copy t from stdin ${options} where a <> 3`, data)).toBe('COPY 2');
    expect(database.rowsOf('t')).toEqual(['1|x;"y', '2|null']);
  });

  // The answers are PostgreSQL 15's.
  test.each([
    ['1\tx\n2\n', '22P04 missing data for column "b" / CONTEXT COPY t, line 2: "2"'],
    [
      '1\tx\ny\tx\n',
      '22P02 invalid input syntax for type integer: "y" / CONTEXT COPY t, line 2, column a: "y"',
    ],
    [
      '99999999999\tx\n',
      '22003 value "99999999999" is out of range for type integer / CONTEXT COPY t, line 1, column a: "99999999999"',
    ],
    [
      '1\tabcdef\n',
      '22001 value too long for type character varying(5) / CONTEXT COPY t, line 1, column b: "abcdef"',
    ],
    [
      '1\tx\n\\N\ty\n',
      '23502 null value in column "a" of relation "t" violates not-null constraint / DETAIL Failing row contains (null, y). / CONTEXT COPY t, line 2: "\\N\ty"',
    ],
    [
      '1\tx\n-1\ty\nz\tz\n',
      '23514 new row for relation "t" violates check constraint "t_a_check" / DETAIL Failing row contains (-1, y). / CONTEXT COPY t, line 2: "-1\ty"',
    ],
    [
      '1\tx\n2\ty\n1\tz\n',
      '23505 duplicate key value violates unique constraint "t_pkey" / DETAIL Key (a)=(1) already exists. / CONTEXT COPY t, line 3',
    ],
  ])('names the place of an error: %j', (data, error) => {
    database.run('create table t (a int primary key check (a > 0), b varchar(5))');
    expect(database.run('copy t from stdin', data)).toBe(error);
    expect(database.rowsOf('t')).toEqual([]);
  });

  test('takes rows by the thousand', () => {
    database.run('create table t (a int, b text)');
    copyNumbers('t', 20_000, (i) => `${i}\trow ${i}`);
    const rows = database.rowsOf('t');
    expect(rows).toHaveLength(20_000);
    expect(rows[19_999]).toBe('20000|row 20000');
  });
});

describe('keys and indexes', () => {
  test.each([
    ['in order', (i: number) => i],
    ['backwards', (i: number) => 5001 - i],
    ['mixed', (i: number) => (i * 7919) % 5003],
  ])('ADD PRIMARY KEY clusters rows that come %s', (_, key) => {
    database.workMem = 50_000;
    database.run('create table t (a int, b int, c text)');
    copyNumbers('t', 5000, (i) => `${key(i)}\t${i % 10}\tx${key(i)}`);
    database.run('create index on t (c desc)');
    expect(database.run('alter table t add primary key (a)')).toBe('ALTER TABLE');
    const keys = database.rowsOf('t').map((row) => Number(row.split('|')[0]));
    expect(keys).toEqual(keys.toSorted((a, b) => a - b));
    checkTrees('t', 5000);
    expect(database.run('alter table t drop constraint t_pkey')).toBe('ALTER TABLE');
    expect(database.table('t').clusterKey).toBeNull();
    checkTrees('t', 5000);
    expect(database.run('alter table t add unique (b)')).toBe(
      '23505 could not create unique index "t_b_key" / DETAIL Key (b)=(0) is duplicated.',
    );
  });

  test('finds duplicates and nulls wherever they are', () => {
    database.run('create table t (a int)');
    database.run('copy t from stdin', '1\n2\n5\n3\n2\n');
    expect(database.run('alter table t add primary key (a)')).toBe(
      '23505 could not create unique index "t_pkey" / DETAIL Key (a)=(2) is duplicated.',
    );
    database.run('create table u (a int)');
    database.run('copy u from stdin', '4\n3\n\\N\n');
    expect(database.run('alter table u add primary key (a)')).toBe(
      '23502 column "a" of relation "u" contains null values',
    );
    expect(database.run('create unique index on u (a)')).toBe('CREATE INDEX');
  });

  // Of 9000 rows the first 4096 in order go to the tree before the others are seen.
  test.each([
    ['of rows in order', (i: number) => (i === 8000 ? 7999 : i), 7999],
    ['of the first rows, far behind', (i: number) => (i === 8999 ? 17 : i), 17],
    ['of two late rows', (i: number) => (i >= 8998 ? -5 : i), -5],
    ['of mixed rows', (i: number) => (i === 4000 ? 1 : (i * 7919) % 9001), 1],
    ['early on', (i: number) => (i === 3 ? 2 : i), 2],
  ])('finds a duplicate %s', (_, key, duplicate) => {
    database.run('create table t (a int, b int)');
    copyNumbers('t', 9000, (i) => `${key(i)}\t${i}`);
    const detail = `DETAIL Key (a)=(${duplicate}) is duplicated.`;
    expect(database.run('alter table t add primary key (a)')).toBe(
      `23505 could not create unique index "t_pkey" / ${detail}`,
    );
    expect(database.run('create unique index i on t (a desc)')).toBe(
      `23505 could not create unique index "i" / ${detail}`,
    );
  });
});

describe('ALTER TABLE', () => {
  beforeEach(() => {
    database.run('create table t (a int primary key, b text unique, c numeric)');
    copyNumbers('t', 2000, (i) => `${i}\tb${i}\t${i}.5`);
    database.run('create index on t (c)');
  });

  test('adds columns without and with a rewrite', () => {
    const { tree } = database.table('t');
    database.run(
      "alter table t add column d int default 1 + 1, add column e date default '2000-01-02'",
    );
    expect(database.table('t').tree).toBe(tree);
    database.run('alter table t add column f serial');
    expect(database.table('t').tree).not.toBe(tree);
    expect(database.rowsOf('t')[1999]).toBe('2000|b2000|2000.5|2|2000-01-02|2000');
    checkTrees('t', 2000);
  });

  test('changes types, of keys too', () => {
    database.run('alter table t alter column c type int, alter column a type text');
    // In the order of texts now.
    expect(database.rowsOf('t').slice(0, 3)).toEqual(['1|b1|2', '10|b10|11', '100|b100|101']);
    checkTrees('t', 2000);
    expect(database.run('alter table t alter column a type int using 1')).toBe(
      '23505 could not create unique index "t_pkey" / DETAIL Key (a)=(1) is duplicated.',
    );
  });

  test('drops columns with their indexes and constraints', () => {
    database.run('alter table t drop column b, drop column a');
    expect(Object.keys(database.indexSizes('t'))).toEqual(['t_c_idx']);
    expect(database.table('t').constraints).toEqual([]);
    expect(database.table('t').columns.map((column) => column.dropped)).toEqual([
      true,
      true,
      false,
    ]);
    expect(database.rowsOf('t').slice(0, 2)).toEqual(['1.5', '2.5']);
    checkTrees('t', 2000);
  });

  test('leaves everything as it was when it fails', () => {
    const before = database.table('t');
    expect(database.run('alter table t add column d int, add check (a < 10)')).toBe(
      '23514 check constraint "t_a_check" of relation "t" is violated by some row',
    );
    expect(database.table('t')).toBe(before);
  });
});

describe('views', () => {
  test('keep what they were made of, with schemas', () => {
    database.run('create table t (a int); create schema s; create table s.u (a int)');
    database.run(`create view v (x) /* as */ as with w as (select * from t)
      select w.a from w, s.u as u2 where u2.a = w.a;`);
    expect(database.table('v').definition).toBe(
      'with w as (select t.a from public.t)\n      select w.a from w, s.u as u2 where u2.a = w.a',
    );
    database.run('alter table s.u set schema public; alter table t rename to "T 2"');
    expect(database.table('v').definition).toBe(
      'with w as (select t.a from public."T 2" AS t)\n      select w.a from w, public.u as u2 where u2.a = w.a',
    );
    expect(database.run('alter table u rename column a to b')).toBe(
      '0A000 renaming a column that a view reads is not supported',
    );
  });
});

describe('ANALYZE', () => {
  test('estimates what a column holds', () => {
    database.run('create table t (a int primary key, b int, c text)');
    copyNumbers('t', 3000, (i) => `${i}\t${i % 10}\t${i % 3 === 0 ? '\\N' : `text${i % 100}`}`);
    database.run('analyze t');
    const { statistics } = database.table('t');
    expect(statistics?.rows).toBe(3000);
    expect(statistics?.pages).toBeGreaterThan(5);
    expect(statistics?.columns.map((column) => column?.distinct)).toEqual([3000, 10, 100]);
    expect(statistics?.columns[2]?.nullFraction).toBeCloseTo(1 / 3);
    expect(statistics?.columns.map((column) => column?.averageWidth)).toEqual([4, 4, 7]);
  });
});
