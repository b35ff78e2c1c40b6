/** IN and ANY with many constants, which are looked up. */
import { expect, test } from 'vitest';
import { testServer } from './server.ts';

const server = testServer();

/** What is looked for, where, and PostgreSQL 15's answers. */
const ANSWERS: readonly (readonly [value: string, test: string, answer: string | null])[] = [
  ["'b'", "in ('a','c','d','e','f','g','h','i','b')", 't'],
  ["'x'", "in ('a','c','d','e','f','g','h','i','b')", 'f'],
  ["'x'", "in ('a','c','d','e','f','g','h','i',null)", null],
  ["'a'", "in ('a','c','d','e','f','g','h','i',null)", 't'],
  ['null::text', "in ('a','c','d','e','f','g','h','i','b')", null],
  ["'x'", "not in ('a','c','d','e','f','g','h','i','b')", 't'],
  ["'b'", "not in ('a','c','d','e','f','g','h','i','b')", 'f'],
  ["'x'", "not in ('a','c','d','e','f','g','h','i',null)", null],
  ["'a'", "not in ('a','c','d','e','f','g','h','i',null)", 'f'],
  ["'a'::char(3)", "in ('a','c','d','e','f','g','h','i','b')", 't'],
  ["'b '::text", "in ('a','c','d','e','f','g','h','i','b')", 'f'],
  ['1.0', 'in (2,3,4,5,6,7,8,9,1.00)', 't'],
  ['1.1', 'in (2,3,4,5,6,7,8,9,1.00)', 'f'],
  ["'NaN'::numeric", "in (2,3,4,5,6,7,8,9,'NaN')", 't'],
  ["'NaN'::float8", "in (2,3,4,5,6,7,8,9,'NaN')", 't'],
  ["'-0'::float8", 'in (2,3,4,5,6,7,8,9,0)', 't'],
  ['9007199254740993', 'in (2,3,4,5,6,7,8,9,9007199254740992)', 'f'],
  ['9007199254740993', 'in (2,3,4,5,6,7,8,9,9007199254740993)', 't'],
  ['7::int2', 'in (2,3,4,5,6,7000000000,8,9,7)', 't'],
  ["date '2020-01-01'", "in ('infinity','2020-01-02','2020-01-01','2020-01-03')", 't'],
  [
    "'\\x0001'::bytea",
    "in ('\\x','\\x00','\\x01','\\x0000','\\x0100','\\x02','\\x03','\\x04','\\x0001')",
    't',
  ],
  [
    "'[1,2)'::int4range",
    "in ('[1,1]','[3,4)','[4,5)','[5,6)','[6,7)','[7,8)','[8,9)','[9,9]','empty')",
    't',
  ],
  [
    "'1 day'::interval",
    "in ('2 days','3 days','4 days','5 days','6 days','7 days','8 days','9 days','24 hours')",
    't',
  ],
  ['\'{"a": 1.0}\'::jsonb', "in ('1','2','3','4','5','6','7','8','{\"a\":1}')", 't'],
  ["'x'", "= any ('{}'::text[])", 'f'],
  ['null::text', "= any ('{}'::text[])", 'f'],
  ['null::text', "<> all ('{}'::text[])", 't'],
  ["'x'", '= any (null::text[])', null],
];

test.each(ANSWERS)('%s %s: %s', async (value, condition, answer) => {
  const client = await server.wire();
  // Of two rows, so that nothing is computed while the query is planned.
  const { rows, error } = await client.query(
    `select v ${condition} from (select ${value} as v from generate_series(1, 2) offset 0) s`,
    20_000,
  );
  expect(error).toBeNull();
  expect(rows).toEqual([[answer], [answer]]);
  await client.end();
});

test('many rows are held against many constants in the time of both', async () => {
  const client = await server.wire();
  const even = Array.from({ length: 50_000 }, (_, i) => `text ${2 * i + 2}`);
  const { rows, error } = await client.query(
    `select count(*) from generate_series(1, 50000) g where 'text ' || g = any ('{${even}}'::text[])`,
    20_000,
  );
  expect(error).toBeNull();
  expect(rows).toEqual([['25000']]);
  await client.end();
});
