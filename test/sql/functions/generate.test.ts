/** Asks a PostgreSQL 15 for the results of the calls in samples.ts and writes them to cases/.
 *
 *   PG_ORACLE=postgres://postgres@127.0.0.1:5432/postgres \
 *     npx vitest run test/sql/functions/generate.test.ts
 *   npx biome format --write test/sql/functions/cases
 *
 * The server must have collation C and encoding UTF8. The other tests read the files and need no
 * server; without PG_ORACLE this one is skipped. */

import { writeFileSync } from 'node:fs';
import pg from 'pg';
import { it } from 'vitest';
import { type CaseGroup, type CaseRow, ORACLE_SETTINGS } from './case.ts';
import { type Sample, samples } from './samples.ts';

const url = process.env.PG_ORACLE;

const client = new pg.Client({
  connectionString: url,
  types: { getTypeParser: () => (value: string) => value },
});

it.skipIf(url === undefined)('writes the cases', { timeout: 60_000 }, async () => {
  await client.connect();
  for (const [name, value] of Object.entries(ORACLE_SETTINGS)) {
    await client.query(`set ${name} = '${value}'`);
  }
  for (const [family, list] of Object.entries(samples)) {
    const groups: CaseGroup[] = [];
    for (const sample of list) groups.push(await ask(sample));
    const text = `[\n${groups.map(formatGroup).join(',\n')}\n]\n`;
    writeFileSync(new URL(`./cases/${family}.json`, import.meta.url), text);
  }
  await client.end();
});

async function ask(sample: Sample): Promise<CaseGroup> {
  const rows: CaseRow[] = [];
  let result = 0;
  for (const args of sample.rows) {
    try {
      const answer = await client.query({ text: sqlOf(sample, args), rowMode: 'array' });
      result = answer.fields[0]?.dataTypeID ?? 0;
      const values = answer.rows.map((row: (string | null)[]) => row[0] ?? null);
      rows.push({ args, result: sample.kind === 'set' ? values : (values[0] ?? null) });
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      rows.push({ args, error: `${code} ${message}` });
    }
  }
  return { kind: sample.kind, name: sample.name, types: sample.types, result, rows };
}

function sqlOf(sample: Sample, args: CaseRow['args']): string {
  const { types, name, kind } = sample;
  if (kind === 'aggregate') {
    const names = types.map((_, i) => `x${i}`);
    const order = args.length === 0 ? 'limit 0' : '';
    const rows = args.length === 0 ? [types.map(() => null)] : (args as (string | null)[][]);
    const values = rows
      .map((row) => `(${row.map((value, i) => literal(value, types[i]!)).join(', ')})`)
      .join(', ');
    return `select ${name}(${names.join(', ')}) from (select * from (values ${values}) v(${names.join(', ')}) ${order}) w`;
  }
  const list = (args as (string | null)[]).map((value, i) => literal(value, types[i]!)).join(', ');
  return kind === 'set'
    ? `select * from pg_catalog."${name}"(${list})`
    : `select pg_catalog."${name}"(${list})`;
}

function literal(value: string | null, type: string): string {
  if (value === null) return `null::${type}`;
  const quoted = `'${value.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return `${value.includes('\\') ? 'E' : ''}${quoted}::${type}`;
}

function formatGroup(group: CaseGroup): string {
  const { rows, ...head } = group;
  const lines = rows.map((row) => `      ${JSON.stringify(row)}`);
  const fields = JSON.stringify(head).slice(1, -1);
  return `  {\n    ${fields},\n    "rows": [\n${lines.join(',\n')}\n    ]\n  }`;
}
