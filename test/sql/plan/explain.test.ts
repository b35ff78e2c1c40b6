import { beforeAll, expect, test } from 'vitest';
import { loadParser } from '../../../src/sql/parse/index.ts';
import { explainPlan, pointRead } from '../../../src/sql/plan/index.ts';
import { EXPLAIN_OPTIONS, plan } from '../support/test-catalog.ts';

beforeAll(loadParser);

test('SETTINGS are printed below the plan', () => {
  const settings = [
    { name: 'enable_sort', value: 'off' },
    { name: 'search_path', value: `a'b` },
  ];
  expect(explainPlan(plan('select 1'), { ...EXPLAIN_OPTIONS, settings })).toEqual([
    'Result',
    "Settings: enable_sort = 'off', search_path = 'a''b'",
  ]);
  const [json = ''] = explainPlan(plan('select 1'), {
    ...EXPLAIN_OPTIONS,
    settings,
    format: 'json',
  });
  expect(JSON.parse(json)[0].Settings).toEqual({ enable_sort: 'off', search_path: "a'b" });
});

function explain(sql: string): string {
  return explainPlan(plan(sql), EXPLAIN_OPTIONS).join('\n');
}

test.each([
  [
    'select * from accounts where aid = 5',
    ['Index Scan using accounts_pkey on accounts', '  Index Cond: (aid = 5)'],
  ],
  [
    'select * from accounts where (aid, bid) > (5, 3) order by aid limit 1',
    [
      'Limit',
      '  ->  Index Scan using accounts_pkey on accounts',
      '        Index Cond: (aid >= 5)',
      '        Filter: (ROW(aid, bid) > ROW(5, 3))',
    ],
  ],
  [
    'select count(*) from accounts a join orders o on o.account = a.aid where a.bid = 5',
    [
      'Aggregate',
      '  ->  Nested Loop',
      '        ->  Seq Scan on accounts a',
      '              Filter: (bid = 5)',
      '        ->  Index Only Scan using orders_account on orders o',
      '              Index Cond: (account = a.aid)',
    ],
  ],
  [
    'select * from t left join u using (a) order by t.b',
    [
      'Sort',
      '  Sort Key: t.b',
      '  ->  Hash Left Join',
      '        Hash Cond: (t.a = u.a)',
      '        ->  Seq Scan on t',
      '        ->  Hash',
      '              ->  Seq Scan on u',
    ],
  ],
  [
    'select * from accounts where aid > 5 order by aid desc limit 3',
    [
      'Limit',
      '  ->  Index Scan Backward using accounts_pkey on accounts',
      '        Index Cond: (aid > 5)',
    ],
  ],
  [
    'select a, (select count(*) from u), (select max(x) from u where u.a = t.a) from t',
    [
      'Seq Scan on t',
      '  InitPlan 1 (returns $0)',
      '    ->  Aggregate',
      '          ->  Seq Scan on u',
      '  SubPlan 2',
      '    ->  Aggregate',
      '          ->  Seq Scan on u',
      '                Filter: (a = t.a)',
    ],
  ],
  [
    'delete from orders where account = 5',
    [
      'Delete on orders',
      '  ->  Index Scan using orders_account on orders',
      '        Index Cond: (account = 5)',
    ],
  ],
])('%s', (sql, lines) => {
  expect(explain(sql)).toBe(lines.join('\n'));
});

test.each([
  ['select abalance from accounts where aid = 5', true],
  ['select * from accounts where aid = 5', true],
  ['select abalance + 1 from accounts where aid = 5', false],
  ['select abalance from accounts where aid = 5 and bid = 1', false],
  ['select abalance from accounts where aid > 5', false],
  ['select abalance from accounts where aid = 5 for update', false],
])('%s is a point read: %s', (sql, expected) => {
  expect(pointRead(plan(sql)) !== null).toBe(expected);
});

test('JSON names nodes and their facts', () => {
  const [text] = explainPlan(plan('select * from accounts where aid = 5'), {
    ...EXPLAIN_OPTIONS,
    costs: true,
    format: 'json',
  });
  expect(JSON.parse(text ?? '')).toMatchObject([
    {
      Plan: { 'Node Type': 'Index Scan', 'Index Name': 'accounts_pkey', 'Index Cond': '(aid = 5)' },
    },
  ]);
});
