import { beforeAll, describe, expect, test } from 'vitest';
import { PgError } from '../../../src/errors/index.ts';
import { bindStatement } from '../../../src/sql/bind/index.ts';
import { loadParser, parseStatements } from '../../../src/sql/parse/index.ts';
import { planQuery } from '../../../src/sql/plan/index.ts';
import { type Datum, typeByOid } from '../../../src/types/index.ts';
import { sampleCatalog, sampleDatabase } from '../support/sample-tables.ts';
import { contextFor } from '../support/test-catalog.ts';
import answers from './json-answers.json' with { type: 'json' };

/** Queries about json with the answers of PostgreSQL 15, through parser, binder and planner. */

const catalog = sampleCatalog;
const database = sampleDatabase();
const { functions } = database.environment();

function run(sql: string): { rows?: (string | null)[][]; error?: string } {
  try {
    const [statement] = parseStatements(sql);
    const bound = bindStatement(statement!.node, contextFor(sql, { catalog }));
    const { query, parameterTypes } = bound;
    const plan = planQuery(query, { catalog, parameterTypes, estimateRows: () => 30 });
    const show = (value: Datum, i: number) =>
      value === null ? null : typeByOid(plan.output[i]!.type).output(value, functions);
    return { rows: database.run(plan).map((row) => row.map(show)) };
  } catch (error) {
    if (error instanceof PgError) return { error: `${error.sqlstate} ${error.message}` };
    throw error;
  }
}

beforeAll(loadParser);

describe.each([
  ['', 4 << 20],
  [', spilling', 1000],
])('answers as PostgreSQL does%s', (_name, workMem) => {
  test.each(answers)('$sql', ({ sql, ...expected }) => {
    database.workMem = workMem;
    expect(run(sql)).toEqual(expected);
  });
});
