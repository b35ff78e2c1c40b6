/** Random schedules of sessions, step by step against what PostgreSQL 15 answers to them, which
 * schedule-answers.json has: `RECORD_FROM=port npx vitest run test/isolation/schedules.test.ts` asks a
 * PostgreSQL at that port anew (in $PGDATABASE). Seeds are those whose answers do not depend on who is quicker, and with none
 * of the differences of docs/differences.md ("Who waits for whom"). */
import { writeFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { testServer } from '../server/server.ts';
import { runSchedule, type Transcript } from './schedule.ts';
import recorded from './schedule-answers.json' with { type: 'json' };
import { MIXES } from './schedule-mixes.ts';

const server = testServer();
const PORT = Number(process.env.RECORD_FROM ?? 0);
const answers: Record<string, Record<string, Transcript>> = recorded;

const SEEDS: Readonly<Record<string, readonly number[]>> = {
  'rows of a plain table': [10, 16, 20, 22],
  'the fast path and others': [308, 316, 318],
  'prepared statements on the fast path and others': [316, 324, 328],
  'unique keys': [0, 7, 10, 14],
  'foreign keys': [6, 10, 12, 15],
  everything: [3, 6, 10, 40],
};

for (const [name, mix] of Object.entries(MIXES)) {
  test.each(SEEDS[name] ?? [])(`${name}, seed %i`, async (seed) => {
    const transcript = await runSchedule(PORT === 0 ? () => server.driver() : connect, mix, seed);
    if (PORT === 0) expect(transcript).toEqual(answers[name]?.[seed]);
    else answers[name] = { ...answers[name], [seed]: transcript };
  });
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port: PORT, user: 'postgres' });
  await client.connect();
  return client;
}

afterAll(() => {
  if (PORT === 0) return;
  const file = new URL('./schedule-answers.json', import.meta.url);
  writeFileSync(file, `${JSON.stringify(answers, null, 2)}\n`);
});
