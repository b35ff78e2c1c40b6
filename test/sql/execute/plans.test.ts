import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../src/base/index.ts';
import {
  compilePlan,
  dataRowEncoder,
  encodeDataRows,
  type Instrumentation,
} from '../../../src/sql/execute/index.ts';
import type { PlanNode } from '../../../src/sql/plan/plan.ts';
import { type Datum, OID } from '../../../src/types/index.ts';
import {
  call,
  constant,
  functionOid,
  input,
  MemoryDatabase,
  makeIndex,
  makeTable,
  node,
  outer,
  parameter,
  planOf,
  scan,
  values,
} from './support.ts';

const COLUMNS = [
  { name: 'id', type: OID.int4, notNull: true },
  { name: 'v', type: OID.int4 },
  { name: 't', type: OID.text },
];
const table = makeTable(100, 't', COLUMNS, [0], [makeIndex(110, [1], COLUMNS)]);

function filled(count = 3000): MemoryDatabase {
  const database = new MemoryDatabase();
  const rows: Datum[][] = [];
  for (let i = 0; i < count; i++) rows.push([i, i % 10 === 7 ? null : i % 10, `row ${i}`]);
  database.load(table, rows);
  return database;
}

const sum = (column: number, distinct = false) => ({
  kind: 'aggregate' as const,
  function: functionOid('sum', OID.int4),
  arguments: [input(column)],
  star: false,
  distinct,
  filter: null,
  orderBy: [],
  level: 0,
  withinGroup: false,
  type: OID.int8,
  typmod: -1,
});
const count = () => ({
  kind: 'aggregate' as const,
  function: functionOid('count'),
  arguments: [],
  star: true,
  distinct: false,
  filter: null,
  orderBy: [],
  level: 0,
  withinGroup: false,
  type: OID.int8,
  typmod: -1,
});
const sortBy = (
  of: PlanNode,
  column: number,
  type: number = OID.int4,
  descending = false,
): PlanNode =>
  node(
    of.output.map((c) => c.type),
    {
      kind: 'sort',
      input: of,
      keys: [{ expr: input(column, type), descending, nullsFirst: descending }],
      limit: null,
      presorted: 0,
    },
  );

describe.each([
  ['leaf by leaf', true],
  ['row by row', false],
])('scans %s', (_name, paged) => {
  test('read filter and project', () => {
    const database = filled();
    database.paged = paged;
    const filter = call('int4eq', OID.bool, input(1), constant(3));
    const root = node([OID.int8, OID.text], {
      kind: 'project',
      input: scan(table, 0, { filter }),
      exprs: [
        {
          kind: 'cast',
          method: 'function',
          function: functionOid('int8', OID.int4),
          argument: input(0),
          explicit: false,
          type: OID.int8,
          typmod: -1,
        },
        input(2, OID.text),
      ],
    });
    const rows = database.run(planOf(root, [table]));
    expect(rows.length).toBe(300);
    expect(rows[1]).toEqual([13, 'row 13']);
    expect(database.openCursors).toBe(0);
  });

  test('pause and go on', () => {
    const database = filled();
    database.paged = paged;
    database.pauseEvery = 2;
    expect(database.run(planOf(scan(table), [table])).length).toBe(3000);
    const backward = database.run(planOf(scan(table, 0, { backward: true }), [table]));
    expect(backward[0]![0]).toBe(2999);
    expect(backward.length).toBe(3000);
  });

  test('aggregate', () => {
    const database = filled();
    database.paged = paged;
    const root = node([OID.int8, OID.int8], {
      kind: 'aggregate',
      strategy: 'plain',
      input: scan(table, 0, { columns: [1] }),
      groupBy: [],
      aggregates: [sum(0), count()],
      groupingSets: null,
    });
    expect(database.run(planOf(root, [table]))).toEqual([[300 * (45 - 7), 3000]]);
    expect(new MemoryDatabase().run(planOf(root, [table]))).toEqual([[null, 0]]);
  });
});

