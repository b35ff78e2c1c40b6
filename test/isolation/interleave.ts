import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { beforeEach, expect, test } from 'vitest';
import type { TestServer } from '../server/server.ts';

/** Steps of several sessions by the name of the test, with what PostgreSQL 15 answers to them. */
export type Interleavings = Readonly<Record<string, Interleaving>>;

interface Interleaving {
  readonly steps: readonly string[];
  readonly answers: readonly string[];
}

/** A test for each interleaving, after the statements of `setup`, which are run before every test of the file.
 * `told`: what of the answers has to agree. */
export function testInterleavings(
  server: TestServer,
  setup: string,
  cases: Interleavings,
  told: (answers: readonly string[]) => unknown = (answers) => answers,
): void {
  setUpEach(server, setup);
  test.each(Object.entries(cases))('%s', async (_name, { steps, answers }) => {
    expect(told(await interleave(server, steps))).toEqual(told(answers));
  });
}

/** Runs statements before every test of the file. */
export function setUpEach(server: TestServer, setup: string): void {
  beforeEach(async () => {
    const client = await server.driver();
    await client.query(setup);
    await client.end();
  });
}

/** How long a step may take that neither answers nor is reported as waiting. */
const STEP_MS = 5000;

/** Runs steps of several sessions, `name: statements`, one after the other, and returns what each
 * answered in the order in which the answers came. A step that has to wait for another session is
 * reported as `name: waits`, and its answer where it comes; a session that waits gets no steps. */
export async function interleave(
  server: TestServer,
  steps: readonly string[],
): Promise<readonly string[]> {
  const control = await server.driver();
  const sessions = new Map<
    string,
    { client: pg.Client; pid: number; pending: Promise<void> | null }
  >();
  const answers: string[] = [];
  for (const step of steps) {
    const colon = step.indexOf(':');
    const name = step.slice(0, colon);
    let session = sessions.get(name);
    if (session === undefined) {
      const client = await server.driver();
      const { rows } = await client.query('select pg_backend_pid() as pid');
      session = { client, pid: rows[0].pid, pending: null };
      sessions.set(name, session);
    }
    const current = session;
    // It may have been set free by the end of another wait, as that of a deadlock.
    for (let left = STEP_MS; current.pending !== null && left > 0; left -= 2) await sleep(2);
    if (current.pending !== null) throw new Error(`${name} still waits: ${step}`);
    const before = answers.length;
    const pending = answerOf(current.client, step.slice(colon + 1)).then((answer) => {
      answers.push(`${name}: ${answer}`);
      current.pending = null;
    });
    current.pending = pending;
    await settled(control, current, () => current.pending === null);
    if (current.pending !== null) answers.push(`${name}: waits`);
    // What the step set free answers next.
    for (const other of sessions.values()) {
      if (other === current || other.pending === null) continue;
      await settled(control, other, () => other.pending === null);
    }
    if (answers.length === before) answers.push(`${name}: nothing`);
  }
  for (const { client } of sessions.values()) await client.end();
  await control.end();
  return answers;
}

/** Until the session's step is over, or is seen to wait; twice, as it may just have been set free. */
async function settled(
  control: pg.Client,
  session: { readonly pid: number },
  isOver: () => boolean,
): Promise<void> {
  const end = Date.now() + STEP_MS;
  let seen = 0;
  while (!isOver()) {
    const { rows } = await control.query('select cardinality(pg_blocking_pids($1)) as n', [
      session.pid,
    ]);
    seen = rows[0].n > 0 ? seen + 1 : 0;
    if (seen === 2) return;
    if (Date.now() > end) throw new Error(`process ${session.pid} does not answer`);
    await sleep(3);
  }
}

/** What a session answers to statements: the rows of the last, its tag, or the SQLSTATE. */
export async function answerOf(client: pg.Client, text: string): Promise<string> {
  try {
    const result = await client.query({ text, rowMode: 'array' });
    const last = Array.isArray(result) ? result.at(-1) : result;
    if (last.fields.length === 0) return `${last.command} ${last.rowCount ?? ''}`.trim();
    return last.rows.map((row: unknown[]) => row.join(',')).join(' ') || 'no rows';
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown);
  }
}
