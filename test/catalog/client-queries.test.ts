import { beforeAll, describe, expect, it } from 'vitest';
import { loadParser } from '../../src/sql/parse/index.ts';
import { exampleCatalog } from './fixture.ts';
import { runQuery } from './run-query.ts';

/** Queries that drivers and psql send, and what PostgreSQL 15 answers to them for the same objects. */
const QUERIES: readonly (readonly [name: string, sql: string, rows: readonly string[]])[] = [
  [
    'JDBC: numbered elements',
    `select x, n, pg_typeof(x) from information_schema._pg_expandarray('3 1 7'::int2vector)`,
    ['3|1|smallint', '1|2|smallint', '7|3|smallint'],
  ],
  [
    'JDBC: primary keys',
    `select result.column_name, result.key_seq from (
       select a.attname as column_name, (information_schema._pg_expandarray(i.indkey)).n as key_seq,
         information_schema._pg_expandarray(i.indkey) as keys, a.attnum as a_attnum
       from pg_class ct join pg_attribute a on ct.oid = a.attrelid
         join pg_index i on a.attrelid = i.indrelid
       where ct.relname = 'author' and i.indisprimary and a.attnum > 0) result
     where result.a_attnum = (result.keys).x order by 2`,
    ['id|1'],
  ],
  [
    'pg_dump: array types',
    `select typname[0] = '_' and typelem <> 0, typname[0], typname[1] from pg_type
     where typname in ('_int4', 'int4') order by 1`,
    ['f|i|n', 't|_|i'],
  ],
  [
    'pg_dump: bytes of names',
    `select ('abc'::name)[3] = '', ('abc'::name)[64] is null, ('abc'::name)[-1] is null,
       ('é'::name)[0], ('abc'::name)[0][1] is null`,
    ['t|t|t|\\303|t'],
  ],
  [
    'pg_dump: default privileges',
    `select acldefault(kind::"char", 10) from unnest(array['c', 'r', 'd', 's', 'n']) kind`,
    [
      '{}',
      '{postgres=arwdDxt/postgres}',
      '{=Tc/postgres,postgres=CTc/postgres}',
      '{postgres=rwU/postgres}',
      '{postgres=UC/postgres}',
    ],
  ],
  [
    'pg_dump: the schema public',
    `select nspacl from pg_namespace where nspname = 'public'`,
    ['{postgres=UC/postgres,=U/postgres}'],
  ],
  [
    'pg_dump: partitions by enums',
    `select partrelid from pg_partitioned_table where
     (select c.oid from pg_opclass c join pg_am a on c.opcmethod = a.oid where opcname = 'enum_ops'
      and opcnamespace = 'pg_catalog'::regnamespace and amname = 'hash') = any(partclass)`,
    [],
  ],
  [
    'pg_dump: elements of vectors',
    `select 1::int2 = any('1 2'::int2vector), 3::oid = any('1 2'::oidvector),
       2 <> all('1 2'::oidvector)`,
    ['t|f|f'],
  ],
  [
    'postgres.js: array types',
    `select b.oid, b.typarray from pg_catalog.pg_type a
     left join pg_catalog.pg_type b on b.oid = a.typelem
     where a.typcategory = 'A' and b.typname in ('int4', 'text', 'numeric')
     group by b.oid, b.typarray order by b.oid`,
    ['23|1007', '25|1009', '1700|1231'],
  ],
  [
    'psycopg 3: TypeInfo.fetch',
    `SELECT typname AS name, oid, typarray AS array_oid, oid::regtype::text AS regtype,
       typdelim AS delimiter FROM pg_type t WHERE t.oid = to_regtype('numeric') ORDER BY t.oid`,
    ['numeric|1700|1231|numeric|,'],
  ],
  [
    'psycopg 2: hstore',
    `SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid
     WHERE typname = 'hstore'`,
    [],
  ],
  [
    'JDBC: type by name',
    `SELECT typinput='pg_catalog.array_in'::regproc as is_array, typtype, typname, pg_type.oid
     FROM pg_catalog.pg_type LEFT JOIN (select ns.oid as nspoid, ns.nspname, r.r
       from pg_namespace as ns join (select s.r, (current_schemas(false))[s.r] as nspname
         from generate_series(1, array_upper(current_schemas(false), 1)) as s(r)) as r
       using (nspname)) as sp ON sp.nspoid = typnamespace
     WHERE pg_type.typname = '_int4' ORDER BY sp.r, pg_type.oid DESC`,
    ['t|b|_int4|1007'],
  ],
  [
    'JDBC: element type',
    `SELECT e.oid, n.nspname = ANY(current_schemas(true)), n.nspname, e.typname
     FROM pg_catalog.pg_type t JOIN pg_catalog.pg_type e ON t.typelem = e.oid
     JOIN pg_catalog.pg_namespace n ON t.typnamespace = n.oid WHERE t.oid = 1007`,
    ['23|t|pg_catalog|int4'],
  ],
  [
    'psql \\d: the table',
    `SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname OPERATOR(pg_catalog.~) '^(author)$' COLLATE pg_catalog.default
       AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3`,
    ['16385|public|author'],
  ],
  [
    'psql \\d: columns',
    `SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d
        WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef),
       a.attnotnull, a.attidentity
     FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = '16385' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [
      "id|integer|nextval('author_id_seq'::regclass)|t|",
      'name|text||t|',
      'rating|numeric(4,2)||f|',
    ],
  ],
  [
    'psql \\d: indexes',
    `SELECT c2.relname, i.indisprimary, i.indisunique,
       pg_catalog.pg_get_indexdef(i.indexrelid, 0, true),
       pg_catalog.pg_get_constraintdef(con.oid, true), contype
     FROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i
       LEFT JOIN pg_catalog.pg_constraint con ON (conrelid = i.indrelid
         AND conindid = i.indexrelid AND contype IN ('p','u','x'))
     WHERE c.oid = '16385' AND c.oid = i.indrelid AND i.indexrelid = c2.oid
     ORDER BY i.indisprimary DESC, c2.relname`,
    [
      'author_pkey|t|t|CREATE UNIQUE INDEX author_pkey ON author USING btree (id)|PRIMARY KEY (id)|p',
      'Author lower|f|f|CREATE INDEX "Author lower" ON author USING btree (lower(name) DESC, id) INCLUDE (rating) WHERE id > 10||',
      'author_name_key|f|t|CREATE UNIQUE INDEX author_name_key ON author USING btree (name)|UNIQUE (name)|u',
    ],
  ],
  [
    'psql \\d: checks and foreign keys',
    `SELECT conname, pg_catalog.pg_get_constraintdef(oid), pg_catalog.pg_get_constraintdef(oid, true)
     FROM pg_catalog.pg_constraint WHERE contype IN ('c', 'f') ORDER BY 1`,
    [
      'author_rating_check|CHECK ((rating > (0)::numeric))|CHECK (rating > 0::numeric)',
      'book_author_fkey|FOREIGN KEY (author) REFERENCES author(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED|FOREIGN KEY (author) REFERENCES author(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED',
    ],
  ],
  [
    'psql \\d: columns of an index',
    `SELECT a.attname, a.attnum <= (SELECT i.indnkeyatts FROM pg_catalog.pg_index i
         WHERE i.indexrelid = '16392'),
       pg_catalog.pg_get_indexdef(a.attrelid, a.attnum, TRUE)
     FROM pg_catalog.pg_attribute a WHERE a.attrelid = '16392' AND a.attnum > 0 ORDER BY a.attnum`,
    ['lower|t|lower(name)', 'id|t|id', 'rating|f|rating'],
  ],
  [
    'psql \\d of a sequence: its owner',
    `SELECT pg_catalog.quote_ident(nspname) || '.' || pg_catalog.quote_ident(relname) || '.' ||
       pg_catalog.quote_ident(attname), d.deptype
     FROM pg_catalog.pg_class c
     INNER JOIN pg_catalog.pg_depend d ON c.oid = d.refobjid
     INNER JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     INNER JOIN pg_catalog.pg_attribute a ON (a.attrelid = c.oid AND a.attnum = d.refobjsubid)
     WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.objid = '16384' AND d.deptype IN ('a', 'i')`,
    ['public.author.id|a'],
  ],
  [
    'names of objects',
    `select 'author'::regclass, 'pg_class'::regclass::oid, '"Names"'::regclass, 1396::regproc,
       'abs(int)'::regprocedure, 551::regoperator, 'int4[]'::regtype, 'public'::regnamespace,
       'postgres'::regrole, to_regclass('nosuch'), 99999::regclass, 'author'::regtype`,
    [
      'author|1259|"Names"|pg_catalog.abs|abs(integer)|+(integer,integer)|integer[]|public|postgres||99999|author',
    ],
  ],
  [
    'facts about objects',
    `select pg_get_serial_sequence('author', 'id'), pg_get_serial_sequence('author', 'name'),
       pg_get_userbyid(10), current_schema(), current_schemas(true), pg_table_is_visible(1),
       has_table_privilege('author', 'select'), pg_get_viewdef('"Names"'::regclass)`,
    [
      'public.author_id_seq||postgres|public|{pg_catalog,public}||t| SELECT author.name\n   FROM author;',
    ],
  ],
  [
    'functions',
    `select pg_get_function_result(1067), pg_get_function_arguments(438),
       pg_get_functiondef('abs(int)'::regprocedure)`,
    [
      'SETOF integer|VARIADIC "any"|CREATE OR REPLACE FUNCTION pg_catalog.abs(integer)\n RETURNS integer\n LANGUAGE internal\n IMMUTABLE PARALLEL SAFE STRICT\nAS $function$int4abs$function$\n',
    ],
  ],
  [
    'information_schema.columns',
    `select column_name, ordinal_position, is_nullable, data_type, numeric_precision, numeric_scale,
       character_octet_length, udt_name from information_schema.columns
     where table_name in ('author', 'book') order by table_name, ordinal_position`,
    [
      'id|1|NO|integer|32|0||int4',
      'name|2|NO|text|||1073741824|text',
      'rating|3|YES|numeric|4|2||numeric',
      'author|1|YES|integer|32|0||int4',
      'tags|2|YES|ARRAY||||_text',
    ],
  ],
  [
    'information_schema: keys',
    `select k.constraint_name, k.column_name, k.position_in_unique_constraint, r.delete_rule,
       c.table_name, c.column_name
     from information_schema.key_column_usage k
     join information_schema.referential_constraints r using (constraint_name)
     join information_schema.constraint_column_usage c using (constraint_name)`,
    ['book_author_fkey|author|1|CASCADE|author|id'],
  ],
];

describe('queries of clients', () => {
  beforeAll(loadParser);
  const catalog = exampleCatalog();

  it.each(QUERIES)('%s', (_name, sql, rows) => {
    expect(runQuery(catalog, sql)).toEqual(rows);
  });

  it.each([
    ["select 'nosuch'::regclass", 'relation "nosuch" does not exist'],
    ["select 'nosuch.x'::regclass", 'schema "nosuch" does not exist'],
    ["select ''::regclass", 'invalid name syntax'],
    ["select 'abs'::regproc", 'more than one function named "abs"'],
    ["select 'abs'::regprocedure", 'expected a left parenthesis'],
    ["select 'nosuch'::regrole", 'role "nosuch" does not exist'],
    ["select has_table_privilege('author', 'fly')", 'unrecognized privilege type: "fly"'],
    ["select pg_relation_size('author', 'x')", 'invalid fork name'],
  ])('%s fails', (sql, message) => {
    expect(() => runQuery(catalog, sql)).toThrow(message);
  });

  it('takes sizes and waits from the thread', () => {
    const facts = { relationPages: () => 2, blockingProcesses: (pid: number) => [pid + 1] };
    const sql = `select pg_relation_size('author'), pg_indexes_size('author'),
      pg_total_relation_size('author'), pg_blocking_pids(3)`;
    expect(runQuery(catalog, sql, facts)).toEqual(['16384|32768|49152|{4}']);
  });
});