describe('index scans', () => {
  const range = (shape: object) => ({
    equal: [],
    anyOf: null,
    lower: null,
    upper: null,
    isNull: false,
    ...shape,
  });
  const index = (oid: number, ranges: object[], backward = false) =>
    node([OID.int4, OID.int4], {
      kind: 'indexScan',
      table: 0,
      alias: 't',
      columns: [0, 1],
      locator: false,
      scanId: 0,
      filter: null,
      index: oid,
      ranges: ranges.map(range),
      backward,
      entry: null,
    });
  const ids = (rows: Datum[][]) => rows.map((row) => row[0]);

  test('find a point by the primary key', () => {
    const database = filled();
    const plan = planOf(index(101, [{ equal: [parameter(0)] }]), [table]);
    const compiled = compilePlan(plan);
    expect(database.drain(compiled, plan, [42])).toEqual([[42, 2]]);
    expect(database.drain(compiled, plan, [7])).toEqual([[7, null]]);
    expect(database.drain(compiled, plan, [null])).toEqual([]);
    expect(database.drain(compiled, plan, [5000])).toEqual([]);
  });

  test('read ranges, forward and backward, across types', () => {
    const database = filled(100);
    const big = (value: Datum) => constant(value, OID.int8);
    const run = (ranges: object[], backward = false) =>
      ids(database.run(planOf(index(101, ranges, backward), [table])));
    expect(
      run([
        { lower: { expr: big(95), inclusive: false }, upper: { expr: big(98), inclusive: true } },
      ]),
    ).toEqual([96, 97, 98]);
    expect(run([{ lower: { expr: big(97), inclusive: true } }], true)).toEqual([99, 98, 97]);
    expect(run([{ lower: { expr: big(2 ** 40), inclusive: true } }])).toEqual([]);
    expect(
      run([
        {
          lower: { expr: big(-(2 ** 40)), inclusive: true },
          upper: { expr: big(2), inclusive: false },
        },
      ]),
    ).toEqual([0, 1]);
    expect(run([{ upper: { expr: big(2 ** 40), inclusive: false } }]).length).toBe(100);
    expect(run([{ equal: [big(2 ** 40)] }])).toEqual([]);
    expect(
      run([
        { anyOf: { array: null, list: [constant(5), constant(3), constant(null), constant(5)] } },
      ]),
    ).toEqual([3, 5]);
    expect(
      run([
        { equal: [constant(9)] },
        { upper: { expr: constant(1), inclusive: true } },
        { equal: [constant(0)] },
      ]),
    ).toEqual([0, 1, 9]);
    expect(run([{}]).length).toBe(100);
  });

  test('leave NULLs out of ranges and find them by IS NULL', () => {
    const database = filled(100);
    const run = (ranges: object[]) => ids(database.run(planOf(index(110, ranges), [table])));
    expect(run([{ isNull: true }])).toEqual([7, 17, 27, 37, 47, 57, 67, 77, 87, 97]);
    expect(run([{ lower: { expr: constant(9), inclusive: true } }])).toEqual([
      9, 19, 29, 39, 49, 59, 69, 79, 89, 99,
    ]);
    expect(run([{ upper: { expr: constant(0), inclusive: true } }]).length).toBe(10);
    const descending = makeTable(200, 'd', COLUMNS, null, [
      makeIndex(210, [1], COLUMNS, { descending: true }),
    ]);
    database.load(descending, [
      [1, 5, ''],
      [2, null, ''],
      [3, 7, ''],
      [4, 6, ''],
    ]);
    const down = (ranges: object[]) => ids(database.run(planOf(index(210, ranges), [descending])));
    expect(down([{}])).toEqual([2, 3, 4, 1]);
    expect(down([{ lower: { expr: constant(6), inclusive: true } }])).toEqual([3, 4]);
    expect(down([{ upper: { expr: constant(7), inclusive: false } }])).toEqual([4, 1]);
    expect(down([{ isNull: true }])).toEqual([2]);
  });
});

