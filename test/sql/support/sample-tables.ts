import { OID, typeByOid } from '../../../src/types/index.ts';
import answers from '../execute/postgres-answers.json' with { type: 'json' };
import { MemoryDatabase, makeIndex, makeTable } from '../execute/support.ts';
import { makeCatalog } from './test-catalog.ts';

/** The tables that queries with PostgreSQL's answers are about. */

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
export const sampleTables = { a, b, c };
export const sampleCatalog = makeCatalog([a, b, c]);

/** A database with the tables and their rows. */
export function sampleDatabase(): MemoryDatabase {
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
