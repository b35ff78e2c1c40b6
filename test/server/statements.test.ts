/** statements.txt has simple queries (`> `) and what PostgreSQL 15 answers to them, one after the other
 * on one connection; a line `! ` holds Heddle's own answer where it differs, for the reason in the
 * comment above it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { query } from '../support/wire-client.ts';
import { testServer } from './server.ts';
import { words } from './session-scenarios.ts';

const server = testServer();

test('statements answer as PostgreSQL does', async () => {
  const lines = readFileSync(new URL('statements.txt', import.meta.url), 'utf8').split('\n');
  const wire = await server.wire();
  const expected: string[] = [];
  const actual: string[] = [];
  for (const [i, line] of lines.entries()) {
    if (!line.startsWith('> ')) continue;
    const [answer = '', own = ''] = lines.slice(i + 1);
    expected.push(line, own.startsWith('! ') ? own.slice(2) : answer);
    wire.send(query(line.slice(2)));
    actual.push(line, words(await wire.untilReady()));
  }
  await wire.end();
  expect(actual).toEqual(expected);
});