describe('rows that change', () => {
  const insertInto = (rows: Datum[][], extra: object = {}): PlanNode =>
    node([], {
      kind: 'insert',
      input: values([OID.int4, OID.int4, OID.text], rows),
      table: 0,
      values: [input(0), input(1), input(2, OID.text)],
      returning: null,
      checks: [],
      onConflict: null,
      ...extra,
    });

  test('insert, with RETURNING', () => {
    const database = new MemoryDatabase();
    const root = {
      ...insertInto(
        [
          [1, 2, 'a'],
          [2, null, 'b'],
        ],
        { returning: [input(2, OID.text)] },
      ),
      output: node([OID.text], { kind: 'result', exprs: [], filter: null }).output,
    } as PlanNode;
    expect(database.run(planOf(root, [table]))).toEqual([['a'], ['b']]);
    expect(database.rowsOf(table)).toEqual([
      [1, 2, 'a'],
      [2, null, 'b'],
    ]);
  });

  test('NOT NULL and CHECK', () => {
    const database = new MemoryDatabase();
    expect(() => database.run(planOf(insertInto([[null, 1, 'x']]), [table]))).toThrow(
      expect.objectContaining({
        message: 'null value in column "id" of relation "t" violates not-null constraint',
        sqlstate: '23502',
        fields: expect.objectContaining({ detail: 'Failing row contains (null, 1, x).' }),
      }),
    );
    const checks = [{ name: 't_v_check', expr: call('int4gt', OID.bool, input(1), constant(0)) }];
    expect(() =>
      database.run(
        planOf(
          insertInto(
            [
              [1, null, 'x'],
              [2, -1, 'y'],
            ],
            { checks },
          ),
          [table],
        ),
      ),
    ).toThrow(
      expect.objectContaining({
        message: 'new row for relation "t" violates check constraint "t_v_check"',
        sqlstate: '23514',
      }),
    );
  });

  const update = (filter: ReturnType<typeof call>): PlanNode =>
    node([], {
      kind: 'update',
      input: scan(table, 0, { locator: true, filter, scanId: 1 }),
      locator: 3,
      scanId: 1,
      oldColumns: [0, 1, 2],
      assignments: [{ column: 1, expr: call('int4pl', OID.int4, input(1), constant(100)) }],
      table: 0,
      returning: null,
      checks: [],
    });

  test('update, delete', () => {
    const database = filled(50);
    const filter = call('int4lt', OID.bool, input(0), constant(3));
    const compiled = compilePlan(planOf(update(filter), [table]));
    database.drain(compiled, planOf(update(filter), [table]));
    expect(compiled.affectedRows).toBe(3);
    expect(database.rowsOf(table).slice(0, 4)).toEqual([
      [0, 100, 'row 0'],
      [1, 101, 'row 1'],
      [2, 102, 'row 2'],
      [3, 3, 'row 3'],
    ]);
    const remove = node([], {
      kind: 'delete',
      input: scan(table, 0, { locator: true, filter, scanId: 1 }),
      locator: 3,
      scanId: 1,
      oldColumns: [0, 1, 2],
      table: 0,
      returning: null,
      checks: [],
    });
    database.run(planOf(remove, [table]));
    expect(database.rowsOf(table).length).toBe(47);
  });

  test('RETURNING sees the new row, then the input', () => {
    const database = filled(5);
    const root = {
      ...update(call('int4lt', OID.bool, input(0), constant(2))),
      returning: [input(0), input(1), input(4)],
      output: node([OID.int4, OID.int4, OID.int4], { kind: 'result', exprs: [], filter: null })
        .output,
    } as PlanNode;
    expect(database.run(planOf(root, [table]))).toEqual([
      [0, 100, 0],
      [1, 101, 1],
    ]);
  });

  test('wait, and check changed rows again', () => {
    const database = filled(10);
    let waits = 0;
    const changed = new Set<number>();
    database.onLock = (key) => {
      if (waits++ % 3 !== 2) return 'wait';
      const row = key.at(-1)!;
      if (changed.has(row)) return undefined;
      changed.add(row);
      if (row === 1) {
        database.remove(table, key);
        database.store(table, [1, 50, 'other']);
        return 'changed';
      }
      if (row === 2) {
        database.remove(table, key);
        database.store(table, [2, -1, 'out']);
        return 'changed';
      }
      return row === 3 ? 'deleted' : undefined;
    };
    const filter = call('int4gt', OID.bool, input(1), constant(-1));
    const plan = planOf(update(filter), [table]);
    const compiled = compilePlan(plan);
    database.drain(compiled, plan);
    expect(database.rowsOf(table).slice(0, 5)).toEqual([
      [0, 100, 'row 0'],
      [1, 150, 'other'],
      [2, -1, 'out'],
      [3, 3, 'row 3'],
      [4, 104, 'row 4'],
    ]);
    expect(compiled.affectedRows).toBe(7);
  });

  test('lock for SELECT FOR UPDATE and drop what does not qualify any more', () => {
    const database = filled(6);
    database.onLock = (key) => {
      const row = key.at(-1)!;
      if (row > 1) return undefined;
      database.remove(table, key);
      database.store(table, [row, row === 0 ? 77 : -5, 'changed']);
      return 'changed';
    };
    const filter = call('int4gt', OID.bool, input(1), constant(-1));
    const root = node([OID.int4, OID.int4, OID.text], {
      kind: 'lockRows',
      input: scan(table, 0, { locator: true, filter, scanId: 4 }),
      locks: [{ table: 0, scanId: 4, locator: 3, strength: 'update', waitPolicy: 'block' }],
    });
    expect(database.run(planOf(root, [table]))).toEqual([
      [0, 77, 'changed'],
      [2, 2, 'row 2'],
      [3, 3, 'row 3'],
      [4, 4, 'row 4'],
      [5, 5, 'row 5'],
    ]);
  });

  test('a LIMIT locks no more rows than it returns', () => {
    const database = filled(100);
    let locked = 0;
    database.onLock = () => {
      locked++;
      return undefined;
    };
    const rows = node([OID.int4, OID.int4, OID.text], {
      kind: 'lockRows',
      input: scan(table, 0, { locator: true }),
      locks: [{ table: 0, scanId: 0, locator: 3, strength: 'update', waitPolicy: 'skip' }],
    });
    const limit = node([OID.int4, OID.int4, OID.text], {
      kind: 'limit',
      input: rows,
      limit: constant(2, OID.int8),
      offset: null,
      ties: null,
    });
    expect(database.run(planOf(limit, [table])).length).toBe(2);
    expect(locked).toBe(2);
  });

  test('ON CONFLICT', () => {
    const database = filled(3);
    const nothing = insertInto(
      [
        [1, 5, 'x'],
        [9, 9, 'n'],
      ],
      { onConflict: { action: 'nothing', arbiters: [], assignments: [], where: null } },
    );
    const compiled = compilePlan(planOf(nothing, [table]));
    database.drain(compiled, planOf(nothing, [table]));
    expect(compiled.affectedRows).toBe(1);
    const upsert = insertInto(
      [
        [1, 5, 'x'],
        [2, 6, 'y'],
        [10, 7, 'z'],
      ],
      {
        onConflict: {
          action: 'update',
          arbiters: [101],
          assignments: [{ column: 1, expr: call('int4pl', OID.int4, input(1), input(4)) }],
          where: call('int4lt', OID.bool, input(0), constant(2)),
        },
      },
    );
    database.run(planOf(upsert, [table]));
    expect(database.rowsOf(table)).toEqual([
      [0, 0, 'row 0'],
      [1, 6, 'row 1'],
      [2, 2, 'row 2'],
      [9, 9, 'n'],
      [10, 7, 'z'],
    ]);
  });
});

