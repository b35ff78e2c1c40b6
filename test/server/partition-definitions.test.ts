/** partition-definitions.txt has statements (`> `) and what PostgreSQL 15 answers to them, one after the
 * other on one connection: the rows, or the error with its position. A line `! ` holds
 * Heddle's own answer where it differs, for the reason in the comment above it. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** What two sessions say, and what they are answered (`=`); a statement that waits ends in ` …`. */
const INTERLEAVED: Readonly<Record<string, readonly string[]>> = {
  'a row that goes to the default partition keeps others from taking its place': [
    'A: begin',
    'A: insert into t values (5)',
    'B: alter table t attach partition p for values from (1) to (10) …',
    'A: commit',
    'B= 23514 / updated partition constraint for default partition "pd" would be violated by some row',
  ],
  'a row that waits for a partition goes there': [
    'A: begin',
    'A: create table p2 partition of t for values from (1) to (10)',
    'B: insert into t values (5) returning tableoid::regclass …',
    'A: commit',
    'B= p2',
  ],
  'a query that waits for a partition to leave does not read it': [
    'A: begin',
    'A: alter table t detach partition p1',
    'B: select * from t …',
    'A: commit',
    'B= 50',
  ],
  'a row whose partition is dropped goes to the default partition': [
    'A: begin',
    'A: drop table p1',
    'B: insert into t values (105) returning tableoid::regclass …',
    'A: commit',
    'B= pd',
  ],
  'a prepared statement follows the partitions': [
    'A: prepare put as insert into t values ($1) returning tableoid::regclass',
    'A: execute put(7)',
    'A= pd',
    'B: delete from t where a = 7',
    'B: alter table t attach partition p for values from (1) to (10)',
    'A: execute put(8)',
    'A= p',
    'B: alter table t detach partition p',
    'A: execute put(9)',
    'A= pd',
  ],
};

const TABLES = [
  'drop table if exists t, p, p1, p2, pd',
  'create table t (a int) partition by range (a)',
  'create table p1 partition of t for values from (100) to (200)',
  'create table pd partition of t default',
  'create table p (a int)',
  'insert into t values (101), (50)',
];

test.each(Object.entries(INTERLEAVED))('%s', async (_, steps) => {
  const sessions = { A: await server.driver(), B: await server.driver() };
  for (const statement of TABLES) await sessions.A.query(statement);
  const answers = { A: Promise.resolve(['']), B: Promise.resolve(['']) };
  const actual: string[] = [];
  for (const step of steps) {
    const name = step[0] as 'A' | 'B';
    if (step[1] === '=') {
      actual.push(`${name}= ${(await answers[name]).join(', ')}`);
      continue;
    }
    const statement = step.slice('A: '.length).replace(/ …$/, '');
    answers[name] = ask(sessions[name], statement);
    const first = await Promise.race([answers[name], sleep(step.endsWith('…') ? 100 : 5000)]);
    actual.push(`${name}: ${statement}${first === undefined ? ' …' : ''}`);
  }
  expect(actual).toEqual(steps);
  await sessions.A.end();
  await sessions.B.end();
});
