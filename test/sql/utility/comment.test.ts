import { beforeAll, expect, test } from 'vitest';
import { Catalog } from '../../../src/catalog/index.ts';
import { systemViewShape } from '../../../src/catalog/system/index.ts';
import { loadParser } from '../../../src/sql/parse/index.ts';
import { runQuery } from '../../catalog/run-query.ts';
import { Database } from './database.ts';

beforeAll(loadParser);

function catalogOf(database: Database, sql: string): string[] {
  return runQuery(database.catalog, sql);
}

const USERS = `select classoid::regclass, objsubid, description from pg_description
  where objoid >= 16384 order by description`;

function commented(): Database {
  const database = new Database();
  database.catalog = new Catalog(systemViewShape, database.catalog);
  database.run(`create table t (a int primary key, b text, constraint positive check (a > 0));
    create index ti on t (b);
    create view v as select b from t;
    comment on table t is '1 table';
    comment on column t.b is '2 column';
    comment on constraint positive on t is '3 constraint';
    comment on index ti is '4 index';
    comment on column v.b is '5 column of a view'`);
  return database;
}

test('comments are rows of pg_description', () => {
  expect(catalogOf(commented(), USERS)).toEqual([
    'pg_class|0|1 table',
    'pg_class|2|2 column',
    'pg_constraint|0|3 constraint',
    'pg_class|0|4 index',
    'pg_class|1|5 column of a view',
  ]);
});

test('obj_description and col_description find them', () => {
  const database = commented();
  expect(
    catalogOf(
      database,
      `select obj_description('t'::regclass, 'pg_class'), obj_description('ti'::regclass),
        col_description('t'::regclass, 2), col_description('t'::regclass, 1),
        obj_description('t'::regclass, 'nosuch'),
        obj_description(2200, 'pg_namespace'), shobj_description(5, 'pg_database'),
        obj_description('abs(int)'::regprocedure, 'pg_proc')`,
    ),
  ).toEqual([
    '1 table|4 index|2 column|||standard public schema|default administrative connection database|absolute value',
  ]);
});

test('a comment outlives changes of its object, and goes with it', () => {
  const database = commented();
  database.run(`drop view v; alter table t rename column b to c; alter table t rename to u;
    alter table u alter column c type varchar(9); comment on table u is null`);
  expect(catalogOf(database, USERS)).toEqual([
    'pg_class|2|2 column',
    'pg_constraint|0|3 constraint',
    'pg_class|0|4 index',
  ]);
  database.run('alter table u drop constraint positive; alter table u drop column c');
  expect(catalogOf(database, USERS)).toEqual([]);
});

test('LIKE copies comments when it is told to, and a view that is replaced keeps its own', () => {
  const database = commented();
  database.run('create table plain (like t including constraints)');
  database.run('create table copy (like t including constraints including comments)');
  database.run('create or replace view v as select b, a from t');
  expect(
    catalogOf(
      database,
      `select c.relname, col_description(c.oid, 2), obj_description(con.oid, 'pg_constraint')
        from pg_class c join pg_constraint con on con.conrelid = c.oid and con.contype = 'c'
        where c.relname in ('plain', 'copy') order by 1`,
    ),
  ).toEqual(['copy|2 column|3 constraint', 'plain||']);
  expect(catalogOf(database, `select col_description('v'::regclass, 1)`)).toEqual([
    '5 column of a view',
  ]);
});
