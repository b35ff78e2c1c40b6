import { beforeAll, describe, expect, test } from 'vitest';
import { PgError } from '../../../src/errors/index.ts';
import { bindStatement } from '../../../src/sql/bind/index.ts';
import { liftLiterals, loadParser, parseStatements } from '../../../src/sql/parse/index.ts';
import { planQuery } from '../../../src/sql/plan/index.ts';
import { type Datum, DEFAULT_TYPE_CONTEXT, typeByOid } from '../../../src/types/index.ts';
import { sampleCatalog, sampleDatabase } from '../support/sample-tables.ts';
import { contextFor } from '../support/test-catalog.ts';
import answers from './postgres-answers.json' with { type: 'json' };

/** Queries with the rows of PostgreSQL 15.18, run by plans for small and for large tables, with
 * literals as they are and lifted to parameters: every plan has to give the same rows. */
const catalog = sampleCatalog;
const database = sampleDatabase();

beforeAll(loadParser);

function run(sql: string, rowsPerRow: number, lift: boolean): { rows?: string[]; error?: string } {
  try {
    const statement = parseStatements(sql)[0];
    if (statement === undefined) throw new Error('no statement');
    const lifted = lift ? liftLiterals(sql) : null;
    const literals = lifted?.literals ?? [];
    const bound = bindStatement(statement.node, contextFor(sql, { catalog, literals }));
    const plan = planQuery(bound.query, {
      catalog,
      parameterTypes: bound.parameterTypes,
      estimateRows: (table) => database.tree(table.tree).entries.length * rowsPerRow,
    });
    const parameters = literals.map((literal, i): Datum => {
      const type = bound.parameterTypes[i] ?? 0;
      return type === 0 ? null : typeByOid(type).input(literal.text, DEFAULT_TYPE_CONTEXT, -1);
    });
    const rows = database
      .run(plan, parameters)
      .map((row) =>
        row
          .map((value, i) =>
            value === null
              ? '\\N'
              : typeByOid(plan.output[i]?.type ?? 25).output(value, DEFAULT_TYPE_CONTEXT),
          )
          .join('|'),
      );
    return { rows };
  } catch (error) {
    if (error instanceof PgError) return { error: error.sqlstate };
    throw error;
  }
}

describe.each([
  ['small tables', 1, false],
  ['large tables', 1000, false],
  ['lifted literals', 1, true],
])('%s', (_name, rowsPerRow, lift) => {
  test.each(answers as readonly { sql: string; rows?: string[]; error?: string }[])(
    '$sql',
    (answer) => {
      const { sql, ...expected } = answer;
      const got = run(sql, rowsPerRow, lift);
      const ordered = /order by [^)]*$/.test(sql);
      if (!ordered && expected.rows !== undefined && got.rows !== undefined) {
        expect([...got.rows].sort()).toEqual([...expected.rows].sort());
      } else expect(got).toEqual(expected);
    },
  );
});