describe.each([
  ['in memory', 4 << 20],
  ['spilled', 16 << 10],
])('with work_mem %s', (_name, workMem) => {
  const make = (count = 3000) => {
    const database = filled(count);
    database.workMem = workMem;
    database.pauseEvery = 3;
    return database;
  };
  const check = (database: MemoryDatabase) => {
    expect(database.openSpillFiles).toBe(0);
    expect(database.openCursors).toBe(0);
    if (workMem < 100_000) expect(database.spilledBytes).toBeGreaterThan(0);
  };

  test('sort', () => {
    const database = make();
    const rows = database.run(planOf(sortBy(scan(table), 2, OID.text), [table]));
    const expected = Array.from({ length: 3000 }, (_, i) => `row ${i}`).sort();
    expect(rows.map((row) => row[2])).toEqual(expected);
    const down = database.run(planOf(sortBy(scan(table), 1, OID.int4, true), [table]));
    expect(down[0]![1]).toBe(null);
    expect(down[2999]![1]).toBe(0);
    check(database);
  });

  test('top-N', () => {
    const database = make();
    const sort = {
      ...sortBy(scan(table), 0, OID.int4, true),
      limit: parameter(0, OID.int8),
    } as PlanNode;
    expect(database.run(planOf(sort, [table]), [3]).map((row) => row[0])).toEqual([
      2999, 2998, 2997,
    ]);
  });

  test('hash aggregate', () => {
    const database = make();
    const group = node([OID.text, OID.int8, OID.int8], {
      kind: 'aggregate',
      strategy: 'hash',
      input: scan(table),
      groupBy: [input(2, OID.text)],
      aggregates: [sum(1), count()],
      groupingSets: null,
    });
    const rows = database.run(planOf(group, [table]));
    expect(rows.length).toBe(3000);
    expect(rows.find((row) => row[0] === 'row 13')).toEqual(['row 13', 3, 1]);
    check(database);
    const few = node([OID.int4, OID.int8], {
      kind: 'aggregate',
      strategy: 'hash',
      input: scan(table),
      groupBy: [input(1)],
      aggregates: [count()],
      groupingSets: null,
    });
    expect(database.run(planOf(few, [table])).length).toBe(10);
  });

  test('sorted aggregate hands on groups in order', () => {
    const database = make();
    const group = node([OID.int4, OID.int8], {
      kind: 'aggregate',
      strategy: 'sorted',
      input: scan(table),
      groupBy: [input(0)],
      aggregates: [sum(1)],
      groupingSets: null,
    });
    const rows = database.run(planOf(group, [table]));
    expect(rows.map((row) => row[0])).toEqual(Array.from({ length: 3000 }, (_, i) => i));
    expect(rows[13]).toEqual([13, 3]);
  });

  test('DISTINCT inside an aggregate', () => {
    const database = make();
    const group = node([OID.int8], {
      kind: 'aggregate',
      strategy: 'plain',
      input: scan(table),
      groupBy: [],
      aggregates: [sum(1, true)],
      groupingSets: null,
    });
    expect(database.run(planOf(group, [table]))).toEqual([[45 - 7]]);
  });

  test('grouping sets', () => {
    const database = make();
    const sets = node([OID.int4, OID.text, OID.int4, OID.int8], {
      kind: 'aggregate',
      strategy: 'hash',
      input: scan(table),
      groupBy: [input(1), input(2, OID.text)],
      aggregates: [count()],
      groupingSets: [[0], [1], []],
    });
    const rows = database.run(planOf(sets, [table]));
    expect(rows.length).toBe(10 + 3000 + 1);
    expect(
      rows
        .filter((row) => row[0] === null && row[1] === null)
        .map((row) => row.slice(2))
        .sort(),
    ).toEqual([
      [0, 300],
      [2, 3000],
    ]);
    expect(new MemoryDatabase().run(planOf(sets, [table]))).toEqual([[null, null, 2, 0]]);
  });

  test('distinct', () => {
    const database = make();
    const distinct = node([OID.int4, OID.int4, OID.text], {
      kind: 'distinct',
      strategy: 'hash',
      input: node([OID.int4, OID.int4, OID.text], {
        kind: 'append',
        inputs: [scan(table), scan(table)],
      }),
      keys: [],
    });
    expect(database.run(planOf(distinct, [table])).length).toBe(3000);
    check(database);
  });

  test('merge append keeps the order of its inputs, again and again', () => {
    const database = make();
    const part = (remainder: number): PlanNode => {
      const rest = call('int4mod', OID.int4, input(0), constant(3));
      const filter = call('int4eq', OID.bool, rest, constant(remainder));
      return sortBy(scan(table, 0, { columns: [0, 1], filter }), 0, OID.int4, true);
    };
    const merged = node([OID.int4, OID.int4], {
      kind: 'mergeAppend',
      inputs: [part(0), part(1), part(2)],
      keys: [{ expr: input(0), descending: true, nullsFirst: true }],
      partitions: { alias: 't', pruning: null },
    });
    const ids = (rows: Datum[][]) => rows.map(([id]) => id);
    const down = Array.from({ length: 3000 }, (_, i) => 2999 - i);
    expect(ids(database.run(planOf(merged, [table])))).toEqual(down);
    const twice = node([OID.int4, OID.int4, OID.int4], {
      kind: 'nestedLoop',
      join: 'inner',
      left: values([OID.int4], [[1], [2]]),
      right: merged,
      slots: [],
      values: [],
      on: null,
    });
    const rows = database.run(planOf(twice, [table]));
    expect(rows.map(([, id]) => id)).toEqual([...down, ...down]);
    check(database);
  });

  test('set operations', () => {
    const database = make();
    const evens = scan(table, 0, {
      columns: [0, 2],
      filter: call('int4lt', OID.bool, input(0), constant(2000)),
    });
    const rest = scan(table, 0, {
      columns: [0, 2],
      filter: call('int4ge', OID.bool, input(0), constant(1000)),
    });
    const operation = (kind: 'intersect' | 'except', all: boolean) =>
      node([OID.int4, OID.text], {
        kind: 'setOperation',
        operation: kind,
        all,
        left: node([OID.int4, OID.text], { kind: 'append', inputs: [evens, evens] }),
        right: rest,
      });
    expect(database.run(planOf(operation('intersect', false), [table])).length).toBe(1000);
    expect(database.run(planOf(operation('except', false), [table])).length).toBe(1000);
    expect(database.run(planOf(operation('except', true), [table])).length).toBe(3000);
    expect(database.run(planOf(operation('intersect', true), [table])).length).toBe(1000);
    check(database);
  });

  const left: Datum[][] = [];
  const right: Datum[][] = [];
  for (let i = 0; i < 2000; i++) left.push([i % 7 === 0 ? null : i % 500, i]);
  for (let i = 0; i < 1500; i++) right.push([i % 11 === 0 ? null : (i % 600) + 100, -i]);
  const types = [OID.int4, OID.int4];

  function expectedJoin(join: string, on: (l: Datum[], r: Datum[]) => boolean): string[] {
    const out: Datum[][] = [];
    const rightSeen = new Set<Datum[]>();
    for (const l of left) {
      const matches = right.filter((r) => l[0] !== null && l[0] === r[0] && on(l, r));
      for (const r of matches) rightSeen.add(r);
      if (join === 'semi') {
        if (matches.length > 0) out.push(l);
      } else if (join === 'anti') {
        if (matches.length === 0) out.push(l);
      } else {
        for (const r of matches) out.push([...l, ...r]);
        if (matches.length === 0 && (join === 'left' || join === 'full'))
          out.push([...l, null, null]);
      }
    }
    if (join === 'right' || join === 'full')
      for (const r of right) if (!rightSeen.has(r)) out.push([null, null, ...r]);
    return out.map((row) => JSON.stringify(row)).sort();
  }

  test.each(['inner', 'left', 'right', 'full', 'semi', 'anti'] as const)('%s joins', (join) => {
    const database = make(0);
    const output = join === 'semi' || join === 'anti' ? types : [...types, ...types];
    const conditions = [
      { on: null, test: () => true },
      {
        on: call('int4lt', OID.bool, input(1), call('int4pl', OID.int4, input(3), constant(900))),
        test: (l: Datum[], r: Datum[]) => (l[1] as number) < (r[1] as number) + 900,
      },
    ];
    for (const { on, test: holds } of conditions) {
      const expected = expectedJoin(join, holds);
      const hash = node(output, {
        kind: 'hashJoin',
        join,
        left: values(types, left),
        right: values(types, right),
        leftKeys: [input(0)],
        rightKeys: [input(0)],
        on,
      });
      expect(
        database
          .run(planOf(hash))
          .map((row) => JSON.stringify(row))
          .sort(),
      ).toEqual(expected);
      const merge = node(output, {
        kind: 'mergeJoin',
        join,
        left: sortBy(values(types, left), 0),
        right: sortBy(values(types, right), 0),
        leftKeys: [input(0)],
        rightKeys: [input(0)],
        on,
      });
      expect(
        database
          .run(planOf(merge))
          .map((row) => JSON.stringify(row))
          .sort(),
      ).toEqual(expected);
      if (join === 'right' || join === 'full') continue;
      const equal = call('int4eq', OID.bool, input(0), input(2));
      const both =
        on === null
          ? equal
          : { kind: 'and' as const, arguments: [equal, on], type: OID.bool, typmod: -1 };
      const loop = node(output, {
        kind: 'nestedLoop',
        join,
        left: values(types, left.slice(0, 300)),
        right: node(types, { kind: 'materialize', input: values(types, right) }),
        slots: [],
        values: [],
        on: both,
      });
      const some = new Set(left.slice(0, 300).map((row) => row[1]));
      expect(
        database
          .run(planOf(loop))
          .map((row) => JSON.stringify(row))
          .sort(),
      ).toEqual(expected.filter((row) => some.has(JSON.parse(row)[1])));
    }
    expect(database.openSpillFiles).toBe(0);
  });
});

