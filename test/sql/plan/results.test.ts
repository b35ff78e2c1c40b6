import { beforeAll, describe, expect, test } from 'vitest';
import { PgError } from '../../../src/errors/index.ts';
import { bindStatement } from '../../../src/sql/bind/index.ts';
import { liftLiterals, loadParser, parseStatements } from '../../../src/sql/parse/index.ts';
import { planQuery } from '../../../src/sql/plan/index.ts';
import { type Datum, OID, typeByOid } from '../../../src/types/index.ts';
import tables from '../execute/postgres-answers.json' with { type: 'json' };
import { MemoryDatabase, makeIndex, makeTable } from '../execute/support.ts';
import { contextFor, makeCatalog, TYPES } from '../support/test-catalog.ts';
import answers from './postgres-answers.json' with { type: 'json' };

/** Queries with the rows of PostgreSQL 15.18, run by plans for small and for large tables, with
 * literals as they are and lifted to parameters: every plan has to give the same rows. */
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
const database = new MemoryDatabase();
for (const [table, rows] of [
  [a, tables.tables.a],
  [b, tables.tables.b],
  [c, tables.tables.c],
] as const) {
  database.load(
    table,
    rows.map((row) =>
      row.map((text, i) =>
        text === '\\N' ? null : typeByOid(table.columns[i]?.type ?? 25).input(text, TYPES, -1),
      ),
    ),
  );
}

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
      return type === 0 ? null : typeByOid(type).input(literal.text, TYPES, -1);
    });
    const rows = database
      .run(plan, parameters)
      .map((row) =>
        row
          .map((value, i) =>
            value === null ? '\\N' : typeByOid(plan.output[i]?.type ?? 25).output(value, TYPES),
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
