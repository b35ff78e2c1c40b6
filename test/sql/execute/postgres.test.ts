import { beforeAll, describe, expect, test } from 'vitest';
import { PgError } from '../../../src/errors/index.ts';
import { bindStatement } from '../../../src/sql/bind/index.ts';
import { loadParser, parseStatements } from '../../../src/sql/parse/index.ts';
import { type Plan, planQuery } from '../../../src/sql/plan/index.ts';
import { typeByOid } from '../../../src/types/index.ts';
import { sampleCatalog, sampleDatabase, sampleTables } from '../support/sample-tables.ts';
import { contextFor } from '../support/test-catalog.ts';
import answers from './postgres-answers.json' with { type: 'json' };
import changes from './postgres-changes.json' with { type: 'json' };
import random from './random-answers.json' with { type: 'json' };
import windows from './window-answers.json' with { type: 'json' };

/** Queries with the answers of PostgreSQL 15, through parser, binder and planner. */

const { a, b } = sampleTables;
const catalog = sampleCatalog;
let database = sampleDatabase();
const { functions } = database.environment();

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
  test.each([...answers.queries, ...windows.queries, ...random.queries])('$sql', (query) => {
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
    database = sampleDatabase();
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
