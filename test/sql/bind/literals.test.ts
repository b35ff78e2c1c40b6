import { beforeAll, expect, test } from 'vitest';
import { loadParser } from '../../../src/sql/parse/index.ts';
import { OID } from '../../../src/types/index.ts';
import { planLifted } from '../support/test-catalog.ts';

/** Which literals become parameters, of which types, and which the plan depends on. */
beforeAll(loadParser);

test.each([
  ['select abalance from accounts where aid = 5', [OID.int4], []],
  ['update accounts set abalance = abalance + -123 where aid = 4', [OID.int4, OID.int4], []],
  [
    "insert into orders (id, amount, note) values (1, 2, 'x')",
    [OID.int8, OID.numeric, OID.text],
    [],
  ],
  ['select a from t order by 1', [0], [0]],
  ['select a + 1 from t group by a + 1', [0, 0], [0, 1]],
  ['select a + 1 from t limit 5', [OID.int4], []],
  ['select a + 1 from t offset 5', [OID.int4, OID.int8], []],
  ["select date '2020-01-01', '5'::int8", [OID.date, OID.int8], []],
  ["select 'x'", [OID.text], []],
  ['select 1 where b between 2 and 3', null, null],
])('%s', (sql, types, fixed) => {
  if (types === null) {
    expect(() => planLifted(sql)).toThrow();
    return;
  }
  const { plan, fixed: actual } = planLifted(sql);
  expect(plan.parameterTypes).toEqual(types);
  expect(actual).toEqual(fixed);
});