test('a nested loop fills slots for its inner index scan', () => {
  const database = filled(100);
  const inner = node([OID.text], {
    kind: 'indexScan',
    table: 0,
    alias: 't',
    columns: [2],
    locator: false,
    scanId: 0,
    filter: null,
    index: 101,
    ranges: [{ equal: [outer(0)], anyOf: null, lower: null, upper: null, isNull: false }],
    backward: false,
    entry: null,
  });
  const loop = node([OID.int4, OID.text], {
    kind: 'nestedLoop',
    join: 'left',
    left: values([OID.int4], [[5], [200], [7]]),
    right: inner,
    slots: [0],
    values: [input(0)],
    on: null,
  });
  expect(database.run(planOf(loop, [table]))).toEqual([
    [5, 'row 5'],
    [200, null],
    [7, 'row 7'],
  ]);
});

describe('few rows are computed where few are wanted', () => {
  const byKey = (): PlanNode =>
    node([OID.text], {
      kind: 'indexScan',
      table: 0,
      alias: 't',
      columns: [2],
      locator: false,
      scanId: 0,
      filter: null,
      index: 110,
      ranges: [{ equal: [outer(0)], anyOf: null, lower: null, upper: null, isNull: false }],
      backward: false,
      entry: null,
    });
  const limited = (input: PlanNode, limit: number): PlanNode =>
    node(
      input.output.map((column) => column.type),
      {
        kind: 'limit',
        input,
        limit: constant(limit, OID.int8),
        offset: constant(2, OID.int8),
        ties: null,
      },
    );
  const joined = (right: PlanNode, join: 'inner' | 'semi' = 'inner'): PlanNode =>
    node(join === 'inner' ? [OID.int4, OID.int4, OID.text] : [OID.int4, OID.int4], {
      kind: 'nestedLoop',
      join,
      left: scan(table, 0, { columns: [0, 1] }),
      right,
      slots: [0],
      values: [input(1)],
      on: null,
    });
  const counted = (root: PlanNode, inner: PlanNode) => {
    const database = filled();
    const instrumentation: Instrumentation = new Map();
    const rows = database.run(planOf(root, [table]), [], instrumentation);
    return { rows, inner: instrumentation.get(inner)! };
  };

  test('a LIMIT over a join runs its right side for the rows it returns', () => {
    const right = limited(byKey(), 1);
    const { rows, inner } = counted(limited(joined(right), 10), right);
    expect(rows.length).toBe(10);
    expect(rows[0]).toEqual([2, 2, 'row 22']);
    expect(inner.loops).toBeLessThan(20);
  });

  test('a LIMIT on the right side reads few rows in each run', () => {
    const right = byKey();
    const { rows, inner } = counted(limited(joined(limited(right, 1)), 10), right);
    expect(rows.length).toBe(10);
    expect(inner.rows).toBeLessThan(20 * 4);
  });

  test('a semi join looks for one match', () => {
    const right = byKey();
    const { rows, inner } = counted(joined(right, 'semi'), right);
    expect(rows.length).toBe(2700);
    expect(inner.rows).toBe(2700);
  });

  test('and all of them where they are wanted', () => {
    const right = byKey();
    const { rows } = counted(limited(joined(right), 5000), right);
    expect(rows.length).toBe(5000);
    expect(rows[0]).toEqual([0, 0, 'row 20']);
    expect(rows[4999]).toEqual([18, 8, 'row 2018']);
  });
});

