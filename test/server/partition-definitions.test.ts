/** partition-definitions.txt has statements (`> `) and what PostgreSQL 15 answers to them, one after the
 * other on one connection: the rows, or the error with its position. A line `! ` holds
 * Heddle's own answer where it differs, for the reason in the comment above it. */
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { expect, test } from 'vitest';
import { testServer } from './server.ts';

const server = testServer();
const SCRIPT = readFileSync(new URL('partition-definitions.txt', import.meta.url), 'utf8').split(
  '\n',
);
/** From here on nothing is changed. */
const LOOKING = SCRIPT.findIndex((line) => line.startsWith('> select relname, regexp_replace'));

async function ask(client: pg.Client, statement: string): Promise<string[]> {
  try {
    const result = await client.query({
      text: statement,
      rowMode: 'array',
      types: { getTypeParser: () => (value: string) => value },
    });
    return result.rows.map((row: (string | null)[]) =>
      row.map((value) => value ?? 'NULL').join(' | '),
    );
  } catch (thrown) {
    if (!(thrown instanceof pg.DatabaseError)) throw thrown;
    const { code, message, detail, hint, position } = thrown;
    const parts = [code, message, detail && `DETAIL ${detail}`, hint && `HINT ${hint}`];
    return [[...parts, position && `AT ${position}`].filter(Boolean).join(' / ')];
  }
}

/** Asks the statements of some lines; their answers, and those that are expected. */
async function compare(client: pg.Client, lines: readonly string[]) {
  const expected: string[] = [];
  const actual: string[] = [];
  for (const line of lines) {
    if (line.startsWith('> ')) actual.push(line, ...(await ask(client, line.slice(2))));
    if (line.startsWith('! ')) expected.splice(-1, 1, line.slice(2));
    else if (line !== '' && !line.startsWith('#')) expected.push(line.replaceAll('\\n', '\n'));
  }
  return { expected, actual };
}

test('tables are partitioned as in PostgreSQL, and stay so', async () => {
  let client = await server.driver();
  const first = await compare(client, SCRIPT);
  expect(first.actual).toEqual(first.expected);
  await client.query('begin; drop table r2; alter table fk detach partition fk1');
  await server.running.kill();
  await server.start();

  client = await server.driver();
  await client.query('set search_path = pp');
  const second = await compare(client, SCRIPT.slice(LOOKING));
  expect(second.actual).toEqual(second.expected);
  await client.query("insert into r values (15, 'a'); insert into ref values (7)");
  await expect(client.query("insert into r21 values (15, 'a')")).rejects.toThrow(/r21_pkey/);
  await expect(client.query('insert into fk values (8, 1)')).rejects.toThrow(/fk_a_fkey/);
  await client.query('insert into fk values (7, 1)');
  await client.end();
});
