import { beforeAll, describe, expect, test } from 'vitest';
import { PgError } from '../../../src/errors/index.ts';
import { bindStatement } from '../../../src/sql/bind/index.ts';
import { loadParser, parseStatements } from '../../../src/sql/parse/index.ts';
import { type Plan, planQuery } from '../../../src/sql/plan/index.ts';
import { OID, typeByOid } from '../../../src/types/index.ts';
import { contextFor, makeCatalog } from '../support/test-catalog.ts';
import answers from './postgres-answers.json' with { type: 'json' };
import changes from './postgres-changes.json' with { type: 'json' };
import { MemoryDatabase, makeIndex, makeTable } from './support.ts';

/** Queries with the answers of PostgreSQL 15, through parser, binder and planner. */

const A = [
  { name: 'id', type: OID.int4, notNull: true },
  { name: 'v', type: OID.int4 },
  { name: 't', type: OID.text },
];
const a = makeTable(1000, 'a', A, [0], [makeIndex(1010, [1], A)]);
const b = makeTable(
  1100,
  'b',
  [
    { name: 'aid', type: OID.int4 },
    { name: 'w', type: OID.int4 },
  ],
  null,
);
const c = makeTable(
  1200,
  'c',
  [
    { name: 'id', type: OID.int4, notNull: true },
    { name: 'd', type: OID.date },
    { name: 'ts', type: OID.timestamp },
    { name: 'n', type: OID.numeric },
    { name: 'f', type: OID.float8 },
    { name: 'p', type: OID.bpchar },
    { name: 'u', type: OID.uuid },
    { name: 'b', type: OID.bool },
  ],
  [0],
);
const catalog = makeCatalog([a, b, c]);

let database = filled();
const { functions } = database.environment();

function filled(): MemoryDatabase {
  const fresh = new MemoryDatabase();
  const context = fresh.environment().functions;
  for (const [table, rows] of [
    [a, answers.tables.a],
    [b, answers.tables.b],
    [c, answers.tables.c],
  ] as const) {
    fresh.load(
      table,
      rows.map((row) =>
        row.map((text, i) =>
          text === '\\N' ? null : typeByOid(table.columns[i]!.type).input(text, context, -1),
        ),
      ),
    );
  }
  return fresh;
}

function planOf(sql: string): Plan {
  const statement = parseStatements(sql)[0]!;
  const bound = bindStatement(statement.node, contextFor(sql, { catalog }));
  const estimateRows = (table: { tree: number }): number =>
    database.tree(table.tree).entries.length;
  return planQuery(bound.query, { catalog, parameterTypes: bound.parameterTypes, estimateRows });
}

function run(sql: string): { rows?: string[][]; error?: string } {
  try {
    const plan = planOf(sql);
    const rows = database.run(plan);
    return {
      rows: rows.map((row) =>
        row.map((value, i) =>
          value === null ? '\\N' : typeByOid(plan.output[i]!.type).output(value, functions),
        ),
      ),
    };
  } catch (error) {
    if (error instanceof PgError) return { error: error.sqlstate };
    throw error;
  }
}

beforeAll(loadParser);

describe.each([
  ['', 4 << 20, 0],
  [', spilling and pausing', 1000, 7],
])('answers as PostgreSQL does%s', (_name, workMem, pauseEvery) => {
  test.each(answers.queries)('$sql', (query) => {
    database.workMem = workMem;
    database.pauseEvery = pauseEvery;
    const { sql, ...expected } = query;
    const isOrdered = sql.includes('order by') || !('rows' in expected);
    const got = run(sql);
    if (isOrdered || got.rows === undefined) expect(got).toEqual(expected);
    else expect(sorted(got.rows)).toEqual(sorted(expected.rows as string[][]));
    expect(database.openSpillFiles).toBe(0);
    expect(database.openCursors).toBe(0);
  });
});

describe.each([
  ['', 0],
  [', pausing', 7],
])('changes rows as PostgreSQL does%s', (_name, pauseEvery) => {
  test.each(changes)('$sql', (change) => {
    database = filled();
    database.pauseEvery = pauseEvery;
    const got = run(change.sql);
    if ('error' in change) expect(got).toEqual({ error: change.error });
    else expect(sorted(got.rows ?? [])).toEqual(sorted(change.rows as string[][]));
    expect(database.openCursors).toBe(0);
    if ('error' in change) return;
    const table = change.table === 'a' ? a : b;
    const after = database
      .rowsOf(table)
      .map((row) =>
        row.map((value, i) =>
          value === null ? '\\N' : typeByOid(table.columns[i]!.type).output(value, functions),
        ),
      );
    expect(sorted(after)).toEqual(sorted(change.after));
  });
});

function sorted(rows: string[][]): string[] {
  return rows.map((row) => row.join('|')).sort();
}