test('NOT IN counts NULLs', () => {
  const run = (leftRows: Datum[][], rightRows: Datum[][]) =>
    new MemoryDatabase().run(
      planOf(
        node([OID.int4], {
          kind: 'hashJoin',
          join: 'nullAnti',
          left: values([OID.int4], leftRows),
          right: values([OID.int4], rightRows),
          leftKeys: [input(0)],
          rightKeys: [input(0)],
          on: null,
        }),
      ),
    );
  expect(run([[1], [2], [null]], [[1]])).toEqual([[2]]);
  expect(run([[1], [2], [null]], [[1], [null]])).toEqual([]);
  expect(run([[1], [null]], [])).toEqual([[1], [null]]);
});

test('common tables are computed once and read by several', () => {
  const database = filled(10);
  database.pauseEvery = 3;
  const read = node([OID.int4], { kind: 'cteScan', cte: 0, alias: 'c', name: 'c', filter: null });
  const root = node([OID.int4, OID.int4], {
    kind: 'nestedLoop',
    join: 'inner',
    left: read,
    right: read,
    slots: [],
    values: [],
    on: null,
  });
  const plan = planOf(root, [table], { ctes: [scan(table, 0, { columns: [0] })] });
  const compiled = compilePlan(plan);
  expect(database.drain(compiled, plan).length).toBe(100);
  expect(database.drain(compiled, plan).length).toBe(100);
});

