import { beforeAll, expect, test } from 'vitest';
import { Catalog } from '../../../src/catalog/index.ts';
import { systemViewShape } from '../../../src/catalog/system/index.ts';
import { loadParser } from '../../../src/sql/parse/index.ts';
import { runQuery } from '../../catalog/run-query.ts';
import { Database } from './database.ts';

beforeAll(loadParser);

/** A default's text, as a session reads it whose search path is "$user", public. */
test('stored expressions name relations as the search path sees them', () => {
  const database = new Database();
  database.catalog = new Catalog(systemViewShape, database.catalog);
  database.run(`create schema side;
    create table t (id serial, label text default '''x''::regclass');
    create table side.t (id serial);
    alter sequence t_id_seq rename to "it's"`);
  const sql = `select table_schema, column_name, column_default from information_schema.columns
    where table_name = 't' and column_default is not null order by 1, 2`;
  expect(runQuery(database.catalog, sql)).toEqual([
    "public|id|nextval('\"it''s\"'::regclass)",
    "public|label|'''x''::regclass'::text",
    "side|id|nextval('side.t_id_seq'::regclass)",
  ]);
  expect(
    runQuery(
      database.catalog,
      `select pg_get_expr(adbin, adrelid) from pg_attrdef order by adrelid, adnum`,
    ),
  ).toEqual([
    "nextval('\"it''s\"'::regclass)",
    "'''x''::regclass'::text",
    "nextval('side.t_id_seq'::regclass)",
  ]);
});

test('pg_depend tells what defaults and views use', () => {
  const database = new Database();
  database.catalog = new Catalog(systemViewShape, database.catalog);
  database.run(`create sequence s;
    create table t (id int default nextval('s'));
    create view v as select id from t;
    create view w as select * from v`);
  const sql = `select classid::regclass, refobjid::regclass from pg_depend
    where refclassid = 'pg_class'::regclass and deptype = 'n' order by 1, 2`;
  expect(runQuery(database.catalog, sql)).toEqual(['pg_class|t', 'pg_class|v', 'pg_attrdef|s']);
});
