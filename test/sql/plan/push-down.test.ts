import { beforeAll, expect, test } from 'vitest';
import { loadParser } from '../../../src/sql/parse/index.ts';
import { explainPlan } from '../../../src/sql/plan/index.ts';
import { EXPLAIN_OPTIONS, plan } from '../support/test-catalog.ts';

beforeAll(loadParser);

function explain(sql: string): string[] {
  return explainPlan(plan(sql), EXPLAIN_OPTIONS);
}

const INDEXED = ['Index Only Scan using orders_account on orders', 'Index Cond: (account = 5)'];

test.each([
  ['GROUP BY', 'select * from (select account, count(*) from orders group by account) x'],
  ['DISTINCT', 'select * from (select distinct account, id from orders) x'],
  ['DISTINCT ON', 'select * from (select distinct on (account) account, id from orders) x'],
  [
    'a window over partitions',
    'select * from (select account, sum(id) over (partition by account) from orders) x',
  ],
  ['UNION ALL', 'select * from (select account from orders union all select aid from accounts) x'],
  ['EXCEPT', 'select * from (select account from orders except select aid from accounts) x'],
  [
    'what holds another such query',
    'select * from (select account, max(c) from (select account, count(*) c from orders group by account) y group by account) x',
  ],
  [
    'a common table that is read once',
    'with x as (select account, count(*) from orders group by account) select * from x',
  ],
])('a condition goes into %s', (_name, sql) => {
  const lines = explain(`${sql} where account = 5`).map((line) => line.replace(/^[ >-]*/, ''));
  for (const line of INDEXED) expect(lines).toContain(line);
  expect(lines.join('\n')).not.toContain('Filter');
});

test.each([
  ['LIMIT', 'select * from (select account from orders limit 3) x'],
  ['OFFSET', 'select * from (select account from orders offset 3) x'],
  ['other DISTINCT ON', 'select * from (select distinct on (id) account, id from orders) x'],
  [
    'a window over more than partitions',
    'select * from (select account, row_number() over (order by account) from orders) x',
  ],
  [
    'a common table that is read twice',
    'with c as (select account from orders) select * from c x where exists (select from c where account <> 5) and',
  ],
])('a condition stays above %s', (_name, sql) => {
  const condition = sql.endsWith('and') ? ' account = 5' : ' where account = 5';
  const lines = explain(sql + condition);
  expect(lines.join('\n')).toContain('Filter: (account = 5)');
});

test('conditions of HAVING on keys are applied before rows are grouped', () => {
  expect(
    explain('select account from orders group by account having account = 5 and count(*) > 2'),
  ).toEqual([
    'HashAggregate',
    '  Group Key: account',
    '  Filter: ((count(*)) > 2)',
    '  ->  Index Only Scan using orders_account on orders',
    '        Index Cond: (account = 5)',
  ]);
});

test('a constant holds for all that is equal', () => {
  const equal = 'from accounts a join orders o on o.account = a.aid where a.aid = 5';
  const lines = [
    'Nested Loop',
    '  ->  Index Scan using accounts_pkey on accounts a',
    '        Index Cond: (aid = 5)',
    '  ->  Index Only Scan using orders_account on orders o',
    '        Index Cond: (account = 5)',
  ];
  expect(explain(`select o.id ${equal}`)).toEqual(lines);
  const outer = equal.replace('join', 'left join');
  expect(explain(`select o.id ${outer}`).join()).toContain('(account = 5)');
});