test('WITH RECURSIVE', () => {
  const database = new MemoryDatabase();
  const step = node([OID.int4], {
    kind: 'project',
    input: node([OID.int4], {
      kind: 'workTableScan',
      workTable: 0,
      alias: 'n',
      filter: call('int4lt', OID.bool, input(0), constant(5)),
    }),
    exprs: [call('int4pl', OID.int4, input(0), constant(1))],
  });
  const union = (all: boolean) =>
    node([OID.int4], {
      kind: 'recursiveUnion',
      initial: values([OID.int4], [[1], [1]]),
      step,
      all,
      workTable: 0,
    });
  expect(database.run(planOf(union(true))).map((row) => row[0])).toEqual([
    1, 1, 2, 2, 3, 3, 4, 4, 5, 5,
  ]);
  expect(database.run(planOf(union(false))).map((row) => row[0])).toEqual([1, 2, 3, 4, 5]);
});

test('subqueries in expressions', () => {
  const database = filled(30);
  const inner = node([OID.int4], {
    kind: 'filter',
    input: scan(table, 0, { columns: [0] }),
    predicate: call('int4gt', OID.bool, input(0), outer(0)),
  });
  const subplan = (form: 'exists' | 'scalar', extra: object = {}) => ({
    kind: 'subplan' as const,
    form,
    plan: 0,
    slots: [0],
    values: [input(0)],
    comparison: null,
    columnSlots: [],
    hashed: false,
    probe: [],
    type: form === 'exists' ? OID.bool : OID.int4,
    typmod: -1,
    ...extra,
  });
  const project = (expr: ReturnType<typeof subplan>) =>
    planOf(
      node([expr.type], {
        kind: 'project',
        input: values([OID.int4], [[27], [28], [29]]),
        exprs: [expr],
      }),
      [table],
      { subplans: [inner] },
    );
  expect(database.run(project(subplan('exists')))).toEqual([[true], [true], [false]]);
  expect(() => database.run(project(subplan('scalar')))).toThrow(
    'more than one row returned by a subquery used as an expression',
  );
  const hashed = {
    kind: 'subplan' as const,
    form: 'any' as const,
    plan: 0,
    slots: [],
    values: [],
    comparison: null,
    columnSlots: [],
    hashed: true,
    probe: [input(0)],
    type: OID.bool,
    typmod: -1,
  };
  const any = planOf(
    node([OID.bool], {
      kind: 'project',
      input: values([OID.int4], [[1], [99], [null]]),
      exprs: [hashed],
    }),
    [table],
    { subplans: [values([OID.int4], [[1], [2], [null]])] },
  );
  expect(database.run(any)).toEqual([[true], [null], [null]]);
});

test('sets in FROM and in target lists', () => {
  const database = new MemoryDatabase();
  const series = {
    kind: 'setCall' as const,
    function: functionOid('generate_series', OID.int4, OID.int4),
    arguments: [constant(1), input(0)],
    type: OID.int4,
    typmod: -1,
  };
  const set = node([OID.int4, OID.int4], {
    kind: 'projectSet',
    input: values([OID.int4], [[2], [0], [1]]),
    exprs: [input(0), series],
  });
  expect(database.run(planOf(set))).toEqual([
    [2, 1],
    [2, 2],
    [1, 1],
  ]);
  const from = node([OID.int4, OID.int8], {
    kind: 'functionScan',
    alias: 'g',
    calls: [{ ...series, arguments: [constant(1), constant(2500)] }],
    ordinality: true,
    filter: call('int4gt', OID.bool, input(0), constant(2498)),
  });
  expect(database.run(planOf(from))).toEqual([
    [2499, 2499],
    [2500, 2500],
  ]);
});

test('LIMIT, OFFSET and WITH TIES', () => {
  const database = filled(100);
  const limit = (count: Datum, offset: Datum, ties = false) =>
    planOf(
      node([OID.int4, OID.int4], {
        kind: 'limit',
        input: sortBy(scan(table, 0, { columns: [0, 1] }), 1),
        limit: constant(count, OID.int8),
        offset: constant(offset, OID.int8),
        ties: ties ? [input(1)] : null,
      }),
      [table],
    );
  expect(database.run(limit(3, 5)).length).toBe(3);
  expect(database.run(limit(3, 5, true)).length).toBe(5);
  expect(database.run(limit(null, 90)).length).toBe(10);
  expect(database.run(limit(0, 0)).length).toBe(0);
  expect(() => database.run(limit(-1, 0))).toThrow('LIMIT must not be negative');
});

test('EXPLAIN ANALYZE counts by node', () => {
  const database = filled(100);
  const root = scan(table, 0, { filter: call('int4lt', OID.bool, input(0), constant(10)) });
  const instrumentation: Instrumentation = new Map();
  database.run(planOf(root, [table]), [], instrumentation);
  expect(instrumentation.get(root)).toMatchObject({ loops: 1, rows: 10, rowsRemoved: 90 });
});

test('DataRow messages of a chunk', () => {
  const database = filled(3);
  const plan = planOf(scan(table), [table]);
  const compiled = compilePlan(plan);
  const environment = database.environment();
  compiled.open(environment);
  expect(compiled.next()).toBe(1);
  const out = new ByteWriter();
  encodeDataRows(
    dataRowEncoder([OID.int4, OID.int4, OID.text], [1, 0, 0]),
    compiled.chunk,
    1,
    2,
    out,
    environment.functions,
  );
  compiled.close();
  expect(Buffer.from(out.copy()).toString('latin1')).toBe(
    'D\0\0\0\x1c\0\x03\0\0\0\x04\0\0\0\x01\0\0\0\x011\0\0\0\x05row 1',
  );
});
